"""Generated points on spirals and strings of digits."""

from __future__ import annotations

import numpy as np
import pytest

from nn.data import digit_strings, spirals


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_spirals_are_fixed_by_the_generator():
    one, two = spirals(50, rng=generator()), spirals(50, rng=generator())
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], spirals(50, rng=generator(1))[0])
    assert one[0].dtype == np.float32
    assert one[1].dtype == np.int64


def test_points_without_noise_lie_on_the_arms():
    points, arm = spirals(301, arms=3, turns=2.0, noise=0.0, rng=generator())
    assert sorted(np.bincount(arm)) == [100, 100, 101]
    radius = np.hypot(*points.T)
    assert radius.min() >= 0.1 - 1e-6
    assert radius.max() <= 1 + 1e-6
    angle = 2 * np.pi * (2.0 * (radius - 0.1) / 0.9 + arm / 3)
    np.testing.assert_allclose(points[:, 0], radius * np.cos(angle), atol=1e-5)
    np.testing.assert_allclose(points[:, 1], radius * np.sin(angle), atol=1e-5)


def test_noise_has_its_deviation():
    noisy = spirals(20000, noise=0.1, rng=generator())[0]
    clean = spirals(20000, noise=0.0, rng=generator())[0]
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.02)


def test_no_points_and_one_arm():
    points, arm = spirals(0, rng=generator())
    assert points.shape == (0, 2)
    assert arm.shape == (0,)
    assert not spirals(5, arms=1, rng=generator())[1].any()


@pytest.mark.parametrize(
    "options", [{"n": -1}, {"arms": 0}, {"turns": -1.0}, {"noise": -0.1}, {"noise": np.nan}]
)
def test_spirals_refuse(options: dict[str, float]):
    with pytest.raises(ValueError, match="spirals: expected"):
        spirals(**{"n": 4, **options, "rng": generator()})  # pyright: ignore[reportArgumentType] - mixed types


@pytest.mark.parametrize(
    ("n", "length", "symbols"),
    [(0, 4, 10), (1, 1, 1), (500, 10, 10), (60, 2, 10), (100, 2, 10), (49, 2, 10), (3000, 4, 8)],
)
def test_no_string_comes_twice(n: int, length: int, symbols: int):
    strings = digit_strings(n, length=length, symbols=symbols, rng=generator())
    assert strings.shape == (n, length)
    assert strings.dtype == np.int64
    assert len(np.unique(strings, axis=0)) == n
    assert ((strings >= 0) & (strings < symbols)).all()
    again = digit_strings(n, length=length, symbols=symbols, rng=generator())
    assert np.array_equal(strings, again)


@pytest.mark.parametrize("n", [400, 900])  # drawn one by one, and chosen among all
def test_strings_are_in_random_order(n: int):
    strings = digit_strings(n, length=3, rng=generator())
    numbers = strings @ [100, 10, 1]
    assert abs(np.corrcoef(np.arange(n), numbers)[0, 1]) < 0.15
    assert np.bincount(strings.ravel(), minlength=10) == pytest.approx(0.3 * n, rel=0.25)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": -1}, "n >= 0"),
        ({"n": 1, "length": 0}, "length >= 1"),
        ({"n": 1, "symbols": 0}, "symbols >= 1"),
        ({"n": 9, "length": 3, "symbols": 2}, "there are 8 strings"),
    ],
)
def test_digit_strings_refuse(options: dict[str, int], words: str):
    with pytest.raises(ValueError, match=words):
        digit_strings(**options, rng=generator())
