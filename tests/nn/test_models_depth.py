"""WorkedNetwork, against numbers done by hand; DeepMLP, with each of its options."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd
import nn
import nn.__main__ as cli
from nn import models
from nn.models.deep_mlp import INITS
from nn.models.worked import BIASES, WEIGHTS


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def by_hand(x, target):
    """Outputs, and the gradients of the squared distance, by the textbook's formulas."""
    activations = [np.asarray(x, dtype=float)]
    for weight, bias in zip(WEIGHTS, BIASES, strict=True):
        activations.append(sigmoid(np.array(weight) @ activations[-1] + np.array(bias)))
    y = activations[-1]
    delta = 2.0 * (y - target) * y * (1.0 - y)
    gradients = {}
    for layer in (3, 2, 1):
        a = activations[layer - 1]
        gradients[f"layer{layer}.weight"] = np.outer(delta, a)
        gradients[f"layer{layer}.bias"] = delta
        delta = np.array(WEIGHTS[layer - 1]).T @ delta * a * (1.0 - a)
    return y, gradients


# ------------------------------------------------------------------ WorkedNetwork


@pytest.mark.parametrize(
    ("point", "expected"), [((1.0, -1.0), (0.62, 0.83)), ((0.0, 0.0), (0.51, 0.85))]
)
def test_the_outputs_of_the_blackboard(point, expected):
    y = models.WorkedNetwork()(autograd.tensor(point))
    np.testing.assert_allclose(y.detach().numpy(), expected, atol=0.005)


def test_the_gradients_are_those_of_the_textbook():
    network = models.WorkedNetwork().double()
    target = np.array([1.0, 0.0])
    y = network(autograd.tensor([1.0, -1.0], dtype=np.float64))
    ((y - autograd.tensor(target)) ** 2).sum().backward()
    expected, gradients = by_hand((1.0, -1.0), target)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-13)
    assert [name for name, _ in network.named_parameters()] == sorted(
        gradients, key=lambda name: (name.split(".")[0], name.endswith("bias"))
    )
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        np.testing.assert_allclose(parameter.grad.numpy(), gradients[name], rtol=1e-12)


def test_the_worked_network_has_eighteen_numbers_and_draws_none_at_random():
    autograd.manual_seed(0)
    one = models.WorkedNetwork()
    two = models.WorkedNetwork()
    assert sum(p.numel() for p in one.parameters()) == 18
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    assert one(autograd.zeros(0, 2)).shape == (0, 2)
    assert one(autograd.zeros(3, 5, 2)).shape == (3, 5, 2)
    with pytest.raises(ValueError, match=r"linear.*3"):
        one(autograd.zeros(1, 3))


# ------------------------------------------------------------------ DeepMLP


def test_parameters_of_the_defaults_are_as_the_table_says():
    model = models.DeepMLP()
    assert sum(p.numel() for p in model.parameters()) == 86_410
    assert sum(p.numel() for p in model.blocks.parameters()) == 85_760
    assert [sum(p.numel() for p in m.parameters()) for m in model.blocks[0].children()] == [
        4160,
        128,
    ]
    assert len(model.blocks) == 20
    assert sum(p.numel() for p in models.DeepMLP(norm=None).parameters()) == 86_410 - 20 * 128


@pytest.mark.parametrize(
    ("activation", "norm", "residual", "init"),
    list(
        itertools.product(
            ("relu", "tanh", "sigmoid"), (None, "batch", "layer"), (False, True), (*INITS, None)
        )
    ),
)
def test_every_choice_runs_and_reaches_every_parameter(activation, norm, residual, init):
    autograd.manual_seed(0)
    model = models.DeepMLP(
        6, 4, depth=3, width=8, activation=activation, norm=norm, residual=residual, init=init
    ).double()
    x = autograd.randn(5, 6, dtype=np.float64)
    nn.functional.cross_entropy(model(x), autograd.tensor([0, 1, 2, 3, 0])).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert np.isfinite(parameter.grad.numpy()).all(), name
    assert model.blocks[0].residual is False  # 6 features cannot be added to 8 units
    assert model.blocks[1].residual is residual


def test_a_block_is_its_formula():
    autograd.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(4, 8))
    for residual in (False, True):
        model = models.DeepMLP(8, 3, 1, 8, "tanh", None, residual, "xavier").double()
        block = model.blocks[0]
        weight, bias = block.linear.weight.detach().numpy(), block.linear.bias.detach().numpy()
        assert not bias.any()
        expected = np.tanh(x @ weight.T + bias) + (x if residual else 0.0)
        np.testing.assert_allclose(
            block(autograd.tensor(x)).detach().numpy(), expected, rtol=1e-12, atol=1e-15
        )


@pytest.mark.parametrize(
    ("init", "std"),
    [("naive", 1.0), ("small", 0.01), ("xavier", 256**-0.5), ("he", (2 / 256) ** 0.5)],
)
def test_initial_weights_have_the_width_that_their_name_says(init, std):
    autograd.manual_seed(0)
    model = models.DeepMLP(256, depth=2, width=256, init=init)
    for block in model.blocks:
        assert block.linear.weight.detach().numpy().std() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize("options", [{"depth": 0}, {"width": 0}, {"in_features": -1}])
def test_sizes_below_one_are_refused(options):
    (name,) = options
    with pytest.raises(
        ValueError, match=f"DeepMLP: {name} must be at least 1, not {options[name]}"
    ):
        models.DeepMLP(**options)


@pytest.mark.parametrize(
    "options", [{"activation": "gelu"}, {"norm": "group"}, {"init": "kaiming"}]
)
def test_unknown_options_are_refused_with_the_known_ones(options):
    (name,) = options
    with pytest.raises(
        ValueError, match=rf"DeepMLP: {name} must be one of .*not '{options[name]}'"
    ):
        models.DeepMLP(**options)


def test_input_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"linear.*65"):
        models.DeepMLP()(autograd.zeros(2, 65))


def test_batch_norm_cannot_train_on_one_sample_but_layer_norm_can():
    with pytest.raises(ValueError, match=r"more than one value"):
        models.DeepMLP()(autograd.zeros(1, 64))
    assert models.DeepMLP().eval()(autograd.zeros(1, 64)).shape == (1, 10)
    assert models.DeepMLP(norm="layer")(autograd.zeros(1, 64)).shape == (1, 10)


# ------------------------------------------------------------------ from the command line


def test_the_graph_of_a_model_with_batch_norm_of_features_is_drawn(capsys):
    assert cli.main(["graph", "deep_mlp", "--depth", "1"]) == 0
    assert "2×64" in capsys.readouterr().out
    assert cli.main(["graph", "deep_mlp", "--depth", "1", "--batch", "3"]) == 0
    assert "3×64" in capsys.readouterr().out
    assert cli.main(["graph", "worked_network"]) == 0
    assert "1×2" in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "size"), [(5, 4), (8, 1)])
def test_batches_of_one_are_refused_in_a_sentence(tmp_path, capsys, limit, size):
    command = ["train", "deep_mlp", "--limit", str(limit), "--batch-size", str(size)]
    assert cli.main([*command, "--out", str(tmp_path / "run")]) == 1
    assert "choose another --batch-size" in capsys.readouterr().err


def test_the_exclusive_or_is_learned_from_the_command_line(tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["train", "worked_network", "--out", str(out)]) == 0
    assert "test accuracy 100.00 % of 400 points" in capsys.readouterr().out
    assert (out / "plane.png").is_file()
