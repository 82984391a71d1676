"""Boxes: overlaps, suppression and average precision, beside loops over single boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
from nn import metrics

RNG = np.random.default_rng(0)


def boxes(count: int) -> np.ndarray:
    corner = RNG.random((count, 2)) * 4
    return np.concatenate([corner, corner + RNG.random((count, 2)) * 4], axis=1)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    union = sum(areas) - width * height
    return width * height / union if union else 0.0


def giou(a: np.ndarray, b: np.ndarray) -> float:
    around = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    union = sum(areas) / (1 + iou(a, b))
    return iou(a, b) - (around - union) / around


# --- Overlaps -------------------------------------------------------------------------------------


def test_overlaps():
    one, other = boxes(6), boxes(4)
    wanted = [[iou(a, b) for b in other] for a in one]
    np.testing.assert_allclose(metrics.box_iou(autograd.tensor(one), other), wanted, rtol=1e-12)
    wanted = [[giou(a, b) for b in other] for a in one]
    np.testing.assert_allclose(metrics.generalized_box_iou(one, other), wanted, rtol=1e-12)
    np.testing.assert_allclose(metrics.box_area(one), np.prod(one[:, 2:] - one[:, :2], axis=1))
    assert metrics.box_iou(one, []).shape == (6, 0)


def test_boxes_without_area():
    point = [[1.0, 1.0, 1.0, 1.0]]
    assert metrics.box_iou(point, point) == 0.0
    assert metrics.generalized_box_iou(point, point) == 0.0
    assert metrics.generalized_box_iou(point, [[2.0, 2.0, 3.0, 3.0]]) == -0.75


@pytest.mark.parametrize("form", ["xyxy", "xywh", "cxcywh"])
def test_forms(form):
    corners = boxes(5).reshape(5, 1, 4)
    x1, y1, x2, y2 = np.moveaxis(corners, -1, 0)
    wanted = {
        "xyxy": (x1, y1, x2, y2),
        "xywh": (x1, y1, x2 - x1, y2 - y1),
        "cxcywh": ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
    }
    made = metrics.box_convert(corners, "xyxy", form)
    np.testing.assert_allclose(made, np.stack(wanted[form], axis=-1))
    for other, parts in wanted.items():
        np.testing.assert_allclose(metrics.box_convert(made, form, other), np.stack(parts, -1))
    assert metrics.box_convert(corners, "xyxy", "xyxy") is not corners


# --- Suppression ----------------------------------------------------------------------------------


def suppressed(corners: Any, scores: Any, groups: Any, threshold: float) -> list[int]:
    kept: list[int] = []
    for k in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        if all(groups[k] != groups[j] or iou(corners[j], corners[k]) <= threshold for j in kept):
            kept.append(k)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_suppression(threshold):
    corners, scores = boxes(40), RNG.integers(0, 10, 40) / 10.0
    groups = RNG.integers(0, 3, 40)
    found = metrics.nms(autograd.tensor(corners), autograd.tensor(scores), threshold)
    assert found.tolist() == suppressed(corners, scores, np.zeros(40), threshold)
    found = metrics.batched_nms(corners, scores, groups, threshold)
    assert found.tolist() == suppressed(corners, scores, groups, threshold)


def test_nothing_to_suppress():
    assert metrics.nms(np.zeros((0, 4)), [], 0.5).tolist() == []
    assert metrics.nms(np.zeros((0, 4)), [], 0.5).dtype == np.int64


# --- Average precision ----------------------------------------------------------------------------


def image(count: int, classes: int, scored: bool) -> dict[str, np.ndarray]:
    made = {"boxes": boxes(count), "labels": RNG.integers(0, classes, count)}
    return made | ({"scores": RNG.integers(1, 6, count) / 6.0} if scored else {})


def shaken(of: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Detections: the boxes a little off, and some that are wrong."""
    off = of["boxes"] + RNG.normal(0.0, 0.1, of["boxes"].shape).clip(-0.2, 0.2)
    off[:, 2:] = np.maximum(off[:, 2:], off[:, :2])
    more = image(3, 3, True)
    return {
        "boxes": np.concatenate([off, more["boxes"]]),
        "labels": np.concatenate([of["labels"], more["labels"]]),
        "scores": np.concatenate([RNG.integers(2, 9, len(off)) / 9.0, more["scores"]]),
    }


def precision_by_loops(preds, target, label, threshold, interpolation, most) -> float:
    ranked, count = [], 0
    for found, true in zip(preds, target, strict=True):
        wanted = [b for b, c in zip(true["boxes"], true["labels"], strict=True) if c == label]
        count += len(wanted)
        own = [k for k, c in enumerate(found["labels"]) if c == label]
        own = sorted(own, key=lambda k: -found["scores"][k])[:most]
        taken: set[int] = set()
        for k in own:
            free = [(iou(found["boxes"][k], b), -j) for j, b in enumerate(wanted) if j not in taken]
            best, place = max(free, default=(-1.0, 0))
            if best >= threshold:
                taken.add(-place)
            ranked.append((found["scores"][k], best >= threshold))
    ranked = sorted(ranked, key=lambda item: -item[0])
    hits = np.cumsum([hit for _, hit in ranked])
    points = [(h / count, h / (k + 1)) for k, h in enumerate(hits)]

    def best_from(recall: float) -> float:
        return max((p for r, p in points if r >= recall), default=0.0)

    if interpolation == "all":
        recalls = [0.0, *(r for r, _ in points)]
        steps = zip(recalls[1:], recalls, strict=False)
        return float(sum((r - before) * best_from(r) for r, before in steps))
    return float(np.mean([best_from(r) for r in np.linspace(0.0, 1.0, int(interpolation))]))


