"""Softmax and its logarithm.

Small inputs (a batch of class scores) are the common case and cost their number of NumPy calls, so
each function is five, in place after the first two.
"""

import numpy as np

from .common import Floats, Sample
from .dispatch import reference

# x - max meets inf - inf in a row with an infinite maximum, where NaN is the answer, and overflows
# to -inf between the dtype's extremes, where exp makes it the 0 it should be. An axis of length 0
# has the empty sum 0, whose logarithm nobody sees.
_quiet = np.errstate(invalid="ignore", over="ignore", divide="ignore")


@reference
@_quiet
def softmax(x: Floats, *, axis: int) -> Floats:
    """Exponentials that sum to one along an axis.

    ::

        y = exp(x - m) / sum(exp(x - m)),    m = max(x)

    The shift by m keeps exp from overflowing and changes nothing else.

    Parameters
    ----------
    x : array of any shape
        0-d counts as (1,). An empty array gives an empty array.
    axis : int
        Trusted to be in range.

    Returns
    -------
    array of the shape and dtype of x
        New. -inf becomes 0. A row that is all -inf, or holds NaN or +inf, is NaN throughout (as in
        PyTorch).
    """
    y = _shifted(x, axis)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


@reference
@_quiet
def log_softmax(x: Floats, *, axis: int) -> Floats:
    """Logarithm of `softmax`, without the underflow of computing it in that order.

    ::

        y = (x - m) - log(sum(exp(x - m))),    m = max(x)

    Parameters
    ----------
    x : array of any shape
        0-d counts as (1,). An empty array gives an empty array.
    axis : int
        Trusted to be in range.

    Returns
    -------
    array of the shape and dtype of x
        New. -inf stays -inf. A row that is all -inf, or holds NaN or +inf, is NaN throughout (as in
        PyTorch).
    """
    y = _shifted(x, axis)
    y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
    return y


def _shifted(x: Floats, axis: int) -> Floats:
    largest = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.subtract(x, largest, out=np.empty_like(x))


SAMPLES = (
    Sample("scores", ((32, 10),), {"axis": 1}),
    Sample("digits-all", ((1797, 10),), {"axis": 1}),
    Sample("imagenet", ((64, 1000),), {"axis": 1}),
    Sample("attention", ((8, 4, 64, 64),), {"axis": 3}),
    Sample("segmentation", ((2, 21, 64, 64),), {"axis": 1}),
)
"""Arguments of both kernels."""
