"""Convolution by compiled register tiles: which kind of tile, and the calls that it takes.

The compiled code (native/conv.py) computes from the images in place: no columns. Scratch is a few
hundred KiB for each thread and the weights in another order; for the weight gradient also
`conv_plan.CHUNK` bytes of images and `conv_plan.PARTIAL` bytes of sums. That is at most the larger
of 64 MiB and all arguments and results together.
"""

from functools import lru_cache

import numpy as np

from . import memory, threads
from .common import Floats
from .conv_plan import Gather, Gradient, Layer, gather, gradient, vector_lanes
from .native import Unit

UNIT = Unit(
    "conv",
    "autograd.kernels.native.conv",
    uses=("conv_fields", "conv_gather", "conv_gradient", "conv_parts", "conv_tiles"),
)
UNIT.kernel(
    "pack(weight: T[*size], packed: T[groups, blocks, depth, wide]!, plan: i8[words])",
)
UNIT.kernel(
    """channels(
        x: T[n, c, h, w], packed: T[groups, blocks, depth, wide], bias: T[m]?,
        phases: i8[count, fields], table: i8[taps, two], plan: i8[words],
        scratch: T[workers, room]!, y: T[n, m, oh, ow]!)"""
)
UNIT.kernel(
    """pixels(
        x: T[n, c, h, w], packed: T[groups, per_group, taps, outputs], bias: T[m]?,
        phases: i8[count, fields], table: i8[entries, two], plan: i8[words],
        scratch: T[workers, room]!, y: T[n, m, oh, ow]!)"""
)
UNIT.kernel(
    """lay(
        x: T[n, c, h, w], g: T[n, m, oh, ow], plan: i8[words], inputs: T[n, rows, cols, c]!,
        gradients: T[groups, blocks, n, positions, wide]!)"""
)
UNIT.kernel(
    """gradient(
        inputs: T[n, rows, cols, c], gradients: T[groups, blocks, n, positions, wide],
        table: i8[taps, two], plan: i8[words],
        partial: T[splits, groups, blocks, kernel_rows, kernel_columns, wide]!, again: int)"""
)
UNIT.kernel(
    """finish(
        partial: T[splits, groups, blocks, kernel_rows, kernel_columns, wide],
        scratch: T[workers, depth, wide]!, plan: i8[words], dweight: T[m, per_group, kh, kw]!)"""
)
UNIT.kernel(
    """narrow_gradient(
        x: T[n, c, h, w], g: T[n, m, oh, ow], table: i8[taps], plan: i8[words],
        scratch: T[workers, room]!, partial: T[splits, m, per_group, taps]!)"""
)

DTYPES = {"f": np.float32, "d": np.float64}
"""What there is code for, by NumPy's letter."""


def _fill(count: int, lanes: int) -> float:
    """Which part of the lanes is used when `count` numbers fill vectors."""
    return count / (-(-count // lanes) * lanes)


def _by_pixels(lanes: int, channels: int, width: int) -> bool:
    """Whether neighbouring pixels rather than channels of the result lie in the lanes.

    Lanes that are channels take any stride, and their loads are aligned; so pixels must fill
    noticeably more of the lanes.
    """
    return channels < 2 * lanes and _fill(width, lanes) > 1.3 * _fill(channels, lanes)


@lru_cache(maxsize=256)
def gather_plan(layer: Layer, adjoint: bool) -> Gather:
    """Plan a forward pass or an input gradient."""
    channels, width = layer.outputs, layer.output[1]
    if adjoint:
        channels, width = layer.channels, -(-layer.size[1] // layer.stride[1])
    lanes = vector_lanes(layer.itemsize)
    return gather(layer, adjoint, _by_pixels(lanes, channels // layer.groups, width))


@lru_cache(maxsize=256)
def gradient_plan(layer: Layer) -> Gradient:
    """Plan a weight gradient."""
    lanes = vector_lanes(layer.itemsize)
    outputs = layer.outputs // layer.groups
    return gradient(layer, _by_pixels(lanes, outputs, layer.output[1]))


def forward(layer: Layer, x: Floats, weight: Floats, bias: Floats | None) -> Floats:
    """Run `conv2d`."""
    return _gather(gather_plan(layer, False), x, weight, bias, False)


def input_gradient(layer: Layer, g: Floats, weight: Floats) -> Floats:
    """Run `conv2d_input`."""
    return _gather(gather_plan(layer, True), g, weight, None, True)


def _gather(plan: Gather, x: Floats, weight: Floats, bias: Floats | None, adjoint: bool) -> Floats:
    dtype = DTYPES[x.dtype.char]
    scratch = memory.empty((threads.get_num_threads(), plan.room), dtype)
    y = memory.empty(plan.result, dtype)
    if plan.wide:
        packed = memory.empty(plan.packed, dtype)
        UNIT.pack(weight, packed, plan.words)
        UNIT.channels(x, packed, bias, plan.phases, plan.table, plan.words, scratch, y)
    else:
        groups, per_group, taps, outputs = plan.packed
        if adjoint:
            packed = weight.reshape(groups, per_group, outputs, taps).swapaxes(2, 3)
        else:
            packed = weight.reshape(groups, outputs, per_group, taps).transpose(0, 2, 3, 1)
        UNIT.pixels(x, packed, bias, plan.phases, plan.table, plan.words, scratch, y)
    return y


def weight_gradient(layer: Layer, x: Floats, g: Floats) -> Floats:
    """Run `conv2d_weight`."""
    plan = gradient_plan(layer)
    if plan.wide:
        return _by_channels(plan, layer, x, g)
    dtype = DTYPES[x.dtype.char]
    shape = (layer.outputs, layer.channels // layer.groups)
    partial = memory.empty((plan.splits, *shape, layer.taps), dtype)
    scratch = memory.empty((threads.get_num_threads(), plan.room), dtype)
    UNIT.narrow_gradient(x, g, plan.table, plan.words, scratch, partial)
    return partial.sum(axis=0).reshape(*shape, *layer.kernel)


def _by_channels(plan: Gradient, layer: Layer, x: Floats, g: Floats) -> Floats:
    """Lay the images out anew, a chunk at a time, and add up its products."""
    dtype, groups = DTYPES[x.dtype.char], layer.groups
    per_group = layer.channels // groups
    lead = (plan.splits, groups, plan.blocks, layer.kernel[0])
    partial = memory.empty((*lead, layer.kernel[1] * per_group, plan.wide), dtype)
    positions = layer.output[0] * layer.output[1]
    for start in range(0, layer.batch, plan.images):
        images = min(plan.images, layer.batch - start)
        inputs = memory.empty((images, plan.rows, plan.cols, layer.channels), dtype)
        gradients = memory.empty((groups, plan.blocks, images, positions, plan.wide), dtype)
        part = slice(start, start + images)
        UNIT.lay(x[part], g[part], plan.words, inputs, gradients)
        UNIT.gradient(inputs, gradients, plan.table, plan.words, partial, start > 0)
    dweight = memory.empty((layer.outputs, per_group, *layer.kernel), dtype)
    scratch = memory.empty((threads.get_num_threads(), per_group * layer.taps, plan.wide), dtype)
    UNIT.finish(partial, scratch, plan.words, dweight)
    return dweight
