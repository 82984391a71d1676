"""Function: custom gradients, as in PyTorch."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd
from autograd import Function, Tensor, once_differentiable
from autograd.graph import toposort


def normal(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


class SinCos(Function):
    """Two results, saved themselves, and an argument that is a number."""

    @staticmethod
    def forward(x, k):
        return (x * k).sin(), (x * k).cos()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*output)
        ctx.k = inputs[1]

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return ctx.k * (gs * c - gc * s), None


def test_values_and_gradients_of_both_orders():
    x = normal(3)
    assert autograd.gradcheck(Cube.apply, [x])
    assert autograd.gradgradcheck(Cube.apply, [x])
    both = lambda x: SinCos.apply(x, 2.0)  # noqa: E731
    for pick in (lambda x: both(x)[0], lambda x: both(x)[1] * 3, lambda x: both(x)[0] * both(x)[1]):
        assert autograd.gradcheck(pick, [x])
        assert autograd.gradgradcheck(pick, [x])


def test_recorded_as_one_node_with_the_name_of_the_class():
    y = Cube.apply(normal(3))
    assert y.node.op is Cube._op
    assert Cube._op.name == "Cube"
    assert [n.op for n in toposort([y.node], leaves=False)] == [Cube._op]
    s, _ = SinCos.apply(normal(3), 2.0)
    assert s.node.inputs[0].op.name == "SinCos"
    assert "Cube" in str(autograd.viz.graph(y))


def test_backward_runs_once_for_several_results():
    calls = []

    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            calls.append((a, b))
            return 2 * a + 3 * b

    x = normal(2)
    a, b = Twice.apply(x)
    (a.sum() + b.sum()).backward()
    assert len(calls) == 1
    assert x.grad is not None
    assert x.grad.tolist() == [5.0, 5.0]


@pytest.mark.parametrize("materialize", [True, False])
def test_unused_results(materialize):
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b)
            return 2 * a

    x = normal(2)
    Pair.apply(x)[0].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0]
    assert seen[0].tolist() == [0.0, 0.0] if materialize else seen[0] is None


def test_what_ctx_knows():
    asked = []

    class Join(Function):
        @staticmethod
        def forward(ctx, x, n, w):
            asked.append(ctx.needs_input_grad)
            places = Tensor(np.arange(3))
            scaled = x * 2.0
            ctx.mark_non_differentiable(scaled)
            return x * w, places, scaled

        @staticmethod
        def backward(ctx, g, *rest):
            return g, None, None

    x, w = normal(3), normal(3).detach()
    y, places, scaled = Join.apply(x, 4, w)
    assert asked == [(True, False, False)]
    assert y.requires_grad
    assert not places.requires_grad
    assert not scaled.requires_grad
    assert Join.apply(w, 4, w)[0].node is None
    assert asked[-1] == (False, False, False)


def test_once_differentiable():
    class Half(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 0.5

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return Tensor(g.numpy() * 0.5)

    x = normal(2)
    assert autograd.grad(Half.apply(x).sum(), x)[0].tolist() == [0.5, 0.5]
    (g,) = autograd.grad((Half.apply(x) ** 2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_nothing_is_kept_when_the_results_go():
    x = normal(3)
    gc.collect()
    gc.disable()
    try:
        made = [Cube.apply(x), *SinCos.apply(x, 1.0)]
        gone = [weakref.ref(y.node) for y in made]
        del made
        assert [reference() for reference in gone] == [None] * 3
    finally:
        gc.enable()


def test_inside_vmap_and_transforms():
    x = normal(4, 3).detach()
    per_row = autograd.vmap(lambda row: Cube.apply(row))(x)
    np.testing.assert_allclose(per_row.numpy(), x.numpy() ** 3)
    slopes = autograd.vmap(autograd.func.grad(lambda row: SinCos.apply(row, 2.0)[0].sum()))(x)
    np.testing.assert_allclose(slopes.numpy(), 2 * np.cos(2 * x.numpy()))
    total = lambda x: autograd.vmap(lambda r: SinCos.apply(r, 2.0)[0].sum())(x).sum()  # noqa: E731
    np.testing.assert_allclose(autograd.func.grad(total)(x).numpy(), slopes.numpy())
    inner = autograd.func.grad(lambda r: Cube.apply(r).sum())
    found = autograd.func.grad(lambda x: autograd.vmap(inner)(x).sum())(x)
    np.testing.assert_allclose(found.numpy(), 6 * x.numpy())
    found = autograd.func.hessian(lambda x: Cube.apply(x).sum())(x[0])
    np.testing.assert_allclose(found.numpy(), np.diag(6 * x.numpy()[0]))


def bad(count, result):
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return result(x)

        @staticmethod
        def backward(ctx, g):
            return (g,) * count if count else g.numpy()

    return Bad


def test_what_is_refused():
    x = normal(2)
    with pytest.raises(RuntimeError, match="backward returned 2 gradients"):
        bad(2, lambda x: x * 1).apply(x).sum().backward()
    with pytest.raises(TypeError, match="ndarray as gradient 0"):
        bad(0, lambda x: x * 1).apply(x).sum().backward()
    with pytest.raises(TypeError, match="must return a tensor"):
        bad(1, lambda x: 3.0).apply(x)
    with pytest.raises(RuntimeError, match="not made, but applied"):
        Cube()
    with pytest.raises(NotImplementedError, match="forward"):
        Function.forward(x)
    y = Cube.apply(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()


@pytest.mark.parametrize(
    "given", [object(), "text", {"a": 1}, [1, 2], len], ids=lambda v: type(v).__name__
)
def test_arguments_of_any_kind(given):
    """PyTorch hands them through."""

    class Scaled(autograd.Function):
        @staticmethod
        def forward(ctx, x, what):
            ctx.what = what
            return x * 2.0

        @staticmethod
        def backward(ctx, g):
            assert ctx.what is given
            return g * 2.0, None

    x = autograd.ones(2, requires_grad=True)
    Scaled.apply(x, given).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0]
