"""grad, vjp, jvp, Jacobians and Hessians: against loops, finite differences, and one another."""

from __future__ import annotations

import gc
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Tensor, func, functional, vmap
from autograd.func import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)
from autograd.transforms.tree import flatten, unflatten


def normal(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape))


def same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    a, b = (v.detach().numpy() if isinstance(v, Tensor) else v for v in (a, b))
    assert np.shape(a) == np.shape(b)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-9)


def differences(function: Any, x: Tensor, step: float = 1e-5) -> np.ndarray:
    """The Jacobian by central differences."""
    columns = []
    for i in range(x.numel()):
        shift = np.zeros(x.numel())
        shift[i] = step
        shift = shift.reshape(x.shape)
        high = function(Tensor(x.numpy() + shift)).numpy()
        low = function(Tensor(x.numpy() - shift)).numpy()
        columns.append((high - low) / (2 * step))
    y = function(x)
    return np.stack(columns, -1).reshape((*y.shape, *x.shape))


W = normal(3, 3, seed=5)


def curved(x: Tensor) -> Tensor:
    """A function of three numbers to three, each of which depends on each."""
    return (W @ x).tanh() * x.exp() + x.sum() ** 2


def bowl(x: Tensor) -> Tensor:
    return (curved(x) * x.sin()).sum()


class Pair(NamedTuple):
    left: Any
    right: Any


def test_trees():
    tree = {"a": [1, (2, 3)], "b": Pair(4, OrderedDict(c=5)), "d": None}
    leaves, structure = flatten(tree)
    assert leaves == [1, 2, 3, 4, 5, None]
    again = unflatten(leaves, structure)
    assert again == tree
    assert isinstance(again["b"], Pair)
    assert isinstance(again["b"].right, OrderedDict)


def test_gradient():
    x = normal(3)
    same(grad(bowl)(x), differences(bowl, x), 1e-6)
    assert not grad(bowl)(x).requires_grad
    slope, value = grad_and_value(bowl)(x)
    same(value, bowl(x))
    same(slope, grad(bowl)(x))
    again, slope = value_and_grad(bowl)(x)
    same(again, value)
    same(slope, grad(bowl)(x))
    value, slope = autograd.value_and_grad(lambda x: x * x)(autograd.Scalar(3.0))
    assert (value.item(), slope.item()) == (9.0, 6.0)


def test_structures_and_argnums():
    def loss(weights, x, scale):
        return (weights["w"] * x + weights["b"][0]).sum() * scale.left * scale.right

    weights = {"w": normal(3), "b": [normal(3, seed=1)]}
    x, scale = normal(3, seed=2), Pair(autograd.tensor(2.0), autograd.tensor(3.0))
    found = grad(loss)(weights, x, scale)
    same(found["w"], 6 * x)
    same(found["b"][0], np.full(3, 6.0))
    first, last = grad(loss, argnums=(1, -1))(weights, x, scale)
    same(first, 6 * weights["w"])
    assert isinstance(last, Pair)
    same(last.left * scale.left, loss(weights, x, scale), 1e-6)
    slope, (value, aux) = grad_and_value(lambda x: ((x * x).sum(), {"x": x}), has_aux=True)(x)
    same(slope, 2 * x)
    same(value, (x * x).sum())
    assert not aux["x"].requires_grad
    same(grad(lambda x: autograd.tensor(1.0))(x), 0 * x)


def test_gradients_flow_to_what_is_closed_over_and_further_out():
    w = normal(3).requires_grad_()
    x = normal(3, seed=1).requires_grad_()
    slope = grad(lambda x: (w * x * x).sum())(x)
    a, b = autograd.grad(slope.sum(), [w, x])
    same(a, 2 * x)
    same(b, 2 * w)
    with autograd.no_grad():
        slope = grad(lambda x: (w * x * x).sum())(x)
    assert not slope.requires_grad
    same(slope, 2 * w * x)


def test_nested_gradients_keep_apart():
    # d/dx (x * d/dy (x + y)) is 1, not 2: the inner derivative is not that in x.
    one = autograd.tensor(1.0)
    assert grad(lambda x: x * grad(lambda y: x + y)(one))(one).item() == 1.0
    x = autograd.tensor(2.0)
    derivative: Any = lambda x: x**4  # noqa: E731 - it is replaced by its derivative
    for wanted in (32.0, 48.0, 48.0, 24.0, 0.0):
        derivative = grad(derivative)
        assert derivative(x).item() == wanted


