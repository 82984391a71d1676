"""Which arrays were changed in place, when, and by what.

A rule must not read a saved value that was changed after it was saved. One clock (`tick`) orders
the creation of nodes and the changes of arrays, so the question is a comparison of two numbers.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

tick = itertools.count(1).__next__


class Changes:
    """The last change of every array that was ever changed in place.

    Views, detached tensors and NumPy arrays over the same memory share one entry: it is kept
    under the array that owns the memory, and goes when that array is freed.
    """

    def __init__(self) -> None:
        self.last = 0
        self._entries: dict[int, tuple[int, str, weakref.ref[np.ndarray]]] = {}

    def mark(self, array: Any, by: str) -> None:
        """Note that the op named `by` has just changed the memory behind `array`."""
        if not isinstance(array, np.ndarray):
            return
        base = owner(array)
        key = id(base)
        entry = self._entries.get(key)
        if entry is None:
            entries = self._entries
            reference = weakref.ref(base, lambda _: entries.pop(key, None))
        else:
            reference = entry[2]
        self.last = now = tick()
        self._entries[key] = (now, by, reference)

    def since(self, array: Any, time: int) -> str | None:
        """Name the op that changed `array` after `time`, or None."""
        if isinstance(array, np.ndarray):
            entry = self._entries.get(id(owner(array)))
            if entry is not None and entry[0] > time:
                return entry[1]
        return None


def owner(array: np.ndarray) -> np.ndarray:
    """Return the array that owns the memory that `array` views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


CHANGES = Changes()
