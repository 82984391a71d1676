"""A column of values in a terminal: numbers, and for arrays their range and distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..summary import Summary, number, summarise
from .text_width import padded, sparkline, to_ascii, width

DIGITS = 3
# How much of an array is told, from the least to the most: the bars of its histogram, and
# whether the smallest, the largest and the mean element stand beside them.
DETAILS = (
    {"bars": 0, "range": False, "mean": False},
    {"bars": 6, "range": False, "mean": True},
    {"bars": 6, "range": True, "mean": False},
    {"bars": 12, "range": True, "mean": False},
    {"bars": 12, "range": True, "mean": True},
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, in parts that stand below each other in a column.

    Attributes
    ----------
    low, bars, high, mean : str
    alarm : str
        What is wrong with it: NaN and infinite elements.
    """

    low: str = ""
    bars: str = ""
    high: str = ""
    mean: str = ""
    alarm: str = ""


def cell(value: Any, detail: int, ascii_only: bool = False) -> Cell:
    """Describe a value in as many parts as `detail`, an index of `DETAILS`, asks for."""
    if value is None:
        return Cell()
    array = np.asarray(value)
    if array.size == 0:
        return Cell(low="empty")
    if array.size == 1:
        text = number(array.reshape(-1)[0])
        finite = array.dtype.kind not in "fc" or math.isfinite(float(array.reshape(-1)[0]))
        return Cell(low=text) if finite else Cell(alarm=text)
    found = summarise(value)
    told = DETAILS[detail]
    if found.nans or found.infs:
        return Cell(alarm=_alarm(found))
    low, high = number(found.minimum, DIGITS), number(found.maximum, DIGITS)
    mean = number(found.mean, DIGITS)
    if not found.histogram:
        same = low if low == high else f"{low} {high}"
        return Cell(low=same, bars="" if low != high else "all")
    bars = sparkline(found.histogram, told["bars"], ascii_only) if told["bars"] else ""
    if not told["range"]:
        return Cell(low=mean, bars=bars)
    sign = "mean " if ascii_only else "μ "
    return Cell(low, bars, high, sign + mean if told["mean"] else "")


def _alarm(found: Summary) -> str:
    parts = []
    if found.nans:
        parts.append(f"{found.nans:,} nan")
    if found.infs:
        parts.append(f"{found.infs:,} inf")
    return f"{', '.join(parts)} of {found.size:,}"


def heading(name: str, detail: int, with_arrays: bool) -> str:
    """The name of a column, and what it shows of arrays."""
    if not with_arrays:
        return name
    if DETAILS[detail]["range"]:
        return f"{name}: min … max"
    return f"{name}: mean"


def column(values: Sequence[Any], detail: int, ascii_only: bool = False) -> list[tuple[str, bool]]:
    """The texts of a column, all of the same width, and whether each is alarming."""
    cells = [cell(value, detail, ascii_only) for value in values]
    low = max((width(c.low) for c in cells), default=0)
    bars = max((len(c.bars) for c in cells), default=0)
    high = max((width(c.high) for c in cells), default=0)
    texts = []
    for c in cells:
        parts = [padded(c.low, low, right=True)]
        if c.bars or c.high or c.mean:
            parts.append(padded(c.bars, bars))
        if c.high or c.mean:
            parts.append(padded(c.high, high))
        if c.mean:
            parts.append(c.mean)
        # An alarm is loud, and in the place of a distribution that matters less.
        text = c.alarm or " ".join(parts).rstrip()
        texts.append((to_ascii(text) if ascii_only else text, bool(c.alarm)))
    room = max((width(text) for text, _ in texts), default=0)
    return [(padded(text, room), alarming) for text, alarming in texts]
