"""Maxout units and a network of them, against the formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from nn import models


def test_maxout_is_the_largest_of_its_pieces():
    autograd.manual_seed(0)
    unit = models.Maxout(3, 4, pieces=5).double()
    x = np.random.default_rng(0).normal(size=(7, 2, 3))
    parameters = [parameter.detach().numpy() for parameter in unit.parameters()]
    weight, bias = parameters[0].reshape(4, 5, 3), parameters[1].reshape(4, 5)
    expected = (np.einsum("abi,oki->abok", x, weight) + bias).max(-1)
    np.testing.assert_allclose(unit(autograd.tensor(x)).detach().numpy(), expected, rtol=1e-12)


def test_maxout_with_one_piece_is_linear_and_with_a_zero_piece_relu():
    autograd.manual_seed(0)
    x = autograd.randn(6, 3)
    one = models.Maxout(3, 2, pieces=1)
    np.testing.assert_array_equal(one(x).detach().numpy(), one.linear(x).detach().numpy())
    two = models.Maxout(3, 2, pieces=2)
    with autograd.no_grad():
        for parameter in two.parameters():
            parameter[1::2] = 0.0
        expected = autograd.relu(two.linear(x)[:, ::2])
        np.testing.assert_array_equal(two(x).numpy(), expected.numpy())


def test_gradients_of_maxout():
    autograd.manual_seed(0)
    unit = models.Maxout(3, 2, pieces=3).double()
    x = autograd.randn(4, 3, dtype=np.float64).requires_grad_()
    names = [name for name, _ in unit.named_parameters()]

    def run(x, *parameters):
        return autograd.func.functional_call(unit, dict(zip(names, parameters, strict=True)), (x,))

    assert autograd.gradcheck(run, (x, *unit.parameters()))


def test_maxout_network_has_the_sizes_of_its_table():
    model = models.MaxoutNetwork()
    counts = [sum(p.numel() for p in child.parameters()) for child in model.children()]
    assert counts == [8320, 4224, 330]
    assert sum(counts) == 12_874
    assert model(autograd.zeros(0, 64)).shape == (0, 10)
    scores = models.MaxoutNetwork(6, 3, hidden=4, pieces=2)(autograd.randn(5, 6))
    assert scores.shape == (5, 3)


def test_every_parameter_of_a_maxout_network_gets_a_gradient():
    autograd.manual_seed(0)
    model = models.MaxoutNetwork(6, 3)
    target = autograd.tensor([0, 1, 2, 0])
    nn.functional.cross_entropy(model(autograd.randn(4, 6)), target).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("name", ["in_features", "out_features", "pieces"])
def test_sizes_below_one_are_refused(name):
    sizes = {"in_features": 2, "out_features": 2, "pieces": 2, name: 0}
    with pytest.raises(ValueError, match=f"Maxout: {name} must be at least 1, not 0"):
        models.Maxout(**sizes)


def test_input_of_another_width_is_refused():
    for model in (models.Maxout(3, 2), models.MaxoutNetwork(3)):
        with pytest.raises(ValueError, match=r"linear.*4"):
            model(autograd.zeros(2, 4))
