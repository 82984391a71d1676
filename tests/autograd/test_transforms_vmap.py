"""vmap: every op of the table against a loop, nesting, gradients, chunks, randomness, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, VmapFallbackWarning, vmap
from autograd.func import grad
from autograd.transforms.batching import _warned
from tests.autograd.test_op_table import TABLE, cases, is_float, takes_gradient

# Refused inside vmap, or random: tested by themselves below.
APART = {"to_scalar", "dropout_key", "dropout"}
SIZE = 3


@pytest.fixture(autouse=True)
def quiet():
    before = set(_warned)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VmapFallbackWarning)
        yield
    _warned.clear()
    _warned.update(before)


def draw_like(a: np.ndarray, seed: int) -> np.ndarray:
    """`SIZE` examples like `a`: the same numbers, so of its domain, in other orders."""
    rng = np.random.default_rng(seed)
    if a.dtype.kind == "f":
        return np.stack([rng.permutation(a.ravel()).reshape(a.shape) for _ in range(SIZE)])
    return np.stack([rng.permuted(a, axis=-1) if a.ndim else a for _ in range(SIZE)])


def loop(op: Any, args: list[Any], batched: tuple[bool, ...], params: dict[str, Any]) -> np.ndarray:
    rows = []
    for i in range(SIZE):
        row = [Tensor(a[i] if b else a) if isinstance(a, np.ndarray) else a
               for a, b in zip(args, batched, strict=True)]  # fmt: skip
        rows.append(op.function(*row, **params).value)
    return np.stack(rows)


@pytest.mark.parametrize("name", sorted(TABLE.keys() - APART))
def test_every_op_against_a_loop(name):
    op = TABLE[name]
    for args, params in cases(op):
        arrays = [i for i, a in enumerate(args) if isinstance(a, np.ndarray)]
        choices = [set(arrays), *({i} for i in arrays)] if len(arrays) > 1 else [set(arrays)]
        for chosen in choices:
            batched = tuple(i in chosen for i in range(len(args)))
            given = [draw_like(a, i) if i in chosen else a for i, a in enumerate(args)]
            wanted = loop(op, given, batched, params)
            tensors = [Tensor(a) if isinstance(a, np.ndarray) else a for a in given]

            def call(*inside, tensors=tensors, chosen=chosen, op=op, params=params):
                supply = iter(inside)
                full = [next(supply) if i in chosen else t for i, t in enumerate(tensors)]
                return op.function(*full, **params)

            found = vmap(call)(*[tensors[i] for i in sorted(chosen)])
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "name", [n for n in sorted(TABLE.keys() - APART) if TABLE[n].differentiable]
)
def test_gradient_of_each_example_against_a_loop(name):
    op = TABLE[name]
    args, params = cases(op)[0]
    chosen = [i for i, a in enumerate(args) if is_float(a) and takes_gradient(op, i)]
    given = [draw_like(args[i], i) for i in chosen]

    def loss(*inside):
        supply = iter(inside)
        full = [
            next(supply) if i in chosen else Tensor(a) if isinstance(a, np.ndarray) else a
            for i, a in enumerate(args)
        ]
        y = op.function(*full, **params)
        return (y * Tensor(np.cos(np.arange(y.numel())).reshape(y.shape))).sum()

    numbers = tuple(range(len(chosen)))
    found = vmap(grad(loss, numbers))(*map(Tensor, given))
    for i in range(SIZE):
        wanted = grad(loss, numbers)(*[Tensor(a[i]) for a in given])
        for f, w in zip(found, wanted, strict=True):
            np.testing.assert_allclose(f.numpy()[i], w.numpy(), rtol=1e-9, atol=1e-11)
