"""Indexing: taking elements out, and its adjoint, putting gradients back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import dim_of, movement, shape_of, structured
from ..graph import Abstract, Spec, Variable
from ..kernels import add_rows
from .shape import _reshape, expand, line, with_axis


def canonical(index: Any) -> tuple[Any, ...]:
    """An index as a tuple of ints, slices, None, Ellipsis and integer or bool arrays."""
    if not isinstance(index, tuple):
        index = (index,)
    return tuple(_entry(e) for e in index)


def _entry(entry: Any) -> Any:
    if isinstance(entry, Variable):
        entry = entry.value
        if entry.__class__ is Abstract:  # what a vmap holds speaks for itself
            raise TypeError(
                "indexing with a traced tensor: its values are not known while tracing; use "
                "take_along_dim, which takes the indices as an array argument"
            )
    if entry is None or entry is Ellipsis or isinstance(entry, slice | bool | int):
        return entry
    if isinstance(entry, list | tuple | range | np.ndarray | np.generic):
        array = np.asarray(entry)
        if array.size == 0 and isinstance(entry, list | tuple | range):
            array = array.astype(np.int64)
        if array.dtype.kind not in "biu":
            raise IndexError(f"an index array must be integer or bool, not {array.dtype}")
        return array if array.ndim else array[()]
    if hasattr(entry, "__index__"):
        return entry.__index__()
    kind = TypeError if isinstance(entry, str) else IndexError
    raise kind(
        f"an index must be an int, slice, None, Ellipsis, list or integer or bool tensor, not "
        f"{type(entry).__name__}"
    )


def parted(index: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...] | None, tuple[Any, ...]]:
    """Split an index into ``(first, then)``: ints, slices and None before arrays and masks.

    NumPy counts an int among arrays as one of them, and moves the result's dimensions for it;
    PyTorch takes ints out first. `first` is None where there is nothing to do before `then`.
    """
    arrays = [e for e in index if isinstance(e, ARRAYS)]
    if not arrays or all(isinstance(e, ARRAYS) or e is Ellipsis or e == ALL for e in index):
        return None, index
    taken = sum(e.ndim if e.dtype.kind == "b" else 1 for e in index if isinstance(e, np.ndarray))
    taken += sum(1 for e in index if e.__class__ is slice or is_int(e))
    first: list[Any] = []
    then: list[Any] = []
    for e in index:
        if isinstance(e, ARRAYS):
            wide = 0 if not isinstance(e, np.ndarray) else e.ndim if e.dtype.kind == "b" else 1
            first += [ALL] * wide
            then.append(e)
        elif e is Ellipsis:
            first += [ALL] * (ndim - taken)
            then += [ALL] * (ndim - taken)
        else:
            first.append(e)
            if not is_int(e):
                then.append(ALL)
    return (*first, Ellipsis), tuple(then)


ALL = slice(None)
ARRAYS = (np.ndarray, bool, np.bool_)


def is_int(entry: Any) -> bool:
    """True for a whole number that takes one slice."""
    return isinstance(entry, int | np.integer) and not isinstance(entry, bool)


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
    if not any(isinstance(e, np.ndarray) and e.dtype.kind != "b" for e in index):
        y = np.zeros(shape, x.dtype)
        y[index] = x  # no element twice
        return y
    found = _rows(index, shape)
    if found is None:
        y = np.zeros(shape, x.dtype)
        np.add.at(y, index, x)
        return y
    numbers, rows, width = found
    if width == 1:  # NumPy is as fast where the index is flat
        y = np.zeros(rows, x.dtype)
        np.add.at(y, numbers, x.reshape(-1))
    else:
        y = add_rows(x.reshape(numbers.size, width), numbers, rows=rows, skip=-1)
    return y.reshape(shape)


def _rows(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[np.ndarray, int, int] | None:
    """An index of integer arrays side by side as (numbers of rows, how many there are, width).

    None for any other index. The kernel that adds rows is many times as fast as NumPy.
    """
    entries = list(index)
    if Ellipsis in [e for e in entries if not isinstance(e, np.ndarray)]:
        return None
    at = [k for k, e in enumerate(entries) if isinstance(e, np.ndarray)]
    first, stop = at[0], at[-1] + 1
    if len(at) != stop - first or any(e.dtype.kind == "b" for e in entries[first:stop]):
        return None
    if any(not isinstance(e, np.ndarray) and e != ALL for e in entries):
        return None
    sizes = shape[first:stop]
    flat: Any = 0
    for e, n in zip(entries[first:stop], sizes, strict=True):
        flat = flat * n + np.where(e < 0, e + n, e)
    count, lead = math.prod(sizes), math.prod(shape[:first])
    flat = flat.reshape(-1)
    if lead != 1:
        flat = (np.arange(lead)[:, None] * count + flat).reshape(-1)
    return flat.astype(np.int64, copy=False), lead * count, math.prod(shape[stop:])


_unindex.op.samples = lambda draw: [
    ((draw((3, 4)),), {"index": (np.array([0, 2, 0]),), "shape": (3, 4)}),
    (
        (draw((2, 3, 2)),),
        {"index": (slice(None), np.array([0, -2, 0]), np.array([1])), "shape": (2, 3, 3, 2)},
    ),
    ((draw((3, 2)),), {"index": (np.array([1, 0, 1]), slice(0, 2)), "shape": (2, 3)}),
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
    kind = index.__class__  # nearly always one of these two
    index = (index,) if kind is int or kind is slice else canonical(index)
    try:
        if len(index) > 1 and not is_basic(index):
            first, index = parted(index, len(shape_of(input, "index")))
            if first is not None:
                input = _index(input, index=first)
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


def assign(array: np.ndarray, value: Any, index: tuple[Any, ...]) -> None:
    """``array[index] = value`` on raw values, with ints taken out before arrays."""
    if not is_basic(index):
        first, index = parted(index, array.ndim)
        if first is not None:
            array = array[first]
    array[index] = value


def put(input: Any, value: Any, index: tuple[Any, ...]) -> Any:
    """A copy of `input` in which ``input[index]`` is `value`: what assignment records."""
    try:
        if not is_basic(index):
            first, index = parted(index, len(shape_of(input, "__setitem__")))
            if first is not None:
                inner = _put(_index(input, index=first), value, index=index)
                return _put(input, inner, index=first)
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
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[dim] = indices
    # One flat index: NumPy adds at those several times as fast as at a tuple of indices.
    step, flat = 1, np.zeros(indices.shape, np.intp)
    for place, n in zip(reversed(places), reversed(y.shape), strict=True):
        flat += place * step
        step *= n
    np.add.at(y.reshape(-1), flat.reshape(-1), x.reshape(-1))
    return y


_scatter.op.samples = lambda draw: [
    ((draw((2, 2)), np.array([[0, 2], [1, 1]])), {"dim": 1, "size": 3})
]


def raw(who: str, value: Any, what: str) -> Any:
    """The values of an operand, for an answer that depends on them."""
    value = value.value if isinstance(value, Variable) else value
    if value.__class__ is Abstract:
        raise TypeError(f"{who}: {what} of a traced tensor are not known while tracing")
    return np.asarray(value)


def integers(who: str, index: Any, size: int, shape: Any, *, negative: bool = False) -> Any:
    """An index tensor, checked to be of integers from 0 (or ``-size``) up to `size`.

    Returns it as it came, but for negative numbers, which are counted from the end.
    """
    value = index.value if isinstance(index, Variable) else index
    if isinstance(value, Abstract):
        return index
    value = np.asarray(value)
    if value.dtype.kind not in "iu":
        raise TypeError(f"{who}: the index must be of integers, not {value.dtype}")
    if value.size:
        low, high = int(value.min()), int(value.max())
        if high >= size or low < (-size if negative else 0):
            bad = high if high >= size else low
            raise IndexError(
                f"{who}: index {bad} is out of range for size {size} (tensor of shape {shape})"
            )
        if low < 0:
            return np.where(value < 0, value + size, value)
    return index


@with_axis
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """Pick along `dim` the elements that `indices` name; other dimensions broadcast.

    Parameters
    ----------
    input : Tensor
    indices : integer Tensor
        Negative ones count from the end.
    dim : int, optional
        Without it, both are taken as flat.

    Raises
    ------
    ValueError
        If the shapes do not broadcast in another dimension.
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
    who = "take_along_dim"
    if dim is None:
        input, indices, dim = line(input), line(indices), 0
    shape, wanted = shape_of(input, who), shape_of(indices, who)
    at = dim_of(who, dim, len(shape))
    if len(shape) != len(wanted):
        raise ValueError(f"{who}: input {shape} and indices {wanted} differ in dimensions")
    if not shape:
        x = take_along_dim(_reshape(input, shape=(1,)), _reshape(indices, shape=(1,)), 0)
        return _reshape(x, shape=())
    indices = integers(who, indices, shape[at], shape, negative=True)
    others, given = ((*s[:at], *s[at + 1 :]) for s in (shape, wanted))
    if others != given:
        try:
            rest = np.broadcast_shapes(others, given)
        except ValueError:
            raise ValueError(
                f"{who}: input {shape} and indices {wanted} must agree outside dim {at}"
            ) from None
        input = expand(input, (*rest[:at], shape[at], *rest[at:]))
        indices = expand(indices, (*rest[:at], wanted[at], *rest[at:]))
    return _gather(input, indices, dim=at)
