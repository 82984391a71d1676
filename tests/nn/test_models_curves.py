"""Sums of sigmoids and of ramps, as curves."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import HardSigmoidSum, SigmoidSum

BOTH = (SigmoidSum, HardSigmoidSum)


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("k", [1, 7])
def test_shapes_parameters_and_gradients(make, k):
    model = make(k, -2.0, 3.0)
    assert nn.summary(model, (1,)).parameters == 3 * k + 1
    x = autograd.linspace(-2.0, 3.0, 50).reshape(50, 1)
    assert model(x).shape == (50, 1)
    assert model(autograd.zeros(0, 1)).shape == (0, 1)
    steps = model.steps(x)
    assert steps.shape == (50, k)
    assert 0.0 <= float(steps.min()) <= float(steps.max()) <= 1.0
    (model(x) ** 2).mean().backward()
    assert all(p.grad is not None and (p.grad.numpy() != 0).all() for p in model.parameters())


@pytest.mark.parametrize("make", BOTH)
def test_formula(make):
    autograd.manual_seed(3)
    model = make(6).double()
    w, b = (p.detach().numpy() for p in (model.inner.weight, model.get_parameter("inner.bias")))
    c, bias = (p.detach().numpy() for p in (model.outer.weight, model.get_parameter("outer.bias")))
    x = np.linspace(-0.5, 1.5, 40)[:, None]
    z = x * w[:, 0] + b
    steps = 1 / (1 + np.exp(-z)) if make is SigmoidSum else np.clip(z, 0.0, 1.0)
    found = model(autograd.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, steps @ c.T + bias, atol=1e-12)


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0,), "k must be"), ((3, 1.0, 1.0), "below high"), ((3, 0.0, np.inf), "below high")],
)
def test_bad_arguments(make, arguments, words):
    with pytest.raises(ValueError, match=rf"{make.__name__}.*{words}"):
        make(*arguments)


@pytest.mark.parametrize("make", BOTH)
def test_places_are_one_column(make):
    with pytest.raises(ValueError, match="linear"):
        make(3)(autograd.zeros(4))


def test_every_piecewise_linear_curve_is_a_sum_of_ramps():
    rng = np.random.default_rng(4)
    x, y = np.sort(rng.uniform(-3.0, 3.0, 12)), rng.normal(size=12)
    model = HardSigmoidSum.through(autograd.tensor(x), y)
    assert nn.summary(model, (1,)).parameters == 3 * 11 + 1
    places = np.linspace(-4.0, 4.0, 500)
    found = model(autograd.tensor(places[:, None], dtype=np.float32)).detach().numpy()[:, 0]
    np.testing.assert_allclose(found, np.interp(places, x, y), atol=2e-5)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([0.0, 1.0], [0.0], r"\(2,\) and \(1,\)"),
        ([0.0], [0.0], "at least two"),
        ([0.0, 0.0], [1.0, 2.0], "increase"),
        ([0.0, np.nan], [1.0, 2.0], "NaN"),
    ],
)
def test_through_refuses_what_is_no_curve(x, y, words):
    with pytest.raises(ValueError, match=words):
        HardSigmoidSum.through(x, y)


@pytest.mark.parametrize("make", BOTH)
def test_it_learns_a_curve(make):
    autograd.manual_seed(0)
    model = make(20)
    x, y = map(autograd.from_numpy, nn.data.wavy_curve(100, rng=np.random.default_rng(0)))
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    for _ in range(500):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    assert nn.functional.mse_loss(model(x), y).item() ** 0.5 < 0.03
