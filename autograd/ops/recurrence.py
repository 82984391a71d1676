"""Steps along a dimension: what the gradients of cumulative ops are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import promoted, to_common
from ..families import movement, structured
from ..graph import Spec


@movement(
    lambda g, y, x, dim, by, fill: _shift(g, dim=dim, by=-by, fill=0.0),  # pyright: ignore[reportGeneralTypeIssues]
    infer=lambda x, *, dim, by, fill: Spec(x.shape, x.dtype),
    formula=("shift(x, by)", "shift(g, -by)"),
)
def _shift(x, /, *, dim, by, fill):
    """Move by one place along `dim`, forwards (by=1) or backwards (by=-1)."""
    y = np.full(x.shape, fill, x.dtype)
    lead = (slice(None),) * dim
    left, right = (*lead, slice(None, -1)), (*lead, slice(1, None))
    if by == 1:
        y[right] = x[left]
    else:
        y[left] = x[right]
    return y


_shift.op.samples = lambda draw: [
    ((draw((2, 3)),), {"dim": 1, "by": 1, "fill": 0.5}),
    ((draw((3, 2)),), {"dim": 0, "by": -1, "fill": 0.0}),
]


def shift(x: Any, dim: int, by: int, fill: float) -> Any:
    """Each element in the place of its neighbour; `fill` where there is none."""
    return _shift(x, dim=dim, by=by, fill=fill)


def _in_b(g, y, a, b, dim, reverse):
    """The same recurrence the other way, as each element goes into those after it."""
    return recurrence(shift(a, dim, 1 if reverse else -1, 0.0), g, dim, not reverse)


def _in_a(g, y, a, b, dim, reverse):
    before = shift(y, dim, -1 if reverse else 1, 0.0)
    return _in_b(g, y, a, b, dim, reverse) * before


@structured(
    _in_a,
    _in_b,
    saves=("y a", "a"),
    infer=lambda a, b, *, dim, reverse: Spec(b.shape, promoted((a, b))),
    promotes=to_common,
    formula=("recurrence(a, b)", "recurrence(shift(a), g) * shift(y)", "recurrence(shift(a), g)"),
)
def _recurrence(a, b, /, *, dim, reverse):
    # Doubles the reach of every element in each round: log2(n) rounds over whole arrays.
    a = np.moveaxis(a, dim, 0).copy()
    y = np.moveaxis(b, dim, 0).copy()
    if reverse:
        a, y = a[::-1], y[::-1]
    reach = 1
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        while reach < len(y):
            y[reach:] += a[reach:] * y[:-reach]
            a[reach:] *= a[:-reach].copy()
            reach *= 2
    return np.moveaxis(y[::-1] if reverse else y, 0, dim)


_recurrence.op.samples = lambda draw: [
    ((draw((2, 5)), draw((2, 5))), {"dim": 1, "reverse": False}),
    ((draw((3, 2)), draw((3, 2))), {"dim": 0, "reverse": True}),
]


def recurrence(a: Any, b: Any, dim: int, reverse: bool) -> Any:
    """``y[i] = a[i] * y[i - 1] + b[i]`` along `dim`; with `reverse` from the end."""
    return _recurrence(a, b, dim=dim, reverse=reverse)
