"""Choices by a mask, and what runs along a line, beside their references."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import kernels

SHAPES = [(0,), (1,), (7,), (2, 0), (0, 3), (5, 33), (2, 3, 70), (70_001,)]
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(shape, dtype, seed=0):
    """Normal numbers, with some NaN, infinities and equals among them."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.standard_normal(shape), 1).astype(dtype)
    for special in (np.nan, np.inf, -np.inf):
        x[rng.random(shape) < 0.02] = special
    return x


def same(kernel, *args):
    ours = kernel(*args)
    with kernels.use("reference"):
        expected = kernel(*args)
    assert ours.dtype == expected.dtype
    np.testing.assert_array_equal(ours, expected)


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_choices(shape, dtype):
    a, b = drawn(shape, dtype), drawn(shape, dtype, 1)
    mask = np.random.default_rng(2).random(shape) < 0.5
    for chosen in (mask, np.zeros(shape, bool), np.ones(shape, bool)):
        same(kernels.choose, chosen, a, b)
        same(kernels.choose_or, chosen, a, 0.1)
        same(kernels.or_choose, chosen, np.nan, b)


@both
def test_choices_of_any_layout(dtype):
    a, b = drawn((8, 9), dtype), drawn((9, 8), dtype, 1).T
    mask = np.asfortranarray(np.random.default_rng(2).random((8, 9)) < 0.5)
    same(kernels.choose, mask, a[::-1], b)
    same(kernels.choose_or, mask[:, ::2], a[:, ::2], -0.0)
    same(kernels.or_choose, mask.copy()[:4], -0.0, b[::2])


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_running(shape, dtype):
    x = drawn(shape, dtype)
    with np.errstate(all="ignore"):
        for turn in (0, 1):
            same(kernels.running_extreme, x, turn)
            same(kernels.running_sum, x, turn)
            same(kernels.running_product, x, turn)
            same(kernels.running_sum, x.T[..., ::-1] if x.ndim > 1 else x[::-1], turn)


def test_bools_are_not_taken_for_floats():
    """The type number of bools is 0: once, that stood for the type of the call."""
    mask = np.ones(3, bool)
    assert kernels.choose(mask, np.ones(3), np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match=r"expected \(3,\)"):
        kernels.choose(mask, np.ones(4), np.ones(4))
