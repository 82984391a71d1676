"""Whole training steps against torch eager: same weights, same batches, losses equal first.

Run ``python benchmarks/steps.py [--threads 1 2] [--rounds 15] [NAME ...]``. Each model is written
once and built from either library, because their `nn` carry the same names.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
import nn
import optim
from benchmarks.measure import Row, beside_torch, compare


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


@dataclass
class Step:
    """A model, its batch and its optimizer."""

    name: str
    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    optimizer: str
    options: dict[str, Any]
    aim: float


SGD = {"lr": 0.01, "momentum": 0.9}
STEPS = (
    Step("digits-mlp", digits_mlp, (32, 64), "SGD", SGD, 0.4),
    Step("mnist-mlp", mnist_mlp, (128, 784), "Adam", {"lr": 1e-3}, 0.8),
    Step("lenet-5", lenet5, (64, 1, 28, 28), "SGD", SGD, 0.6),
    Step("resnet-20", resnet20, (32, 3, 32, 32), "SGD", SGD, 0.75),
)


def measured(step: Step, torch: Any, rounds: int, threads: int) -> Row:
    """Check that both libraries compute the same losses, then time a training step of each."""
    autograd.manual_seed(0)
    model, twin = step.build(nn), step.build(torch.nn)
    weights = {k: torch.tensor(np.array(v.numpy())) for k, v in model.state_dict().items()}
    twin.load_state_dict(weights, strict=False)
    x, t = autograd.randn(*step.shape), autograd.randint(0, 10, step.shape[:1])
    tx, tt = torch.tensor(np.array(x.numpy())), torch.tensor(np.array(t.numpy()))
    loss, their_loss = nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    optimizer = getattr(optim, step.optimizer)(model.parameters(), **step.options)
    their_optimizer = getattr(torch.optim, step.optimizer)(twin.parameters(), **step.options)

    def ours() -> float:
        optimizer.zero_grad()
        value = loss(model(x), t)
        value.backward()
        optimizer.step()
        return value.item()

    def theirs() -> float:
        their_optimizer.zero_grad()
        value = their_loss(twin(tx), tt)
        value.backward()
        their_optimizer.step()
        return value.item()

    for _ in range(3):
        a, b = ours(), theirs()
        assert math.isclose(a, b, rel_tol=2e-3), f"{step.name}: losses differ, {a} and {b}"
    name = f"{step.name} {step.shape}, {threads} thread{'s'[: threads > 1]}"
    return compare(name, ours, theirs, step.aim, rounds=rounds, turn=0.05, unit="ms")


if __name__ == "__main__":
    sys.exit(beside_torch(__doc__, STEPS, measured))
