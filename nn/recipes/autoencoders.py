"""Autoencoders of handwritten digits, and one that takes noise away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from autograd import Tensor

from .. import data as readers
from ..functional import binary_cross_entropy, mse_loss
from ..models import StackedAutoencoder
from ..module import Module
from ..report import save_image_rows
from ..train import Record
from .images import DATA, load_digits
from .recipe import Recipe
from .task import Part, Parts, Task, outputs_of

SHAPE = (1, 28, 28)
NOISE = 0.5  # standard deviation, where pixels lie between 0 and 1
RESTORED = "restored.png"
SHOWN = 10  # test images in a picture
PRETRAINING_EPOCHS = 8  # of each layer
PRETRAINING_RATE = 5e-3


def squared_error(outputs: Any, targets: Any) -> float:
    """
    Mean squared error.

    Examples
    --------
    >>> squared_error(np.array([1.0, 0.5]), np.array([1.0, 0.0]))
    0.125
    """
    return float(np.mean((_numbers(outputs) - _numbers(targets)) ** 2))


def psnr(outputs: Any, targets: Any) -> float:
    """
    Peak signal-to-noise ratio of images between 0 and 1, in decibels.

    Examples
    --------
    >>> round(psnr(np.array([0.1, 0.9]), np.array([0.0, 1.0])), 6)
    20.0
    """
    return -10 * float(np.log10(max(squared_error(outputs, targets), np.finfo(float).tiny)))


def _numbers(images: Any) -> np.ndarray:
    return (images.numpy() if isinstance(images, Tensor) else np.asarray(images)).astype(float)


def digits_from_zero_to_one(
    name: str, rng: np.random.Generator, limit: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (N, 1, 28, 28) from 0 to 1: to train on, to validate and to test."""
    parts = load_digits(name, rng, limit, SHAPE)
    mean, std = parts.about["mean"], parts.about["std"]
    train, validation, test = (
        (images * std + mean).clip(0, 1).astype(np.float32)
        for images, _ in (parts.train, parts.validation, parts.test)
    )
    return train, validation, test


class Reconstruction(Task):
    """Give back what was shown."""

    metrics: ClassVar = {"psnr": psnr, "squared_error": squared_error}

    def load(self, rng: np.random.Generator) -> Parts:
        """Images, which are their own targets."""
        digits = digits_from_zero_to_one(self.settings.data, rng, self.settings.limit)
        train, validation, test = ((images, images) for images in digits)
        return Parts(train, validation, test)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of the pixels."""
        return binary_cross_entropy(outputs, targets)

    def told(self, figures: Mapping[str, Any]) -> str:
        """The error as a mean square and in decibels."""
        return (
            f"test error {figures['squared_error']:.4g} (mean square), PSNR {figures['psnr']:.2f} "
            f"dB; loss {figures['loss']:.4g}"
        )

    def shown(self, record: Mapping[str, Any]) -> str:
        """PSNR."""
        return f"PSNR {record['validation_psnr']:5.2f} dB"

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and test images before and after."""
        files = super().draw(model, history, figures, folder)
        inputs, targets = (images[:SHOWN] for images in self.parts.test)
        restored = outputs_of(model, (inputs, targets))
        rows = {"shown": inputs.clip(0, 1), "given back": restored}
        if not np.array_equal(inputs, targets):
            rows["clean"] = targets
        title = f"{self.settings.model}: {figures['psnr']:.2f} dB on the test images"
        save_image_rows(folder / RESTORED, rows, title=title)
        return [*files, RESTORED]


class Denoising(Reconstruction):
    """Give back the clean image where a noisy one was shown."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Images as targets; what is validated and tested on has its noise once and for all."""
        parts = super().load(rng)

        def spoilt(part: Part) -> Part:
            noise = rng.normal(0, NOISE, part[0].shape).astype(np.float32)
            return part[0] + noise, part[1]

        return Parts(parts.train, spoilt(parts.validation), spoilt(parts.test), {"noise": NOISE})

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Mean square, which is what PSNR measures."""
        return mse_loss(outputs, targets)

    def augment(self) -> Callable[[Any, Any], Any] | None:
        """Fresh noise for each batch; the targets stay clean."""
        return readers.GaussianNoise(NOISE)

    def test(self, model: Module) -> dict[str, Any]:
        """Also what was gained over the noisy images."""
        figures = super().test(model)
        return {**figures, "gain": figures["psnr"] - psnr(*self.parts.test)}

    def told(self, figures: Mapping[str, Any]) -> str:
        """Decibels gained."""
        return f"{super().told(figures)}; {figures['gain']:.2f} dB more than the noisy images"


class LayerByLayer(Reconstruction):
    """Give back what was shown, by layers that were first trained one at a time."""

    def pretrain(self, model: Module) -> None:
        """Greedily, from the pixels on."""
        histories = cast("StackedAutoencoder", model).pretrain(
            self.parts.train[0], epochs=PRETRAINING_EPOCHS, lr=PRETRAINING_RATE
        )
        losses = ", ".join(f"{history[-1]['train_loss']:.3f}" for history in histories)
        print(f"layers trained one by one, {PRETRAINING_EPOCHS} epochs each; losses {losses}")


RECIPES = (
    Recipe("autoencoder", DATA, Reconstruction),
    Recipe("conv_autoencoder", DATA, Reconstruction, {"epochs": 20}),
    Recipe("denoising", DATA, Denoising, {"epochs": 20}),
    Recipe("stacked_autoencoder", DATA, LayerByLayer, {"epochs": 20}),
)
