"""Which detected boxes are right, and what precision and recall follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .detection_precision import Detections, _matched, checked_thresholds, read_images
from .inputs import Floats
from .ranking import PrecisionRecallCurve


def match_detections(
    preds: Sequence[Mapping[str, Any]],
    target: Sequence[Mapping[str, Any]],
    iou_threshold: float = 0.5,
) -> list[np.ndarray]:
    """
    Whether each detection found a box, by the rule of `mean_average_precision`.

    In each image, the detections of a class take turns from the highest score down: each finds the
    box of its class that it overlaps most, among those that none before it has found, if the IoU
    reaches the threshold; else it is wrong.

    Parameters
    ----------
    preds, target : sequence of mappings, one for each image
        See `mean_average_precision`.
    iou_threshold : float, default 0.5

    Returns
    -------
    list of ndarray of bool, (N,)
        For each image, in the order of its detections.

    Raises
    ------
    ValueError
        If the numbers of images differ, shapes do not fit, a number is NaN, or the threshold is
        not from 0 to 1.
    KeyError
        If an image lacks an entry.

    Examples
    --------
    >>> box = [0.0, 0.0, 2.0, 2.0]
    >>> found = {"boxes": [box, box], "scores": [0.5, 0.9], "labels": [1, 1]}
    >>> match_detections([found], [{"boxes": [box], "labels": [1]}])
    [array([False,  True])]
    """
    return _matches(*read_images(preds, target), iou_threshold)


def detection_curve(
    preds: Sequence[Mapping[str, Any]],
    target: Sequence[Mapping[str, Any]],
    iou_threshold: float = 0.5,
) -> PrecisionRecallCurve:
    """
    Precision and recall of detections as the lowest score that counts goes up.

    All images and classes together; `mean_average_precision` has the areas by class.

    Parameters
    ----------
    preds, target : sequence of mappings, one for each image
        See `mean_average_precision`.
    iou_threshold : float, default 0.5

    Returns
    -------
    PrecisionRecallCurve
        As of `precision_recall_curve`: a point for each score that occurs, the lowest first, and
        precision 1 at recall 0 last. A recall of 1 is reached only if every box was found.

    Raises
    ------
    ValueError
        As `match_detections`, and if there is no box to be found.

    Examples
    --------
    >>> box, other = [0.0, 0.0, 2.0, 2.0], [4.0, 4.0, 6.0, 6.0]
    >>> found = {"boxes": [box, other], "scores": [0.9, 0.5], "labels": [1, 2]}
    >>> curve = detection_curve([found], [{"boxes": [box, other], "labels": [1, 1]}])
    >>> curve.precision, curve.recall, curve.thresholds
    (array([0.5, 1. , 1. ]), array([0.5, 0.5, 0. ]), array([0.5, 0.9]))
    """
    found, true = read_images(preds, target)
    right = np.concatenate([np.zeros(0, bool), *_matches(found, true, iou_threshold)])
    scores = np.concatenate([np.zeros(0), *(image.scores for image in found)])
    count = sum(len(image.labels) for image in true)
    if not count:
        raise ValueError("detection_curve: the target has no boxes, so there is no recall")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    last = np.append(np.diff(scores[order]) != 0, True)[: len(order)]  # of those of equal score
    precision = (hits / np.arange(1, len(order) + 1))[last][::-1]
    recall = (hits / count)[last][::-1]
    return PrecisionRecallCurve(
        np.append(precision, 1.0), np.append(recall, 0.0), scores[order][last][::-1]
    )


def _matches(
    found: list[Detections], true: list[Detections], iou_threshold: float
) -> list[np.ndarray]:
    thresholds = checked_thresholds([iou_threshold])
    return [_right(*pair, thresholds) for pair in zip(found, true, strict=True)]


def _right(found: Detections, true: Detections, thresholds: Floats) -> np.ndarray:
    right = np.zeros(len(found.boxes), bool)
    for label in np.unique(found.labels):
        picked = np.nonzero(found.labels == label)[0]
        picked = picked[np.argsort(-found.scores[picked], kind="stable")]
        wanted = true.boxes[true.labels == label]
        right[picked] = _matched(found.boxes[picked], wanted, thresholds)[0]
    return right
