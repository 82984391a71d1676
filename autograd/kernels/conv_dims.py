"""Convolution of sequences and of volumes, by the kernels for images.

A sequence is an image one pixel high. Of a volume every output depth becomes an image of its own,
whose channels are those of all the depths under the kernel: channel and depth tap, in this order,
are also how a weight lies in memory, so that one call of `conv2d` sums over both. Such images
repeat the volume once for each depth tap; they are made `CHUNK_BYTES` at a time.

A transposed convolution is the adjoint in x, with the sizes of its result given.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from . import memory
from .common import Floats, Pair, conv_output_size
from .conv import conv2d, conv2d_input, conv2d_weight
from .conv_columns import pair

One: TypeAlias = tuple[int]
Triple: TypeAlias = tuple[int, int, int]

CHUNK_BYTES = 1 << 24
"""Bytes of images that are made of a volume at a time: enough tasks for all threads."""


# --- Sequences ------------------------------------------------------------------------------------


def conv1d(
    x: Floats,
    weight: Floats,
    bias: Floats | None,
    *,
    stride: One,
    padding: One,
    dilation: One,
    groups: int,
) -> Floats:
    """`conv2d` of x (N, C, W) with weight (O, C/groups, KW)."""
    y = conv2d(
        x[:, :, None],
        weight[:, :, None],
        bias,
        stride=(1, *stride),
        padding=(0, *padding),
        dilation=(1, *dilation),
        groups=groups,
    )
    return y[:, :, 0]


def conv1d_input(
    g: Floats,
    weight: Floats,
    *,
    size: One,
    stride: One,
    padding: One,
    dilation: One,
    groups: int,
) -> Floats:
    """`conv2d_input` of g (N, O, OW) with weight (O, C/groups, KW)."""
    dx = conv2d_input(
        g[:, :, None],
        weight[:, :, None],
        size=(1, *size),
        stride=(1, *stride),
        padding=(0, *padding),
        dilation=(1, *dilation),
        groups=groups,
    )
    return dx[:, :, 0]


def conv1d_weight(
    x: Floats,
    g: Floats,
    *,
    kernel_size: One,
    stride: One,
    padding: One,
    dilation: One,
    groups: int,
) -> Floats:
    """`conv2d_weight` of x (N, C, W) and g (N, O, OW)."""
    dweight = conv2d_weight(
        x[:, :, None],
        g[:, :, None],
        kernel_size=(1, *kernel_size),
        stride=(1, *stride),
        padding=(0, *padding),
        dilation=(1, *dilation),
        groups=groups,
    )
    return dweight[:, :, 0]


# --- Volumes --------------------------------------------------------------------------------------


def conv3d(
    x: Floats,
    weight: Floats,
    bias: Floats | None,
    *,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
) -> Floats:
    """`conv2d` of x (N, C, D, H, W) with weight (O, C/groups, KD, KH, KW)."""
    outputs, per_group, taps = weight.shape[:3]
    depths = Depths(x.shape, taps, stride[0], padding[0], dilation[0])
    flat = weight.reshape(outputs, per_group * taps, *weight.shape[3:])
    plane = conv_output_size(
        x.shape[3:],
        kernel_size=weight.shape[3:],
        stride=stride[1:],
        padding=padding[1:],
        dilation=dilation[1:],
    )
    if min(plane) < 1:
        raise ValueError(f"conv3d: weight {weight.shape} does not fit into x {x.shape}")
    y = memory.empty((len(x), outputs, depths.count, *plane), x.dtype)
    for part in depths.chunks(x.itemsize):
        images = conv2d(
            depths.images(x, part),
            flat,
            bias,
            stride=pair(stride[1:]),
            padding=pair(padding[1:]),
            dilation=pair(dilation[1:]),
            groups=groups,
        )
        y[part[0], :, part[1]] = apart(images, part)
    return y


def conv3d_input(
    g: Floats,
    weight: Floats,
    *,
    size: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
) -> Floats:
    """`conv2d_input` of g (N, O, OD, OH, OW) with weight (O, C/groups, KD, KH, KW)."""
    outputs, per_group, taps = weight.shape[:3]
    dx = np.zeros((len(g), per_group * groups, *size), g.dtype)
    depths = Depths(dx.shape, taps, stride[0], padding[0], dilation[0])
    depths.check(g)
    flat = weight.reshape(outputs, per_group * taps, *weight.shape[3:])
    for part in depths.chunks(g.itemsize):
        images = conv2d_input(
            together(g, part),
            flat,
            size=pair(size[1:]),
            stride=pair(stride[1:]),
            padding=pair(padding[1:]),
            dilation=pair(dilation[1:]),
            groups=groups,
        )
        depths.add_images(dx, images, part)
    return dx


def conv3d_weight(
    x: Floats,
    g: Floats,
    *,
    kernel_size: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
) -> Floats:
    """`conv2d_weight` of x (N, C, D, H, W) and g (N, O, OD, OH, OW)."""
    depths = Depths(x.shape, kernel_size[0], stride[0], padding[0], dilation[0])
    depths.check(g)
    per_group = x.shape[1] // groups
    flat = (g.shape[1], per_group * kernel_size[0], *kernel_size[1:])
    dweight = np.zeros(flat, x.dtype)
    for part in depths.chunks(x.itemsize):
        dweight += conv2d_weight(
            depths.images(x, part),
            together(g, part),
            kernel_size=pair(kernel_size[1:]),
            stride=pair(stride[1:]),
            padding=pair(padding[1:]),
            dilation=pair(dilation[1:]),
            groups=groups,
        )
    return dweight.reshape(g.shape[1], per_group, *kernel_size)


Part: TypeAlias = tuple[slice, slice]
"""Some volumes of a batch, and some depths of the result."""


def lengths(part: Part) -> Pair:
    """Count volumes and depths."""
    volumes, depths = part
    return volumes.stop - volumes.start, depths.stop - depths.start


def together(g: Floats, part: Part) -> Floats:
    """Make images of some depths: (N, O, OD, OH, OW) to (images, O, OH, OW)."""
    depths_first = g[part[0], :, part[1]].swapaxes(1, 2)
    return depths_first.reshape(len(depths_first) * depths_first.shape[1], *depths_first.shape[2:])


def apart(images: Floats, part: Part) -> Floats:
    """View images of some depths as volumes: the way back."""
    return images.reshape(*lengths(part), *images.shape[1:]).swapaxes(1, 2)


class Depths:
    """The depths of a volume as they lie under those of a kernel.

    Attributes
    ----------
    count : int
        Depths of the result.
    """

    def __init__(
        self, volume: tuple[int, ...], taps: int, stride: int, padding: int, dilation: int
    ) -> None:
        if min(stride, dilation) < 1 or padding < 0:
            raise ValueError(
                f"conv3d: expected a depth's stride and dilation from 1 and padding from 0, met "
                f"{stride=}, {padding=}, {dilation=}"
            )
        self.batch, self.channels, self.depth, *plane = volume
        self.plane: Pair = pair(plane)
        self.taps, self.stride, self.padding, self.dilation = taps, stride, padding, dilation
        self.count = (self.depth + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        if self.count < 1:
            raise ValueError(f"conv3d: {taps} depths do not fit into x {volume} with {padding=}")

    def check(self, g: Floats) -> None:
        """Refuse a gradient of other depths; `conv2d` looks at the rest."""
        if g.ndim != 5 or (len(g), g.shape[2]) != (self.batch, self.count):
            raise ValueError(
                f"conv3d: the gradient has shape {g.shape}, expected {self.batch} volumes of "
                f"{self.count} depths"
            )

    def chunks(self, itemsize: int) -> Iterator[Part]:
        """Cut the work by its sizes alone."""
        height, width = self.plane
        image = max(1, self.channels * self.taps * height * width * itemsize)
        depths = min(self.count, max(1, CHUNK_BYTES // image))
        volumes = max(1, CHUNK_BYTES // (image * self.count))
        for first in range(0, self.batch, volumes):
            for start in range(0, self.count, depths):
                stop = min(start + depths, self.count)
                yield slice(first, min(first + volumes, self.batch)), slice(start, stop)

    def images(self, x: Floats, part: Part) -> Floats:
        """Gather what some depths of the result read: (images, C * KD, H, W)."""
        volumes, depths = part
        lead = lengths(part)
        images = memory.empty((*lead, self.channels, self.taps, *self.plane), x.dtype)
        for tap in range(self.taps):
            read, inside = self._under(tap, depths)
            images[:, : inside.start, :, tap] = 0
            images[:, inside, :, tap] = x[volumes, :, read].swapaxes(1, 2)
            images[:, inside.stop :, :, tap] = 0
        return images.reshape(lead[0] * lead[1], self.channels * self.taps, *self.plane)

    def add_images(self, dx: Floats, images: Floats, part: Part) -> None:
        """Add images where `images` would read them: its adjoint."""
        volumes, depths = part
        lead = lengths(part)
        images = images.reshape(*lead, self.channels, self.taps, *self.plane)
        for tap in range(self.taps):
            read, inside = self._under(tap, depths)
            dx[volumes, :, read] += images[:, inside, :, tap].swapaxes(1, 2)

    def _under(self, tap: int, depths: slice) -> Part:
        """Which depths of the volume a tap reads, and for which of some results."""
        offset = tap * self.dilation - self.padding
        low = min(max(depths.start, -(offset // self.stride)), depths.stop)
        high = min(depths.stop, (self.depth - 1 - offset) // self.stride + 1)
        high = max(low, high)
        first = low * self.stride + offset
        stop = first + (high - low - 1) * self.stride + 1 if high > low else first
        return slice(first, stop, self.stride), slice(low - depths.start, high - depths.start)
