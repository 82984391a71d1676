"""Variance and standard deviation, median and mode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import dim_of, only_one, reduced_shape, reduction, shape_of, structured
from ..graph import Spec
from ..kernels import sum as sum_floats
from .arithmetic import where
from .extremes import share_evenly
from .index import take_along_dim
from .reduce import count, mean, restored
from .shape import reshape, squeeze
from .sorting import Selected, first_equal

LARGE = 1 << 12
"""Elements from which on the conversion to float64 takes longer than to see whether it is due."""
TINY = np.float32(1e-30)
"""A variance below may hold squares that vanished in float32."""
CLOSE = np.float32(2.0**-11)
"""A deviation that is a smaller part of the mean feels how the mean was rounded."""


def freedom(x: Any, dim: tuple[int, ...], correction: float) -> float:
    """What a sum of squares is divided by; not less than 0."""
    left = count(x, dim) - correction
    return left if left > 0.0 else 0.0


def _float32_squares(x, dim):
    """Sums of squared distances from the mean in float32, or None where that is not exact."""
    share = np.float32(1.0 / count(x, dim))
    keepdim = len(dim) < x.ndim  # a sum of everything is quicker as a single number
    middle = sum_floats(x, dim=dim, keepdim=keepdim) * share
    off = x - middle
    off *= off
    total = sum_floats(off, dim=dim, keepdim=keepdim)
    spread = total * share
    rounding = middle * CLOSE
    exact = (spread > TINY) & (spread < math.inf) & (spread > rounding * rounding)
    return total if exact.all() else None


def _squares(name, x, dim, keepdim, correction):
    """The variance, in float64 where float32 would overflow, vanish or cancel."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: expected a floating-point tensor, not {x.dtype}")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        if x.dtype == np.float32 and x.size >= LARGE and dim:
            total = _float32_squares(x, dim)
            if total is not None:
                y = total / freedom(x, dim, correction)
                return y.reshape(reduced_shape(x.shape, dim, keepdim))[()]
        middle = np.add.reduce(x, axis=dim, dtype=np.float64, keepdims=True) / (
            count(x, dim) or math.nan
        )
        off = x - middle
        off *= off
        return np.add.reduce(off, axis=dim, keepdims=keepdim) / np.float64(
            freedom(x, dim, correction)
        )


def _slope(x, dim, correction):
    """The derivative of a variance in each element."""
    left = count(x, dim) - correction
    return (x - mean(x, dim, keepdim=True)) * (2.0 / left if left else math.inf)


def _var_rule(g, y, x, dim, keepdim, correction):
    return restored(g, x, dim, keepdim) * _slope(x, dim, correction)


def _std_rule(g, y, x, dim, keepdim, correction):
    """The slope at 0 is 0."""
    y = restored(y, x, dim, keepdim)
    still = y == 0.0
    g = restored(g, x, dim, keepdim) / where(still, 1.0, 2.0 * y)
    return where(still, 0.0, g) * _slope(x, dim, correction)


@reduction(
    _var_rule,
    saves="x",
    formula=(
        "sum((x - mean(x)) ** 2) / (n - correction)",
        "2 * g * (x - mean(x)) / (n - correction)",
    ),
)
def _var(x, /, *, dim, keepdim, correction):
    with np.errstate(over="ignore"):
        return _squares("var", x, dim, keepdim, correction).astype(x.dtype)


@reduction(
    _std_rule,
    saves="y x",
    formula=(
        "sqrt(sum((x - mean(x)) ** 2) / (n - correction))",
        "g * (x - mean(x)) / (y * (n - correction))",
    ),
)
def _std(x, /, *, dim, keepdim, correction):
    return np.sqrt(_squares("std", x, dim, keepdim, correction)).astype(x.dtype)


def _samples(draw):
    return [
        ((draw((2, 3)),), {"correction": 1}),
        ((draw((2, 3)),), {"dim": 1, "correction": 0}),
    ]


_var.op.samples = _std.op.samples = _samples


