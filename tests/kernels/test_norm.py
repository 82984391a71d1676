from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels import norm

EPS = 1e-5
TINY = {np.float32: 2e-5, np.float64: 1e-11}


def stats_loops(x):
    """Return the mean and biased variance of each channel, correctly rounded."""
    means, variances = [], []
    for channel in range(x.shape[1]):
        values = x[:, channel].astype(np.float64).ravel().tolist()
        mean = math.fsum(values) / len(values)
        means.append(mean)
        variances.append(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return np.array(means), np.array(variances)


def apply_loops(x, weight, bias):
    """Return batch_norm(x) with x's own statistics."""
    means, variances = stats_loops(x)
    y = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        c = place[1]
        z = (float(x[place]) - means[c]) / math.sqrt(variances[c] + EPS)
        y[place] = z * (1 if weight is None else weight[c]) + (0 if bias is None else bias[c])
    return y


def invstd_of(var):
    return (1 / np.sqrt(var + EPS)).astype(var.dtype)


shapes = st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(shape=shapes, affine=st.booleans(), seed=st.integers(0, 99))
def test_forward_equals_the_loops(dtype, shape, affine, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, shape).astype(dtype)
    weight = rng.standard_normal(shape[1]).astype(dtype) if affine else None
    bias = rng.standard_normal(shape[1]).astype(dtype) if affine else None
    mean, var = kernels.batch_norm_stats(x)
    assert mean.dtype == var.dtype == dtype
    expected_mean, expected_var = stats_loops(x)
    np.testing.assert_allclose(mean, expected_mean, rtol=TINY[dtype])
    np.testing.assert_allclose(var, expected_var, rtol=TINY[dtype], atol=TINY[dtype])
    if math.prod(shape) > shape[1]:  # One value per channel normalises rounding errors.
        y = kernels.batch_norm_apply(x, mean, invstd_of(var), weight, bias)
        assert y.dtype == dtype
        tolerance = 1e-2 if dtype == np.float32 else 1e-8
        np.testing.assert_allclose(y, apply_loops(x, weight, bias), atol=tolerance)


@given(
    shape=st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3)),
    affine=st.booleans(),
    seed=st.integers(0, 99),
)
def test_backward_equals_central_differences(shape, affine, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.standard_normal(shape), rng.standard_normal(shape)
    # Spread the values: where a channel's variance is near 0, differences say nothing.
    x += 3 * np.arange(shape[0])[:, None, None]
    weight, bias = rng.standard_normal(shape[1]), rng.standard_normal(shape[1])
    mean, var = kernels.batch_norm_stats(x)
    dx, dweight, dbias = kernels.batch_norm_backward(
        g, x, mean, invstd_of(var), weight if affine else None
    )
    assert dx.shape == x.shape
    assert dweight.shape == dbias.shape == (shape[1],)

    def loss(x, weight, bias):
        return float(np.sum(g * apply_loops(x, weight if affine else None, bias)))

    step = 1e-5
    wanted = [(0, x, dx), (2, bias, dbias)] + ([(1, weight, dweight)] if affine else [])
    for position, array, gradient in wanted:
        direction = rng.standard_normal(array.shape)
        arguments = [x, weight, bias]
        sides = []
        for sign in (1, -1):
            arguments[position] = array + sign * step * direction
            sides.append(loss(*arguments))
        expected = (sides[0] - sides[1]) / (2 * step)
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_weight_of_one_is_no_weight():
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 4, 3, 5, 5))
    mean, var = kernels.batch_norm_stats(x)
    ones = np.ones(3)
    for with_weight, without in zip(
        kernels.batch_norm_backward(g, x, mean, invstd_of(var), ones),
        kernels.batch_norm_backward(g, x, mean, invstd_of(var), None),
        strict=True,
    ):
        np.testing.assert_array_equal(with_weight, without)


