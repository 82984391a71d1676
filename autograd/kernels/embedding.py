"""Rows of a table by their number, and the adjoint: rows added to a table."""

import numpy as np

from .common import Floats, Indices, Sample
from .dispatch import fast, implementation, reference
from .memory import empty
from .native import Unit

UNIT = Unit("embedding", "autograd.kernels.native.embedding")


@reference
def take_rows(table: Floats, indices: Indices, /, *, skip: int) -> Floats:
    """Rows of a table; zeros in the place of row `skip`.

    Parameters
    ----------
    table : array (rows, width)
    indices : int64 array, any shape
        From 0 to rows - 1.
    skip : int
        -1 for none.

    Returns
    -------
    array (*indices.shape, width)
        New, of the dtype of the table.

    Raises
    ------
    IndexError
        If an index is out of its range.
    """
    _check(indices, len(table))
    y = table[indices]
    if skip >= 0:
        y[indices == skip] = 0
    return y


@reference
def add_rows(g: Floats, indices: Indices, /, *, rows: int, skip: int) -> Floats:
    """A table of zeros to whose rows those of g are added: the adjoint of `take_rows`.

    Parameters
    ----------
    g : array (*indices.shape, width)
    indices : int64 array, any shape
        From 0 to rows - 1. Rows that are named more than once add up in the order of `indices`.
    rows : int
    skip : int
        This row stays zero; -1 for none.

    Returns
    -------
    array (rows, width)
        New, of the dtype of g.

    Raises
    ------
    IndexError
        If an index is out of its range.
    """
    _check(indices, rows)
    table = np.zeros((rows, g.shape[-1]), g.dtype)
    np.add.at(table, indices, g)
    if skip >= 0:
        table[skip] = 0
    return table


def _check(indices: Indices, rows: int) -> None:
    if indices.size and not 0 <= indices.min() <= indices.max() < rows:
        raise IndexError(
            f"embedding: indices from {indices.min()} to {indices.max()} do not lie in 0 .. "
            f"{rows - 1}, the rows of the table"
        )


UNIT.kernel("take_rows(table: T[rows, width], indices: i8[*n], y: T[*n, width]!, bad: i8[one]!)")
UNIT.kernel("add_rows(g: T[*n, width], indices: i8[*n], table: T[rows, width]!, bad: i8[one]!)")


@fast(take_rows, UNIT, floats_only=True)
def _take_rows(table: Floats, indices: Indices, /, *, skip: int) -> Floats:
    if skip >= 0:
        return implementation(take_rows, "reference")(table, indices, skip=skip)
    y = empty((*indices.shape, table.shape[1]), table.dtype)
    bad = np.zeros(1, np.int64)
    UNIT.take_rows(table, indices, y, bad)
    if bad[0]:
        _check(indices, len(table))
    return y


@fast(add_rows, UNIT, floats_only=True)
def _add_rows(g: Floats, indices: Indices, /, *, rows: int, skip: int) -> Floats:
    if g.shape[:-1] != indices.shape:
        raise ValueError(f"add_rows: g has shape {g.shape}, expected {(*indices.shape, 'width')}")
    table = empty((rows, g.shape[-1]), g.dtype)
    bad = np.zeros(1, np.int64)
    UNIT.add_rows(g, indices, table, bad)
    if bad[0]:
        _check(indices, rows)
    if 0 <= skip < rows:
        table[skip] = 0
    return table


SAMPLES = (
    Sample("characters", ((65, 64), (32, 128)), {"skip": -1}),
    Sample("words", ((10_000, 128), (16, 64)), {"skip": -1}),
)
"""Shapes of the table and of the indices."""
