"""What notebook 17 searches over: LeNet-5 on few images, judged by its validation accuracy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import autograd
import course
import nn
import optim

TRAIN, VALIDATION = 1000, 1000
EPOCHS = 6


def prepared(images: np.ndarray) -> np.ndarray:
    """Images of 28x28 bytes as LeNet-5 takes them: 32x32, with a channel, of mean 0 or so."""
    framed = np.pad(images, ((0, 0), (2, 2), (2, 2)))[:, None].astype(np.float32) / 255
    return (framed - 0.1) / 0.3


@functools.cache
def parts() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The part to train on, and the part to validate by. The test images are not among them."""
    data = course.images()
    images, labels = prepared(data.train_images), data.train_labels
    middle, end = TRAIN, TRAIN + VALIDATION
    return (images[:middle], labels[:middle]), (images[middle:end], labels[middle:end])


def train(
    parameters: dict[str, Any],
    data: Any,
    validation: Any = None,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> Any:
    """LeNet-5 trained with some hyper-parameters, and its history."""
    autograd.manual_seed(seed)
    model = nn.models.LeNet5()
    optimizer = optim.SGD(model.parameters(), lr=parameters["lr"], momentum=parameters["momentum"])
    history = nn.train.fit(
        model,
        data,
        nn.CrossEntropyLoss(),
        optimizer,
        epochs=epochs,
        batch_size=parameters["batch_size"],
        validation=validation,
        metrics={"accuracy": nn.metrics.accuracy} if validation is not None else {},
        progress=False,
    )
    return model, history


def objective(parameters: dict[str, Any], seed: int = 0) -> float:
    """Validation accuracy after the last epoch: what a search makes as large as it can."""
    _, history = train(parameters, *parts(), seed=seed)
    return history[-1]["validation_accuracy"]
