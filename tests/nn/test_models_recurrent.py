"""SequenceRegressor and CharLanguageModel: shapes, sizes, gradients, writing; against torch."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from nn.models import CharLanguageModel, SequenceRegressor

CELLS = ("RNN", "LSTM", "GRU")


def sizes(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("cell", "parameters"), [("LSTM", 4641), ("GRU", 3489), ("RNN", 1185)])
def test_a_regressor_is_of_the_size_that_its_table_says(cell, parameters):
    model = SequenceRegressor(2, cell=cell)
    assert sizes(model) == parameters
    y = model(autograd.randn(3, 7, 2))
    assert y.shape == (3, 1)
    y.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_character_model_is_of_the_size_that_its_table_says():
    model = CharLanguageModel(96)
    assert [sizes(part) for part in model.children()] == [3072, 62208, 12384]
    text = autograd.randint(0, 96, (4, 9))
    loss = nn.functional.cross_entropy(model(text).flatten(0, 1), text.flatten())
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_one_sequence_none_and_one_step():
    model = SequenceRegressor(2, 4, output_size=3, cell="GRU", num_layers=2, dropout=0.5)
    assert model(autograd.randn(1, 1, 2)).shape == (1, 3)
    assert model(autograd.randn(0, 5, 2)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(5, 2), (3, 5, 3), (3, 0, 2), (5,)])
def test_a_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match=r"SequenceRegressor: expected .*\(N, steps, 2\)"):
        SequenceRegressor(2)(autograd.zeros(*shape))


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="SequenceRegressor: cell must be one of RNN, LSTM, GRU"):
        SequenceRegressor(2, cell="lstm")
    with pytest.raises(ValueError, match=r"CharLanguageModel: cell .*'Elman'"):
        CharLanguageModel(5, cell="Elman")
    with pytest.raises(ValueError, match=r"CharLanguageModel: num_characters .* met 0"):
        CharLanguageModel(0)
    with pytest.raises(ValueError, match=r"CharLanguageModel: expected characters \(N, steps\)"):
        CharLanguageModel(5)(autograd.zeros(3, dtype=np.int64))


def test_forget_gates_begin_open_and_no_others():
    model = SequenceRegressor(2, 8, num_layers=2, forget_bias=3.0)
    for layer in (0, 1):
        names = (f"bias_ih_l{layer}", f"bias_hh_l{layer}")
        one, other = (getattr(model.recurrent, name).detach().numpy() for name in names)
        both = one + other
        np.testing.assert_array_equal(both[8:16], 3.0)
        assert (abs(both[:8]) < 1).all()
        assert (abs(both[16:]) < 1).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_regressor_equals_torchs(torch, cell):
    ours = SequenceRegressor(3, 5, 2, cell, num_layers=2).double()
    layer = getattr(torch.nn, cell)(3, 5, 2, batch_first=True, dtype=torch.float64)
    head = torch.nn.Linear(5, 2, dtype=torch.float64)
    state = {name: torch.from_numpy(t.numpy().copy()) for name, t in ours.state_dict().items()}
    layer.load_state_dict({n[10:]: t for n, t in state.items() if n.startswith("recurrent.")})
    head.load_state_dict({n[5:]: t for n, t in state.items() if n.startswith("head.")})
    x = np.random.default_rng(0).normal(size=(4, 6, 3))
    y = ours(autograd.tensor(x))
    z = head(layer(torch.from_numpy(x))[0][:, -1])
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), atol=1e-12)
    y.square().sum().backward()
    z.square().sum().backward()
    np.testing.assert_allclose(
        ours.recurrent.weight_hh_l0.grad.numpy(), layer.weight_hh_l0.grad.numpy(), atol=1e-12
    )


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize("cell", CELLS)
def test_advancing_in_parts_is_advancing_at_once(cell):
    model = CharLanguageModel(6, 4, 8, cell, num_layers=2).double()
    text = autograd.randint(0, 6, (3, 10))
    first, state = model.advance(text[:, :4])
    second, _ = model.advance(text[:, 4:], state)
    whole = model(text)
    np.testing.assert_allclose(
        np.concatenate([first.detach().numpy(), second.detach().numpy()], 1),
        whole.detach().numpy(),
        atol=1e-12,
    )


def test_at_temperature_zero_the_likeliest_is_written():
    model = CharLanguageModel(6, 4, 8)
    text = [3, 1]
    for _ in range(5):
        scores = model(autograd.tensor([text]))
        text.append(int(scores[0, -1].argmax().item()))
    np.testing.assert_array_equal(model.generate([3, 1], 5, temperature=0), text[2:])
    np.testing.assert_array_equal(model.generate([3, 1], 5, temperature=1e-300), text[2:])


def test_characters_are_drawn_by_their_probabilities():
    model = CharLanguageModel(3, 2, 2)
    with autograd.no_grad():
        model.head.weight.fill_(0.0)
        model.get_parameter("head.bias").copy_(autograd.tensor([0.0, 1.0, 2.0]))
    drawn = model.generate([0], 4000, temperature=2.0, generator=autograd.Generator(0))
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    odds = np.exp([0.0, 0.5, 1.0])
    np.testing.assert_allclose(shares, odds / odds.sum(), atol=0.03)


def test_writing_leaves_the_mode_and_no_graph():
    model = CharLanguageModel(6, 4, 8, num_layers=2, dropout=0.5)
    written = model.generate(np.array([0], np.uint8), 3)
    assert model.training
    assert written.dtype == np.int64
    assert model.generate([0], 0).shape == (0,)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("start", "length", "temperature", "word"),
    [
        ([], 3, 1.0, "start"),
        ([[0, 1]], 3, 1.0, "start"),
        ([0.5], 3, 1.0, "start"),
        ([0], -1, 1.0, "length"),
        ([0], 3, -1.0, "temperature"),
        ([0], 3, float("nan"), "temperature"),
    ],
)
def test_bad_wishes_are_refused(start, length, temperature, word):
    with pytest.raises(ValueError, match=f"CharLanguageModel.generate: .*{word}"):
        CharLanguageModel(5, 2, 2).generate(start, length, temperature)
