"""Distinct elements, and places among sorted ones: results without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import dim_of, shape_of
from ..graph import Abstract, Variable, wrap
from ..watch import WATCHERS


def _values(who: str, input: Any) -> np.ndarray:
    """The array of an operand; a traced one has none."""
    value = input.value if isinstance(input, Variable) else input
    if value.__class__ is Abstract:  # what a vmap holds speaks for itself
        raise TypeError(
            f"{who} of a traced tensor {value}: the shape of the result depends on values, which "
            "a trace does not have"
        )
    shape_of(value, who)
    return np.asarray(value)


def _left(name: str, input: Any, result: Any) -> Any:
    """Tell watchers that values went where no gradient follows."""
    if isinstance(input, Variable):
        for watcher in WATCHERS:
            watcher.left(name, input, result)
    return result


def _returned(name, input, result, inverse, counts, return_inverse, return_counts):
    """What was asked for: the distinct elements alone, or a tuple."""
    parts = [wrap(np.asarray(result))]
    if return_inverse:
        parts.append(wrap(np.asarray(inverse, np.int64)))
    if return_counts:
        parts.append(wrap(np.asarray(counts, np.int64)))
    _left(name, input, parts[0])
    return parts[0] if len(parts) == 1 else tuple(parts)


def _runs(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where runs of equal neighbours start among `rows`, the run of each row, their lengths."""
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    first = np.nonzero(starts)[0]
    return first, np.cumsum(starts) - 1, np.diff(np.append(first, len(rows)))


