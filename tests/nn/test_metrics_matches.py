"""Right and wrong detections, and their curve, beside average precision and loops."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from nn import metrics

RNG = np.random.default_rng(0)


def boxes(count: int) -> np.ndarray:
    corner = RNG.random((count, 2)) * 4
    return np.concatenate([corner, corner + 0.5 + RNG.random((count, 2)) * 3], axis=1)


TARGET = [{"boxes": boxes(count), "labels": RNG.integers(0, 3, count)} for count in (5, 0, 3, 7)]
PREDS = [
    {
        "boxes": np.concatenate([of["boxes"] + 0.1, boxes(4)]),
        "labels": np.concatenate([of["labels"], RNG.integers(0, 3, 4)]),
        "scores": RNG.integers(1, 7, len(of["boxes"]) + 4) / 7.0,  # many are equal
    }
    for of in TARGET
]


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.8])
def test_matches_give_the_average_precision(threshold):
    """Ranked by score, the matches of one class are what its average precision is made of."""
    matches = metrics.match_detections(PREDS, TARGET, threshold)
    result = metrics.mean_average_precision(PREDS, TARGET, (threshold,), "all")
    for label, average in zip(result.classes, result.map_per_class, strict=True):
        right = np.concatenate(
            [m[p["labels"] == label] for m, p in zip(matches, PREDS, strict=True)]
        )
        scores = np.concatenate([p["scores"][p["labels"] == label] for p in PREDS])
        hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
        precision = hits / np.arange(1, len(hits) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        count = sum((of["labels"] == label).sum() for of in TARGET)
        assert average == pytest.approx((np.diff(hits, prepend=0) * best).sum() / count)


def test_curve_against_loops():
    curve = metrics.detection_curve(PREDS, TARGET)
    matches = np.concatenate(metrics.match_detections(PREDS, TARGET))
    scores = np.concatenate([p["scores"] for p in PREDS])
    assert curve.thresholds.tolist() == sorted(set(scores.tolist()))
    count = sum(len(of["labels"]) for of in TARGET)
    for precision, recall, least in zip(*curve[:2], curve.thresholds, strict=False):
        counted = scores >= least
        assert precision == pytest.approx(matches[counted].mean())
        assert recall == pytest.approx(matches[counted].sum() / count)
    assert (curve.precision[-1], curve.recall[-1]) == (1.0, 0.0)


def test_tensors_and_lists():
    one = {"boxes": [[0.0, 0.0, 1.0, 1.0]], "labels": [0]}
    found = {"boxes": autograd.tensor(one["boxes"]), "labels": autograd.tensor([0])}
    found["scores"] = autograd.tensor([0.5])
    assert metrics.match_detections([found], [one])[0].tolist() == [True]
    assert metrics.detection_curve([found], [one]).precision.tolist() == [1.0, 1.0]


def test_another_class_finds_nothing():
    one = {"boxes": [[0.0, 0.0, 1.0, 1.0]], "labels": [0]}
    found = {**one, "labels": [1], "scores": [0.9]}
    assert metrics.match_detections([found], [one])[0].tolist() == [False]


def test_nothing():
    nothing = {"boxes": [], "labels": [], "scores": []}
    assert metrics.match_detections([], []) == []
    assert metrics.match_detections([nothing], TARGET[:1])[0].shape == (0,)
    curve = metrics.detection_curve([nothing], TARGET[:1])
    assert (curve.precision.tolist(), curve.recall.tolist()) == ([1.0], [0.0])
    with pytest.raises(ValueError, match="no boxes"):
        metrics.detection_curve([PREDS[0]], [nothing])


def test_bad_arguments():
    with pytest.raises(ValueError, match="4 images of preds, but 1"):
        metrics.match_detections(PREDS, TARGET[:1])
    with pytest.raises(ValueError, match="from 0 to 1"):
        metrics.match_detections(PREDS, TARGET, 50)
    with pytest.raises(KeyError, match="scores"):
        metrics.detection_curve(TARGET, TARGET)
