"""Mean average precision of detected boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .detection import _boxes, _overlaps, _ratio
from .inputs import Floats, Integers, choice, class_indices, real_numbers

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
COCO_RECALLS = np.linspace(0.0, 1.0, 101)
VOC_RECALLS = np.linspace(0.0, 1.0, 11)
INTERPOLATIONS = ("101", "11", "all")


class Detections(NamedTuple):
    """The boxes of one image, by two corners, and their classes; scores of those that are found."""

    boxes: Floats
    labels: Integers
    scores: Floats


class MeanAveragePrecision(NamedTuple):
    """What `mean_average_precision` gives.

    Attributes
    ----------
    map : float
        The mean over classes and thresholds; NaN where there is no box to be found.
    map_per_threshold : ndarray, (thresholds,)
    map_per_class : ndarray, (classes,)
    classes : ndarray of int
        Those that have boxes to be found.
    average_precision : ndarray, (classes, thresholds)
    iou_thresholds : ndarray
    """

    map: float
    map_per_threshold: Floats
    map_per_class: Floats
    classes: Integers
    average_precision: Floats
    iou_thresholds: Floats


def mean_average_precision(
    preds: Sequence[Mapping[str, Any]],
    target: Sequence[Mapping[str, Any]],
    iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
    interpolation: str = "101",
    max_detections: int = 100,
) -> MeanAveragePrecision:
    """
    Average precision of detections, in the mean over classes and overlaps that are asked for.

    In each image, the detections of a class take turns from the highest score down: each finds the
    box of its class that it overlaps most, among those that none before it has found, if the IoU
    reaches the threshold; else it is wrong. The area under precision over recall, all images
    together, is the average precision; at a recall counts the best precision that is reached there
    or later. Lin et al. 2014, "Microsoft COCO: common objects in context"; Everingham et al. 2010,
    "The Pascal visual object classes (VOC) challenge".

    Parameters
    ----------
    preds : sequence of mappings, one for each image
        "boxes" (N, 4) by two corners, "scores" (N,), "labels" (N,).
    target : sequence of mappings, one for each image
        "boxes" (M, 4) and "labels" (M,).
    iou_thresholds : sequence of float
        Default: 0.5, 0.55, ..., 0.95, as COCO has it; (0.5,) is VOC's.
    interpolation : {"101", "11", "all"}
        The mean at 101 recalls (COCO) or 11 (VOC 2007), or the whole area (VOC since 2010).
    max_detections : int, default 100
        Of each image and class, this many of the highest scores count.

    Returns
    -------
    MeanAveragePrecision
        With `map`, and the figures by class and by threshold.

    Raises
    ------
    ValueError
        If the numbers of images differ, shapes do not fit, a number is NaN, a threshold is not from
        0 to 1, or `interpolation` is unknown.
    KeyError
        If an image lacks an entry.

    Examples
    --------
    >>> found = {"boxes": [[0.0, 0.0, 2.0, 2.0]], "scores": [0.9], "labels": [1]}
    >>> true = {"boxes": [[0.0, 0.0, 2.0, 2.2]], "labels": [1]}
    >>> result = mean_average_precision([found], [true])
    >>> round(result.map, 2), result.average_precision[0, :2]
    (0.9, array([1., 1.]))
    """
    read = read_images(preds, target)
    return evaluated(*read, checked_thresholds(iou_thresholds), interpolation, max_detections)


def checked_thresholds(iou_thresholds: Sequence[float]) -> Floats:
    """
    Thresholds as an array.

    Raises
    ------
    ValueError
        If there are none, or one is not from 0 to 1.

    Examples
    --------
    >>> checked_thresholds([0.5])
    array([0.5])
    """
    who = "mean_average_precision"
    thresholds = real_numbers(who, "iou_thresholds", iou_thresholds)
    if thresholds.ndim != 1 or not thresholds.size or thresholds.min() < 0 or thresholds.max() > 1:
        raise ValueError(f"{who}: iou_thresholds must be from 0 to 1, met {iou_thresholds}")
    return thresholds


def read_images(
    preds: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]
) -> tuple[list[Detections], list[Detections]]:
    """
    Images as `mean_average_precision` takes them, checked.

    Raises
    ------
    ValueError
        If their numbers differ, shapes do not fit, or a number is NaN.
    KeyError
        If an image lacks an entry.

    Examples
    --------
    >>> read_images([], [])
    ([], [])
    """
    who = "mean_average_precision"
    if len(preds) != len(target):
        raise ValueError(f"{who}: {len(preds)} images of preds, but {len(target)} of target")
    return (
        [_read(who, "preds", k, image, True) for k, image in enumerate(preds)],
        [_read(who, "target", k, image, False) for k, image in enumerate(target)],
    )


def evaluated(
    found: list[Detections],
    true: list[Detections],
    thresholds: Floats,
    interpolation: str,
    max_detections: int,
) -> MeanAveragePrecision:
    """
    `mean_average_precision` of images that were read.

    Raises
    ------
    ValueError
        If `interpolation` is unknown, or `max_detections` is not positive.

    Examples
    --------
    >>> len(evaluated([], [], checked_thresholds([0.5]), "101", 100).classes)
    0
    """
    who = "mean_average_precision"
    choice(who, "interpolation", interpolation, INTERPOLATIONS)
    if max_detections < 1:
        raise ValueError(f"{who}: max_detections must be at least 1, not {max_detections}")
    classes = np.unique(np.concatenate([np.zeros(0, np.int64), *(image.labels for image in true)]))
    table = np.zeros((len(classes), len(thresholds)))
    for row, label in zip(table, classes, strict=True):
        scores, right, count = _of_class(found, true, label, thresholds, max_detections)
        order = np.argsort(-scores, kind="stable")
        row[:] = _average_precisions(right[:, order], count, interpolation)
    return MeanAveragePrecision(
        float(table.mean()) if table.size else np.nan,
        table.mean(axis=0) if table.size else np.full(len(thresholds), np.nan),
        table.mean(axis=1),
        classes,
        table,
        thresholds,
    )


def _read(who: str, side: str, place: int, image: Mapping[str, Any], scored: bool) -> Detections:
    """One image, checked."""
    lacking = {"boxes", "labels", *(["scores"] if scored else [])} - image.keys()
    if lacking:
        raise KeyError(f"{who}: {side}[{place}] lacks {sorted(lacking)}")
    boxes = _boxes(who, image["boxes"], f"{side}[{place}]['boxes']")
    labels = class_indices(who, f"{side}[{place}]['labels']", image["labels"])
    scores = np.ones(len(boxes))
    if scored:
        scores = real_numbers(who, f"{side}[{place}]['scores']", image["scores"], infinite=True)
    if labels.shape != (len(boxes),) or scores.shape != labels.shape:
        raise ValueError(
            f"{who}: {side}[{place}] has boxes {boxes.shape}, labels {labels.shape} and scores "
            f"{scores.shape}, which do not fit"
        )
    return Detections(boxes, labels, scores)


def _of_class(
    found: list[Detections], true: list[Detections], label: int, thresholds: Floats, most: int
) -> tuple[Floats, np.ndarray, int]:
    """Scores of a class's detections, which are right at each threshold, and how many may be."""
    scores, right, count = [], [], 0
    for one, other in zip(found, true, strict=True):
        picked = np.nonzero(one.labels == label)[0]
        picked = picked[np.argsort(-one.scores[picked], kind="stable")][:most]
        wanted = other.boxes[other.labels == label]
        scores.append(one.scores[picked])
        right.append(_matched(one.boxes[picked], wanted, thresholds))
        count += len(wanted)
    return np.concatenate(scores), np.concatenate(right, axis=1), count


