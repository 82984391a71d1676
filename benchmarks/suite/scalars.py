"""A training step written in single numbers: a 2-16-16-1 network on two half moons."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Scalar

from ..classic import Value

STEPS = 3


def moons(count: int, seed: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Two interleaved half circles with noise, and their labels -1 and 1."""
    generator = random.Random(seed)
    points, labels = [], []
    for i in range(count):
        angle = math.pi * generator.random()
        upper = i % 2 == 0
        x = math.cos(angle) if upper else 1.0 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        points.append((x + generator.gauss(0.0, 0.1), y + generator.gauss(0.0, 0.1)))
        labels.append(1.0 if upper else -1.0)
    return points, labels


def scalar_step(kind: Callable[[float], Any], count: int = 100) -> Callable[[], float]:
    """A training step on so many points, in scalars of `kind`."""
    generator = random.Random(1)
    layers = []
    for inputs, outputs in ((2, 16), (16, 16), (16, 1)):
        rows = []
        for _ in range(outputs):
            rows.append(([kind(generator.uniform(-1.0, 1.0)) for _ in range(inputs)], kind(0.0)))
        layers.append(rows)
    parameters = [p for rows in layers for weights, bias in rows for p in (*weights, bias)]
    points, labels = moons(count, seed=2)

    def score(point: Sequence[float]) -> Any:
        values: Sequence[Any] = point
        for depth, rows in enumerate(layers):
            values = [
                sum((w * v for w, v in zip(weights, values, strict=True)), bias)
                for weights, bias in rows
            ]
            if depth < 2:
                values = [v.relu() for v in values]
        return values[0]

    def step() -> float:
        losses = [
            (1.0 - score(point) * label).relu() for point, label in zip(points, labels, strict=True)
        ]
        loss: Any = sum(losses[1:], losses[0]) * (1.0 / len(losses))
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= 0.05 * float(getattr(p.grad, "value", p.grad))
        return loss.data

    return step


def our_step(count: Any) -> Callable[[], float]:
    """In scalars of this library."""
    return scalar_step(Scalar, int(count))


def classic_step(count: Any) -> Callable[[], float]:
    """In those of the engine that everybody writes first."""
    return scalar_step(Value, int(count))


def losses(count: Any) -> list[float]:
    """What the classic engine finds."""
    step = classic_step(count)
    return [step() for _ in range(STEPS)]
