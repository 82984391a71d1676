"""vmap: every op of the table against a loop, nesting, gradients, chunks, randomness, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor, VmapFallbackWarning, vmap
from autograd.func import grad, jacrev
from autograd.transforms.batching import _warned
from tests.autograd.oracles import AT_RANDOM
from tests.autograd.test_op_table import TABLE, cases, is_float, takes_gradient

# Refused inside vmap, or random: tested by themselves below.
APART = {"to_scalar", "dropout", *AT_RANDOM}
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


def normal(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape))


def same(a: Tensor, b: Tensor) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_dims_of_arguments_and_results():
    x, w = normal(2, 3, 4), normal(4)
    same(vmap(lambda a: a * w, in_dims=1, out_dims=1)(x), x * w)
    same(vmap(lambda a: a * w, in_dims=-2, out_dims=-1)(x), (x * w).permute(0, 2, 1))
    same(vmap(lambda a, b: a @ b, in_dims=(0, None))(x, w), x @ w)
    tree = {"a": x, "b": (w, [x])}
    dims = ({"a": 0, "b": (None, [0])},)
    found = vmap(lambda t: {"s": t["a"] * t["b"][0], "t": (t["b"][1][0],)}, in_dims=dims)(tree)
    same(found["s"], x * w)
    same(found["t"][0], x)
    found = vmap(lambda a: (a, a.sum()), out_dims=(1, 0))(x)
    same(found[0], x.permute(1, 0, 2))
    same(found[1], x.sum((1, 2)))
    same(vmap(lambda a, scale: a * scale)(x, scale=normal(2)), x * normal(2).reshape(2, 1, 1))
    same(vmap(lambda a: w)(x), autograd.stack([w, w]))
    assert vmap(lambda a: (a, 3), out_dims=(0, None))(x)[1] == 3


def test_nested():
    x, y = normal(3), normal(4, seed=1)
    outer = vmap(vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))
    same(outer(x, y), x.reshape(3, 1) * y)
    m = normal(2, 3, 4)
    crossed = vmap(lambda a: vmap(lambda b: b @ a.sum(0), in_dims=0)(a))(m)
    same(crossed, autograd.stack([a @ a.sum(0) for a in m]))


def test_gradients_flow_through():
    x, w = normal(5, 3).requires_grad_(), normal(3, seed=1).requires_grad_()
    found = autograd.grad(vmap(lambda row: (row * w).tanh().sum())(x).sum(), [x, w])
    for a, b in zip(found, autograd.grad((x * w).tanh().sum(), [x, w]), strict=True):
        same(a, b)


def test_backward_inside():
    def slope(row):
        leaf = row.detach().requires_grad_()
        (leaf**3).sum().backward()
        return leaf.grad

    x = normal(4, 3)
    same(vmap(slope)(x), 3 * x * x)


def test_changes_in_place():
    def change(row):
        y = row * 1.0
        y[0] = 5.0
        y += row
        return y

    x = normal(4, 3)
    wanted = x.clone() * 1.0
    wanted[:, 0] = 5.0
    same(vmap(change)(x), wanted + x)


def test_indices():
    x = normal(4, 3)
    assert vmap(lambda row: row.argmax(0))(x).tolist() == x.argmax(1).tolist()
    assert vmap(lambda row: row.argmax())(x).tolist() == x.argmax(1).tolist()
    largest = vmap(lambda row: row.max(0))(x)
    same(largest.values, x.max(1).values)
    same(vmap(lambda row, i: row.take_along_dim(i[None], 0))(x, x.argmin(1)), x.amin(1)[:, None])


def test_in_chunks():
    x = normal(7, 3)
    for size in (1, 3, 7, 100):
        same(vmap(lambda row: row.sum(), chunk_size=size)(x), x.sum(1))
        twice = vmap(lambda row: (row, row), out_dims=(1, -1), chunk_size=size)(x)
        same(twice[0], x.permute(1, 0))
        same(twice[1], x.permute(1, 0))


def test_no_examples():
    x = autograd.zeros(0, 3)
    assert vmap(lambda row: (row * 2).sum())(x).shape == (0,)
    assert vmap(lambda row: row.reshape(3, 1) @ row.reshape(1, 3))(x).shape == (0, 3, 3)


def test_randomness():
    x = autograd.ones(6, 50)
    with pytest.raises(RuntimeError, match="randomness='error'"):
        vmap(autograd.dropout)(x)
    autograd.manual_seed(0)
    same_for_all = vmap(autograd.dropout, randomness="same")(x).numpy()
    assert (same_for_all == same_for_all[0]).all()
    different = vmap(autograd.dropout, randomness="different")(x).numpy()
    assert len({row.tobytes() for row in different}) == 6
    assert set(np.unique(different)) == {0.0, 2.0}
    nested = vmap(vmap(autograd.dropout, randomness="different"), randomness="different")
    assert (
        len({row.tobytes() for row in nested(autograd.ones(3, 2, 50)).numpy().reshape(6, 50)}) == 6
    )
    autograd.manual_seed(0)
    slopes = vmap(grad(lambda row: autograd.dropout(row).sum()), randomness="different")(x)
    assert set(np.unique(slopes.numpy())) == {0.0, 2.0}


@autograd.structured(lambda g, y, x: g * 2.0, infer=lambda x: x, samples=lambda draw: [])
def without_a_rule_for_vmap(x, /):
    return 2.0 * x


def test_fallback_warns_once():
    x = normal(3, 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        same(vmap(without_a_rule_for_vmap)(x), 2 * x)
        same(vmap(grad(lambda r: without_a_rule_for_vmap(r).sum()))(x), 0 * x + 2)
    found = [w for w in seen if w.category is VmapFallbackWarning]
    assert len(found) == 1
    assert "without_a_rule_for_vmap" in str(found[0].message)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: vmap(lambda a: a, in_dims=(0, 0))(x), ValueError, "structure of the arguments"),
        (lambda x: vmap(lambda a: a, in_dims=3)(x), ValueError, "expected -2 to 1"),
        (lambda x: vmap(lambda a: a, in_dims=None)(x), ValueError, "in_dims"),
        (lambda x: vmap(lambda a: a, in_dims=(None,))(x), ValueError, "nothing to take apart"),
        (lambda x: vmap(lambda a, b: a)(x, autograd.ones(5)), ValueError, "sizes"),
        (lambda x: vmap(lambda a, b: a)(x, 3.0), ValueError, "not a Tensor"),
        (lambda x: vmap(lambda a: 3.0)(x), ValueError, "must return tensors"),
        (lambda x: vmap(lambda a: a, out_dims=4)(x), IndexError, "expected -2 to 1"),
        (lambda x: vmap(lambda a: (a, a), out_dims=(0, 0, 0))(x), ValueError, "out_dims"),
        (lambda x: vmap(lambda a: a, out_dims=None)(x), ValueError, "differs by example"),
        (lambda x: vmap(lambda a: a.sum().item())(x), RuntimeError, "inside vmap"),
        (lambda x: vmap(lambda a: a if a.sum() > 0 else -a)(x), RuntimeError, "where()"),
        (lambda x: vmap(lambda a: x[a.long()])(x), RuntimeError, "an index"),
        (
            lambda x: vmap(
                lambda a: autograd.batch_norm(
                    a[:, None], autograd.zeros(1), autograd.ones(1), training=True
                )
            )(x),
            ValueError,
            "running statistics",
        ),
        (lambda x: vmap(lambda a: a.numpy())(x), RuntimeError, "numpy()"),
        (lambda x: vmap(lambda a: a, randomness="no")(x), RuntimeError, "randomness"),
        (lambda x: vmap(lambda a: a, chunk_size=0)(x), ValueError, "chunk_size"),
        (lambda x: vmap(lambda: 0)(), ValueError, "at least one argument"),
    ],
)
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(").replace(")", r"\)")):
        call(normal(2, 3))


def test_a_tensor_that_stayed_behind():
    kept = []
    vmap(lambda a: kept.append(a) or a)(normal(2))
    with pytest.raises(RuntimeError, match="a vmap that has returned"):
        vmap(lambda a: a + kept[0])(normal(2))


def test_jacobian_of_a_vmap():
    x = normal(2, 3)
    found = jacrev(lambda x: vmap(lambda row: (row * row).sum())(x))(x)
    for i in range(2):
        for j in range(2):
            same(found[i, j], 2 * x[i] if i == j else 0 * x[i])


@pytest.mark.parametrize("randomness", ["error", "different", "same"])
def test_samples_of_each_example(randomness):
    p = autograd.full((40, 3), 0.5)
    call = vmap(autograd.bernoulli, randomness=randomness)
    if randomness == "error":
        with pytest.raises(RuntimeError, match="randomness='different'"):
            call(p)
        return
    rows = {tuple(row) for row in call(p).tolist()}
    assert (len(rows) == 1) == (randomness == "same")
    weights = autograd.tensor([[0.0, 1.0], [1.0, 0.0]])
    picked = vmap(lambda w: autograd.multinomial(w, 1), randomness=randomness)(weights)
    assert picked.tolist() == [[1], [0]]
