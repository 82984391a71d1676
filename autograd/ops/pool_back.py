"""Undoing max pooling: values put back where the maxima stood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Abstract, Spec, Variable
from .conv_arguments import Sizes, ints
from .index import _gather
from .shape import _reshape


@structured(
    lambda g, y, x, indices, size: _gather(g, indices, dim=len(x.shape) - 1),
    None,
    saves=("indices", ""),
    infer=lambda x, indices, *, size: Spec((*x.shape[:-1], size), x.dtype),
    formula=("scatter(x, indices)", "gather(g, indices)", None),
)
def _unpool(x, indices, /, *, size):
    """Zeros, with x at `indices` along the last dimension; of equal indices the last one counts."""
    y = np.zeros((*x.shape[:-1], size), x.dtype)
    np.put_along_axis(y, indices, x, -1)
    return y


_unpool.op.samples = lambda draw: [((draw((2, 3)), np.array([[0, 4, 2], [3, 1, 0]])), {"size": 5})]


def _full_size(
    who: str, x: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, wanted: Sequence[int] | None
) -> Sizes:
    """The size that was pooled; several are possible, and `wanted` says which one it was."""
    usual = tuple(
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(x, kernel, stride, padding, strict=True)
    )
    if wanted is None:
        return usual
    size = tuple(n.__index__() for n in wanted)
    size = size[2:] if len(size) == len(usual) + 2 else size
    if len(size) != len(usual) or any(
        not u - s < n < u + s for n, u, s in zip(size, usual, stride, strict=True)
    ):
        raise ValueError(
            f"{who}: output_size {tuple(wanted)} must have {len(usual)} sizes (or those of the "
            f"whole result), each less than the stride {stride} away from {usual}"
        )
    return size


def _max_unpool(
    who: str,
    count: int,
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Sequence[int] | None,
) -> Any:
    shape = shape_of(input, who)
    if len(shape) not in (count + 1, count + 2) or shape_of(indices, who) != shape:
        raise ValueError(
            f"{who}: expected input with {count + 1} or {count + 2} dimensions and indices of its "
            f"shape, met {shape} and {shape_of(indices, who)}"
        )
    raw = indices.value if isinstance(indices, Variable) else indices
    if raw.dtype != np.int64:
        raise TypeError(f"{who}: indices must be of int64, not {raw.dtype}")
    kernel = ints(who, "kernel_size", kernel_size, count, 1)
    step = kernel if stride is None else ints(who, "stride", stride, count, 1)
    around = ints(who, "padding", padding, count, 0)
    size = _full_size(who, shape[-count:], kernel, step, around, output_size)
    area = math.prod(size)
    if min(size) < 1:
        raise ValueError(f"{who}: nothing is left of {shape}: its size would be {size}")
    if not isinstance(raw, Abstract) and raw.size and not 0 <= raw.min() <= raw.max() < area:
        raise ValueError(
            f"{who}: an index from {raw.min()} to {raw.max()} does not lie in a result of {size}, "
            f"which has {area} places"
        )
    lead, inner = shape[:-count], math.prod(shape[-count:])
    y = _unpool(
        _reshape(input, shape=(*lead, inner)), _reshape(indices, shape=(*lead, inner)), size=area
    )
    return _reshape(y, shape=(*lead, *size))


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Put the results of `max_pool1d` back where they stood; see `max_unpool2d`.

    Examples
    --------
    >>> import autograd
    >>> y, places = autograd.max_pool1d(
    ...     autograd.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, return_indices=True
    ... )
    >>> autograd.max_unpool1d(y, places, 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Put the results of `max_pool2d` back where they stood, among zeros.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    indices : int64 Tensor, of the same shape
        What ``max_pool2d(..., return_indices=True)`` gave.
    kernel_size, stride, padding : int or pair of int
        As for the pool.
    output_size : sequence of int, optional
        The size that was pooled, where several give the same; all of it, or height and width.

    Raises
    ------
    ValueError
        If shapes or the size do not fit, or an index lies outside.
    TypeError
        If indices are not of int64.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.arange(4.0).reshape(1, 2, 2)
    >>> y, places = autograd.max_pool2d(x, 2, return_indices=True)
    >>> autograd.max_unpool2d(y, places, 2)
    tensor([[[0., 0.],
             [0., 3.]]])
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Put the results of `max_pool3d` back where they stood; see `max_unpool2d`.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.arange(8.0).reshape(1, 2, 2, 2)
    >>> y, places = autograd.max_pool3d(x, 2, return_indices=True)
    >>> autograd.max_unpool3d(y, places, 2).sum()
    tensor(7.)
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
