"""Attention, recurrent layers and tables of rows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
import nn
from autograd import kernels

from ..subjects import Arrays, Built, kernel
from .common import beside, jax_passes, normal, passes


def attend(f: Any, q: Any, k: Any, v: Any) -> Any:
    """Scaled products, softmax, mean; for this library and PyTorch."""
    return f.scaled_dot_product_attention(q, k, v)


def jax_attend(j: Any, q: Any, k: Any, v: Any, causal: bool = False) -> Any:
    """The same for JAX, written out."""
    scores = q @ j.numpy.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]).astype(q.dtype)
    if causal:
        seen = np.tril(np.ones(scores.shape[-2:], bool))
        scores = j.numpy.where(seen, scores, -float("inf"))
    return j.nn.softmax(scores, axis=-1) @ v


def shape(size: tuple[int, ...]) -> tuple[int, ...]:
    """Batch, heads, places, size of a head."""
    return size


def ours_attention(q: Any, k: Any, v: Any) -> Any:
    """Attention alone."""
    return kernels.attention(q, k, v, None, scale=q.shape[-1] ** -0.5, causal=False)[0]


def attention_formula(q: Any, k: Any, v: Any) -> Any:
    """Attention as it is defined."""
    z = q @ np.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True) @ v


PLACES = ((8, 4, 64, 32), (2, 4, 512, 32), (1, 8, 1024, 64))
kernel(
    name="attention",
    reference=attention_formula,
    inputs=normal(shape, shape, shape),
    flops=lambda q, k, v: 4.0 * q.size * k.shape[2],
    rivals=beside(numpy=attention_formula, torch=attend, jax=jax_attend),
    sizes=PLACES,
)(ours_attention)

passes(
    "attention.grad",
    attend,
    inputs=normal(shape, shape, shape, shape),
    sizes=PLACES,
    jax=jax_attend,
    wanted=3,
    flops=lambda q, k, v, g: 12.0 * q.size * k.shape[2],
)
passes(
    "attention.causal.grad",
    lambda f, q, k, v: f.scaled_dot_product_attention(q, k, v, is_causal=True),
    inputs=normal(shape, shape, shape, shape),
    sizes=PLACES[:1],
    jax=lambda j, q, k, v: jax_attend(j, q, k, v, causal=True),
    wanted=3,
)


def recurrent(gates: int) -> Callable[..., Arrays]:
    """Inputs, weights and biases of a layer, and a gradient of its outputs."""

    def inputs(size: Any, rng: np.random.Generator) -> Arrays:
        steps, batch, features, hidden = size
        scale = hidden**-0.5
        weights = (
            scale * rng.standard_normal((gates * hidden, features)),
            scale * rng.standard_normal((gates * hidden, hidden)),
            scale * rng.standard_normal(gates * hidden),
            scale * rng.standard_normal(gates * hidden),
        )
        x = rng.standard_normal((steps, batch, features))
        return x, *weights, rng.standard_normal((steps, batch, hidden))

    return inputs


def layer_passes(build: Callable[[Any, int, int], Any], arrays: Arrays) -> Callable[[], Any]:
    """Forward and backward of a layer of this library."""
    x, w, u, *_ = arrays
    layer = build(nn, w.shape[1], u.shape[1]).to(x.dtype)
    with autograd.no_grad():
        for parameter, value in zip(layer.parameters(), arrays[1:-1], strict=True):
            parameter.copy_(autograd.tensor(value))
    leaves = [autograd.tensor(x, requires_grad=True), *layer.parameters()]
    seed = autograd.tensor(arrays[-1])

    def call() -> Any:
        y = layer(leaves[0])[0]
        return (y, *autograd.grad(y, leaves, seed))

    return call


def torch_layer_passes(build: Callable[[Any, int, int], Any], own: Arrays) -> Callable[[], Any]:
    """The same of PyTorch."""
    torch = importlib.import_module("torch")
    x, w, u, *_ = own
    layer = build(torch.nn, w.shape[1], u.shape[1]).to(x.dtype)
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), own[1:-1], strict=True):
            parameter.copy_(value)
    leaves = [x.clone().requires_grad_(), *layer.parameters()]

    def call() -> Any:
        y = layer(leaves[0])[0]
        return (y, *torch.autograd.grad(y, leaves, own[-1]))

    return call


def jax_lstm(j: Any, x: Any, w: Any, u: Any, b: Any, c: Any) -> Any:
    """All outputs of an LSTM; the products with the inputs outside of the loop."""
    gates = x @ w.T + (b + c)

    def step(state: Any, given: Any) -> Any:
        h, cell = state
        i, f, g, o = j.numpy.split(given + h @ u.T, 4, axis=-1)
        cell = j.nn.sigmoid(f) * cell + j.nn.sigmoid(i) * j.numpy.tanh(g)
        h = j.nn.sigmoid(o) * j.numpy.tanh(cell)
        return (h, cell), h

    start = j.numpy.zeros((x.shape[1], u.shape[1]), x.dtype)
    return j.lax.scan(step, (start, start), gates)[1]


def jax_gru(j: Any, x: Any, w: Any, u: Any, b: Any, c: Any) -> Any:
    """All outputs of a GRU."""
    gates = x @ w.T + b

    def step(h: Any, given: Any) -> Any:
        r, z, n = j.numpy.split(given, 3, axis=-1)
        r_h, z_h, n_h = j.numpy.split(h @ u.T + c, 3, axis=-1)
        r, z = j.nn.sigmoid(r + r_h), j.nn.sigmoid(z + z_h)
        h = (1.0 - z) * j.numpy.tanh(n + r * n_h) + z * h
        return h, h

    return j.lax.scan(step, j.numpy.zeros((x.shape[1], u.shape[1]), x.dtype), gates)[1]


LENGTHS = ((32, 32, 128, 128), (10, 4, 8, 16), (64, 1, 128, 256))


def enter_layer(
    name: str, gates: int, build: Callable[[Any, int, int], Any], jax: Callable[..., Any]
) -> None:
    """Enter a recurrent layer; ``torch.compile`` leaves these to PyTorch's own kernels."""

    def reference(*arrays: Any) -> Any:
        with kernels.use("reference"):
            return layer_passes(build, arrays)()

    kernel(
        name=name,
        reference=reference,
        inputs=recurrent(gates),
        rivals={
            "torch": Built(lambda *own: torch_layer_passes(build, own)),
            "jax": Built(lambda *own: jax_passes(jax, own, 5, False)),
        },
        sizes=LENGTHS,
        tolerance=5e-5,
        flops=lambda x, w, u, *_: 6.0 * x.shape[0] * x.shape[1] * (w.size + u.size),
    )(Built(lambda *arrays: layer_passes(build, arrays)))


enter_layer("lstm.grad", 4, lambda library, inside, out: library.LSTM(inside, out), jax_lstm)
enter_layer("gru.grad", 3, lambda library, inside, out: library.GRU(inside, out), jax_gru)


def words(size: Any, rng: np.random.Generator) -> Arrays:
    """A table, which rows of it are wanted, and a gradient of them."""
    rows, width, batch, length = size
    return (
        rng.standard_normal((rows, width)),
        rng.integers(0, rows, (batch, length)),
        rng.standard_normal((batch, length, width)),
    )


passes(
    "embedding.grad",
    lambda f, table, at: f.embedding(at, table),
    inputs=words,
    sizes=((65, 64, 32, 128), (10_000, 128, 64, 256)),
    jax=lambda j, table, at: table[at],
    tolerance=1e-4,
)
