"""Deep belief networks: both directions of the weights, the bound, and what training does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import RBM, DeepBeliefNetwork


def patterns(n=300, seed=0):
    """Six pixels that are all alike, but for a few mistakes, and which of the two they are."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    pixels = (rng.random((n, 6)) < 0.05) ^ (labels[:, None] == 1)
    return pixels.astype(np.float32), labels


def test_shapes_and_counts():
    model = DeepBeliefNetwork()
    assert sum(p.numel() for p in model.parameters()) == 789_184
    v = autograd.rand(3, 1, 28, 28)
    assert model(v).shape == (3,)
    assert model(v[:1]).shape == (1,)
    assert model(v[:0]).shape == (0,)
    assert model.encode(v).shape == (3, 400)
    assert model.sample(2, 1).shape == (2, 784)
    assert model.sample(3, 1, start=v).shape == (3, 784)


@pytest.mark.parametrize("options", [{}, {"k": 2}, {"chains": 7}, {"num_classes": 3, "chains": 7}])
@pytest.mark.parametrize("sizes", [(6, 4), (6, 5, 4), (6, 5, 4, 3)])
def test_every_parameter_learns(sizes, options):
    model = DeepBeliefNetwork(sizes, **options)
    labels = autograd.tensor([0, 1, 2, 1]) if model.num_classes else None
    v = autograd.bernoulli(autograd.full((4, 6), 0.5))
    loss = model(v, labels)
    assert loss.shape == (4,)
    loss.mean().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.sample(5, 3, None if labels is None else [0, 1, 2, 0, 1]).shape == (5, 6)
    assert model.sample(5, 3).shape == (5, 6)


def test_wake_and_sleep_have_the_gradients_of_the_delta_rule():
    model = DeepBeliefNetwork((5, 4, 3)).double()
    v = autograd.bernoulli(autograd.full((6, 5), 0.5, dtype=np.float64))
    autograd.manual_seed(2)
    model(v).mean().backward()
    autograd.manual_seed(2)
    up, down = model.recognition[0], model.generative[0]
    with autograd.no_grad():
        causes = autograd.bernoulli(autograd.sigmoid(up(v)))
        fantasies = model.top.gibbs(causes, 1)
        dream = autograd.bernoulli(autograd.sigmoid(down(fantasies)))
        wake = autograd.sigmoid(down(causes)) - v
        sleep = autograd.sigmoid(up(dream)) - fantasies
    np.testing.assert_allclose(down.weight.grad, wake.T.numpy() @ causes.numpy() / 6, atol=1e-12)
    np.testing.assert_allclose(up.weight.grad, sleep.T.numpy() @ dream.numpy() / 6, atol=1e-12)
    np.testing.assert_allclose(up.bias.grad, sleep.numpy().mean(0), atol=1e-12)


def test_the_bound_is_below_the_likelihood_by_the_error_of_recognition():
    model = DeepBeliefNetwork((4, 3, 2)).double()
    with autograd.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5)
    h = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    v = autograd.tensor([[1.0, 0.0, 1.0, 1.0]], dtype=np.float64)
    log_z = model.top.log_partition().item()
    prior = -model.top.free_energy(autograd.tensor(h)).detach().numpy() - log_z
    assert np.exp(prior).sum() == pytest.approx(1)
    score = model.generative[0](autograd.tensor(h)).detach().numpy()
    likelihood = (v.numpy() * score - np.log1p(np.exp(score))).sum(1)
    exact = np.log(np.exp(prior + likelihood).sum())
    many = autograd.tensor(np.tile(v.numpy(), (4000, 1)))
    bound = model.bound(many, log_partition=log_z).numpy()
    assert bound.mean() < exact
    # Importance sampling by the same terms is exact on average: their exponentials are.
    assert np.log(np.exp(bound).mean()) == pytest.approx(exact, abs=0.05)


def test_a_split_machine_gives_the_same_in_both_directions():
    x, _ = patterns()
    model = DeepBeliefNetwork((6, 5, 4))
    histories = model.pretrain(x, epochs=2)
    assert [len(history) for history in histories] == [2, 2]
    assert np.array_equal(
        model.generative[0].weight.detach(), model.recognition[0].weight.T.detach()
    )


def test_pretraining_and_tuning_raise_the_bound_and_the_classes_are_found():
    x, labels = patterns()
    model = DeepBeliefNetwork((6, 5, 4), num_classes=2)
    v, y = autograd.tensor(x), autograd.tensor(labels)

    def bound():
        log_z = model.top.log_partition().item()
        return np.mean([model.bound(v, y, log_z).mean().item() for _ in range(10)])

    bounds = [bound()]
    model.pretrain(x, labels, epochs=40, batch_size=20)
    bounds.append(bound())
    nn.train.fit(
        model,
        (x, labels, labels),
        lambda outputs, _: outputs.mean(),
        optim.SGD(model.parameters(), lr=0.05),
        epochs=40,
        progress=False,
    )
    bounds.append(bound())
    assert bounds[1] > bounds[0] + 1
    assert bounds[2] > bounds[1] + 0.03  # little is left to gain
    assert nn.metrics.accuracy(model.class_scores(v), labels) > 0.95
    asked = model.sample(200, 50, [0, 1] * 100).numpy().mean(1) > 0.5
    assert (asked == np.tile([False, True], 100)).mean() > 0.9


def test_a_classifier_starts_from_the_network():
    model = DeepBeliefNetwork((6, 5, 4), num_classes=2)
    classifier = model.classifier(3)
    v = autograd.rand(2, 6)
    top = RBM(5, 4)
    with autograd.no_grad():
        top.weight.copy_(model.top.weight[:, :5])
        top.hidden_bias.copy_(model.top.hidden_bias)
    wanted = top.hidden_probability(model.encode(v))
    np.testing.assert_allclose(classifier[:5](v).detach(), wanted.detach(), rtol=1e-6)
    assert classifier(v).shape == (2, 3)


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="sizes must be 2 or more"):
        DeepBeliefNetwork((784,))
    with pytest.raises(ValueError, match="num_classes must be an integer >= 0, met -1"):
        DeepBeliefNetwork((4, 3), -1)
    plain, labelled = DeepBeliefNetwork((4, 3, 2)), DeepBeliefNetwork((4, 3, 2), 2)
    v, y = autograd.zeros(3, 4), autograd.tensor([0, 1, 1])
    with pytest.raises(ValueError, match="there are no units for labels"):
        plain(v, y)
    with pytest.raises(ValueError, match="labels are needed"):
        labelled(v)
    with pytest.raises(ValueError, match=r"labels of shape \(3,\), met \(2,\)"):
        labelled(v, y[:2])
    with pytest.raises(ValueError, match=r"expected a batch \(N, 4\).*met shape \(3, 5\)"):
        plain(autograd.zeros(3, 5))
    with pytest.raises(ValueError, match="n=5 samples cannot start from 3"):
        plain.sample(5, start=v)
    with pytest.raises(ValueError, match="no class units"):
        plain.class_scores(v)
