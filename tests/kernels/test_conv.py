from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels import conv, conv_columns

PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}


def changed(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return params | changes


def loops(x, weight, *, stride, padding, dilation, groups):
    """Return conv2d(x, weight), one product at a time."""
    (batch, channels, height, width), (outputs, per_group, *kernel) = x.shape, weight.shape
    rows, cols = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    y = np.zeros((batch, outputs, rows, cols))
    for n, o, p, q in np.ndindex(y.shape):
        first = o // (outputs // groups) * (channels // groups)
        for c, i, j in itertools.product(range(per_group), *map(range, kernel)):
            row = p * stride[0] + i * dilation[0] - padding[0]
            col = q * stride[1] + j * dilation[1] - padding[1]
            if 0 <= row < height and 0 <= col < width:
                y[n, o, p, q] += weight[o, c, i, j] * x[n, first + c, row, col]
    return y


def whole(rng, shape, dtype=np.float64):
    """Return small whole numbers, whose sums of products are exact in any order."""
    return rng.integers(-4, 5, shape).astype(dtype)


def inner(a, b):
    return float(np.sum(np.asarray(a, np.float64) * b))


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def layers(draw) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Shapes of x and weight with the parameters of a convolution that fits."""
    groups = draw(st.integers(1, 3))
    inputs, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel, stride, padding, dilation = (
        draw(pairs(*bounds)) for bounds in ((1, 3), (1, 4), (0, 3), (1, 3))
    )
    size = tuple(
        max(1, (k - 1) * d + 1 - 2 * p) + draw(st.integers(0, 4))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    )
    return (
        (draw(st.integers(0, 3)), inputs * groups, *size),
        (outputs * groups, inputs, *kernel),
        {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    )


@given(layers(), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_forward_equals_the_loops_and_the_adjoints_are_adjoint(layer, dtype, seed):
    x_shape, w_shape, params = layer
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, x_shape, dtype), whole(rng, w_shape, dtype)
    y = kernels.conv2d(x, weight, None, **params)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, loops(x, weight, **params))

    # Whole numbers make the inner products exact, so that equality is equality.
    g = whole(rng, y.shape, dtype)
    dx = kernels.conv2d_input(g, weight, size=x_shape[2:], **params)
    dweight = kernels.conv2d_weight(x, g, kernel_size=w_shape[2:], **params)
    assert (dx.dtype, dx.shape) == (dtype, x.shape)
    assert (dweight.dtype, dweight.shape) == (dtype, weight.shape)
    assert inner(y, g) == inner(x, dx) == inner(weight, dweight)


@given(layers(), st.integers(0, 99))
def test_gradients_equal_the_loops_on_unit_arrays(layer, seed):
    # The adjoints in full: one entry of dx or dweight is <g, conv2d> with a unit x or weight.
    x_shape, w_shape, params = layer
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, x_shape), whole(rng, w_shape)
    g = whole(rng, kernels.conv2d(x, weight, None, **params).shape)
    dx = kernels.conv2d_input(g, weight, size=x_shape[2:], **params)
    dweight = kernels.conv2d_weight(x, g, kernel_size=w_shape[2:], **params)
    for array, gradient in ((x, dx), (weight, dweight)):
        if array.size:
            unit = np.zeros_like(array)
            place = np.unravel_index(rng.integers(array.size), array.shape)
            unit[place] = 1
            y = loops(unit, weight, **params) if array is x else loops(x, unit, **params)
            assert inner(y, g) == gradient[place]


@pytest.mark.parametrize("chunk", [1, 3000, 1 << 30])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
def test_chunks_change_nothing(monkeypatch, chunk, stride):
    rng = np.random.default_rng(0)
    x, weight = whole(rng, (7, 4, 6, 5)), whole(rng, (6, 2, 3, 2))
    params = changed(PLAIN, stride=stride, padding=(1, 2), dilation=(1, 2), groups=2)
    expected = loops(x, weight, **params)
    g = whole(rng, expected.shape)
    monkeypatch.setattr(conv_columns, "CHUNK_BYTES", chunk)
    with kernels.use("reference"):
        np.testing.assert_array_equal(kernels.conv2d(x, weight, None, **params), expected)
        dx = kernels.conv2d_input(g, weight, size=(6, 5), **params)
        dweight = kernels.conv2d_weight(x, g, kernel_size=(3, 2), **params)
    assert inner(expected, g) == inner(x, dx) == inner(weight, dweight)


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
    "channels last": lambda array: array.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
    "read-only": frozen,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("padding", [(0, 0), (1, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
def test_any_layout_of_the_inputs(layout, padding, stride):
    rng = np.random.default_rng(1)
    params = changed(PLAIN, stride=stride, padding=padding, groups=2)
    x, weight = whole(rng, (2, 4, 5, 6)), whole(rng, (4, 2, 3, 3))
    y = kernels.conv2d(x, weight, None, **params)
    g = whole(rng, y.shape)
    dx = kernels.conv2d_input(g, weight, size=(5, 6), **params)
    dweight = kernels.conv2d_weight(x, g, kernel_size=(3, 3), **params)

    odd = LAYOUTS[layout]
    np.testing.assert_array_equal(kernels.conv2d(odd(x), odd(weight), None, **params), y)
    np.testing.assert_array_equal(
        kernels.conv2d_input(odd(g), odd(weight), size=(5, 6), **params), dx
    )
    np.testing.assert_array_equal(
        kernels.conv2d_weight(odd(x), odd(g), kernel_size=(3, 3), **params), dweight
    )


def test_broadcast_gradient():
    # The gradient of a sum arrives as one number with strides of 0.
    g = np.broadcast_to(np.float32(1), (2, 3, 4, 4))
    x, weight = np.ones((2, 2, 6, 6), np.float32), np.ones((3, 2, 3, 3), np.float32)
    dx = kernels.conv2d_input(g, weight, size=(6, 6), **PLAIN)
    assert dx[0, 0, 0, 0] == 3
    assert dx[0, 0, 2, 2] == 27
    dweight = kernels.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN)
    np.testing.assert_array_equal(dweight, np.full((3, 2, 3, 3), 32))


def test_one_by_one_kernel_is_a_matrix_product():
    rng = np.random.default_rng(2)
    x, weight = whole(rng, (2, 3, 4, 5)), whole(rng, (6, 3, 1, 1))
    np.testing.assert_array_equal(
        kernels.conv2d(x, weight, None, **PLAIN), np.einsum("oc,nchw->nohw", weight[:, :, 0, 0], x)
    )


def test_kernel_of_the_size_of_the_input_is_a_dense_layer():
    rng = np.random.default_rng(3)
    x, weight = whole(rng, (2, 3, 4, 5)), whole(rng, (6, 3, 4, 5))
    y = kernels.conv2d(x, weight, None, **PLAIN)
    np.testing.assert_array_equal(y[:, :, 0, 0], x.reshape(2, -1) @ weight.reshape(6, -1).T)


@pytest.mark.parametrize(
    ("x_shape", "w_shape"),
    [((0, 2, 5, 5), (3, 2, 3, 3)), ((2, 0, 5, 5), (3, 0, 3, 3)), ((2, 2, 5, 5), (0, 2, 3, 3))],
)
def test_empty_batch_and_channels(x_shape, w_shape):
    x, weight = np.ones(x_shape), np.ones(w_shape)
    for stride in ((1, 1), (2, 2)):
        params = changed(PLAIN, stride=stride)
        y = kernels.conv2d(x, weight, None, **params)
        assert y.shape[:2] == (x_shape[0], w_shape[0])
        assert not y.any()
        dx = kernels.conv2d_input(y, weight, size=(5, 5), **params)
        dweight = kernels.conv2d_weight(x, y, kernel_size=(3, 3), **params)
        assert (dx.shape, dweight.shape) == (x_shape, w_shape)
        assert not dx.any()
        assert not dweight.any()


def test_pixels_that_no_window_covers_get_no_gradient():
    params = changed(PLAIN, stride=(3, 3))
    dx = kernels.conv2d_input(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), size=(7, 6), **params)
    covered = np.array([1, 1, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(dx[0, 0], np.outer(covered, covered[:6]))


def test_results_are_new_contiguous_and_repeatable():
    rng = np.random.default_rng(4)
    for kernel, params in (
        (1, PLAIN),
        (3, changed(PLAIN, padding=(1, 1))),
        (2, changed(PLAIN, stride=(2, 2))),
    ):
        x, weight = rng.standard_normal((5, 2, 6, 6)), rng.standard_normal((2, 2, kernel, kernel))
        g = rng.standard_normal(kernels.conv2d(x, weight, None, **params).shape)
        before = [array.copy() for array in (x, weight, g)]

        def results(x=x, weight=weight, g=g, params=params, kernel=kernel):
            return (
                kernels.conv2d(x, weight, None, **params),
                kernels.conv2d_input(g, weight, size=(6, 6), **params),
                kernels.conv2d_weight(x, g, kernel_size=(kernel, kernel), **params),
            )

        for first, second in zip(results(), results(), strict=True):
            assert first.tobytes() == second.tobytes()
            assert first.flags.c_contiguous
            assert first.flags.writeable
            assert not any(np.shares_memory(first, array) for array in (x, weight, g))
        for array, old in zip((x, weight, g), before, strict=True):
            np.testing.assert_array_equal(array, old)


@pytest.mark.parity
@pytest.mark.parametrize("sample", conv.SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parity(sample, dtype):
    torch = pytest.importorskip("torch", reason="the oracle; make parity installs it")
    rng = np.random.default_rng(5)
    x, weight = (rng.standard_normal(shape).astype(dtype) for shape in sample.shapes)
    params = dict(sample.params)
    tx, tw = (torch.tensor(array, requires_grad=True) for array in (x, weight))
    ty = torch.nn.functional.conv2d(tx, tw, **params)
    g = rng.standard_normal(tuple(ty.shape)).astype(dtype)
    ty.backward(torch.from_numpy(g))

    expected = [t.detach().numpy() for t in (ty, tx.grad, tw.grad)]
    got = [
        kernels.conv2d(x, weight, None, **params),
        kernels.conv2d_input(g, weight, size=x.shape[2:], **params),
        kernels.conv2d_weight(x, g, kernel_size=weight.shape[2:], **params),
    ]
    tolerance = 2e-5 if dtype == np.float32 else 1e-13
    for ours, theirs in zip(got, expected, strict=True):
        assert ours.dtype == dtype
        # Relative to the array's size: an entry near 0 is what is left of large terms.
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def passes(arrays, params):
    """All three passes of a layer."""
    x, weight, bias, g = arrays
    return (
        kernels.conv2d(x, weight, bias, **params),
        kernels.conv2d_input(g, weight, size=x.shape[2:], **params),
        kernels.conv2d_weight(x, g, kernel_size=weight.shape[2:], **params),
    )


def drawn(x_shape, w_shape, params, dtype, draw=whole, seed=6):
    """x, weight, bias and g of a layer."""
    rng = np.random.default_rng(seed)
    x, weight, bias = (draw(rng, shape, dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    with kernels.use("reference"):
        y = kernels.conv2d(x, weight, bias, **params)
    return x, weight, bias, draw(rng, y.shape, dtype)


def layer(x: Any, outputs, kernel, stride=1, padding=0, dilation=1, groups=1) -> Any:
    """Shapes and parameters of a layer with square kernels."""
    shape = (outputs, x[1] // groups, kernel, kernel)
    pairs = {"stride": stride, "padding": padding, "dilation": dilation}
    return x, shape, {name: (n, n) for name, n in pairs.items()} | {"groups": groups}


TILED: dict[str, Any] = {
    "many images, one pixel": layer((19, 3, 3, 3), 17, 3),
    "narrow": layer((37, 5, 2, 3), 33, 2, padding=1),
    "wide": layer((1, 4, 3, 301), 18, 3, padding=1),
    "tall": layer((1, 2, 150, 5), 6, 3),
    "pointwise": layer((3, 18, 5, 9), 40, 1),
    "pointwise with stride": layer((3, 18, 5, 9), 40, 1, stride=3),
    "groups of one": layer((2, 21, 9, 11), 21, 3, padding=1, groups=21),
    "groups of one with stride": layer((2, 5, 19, 23), 10, 5, stride=2, padding=2, groups=5),
    "groups of one, wide": layer((2, 3, 7, 70), 3, 3, padding=1, groups=3),
    "groups of one, much padding": layer((2, 3, 7, 21), 3, 3, padding=2, groups=3),
    "one vector of channels": layer((5, 7, 11, 29), 13, 5, padding=2),
    "one vector of channels in float64": layer((2, 4, 6, 40), 7, 3, padding=1),
    "groups of many": layer((2, 40, 7, 6), 80, 3, padding=1, groups=2),
    "few outputs with stride": layer((2, 3, 31, 33), 7, 5, stride=3, padding=1, dilation=2),
    "more padding than kernel": layer((2, 3, 4, 5), 20, 2, padding=4),
    "more padding than kernel, few outputs": layer((2, 3, 4, 25), 2, 2, padding=4),
    "stride beyond the image": layer((2, 3, 6, 5), 20, 2, stride=7),
    "several bands": layer((1, 40, 60, 61), 34, 3, stride=2, padding=1),
    "several bands of pixels": layer((1, 20, 130, 131), 3, 5, padding=2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TILED)
def test_every_way_of_cutting_a_layer(name, dtype):
    x_shape, w_shape, params = TILED[name]
    arrays = drawn(x_shape, w_shape, params, dtype)
    with kernels.use("reference"):
        expected = passes(arrays, params)
    for got, wanted in zip(passes(arrays, params), expected, strict=True):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sample", conv.SAMPLES, ids=lambda sample: sample.name)
def test_samples_agree_with_float64(sample, dtype):
    def normal(rng, shape, dtype):
        return rng.standard_normal(shape).astype(dtype)

    arrays = drawn(sample.shapes[0], sample.shapes[1], sample.params, dtype, normal)
    with kernels.use("reference"):
        exact = passes([a.astype(np.float64) for a in arrays], sample.params)
    tolerance = 3e-5 if dtype == np.float32 else 1e-13
    for got, wanted in zip(passes(arrays, sample.params), exact, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize("name", TILED)
def test_threads_change_no_bit(name):
    x_shape, w_shape, params = TILED[name]
    arrays = drawn(
        x_shape, w_shape, params, np.float32, lambda rng, s, t: rng.standard_normal(s).astype(t)
    )
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(1)
        alone = passes(arrays, params)
        kernels.set_num_threads(3)
        shared = passes(arrays, params)
    finally:
        kernels.set_num_threads(before)
    for one, three in zip(alone, shared, strict=True):
        assert one.tobytes() == three.tobytes()


@pytest.mark.parametrize("name", ["several bands", "several bands of pixels", "narrow"])
def test_nan_and_infinity_reach_their_windows_and_no_others(name):
    x_shape, w_shape, params = TILED[name]
    x, weight, bias, _ = drawn(x_shape, w_shape, params, np.float32)
    clean = kernels.conv2d(x, weight, bias, **params)
    x[0, 1, 1, 1], x[-1, 0, -1, -1] = np.nan, np.inf
    weight += 9  # no weight is 0, so that infinity stays infinity
    clean = kernels.conv2d(np.nan_to_num(x, posinf=0), weight, bias, **params)
    marks = np.where(np.isfinite(x), 0, 1).astype(np.float32)
    hit = kernels.conv2d(marks, np.ones_like(weight), None, **params) > 0
    y = kernels.conv2d(x, weight, bias, **params)
    assert not np.isfinite(y[hit]).any()
    np.testing.assert_array_equal(y[~hit], clean[~hit])


def test_gradient_of_a_wide_row_ignores_what_lies_beyond():
    # The last vector of a row is cut off: what follows in memory must not enter the sums.
    x, g = np.ones((1, 1, 2, 19), np.float32), np.ones((1, 1, 2, 19), np.float32)
    x[0, 0, 1, 0] = np.inf
    g[0, 0, 1] = 0
    params = PLAIN
    dweight = kernels.conv2d_weight(x, g, kernel_size=(1, 1), **params)
    assert np.isnan(dweight).all()  # inf * 0 is in the sum
    dweight = kernels.conv2d_weight(x[:, :, :1], g[:, :, :1], kernel_size=(1, 1), **params)
    np.testing.assert_array_equal(dweight, [[[[19]]]])


def test_swapped_byte_order():
    x_shape, w_shape, params = TILED["narrow"]
    arrays = drawn(x_shape, w_shape, params, np.float32)
    swapped = tuple(a.astype(a.dtype.newbyteorder()) for a in arrays)
    for got, wanted in zip(passes(swapped, params), passes(arrays, params), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "changes"),
    [
        ((2, 3, 5, 5), (4, 2, 3, 3), {}),
        ((2, 4, 5, 5), (3, 2, 3, 3), {"groups": 2}),
        ((2, 3, 5, 5), (4, 3, 6, 3), {}),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"stride": (0, 1)}),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"dilation": (1, 0)}),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"padding": (-1, 0)}),
        ((3, 5, 5), (4, 3, 3, 3), {}),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x_shape, w_shape, changes):
    x, weight = np.ones(x_shape, np.float32), np.ones(w_shape, np.float32)
    with pytest.raises(ValueError, match="conv2d"):
        kernels.conv2d(x, weight, None, **changed(PLAIN, **changes))


def test_a_gradient_of_the_wrong_shape_is_refused():
    x, weight = np.ones((2, 3, 5, 5), np.float32), np.ones((4, 3, 3, 3), np.float32)
    for shape in ((2, 4, 3, 4), (2, 5, 3, 3), (2, 4, 9)):
        with pytest.raises((ValueError, TypeError)):
            kernels.conv2d_input(np.ones(shape, np.float32), weight, size=(5, 5), **PLAIN)
    for shape in ((2, 4, 3, 4), (1, 4, 3, 3), (2, 4, 9)):
        with pytest.raises((ValueError, TypeError)):
            kernels.conv2d_weight(x, np.ones(shape, np.float32), kernel_size=(3, 3), **PLAIN)


def test_a_bias_of_the_wrong_shape_is_refused():
    x, weight = np.ones((2, 3, 5, 5), np.float32), np.ones((4, 3, 3, 3), np.float32)
    for bias in (np.ones(5, np.float32), np.ones((4, 1), np.float32), np.ones(4, np.float64)):
        with pytest.raises((ValueError, TypeError)):
            kernels.conv2d(x, weight, bias, **PLAIN)


def test_threads_that_are_added_after_scratch_was_taken(monkeypatch):
    x_shape, w_shape, params = TILED["many images, one pixel"]
    arrays = drawn(x_shape, w_shape, params, np.float32)
    expected = passes(arrays, params)
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(3)
        monkeypatch.setattr(kernels.threads, "get_num_threads", lambda: 1)
        got = passes(arrays, params)
    finally:
        kernels.set_num_threads(before)
    for one, wanted in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, wanted)