def test_a_large_mean_costs_no_digits():
    x = np.random.default_rng(1).normal(1000, 1e-2, (64, 2, 8, 8)).astype(np.float32)
    mean, var = kernels.batch_norm_stats(x)
    np.testing.assert_allclose(var, stats_loops(x)[1], rtol=1e-3)
    y = kernels.batch_norm_apply(x, mean, invstd_of(var), None, None)
    # What is left is the rounding of the mean itself, half a unit in its last place.
    bound = np.spacing(np.float32(1000)) * invstd_of(var).max()
    np.testing.assert_allclose(y, apply_loops(x, None, None), atol=bound)


def test_a_long_batch_costs_no_digits():
    x = np.full((200_000, 1), 0.1, np.float32)
    mean, var = kernels.batch_norm_stats(x)
    assert mean == np.float32(0.1)
    assert var == 0


def test_nan_stays_in_its_channel():
    x = np.random.default_rng(2).standard_normal((4, 3, 2))
    x[1, 1, 0] = np.nan
    mean, var = kernels.batch_norm_stats(x)
    np.testing.assert_array_equal(np.isnan(mean), [False, True, False])
    np.testing.assert_array_equal(np.isnan(var), [False, True, False])
    y = kernels.batch_norm_apply(x, mean, invstd_of(var), None, None)
    np.testing.assert_array_equal(np.isnan(y).any(axis=(0, 2)), [False, True, False])


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 4), (2, 0, 4), (2, 3, 0)])
def test_empty(shape):
    x = np.ones(shape, np.float32)
    mean, var = kernels.batch_norm_stats(x)
    np.testing.assert_array_equal(mean, np.zeros(shape[1]))
    np.testing.assert_array_equal(var, np.zeros(shape[1]))
    assert kernels.batch_norm_apply(x, mean, invstd_of(var), None, None).shape == shape
    dx, dweight, dbias = kernels.batch_norm_backward(x, x, mean, invstd_of(var), None)
    assert (dx.shape, dweight.shape, dbias.shape) == (shape, mean.shape, mean.shape)


def test_any_layout_gives_new_arrays():
    rng = np.random.default_rng(3)
    x, g = rng.standard_normal((2, 4, 3, 5, 6))
    mean, var = kernels.batch_norm_stats(x)
    weight, bias = np.ones(3), np.zeros(3)

    def results(wrap):
        return (
            *kernels.batch_norm_stats(wrap(x)),
            kernels.batch_norm_apply(wrap(x), mean, invstd_of(var), weight, bias),
            *kernels.batch_norm_backward(wrap(g), wrap(x), mean, invstd_of(var), weight),
        )

    def frozen(array):
        array = array.copy()
        array.flags.writeable = False
        return array

    for odd in (np.asfortranarray, lambda a: a[::-1, :, ::-1].copy()[::-1, :, ::-1], frozen):
        for got, expected in zip(results(odd), results(lambda a: a), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
            assert got.flags.writeable
            assert not np.shares_memory(got, x)


@pytest.mark.parity
@pytest.mark.parametrize("sample", norm.SAMPLES, ids=lambda sample: sample.name)
def test_parity(sample):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    rng = np.random.default_rng(4)
    (shape,) = sample.shapes
    x, g = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    weight, bias = rng.standard_normal((2, shape[1]), dtype=np.float32)
    tx, tw, tb = (torch.tensor(array, requires_grad=True) for array in (x, weight, bias))
    ty = torch.nn.functional.batch_norm(tx, None, None, tw, tb, training=True, eps=EPS)
    ty.backward(torch.from_numpy(g))
    mean, var = kernels.batch_norm_stats(x)
    invstd = invstd_of(var)
    pairs = [
        (kernels.batch_norm_apply(x, mean, invstd, weight, bias), ty.detach()),
        *zip(
            kernels.batch_norm_backward(g, x, mean, invstd, weight),
            (tx.grad, tw.grad, tb.grad),
            strict=True,
        ),
    ]
    for ours, theirs in pairs:
        theirs = theirs.numpy()
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())
