"""Matrix products, and layers made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import kernels

from ..subjects import Arrays, kernel
from .common import beside, itself, normal, passes


def matrices(size: Any, rng: np.random.Generator) -> Arrays:
    """Two factors for (rows, inner, columns), or squares."""
    m, k, n = size if isinstance(size, tuple) else (size,) * 3
    return rng.standard_normal((m, k)), rng.standard_normal((k, n))


def flops(a: Any, b: Any, *_: Any) -> float:
    """A multiplication and an addition for each element of a and column of b."""
    return 2.0 * a.size * (b.shape[-1] if b.ndim > 1 else 1)


kernel(
    name="matmul",
    reference=np.matmul,
    inputs=matrices,
    flops=flops,
    rivals=beside(numpy=np.matmul, torch=lambda t, a, b: t.matmul(a, b), jax=lambda j, a, b: a @ b),
    sizes=(512, 64, 128, 1024, (64, 784, 128), (4096, 64, 4096)),
)(kernels.matmul)

kernel(
    name="matvec",
    reference=np.matmul,
    inputs=lambda size, rng: (rng.standard_normal((size, size)), rng.standard_normal(size)),
    flops=flops,
    rivals=beside(numpy=np.matmul, torch=lambda t, a, b: t.matmul(a, b), jax=lambda j, a, b: a @ b),
    sizes=(1000, 4000),
)(kernels.matmul)

kernel(
    name="matmul.batch",
    reference=np.matmul,
    inputs=normal(lambda s: (s[0], s[1], s[2]), lambda s: (s[0], s[2], s[1])),
    flops=flops,
    rivals=beside(numpy=np.matmul, torch=lambda t, a, b: t.matmul(a, b), jax=lambda j, a, b: a @ b),
    sizes=((512, 32, 64), (32, 4, 4)),
)(kernels.matmul)

passes(
    "linear.grad",
    lambda f, x, w, b: f.linear(x, w, b),
    # Rows, inputs and outputs.
    inputs=normal(
        lambda s: (s[0], s[1]), lambda s: (s[2], s[1]), lambda s: (s[2],), lambda s: (s[0], s[2])
    ),
    sizes=((128, 784, 512), (32, 64, 10), (64, 784, 128)),
    jax=lambda j, x, w, b: x @ w.T + b,
    wanted=3,
    flops=lambda x, w, b, g: 6.0 * x.size * w.shape[0],
)

passes(
    "linear.gelu.grad",
    lambda f, x, w, b: f.gelu(f.linear(x, w, b)),
    inputs=normal(
        lambda s: (s[0], s[1]), lambda s: (s[2], s[1]), lambda s: (s[2],), lambda s: (s[0], s[2])
    ),
    sizes=((512, 128, 512),),
    jax=lambda j, x, w, b: j.nn.gelu(x @ w.T + b, approximate=False),
    wanted=3,
    flops=lambda x, w, b, g: 6.0 * x.size * w.shape[0],
)

passes(
    "expression.grad",
    lambda f, x, w, b: f.tanh(x * w + b),
    inputs=normal(itself, itself, itself, itself),
    sizes=((64, 64), 8),
    jax=lambda j, x, w, b: j.numpy.tanh(x * w + b),
    wanted=3,
)
