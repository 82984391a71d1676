"""How values are told in few words: numbers, shapes, sizes, and the distribution of an array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 12


def number(value: Any, digits: int = 4) -> str:
    """A number to `digits` significant digits, without needless zeros.

    Examples
    --------
    >>> number(0.5), number(1234567.0), number(-1e-7), number(float("nan")), number(3)
    ('0.5', '1.235e+06', '-1e-07', 'nan', '3')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{digits}g}"
    return text if text != "-0" else "0"


def shape_text(shape: tuple[int, ...]) -> str:
    """Sizes with times signs between them; "scalar" for no dimensions.

    Examples
    --------
    >>> shape_text((64, 1, 28, 28)), shape_text(()), shape_text((5,))
    ('64×1×28×28', 'scalar', '5')
    """
    return "×".join(map(str, shape)) if shape else "scalar"


def bytes_text(count: int) -> str:
    """A number of bytes in binary units.

    Examples
    --------
    >>> bytes_text(0), bytes_text(1536), bytes_text(3 << 20)
    ('0 B', '1.5 KiB', '3 MiB')
    """
    size, unit = float(count), 0
    while size >= 1024 and unit < 4:
        size, unit = size / 1024, unit + 1
    return f"{number(size, 3)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"


@dataclass(frozen=True, slots=True)
class Summary:
    """The distribution of an array.

    Attributes
    ----------
    minimum, mean, maximum : float
        Over the finite elements; NaN if there are none.
    histogram : tuple of int
        `BINS` counts over [minimum, maximum]; () for fewer than two different values.
    zeros, nans, infs : int
    size : int
    """

    minimum: float
    mean: float
    maximum: float
    histogram: tuple[int, ...]
    zeros: int
    nans: int
    infs: int
    size: int


def summarise(value: Any) -> Summary:
    """Describe an array (any shape and real dtype, bool included) or a number.

    Examples
    --------
    >>> import numpy as np
    >>> found = summarise(np.array([0.0, 1.0, 2.0, np.nan]))
    >>> found.minimum, found.mean, found.maximum, found.nans, found.zeros
    (0.0, 1.0, 2.0, 1, 1)
    """
    array = np.asarray(value)
    flat = array.reshape(-1).astype(np.float64)
    nans = int(np.isnan(flat).sum())
    infs = int(np.isinf(flat).sum())
    finite = flat[np.isfinite(flat)] if nans or infs else flat
    if not finite.size:
        return Summary(math.nan, math.nan, math.nan, (), 0, nans, infs, flat.size)
    low, high = float(finite.min()), float(finite.max())
    # The mean of a float64 array can overflow where its elements do not.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(finite.mean())
        spread = high - low
    histogram: tuple[int, ...] = ()
    if math.isfinite(spread) and spread > 0.0 and low + spread / BINS > low:
        histogram = tuple(int(n) for n in np.histogram(finite, BINS, (low, high))[0])
    return Summary(low, mean, high, histogram, int((finite == 0.0).sum()), nans, infs, flat.size)
