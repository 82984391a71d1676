"""Winograd convolution: 3 x 3 windows at stride 1 with fewer products, in float32.

`conv2d` and its adjoints (conv.py) come here where `applies` says that it is worth while. F(4x4)
takes a quarter of the products of direct convolution, F(2x2) four ninths; both add transforms of
images and of weights, and round differently: precision.py says what that costs, and lets the user
choose. The compiled code is in native/winograd.py.

Scratch: the transformed weights, or sums of them, which never take more than the larger of 64 MiB
and all arguments and results; and for each thread `BLOCK_BYTES` and a band of pixels.

A NaN or an infinity in a pixel makes every output that it touches NaN or infinite. Other outputs of
the same tiles may become NaN as well, since transforms take differences of pixels, and infinity -
infinity is NaN; outputs of other tiles do not. One in a weight touches the whole plane of outputs
that it belongs to. Finite numbers overflow a few binary orders earlier than in the equation: from
1e36 or so.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import precision
from .common import Floats, Pair
from .conv_plan import Layer
from .memory import empty
from .native import Unit
from .native import winograd_layout as at
from .native.cache import warn_once
from .threads import get_num_threads

UNIT = Unit(
    "winograd",
    "autograd.kernels.native.winograd",
    uses=("winograd_layout", "winograd_tiles", "winograd_transforms"),
    dtypes=("f4",),
)
UNIT.kernel("transform_weights(w: f4[o, c, taps], u: f4[size]!, plan: i8[fields])")
UNIT.kernel(
    "convolve(x: f4[n, c, h, w], u: f4[weights], bias: f4[o]?, y: f4[n, o, p, q]!, "
    "scratch: f4[workers, size]!, plan: i8[fields])"
)
UNIT.kernel(
    "sum_tiles(x: f4[n, c, h, w], g: f4[n, o, p, q], u: f4[chunks, step]!, "
    "scratch: f4[workers, size]!, plan: i8[fields])"
)
UNIT.kernel("add_chunks(u: f4[chunks, step], dw: f4[o, c, taps]!, plan: i8[fields])")

TAPS = 9
FLOAT = 4  # bytes

BLOCK_BYTES = 600 << 10
"""Transformed tiles of one block, before and after the product: 0.3 to 1.2 MB were alike, within
8 %, on a core with 1 MB of L2."""

MOST_TILES = 112
"""Tiles of a block at most: more save nothing where there are few channels."""

GROUP = 128
"""Channels in one product: all tiles of a block times 128 x 128 weights. 64 cost 5 to 10 %."""

GRADIENT_GROUP = 64
"""The same in the weight gradient, where sums take a third part of the cache: 128 cost 60 %."""

GRADIENT_TASKS = 16
"""Tasks that a weight gradient is cut into, if only by splitting its sums over tiles."""

SCRATCH_BYTES = 64 << 20

# What work costs, in vector multiply-adds; fitted to eleven layers between 8 and 512 channels.
TRANSFORM = 4  # for each point of a tile: reading, turning and transforming pixels
WEIGHTS = 15  # transforming a weight costs as much as this many tiles' products with it,
FAR_WEIGHTS = 80  # or this many where transformed weights do not fit the cache,
CACHE_BYTES = 1 << 20  # which is this large


# --- Whether, and how -----------------------------------------------------------------------------


PASSES = ("forward", "input", "weight")
"""A convolution, its gradient in the input, and in the weight."""


def applies(layer: Layer, name: str) -> bool:
    """Whether a pass of a layer, one of `PASSES`, is faster here than by direct convolution."""
    return _tile(layer, name, precision.get_conv_precision()) > 0


@lru_cache(maxsize=1024)
def _tile(layer: Layer, name: str, mode: str) -> int:
    """Return the size of the tiles that take the least work, or 0 if direct convolution does."""
    settings = (layer.kernel, layer.stride, layer.dilation, layer.groups, layer.itemsize)
    if settings != ((3, 3), (1, 1), (1, 1), 1, FLOAT) or max(layer.padding) > 2:
        return 0
    lanes = _lanes()
    channels, outputs, size = layer.channels, layer.outputs, layer.output
    arguments = FLOAT * layer.batch * (channels * prod(layer.size) + outputs * prod(size))
    if name == "input":
        channels, outputs, size = outputs, channels, layer.size
    wide_channels, wide_outputs = -(-channels // lanes), -(-outputs // lanes)
    pairs = wide_channels * lanes * wide_outputs
    work = {0: TAPS * layer.batch * prod(size) * channels * wide_outputs / 2}
    for tile in precision.TILES[mode]:
        points = (tile + 2) ** 2
        weights = FLOAT * points * pairs * lanes
        if weights > max(SCRATCH_BYTES, arguments) // 2:
            continue
        tiles = layer.batch * prod(-(-n // tile) for n in size)
        far = weights > CACHE_BYTES and name != "weight"
        products = points * pairs * (tiles + (FAR_WEIGHTS if far else WEIGHTS)) / 2
        work[tile] = products + TRANSFORM * points * tiles * (wide_channels + wide_outputs)
    best = min(work, key=work.__getitem__)
    return best if best and _available() else 0


@lru_cache(maxsize=1)
def _available() -> bool:
    """Whether the compiled code is there; it is loaded by the first layer that might use it."""
    try:
        UNIT.load()
    except Exception as error:
        warn_once(
            f"no Winograd convolution here ({type(error).__name__}: {error}); direct convolution "
            "is used instead, which is slower"
        )
        return False
    return True


@lru_cache(maxsize=1)
def _lanes() -> int:
    from .native.target import target

    return target().bits // (8 * FLOAT)


# --- Geometry -------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """One pass of one layer, cut to pieces.

    Attributes
    ----------
    words : array
        What the compiled code reads, see native/winograd_layout.py.
    scratch : int
        Floats for each thread.
    weights : int
        Floats of transformed weights.
    chunks : int
        Parts that the sum of a weight gradient is split into.
    """

    words: npt.NDArray[np.int64]
    scratch: int
    weights: int
    chunks: int


@lru_cache(maxsize=1024)
def _plan(
    x: tuple[int, ...], outputs: int, padding: Pair, tile: int, flipped: bool, threads: int
) -> Plan:
    """Cut a pass up: `convolve` for some threads, or `sum_tiles` for any number (threads = 0)."""
    batch, channels, *size = x
    lanes, points = _lanes(), (tile + 2) ** 2
    inputs, wide_outputs = -(-channels // lanes), -(-outputs // lanes)
    group = (GROUP if threads else GRADIENT_GROUP) // lanes
    group_inputs, group_outputs = min(inputs, group), min(wide_outputs, group)

    # Strips of tiles, as many to a block as its share of the cache holds.
    bytes_per_tile = FLOAT * points * lanes * (group_inputs + group_outputs)
    most = min(MOST_TILES, max(8, BLOCK_BYTES // bytes_per_tile))
    rows, cols = (-(-(n + 2 * p - 2) // tile) for n, p in zip(size, padding, strict=True))
    row_strips = -(-cols // most)
    across = -(-cols // row_strips)
    strips = batch * rows * row_strips
    blocks = -(-strips // max(1, most // across))
    if threads:  # a block is a task, and each thread gets as many
        tasks = min(strips, -(-blocks // threads) * threads)
        chunk_strips = block_strips = -(-strips // tasks)
    else:  # a task is a chunk for some channels; chunks must not depend on threads
        groups = -(-inputs // group_inputs) * -(-wide_outputs // group_outputs)
        bytes_per_chunk = FLOAT * points * inputs * wide_outputs * lanes * lanes
        chunks = min(blocks, GRADIENT_TASKS // groups, SCRATCH_BYTES // 2 // bytes_per_chunk)
        chunk_strips = -(-strips // max(1, chunks))
        block_strips = -(-chunk_strips // -(-blocks // max(1, chunks)))
    block_tiles = -(-block_strips * across // at.ROW_GRAIN) * at.ROW_GRAIN

    # An odd number of vectors from point to point: with a power of two, all points of a tile would
    # fall into one set of the cache.
    input_step = (block_tiles * group_inputs | 1) * lanes
    output_step = (block_tiles * group_outputs | 1) * lanes
    weight_step = (inputs * wide_outputs * lanes | 1) * lanes
    words = np.zeros(at.FIELDS, np.int64)
    words[at.TILE], words[at.TOP], words[at.LEFT] = tile, *padding
    words[at.ACROSS], words[at.ROW_STRIPS], words[at.ROWS] = across, row_strips, rows
    words[at.STRIPS], words[at.BLOCK_STRIPS], words[at.BLOCK_TILES] = (
        strips,
        block_strips,
        block_tiles,
    )
    words[at.CHUNK_STRIPS] = chunk_strips
    words[at.INPUTS], words[at.OUTPUTS] = inputs, wide_outputs
    words[at.GROUP_INPUTS], words[at.GROUP_OUTPUTS] = group_inputs, group_outputs
    words[at.INPUT_STEP], words[at.OUTPUT_STEP] = input_step, output_step
    words[at.WEIGHT_STEP], words[at.FLIPPED] = weight_step, flipped
    words.flags.writeable = False
    band = (tile + 2) * (tile * across + 2 + lanes) * lanes
    scratch = points * (input_step + output_step) + band
    return Plan(words, scratch, points * weight_step, -(-strips // chunk_strips))


# --- The three passes -----------------------------------------------------------------------------


def forward(layer: Layer, x: Floats, weight: Floats, bias: Floats | None) -> Floats:
    """`kernels.conv2d` for a layer to which this applies."""
    tile = _tile(layer, "forward", precision.get_conv_precision())
    return conv2d(x, weight, bias, layer.padding, tile)


def input_gradient(layer: Layer, g: Floats, weight: Floats) -> Floats:
    """`kernels.conv2d_input` for a layer to which this applies."""
    tile = _tile(layer, "input", precision.get_conv_precision())
    return conv2d_input(g, weight, layer.padding, tile)


def weight_gradient(layer: Layer, x: Floats, g: Floats) -> Floats:
    """`kernels.conv2d_weight` for a layer to which this applies."""
    tile = _tile(layer, "weight", precision.get_conv_precision())
    return conv2d_weight(x, g, layer.padding, tile)


def conv2d(x: Floats, weight: Floats, bias: Floats | None, padding: Pair, tile: int) -> Floats:
    """Convolve in tiles of 2 x 2 or 4 x 4 outputs."""
    _check(x.shape, weight.shape, padding, tile)
    return _convolve(x, weight, bias, padding, tile, flipped=False)


def conv2d_input(g: Floats, weight: Floats, padding: Pair, tile: int) -> Floats:
    """Gradient in the input: a convolution of g with the weights turned by 180 degrees."""
    outputs, channels, *kernel = weight.shape
    padding = 2 - padding[0], 2 - padding[1]
    _check(g.shape, (channels, outputs, *kernel), padding, tile)
    return _convolve(g, weight, None, padding, tile, flipped=True)


def _convolve(
    x: Floats, weight: Floats, bias: Floats | None, padding: Pair, tile: int, *, flipped: bool
) -> Floats:
    outputs, channels = weight.shape[:2]
    made = channels if flipped else outputs
    threads = get_num_threads()
    plan = _plan(x.shape, made, padding, tile, flipped, threads)
    u = empty((plan.weights,), np.float32)
    UNIT.transform_weights(weight.reshape(outputs, channels, TAPS), u, plan.words)
    rows, cols = (n + 2 * p - 2 for n, p in zip(x.shape[2:], padding, strict=True))
    y = empty((len(x), made, rows, cols), np.float32)
    scratch = empty((threads, plan.scratch), np.float32)
    UNIT.convolve(x, u, bias, y, scratch, plan.words)
    return y


def conv2d_weight(x: Floats, g: Floats, padding: Pair, tile: int) -> Floats:
    """Gradient in the weight, by the adjoint of each step of `conv2d`."""
    outputs, channels = g.shape[1], x.shape[1]
    _check(x.shape, (outputs, channels, 3, 3), padding, tile, g.shape)
    threads = get_num_threads()
    plan = _plan(x.shape, outputs, padding, tile, False, 0)
    sums = empty((plan.chunks, plan.weights), np.float32)
    scratch = empty((threads, plan.scratch), np.float32)
    UNIT.sum_tiles(x, g, sums, scratch, plan.words)
    dweight = empty((outputs, channels, TAPS), np.float32)
    UNIT.add_chunks(sums, dweight, plan.words)
    return dweight.reshape(outputs, channels, 3, 3)


def _check(
    x: tuple[int, ...],
    weight: tuple[int, ...],
    padding: Pair,
    tile: int,
    result: tuple[int, ...] | None = None,
) -> None:
    """Refuse what the compiled code, which trusts a plan, could not serve."""
    fits = len(x) == len(weight) == 4 and weight[1:] == (x[1], 3, 3) and min(*x, *weight) >= 1
    if not fits or tile not in (2, 4) or min(padding) < 0 or max(padding) > 2:
        raise ValueError(
            f"winograd: expected x (N, C, H, W) and weight (O, C, 3, 3), not empty, tiles of 2 or "
            f"4 and padding from 0 to 2, met x {x}, weight {weight}, {tile=}, {padding=}"
        )
    size = tuple(n + 2 * p - 2 for n, p in zip(x[2:], padding, strict=True))
    expected = (x[0], weight[0], *size)
    if min(size) < 1 or result not in (None, expected):
        raise ValueError(f"winograd: {x} gives {expected} with {padding=}, not {result}")
