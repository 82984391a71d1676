"""How a convolution is cut up for the compiled kernels: worked out once for each layer's shapes.

The compiled code (native/conv_*.py) trusts these numbers with every address, so they all come from
here: offsets of kernel taps, sizes of scratch, which part of the work is one task.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from .common import Pair, conv_output_size
from .native import conv_fields as f

Words = npt.NDArray[np.int64]

SCRATCH = 1 << 18
"""Bytes of a task's padded source and sums: a part of L2, with the weights in the rest."""
TASKS = 16
"""Tasks wanted at least, for threads to share; a smaller band costs more copies at its edges."""
PARTIAL = 1 << 24
"""Bytes of the weight gradient's partial sums, which are kept for each split of the images."""
CHUNK = 1 << 24
"""Bytes of images that the weight gradient lays out at a time."""
STRIP = 3
"""Rows of the kernels that the tiles `strip` and `lap` serve; native/conv_tiles.py has the same."""
SLIDES = (3, 5)
"""Columns of the kernels that the tile `slide` serves, likewise."""
BY_OFFSET = itemgetter(1)
LEAST_WIDTH = 4
"""Results narrower than this are tiled across images: a tile needs eight sums to keep the
multipliers busy, that is 4 pixels of 2 vectors."""


@dataclass(frozen=True)
class Layer:
    """A convolution's shapes: what `conv2d` is given, whichever of the passes it is for."""

    batch: int
    channels: int
    size: Pair
    outputs: int
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    itemsize: int

    @property
    def output(self) -> Pair:
        """OH and OW."""
        rows, cols = conv_output_size(
            self.size,
            kernel_size=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return rows, cols

    @property
    def taps(self) -> int:
        """Positions of the kernel."""
        return self.kernel[0] * self.kernel[1]


Shape = tuple[int, ...]


@lru_cache(maxsize=256)
def layer_of(
    x: Shape, weight: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int, itemsize: int
) -> Layer | None:
    """Check that shapes agree; None where an axis is empty, which is the reference's to serve.

    Raises
    ------
    ValueError
        If the compiled code could not trust them.
    """
    settings = (*stride, *dilation, groups)
    if len(x) != 4 or len(weight) != 4 or min(settings) < 1 or min(padding) < 0:
        raise ValueError(
            f"conv2d: expected four axes, strides, dilations and groups from 1 and padding from 0, "
            f"met x {x}, weight {weight}, {stride=}, {padding=}, {dilation=}, {groups=}"
        )
    if x[1] != weight[1] * groups or weight[0] % groups:
        raise ValueError(f"conv2d: x {x} and weight {weight} do not agree in {groups} groups")
    if 0 in x or 0 in weight:
        return None
    size, kernel = (x[2], x[3]), (weight[2], weight[3])
    layer = Layer(x[0], x[1], size, weight[0], kernel, stride, padding, dilation, groups, itemsize)
    if min(layer.output) < 1:
        raise ValueError(f"conv2d: weight {weight} does not fit into x {x} with {padding=}")
    return layer


@dataclass(frozen=True)
class Axis:
    """The rows or the columns of a gather.

    Attributes
    ----------
    phases : for each the taps, as pairs of kernel index and source offset
    step : result positions from one of a phase to the next
    pace : source positions from one of a phase to the next
    """

    source: int
    result: int
    phases: tuple[tuple[tuple[int, int], ...], ...]
    step: int
    pace: int

    @property
    def offsets(self) -> tuple[int, int]:
        """The least and the greatest offset."""
        found = [offset for taps in self.phases for _, offset in taps] or [0]
        return min(found), max(found)

    def positions(self, phase: int) -> int:
        """Results in a phase."""
        return -(-(self.result - phase) // self.step)

    def extent(self, positions: int) -> int:
        """Source positions that so many results of a phase read."""
        low, high = self.offsets
        return (positions - 1) * self.pace + high - low + 1


def forward_axis(source: int, result: int, k: int, s: int, p: int, d: int) -> Axis:
    """One phase; strides are steps through the source."""
    return Axis(source, result, (tuple((i, i * d - p) for i in range(k)),), 1, s)


def adjoint_axis(source: int, result: int, k: int, s: int, p: int, d: int) -> Axis:
    """As many phases as the stride; result position a + s*j reads at j + (a + p - i*d) / s."""
    phases = tuple(
        tuple((i, (a + p - i * d) // s) for i in range(k) if (a + p - i * d) % s == 0)
        for a in range(min(s, result))
    )
    return Axis(source, result, phases, s, 1)


@dataclass(frozen=True)
class Gather:
    """A forward pass or input gradient, ready to run.

    Attributes
    ----------
    wide : int
        Lanes of a block of packed weights; 0: lanes are pixels.
    """

    wide: int
    result: tuple[int, int, int, int]
    packed: tuple[int, int, int, int]
    room: int
    words: Words
    phases: Words
    table: Words


def vector_lanes(itemsize: int) -> int:
    """Elements of one vector of the compiled code."""
    from .native.target import target

    return target().bits // 8 // itemsize


def cut_equal(total: int, most: int) -> int:
    """Size of near-equal parts none of which is above `most`."""
    return -(-total // -(-total // most))


@lru_cache(maxsize=256)
def gather(layer: Layer, adjoint: bool, by_pixels: bool) -> Gather:
    """Plan the forward pass, or the input gradient."""
    size, output = layer.size, layer.output
    source_channels, result_channels = layer.channels, layer.outputs
    if adjoint:
        source_channels, result_channels = result_channels, source_channels
    result_size = size if adjoint else output
    result = (layer.batch, result_channels, *result_size)
    if layer.taps == 1 and layer.stride == (1, 1) and layer.padding == (0, 0):
        size = output = (1, size[0] * size[1])  # pixels alone: one long row
    make = adjoint_axis if adjoint else forward_axis
    ends = zip(output, size, strict=True) if adjoint else zip(size, output, strict=True)
    settings = zip(layer.kernel, layer.stride, layer.padding, layer.dilation, strict=True)
    rows, cols = (make(*pair, *four) for pair, four in zip(ends, settings, strict=True))
    per_group, outputs = source_channels // layer.groups, result_channels // layer.groups

    words = np.zeros(f.WORDS, np.int64)
    words[[f.HEIGHT, f.WIDTH, f.OUT_HEIGHT, f.OUT_WIDTH]] = (
        rows.source,
        cols.source,
        rows.result,
        cols.result,
    )
    words[[f.DOWN, f.RIGHT, f.UP, f.ACROSS]] = rows.pace, cols.pace, rows.step, cols.step
    words[[f.ROWS, f.TOP, f.LEFT]] = rows.positions(0), rows.offsets[0], cols.offsets[0]
    words[[f.CHANNELS, f.OUTPUTS, f.TAPS, f.DEPTH]] = per_group, outputs, layer.taps, per_group
    words[f.SPAN] = span = rows.extent(1)
    lanes = vector_lanes(layer.itemsize)
    if by_pixels:
        wide = 0
        packed = (layer.groups, per_group, layer.taps, outputs)
        pitch, words[f.FLAT] = pixel_pitch(rows, cols)
        if serves_strip(layer, per_group, outputs) and not words[f.FLAT]:
            words[f.COLUMNS] = layer.kernel[1]
    else:
        wide = lanes if outputs <= lanes else 2 * lanes
        packed = (layer.groups, -(-outputs // wide), per_group * layer.taps, wide)
        pitch = cols.extent(cols.positions(0))
        if adjoint:
            words[[f.PACK_COLUMNS, f.PACK_ROW]] = layer.taps, layer.taps
            words[f.PACK_STEP] = outputs * layer.taps
        else:
            words[[f.PACK_COLUMNS, f.PACK_ROW]] = per_group * layer.taps
        words[f.LINE] = cols.positions(0) < min(LEAST_WIDTH, layer.batch)
        if serves_slide(layer, outputs, lanes) and not words[f.LINE]:
            words[f.COLUMNS] = layer.kernel[1]
    words[f.PITCH] = pitch

    def room(images: int, band: int) -> int:
        """Elements of scratch that a task needs."""
        height = (band - 1) * rows.pace + span
        if by_pixels:
            padded = per_group * height * cols.pace * pitch + pitch + 2 * lanes
            if rows.step == cols.step == 1:
                return outputs + padded
            return outputs + padded + (outputs * band + 1) * (cols.result // cols.step + 1) + lanes
        sums = images * band * rows.step * cols.result * wide
        return wide + images * height * source_channels * pitch + lanes + sums

    images, band = task_size(layer.batch, rows.positions(0), room, SCRATCH // layer.itemsize)
    words[[f.IMAGES, f.BAND]] = images, band
    tasks = -(-layer.batch // images) * -(-rows.positions(0) // band) if layer.batch else 1
    units = layer.groups if by_pixels else packed[0] * packed[1]
    words[f.SPLITS] = min(-(-TASKS // tasks), units)

    table: list[tuple[int, int]] = []
    phases: list[tuple[int, ...]] = []
    for (a, row_taps), (b, col_taps) in product(enumerate(rows.phases), enumerate(cols.phases)):
        count = len(row_taps) * len(col_taps)
        phases.append((a, b, rows.positions(a), cols.positions(b), len(table), count))
        # By their place in the source, which is what `strip` relies on.
        for (i, row), (j, col) in product(
            *(sorted(t, key=BY_OFFSET) for t in (row_taps, col_taps))
        ):
            down, right = row - rows.offsets[0], col - cols.offsets[0]
            tap = i * layer.kernel[1] + j
            if by_pixels:
                line = down * cols.pace + right % cols.pace
                table.append((line * pitch + right // cols.pace, tap * outputs))
            else:
                table.append((down * source_channels * pitch + right, tap * wide))
    return Gather(
        wide,
        result,
        packed,
        room(images, band),
        words,
        np.array(phases, np.int64),
        np.array(table, np.int64).reshape(-1, 2),
    )


def serves_strip(layer: Layer, per_group: int, outputs: int) -> bool:
    """Whether consecutive rows share the rows of pixels that they read: see `strip` and `lap`."""
    plain = layer.stride == (1, 1) and layer.dilation[0] == 1
    return plain and per_group == outputs == 1 and layer.kernel[0] == STRIP


def serves_slide(layer: Layer, outputs: int, lanes: int) -> bool:
    """Whether neighbouring results share the pixels that they read: see `slide`."""
    plain = layer.stride == (1, 1) and layer.dilation[1] == 1
    return plain and outputs <= lanes and layer.kernel[1] in SLIDES


def pixel_pitch(rows: Axis, cols: Axis) -> tuple[int, bool]:
    """Columns of a padded row (of each remainder), and whether they are those of the result.

    The zeros after one row may serve as those before the next. Where that makes rows as long as
    the result's, a whole band is computed as one row.
    """
    extent = cols.extent(cols.positions(0))
    left = -cols.offsets[0]
    right = extent - left - cols.source
    plain = rows.step == cols.step == rows.pace == cols.pace == 1
    if plain and left >= 0 and right >= 0 and cols.source + max(left, right) <= cols.result:
        return cols.result, True
    return -(-extent // cols.pace), False


def task_size(batch: int, rows: int, room, most: int) -> tuple[int, int]:
    """Images and rows of one task."""
    if room(1, rows) <= most:
        images = 1
        while images < -(-batch // TASKS) and room(images + 1, rows) <= most:
            images += 1
        return images, rows
    band = rows
    while band > 1 and room(1, band) > most:
        band -= 1
    return 1, cut_equal(rows, band)


@dataclass(frozen=True)
class Gradient:
    """A weight gradient, ready to run.

    Attributes
    ----------
    wide : int
        Lanes of a block of output channels; 0: lanes are pixels.
    images : int
        Images that are laid out at a time.
    splits : int
        Parts of these images with sums of their own.
    """

    wide: int
    images: int
    splits: int
    rows: int
    cols: int
    blocks: int
    kernel: Pair
    output: Pair
    room: int
    words: Words
    table: Words


@lru_cache(maxsize=256)
def gradient(layer: Layer, by_pixels: bool) -> Gradient:
    """Plan the weight gradient."""
    size, output = layer.size, layer.output
    if layer.taps == 1 and layer.stride == (1, 1) and layer.padding == (0, 0):
        size = output = (1, size[0] * size[1])
    settings = zip(
        size, output, layer.kernel, layer.stride, layer.padding, layer.dilation, strict=True
    )
    rows, cols = (forward_axis(*axis) for axis in settings)
    per_group, outputs = layer.channels // layer.groups, layer.outputs // layer.groups
    lanes = vector_lanes(layer.itemsize)
    words = np.zeros(f.WORDS, np.int64)
    words[[f.HEIGHT, f.WIDTH, f.OUT_HEIGHT, f.OUT_WIDTH]] = (*size, *output)
    words[[f.DOWN, f.RIGHT, f.TOP, f.LEFT]] = *layer.stride, rows.offsets[0], cols.offsets[0]
    words[[f.CHANNELS, f.OUTPUTS, f.TAPS]] = per_group, outputs, layer.taps
    words[[f.KERNEL_WIDTH, f.DILATE_ROWS, f.DILATE_COLUMNS]] = layer.kernel[1], *layer.dilation
    words[f.SPAN] = rows.extent(1)
    height, width = rows.extent(output[0]), cols.extent(output[1])
    weights = layer.outputs * per_group * layer.taps * layer.itemsize

    if by_pixels:
        pitch, words[f.FLAT] = pixel_pitch(rows, cols)
        words[f.PITCH] = pitch
        if serves_strip(layer, per_group, outputs):
            words[f.COLUMNS] = layer.kernel[1]
        plane = height * cols.pace * pitch
        words[f.IMAGES] = images = max(1, min(layer.batch, SCRATCH // layer.itemsize // plane))
        splits = max(1, min(layer.batch, -(-TASKS // layer.channels), PARTIAL // weights))
        sums = lanes * 32
        table = [
            (i * cols.pace + j % cols.pace) * pitch + j // cols.pace
            for i, j in product(
                range(0, layer.kernel[0] * layer.dilation[0], layer.dilation[0]),
                range(0, layer.kernel[1] * layer.dilation[1], layer.dilation[1]),
            )
        ]
        return Gradient(
            0, layer.batch, splits, height, width, 0, layer.kernel, output,
            sums + images * plane + pitch + lanes, words, np.array(table, np.int64),
        )  # fmt: skip

    wide = lanes if outputs <= lanes else 2 * lanes
    blocks = -(-outputs // wide)
    row_bytes = (layer.stride[0] * width * layer.channels + output[1] * wide) * layer.itemsize
    words[f.BAND] = cut_equal(output[0], max(1, SCRATCH // row_bytes))
    image_bytes = height * width * layer.channels * layer.itemsize
    image_bytes += output[0] * output[1] * layer.groups * blocks * wide * layer.itemsize
    images = max(1, min(layer.batch, CHUNK // image_bytes))
    sums = layer.groups * blocks * wide * per_group * layer.taps * layer.itemsize
    tasks = layer.groups * blocks * layer.kernel[0]
    splits = max(1, min(images, -(-TASKS // tasks), PARTIAL // sums))
    positions = np.arange(output[1])
    table = np.stack([positions * layer.stride[1] * layer.channels, positions * wide], 1)
    return Gradient(
        wide, images, splits, height, width, blocks, layer.kernel, output,
        per_group * layer.taps * wide, words, np.ascontiguousarray(table, np.int64),
    )  # fmt: skip
