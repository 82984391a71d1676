"""Sampling at any places: `grid_sample`, and the grids of affine maps.

A coordinate from -1 to 1 becomes a place among the elements; around it stand a few elements, whose
weights are polynomials of how far it is from them. All but finding the places is made of ops.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Spec, Variable
from .arithmetic import where
from .linalg import _matmul
from .pool import floats
from .reduce import sum
from .resample import BEND
from .rounding import floor
from .shape import _reshape, mT, stack, unsqueeze

# --- Coordinates to places ------------------------------------------------------------------------


def _placed(x, size, padding, align):
    """Places among `size` elements, and the slope of each in x; 0 where a place is clipped."""
    n = np.asarray(size, x.dtype)
    slope = np.broadcast_to((n - 1) / 2 if align else n / 2, x.shape)
    at = (x + 1) / 2 * (n - 1) if align else ((x + 1) * n - 1) / 2
    endless = ~np.isfinite(at)
    if padding == "border":
        at = np.where(np.isnan(at), 0, at)
    elif endless.any():  # nowhere: NaN, and with reflection the first element, as in PyTorch
        at = np.where(endless, np.nan if padding == "zeros" else 0, at)
    if padding == "reflection":
        at, sign = _reflected(at, n, align)
        at, slope = np.where(endless, 0, at), slope * sign
    if padding != "zeros":
        slope = np.where((at <= 0) | (at >= n - 1), 0, slope)
        at = np.clip(at, 0, n - 1)
    return at.astype(x.dtype, copy=False), slope.astype(x.dtype, copy=False)


def _reflected(at, n, align):
    """Mirror at the centres of the outer elements (`align`) or at their edges, time and again."""
    low = np.zeros_like(n) if align else np.full_like(n, -0.5)
    span = n - 1 if align else n
    safe = np.where(span == 0, 1, span)
    away = at - low
    sign = np.where(away < 0, -1.0, 1.0)
    away = np.abs(away)
    extra = np.fmod(away, safe)
    odd = np.floor(away / safe) % 2 != 0
    at = np.where(odd, span - extra, extra) + low
    sign = np.where(odd, -sign, sign)
    return np.where(span == 0, 0, at), np.where(span == 0, 0, sign)


@structured(
    lambda g, y, x, **at: g * grid_slopes(x, **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    infer=lambda x, **_: Spec(x.shape, x.dtype),
    formula=("((x + 1) * size - 1) / 2", "g * size / 2"),
)
def _grid_coordinates(x, /, *, size, padding, align):
    """Coordinates (..., d) from -1 to 1 as places among `size` elements (in the order x, y, z)."""
    return _placed(x, size, padding, align)[0]


@structured(None, infer=lambda x, **_: Spec(x.shape, x.dtype), formula=("size / 2", None))
def grid_slopes(x, /, *, size, padding, align):
    """The slopes of the places of `_grid_coordinates` in x, which are constant but for jumps."""
    return _placed(x, size, padding, align)[1]


OFFSETS = {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}


@structured(
    None,
    infer=lambda x, *, size, mode, padding, align: Spec(
        (*x.shape[:-1], len(OFFSETS[mode]) ** len(size)), "int64"
    ),
    formula=("floor(x)", None),
)
def grid_places(x, /, *, size, mode, padding, align):
    """The elements around places (..., d): flat, the last dimension of the input running fastest.

    -1 stands for what lies outside.
    """
    base = np.rint(x) if mode == "nearest" else np.floor(x)
    base = np.where(np.isfinite(x), base, -100.0)
    flat: Any = np.zeros((*x.shape[:-1], 1), np.int64)
    outside = np.zeros(flat.shape, bool)
    step = 1
    for axis, n in enumerate(size):
        at = base[..., axis, None] + np.array(OFFSETS[mode], x.dtype)
        if mode == "bicubic" and padding != "zeros":
            if padding == "reflection":
                at = _reflected(at, np.asarray(n, x.dtype), align)[0]
            at = np.clip(at, 0, n - 1)
        wrong = (at < 0) | (at > n - 1)
        whole = np.clip(at, 0, n - 1).astype(np.int64) * step
        # A new axis runs slower than those before it.
        shape = (*x.shape[:-1], flat.shape[-1] * at.shape[-1])
        flat = (whole[..., :, None] + flat[..., None, :]).reshape(shape)
        outside = (wrong[..., :, None] | outside[..., None, :]).reshape(shape)
        step *= n
    flat[outside] = -1
    return flat


# --- Taking elements, and putting gradients back --------------------------------------------------


@structured(
    lambda g, y, x, places: _grid_spread(g, places, size=x.shape[2]),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("places", ""),
    infer=lambda x, places: Spec((*x.shape[:2], places.shape[1]), x.dtype),
    formula=("x[places]", "scatter(g, places)", None),
)
def _grid_pick(x, places, /):
    """X (N, C, L) at places (N, Q), which may repeat; 0 where the place is -1."""
    y = np.empty((*x.shape[:2], places.shape[1]), x.dtype)
    for n, row in enumerate(places):
        y[n] = x[n][:, row]
        y[n][:, row < 0] = 0
    return y


@structured(
    lambda g, y, h, places, size: _grid_pick(g, places),
    None,
    saves=("places", ""),
    infer=lambda h, places, *, size: Spec((*h.shape[:2], size), h.dtype),
    formula=("scatter(h, places)", "g[places]", None),
)
def _grid_spread(h, places, /, *, size):
    """The adjoint of `_grid_pick`."""
    y = np.zeros((*h.shape[:2], size), h.dtype)
    for n, row in enumerate(places):
        order = np.argsort(row, kind="stable")
        order = order[np.count_nonzero(row < 0) :]
        if len(order):
            where_to, starts = np.unique(row[order], return_index=True)
            y[n][:, where_to] = np.add.reduceat(h[n][:, order], starts, axis=1)
    return y


_AT = {"size": (3, 2), "padding": "reflection", "align": False}
_PLACES = np.array([[0, 4, -1, 4], [2, 2, 1, -1]])
_grid_coordinates.op.samples = lambda draw: [
    ((draw((2, 4, 2)),), _AT | {"padding": padding, "align": align})
    for padding in ("zeros", "border", "reflection")
    for align in (False, True)
]
grid_slopes.op.samples = _grid_coordinates.op.samples
grid_places.op.samples = lambda draw: [
    ((draw((2, 4, 2)),), _AT | {"mode": mode, "padding": padding})
    for mode, padding in (("nearest", "zeros"), ("bilinear", "zeros"), ("bicubic", "border"))
]
_grid_pick.op.samples = lambda draw: [((draw((2, 3, 5)), _PLACES), {})]
_grid_spread.op.samples = lambda draw: [((draw((2, 3, 4)), _PLACES), {"size": 5})]

# --- What users call ------------------------------------------------------------------------------


def _weights(t: Any, mode: str) -> Any:
    """How much each element around a place counts: (..., d) to (..., d, taps)."""
    if mode == "bilinear":
        return stack([1 - t, t], -1)
    near = ((BEND + 2) * t - (BEND + 3)) * t * t + 1
    before = ((BEND * t - 2 * BEND) * t + BEND) * t
    after = 1 - t
    far = ((BEND * after - 2 * BEND) * after + BEND) * after
    return stack([before, near, 1 - before - near - far, far], -1)


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """Values of images or volumes at places that a grid gives.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (N, C, D, H, W)
    grid : Tensor, (N, OH, OW, 2) or (N, OD, OH, OW, 3)
        Places in the order x, y (, z), from -1 (left, top, front) to 1.
    mode : {"bilinear", "nearest", "bicubic"}
        How elements around a place count; "bicubic" for images only.
    padding_mode : {"zeros", "border", "reflection"}
        What lies outside.
    align_corners : bool, optional
        -1 and 1 are the centres of the outer elements, not their outer edges (the default).

    Returns
    -------
    Tensor, (N, C, OH, OW) or (N, C, OD, OH, OW)

    Raises
    ------
    ValueError
        If shapes do not fit or a mode is unknown.
    NotImplementedError
        For "bicubic" with volumes.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> autograd.grid_sample(x, autograd.zeros(1, 1, 1, 2))
    tensor([[[[1.5000]]]])
    """
    shape, places = shape_of(input, "grid_sample"), shape_of(grid, "grid_sample")
    count = len(shape) - 2
    if count not in (2, 3) or len(places) != len(shape) or places[-1] != count:
        raise ValueError(
            "grid_sample: expected input (N, C, H, W) and grid (N, OH, OW, 2), or both with one "
            f"dimension more, met {shape} and {places}"
        )
    if shape[0] != places[0]:
        raise ValueError(f"grid_sample: batches differ, met input {shape} and grid {places}")
    if mode not in OFFSETS or padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"grid_sample: unknown mode {mode!r} or padding_mode {padding_mode!r}")
    if mode == "bicubic" and count == 3:
        raise NotImplementedError("grid_sample: mode 'bicubic' is for images, not for volumes")
    if min(shape[2:]) < 1:
        raise ValueError(f"grid_sample: the input has no elements, met {shape}")
    floats("grid_sample", input)
    floats("grid_sample", grid)
    size, points = shape[:1:-1], math.prod(places[1:-1])
    align = bool(align_corners)
    # The taps of bicubic are brought inside one by one.
    first = "zeros" if mode == "bicubic" else padding_mode
    flat = _reshape(grid, shape=(places[0], points, count))
    at = _grid_coordinates(flat, size=size, padding=first, align=align)
    index = grid_places(at, size=size, mode=mode, padding=padding_mode, align=align)
    taps = len(OFFSETS[mode]) ** count
    picked = _grid_pick(
        _reshape(input, shape=(*shape[:2], math.prod(shape[2:]))),
        _reshape(index, shape=(places[0], points * taps)),
    )
    if mode == "nearest":
        y = picked
        if isinstance(grid, Variable) and grid.requires_grad:  # zeros, not nothing, flow to it
            y = y + where(False, _reshape(sum(at, -1), shape=(places[0], 1, points)), 0.0)
    else:
        each = _weights(at - floor(at), mode)
        weight = each[:, :, 0]
        for axis in range(1, count):
            weight = unsqueeze(each[:, :, axis], -1) * unsqueeze(weight, -2)
            weight = _reshape(weight, shape=(places[0], points, len(OFFSETS[mode]) ** (axis + 1)))
        around = _reshape(picked, shape=(*shape[:2], points, taps))
        y = sum(around * _reshape(weight, shape=(places[0], 1, points, taps)), -1)
    return _reshape(y, shape=(*shape[:2], *places[1:-1]))


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid by which `grid_sample` applies affine maps.

    Parameters
    ----------
    theta : Tensor, (N, 2, 3) or (N, 3, 4)
        A matrix, and a shift in the last column, from places of the result to those of the input.
    size : sequence of int
        (N, C, H, W) or (N, C, D, H, W), of the result.
    align_corners : bool, optional
        As for `grid_sample`.

    Returns
    -------
    Tensor, (N, H, W, 2) or (N, D, H, W, 3)

    Raises
    ------
    ValueError
        If shapes do not fit.
    TypeError
        If theta is not of floats.

    Examples
    --------
    >>> import autograd
    >>> same = autograd.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> autograd.affine_grid(same, (1, 1, 1, 2))
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    shape = shape_of(theta, "affine_grid")
    wanted = tuple(n.__index__() for n in size)
    count = len(wanted) - 2
    if count not in (2, 3) or shape != (wanted[0], count, count + 1) or min(wanted) < 1:
        raise ValueError(
            "affine_grid: expected theta (N, 2, 3) with size (N, C, H, W), or (N, 3, 4) with "
            f"(N, C, D, H, W), met {shape} and {wanted}"
        )
    floats("affine_grid", theta)
    lines = []
    for n in wanted[2:]:
        line = np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(1)
        lines.append(line if align_corners else line * (n - 1) / n)
    axes = np.meshgrid(*lines, indexing="ij")[::-1]
    points = np.stack([a.ravel() for a in (*axes, np.ones(wanted[2:]))], 1).astype(theta.dtype)
    return _reshape(_matmul(points, mT(theta)), shape=(wanted[0], *wanted[2:], count))
