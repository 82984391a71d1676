"""Pictures of detections: which boxes are drawn how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nn.report import draw_detections, save_detections
from nn.report.detection import MISSED, RIGHT, WRONG

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install dagrad[plot]")

from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

IMAGE = np.zeros((1, 32, 32))
TRUE = {"boxes": [[2.0, 10.0, 10.0, 20.0], [20.0, 2.0, 28.0, 12.0]], "labels": [3, 5]}
FOUND = {
    "boxes": [[2.0, 11.0, 10.0, 20.0], [2.0, 10.0, 10.0, 20.0], [20.0, 2.0, 28.0, 12.0]],
    "labels": [3, 3, 4],
    "scores": [0.9, 0.8, 0.7],
}
NOTHING: dict[str, Any] = {"boxes": np.zeros((0, 4)), "labels": [], "scores": []}


def drawn(found: Any, true: Any, **options: Any) -> list[tuple[str, str]]:
    """Colour and text of each box."""
    axes = Figure().subplots()
    draw_detections(axes, IMAGE, found, true, **options)
    colours = [to_hex(patch.get_edgecolor()).upper() for patch in axes.patches]
    return list(zip(colours, [text.get_text() for text in axes.texts], strict=True))


def test_right_wrong_and_missed():
    """The double is wrong, and so is the other class, whose object is then missed."""
    assert drawn(FOUND, TRUE) == [(MISSED, "5"), (RIGHT, "3 90"), (WRONG, "3 80"), (WRONG, "4 70")]
    strict = drawn(FOUND, TRUE, iou_threshold=0.95)
    assert strict == [(MISSED, "5"), (WRONG, "3 90"), (RIGHT, "3 80"), (WRONG, "4 70")]
    assert [text for _, text in drawn(FOUND, TRUE, named=False)] == [""] * 4


def test_nothing():
    assert drawn(NOTHING, TRUE) == [(MISSED, "3"), (MISSED, "5")]
    assert drawn(NOTHING, NOTHING) == []
    assert [colour for colour, _ in drawn(FOUND, NOTHING)] == [WRONG] * 3


def test_one_object_missed_beside_one_of_its_class_that_was_found():
    near = {"boxes": [[2.0, 10.0, 10.0, 20.0], [4.0, 10.0, 12.0, 20.0]], "labels": [3, 3]}
    one = {name: values[1:2] for name, values in FOUND.items()}
    assert drawn(one, near) == [(MISSED, "3"), (RIGHT, "3 80")]


def test_boxes_lie_around_their_pixels():
    axes = Figure().subplots()
    draw_detections(axes, IMAGE, NOTHING, {"boxes": [[0.0, 4.0, 8.0, 10.0]], "labels": [1]})
    (patch,) = axes.patches
    assert isinstance(patch, Rectangle)
    assert patch.get_bbox().bounds == (-0.5, 3.5, 8.0, 6.0)


def test_files(tmp_path):
    save_detections(
        tmp_path / "a.png", np.zeros((8, 3, 16, 16)), [FOUND] * 8, [TRUE] * 8, title="eight"
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_bad_images():
    with pytest.raises(ValueError, match=r"\(1 or 3, H, W\), met \(32, 32\)"):
        draw_detections(Figure().subplots(), IMAGE[0], FOUND, TRUE)
