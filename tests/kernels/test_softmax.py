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


# --- Gradients and cross-entropy ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    axis=st.integers(-4, 3),
    seed=st.integers(0, 99),
)
def test_gradients_equal_central_differences(name, shape, axis, seed):
    axis %= len(shape)
    rng = np.random.default_rng(seed)
    x, g, direction = rng.standard_normal((3, *shape))
    forward, backward = getattr(kernels, name), getattr(kernels, f"{name}_backward")
    dx = backward(g, forward(x, axis=axis), axis=axis)
    ahead, behind = (forward(x + s * direction, axis=axis) for s in (1e-6, -1e-6))
    expected = np.sum(g * (ahead - behind)) / 2e-6
    assert np.sum(dx * direction) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (128, 10), (5, 64), (3, 65), (2, 5000), (1000, 33)])
def test_cross_entropy_equals_the_loops(shape, dtype):
    rng = np.random.default_rng(0)
    x = (5 * rng.standard_normal(shape)).astype(dtype)
    target = rng.integers(0, shape[1], shape[0])
    loss, slope = kernels.cross_entropy(x, target)
    assert loss.dtype == slope.dtype == dtype
    assert np.ndim(loss) == 0
    rows = [loops(row) for row in x.tolist()]
    expected = -math.fsum(logs[t] for (_, logs), t in zip(rows, target, strict=True)) / len(x)
    np.testing.assert_allclose(loss, expected, rtol=TINY[dtype])
    steps = np.array([y for y, _ in rows])
    steps[np.arange(len(x)), target] -= 1
    np.testing.assert_allclose(slope, steps / len(x), rtol=1e-4, atol=TINY[dtype] / len(x))


@pytest.mark.parametrize("name", ROWS)
def test_cross_entropy_of_awkward_rows_is_as_the_reference_has_it(name):
    row = ROWS[name][0]
    for target in range(len(row)):
        x, targets = np.array([row], np.float32), np.array([target])
        found = kernels.cross_entropy(x, targets)
        with kernels.use("reference"):
            wanted = kernels.cross_entropy(x, targets)
        for got, expected in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, expected, rtol=TINY[np.float32], atol=1e-7)


# --- The compiled twins ---------------------------------------------------------------------------

SHAPES = [
    ((1,), 0), ((3,), 0), ((200,), 0), ((1, 1), 1), ((7, 10), 1), ((7, 10), 0), ((3, 63), 1),
    ((2, 129), 1), ((129, 2), 0), ((3, 1, 5), 1), ((2, 21, 17, 9), 1), ((4, 5, 300), 1),
    ((2, 20000), 1), ((900, 40), 1), ((2, 3, 4, 5), 2), ((2, 3, 4, 5), -1), ((2, 3, 4, 5), -3),
]  # fmt: skip


def results(x, g, axis):
    y, logs = kernels.softmax(x, axis=axis), kernels.log_softmax(x, axis=axis)
    return (
        y,
        logs,
        kernels.softmax_backward(g, y, axis=axis),
        kernels.log_softmax_backward(g, logs, axis=axis),
    )


def pair(shape, dtype):
    x, g = np.random.default_rng(3).standard_normal((2, *shape))
    return (6 * x).astype(dtype), g.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "axis"), [*SHAPES, *((s.shapes[0], s.params["axis"]) for s in SAMPLES)]
)
def test_equals_the_reference(shape, axis, dtype):
    x, g = pair(shape, dtype)
    found = results(x, g, axis)
    with kernels.use("reference"):
        wanted = results(x, g, axis)
    for got, expected in zip(found, wanted, strict=True):
        assert got.dtype == dtype
        assert got.shape == shape
        scale = 4 * np.abs(expected).max()  # differences of like numbers
        np.testing.assert_allclose(got, expected, rtol=0, atol=TINY[dtype] * scale)


@pytest.mark.parametrize(("shape", "axis"), [((3000, 60), 1), ((8, 9, 1000), 1), ((300, 500), 0)])
@kernels.use("fast")
def test_threads_change_no_bit(shape, axis):
    x, g = pair(shape, np.float32)
    target = np.zeros(len(x), np.int64)
    flat = x.reshape(len(x), -1)
    before = kernels.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            kernels.set_num_threads(threads)
            found.append((*results(x, g, axis), *kernels.cross_entropy(flat, target)))
    finally:
        kernels.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("axis", [0, 1, 2])
@kernels.use("fast")
def test_gradients_take_any_layout(axis):
    x, g = pair((3, 4, 5), np.float32)
    wanted = results(x, g, axis)
    every = (slice(None, None, -1),) * 3
    for odd in (
        np.asfortranarray,
        lambda a: a[every].copy()[every],
        lambda a: np.frombuffer(b"?" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape),
    ):
        for got, expected in zip(results(odd(x), odd(g), axis), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)
            assert got.flags.writeable
    big = x.astype(">f4")
    np.testing.assert_allclose(kernels.softmax(big, axis=axis), wanted[0], rtol=1e-5)


def test_gradients_of_empty_arrays_and_single_numbers():
    for backward in (kernels.softmax_backward, kernels.log_softmax_backward):
        for shape, axis in (((0, 3), 1), ((3, 0), 1), ((0,), 0)):
            assert backward(np.ones(shape), np.ones(shape), axis=axis).shape == shape
        assert backward(np.array(2.0), np.array(1.0), axis=0).shape == ()


def test_nan_and_infinity_pass_through_the_gradients():
    y = kernels.softmax(np.zeros((3, 20), np.float32), axis=1)
    g = np.ones((3, 20), np.float32)
    g[1, 4] = np.nan
    for backward in (kernels.softmax_backward, kernels.log_softmax_backward):
        dx = backward(g, y, axis=1)
        np.testing.assert_array_equal(np.isnan(dx).all(axis=1), [False, True, False])
        np.testing.assert_array_equal(np.isnan(dx).any(axis=1), [False, True, False])


@kernels.use("fast")
def test_what_does_not_fit_is_refused_and_nothing_else_is_touched():
    x = np.zeros((4, 3), np.float32)
    with pytest.raises(ValueError, match="has shape"):
        kernels.softmax_backward(x[:2], x, axis=1)
    with pytest.raises(ValueError, match="has shape"):
        kernels.cross_entropy(x, np.zeros(3, np.int64))
    with pytest.raises(IndexError):
        kernels.softmax(x, axis=2)
    for wrong in (-1, 3, 2**40, -(2**62)):
        loss, slope = kernels.cross_entropy(x, np.array([0, wrong, 1, 2]))
        assert np.isnan(loss)
        np.testing.assert_allclose(slope[[0, 2, 3]].sum(axis=1), 0, atol=1e-7)


def test_half_precision_is_served_by_the_reference():
    x = np.linspace(-2, 2, 12, dtype=np.float16).reshape(3, 4)
    y = kernels.softmax(x, axis=1)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y, kernels.softmax(x.astype(np.float64), axis=1), atol=1e-3)
    assert kernels.softmax_backward(x, y, axis=1).dtype == np.float16
