"""How well scores separate: curves of all thresholds, and the areas under them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .inputs import Floats, Integers, choice, class_indices, real_numbers


class ROCCurve(NamedTuple):
    """False and true positive rates, and the thresholds where they are reached."""

    fpr: Floats
    tpr: Floats
    thresholds: Floats


class PrecisionRecallCurve(NamedTuple):
    """Precisions and recalls (one more than thresholds: the end at 1 and 0), and thresholds."""

    precision: Floats
    recall: Floats
    thresholds: Floats


def _scores_and_classes(who: str, preds: Any, target: Any) -> tuple[Floats, Integers]:
    scores = real_numbers(who, "preds", preds, infinite=True)
    true = class_indices(who, "target", target)
    if scores.ndim != 1 or scores.shape != true.shape or not scores.size:
        raise ValueError(
            f"{who}: expected preds and target of one shape (N,), not empty, met {scores.shape} "
            f"and {true.shape}"
        )
    if true.max() > 1:
        raise ValueError(f"{who}: target must be 0 or 1, met {true.max()}")
    return scores, true


def _cumulated(scores: Floats, true: Integers) -> tuple[Floats, Floats, Floats]:
    """False and true positives at each distinct score, from the highest down, and those scores."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Equal scores are passed together: no order among them may count.
    last = np.append(np.nonzero(ranked[1:] != ranked[:-1])[0], len(ranked) - 1)
    positives = np.cumsum(true[order])[last].astype(np.float64)
    return last + 1.0 - positives, positives, ranked[last]


def roc_curve(preds: Any, target: Any, drop_intermediate: bool = True) -> ROCCurve:
    """
    Rates of false and of true positives at every threshold, from the highest score down.

    Parameters
    ----------
    preds : Tensor, (N,)
        Scores of the positive class.
    target : integer Tensor, (N,)
        0 or 1, both of which occur.
    drop_intermediate : bool, default True
        Leave out points on a straight line between others.

    Returns
    -------
    fpr, tpr, thresholds : ndarray
        What has a score of at least the threshold counts as positive. The first threshold is
        infinite: nothing does.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing, a score is NaN, or one class only occurs.

    Examples
    --------
    >>> fpr, tpr, thresholds = roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> fpr, tpr
    (array([0. , 0. , 0.5, 0.5, 1. ]), array([0. , 0.5, 0.5, 1. , 1. ]))
    """
    scores, true = _scores_and_classes("roc_curve", preds, target)
    return _roc("roc_curve", scores, true, drop_intermediate)


def _roc(who: str, scores: Floats, true: Integers, drop: bool) -> ROCCurve:
    positives = int(true.sum())
    if positives in (0, len(true)):
        raise ValueError(
            f"{who}: all {len(true)} targets are {int(positives > 0)}; without both classes there "
            "are no rates of both"
        )
    wrong, right, thresholds = _cumulated(scores, true)
    if drop and len(wrong) > 2:
        bends = (np.diff(wrong, 2) != 0) | (np.diff(right, 2) != 0)
        kept = np.concatenate([[True], bends, [True]])
        wrong, right, thresholds = wrong[kept], right[kept], thresholds[kept]
    return ROCCurve(
        np.append(0.0, wrong) / wrong[-1],
        np.append(0.0, right) / right[-1],
        np.append(np.inf, thresholds),
    )


def roc_auc(preds: Any, target: Any, average: str | None = "macro") -> float | Floats:
    """
    Area under the ROC curve: how often a positive example has a higher score than a negative one.

    Equal scores count as half.

    Parameters
    ----------
    preds : Tensor, (N,) or (N, C)
        Scores of the positive class, or of each class: then each is separated from the rest.
    target : integer Tensor, (N,)
        0 or 1; or class indices.
    average : {"macro", "weighted"} or None
        Of the classes: their mean, that with each as often as it occurs, or one number for each.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, a score is NaN, a class does not occur or is the
        only one, or `average` is unknown.

    Examples
    --------
    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    who = "roc_auc"
    choice(who, "average", average, ("macro", "weighted", None))

    def area(scores: Floats, true: Integers) -> float:
        curve = _roc(who, scores, true, False)
        return float(np.trapezoid(curve.tpr, curve.fpr))

    return _of_classes(who, preds, target, average, area)


def _of_classes(who: str, preds: Any, target: Any, average: str | None, area: Any) -> Any:
    """An area of one column of scores; or those of each class against the rest, averaged."""
    if np.ndim(preds) != 2:
        return area(*_scores_and_classes(who, preds, target))
    scores = real_numbers(who, "preds", preds, infinite=True)
    true = class_indices(who, "target", target)
    classes = scores.shape[1]
    if true.shape != scores.shape[:1] or not scores.size:
        raise ValueError(
            f"{who}: expected preds (N, C) and target (N,), not empty, met {scores.shape} and "
            f"{true.shape}"
        )
    if true.max() >= classes:
        raise ValueError(f"{who}: class {true.max()} is out of range for {classes} classes")
    often = np.bincount(true, minlength=classes)
    if classes < 2 or not often.all():
        raise ValueError(
            f"{who}: every class must occur in target, and another one; they occur "
            f"{often.tolist()} times"
        )
    each = np.array([area(scores[:, c], (true == c).astype(np.int64)) for c in range(classes)])
    if average is None:
        return each
    return float(each.mean() if average == "macro" else np.average(each, weights=often))


def precision_recall_curve(preds: Any, target: Any) -> PrecisionRecallCurve:
    """
    Precision and recall at every threshold, from the lowest score up.

    Parameters
    ----------
    preds : Tensor, (N,)
        Scores of the positive class.
    target : integer Tensor, (N,)
        0 or 1; there is a 1.

    Returns
    -------
    precision, recall, thresholds : ndarray
        What has a score of at least the threshold counts as positive. The last precision is 1 and
        the last recall 0, with no threshold.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing, a score is NaN, or no target is 1.

    Examples
    --------
    >>> precision_recall_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).recall
    array([1. , 1. , 0.5, 0.5, 0. ])
    """
    who = "precision_recall_curve"
    return _precision_recall(who, *_scores_and_classes(who, preds, target))


def _precision_recall(who: str, scores: Floats, true: Integers) -> PrecisionRecallCurve:
    if not true.any():
        raise ValueError(f"{who}: no target is 1, so there is no recall")
    wrong, right, thresholds = _cumulated(scores, true)
    return PrecisionRecallCurve(
        np.append((right / (right + wrong))[::-1], 1.0),
        np.append((right / right[-1])[::-1], 0.0),
        thresholds[::-1],
    )


def average_precision(preds: Any, target: Any, average: str | None = "macro") -> float | Floats:
    """
    Mean precision over the steps of the recall: ``sum((R[i] - R[i - 1]) * P[i])``.

    Parameters
    ----------
    preds : Tensor, (N,) or (N, C)
        Scores of the positive class, or of each class: then each is separated from the rest.
    target : integer Tensor, (N,)
        0 or 1; or class indices.
    average : {"macro", "weighted"} or None
        As of `roc_auc`.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, a score is NaN, a class does not occur, or
        `average` is unknown.

    Examples
    --------
    >>> average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.8333333333333333
    """
    who = "average_precision"
    choice(who, "average", average, ("macro", "weighted", None))

    def area(scores: Floats, true: Integers) -> float:
        curve = _precision_recall(who, scores, true)
        return float(-(np.diff(curve.recall) * curve.precision[:-1]).sum())

    return _of_classes(who, preds, target, average, area)
