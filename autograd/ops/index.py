"""Indexing: taking elements out, and its adjoint, putting gradients back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import dim_of, movement, shape_of, structured
from ..graph import Abstract, Spec, Variable


def canonical(index: Any) -> tuple[Any, ...]:
    """An index as a tuple of ints, slices, None, Ellipsis and integer or bool arrays."""
    if not isinstance(index, tuple):
        index = (index,)
    return tuple(_entry(e) for e in index)


def _entry(entry: Any) -> Any:
    if isinstance(entry, Variable):
        entry = entry.value
        if entry.__class__ is Abstract:
            raise TypeError(
                "indexing with a traced tensor: its values are not known while tracing; use "
                "take_along_dim, which takes the indices as an array argument"
            )
    if entry is None or entry is Ellipsis or isinstance(entry, slice | bool | int):
        return entry
    if isinstance(entry, list | np.ndarray | np.generic):
        array = np.asarray(entry)
        if array.size == 0 and isinstance(entry, list):
            array = array.astype(np.int64)
        if array.dtype.kind not in "biu":
            raise IndexError(f"an index array must be integer or bool, not {array.dtype}")
        return array if array.ndim else array[()]
    if hasattr(entry, "__index__"):
        return entry.__index__()
    raise IndexError(
        f"an index must be an int, slice, None, Ellipsis, list or integer or bool tensor, not "
        f"{type(entry).__name__}"
    )


def is_basic(index: tuple[Any, ...]) -> bool:
    """True if `index` only slices, so that NumPy gives a view and no element twice."""
    return not any(isinstance(e, np.ndarray | bool | np.bool_) for e in index)


@movement(
    lambda g, y, x, index: _unindex(g, index=index, shape=x.shape),  # pyright: ignore[reportGeneralTypeIssues]
    formula=("x[index]", "scatter(g, [index])"),
)
def _index(x, /, *, index):
    return x[index]


_index.op.samples = lambda draw: [
    ((draw((3, 4)),), {"index": (slice(None, None, 2), 1)}),
    ((draw((3, 4)),), {"index": (np.array([0, 2, 0]),)}),
    ((draw((3, 4)),), {"index": (np.array([[True, False, True, False]] * 3),)}),
]


@structured(
    lambda g, y, x, index, shape: _index(g, index=index),
    saves="",
    infer=lambda x, *, index, shape: Spec(shape, x.dtype),
    formula=("scatter(x, [index])", "g[index]"),
)
def _unindex(x, /, *, index, shape):
    """The adjoint of `_index`: elements taken twice receive the sum."""
    y = np.zeros(shape, x.dtype)
    if is_basic(index):
        y[index] = x
    else:
        np.add.at(y, index, x)
    return y


_unindex.op.samples = lambda draw: [
    ((draw((3, 4)),), {"index": (np.array([0, 2, 0]),), "shape": (3, 4)})
]


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``, with NumPy's basic and advanced indexing.

    Raises
    ------
    IndexError
        Out of range, too many indices, or an index of another type.

    Examples
    --------
    >>> import autograd
    >>> autograd.arange(10)[2:8:2]
    tensor([2, 4, 6])
    """
    index = canonical(index)
    try:
        return _index(input, index=index)
    except IndexError as error:
        raise IndexError(f"index: {error} (tensor of shape {shape_of(input, 'index')})") from None


@structured(
    lambda g, y, x, value, index: _put(g, 0.0, index=index),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, value, index: _index(g, index=index),
    saves="",
    infer=lambda x, value, *, index: Spec(x.shape, x.dtype),
    formula=("put(x, [index], value)", "put(g, [index], 0)", "g[index]"),
)
def _put(x, value, /, *, index):
    """A copy of x in which ``x[index]`` is `value`."""
    y = np.array(x)  # a 0-d result is a NumPy scalar, which cannot be assigned to
    y[index] = value
    return y


_put.op.samples = lambda draw: [
    ((draw((3, 4)), draw((2,))), {"index": (slice(0, 2), 1)}),
    ((draw((3, 4)), draw((4,))), {"index": (1,)}),
]


def put(input: Any, value: Any, index: tuple[Any, ...]) -> Any:
    """A copy of `input` in which ``input[index]`` is `value`: what assignment records."""
    try:
        return _put(input, value, index=index)
    except (IndexError, ValueError) as error:
        raise type(error)(
            f"__setitem__: {error} (tensor of shape {shape_of(input, '__setitem__')})"
        ) from None


def _gather_infer(x, indices, *, dim):
    return Spec(indices.shape, x.dtype)


@structured(
    lambda g, y, x, indices, dim: _scatter(g, indices, dim=dim, size=x.shape[dim]),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("indices", ""),
    infer=_gather_infer,
    formula=("gather(x, indices)", "scatter(g, indices)", None),
)
def _gather(x, indices, /, *, dim):
    return np.take_along_axis(x, indices, axis=dim)


_gather.op.samples = lambda draw: [((draw((2, 3)), np.array([[0, 2], [1, 1]])), {"dim": 1})]


@structured(
    lambda g, y, x, indices, dim, size: _gather(g, indices, dim=dim),
    None,
    saves=("indices", ""),
    infer=lambda x, indices, *, dim, size: Spec(
        (*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype
    ),
    formula=("scatter(x, indices)", "gather(g, indices)", None),
)
def _scatter(x, indices, /, *, dim, size):
    """The adjoint of `_gather`: zeros, with x added at `indices` along `dim`."""
    y = np.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype)
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    where[dim] = indices
    np.add.at(y, tuple(where), x)
    return y


_scatter.op.samples = lambda draw: [
    ((draw((2, 2)), np.array([[0, 2], [1, 1]])), {"dim": 1, "size": 3})
]


def take_along_dim(input: Any, indices: Any, dim: int) -> Any:
    """Pick along `dim` the elements that `indices` name; other dimensions must agree.

    Raises
    ------
    ValueError
        If the shapes differ in another dimension.
    IndexError
        If an index is out of range.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.take_along_dim(x, autograd.tensor([[1], [0]]), 1)
    tensor([[2.],
            [3.]])
    """
    shape, wanted = shape_of(input, "take_along_dim"), shape_of(indices, "take_along_dim")
    at = dim_of("take_along_dim", dim, len(shape))
    if (*shape[:at], *shape[at + 1 :]) != (*wanted[:at], *wanted[at + 1 :]):
        raise ValueError(
            f"take_along_dim: input {shape} and indices {wanted} must agree outside dim {at}"
        )
    return _gather(input, indices, dim=at)