def test_forward_and_back_agree():
    x, t, v = normal(3), normal(3, seed=1), normal(3, seed=2)
    wanted = differences(curved, x)
    y, pull = vjp(curved, x)
    same(y, curved(x))
    same(pull(v)[0], v.numpy() @ wanted, 1e-6)
    same(pull(v)[0], pull(v)[0])
    y, pushed = jvp(curved, (x,), (t,))
    same(y, curved(x))
    same(pushed, wanted @ t.numpy(), 1e-6)
    y, push = linearize(curved, x)
    same(push(t), pushed)
    same(push(2 * t), 2 * pushed)
    same(jacrev(curved)(x), wanted, 1e-6)
    same(jacrev(curved, chunk_size=2)(x), wanted, 1e-6)
    same(jacfwd(curved)(x), jacrev(curved)(x))
    same(hessian(bowl)(x), differences(grad(bowl), x), 1e-5)
    same(jacrev(jacfwd(bowl))(x), hessian(bowl)(x))


def test_several_arguments_and_results():
    def both(a, b):
        return {"product": a * b, "sum": (a.sum() + b.sum(),)}

    a, b = normal(2), normal(2, seed=1)
    _, pull = vjp(both, a, b)
    da, db = pull({"product": autograd.ones(2).double(), "sum": (Tensor(np.float64(2.0)),)})
    same(da, b + 2)
    same(db, a + 2)
    _, pushed = jvp(both, (a, b), (b, a))
    same(pushed["product"], b * b + a * a)
    same(pushed["sum"][0], (a + b).sum())
    for whole in (jacrev, jacfwd):
        found = whole(both, argnums=(0, 1))(a, b)
        same(found["product"][0], np.diag(b.numpy()))
        same(found["sum"][0][1], np.ones(2))
    found = hessian(lambda a, b: (a * a * b).sum(), argnums=(0, 1))(a, b)
    same(found[0][0], np.diag(2 * b.numpy()))
    same(found[0][1], np.diag(2 * a.numpy()))
    same(found[1][1], np.zeros((2, 2)))


def test_transforms_compose():
    batch = normal(4, 3)
    rows = [batch[i] for i in range(4)]
    same(vmap(hessian(bowl))(batch), autograd.stack([hessian(bowl)(r) for r in rows]))
    total = lambda x: vmap(bowl)(x).sum()  # noqa: E731
    found = hessian(total)(batch)
    for i in range(4):
        for j in range(4):
            same(found[i, :, j], hessian(bowl)(rows[i]) if i == j else np.zeros((3, 3)))
    t = normal(3, seed=3)
    same(jvp(grad(bowl), (rows[0],), (t,))[1], hessian(bowl)(rows[0]) @ t)
    same(grad(lambda x: jvp(bowl, (x,), (t,))[1])(rows[0]), hessian(bowl)(rows[0]) @ t)
    saved = lambda x: autograd.checkpoint(bowl, x)  # noqa: E731
    same(grad(saved)(rows[0]), grad(bowl)(rows[0]))
    same(hessian(saved)(rows[0]), hessian(bowl)(rows[0]))
    same(vmap(grad(saved))(batch), vmap(grad(bowl))(batch))
    same(grad(lambda x: vmap(saved)(x).sum())(batch), grad(total)(batch))
    same(jvp(grad(saved), (rows[0],), (t,))[1], hessian(bowl)(rows[0]) @ t)
    penalty = lambda w: vmap(grad(lambda x: (curved(x) * w).sum()))(batch).sum()  # noqa: E731
    same(grad(penalty)(t), differences(penalty, t), 1e-6)


def test_by_the_names_of_functional():
    x, v = normal(3), normal(3, seed=1)
    whole = differences(curved, x)
    for vectorize in (False, True):
        same(functional.jacobian(curved, x, vectorize=vectorize), whole, 1e-6)
        same(functional.hessian(bowl, x, vectorize=vectorize), hessian(bowl)(x))
    forward = functional.jacobian(curved, x, vectorize=True, strategy="forward-mode")
    same(forward, whole, 1e-6)
    same(functional.vjp(curved, x, v)[1], v.numpy() @ whole, 1e-6)
    same(functional.jvp(curved, x, v)[1], whole @ v.numpy(), 1e-6)
    second = hessian(bowl)(x)
    for product in (functional.vhp, functional.hvp):
        y, found = product(bowl, x, v)
        same(y, bowl(x))
        same(found, second @ v)
        assert not found.requires_grad
    x.requires_grad_()
    found = functional.jacobian(curved, x, create_graph=True)
    (again,) = autograd.grad(found.sum(), x)
    same(again, jacrev(lambda x: jacrev(curved)(x).sum())(x.detach()))


