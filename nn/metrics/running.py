"""Metrics that are gathered batch by batch, as a training loop meets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .classification import averaged, confusion_matrix, normalized
from .detection_precision import (
    COCO_THRESHOLDS,
    Detections,
    MeanAveragePrecision,
    checked_thresholds,
    evaluated,
    read_images,
)
from .inputs import Floats, Integers, choice, real_numbers


class Mean:
    """
    Running mean, such as of a loss over the batches of an epoch.

    Examples
    --------
    >>> mean = Mean()
    >>> mean.update(2.0, weight=3)
    >>> mean.update([4.0])
    >>> mean.compute()
    2.5
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.total = 0.0
        self.count = 0.0

    def update(self, value: Any, weight: Any = 1.0) -> None:
        """
        Take in a number, or several.

        Parameters
        ----------
        value : float or Tensor
        weight : float or Tensor
            How much each counts, such as the size of its batch; it broadcasts.

        Raises
        ------
        ValueError
            If a number is NaN or infinite, or a weight is negative.
        """
        values = real_numbers("Mean", "value", value)
        weights = np.broadcast_to(real_numbers("Mean", "weight", weight), values.shape)
        if (weights < 0).any():
            raise ValueError("Mean: a weight must not be negative")
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())

    def compute(self) -> float:
        """The mean of all that was taken in; NaN if nothing was."""
        return self.total / self.count if self.count else float("nan")


class ConfusionMatrix:
    """
    Running counts of classes taken for classes, and what follows from them.

    Parameters
    ----------
    num_classes : int
    normalize : {"true", "pred", "all"}, optional
        As of `confusion_matrix`.

    Raises
    ------
    ValueError
        If `num_classes` is not positive or `normalize` is unknown.

    Examples
    --------
    >>> confusion = ConfusionMatrix(2)
    >>> confusion.update([0, 1], [0, 1])
    >>> confusion.update([1, 1], [0, 1])
    >>> confusion.compute()
    array([[1, 1],
           [0, 2]])
    >>> confusion.accuracy(), confusion.recall("macro")
    (0.75, 0.75)
    """

    def __init__(self, num_classes: int, normalize: str | None = None) -> None:
        if num_classes < 1:
            raise ValueError(f"ConfusionMatrix: num_classes must be positive, not {num_classes}")
        choice("ConfusionMatrix", "normalize", normalize, ("true", "pred", "all", None))
        self.num_classes = num_classes
        self.normalize = normalize
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.counts: Integers = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, preds: Any, target: Any) -> None:
        """Take in predictions (classes or scores) and true classes, as `confusion_matrix` does."""
        found = confusion_matrix(preds, target, self.num_classes)
        self.counts = self.counts + found.astype(np.int64)

    def compute(self) -> Integers | Floats:
        """The matrix so far: row: true class, column: predicted class."""
        return normalized(self.counts, self.normalize)

    def accuracy(self) -> float:
        """Share of the predictions that are right; NaN if there are none."""
        total = self.counts.sum()
        return float(self.counts.trace() / total) if total else float("nan")

    def precision(self, average: str | None = "binary") -> float | Floats:
        """As `precision` of all so far."""
        return self._score("precision", average)

    def recall(self, average: str | None = "binary") -> float | Floats:
        """As `recall` of all so far."""
        return self._score("recall", average)

    def f1_score(self, average: str | None = "binary") -> float | Floats:
        """As `f1_score` of all so far."""
        return self._score("f1_score", average)

    def _score(self, which: str, average: str | None) -> float | Floats:
        if not self.counts.any():
            raise ValueError(f"ConfusionMatrix: no {which} of nothing; call update first")
        tallies = self.counts.diagonal(), self.counts.sum(axis=1), self.counts.sum(axis=0)
        return averaged(which, *tallies, average)


class DetectionPrecision:
    """
    `mean_average_precision` of images that come in batches.

    Parameters
    ----------
    iou_thresholds, interpolation, max_detections
        As there.

    Examples
    --------
    >>> precision = DetectionPrecision(iou_thresholds=[0.5])
    >>> found = {"boxes": [[0.0, 0.0, 2.0, 2.0]], "scores": [0.9], "labels": [1]}
    >>> precision.update([found], [{"boxes": [[0.0, 0.0, 2.0, 2.2]], "labels": [1]}])
    >>> precision.compute().map
    1.0
    """

    def __init__(
        self,
        iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
        interpolation: str = "101",
        max_detections: int = 100,
    ) -> None:
        self.thresholds = checked_thresholds(iou_thresholds)
        self.interpolation = interpolation
        self.max_detections = max_detections
        self.reset()
        self.compute()  # bad options are refused now

    def reset(self) -> None:
        """Forget everything."""
        self.preds: list[Detections] = []
        self.target: list[Detections] = []

    def update(
        self, preds: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take in images, which are checked at once."""
        found, true = read_images(preds, target)
        self.preds += found
        self.target += true

    def compute(self) -> MeanAveragePrecision:
        """The figures of all images so far."""
        return evaluated(
            self.preds, self.target, self.thresholds, self.interpolation, self.max_detections
        )
