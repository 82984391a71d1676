"""Sums, products and extremes so far, along one dimension."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..families import dim_of, only_one, reduction, shape_of, structured
from ..graph import Spec
from .arithmetic import cast, clone, ne, sub, where
from .index import getitem, take_along_dim
from .recurrence import recurrence, shift
from .reduce import restored
from .shape import _reshape, cat, permute, reshape, squeeze
from .sorting import Selected
from .transcendental import exp


class CumMax(Selected):
    """What `cummax` returns."""

    __slots__ = ()


class CumMin(Selected):
    """What `cummin` returns."""

    __slots__ = ()


def _accumulated(ufunc, x, dim, reverse, kernel=None):
    """Along `dim`, from the end if `reverse`; float64 keeps long sums of float32 exact."""
    if kernel is not None and dim == x.ndim - 1 and x.dtype.char in "fd":
        return kernel(x, int(reverse))
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if not reverse:
            return ufunc.accumulate(x, axis=dim, dtype=wide).astype(x.dtype, copy=False)
        y = ufunc.accumulate(np.flip(x, dim), axis=dim, dtype=wide)
        return np.flip(y, dim).astype(x.dtype, copy=False)


def _same(x, **_):
    return Spec(x.shape, x.dtype)


def _directions(draw):
    return [
        ((draw((2, 4)),), {"dim": 1, "reverse": False}),
        ((draw((3, 2)),), {"dim": 0, "reverse": True}),
    ]


def _along(name: str, operation: Any, input: Any, dim: Any, dtype: Any) -> Any:
    """Cumulate after the conversion that `dtype` asks for; integers become int64."""
    shape = shape_of(input, name)
    at = dim_of(name, dim, len(shape))
    kind = np.dtype(getattr(input, "dtype", type(input)))
    wanted = np.dtype(dtype or (kind if kind.kind == "f" else np.int64))
    if wanted != kind:
        input = cast(input, wanted)
    return operation(input, dim=at, reverse=False) if shape else clone(input)


@structured(
    lambda g, y, x, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse),  # pyright: ignore[reportGeneralTypeIssues]
    saves="",
    infer=_same,
    samples=_directions,
    formula=("cumsum(x)", "cumsum(g)"),
)
def _cumsum(x, /, *, dim, reverse):
    return _accumulated(np.add, x, dim, reverse, kernels.running_sum)


def cumsum(input: Any, dim: Any = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """Sum of the elements so far along `dim`; integers and bools give int64.

    Examples
    --------
    >>> import autograd
    >>> autograd.cumsum(autograd.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _along("cumsum", _cumsum, input, only_one("cumsum", "dim", dim, "axis", axis), dtype)


def _cumprod_rule(g, y, x, dim, reverse):
    """What stands before, times what follows: without a division, so zeros are no matter."""
    back, forth = (-1, 1) if reverse else (1, -1)
    before = shift(y, dim, back, 1.0)
    return before * recurrence(shift(x, dim, forth, 0.0), g, dim, not reverse)


@structured(
    _cumprod_rule,
    saves="y x",
    infer=_same,
    samples=_directions,
    formula=("cumprod(x)", "shift(y) * recurrence(shift(x), g)"),
)
def _cumprod(x, /, *, dim, reverse):
    return _accumulated(np.multiply, x, dim, reverse, kernels.running_product)


def cumprod(input: Any, dim: Any = None, *, dtype: Any = None, axis: int | None = None) -> Any:
    """Product of the elements so far along `dim`; integers and bools give int64.

    Examples
    --------
    >>> import autograd
    >>> autograd.cumprod(autograd.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return _along("cumprod", _cumprod, input, only_one("cumprod", "dim", dim, "axis", axis), dtype)


def _others(x, dim):
    """For each element the product of the others that are folded with it."""
    if len(dim) == 1:
        return _others_along(x, dim[0])
    order = (*(i for i in range(len(x.shape)) if i not in dim), *dim)
    turned = permute(x, order)
    line = len(x.shape) - len(dim)
    size = math.prod(turned.shape[line:])
    others = _others_along(_reshape(turned, shape=(*turned.shape[:line], size)), line)
    inverse = tuple(order.index(i) for i in range(len(order)))
    return permute(_reshape(others, shape=turned.shape), inverse)


def _others_along(x, dim):
    before = shift(_cumprod(x, dim=dim, reverse=False), dim, 1, 1.0)
    return before * shift(_cumprod(x, dim=dim, reverse=True), dim, -1, 1.0)


@reduction(
    lambda g, y, x, dim, keepdim: (
        restored(g, x, dim, keepdim) * _others(x, dim) if dim else clone(g)
    ),
    saves="x",
    result=lambda dtype: dtype if dtype.kind == "f" else np.dtype(np.int64),
    casts=True,
    formula=("prod(x)", "expand(g) * prod_of_others(x)"),
)
def prod(x, /, *, dim, keepdim):
    """Product of elements, over all dimensions or along `dim`; integers and bools give int64.

    Parameters
    ----------
    x : Tensor
    dim : int or tuple of int, optional
    keepdim : bool
    dtype : dtype, optional
        Convert the elements first.

    Examples
    --------
    >>> import autograd
    >>> autograd.prod(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([3., 8.])
    """
    wide = x.dtype if x.dtype.kind == "f" else np.int64
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.multiply.reduce(x, axis=dim, dtype=wide, keepdims=keepdim)


def _logcumsumexp_rule(g, y, x, dim, reverse):
    """The sum of ``g[j] exp(x[i] - y[j])`` for all j after i, by factors that do not exceed 1."""
    after = shift(y, dim, 1 if reverse else -1, math.inf)
    factor = exp(where(y == after, 0.0, y - after))
    return exp(x - y) * recurrence(factor, g, dim, not reverse)


@structured(
    _logcumsumexp_rule,
    saves="y x",
    infer=_same,
    samples=_directions,
    formula=("log(cumsum(exp(x)))", "exp(x - y) * recurrence(exp(y - shift(y)), g)"),
)
def _logcumsumexp(x, /, *, dim, reverse):
    return _accumulated(np.logaddexp, x, dim, reverse)


def logcumsumexp(input: Any, dim: Any = None, *, axis: int | None = None) -> Any:
    """Logarithm of the cumulated sum of exp(x) along `dim`, computed without overflow.

    Raises
    ------
    TypeError
        For an integer or bool tensor.

    Examples
    --------
    >>> import autograd
    >>> autograd.logcumsumexp(autograd.tensor([1000.0, 1000.0]), 0)
    tensor([1000.0000, 1000.6932])
    """
    kind = np.dtype(getattr(input, "dtype", float))
    if kind.kind != "f":
        raise TypeError(f"logcumsumexp: expected a floating-point tensor, not {kind}")
    dim = only_one("logcumsumexp", "dim", dim, "axis", axis)
    return _along("logcumsumexp", _logcumsumexp, input, dim, None)


@structured(
    None,
    infer=lambda x, *, dim, largest: Spec(x.shape, np.int64),
    formula=("argcummax(x)", None),
)
def _cumulated_index(x, /, *, dim, largest):
    """Where the extreme so far stands: the last of equals, and the last NaN where one wins."""
    if dim == x.ndim - 1 and x.dtype.char in "fd":
        return kernels.running_extreme(x, int(largest))
    so_far = (np.maximum if largest else np.minimum).accumulate(x, axis=dim)
    new = x == so_far
    if x.dtype.kind == "f":
        new |= np.isnan(x)
    place = np.arange(x.shape[dim]).reshape([-1 if i == dim else 1 for i in range(x.ndim)])
    return np.maximum.accumulate(np.where(new, place, 0), axis=dim)


_cumulated_index.op.samples = lambda draw: [
    ((draw((2, 4)),), {"dim": 1, "largest": True}),
    ((draw((4, 2)),), {"dim": 0, "largest": False}),
]


def _cumulated(kind, name, largest, input, dim, axis):
    dim = only_one(name, "dim", dim, "axis", axis)
    shape = shape_of(input, name)
    at = dim_of(name, dim, len(shape))
    line = input if shape else reshape(input, 1)
    indices = _cumulated_index(line, dim=at, largest=largest)
    values = take_along_dim(line, indices, at)
    return kind(values, indices) if shape else kind(squeeze(values, 0), squeeze(indices, 0))


def cummax(input: Any, dim: Any = None, *, axis: int | None = None) -> CumMax:
    """Largest element so far along `dim`: ``(values, indices)``; of equals the last. NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.cummax(autograd.tensor([1.0, 3.0, 2.0]), 0)
    CumMax(values=tensor([1., 3., 3.]), indices=tensor([0, 1, 1]))
    """
    return _cumulated(CumMax, "cummax", True, input, dim, axis)


def cummin(input: Any, dim: Any = None, *, axis: int | None = None) -> CumMin:
    """Smallest element so far along `dim`: ``(values, indices)``; of equals the last. NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.cummin(autograd.tensor([2.0, 3.0, 1.0]), 0)
    CumMin(values=tensor([2., 2., 1.]), indices=tensor([0, 0, 2]))
    """
    return _cumulated(CumMin, "cummin", False, input, dim, axis)


def diff(
    input: Any,
    n: int = 1,
    dim: int = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    axis: int | None = None,
) -> Any:
    """Differences of neighbours along `dim`, `n` times; of bools, whether they differ.

    Parameters
    ----------
    input : Tensor
    n : int
        How many times.
    dim : int
    prepend, append : Tensor, optional
        Joined to `input` first.

    Examples
    --------
    >>> import autograd
    >>> autograd.diff(autograd.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    shape = shape_of(input, "diff")
    if not shape:
        raise ValueError("diff: expected at least one dimension, met a 0-d tensor")
    if n < 0:
        raise ValueError(f"diff: n must not be negative, met {n}")
    at = dim_of("diff", dim if axis is None else axis, len(shape))
    parts = [part for part in (prepend, input, append) if part is not None]
    line = cat(parts, at) if len(parts) > 1 else input
    if n == 0:
        return clone(line)
    lead = (slice(None),) * at
    minus = ne if line.dtype == np.bool_ else sub
    for _ in range(min(n, line.shape[at])):
        line = minus(
            getitem(line, (*lead, slice(1, None))), getitem(line, (*lead, slice(None, -1)))
        )
    return line
