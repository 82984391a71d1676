"""Two-dimensional convolution and its two adjoints: im2col and one large matrix product.

The columns of a few images at a time are gathered into a matrix (C*KH*KW, images*positions), which
one BLAS call multiplies. Three choices were measured on the layers of `SAMPLES` (see README.md):

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

from .common import Floats, Pair, Sample, conv_output_size
from .dispatch import reference

CHUNK_BYTES = 1 << 20  # Half of it is as good; twice of it leaves the cache and cost up to 60 %.


def _pair(sizes: Sequence[int]) -> Pair:
    height, width = sizes
    return height, width


def _product(left: Floats, right: Floats) -> Floats:
    """Return left @ right, group by group."""
    if left.shape[2] == 1:
        return left * right  # BLAS is four times slower at outer products (depthwise layers).
    return np.matmul(left, right)


class _Plane:
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


@reference
def conv2d(
    x: Floats, weight: Floats, *, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Floats:
    """Cross-correlate images with a bank of kernels.

    ::

        y[n, o, p, q] = sum over c, i, j of
            weight[o, c, i, j] * x[n, group(o)*C/groups + c, p*SH + i*DH - PH, q*SW + j*DW - PW]

    where x is zero outside its plane and group(o) = o // (O/groups).

    Parameters
    ----------
    x : array (N, C, H, W)
    weight : array (O, C/groups, KH, KW)
        Of the dtype of x.
    stride, padding, dilation : pair of int
        Padding is the number of zeros on either side.
    groups : int
        Divides C and O.

    Returns
    -------
    array (N, O, OH, OW)
        New, C-contiguous, of the dtype of x; OH and OW as `conv_output_size` gives them.

    Notes
    -----
    Arguments are trusted: they agree in shape and dtype, and OH, OW >= 1. Any strides and read-only
    arrays will do. N, C or O may be 0 (an empty sum is 0). Where padding meets an infinite or NaN
    weight the product 0 * weight is NaN, as in the equation.
    """
    outputs, per_group, *kernel = weight.shape
    plane = _Plane(_pair(x.shape[2:]), _pair(kernel), stride, padding, dilation)
    windows = plane.windows(plane.pad(x))
    rows = per_group * kernel[0] * kernel[1]
    matrix = weight.reshape(groups, outputs // groups, rows)
    y = np.empty((len(x), outputs, *plane.output), x.dtype)
    for part in plane.chunks(x):
        images = part.stop - part.start
        columns = windows[:, :, :, part].reshape(groups, rows, images * plane.run)
        y[part] = plane.crop(_product(matrix, columns), images, outputs)
    return y


@reference
def conv2d_input(
    g: Floats,
    weight: Floats,
    *,
    size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    """Adjoint of `conv2d` in x: the gradient of <g, conv2d(x, weight)> with respect to x.

    ::

        dx[n, c, p*SH + i*DH - PH, q*SW + j*DW - PW] += weight[o, c', i, j] * g[n, o, p, q]

    summed over all o, i, j, p, q that meet in it. Pixels that no window covers get 0.

    Parameters
    ----------
    g : array (N, O, OH, OW)
    weight : array (O, C/groups, KH, KW)
    size : pair of int
        H and W of x, which OH and OW do not determine when the stride is over 1.
    stride, padding, dilation, groups
        As given to `conv2d`.

    Returns
    -------
    array (N, C, H, W)
        New, C-contiguous, of the dtype of g.
    """
    outputs, per_group, *kernel = weight.shape
    plane = _Plane(size, _pair(kernel), stride, padding, dilation)
    rows = per_group * kernel[0] * kernel[1]
    matrix = weight.reshape(groups, outputs // groups, rows).swapaxes(1, 2)
    spread = plane.spread(g)
    dx = np.zeros((len(g), per_group * groups, *plane.padded), g.dtype)
    for part in plane.chunks(dx):
        images = part.stop - part.start
        grads = spread[:, part].reshape(groups, outputs // groups, images * plane.run)
        plane.add_windows(dx[part], _product(matrix, grads))
    (top, left), (height, width) = padding, size
    return np.ascontiguousarray(dx[:, :, top : top + height, left : left + width])


@reference
def conv2d_weight(
    x: Floats,
    g: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    """Adjoint of `conv2d` in weight: the gradient of <g, conv2d(x, weight)> with respect to weight.

    ::

        dweight[o, c, i, j] = sum over n, p, q of
            g[n, o, p, q] * x[n, group(o)*C/groups + c, p*SH + i*DH - PH, q*SW + j*DW - PW]

    Parameters
    ----------
    x : array (N, C, H, W)
    g : array (N, O, OH, OW)
    kernel_size : pair of int
        KH and KW.
    stride, padding, dilation, groups
        As given to `conv2d`.

    Returns
    -------
    array (O, C/groups, KH, KW)
        New, C-contiguous, of the dtype of x. Chunks of images are added in order, so that the sum
        is the same on every run.
    """
    outputs, per_group = g.shape[1], x.shape[1] // groups
    plane = _Plane(_pair(x.shape[2:]), kernel_size, stride, padding, dilation)
    windows = plane.windows(plane.pad(x))
    spread = plane.spread(g)
    rows = per_group * kernel_size[0] * kernel_size[1]
    dweight = np.zeros((groups, outputs // groups, rows), x.dtype)
    for part in plane.chunks(x):
        positions = (part.stop - part.start) * plane.run
        columns = windows[:, :, :, part].reshape(groups, rows, positions)
        grads = spread[:, part].reshape(groups, outputs // groups, positions)
        dweight += np.matmul(grads, columns.swapaxes(1, 2))
    return dweight.reshape(outputs, per_group, *kernel_size)


def _sample(
    name: str,
    x: tuple[int, int, int, int],
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Sample:
    return Sample(
        name,
        (x, (outputs, x[1] // groups, kernel, kernel)),
        {
            "stride": (stride, stride),
            "padding": (padding, padding),
            "dilation": (dilation, dilation),
            "groups": groups,
        },
    )


SAMPLES = (
    _sample("lenet5-c1", (64, 1, 32, 32), 6, 5),
    _sample("lenet5-c3", (64, 6, 14, 14), 16, 5),
    _sample("lenet5-c5", (64, 16, 5, 5), 120, 5),
    _sample("cifar-16", (32, 16, 32, 32), 16, 3, padding=1),
    _sample("cifar-16-stride2", (32, 16, 32, 32), 32, 3, stride=2, padding=1),
    _sample("cifar-64", (32, 64, 8, 8), 64, 3, padding=1),
    _sample("resnet-stem", (4, 3, 224, 224), 64, 7, stride=2, padding=3),
    _sample("resnet-64", (4, 64, 56, 56), 64, 3, padding=1),
    _sample("resnet-pointwise", (4, 64, 56, 56), 256, 1),
    _sample("mobile-depthwise", (4, 64, 56, 56), 64, 3, padding=1, groups=64),
    _sample("atrous", (4, 32, 32, 32), 32, 3, padding=2, dilation=2),
)
"""Arguments of `conv2d`; its adjoints take the same layers."""
