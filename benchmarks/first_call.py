"""What Numba compiles, or loads from its cache, in a function's first call."""

from __future__ import annotations

import time
from typing import Any

from . import proof


class FirstCall:
    """Watches one call: made before it, asked after it."""

    def __init__(self, function: Any) -> None:
        self.functions = [f for f in proof.referenced(function) if proof.is_dispatcher(f)]
        self.before = self.counts()
        self.begin = time.perf_counter()

    def counts(self) -> tuple[int, int]:
        """How many types were compiled for, and how many of them came from the cache."""
        made = sum(len(f.overloads) for f in self.functions)
        return made, sum(sum(f.stats.cache_hits.values()) for f in self.functions)

    def found(self) -> tuple[str, float] | None:
        """Say "compile" or "load", and the seconds since; None if Numba had nothing to do."""
        seconds = time.perf_counter() - self.begin
        made, loaded = (now - then for now, then in zip(self.counts(), self.before, strict=True))
        if not made:
            return None
        return ("load" if loaded == made else "compile"), seconds
