from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels.elementwise import SAMPLES, UNIT

NUMBERS = {"softplus": (1.0, math.inf), "softplus_backward": (1.0, math.inf)}  # besides arrays
ONE = ["exp", "log", "sin", "cos", "relu", "tanh", "sigmoid", "softplus", "silu", "erf", "gelu",
       "tanh_gelu"]  # fmt: skip
TWO = [name for name in UNIT.code.kernels if name not in ONE]

Function = Callable[..., Any]


# --- Oracles, in the next wider type --------------------------------------------------------------


def each(function: Callable[[float], float]) -> Function:
    return lambda x: np.array([function(float(v)) for v in x]).reshape(x.shape)


def sigmoid(x: Any) -> Any:
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, z) / (1.0 + z)


def gelu(x: Any) -> Any:
    tail = each(math.erfc)(np.abs(x) * math.sqrt(0.5)) * 0.5
    bounded = np.where(np.isinf(x), np.copysign(50.0, x), x)
    return np.where(np.isposinf(x), x, bounded * np.where(x < 0, tail, 1.0 - tail))


def silu(x: Any) -> Any:
    return np.where(np.isposinf(x), x, np.maximum(x, -1e5) * sigmoid(x))


TRUTH: dict[str, tuple[Function, float]] = {
    # Oracle, and the largest error in units in the last place.
    "exp": (np.exp, 1.0),
    "log": (np.log, 1.0),
    "sin": (np.sin, 2.0),
    "cos": (np.cos, 2.0),
    "relu": (lambda x: np.where(x < 0, 0.0, x), 0.0),
    "tanh": (np.tanh, 2.0),
    "sigmoid": (sigmoid, 2.0),
    "softplus": (lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), 2.0),
    "silu": (silu, 2.0),
    "erf": (each(math.erf), 2.0),
    "gelu": (gelu, 2.0),
}

WITHOUT_FMA = 2.5
"""What errors may grow by where a product is rounded before it is added."""


def wide(dtype: Any) -> Any:
    return np.float64 if dtype == np.float32 else np.longdouble


