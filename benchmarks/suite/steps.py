"""Whole training steps: forward, backward and update, on the same weights and batches.

Each model is written once and built from this library or PyTorch, because their `nn` carry the same
names; JAX has functions of its own (`steps_jax`). The losses of three steps are compared first.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd
import nn
import optim
from autograd import kernels

from .. import rivals
from ..subjects import Arrays, Built, kernel
from . import scalars, steps_jax

STEPS = 3
"""So many losses are compared."""


def digits_mlp(nn: Any) -> Any:
    """64-32-10 (scikit-learn's digits)."""
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def mnist_mlp(nn: Any) -> Any:
    """784-512-512-10."""
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def lenet5(nn: Any) -> Any:
    """LeNet-5 with ReLU and max pooling (LeCun et al. 1998)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def resnet20(nn: Any) -> Any:
    """ResNet-20 for 32 x 32 images (He et al. 2015), 1x1 convolutions at the two steps down."""

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU()
            self.short = None
            if inputs != outputs:
                self.short = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + (x if self.short is None else self.short(x)))

    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for i in range(3):
            layers.append(Block(inputs, outputs, 2 if i == 0 and outputs != 16 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10))


def lstm(nn: Any) -> Any:
    """One layer of 128 units, steps first."""
    return nn.LSTM(128, 128)


def transformer(nn: Any) -> Any:
    """One encoder layer, width 128, 4 heads, without dropout."""
    return nn.TransformerEncoderLayer(128, 4, 512, 0.0, batch_first=True)


def classified(nn: Any) -> Callable[[Any, Any, Any], Any]:
    """Cross-entropy of the scores."""
    loss = nn.CrossEntropyLoss()
    return lambda model, x, t: loss(model(x), t)


def squared(nn: Any) -> Callable[[Any, Any, Any], Any]:
    """Mean of the squares of all outputs."""

    def loss(model: Any, x: Any, t: Any) -> Any:
        y, _ = model(x)
        return (y * y).mean()

    return loss


def copied(nn: Any) -> Callable[[Any, Any, Any], Any]:
    """Squared distance from a target."""
    loss = nn.MSELoss()
    return lambda model, x, t: loss(model(x), t)


SGD = {"lr": 0.01, "momentum": 0.9}


@dataclass(frozen=True)
class Step:
    """A model, its batch, its loss and its optimizer."""

    name: str
    build: Callable[[Any], Any]
    shape: Callable[[int], tuple[int, ...]]
    batch: int
    loss: Callable[[Any], Callable[[Any, Any, Any], Any]] = classified
    optimizer: str = "SGD"
    options: dict[str, Any] = field(default_factory=lambda: SGD)
    tolerance: float = 1e-4
    compiling: float = 20.0

    def inputs(self, size: int, rng: np.random.Generator) -> Arrays:
        """The batch, its targets, and the weights."""
        autograd.manual_seed(0)
        x = rng.standard_normal(self.shape(size))
        t = rng.integers(0, 10, size) if self.loss is classified else rng.standard_normal(x.shape)
        weights = (np.array(v.numpy()) for v in self.build(nn).state_dict().values())
        return (x, t, *weights)

    def loaded(self, library: Any, tensor: Callable[[Any], Any], weights: Arrays) -> Any:
        """The model with these weights."""
        names = self.build(nn).state_dict()
        model = self.build(library)
        if weights[0].dtype == np.float64:
            model = model.double()
        model.load_state_dict(
            {name: tensor(np.array(w)) for name, w in zip(names, weights, strict=True)},
            strict=False,
        )
        return model

    def ours(self, x: Any, t: Any, *weights: Any) -> Callable[[], float]:
        """Our step."""
        model = self.loaded(nn, autograd.tensor, weights)
        optimizer = getattr(optim, self.optimizer)(model.parameters(), **self.options)
        return trained(model, self.loss(nn), optimizer, autograd.tensor(x), autograd.tensor(t))

    def theirs(self, compiled: bool, own: Arrays) -> Callable[[], float]:
        """PyTorch's step, eager or compiled."""
        torch = importlib.import_module("torch")
        x, t, *weights = own
        model = self.loaded(torch.nn, torch.tensor, tuple(w.numpy() for w in weights))
        optimizer = getattr(torch.optim, self.optimizer)(model.parameters(), **self.options)
        run = rivals.torch_compiled(model) if compiled else model
        return trained(run, self.loss(torch.nn), optimizer, x, t)

    def reference(self, *arrays: Any) -> list[float]:
        """Losses on the NumPy references."""
        with kernels.use("reference"):
            step = self.ours(*arrays)
            return [step() for _ in range(STEPS)]

    def enter(self) -> None:
        """Enter it."""
        kernel(
            name=f"step.{self.name}",
            reference=self.reference,
            inputs=self.inputs,
            bytes=lambda *_: 0.0,
            rivals={
                "torch": Built(lambda *own: self.theirs(False, own), STEPS),
                "torch.compile": Built(lambda *own: self.theirs(True, own), STEPS, self.compiling),
                "jax": Built(lambda *own: self.jaxs(own), STEPS),
            },
            sizes=(self.batch,),
            dtypes=("float32",),
            tolerance=self.tolerance,
        )(Built(self.ours, STEPS))

    def jaxs(self, own: Arrays) -> Callable[[], float]:
        """JAX's step."""
        names = list(self.build(nn).state_dict())
        return steps_jax.step(self.name, self.optimizer, self.options, names, own)


def trained(model: Any, loss: Any, optimizer: Any, x: Any, t: Any) -> Callable[[], float]:
    """A training step, as both libraries write it."""

    def call() -> float:
        optimizer.zero_grad()
        value = loss(model, x, t)
        value.backward()
        optimizer.step()
        return value.item()

    return call


ALL = (
    Step("digits-mlp", digits_mlp, lambda n: (n, 64), 32),
    Step(
        "mnist-mlp",
        mnist_mlp,
        lambda n: (n, 784),
        128,
        optimizer="Adam",
        options={"lr": 1e-3},
    ),
    Step("lenet-5", lenet5, lambda n: (n, 1, 28, 28), 64),
    Step("resnet-20", resnet20, lambda n: (n, 3, 32, 32), 32, tolerance=2e-3, compiling=60.0),
    Step("lstm", lstm, lambda n: (32, n, 128), 32, squared, options={"lr": 0.1}),
    Step("transformer", transformer, lambda n: (n, 64, 128), 8, copied, options={"lr": 0.01}),
)
for _step in ALL:
    _step.enter()

kernel(
    name="step.two-moons",
    reference=scalars.losses,
    inputs=lambda size, rng: (np.array(size),),
    bytes=lambda *_: 0.0,
    rivals={"closures": Built(scalars.classic_step, STEPS)},
    sizes=(20, 100),
    dtypes=("float64",),
    tolerance=1e-9,
)(Built(scalars.our_step, STEPS))
