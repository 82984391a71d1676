"""What works on rows and channels: softmax, losses, normalisations, sums, scans."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import kernels

from ..subjects import Arrays, kernel
from .common import beside, itself, normal, passes

SHAPES = ((512, 512), (128, 10), (4096, 1000))


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax of each row."""
    z = np.exp(x - x.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax of each row."""
    z = x - x.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


kernel(
    name="softmax",
    reference=softmax,
    inputs=normal(itself),
    rivals=beside(
        numpy=softmax,
        torch=lambda t, x: t.softmax(x, -1),
        jax=lambda j, x: j.nn.softmax(x, axis=-1),
    ),
    sizes=SHAPES,
)(lambda x: kernels.softmax(x, axis=-1))

kernel(
    name="log_softmax",
    reference=log_softmax,
    inputs=normal(itself),
    rivals=beside(
        numpy=log_softmax,
        torch=lambda t, x: t.log_softmax(x, -1),
        jax=lambda j, x: j.nn.log_softmax(x, axis=-1),
    ),
    sizes=SHAPES,
)(lambda x: kernels.log_softmax(x, axis=-1))

passes(
    "softmax.grad",
    lambda f, x: f.softmax(x, -1),
    inputs=normal(itself, itself),
    sizes=SHAPES,
    jax=lambda j, x: j.nn.softmax(x, axis=-1),
)


def classes(size: Any, rng: np.random.Generator) -> Arrays:
    """Scores, and the number of the right class of each row."""
    return rng.standard_normal(size), rng.integers(0, size[1], size[0])


def jax_cross_entropy(j: Any, x: Any, target: Any) -> Any:
    """The mean of what the right classes' scores lack."""
    found = j.numpy.take_along_axis(j.nn.log_softmax(x, axis=-1), target[:, None], 1)
    return -found.mean()


passes(
    "cross_entropy.grad",
    lambda f, x, target: f.cross_entropy(x, target),
    inputs=classes,
    sizes=SHAPES,
    jax=jax_cross_entropy,
    loss=True,
)


def channels(size: tuple[int, ...]) -> tuple[int, ...]:
    """One number for each of the second axis."""
    return (size[1],)


def jax_norm(j: Any, x: Any, weight: Any, bias: Any, axes: tuple[int, ...]) -> Any:
    """Centred and scaled over some axes; weight and bias along the second one."""
    mean = x.mean(axes, keepdims=True)
    part = (x - mean) * j.lax.rsqrt(x.var(axes, keepdims=True) + 1e-5)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return part * weight.reshape(shape) + bias.reshape(shape)


passes(
    "layer_norm.grad",
    lambda f, x, w, b: f.layer_norm(x, (x.shape[1],), w, b),
    inputs=normal(itself, channels, channels, itself),
    sizes=((512, 512), (100, 1000), (4096, 1000)),
    jax=lambda j, x, w, b: jax_norm(j, x, w, b, (1,)),
    wanted=3,
)

passes(
    "batch_norm.grad",
    lambda f, x, w, b: f.batch_norm(x, None, None, w, b, training=True),
    inputs=normal(itself, channels, channels, itself),
    sizes=((32, 64, 8, 8), (64, 6, 28, 28), (4, 64, 56, 56), (256, 128)),
    jax=lambda j, x, w, b: jax_norm(j, x, w, b, (0, *range(2, x.ndim))),
    wanted=3,
    tolerance=5e-5,
)


def jax_group_norm(j: Any, x: Any, w: Any, b: Any) -> Any:
    """Each image's channels normalised in two groups."""
    split = x.reshape(x.shape[0], 2, -1)
    mean, variance = split.mean(2, keepdims=True), split.var(2, keepdims=True)
    y = ((split - mean) * j.lax.rsqrt(variance + 1e-5)).reshape(x.shape)
    return y * w[:, None, None] + b[:, None, None]


passes(
    "group_norm.grad",
    lambda f, x, w, b: f.group_norm(x, 2, w, b),
    inputs=normal(itself, channels, channels, itself),
    sizes=((32, 64, 8, 8), (4, 64, 56, 56)),
    jax=jax_group_norm,
    wanted=3,
    tolerance=5e-5,
)

for _axes, _title in (((0,), "columns"), ((1,), "rows"), ((0, 1), "all")):
    kernel(
        name=f"sum.{_title}",
        reference=lambda x, axes=_axes: x.sum(axes),
        inputs=normal(itself),
        flops=lambda x: x.size,
        rivals=beside(
            numpy=lambda x, axes=_axes: x.sum(axes),
            torch=lambda t, x, axes=_axes: t.sum(x, axes),
            jax=lambda j, x, axes=_axes: x.sum(axes),
        ),
        sizes=((1000, 1000), (100, 10)),
        tolerance=1e-5,
    )(lambda x, axes=_axes: kernels.sum(x, dim=axes, keepdim=False))

kernel(
    name="cumsum",
    reference=lambda x: x.cumsum(-1),
    inputs=normal(itself),
    flops=lambda x: x.size,
    rivals=beside(
        numpy=lambda x: x.cumsum(-1),
        torch=lambda t, x: t.cumsum(x, -1),
        jax=lambda j, x: x.cumsum(-1),
    ),
    sizes=((100, 1000), (1000, 1000)),
)(lambda x: kernels.running_sum(x, 0))


def near_one(size: Any, rng: np.random.Generator) -> Arrays:
    """Numbers whose products neither vanish nor overflow, and a gradient."""
    return 1.0 + 0.01 * rng.standard_normal(size), rng.standard_normal(size)


passes(
    "cumprod.grad",
    lambda f, x: f.cumprod(x, -1),
    inputs=near_one,
    sizes=((100, 1000),),
    jax=lambda j, x: x.cumprod(-1),
    tolerance=1e-4,
)
passes(
    "cummax.grad",
    lambda f, x: f.cummax(x, -1)[0],
    inputs=near_one,
    sizes=((100, 1000),),
    jax=lambda j, x: j.lax.cummax(x, axis=x.ndim - 1),
)
