"""Two contenders timed in turn, A B A B ..., and compared by the median of the pairwise ratios.

A slow moment of the machine hits both sides of a pair; times themselves are only for orientation.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0, "MB": 1e-6}


@dataclass
class Row:
    """One comparison: times in seconds (or bytes), the ratio ours / rival, and the aim."""

    name: str
    ours: float
    rival: float
    ratio: float
    low: float
    high: float
    aim: float
    unit: str = "us"

    @property
    def met(self) -> bool:
        """Whether the ratio is within the aim."""
        return self.ratio <= self.aim

    def text(self) -> str:
        """One line of the table."""
        scale = UNITS[self.unit]
        return (
            f"{self.name:38s} {self.ours * scale:9.1f} {self.rival * scale:9.1f} {self.unit:>3s}"
            f"   {self.ratio:5.2f}  ({self.low:.2f} .. {self.high:.2f})   <= {self.aim:.2f}  "
            f"{'ok' if self.met else 'MISSED'}"
        )


HEADING = f"{'':38s} {'ours':>9s} {'rival':>9s}       ratio  (quartiles)        aim"


def compare(
    name: str,
    ours: Callable[[], Any],
    rival: Callable[[], Any],
    aim: float,
    *,
    rounds: int = 25,
    calls: int | None = None,
    turn: float = 0.01,
    unit: str = "us",
) -> Row:
    """Time two functions in turn.

    Parameters
    ----------
    aim : float
        Largest ratio, ours / rival, that is good enough.
    rounds : int
        Number of pairs.
    calls : int, optional
        Calls in one turn; without it, as many as take about `turn` seconds.
    """
    for function in (ours, rival):
        function()
    if calls is None:
        start = time.perf_counter()
        ours()
        calls = max(1, round(turn / max(time.perf_counter() - start, 1e-7)))
    for function in (ours, rival):
        for _ in range(calls):
            function()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for function, taken in zip((ours, rival), times, strict=True):
            gc.collect()
            start = time.perf_counter()
            for _ in range(calls):
                function()
            taken.append((time.perf_counter() - start) / calls)
    ratios = [a / b for a, b in zip(*times, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    mine, theirs = statistics.median(times[0]), statistics.median(times[1])
    return Row(name, mine, theirs, middle, low, high, aim, unit)


def cpu() -> str:
    """Name the processor."""
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 - a device, read line by line
            return next(
                line.split(":")[1].strip() for line in file if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine() -> str:
    """Name the machine and the versions, as every table of figures should."""
    return (
        f"{cpu()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"NumPy {np.__version__}"
    )
