"""Scratch memory: at most the larger of 64 MB and what goes in and comes out, and used again."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import kernels
from autograd.kernels import memory
from autograd.kernels.common import Sample
from autograd.kernels.conv import SAMPLES as LAYERS
from autograd.kernels.matmul import SAMPLES as PRODUCTS

BOUND = 64_000_000


def peak_beyond(call: Callable[[], Any]) -> tuple[int, int]:
    """Bytes at the peak of a call beyond its results, and the bytes of its results."""
    call()
    autograd.empty_cache()
    tracemalloc.start()
    try:
        result = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    made = sum(a.nbytes for a in (result if isinstance(result, tuple) else (result,)))
    return peak - made, made


def check(call: Callable[[], Any], *arrays: np.ndarray) -> None:
    beyond, made = peak_beyond(call)
    assert beyond <= max(BOUND, made + sum(a.nbytes for a in arrays))


PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
LARGE = Sample("large", ((4, 64, 224, 224), (64, 64, 3, 3)), PLAIN)


@pytest.mark.parametrize("precision", ["fast", "exact"])
@pytest.mark.parametrize("sample", [*LAYERS, LARGE], ids=lambda s: s.name)
def test_convolution(sample, precision):
    arrays: list[Any] = [np.ones(shape, np.float32) for shape in sample.shapes]
    x, weight = arrays
    kernel = weight.shape[2:]
    autograd.set_conv_precision(precision)
    try:
        y = kernels.conv2d(x, weight, None, **sample.params)
        check(lambda: kernels.conv2d(x, weight, None, **sample.params), x, weight)
        check(
            lambda: kernels.conv2d_input(y, weight, size=x.shape[2:], **sample.params),
            y,
            weight,
        )
        check(lambda: kernels.conv2d_weight(x, y, kernel_size=kernel, **sample.params), x, y)
    finally:
        autograd.set_conv_precision("fast")


@pytest.mark.parametrize("sample", PRODUCTS, ids=lambda s: s.name)
def test_products(sample):
    a, b = (np.ones(shape, np.float32) for shape in sample.shapes)
    check(lambda: np.asarray(kernels.matmul(a, b)), a, b)


def test_a_measure_that_sees_memory():
    """The measure itself: it counts blocks of the cache, which are not NumPy's own."""
    beyond, made = peak_beyond(lambda: np.ones_like(kernels.empty((1000, 1000), np.float32)))
    assert made == 4_000_000
    assert 4_000_000 <= beyond < 4_100_000


def test_scratch_is_used_again():
    x, weight = np.ones((8, 32, 32, 32), np.float32), np.ones((32, 32, 3, 3), np.float32)
    kernels.conv2d(x, weight, None, **PLAIN)
    before = memory.statistics()["misses"]
    for _ in range(5):
        kernels.conv2d(x, weight, None, **PLAIN)
    assert memory.statistics()["misses"] == before
