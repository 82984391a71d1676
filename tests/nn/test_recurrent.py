"""Recurrent layers beside what the table of cases compares: errors, dtypes, second order, views."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, gradgradcheck
from nn.utils import rnn as packing

LAYERS = [nn.RNN, nn.LSTM, nn.GRU]
CELLS = [nn.RNNCell, nn.LSTMCell, nn.GRUCell]


def leaf(*shape: int) -> Tensor:
    rng = np.random.default_rng(shape)
    return Tensor(rng.standard_normal(shape), requires_grad=True)


def first(result):
    return result if isinstance(result, Tensor) else result[0]


@pytest.mark.parametrize("kind", LAYERS)
def test_parameters_start_within_the_bound_and_have_pytorchs_names(kind):
    autograd.manual_seed(0)
    layer = kind(5, 16, 2, bidirectional=True)
    names = [
        f"{what}_l{number}{suffix}"
        for number in (0, 1)
        for suffix in ("", "_reverse")
        for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    assert list(layer.state_dict()) == names
    values = np.concatenate([p.detach().numpy().ravel() for p in layer.parameters()])
    assert np.abs(values).max() <= 0.25
    assert abs(values.std() - 0.5 / np.sqrt(12)) < 0.01
    assert [len(group) for group in layer.all_weights] == [4] * 4
    layer.flatten_parameters()


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_dtypes_stay(kind, dtype):
    layer = kind(3, 4).to(dtype)
    y = first(layer(autograd.ones(2, 3).to(dtype)))
    assert y.dtype == dtype
    y.sum().backward()
    assert all(p.grad.dtype == dtype for p in layer.parameters())


@pytest.mark.parametrize("kind", LAYERS)
def test_second_order_through_a_packed_batch(kind):
    layer = kind(2, 2, bidirectional=True).double()
    packed = packing.pack_padded_sequence(leaf(3, 2, 2), [3, 2])
    weights = list(layer.parameters())

    def run(data, *_):
        return first(layer(packing.PackedSequence(data, packed.batch_sizes))).data

    assert gradgradcheck(run, [packed.data.detach().requires_grad_(), *weights[:2]], atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
def test_what_becomes_of_the_output_does_not_reach_backward(kind):
    layer = kind(2, 3).double()
    x = leaf(4, 2, 2)
    y = first(layer(x))
    (wanted,) = autograd.grad(y.sum(), x, retain_graph=True)
    with autograd.no_grad():
        y.fill_(7.0)
    (found,) = autograd.grad(y.sum(), x)
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())


@pytest.mark.parametrize("kind", LAYERS)
def test_dropout_acts_between_layers_in_training_only(kind):
    layer = kind(2, 4, 2, dropout=0.5)
    x = autograd.randn(3, 2, 2)
    a, b = (first(layer(x)).detach().numpy() for _ in range(2))
    assert not np.array_equal(a, b)
    layer.eval()
    a, b = (first(layer(x)).detach().numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert "dropout=0.5" in repr(layer)


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="there is one layer"):
        nn.LSTM(2, 3, dropout=0.1)


@pytest.mark.parametrize("kind", LAYERS)
def test_an_empty_batch(kind):
    layer = kind(2, 3)
    y, after = layer(autograd.zeros(4, 0, 2))
    assert y.shape == (4, 0, 3)
    assert first(after).shape == (1, 0, 3)
    y.sum().backward()
    assert all(p.grad is not None and not p.grad.numpy().any() for p in layer.parameters())


@pytest.mark.parametrize("kind", LAYERS)
def test_copies_and_no_grad(kind):
    layer = kind(2, 3)
    x = autograd.randn(4, 2, 2)
    y, z = (first(each(x)).detach().numpy() for each in (layer, copy.deepcopy(layer)))
    np.testing.assert_array_equal(z, y)
    with autograd.no_grad():
        assert not first(layer(x)).requires_grad


@pytest.mark.parametrize("kind", LAYERS)
def test_traced(kind):
    layer = kind(2, 3)
    graph = autograd.trace(lambda x: first(layer(x)), autograd.Spec((4, 2, 2)))
    assert f"{layer.mode.lower()[:3]}" in str(graph)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(
    ("args", "options", "error", "says"),
    [
        ((0, 3), {}, ValueError, "input_size must be greater than zero"),
        ((2, -1), {}, ValueError, "hidden_size must be greater than zero"),
        ((2, 3, 0), {}, ValueError, "num_layers must be greater than zero"),
        ((2.0, 3), {}, TypeError, "input_size must be an int"),
        ((2, 3), {"bias": 1}, TypeError, "bias must be a bool"),
        ((2, 3), {"batch_first": "x"}, TypeError, "batch_first must be a bool"),
        ((2, 3), {"dropout": 1.5}, ValueError, "from 0 to 1"),
        ((2, 3), {"dropout": True}, ValueError, "from 0 to 1"),
        ((2, 3), {"device": "cuda"}, ValueError, "only one"),
    ],
)
def test_arguments_that_make_no_layer(kind, args, options, error, says):
    with pytest.raises(error, match=says):
        kind(*args, **options)


def test_other_arguments_that_make_no_layer():
    with pytest.raises(ValueError, match="proj_size must be"):
        nn.LSTM(2, 3, proj_size=3)
    with pytest.raises(ValueError, match="'tanh' or 'relu'"):
        nn.RNN(2, 3, nonlinearity="sigmoid")
    with pytest.raises(ValueError, match="'tanh' or 'relu'"):
        nn.RNNCell(2, 3, nonlinearity="sigmoid")
    with pytest.raises(TypeError):
        nn.GRU(2, 3, proj_size=1)  # pyright: ignore[reportCallIssue] - that is the test
    with pytest.raises(ValueError, match="mode must be one of"):
        nn.RNNBase("MGU", 2, 3)


def state_of(kind, *shape):
    h = autograd.zeros(*shape)
    return (h, h) if kind in (nn.LSTM, nn.LSTMCell) else h


@pytest.mark.parametrize("kind", LAYERS)
def test_calls_that_do_not_fit(kind):
    layer = kind(2, 3)
    x = autograd.zeros(4, 5, 2)
    with pytest.raises(ValueError, match="2 or 3 dimensions"):
        layer(autograd.zeros(2))
    with pytest.raises(RuntimeError, match="at least one step"):
        layer(autograd.zeros(0, 5, 2))
    with pytest.raises(RuntimeError, match="input_size=2"):
        layer(autograd.zeros(4, 5, 3))
    with pytest.raises(ValueError, match="convert the input"):
        layer(x.double())
    for shape in ((5, 3), (1, 4, 3), (2, 5, 3), (1, 5, 2)):
        with pytest.raises(RuntimeError, match="must have shape"):
            layer(x, state_of(kind, *shape))
    with pytest.raises(RuntimeError, match="must have shape"):
        layer(autograd.zeros(4, 2), state_of(kind, 1, 1, 3))
    with pytest.raises(TypeError, match="hx must be"):
        layer(x, autograd.zeros(1, 5, 3) if kind is nn.LSTM else (autograd.zeros(1, 5, 3),) * 2)
    state = autograd.zeros(1, 5, 3).double()
    with pytest.raises(RuntimeError, match="of one dtype"):
        layer(x, (state, state) if kind is nn.LSTM else state)


@pytest.mark.parametrize("kind", LAYERS)
def test_weights_of_another_shape_are_refused(kind):
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        layer = kind(2, 3)
        right = getattr(layer, name)
        setattr(layer, name, nn.Parameter(np.zeros((*right.shape[:-1], right.shape[-1] + 1), "f4")))
        with pytest.raises(ValueError, match=name[:-3]):
            layer(autograd.zeros(4, 5, 2))


@pytest.mark.parametrize("sizes", [[], [2, 3, 1], [3, 2], [3, 3, 0], [4, 3], [7]])
@pytest.mark.parametrize("kind", LAYERS)
def test_packed_sequences_that_contradict_themselves(kind, sizes):
    with pytest.raises(RuntimeError, match="2 dimensions"):
        kind(2, 3)(packing.pack_sequence([autograd.zeros(3)]))
    packed = packing.PackedSequence(autograd.zeros(6, 2), autograd.tensor(np.array(sizes, int)))
    with pytest.raises(RuntimeError, match="batch_sizes"):
        kind(2, 3)(packed)


@pytest.mark.parametrize("kind", CELLS)
def test_cells_refuse_what_does_not_fit(kind):
    cell = kind(2, 3)
    with pytest.raises(ValueError, match="expected input"):
        cell(autograd.zeros(1, 4, 2))
    with pytest.raises(ValueError, match="expected input"):
        cell(autograd.zeros(4, 3))
    for shape in ((5, 3), (3,), (4, 1, 3)):
        with pytest.raises(ValueError, match="the state h must be"):
            cell(autograd.zeros(4, 2), state_of(kind, *shape))
    with pytest.raises(ValueError, match="weight_ih must be"):
        cell(autograd.zeros(4, 2), state_of(kind, 4, 2))
    with pytest.raises(ValueError, match="at least 0"):
        kind(-1, 2)
    with pytest.raises(TypeError, match="hidden_size must be an int"):
        kind(2, 3.5)
    if kind is nn.LSTMCell:
        with pytest.raises(TypeError, match="pair"):
            cell(autograd.zeros(4, 2), autograd.zeros(4, 3))


def test_a_cell_takes_the_steps_of_a_layer():
    for layer_kind, cell_kind in zip(LAYERS, CELLS, strict=True):
        layer, cell = layer_kind(2, 3).double(), cell_kind(2, 3).double()
        cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
        x = leaf(5, 4, 2)
        y = first(layer(x))
        state = None
        for t in range(5):
            state = cell(x[t], state)
            np.testing.assert_allclose(first(state).detach().numpy(), y[t].detach().numpy())


def test_one_bias_alone_is_refused():
    x, w = autograd.zeros(2, 3), autograd.zeros(3, 3)
    with pytest.raises(ValueError, match="both biases"):
        autograd.rnn_tanh_cell(x, x, w, w, autograd.zeros(3))
