"""How a model does on data: its mean loss, and functions of its outputs and the targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, no_grad

from ..data import DataLoader
from ..module import Module

LossFunction = Callable[[Any, Any], Any]
Metric = Callable[[Any, Any], Any]


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
    Run a classifier over all of `loader`, in evaluation mode and without recording.

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
    confusion = np.zeros((num_classes, num_classes), np.int64)

    def count(scores: Any, targets: Any) -> None:
        np.add.at(confusion, (targets.numpy(), scores.numpy().argmax(1)), 1)

    return Evaluation(_run(model, loader, loss_fn, count), confusion)


def measure(
    model: Module,
    loader: Iterable[Any],
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """
    Mean loss and metrics of `model` on all of `loader`, in evaluation mode, without recording.

    Parameters
    ----------
    model : Module
    loader : DataLoader, or any iterable of batches (inputs, ..., targets)
    loss_fn : callable
        Mean loss of (outputs, targets).
    metrics : dict of str to callable, optional
        Each is called once with all outputs and all targets, so that also what is no mean over
        samples, such as an F score, is right; it returns a number.

    Returns
    -------
    dict of str to float
        "loss", and each metric by its name; NaN where the loss is no finite number, for then
        there is nothing to measure.

    Raises
    ------
    ValueError
        If the loader has no batch.

    Examples
    --------
    >>> import nn
    >>> data = nn.data.TensorDataset(np.eye(2, dtype=np.float32), np.array([0, 0]))
    >>> loader = nn.data.DataLoader(data, batch_size=2)
    >>> metrics = {"accuracy": nn.metrics.accuracy}
    >>> measure(nn.Identity(), loader, nn.CrossEntropyLoss(), metrics)["accuracy"]
    0.5
    """
    kept: list[tuple[Any, Any]] = []

    def keep(outputs: Any, targets: Any) -> None:
        if metrics:
            kept.append((outputs, targets))

    result = {"loss": _run(model, loader, loss_fn, keep)}
    if metrics and not math.isfinite(result["loss"]):
        return result | dict.fromkeys(metrics, math.nan)
    if metrics:
        with no_grad():
            outputs, targets = (_joined(parts) for parts in zip(*kept, strict=True))
            for name, metric in metrics.items():
                value = metric(outputs, targets)
                result[name] = float(value.item() if isinstance(value, Tensor) else value)
    return result


def split(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """
    Inputs and targets of a batch: its last entry is the targets.

    Raises
    ------
    TypeError
        If it is no tuple or list of two entries or more.

    Examples
    --------
    >>> split(("images", "labels"))
    (('images',), 'labels')
    """
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise TypeError(
            "a batch must be a tuple (inputs, targets), or with several inputs (first, second, "
            f"..., targets), not {type(batch).__name__}"
            + (f" of {len(batch)}" if isinstance(batch, tuple | list) else "")
        )
    return tuple(batch[:-1]), batch[-1]


def samples_in(value: Any) -> int:
    """
    Length of the first axis of a Tensor, or of the first one in a tuple, list or dict.

    Examples
    --------
    >>> samples_in((np.zeros((3, 2)), np.zeros(3)))
    3
    """
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return samples_in(value[0]) if isinstance(value, tuple | list) else len(value)


def _run(
    model: Module,
    loader: Iterable[Any],
    loss_fn: LossFunction,
    see: Callable[[Any, Any], object],
) -> float:
    """Mean loss over all samples; `see` is shown each batch's outputs and targets."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    try:
        with no_grad():
            for batch in loader:
                inputs, targets = split(batch)
                outputs = model(*inputs)
                size = samples_in(targets)
                total += loss_fn(outputs, targets).item() * size
                count += size
                see(outputs, targets)
    finally:
        model.train(was_training)
    if count == 0:
        raise ValueError("there is no batch to evaluate the model on")
    return total / count


def _joined(parts: tuple[Any, ...]) -> Any:
    """The batches' outputs or targets as one."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: _joined(tuple(part[name] for part in parts)) for name in first}
    if isinstance(first, tuple | list):
        return tuple(_joined(entry) for entry in zip(*parts, strict=True))
    return autograd.cat(list(parts))