def units(y: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Errors in units in the last place; infinite where special values differ."""
    with np.errstate(all="ignore"):
        rounded = truth.astype(y.dtype)
        step = np.spacing(np.abs(rounded)).astype(truth.dtype)
        error = np.abs(y.astype(truth.dtype) - truth) / step
        same = (y == rounded) & (np.signbit(y) == np.signbit(rounded))
        same |= np.isnan(y) & np.isnan(rounded)
        edge = np.isfinite(y) != np.isfinite(rounded)  # at the largest number either will do
        step = np.spacing(np.finfo(y.dtype).max).astype(truth.dtype)
        largest = np.finfo(y.dtype).max.astype(truth.dtype)
        edge &= np.abs(np.abs(truth) - largest) <= step
        error = np.where(same & ~np.isfinite(rounded) | edge, 0.0, error)
        return np.where(np.isnan(error), np.inf, error)


def patterns(dtype: Any) -> np.ndarray:
    """Numbers of all exponents, dense near 1, and all special ones."""
    whole = np.uint32 if dtype == np.float32 else np.uint64
    bits = np.iinfo(whole).bits
    spread = (np.arange(1 << 18, dtype=np.uint64) << np.uint64(bits - 18)).astype(whole)
    rng = np.random.default_rng(0)
    spread ^= rng.integers(0, 1 << (bits - 18), spread.size, dtype=whole)
    info = np.finfo(dtype)
    special = [0.0, np.inf, np.nan, 1.0, info.max, info.tiny, info.smallest_subnormal, info.eps]
    near = [1e-20, 0.625, 0.5**0.5, 1.0, 2.0, 88.72, 88.73, 103.9, 104.0, 709.7, 709.8, 745.1, 746]
    edges = np.array(special + near, dtype)
    edges = np.concatenate([edges, np.nextafter(edges, dtype(0)), np.nextafter(edges, dtype(9e9))])
    dense = np.concatenate([np.linspace(-17, 17, 1 << 16), np.linspace(-110, 95, 1 << 15)])
    return np.concatenate([spread.view(dtype), edges, -edges, dense.astype(dtype)])


def fused() -> bool:
    from autograd.kernels.native.target import target

    return target().fma


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRUTH)
def test_accuracy_over_all_exponents(name, dtype):
    if dtype == np.float64 and name in ("erf", "gelu"):
        pytest.skip("the C library's, as is the oracle")
    if np.finfo(np.longdouble).nmant < 63 and dtype == np.float64:
        pytest.skip("no wider type here")
    oracle, limit = TRUTH[name]
    x = patterns(dtype)
    if name in ("sin", "cos"):
        turns = (np.arange(-2600, 2600) * (math.pi / 2)).astype(dtype)
        x = np.concatenate([x, turns, np.nextafter(turns, dtype(0))])
    with np.errstate(all="ignore"):
        truth = oracle(x.astype(wide(dtype)))
    error = units(getattr(kernels, name)(x, *NUMBERS.get(name, ())), truth)
    worst = np.argmax(error)
    limit *= 1.0 if fused() else WITHOUT_FMA
    assert error[worst] <= limit, f"{name}({x[worst]!r}): {error[worst]} ulp"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_approximation_of_gelu(dtype):
    x = np.concatenate([np.linspace(-30, 30, 50_001), [-1e30, 1e30, 0.0, 1e-30]]).astype(dtype)
    with np.errstate(all="ignore"):
        angle = np.sqrt(8.0 / np.pi) * (x.astype(np.float64) + 0.044715 * x.astype(np.float64) ** 3)
        truth = np.where(x < -25, 0.0, x * sigmoid(angle))
        tolerance = 2 * np.finfo(dtype).eps * np.maximum(np.abs(angle), 2.0) * np.abs(truth)
        tolerance += np.finfo(dtype).tiny
        error = np.abs(kernels.tanh_gelu(x) - truth)
    assert np.all((error <= tolerance) | (x == truth))
    special = kernels.tanh_gelu(np.array([np.inf, -np.inf, np.nan, -0.0], dtype))
    np.testing.assert_array_equal(special, np.array([np.inf, -0.0, np.nan, -0.0], dtype))
    assert np.signbit(special[3])


# --- Against the references -----------------------------------------------------------------------


def arguments(name: str, shape: tuple[int, ...], dtype: Any, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0, 3, shape), rng.normal(0, 3, shape)
    if name == "log":
        first = np.exp(first)
    if name == "divide":
        second = np.sign(second) + second
    if name in ("tanh_backward", "sigmoid_backward"):
        second = np.tanh(second)
    return [a.astype(dtype) for a in ([first] if name in ONE else [first, second])]


def compiled(name: str) -> Function:
    return lambda *arrays: getattr(kernels, name)(*arrays, *NUMBERS.get(name, ()))


def reference(name: str) -> Function:
    function = kernels.implementation(getattr(kernels, name), "reference")
    return lambda *arrays: function(*arrays, *NUMBERS.get(name, ()))


SHAPES = [(0,), (1,), (2, 0, 3), (), (7,), (3, 5, 11), (16,), (17,), (64,), (129,), (40_001,)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNIT.code.kernels)
def test_equals_the_reference(name, dtype):
    kernel = compiled(name)
    for shape in SHAPES + [s.shapes[0] for s in SAMPLES]:
        args = arguments(name, shape, dtype)
        before = [a.copy() for a in args]
        got, wanted = kernel(*args), reference(name)(*args)
        assert got.dtype == dtype
        assert got.shape == shape
        scale = 1.0 + (np.abs(args[0]) if name in TWO else 0.0)  # of the gradient
        error = np.abs(got - wanted) / (scale + np.abs(wanted))
        assert np.max(error, initial=0.0) <= 8 * np.finfo(dtype).eps
        for a, b in zip(args, before, strict=True):
            np.testing.assert_array_equal(a, b)
            assert not np.shares_memory(got, a)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNIT.code.kernels)
def test_special_values_are_those_of_the_reference(name, dtype):
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0, 1e30, -1e30], dtype)
    with np.errstate(all="ignore"):
        args = [special] if name in ONE else list(np.array(np.meshgrid(special, special)))
        if name.endswith("_backward"):
            args[0] = np.where(np.isfinite(args[0]), args[0], dtype(1))  # infinity times 0
        got = compiled(name)(*args)
        wanted = reference(name)(*args)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("name", UNIT.code.kernels)
def test_layouts(name):
    args = arguments(name, (6, 10), np.float32)
    kernel = compiled(name)
    wanted = kernel(*args)
    for relay in (
        lambda a: a.copy(order="F"),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
        lambda a: a.astype(a.dtype.newbyteorder()),
        lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float32).reshape(a.shape),
    ):
        odd = [relay(a) for a in args]
        for a in odd:
            a.flags.writeable = False
        np.testing.assert_array_equal(kernel(*odd), wanted)


@pytest.mark.parametrize("name", UNIT.code.kernels)
def test_threads_change_nothing(name):
    args = arguments(name, (100_003,), np.float32)
    kernel = compiled(name)
    before = kernels.get_num_threads()
    try:
        results = []
        for threads in (1, 2):
            kernels.set_num_threads(threads)
            results.append(kernel(*args).tobytes())
    finally:
        kernels.set_num_threads(before)
    assert results[0] == results[1]


@pytest.mark.parametrize("name", TWO)
def test_sizes_that_differ_are_refused(name):
    a, b = np.ones(5, np.float32), np.ones(6, np.float32)
    with pytest.raises(ValueError, match="shape"):
        compiled(name)(a, b)


@pytest.mark.parametrize("name", UNIT.code.kernels)
def test_other_types_go_to_the_reference(name):
    args = [a.astype(np.float16) for a in arguments(name, (5,), np.float32)]
    got = compiled(name)(*args)
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, reference(name)(*args))


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_a_large_angle_does_not_touch_its_neighbours(name):
    x = np.linspace(0, 100, 333, dtype=np.float32)
    calm = getattr(kernels, name)(x)
    x[[5, 200, 332]] = 1e30, -1e10, 4097
    y = getattr(kernels, name)(x)
    assert np.array_equal(np.flatnonzero(y != calm), [5, 200, 332])
    wanted = getattr(np, name)(x[[5, 200, 332]].astype(np.float64))
    np.testing.assert_allclose(y[[5, 200, 332]], wanted, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("beta", "threshold"), [(1.0, 20.0), (2.5, 3.0), (-0.5, 1.0), (0.1, -1.0)])
def test_softplus_bends_as_told_and_is_a_line_above_the_threshold(beta, threshold, dtype):
    x = np.array([*np.linspace(-50, 50, 1001), np.inf, -np.inf, np.nan], dtype)
    g = np.linspace(1, 2, x.size).astype(dtype)
    exact = x.astype(np.float64) * beta
    with np.errstate(all="ignore"):
        wanted = (np.maximum(exact, 0) + np.log1p(np.exp(-np.abs(exact)))) / beta
    wanted = np.where(x * beta > threshold, x, wanted)
    slope = np.where(x * beta > threshold, 1.0, sigmoid(exact))
    close = {"rtol": 4 * np.finfo(dtype).eps * (1 + 50 * abs(beta)), "atol": np.finfo(dtype).tiny}
    with np.errstate(invalid="ignore"):  # NumPy's logaddexp warns of NaN
        y = kernels.softplus(x, beta, threshold)
        dx = kernels.softplus_backward(g, x, beta, threshold)
    assert y.dtype == dx.dtype == dtype
    np.testing.assert_allclose(y, wanted, **close)
    np.testing.assert_allclose(dx, g * slope, **close)
