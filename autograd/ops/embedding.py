"""Embedding: rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Abstract, Spec, Variable
from ..kernels import add_rows, take_rows
from .arithmetic import _cast


@structured(
    lambda g, y, x, indices, skip, shown: _add_rows(g, indices, rows=x.shape[0], skip=skip),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("indices", ""),
    infer=lambda x, indices, *, skip, shown: Spec((*indices.shape, x.shape[1]), x.dtype),
    formula=("x[indices]", "scatter(g, indices)", None),
)
def _take_rows(x, indices, /, *, skip, shown):
    """Rows of x. Row `skip` gets no gradient, and is zero unless it is `shown`."""
    return take_rows(x, indices, skip=-1 if shown else skip)


@structured(
    lambda g, y, h, indices, rows, skip: _take_rows(g, indices, skip=skip, shown=False),
    None,
    saves=("indices", ""),
    infer=lambda h, indices, *, rows, skip: Spec((rows, h.shape[-1]), h.dtype),
    formula=("scatter(h, indices)", "g[indices]", None),
)
def _add_rows(h, indices, /, *, rows, skip):
    """The adjoint of `_take_rows`."""
    return add_rows(h, indices, rows=rows, skip=skip)


_INDICES = np.array([[0, 2, 1], [2, 2, 0]])

_take_rows.op.samples = lambda draw: [
    ((draw((4, 3)), _INDICES), {"skip": -1, "shown": True}),
    ((draw((4, 3)), _INDICES), {"skip": 2, "shown": False}),
]
_add_rows.op.samples = lambda draw: [
    ((draw((2, 3, 5)), _INDICES), {"rows": 4, "skip": -1}),
    ((draw((2, 3, 5)), _INDICES), {"rows": 3, "skip": 2}),
]


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of a table: ``weight[input]``.

    Parameters
    ----------
    input : integer Tensor, any shape
        Numbers of rows, from 0.
    weight : Tensor, (rows, width)
    padding_idx : int, optional
        This row gets no gradient; counted from the end if negative.

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
    >>> autograd.embedding(autograd.tensor([1, 1, 0]), table)
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])
    """
    shape = shape_of(weight, "embedding")
    if len(shape) != 2:
        raise ValueError(f"embedding: expected weight (rows, width), met {shape}")
    kind = getattr(input, "dtype", None)
    if not isinstance(kind, np.dtype) or kind.kind not in "iu":
        raise TypeError(f"embedding: input must be of integers, not {kind}")
    rows = shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(f"embedding: padding_idx {padding_idx} is not one of {rows} rows")
    skip = -1 if padding_idx is None else padding_idx % rows
    value = input.value if isinstance(input, Variable) else input
    if kind != np.int64:
        traced = isinstance(value, Abstract)
        input = _cast(input, dtype=np.dtype(np.int64)) if traced else np.asarray(value, np.int64)
    return _take_rows(weight, input, skip=skip, shown=True)
