"""Changing whole slices, single elements and masked elements: copies with other values in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..families import shape_of
from ..graph import Variable
from .arithmetic import cast, where
from .gathering import mask_of, slices
from .index import _put, _unindex, canonical, integers, raw
from .shape import _narrow, _reshape, expand, line, with_axis


def _tensor(who: str, value: Any, input: Any) -> None:
    """Check that a tensor of the dtype of `input` was given."""
    if not isinstance(value, Variable | np.ndarray | np.generic):
        raise TypeError(f"{who}: expected a tensor of values, not {type(value).__name__}")
    if value.dtype != input.dtype:
        raise TypeError(
            f"{who}: the two tensors must be of one dtype, met {input.dtype} and {value.dtype}"
        )


def _by_slices(who: str, input: Any, dim: int, index: Any, source: Any, negative: bool) -> Any:
    """(input, place, source), checked; single elements as vectors of one."""
    place = slices(who, input, dim, index, negative=negative)
    if not input.shape:
        input = _reshape(input, shape=(1,))
        source = source if source is None else line(source)
    if source is not None:
        at = len(place) - 1
        shape = input.shape
        wanted = (*shape[:at], place[at].size, *shape[at + 1 :])
        found = shape_of(source, who) or (1,)
        if found != wanted:
            raise IndexError(f"{who}: source {found} must have the shape {wanted}")
        source = source if source.shape else _reshape(source, shape=(1,))
    return input, place, source


@with_axis
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """Add slices of ``alpha * source`` to the slices along `dim` that `index` names.

    A slice named more than once receives the sum.

    Examples
    --------
    >>> import autograd
    >>> x, source = autograd.zeros(3), autograd.tensor([1.0, 2.0, 4.0])
    >>> autograd.index_add(x, 0, autograd.tensor([0, 2, 0]), source)
    tensor([5., 0., 2.])
    """
    _tensor("index_add", source, input)
    x, place, values = _by_slices("index_add", input, dim, index, source, False)
    y = x + _unindex(values if alpha == 1 else values * alpha, index=place, shape=x.shape)
    return y if input.shape else _reshape(y, shape=())


@with_axis
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """Copy of `input` with slices of `source` in the place of those that `index` names.

    Examples
    --------
    >>> import autograd
    >>> autograd.index_copy(autograd.zeros(3), 0, autograd.tensor([2]), autograd.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    _tensor("index_copy", source, input)
    x, place, values = _by_slices("index_copy", input, dim, index, source, False)
    y = _put(x, values, index=place)
    return y if input.shape else _reshape(y, shape=())


@with_axis
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """Copy of `input` with one number in the slices along `dim` that `index` names.

    Examples
    --------
    >>> import autograd
    >>> autograd.index_fill(autograd.zeros(3), 0, autograd.tensor([0, 2]), 7.0)
    tensor([7., 0., 7.])
    """
    single = _single("index_fill", value, input)
    x, place, _ = _by_slices("index_fill", input, dim, index, None, True)
    y = _put(x, single, index=place)
    return y if input.shape else _reshape(y, shape=())


def _single(who: str, value: Any, input: Any) -> Any:
    """One number in the dtype of `input`, a recorded one if `value` is a 0-d tensor."""
    if shape_of(value, who):
        raise ValueError(f"{who}: value must be a number or a 0-d tensor, met {value.shape}")
    if isinstance(value, Variable):
        return value if value.dtype in (input.dtype, float) else cast(value, input.dtype)
    return one_of(who, value, input.dtype)


def one_of(who: str, value: Any, dtype: Any) -> Any:
    """A Python number as an element of `dtype`."""
    try:
        return dtype.type(value)
    except OverflowError:
        raise ValueError(f"{who}: {value} does not fit into {dtype}") from None


def index_put(input: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """Copy of `input` in which ``input[indices] = values``, or ``+= values`` if `accumulate`.

    Parameters
    ----------
    input : Tensor
    indices : tuple of integer or bool Tensors
        None stands for a whole dimension.
    values : Tensor
        Broadcasts to the shape of ``input[indices]``.
    accumulate : bool
        Add instead; what is named more than once receives the sum.

    Examples
    --------
    >>> import autograd
    >>> i, ones = autograd.tensor([0, 0]), autograd.ones(2)
    >>> autograd.index_put(autograd.zeros(2), (i,), ones, accumulate=True)
    tensor([2., 0.])
    """
    who = "index_put"
    if isinstance(indices, Variable | np.ndarray):
        raise TypeError(f"{who}: indices must be a tuple of tensors")
    _tensor(who, values, input)
    place = tuple(slice(None) if i is None else i for i in canonical(tuple(indices)))
    shape = shape_of(input, who)
    try:
        if not accumulate:
            return _put(input, values, index=place)
        wanted = np.broadcast_to(np.zeros((), np.bool_), shape)[place].shape
        return input + _unindex(expand(values, wanted), index=place, shape=shape)
    except (IndexError, ValueError) as error:
        raise type(error)(f"{who}: {error} (tensor of shape {shape})") from None


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """Copy of `input` with elements of `source` at their numbers in row-major order.

    Parameters
    ----------
    input : Tensor
    index : integer Tensor
        Negative ones count from the end.
    source : Tensor
        With as many elements as `index`.
    accumulate : bool
        Add instead of overwriting.

    Examples
    --------
    >>> import autograd
    >>> autograd.put(autograd.zeros(3), autograd.tensor([2, 0]), autograd.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    shape = shape_of(input, "put")
    _tensor("put", source, input)
    flat = line(input)
    index = integers("put", index, flat.shape[0], shape, negative=True)
    places = raw("put", index, "the indices").reshape(-1)
    if int(np.prod(source.shape)) != places.size:
        raise IndexError(
            f"put: source {source.shape} must have as many elements as the index, {places.size}"
        )
    return _reshape(index_put(flat, (places,), line(source), accumulate), shape=shape)


def fill(input: Any, value: Any) -> Any:
    """A tensor like `input` with one number everywhere.

    Examples
    --------
    >>> import autograd
    >>> autograd.fill(autograd.zeros(2), 7.0)
    tensor([7., 7.])
    """
    return _put(input, _single("fill", value, input), index=(Ellipsis,))


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """One number where `mask` is true, elsewhere `input`; the two broadcast together.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, -2.0, 3.0])
    >>> autograd.masked_fill(x, x < 0, 0.0)
    tensor([1., 0., 3.])
    """
    return where(mask_of("masked_fill", mask), _single("masked_fill", value, input), input)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """Elements of `source`, in order, where `mask` is true, elsewhere `input`.

    Raises
    ------
    ValueError
        If `source` has fewer elements than there are places, or the shapes do not broadcast.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.zeros(3)
    >>> mask, source = autograd.tensor([True, False, True]), autograd.tensor([5.0, 6.0, 7.0])
    >>> autograd.masked_scatter(x, mask, source)
    tensor([5., 0., 6.])
    """
    who = "masked_scatter"
    _tensor(who, source, input)
    chosen = raw(who, mask_of(who, mask), "the elements of a mask")
    try:
        shape = np.broadcast_shapes(shape_of(input, who), chosen.shape)
    except ValueError:
        raise ValueError(
            f"{who}: shapes {input.shape} and {chosen.shape} do not broadcast together"
        ) from None
    if input.shape != shape:
        input = expand(input, shape)
    chosen = np.broadcast_to(chosen, shape)
    count = int(np.count_nonzero(chosen))
    flat = line(source)
    if flat.shape[0] < count:
        raise ValueError(f"{who}: source {source.shape} has fewer than {count} elements")
    if flat.shape[0] != count:
        flat = _narrow(flat, dim=0, start=0, stop=count)
    return _put(input, flat, index=(chosen,))
