"""Which arrays were changed in place, when, and by what.

A rule must not read a saved value that was changed after it was saved. One clock (`tick`) orders
the creation of nodes and the changes of arrays, so the question is a comparison of two numbers.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

tick = itertools.count(1).__next__


class Change:
    """The last change of the memory behind one array.

    Attributes
    ----------
    time : int
        By the clock of `tick`; 0 if there was none yet.
    by : str
        What did it.
    """

    __slots__ = ("array", "by", "time")

    def __init__(self, array: weakref.ref[np.ndarray]) -> None:
        self.array = array
        self.by = ""
        self.time = 0


class Changes:
    """The last change of every array that was ever changed in place.

    Views, detached tensors and NumPy arrays over the same memory share one entry: it is kept
    under the array that owns the memory, and goes when that array is freed.
    """

    def __init__(self) -> None:
        self.last = 0
        self._entries: dict[int, Change] = {}

    def entry(self, array: np.ndarray) -> Change:
        """Return the entry of the memory behind `array`, for `mark_all`.

        It counts for as long as the array lives.
        """
        base = owner(array)
        key = id(base)
        entry = self._entries.get(key)
        if entry is None:
            entries = self._entries
            reference = weakref.ref(base, lambda _: entries.pop(key, None))
            entry = entries[key] = Change(reference)
        return entry

    def mark(self, array: Any, by: str) -> None:
        """Note that the op named `by` has just changed the memory behind `array`."""
        if isinstance(array, np.ndarray):
            self.mark_all((self.entry(array),), by)

    def mark_all(self, entries: Iterable[Change], by: str) -> None:
        """Note that the op named `by` has just changed the memory of all `entries`."""
        self.last = now = tick()
        for entry in entries:
            entry.time = now
            entry.by = by

    def since(self, array: Any, time: int) -> str | None:
        """Name the op that changed `array` after `time`, or None."""
        if isinstance(array, np.ndarray):
            entry = self._entries.get(id(owner(array)))
            if entry is not None and entry.time > time:
                return entry.by
        return None


def owner(array: np.ndarray) -> np.ndarray:
    """Return the array that owns the memory that `array` views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


CHANGES = Changes()
