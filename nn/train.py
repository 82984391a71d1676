"""Training: the loop over epochs, evaluation, and a state that survives being killed.

`Trainer` holds what changes while a model learns. It prints nothing and owns no folder: whoever
calls `Trainer.fit` is told of every batch and every epoch, and decides what to show and to save.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor, default_generator, from_numpy, no_grad
from autograd.random import Generator
from optim import Optimizer
from optim.lr_scheduler import LRScheduler

from .data import DataLoader
from .module import Module
from .serialize import (
    Checkpoint,
    CheckpointError,
    PathLike,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)

LossFunction = Callable[[Any, Any], Any]
Record = dict[str, Any]  # what is known of one epoch: a line of metrics.jsonl


class TrainingError(RuntimeError):
    """Training cannot go on: the loss is no finite number."""


@dataclass(frozen=True)
class Evaluation:
    """
    How a classifier does on a set of samples.

    Attributes
    ----------
    loss : float
        Mean over the samples.
    confusion : ndarray of int64, shape ``(classes, classes)``
        ``confusion[i, j]`` samples of class i were taken for class j.

    Examples
    --------
    >>> Evaluation(0.5, np.array([[3, 1], [0, 4]])).accuracy
    0.875
    """

    loss: float
    confusion: np.ndarray

    @property
    def count(self) -> int:
        """Samples seen."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """Samples whose class was found."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of samples whose class was found."""
        return self.correct / self.count


def evaluate(
    model: Module, loader: DataLoader, loss_fn: LossFunction, num_classes: int
) -> Evaluation:
    """
    Run `model` over all of `loader`, in evaluation mode and without recording.

    Parameters
    ----------
    model : Module
        Maps inputs to scores ``(N, num_classes)``. Its training mode is put back afterwards.
    loader : DataLoader
        Of pairs (inputs, class indices).
    loss_fn : callable
        Mean loss of (scores, class indices).
    num_classes : int

    Returns
    -------
    Evaluation

    Examples
    --------
    >>> import nn
    >>> from nn.data import TensorDataset
    >>> data = TensorDataset(np.eye(2, dtype=np.float32), np.array([0, 0]))
    >>> evaluate(nn.Identity(), nn.data.DataLoader(data), nn.CrossEntropyLoss(), 2).confusion
    array([[1, 1],
           [0, 0]])
    """
    was_training = model.training
    model.eval()
    confusion = np.zeros((num_classes, num_classes), np.int64)
    total = 0.0
    try:
        with no_grad():
            for inputs, targets in loader:
                scores = model(inputs)
                total += loss_fn(scores, targets).item() * len(targets)
                np.add.at(confusion, (targets.numpy(), scores.numpy().argmax(1)), 1)
    finally:
        model.train(was_training)
    return Evaluation(total / int(confusion.sum()), confusion)


def random_shift(images: Tensor, pixels: int, rng: Generator) -> Tensor:
    """
    Move each image by up to `pixels` up or down and left or right; its border is repeated.

    Parameters
    ----------
    images : Tensor, shape ``(N, C, H, W)``
    pixels : int
    rng : autograd.Generator

    Returns
    -------
    Tensor
        Of the same shape, without a gradient.

    Examples
    --------
    >>> import autograd
    >>> image = autograd.arange(4.0).reshape(1, 1, 1, 4)
    >>> random_shift(image, 1, autograd.Generator(2))
    tensor([[[[0., 0., 1., 2.]]]])
    """
    count, _, height, width = images.shape
    sides = (pixels, pixels)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), sides, sides), "edge")
    moves = rng.integers(0, 2 * pixels + 1, (count, 2)).tolist()
    moved = np.empty_like(images.numpy())
    for target, source, (top, left) in zip(moved, padded, moves, strict=True):
        target[...] = source[:, top : top + height, left : left + width]
    return from_numpy(moved)


