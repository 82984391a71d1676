"""The models: shapes, the registry, and a training run against torch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import autograd
import nn
from nn import models
from nn.recipes import RECIPES
from nn.recipes.images import ImageClassification


def test_lenet5_shapes():
    model = models.LeNet5(in_channels=3, num_classes=7)
    assert model(autograd.zeros(2, 3, 32, 32)).shape == (2, 7)
    assert list(model.state_dict())[:3] == ["conv1.weight", "conv1.bias", "conv2.weight"]
    with pytest.raises(ValueError, match="conv2d"):
        model(autograd.zeros(2, 1, 32, 32))
    with pytest.raises(ValueError, match="linear"):
        model(autograd.zeros(2, 3, 28, 28))


def test_a_seed_makes_the_same_lenet5():
    autograd.manual_seed(1)
    a = models.LeNet5()
    autograd.manual_seed(1)
    b = models.LeNet5()
    for name, tensor in a.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), b.state_dict()[name].numpy())


def example(entry: models.ModelEntry) -> autograd.Tensor:
    """Two inputs of a model."""
    if entry.dtype == "int64":
        return autograd.randint(0, 2, (2, *entry.input_shape))
    return autograd.rand(2, *entry.input_shape)


@pytest.mark.parametrize("name", models.list_models())
def test_every_registered_model_runs(name):
    entry = models.find_model(name)
    assert entry.name == name
    assert entry.description
    assert models.MODELS[name] is entry
    model = models.get_model(name)
    assert isinstance(model, nn.Module)
    y = model(example(entry))
    parts = y if isinstance(y, tuple) else (y,)
    total = sum((part.sum() for part in parts), autograd.tensor(0.0))
    total.backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, recipe in RECIPES.items()
        if issubclass(recipe.task, ImageClassification)
        and len(models.find_model(name).input_shape) == 3  # not pixels in a row
    ],
)
def test_every_classifier_of_images_takes_channels_and_classes(name):
    entry = models.find_model(name)
    model = models.get_model(name, in_channels=2, num_classes=4)
    y = model.eval()(autograd.rand(1, 2, *entry.input_shape[1:]))
    assert y.shape == (1, 4)


def test_an_unknown_name_is_refused_with_the_known_ones():
    for find in (models.find_model, models.get_model):
        with pytest.raises(ValueError, match=r"'lenet9'.*lenet5"):
            find("lenet9")


def test_an_entry_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        models.find_model("lenet5").name = "other"  # pyright: ignore[reportAttributeAccessIssue] - the mistake under test


# ------------------------------------------------------------------ against torch


def torch_lenet5(torch):
    layers = torch.nn

    class LeNet5(layers.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = layers.Conv2d(1, 6, 5)
            self.conv2 = layers.Conv2d(6, 16, 5)
            self.fc1 = layers.Linear(400, 120)
            self.fc2 = layers.Linear(120, 84)
            self.fc3 = layers.Linear(84, 10)

        def forward(self, x):
            pool, relu = layers.functional.max_pool2d, torch.relu
            x = pool(relu(self.conv1(x)), 2)
            x = pool(relu(self.conv2(x)), 2)
            x = relu(self.fc1(x.flatten(1)))
            return self.fc3(relu(self.fc2(x)))

    return LeNet5()


def test_lenet5_trains_as_torchs_does(torch):
    """Ten steps of plain gradient descent; every loss and gradient along the way."""
    torch.manual_seed(0)
    theirs, ours = torch_lenet5(torch), models.LeNet5()
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    random = np.random.default_rng(0)
    x = random.standard_normal((8, 1, 32, 32)).astype(np.float32)
    y = random.integers(0, 10, 8)
    for _ in range(10):
        loss = nn.CrossEntropyLoss()(ours(autograd.tensor(x)), autograd.tensor(y))
        wanted = torch.nn.CrossEntropyLoss()(theirs(torch.tensor(x)), torch.tensor(y))
        assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
        ours.zero_grad()
        theirs.zero_grad()
        loss.backward()
        wanted.backward()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert p.grad is not None
            g, h = p.grad.numpy(), q.grad.numpy()
            assert abs(g - h).max() <= 1e-5 * abs(h).max()
            with autograd.no_grad(), torch.no_grad():
                p.sub_(p.grad * 0.1)
                q.sub_(q.grad * 0.1)
