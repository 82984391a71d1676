"""Softmax, its logarithm, their gradients, and cross-entropy.

Small inputs (a batch of class scores) are a common case. The references cost their number of NumPy
calls there, so each is five, in place after the first two; the compiled twins cost their call.
"""

import functools
import math
from typing import Any

import numpy as np

from .common import Floats, Indices, Sample
from .dispatch import fast, implementation, reference
from .native import Unit

UNIT = Unit("softmax", "autograd.kernels.native.softmax", uses=("vmath",))

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
def softmax_backward(g: Floats, y: Floats, *, axis: int) -> Floats:
    """Gradient of <g, y> in x for ``y = softmax(x)``.

    ::

        dx = y * (g - sum(g * y))

    Parameters
    ----------
    g, y : array of any shape
        y is the result of `softmax`.
    axis : int
        As there.

    Returns
    -------
    array of the shape and dtype of y
        New.
    """
    inner = g - np.add.reduce(g * y, axis=axis, keepdims=True)
    return np.multiply(y, inner, out=np.empty(y.shape, y.dtype))


@reference
@_quiet
def log_softmax_backward(g: Floats, y: Floats, *, axis: int) -> Floats:
    """Gradient of <g, y> in x for ``y = log_softmax(x)``.

    ::

        dx = g - exp(y) * sum(g)

    Parameters
    ----------
    g, y : array of any shape
        y is the result of `log_softmax`.
    axis : int
        As there.

    Returns
    -------
    array of the shape and dtype of y
        New.
    """
    away = np.exp(y) * np.add.reduce(g, axis=axis, keepdims=True)
    return np.subtract(g, away, out=np.empty(y.shape, y.dtype))


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


# --- Compiled -------------------------------------------------------------------------------------

UNIT.kernel("softmax(x: T[*total], length: int, inner: int, logarithm: int) -> y: T like x")
UNIT.kernel(
    "softmax_backward(g: T[*total], y: T[*total], length: int, inner: int, logarithm: int)"
    " -> dx: T like y"
)
UNIT.kernel(
    "cross_entropy(x: T[rows, classes], target: i8[rows]) -> losses: T[rows], slope: T like x"
)
UNIT.kernel("average(x: T[n]) -> mean: T[]")

SERVED = (np.dtype(np.float32), np.dtype(np.float64))


def _geometry(shape: tuple[int, ...], axis: int) -> tuple[int, int]:
    """Return the length of the axis, and how many elements lie behind it."""
    return shape[axis], math.prod(shape[axis % len(shape) + 1 :])


@fast(softmax, UNIT)
def _softmax(x: Floats, *, axis: int) -> Floats:
    if x.dtype in SERVED and x.size and x.shape:
        return UNIT.softmax(x, *_geometry(x.shape, axis), 0)
    return implementation(softmax, "reference")(x, axis=axis)


@fast(log_softmax, UNIT)
def _log_softmax(x: Floats, *, axis: int) -> Floats:
    if x.dtype in SERVED and x.size and x.shape:
        return UNIT.softmax(x, *_geometry(x.shape, axis), 1)
    return implementation(log_softmax, "reference")(x, axis=axis)


@fast(softmax_backward, UNIT)
def _softmax_backward(g: Floats, y: Floats, *, axis: int) -> Floats:
    if y.dtype in SERVED and y.size and y.shape:
        return UNIT.softmax_backward(g, y, *_geometry(y.shape, axis), 0)
    return implementation(softmax_backward, "reference")(g, y, axis=axis)


@fast(log_softmax_backward, UNIT)
def _log_softmax_backward(g: Floats, y: Floats, *, axis: int) -> Floats:
    if y.dtype in SERVED and y.size and y.shape:
        return UNIT.softmax_backward(g, y, *_geometry(y.shape, axis), 1)
    return implementation(log_softmax_backward, "reference")(g, y, axis=axis)


@fast(cross_entropy, UNIT)
def _cross_entropy(x: Floats, target: Indices) -> tuple[Any, Floats]:
    """A class out of range makes the loss NaN; nothing beyond the row is touched."""
    if x.dtype not in SERVED or not x.size:
        return implementation(cross_entropy, "reference")(x, target)
    losses, slope = UNIT.cross_entropy(x, target)
    return UNIT.average(losses)[()], slope


SAMPLES = (
    Sample("scores", ((32, 10),), {"axis": 1}),
    Sample("digits-all", ((1797, 10),), {"axis": 1}),
    Sample("imagenet", ((64, 1000),), {"axis": 1}),
    Sample("attention", ((8, 4, 64, 64),), {"axis": 3}),
    Sample("segmentation", ((2, 21, 64, 64),), {"axis": 1}),
)
"""Arguments of the softmax functions; the first three, with classes, of `cross_entropy`."""
