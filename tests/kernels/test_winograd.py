from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import kernels
from autograd.kernels import winograd
from autograd.kernels.conv_plan import Layer

TILES = (2, 4)

# N, C, H, W, O and padding: tiles cut at the edges, channels cut within vectors, images of less
# than a tile, rows of more tiles than a block, blocks over several images, several groups of
# channels.
LAYERS = [
    ((2, 16, 8, 8), 16, (1, 1)),
    ((1, 3, 5, 7), 20, (0, 2)),
    ((3, 33, 9, 30), 17, (1, 1)),
    ((2, 64, 14, 14), 48, (2, 0)),
    ((1, 130, 9, 9), 150, (1, 1)),
    ((1, 16, 6, 500), 32, (1, 1)),
    ((40, 8, 4, 4), 8, (1, 1)),
    ((1, 1, 3, 3), 1, (0, 0)),
    ((1, 5, 1, 1), 7, (1, 1)),
    ((1, 5, 1, 2), 7, (2, 2)),
    ((2, 2, 3, 1), 3, (0, 1)),
]


def plain(padding):
    return {"stride": (1, 1), "padding": padding, "dilation": (1, 1), "groups": 1}


def draw(x_shape, outputs, padding) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(0)
    batch, channels, height, width = x_shape
    result = (batch, outputs, height + 2 * padding[0] - 2, width + 2 * padding[1] - 2)
    shapes = (x_shape, (outputs, channels, 3, 3), result, (outputs,))
    x, weight, g, bias = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return x, weight, g, bias


def reference(x, weight, g, bias, padding):
    """The three passes by the plain kernels, in float64."""
    x, weight, g = (a.astype(np.float64) for a in (x, weight, g))
    bias = None if bias is None else bias.astype(np.float64)
    with kernels.use("reference"):
        return (
            kernels.conv2d(x, weight, bias, **plain(padding)),
            kernels.conv2d_input(g, weight, size=x.shape[2:], **plain(padding)),
            kernels.conv2d_weight(x, g, kernel_size=(3, 3), **plain(padding)),
        )


def passes(x, weight, g, bias, padding, tile):
    return (
        winograd.conv2d(x, weight, bias, padding, tile),
        winograd.conv2d_input(g, weight, padding, tile),
        winograd.conv2d_weight(x, g, padding, tile),
    )


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize(("x_shape", "outputs", "padding"), LAYERS)
def test_the_passes_are_those_of_the_reference(x_shape, outputs, padding, tile):
    x, weight, g, bias = draw(x_shape, outputs, padding)
    for bias_or_none in (bias, None):
        found = passes(x, weight, g, bias_or_none, padding, tile)
        expected = reference(x, weight, g, bias_or_none, padding)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == np.float32
            assert a.shape == b.shape
            assert a.flags.c_contiguous
            np.testing.assert_allclose(a, b, rtol=0, atol=5e-6 * abs(b).max())


@pytest.mark.parametrize("tile", TILES)
def test_results_do_not_depend_on_threads(tile):
    padding = (1, 1)
    arrays = draw((6, 40, 18, 22), 24, padding)
    before = kernels.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5, 2):
            kernels.set_num_threads(threads)
            results.append(passes(*arrays, padding=padding, tile=tile))
    finally:
        kernels.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("tile", TILES)
