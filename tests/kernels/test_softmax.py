from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels.softmax import SAMPLES

INF, NAN = math.inf, math.nan
TINY = {np.float32: 2e-6, np.float64: 1e-14}

# Rows, softmax and log_softmax by hand.
ROWS = {
    "equal": ([2.0, 2.0], [0.5, 0.5], [-math.log(2)] * 2),
    "one": ([7.0], [1.0], [0.0]),
    "large": ([1e4, 0.0], [1.0, 0.0], [0.0, -1e4]),
    "small": ([-1e4, -1e4], [0.5, 0.5], [-math.log(2)] * 2),
    "extremes": ([3e38, -3e38], [1.0, 0.0], [0.0, None]),
    "minus infinity": ([-INF, 0.0, 0.0], [0, 0.5, 0.5], [-INF, -math.log(2), -math.log(2)]),
    "all minus infinity": ([-INF, -INF], [NAN, NAN], [NAN, NAN]),
    "infinity": ([INF, 0.0], [NAN, NAN], [NAN, NAN]),
    "nan": ([NAN, 0.0, 1.0], [NAN] * 3, [NAN] * 3),
    "nan and minus infinity": ([-INF, NAN], [NAN, NAN], [NAN, NAN]),
}


def loops(row):
    """Return softmax and log_softmax of a list of finite floats."""
    total = math.fsum(math.exp(value - max(row)) for value in row)
    return (
        [math.exp(value - max(row)) / total for value in row],
        [value - max(row) - math.log(total) for value in row],
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    shape=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    axis=st.integers(-4, 3),
    scale=st.sampled_from([1e-3, 1.0, 100.0]),
    seed=st.integers(0, 99),
)
def test_equals_the_loops(dtype, shape, axis, scale, seed):
    axis %= len(shape)
    x = (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)
    y, logy = kernels.softmax(x, axis=axis), kernels.log_softmax(x, axis=axis)
    assert y.dtype == logy.dtype == dtype
    assert y.shape == logy.shape == x.shape
    if x.size:
        rows = (np.moveaxis(array, axis, -1).reshape(-1, shape[axis]) for array in (x, y, logy))
        for row, got, got_log in zip(*rows, strict=True):
            expected, expected_log = loops(row.tolist())
            np.testing.assert_allclose(got, expected, rtol=TINY[dtype], atol=1e-30)
            np.testing.assert_allclose(got_log, expected_log, rtol=TINY[dtype], atol=TINY[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_awkward_rows_by_hand_and_without_warnings(name, dtype):
    row, expected, expected_log = ROWS[name]
    x = np.array([row, row[::-1]], dtype)
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        y, logy = kernels.softmax(x, axis=1), kernels.log_softmax(x, axis=1)
    np.testing.assert_allclose(y[0], expected, rtol=TINY[dtype])
    np.testing.assert_allclose(y[1], expected[::-1], rtol=TINY[dtype])
    if None not in expected_log:
        np.testing.assert_allclose(logy[0], expected_log, rtol=TINY[dtype], atol=1e-30)


def test_a_bad_row_leaves_the_others_alone():
    x = np.array([[NAN, 1.0], [-INF, -INF], [0.0, 0.0]])
    np.testing.assert_array_equal(kernels.softmax(x, axis=1)[2], [0.5, 0.5])


@pytest.mark.parametrize("function", [kernels.softmax, kernels.log_softmax])
def test_zero_dimensions_and_empty_arrays(function):
    y = function(np.array(3.0, np.float32), axis=0)
    assert isinstance(y, np.ndarray)
    assert (y.shape, y.dtype) == ((), np.float32)
    assert y == (1 if function is kernels.softmax else 0)
    for shape, axis in (((0, 3), 0), ((0, 3), 1), ((3, 0), 1), ((0,), 0)):
        assert function(np.ones(shape), axis=axis).shape == shape


@pytest.mark.parametrize("function", [kernels.softmax, kernels.log_softmax])
def test_any_layout_gives_a_new_array(function):
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    before = x.copy()
    expected = function(x, axis=1)
    frozen = x.copy()
    frozen.flags.writeable = False
    for odd in (np.asfortranarray(x), x[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1], frozen):
        y = function(odd, axis=1)
        np.testing.assert_allclose(y, expected, rtol=1e-14)
        assert y.flags.writeable
        assert not np.shares_memory(y, odd)
    np.testing.assert_array_equal(x, before)
    constant = function(np.broadcast_to(np.float32(2), (2, 4)), axis=1)
    np.testing.assert_allclose(constant, function(np.full((2, 4), np.float32(2)), axis=1))


@pytest.mark.parity
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_parity(sample, name):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    (shape,), axis = sample.shapes, sample.params["axis"]
    x = 5 * np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    expected = getattr(torch, name)(torch.from_numpy(x), axis).numpy()
    got = getattr(kernels, name)(x, axis=axis)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("row", [row for row, *_ in ROWS.values()], ids=list(ROWS))
def test_parity_on_awkward_rows(row):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    x = np.array([row], np.float32)
    for ours, theirs in (
        (kernels.softmax, torch.softmax),
        (kernels.log_softmax, torch.log_softmax),
    ):
        expected = theirs(torch.from_numpy(x), 1).numpy()
        np.testing.assert_allclose(ours(x, axis=1), expected, rtol=1e-6)
