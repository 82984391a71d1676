"""Putting elements in by tensors of indices: what `gather` and indexing take out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..families import dim_of, shape_of, structured
from ..graph import Abstract, Spec, Variable, wrap
from .arithmetic import cast, clone, where
from .gathering import along, picked
from .index import _scatter
from .shape import _narrow, _pad, _reshape, with_axis


def _corner(y, shape, dim):
    """The part of y that indices of `shape` can reach: all of `dim`, the beginning elsewhere."""
    return y[tuple(slice(None) if i == dim else slice(n) for i, n in enumerate(shape))]


@structured(
    lambda g, y, x, indices, value, dim: _scatter_set(g, indices, 0.0, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    lambda g, y, x, indices, value, dim: picked(g, indices, dim=dim),
    saves=("indices", "", "indices"),
    infer=lambda x, indices, value, *, dim: Spec(x.shape, x.dtype),
    formula=("put(x, indices, value)", "put(g, indices, 0)", None, "gather(g, indices)"),
)
def _scatter_set(x, indices, value, /, *, dim):
    """A copy of x with `value` at `indices` along `dim`; of several for one place, the last."""
    y = np.array(x)
    np.put_along_axis(_corner(y, indices.shape, dim), indices, value, dim)
    return y


_scatter_set.op.samples = lambda draw: [
    ((draw((2, 3)), np.array([[0, 2], [1, 0]]), draw((2, 2))), {"dim": 1}),
    ((draw((3, 3)), np.array([[2, 0]]), draw((1, 2))), {"dim": 0}),
]


def _added(x: Any, indices: Any, src: Any, dim: int) -> Any:
    """Add `src`, which has the shape of `indices`, to x at them."""
    extra = _scatter(src, indices, dim=dim, size=x.shape[dim])
    if extra.shape != x.shape:
        widths = tuple((0, n - m) for m, n in zip(extra.shape, x.shape, strict=True))
        extra = _pad(extra, widths=widths, value=0.0 if x.dtype.kind == "f" else 0)
    return x + extra


def _same_dtype(who: str, input: Any, src: Any) -> None:
    a, b = (getattr(v, "dtype", None) for v in (input, src))
    if a != b:
        raise TypeError(f"{who}: the two tensors must be of one dtype, met {a} and {b}")


def _source(who: str, src: Any, indices: Any, dim: int) -> Any:
    """The part of `src` that belongs to `indices`: its beginning in every dimension."""
    shape = shape_of(src, who) or (1,)
    wanted = indices.shape
    if len(shape) != len(wanted) or any(m > n for m, n in zip(wanted, shape, strict=True)):
        raise ValueError(f"{who}: src {shape} must be at least as large as the index, {wanted}")
    src = src if src.shape else _reshape(src, shape=(1,))
    for i, n in enumerate(wanted):
        if shape[i] != n:
            src = _narrow(src, dim=i, start=0, stop=n)
    return src


def _back(result: Any, input: Any) -> Any:
    return result if result.shape == input.shape else _reshape(result, shape=input.shape)


@with_axis
def scatter(
    input: Any,
    dim: int,
    index: Any,
    src: Any = None,
    *,
    value: float | None = None,
    reduce: str | None = None,
) -> Any:
    """Copy of `input` with elements of `src` at the places that `index` names along `dim`.

    ``y[index[i][j]][j] = src[i][j]`` for dim 0 of a matrix: `gather` the other way round. If a
    place is named more than once, the last one stays (and each gets the gradient, as in PyTorch).

    Parameters
    ----------
    input : Tensor
    dim : int
    index : integer Tensor
        With as many dimensions as `input`; nowhere larger, except along `dim`.
    src : Tensor or number
        At least as large as `index`.
    value : number, optional
        In the place of `src`.
    reduce : {"add", "multiply"}, optional
        What to do with what is there, instead of overwriting it.

    Raises
    ------
    IndexError
        If an index is out of range; negative ones are.
    ValueError
        If shapes do not fit.
    TypeError
        If the dtypes differ, or `index` is not of integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.scatter(autograd.zeros(3), 0, autograd.tensor([2, 0]), autograd.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: give either src or value")
    given = value if src is None else src
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter: reduce must be 'add' or 'multiply', not {reduce!r}")
    number = isinstance(given, float | int)
    if not number:
        _same_dtype("scatter", input, given)
    if 0 in shape_of(index, "scatter"):
        return clone(input)
    x, at, indices = along("scatter", input, dim, index)
    if number:
        given = input.dtype.type(given)
        if reduce is not None:
            given = np.full(indices.shape, given, input.dtype)
    else:
        given = _source("scatter", given, indices, at)
    if reduce == "add":
        return _back(_added(x, indices, given, at), input)
    if reduce == "multiply":
        y = _scatter_fold(x, indices, given, dim=at, reduce="prod", include_self=True)
        return _back(y, input)
    return _back(_scatter_set(x, indices, given, dim=at), input)


@with_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """Add elements of `src` at the places that `index` names along `dim`; repeated ones sum up.

    Examples
    --------
    >>> import autograd
    >>> x, src = autograd.zeros(3), autograd.tensor([1.0, 2.0, 4.0])
    >>> autograd.scatter_add(x, 0, autograd.tensor([0, 2, 0]), src)
    tensor([5., 0., 2.])
    """
    if not isinstance(src, Variable | np.ndarray | np.generic):
        raise TypeError(f"scatter_add: src must be a tensor, not {type(src).__name__}")
    return scatter(input, dim, index, src, reduce="add")


# --- Reductions by index ----------------------------------------------------------------------

FOLDS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _neutral(reduce: str, dtype: Any) -> Any:
    if reduce == "prod":
        return dtype.type(1)
    if dtype.kind == "f":
        return dtype.type(-np.inf if reduce == "amax" else np.inf)
    if dtype.kind == "b":
        return reduce != "amax"
    limits = np.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


def _fold_rule(g, y, x, indices, src, *, dim, reduce, include_self):
    rule = _prod_rule if reduce == "prod" else _extreme_rule
    to_self, to_src = rule(g, y, x, indices, src, dim, reduce, include_self)
    if not include_self:
        to_self = _scatter_set(to_self, indices, 0.0, dim=dim)
    return to_self, None, to_src


def _extreme_rule(g, y, x, indices, src, dim, reduce, include_self):
    """All that equal the extreme share the gradient evenly."""
    own, others = cast(x == y, g.dtype), cast(src == picked(y, indices, dim=dim), g.dtype)
    if not include_self:
        own = _scatter_set(own, indices, 0.0, dim=dim)
    ties = _added(own, indices, others, dim)
    share = g / where(ties == 0.0, 1.0, ties)
    return share * own, others * picked(share, indices, dim=dim)


def _prod_rule(g, y, x, indices, src, dim, reduce, include_self):
    """The product of the others: the result divided by the factor, which must not be zero.

    A single zero is left out of a product of its own; of two, each makes the other's slope zero.
    """
    again = {"dim": dim, "reduce": reduce, "include_self": include_self}
    safe = where(x == 0.0, 1.0, x)
    to_self = g * _scatter_fold(safe, indices, src, **again) / safe
    zero = src == 0.0
    zeros = np.zeros(x.shape, g.dtype)
    number = picked(_added(zeros, indices, cast(zero, g.dtype), dim), indices, dim=dim)
    seen = number.value if isinstance(number, Variable) else None
    if seen is not None and not isinstance(seen, Abstract) and np.any(seen > 1):
        raise RuntimeError(
            "scatter_reduce: there is no second derivative of a product in which two zeros of src "
            "meet at one place"
        )
    single = where(zero, number, 0.0) == 1.0
    rest = _scatter_fold(x, indices, where(single, 1.0, src), **again)
    to_src = where(
        single,
        picked(g * rest, indices, dim=dim),
        picked(g * y, indices, dim=dim) / where(zero, 1.0, src),
    )
    return to_self, to_src


@structured(
    joint=_fold_rule,
    infer=lambda x, indices, src, *, dim, reduce, include_self: Spec(x.shape, x.dtype),
    formula=("scatter(x, indices, src)", "scatter(g, indices)", None, "gather(g, indices)"),
)
def _scatter_fold(x, indices, src, /, *, dim, reduce, include_self):
    """A copy of x, multiplied by (or compared with) all of `src` that belongs to a place."""
    y = np.array(x)
    part = _corner(y, indices.shape, dim)
    if not include_self:
        np.put_along_axis(part, indices, _neutral(reduce, y.dtype), dim)
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[dim] = indices
    FOLDS[reduce].at(part, tuple(places), np.asarray(src, y.dtype))
    return y


_scatter_fold.op.samples = lambda draw: [
    (
        (draw((2, 3)), np.array([[0, 2, 0], [1, 0, 0]]), draw((2, 3))),
        {"dim": 1, "reduce": reduce, "include_self": include_self},
    )
    for reduce, include_self in [("prod", True), ("amax", True), ("amin", False)]
]


@with_axis
def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """Fold all elements of `src` that `index` sends to one place along `dim` into one.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : integer Tensor
        With as many dimensions as `input`; nowhere larger, except along `dim`.
    src : Tensor
        At least as large as `index`.
    reduce : {"sum", "prod", "mean", "amax", "amin"}
    include_self : bool
        Whether what `input` has at a place takes part. A place that no index names keeps it.

    Examples
    --------
    >>> import autograd
    >>> x, src = autograd.ones(2), autograd.tensor([5.0, 2.0, 4.0])
    >>> autograd.scatter_reduce(x, 0, autograd.tensor([0, 1, 0]), src, "amax")
    tensor([5., 2.])
    """
    who = "scatter_reduce"
    if reduce not in ("sum", "mean", *FOLDS):
        raise ValueError(
            f"{who}: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', not {reduce!r}"
        )
    _same_dtype(who, input, src)
    if 0 in shape_of(index, who):
        return clone(input)
    x, at, indices = along(who, input, dim, index)
    src = _source(who, src, indices, at)
    if reduce in FOLDS:
        y = _scatter_fold(x, indices, src, dim=at, reduce=reduce, include_self=include_self)
        return _back(y, input)
    dtype = input.dtype
    base = x if include_self else _scatter_set(x, indices, dtype.type(0), dim=at)
    total = _added(base, indices, src, at)
    if reduce == "sum":
        return _back(total, input)
    start = np.full(x.shape, int(include_self), dtype)
    count = _added(start, indices, np.ones(indices.shape, dtype), at)
    count = where(count == 0, dtype.type(1), count)
    if dtype.kind != "f":
        return _back(_whole_mean(total, count), input)
    return _back(total / count, input)


def _whole_mean(total: Any, count: Any) -> Any:
    """Means of integers, rounded down."""
    a, b = (v.value if isinstance(v, Variable) else v for v in (total, count))
    mean = np.floor_divide(a, b)
    return wrap(mean) if isinstance(total, Variable) else mean


# --- Into parts -------------------------------------------------------------------------------


def _into(who: str, input: Any, src: Any, index: tuple[Any, ...], wanted: Sequence[int]) -> Any:
    from .index import _put

    if shape_of(src, who) != tuple(wanted):
        raise ValueError(
            f"{who}: src {shape_of(src, who)} does not fit into {tuple(wanted)} of {input.shape}"
        )
    return _put(input, src, index=index)


@with_axis
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """Copy of `input` in which `src` stands in the place of slice `index` along `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.select_scatter(autograd.zeros(2, 2), autograd.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    who = "select_scatter"
    shape = shape_of(input, who)
    at = dim_of(who, dim, len(shape))
    if not shape or not -shape[at] <= index < shape[at]:
        raise IndexError(f"{who}: index {index} is out of range for dim {at} of shape {shape}")
    place = (slice(None),) * at + (int(index),)
    return _into(who, input, src, place, (*shape[:at], *shape[at + 1 :]))


@with_axis
def slice_scatter(
    input: Any,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Any:
    """Copy of `input` in which `src` stands in the place of ``start:end:step`` along `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.slice_scatter(autograd.zeros(4), autograd.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    who = "slice_scatter"
    shape = shape_of(input, who)
    at = dim_of(who, dim, len(shape))
    if not shape:
        raise ValueError(f"{who}: a 0-d tensor has no dimension to slice")
    if step < 1:
        raise ValueError(f"{who}: step must be positive, met {step}")
    part = slice(start, end, step)
    wanted = (*shape[:at], len(range(*part.indices(shape[at]))), *shape[at + 1 :])
    return _into(who, input, src, (slice(None),) * at + (part,), wanted)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Copy of `input` in which `src` stands in the place of a diagonal.

    Examples
    --------
    >>> import autograd
    >>> autograd.diagonal_scatter(autograd.zeros(2, 2), autograd.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    from .diagonals import _undiagonal, diagonal

    who = "diagonal_scatter"
    line = diagonal(input, offset, dim1, dim2)
    if shape_of(src, who) != line.shape:
        raise ValueError(f"{who}: src {shape_of(src, who)} does not fit into {line.shape}")
    ndim = len(input.shape)
    place = {"shape": input.shape, "offset": int(offset)}
    place |= {"dim1": dim_of(who, dim1, ndim), "dim2": dim_of(who, dim2, ndim)}
    there = _undiagonal(np.ones(line.shape, np.bool_), **place)
    return where(there, _undiagonal(src, **place), input)
