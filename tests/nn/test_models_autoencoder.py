"""Autoencoders: shapes, counts, torch's own layers, greedy training and what is refused."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import models


def count(model):
    return sum(math.prod(p.shape) for p in model.parameters())


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (models.Autoencoder, 419_120),
        (models.ConvAutoencoder, 115_217),
        (models.StackedAutoencoder, 437_664),
    ],
)
def test_images_come_back_in_their_shape_and_every_parameter_learns(model, parameters):
    model = model()
    assert count(model) == parameters
    x = autograd.rand(3, 1, 28, 28)
    y = model(x)
    assert y.shape == x.shape
    assert bool(((y > 0) & (y < 1)).all())
    nn.functional.binary_cross_entropy(y, x).backward()
    assert all(p.grad is not None and float(abs(p.grad).max()) > 0 for p in model.parameters())
    assert np.array_equal(model.decode(model.encode(x)).flatten(1).detach(), y.flatten(1).detach())


def test_one_sample_and_none():
    for model in (models.Autoencoder((4, 2)), models.StackedAutoencoder((4, 2))):
        assert model(autograd.rand(1, 4)).shape == (1, 4)
        assert model(autograd.zeros(0, 4)).shape == (0, 4)
    assert models.ConvAutoencoder()(autograd.rand(1, 1, 28, 28)).shape == (1, 1, 28, 28)


@pytest.mark.parametrize("model", [models.Autoencoder, models.StackedAutoencoder])
@pytest.mark.parametrize("sizes", [(784,), (784, 0), (784, 2.5), "ab", 5])
def test_sizes_that_make_no_network_are_refused(model, sizes):
    with pytest.raises(ValueError, match="sizes must be 2 or more integers > 0"):
        model(sizes)


def test_samples_of_another_size_are_refused():
    for model in (models.Autoencoder((4, 2)), models.StackedAutoencoder((4, 2))):
        for shape in ((3, 5), (3, 2, 3), (4,)):
            with pytest.raises(ValueError, match=r"expected a batch \(N, 4\).*met shape"):
                model(autograd.zeros(*shape))
    with pytest.raises(ValueError, match=r"expected images \(N, 1, 28, 28\), met shape \(2, 784\)"):
        models.ConvAutoencoder()(autograd.zeros(2, 784))
    with pytest.raises(ValueError, match=r"code_size: sizes .* met \(1, 0\)"):
        models.ConvAutoencoder(code_size=0)
    with pytest.raises(ValueError, match="multiple of 4, met 30"):
        models.ConvAutoencoder(image_size=30)


def test_convolutions_of_other_sizes():
    model = models.ConvAutoencoder(3, 7, (4, 6), 32)
    x = autograd.rand(2, 3, 32, 32)
    assert model.encode(x).shape == (2, 7)
    assert model(x).shape == x.shape


def test_the_layers_are_those_of_torch(torch):
    layers = torch.nn
    theirs = layers.Sequential(
        layers.Linear(6, 5), layers.ReLU(), layers.Linear(5, 2),
        layers.Linear(2, 5), layers.ReLU(), layers.Linear(5, 6), layers.Sigmoid(),
    )  # fmt: skip
    ours = models.Autoencoder((6, 5, 2))
    states = [p.detach().numpy() for p in theirs.parameters()]
    with autograd.no_grad():
        for p, state in zip(ours.parameters(), states, strict=True):
            p.copy_(autograd.tensor(state))
    x = np.random.default_rng(0).random((4, 6), dtype=np.float32)
    wanted = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(autograd.tensor(x)).detach(), wanted, rtol=1e-5)


def test_a_code_as_wide_as_the_data_needs_restores_it():
    rng = np.random.default_rng(0)
    bits = np.eye(4, dtype=np.float32)[rng.integers(0, 4, 64)]
    model = models.Autoencoder((4, 8, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    history = nn.train.fit(model, (bits, bits), nn.BCELoss(), optimizer, epochs=60, progress=False)
    assert history[-1]["train_loss"] < 0.1 * history[0]["train_loss"]
    assert np.array_equal(model(autograd.tensor(bits)).detach().numpy().round(), bits)


def test_pretraining_trains_each_layer_in_turn_on_the_codes_below_it():
    rng = np.random.default_rng(0)
    x = (rng.random((200, 3)) < 0.5).astype(np.float32).repeat(4, axis=1)
    model = models.StackedAutoencoder((12, 6, 4))
    before = [p.detach().numpy().copy() for p in model.parameters()]
    histories = model.pretrain(x, epochs=30, lr=0.02, batch_size=20)
    assert len(histories) == 2
    assert all(h[-1]["train_loss"] < h[0]["train_loss"] for h in histories)
    after = [p.detach().numpy() for p in model.parameters()]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    # The whole was never trained, and yet restores what three bits decide.
    fresh = models.StackedAutoencoder((12, 6, 4))
    samples = autograd.tensor(x)
    errors = [nn.functional.mse_loss(net(samples), samples).item() for net in (model, fresh)]
    assert errors[0] < 0.5 * errors[1]


def test_pretraining_takes_arrays_of_other_types_and_does_not_change_them():
    model = models.StackedAutoencoder((6, 4)).double()
    x = np.random.default_rng(0).random((10, 2, 3))
    kept = x.copy()
    model.pretrain(x, epochs=1, noise=0.3)
    assert np.array_equal(x, kept)
    assert model.encoders[0].weight.dtype == np.float64
    with pytest.raises(ValueError, match=r"noise must be a share, >= 0 and < 1, met 1\.0"):
        model.pretrain(x, noise=1.0)
    with pytest.raises(ValueError, match="met shape"):
        model.pretrain(np.zeros((3, 5)))


def test_the_same_seed_pretrains_the_same():
    x = np.random.default_rng(0).random((40, 6), dtype=np.float32)

    def weights():
        autograd.manual_seed(3)
        model = models.StackedAutoencoder((6, 4, 2))
        model.pretrain(x, epochs=2, noise=0.2)
        return [p.detach().numpy() for p in model.parameters()]

    assert all(np.array_equal(a, b) for a, b in zip(weights(), weights(), strict=True))


def test_a_classifier_has_copies():
    model = models.StackedAutoencoder((6, 4, 3))
    classifier = model.classifier(5)
    x = autograd.rand(2, 2, 3)
    inner = classifier[:5](x)
    assert np.array_equal(inner.detach(), model.encode(x).detach())
    with autograd.no_grad():
        classifier[1].weight.zero_()
    assert float(abs(model.encoders[0].weight).max()) > 0
    with pytest.raises(ValueError, match="num_classes must be > 0, met 0"):
        model.classifier(0)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models.StackedAutoencoder((4, 2))(autograd.full((2, 4), 1e4)).sum().backward()
