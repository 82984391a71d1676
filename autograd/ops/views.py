"""Other shapes of the same memory: functions over the ops of `shape.py` and `index.py`."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..families import dim_of, movement, shape_of
from ..graph import Abstract, Spec, Variable
from .arithmetic import clone
from .index import _index
from .shape import _narrow, _permute, _reshape, expand, mT, reshape, sizes, transpose, with_axis


def t(input: Any) -> Any:
    """Transpose of a matrix; a vector and a single element stay as they are.

    Examples
    --------
    >>> import autograd
    >>> autograd.t(autograd.zeros(2, 3)).shape
    (3, 2)
    """
    shape = shape_of(input, "t")
    if len(shape) > 2:
        raise ValueError(f"t() is for at most 2 dimensions, met shape {shape}; use mT")
    return _permute(input, dims=tuple(range(len(shape)))[::-1])


def adjoint(input: Any) -> Any:
    """Swap the last two dimensions; a view. Of real numbers the same as `mT`.

    Examples
    --------
    >>> import autograd
    >>> autograd.adjoint(autograd.zeros(2, 3)).shape
    (3, 2)
    """
    return mT(input)


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Swap two dimensions; a view. Another name of `transpose`.

    Examples
    --------
    >>> import autograd
    >>> autograd.swapaxes(autograd.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Swap two dimensions; a view. Another name of `transpose`.

    Examples
    --------
    >>> import autograd
    >>> autograd.swapdims(autograd.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    return transpose(input, dim0, dim1)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Move dimensions to other places; the rest keep their order. A view.

    Examples
    --------
    >>> import autograd
    >>> autograd.movedim(autograd.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    ndim = len(shape_of(input, "movedim"))
    pair = []
    for given in (source, destination):
        dims = sizes("movedim", (given if isinstance(given, tuple | list) else (given,),))
        pair.append([dim_of("movedim", d, ndim) for d in dims])
        if len(set(pair[-1])) != len(dims):
            raise ValueError(f"movedim: a dimension appears twice in {dims}")
    origins, targets = pair
    if len(origins) != len(targets):
        raise ValueError(f"movedim: source {source} and destination {destination} differ in length")
    if not ndim:
        return _permute(input, dims=())
    rest = iter([d for d in range(ndim) if d not in origins])
    order = [
        origins[targets.index(place)] if place in targets else next(rest) for place in range(ndim)
    ]
    return _permute(input, dims=tuple(order))


def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """Move dimensions to other places; another name of `movedim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.moveaxis(autograd.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    return movedim(input, source, destination)


def ravel(input: Any) -> Any:
    """All elements in one dimension; a view where possible.

    Examples
    --------
    >>> import autograd
    >>> autograd.ravel(autograd.zeros(2, 3)).shape
    (6,)
    """
    return reshape(input, -1 if np.prod(shape_of(input, "ravel")) else 0)


@with_axis
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Split one dimension into several; one of `sizes` may be -1. The inverse of `flatten`.

    Examples
    --------
    >>> import autograd
    >>> autograd.unflatten(autograd.zeros(6, 2), 0, (2, -1)).shape
    (2, 3, 2)
    """
    shape = shape_of(input, "unflatten")
    at = dim_of("unflatten", dim, len(shape))
    parts = [operator.index(n) for n in sizes]
    n = shape[at] if shape else 1
    known = int(np.prod([p for p in parts if p != -1]))
    if parts.count(-1) == 1 and known and n % known == 0:
        parts = [n // known if p == -1 else p for p in parts]
    if not parts or min(parts) < 0 or int(np.prod(parts)) != n:
        raise ValueError(f"unflatten: sizes {tuple(sizes)} do not make up {n}, dim {at} of {shape}")
    return _reshape(input, shape=(*shape[:at], *parts, *shape[at + 1 :]))


def expand_as(input: Any, other: Any) -> Any:
    """Repeat dimensions of size one to the shape of `other`, without copying.

    Examples
    --------
    >>> import autograd
    >>> autograd.zeros(3, 1).expand_as(autograd.zeros(3, 4)).shape
    (3, 4)
    """
    return expand(input, shape_of(other, "expand_as"))


def reshape_as(input: Any, other: Any) -> Any:
    """The same elements in the shape of `other`.

    Examples
    --------
    >>> import autograd
    >>> autograd.zeros(6).reshape_as(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    return reshape(input, shape_of(other, "reshape_as"))


def contiguous(input: Any) -> Any:
    """The tensor itself if its elements lie in row-major order, else a copy that does.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.zeros(2, 3)
    >>> x.contiguous() is x
    True
    """
    value = input.value if isinstance(input, Variable) else input
    if value.__class__ is Abstract or getattr(value, "flags", None) is None:
        return input
    return input if value.flags.c_contiguous else clone(input)


# --- Broadcasting -----------------------------------------------------------------------------


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that tensors of `shapes` broadcast to.

    Examples
    --------
    >>> import autograd
    >>> autograd.broadcast_shapes((3, 1), (2,))
    (3, 2)
    """
    given = [
        sizes("broadcast_shapes", (s if isinstance(s, tuple | list) else (s,),)) for s in shapes
    ]
    try:
        return np.broadcast_shapes(*given)
    except ValueError:
        raise ValueError(
            f"broadcast_shapes: {' and '.join(map(str, given))} do not broadcast together"
        ) from None


def broadcast_to(input: Any, size: Any) -> Any:
    """Repeat dimensions of size one, and new ones in front, to `size`, without copying.

    Examples
    --------
    >>> import autograd
    >>> autograd.broadcast_to(autograd.zeros(3), (2, 3)).shape
    (2, 3)
    """
    return expand(input, size)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All tensors in the shape that they broadcast to together.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.broadcast_tensors(autograd.zeros(3, 1), autograd.zeros(2))
    >>> b.shape
    (3, 2)
    """
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    shape = broadcast_shapes(*(shape_of(x, "broadcast_tensors") for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


def _at_least(who: str, tensors: tuple[Any, ...], grown: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], list | tuple):
        x = tensors[0]
        shape = shape_of(x, who)
        new = grown(shape)
        return x if new == shape else _reshape(x, shape=new)
    several = tensors[0] if len(tensors) == 1 else tensors
    return tuple(_at_least(who, (x,), grown) for x in several)


def atleast_1d(*tensors: Any) -> Any:
    """Give single elements one dimension; of several tensors, a tuple.

    Examples
    --------
    >>> import autograd
    >>> autograd.atleast_1d(autograd.tensor(1.0))
    tensor([1.])
    """
    return _at_least("atleast_1d", tensors, lambda shape: shape or (1,))


def atleast_2d(*tensors: Any) -> Any:
    """Give tensors at least two dimensions: a vector becomes a row.

    Examples
    --------
    >>> import autograd
    >>> autograd.atleast_2d(autograd.zeros(3)).shape
    (1, 3)
    """
    return _at_least("atleast_2d", tensors, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*tensors: Any) -> Any:
    """Give tensors at least three dimensions: a vector (n,) becomes (1, n, 1), a matrix (m, n, 1).

    Examples
    --------
    >>> import autograd
    >>> autograd.atleast_3d(autograd.zeros(3)).shape
    (1, 3, 1)
    """

    def grown(shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) == 2:
            return (*shape, 1)
        return {0: (1, 1, 1), 1: (1, *shape, 1)}.get(len(shape), shape)

    return _at_least("atleast_3d", tensors, grown)


# --- Parts ------------------------------------------------------------------------------------


@with_axis
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The slices ``start .. start + length`` along `dim`; a view.

    Raises
    ------
    IndexError
        If `start` is out of range.
    ValueError
        If `length` is negative, or there are not that many slices.

    Examples
    --------
    >>> import autograd
    >>> autograd.narrow(autograd.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = shape_of(input, "narrow")
    if not shape:
        raise ValueError("narrow: a 0-d tensor has no dimension to narrow")
    at = dim_of("narrow", dim, len(shape))
    n, first = shape[at], operator.index(start)
    if not -n <= first <= n:
        raise IndexError(f"narrow: start {first} is out of range for dim {at} of shape {shape}")
    first += n if first < 0 else 0
    if length < 0 or first + length > n:
        raise ValueError(f"narrow: {length} from {first} on is more than dim {at} of {shape} has")
    return _narrow(input, dim=at, start=first, stop=first + length)


@with_axis
def select(input: Any, dim: int, index: Any) -> Any:
    """The slice number `index` along `dim`, without that dimension; a view.

    Examples
    --------
    >>> import autograd
    >>> autograd.select(autograd.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = shape_of(input, "select")
    if not shape:
        raise IndexError("select: a 0-d tensor has no dimension to select from")
    at = dim_of("select", dim, len(shape))
    i = operator.index(index)
    if not -shape[at] <= i < shape[at]:
        raise IndexError(f"select: index {i} is out of range for dim {at} of shape {shape}")
    return _index(input, index=(slice(None),) * at + (i % shape[at],))


# --- Windows ----------------------------------------------------------------------------------


@movement(
    lambda g, y, x, dim, size, step, dilation: _unwindows(  # pyright: ignore[reportGeneralTypeIssues]
        g, dim=dim, length=x.shape[dim], step=step, dilation=dilation
    ),
    formula=("windows(x)", "sum(windows(g))"),
)
def _windows(x, /, *, dim, size, step, dilation):
    """All windows along `dim`, as a new last dimension."""
    reach = dilation * (size - 1) + 1 if size else 0
    if not size:
        return np.empty((*x.shape[:dim], x.shape[dim] // step + 1, *x.shape[dim + 1 :], 0), x.dtype)
    view = np.lib.stride_tricks.sliding_window_view(x, reach, dim)
    return view[(slice(None),) * dim + (slice(None, None, step),)][..., ::dilation]


_windows.op.samples = lambda draw: [
    ((draw((2, 6)),), {"dim": 1, "size": 3, "step": 2, "dilation": 1}),
    ((draw((7, 2)),), {"dim": 0, "size": 2, "step": 1, "dilation": 3}),
]


@movement(
    lambda g, y, x, dim, length, step, dilation: _windows(  # pyright: ignore[reportGeneralTypeIssues]
        g, dim=dim, size=x.shape[-1], step=step, dilation=dilation
    ),
    infer=lambda x, *, dim, length, step, dilation: Spec(
        (*x.shape[:dim], length, *x.shape[dim + 1 : -1]), x.dtype
    ),
    formula=("sum(windows(x))", "windows(g)"),
)
def _unwindows(x, /, *, dim, length, step, dilation):
    """The adjoint of `_windows`: what lies in several windows receives the sum."""
    y = np.zeros((*x.shape[:dim], length, *x.shape[dim + 1 : -1]), x.dtype)
    lead = (slice(None),) * dim
    for k in range(x.shape[-1]):
        start = k * dilation
        y[(*lead, slice(start, start + step * (x.shape[dim] - 1) + 1, step))] += x[..., k]
    return y


_unwindows.op.samples = lambda draw: [
    ((draw((2, 2, 3)),), {"dim": 1, "length": 6, "step": 2, "dilation": 1}),
    ((draw((4, 2, 2)),), {"dim": 0, "length": 7, "step": 1, "dilation": 3}),
]


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` slices along a dimension, `step` apart, as a new last dimension.

    A view, which must not be written to: windows overlap.

    Examples
    --------
    >>> import autograd
    >>> autograd.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    shape = shape_of(input, "unfold")
    at = dim_of("unfold", dimension, len(shape))
    n = shape[at] if shape else 1
    if not 0 <= size <= n or step < 1:
        raise ValueError(
            f"unfold: windows of {size}, {step} apart, do not fit into dim {at} of shape {shape}"
        )
    if not shape:
        return _reshape(input, shape=(1,) if size else (0,))
    return _windows(input, dim=at, size=int(size), step=int(step), dilation=1)
