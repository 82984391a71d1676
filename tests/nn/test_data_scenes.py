"""Scenes of digits: what is in them, that boxes are tight, and that the seed settles all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nn.data import digit_scenes

RNG = np.random.default_rng(0)
BAR = np.zeros((1, 28, 28), np.uint8)
BAR[0, 4:24, 10:20] = 200
DIGITS = (RNG.random((5, 12, 12)) * 255 * (RNG.random((5, 12, 12)) > 0.4)).astype(np.uint8)


def scenes(n: int, **changed: Any) -> tuple[np.ndarray, np.ndarray]:
    seed = changed.pop("seed", 0)
    arguments = {"digits": DIGITS, "classes": np.arange(5)} | changed
    return digit_scenes(n, **arguments, rng=np.random.default_rng(seed))


def test_what_comes_out():
    images, boxes = scenes(30, size=48, objects=(1, 4), lengths=(8, 20))
    assert (images.shape, images.dtype) == ((30, 1, 48, 48), np.float32)
    assert (boxes.shape, boxes.dtype) == ((30, 4, 5), np.float32)
    assert images.min() == 0.0
    assert images.max() == 1.0
    real = boxes[:, :, 4] >= 0
    assert set(real.sum(axis=1)) == {1, 2, 3, 4}
    assert (np.diff(real.astype(int), axis=1) <= 0).all()  # filling comes last
    assert (boxes[~real] == [0, 0, 0, 0, -1]).all()
    corners = boxes[real][:, :4]
    assert (corners == corners.round()).all()
    assert (corners >= 0).all()
    assert (corners <= 48).all()
    longer = (corners[:, 2:] - corners[:, :2]).max(axis=1)
    assert (longer.min(), longer.max()) == (8, 20)
    assert set(boxes[real][:, 4]) == set(range(5))


def test_the_seed_settles_all():
    for one, other in zip(scenes(5), scenes(5), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (scenes(5)[0] != scenes(5, seed=1)[0]).any()
    np.testing.assert_array_equal(scenes(5)[1][:3], scenes(3)[1])


def test_boxes_are_tight():
    images, boxes = scenes(
        40, digits=BAR, classes=[3], clutter=0, noise=0.0, objects=(1, 3), lengths=(10, 24)
    )
    for image, rows in zip(images[:, 0], boxes, strict=True):
        covered = np.zeros(image.shape, bool)
        for x1, y1, x2, y2 in rows[rows[:, 4] >= 0, :4].astype(int):
            covered[y1:y2, x1:x2] = True
            assert (y2 - y1) == pytest.approx(2 * (x2 - x1), abs=1)  # the bar's shape is kept
        np.testing.assert_array_equal(image > 0, covered)


def test_digits_hardly_cover_each_other():
    _, boxes = scenes(60, objects=(4, 4), size=40)
    for rows in boxes:
        found = rows[rows[:, 4] >= 0, :4]
        for k, one in enumerate(found):
            for other in found[:k]:
                width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
                areas = [np.prod(each[2:] - each[:2]) for each in (one, other)]
                assert max(width, 0) * max(height, 0) <= 0.1 * min(areas)


def test_clutter_has_no_boxes():
    images, boxes = scenes(4, objects=(0, 2), noise=0.0)
    bare, same = scenes(4, objects=(0, 0), noise=0.0)
    assert same.shape == (4, 0, 5)
    assert boxes.shape == (4, 2, 5)
    assert (bare > 0).any(axis=(1, 2, 3)).all()
    assert ((images > 0).sum() > (bare > 0).sum()) or (boxes[:, :, 4] < 0).all()


def test_enlarging_keeps_what_is_even():
    even = np.full((1, 7, 7), 9.0)
    plain: dict[str, Any] = {"clutter": 0, "noise": 0.0, "objects": (1, 1)}
    images, boxes = scenes(9, digits=even, classes=[0], lengths=(3, 30), **plain)
    for image, (x1, y1, x2, y2) in zip(images[:, 0], boxes[:, 0, :4].astype(int), strict=True):
        inside = image[y1:y2, x1:x2]
        np.testing.assert_allclose(inside, inside[0, 0], rtol=1e-6)


def test_nothing_and_the_largest():
    images, boxes = scenes(0)
    assert (images.shape, boxes.shape) == ((0, 1, 64, 64), (0, 3, 5))
    _, boxes = scenes(2, digits=BAR, classes=[0], size=16, lengths=(16, 16), objects=(1, 1))
    assert (boxes[:, 0, 3] - boxes[:, 0, 1] == 16).all()
    _, boxes = scenes(3, size=5, lengths=(5, 5), objects=(1, 1))  # clutter larger than the scene
    assert (boxes[:, 0, 4] >= 0).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"digits": np.zeros((0, 8, 8)), "classes": []}, r"met \(0, 8, 8\) and \(0,\)"),
        ({"digits": DIGITS[0]}, r"met \(12, 12\)"),
        ({"classes": [0, 1]}, r"and \(2,\)"),
        ({"digits": np.zeros((1, 8, 8)), "classes": [0]}, r"digits\[0\] has no ink"),
        ({"digits": np.full((1, 8, 8), np.nan), "classes": [0]}, "not finite"),
        ({"objects": (3, 1)}, r"objects=\(3, 1\)"),
        ({"lengths": (14, 70)}, "size=64"),
        ({"lengths": (0, 7)}, r"lengths=\(0, 7\)"),
        ({"n": -1}, "n=-1"),
        ({"noise": -0.1}, "met 8 and -0.1"),
        ({"clutter": -1}, "met -1 and 0.08"),
    ],
)
def test_bad_arguments(changed, words):
    arguments: dict[str, Any] = {"n": 2} | changed
    with pytest.raises(ValueError, match=words):
        scenes(**arguments)