def _spread(name, operation, input, dim, unbiased, keepdim, correction, axis, keepdims):
    if dim.__class__ is bool:  # var(x, False): PyTorch's short form
        dim, unbiased = None, dim
    dim = only_one(name, "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    correction = float(unbiased) if correction is None else float(correction)
    return operation(input, dim, keepdim, correction=correction)


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Variance: squared distance from the mean, summed and divided by ``n - correction``.

    Parameters
    ----------
    input : Tensor
    dim : int or tuple of int, optional
    unbiased : bool
        Short for ``correction=1`` (True) or ``correction=0`` (False).
    keepdim : bool
    correction : float, optional

    Examples
    --------
    >>> import autograd
    >>> autograd.var(autograd.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return _spread("var", _var, input, dim, unbiased, keepdim, correction, axis, keepdims)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Standard deviation, the square root of `var`; the slope at 0 is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.std(autograd.tensor([1.0, 3.0, 5.0]))
    tensor(2.)
    """
    return _spread("std", _std, input, dim, unbiased, keepdim, correction, axis, keepdims)


def _with_mean(spread, input, dim, unbiased, keepdim, correction, axis, keepdims):
    options = {"correction": correction, "axis": axis, "keepdims": keepdims}
    first = spread(input, dim, unbiased, keepdim, **options)
    if dim.__class__ is bool:
        dim = None
    return first, mean(input, dim, keepdim, axis=axis, keepdims=keepdims)


def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> tuple[Any, Any]:
    """``(var, mean)``; see `var`.

    Examples
    --------
    >>> import autograd
    >>> autograd.var_mean(autograd.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return _with_mean(var, input, dim, unbiased, keepdim, correction, axis, keepdims)


def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> tuple[Any, Any]:
    """``(std, mean)``; see `std`.

    Examples
    --------
    >>> import autograd
    >>> autograd.std_mean(autograd.tensor([1.0, 3.0, 5.0]))
    (tensor(2.), tensor(3.))
    """
    return _with_mean(std, input, dim, unbiased, keepdim, correction, axis, keepdims)


# --- Median and mode --------------------------------------------------------------------------


class Median(Selected):
    """What `median` and `nanmedian` return along one dimension."""

    __slots__ = ()


class Mode(Selected):
    """What `mode` returns."""

    __slots__ = ()


def _middle(lines, ignore_nan):
    """The lower middle of each line of the last dimension, at size one."""
    n = lines.shape[-1]
    if n == 0:
        return np.full((*lines.shape[:-1], 1), math.nan, lines.dtype)
    if lines.dtype.kind != "f":
        return np.partition(lines, (n - 1) // 2, axis=-1)[..., (n - 1) // 2, None]
    lines = np.sort(lines, axis=-1)  # NaN comes last
    if ignore_nan:
        real = n - np.isnan(lines).sum(-1, keepdims=True)
        return np.take_along_axis(lines, np.maximum(real - 1, 0) // 2, -1)
    last = lines[..., -1:]
    return np.where(np.isnan(last), last, lines[..., (n - 1) // 2, None])


@reduction(share_evenly, saves="y x", formula=("median(x)", "expand(g) * (x == y) / ties"))
def _median(x, /, *, dim, keepdim, ignore_nan):
    if x.dtype.kind == "b":
        raise TypeError("median: expected numbers, not bool")
    if x.size == 0 and x.dtype.kind != "f" and count(x, dim) == 0:
        raise ValueError(f"median: no elements to choose from in shape {x.shape}, dim {dim}")
    kept = tuple(i for i in range(x.ndim) if i not in dim)
    lines = np.transpose(x, kept + dim).reshape((*(x.shape[i] for i in kept), count(x, dim)))
    y = _middle(lines, ignore_nan)[..., 0]
    shape = tuple(1 if i in dim else n for i, n in enumerate(x.shape))
    return y.reshape(shape) if keepdim else y


_median.op.samples = lambda draw: [
    ((draw((2, 3)),), {"ignore_nan": False}),
    ((draw((2, 4)),), {"ignore_nan": True, "dim": 1, "keepdim": True}),
]


def _one_place(x, *, dim, **_):
    return Spec((*x.shape[:dim], 1, *x.shape[dim + 1 :]), np.int64)


@structured(None, infer=_one_place, formula=("argmedian(x)", None))
def _median_index(x, /, *, dim, ignore_nan):
    """Where along `dim` the median is found first."""
    if x.dtype.kind == "b":
        raise TypeError("median: expected numbers, not bool")
    lines = np.moveaxis(x, dim, -1)
    return np.moveaxis(first_equal(lines, _middle(lines, ignore_nan)), -1, dim)


_median_index.op.samples = lambda draw: [((draw((2, 4)),), {"dim": 1, "ignore_nan": False})]


@structured(None, infer=_one_place, formula=("argmode(x)", None))
def _mode_index(x, /, *, dim):
    """Where along `dim` the most frequent value stands last."""
    lines = np.moveaxis(x, dim, -1)
    order = np.argsort(lines, axis=-1, kind="stable")
    ranked = np.take_along_axis(lines, order, -1)
    place = np.broadcast_to(np.arange(lines.shape[-1]), lines.shape)
    starts = np.ones(lines.shape, np.bool_)
    starts[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
    run = place - np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    at = np.argmax(run, axis=-1, keepdims=True)
    return np.moveaxis(np.take_along_axis(order, at, -1), -1, dim)


_mode_index.op.samples = lambda draw: [((np.round(draw((2, 5))),), {"dim": 1})]


def _chosen(kind, name, operation, input, dim, keepdim, **params):
    """Values and indices of one element of each line."""
    shape = shape_of(input, name)
    at = dim_of(name, dim, len(shape))
    if not shape:
        input = reshape(input, 1)
    elif shape[at] == 0:
        raise IndexError(f"{name}: no elements to choose from in shape {shape}, dim {dim}")
    indices = operation(input, dim=at, **params)
    values = take_along_dim(input, indices, at)
    if keepdim and shape:
        return kind(values, indices)
    return kind(squeeze(values, at), squeeze(indices, at))


def _median_of(name, ignore_nan, input, dim, keepdim, axis, keepdims):
    dim = only_one(name, "dim", dim, "axis", axis)
    keepdim = keepdim if keepdims is None else keepdims
    if dim is None:
        return _median(input, ignore_nan=ignore_nan)
    return _chosen(Median, name, _median_index, input, dim, keepdim, ignore_nan=ignore_nan)


def median(
    input: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """The middle element (of an even number the lower one) of all; or values and indices.

    Of all, equal elements share the gradient; along `dim` the element at `indices` gets it, the
    first that is equal. NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.median(autograd.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    return _median_of("median", False, input, dim, keepdim, axis, keepdims)


def nanmedian(
    input: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """As `median`, of the elements that are not NaN.

    Examples
    --------
    >>> import autograd
    >>> autograd.nanmedian(autograd.tensor([4.0, float("nan"), 3.0]))
    tensor(3.)
    """
    return _median_of("nanmedian", True, input, dim, keepdim, axis, keepdims)


def mode(
    input: Any,
    dim: int = -1,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Mode:
    """The most frequent value along `dim`, the smallest of several, and where it is last.

    Examples
    --------
    >>> import autograd
    >>> autograd.mode(autograd.tensor([3, 1, 2, 1, 3])).indices
    tensor(3)
    """
    keepdim = keepdim if keepdims is None else keepdims
    return _chosen(Mode, "mode", _mode_index, input, dim if axis is None else axis, keepdim)
