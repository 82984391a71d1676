"""How right classes are: accuracy, confusion, precision, recall and their mean F1."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import (
    Floats,
    Integers,
    choice,
    class_indices,
    predicted_classes,
    real_numbers,
)

AVERAGES = ("binary", "micro", "macro", "weighted", None)


def accuracy(preds: Any, target: Any) -> float:
    """
    Share of the predictions that are right.

    Parameters
    ----------
    preds : Tensor, the shape of `target`, or (N, C, ...) of floats
        Class indices, or scores of each class, of which the highest counts (the first of equals).
    target : integer Tensor, (N, ...)

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, or a score is NaN.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    found, true = predicted_classes("accuracy", preds, target)
    return float((found == true).mean())


def top_k_accuracy(preds: Any, target: Any, k: int = 5) -> float:
    """
    Share of the targets that are among the k classes of highest score.

    Of equal scores the first classes count as higher, as for `argmax`: a model that gives the same
    score to all is not right about all.

    Parameters
    ----------
    preds : Tensor, (N, C)
        Scores.
    target : integer Tensor, (N,)
    k : int, default 5

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, a score is NaN, or k is not from 1 to C.
    IndexError
        If a class is out of range.

    Examples
    --------
    >>> top_k_accuracy([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [1, 2], k=2)
    0.5
    """
    who = "top_k_accuracy"
    scores = real_numbers(who, "preds", preds, infinite=True)
    true = class_indices(who, "target", target)
    if scores.ndim != 2 or true.shape != scores.shape[:1] or not scores.size:
        raise ValueError(
            f"{who}: expected preds (N, C) and target (N,), not empty, met {scores.shape} and "
            f"{true.shape}"
        )
    classes = scores.shape[1]
    if not 1 <= k <= classes:
        raise ValueError(f"{who}: k must be from 1 to {classes}, the number of classes, not {k}")
    if true.max() >= classes:
        raise IndexError(f"{who}: class {true.max()} is out of range for {classes} classes")
    own = scores[np.arange(len(true)), true][:, None]
    before = (scores > own) | ((scores == own) & (np.arange(classes) < true[:, None]))
    return float((before.sum(axis=1) < k).mean())


def confusion_matrix(
    preds: Any, target: Any, num_classes: int | None = None, normalize: str | None = None
) -> Integers | Floats:
    """
    How often each class (row) was taken for each class (column).

    Parameters
    ----------
    preds : Tensor, the shape of `target`, or (N, C, ...) of floats
        Class indices, or scores of each class, of which the highest counts (the first of equals).
    target : integer Tensor, (N, ...)
    num_classes : int, optional
        Default: those of the scores, else up to the highest class met.
    normalize : {"true", "pred", "all"}, optional
        Divide by the sums of the rows, of the columns, or of all; an empty row or column stays 0.

    Returns
    -------
    ndarray, (classes, classes)
        Counts, or floats where normalized.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, or `normalize` is unknown.
    IndexError
        If a class is not below `num_classes`.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 1, 0])
    array([[1, 1],
           [0, 1]])
    """
    found, true, classes = _predicted("confusion_matrix", preds, target, num_classes)
    cells = np.bincount(true * classes + found, minlength=classes * classes)
    return normalized(cells.reshape(classes, classes), normalize)


def normalized(counts: Integers, normalize: str | None) -> Integers | Floats:
    """
    Counts of a confusion matrix in parts of its rows, columns or all; a copy where it is None.

    Raises
    ------
    ValueError
        If `normalize` is unknown.

    Examples
    --------
    >>> normalized(np.array([[3, 1], [0, 0]]), "true")
    array([[0.75, 0.25],
           [0.  , 0.  ]])
    """
    choice("confusion_matrix", "normalize", normalize, ("true", "pred", "all", None))
    if normalize is None:
        return counts.copy()
    axis = {"true": 1, "pred": 0, "all": (0, 1)}[normalize]
    return counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)


def _predicted(
    who: str, preds: Any, target: Any, num_classes: int | None
) -> tuple[Integers, Integers, int]:
    """Predicted and true classes, and how many classes there are."""
    found, true = predicted_classes(who, preds, target)
    highest = int(max(found.max(), true.max()))
    classes = highest + 1 if num_classes is None else num_classes
    if num_classes is None and np.ndim(preds) > np.ndim(target):
        classes = max(classes, np.shape(preds)[1])
    if highest >= classes:
        raise IndexError(f"{who}: class {highest} is out of range for {classes} classes")
    return found, true, classes


