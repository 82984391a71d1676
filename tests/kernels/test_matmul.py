from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels.matmul import SAMPLES

DTYPES = [np.float32, np.float64]

# Below, at and above the edges of vectors, tiles, panels and chunks; 300 and 600 need several.
SIZES = (0, 1, 2, 3, 5, 7, 8, 13, 14, 15, 17, 29, 33, 64, 70)
DEPTHS = (0, 1, 3, 4, 16, 31, 257)


def normal(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def close(got: Any, a: Any, b: Any, bias: Any = 0.0) -> None:
    """Compare with float64 products, within the error bound of a sum of products."""
    exact = np.matmul(a.astype(np.float64), b.astype(np.float64)) + bias
    bound = np.matmul(abs(a.astype(np.float64)), abs(b.astype(np.float64))) + abs(bias)
    depth = 4 + a.shape[-1] ** 0.5
    assert got.shape == exact.shape
    assert got.dtype == a.dtype
    assert np.all(abs(got - exact) <= bound * depth * np.finfo(a.dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", DEPTHS)
def test_matrices_of_every_orientation(dtype, k):
    rng = np.random.default_rng(k)
    for m, n in itertools.product(SIZES, SIZES):
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        bias = rng.standard_normal(n).astype(dtype)
        for left, right in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
            close(kernels.matmul(left, right), a, b)
            close(kernels.linear(left, right.T, bias), a, b, bias)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        (300, 600, 530),  # several tasks, chunks of k and columns of blocks
        (64, 2100, 64),
        (4, 2100, 300),  # rows times columns, in several chunks
        (1, 1500, 600),
        (700, 1500, 1),
        (600, 20, 1),
        (100, 512, 256),  # rows of A in the same sets of the cache
        (6, 600, 40),
    ],
)
def test_large_matrices_and_the_number_of_threads(dtype, m, k, n):
    a, b, bias = normal(m, k, dtype=dtype), normal(k, n, dtype=dtype, seed=1), normal(n)
    bias = bias.astype(dtype)
    before = kernels.get_num_threads()
    try:
        for left, right in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
            kernels.set_num_threads(1)
            alone = kernels.matmul(left, right)
            close(alone, a, b)
            affine = kernels.linear(left, right.T, bias)
            close(affine, a, b, bias)
            kernels.set_num_threads(3)
            for _ in range(3):
                assert np.array_equal(kernels.matmul(left, right), alone)
                assert np.array_equal(kernels.linear(left, right.T, bias), affine)
    finally:
        kernels.set_num_threads(before)


def test_an_element_does_not_depend_on_its_neighbours():
    a, b = normal(40, 300), normal(300, 90, seed=1)
    whole = kernels.matmul(a, b)
    assert np.array_equal(kernels.matmul(a[:9], b), whole[:9])
    assert np.array_equal(kernels.matmul(a, np.ascontiguousarray(b[:, :37])), whole[:, :37])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_equal_the_reference(sample, dtype):
    a, b = (normal(*shape, dtype=dtype, seed=i) for i, shape in enumerate(sample.shapes))
    got = kernels.matmul(a, b)
    close(got, a, b)
    with kernels.use("reference"):
        expected = kernels.matmul(a, b)
    assert type(got) is type(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors(dtype):
    for k in (0, 1, 2, 15, 16, 17, 100, 1000, 5000):
        x, y = normal(k, dtype=dtype), normal(k, dtype=dtype, seed=1)
        product = kernels.matmul(x, y)
        assert isinstance(product, dtype)
        close(product, x, y)
        matrix = normal(k, 5, dtype=dtype)
        for b in (matrix, np.asfortranarray(matrix)):
            close(kernels.matmul(x, b), x, b)
            close(kernels.matmul(b.T, x), b.T, x)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    batch=st.lists(st.integers(0, 3), max_size=3),
    ones=st.lists(st.booleans(), min_size=6, max_size=6),
    cut=st.integers(0, 3),
    sizes=st.tuples(*[st.integers(0, 20)] * 3),
    axes=st.integers(0, 119),
    seed=st.integers(0, 99),
)
def test_batches_broadcast_from_any_layout(dtype, batch, ones, cut, sizes, axes, seed):
    m, k, n = sizes
    rng = np.random.default_rng(seed)

    def operand(shape, ones):
        shape = [1 if one else size for size, one in zip(shape[:-2], ones, strict=False)] + shape[
            -2:
        ]
        # Dimensions in any order in memory.
        order = list(itertools.permutations(range(len(shape))))
        order = order[axes % len(order)]
        return (
            rng.standard_normal([shape[i] for i in order])
            .astype(dtype)
            .transpose(np.argsort(order))
        )

    a, b = operand([*batch, m, k], ones[:3]), operand([*batch[cut:], k, n], ones[3:])
    close(kernels.matmul(a, b), a, b)
    close(kernels.matmul(b.mT, a.mT), b.mT, a.mT)


@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_of_small_and_of_large_matrices(dtype):
    for shapes in (
        ((64, 8, 32, 64), (64, 8, 64, 32)),
        ((3, 300, 200), (3, 200, 300)),
        ((5, 64, 64), (64, 64)),
        ((64, 64), (5, 64, 64)),
        ((7, 3, 5), (5,)),
        ((5,), (7, 5, 3)),
    ):
        a, b = normal(*shapes[0], dtype=dtype), normal(*shapes[1], dtype=dtype, seed=1)
        close(kernels.matmul(a, b), a, b)
    x, weight = normal(3, 4, 5, dtype=dtype), normal(6, 5, dtype=dtype, seed=1)
    bias = normal(6, dtype=dtype, seed=2)
    close(kernels.linear(x, weight, bias), x, weight.T, bias)
    close(kernels.linear(x.swapaxes(0, 1), weight, None), x.swapaxes(0, 1), weight.T)


def odd_layouts(x):
    frozen = x.copy()
    frozen.flags.writeable = False
    shifted = np.frombuffer(bytearray(b" " + x.tobytes()), x.dtype, offset=1).reshape(x.shape)
    gaps = np.repeat(x, 2, axis=-1)[..., ::2]
    return (
        frozen,
        shifted,
        gaps,
        x[::-1].copy()[::-1],
        x[..., ::-1].copy()[..., ::-1],
        x.astype(x.dtype.newbyteorder()),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shapes", [((7, 9), (9, 5)), ((2, 7, 9), (2, 9, 5)), ((9,), (9, 5)), ((7, 9), (9,))]
)
def test_odd_layouts_give_a_new_array(dtype, shapes):
    a, b = (normal(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes))
    for left, right in zip(odd_layouts(a), odd_layouts(b), strict=True):
        got = kernels.matmul(left, right)
        close(got, a, b)
        assert got.flags.writeable
        assert not np.shares_memory(got, left)
        assert not np.shares_memory(got, right)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.bool_])
