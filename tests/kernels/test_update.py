from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels import adaptive, update

SIZES = [(), (0,), (1,), (7,), (3, 5), (64,), (1000,), (40_003,)]
FACTORS = [
    (update.sgd_step, 3, (0.9, 0.7, 0.0, 0.01)),
    (update.sgd_step, 3, (0.9, 1.0, 0.9, 0.01)),
    (update.adam_step, 5, (0.0, 0.1, 0.999, 0.001, 1e-8, 0.01)),
    (update.adam_step, 5, (0.001, 0.2, 0.9, 0.1, 1e-3, 0.01)),
    (update.rmsprop_step, 5, (0.9, 0.1, 1e-3, 0.8, 0.01)),
    (update.asgd_step, 3, (0.9, 0.01, 0.3)),
    (update.asgd_step, 3, (1.0, 0.01, 1.0)),
    (update.lion_step, 3, (0.9, 0.1, 0.99, 0.01, 0.03)),
    (update.rprop_step, 4, (1.2, 0.2, 0.7)),
    (adaptive.adagrad_step, 3, (1e-8, 0.01)),
    (adaptive.adadelta_step, 4, (0.9, 0.1, 1e-6, 0.5)),
    (adaptive.adamax_step, 4, (0.1, 0.9, 1e-8, 0.01)),
    (adaptive.nadam_step, 4, (0.0, 0.1, 0.999, 0.001, 1.0, 1e-8, 0.02, 0.01)),
    (adaptive.nadam_step, 4, (0.001, 0.1, 0.9, 0.1, 0.0, 1.0, 0.0, 0.01)),
]
OPTIONAL = {"sgd_step": (2,), "adam_step": (4,), "rmsprop_step": (3, 4)}


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = kernels.get_num_threads()
    kernels.set_num_threads(request.param)
    yield request.param
    kernels.set_num_threads(before)


def arrays(count: int, shape: tuple[int, ...], dtype: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.asarray(np.abs(rng.standard_normal(shape)) + 0.1, dtype) for _ in range(count)]


def both(kernel: Any, given: list[Any], factors: tuple[float, ...]) -> None:
    """Run kernel and reference on copies; every array must end up the same, bit for bit."""
    fast, slow = ([None if a is None else a.copy() for a in given] for _ in range(2))
    kernel(*fast, *factors)
    kernels.implementation(kernel, "reference")(*slow, *factors)
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(a, b)
        if a is not None:
            assert a.dtype == given[0].dtype


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kernel", "count", "factors"), FACTORS)
def test_a_step_is_that_of_the_reference_bit_for_bit(kernel, count, factors, dtype, shape, threads):
    optional = OPTIONAL.get(kernel.__name__, ())
    for missing in {(), *((i,) for i in optional), optional}:
        given: list[Any] = arrays(count, shape, dtype)
        given[1] = given[1] * (-1) ** np.arange(given[1].size).reshape(shape)
        given[1] = np.asarray(given[1], dtype)
        for i in missing:
            given[i] = None
        for sign, weight_decay in ((1.0, 0.0), (-1.0, 0.1)):
            both(kernel, given, (sign, weight_decay, *factors))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kernel", "count", "factors"), FACTORS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_go_where_the_reference_lets_them(kernel, count, factors, dtype):
    given: list[Any] = arrays(count, (40,), dtype)
    for i, array in enumerate(given):
        array[[3 * i, 3 * i + 1, 3 * i + 2]] = np.nan, np.inf, 0
    both(kernel, given, (1.0, 0.0, *factors))
    both(kernel, given, (1.0, 0.1, *factors))


@pytest.mark.parametrize(("kernel", "count", "factors"), FACTORS)
def test_other_dtypes_and_layouts(kernel, count, factors):
    for dtype in (np.float16, ">f4", ">f8"):
        both(kernel, arrays(count, (5,), dtype), (1.0, 0.1, *factors))
    given = [a[::-1, ::2] for a in arrays(count, (6, 8), np.float32)]
    given[1].flags.writeable = False
    fast = [a.copy()[:, :] for a in given]
    kernel(*fast, 1.0, 0.1, *factors)
    wide = arrays(count, (6, 8), np.float32)
    kernel(*(a[::-1, ::2] for a in wide), 1.0, 0.1, *factors)
    for a, b in zip(fast, wide, strict=True):
        np.testing.assert_array_equal(a, b[::-1, ::2])


@pytest.mark.parametrize(("kernel", "count", "factors"), FACTORS)
def test_arrays_that_do_not_fit_are_refused_and_stay_as_they_are(kernel, count, factors):
    for odd in range(1, count):
        given = arrays(count, (8,), np.float32)
        given[odd] = given[odd][:7]
        before = [a.copy() for a in given]
        with pytest.raises(ValueError, match=r"has shape \(.*\), expected"):
            kernel(*given, 1.0, 0.0, *factors)
        for a, b in zip(given, before, strict=True):
            np.testing.assert_array_equal(a, b)
    given = arrays(count, (8,), np.float32)
    given[0].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernel(*given, 1.0, 0.0, *factors)


@pytest.mark.parametrize("shape", [*SIZES, (3 * update.CHUNK,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_over_gradients(dtype, shape, threads):
    (x,) = arrays(1, shape, dtype)
    assert kernels.sum_of_squares(x) == pytest.approx(np.square(x, dtype=np.float64).sum())
    total = x.copy()
    kernels.scale_by(total, 0.3)
    np.testing.assert_array_equal(total, x * np.asarray(0.3, dtype))


def test_a_sum_of_squares_is_the_same_for_any_number_of_threads():
    (x,) = arrays(1, (500_001,), np.float32)
    before = kernels.get_num_threads()
    found = set()
    for count in (1, 2, 3):
        kernels.set_num_threads(count)
        found.add(kernels.sum_of_squares(x))
    kernels.set_num_threads(before)
    assert len(found) == 1


def test_squares_beyond_float32():
    assert kernels.sum_of_squares(np.full(100, 1e30, np.float32)) == pytest.approx(1e62)
    assert kernels.sum_of_squares(np.array([1.0, np.inf])) == np.inf
    assert np.isnan(kernels.sum_of_squares(np.array([1.0, np.nan])))
    assert kernels.sum_of_squares(np.full(3, 2, np.float16)) == 12
    assert kernels.sum_of_squares(np.arange(6.0)[::-2]) == 35
