"""Function: arguments that forward changes in place, as in PyTorch."""

from __future__ import annotations

import gc
import weakref

import pytest

import autograd
from autograd import Function, Scalar


class AddOne(Function):
    """Changes its argument; the factor ten shows whose gradient it is."""

    @staticmethod
    def forward(ctx, x):
        x += 1.0
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 10.0


class ExpInPlace(Function):
    """Saves the changed argument, which is a result; returns another beside it."""

    @staticmethod
    def forward(ctx, x):
        x.exp_()
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x, x * 2.0

    @staticmethod
    def backward(ctx, g, g2):
        (y,) = ctx.saved_tensors
        return (g + 2.0 * g2) * y


class NotReturned(Function):
    @staticmethod
    def forward(ctx, x):
        x += 1.0
        ctx.mark_dirty(x)
        return x * 2.0

    @staticmethod
    def backward(ctx, g):
        return g


def test_the_argument_is_the_result():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    assert AddOne.apply(y) is y
    assert y.tolist() == [4.0, 7.0]
    assert y.node is not None
    assert y.node.op is not None
    assert y.node.op.name == "AddOne"
    (y * y).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2 * 4 * 30.0, 2 * 7 * 30.0]


def test_both_orders_of_gradients():
    def twice(x):
        y, doubled = ExpInPlace.apply(x.clone())
        return (y * doubled).sum()

    x = autograd.tensor([0.3, -0.2], dtype="float64", requires_grad=True)
    assert autograd.gradcheck(twice, (x,))
    assert autograd.gradgradcheck(twice, (x,))


def test_without_recording_it_is_an_ordinary_call():
    t = autograd.ones(2)
    assert AddOne.apply(t) is t
    assert t.tolist() == [2.0, 2.0]
    assert not t.requires_grad
    x = autograd.ones(2, requires_grad=True)
    with autograd.no_grad():
        assert AddOne.apply(x) is x
    assert x.is_leaf


def test_an_earlier_op_that_saved_the_old_values_says_so():
    x = autograd.ones(2, requires_grad=True)
    y = x.clone()
    squares = y * y
    AddOne.apply(y)
    with pytest.raises(RuntimeError, match="AddOne changed in place"):
        squares.sum().backward()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: AddOne.apply(x), RuntimeError, "leaf that requires grad"),
        (lambda x: NotReturned.apply(x.clone()), RuntimeError, "returned by it"),
        (lambda x: NotReturned.apply(x.detach().clone()), RuntimeError, "returned by it"),
        (lambda x: AddOne.apply((x * 1.0)[:1]), RuntimeError, "is a view"),
        (lambda x: AddOne.apply(Scalar(1.0)), TypeError, "Scalar"),
    ],
)
def test_what_cannot_be_marked(call, error, message):
    with pytest.raises(error, match=message):
        call(autograd.ones(2, requires_grad=True))


def test_no_cycle_is_left():
    gc.collect()
    gc.disable()
    try:
        x = autograd.ones(2, requires_grad=True)
        y, _ = ExpInPlace.apply(x.clone())
        node = weakref.ref(y.node)
        del y, _
        assert node() is None
    finally:
        gc.enable()


def test_as_in_torch(torch):
    def with_module(module, base):
        class Inc(base):
            @staticmethod
            def forward(ctx, x):
                x.add_(1)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 10

        x = module.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        z = Inc.apply(y)
        assert z is y
        (z * z).sum().backward()
        with pytest.raises(RuntimeError):
            Inc.apply(x)
        return x.grad.tolist()

    assert with_module(autograd, Function) == with_module(torch, torch.autograd.Function)
