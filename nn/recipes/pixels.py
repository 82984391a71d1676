"""Digits for perceptrons: 64 pixels in a row, or 256."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd import avg_pool2d, tensor

from ..models import find_model
from ..module import Module
from ..settings import Failure, Settings
from .images import DATA, NUM_CLASSES, REMEDIES, SIDE, ImageClassification, load_digits
from .recipe import Recipe
from .task import Part, Parts

SMOOTH = {"batch_size": 64, "label_smoothing": 0.1, "lr_step": 8, "lr_decay": 0.2}
DIGIT_SIDE = 8  # of scikit-learn's digits: 64 pixels
POOL = 2  # of 32x32 to 16x16 pixels


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
        "deep_mlp",
        ("digits",),
        NormalisedDigits,
        {**SMOOTH, "epochs": 20, "lr": 5e-3, "lr_step": 12},
    ),
    Recipe("maxout", ("digits",), FlatDigits, {**SMOOTH, "epochs": 15, "lr": 3e-3}),
    Recipe("digits256", DATA, Digits256, {**REMEDIES, "shift": 1}),
)
