"""Reductions: sums, means, counts, and what is true of some or all elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import only_one, reduction
from ..kernels import sum as sum_floats
from .arithmetic import cast, eq, where
from .shape import _reshape
from .transcendental import exp


def restored(g: Any, x: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Put the reduced dimensions back, at size one, so that `g` broadcasts with `x` again."""
    if keepdim or len(dim) == len(x.shape):
        return g
    return _reshape(g, shape=tuple(1 if i in dim else n for i, n in enumerate(x.shape)))


def count(x: Any, dim: tuple[int, ...]) -> int:
    """How many elements are folded into each result."""
    return math.prod(x.shape[i] for i in dim)


@reduction(
    lambda g, y, x, dim, keepdim: restored(g, x, dim, keepdim),
    saves="",
    result=lambda dtype: dtype if dtype.kind == "f" else np.dtype(np.int64),
    casts=True,
    formula=("sum(x)", "expand(g)"),
)
def sum(x, /, *, dim, keepdim):
    """Sum of elements, over all dimensions or those of `dim`; integers and bools give int64.

    Parameters
    ----------
    x : Tensor
    dim : int or tuple of int, optional
        Dimensions to fold (also `axis`); default all.
    keepdim : bool
        Leave folded dimensions at size one (also `keepdims`).
    dtype : dtype, optional
        Convert the elements before they are added.

    Examples
    --------
    >>> import autograd
    >>> autograd.sum(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if x.dtype.kind == "f":
        return sum_floats(x, dim=dim, keepdim=keepdim)
    return np.add.reduce(x, dim, np.int64, keepdims=keepdim)


@reduction(
    lambda g, y, x, dim, keepdim: restored(g / (count(x, dim) or math.nan), x, dim, keepdim),
    saves="",
    casts=True,
    formula=("mean(x)", "expand(g) / n"),
)
def mean(x, /, *, dim, keepdim):
    """Arithmetic mean, over all dimensions or those of `dim`; NaN of no elements.

    Parameters
    ----------
    x : Tensor
    dim : int or tuple of int, optional
    keepdim : bool
    dtype : dtype, optional
        Convert the elements first.

    Raises
    ------
    TypeError
        For an integer or bool tensor without a float `dtype`.

    Examples
    --------
    >>> import autograd
    >>> autograd.mean(autograd.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    if x.dtype.kind != "f":
        raise TypeError(f"mean: expected a floating-point tensor, not {x.dtype}")
    n = count(x, dim)
    return sum_floats(x, dim=dim, keepdim=keepdim) * (1.0 / n if n else math.nan)


def nansum(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Sum of the elements that are not NaN.

    Parameters
    ----------
    input : Tensor
    dim : int or tuple of int, optional
    keepdim : bool
    dtype : dtype, optional
        Convert the elements first.

    Examples
    --------
    >>> import autograd
    >>> autograd.nansum(autograd.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if dtype is not None:
        input = cast(input, dtype)
    kept = where(eq(input, input), input, 0)
    return sum(kept, dim, keepdim, axis=axis, keepdims=keepdims, dtype=dtype)


def nanmean(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Mean of the elements that are not NaN; NaN where all are.

    Raises
    ------
    TypeError
        For an integer or bool tensor.

    Examples
    --------
    >>> import autograd
    >>> autograd.nanmean(autograd.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    kind = np.dtype(getattr(input, "dtype", float))
    if kind.kind != "f":
        raise TypeError(f"nanmean: expected a floating-point tensor, not {kind}")
    dim = only_one("nanmean", "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    counted = cast(sum(eq(input, input), dim, keepdim), dtype or kind)
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / where(counted == 0.0, math.nan, counted)


def _truth(dtype: Any) -> Any:
    """The dtype of a truth: bool, except that bytes stay bytes, as in PyTorch."""
    return dtype if dtype == np.uint8 else np.dtype(np.bool_)


@reduction(None, result=_truth, formula=("all(x)", None))
def all(x, /, *, dim, keepdim):
    """Whether every element is true (not zero), over all dimensions or those of `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.all(autograd.tensor([[True, False], [True, True]]), dim=1)
    tensor([False,  True])
    """
    y = np.logical_and.reduce(x, axis=dim, keepdims=keepdim)
    return y.astype(np.uint8) if x.dtype == np.uint8 else y


@reduction(None, result=_truth, formula=("any(x)", None))
def any(x, /, *, dim, keepdim):
    """Whether some element is true (not zero), over all dimensions or those of `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.any(autograd.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    y = np.logical_or.reduce(x, axis=dim, keepdims=keepdim)
    return y.astype(np.uint8) if x.dtype == np.uint8 else y


@reduction(None, result=np.int64, formula=("count_nonzero(x)", None))
def count_nonzero(x, /, *, dim, keepdim):
    """How many elements are not zero, over all dimensions or those of `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.count_nonzero(autograd.tensor([[0.0, 1.0], [2.0, 3.0]]), dim=0)
    tensor([1, 2])
    """
    return np.add.reduce(x != 0, dim, np.int64, keepdims=keepdim)


@reduction(
    lambda g, y, x, dim, keepdim: (
        restored(g, x, dim, keepdim) * exp(x - restored(y, x, dim, keepdim))
    ),
    saves="y x",
    floats=True,
    formula=("log(sum(exp(x)))", "g * exp(x - y)"),
)
def logsumexp(x, /, *, dim, keepdim):
    """log(sum(exp(x))), computed without overflow; over one dimension, several, or all.

    Examples
    --------
    >>> import autograd
    >>> autograd.logsumexp(autograd.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    if count(x, dim) == 0:
        return np.full_like(np.add.reduce(x, axis=dim, keepdims=keepdim), -np.inf)[()]
    top = np.maximum.reduce(x, axis=dim, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype, copy=False)
    total = np.add.reduce(np.exp(x - top), axis=dim, keepdims=keepdim)
    with np.errstate(divide="ignore"):  # log(0) = -inf is the answer where all are -inf
        return np.log(total) + np.reshape(top, np.shape(total))
