"""Columns of a convolution (im2col), for the references: one large matrix product.

The columns of a few images at a time are gathered into a matrix (C*KH*KW, images*positions), which
one BLAS call multiplies. Three choices were measured on the layers of `conv.SAMPLES` (see
README.md):

- The channel axis leads, so a chunk of images is one wide product rather than one per image.
- A chunk holds about `CHUNK_BYTES` of columns: small enough to be read from cache, wide enough
  for BLAS.
- At stride 1 a window's positions are read in runs that cross row ends: the plane is walked at the
  pitch of the padded input, OW wanted positions followed by the few between rows. The copies become
  long and contiguous; the surplus is cropped from the product (or is zero in the gradient).
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .common import Floats, Pair, conv_output_size

CHUNK_BYTES = 1 << 20  # Half of it is as good; twice of it leaves the cache and cost up to 60 %.


def pair(sizes: Sequence[int]) -> Pair:
    """Return the last two sizes of a shape as what they are."""
    height, width = sizes
    return height, width


def product(left: Floats, right: Floats) -> Floats:
    """Return left @ right, group by group."""
    if left.shape[2] == 1:
        return left * right  # BLAS is four times slower at outer products (depthwise layers).
    return np.matmul(left, right)


class Plane:
    """How the windows of one convolution lie in the plane of its padded input.

    A run lists the output positions of one image. At stride 1 it keeps the padded input's pitch
    (its row length), so that each kernel tap reads one contiguous stretch of the plane; at other
    strides it holds the wanted positions alone and the pitch is OW.
    """

    def __init__(
        self, size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
    ) -> None:
        rows, cols = conv_output_size(
            size, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation
        )
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.output = (rows, cols)
        self.padded = (size[0] + 2 * padding[0], size[1] + 2 * padding[1])
        self.contiguous = stride == (1, 1)
        self.pitch = self.padded[1] if self.contiguous else cols
        self.run = (rows - 1) * self.pitch + cols
        self.run_shape = (self.run,) if self.contiguous else self.output

    def pad(self, x: Floats) -> Floats:
        """Return x with its zeros around it, C-contiguous; x itself where that changes nothing."""
        if self.padding == (0, 0):
            return np.ascontiguousarray(x)
        padded = np.zeros((*x.shape[:2], *self.padded), x.dtype)
        (top, left), (height, width) = self.padding, x.shape[2:]
        padded[:, :, top : top + height, left : left + width] = x
        return padded

    def chunks(self, x: Floats) -> list[slice]:
        """Split the batch so that one part has about CHUNK_BYTES of columns."""
        batch, channels = x.shape[:2]
        taps = self.kernel_size[0] * self.kernel_size[1]
        step = max(1, CHUNK_BYTES // max(1, channels * taps * self.run * x.itemsize))
        return [slice(start, min(start + step, batch)) for start in range(0, batch, step)]

    def windows(self, padded: Floats) -> Floats:
        """View the padded input as (C, KH, KW, N, *run_shape): every tap's run, in place."""
        batch, channels = padded.shape[:2]
        image, channel, row, pixel = padded.strides
        taps = (row * self.dilation[0], pixel * self.dilation[1])
        steps = (pixel,) if self.contiguous else (row * self.stride[0], pixel * self.stride[1])
        shape = (channels, *self.kernel_size, batch, *self.run_shape)
        return as_strided(padded, shape, (channel, *taps, image, *steps), writeable=False)

    def add_windows(self, padded: Floats, columns: Floats) -> None:
        """Add columns (C*KH*KW, N*run) into a padded input: the adjoint of `windows`."""
        batch, channels, height, width = padded.shape
        columns = columns.reshape(channels, *self.kernel_size, batch, *self.run_shape)
        if self.contiguous:
            padded = padded.reshape(batch, channels, height * width)
        by_channel = padded.swapaxes(0, 1)
        for i in range(self.kernel_size[0]):
            for j in range(self.kernel_size[1]):
                by_channel[:, :, *self._tap(i, j)] += columns[:, i, j]

    def _tap(self, i: int, j: int) -> tuple[slice, ...]:
        """Where tap i, j reads: of the flattened plane at stride 1, else of rows and columns."""
        top, left = i * self.dilation[0], j * self.dilation[1]
        if self.contiguous:
            start = top * self.pitch + left
            return (slice(start, start + self.run),)
        (rows, cols), (down, right) = self.output, self.stride
        return (
            slice(top, top + down * (rows - 1) + 1, down),
            slice(left, left + right * (cols - 1) + 1, right),
        )

    def crop(self, product: Floats, batch: int, outputs: int) -> Floats:
        """View a product (O, N*run) as (N, O, OH, OW), skipping what lies between the rows."""
        item = product.itemsize
        strides = (self.run * item, batch * self.run * item, self.pitch * item, item)
        return as_strided(product, (batch, outputs, *self.output), strides, writeable=False)

    def spread(self, g: Floats) -> Floats:
        """Lay g (N, O, OH, OW) out as (O, N, run), zero between the rows: the adjoint of `crop`."""
        batch, outputs, rows, cols = g.shape
        if self.pitch != cols:
            wide = np.zeros((batch, outputs, rows, self.pitch), g.dtype)
            wide[..., :cols] = g
            g = wide
        return g.reshape(batch, outputs, rows * self.pitch)[:, :, : self.run].swapaxes(0, 1)
