"""Rows of a table, one by one or summed up in bags."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Function as _Function
from autograd import Tensor
from autograd import embedding as _embedding
from autograd import gather as _gather
from autograd import no_grad as _no_grad
from autograd import zeros as _zeros
from autograd.families import shape_of as _shape_of
from autograd.graph import Variable as _Variable

MODES = ("sum", "mean", "max")
# PyTorch adds it to a norm before it divides by it.
RENORM_EPS = 1e-7


class _ByFrequency(_Function):
    """Its input; the gradient is divided by how often each row was looked up."""

    @staticmethod
    def forward(ctx: Any, rows: Any, scale: Any) -> Any:
        ctx.scale = scale
        return rows * 1.0

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.scale, None


def _numbers(who: str, name: str, value: Any) -> np.ndarray:
    """Integers as an array of int64."""
    array = np.asarray(value.value if isinstance(value, _Variable) else value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{who}: {name} must be of integers, not {array.dtype}")
    return array.astype(np.int64, copy=False)


def _limit(who: str, weight: Any, numbers: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to a norm, in place."""
    table = weight.value if isinstance(weight, _Variable) else weight
    used = np.unique(numbers)
    if len(used) and not 0 <= used[0] <= used[-1] < len(table):
        raise IndexError(f"{who}: a number from {used[0]} to {used[-1]} is no row of {len(table)}")
    norms = np.linalg.norm(table[used], norm_type, axis=1)
    long = norms > max_norm
    scale = (max_norm / (norms[long] + RENORM_EPS)).astype(table.dtype)
    if isinstance(weight, Tensor):
        with _no_grad():
            weight[used[long]] = table[used[long]] * scale[:, None]
    else:
        table[used[long]] *= scale[:, None]


def _rows(
    who: str,
    input: Any,
    weight: Any,
    padding_idx: int | None,
    max_norm: float | None,
    norm_type: float,
    scale_grad_by_freq: bool,
) -> Any:
    if max_norm is not None:
        if len(_shape_of(weight, who)) != 2:
            raise ValueError(f"{who}: expected weight (rows, width), met {_shape_of(weight, who)}")
        _limit(who, weight, _numbers(who, "input", input), float(max_norm), float(norm_type))
    rows = _embedding(input, weight, padding_idx)
    if scale_grad_by_freq:
        numbers = _numbers(who, "input", input)
        _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        scale = (1.0 / counts[inverse]).astype(rows.dtype).reshape(*numbers.shape, 1)
        rows = _ByFrequency.apply(rows, scale)
    return rows


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """
    Rows of a table: ``weight[input]``.

    Parameters
    ----------
    input : integer Tensor, any shape
        Numbers of rows, from 0.
    weight : Tensor, (rows, width)
    padding_idx : int, optional
        This row gets no gradient; counted from the end if negative.
    max_norm : float, optional
        Rows looked up whose norm is larger are first scaled down to it: `weight` is changed.
    norm_type : float, default 2
        Which norm.
    scale_grad_by_freq : bool, default False
        Divide a row's gradient by how often `input` names it.
    sparse : bool
        Accepted; gradients are dense arrays here.

    Returns
    -------
    Tensor, (*input.shape, width)

    Raises
    ------
    TypeError
        If `input` is not of integers.
    ValueError
        If the table is not 2-d or `padding_idx` is not one of its rows.
    IndexError
        If a number is not that of a row.

    Examples
    --------
    >>> import autograd
    >>> table = autograd.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> embedding(autograd.tensor([1, 1, 0]), table)
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])
    """
    return _rows("embedding", input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)