@pytest.mark.parametrize(
    "shapes",
    [((3, 4), (4, 5)), ((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)), ((2, 3, 4), (2, 4, 5))],
)
def test_other_dtypes_go_to_numpy(dtype, shapes):
    a, b = (abs(3 * normal(*shape, seed=i)).astype(dtype) for i, shape in enumerate(shapes))
    expected = np.matmul(a, b)
    got = kernels.matmul(a, b)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)
    mixed = kernels.matmul(a, b.astype(np.float64))
    np.testing.assert_allclose(mixed, np.matmul(a, b.astype(np.float64)))


@pytest.mark.parametrize("n", [1, 3, 40])
@pytest.mark.parametrize("m", [1, 5, 40])
def test_nan_and_infinity_stay_where_they_belong(m, n):
    a, b = normal(m, 30), normal(30, n, seed=1)
    a[0, 3], b[5, n - 1] = np.nan, np.inf
    a[m - 1, 29] = -np.inf
    for left, right in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
        got = kernels.matmul(left, right)
        with np.errstate(invalid="ignore"), kernels.use("reference"):
            expected = kernels.matmul(left, right)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3, 4), (5, 6)),
        ((4,), (5,)),
        ((4,), (5, 6)),
        ((3, 4), (5,)),
        ((2, 3, 4), (2, 5, 6)),
        ((2, 3, 4), (3, 4, 6)),
        ((2, 3, 4), (5, 6)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(a, b):
    for left, right in itertools.product(
        (np.ones(a), np.asfortranarray(np.ones(a))), (np.ones(b), np.asfortranarray(np.ones(b)))
    ):
        with pytest.raises(ValueError, match=r"expected|rows|broadcast"):
            kernels.matmul(left, right)


@pytest.mark.parametrize(
    ("x", "weight", "bias"),
    [((3, 4), (5, 6), (5,)), ((3, 4), (5, 4), (6,)), ((2, 3, 4), (5, 4), (1,))],
)
def test_linear_refuses_what_does_not_fit(x, weight, bias):
    with pytest.raises(ValueError, match="expected"):
        kernels.linear(np.ones(x), np.ones(weight), np.ones(bias))
