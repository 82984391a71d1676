"""The picture of what a classifier says in the plane."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from nn.report import save_plane

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install dagrad[plot]")


def chance(x):
    return autograd.sigmoid(x[:, 0] * x[:, 1])


@pytest.mark.parametrize("count", [1, 5])
def test_a_picture_is_written(tmp_path, count):
    points = np.random.default_rng(0).normal(size=(count, 2))
    save_plane(tmp_path / "plane.png", chance, points, np.arange(count) % 2, title="some points")
    assert (tmp_path / "plane.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("points", "labels"),
    [(np.zeros((0, 2)), np.zeros(0)), (np.zeros((3, 3)), np.zeros(3)), (np.zeros((3, 2)), [0])],
)
def test_points_of_another_shape_are_refused(tmp_path, points, labels):
    with pytest.raises(ValueError, match=r"save_plane: expected points \(N, 2\).*met \("):
        save_plane(tmp_path / "plane.png", chance, points, labels)
    assert not list(tmp_path.iterdir())
