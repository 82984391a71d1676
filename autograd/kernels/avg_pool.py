"""Two-dimensional average pooling and its adjoint."""

import numpy as np

from .common import Floats, Pair, pool_output_size
from .dispatch import fast, reference
from .pool import UNIT, corners, extend, form_of, reach, slices


@reference
def avg_pool2d(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Floats:
    """Mean of each window.

    ::

        y[n, c, p, q] = sum over i, j of x[n, c, p*SH + i - PH, q*SW + j - PW] / divisor[p, q]

    Places outside x count as 0. The divisor is `divisor_override` where given; else the number of
    the window's places inside x, or, with `count_include_pad`, inside x and its padding (what hangs
    over the far padding in `ceil_mode` never counts).

    Parameters
    ----------
    x : array (N, C, H, W)
    kernel_size, stride, padding : pair of int
    ceil_mode, count_include_pad : bool
    divisor_override : int, optional
        Not 0.

    Returns
    -------
    array (N, C, OH, OW)
        New, C-contiguous, of the dtype of x.

    Notes
    -----
    Arguments are trusted: OH, OW >= 1, and padding is at most half the kernel. N or C may be 0.
    """
    size = (x.shape[2], x.shape[3])
    output = _avg_output(size, kernel_size, stride, padding, ceil_mode)
    wide = extend(x, 0.0, reach(output, kernel_size, stride, (1, 1)), padding)
    # Down the columns first: KH + KW passes instead of KH * KW, and the longer ones contiguous.
    down, right = (slices(*axis) for axis in zip(kernel_size, stride, output, strict=True))
    columns = wide[:, :, down[0]].copy(order="C")
    for rows in down[1:]:
        columns += wide[:, :, rows]
    y = columns[..., right[0]].copy(order="C")
    for cols in right[1:]:
        y += columns[..., cols]
    if divisor_override is None:
        y /= _window_sizes(output, size, kernel_size, stride, padding, count_include_pad, x.dtype)
    else:
        y /= divisor_override
    return y


@reference
def avg_pool2d_backward(
    g: Floats,
    *,
    size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Floats:
    """Adjoint of `avg_pool2d`: the gradient of <g, avg_pool2d(x)> with respect to x.

    ::

        dx[n, c, p * SH + i - PH, q * SW + j - PW] += g[n, c, p, q] / divisor[p, q]

    Parameters
    ----------
    g : array (N, C, OH, OW)
    size : pair of int
        H and W of x.
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As given to `avg_pool2d`.

    Returns
    -------
    array (N, C, H, W)
        New, C-contiguous, of the dtype of g. Pixels that no window covers get 0.
    """
    output = (g.shape[2], g.shape[3])
    if divisor_override is None:
        g = g / _window_sizes(
            output, size, kernel_size, stride, padding, count_include_pad, g.dtype
        )
    else:
        g = g / divisor_override
    ends = reach(output, kernel_size, stride, (1, 1))
    high, wide = (max(n + p, end) for n, p, end in zip(size, padding, ends, strict=True))
    down, right = (slices(*axis) for axis in zip(kernel_size, stride, output, strict=True))
    columns = np.zeros((*g.shape[:3], wide), g.dtype)
    for cols in right:
        _add(columns[..., cols], g, overlapping=kernel_size[1] > stride[1])
    dx = np.zeros((*g.shape[:2], high, wide), g.dtype)
    for rows in down:
        _add(dx[:, :, rows], columns, overlapping=kernel_size[0] > stride[0])
    (top, left), (height, width) = padding, size
    return np.ascontiguousarray(dx[:, :, top : top + height, left : left + width])


def _add(target: Floats, values: Floats, *, overlapping: bool) -> None:
    """Add values to a slice of an array of zeros; where no two slices overlap, write them."""
    if overlapping:
        target += values
    else:
        target[...] = values


def _avg_output(size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, ceil: bool) -> Pair:
    rows, cols = pool_output_size(
        size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=(1, 1),
        ceil_mode=ceil,
    )
    return rows, cols


def _window_sizes(
    output: Pair,
    size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    dtype: np.dtype[np.floating],
) -> Floats:
    """Return how many places of each window count, (OH, OW)."""
    counts = []
    for o, n, k, s, p in zip(output, size, kernel_size, stride, padding, strict=True):
        start = corners(o, s, p)
        end = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        counts.append(np.maximum(end - start, 1))  # An empty window sums to 0, whatever divides it.
    return (counts[0][:, None] * counts[1]).astype(dtype)


UNIT.kernel(
    "avg_values(x: T[n, c, height, width], rows: int, cols: int, form: i8[parts]) "
    "-> y: T[n, c, rows, cols]"
)
UNIT.kernel(
    "avg_input(g: T[n, c, rows, cols], height: int, width: int, form: i8[parts]) "
    "-> dx: T[n, c, height, width]"
)


@fast(avg_pool2d, UNIT, floats_only=True)
def _avg_pool2d(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Floats:
    divisor = divisor_override or 0
    size = x.shape[2:]
    form = form_of(
        size, kernel_size, stride, padding, (1, 1), ceil_mode, count_include_pad, divisor
    )
    return UNIT.avg_values(x, *form)


@fast(avg_pool2d_backward, UNIT, floats_only=True)
def _avg_pool2d_backward(
    g: Floats,
    *,
    size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Floats:
    divisor = divisor_override or 0
    rows, cols, form = form_of(
        size, kernel_size, stride, padding, (1, 1), ceil_mode, count_include_pad, divisor
    )
    if g.shape[2:] != (rows, cols):
        raise ValueError(f"avg_pool2d_backward: g has shape {g.shape}, expected {(rows, cols)}")
    return UNIT.avg_input(g, *size, form)
