"""Sums against NumPy's, in float64, over every pattern of dimensions."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import kernels
from autograd.kernels import reduce

DTYPES = (np.float32, np.float64)


def check(x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> None:
    y = kernels.sum(x, dim=dim, keepdim=keepdim)
    exact = np.add.reduce(x.astype(np.float64), axis=dim, keepdims=keepdim)
    size = np.add.reduce(np.abs(x.astype(np.float64)), axis=dim, keepdims=keepdim)
    assert np.shape(y) == exact.shape
    assert y.dtype == x.dtype
    assert (np.abs(y - exact) <= (1e-6 if x.dtype == np.float32 else 1e-14) * size).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sample", reduce.SAMPLES, ids=lambda s: s.name)
def test_samples(sample, dtype):
    check(np.random.default_rng(0).standard_normal(*sample.shapes).astype(dtype), **sample.params)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    "dim", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=lambda dim: str(dim)
)
def test_patterns(dim, keepdim, dtype):
    for shape in [(3, 4, 5), (1, 1, 1), (2, 70, 130), (0, 3, 4), (3, 0, 4), (3, 4, 0), (600, 2, 9)]:
        x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
        for array in (x, x[::-1], x.transpose(2, 0, 1), np.asfortranarray(x)):
            check(array, dim, keepdim)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_around_the_chunks(dtype):
    rng = np.random.default_rng(2)
    for n in [0, 1, 7, 8191, 8192, 8193, 100_000]:
        check(rng.standard_normal(n).astype(dtype), (0,), False)
    for rows in [0, 1, 3, 511, 512, 513, 2000]:
        for cols in (0, 1, 15, 129, 1100):
            check(rng.standard_normal((rows, cols)).astype(dtype), (0,), False)


def test_nan_and_infinity_come_through():
    x = np.ones((40, 300), np.float32)
    x[3, 5], x[4, 6], x[5, 6], x[6, 7] = np.nan, np.inf, -np.inf, np.inf
    columns = kernels.sum(x, dim=(0,), keepdim=False)
    assert np.isnan(columns[[5, 6]]).all()
    assert columns[7] == np.inf
    assert (np.delete(columns, [5, 6, 7]) == 40).all()
    assert np.isnan(kernels.sum(x, dim=(0, 1), keepdim=False))


def test_a_sum_of_everything_is_a_number():
    total = kernels.sum(np.ones((3, 4), np.float32), dim=(0, 1), keepdim=False)
    assert type(total) is np.float32
    assert total == 12


def test_other_dtypes_are_numpys():
    assert kernels.sum(np.ones(4, np.float16), dim=(0,), keepdim=False).dtype == np.float16
    assert kernels.sum(np.asarray(2.0), dim=(), keepdim=False) == 2


def test_the_number_of_threads_changes_no_bit():
    rng = np.random.default_rng(3)
    arrays = [
        rng.standard_normal(s).astype(np.float32) for s in [(300_001,), (5000, 70), (60, 9000)]
    ]
    before = autograd.get_num_threads()
    outcomes = []
    for count in (1, 2, 3):
        autograd.set_num_threads(count)
        outcomes.append(
            [kernels.sum(x, dim=(0,), keepdim=False).tobytes() for x in arrays]
            + [kernels.sum(x, dim=(x.ndim - 1,), keepdim=False).tobytes() for x in arrays]
        )
    autograd.set_num_threads(before)
    assert outcomes[0] == outcomes[1] == outcomes[2]