def test_odd_layouts_are_taken(tile):
    padding = (1, 1)
    x, weight, g, bias = draw((2, 16, 9, 10), 24, padding)
    expected = passes(x, weight, g, bias, padding, tile)

    def unaligned(a):
        raw = np.zeros(a.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(a.shape)
        raw[...] = a
        return raw

    def frozen(a):
        a = a.copy()
        a.flags.writeable = False
        return a

    def backwards(a):
        return np.ascontiguousarray(a[::-1])[::-1]

    def swapped(a):
        return a.astype(a.dtype.newbyteorder())

    for change in (unaligned, frozen, backwards, swapped, np.asfortranarray):
        changed = [change(a) for a in (x, weight, g, bias)]
        for a, b in zip(passes(*changed, padding=padding, tile=tile), expected, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_special_pixel_reaches_all_that_it_touches_and_no_other_tile(tile, value):
    padding = (1, 1)
    x, weight, g, _ = draw((2, 16, 13, 18), 16, padding)
    clean = winograd.conv2d(x, weight, None, padding, tile)
    clean_dx = winograd.conv2d_input(g, weight, padding, tile)
    for row, col in ((0, 0), (3, 4), (6, 9), (12, 17)):
        touched = np.zeros((13, 18), bool)
        touched[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = True
        tiles = np.zeros((13, 18), bool)
        for p, q in zip(*np.nonzero(touched), strict=True):
            p, q = p - p % tile, q - q % tile
            tiles[p : p + tile, q : q + tile] = True
        special_x, special_g = x.copy(), g.copy()
        special_x[1, 5, row, col] = special_g[1, 5, row, col] = value
        for found, before in (
            (winograd.conv2d(special_x, weight, None, padding, tile), clean),
            (winograd.conv2d_input(special_g, weight, padding, tile), clean_dx),
        ):
            assert not np.isfinite(found[1][:, touched]).any()
            assert found[1][:, ~tiles].tobytes() == before[1][:, ~tiles].tobytes()
            assert found[0].tobytes() == before[0].tobytes()
        dweight = winograd.conv2d_weight(special_x, g, padding, tile)
        with kernels.use("reference"), np.errstate(invalid="ignore"):
            plain_dw = kernels.conv2d_weight(special_x, g, kernel_size=(3, 3), **plain(padding))
        assert not np.isfinite(dweight[~np.isfinite(plain_dw)]).any()
        assert np.isfinite(np.delete(dweight, 5, axis=1)).all()


@pytest.mark.parametrize("tile", TILES)
def test_a_special_weight_reaches_its_plane_alone(tile):
    x, weight, _, _ = draw((1, 16, 8, 8), 16, (1, 1))
    clean = winograd.conv2d(x, weight, None, (1, 1), tile)
    weight[3, 2, 1, 1] = np.nan
    found = winograd.conv2d(x, weight, None, (1, 1), tile)
    assert np.isnan(found[:, 3]).all()
    assert np.delete(found, 3, axis=1).tobytes() == np.delete(clean, 3, axis=1).tobytes()


# --- Errors: what precision.py states, with a margin of two -----------------------------------

ERRORS = {
    "normal": {2: (3e-7, 3e-7, 1e-7), 4: (2e-6, 2e-6, 3e-7)},
    "relu": {2: (3e-7, 3e-7, 1e-7), 4: (5e-7, 2e-6, 1e-7)},
    "constant": {2: (3e-7, 3e-7, 7e-7), 4: (5e-7, 5e-7, 7e-7)},
}
"""Data -> tile -> error of an output, and of both gradients, by the sum of absolute products."""

TILE_BOUND = {2: 1e-6, 4: 5e-6}
"""The same for any data, by the largest pixels of the tile."""


def adversary(kind):
    x, weight, g, _ = draw((4, 64, 28, 28), 64, (1, 1))
    if kind == "relu":
        x = np.maximum(x, 0) + 3
    elif kind == "channel":
        x[:, 0] *= 1e4
        g[:, 0] *= 1e4
    elif kind == "constant":
        x += 1000
        g += 1000
    elif kind == "pixel":
        x[:, :, 14, 14] *= 1e4
        g[:, :, 14, 14] *= 1e4
    return x, weight, g


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_keep_to_the_bounds_that_are_stated(kind):
    x, weight, g = adversary(kind)
    expected = reference(x, weight, g, None, (1, 1))
    scales = reference(abs(x), abs(weight), abs(g), None, (1, 1))
    for tile, bounds in ERRORS[kind].items():
        found = passes(x, weight, g, None, (1, 1), tile)
        for a, b, scale, bound in zip(found, expected, scales, bounds, strict=True):
            assert (abs(a - b) / scale).max() < bound


@pytest.mark.parametrize("kind", ["normal", "relu", "channel", "constant", "pixel"])
@pytest.mark.parametrize("tile", TILES)
def test_errors_are_small_beside_the_largest_pixels_of_a_tile(kind, tile):
    x, weight, g = adversary(kind)
    y, dx, dweight = reference(x, weight, g, None, (1, 1))
    found = passes(x, weight, g, None, (1, 1), tile)
    bound = TILE_BOUND[tile]
    turned = weight.swapaxes(0, 1)
    for a, b, source, w in ((found[0], y, x, weight), (found[1], dx, g, turned)):
        # What an output would be at most if all pixels of its tile were as large as the largest.
        rows, cols = (n + -n % tile for n in source.shape[2:])
        padded = np.zeros((*source.shape[:2], rows + 2, cols + 2))
        padded[:, :, 1 : 1 + source.shape[2], 1 : 1 + source.shape[3]] = abs(source)
        patches = np.lib.stride_tricks.sliding_window_view(padded, (tile + 2, tile + 2), (2, 3))
        largest = patches[:, :, ::tile, ::tile].max(axis=(-1, -2))
        scale = np.einsum("ncpq,oc->nopq", largest, abs(w).sum(axis=(2, 3), dtype=np.float64))
        scale = scale.repeat(tile, 2).repeat(tile, 3)[:, :, : a.shape[2], : a.shape[3]]
        assert (abs(a - b) / scale).max() < bound
    sums = reference(abs(x), abs(weight), abs(g), None, (1, 1))[2]
    assert (abs(found[2] - dweight) / sums.max(axis=(2, 3), keepdims=True)).max() < bound


# --- The switch, and the choice -------------------------------------------------------------------


@pytest.fixture
def any_precision():
    before = autograd.get_conv_precision()
    yield
    autograd.set_conv_precision(before)


def test_the_switch(any_precision):
    assert autograd.get_conv_precision() == "fast"
    autograd.set_conv_precision("exact")
    assert kernels.get_conv_precision() == "exact"
    with pytest.raises(ValueError, match="set_conv_precision: unknown mode 'good'"):
        autograd.set_conv_precision("good")  # pyright: ignore[reportArgumentType]
    assert autograd.get_conv_precision() == "exact"


def layer(
    x=(4, 64, 56, 56), outputs=64, kernel=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1),
    groups=1, itemsize=4,
) -> Layer:  # fmt: skip
    return Layer(x[0], x[1], x[2:], outputs, kernel, stride, padding, dilation, groups, itemsize)


def tiles(layer):
    mode = autograd.get_conv_precision()
    found = [winograd._tile(layer, name, mode) for name in winograd.PASSES]  # pyright: ignore[reportPrivateUsage]
    assert [winograd.applies(layer, name) for name in winograd.PASSES] == [t > 0 for t in found]
    return found


def test_tiles_are_chosen_by_what_they_save(any_precision):
    assert tiles(layer()) == [4, 4, 4]
    assert tiles(layer((64, 1, 28, 28), 6)) == [0, 0, 0]  # too few channels
    assert tiles(layer((1, 512, 4, 4), 512)) == [0, 0, 0]  # more work on weights than on pixels
    # Transformed weights of 64 MiB and more beside images of 2 MiB would take too much memory.
    assert tiles(layer((64, 1024, 2, 2), 1024)) == [0, 0, 0]
    autograd.set_conv_precision("exact")
    assert tiles(layer()) == [2, 2, 2]


def test_other_layers_are_left_alone():
    assert tiles(layer(stride=(2, 1))) == [0, 0, 0]
    assert tiles(layer(dilation=(1, 2))) == [0, 0, 0]
    assert tiles(layer(padding=(3, 1))) == [0, 0, 0]
    assert tiles(layer(groups=2)) == [0, 0, 0]
    assert tiles(layer(kernel=(3, 5))) == [0, 0, 0]
    assert tiles(layer(itemsize=8)) == [0, 0, 0]


@pytest.mark.parametrize("mode", ["fast", "exact"])
def test_convolutions_come_here(any_precision, mode):
    autograd.set_conv_precision(mode)
    tile = {"fast": 4, "exact": 2}[mode]
    x, weight, g, bias = draw((4, 32, 20, 20), 32, (1, 1))
    found = (
        kernels.conv2d(x, weight, bias, **plain((1, 1))),
        kernels.conv2d_input(g, weight, size=x.shape[2:], **plain((1, 1))),
        kernels.conv2d_weight(x, g, kernel_size=(3, 3), **plain((1, 1))),
    )
    for a, b in zip(found, passes(x, weight, g, bias, (1, 1), tile), strict=True):
        assert a.tobytes() == b.tobytes()


def test_shapes_that_do_not_fit_are_refused():
    x, weight, g, bias = draw((2, 16, 8, 8), 16, (1, 1))
    with pytest.raises(ValueError, match="winograd: expected"):
        winograd.conv2d(x, weight[:, :8], None, (1, 1), 4)
    with pytest.raises(ValueError, match="winograd: expected"):
        winograd.conv2d(x, weight, None, (3, 1), 4)
    with pytest.raises(ValueError, match="winograd: expected"):
        winograd.conv2d(x, weight, None, (1, 1), 3)
    with pytest.raises(ValueError, match="winograd: expected"):
        winograd.conv2d(x[:0], weight, None, (1, 1), 4)
    with pytest.raises(ValueError, match="has shape"):
        winograd.conv2d(x, weight, bias[:5], (1, 1), 4)
    with pytest.raises(ValueError, match="winograd: expected"):
        winograd.conv2d_input(g, weight[:8], (1, 1), 4)
    with pytest.raises(ValueError, match="gives"):
        winograd.conv2d_weight(x, g[:, :, 1:], (1, 1), 4)
    with pytest.raises(ValueError, match="gives"):
        winograd.conv2d(x[:, :, :1], weight, None, (0, 1), 4)


SCRIPT = """
import json, sys
sys.path.insert(0, "tests/kernels")
from test_winograd import LAYERS, draw, passes, reference
worst = 0.0
for x_shape, outputs, padding in LAYERS:
    arrays = draw(x_shape, outputs, padding)
    expected = reference(*arrays, padding)
    for tile in (2, 4):
        for a, b in zip(passes(*arrays, padding=padding, tile=tile), expected):
            worst = max(worst, float(abs(a - b).max() / abs(b).max()))
print(json.dumps(worst))
"""


@pytest.mark.parametrize("unit", ["avx2", "generic"])
def test_other_vector_widths(unit):
    from autograd.kernels.native.target import available

    if unit not in available():
        pytest.skip(f"this CPU has no {unit}")
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "AUTOGRAD_SIMD": unit},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(outcome.stdout) < 5e-6
