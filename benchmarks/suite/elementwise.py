"""Functions of single elements, alone and with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import kernels

from ..subjects import kernel
from .common import Formula, beside, itself, normal, passes, scipy_function

SIZES = (100_000, 1_000, 1_000_000)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), from the exponential that cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def error_function(x: np.ndarray) -> np.ndarray:
    """The error function of the references."""
    with kernels.use("reference"):
        return kernels.erf(x)


def gelu(x: np.ndarray) -> np.ndarray:
    """X times the part of a normal distribution below it."""
    return 0.5 * x * (1.0 + error_function(x / np.sqrt(2.0)))


LINES: dict[str, tuple[Callable[..., Any], Formula, Formula | None, Formula | None, Formula]] = {
    # Ours, the formula, NumPy's and SciPy's way, JAX's; PyTorch has the name.
    "exp": (kernels.exp, np.exp, np.exp, None, lambda j, x: j.numpy.exp(x)),
    "log": (
        lambda x: kernels.log(np.abs(x)),
        lambda x: np.log(np.abs(x)),
        lambda x: np.log(np.abs(x)),
        None,
        lambda j, x: j.numpy.log(j.numpy.abs(x)),
    ),
    "sin": (kernels.sin, np.sin, np.sin, None, lambda j, x: j.numpy.sin(x)),
    "tanh": (kernels.tanh, np.tanh, np.tanh, None, lambda j, x: j.numpy.tanh(x)),
    "erf": (
        kernels.erf,
        error_function,
        None,
        scipy_function("special.erf"),
        lambda j, x: j.scipy.special.erf(x),
    ),
    "sigmoid": (
        kernels.sigmoid,
        sigmoid,
        None,
        scipy_function("special.expit"),
        lambda j, x: j.nn.sigmoid(x),
    ),
    "relu": (
        kernels.relu,
        lambda x: np.maximum(x, 0.0),
        lambda x: np.maximum(x, 0),
        None,
        lambda j, x: j.nn.relu(x),
    ),
    "gelu": (kernels.gelu, gelu, None, None, lambda j, x: j.nn.gelu(x, approximate=False)),
    "silu": (kernels.silu, lambda x: x * sigmoid(x), None, None, lambda j, x: j.nn.silu(x)),
    "add": (kernels.add, np.add, np.add, None, lambda j, x, y: x + y),
    "multiply": (kernels.multiply, np.multiply, np.multiply, None, lambda j, x, y: x * y),
}


def torch_way(name: str) -> Formula:
    """PyTorch's function of a name."""
    if name == "log":
        return lambda t, x: t.log(t.abs(x))
    return lambda t, *arrays: getattr(t, name)(*arrays)


for _name, (_ours, _reference, _numpy, _scipy, _jax) in LINES.items():
    kernel(
        name=_name,
        reference=_reference,
        inputs=normal(itself, itself) if _name in ("add", "multiply") else normal(itself),
        rivals=beside(numpy=_numpy, scipy=_scipy, torch=torch_way(_name), jax=_jax),
        sizes=SIZES,
    )(_ours)

passes(
    "sqrt.grad",
    lambda f, x: f.sqrt(x),
    inputs=lambda size, rng: (0.1 + rng.random(size), rng.standard_normal(size)),
    sizes=SIZES,
    jax=lambda j, x: j.numpy.sqrt(x),
)

for _name in ("relu", "tanh", "sigmoid", "gelu", "silu", "exp"):
    passes(
        f"{_name}.grad",
        lambda f, x, name=_name: getattr(f, name)(x),
        inputs=normal(itself, itself),
        sizes=SIZES,
        jax=LINES[_name][4],
    )

passes(
    "where.grad",
    lambda f, x, y, mask: f.where(mask, x, y),
    inputs=lambda size, rng: (
        rng.standard_normal(size),
        rng.standard_normal(size),
        rng.random(size) < 0.5,
        rng.standard_normal(size),
    ),
    sizes=SIZES,
    jax=lambda j, x, y, mask: j.numpy.where(mask, x, y),
    wanted=2,
)
