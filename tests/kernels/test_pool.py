from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels import pool

HALF: dict[str, Any] = {
    "kernel_size": (2, 2),
    "stride": (2, 2),
    "padding": (0, 0),
    "ceil_mode": False,
}
MAX_HALF: dict[str, Any] = HALF | {"dilation": (1, 1)}
AVG_HALF: dict[str, Any] = HALF | {"count_include_pad": True, "divisor_override": None}


def changed(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return params | changes


def windows(n, k, s, p, d, ceil_mode):
    """Return the places of each window along one axis, those outside included."""
    end, found = n + p, []
    for corner in itertools.count(-p, s):
        window = [corner + i * d for i in range(k)]
        if window[-1] < end:
            found.append(window)
            continue
        # One window may hang over, if places are left for it and it starts before the input's end.
        left_over = not found or found[-1][-1] < end - 1
        if ceil_mode and left_over and corner < n:
            found.append(window)
        return found
    raise AssertionError


def max_loops(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    height, width = x.shape[2:]
    down, right = (
        windows(n, k, s, p, d, ceil_mode)
        for n, k, s, p, d in zip(
            (height, width), kernel_size, stride, padding, dilation, strict=True
        )
    )
    y = np.full((*x.shape[:2], len(down), len(right)), -np.inf)
    indices = np.full(y.shape, -1)
    for n, c, p, q in np.ndindex(y.shape):
        for row, col in itertools.product(down[p], right[q]):
            if 0 <= row < height and 0 <= col < width:
                value = x[n, c, row, col]
                first = indices[n, c, p, q] < 0
                if first or value > y[n, c, p, q] or math.isnan(value):
                    y[n, c, p, q], indices[n, c, p, q] = value, row * width + col
    return y, indices


def avg_loops(x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    height, width = x.shape[2:]
    down, right = (
        windows(n, k, s, p, 1, ceil_mode)
        for n, k, s, p in zip((height, width), kernel_size, stride, padding, strict=True)
    )
    y = np.zeros((*x.shape[:2], len(down), len(right)))
    for n, c, p, q in np.ndindex(y.shape):
        total = inside = padded = 0
        for row, col in itertools.product(down[p], right[q]):
            padded += row < height + padding[0] and col < width + padding[1]
            if 0 <= row < height and 0 <= col < width:
                inside += 1
                total += x[n, c, row, col]
        divisor = divisor_override or (padded if count_include_pad else inside)
        y[n, c, p, q] = total / divisor if inside else 0
    return y


def inner(a, b):
    return float(np.sum(np.asarray(a, np.float64) * b))


@st.composite
def pools(draw, max_dilation=1) -> tuple[tuple[int, ...], dict[str, Any]]:
    axes = []
    for _ in range(2):
        kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, max_dilation))
        padding = draw(st.integers(0, kernel // 2))
        # Not below the dilation, where a window could miss the input altogether.
        least = max(1, (kernel - 1) * dilation + 1 - 2 * padding, dilation if padding else 1)
        axes.append((kernel, draw(st.integers(1, 5)), padding, dilation, least))
    kernel, stride, padding, dilation, least = zip(*axes, strict=True)
    size = tuple(n + draw(st.integers(0, 6)) for n in least)
    params = {
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }
    if max_dilation > 1:
        params["dilation"] = dilation
    else:
        params["count_include_pad"] = draw(st.booleans())
        params["divisor_override"] = draw(st.sampled_from([None, 1, 3]))
    return (draw(st.integers(0, 2)), draw(st.integers(1, 2)), *size), params


def awkward(seed, shape, dtype, special):
    """Return few distinct values, so that ties abound, and sometimes NaN and infinities."""
    rng = np.random.default_rng(seed)
    choices = [-2, -1, 0, 1, 2, *([np.nan, -np.inf, np.inf, -np.inf] if special else [])]
    return rng.choice(choices, shape).astype(dtype)


cases = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@cases
@given(pools(max_dilation=3), st.integers(0, 99), st.booleans())
def test_max_equals_the_loops(dtype, case, seed, special):
    shape, params = case
    x = awkward(seed, shape, dtype, special)
    y, indices = kernels.max_pool2d(x, **params)
    assert (y.dtype, indices.dtype) == (dtype, np.int64)
    expected, places = max_loops(x, **params)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(indices, places)


@given(pools(max_dilation=3), st.integers(0, 99))
def test_scatter_and_gather_are_adjoint(case, seed):
    shape, params = case
    rng = np.random.default_rng(seed)
    x, direction = (rng.integers(-4, 5, shape).astype(float) for _ in range(2))
    y, indices = kernels.max_pool2d(x, **params)
    np.testing.assert_array_equal(kernels.max_pool2d_gather(x, indices), y)
    g = rng.integers(-4, 5, y.shape).astype(float)
    dx = kernels.max_pool2d_backward(g, indices, size=shape[2:])
    assert dx.shape == shape
    assert inner(g, kernels.max_pool2d_gather(direction, indices)) == inner(dx, direction)


@cases
@given(pools(), st.integers(0, 99))
def test_avg_equals_the_loops_and_its_adjoint_is_adjoint(dtype, case, seed):
    shape, params = case
    rng = np.random.default_rng(seed)
    x = rng.integers(-4, 5, shape).astype(dtype)
    y = kernels.avg_pool2d(x, **params)
    assert y.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(y, avg_loops(x, **params), rtol=tolerance, atol=tolerance)
    g = rng.integers(-4, 5, y.shape).astype(dtype)
    dx = kernels.avg_pool2d_backward(g, size=shape[2:], **params)
    assert (dx.dtype, dx.shape) == (dtype, shape)
    assert inner(g, y) == pytest.approx(inner(dx, x), rel=1e-5, abs=1e-3)


def test_one_window_that_has_everything():
    x = np.array([[[[1.0, 5.0], [5.0, 2.0]]]])
    y, indices = kernels.max_pool2d(x, **MAX_HALF)
    assert y.item() == 5
    assert indices.item() == 1  # The first of the two.
    assert kernels.avg_pool2d(x, **AVG_HALF).item() == 13 / 4


def test_more_taps_than_a_byte_counts():
    x = np.zeros((1, 1, 20, 20))
    x[0, 0, 19, 18] = 1
    params = changed(MAX_HALF, kernel_size=(20, 20))
    assert kernels.max_pool2d(x, **params)[1].item() == 19 * 20 + 18


def test_nan_wins_and_its_last_place_is_told():
    x = np.array([[[[1, np.nan], [np.nan, 9]]]], np.float32)
    y, indices = kernels.max_pool2d(x, **MAX_HALF)
    assert np.isnan(y.item())
    assert indices.item() == 2


def test_a_window_of_minus_infinity_points_inside():
    x = np.full((1, 1, 2, 2), -np.inf)
    y, indices = kernels.max_pool2d(
        x, **changed(MAX_HALF, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    )
    np.testing.assert_array_equal(y, np.full((1, 1, 2, 2), -np.inf))
    np.testing.assert_array_equal(indices, np.zeros((1, 1, 2, 2)))


def test_a_window_outside_the_input_is_minus_infinity_and_its_index_harmless():
    # Padding 1 and dilation 2 over a single row: the window has rows -1 and 1.
    x = np.full((1, 1, 1, 3), 5.0)
    y, indices = kernels.max_pool2d(
        x,
        kernel_size=(2, 1),
        stride=(1, 1),
        padding=(1, 0),
        dilation=(2, 1),
        ceil_mode=False,
    )
    assert np.all(y == -np.inf)
    assert np.all((indices >= 0) & (indices < 3))


def test_a_pixel_that_wins_twice_gets_both_gradients():
    x = np.zeros((1, 1, 1, 3), np.float32)
    x[..., 1] = 1
    params = changed(MAX_HALF, kernel_size=(1, 2), stride=(1, 1))
    _, indices = kernels.max_pool2d(x, **params)
    g = np.array([[[[3.0, 4.0]]]], np.float32)
    dx = kernels.max_pool2d_backward(g, indices, size=(1, 3))
    np.testing.assert_array_equal(dx, [[[[0, 7, 0]]]])


@pytest.mark.parametrize("shape", [(0, 2, 4, 4), (2, 0, 4, 4)])
def test_empty(shape):
    x = np.ones(shape, np.float32)
    y, indices = kernels.max_pool2d(x, **MAX_HALF)
    assert y.shape == indices.shape == (*shape[:2], 2, 2)
    assert kernels.max_pool2d_backward(y, indices, size=(4, 4)).shape == shape
    assert kernels.max_pool2d_gather(x, indices).shape == y.shape
    assert kernels.avg_pool2d(x, **AVG_HALF).shape == y.shape
    assert kernels.avg_pool2d_backward(y, size=(4, 4), **AVG_HALF).shape == shape


def spaced(array):
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {
    "fortran": np.asfortranarray,
    "spaced": spaced,
    "reversed": lambda array: array[::-1, ::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1, ::-1],
    "read-only": frozen,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_any_layout_gives_new_contiguous_arrays(layout, kernel):
    rng = np.random.default_rng(0)
    x, odd = rng.standard_normal((2, 3, 7, 6)), LAYOUTS[layout]
    shape: dict[str, Any] = {"kernel_size": (kernel, kernel), "stride": (kernel, kernel)}

    def results(wrap):
        y, indices = kernels.max_pool2d(wrap(x), **changed(MAX_HALF, **shape))
        mean = kernels.avg_pool2d(wrap(x), **changed(AVG_HALF, **shape))
        return (
            y,
            indices,
            kernels.max_pool2d_backward(wrap(y), wrap(indices), size=(7, 6)),
            kernels.max_pool2d_gather(wrap(x), wrap(indices)),
            mean,
            kernels.avg_pool2d_backward(wrap(mean), size=(7, 6), **changed(AVG_HALF, **shape)),
        )

    for expected, got in zip(results(lambda array: array), results(odd), strict=True):
        np.testing.assert_array_equal(got, expected)
        assert got.flags.c_contiguous
        assert got.flags.writeable
        assert not np.shares_memory(expected, x)


def reference(kernel, *args, **params):
    return kernels.implementation(kernel, "reference")(*args, **params)


def everything(run, x, max_params, avg_params):
    """All results of all pooling kernels on x."""
    size = x.shape[2:]
    y, indices = run(kernels.max_pool2d, x, **max_params)
    mean = run(kernels.avg_pool2d, x, **avg_params)
    return (
        y,
        indices,
        run(kernels.max_pool2d_values, x, **max_params),
        run(kernels.max_pool2d_input, y, x, **max_params),
        run(kernels.max_pool2d_backward, y, indices, size=size),
        run(kernels.max_pool2d_gather, x, indices),
        mean,
        run(kernels.avg_pool2d_backward, mean, size=size, **avg_params),
    )


def called(kernel, *args, **params):
    return kernel(*args, **params)


WIDE = [
    # Rows of several vectors, with what is left over; strides with and without vector code.
    ((2, 3, 37, 75), {"kernel_size": (2, 2), "stride": (2, 2)}),
    ((2, 3, 37, 75), {"kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1)}),
    ((2, 3, 37, 70), {"kernel_size": (3, 3), "stride": (2, 2), "ceil_mode": True}),
    ((2, 3, 20, 75), {"kernel_size": (2, 5), "stride": (1, 1), "padding": (1, 2)}),
    ((2, 3, 20, 75), {"kernel_size": (4, 3), "stride": (3, 3)}),
    ((1, 2, 9, 700), {"kernel_size": (3, 3), "stride": (1, 2), "dilation": (2, 3)}),
    ((3, 5, 8, 8), {"kernel_size": (8, 8), "stride": (8, 8)}),
    ((1, 1, 1, 1), {"kernel_size": (1, 1), "stride": (1, 1)}),
    ((40, 30, 28, 28), {"kernel_size": (2, 2), "stride": (2, 2)}),
]


def filled(params):
    whole = {"padding": (0, 0), "dilation": (1, 1), "ceil_mode": False} | params
    mean = {name: value for name, value in whole.items() if name != "dilation"}
    return whole, mean | {"count_include_pad": False, "divisor_override": None}


@cases
@pytest.mark.parametrize(("shape", "params"), WIDE, ids=str)
def test_wide_rows_are_as_in_the_reference(dtype, shape, params):
    max_params, avg_params = filled(params)
    for special in (False, True):
        x = awkward(1, shape, dtype, special)
        with np.errstate(all="ignore"):
            wanted = everything(reference, x, max_params, avg_params)
            got = everything(called, x, max_params, avg_params)
        for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            if i < 6:
                np.testing.assert_array_equal(a, b)
            elif not special:
                tolerance = 1e-5 if dtype == np.float32 else 1e-12
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("shape", "params"), WIDE, ids=str)
def test_results_do_not_depend_on_the_number_of_threads(shape, params):
    max_params, avg_params = filled(params)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    before = kernels.get_num_threads()
    kernels.set_num_threads(1)
    alone = everything(called, x, max_params, avg_params)
    kernels.set_num_threads(2)
    together = everything(called, x, max_params, avg_params)
    kernels.set_num_threads(before)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float16, ">f4"])
def test_other_dtypes(dtype):
    x = awkward(0, (2, 1, 5, 6), dtype, False)
    max_params, avg_params = filled({"kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1)})
    got = everything(called, x, max_params, avg_params)
    wanted = everything(reference, x, max_params, avg_params)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3)


def test_what_does_not_fit_is_refused():
    x, g = np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 3, 2))
    for bad in ({"kernel_size": (5, 5)}, {"stride": (0, 1)}, {"padding": (-1, 0)}):
        with pytest.raises(ValueError, match="do not fit an image"):
            kernels.max_pool2d(x, **changed(MAX_HALF, **bad))
        with pytest.raises(ValueError, match="do not fit an image"):
            kernels.avg_pool2d(x, **changed(AVG_HALF, **bad))
    with pytest.raises(ValueError, match="g has shape"):
        kernels.max_pool2d_input(g, x, **MAX_HALF)
    with pytest.raises(ValueError, match="g has shape"):
        kernels.avg_pool2d_backward(g, size=(4, 4), **AVG_HALF)
    with pytest.raises(ValueError, match="has shape"):
        kernels.max_pool2d_input(np.zeros((2, 1, 2, 2)), x, **MAX_HALF)
    with pytest.raises(ValueError, match="has shape"):
        kernels.max_pool2d_backward(g, np.zeros((1, 1, 2, 2), np.int64), size=(4, 4))
    for index in (-1, 16):
        with pytest.raises(IndexError):
            kernels.max_pool2d_backward(g, np.full(g.shape, index), size=(4, 4))
        with pytest.raises(IndexError):
            kernels.max_pool2d_gather(x, np.full(g.shape, index))


@pytest.mark.parity
@given(pools(max_dilation=3), st.integers(0, 99), st.booleans())
def test_max_parity(case, seed, special):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    shape, params = case
    x = awkward(seed, (max(1, shape[0]), *shape[1:]), np.float32, special)
    ty, tindices = torch.nn.functional.max_pool2d(
        torch.from_numpy(x), **params, return_indices=True
    )
    y, indices = kernels.max_pool2d(x, **params)
    np.testing.assert_array_equal(y, ty.numpy())
    np.testing.assert_array_equal(indices, tindices.numpy())


@pytest.mark.parity
@given(pools(), st.integers(0, 99))
def test_avg_parity(case, seed):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    shape, params = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((max(1, shape[0]), *shape[1:]))
    tx = torch.tensor(x, requires_grad=True)
    ty = torch.nn.functional.avg_pool2d(tx, **params)
    g = rng.standard_normal(tuple(ty.shape))
    ty.backward(torch.from_numpy(g))
    np.testing.assert_allclose(
        kernels.avg_pool2d(x, **params), ty.detach().numpy(), rtol=1e-12, atol=1e-14
    )
    dx = kernels.avg_pool2d_backward(g, size=shape[2:], **params)
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parity
@pytest.mark.parametrize("sample", pool.SAMPLES, ids=lambda sample: sample.name)
def test_parity_on_the_samples(sample):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    rng = np.random.default_rng(1)
    (shape,) = sample.shapes
    params = dict(sample.params)
    x = rng.standard_normal(shape, dtype=np.float32)
    tx = torch.tensor(x, requires_grad=True)
    ty, tindices = torch.nn.functional.max_pool2d(tx, **params, return_indices=True)
    y, indices = kernels.max_pool2d(x, dilation=(1, 1), **params)
    np.testing.assert_array_equal(y, ty.detach().numpy())
    np.testing.assert_array_equal(indices, tindices.numpy())
    g = rng.standard_normal(y.shape, dtype=np.float32)
    ty.backward(torch.from_numpy(g))
    dx = kernels.max_pool2d_backward(g, indices, size=shape[2:])
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-5, atol=1e-6)

    ty = torch.nn.functional.avg_pool2d(tx, **params)
    y = kernels.avg_pool2d(x, count_include_pad=True, divisor_override=None, **params)
    np.testing.assert_allclose(y, ty.detach().numpy(), rtol=1e-5, atol=1e-6)
