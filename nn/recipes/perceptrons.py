"""Perceptrons on two spirals, and on the 256 pixels of digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd import avg_pool2d, softmax, tensor

from ..data import spirals
from ..functional import cross_entropy
from ..metrics import accuracy
from ..module import Module
from ..report import draw_history, save_plane
from ..train import Record
from .images import DATA, REMEDIES, SIDE, ImageClassification, load_digits
from .recipe import Recipe
from .task import CURVES, Part, Parts, Task

SIZES = 1000, 300, 1000  # points to train on, to validate and to test
PLANE = "plane.png"
POOL = 2  # of 32x32 to 16x16 pixels


class Spirals(Task):
    """Tell the points of two arms of a spiral apart."""

    metrics: ClassVar = {"accuracy": accuracy}

    def load(self, rng: np.random.Generator) -> Parts:
        """Points near two arms that wind around each other."""
        limit = self.settings.limit
        train, validation, test = (spirals(min(n, limit or n), rng=rng) for n in SIZES)
        return Parts(train, validation, test)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy."""
        return cross_entropy(outputs, targets)

    def told(self, figures: Mapping[str, Any]) -> str:
        """The share of right answers."""
        return (
            f"test accuracy {100 * figures['accuracy']:.2f} % of {self.parts.sizes[2]} points, "
            f"loss {figures['loss']:.4g}"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and what the network says everywhere in the plane."""
        draw_history(history, folder / CURVES)
        points, arms = self.parts.test
        title = f"{self.settings.model}: {100 * figures['accuracy']:.1f} % of {len(points)} points"
        save_plane(
            folder / PLANE, lambda x: softmax(model(x), dim=1)[:, 1], points, arms, title=title
        )
        return [CURVES, PLANE]

    def title(self, index: int) -> str:
        """The point and its arm."""
        points, arms = self.parts.test
        x, y = points[index]
        return f"{self.settings.model}: ({x:.2f}, {y:.2f}) of arm {arms[index]}"


class Digits256(ImageClassification):
    """Tell digits apart by 16x16 pixels."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Images of 32x32 as the other models take them, averaged to 16x16."""
        settings = self.settings
        parts = load_digits(settings.data, rng, settings.limit, (1, SIDE, SIDE))
        return Parts(
            _pooled(parts.train), _pooled(parts.validation), _pooled(parts.test), parts.about
        )


def _pooled(part: Part) -> Part:
    images, labels = part
    return avg_pool2d(tensor(images), POOL).numpy(), labels


RECIPES = (
    Recipe(
        "spirals", ("spirals",), Spirals, {"epochs": 60, "lr": 1e-2, "lr_step": 45, "lr_decay": 0.1}
    ),
    Recipe("digits256", DATA, Digits256, {**REMEDIES, "shift": 1}),
)
