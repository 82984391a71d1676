"""Pooling of sequences and of volumes, by the ops for images.

A sequence is an image one row high. A window of a volume is pooled over its planes first, and then
over its depth: both the largest element (the first of equal ones) and the mean come out the same.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Spec
from ..kernels import max_pool2d as max_pool2d_kernel
from ..kernels.common import pool_output_size
from .conv_arguments import AXES, Sizes, ints
from .pool import _avg_pool2d, _checked, _max_pool2d, floats, max_pool2d_indices
from .shape import _reshape


def _lead(who: str, input: Any, count: int) -> Sizes:
    """The dimensions before the `count` that are pooled: (N, C) or (C,)."""
    shape = shape_of(input, who)
    if len(shape) not in (count + 1, count + 2):
        axes = ", ".join(AXES[count - 1])
        raise ValueError(f"{who}: expected input (N, C, {axes}) or (C, {axes}), met {shape}")
    return shape[:-count]


def _as_image(input: Any, lead: Sizes, depths: int, rows: int, cols: int) -> Any:
    batch = lead[:-1] or (1,)
    return _reshape(input, shape=(*batch, lead[-1] * depths, rows, cols))


def _steps(who: str, count: int, kernel_size: Any, stride: Any, padding: Any) -> list[Sizes]:
    kernel = ints(who, "kernel_size", kernel_size, count, 1)
    given = kernel if stride is None or stride in ((), []) else stride
    return [kernel, ints(who, "stride", given, count, 1), ints(who, "padding", padding, count, 0)]


# --- Sequences ------------------------------------------------------------------------------------


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest element of each window of (N, C, L) or (C, L); arguments as of `max_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.max_pool1d(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    lead = _lead("max_pool1d", input, 1)
    (k,), (s,), (p,) = _steps("max_pool1d", 1, kernel_size, stride, padding)
    (d,) = ints("max_pool1d", "dilation", dilation, 1, 1)
    image = _as_image(input, lead, 1, 1, shape_of(input, "max_pool1d")[-1])
    at = _checked(
        "max_pool1d", image, (1, k), (1, s), (0, p), dilation=(1, d), ceil_mode=bool(ceil_mode)
    )
    y = _max_pool2d(image, **at)
    shape = (*lead, y.shape[-1])
    if not return_indices:
        return _reshape(y, shape=shape)
    return _reshape(y, shape=shape), _reshape(max_pool2d_indices(image, **at), shape=shape)


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Mean of each window of (N, C, L) or (C, L); arguments as of `avg_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.avg_pool1d(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    lead = _lead("avg_pool1d", input, 1)
    floats("avg_pool1d", input)
    (k,), (s,), (p,) = _steps("avg_pool1d", 1, kernel_size, stride, padding)
    image = _as_image(input, lead, 1, 1, shape_of(input, "avg_pool1d")[-1])
    at = _checked("avg_pool1d", image, (1, k), (1, s), (0, p), ceil_mode=bool(ceil_mode))
    y = _avg_pool2d(image, **at, count_include_pad=bool(count_include_pad), divisor_override=None)
    return _reshape(y, shape=(*lead, y.shape[-1]))


# --- Volumes --------------------------------------------------------------------------------------


def _planes_and_depths(at: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of a pool over volumes as those of the two pools over images."""
    planes, depths = {}, {}
    for name, value in at.items():
        sizes = isinstance(value, tuple)
        rest = 0 if name == "padding" else 1
        planes[name] = value[1:] if sizes else value
        depths[name] = (value[0], rest) if sizes else value
    return planes, depths


@structured(
    None,
    infer=lambda x, **at: Spec((*x.shape[:2], *pool_output_size(x.shape[2:], **at)), "int64"),
    formula=("argmax(windows(x))", None),
)
def max_pool3d_indices(x, /, *, kernel_size, stride, padding, dilation, ceil_mode):
    """Where each maximum stands, as a flat index into its volume (D * H * W)."""
    planes, depths = _planes_and_depths(
        {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "ceil_mode": ceil_mode,
        }
    )
    n, c, d, h, w = x.shape
    best, where = max_pool2d_kernel(x.reshape(n, c * d, h, w), **planes)
    out = best.shape[2:]
    area = math.prod(out)
    best, where = best.reshape(n, c, d, area), where.reshape(n, c, d * area)
    _, which = max_pool2d_kernel(best, **depths)
    flat = which.reshape(n, c, -1)
    places = flat // area * (h * w) + np.take_along_axis(where, flat, 2)
    return places.reshape(n, c, -1, *out)


_VOLUME = {
    "kernel_size": (2, 1, 2),
    "stride": (1, 2, 1),
    "padding": (1, 0, 1),
    "dilation": (1, 1, 1),
    "ceil_mode": False,
}
max_pool3d_indices.op.samples = lambda draw: [((draw((2, 2, 3, 3, 2)),), _VOLUME)]


def _checked_volume(
    who: str, x: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, **rest: Any
) -> dict[str, Any]:
    """Arguments of a pool over volumes, each of the two pools having found its own right."""
    at = {"kernel_size": kernel, "stride": stride, "padding": padding, **rest}
    planes, depths = _planes_and_depths(at)
    _checked(who, Spec((1, 1, *x[-2:])), **planes)
    _checked(who, Spec((1, 1, x[-3], 1)), **depths)
    return at


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest element of each window of (N, C, D, H, W) or (C, D, H, W); see `max_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.max_pool3d(autograd.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    lead = _lead("max_pool3d", input, 3)
    d, h, w = shape_of(input, "max_pool3d")[-3:]
    kernel, step, around = _steps("max_pool3d", 3, kernel_size, stride, padding)
    at = _checked_volume(
        "max_pool3d",
        (d, h, w),
        kernel,
        step,
        around,
        dilation=ints("max_pool3d", "dilation", dilation, 3, 1),
        ceil_mode=bool(ceil_mode),
    )
    planes, depths = _planes_and_depths(at)
    y = _max_pool2d(_as_image(input, lead, d, h, w), **planes)
    out = y.shape[2:]
    y = _max_pool2d(_as_image(y, lead, 1, d, math.prod(out)), **depths)
    shape = (*lead, y.shape[2], *out)
    y = _reshape(y, shape=shape)
    if not return_indices:
        return y
    volume = _reshape(input, shape=(*(lead[:-1] or (1,)), lead[-1], d, h, w))
    return y, _reshape(max_pool3d_indices(volume, **at), shape=shape)


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Mean of each window of (N, C, D, H, W) or (C, D, H, W); arguments as of `avg_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.avg_pool3d(autograd.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    if divisor_override == 0:
        raise ValueError("avg_pool3d: divisor_override must not be 0")
    lead = _lead("avg_pool3d", input, 3)
    floats("avg_pool3d", input)
    d, h, w = shape_of(input, "avg_pool3d")[-3:]
    kernel, step, around = _steps("avg_pool3d", 3, kernel_size, stride, padding)
    at = _checked_volume("avg_pool3d", (d, h, w), kernel, step, around, ceil_mode=bool(ceil_mode))
    planes, depths = _planes_and_depths(at)
    counted = {"count_include_pad": bool(count_include_pad)}
    # With a divisor of the user's the planes are only summed.
    first = None if divisor_override is None else 1
    y = _avg_pool2d(_as_image(input, lead, d, h, w), **planes, **counted, divisor_override=first)
    out = y.shape[2:]
    y = _avg_pool2d(
        _as_image(y, lead, 1, d, math.prod(out)),
        **depths,
        **counted,
        divisor_override=divisor_override,
    )
    return _reshape(y, shape=(*lead, y.shape[2], *out))
