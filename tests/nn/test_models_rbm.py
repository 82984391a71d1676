"""The Boltzmann machine against all of its states, and contrastive divergence against its rule."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import RBM


def small(visible=5, hidden=4, std=1.0, **options):
    """A machine in float64 with weights that matter."""
    model = RBM(visible, hidden, **options).double()
    with autograd.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, std)
    return model


def bits(n):
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)))


def numbers(model):
    return [p.detach().numpy() for p in (model.weight, model.visible_bias, model.hidden_bias)]


def energies(model):
    """E(v, h) of all states: (visible states, hidden states)."""
    w, a, b = numbers(model)
    v, h = bits(model.visible), bits(model.hidden)
    if model.num_classes:
        v = v[v[:, -model.num_classes :].sum(1) == 1]
    return -(v @ a)[:, None] - (h @ b) - v @ w.T @ h.T, v, h


@pytest.mark.parametrize(("visible", "hidden"), [(5, 4), (4, 6), (1, 1)])
def test_free_energy_and_partition_are_sums_over_all_states(visible, hidden):
    model = small(visible, hidden)
    energy, v, _ = energies(model)
    free = -np.log(np.exp(-energy).sum(1))
    np.testing.assert_allclose(model.free_energy(autograd.tensor(v)).detach(), free, atol=1e-12)
    assert model.log_partition().item() == pytest.approx(np.log(np.exp(-energy).sum()), abs=1e-12)


def test_class_units_are_one_of_many():
    model = small(6, 3, num_classes=3)
    energy, v, _ = energies(model)
    p = np.exp(-energy).sum(1) / np.exp(-energy).sum()
    assert model.log_partition().item() == pytest.approx(np.log(np.exp(-energy).sum()), abs=1e-12)
    scores = np.exp(model.class_scores(autograd.tensor(v[:, :3])).detach().numpy())
    for row, visible, probability in zip(scores, v, p, strict=True):
        same = (v[:, :3] == visible[:3]).all(1)
        assert row[visible[3:].argmax()] == pytest.approx(probability / p[same].sum(), abs=1e-12)
    drawn = model.gibbs(autograd.tensor(v), 3).numpy()
    assert (drawn[:, 3:].sum(1) == 1).all()
    clamped = model.gibbs(autograd.tensor(v), 3, clamp=True).numpy()
    assert np.array_equal(clamped[:, 3:], v[:, 3:])


def test_the_objective_has_the_gradient_of_contrastive_divergence():
    model = small(k=2)
    w, _, b = numbers(model)
    v = autograd.tensor(bits(5))
    autograd.manual_seed(4)
    model(v).mean().backward()
    autograd.manual_seed(4)
    fantasies = model.gibbs(v, 2).numpy()

    def statistics(x):
        h = 1 / (1 + np.exp(-(x @ w.T + b)))
        return h.T @ x / len(x), x.mean(0), h.mean(0)

    parameters = (model.weight, model.visible_bias, model.hidden_bias)
    rules = zip(parameters, statistics(v.numpy()), statistics(fantasies), strict=True)
    for parameter, data, made_up in rules:
        assert parameter.grad is not None
        np.testing.assert_allclose(parameter.grad, made_up - data, atol=1e-12)


def test_the_gradient_of_the_likelihood_is_that_of_the_enumeration():
    model = small()
    energy, v, h = energies(model)
    joint = np.exp(-energy) / np.exp(-energy).sum()
    data = autograd.tensor(v[[3, 17, 30]])
    (-model.free_energy(data).mean() - model.log_partition()).backward()
    w, _, b = numbers(model)
    up = 1 / (1 + np.exp(-(data.numpy() @ w.T + b)))
    wanted = up.T @ data.numpy() / 3 - np.einsum("vh,hi,vj->ij", joint, h, v)
    assert model.weight.grad is not None
    np.testing.assert_allclose(model.weight.grad, wanted, atol=1e-12)


def test_conditional_probabilities_are_those_of_the_joint_one():
    model = small(4, 3)
    energy, v, h = energies(model)
    joint = np.exp(-energy)
    for i in range(3):
        wanted = joint[:, h[:, i] == 1].sum(1) / joint.sum(1)
        given = model.hidden_probability(autograd.tensor(v)).detach().numpy()[:, i]
        np.testing.assert_allclose(given, wanted, atol=1e-12)
    for i in range(4):
        wanted = joint[v[:, i] == 1].sum(0) / joint.sum(0)
        given = model.visible_probability(autograd.tensor(h)).detach().numpy()[:, i]
        np.testing.assert_allclose(given, wanted, atol=1e-12)


def test_gibbs_steps_lead_to_the_distribution():
    model = small(3, 2)
    energy, v, _ = energies(model)
    p = np.exp(-energy).sum(1) / np.exp(-energy).sum()
    samples = model.gibbs(model.noise(40_000), 20).numpy()
    shares = np.array([(samples == state).all(1).mean() for state in v])
    np.testing.assert_allclose(shares, p, atol=0.012)  # five deviations of 40,000 draws


def test_pseudo_likelihood_is_right_on_average():
    model = small(4, 3)
    energy, v, _ = energies(model)
    p = dict(zip(map(tuple, v), np.exp(-energy).sum(1), strict=True))
    state = v[5]
    wanted = 0.0
    for i in range(4):
        other = state.copy()
        other[i] = 1 - other[i]
        wanted += np.log(p[tuple(state)] / (p[tuple(state)] + p[tuple(other)]))
    repeated = autograd.tensor(np.tile(state, (20_000, 1)))
    assert model.pseudo_likelihood(repeated).mean().item() == pytest.approx(wanted, rel=0.05)
    with pytest.raises(ValueError, match="cannot be flipped"):
        RBM(4, 3, num_classes=2).pseudo_likelihood(autograd.zeros(1, 4))


@pytest.mark.parametrize("num_classes", [0, 3])
def test_annealing_estimates_the_partition(num_classes):
    model = small(10, 8, 0.7, num_classes=num_classes)
    estimate = model.estimate_log_partition(chains=200, steps=500)
    assert estimate == pytest.approx(model.log_partition().item(), abs=0.1)


@pytest.mark.parametrize("options", [{}, {"k": 3}, {"chains": 20}])
def test_training_raises_the_likelihood(options):
    rng = np.random.default_rng(0)
    left = rng.random((300, 1)) < 0.5
    data = np.where(rng.random((300, 6)) < 0.05, ~left, left).astype(np.float32)
    model = RBM(6, 4, **options).match_visible_bias_(autograd.tensor(data))

    def likelihood():
        v = autograd.tensor(data)
        return (-model.free_energy(v).mean() - model.log_partition()).item()

    before = likelihood()
    nn.train.fit(
        model,
        (data, data),
        lambda outputs, _: outputs.mean(),
        optim.SGD(model.parameters(), lr=0.2),
        epochs=40,
        progress=False,
    )
    assert before == pytest.approx(-6 * np.log(2), abs=0.1)
    assert likelihood() > before + 1


def test_chains_move_in_training_only_and_are_saved():
    model = RBM(6, 4, chains=5)
    state = model.state_dict()
    assert state["chains"].shape == (5, 6)
    before = model.chains.numpy().copy()
    model.eval()
    model(autograd.zeros(2, 6))
    assert np.array_equal(model.chains.numpy(), before)
    model.train()
    assert model(autograd.zeros(2, 6)).shape == (2,)
    assert not np.array_equal(model.chains.numpy(), before)
    assert set(np.unique(model.chains.numpy())) <= {0.0, 1.0}


def test_images_one_sample_and_none():
    model = RBM(12, 5)
    assert model(autograd.rand(3, 1, 3, 4)).shape == (3,)
    assert model(autograd.rand(1, 12)).shape == (1,)
    assert model(autograd.zeros(0, 12)).shape == (0,)
    model(autograd.rand(3, 12)).mean().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_mistakes_are_told():
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"visible": 0}, "visible must be an integer >= 1, met 0"),
        ({"k": 0}, "k must be an integer >= 1, met 0"),
        ({"hidden": 2.5}, r"hidden must be an integer >= 1, met 2\.5"),
        ({"chains": -1}, "chains must be an integer >= 0, met -1"),
        ({"visible": 3, "num_classes": 4}, "num_classes=4 of the visible=3 units"),
    ]
    for arguments, text in mistakes:
        with pytest.raises(ValueError, match=text):
            RBM(**arguments)
    model = RBM(30, 25)
    with pytest.raises(ValueError, match=r"expected a batch \(N, 30\).*met shape \(2, 29\)"):
        model(autograd.zeros(2, 29))
    with pytest.raises(ValueError, match="too many states"):
        model.log_partition()
    with pytest.raises(ValueError, match="at least one sample, met none"):
        model.match_visible_bias_(autograd.zeros(0, 30))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], met 255\.0 to 255\.0"):
        model.match_visible_bias_(autograd.full((2, 30), 255.0))
    with pytest.raises(ValueError, match="steps must be at least 0, met -1"):
        model.gibbs(autograd.zeros(2, 30), -1)
    with pytest.raises(ValueError, match="no class units"):
        model.class_scores(autograd.zeros(1, 30))
    with pytest.raises(ValueError, match="chains=0 and steps=5"):
        model.estimate_log_partition(0, 5)
    assert repr(RBM(9, 5, 2, 7, 3)) == "RBM(visible=9, hidden=5, k=2, chains=7, num_classes=3)"
    assert sum(p.numel() for p in RBM().parameters()) == 393_284