def _bags(
    numbers: np.ndarray, offsets: Any, include_last_offset: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers in a line, and where each bag begins (and the last one ends)."""
    who = "embedding_bag"
    if numbers.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"{who}: the rows of an input {numbers.shape} are bags; offsets must be None"
            )
        bags, size = numbers.shape
        return numbers.reshape(-1), np.arange(bags + 1) * size
    if numbers.ndim != 1:
        raise ValueError(f"{who}: expected input (bags, size) or (numbers,), met {numbers.shape}")
    if offsets is None:
        raise ValueError(f"{who}: an input {numbers.shape} needs offsets, where each bag begins")
    starts = _numbers(who, "offsets", offsets)
    if starts.ndim != 1 or (include_last_offset and not len(starts)):
        raise ValueError(f"{who}: offsets must be of one dimension, met {starts.shape}")
    ends = starts if include_last_offset else np.append(starts, len(numbers))
    if len(ends) and (
        (len(starts) and ends[0] != 0) or (np.diff(ends) < 0).any() or ends[-1] > len(numbers)
    ):
        raise ValueError(
            f"{who}: offsets must begin with 0, not fall, and end by {len(numbers)}; met "
            f"{starts.tolist()}"
        )
    return numbers[: ends[-1]] if len(starts) else numbers[:0], ends


def _largest(weight: Any, numbers: np.ndarray, bag: np.ndarray, bags: int) -> Any:
    """The largest element of each column in each bag, and 0 in those without rows."""
    table = np.asarray(weight.value if isinstance(weight, _Variable) else weight)
    found = np.zeros((bags, table.shape[1]), np.int64)
    full, first = np.unique(bag, return_index=True)
    if len(full):
        rows = table[numbers]
        top = np.maximum.reduceat(rows, first)
        counted = np.repeat(np.arange(len(full)), np.diff(np.append(first, len(bag))))
        # The first row that holds it, or a NaN.
        at = (rows == top[counted]) | np.isnan(rows)
        places = np.where(at, np.arange(len(rows))[:, None], len(rows))
        found[full] = numbers[np.minimum.reduceat(places, first)]
    present = np.isin(np.arange(bags), full)[:, None]
    if not table.shape[0]:
        return _zeros(bags, table.shape[1], dtype=table.dtype)
    return _gather(weight, 0, found) * present.astype(table.dtype)


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """
    Sum, mean or maximum of the rows that each bag of numbers names.

    Parameters
    ----------
    input : integer Tensor, (bags, size) or (numbers,)
        Each row is a bag; or all bags in a line, with `offsets`.
    weight : Tensor, (rows, width)
    offsets : integer Tensor, (bags,), optional
        Where each bag begins in a line.
    max_norm, norm_type, scale_grad_by_freq, sparse
        As for `embedding`.
    mode : {"sum", "mean", "max"}
        An empty bag gives zeros.
    per_sample_weights : Tensor of the shape of `input`, optional
        A factor for each row, with "sum" only.
    include_last_offset : bool, default False
        The last of `offsets` is the end of the last bag.
    padding_idx : int, optional
        This row counts for nothing and gets no gradient.

    Returns
    -------
    Tensor, (bags, width)

    Raises
    ------
    TypeError
        If numbers are not integers.
    ValueError
        If shapes, offsets or the mode do not fit, or options exclude each other.
    NotImplementedError
        If there are `per_sample_weights` and the mode is not "sum".
    IndexError
        If a number is not that of a row.

    Examples
    --------
    >>> import autograd
    >>> table = autograd.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> embedding_bag(autograd.tensor([1, 1, 0]), table, autograd.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [0., 1.]])
    """
    who = "embedding_bag"
    shape = _shape_of(weight, who)
    if len(shape) != 2:
        raise ValueError(f"{who}: expected weight (rows, width), met {shape}")
    if mode not in MODES:
        raise ValueError(f"{who}: mode must be one of {MODES}, not {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ValueError(f"{who}: mode 'max' goes without scale_grad_by_freq and sparse")
    numbers = _numbers(who, "input", input)
    factors = per_sample_weights
    if factors is not None:
        if _shape_of(factors, who) != numbers.shape:
            raise ValueError(
                f"{who}: per_sample_weights {_shape_of(factors, who)} must have the shape of the "
                f"input, {numbers.shape}"
            )
        if mode != "sum":
            raise NotImplementedError(f"{who}: per_sample_weights need mode 'sum', not {mode!r}")
        factors = factors.reshape(-1)
    if padding_idx is not None:
        if not -shape[0] <= padding_idx < shape[0]:
            raise ValueError(f"{who}: padding_idx {padding_idx} is not one of {shape[0]} rows")
        padding_idx %= shape[0]
    numbers, ends = _bags(numbers, offsets, include_last_offset)
    bags = len(ends) - 1
    bag = np.repeat(np.arange(bags), np.diff(ends))
    if factors is not None:
        factors = factors[: len(numbers)]
    if padding_idx is not None:
        kept = np.flatnonzero(numbers != padding_idx)
        numbers, bag = numbers[kept], bag[kept]
        factors = None if factors is None else factors[kept]
    rows = _rows(who, numbers, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if mode == "max":
        return _largest(weight, numbers, bag, bags)
    if factors is not None:
        rows = rows * factors[:, None]
    total = _zeros(bags, shape[1], dtype=rows.dtype).index_add(0, bag, rows)
    if mode == "sum":
        return total
    counts = np.bincount(bag, minlength=bags).clip(1)
    return total / counts.astype(total.dtype)[:, None]
