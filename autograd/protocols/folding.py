"""NumPy's functions that fold, scan, sort and search, in terms of ours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import dim_of, shape_of
from ..ops import (
    arithmetic,
    cumulative,
    distinct,
    extremes,
    index,
    logic,
    norms,
    reduce,
    sorting,
)
from ..ops.shape import cat, reshape, squeeze
from .calling import operands, refused


def line(x: Any) -> Any:
    """All elements in row-major order."""
    return reshape(x, -1)


def flat_or(x: Any, axis: int | None) -> tuple[Any, int]:
    """What NumPy works along: one dimension, or all elements in a line."""
    return (line(x), 0) if axis is None else (x, axis)


def folding(op: Any) -> Any:
    """The adapter of a reduction."""
    return lambda a, axis=None, keepdims=False: op(a, axis, keepdims)


def summing(op: Any) -> Any:
    """The adapter of a reduction that may convert its elements first."""
    return lambda a, axis=None, dtype=None, keepdims=False: op(a, axis, keepdims, dtype=dtype)


def scanning(op: Any) -> Any:
    """The adapter of a running sum or product."""

    def scan(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        a, at = flat_or(a, axis)
        return op(a, at, dtype=dtype)

    return scan


def spread(op: Any) -> Any:
    """The adapter of `var` or `std`: NumPy divides by n unless told."""

    def fold(
        a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, correction: Any = None
    ) -> Any:
        return op(a, axis, correction=ddof if correction is None else correction, keepdim=keepdims)

    return fold


def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest less smallest."""
    return extremes.amax(a, axis, keepdims) - extremes.amin(a, axis, keepdims)


def average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """Mean, weighted by numbers of the shape of `a`, or along one axis."""
    if weights is None:
        return reduce.mean(a, axis, keepdims)
    a, weights = operands(a, weights)
    shape, given = shape_of(a, "np.average"), shape_of(weights, "np.average")
    if given != shape:
        if isinstance(axis, list | tuple) or axis is None or len(given) != 1:
            raise TypeError(
                f"np.average: weights of shape {given} do not fit {shape}; they must have this "
                "shape, or one dimension and an int as axis"
            )
        at = dim_of("np.average", axis, len(shape))
        if given[0] != shape[at]:
            raise ValueError(f"np.average: {given[0]} weights for {shape[at]} elements")
        weights = reshape(weights, *[-1 if i == at else 1 for i in range(len(shape))])
        return reduce.sum(a * weights, axis, keepdims) / reduce.sum(weights)
    return reduce.sum(a * weights, axis, keepdims) / reduce.sum(weights, axis, keepdims)


def clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    """Elements not below one number, nor above another."""
    a, low, high = operands(a, a_min if min is None else min, a_max if max is None else max)
    return a if low is None and high is None else arithmetic.clamp(a, low, high)


