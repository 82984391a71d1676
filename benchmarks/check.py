"""Is it right? A contender that is not gets no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mismatch:
    """The first element that is wrong, or another shape."""

    text: str

    def __str__(self) -> str:
        return self.text


def arrays_of(result: Any) -> list[np.ndarray]:
    """The arrays of a result, whatever library made them."""
    if isinstance(result, tuple | list):
        return [array for part in result for array in arrays_of(part)]
    if hasattr(result, "detach"):
        result = result.detach().numpy()
    return [np.asarray(result)]


def mismatch(result: Any, reference: Any, tolerance: float) -> Mismatch | None:
    """
    Where a result leaves its reference; None if nowhere.

    The error is measured against the largest finite number of the reference. NaN and infinities
    must stand where the reference has them.

    Examples
    --------
    >>> print(mismatch(np.array([1.0, 2.5]), np.array([1.0, 2.0]), 1e-5))
    element [1] is 2.5, expected 2: off by 25 % of the largest, 0.001 % are allowed
    >>> mismatch(np.array([1.0]), np.array([1.0]), 1e-5)
    """
    found, wanted = arrays_of(result), arrays_of(reference)
    if len(found) != len(wanted):
        return Mismatch(f"{len(found)} results, expected {len(wanted)}")
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        which = f"result {i}: " if len(found) > 1 else ""
        if a.shape != b.shape:
            return Mismatch(f"{which}shape {a.shape}, expected {b.shape}")
        a, b = a.astype(np.float64), b.astype(np.float64)
        size = float(np.max(np.abs(b), where=np.isfinite(b), initial=0.0)) or 1.0
        with np.errstate(invalid="ignore"):
            near = np.abs(a - b) <= tolerance * size
        right = near | (a == b) | (np.isnan(a) & np.isnan(b))
        if not right.all():
            at = tuple(int(k) for k in np.argwhere(~right)[0])
            off = abs(a[at] - b[at]) / size * 100.0
            return Mismatch(
                f"{which}element {list(at)} is {a[at]:.9g}, expected {b[at]:.9g}: off by "
                f"{off:.3g} % of the largest, {tolerance * 100.0:.3g} % are allowed"
            )
    return None
