"""Pooling to a given size: windows that cover the input, overlapping where it does not divide.

Window i of m over n elements goes from ``i * n // m`` up to ``ceil((i + 1) * n / m)``. Seen from an
element, the windows that hold it are just those that it would have as window i of n over m: so the
sum over windows is its own adjoint, with the two sizes exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Spec
from .conv_arguments import AXES, KINDS, Sizes
from .index import _gather
from .pool import avg_pool2d, floats, max_pool2d
from .pool_dims import avg_pool1d, avg_pool3d, max_pool1d, max_pool3d
from .reduce import mean
from .shape import _reshape

AVERAGES = avg_pool1d, avg_pool2d, avg_pool3d
MAXIMA = max_pool1d, max_pool2d, max_pool3d


def _bounds(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of m windows over n elements begins and ends."""
    windows = np.arange(m)
    return windows * n // m, -(-(windows + 1) * n // m)


def _taps(n: int, m: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(windows, elements) that meet, for each place in a window."""
    starts, stops = _bounds(n, m)
    for tap in range(int((stops - starts).max(initial=0))):
        windows = np.flatnonzero(starts + tap < stops)
        yield windows, starts[windows] + tap


@structured(
    lambda g, y, x, dim, size: _window_sum(g, dim=dim, size=x.shape[dim]),  # pyright: ignore[reportGeneralTypeIssues]
    saves="",
    infer=lambda x, *, dim, size: Spec((*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype),
    formula=("sum(windows(x))", "sum(windows(g))"),
)
def _window_sum(x, /, *, dim, size):
    """Sum over each of `size` windows along `dim`."""
    before = (slice(None),) * dim
    y = np.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]), x.dtype)
    for windows, elements in _taps(x.shape[dim], size):
        y[(*before, windows)] += np.take(x, elements, axis=dim)
    return y


_window_sum.op.samples = lambda draw: [
    ((draw((2, 5, 2)),), {"dim": 1, "size": 3}),
    ((draw((2, 3)),), {"dim": 1, "size": 5}),
]


@structured(
    None,
    infer=lambda x, *, size: Spec((*x.shape[: -len(size)], *size), "int64"),
    formula=("argmax(windows(x))", None),
)
def adaptive_max_indices(x, /, *, size):
    """Where the maximum of each window stands, flat in the last ``len(size)`` dimensions.

    Along one dimension after the other, from the last: so the first of equal ones is found, and
    the last NaN if there is any.
    """
    count = len(size)
    best = x
    where = np.broadcast_to(
        np.arange(math.prod(x.shape[-count:])).reshape(x.shape[-count:]), x.shape
    )
    for dim in range(x.ndim - 1, x.ndim - count - 1, -1):
        before = (slice(None),) * dim
        top = spot = None
        for windows, elements in _taps(x.shape[dim], size[dim - x.ndim]):
            value = np.take(best, elements, axis=dim)
            place = np.take(where, elements, axis=dim)
            if top is None or spot is None:  # every window has a first element
                top, spot = value, place
                continue
            at = (*before, windows)
            better = (value > top[at]) | np.isnan(value)
            top[at] = np.where(better, value, top[at])
            spot[at] = np.where(better, place, spot[at])
        best, where = top, spot
        if best is None or where is None:
            return np.zeros((*x.shape[:-count], *size), np.int64)
    return where


adaptive_max_indices.op.samples = lambda draw: [
    ((draw((2, 5)),), {"size": (3,)}),
    ((draw((2, 4, 3)),), {"size": (3, 5)}),
]


def _sizes(who: str, count: int, input: Any, output_size: Any) -> tuple[Sizes, Sizes]:
    """Sizes before, and wanted."""
    shape = shape_of(input, who)
    if len(shape) not in (count + 1, count + 2):
        axes = ", ".join(AXES[count - 1])
        raise ValueError(f"{who}: expected input (N, C, {axes}) or (C, {axes}), met {shape}")
    old = shape[-count:]
    new = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * count
    if len(new) != count or any(
        n is not None and (isinstance(n, bool) or not hasattr(n, "__index__")) for n in new
    ):
        raise TypeError(
            f"{who}: output_size must be {KINDS[count - 1]} (None keeps a size), not "
            f"{output_size!r}"
        )
    full = tuple(o if n is None else n.__index__() for o, n in zip(old, new, strict=True))
    if min(full) < 0:
        raise ValueError(f"{who}: output_size must not be negative, met {output_size!r}")
    if min(shape[-count - 1 :]) < 1:
        raise ValueError(f"{who}: only the batch may be empty, met {shape}")
    return old, full


def _even(old: Sizes, new: Sizes) -> Sizes | None:
    """The window, if all windows are equal and lie side by side."""
    if any(m < 1 or n % m for n, m in zip(old, new, strict=True)):
        return None
    return tuple(n // m for n, m in zip(old, new, strict=True))


def _average(who: str, count: int, input: Any, output_size: Any) -> Any:
    old, new = _sizes(who, count, input, output_size)
    floats(who, input)
    window = _even(old, new)
    ndim = len(shape_of(input, who))
    if window == old:  # one window over all: several times quicker as a plain mean
        return mean(input, tuple(range(ndim - count, ndim)), keepdim=True)
    if window is not None:
        return AVERAGES[count - 1](input, window)
    counts: Any = np.ones((), input.dtype)
    y = input
    for i, (n, m) in enumerate(zip(old, new, strict=True)):
        starts, stops = _bounds(n, m)
        counts = counts[..., None] * (stops - starts).astype(input.dtype)
        if n != m:
            y = _window_sum(y, dim=ndim - count + i, size=m)
    return y / counts


def _maximum(who: str, count: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    old, new = _sizes(who, count, input, output_size)
    window = _even(old, new)
    if window is not None:
        return MAXIMA[count - 1](input, window, return_indices=return_indices)
    lead = shape_of(input, who)[:-count]
    indices = adaptive_max_indices(input, size=new)
    flat = _reshape(input, shape=(*lead, math.prod(old)))
    picked = _reshape(indices, shape=(*lead, math.prod(new)))
    y = _reshape(_gather(flat, picked, dim=len(lead)), shape=(*lead, *new))
    return (y, indices) if return_indices else y


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Mean over `output_size` windows of (N, C, L) or (C, L); see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_avg_pool1d(autograd.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[1.5000, 2.5000]])
    """
    return _average("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Mean over as many windows as the result is to have elements.

    Window i of m over n elements goes from ``i * n // m`` up to ``ceil((i + 1) * n / m)``.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    output_size : int or pair of int
        None keeps a size as it is.

    Raises
    ------
    ValueError
        If the shape does not fit, or a size is negative.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_avg_pool2d(autograd.arange(9.0).reshape(1, 3, 3), (1, 2))
    tensor([[[3.5000, 4.5000]]])
    """
    return _average("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """Mean over windows of (N, C, D, H, W) or (C, D, H, W); see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_avg_pool3d(autograd.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return _average("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of windows of (N, C, L) or (C, L); see `adaptive_max_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_max_pool1d(autograd.tensor([[1.0, 3.0, 2.0]]), 2)
    tensor([[3., 3.]])
    """
    return _maximum("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of as many windows as the result is to have elements.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    output_size : int or pair of int
        None keeps a size as it is. The windows are those of `adaptive_avg_pool2d`.
    return_indices : bool
        Also return where each maximum (the first of equal ones) stands in its plane.

    Raises
    ------
    ValueError
        If the shape does not fit, or a size is negative.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_max_pool2d(autograd.arange(9.0).reshape(1, 3, 3), (1, 2))
    tensor([[[7., 8.]]])
    """
    return _maximum("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of windows of (N, C, D, H, W) or (C, D, H, W); see `adaptive_max_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.adaptive_max_pool3d(autograd.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    return _maximum("adaptive_max_pool3d", 3, input, output_size, return_indices)
