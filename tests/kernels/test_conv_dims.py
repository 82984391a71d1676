from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autograd.kernels import conv_dims


def loops(x, weight, *, stride, padding, dilation, groups):
    """Return the convolution of any number of axes in float64, one product at a time."""
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    kernel = weight.shape[2:]
    sides = [(0, 0), (0, 0), *((p, p) for p in padding)]
    x = np.pad(x, sides)
    size = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    )
    y = np.zeros((len(x), len(weight), *size))
    per_group, outputs = weight.shape[1], len(weight) // groups
    for o, c, *taps in itertools.product(*map(range, weight.shape)):
        places = tuple(
            slice(t * d, t * d + (n - 1) * s + 1, s)
            for t, d, n, s in zip(taps, dilation, size, stride, strict=True)
        )
        y[:, o] += weight[(o, c, *taps)] * x[:, o // outputs * per_group + c][:, *places]
    return y


def case(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any = 1) -> Any:
    return (
        x,
        weight,
        {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    )


CASES = {
    "sequence": case((3, 4, 50), (6, 4, 5), (1,), (2,), (1,)),
    "sequence with stride": case((2, 6, 41), (32, 3, 4), (3,), (1,), (2,), 2),
    "sequence of one": case((2, 3, 1), (2, 3, 1), (1,), (0,), (1,)),
    "volume": case((2, 3, 5, 7, 6), (4, 3, 3, 3, 3), (1,) * 3, (1,) * 3, (1,) * 3),
    "volume with stride": case(
        (2, 4, 9, 8, 7), (6, 2, 3, 2, 3), (2, 1, 3), (2, 0, 1), (2, 1, 1), 2
    ),
    "one deep": case((1, 2, 1, 5, 5), (3, 2, 1, 3, 3), (1,) * 3, (0,) * 3, (1,) * 3),
    "padding beyond the kernel": case(
        (1, 2, 2, 5, 5), (3, 2, 2, 3, 3), (1,) * 3, (4, 1, 1), (1,) * 3
    ),
    "stride beyond the volume": case(
        (1, 2, 4, 5, 5), (3, 2, 2, 3, 3), (5, 1, 1), (0,) * 3, (1,) * 3
    ),
    "no volumes": case((0, 2, 4, 5, 5), (3, 2, 2, 3, 3), (1,) * 3, (0,) * 3, (1,) * 3),
    "no channels": case((2, 0, 4, 5, 5), (3, 0, 2, 3, 3), (1,) * 3, (0,) * 3, (1,) * 3),
}


def functions(x_shape):
    rank = f"conv{len(x_shape) - 2}d"
    return [getattr(conv_dims, rank + part) for part in ("", "_input", "_weight")]


@pytest.mark.parametrize("chunk", [1, 3000, conv_dims.CHUNK_BYTES])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_loops_and_adjoints_are_adjoint(monkeypatch, name, dtype, chunk):
    monkeypatch.setattr(conv_dims, "CHUNK_BYTES", chunk)
    x_shape, w_shape, params = CASES[name]
    rng = np.random.default_rng(0)
    # Small whole numbers have exact sums in any order.
    x, weight, bias = (
        rng.integers(-4, 5, s).astype(dtype) for s in (x_shape, w_shape, w_shape[:1])
    )
    forward, to_input, to_weight = functions(x_shape)
    y = forward(x, weight, bias, **params)
    plain = loops(x, weight, **params)
    np.testing.assert_array_equal(y, plain + bias.reshape(-1, *[1] * (x.ndim - 2)))
    g = rng.integers(-4, 5, y.shape).astype(dtype)
    dx = to_input(g, weight, size=x_shape[2:], **params)
    dweight = to_weight(x, g, kernel_size=w_shape[2:], **params)
    assert (dx.shape, dx.dtype, dweight.shape, dweight.dtype) == (x_shape, dtype, w_shape, dtype)
    # In every direction of x and of the weight: a few entries at random, by unit arrays.
    for array, gradient in ((x, dx), (weight, dweight)):
        for index in rng.integers(array.size, size=5) if array.size else ():
            unit = np.zeros_like(array)
            unit.flat[index] = 1
            moved = loops(unit, weight, **params) if array is x else loops(x, unit, **params)
            assert np.sum(moved * g) == gradient.flat[index]
    assert np.sum(plain * g) == np.sum(x * dx.astype(np.float64))
    assert np.sum(plain * g) == np.sum(weight * dweight.astype(np.float64))


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "changes"),
    [
        ((2, 3, 4, 5, 5), (4, 3, 5, 3, 3), {}),
        ((2, 3, 4, 5, 5), (4, 3, 3, 6, 3), {}),
        ((2, 3, 4, 5, 5), (4, 2, 3, 3, 3), {}),
        ((2, 3, 4, 5, 5), (4, 3, 3, 3, 3), {"stride": (0, 1, 1)}),
        ((2, 3, 4, 5, 5), (4, 3, 3, 3, 3), {"padding": (-1, 0, 0)}),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x_shape, w_shape, changes):
    params: Any = case((), (), (1,) * 3, (0,) * 3, (1,) * 3)[2] | changes
    with pytest.raises(ValueError, match="conv"):
        conv_dims.conv3d(np.ones(x_shape), np.ones(w_shape), None, **params)


def test_a_gradient_of_other_depths_is_refused():
    x, weight = np.ones((2, 3, 4, 5, 5)), np.ones((4, 3, 3, 3, 3))
    params: Any = case((), (), (1,) * 3, (0,) * 3, (1,) * 3)[2]
    for shape in ((2, 4, 3, 3, 3), (2, 4, 2, 3, 4)):
        with pytest.raises(ValueError, match="conv"):
            conv_dims.conv3d_input(np.ones(shape), weight, size=(4, 5, 5), **params)
    for shape in ((2, 4, 3, 3, 3), (2, 4, 2, 3, 4), (1, 4, 2, 3, 3)):
        with pytest.raises(ValueError, match="conv"):
            conv_dims.conv3d_weight(x, np.ones(shape), kernel_size=(3, 3, 3), **params)