def _tallied(
    who: str, preds: Any, target: Any, num_classes: int | None
) -> tuple[Integers, Integers, Integers]:
    """How often each class was right, was true and was predicted: no matrix of all pairs."""
    found, true, classes = _predicted(who, preds, target, num_classes)
    right, often, told = (
        np.bincount(part, minlength=classes) for part in (true[found == true], true, found)
    )
    return right, often, told


def precision(
    preds: Any,
    target: Any,
    average: str | None = "binary",
    *,
    num_classes: int | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> float | Floats:
    """
    Share of what was predicted as a class that is one: ``TP / (TP + FP)``.

    Parameters
    ----------
    preds : Tensor, the shape of `target`, or (N, C, ...) of floats
        Class indices, or scores of each class, of which the highest counts (the first of equals).
    target : integer Tensor, (N, ...)
    average : {"binary", "micro", "macro", "weighted"} or None
        "binary": of the class `pos_label` alone, and there may be no more than two. "micro": from
        the sums over all classes. "macro": the mean over the classes that occur. "weighted": that,
        each class as often as it is true. None: one number for each class.
    num_classes : int, optional
        Default: those of the scores, else up to the highest class met.
    pos_label : int, default 1
        The class that "binary" is about.
    zero_division : float, default 0
        What 0 / 0 is: of a class that was never predicted.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, `average` is unknown, or it is "binary" and
        there are more than two classes.
    IndexError
        If a class is not below `num_classes`.

    Examples
    --------
    >>> precision([0, 1, 1, 1], [0, 1, 0, 1])
    0.6666666666666666
    >>> precision([0, 1, 2, 2], [0, 1, 1, 2], average=None)
    array([1. , 1. , 0.5])
    """
    tallies = _tallied("precision", preds, target, num_classes)
    return averaged("precision", *tallies, average, pos_label, zero_division)


def recall(
    preds: Any,
    target: Any,
    average: str | None = "binary",
    *,
    num_classes: int | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> float | Floats:
    """
    Share of a class that was predicted as it: ``TP / (TP + FN)``; arguments as of `precision`.

    Raises
    ------
    ValueError, IndexError
        As `precision` does.

    Examples
    --------
    >>> recall([0, 1, 1, 1], [0, 1, 0, 1])
    1.0
    >>> recall([0, 1, 2, 2], [0, 1, 1, 2], average="macro")
    0.8333333333333334
    """
    tallies = _tallied("recall", preds, target, num_classes)
    return averaged("recall", *tallies, average, pos_label, zero_division)


def f1_score(
    preds: Any,
    target: Any,
    average: str | None = "binary",
    *,
    num_classes: int | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> float | Floats:
    """
    Harmonic mean of precision and recall: ``2 TP / (2 TP + FP + FN)``; arguments as of `precision`.

    Raises
    ------
    ValueError, IndexError
        As `precision` does.

    Examples
    --------
    >>> f1_score([0, 1, 1, 1], [0, 1, 0, 1])
    0.8
    """
    tallies = _tallied("f1_score", preds, target, num_classes)
    return averaged("f1_score", *tallies, average, pos_label, zero_division)


def averaged(
    who: str,
    right: Integers,
    true: Integers,
    found: Integers,
    average: str | None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> float | Floats:
    """
    "precision", "recall" or "f1_score" from how often each class was right, true and predicted.

    Raises
    ------
    ValueError
        If `average` is unknown, or it is "binary" and there are more than two classes.

    Examples
    --------
    >>> averaged("recall", np.array([1, 1]), np.array([2, 1]), np.array([1, 2]), "macro")
    0.75
    """
    choice(who, "average", average, AVERAGES)
    if average == "binary":
        if len(true) > 2:
            raise ValueError(
                f"{who}: there are {len(true)} classes; say average='micro', 'macro', 'weighted' "
                "or None"
            )
        if pos_label not in (0, 1):
            raise ValueError(f"{who}: pos_label must be 0 or 1, not {pos_label}")
        two = np.zeros((3, 2), np.int64)  # where only class 0 was met
        two[:, : len(true)] = right, true, found
        right, true, found = two[:, pos_label : pos_label + 1]
    elif average == "micro":
        right, true, found = (np.array([part.sum()]) for part in (right, true, found))
    above, below = {
        "precision": (right, found),
        "recall": (right, true),
        "f1_score": (2 * right, found + true),
    }[who]
    each = np.where(below > 0, above / np.maximum(below, 1), float(zero_division))
    if average is None:
        return each
    if average == "macro":
        return float(each[true + found > 0].mean())
    if average == "weighted":
        return float((each * true).sum() / true.sum())
    return float(each[0])
