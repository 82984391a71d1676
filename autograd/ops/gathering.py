"""Taking elements out by tensors of indices or masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import dim_of, shape_of
from ..graph import Variable, wrap
from ..watch import WATCHERS
from . import arithmetic
from .index import _gather, _index, canonical, integers, raw
from .shape import _narrow, _reshape, expand, line, with_axis


def _one_dimension(x: Any) -> Any:
    return x if x.shape else _reshape(x, shape=(1,))


def along(who: str, input: Any, dim: int, index: Any) -> tuple[Any, int, Any]:
    """Checked arguments of gather and scatter; single elements as vectors of one.

    `index` has as many dimensions as `input`, and is nowhere larger but along `dim`.
    """
    shape, wanted = shape_of(input, who), shape_of(index, who)
    at = dim_of(who, dim, len(shape))
    shape, wanted = shape or (1,), wanted or (1,)
    empty = 0 in wanted
    if len(shape) != len(wanted) and not empty:
        raise ValueError(
            f"{who}: index {wanted} must have as many dimensions as the tensor, {shape}"
        )
    if not empty and any(
        m > n for i, (m, n) in enumerate(zip(wanted, shape, strict=True)) if i != at
    ):
        raise ValueError(f"{who}: index {wanted} is larger than {shape} outside dim {at}")
    index = integers(who, index, shape[at], shape)
    return _one_dimension(input), at, _one_dimension(index)


def picked(x: Any, indices: Any, *, dim: int) -> Any:
    """As `_gather`, for indices that may be smaller than x in the other dimensions."""
    for i, n in enumerate(indices.shape):
        if i != dim and x.shape[i] != n:
            x = _narrow(x, dim=i, start=0, stop=n)
    return _gather(x, indices, dim=dim)


@with_axis
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """Pick elements along `dim`: ``y[i][j] = input[index[i][j]][j]`` for dim 0 of a matrix.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : integer Tensor
        With as many dimensions as `input`; nowhere larger, except along `dim`. The result has
        its shape.
    sparse_grad : bool
        Accepted; gradients are dense.

    Raises
    ------
    IndexError
        If an index is out of range; negative ones are.
    ValueError
        If the shapes do not fit.
    TypeError
        If `index` is not of integers.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.gather(x, 1, autograd.tensor([[0, 0], [1, 0]]))
    tensor([[1., 1.],
            [4., 3.]])
    """
    wanted = shape_of(index, "gather")
    if 0 in wanted:
        at = dim_of("gather", dim, len(shape_of(input, "gather")))
        integers("gather", index, 0, wanted)
        nothing = _narrow(line(input), dim=0, start=0, stop=0)
        return _reshape(nothing, shape=wanted)
    x, at, indices = along("gather", input, dim, index)
    y = picked(x, indices, dim=at)
    return y if y.shape == wanted else _reshape(y, shape=wanted)


def slices(who: str, input: Any, dim: int, index: Any, *, negative: bool) -> tuple[Any, ...]:
    """Checked index of whole slices along `dim`, as indexing has it."""
    shape = shape_of(input, who)
    at = dim_of(who, dim, len(shape))
    if len(shape_of(index, who)) > 1:
        raise IndexError(f"{who}: the index must be 1-d, met shape {shape_of(index, who)}")
    index = integers(who, index, shape[at] if shape else 1, shape, negative=negative)
    (line,) = canonical(np.atleast_1d(raw(who, index, "the indices")))
    return (slice(None),) * at + (line,)


@with_axis
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that a 1-d `index` names, as often as it names them.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.index_select(x, 0, autograd.tensor([1, 1]))
    tensor([[3., 4.],
            [3., 4.]])
    """
    where = slices("index_select", input, dim, index, negative=False)
    if not input.shape:
        return _reshape(_index(_reshape(input, shape=(1,)), index=where), shape=())
    return _index(input, index=where)


def take(input: Any, index: Any) -> Any:
    """Elements by their number in row-major order, in the shape of `index`.

    Examples
    --------
    >>> import autograd
    >>> autograd.take(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([0, -1]))
    tensor([1., 4.])
    """
    shape = shape_of(input, "take")
    flat = line(input)
    index = integers("take", index, flat.shape[0], shape, negative=True)
    return _index(flat, index=(raw("take", index, "the indices"),))


def mask_of(who: str, mask: Any) -> Any:
    """A mask, checked to be of bools."""
    dtype = getattr(mask, "dtype", None)
    if dtype != np.bool_:
        raise TypeError(
            f"{who}: the mask must be a bool tensor, not {dtype or type(mask).__name__}"
        )
    return mask


def masked_select(input: Any, mask: Any) -> Any:
    """Elements where `mask` is true, in one dimension; the two broadcast together.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, -2.0, 3.0])
    >>> autograd.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    chosen = raw("masked_select", mask_of("masked_select", mask), "the elements of a mask")
    try:
        shape = np.broadcast_shapes(shape_of(input, "masked_select"), chosen.shape)
    except ValueError:
        raise ValueError(
            f"masked_select: shapes {input.shape} and {chosen.shape} do not broadcast together"
        ) from None
    if input.shape != shape:
        input = expand(input, shape)
    return _index(input, index=(np.broadcast_to(chosen, shape),))


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Where elements are not zero (or true): an index in each row of an integer matrix.

    Parameters
    ----------
    input : Tensor
    as_tuple : bool
        One tensor of indices for each dimension instead, fit for indexing.

    Examples
    --------
    >>> import autograd
    >>> autograd.nonzero(autograd.tensor([0, 3, 0, 5]))
    tensor([[1],
            [3]])
    >>> autograd.nonzero(autograd.tensor([0, 3, 0, 5]), as_tuple=True)
    (tensor([1, 3]),)
    """
    value = raw("nonzero", input, "the places of elements that are not zero")
    if as_tuple:
        result: Any = tuple(wrap(i) for i in np.nonzero(np.atleast_1d(value)))
    else:
        result = wrap(np.argwhere(value))
    if isinstance(input, Variable):
        for watcher in WATCHERS:
            for part in result if as_tuple else (result,):
                watcher.left("nonzero", input, part)
    return result


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Take `input` where `condition` is true, else `other`; all three broadcast together.

    Of the condition alone, the indices of its true elements (see `nonzero`).

    The side that was not taken gets a gradient of exactly 0, but what it was computed from may
    still turn 0 into NaN (``where(x > 0, log(x), 0)`` at 0): make the input of the branch safe,
    not only its output.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([-1.0, 2.0])
    >>> autograd.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> autograd.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return arithmetic.where(condition, input, other)
