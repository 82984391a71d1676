"""Convolutions and pools of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import kernels

from ..subjects import Arrays, kernel
from .common import beside, passes

LAYERS = {
    # batch, channels, side, outputs, filter side, stride, groups
    "conv2d": (
        (32, 64, 8, 64, 3, 1, 1),
        (64, 1, 28, 6, 5, 1, 1),
        (32, 16, 32, 16, 3, 1, 1),
        (32, 16, 32, 32, 3, 2, 1),
        (4, 64, 56, 64, 3, 1, 1),
        (4, 64, 56, 256, 1, 1, 1),
        (4, 3, 224, 64, 7, 2, 1),
    ),
    "conv2d.depthwise": ((4, 64, 56, 64, 3, 1, 64),),
}
"""Padded so that a stride of 1 keeps the side."""

TOLERANCE = 1e-4
"""Winograd's sums cancel: 2e-5 and more of the largest, where PyTorch has 2e-6."""


def window(w: Any, side: int, outside: int) -> tuple[int, int]:
    """Padding and stride, from the sides of filter, input and output."""
    padding = w.shape[2] // 2
    return padding, 1 if outside == side else -(-side // outside)


def images(size: Any, rng: np.random.Generator) -> Arrays:
    """Images, filters, and a gradient of the result."""
    batch, channels, side, outputs, k, stride, groups = size
    out = (side + 2 * (k // 2) - k) // stride + 1
    return (
        rng.standard_normal((batch, channels, side, side)),
        rng.standard_normal((outputs, channels // groups, k, k)),
        rng.standard_normal((batch, outputs, out, out)),
    )


def settings(x: Any, w: Any, g: Any) -> dict[str, Any]:
    """Keyword arguments of the kernels."""
    padding, stride = window(w, x.shape[2], g.shape[2])
    return {
        "stride": (stride, stride),
        "padding": (padding, padding),
        "dilation": (1, 1),
        "groups": x.shape[1] // w.shape[1],
    }


def flops(x: Any, w: Any, g: Any) -> float:
    """Multiplications and additions of the definition, which Winograd's algorithm undercuts."""
    return 2.0 * g.shape[0] * g.shape[2] * g.shape[3] * w.size


def forward(x: Any, w: Any, g: Any) -> Any:
    """Ours."""
    return kernels.conv2d(x, w, None, **settings(x, w, g))


def input_gradient(x: Any, w: Any, g: Any) -> Any:
    """Ours."""
    return kernels.conv2d_input(g, w, size=x.shape[2:], **settings(x, w, g))


def weight_gradient(x: Any, w: Any, g: Any) -> Any:
    """Ours."""
    return kernels.conv2d_weight(x, g, kernel_size=w.shape[2:], **settings(x, w, g))


def taps(x: np.ndarray, w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The definition, one tap of the filter at a time."""
    told = settings(x, w, g)
    (pad, _), (step, _), groups = told["padding"], told["stride"], told["groups"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    split = padded.reshape(x.shape[0], groups, -1, *padded.shape[2:])
    weights = w.reshape(groups, -1, *w.shape[1:])
    height, width = g.shape[2:]
    y = np.zeros((x.shape[0], groups, weights.shape[1], height, width))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            part = split[:, :, :, i : i + step * height : step, j : j + step * width : step]
            y += np.einsum("goc,ngchw->ngohw", weights[..., i, j], part, optimize=True)
    return y.reshape(g.shape)


def by_reference(function: Any) -> Any:
    """The same on the NumPy references."""

    def call(*arrays: Any) -> Any:
        with kernels.use("reference"):
            return function(*arrays)

    return call


def torch_forward(t: Any, x: Any, w: Any, g: Any) -> Any:
    """PyTorch's."""
    padding, stride = window(w, x.shape[2], g.shape[2])
    return t.conv2d(x, w, None, stride, padding, 1, x.shape[1] // w.shape[1])


def torch_backward(which: int) -> Any:
    """PyTorch's gradient of the input (0) or of the weights (1)."""

    def call(t: Any, x: Any, w: Any, g: Any) -> Any:
        padding, stride = window(w, x.shape[2], g.shape[2])
        back = t.ops.aten.convolution_backward
        where = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], x.shape[1] // w.shape[1]
        return back(g, x, w, None, *where, [which == 0, which == 1, False])[which]

    return call


def jax_forward(j: Any, x: Any, w: Any, g: Any) -> Any:
    """JAX's."""
    padding, stride = window(w, x.shape[2], g.shape[2])
    return j.lax.conv_general_dilated(
        x,
        w,
        (stride, stride),
        [(padding, padding)] * 2,
        feature_group_count=x.shape[1] // w.shape[1],
    )


def jax_backward(which: int) -> Any:
    """JAX's gradient of the input (0) or of the weights (1)."""

    def call(j: Any, x: Any, w: Any, g: Any) -> Any:
        def of_one(one: Any) -> Any:
            return jax_forward(j, one if which == 0 else x, w if which == 0 else one, g)

        return j.vjp(of_one, x if which == 0 else w)[1](g)[0]

    return call


for _name, _sizes in LAYERS.items():
    for _pass, _ours, _reference, _torch, _jax in (
        ("", forward, taps, torch_forward, jax_forward),
        (
            ".input",
            input_gradient,
            by_reference(input_gradient),
            torch_backward(0),
            jax_backward(0),
        ),
        (
            ".weight",
            weight_gradient,
            by_reference(weight_gradient),
            torch_backward(1),
            jax_backward(1),
        ),
    ):
        kernel(
            name=f"{_name}{_pass}",
            reference=_reference,
            inputs=images,
            flops=flops,
            bytes=lambda x, w, g: x.nbytes + w.nbytes + g.nbytes,
            rivals=beside(torch=_torch, jax=_jax),
            sizes=_sizes,
            dtypes=("float32",),
            tolerance=TOLERANCE,
        )(_ours)


def pooled(size: Any, rng: np.random.Generator) -> Arrays:
    """Images, and a gradient of their pools of 2 x 2."""
    batch, channels, side = size
    return (
        rng.standard_normal((batch, channels, side, side)),
        rng.standard_normal((batch, channels, side // 2, side // 2)),
    )


def jax_max_pool(j: Any, x: Any) -> Any:
    """JAX's."""
    where = (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
    return j.lax.reduce_window(x, -float("inf"), j.lax.max, *where)


def jax_avg_pool(j: Any, x: Any) -> Any:
    """JAX's."""
    where = (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
    return j.lax.reduce_window(x, 0.0, j.lax.add, *where) * 0.25


POOLS = ((64, 6, 28), (8, 16, 28), (16, 64, 98))
passes(
    "max_pool2d.grad",
    lambda f, x: f.max_pool2d(x, 2),
    inputs=pooled,
    sizes=POOLS,
    jax=jax_max_pool,
)
passes(
    "avg_pool2d.grad",
    lambda f, x: f.avg_pool2d(x, 2),
    inputs=pooled,
    sizes=POOLS,
    jax=jax_avg_pool,
)