def test_parameters_from_outside():
    nn = pytest.importorskip("nn")
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = autograd.randn(5, 3)
    weights = {name: p.detach() for name, p in model.named_parameters()}
    own = dict(model.named_parameters())

    def loss(weights, row):
        return (func.functional_call(model, weights, (row[None],)) ** 2).sum()

    each = vmap(grad(loss), in_dims=(None, 0))(weights, x)
    for i in range(5):
        model.zero_grad()
        (model(x[i : i + 1]) ** 2).sum().backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(each[name].numpy()[i], p.grad.numpy(), rtol=1e-4, atol=1e-5)
    assert all(p is own[name] for name, p in model.named_parameters())
    models = [nn.Linear(3, 2) for _ in range(4)]
    stacked, buffers = func.stack_module_state(models)
    assert buffers == {}
    found = vmap(lambda p: func.functional_call(models[0], p, x))(stacked)
    for i, one in enumerate(models):
        np.testing.assert_allclose(found.detach().numpy()[i], one(x).detach().numpy(), rtol=1e-5)
    with pytest.raises(RuntimeError, match="not names"):
        func.functional_call(models[0], {"wrong": x}, x)
    with pytest.raises(RuntimeError, match="missing"):
        func.functional_call(models[0], {"weight": models[1].weight}, x, strict=True)
    with pytest.raises(ValueError, match="two dictionaries"):
        func.functional_call(models[0], [{"weight": models[1].weight}] * 2, x)


def recorded() -> list[Any]:
    """Every node of an op that is alive."""
    return [o for o in gc.get_objects() if type(o) is autograd.Node and o.op]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: grad(bowl)(x[0]),
        lambda x: vjp(curved, x[0])[1](x[0]),
        lambda x: jvp(curved, (x[0],), (x[1],)),
        lambda x: hessian(bowl)(x[0]),
        lambda x: vmap(grad(bowl))(x),
        lambda x: grad(lambda x: vmap(bowl)(x).sum())(x),
        lambda x: functional.hessian(bowl, x[0]),
        lambda x: grad(lambda x: autograd.checkpoint(bowl, x))(x[0]),
        lambda x: vmap(lambda r: r.max(0).values)(x),
    ],
)
def test_nothing_waits_for_the_cycle_collector(call):
    x = normal(3, 3)
    call(x)
    gc.collect()
    gc.disable()
    try:
        before = recorded()
        call(x)
        assert len(recorded()) == len(before)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: grad(curved)(x), RuntimeError, "returned one of shape (3,)"),
        (lambda x: grad(lambda x: 3.0)(x), RuntimeError, "not float"),
        (lambda x: grad(bowl)(3.0), TypeError, "argument 0 must be a Tensor"),
        (lambda x: grad(bowl)(x.long()), TypeError, "only floating-point"),
        (lambda x: grad(bowl, argnums=2)(x), RuntimeError, "argnums=2"),
        (lambda x: grad(bowl, has_aux=True)(x), RuntimeError, "(output, aux)"),
        (lambda x: jvp(curved, (x,), (x[:2],)), RuntimeError, "shape (2,)"),
        (lambda x: jvp(curved, x, x), RuntimeError, "non-empty tuple"),
        (lambda x: jvp(curved, (x,), ((x, x),)), RuntimeError, "structure"),
        (lambda x: vjp(curved, x)[1](x[:2]), RuntimeError, "shape (2,)"),
        (lambda x: jacrev(lambda x: 3)(x), RuntimeError, "must return tensors"),
        (lambda x: functional.hessian(curved, x), RuntimeError, "a single element"),
        (lambda x: functional.vjp(curved, x), RuntimeError, "may be left out only"),
        (lambda x: functional.jvp(curved, x, x[:2]), RuntimeError, "expected (3,)"),
        (lambda x: functional.jacobian(curved, 3.0), TypeError, "inputs must be a Tensor"),
        (lambda x: functional.jacobian(lambda x: 3.0, x), TypeError, "the result"),
        (
            lambda x: functional.jacobian(lambda x: autograd.ones(2), x, strict=True),
            RuntimeError,
            "output 0",
        ),
        (lambda x: functional.vhp(lambda x: x.sum(), x, x, strict=True), RuntimeError, "strict"),
        (
            lambda x: functional.jacobian(curved, x, strategy="forward-mode"),
            NotImplementedError,
            "vectorize",
        ),
    ],
)
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(").replace(")", r"\)")):
        call(normal(3))
