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


def test_a_convolution_of_vgg():
    """224 x 224 positions of 64 kernels of 3 x 3 x 3, as in any account of VGG-16."""
    found = nn.summary(nn.Conv2d(3, 64, 3, padding=1), (3, 224, 224))
    assert (found.multiply_adds, found.parameters) == (86_704_128, 1_792)


COUNTS = {
    "conv1d": (nn.Conv1d(2, 4, 3, groups=2), (2, 5), 4 * 3 * 3),
    "conv3d": (nn.Conv3d(1, 2, 2), (1, 3, 3, 3), 2 * 2**3 * 2**3),
    # Each of 2 x 4 numbers is multiplied with 3 kernels of 2; in groups with those of its group.
    "conv_transpose1d": (nn.ConvTranspose1d(2, 3, 2, stride=2), (2, 4), 2 * 4 * 3 * 2),
    "conv_transpose2d": (nn.ConvTranspose2d(2, 4, 3, groups=2), (2, 5, 5), 2 * 25 * 2 * 9),
    "conv_transpose3d": (nn.ConvTranspose3d(1, 2, 2), (1, 2, 2, 2), 8 * 2 * 8),
    "bilinear": (nn.Bilinear(2, 3, 4), [(2,), (3,)], 4 * 2 * 3),
    # Six steps: each is multiplied with weight_ih and weight_hh.
    "rnn": (nn.RNN(3, 5, batch_first=True), (6, 3), 6 * (5 * 3 + 5 * 5)),
    "lstm": (nn.LSTM(3, 5, batch_first=True), (6, 3), 6 * 4 * (5 * 3 + 5 * 5)),
    "lstm, projected": (
        nn.LSTM(3, 5, batch_first=True, proj_size=2),
        (6, 3),
        6 * (4 * (5 * 3 + 5 * 2) + 2 * 5),
    ),
    "gru, two layers, both ways": (
        nn.GRU(3, 5, 2, batch_first=True, bidirectional=True),
        (6, 3),
        6 * 2 * 3 * ((5 * 3 + 5 * 5) + (5 * 10 + 5 * 5)),
    ),
    "rnn_cell": (nn.RNNCell(3, 5), (3,), 5 * 3 + 5 * 5),
    "lstm_cell": (nn.LSTMCell(3, 5, bias=False), (3,), 4 * (5 * 3 + 5 * 5)),
    "gru_cell": (nn.GRUCell(3, 5), [(3,), (5,)], 3 * (5 * 3 + 5 * 5)),
    # 4 queries and 7 keys of 6 features: projections, scores, sums of values.
    "attention": (
        nn.MultiheadAttention(6, 2, batch_first=True),
        [(4, 6), (7, 6), (7, 6)],
        (4 + 7 + 7 + 4) * 6 * 6 + 4 * 7 * 6 + 4 * 7 * 6,
    ),
    "attention, of others": (
        nn.MultiheadAttention(6, 2, kdim=3, vdim=5, batch_first=True, add_zero_attn=True),
        [(4, 6), (7, 3), (7, 5)],
        2 * 4 * 6 * 6 + 7 * 6 * (3 + 5) + 2 * 4 * (7 + 1) * 6,
    ),
    "transformer layer": (
        nn.TransformerEncoderLayer(6, 2, 10, batch_first=True),
        (4, 6),
        4 * 4 * 6 * 6 + 2 * 4 * 4 * 6 + 2 * 4 * 6 * 10,
    ),
    "embedding": (nn.Embedding(9, 4), (3,), 0),
}


@pytest.mark.parametrize("name", COUNTS)
def test_products_counted_by_hand(name):
    model, shape, wanted = COUNTS[name]
    dtype = np.int64 if name == "embedding" else None
    assert nn.summary(model, shape, dtype).multiply_adds == wanted


def test_sequences_first_and_arguments_by_name():
    class By(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(6, 2, add_bias_kv=True)

        def forward(self, x):
            y = x.transpose(0, 1)
            return self.attend(value=y[:2], key=y[:2], query=y)[0]

    # A sequence of 3 queries, 2 keys and the learned one.
    wanted = (3 + 2 + 2 + 3) * 36 + 2 * 3 * 3 * 6
    assert nn.summary(By(), (3, 6)).multiply_adds == wanted


def test_packed_sequences_count_the_steps_that_they_have():
    class Packs(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LSTM(2, 3)

        def forward(self, x):
            both = [x[0], x[0, :2]]
            return self.layer(nn.utils.rnn.pack_sequence(both, enforce_sorted=False))[1]

    assert nn.summary(Packs(), (4, 2)).multiply_adds == (4 + 2) * 4 * (3 * 2 + 3 * 3)
