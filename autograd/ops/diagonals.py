"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import dim_of, movement, shape_of
from ..graph import Spec, wrap
from .reduce import sum as sum_of
from .shape import line


@movement(
    lambda g, y, x, offset, dim1, dim2: _undiagonal(  # pyright: ignore[reportGeneralTypeIssues]
        g, shape=x.shape, offset=offset, dim1=dim1, dim2=dim2
    ),
    formula=("diagonal(x)", "diag(g)"),
)
def _diagonal(x, /, *, offset, dim1, dim2):
    y = np.diagonal(x, offset, dim1, dim2)
    y.flags.writeable = x.flags.writeable  # a view that may be written to, as a slice may
    return y


_diagonal.op.samples = lambda draw: [
    ((draw((2, 3, 4)),), {"offset": 1, "dim1": 1, "dim2": 2}),
    ((draw((3, 2, 4)),), {"offset": -1, "dim1": 2, "dim2": 0}),
]


@movement(
    lambda g, y, x, shape, offset, dim1, dim2: _diagonal(  # pyright: ignore[reportGeneralTypeIssues]
        g, offset=offset, dim1=dim1, dim2=dim2
    ),
    infer=lambda x, *, shape, offset, dim1, dim2: Spec(shape, x.dtype),
    formula=("diag(x)", "diagonal(g)"),
)
def _undiagonal(x, /, *, shape, offset, dim1, dim2):
    """The adjoint of `_diagonal`: zeros in `shape`, with x on the diagonal."""
    y = np.zeros(shape, x.dtype)
    line = np.diagonal(y, offset, dim1, dim2)
    line.flags.writeable = True
    line[...] = x
    return y


_undiagonal.op.samples = lambda draw: [
    ((draw((2, 3)),), {"shape": (2, 4, 3), "offset": -1, "dim1": 1, "dim2": 2})
]


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Diagonal of the matrices that two dimensions make, as the last dimension; a view.

    Parameters
    ----------
    input : Tensor, at least 2-d
    offset : int
        Above the main diagonal if positive, below it if negative.
    dim1, dim2 : int

    Examples
    --------
    >>> import autograd
    >>> autograd.diagonal(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    ndim = len(shape_of(input, "diagonal"))
    first, second = dim_of("diagonal", dim1, ndim), dim_of("diagonal", dim2, ndim)
    if first == second:
        raise ValueError(f"diagonal: dim1 {dim1} and dim2 {dim2} must be two dimensions")
    return _diagonal(input, offset=int(offset), dim1=first, dim2=second)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices of zeros with the last dimension of `input` on their diagonals.

    Parameters
    ----------
    input : Tensor, at least 1-d
    offset : int
        Above the main diagonal if positive, below it if negative.
    dim1, dim2 : int
        Where the two dimensions of the matrices stand in the result.

    Examples
    --------
    >>> import autograd
    >>> autograd.diag_embed(autograd.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    shape = shape_of(input, "diag_embed")
    if not shape:
        raise ValueError("diag_embed: expected at least one dimension, met a 0-d tensor")
    ndim = len(shape) + 1
    first, second = dim_of("diag_embed", dim1, ndim), dim_of("diag_embed", dim2, ndim)
    if first == second:
        raise ValueError(f"diag_embed: dim1 {dim1} and dim2 {dim2} must be two dimensions")
    if first > second:  # the matrices of the one order are the transposes of the other
        first, second, offset = second, first, -offset
    size = shape[-1] + abs(offset)
    whole = list(shape[:-1])
    whole.insert(first, size)
    whole.insert(second, size)
    return _undiagonal(input, shape=tuple(whole), offset=int(offset), dim1=first, dim2=second)


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix of zeros with all elements of `input` on its diagonal.

    Examples
    --------
    >>> import autograd
    >>> autograd.diagflat(autograd.tensor([[1.0], [2.0]]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    shape_of(input, "diagflat")
    return diag_embed(line(input), offset)


def diag(input: Any, diagonal: int = 0) -> Any:
    """Diagonal of a matrix; or, of a vector, the matrix that has it on its diagonal.

    Examples
    --------
    >>> import autograd
    >>> autograd.diag(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([2.])
    """
    shape = shape_of(input, "diag")
    if len(shape) == 1:
        return diag_embed(input, diagonal)
    if len(shape) != 2:
        raise ValueError(f"diag: expected a vector or a matrix, met shape {shape}")
    return _diagonal(input, offset=int(diagonal), dim1=0, dim2=1)


def trace(input: Any) -> Any:
    """Sum of the diagonal of a matrix.

    Examples
    --------
    >>> import autograd
    >>> autograd.tensor([[1.0, 2.0], [3.0, 4.0]]).trace()
    tensor(5.)
    """
    shape = shape_of(input, "trace")
    if len(shape) != 2:
        raise ValueError(f"trace: expected a matrix, met shape {shape}")
    return sum_of(_diagonal(input, offset=0, dim1=0, dim2=1))


# --- Triangles --------------------------------------------------------------------------------


@movement(
    lambda g, y, x, diagonal: _tril(g, diagonal=diagonal),  # pyright: ignore[reportGeneralTypeIssues]
    formula=("tril(x)", "tril(g)"),
)
def _tril(x, /, *, diagonal):
    return np.tril(x, diagonal)


@movement(
    lambda g, y, x, diagonal: _triu(g, diagonal=diagonal),  # pyright: ignore[reportGeneralTypeIssues]
    formula=("triu(x)", "triu(g)"),
)
def _triu(x, /, *, diagonal):
    return np.triu(x, diagonal)


_tril.op.samples = lambda draw: [
    ((draw((2, 3, 4)),), {"diagonal": 0}),
    ((draw((3, 3)),), {"diagonal": -1}),
]
_triu.op.samples = lambda draw: [
    ((draw((2, 3, 4)),), {"diagonal": 0}),
    ((draw((3, 3)),), {"diagonal": 1}),
]


def _triangle(op: Any, who: str, input: Any, diagonal: int) -> Any:
    shape = shape_of(input, who)
    if len(shape) < 2:
        raise ValueError(f"{who}: expected at least two dimensions, met shape {shape}")
    return op(input, diagonal=int(diagonal))


def tril(input: Any, diagonal: int = 0) -> Any:
    """Lower triangles of the last two dimensions; zeros above `diagonal`.

    Examples
    --------
    >>> import autograd
    >>> autograd.tril(autograd.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _triangle(_tril, "tril", input, diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """Upper triangles of the last two dimensions; zeros below `diagonal`.

    Examples
    --------
    >>> import autograd
    >>> autograd.triu(autograd.ones(2, 3))
    tensor([[1., 1., 1.],
            [0., 1., 1.]])
    """
    return _triangle(_triu, "triu", input, diagonal)


def _places(who: str, row: int, col: int, below: bool, offset: int, dtype: Any) -> Any:
    if row < 0 or col < 0:
        raise ValueError(f"{who}: sizes must not be negative, met {row} and {col}")
    inside = np.tri(row, col, offset if below else offset - 1, dtype=np.bool_)
    found = np.nonzero(inside if below else ~inside)
    return wrap(np.stack(found).astype(dtype or np.int64))


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Places in the lower triangle of a `row` x `col` matrix: rows first, then columns.

    Examples
    --------
    >>> import autograd
    >>> autograd.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _places("tril_indices", row, col, True, offset, dtype)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Places in the upper triangle of a `row` x `col` matrix: rows first, then columns.

    Examples
    --------
    >>> import autograd
    >>> autograd.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _places("triu_indices", row, col, False, offset, dtype)
