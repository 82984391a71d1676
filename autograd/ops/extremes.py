"""Largest and smallest elements, and where they are."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..families import dim_of, only_one, reduction, shape_of, structured
from ..graph import Abstract, Spec, Variable, wrap
from ..watch import WATCHERS
from .arithmetic import cast, maximum, minimum, where
from .index import take_along_dim
from .reduce import count, restored, sum
from .shape import reshape, squeeze


def _split(g, tied, x, dim, keepdim):
    """Elements that are tied get equal parts of the gradient; NaN for all if none is."""
    tied = cast(tied, x.dtype)
    ties = sum(tied, dim, keepdim=True)
    return tied * (restored(g, x, dim, keepdim) / where(ties == 0.0, math.nan, ties))


def _share(g, y, x, dim, keepdim):
    """The rule of `amax` and `amin`: no element is equal to NaN, so it gives NaN."""
    return _split(g, x == restored(y, x, dim, keepdim), x, dim, keepdim)


def share_evenly(g: Any, y: Any, x: Any, dim: tuple[int, ...], keepdim: bool, **_: Any) -> Any:
    """The rule of `max`, `min` and `median` of everything: NaN is a tie of what is NaN."""
    top = restored(y, x, dim, keepdim)
    return _split(g, where(top == top, x == top, x != x), x, dim, keepdim)


def nonempty(name: str, x: Any, dim: tuple[int, ...]) -> None:
    """Refuse to choose among no elements."""
    if count(x, dim) == 0 and dim:
        kind = ValueError if len(dim) == len(x.shape) else IndexError
        raise kind(f"{name}: no elements to choose from in shape {x.shape}, dim {dim}")


@reduction(_share, saves="y x", formula=("max(x)", "expand(g) * (x == y) / ties"))
def amax(x, /, *, dim, keepdim):
    """Largest element; ties share the gradient equally; NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.amax(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([5., 7.])
    """
    nonempty("amax", x, dim)
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
    nonempty("amin", x, dim)
    return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


@reduction(share_evenly, saves="y x", formula=("max(x)", "expand(g) * (x == y) / ties"))
def _max(x, /, *, dim, keepdim):
    """As `amax`; only the gradient of NaN differs."""
    nonempty("max", x, dim)
    return np.maximum.reduce(x, axis=dim, keepdims=keepdim)


@reduction(share_evenly, saves="y x", formula=("min(x)", "expand(g) * (x == y) / ties"))
def _min(x, /, *, dim, keepdim):
    """As `amin`; only the gradient of NaN differs."""
    nonempty("min", x, dim)
    return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


class Extreme(NamedTuple):
    """What `max` and `min` return along one dimension."""

    values: Any
    indices: Any


@structured(
    None,
    infer=lambda x, *, dim, largest: Spec((*x.shape[:dim], 1, *x.shape[dim + 1 :]), np.int64),
    formula=("argmax(x)", None),
)
def _argextreme(x, /, *, dim, largest):
    """Where along `dim`, kept at size one, the extreme is found first."""
    pick = np.argmax if largest else np.argmin
    return pick(x, axis=dim, keepdims=True).astype(np.int64, copy=False)


_argextreme.op.samples = lambda draw: [
    ((draw((2, 3)),), {"dim": 1, "largest": True}),
    ((draw((3, 2)),), {"dim": 0, "largest": False}),
]


def _arg(name: str, largest: bool, input: Any, dim: int | None, keepdim: bool) -> Any:
    shape = shape_of(input, name)
    value = input.value if isinstance(input, Variable) else input
    if isinstance(value, Abstract):
        result = _traced_arg(name, largest, input, dim, keepdim)
    elif dim is None:
        if not value.size:
            raise IndexError(f"{name}: no elements to choose from in shape {shape}")
        result = wrap(np.asarray((np.argmax if largest else np.argmin)(value), np.int64)[()])
    else:
        at = dim_of(name, dim, len(shape))
        if not shape:
            return wrap(np.int64(0))
        nonempty(name, value, (at,))
        pick = np.argmax if largest else np.argmin
        result = wrap(pick(value, axis=at, keepdims=keepdim).astype(np.int64)[()])
    if isinstance(input, Variable):
        for watcher in WATCHERS:
            watcher.left(name, input, result)
    return result


def _traced_arg(name, largest, input, dim, keepdim):
    """The same by ops, for values that are not known yet."""
    if dim is None or not input.shape:
        input, dim, keepdim = reshape(input, -1), 0, False
    at = dim_of(name, dim, len(input.shape))
    indices = _argextreme(input, dim=at, largest=largest)
    return indices if keepdim else squeeze(indices, at)


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
    return _arg("argmax", True, input, dim, keepdim if keepdims is None else keepdims)


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
    return _arg("argmin", False, input, dim, keepdim if keepdims is None else keepdims)


def _extreme(name, everywhere, pairwise, largest, input, dim, keepdim, axis, keepdims):
    dim = only_one(name, "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    if dim is None:
        return everywhere(input)
    if isinstance(dim, Variable | np.ndarray):
        return pairwise(input, dim)
    shape = shape_of(input, name)
    at = dim_of(name, dim, len(shape))
    if not shape:
        return Extreme(input, wrap(np.int64(0)))
    nonempty(name, input, (at,))
    if isinstance(input, Variable) and not isinstance(input.value, Abstract):
        # Nothing is recorded of indices anyway: the forward alone is quicker.
        indices = wrap(_argextreme.op.forward(input.value, dim=at, largest=largest))
    else:
        indices = _argextreme(input, dim=at, largest=largest)
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
    gets it. NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.max(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    return _extreme("max", _max, maximum, True, input, dim, keepdim, axis, keepdims)


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
    return _extreme("min", _min, minimum, False, input, dim, keepdim, axis, keepdims)


class AMinMax(NamedTuple):
    """What `aminmax` returns."""

    min: Any
    max: Any


def aminmax(
    input: Any,
    *,
    dim: int | None = None,
    keepdim: bool = False,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> AMinMax:
    """Smallest and largest element, ``(min, max)``: of all, or along `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.aminmax(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).max
    tensor([5., 7.])
    """
    dim = only_one("aminmax", "dim", dim, "axis", axis)
    keepdim = keepdim if keepdims is None else keepdims
    if dim is not None:
        dim = dim_of("aminmax", dim, len(shape_of(input, "aminmax")))
    return AMinMax(amin(input, dim, keepdim), amax(input, dim, keepdim))