class Trainer:
    """
    A model in training: what it learns by, what it learns from, and how far it is.

    Parameters
    ----------
    model : Module
        A classifier: maps inputs to scores ``(N, num_classes)``.
    optimizer : Optimizer
        Of the model's parameters.
    loss_fn : callable
        Mean loss of (scores, class indices).
    train_loader, validation_loader : DataLoader
        Of pairs (inputs, class indices).
    num_classes : int
    scheduler : LRScheduler, optional
        Of the optimizer; takes a step after each epoch.
    augment : callable, optional
        Called with each batch of training inputs and `rng`; what it returns is trained on.
    rng : autograd.Generator, optional
        What the model and `augment` draw on; saved and restored with the rest. Default: the
        library's own generator.

    Attributes
    ----------
    epoch : int
        Complete epochs.
    history : list of dict
        For each of them "epoch", "lr", "train_loss" (mean over the epoch, of the model as it
        changed), "validation_loss" and "validation_accuracy". No times: the same seed gives the
        same history.

    Examples
    --------
    >>> import nn, optim
    >>> from nn.data import DataLoader, TensorDataset
    >>> data = TensorDataset(np.eye(2, dtype=np.float32), np.array([0, 1]))
    >>> model = nn.Linear(2, 2)
    >>> trainer = Trainer(
    ...     model,
    ...     optim.SGD(model.parameters(), lr=1.0),
    ...     nn.CrossEntropyLoss(),
    ...     DataLoader(data, batch_size=2, shuffle=True),
    ...     DataLoader(data, batch_size=2),
    ...     num_classes=2,
    ... )
    >>> trainer.fit(epochs=20)
    >>> trainer.epoch, trainer.history[-1]["validation_accuracy"]
    (20, 1.0)
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss_fn: LossFunction,
        train_loader: DataLoader,
        validation_loader: DataLoader,
        num_classes: int,
        *,
        scheduler: LRScheduler | None = None,
        augment: Callable[[Any, Generator], Any] | None = None,
        rng: Generator = default_generator,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.train_loader = train_loader
        self.validation_loader = validation_loader
        self.num_classes = num_classes
        self.scheduler = scheduler
        self.augment = augment
        self.rng = rng
        self.epoch = 0
        self.history: list[Record] = []

    def fit(
        self,
        epochs: int,
        *,
        on_batch: Callable[[int, float], object] | None = None,
        on_epoch: Callable[[Record], object] | None = None,
    ) -> None:
        """
        Train until `epochs` epochs are complete, those of a loaded checkpoint included.

        Parameters
        ----------
        epochs : int
        on_batch : callable, optional
            Called after each step with the batch's size and loss.
        on_epoch : callable, optional
            Called after each epoch with its record, when `epoch` and `history` have it already.

        Raises
        ------
        TrainingError
            If a loss is infinite or NaN. The epoch is not counted.
        """
        while self.epoch < epochs:
            rate = float(self.optimizer.param_groups[0]["lr"])
            # An overflow shows in the loss, which is checked; NumPy's warnings would add noise.
            with np.errstate(over="ignore", invalid="ignore"):
                train_loss = self._train_epoch(on_batch)
                result = evaluate(
                    self.model, self.validation_loader, self.loss_fn, self.num_classes
                )
            self._check_loss(result.loss, "validation loss")
            if self.scheduler is not None:
                self.scheduler.step()
            self.epoch += 1
            record = {
                "epoch": self.epoch,
                "lr": rate,
                "train_loss": train_loss,
                "validation_loss": result.loss,
                "validation_accuracy": result.accuracy,
            }
            self.history.append(record)
            if on_epoch is not None:
                on_epoch(record)

    def _train_epoch(self, on_batch: Callable[[int, float], object] | None) -> float:
        """One pass over the training samples; their mean loss."""
        self.model.train()
        augment = self.augment
        total, count = 0.0, 0
        for inputs, targets in self.train_loader:
            if augment is not None:
                inputs = augment(inputs, self.rng)
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(inputs), targets)
            value = loss.item()
            self._check_loss(value, "training loss")
            loss.backward()
            self.optimizer.step()
            total += value * len(targets)
            count += len(targets)
            if on_batch is not None:
                on_batch(len(targets), value)
        return total / count

    def _check_loss(self, value: float, name: str) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the {name} became {value} in epoch {self.epoch + 1}; a lower learning rate may "
                "help"
            )

    def save(self, path: PathLike, extra: Mapping[str, Any] | None = None) -> None:
        """
        Write a checkpoint from which `load` goes on bit for bit, atomically.

        Call it between epochs: the place within an epoch is not saved.

        Parameters
        ----------
        path : path-like
        extra : dict, optional
            Anything else to be kept; the key "history" is taken.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        save_checkpoint(
            path,
            model=self.model,
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            loader=self.train_loader,
            epoch=self.epoch,
            rng=self.rng,
            extra={**(extra or {}), "history": self.history},
        )

    def load(self, path: PathLike) -> Checkpoint:
        """
        Go back to a checkpoint of `save`.

        Raises
        ------
        CheckpointError
            If it is damaged or does not fit; nothing is changed then.
        OSError
            If it cannot be read.
        """
        # Twice, since load_checkpoint changes the model, and a bad history must leave it alone.
        history = _checked_history(path, load_checkpoint(path))
        info = load_checkpoint(
            path,
            model=self.model,
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            loader=self.train_loader,
            rng=self.rng,
        )
        self.epoch, self.history = info.epoch, history
        return info


def _checked_history(path: PathLike, info: Checkpoint) -> list[Record]:
    history = info.extra.get("history") if isinstance(info.extra, dict) else None
    keys = ("lr", "train_loss", "validation_loss", "validation_accuracy")
    if not isinstance(history, list) or not all(
        isinstance(record, dict)
        and record.get("epoch") == number
        and all(isinstance(record.get(key), float) for key in keys)
        for number, record in enumerate(history, start=1)
    ):
        raise CheckpointError(f"{path}: holds no history of a training run")
    if len(history) != info.epoch:
        raise CheckpointError(
            f"{path}: the history has {len(history)} epochs, the checkpoint {info.epoch}"
        )
    return history


def write_metrics(path: PathLike, records: Sequence[Mapping[str, Any]]) -> None:
    r"""
    Write one JSON object a line, atomically: no reader and no crash sees half a line.

    The whole file is written anew, so that it never has more epochs than the checkpoint beside it.

    Parameters
    ----------
    path : path-like
    records : sequence of dict

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_metrics(Path(folder, "metrics.jsonl"), [{"epoch": 1, "train_loss": 0.5}])
    ...     Path(folder, "metrics.jsonl").read_text()
    '{"epoch": 1, "train_loss": 0.5}\n'
    """
    lines = "".join(json.dumps(record, allow_nan=False) + "\n" for record in records)
    write_atomically(Path(path), lines.encode())
