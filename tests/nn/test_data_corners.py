"""Points of the exclusive or: balanced, fixed by the seed, with the class of their corner."""

from __future__ import annotations

import numpy as np
import pytest

from nn.data import exclusive_or


def generator():
    return np.random.default_rng(7)


def test_points_lie_around_their_corners():
    points, differ = exclusive_or(4002, noise=0.2, rng=generator())
    assert points.shape == (4002, 2)
    assert (points.dtype, differ.dtype) == (np.float32, np.int64)
    assert sorted(np.bincount(differ)) == [2000, 2002] or sorted(np.bincount(differ)) == [
        2001,
        2001,
    ]
    corners = np.sign(points)  # at five deviations none is across an axis
    np.testing.assert_array_equal(corners[:, 0] != corners[:, 1], differ)
    for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        mine = points[(corners == corner).all(1)]
        assert len(mine) in (1000, 1001)
        np.testing.assert_allclose(mine.mean(0), corner, atol=0.03)
        np.testing.assert_allclose(mine.std(0), 0.2, rtol=0.1)


def test_without_noise_the_corners_themselves():
    points, differ = exclusive_or(8, noise=0.0, rng=generator())
    np.testing.assert_array_equal(np.abs(points), 1.0)
    np.testing.assert_array_equal(points.prod(1) < 0, differ)


def test_the_seed_decides():
    for one, two in zip(
        exclusive_or(50, rng=generator()), exclusive_or(50, rng=generator()), strict=True
    ):
        np.testing.assert_array_equal(one, two)
    assert (
        exclusive_or(50, rng=np.random.default_rng(8))[0] != exclusive_or(50, rng=generator())[0]
    ).any()


@pytest.mark.parametrize("n", [0, 1])
def test_none_and_one(n):
    points, differ = exclusive_or(n, rng=generator())
    assert points.shape == (n, 2)
    assert differ.shape == (n,)


@pytest.mark.parametrize(("n", "noise"), [(-1, 0.1), (3, -0.1), (3, np.inf), (3, np.nan)])
def test_nonsense_is_refused(n, noise):
    with pytest.raises(ValueError, match=rf"exclusive_or: .*met n={n}, noise={noise}"):
        exclusive_or(n, noise=noise, rng=generator())
