"""Drawings of real models: nothing lies on anything else, in either direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, viz
from nn.models import ResNet20
from tests.autograd.viz.pictures import Picture, check


def trained(model: Any, *shape: int) -> Callable[[], Any]:
    """A step of a classifier of ten classes on two inputs."""
    autograd.manual_seed(0)
    x, y = autograd.randn(2, *shape), autograd.tensor(np.array([1, 7]))

    def step() -> Any:
        scores = model(x)
        loss = nn.functional.cross_entropy(scores, y)
        return loss

    return step


class Recurrent(nn.Module):
    """Six steps of one cell, whose parameters all of them share."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.keep, self.tell = nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 1)

    def forward(self, x: Any) -> Any:
        h = autograd.zeros(1, 5)
        for t in range(6):
            h = autograd.tanh(self.read(x[t : t + 1]) + self.keep(h))
        return self.tell(h)


class Attention(nn.Module):
    """One head, with a residual edge around it and around the layer after it."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(8, 8) for _ in range(3))
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x: Any) -> Any:
        q, k, v = self.q(x), self.k(x), self.v(x)
        weights = autograd.softmax(q @ k.mT * 8**-0.5, -1)
        x = self.norm(x + weights @ v)
        return x + autograd.gelu(self.out(x))


def two_moons() -> Any:
    """A 2-4-1 network of single numbers, on two points."""
    rng = np.random.default_rng(0)
    hidden = [[Scalar(v) for v in rng.normal(size=3)] for _ in range(4)]
    out = [Scalar(v) for v in rng.normal(size=5)]
    total: Any = 0.0
    for a, b, target in ((0.5, -1.0, 1.0), (-0.3, 0.8, -1.0)):
        units = [autograd.tanh(w * a + v * b + bias) for w, v, bias in hidden]
        score: Any = out[4]
        for weight, unit in zip(out, units, strict=False):
            score = score + weight * unit
        total = total + (score - target) ** 2
    return total


def pair() -> Any:
    """A gradient of a gradient."""
    x = Scalar(0.7)
    return autograd.sin(x) * autograd.exp(x * x)


def recurrent() -> Any:
    """The loss of the recurrent network."""
    return (Recurrent()(autograd.randn(6, 3)) ** 2).sum()


def attention() -> Any:
    """The loss of the attention layer."""
    return Attention()(autograd.randn(4, 8)).sum()


ZOO: dict[str, Callable[[], viz.Graph]] = {
    "lenet5": lambda: viz.graph(trained(nn.models.LeNet5(), 1, 32, 32)),
    "lenet5 by modules": lambda: viz.graph(trained(nn.models.LeNet5(), 1, 32, 32), depth=1),
    "lenet5 from a shape": lambda: nn.graph(nn.models.LeNet5(), (1, 1, 32, 32)),
    "mlp": lambda: viz.graph(trained(nn.models.MLP(), 1, 32, 32)),
    "resnet20": lambda: viz.graph(trained(ResNet20(), 3, 32, 32)),
    "resnet20 unfolded": lambda: nn.graph(ResNet20(), (1, 3, 32, 32), repeats=False),
    "recurrent": lambda: viz.graph(recurrent, repeats=False),
    "attention": lambda: viz.graph(attention),
    "two moons": lambda: viz.graph(two_moons),
    "second order": lambda: viz.graph(pair, order=2),
}


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("name", ZOO)
def test_nothing_lies_on_anything_else(name: str, direction: Any) -> None:
    drawing = ZOO[name]()
    drawing.direction = direction
    check(Picture(drawing.svg()), drawing.shown)


def test_lenet5_can_be_read_at_its_own_size() -> None:
    picture = Picture(viz.graph(trained(nn.models.LeNet5(), 1, 32, 32)).svg())
    assert picture.width < 1000
    sizes = {float(text.get("font-size", "12")) for text in picture.root.iter() if text.text}
    assert min(sizes) >= 11


@pytest.mark.slow
def test_a_hundred_thousand_nodes_are_summarised() -> None:
    y = x = Scalar(0.5)
    for i in range(50_000):
        y = autograd.sin(y) if i % 3 else y * x
        y = y + x
    drawing = viz.graph(y, backward=False)
    assert len(drawing.diagram.vertices) > 100_000
    assert len(drawing.shown.vertices) <= 400
    check(Picture(drawing.svg()), drawing.shown)