def median(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The middle of the sorted elements, or the mean of the two middles."""
    ndim = len(shape_of(a, "np.median"))
    at = 0 if axis is None else dim_of("np.median", axis, ndim)
    x = line(a) if axis is None or not ndim else a
    n = x.shape[at]
    if not n:
        raise ValueError("np.median: the median of no elements is not defined")
    ranked = sorting.sort(x, at).values
    low, high, last = (_slice(ranked, at, i) for i in ((n - 1) // 2, n // 2, n - 1))
    middle = low if n % 2 else low / 2.0 + high / 2.0
    middle = arithmetic.where(logic.isnan(last), last, middle)  # NaN is sorted last
    if axis is None or not ndim:
        return reshape(middle, (1,) * (ndim if keepdims else 0))
    return middle if keepdims else squeeze(middle, at)


def _slice(x: Any, axis: int, i: int) -> Any:
    return take(x, [i], axis)


def cumulative_sum(
    x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Running sum; of several dimensions only along a named one."""
    return _from_start("np.cumulative_sum", cumulative.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Running product; of several dimensions only along a named one."""
    return _from_start("np.cumulative_prod", cumulative.cumprod, 1, x, axis, dtype, include_initial)


def _from_start(
    name: str, op: Any, start: int, x: Any, axis: int | None, dtype: Any, include_initial: bool
) -> Any:
    shape = shape_of(x, name)
    if axis is None and len(shape) != 1:
        raise ValueError(f"{name}: an axis must be named for shape {shape}")
    at = dim_of(name, 0 if axis is None else axis, len(shape))
    result = op(x, at, dtype=dtype)
    if not include_initial:
        return result
    first = np.full((*shape[:at], 1, *shape[at + 1 :]), start, result.dtype)
    return cat([first, result], at)


# --- Sorting and searching --------------------------------------------------------------------


def sort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    """Sorted elements; any `kind` is a stable sort here."""
    a, at = flat_or(a, axis)
    return sorting.sort(a, at).values


def argsort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    """Where the sorted elements stand."""
    a, at = flat_or(a, axis)
    return sorting.argsort(a, at, stable=True)


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where elements would have to stand."""
    return distinct.searchsorted(a, v, side=side, sorter=sorter)


def unique(
    ar: Any,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The distinct elements in ascending order; here no NaN is equal to another."""
    value = ar.value
    if axis is None and equal_nan and value.__class__ is np.ndarray and (value != value).sum() > 1:
        raise ValueError("np.unique: no NaN is equal to another here; say equal_nan=False")
    return distinct.unique(ar, True, return_inverse, return_counts, axis)


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements, or slices along `axis`, by number."""
    a, at = flat_or(a, axis)
    at = dim_of("np.take", at, len(shape_of(a, "np.take")))
    return index.getitem(a, (*[slice(None)] * at, indices))


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """One element for each index, along `axis`."""
    arr, at = flat_or(arr, axis)
    return index.take_along_dim(arr, indices, at)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours."""
    return cumulative.diff(a, n, axis, prepend, append)


# --- Norms ------------------------------------------------------------------------------------


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`np.linalg.norm`: of vectors, or of matrices where `axis` is a pair or `ord` asks for it."""
    ndim = len(shape_of(x, "np.linalg.norm"))
    if isinstance(axis, list):
        axis = tuple(axis)
    if axis is None and (ord is None or ndim == 1):
        return vector_norm(x, None, keepdims, 2 if ord is None else ord)
    if axis is None:
        if ndim != 2:
            raise ValueError(f"np.linalg.norm: ord={ord!r} of {ndim} dimensions needs an axis")
        axis = (0, 1)
    if not isinstance(axis, tuple) or len(axis) == 1:
        return vector_norm(x, axis, keepdims, 2 if ord is None else ord)
    if len(axis) != 2:
        raise ValueError(f"np.linalg.norm: axis must be one dimension or two, not {axis}")
    return _matrix_norm(x, axis, keepdims, "fro" if ord is None else ord)


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """``sum(abs(x) ** ord) ** (1 / ord)``, of all elements where no axis is named."""
    if isinstance(ord, str):
        raise ValueError(f"np.linalg.norm: ord={ord!r} is for matrices")
    return norms.norm(x, ord, axis, keepdims)


def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two dimensions."""
    return _matrix_norm(x, (-2, -1), keepdims, ord)


def _matrix_norm(x: Any, axis: tuple[int, int], keepdims: bool, ord: Any) -> Any:
    if ord == "fro":
        return norms.norm(x, 2, axis, keepdims)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise refused("np.linalg.norm", f"ord={ord!r} (of matrices: 'fro', 1, -1, inf, -inf); ord")
    ndim = len(shape_of(x, "np.linalg.norm"))
    rows, columns = (dim_of("np.linalg.norm", d, ndim) for d in axis)
    added, compared = (rows, columns) if abs(ord) == 1 else (columns, rows)
    lines = reduce.sum(arithmetic.abs(x), added, True)
    result = (extremes.amax if ord > 0 else extremes.amin)(lines, compared, True)
    return result if keepdims else squeeze(result, (rows, columns))
