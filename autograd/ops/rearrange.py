"""Ops that reverse, shift and repeat elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..families import dim_of, dims_of, movement, shape_of
from ..graph import Variable, wrap
from .gathering import index_select
from .reduce import sum as sum_of
from .shape import _reshape, line, sizes, transpose, with_axis


@movement(lambda g, y, x, dims: _flip(g, dims=dims), formula=("flip(x)", "flip(g)"))  # pyright: ignore[reportGeneralTypeIssues]
def _flip(x, /, *, dims):
    return np.flip(x, dims).copy()


_flip.op.samples = lambda draw: [((draw((2, 3, 4)),), {"dims": (0, 2)})]


def flip(input: Any, *order: Any, dims: Any = None) -> Any:
    """Reverse the order of elements along `dims`; a copy.

    Examples
    --------
    >>> import autograd
    >>> autograd.flip(autograd.arange(3), (0,))
    tensor([2, 1, 0])
    """
    chosen = sizes("flip", order, (dims,) if isinstance(dims, int) else dims)
    ndim = len(shape_of(input, "flip"))
    return _flip(input, dims=dims_of("flip", chosen, ndim) if chosen else ())


def fliplr(input: Any) -> Any:
    """Reverse the second dimension (left to right of a matrix).

    Examples
    --------
    >>> import autograd
    >>> autograd.fliplr(autograd.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    shape = shape_of(input, "fliplr")
    if len(shape) < 2:
        raise ValueError(f"fliplr: expected at least two dimensions, met shape {shape}")
    return _flip(input, dims=(1,))


def flipud(input: Any) -> Any:
    """Reverse the first dimension (upside down).

    Examples
    --------
    >>> import autograd
    >>> autograd.flipud(autograd.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if not shape_of(input, "flipud"):
        raise ValueError("flipud: expected at least one dimension, met a 0-d tensor")
    return _flip(input, dims=(0,))


@movement(
    lambda g, y, x, shifts, dims: _roll(g, shifts=tuple(-s for s in shifts), dims=dims),  # pyright: ignore[reportGeneralTypeIssues]
    formula=("roll(x)", "roll(g)"),
)
def _roll(x, /, *, shifts, dims):
    return np.roll(x, shifts, dims)


_roll.op.samples = lambda draw: [((draw((3, 4)),), {"shifts": (1, -2), "dims": (0, 1)})]


def roll(input: Any, shifts: Any, dims: Any = ()) -> Any:
    """Shift elements along `dims`; those pushed out at one end come back at the other.

    Parameters
    ----------
    input : Tensor
    shifts : int or sequence of int
    dims : int or sequence of int, optional
        One for each shift. Without them the tensor is rolled as if it were flat.

    Examples
    --------
    >>> import autograd
    >>> autograd.roll(autograd.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    shape = shape_of(input, "roll")
    by = sizes("roll", (shifts,))
    along = () if dims is None else sizes("roll", (dims,))
    if not along:
        if len(by) != 1:
            raise ValueError(f"roll: without dims expected one shift, met {by}")
        flat = _roll(line(input), shifts=by, dims=(0,))
        return _reshape(flat, shape=shape)
    if len(by) != len(along):
        raise ValueError(f"roll: shifts {by} and dims {along} must be of one length")
    return _roll(input, shifts=by, dims=tuple(dim_of("roll", d, len(shape)) for d in along))


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Rotate by `k` right angles in the plane of two dimensions, from the first to the second.

    Examples
    --------
    >>> import autograd
    >>> autograd.rot90(autograd.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    shape = shape_of(input, "rot90")
    given = sizes("rot90", (tuple(dims),))
    if len(given) != 2 or len(shape) < 2:
        raise ValueError(f"rot90: expected two dims of at least two, met dims {given} of {shape}")
    a, b = (dim_of("rot90", d, len(shape)) for d in given)
    if a == b:
        raise ValueError(f"rot90: dims {given} are one and the same")
    turns = k % 4
    if turns == 1:
        return transpose(_flip(input, dims=(b,)), a, b)
    if turns == 2:
        return _flip(input, dims=(a, b))
    if turns == 3:
        return transpose(_flip(input, dims=(a,)), a, b)
    return _flip(input, dims=())


def _together(g: Any, shape: Any, apart: Any, dims: tuple[int, ...]) -> Any:
    """Sum a gradient over copies: `apart` has a dimension for them, `dims`, before each other."""
    return _reshape(sum_of(_reshape(g, shape=apart), dims), shape=shape)


@movement(
    lambda g, y, x, times: _together(
        g,
        x.shape,
        tuple(
            size
            for t, n in zip(times, (1,) * (len(times) - len(x.shape)) + x.shape, strict=True)
            for size in (t, n)
        ),
        tuple(range(0, 2 * len(times), 2)),
    ),
    formula=("repeat(x)", "sum(g)"),
)
def _repeat(x, /, *, times):
    return np.tile(x, times)


@movement(
    lambda g, y, x, times, dim: _together(
        g, x.shape, (*x.shape[: dim + 1], times, *x.shape[dim + 1 :]), (dim + 1,)
    ),
    formula=("repeat(x)", "sum(g)"),
)
def _repeat_each(x, /, *, times, dim):
    return np.repeat(x, times, dim)


_repeat.op.samples = lambda draw: [((draw((2, 3)),), {"times": (3, 1, 2)})]
_repeat_each.op.samples = lambda draw: [((draw((2, 3)),), {"times": 2, "dim": 0})]


def repeat(input: Any, *times: Any, repeats: Any = None) -> Any:
    """Lay copies of the whole tensor side by side, so many `times` in each dimension.

    More repeats than dimensions add dimensions in front.

    Examples
    --------
    >>> import autograd
    >>> autograd.arange(2).repeat(2, 2)
    tensor([[0, 1, 0, 1],
            [0, 1, 0, 1]])
    """
    shape = shape_of(input, "repeat")
    times = sizes("repeat", times, repeats)
    if len(times) < len(shape) or min(times, default=0) < 0:
        raise ValueError(
            f"repeat: expected at least {len(shape)} repeats, none negative, for shape {shape}, "
            f"met {times}"
        )
    return _repeat(input, times=times)


def tile(input: Any, *times: Any, dims: Any = None) -> Any:
    """Lay copies side by side as `repeat` does; missing counts are ones in front.

    Examples
    --------
    >>> import autograd
    >>> autograd.tile(autograd.tensor([[1], [2]]), (2,))
    tensor([[1, 1],
            [2, 2]])
    """
    times = sizes("tile", times, dims)
    missing = len(shape_of(input, "tile")) - len(times)
    return repeat(input, (1,) * missing + times)


@with_axis
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Repeat each element (or slice along `dim`) in its place.

    Parameters
    ----------
    input : Tensor
        Alone, it is itself the counts: the result names index i as often as ``input[i]`` says.
    repeats : int or integer Tensor
        How often: one count for all, or one for each.
    dim : int, optional
        Without it the tensor is flattened first.
    output_size : int, optional
        The size of the result along `dim`, if it is known; it is checked.

    Examples
    --------
    >>> import autograd
    >>> autograd.repeat_interleave(autograd.tensor([1, 2]), autograd.tensor([2, 1]))
    tensor([1, 1, 2])
    """
    who = "repeat_interleave"
    if repeats is None:
        counts = _counts(who, input)
        _check_output_size(who, int(counts.sum()), output_size)
        return wrap(np.repeat(np.arange(counts.size), counts))
    shape = shape_of(input, who)
    if dim is None:
        input = line(input)
        shape, at = shape_of(input, who), 0
    else:
        at = dim_of(who, dim, len(shape))
        if not shape:
            input, shape = _reshape(input, shape=(1,)), (1,)
    if isinstance(repeats, int) or not shape_of(repeats, who):
        times = int(repeats)
        if times < 0:
            raise ValueError(f"{who}: repeats must not be negative, met {times}")
        _check_output_size(who, times * shape[at], output_size)
        return _repeat_each(input, times=times, dim=at)
    counts = _counts(who, repeats)
    if counts.size == 1:
        return repeat_interleave(input, int(counts[0]), at, output_size=output_size)
    if counts.size != shape[at]:
        raise ValueError(
            f"{who}: repeats of shape {counts.shape} must be one count for each of {shape[at]} "
            f"slices of shape {shape} along dim {at}"
        )
    _check_output_size(who, int(counts.sum()), output_size)
    return index_select(input, at, np.repeat(np.arange(counts.size), counts))


def _counts(who: str, repeats: Any) -> np.ndarray:
    counts = np.asarray(repeats.value if isinstance(repeats, Variable) else repeats)
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise ValueError(
            f"{who}: repeats must be 1-d integers, not {counts.dtype} of shape {counts.shape}"
        )
    if counts.size and counts.min() < 0:
        raise ValueError(f"{who}: repeats must not be negative, met {int(counts.min())}")
    return counts


def _check_output_size(who: str, found: int, stated: int | None) -> None:
    if stated is not None and stated != found:
        raise ValueError(f"{who}: output_size is {stated}, but the repeats make {found}")
