"""Softmax and its logarithm.

Small inputs (a batch of class scores) are the common case and cost their number of NumPy calls, so
each function is five, in place after the first two.
"""

import functools
from typing import Any

import numpy as np

from .common import Floats, Indices, Sample
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


@reference
@_quiet
def cross_entropy(x: Floats, target: Indices) -> tuple[Any, Floats]:
    """Mean over the rows of ``log(sum(exp(x[i]))) - x[i, target[i]]``, and its gradient in x.

    Parameters
    ----------
    x : array (N, C)
    target : int64 array (N,)
        Each trusted to lie in 0 .. C - 1.

    Returns
    -------
    loss : scalar, dtype of x
        NaN for no rows.
    slope : array (N, C)
        New: softmax of the rows, less one at the target, divided by N.
    """
    y = _shifted(x, 1)
    flat = y.reshape(-1)  # shares memory: y is fresh
    at = starts(*y.shape) + target
    picked = flat.take(at)
    np.exp(y, out=y)
    total = np.add.reduce(y, axis=1, keepdims=True)
    share = x.dtype.type(1.0 / len(x) if len(x) else np.nan)
    y /= total
    flat[at] -= 1
    y *= share
    losses = np.log(total).ravel()
    losses -= picked
    return np.add.reduce(losses) * share, y


@functools.lru_cache(maxsize=16)
def starts(n: int, classes: int) -> Indices:
    """Where each of n rows begins in the flat array, made once for each shape; read-only."""
    numbers = np.arange(n) * classes
    numbers.flags.writeable = False
    return numbers


def _shifted(x: Floats, axis: int) -> Floats:
    largest = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.subtract(x, largest, out=np.empty(x.shape, x.dtype))


SAMPLES = (
    Sample("scores", ((32, 10),), {"axis": 1}),
    Sample("digits-all", ((1797, 10),), {"axis": 1}),
    Sample("imagenet", ((64, 1000),), {"axis": 1}),
    Sample("attention", ((8, 4, 64, 64),), {"axis": 3}),
    Sample("segmentation", ((2, 21, 64, 64),), {"axis": 1}),
)
"""Arguments of `softmax` and `log_softmax`; the first three, with classes, of `cross_entropy`."""
