"""Perceptrons for points and pixels: sizes, dropout, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import PixelMLP, SpiralMLP


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_sizes_are_those_of_the_tables():
    assert [p.numel() for p in SpiralMLP().parameters()] == [64, 32, 1024, 32, 64, 2]
    assert parameters(SpiralMLP()) == 1218
    assert [p.numel() for p in PixelMLP().parameters()] == [32768, 128, 8192, 64, 640, 10]
    assert parameters(PixelMLP()) == 41802
    assert parameters(PixelMLP(hidden=())) == 2570
    assert parameters(SpiralMLP(hidden=(), num_classes=3)) == 9


@pytest.mark.parametrize(
    ("model", "shape", "classes"),
    [
        (SpiralMLP(3, (5,), "relu"), (7, 2), 3),
        (SpiralMLP(), (2,), 2),
        (SpiralMLP(), (0, 2), 2),
        (PixelMLP(2, 4, (8, 8, 8), 0.5, 0.2), (3, 2, 16, 16), 4),
        (PixelMLP(hidden=(8,)), (1, 256), 10),
        (PixelMLP(hidden=()), (0, 1, 16, 16), 10),
    ],
)
def test_shapes_and_gradients(model: nn.Module, shape: tuple[int, ...], classes: int):
    y = model(autograd.randn(*shape))
    assert y.shape == (*shape[:1], classes) if len(shape) > 1 else y.shape == (classes,)
    y.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_the_formula_of_pixel_mlp():
    autograd.manual_seed(0)
    model = PixelMLP(hidden=(8, 4))
    images = autograd.randn(5, 1, 16, 16)
    w1, b1, w2, b2, w3, b3 = (p.detach().numpy() for p in model.parameters())
    h = np.maximum(images.numpy().reshape(5, 256) @ w1.T + b1, 0)
    h = np.maximum(h @ w2.T + b2, 0)
    wanted = h @ w3.T + b3
    np.testing.assert_allclose(model(images).detach().numpy(), wanted, atol=1e-5)


def test_dropout_stands_before_the_first_layer_and_after_the_hidden_ones():
    model = PixelMLP(hidden=(8, 4), dropout=0.5, input_dropout=0.2)
    kinds = [(type(m).__name__, getattr(m, "p", None)) for m in model.layers]
    assert kinds == [
        ("Dropout", 0.2), ("Linear", None), ("ReLU", None),
        ("Dropout", 0.5), ("Linear", None), ("ReLU", None),
        ("Dropout", 0.5), ("Linear", None),
    ]  # fmt: skip
    assert not any(isinstance(m, nn.Dropout) for m in PixelMLP().modules())
    images = autograd.randn(4, 256)
    assert not autograd.equal(model(images), model(images))
    model.eval()
    assert autograd.equal(model(images), model(images))


def test_the_spirals_are_learned():
    rng = np.random.default_rng(0)
    points, labels = nn.data.spirals(600, turns=1.0, rng=rng)
    autograd.manual_seed(0)
    model = SpiralMLP()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    nn.train.fit(
        model, (points, labels), nn.CrossEntropyLoss(), optimizer, epochs=40, progress=False
    )
    points, labels = nn.data.spirals(200, turns=1.0, rng=rng)
    assert nn.metrics.accuracy(model(autograd.tensor(points)), labels) > 0.95


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (0,)])
def test_what_is_no_point_is_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"expected points \(\.\.\., 2\), met"):
        SpiralMLP()(autograd.zeros(*shape))


@pytest.mark.parametrize("shape", [(256,), (2, 255), (2, 1, 28, 28), (2, 16, 16), ()])
def test_other_images_are_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"expected images \(N, 1, 16, 16\) or \(N, 256\), met"):
        PixelMLP()(autograd.zeros(*shape))


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match=r"at least 1 unit.*\[8, 0\]"):
        PixelMLP(hidden=(8, 0))
    with pytest.raises(ValueError, match="0 classes"):
        SpiralMLP(num_classes=0)
    with pytest.raises(ValueError, match="'swish'"):
        SpiralMLP(activation="swish")
    with pytest.raises(ValueError, match=r"1\.5"):
        PixelMLP(dropout=1.5)
