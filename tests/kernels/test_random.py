from __future__ import annotations

import itertools

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels import random

KEY = np.array([12345, -(2**62) + 7])
DTYPES = [np.float32, np.float64]


def reference(x, key, p):
    return kernels.implementation(kernels.dropout, "reference")(x, key, p=p)


def test_words_are_those_of_the_papers_known_answers():
    """Vectors of the Random123 distribution (kat_vectors, philox4x32 10)."""
    zeros = random._words(np.zeros(2, np.int64), 0, 1)[0, :, 0]
    assert [hex(word) for word in zeros] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 63, 64, 65, 127, 1000, 70_000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernel_drops_what_the_reference_drops(dtype, size):
    x = np.random.default_rng(0).standard_normal(size).astype(dtype)
    for p in (0.0, 0.1, 0.5, 1.0):
        y = kernels.dropout(x, KEY, p=p)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, reference(x, KEY, p))


def test_the_dtype_makes_no_difference():
    x = np.ones(1000)
    kept = [kernels.dropout(x.astype(d), KEY, p=0.4) != 0 for d in (*DTYPES, np.float16, ">f4")]
    for a, b in itertools.pairwise(kept):
        np.testing.assert_array_equal(a, b)


def test_the_number_of_threads_makes_no_difference():
    x = np.ones(100_001, np.float32)
    before = kernels.get_num_threads()
    found = []
    for count in (1, 2):
        kernels.set_num_threads(count)
        found.append(kernels.dropout(x, KEY, p=0.5))
    kernels.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_frequencies():
    x = np.ones(400_000, np.float32)
    for p in (0.01, 0.3, 0.75):
        y = kernels.dropout(x, KEY, p=p)
        assert set(np.unique(y)) == {np.float32(0), np.float32(1 / (1 - p))}
        assert (y == 0).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / x.size))
    dropped = kernels.dropout(x, KEY, p=0.5) == 0
    assert (dropped[1:] & dropped[:-1]).mean() == pytest.approx(0.25, abs=0.005)
    other = kernels.dropout(x, KEY + 1, p=0.5) == 0
    assert (dropped & other).mean() == pytest.approx(0.25, abs=0.005)


def test_layouts_and_what_is_not_finite():
    wide = np.random.default_rng(0).standard_normal((6, 50)).astype(np.float32)
    odd = wide[::-1, ::2]
    odd.flags.writeable = False
    np.testing.assert_array_equal(
        kernels.dropout(odd, KEY, p=0.5), kernels.dropout(odd.copy(), KEY, p=0.5)
    )
    y = kernels.dropout(np.full(100, np.nan, np.float32), KEY, p=0.5)
    assert np.isnan(y).all()
    assert kernels.dropout(np.array(2.0), KEY, p=0.0).shape == ()


def test_a_key_of_another_shape_is_refused():
    for shape in ((0,), (3,), ()):
        with pytest.raises(ValueError, match="key has shape"):
            kernels.dropout(np.ones(3), np.zeros(shape, np.int64), p=0.5)
