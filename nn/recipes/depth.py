"""The worked network on the exclusive or; a deep perceptron and maxout on digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd import tensor

from ..data import exclusive_or
from ..functional import binary_cross_entropy
from ..metrics import accuracy
from ..models import find_model
from ..module import Module
from ..report import draw_history, save_plane
from ..settings import Failure, Settings
from ..train import Record
from .images import NUM_CLASSES, ImageClassification, load_digits
from .recipe import Recipe
from .task import CURVES, Part, Parts, Task

SIZES = 64, 32, 400  # points to train on, to validate and to test
PLANE = "plane.png"
SMOOTH = {"batch_size": 64, "label_smoothing": 0.1, "lr_step": 8, "lr_decay": 0.2}
DIGIT_SIDE = 8  # of scikit-learn's digits: 64 pixels


class ExclusiveOr(Task):
    """Tell points whose signs differ from those whose signs are equal, by two sigmoid outputs."""

    metrics: ClassVar = {"accuracy": accuracy}

    def load(self, rng: np.random.Generator) -> Parts:
        """Points around four corners."""
        train, validation, test = (exclusive_or(n, rng=rng) for n in self._sizes())
        return Parts(train, validation, test)

    def _sizes(self) -> list[int]:
        return [min(size, self.settings.limit or size) for size in SIZES]

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of each output: the first says "equal", the second "they differ"."""
        wanted = np.eye(2, dtype=np.float32)[np.asarray(targets)]
        return binary_cross_entropy(outputs, tensor(wanted))

    def told(self, figures: Mapping[str, Any]) -> str:
        """The share of right answers."""
        count = self.parts.sizes[2]
        return (
            f"test accuracy {100 * figures['accuracy']:.2f} % of {count} points, "
            f"loss {figures['loss']:.4g}"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and what the network says everywhere in the plane."""
        draw_history(history, folder / CURVES)
        points, labels = self.parts.test
        title = f"{self.settings.model}: {100 * figures['accuracy']:.1f} % of {len(points)} points"
        save_plane(folder / PLANE, lambda x: model(x)[:, 1], points, labels, title=title)
        return [CURVES, PLANE]

    def title(self, index: int) -> str:
        """The point and its class."""
        points, labels = self.parts.test
        x, y = points[index]
        kind = "they differ" if labels[index] else "equal"
        return f"{self.settings.model}: ({x:.2f}, {y:.2f}), {kind}"


class FlatDigits(ImageClassification):
    """Tell digits apart whose 64 pixels are a plain vector."""

    heeds: ClassVar = frozenset({"label_smoothing"})

    def load(self, rng: np.random.Generator) -> Parts:
        """The digits of 8x8 pixels, standardised, in rows."""
        parts = load_digits(
            self.settings.data, rng, self.settings.limit, (1, DIGIT_SIDE, DIGIT_SIDE)
        )
        return Parts(_flat(parts.train), _flat(parts.validation), _flat(parts.test), parts.about)

    @classmethod
    def make_model(cls, settings: Settings) -> Module:
        """The model for ten classes."""
        return find_model(settings.model).factory(num_classes=NUM_CLASSES)

    def augment(self) -> Callable[[Any, Any], Any] | None:
        """A vector cannot be shifted as an image can."""
        return None


class NormalisedDigits(FlatDigits):
    """The same for a model with batch norm, which cannot learn from a batch of one."""

    def load(self, rng: np.random.Generator) -> Parts:
        """The digits, if no batch of the training is left with one."""
        parts = super().load(rng)
        count, size = parts.sizes[0], self.settings.batch_size
        if count % size == 1 or size == 1:
            raise Failure(
                f"{self.settings.model}: {count} training images in batches of {size} leave a "
                "batch of one, which batch norm cannot normalise; choose another --batch-size"
            )
        return parts


def _flat(part: Part) -> Part:
    images, labels = part
    return np.ascontiguousarray(images).reshape(len(images), -1), labels


RECIPES = (
    Recipe(
        "worked_network",
        ("exclusive_or",),
        ExclusiveOr,
        {"epochs": 50, "batch_size": 16, "optimizer": "sgd", "lr": 0.5},
    ),
    Recipe(
        "deep_mlp",
        ("digits",),
        NormalisedDigits,
        {**SMOOTH, "epochs": 20, "lr": 5e-3, "lr_step": 12},
    ),
    Recipe(
        "maxout",
        ("digits",),
        FlatDigits,
        {**SMOOTH, "epochs": 15, "lr": 3e-3},
    ),
)