TARGET = [image(count, 3, False) for count in (6, 0, 4, 5)]
PREDS = [shaken(of) for of in TARGET]


@pytest.mark.parametrize("interpolation", ["101", "11", "all"])
@pytest.mark.parametrize("most", [100, 2])
def test_average_precision(interpolation, most):
    found = metrics.mean_average_precision(PREDS, TARGET, (0.5, 0.75), interpolation, most)
    wanted: list[list[float]] = [
        [precision_by_loops(PREDS, TARGET, c, t, interpolation, most) for t in (0.5, 0.75)]
        for c in range(3)
    ]
    np.testing.assert_allclose(found.average_precision, wanted, rtol=1e-12)
    assert found.map == pytest.approx(np.mean(wanted))
    np.testing.assert_allclose(found.map_per_class, np.mean(wanted, axis=1))
    np.testing.assert_allclose(found.map_per_threshold, np.mean(wanted, axis=0))
    assert found.classes.tolist() == [0, 1, 2]


def test_perfect_and_hopeless():
    perfect = [{**of, "scores": np.ones(len(of["boxes"]))} for of in TARGET]
    assert metrics.mean_average_precision(perfect, TARGET).map == pytest.approx(1.0)
    nothing = [{"boxes": [], "scores": [], "labels": []}] * 4
    assert metrics.mean_average_precision(nothing, TARGET).map == 0.0
    assert np.isnan(metrics.mean_average_precision(perfect, nothing).map)
    assert np.isnan(metrics.mean_average_precision([], []).map)


def test_a_box_is_found_once():
    true = {"boxes": [[0.0, 0.0, 2.0, 2.0]], "labels": [0]}
    twice = {"boxes": true["boxes"] * 2, "labels": [0, 0], "scores": [0.9, 0.8]}
    wrong_first = {
        "boxes": [[5.0, 5.0, 6.0, 6.0], *true["boxes"]],
        "labels": [0, 0],
        "scores": [0.9, 0.8],
    }
    for found, wanted in [(twice, 1.0), (wrong_first, 0.5)]:
        for interpolation in ("101", "11", "all"):
            result = metrics.mean_average_precision([found], [true], (0.5,), interpolation)
            assert result.map == pytest.approx(wanted)


def test_images_in_batches():
    running = metrics.DetectionPrecision()
    running.update(PREDS[:1], TARGET[:1])
    running.update(PREDS[1:], TARGET[1:])
    assert running.compute().map == metrics.mean_average_precision(PREDS, TARGET).map
    with pytest.raises(ValueError, match="do not fit"):
        running.update([{**PREDS[0], "labels": [0]}], TARGET[:1])
    assert len(running.preds) == len(running.target) == 4
    running.reset()
    assert np.isnan(running.compute().map)


# --- What is refused ------------------------------------------------------------------------------

BOX = [[0.0, 0.0, 1.0, 1.0]]
GOOD = {"boxes": BOX, "labels": [0], "scores": [0.5]}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: metrics.box_iou([[0.0, 0.0, -1.0, 1.0]], BOX), ValueError, "x1 <= x2"),
        (lambda: metrics.box_iou([[0.0, 0.0, np.nan, 1.0]], BOX), ValueError, "NaN"),
        (lambda: metrics.box_iou(BOX, [0.0, 1.0, 2.0, 3.0]), ValueError, r"boxes2 \(N, 4\)"),
        (lambda: metrics.box_area([[1.0, 2.0]]), ValueError, r"met \(1, 2\)"),
        (lambda: metrics.box_convert(BOX, "xyxy", "yxyx"), ValueError, "out_fmt .* 'yxyx'"),
        (lambda: metrics.box_convert([1.0], "xyxy", "xywh"), ValueError, r"\(\.\.\., 4\)"),
        (lambda: metrics.nms(BOX, [0.5, 0.5], 0.5), ValueError, r"scores \(2,\)"),
        (lambda: metrics.nms(BOX, [np.nan], 0.5), ValueError, "scores .* NaN"),
        (lambda: metrics.batched_nms(BOX, [0.5], [0, 1], 0.5), ValueError, r"idxs \(2,\)"),
        (lambda: metrics.mean_average_precision([GOOD], []), ValueError, "1 images"),
        (
            lambda: metrics.mean_average_precision([{"boxes": BOX}], [GOOD]),
            KeyError,
            "labels.*scores",
        ),
        (
            lambda: metrics.mean_average_precision([GOOD | {"scores": [np.nan]}], [GOOD]),
            ValueError,
            r"preds\[0\]\['scores'\]",
        ),
        (
            lambda: metrics.mean_average_precision([GOOD], [GOOD], (50,)),
            ValueError,
            "iou_thresholds",
        ),
        (
            lambda: metrics.mean_average_precision([GOOD], [GOOD], interpolation="12"),
            ValueError,
            "interpolation .* '12'",
        ),
        (lambda: metrics.DetectionPrecision(max_detections=0), ValueError, "max_detections"),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
