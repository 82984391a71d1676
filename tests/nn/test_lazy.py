"""Lazy layers: what they are before the first call, and what they become."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim

# Name, arguments, the shape of an input.
LAYERS = [
    ("LazyLinear", (3,), {}, (4, 5)),
    ("LazyLinear", (3, False), {}, (5,)),
    ("LazyConv1d", (4, 3), {"groups": 2}, (2, 6, 5)),
    ("LazyConv2d", (4, 3, 1, "same"), {"bias": False}, (6, 5, 5)),
    ("LazyConv3d", (4, 2), {"padding": 1, "padding_mode": "circular"}, (1, 2, 3, 3, 3)),
    ("LazyConvTranspose1d", (4, 3), {"groups": 2}, (2, 6, 5)),
    ("LazyConvTranspose2d", (4, 3, 2, 1, 1), {}, (2, 3, 4, 4)),
    ("LazyConvTranspose3d", (4, 2), {"bias": False}, (3, 2, 2, 2)),
    ("LazyBatchNorm1d", (), {}, (4, 3)),
    ("LazyBatchNorm2d", (0.1, 0.2, False), {}, (2, 3, 2, 2)),
    ("LazyBatchNorm3d", (), {"track_running_stats": False}, (2, 3, 2, 1, 2)),
    ("LazyInstanceNorm1d", (), {}, (2, 3, 4)),
    ("LazyInstanceNorm2d", (), {"bias": False}, (2, 3, 2, 2)),
    ("LazyInstanceNorm3d", (), {}, (2, 3, 2, 1, 2)),
]
IDS = [f"{name}{args}" for name, args, _, _ in LAYERS]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=IDS)
def test_a_lazy_layer_becomes_what_pytorchs_does(torch, name, args, kwargs, shape):
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    theirs(torch.tensor(x))
    first = ours(autograd.tensor(x))
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__ == name.removeprefix("Lazy")
    wanted = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == wanted
    assert all(type(p) is nn.Parameter and p.requires_grad for p in ours.parameters())
    if "Norm" not in name:  # whose running statistics have moved
        np.testing.assert_array_equal(ours(autograd.tensor(x)).detach(), first.detach())
        wrong = list(shape)
        wrong[-1 if name == "LazyLinear" else -1 - ours.dims] += 2
        with pytest.raises(ValueError, match=r"channels|linear"):
            ours(autograd.zeros(*wrong))


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=IDS)
def test_a_state_gives_the_shapes(name, args, kwargs, shape):
    made, x = getattr(nn, name)(*args, **kwargs), autograd.randn(*shape)
    made(x)
    lazy = getattr(nn, name)(*args, **kwargs)
    lazy.load_state_dict(made.state_dict())
    np.testing.assert_array_equal(lazy.eval()(x).detach(), made.eval()(x).detach())
    assert repr(lazy) == repr(made)


def test_before_the_first_call():
    layer = nn.LazyLinear(2)
    for use in (
        lambda: layer.weight.shape,
        lambda: layer.weight * 2,
        lambda: 2 * layer.weight,
        lambda: layer.weight + layer.weight,
        lambda: autograd.exp(layer.weight),
        lambda: np.asarray(layer.weight.value),
        lambda: autograd.ones(3) @ layer.weight,
        lambda: nn.init.zeros_(layer.weight),
        lambda: layer.weight.numel(),
        lambda: optim.SGD(layer.parameters(), lr=0.1),
        lambda: optim.Adam(layer.parameters()),
    ):
        with pytest.raises((RuntimeError, TypeError), match=r"call the module once|Uninitialized"):
            use()
    layer.reset_parameters()
    layer.zero_grad()
    assert layer.weight.grad is None
    assert layer.double().weight.dtype == np.float64
    layer.requires_grad_(False)
    y = layer(autograd.ones(3, 4, dtype=np.float64))
    assert (y.dtype, y.requires_grad) == (np.float64, False)


def test_states_without_shapes():
    state = nn.LazyLinear(2).state_dict()
    assert all(isinstance(value, nn.UninitializedParameter) for value in state.values())
    other = nn.LazyLinear(2)
    assert str(other.load_state_dict(state)) == "<All keys matched successfully>"
    assert other.has_uninitialized_params()
    with pytest.raises(RuntimeError, match="no shape yet"):
        nn.Linear(1, 2).load_state_dict(state)


def test_a_failed_load_or_call_leaves_a_layer_lazy():
    layer = nn.Sequential(nn.LazyLinear(2))
    with pytest.raises(RuntimeError, match="Unexpected"):
        layer.load_state_dict({"0.weight": np.ones((2, 3)), "0.bias": np.ones(2), "x": np.ones(1)})
    for bad, shape in (
        (nn.LazyConv2d(2, 3), (7, 7)),
        (nn.LazyConv2d(4, 3, groups=4), (6, 7, 7)),
        (nn.LazyBatchNorm1d(), (6, 7, 7, 7)),
        (nn.LazyLinear(2), ()),
    ):
        with pytest.raises(ValueError, match="Lazy"):
            bad(autograd.zeros(*shape))
        assert bad.has_uninitialized_params()
    assert layer[0].has_uninitialized_params()


def test_copies_and_training():
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
    twin = copy.deepcopy(model)
    pickled = pickle.loads(pickle.dumps(nn.UninitializedParameter(False, dtype=np.float64)))
    assert (pickled.requires_grad, pickled.dtype) == (False, np.float64)
    x = autograd.randn(8, 3)
    model(x)
    assert model[0].weight.shape == (4, 3)
    assert twin[0].has_uninitialized_params()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = model[0].weight.tolist()
    model(x).sum().backward()
    optimizer.step()
    assert model[0].weight.tolist() != before
    assert type(nn.UninitializedBuffer().detach()) is nn.UninitializedBuffer


def test_instances_without_a_batch():
    # PyTorch takes the length for the channels here, and fails.
    layer = nn.LazyInstanceNorm1d()
    assert layer(autograd.randn(3, 4)).shape == (3, 4)
    assert layer.num_features == 3


def test_initial_values_are_those_of_the_ordinary_layer():
    autograd.manual_seed(5)
    lazy = nn.LazyLinear(3)
    lazy(autograd.zeros(1, 2))
    autograd.manual_seed(5)
    assert lazy.weight.tolist() == nn.Linear(2, 3).weight.tolist()
