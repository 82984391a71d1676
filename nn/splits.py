"""The data of a training run, cut into training, validation and test parts."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from . import data as readers
from .settings import Failure, reporting

NUM_CLASSES = 10  # of digits and of MNIST
TEST_SHARE = 0.2  # of the digits, which have no test set of their own
VALIDATION_SHARE = 0.1  # of what is not held out for the test
DIGITS_SCALE = 4  # 8x8 -> 32x32
MNIST_PADDING = 2  # on each side, 28x28 -> 32x32


@dataclass(frozen=True)
class Splits:
    """Images (float32, ``(N, 1, 32, 32)``, standardised) and labels of the three parts."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    mean: float
    std: float

    def checksum(self) -> int:
        """A number that changes when the data do."""
        total = 0
        for array in (*self.train, *self.validation, *self.test):
            total = zlib.crc32(np.ascontiguousarray(array).data, total)
        return total


def load_splits(name: str, rng: np.random.Generator, limit: int | None) -> Splits:
    """
    Read the data called `name`, cut them at random into parts, and standardise.

    Mean and deviation are those of the training part: nothing of the other two may reach training.
    """
    kind, _, folder = name.partition(":")
    if kind == "digits":
        with reporting(ImportError):
            images, labels = readers.digits()
        images = _enlarge(images, DIGITS_SCALE)
        test_count = round(TEST_SHARE * len(images))
        rest, test = _cut(len(images), test_count, rng)
        test_images, test_labels = images[test], labels[test]
        images, labels = images[rest], labels[rest]
    else:
        with reporting(OSError, ValueError):
            (images, labels), (test_images, test_labels) = readers.mnist(folder)
        images, test_images = (_pad(part) for part in (images, test_images))
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
    mean = float(images[train].mean(dtype=np.float64))
    std = float(images[train].std(dtype=np.float64)) or 1.0  # blank images stay blank

    def prepared(pixels: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return ((pixels[:, None] - mean) / std).astype(np.float32), classes

    return Splits(
        prepared(images[train], labels[train]),
        prepared(images[validation], labels[validation]),
        prepared(test_images[:limit], test_labels[:limit]),
        mean,
        std,
    )


def _cut(size: int, count: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Positions of all but `count` of `size` samples, and of those `count`, at random."""
    first, second = readers.random_split(range(size), [size - count, count], generator=rng)
    return first.indices, second.indices


def _enlarge(images: np.ndarray, scale: int) -> np.ndarray:
    """Square images made larger, linear between the centres of the pixels."""
    size = images.shape[1]
    place = np.clip((np.arange(scale * size) + 0.5) / scale - 0.5, 0, size - 1)
    # Row i holds the weights of the old pixels in new pixel i: a tent around its place.
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size))).astype(images.dtype)
    return weights @ images @ weights.T


def _pad(images: np.ndarray) -> np.ndarray:
    sides = (MNIST_PADDING, MNIST_PADDING)
    return np.pad(images, ((0, 0), sides, sides)).astype(np.float32) / 255
