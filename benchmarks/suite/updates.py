"""Steps of optimizers over a million numbers in 20 tensors, and over 20 small ones."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
import optim
from autograd import kernels

from .. import rivals
from ..subjects import Arrays, Built, kernel

TENSORS = 20
STEPS = 3
"""So many steps are compared."""

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.9},
    "Adam": {"lr": 1e-3},
    "RMSprop": {"lr": 1e-3},
    "Adagrad": {"lr": 1e-3},
}
FUSED = ("SGD", "Adam", "Adagrad")


def tensors(size: Any, rng: np.random.Generator) -> Arrays:
    """Parameters, then their gradients: so many numbers altogether."""
    each = size // TENSORS
    return tuple(rng.standard_normal(each) for _ in range(2 * TENSORS))


def ours(name: str, arrays: Arrays) -> Callable[[], Any]:
    """Ours."""
    parameters = [autograd.tensor(a, requires_grad=True) for a in arrays[:TENSORS]]
    for parameter, slope in zip(parameters, arrays[TENSORS:], strict=True):
        parameter.grad = autograd.tensor(slope)
    optimizer = getattr(optim, name)(parameters, **OPTIMIZERS[name])

    def call() -> Any:
        optimizer.step()
        return parameters

    return call


def theirs(name: str, own: Arrays, **form: bool) -> Callable[[], Any]:
    """PyTorch's."""
    torch = importlib.import_module("torch")
    parameters = [a.clone().requires_grad_() for a in own[:TENSORS]]
    for parameter, slope in zip(parameters, own[TENSORS:], strict=True):
        parameter.grad = slope.clone()
    optimizer = getattr(torch.optim, name)(parameters, **OPTIMIZERS[name], **form)

    def call() -> Any:
        optimizer.step()
        return parameters

    return call


def jax_update(name: str) -> Callable[..., Any]:
    """``update(jax, parameters, slopes, state)``: the new parameters and state, for a list each."""

    def sgd(j: Any, p: list[Any], g: list[Any], state: Any) -> Any:
        (buffers,) = state
        buffers = [0.9 * b + d for b, d in zip(buffers, g, strict=True)]
        return [a - 1e-3 * b for a, b in zip(p, buffers, strict=True)], (buffers,)

    def adam(j: Any, p: list[Any], g: list[Any], state: Any) -> Any:
        first, second, count = state
        count = count + 1.0
        first = [0.9 * m + 0.1 * d for m, d in zip(first, g, strict=True)]
        second = [0.999 * v + 0.001 * d * d for v, d in zip(second, g, strict=True)]
        rate = 1e-3 / (1.0 - 0.9**count)
        root = j.numpy.sqrt(1.0 - 0.999**count)
        p = [
            a - rate * m / (j.numpy.sqrt(v) / root + 1e-8)
            for a, m, v in zip(p, first, second, strict=True)
        ]
        return p, (first, second, count)

    return {"SGD": sgd, "Adam": adam}[name]


def jax_state(j: Any, name: str, parameters: list[Any]) -> Any:
    """What an optimizer keeps, at the start."""
    zeros = [j.numpy.zeros_like(p) for p in parameters]
    if name == "SGD":
        return (zeros,)
    count = j.numpy.zeros((), parameters[0].dtype)
    return zeros, [j.numpy.zeros_like(p) for p in parameters], count


def jaxs(name: str, own: Arrays) -> Callable[[], Any]:
    """JAX's, the old parameters given away to be written over."""
    j, update = rivals.jax(), jax_update(name)
    parameters = [j.numpy.array(a, copy=True) for a in own[:TENSORS]]
    slopes, state = list(own[TENSORS:]), jax_state(j, name, list(own[:TENSORS]))

    def whole(p: Any, g: Any, s: Any) -> Any:
        return update(j, p, g, s)

    step = rivals.jax_compiled(whole, donate_argnums=(0, 2))

    def call() -> Any:
        nonlocal parameters, state
        parameters, state = step(parameters, slopes, state)
        return parameters

    return call


def enter(name: str) -> None:
    """Enter an optimizer."""

    def reference(*arrays: Any) -> Any:
        with kernels.use("reference"):
            call = ours(name, arrays)
            return [[np.array(p.detach().numpy()) for p in call()] for _ in range(STEPS)]

    def made(make: Callable[..., Callable[[], Any]], **form: bool) -> Built:
        return Built(lambda *own: make(name, own, **form), STEPS)

    others = {"torch": made(theirs)}
    if name in FUSED:
        others["torch fused"] = made(theirs, fused=True)
    if name in ("SGD", "Adam"):
        others["jax"] = made(jaxs)
    kernel(
        name=f"{name.lower()}.step",
        reference=reference,
        inputs=tensors,
        rivals=others,
        sizes=(1_000_000, 2_000),
        dtypes=("float32",),
    )(Built(lambda *arrays: ours(name, arrays), STEPS))


for _name in OPTIMIZERS:
    enter(_name)
