"""nn.summary: its numbers, its text, and that it leaves the model as it was."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn


def test_numbers_of_lenet5():
    found = nn.summary(nn.models.LeNet5(), (1, 32, 32))
    assert found.parameters == found.trainable_parameters == 61706
    assert found.non_trainable_parameters == 0
    assert found.parameter_bytes == 4 * 61706
    conv1, conv2 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25
    assert found.multiply_adds == conv1 + conv2 + 400 * 120 + 120 * 84 + 84 * 10
    rows = {layer.name: layer for layer in found.layers}
    assert list(rows) == ["", "conv1", "conv2", "fc1", "fc2", "fc3"]
    assert rows["conv2"].output_shape == "(1, 16, 10, 10)"
    assert rows["conv2"].parameters == 2416
    assert rows["conv2"].multiply_adds == conv2
    text = str(found)
    assert text == repr(found)
    assert "conv2 (Conv2d)" in text
    assert "61,706 (trainable 61,706, non-trainable 0)" in text
    assert "Memory of parameters: 241.0 KiB" in text
    assert len({len(line) for line in text.splitlines()[:9]}) == 1


def test_groups_shared_layers_and_frozen_parameters():
    layer = nn.Linear(4, 4)
    layer.weight.requires_grad_(False)
    model = nn.Sequential(layer, nn.Sequential(layer), nn.ReLU())
    found = nn.summary(model, (4,), dtype=np.float64)
    assert found.parameters == 20
    assert found.trainable_parameters == 4
    assert found.multiply_adds == 32  # two calls
    assert [r.parameters for r in found.layers] == [0, 20, 0, 0]
    grouped = nn.summary(nn.Conv2d(4, 8, 3, groups=2), (4, 5, 5))
    assert grouped.multiply_adds == 3 * 3 * 8 * 2 * 9


class Restless(nn.Module):
    """Changes everything it can while it runs, in evaluation too."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.drop = nn.Dropout(0.5)
        self.idle = nn.Linear(1, 1)
        self.register_buffer("calls", autograd.zeros(1))
        self.register_buffer("last", autograd.zeros(1))
        self.modes: list[bool] = []

    def forward(self, a, b):
        self.modes.append(self.training)
        self.calls.add_(1)
        self.last = autograd.ones(1)
        y = self.drop(self.norm(a)) + autograd.rand(1)
        assert not y.requires_grad
        return {"y": (y, b), "n": 3}


def test_modes_buffers_random_state_and_hooks_are_restored():
    model = Restless()
    model.norm.eval()
    last = model.last
    state = {name: t.tolist() for name, t in model.state_dict().items()}
    before = autograd.default_generator.state_dict()
    found = nn.summary(model, [(3,), (2, 2)])
    assert autograd.default_generator.state_dict() == before
    assert {name: t.tolist() for name, t in model.state_dict().items()} == state
    assert model.last is last
    assert model.modes == [False]
    assert [m.training for m in model.modules()] == [True, False, True, True]
    assert not any(m._forward_hooks for m in model.modules())
    assert all(p.grad is None for p in model.parameters())
    rows = {layer.name: layer.output_shape for layer in found.layers}
    assert rows[""] == "y: (1, 3), (1, 2, 2), n: int"
    assert rows["idle"] == "-"


def test_a_failing_run_restores_too():
    model = nn.Sequential(nn.Dropout(), nn.Linear(3, 2))
    with pytest.raises(ValueError, match="linear"):
        nn.summary(model, (4,))
    assert all(m.training and not m._forward_hooks for m in model.modules())


def test_the_dtype_is_the_models():
    seen = []

    class Look(nn.Module):
        def forward(self, x):
            seen.append(x.dtype.name)
            return x

    nn.summary(nn.Sequential(Look(), nn.Linear(2, 2)).double(), (2,))
    nn.summary(Look(), ())
    nn.summary(Look(), (2,), dtype=np.int64)
    assert seen == ["float64", "float32", "int64"]


def test_wrong_arguments():
    with pytest.raises(TypeError, match="Module"):
        nn.summary(len, (1,))  # pyright: ignore[reportArgumentType] - the mistake under test
    with pytest.raises(TypeError, match="ints"):
        nn.summary(nn.ReLU(), (1.5,))  # pyright: ignore[reportArgumentType] - the mistake under test
    with pytest.raises(ValueError, match="at least 0"):
        nn.summary(nn.ReLU(), (-1,))


@pytest.mark.parametrize(("n", "text"), [(10, "40 bytes"), (2**20, "4.0 MiB"), (2**29, "2.0 GiB")])
def test_memory_is_readable(n, text):
    assert text in str(nn.Summary((), n, n, 0, 4 * n))


def test_every_convolution_is_counted():
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Conv1d(2, 1, 1))
    assert nn.summary(model, (1, 5)).multiply_adds == 2 * 3 * 3 + 3 * 2
