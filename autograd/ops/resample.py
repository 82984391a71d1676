"""Resampling to another size: each place of the result a weighted sum of a few of the input.

It is done along one dimension after the other. Which places count, and how much, depends on the
sizes alone: a table of taps, whose transpose is the table of the adjoint.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Spec
from .pool_adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

BEND, SMOOTH_BEND = -0.75, -0.5
"""The free slope of cubic convolution: OpenCV's choice, and that of Pillow for antialiasing."""


class Taps:
    """Which places of a line of `size` each place of a result reads, and with which weights.

    Attributes
    ----------
    size : int
        Of the line.
    places, weights : ndarray, (places of the result, taps)
        A weight of zero says that there is no such tap.
    """

    def __init__(self, size: int, places: np.ndarray, weights: np.ndarray) -> None:
        self.size, self.places, self.weights = size, places, weights

    def __repr__(self) -> str:
        return f"Taps({self.size} to {len(self.places)})"

    @functools.cached_property
    def transposed(self) -> Taps:
        """The taps of the adjoint."""
        read, tap = np.nonzero(self.weights)
        place = self.places[read, tap]
        order = np.argsort(place, kind="stable")
        counts = np.bincount(place, minlength=self.size)
        column = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (self.size, int(counts.max(initial=0)))
        places, weights = np.zeros(shape, np.int64), np.zeros(shape)
        places[place[order], column] = read[order]
        weights[place[order], column] = self.weights[read, tap][order]
        return Taps(len(self.places), places, weights)


@structured(
    lambda g, y, x, dim, taps: _resample(g, dim=dim, taps=taps.transposed),  # pyright: ignore[reportGeneralTypeIssues]
    saves="",
    infer=lambda x, *, dim, taps: Spec(
        (*x.shape[:dim], len(taps.places), *x.shape[dim + 1 :]), x.dtype
    ),
    formula=("taps @ x", "T(taps) @ g"),
)
def _resample(x, /, *, dim, taps):
    before, after = (slice(None),) * dim, (1,) * (x.ndim - dim - 1)
    y = np.zeros((*x.shape[:dim], len(taps.places), *x.shape[dim + 1 :]), x.dtype)
    for tap, (place, weight) in enumerate(zip(taps.places.T, taps.weights.T, strict=True)):
        term = np.take(x, place, axis=dim)
        if not np.all(weight == 1):
            with np.errstate(invalid="ignore"):
                term *= weight.astype(x.dtype).reshape(-1, *after)
            if not weight.all():  # not 0 * x, which an infinity makes NaN
                term[(*before, np.flatnonzero(weight == 0))] = 0
        y = np.add(y, term, out=y) if tap else term
    return y


# --- Tables ---------------------------------------------------------------------------------------


def _ratio(n: int, m: int, factor: float | None, corners: bool) -> float:
    """How far apart in the input two neighbours of the result stand."""
    if corners:
        return (n - 1) / (m - 1) if m > 1 else 0.0
    return 1.0 / factor if factor else n / m


def _centres(n: int, m: int, factor: float | None, corners: bool) -> np.ndarray:
    """Where in the input the places of the result stand."""
    ratio = _ratio(n, m, factor, corners)
    return np.arange(m) * ratio if corners else (np.arange(m) + 0.5) * ratio - 0.5


def _nearest(n: int, m: int, factor: float | None, corners: bool, shift: float = 0.0) -> Taps:
    # In float32, whatever the input: the rounding decides which element it is, and it is PyTorch's.
    ratio = np.float32(_ratio(n, m, factor, False))
    places = np.floor((np.arange(m, dtype=np.float32) + np.float32(shift)) * ratio).astype(np.int64)
    return Taps(n, np.minimum(places, n - 1)[:, None], np.ones((m, 1)))


def _nearest_exact(n: int, m: int, factor: float | None, corners: bool) -> Taps:
    return _nearest(n, m, factor, corners, 0.5)


