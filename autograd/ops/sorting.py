"""Sorting, and what is chosen by rank. Gradients flow to the elements chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..families import dim_of, shape_of, structured
from ..graph import Spec
from .index import take_along_dim
from .shape import reshape, squeeze


class Selected(NamedTuple):
    """Elements of a tensor, and where they stood."""

    values: Any
    indices: Any


class Sort(Selected):
    """What `sort` returns."""

    __slots__ = ()


class TopK(Selected):
    """What `topk` returns."""

    __slots__ = ()


class KthValue(Selected):
    """What `kthvalue` returns."""

    __slots__ = ()


def first_equal(lines: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where in each line of the last dimension its wanted value (or NaN) is found first."""
    found = lines == wanted
    if lines.dtype.kind == "f":
        found |= np.isnan(lines) & np.isnan(wanted)
    return np.argmax(found, axis=-1, keepdims=True)


def ranked(lines: np.ndarray, descending: bool) -> np.ndarray:
    """Indices that sort the last dimension; equal elements keep their order, NaN is largest."""
    if not descending:
        return np.argsort(lines, axis=-1, kind="stable")
    order = np.argsort(lines[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return lines.shape[-1] - 1 - order


def _line(who: str, input: Any, dim: Any) -> tuple[Any, int, bool]:
    """`input` with at least one dimension, which of them is meant, and whether it had none."""
    shape = shape_of(input, who)
    at = dim_of(who, dim, len(shape))
    return (input, at, False) if shape else (reshape(input, 1), at, True)


@structured(
    None,
    infer=lambda x, *, dim, descending: Spec(x.shape, np.int64),
    formula=("argsort(x)", None),
)
def _argsort(x, /, *, dim, descending):
    return np.moveaxis(ranked(np.moveaxis(x, dim, -1), descending), -1, dim)


_argsort.op.samples = lambda draw: [
    ((draw((2, 3)),), {"dim": 1, "descending": False}),
    ((draw((4, 3)),), {"dim": 0, "descending": True}),
]


def sort(
    input: Any,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    axis: int | None = None,
) -> Sort:
    """Sort along `dim`: ``(values, indices)``. NaN counts as larger than any number.

    Parameters
    ----------
    input : Tensor
    dim : int
        Default: the last.
    descending : bool
        The largest first.
    stable : bool
        Accepted as in PyTorch: equal elements keep their order in any case.

    Examples
    --------
    >>> import autograd
    >>> autograd.sort(autograd.tensor([3.0, 1.0, 2.0]), descending=True)
    Sort(values=tensor([3., 2., 1.]), indices=tensor([0, 2, 1]))
    """
    line, at, single = _line("sort", input, dim if axis is None else axis)
    indices = _argsort(line, dim=at, descending=bool(descending))
    values = take_along_dim(line, indices, at)
    return Sort(squeeze(values, 0), squeeze(indices, 0)) if single else Sort(values, indices)


def argsort(
    input: Any,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    axis: int | None = None,
) -> Any:
    """Indices that sort along `dim`; equal elements keep their order (see `sort`).

    Examples
    --------
    >>> import autograd
    >>> autograd.argsort(autograd.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    line, at, single = _line("argsort", input, dim if axis is None else axis)
    indices = _argsort(line, dim=at, descending=bool(descending))
    return squeeze(indices, 0) if single else indices


def msort(input: Any) -> Any:
    """Values sorted along the first dimension.

    Examples
    --------
    >>> import autograd
    >>> autograd.msort(autograd.tensor([[3.0, 1.0], [2.0, 4.0]]))
    tensor([[2., 1.],
            [3., 4.]])
    """
    return sort(input, 0).values


def _top_infer(x, *, dim, k, largest, ordered):
    return Spec((*x.shape[:dim], k, *x.shape[dim + 1 :]), np.int64)


@structured(None, infer=_top_infer, formula=("argtopk(x, k)", None))
def _topk(x, /, *, dim, k, largest, ordered):
    lines = np.moveaxis(x, dim, -1)
    n = lines.shape[-1]
    if 0 < k < n and lines.size and not (lines.dtype.kind == "f" and np.isnan(lines).any()):
        # Whatever is beyond the last one taken, and as many of its equals as there is room for.
        at = n - k if largest else k - 1
        last = np.partition(lines, at, axis=-1)[..., at, None]
        beyond = lines > last if largest else lines < last
        equal = lines == last
        room = k - beyond.sum(-1, keepdims=True)
        taken = beyond | (equal & (np.cumsum(equal, axis=-1) <= room))
        indices = np.nonzero(taken)[-1].reshape((*lines.shape[:-1], k))
        if ordered:
            order = ranked(np.take_along_axis(lines, indices, -1), largest)
            indices = np.take_along_axis(indices, order, -1)
    else:
        indices = ranked(lines, largest)[..., :k]
    return np.moveaxis(indices, -1, dim)


_topk.op.samples = lambda draw: [
    ((draw((2, 5)),), {"dim": 1, "k": 2, "largest": True, "ordered": True}),
    ((draw((4, 3)),), {"dim": 0, "k": 3, "largest": False, "ordered": False}),
]


def topk(
    input: Any,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    axis: int | None = None,
) -> TopK:
    """The `k` largest (or smallest) elements along `dim`: ``(values, indices)``.

    Of equal elements the first are taken. NaN counts as larger than any number.

    Parameters
    ----------
    input : Tensor
    k : int
    dim : int
    largest : bool
        False: the smallest.
    sorted : bool
        In order of size.

    Raises
    ------
    ValueError
        If there are not `k` elements.

    Examples
    --------
    >>> import autograd
    >>> autograd.topk(autograd.tensor([1.0, 4.0, 2.0, 3.0]), 2)
    TopK(values=tensor([4., 3.]), indices=tensor([1, 3]))
    """
    line, at, single = _line("topk", input, dim if axis is None else axis)
    k = _whole("topk", k)
    if not 0 <= k <= line.shape[at]:
        raise ValueError(f"topk: k={k} of {line.shape[at]} elements (shape {line.shape}, dim {at})")
    indices = _topk(line, dim=at, k=k, largest=bool(largest), ordered=bool(sorted))
    values = take_along_dim(line, indices, at)
    if single and k:
        return TopK(squeeze(values, 0), squeeze(indices, 0))
    return TopK(values, indices)


def _whole(who: str, k: Any) -> int:
    try:
        return k.__index__()
    except AttributeError:
        raise TypeError(f"{who}: k must be an int, not {type(k).__name__}") from None


@structured(
    None,
    infer=lambda x, *, dim, k: Spec((*x.shape[:dim], 1, *x.shape[dim + 1 :]), np.int64),
    formula=("argkth(x, k)", None),
)
def _kth(x, /, *, dim, k):
    """Where along `dim` the k-th smallest value (from 1) is found first."""
    lines = np.moveaxis(x, dim, -1)
    wanted = np.partition(lines, k - 1, axis=-1)[..., k - 1, None]
    return np.moveaxis(first_equal(lines, wanted), -1, dim)


_kth.op.samples = lambda draw: [((draw((2, 4)),), {"dim": 1, "k": 3})]


def kthvalue(
    input: Any,
    k: int,
    dim: int = -1,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> KthValue:
    """The `k`-th smallest element (from 1) along `dim`, and where it is found first.

    NaN counts as larger than any number.

    Raises
    ------
    ValueError
        If there are not `k` elements.

    Examples
    --------
    >>> import autograd
    >>> autograd.kthvalue(autograd.tensor([4.0, 1.0, 3.0]), 2)
    KthValue(values=tensor(3.), indices=tensor(2))
    """
    keepdim = keepdim if keepdims is None else keepdims
    line, at, single = _line("kthvalue", input, dim if axis is None else axis)
    k = _whole("kthvalue", k)
    if not 1 <= k <= line.shape[at]:
        raise ValueError(
            f"kthvalue: k={k} of {line.shape[at]} elements (shape {line.shape}, dim {at}); the "
            "first is 1"
        )
    indices = _kth(line, dim=at, k=k)
    values = take_along_dim(line, indices, at)
    if keepdim and not single:
        return KthValue(values, indices)
    return KthValue(squeeze(values, at), squeeze(indices, at))
