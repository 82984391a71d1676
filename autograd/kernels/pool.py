"""What max and average pooling have in common: how windows lie, and as what kernels are told so.

The references pass over the windows as over one strided slice of the input per tap (place in the
window): few NumPy calls over large arrays, none of which copies the windows out.
"""

from functools import lru_cache

import numpy as np

from .common import Floats, Indices, Pair, Sample, pool_output_size
from .native import Unit

UNIT = Unit("pool", "autograd.kernels.native.pool", uses=("pool_vectors",))


@lru_cache(maxsize=1024)
def form_of(
    size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
    padded: bool = False,
    divisor: int = 0,
) -> tuple[int, int, Indices]:
    """Rows and columns of windows, and the windows as the compiled code reads them.

    Raises
    ------
    ValueError
        If a number is out of its range or no window fits.
    """
    rows = cols = 0
    if min(*kernel_size, *stride, *dilation) >= 1 and min(padding) >= 0:
        rows, cols = pool_output_size(
            size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
        )
    if min(rows, cols) < 1:
        raise ValueError(
            f"pooling: kernel_size {kernel_size}, stride {stride}, padding {padding} and dilation "
            f"{dilation} do not fit an image of {size}"
        )
    numbers = (*kernel_size, *stride, *padding, *dilation, padded, divisor)
    return rows, cols, np.array(numbers, np.int64)


def reach(output: Pair, kernel_size: Pair, stride: Pair, dilation: Pair) -> Pair:
    """Rows and columns from the first window's corner to the last window's end."""
    rows, cols = (
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(output, stride, kernel_size, dilation, strict=True)
    )
    return rows, cols


def extend(x: Floats, fill: float, reach: Pair, padding: Pair) -> Floats:
    """Return x with `fill` wherever windows reach beyond it; x itself where none does."""
    (top, left), (height, width) = padding, x.shape[2:]
    high, wide = max(reach[0], top + height), max(reach[1], left + width)
    if (high, wide) == (height, width):
        return x
    extended = np.full((*x.shape[:2], high, wide), fill, x.dtype)
    extended[:, :, top : top + height, left : left + width] = x
    return extended


def slices(taps: int, stride: int, windows: int, dilation: int = 1) -> list[slice]:
    """Return one slice of an axis per tap: where the windows have it."""
    starts = range(0, taps * dilation, dilation)
    return [slice(start, start + stride * (windows - 1) + 1, stride) for start in starts]


def taps(x: Floats, output: Pair, kernel_size: Pair, stride: Pair, dilation: Pair) -> list[Floats]:
    """Return views (N, C, OH, OW) of x, one per tap, in row-major order."""
    down, right = (
        slices(*axis) for axis in zip(kernel_size, stride, output, dilation, strict=True)
    )
    return [x[:, :, rows, cols] for rows in down for cols in right]


def corners(windows: int, stride: int, padding: int) -> Indices:
    """Where the windows begin along one axis."""
    return np.arange(windows) * stride - padding


def _sample(
    name: str,
    x: tuple[int, int, int, int],
    kernel: int,
    stride: int,
    *,
    padding: int = 0,
    ceil_mode: bool = False,
) -> Sample:
    params = {
        "kernel_size": (kernel, kernel),
        "stride": (stride, stride),
        "padding": (padding, padding),
        "ceil_mode": ceil_mode,
    }
    return Sample(name, (x,), params)


SAMPLES = (
    _sample("lenet5-s2", (64, 6, 28, 28), 2, 2),
    _sample("lenet5-s4", (64, 16, 10, 10), 2, 2),
    _sample("vgg", (8, 64, 32, 32), 2, 2),
    _sample("resnet-stem", (4, 64, 112, 112), 3, 2, padding=1),
    _sample("inception-ceil", (4, 64, 27, 27), 3, 2, ceil_mode=True),
    _sample("global", (32, 64, 8, 8), 8, 8),
)
"""What max and average pooling have in common of their arguments."""
