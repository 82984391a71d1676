"""Checkpoints: the same gradients bit for bit, less memory, nothing to be careful about."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import autograd
from autograd import Tensor, checkpoint, checkpoint_sequential


def normal(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def test_a_model_with_dropout_bit_for_bit():
    nn = pytest.importorskip("nn")
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2))
    x = autograd.randn(5, 3, requires_grad=True)
    results = []
    for run in (
        model,
        lambda x: checkpoint(model, x),
        lambda x: checkpoint_sequential(model, 2, x),
    ):
        autograd.manual_seed(1)
        for p in (x, *model.parameters()):
            p.grad = None
        y = run(x)
        (y * y).sum().backward()
        after = autograd.default_generator.random((2,))
        results.append([y.detach(), Tensor(after), x.grad, *(p.grad for p in model.parameters())])
    for other in results[1:]:
        assert all((a == b).all() for a, b in zip(results[0], other, strict=True))


def test_what_is_closed_over_and_made_of_it():
    x, w = normal(3), normal(3, seed=1)

    def run(wrapped):
        h = w * 3.0  # depends on w, which the function uses too
        f = lambda x: ((x * h * w).sin(), {"e": (x * w).exp()})  # noqa: E731
        y, more = checkpoint(f, x) if wrapped else f(x)
        return (y * more["e"]).sum()

    plain = autograd.grad(run(False), [x, w])
    for a, b in zip(plain, autograd.grad(run(True), [x, w]), strict=True):
        assert (a == b).all()
    second = []
    for wrapped in (False, True):
        g = autograd.grad(run(wrapped), [x, w], create_graph=True)
        second.append(autograd.grad((g[0] * g[1]).sum(), [x, w]))
    for a, b in zip(*second, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_nested():
    x = normal(4)
    inner = lambda x: checkpoint(lambda y: y.exp().sin(), x) * x  # noqa: E731
    (found,) = autograd.grad(checkpoint(inner, x).sum(), x)
    (wanted,) = autograd.grad((x.exp().sin() * x).sum(), x)
    assert (found == wanted).all()


def test_a_function_of_a_user_inside():
    class Times(autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return Tensor(x.detach().numpy() * w.detach().numpy())

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

    x, w = normal(3), normal(3, seed=1)
    found = autograd.grad(checkpoint(lambda x: Times.apply(x, w).sin(), x).sum(), [x, w])
    wanted = autograd.grad((x * w).sin().sum(), [x, w])
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy())


def test_only_one_of_two_results_used_and_numbers_pass():
    x = normal(3)
    y, z, n = checkpoint(lambda x, k: (x * k, x.exp(), 7), x, 2.0)
    assert n == 7
    assert z.requires_grad
    (found,) = autograd.grad(y.sum(), x)
    assert (found == 2.0).all()


def test_without_gradients_it_just_calls():
    x = Tensor([1.0])
    assert checkpoint(lambda x: x * 2, x).node is None
    with autograd.no_grad():
        assert not checkpoint(lambda x: x * 2, normal(2)).requires_grad


def test_changes_in_between_are_noticed():
    x = normal(3)
    h = x * 1.0
    y = checkpoint(lambda h: h.exp(), h)
    h.add_(1.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_a_second_backward_says_what_to_do():
    y = checkpoint(lambda x: x.exp(), normal(3)).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()


def test_memory_is_freed():
    x = normal(250_000)  # 2 MB

    def deep(x):
        for _ in range(8):
            x = x.sin()
        return x

    held = []
    for run in (deep, lambda x: checkpoint(deep, x)):
        gc.collect()
        tracemalloc.start()
        autograd.kernels.empty_cache()
        y = run(x)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del y
    assert held[1] < 0.4 * held[0]


def test_segments_are_checked():
    with pytest.raises(ValueError, match="segments=4"):
        checkpoint_sequential([autograd.exp], 4, normal(2))