def _rows(who: str, x: np.ndarray, dim: int | None) -> tuple[np.ndarray, int]:
    if dim is None:
        return x.reshape(-1), 0
    at = dim_of(who, dim, x.ndim)
    return (np.moveaxis(x, at, 0) if x.ndim else x.reshape(1)), at


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in ascending order, or the distinct slices along `dim`.

    Each NaN is distinct from every other.

    Parameters
    ----------
    input : Tensor
    sorted : bool
        Accepted as in PyTorch: the result is sorted in any case.
    return_inverse : bool
        Also where each element of `input` is in the result.
    return_counts : bool
        Also how many there are of each.
    dim : int, optional

    Examples
    --------
    >>> import autograd
    >>> autograd.unique(autograd.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    x = _values("unique", input)
    rows, at = _rows("unique", x, dim)
    if rows.ndim == 1:
        order = np.argsort(rows, kind="stable")
    else:  # by the first column, then the second, ...: lexsort wants the last key first
        columns = rows.reshape(len(rows), -1).T[::-1]
        order = np.lexsort(columns) if len(columns) else np.arange(len(rows))
    ranked = rows[order]
    first, run, counts = _runs(ranked)
    inverse = np.empty(len(rows), np.int64)
    inverse[order] = run
    if dim is None:
        inverse = inverse.reshape(x.shape)
    result = np.moveaxis(ranked[first], 0, at)
    return _returned("unique", input, result, inverse, counts, return_inverse, return_counts)


def unique_consecutive(
    input: Any,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The first of each run of equal elements (of slices, along `dim`).

    Parameters
    ----------
    input : Tensor
    return_inverse : bool
        Also the number of the run that each element is in.
    return_counts : bool
        Also how long each run is.
    dim : int, optional
        Default: elements in row-major order.

    Examples
    --------
    >>> import autograd
    >>> autograd.unique_consecutive(autograd.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    x = _values("unique_consecutive", input)
    rows, at = _rows("unique_consecutive", x, dim)
    first, run, counts = _runs(rows)
    inverse = run.reshape(x.shape) if dim is None else run
    result = np.moveaxis(rows[first], 0, at)
    return _returned(
        "unique_consecutive", input, result, inverse, counts, return_inverse, return_counts
    )


def argwhere(input: Any) -> Any:
    """Indices of the elements that are not zero, one row for each.

    Examples
    --------
    >>> import autograd
    >>> autograd.argwhere(autograd.tensor([[0, 5], [6, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    x = _values("argwhere", input)
    return _left("argwhere", input, wrap(np.argwhere(x).astype(np.int64, copy=False)))


def _places(lines: np.ndarray, x: np.ndarray, right: bool) -> np.ndarray:
    """Where each of `x` belongs in its line: how many of the line sort before it."""
    if lines.ndim == 1:
        return np.searchsorted(lines, x, "right" if right else "left")
    # Sorted together, equals in the order they are joined in: those of the line first to be right.
    both = np.concatenate([lines, x] if right else [x, lines], axis=-1)
    order = np.argsort(both, axis=-1, kind="stable")
    here = order < lines.shape[-1] if right else order >= x.shape[-1]
    places = np.empty(both.shape, np.int64)
    np.put_along_axis(places, order, np.cumsum(here, axis=-1), -1)
    return places[..., lines.shape[-1] :] if right else places[..., : x.shape[-1]]


def _searched(name, lines, x, right, out_int32, input):
    wanted = np.int32 if out_int32 else np.int64
    return _left(name, input, wrap(np.asarray(_places(lines, x, right), wanted)[()]))


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where elements would go in a sorted sequence (its last dimension) to keep it sorted.

    Parameters
    ----------
    sorted_sequence : Tensor
        Of one dimension, or of the shape of `input` but for the last.
    input : Tensor or number
    out_int32 : bool
        Give int32 rather than int64.
    right : bool
        Behind equal elements, rather than before them.
    side : {"left", "right"}, optional
        The same as `right`, in words.
    sorter : Tensor, optional
        Indices that sort `sorted_sequence`, if it is not sorted itself.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `side` is unknown or says other than `right`.

    Examples
    --------
    >>> import autograd
    >>> autograd.searchsorted(autograd.tensor([1.0, 3.0, 5.0]), autograd.tensor([3.0, 4.0]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', not {side!r}")
    if side == "left" and right:
        raise ValueError("searchsorted: side='left' says other than right=True")
    lines, x = _values("searchsorted", sorted_sequence), _values("searchsorted", input)
    if sorter is not None:
        order = _values("searchsorted", sorter)
        if order.shape != lines.shape or order.dtype.kind != "i":
            raise ValueError(
                f"searchsorted: sorter must be integers of shape {lines.shape}, met {order.dtype} "
                f"{order.shape}"
            )
        lines = np.take_along_axis(lines, order, -1)
    if lines.ndim == 0 or (lines.ndim > 1 and lines.shape[:-1] != x.shape[:-1]):
        raise ValueError(
            f"searchsorted: a sequence of shape {lines.shape} does not fit an input of shape "
            f"{x.shape}: it must have one dimension, or the input's but for the last"
        )
    return _searched("searchsorted", lines, x, right or side == "right", out_int32, input)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Number of the bucket that each element falls into, between sorted `boundaries`.

    Parameters
    ----------
    input : Tensor or number
    boundaries : Tensor
        Of one dimension, ascending.
    out_int32 : bool
        Give int32 rather than int64.
    right : bool
        An element equal to a boundary goes into the bucket behind it.

    Examples
    --------
    >>> import autograd
    >>> autograd.bucketize(autograd.tensor([1.0, 3.0, 9.0]), autograd.tensor([2.0, 3.0]))
    tensor([0, 1, 2])
    """
    lines, x = _values("bucketize", boundaries), _values("bucketize", input)
    if lines.ndim != 1:
        raise ValueError(f"bucketize: boundaries must have one dimension, met shape {lines.shape}")
    return _searched("bucketize", lines, x, right, out_int32, input)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Any:
    """For each of `elements`, whether it is one of `test_elements`.

    Parameters
    ----------
    elements, test_elements : Tensor or number
    assume_unique : bool
        Accepted; it changes nothing.
    invert : bool
        Whether it is none of them.

    Returns
    -------
    Tensor of bool, of the shape of `elements`

    Examples
    --------
    >>> import autograd
    >>> autograd.isin(autograd.tensor([1, 2, 3]), autograd.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    found = np.isin(_values("isin", elements), _values("isin", test_elements), invert=invert)
    return _left("isin", elements, wrap(found[()]))
