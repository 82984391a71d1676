"""Reductions: ops that fold dimensions away."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..families import dim_of, only_one, reduction, shape_of
from ..graph import Variable, wrap
from ..kernels import sum as sum_floats
from ..watch import WATCHERS
from .arithmetic import maximum, minimum, where
from .index import take_along_dim
from .shape import _reshape, squeeze
from .transcendental import exp, sqrt


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
    formula=("mean(x)", "expand(g) / n"),
)
def mean(x, /, *, dim, keepdim):
    """Arithmetic mean, over all dimensions or those of `dim`; NaN of no elements.

    Raises
    ------
    TypeError
        For an integer or bool tensor.

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


def _share(g, y, x, dim, keepdim):
    """Each element equal to the extreme gets an equal part of the gradient."""
    tied = x == restored(y, x, dim, keepdim)
    ties = sum(where(tied, 1.0, 0.0 * x), dim, keepdim=True)
    return where(tied, restored(g, x, dim, keepdim) / ties, 0.0)


def _nonempty(name, x, dim):
    if count(x, dim) == 0 and dim:
        raise ValueError(f"{name}: no elements to choose from in shape {x.shape}, dim {dim}")


@reduction(_share, saves="y x", formula=("max(x)", "expand(g) * (x == y) / ties"))
def amax(x, /, *, dim, keepdim):
    """Largest element; ties share the gradient equally; NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.amax(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([5., 7.])
    """
    _nonempty("amax", x, dim)
    return np.maximum.reduce(x, axis=dim, keepdims=keepdim)


@reduction(_share, saves="y x", formula=("min(x)", "expand(g) * (x == y) / ties"))
def amin(x, /, *, dim, keepdim):
    """Smallest element; ties share the gradient equally; NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.amin(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """
    _nonempty("amin", x, dim)
    return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


class Extreme(NamedTuple):
    """What `max` and `min` return along one dimension."""

    values: Any
    indices: Any


def _arg(name: str, pick: Any, x: Any, dim: int | None, keepdim: bool) -> Any:
    value = x.value if isinstance(x, Variable) else x
    if dim is None:
        return wrap(np.asarray(pick(value), np.int64)[()])
    at = dim_of(name, dim, value.ndim)
    if not value.ndim:
        return wrap(np.int64(0))
    _nonempty(name, value, (at,))
    return wrap(pick(value, axis=at, keepdims=keepdim).astype(np.int64)[()])


def argmax(
    input: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """Index of the (first) largest element: of all in row-major order, or along `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.argmax(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    dim = only_one("argmax", "dim", dim, "axis", axis)
    result = _arg("argmax", np.argmax, input, dim, keepdim if keepdims is None else keepdims)
    if isinstance(input, Variable):
        for watcher in WATCHERS:
            watcher.left("argmax", input, result)
    return result


def argmin(
    input: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """Index of the (first) smallest element: of all in row-major order, or along `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.argmin(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    dim = only_one("argmin", "dim", dim, "axis", axis)
    result = _arg("argmin", np.argmin, input, dim, keepdim if keepdims is None else keepdims)
    if isinstance(input, Variable):
        for watcher in WATCHERS:
            watcher.left("argmin", input, result)
    return result


def _extreme(name, everywhere, pairwise, pick, input, dim, keepdim, axis, keepdims):
    dim = only_one(name, "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    if dim is None:
        return everywhere(input)
    if isinstance(dim, Variable | np.ndarray):
        return pairwise(input, dim)
    if not shape_of(input, name):
        dim_of(name, dim, 0)
        return Extreme(input, wrap(np.int64(0)))
    indices = _arg(name, pick, input, dim, True)
    values = take_along_dim(input, indices, dim)
    if keepdim:
        return Extreme(values, indices)
    return Extreme(squeeze(values, dim), squeeze(indices, dim))


def max(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """Largest element of all; or ``(values, indices)`` along `dim`; or, of two tensors, `maximum`.

    Of all, ties share the gradient; along `dim` the element at `indices` (the first largest)
    gets it.

    Examples
    --------
    >>> import autograd
    >>> autograd.max(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    return _extreme("max", amax, maximum, np.argmax, input, dim, keepdim, axis, keepdims)


def min(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """Smallest element of all; or ``(values, indices)`` along `dim`; or, of two, `minimum`.

    Examples
    --------
    >>> import autograd
    >>> autograd.min(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    return _extreme("min", amin, minimum, np.argmin, input, dim, keepdim, axis, keepdims)


@reduction(
    lambda g, y, x, dim, keepdim, correction: (
        restored(g, x, dim, keepdim)
        * (2.0 / denominator(x, dim, correction))
        * (x - mean(x, dim, keepdim=True))
    ),
    saves="x",
    formula=(
        "sum((x - mean(x)) ** 2) / (n - correction)",
        "2 * g * (x - mean(x)) / (n - correction)",
    ),
)
def _var(x, /, *, dim, keepdim, correction):
    if x.dtype.kind != "f":
        raise TypeError(f"var: expected a floating-point tensor, not {x.dtype}")
    n = count(x, dim)
    middle = np.add.reduce(x, axis=dim, keepdims=True) * (1.0 / n if n else math.nan)
    off = x - middle
    return np.add.reduce(off * off, axis=dim, keepdims=keepdim) * (
        1.0 / denominator(x, dim, correction)
    )


_var.op.samples = lambda draw: [
    ((draw((2, 3)),), {"correction": 1}),
    ((draw((2, 3)),), {"dim": 1, "correction": 0}),
]


def denominator(x: Any, dim: tuple[int, ...], correction: float) -> float:
    """What a sum of squares is divided by; NaN where nothing is left (0 / 0 is NaN too)."""
    n = count(x, dim) - correction
    return n if n > 0 else math.nan


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
    dim = only_one("var", "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    correction = float(unbiased) if correction is None else float(correction)
    return _var(input, dim, keepdim, correction=correction)


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
    square = var(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims)
    still = square == 0.0
    return where(still, 0.0, sqrt(where(still, 1.0, square)))


@reduction(
    lambda g, y, x, dim, keepdim: (
        restored(g, x, dim, keepdim) * exp(x - restored(y, x, dim, keepdim))
    ),
    saves="y x",
    floats=True,
    formula=("log(sum(exp(x)))", "g * exp(x - y)"),
)
def logsumexp(x, /, *, dim, keepdim):
    """log(sum(exp(x))), computed without overflow.

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
