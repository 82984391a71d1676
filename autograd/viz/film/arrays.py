"""Arrays in a page of HTML: as exact as the page can afford, each element still there to be picked.

====== ==================================================== =====================================
kind   what is kept of an element                           when
====== ==================================================== =====================================
``f``  all of its float32                                   the page has room
``d``  all of its float64 (or integer)                      as above, and there are few of them
``q``  four significant decimal digits                      otherwise
====== ==================================================== =====================================

The page shows four digits, so that what it shows is the same in each case. Of arrays too large
even for that the page gets the first part along each dimension, and says so. All arrays of a kind
go into one string: bytes of equal weight beside each other (exponents compress well, mantissas do
not), deflated, in base64.
"""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

# A page should stay below a megabyte: an exact float32 takes about 4.3 bytes of it, four decimal
# digits about 3.1 (measured on the weights and gradients of LeNet-5). Below `EXACT` elements all
# are exact; above `MOST` some are left out.
EXACT = 165_000
MOST = 260_000
EXACT_DOUBLES = 12_000  # about 9 bytes each
DIGITS = 4

# What stands for the numbers that have no digits: the exponent of a zero mantissa.
ZERO, NAN, INFINITY, MINUS_INFINITY = 0, 1, 2, 3


@dataclass(slots=True)
class _Entry:
    array: np.ndarray
    first: bool
    kept: tuple[int, ...] = ()
    kind: str = ""
    offset: int = 0

    @property
    def size(self) -> int:
        return math.prod(self.kept)


class Store:
    """Collects the arrays of a page; equal ones once."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, value: Any, first: bool = False) -> int | float | str | dict[str, int] | None:
        """What stands for `value` in the page's JSON.

        Parameters
        ----------
        value : ndarray, number or None
        first : bool
            Keep this one whole before others, if there is not room for all.

        Returns
        -------
        number, str, None or dict
            Numbers as they are ("nan", "inf", "-inf" as text); of an array, ``{"a": its number}``.
        """
        if value is None:
            return None
        array = np.asarray(value)
        if array.ndim == 0:
            return told(array.item())
        if array.dtype.kind not in "fiub":
            return None
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        index = self._known.get(key)
        if index is None:
            index = self._known[key] = len(self.entries)
            self.entries.append(_Entry(array, first))
        elif first:
            self.entries[index].first = True
        return {"a": index}

    def choose(self) -> None:
        """Settle what is kept of each array; call once, when all are there."""
        for entry in self.entries:
            entry.kept = entry.array.shape
        preferred = [e for e in self.entries if e.first]
        others = [e for e in self.entries if not e.first]
        _fit(preferred, MOST)
        _fit(others, max(MOST - sum(e.size for e in preferred), MOST // 8))
        exact = sum(e.size for e in self.entries) <= EXACT
        doubles = sum(e.size for e in self.entries if not _is_single(e.array))
        for entry in self.entries:
            if not exact:
                entry.kind = "q"
            elif _is_single(entry.array):
                entry.kind = "f"
            else:
                entry.kind = "d" if doubles <= EXACT_DOUBLES else "q"

    def exact(self, value: Any) -> bool:
        """Whether the page has all of a value that `add` returned, without rounding."""
        if not isinstance(value, dict):
            return value is not None
        entry = self.entries[value["a"]]
        return entry.kind != "q" and entry.kept == entry.array.shape

    def rounded(self) -> bool:
        """Whether some are kept to four digits only."""
        return any(e.kind == "q" for e in self.entries)

    def packed(self) -> dict[str, Any]:
        """The arrays as JSON: strings by kind, and [kind, offset, shape, shape kept] of each."""
        parts: dict[str, list[np.ndarray]] = {"f": [], "d": [], "q": []}
        counts = dict.fromkeys(parts, 0)
        listed = []
        for entry in self.entries:
            flat = entry.array[tuple(slice(n) for n in entry.kept)].reshape(-1)
            entry.offset = counts[entry.kind]
            counts[entry.kind] += flat.size
            parts[entry.kind].append(flat)
            listed.append([entry.kind, entry.offset, list(entry.array.shape), list(entry.kept)])
        strings = {
            "f": _deflated(_planes(_joined(parts["f"], "<f4"))),
            "d": _deflated(_planes(_joined(parts["d"], "<f8"))),
            "q": _deflated(_decimal(_joined(parts["q"], "<f8"))),
        }
        return {"list": listed, "counts": counts, "data": strings}


def told(number: Any) -> Any:
    """A number for JSON, which has no NaN and no infinities."""
    if isinstance(number, bool):
        return int(number)
    if isinstance(number, float) and not math.isfinite(number):
        return str(number)
    return number


def _is_single(array: np.ndarray) -> bool:
    if array.dtype.kind == "f":
        return array.dtype.itemsize <= 4
    return array.dtype.itemsize <= 2 or array.dtype.kind == "b"


def _fit(entries: list[_Entry], room: int) -> None:
    """Cut the largest until all fit: no array gets more than a common bound."""
    low, high = 1, max((e.size for e in entries), default=1)
    if sum(e.size for e in entries) <= room:
        return
    while low < high:
        bound = (low + high + 1) // 2
        if sum(min(e.size, bound) for e in entries) <= room:
            low = bound
        else:
            high = bound - 1
    for entry in entries:
        entry.kept = _cut(entry.kept, low)


def _cut(shape: tuple[int, ...], bound: int) -> tuple[int, ...]:
    """The first part of each dimension, those to the left shortened first."""
    kept = list(shape)
    for i in range(len(kept)):
        rest = math.prod(kept[i + 1 :])
        if kept[i] * rest * math.prod(kept[:i]) <= bound:
            break
        kept[i] = max(1, min(kept[i], bound // max(rest, 1)))
    return tuple(kept)


def _joined(parts: list[np.ndarray], dtype: str) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *(p.astype(dtype) for p in parts)])


def _planes(array: np.ndarray) -> bytes:
    return array.view(np.uint8).reshape(array.size, array.itemsize).T.tobytes()


def _decimal(array: np.ndarray) -> bytes:
    """Mantissas of four digits (low bytes, high bytes), then exponents."""
    mantissas = np.zeros(array.size, "<i2")
    exponents = np.zeros(array.size, "<i2")
    for i, number in enumerate(array.tolist()):
        if number == 0.0:
            exponents[i] = ZERO
        elif number != number:
            exponents[i] = NAN
        elif math.isinf(number):
            exponents[i] = INFINITY if number > 0 else MINUS_INFINITY
        else:
            digits, exponent = f"{number:.{DIGITS - 1}e}".split("e")
            mantissas[i] = int(digits.replace(".", ""))
            exponents[i] = int(exponent) - (DIGITS - 1)
    return _planes(mantissas) + _planes(exponents)


def _deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")