def _matched(boxes: Floats, wanted: Floats, thresholds: Floats) -> np.ndarray:
    """Which boxes (best score first) find one of those wanted, (thresholds, boxes)."""
    right = np.zeros((len(thresholds), len(boxes)), bool)
    if not wanted.size:
        return right
    shared, union = _overlaps(boxes, wanted)
    overlaps = _ratio(shared, union)
    free = np.ones((len(thresholds), len(wanted)), bool)
    rows = np.arange(len(thresholds))
    for k, overlap in enumerate(overlaps):
        open_ones = np.where(free, overlap, -1.0)
        best = open_ones.argmax(axis=1)
        right[:, k] = open_ones[rows, best] >= thresholds
        free[rows, best] &= ~right[:, k]
    return right


def _average_precisions(right: np.ndarray, count: int, interpolation: str) -> Floats:
    """Average precision in each row of detections, ordered by score."""
    hits = np.cumsum(right, axis=1)
    recall = hits / count
    precision = hits / np.arange(1, right.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    if interpolation == "all":
        return (np.diff(recall, axis=1, prepend=0.0) * best).sum(axis=1)
    wanted = COCO_RECALLS if interpolation == "101" else VOC_RECALLS
    ends = np.zeros((len(right), 1))  # no precision at a recall that is never reached
    best = np.concatenate([best, ends], axis=1)
    places = np.array([np.searchsorted(row, wanted) for row in recall])
    return np.take_along_axis(best, places, axis=1).mean(axis=1)
