"""Joining tensors side by side, and splitting them again."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..families import dim_of, shape_of
from ..graph import Variable
from .shape import _expand, _narrow, _reshape, cat, sizes, with_axis
from .views import atleast_1d, atleast_2d, atleast_3d, select


def _some(who: str, tensors: Sequence[Any]) -> tuple[Any, ...]:
    if isinstance(tensors, Variable | np.ndarray) or not tensors:
        raise ValueError(f"{who}: expected a sequence of at least one tensor")
    return tuple(tensors)


def hstack(tensors: Sequence[Any]) -> Any:
    """Join along the second dimension; 1-d tensors along their only one.

    Examples
    --------
    >>> import autograd
    >>> autograd.hstack([autograd.tensor([1, 2]), autograd.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = atleast_1d(_some("hstack", tensors))
    return cat(parts, 0 if len(shape_of(parts[0], "hstack")) == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Join along the first dimension; 1-d tensors as rows.

    Examples
    --------
    >>> import autograd
    >>> autograd.vstack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(atleast_2d(_some("vstack", tensors)), 0)


def row_stack(tensors: Sequence[Any]) -> Any:
    """Join along the first dimension; another name of `vstack`.

    Examples
    --------
    >>> import autograd
    >>> autograd.row_stack([autograd.tensor([1, 2]), autograd.tensor([3, 4])]).shape
    (2, 2)
    """
    return cat(atleast_2d(_some("row_stack", tensors)), 0)


def concat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join along an existing dimension; another name of `cat`.

    Examples
    --------
    >>> import autograd
    >>> autograd.concat([autograd.tensor([1, 2]), autograd.tensor([3])])
    tensor([1, 2, 3])
    """
    return cat(tensors, dim, axis=axis)


def concatenate(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join along an existing dimension; another name of `cat`.

    Examples
    --------
    >>> import autograd
    >>> autograd.concatenate([autograd.zeros(2, 1), autograd.ones(2, 1)], axis=1)
    tensor([[0., 1.],
            [0., 1.]])
    """
    return cat(tensors, dim, axis=axis)


def dstack(tensors: Sequence[Any]) -> Any:
    """Join along the third dimension, which is made where it is missing.

    Examples
    --------
    >>> import autograd
    >>> autograd.dstack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat(atleast_3d(_some("dstack", tensors)), 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Join along the second dimension; 0-d and 1-d tensors as columns.

    Examples
    --------
    >>> import autograd
    >>> autograd.column_stack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return cat(
        [
            _reshape(t, shape=(-1, 1)) if len(shape_of(t, "column_stack")) < 2 else t
            for t in _some("column_stack", tensors)
        ],
        1,
    )


# --- Splitting --------------------------------------------------------------------------------


def _pieces(input: Any, at: int, bounds: Sequence[int]) -> tuple[Any, ...]:
    return tuple(
        _narrow(input, dim=at, start=a, stop=max(a, b)) for a, b in itertools.pairwise(bounds)
    )


@with_axis
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into pieces, each a view.

    Parameters
    ----------
    tensor : Tensor
    split_size_or_sections : int or sequence of int
        The size of all pieces (the last may be smaller), or the size of each.
    dim : int

    Raises
    ------
    ValueError
        If the sizes do not add up.

    Examples
    --------
    >>> import autograd
    >>> autograd.split(autograd.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    shape = shape_of(tensor, "split")
    if not shape:
        raise ValueError("split: a 0-d tensor has no dimension to split")
    at = dim_of("split", dim, len(shape))
    n = shape[at]
    if isinstance(split_size_or_sections, list | tuple):
        parts = sizes("split", (split_size_or_sections,))
        if sum(parts) != n or min(parts, default=0) < 0:
            raise ValueError(f"split: sizes {parts} do not make up {n}, dim {at} of shape {shape}")
        return _pieces(tensor, at, [0, *itertools.accumulate(parts)])
    size = operator.index(split_size_or_sections)
    if size < 0 or (size == 0 and n):
        raise ValueError(f"split: pieces of size {size} do not make up {n}")
    if n == 0:
        return _pieces(tensor, at, [0, 0])
    return _pieces(tensor, at, [*range(0, n, size), n])


@with_axis
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into at most `chunks` pieces of one size (the last may be smaller).

    Examples
    --------
    >>> import autograd
    >>> autograd.chunk(autograd.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    shape = shape_of(input, "chunk")
    if not shape:
        raise ValueError("chunk: a 0-d tensor has no dimension to split")
    if chunks < 1:
        raise ValueError(f"chunk: expected at least one chunk, met {chunks}")
    at = dim_of("chunk", dim, len(shape))
    if shape[at] == 0:
        return _pieces(input, at, [0] * (chunks + 1))
    return split(input, -(-shape[at] // chunks), at)


@with_axis
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into a number of nearly equal pieces, or at the given places.

    Examples
    --------
    >>> import autograd
    >>> autograd.tensor_split(autograd.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> autograd.tensor_split(autograd.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    who = "tensor_split"
    shape = shape_of(input, who)
    if not shape:
        raise ValueError(f"{who}: a 0-d tensor has no dimension to split")
    at = dim_of(who, dim, len(shape))
    n = shape[at]
    if isinstance(indices_or_sections, Variable | np.ndarray):
        indices_or_sections = np.asarray(getattr(indices_or_sections, "value", indices_or_sections))
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, list | tuple):
        places = [slice(None, i).indices(n)[1] for i in sizes(who, (indices_or_sections,))]
        return _pieces(input, at, [0, *places, n])
    sections = operator.index(indices_or_sections)
    if sections < 1:
        raise ValueError(f"{who}: expected at least one section, met {sections}")
    size, larger = divmod(n, sections)
    return _pieces(input, at, [i * size + min(i, larger) for i in range(sections + 1)])


def _even_split(who: str, input: Any, given: Any, dim: int, least: int) -> tuple[Any, ...]:
    shape = shape_of(input, who)
    if len(shape) < least:
        raise ValueError(f"{who}: expected at least {least} dimensions, met shape {shape}")
    if isinstance(given, int) and (given < 1 or shape[dim] % given):
        raise ValueError(f"{who}: dim {dim} of shape {shape} does not split evenly into {given}")
    return tensor_split(input, given, dim)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the second dimension (the only one of a vector): evenly, or at given places.

    Examples
    --------
    >>> import autograd
    >>> autograd.hsplit(autograd.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    dim = 0 if len(shape_of(input, "hsplit")) == 1 else 1
    return _even_split("hsplit", input, indices_or_sections, dim, 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the first dimension of at least two: evenly, or at given places.

    Examples
    --------
    >>> import autograd
    >>> [piece.shape for piece in autograd.vsplit(autograd.zeros(4, 3), 2)]
    [(2, 3), (2, 3)]
    """
    return _even_split("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the third dimension: evenly, or at given places.

    Examples
    --------
    >>> import autograd
    >>> [piece.shape for piece in autograd.dsplit(autograd.zeros(2, 3, 4), 2)]
    [(2, 3, 2), (2, 3, 2)]
    """
    return _even_split("dsplit", input, indices_or_sections, 2, 3)


@with_axis
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All slices along `dim`, without that dimension; views.

    Examples
    --------
    >>> import autograd
    >>> autograd.unbind(autograd.tensor([[1, 2], [3, 4]]), 1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    shape = shape_of(input, "unbind")
    if not shape:
        raise IndexError("unbind: a 0-d tensor has no dimension to take apart")
    at = dim_of("unbind", dim, len(shape))
    return tuple(select(input, at, i) for i in range(shape[at]))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Grids of coordinates: each 1-d tensor repeated over the dimensions of all others.

    Parameters
    ----------
    *tensors : 1-d or 0-d Tensors, or one sequence of them
    indexing : {"ij", "xy"}
        "ij": the first tensor varies along the first dimension; "xy": along the second.

    Examples
    --------
    >>> import autograd
    >>> rows, columns = autograd.meshgrid(autograd.arange(2), autograd.arange(3), indexing="ij")
    >>> columns
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r}")
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    shapes = [shape_of(t, "meshgrid") for t in tensors]
    if not tensors or max(map(len, shapes)) > 1:
        raise ValueError(f"meshgrid: expected 1-d tensors, met shapes {shapes}")
    if len({getattr(t, "dtype", None) for t in tensors}) > 1:
        raise TypeError(f"meshgrid: expected one dtype, met {[t.dtype for t in tensors]}")
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    lengths = [shape[0] if shape else 1 for shape in shapes]
    whole = tuple(lengths[i] for i in order)
    grids = []
    for i, t in enumerate(tensors):
        line = tuple(n if k == i else 1 for k, n in zip(order, whole, strict=True))
        grids.append(_expand(_reshape(t, shape=line), shape=whole))
    return tuple(grids)