def _linear(n: int, m: int, factor: float | None, corners: bool) -> Taps:
    if n == m:
        return Taps(n, np.arange(n)[:, None], np.ones((n, 1)))
    at = np.maximum(_centres(n, m, factor, corners), 0.0)
    first = np.minimum(np.floor(at).astype(np.int64), n - 1)
    part = np.clip(at - first, 0.0, 1.0)
    return Taps(
        n, np.stack([first, np.minimum(first + 1, n - 1)], 1), np.stack([1 - part, part], 1)
    )


def cubic(distance: np.ndarray, bend: float) -> np.ndarray:
    """The kernel of cubic convolution (Keys 1981, "Cubic convolution interpolation")."""
    x = np.abs(distance)
    near = ((bend + 2) * x - (bend + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * bend
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _cubic(n: int, m: int, factor: float | None, corners: bool) -> Taps:
    at = _centres(n, m, factor, corners)
    first = np.minimum(np.floor(at).astype(np.int64), n - 1)
    part = np.clip(at - first, 0.0, 1.0)[:, None]
    steps = np.arange(-1, 3)
    return Taps(n, np.clip(first[:, None] + steps, 0, n - 1), cubic(part - steps, BEND))


def _smooth(
    n: int,
    m: int,
    factor: float | None,
    corners: bool,
    kernel: Callable[[np.ndarray], np.ndarray],
    reach: float,
) -> Taps:
    """Taps of a kernel that widens with the ratio, so that it takes in all that is left out."""
    ratio = _ratio(n, m, factor, corners)
    wide = max(ratio, 1.0)
    centre = (np.arange(m) + 0.5) * ratio
    first = np.maximum((centre - reach * wide + 0.5).astype(np.int64), 0)
    stop = np.minimum((centre + reach * wide + 0.5).astype(np.int64), n)
    steps = np.arange(max(1, int((stop - first).max(initial=1))))
    places = first[:, None] + steps
    weights = kernel((places - centre[:, None] + 0.5) / wide)
    weights = np.where(places < stop[:, None], weights, 0.0)
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, 1.0, total)
    return Taps(n, np.minimum(places, n - 1), weights)


def _smooth_linear(n: int, m: int, factor: float | None, corners: bool) -> Taps:
    return _smooth(n, m, factor, corners, lambda x: np.maximum(1.0 - np.abs(x), 0.0), 1.0)


def _smooth_cubic(n: int, m: int, factor: float | None, corners: bool) -> Taps:
    return _smooth(n, m, factor, corners, lambda x: cubic(x, SMOOTH_BEND), 2.0)


Table = Callable[[int, int, float | None, bool], Taps]
TABLES: dict[str, Table] = {
    "nearest": _nearest,
    "nearest-exact": _nearest_exact,
    "linear": _linear,
    "bilinear": _linear,
    "trilinear": _linear,
    "bicubic": _cubic,
}
SMOOTH_TABLES: dict[str, Table] = {"bilinear": _smooth_linear, "bicubic": _smooth_cubic}
AREAS = adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
ONLY = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
"""How many dimensions the mode is for, where that is fixed."""
WITHOUT_CORNERS = ("nearest", "nearest-exact", "area")


@functools.lru_cache(maxsize=128)
def _table(make: Table, n: int, m: int, factor: float | None, corners: bool) -> Taps:
    return make(n, m, factor, corners)


_resample.op.samples = lambda draw: [
    ((draw((2, 3, 2)),), {"dim": 1, "taps": _linear(3, 5, None, False)}),
    ((draw((2, 5)),), {"dim": 1, "taps": _nearest(5, 3, None, False)}),
    ((draw((4, 2)),), {"dim": 0, "taps": _cubic(4, 3, None, True)}),
]

# --- What users call ------------------------------------------------------------------------------


def _wanted(
    shape: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Sizes of the result, and the factors that count instead of the ratio of the sizes."""
    count = len(shape) - 2
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    given = scale_factor if size is None else size
    each = tuple(given) if isinstance(given, tuple | list) else (given,) * count
    if len(each) != count:
        raise ValueError(
            f"interpolate: input {shape} has {count} dimensions after (N, C), but "
            f"{'scale_factor' if size is None else 'size'}={given!r} is for {len(each)}"
        )
    if size is None:
        sizes = tuple(math.floor(n * f) for n, f in zip(shape[2:], each, strict=True))
        return sizes, (None,) * count if recompute else tuple(float(f) for f in each)
    if recompute:
        raise ValueError("interpolate: recompute_scale_factor has no meaning with a size")
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in each):
        raise TypeError(f"interpolate: size must be ints, not {size!r}")
    return tuple(n.__index__() for n in each), (None,) * count


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Resample sequences, images or volumes to another size.

    Parameters
    ----------
    input : Tensor, (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    size : int or tuple of int, optional
        Of the result, without (N, C).
    scale_factor : float or tuple of float, optional
        Instead of `size`: it is then ``floor(size * scale_factor)``.
    mode : {"nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"}
        "linear" is for sequences, "bilinear" and "bicubic" for images, "trilinear" for volumes.
        "area" is `adaptive_avg_pool2d`.
    align_corners : bool, optional
        The centres of the first and last elements stay in place, not the outer edges. Not for
        "nearest", "nearest-exact" and "area".
    recompute_scale_factor : bool, optional
        Take the ratio of the sizes for the distance of places, not `scale_factor` itself.
    antialias : bool
        When making smaller, let every element of the input count ("bilinear", "bicubic").

    Raises
    ------
    ValueError
        If arguments do not fit each other or the input.
    NotImplementedError
        If the mode is not for as many dimensions as the input has.
    TypeError
        If a mode that averages meets integers.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[[1.0, 3.0]]])
    >>> autograd.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    >>> autograd.interpolate(x, 4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    shape = shape_of(input, "interpolate")
    if mode not in (*TABLES, "area"):
        raise NotImplementedError(
            f"interpolate: mode {mode!r} is unknown; expected one of {[*TABLES, 'area']}"
        )
    if mode in WITHOUT_CORNERS and align_corners is not None:
        raise ValueError(f"interpolate: align_corners has no meaning with mode {mode!r}")
    if len(shape) not in (3, 4, 5):
        raise NotImplementedError(
            f"interpolate: expected (N, C, ...) with 3 to 5 dimensions, met {shape}"
        )
    count = len(shape) - 2
    if ONLY.get(mode, count) != count:
        raise NotImplementedError(
            f"interpolate: mode {mode!r} is for inputs of {ONLY[mode] + 2} dimensions, met {shape}"
        )
    if antialias and mode not in SMOOTH_TABLES:
        raise ValueError(f"interpolate: antialias is for 'bilinear' and 'bicubic', not {mode!r}")
    sizes, factors = _wanted(shape, size, scale_factor, bool(recompute_scale_factor))
    if min(*shape[1:], *sizes) < 1:
        raise ValueError(f"interpolate: sizes must be at least 1, met {shape} to {sizes}")
    if mode == "area":
        return AREAS[count - 1](input, sizes)
    if mode not in WITHOUT_CORNERS and input.dtype.kind != "f":
        raise TypeError(f"interpolate: mode {mode!r} needs floats, not {input.dtype}")
    make = (SMOOTH_TABLES if antialias else TABLES)[mode]
    y = input
    for i in reversed(range(count)):  # the last dimension first: there is most to be read at once
        n, m, factor = shape[i + 2], sizes[i], factors[i]
        # PyTorch overlooks the factor here.
        if (antialias and n == m) or (mode == "nearest" and count == 2 and m in (n, 2 * n)):
            factor = None
        taps = _table(make, n, m, factor, bool(align_corners))
        if n != m or not _idle(taps):
            y = _resample(y, dim=i + 2, taps=taps)
    return y if y is not input else input * 1


def _idle(taps: Taps) -> bool:
    """True if every place reads just itself."""
    return taps.weights.shape[1] == 1 and bool(np.all(taps.places[:, 0] == np.arange(taps.size)))
