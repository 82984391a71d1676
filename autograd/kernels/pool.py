"""Two-dimensional max and average pooling and their adjoints.

A pass over the windows is a pass over one strided slice of the input per tap (place in the window):
few NumPy calls over large arrays, none of which copies the windows out.
"""

import numpy as np

from .common import Floats, Indices, Pair, Sample, pool_output_size
from .dispatch import reference


@reference
def max_pool2d(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> tuple[Floats, Indices]:
    """Largest value of each window and where it stands.

    ::

        y[n, c, p, q] = max over i, j of x[n, c, p*SH + i*DH - PH, q*SW + j*DW - PW]

    Places outside x count as -inf.

    Parameters
    ----------
    x : array (N, C, H, W)
    kernel_size, stride, padding, dilation : pair of int
    ceil_mode : bool
        Let a last window hang over the far edge (`pool_output_size`).

    Returns
    -------
    y : array (N, C, OH, OW)
        New, C-contiguous, of the dtype of x.
    indices : int64 array (N, C, OH, OW)
        row * W + column in the plane of x: the first of equal maxima in row-major order. In a
        window with NaN, y is NaN and the index that of the last NaN (as in PyTorch). A window of
        -inf alone has the index of its first place inside x.

    Notes
    -----
    Arguments are trusted: OH, OW >= 1, and padding is at most half the (dilated) kernel. N or C
    may be 0. Only where padding meets a dilation larger than the input can a window lie wholly
    outside x: it yields -inf and an index inside the plane that means nothing.
    """
    height, width = x.shape[2:]
    taps = _max_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    rows, cols = taps[0].shape[2:]

    # Which tap won, as i * KW + j, in bytes where they suffice: those passes cost next to nothing.
    code = np.min_scalar_type(max(0, len(taps) - 1)).type
    down = _first_inside(rows, height, stride[0], padding[0], dilation[0])
    right = _first_inside(cols, width, stride[1], padding[1], dilation[1])
    y = taps[0].copy(order="C")
    won = np.empty(y.shape, code)
    won[...] = down[:, None] * kernel_size[1] + right
    for tap in range(1, len(taps)):
        # Taps are met in order, so the one that won last is the largest that ever won.
        np.maximum(won, (taps[tap] > y).view(np.uint8) * code(tap), out=won)
        np.maximum(y, taps[tap], out=y)

    if np.isnan(np.max(y, initial=-np.inf)):
        for tap, values in enumerate(taps):
            won[np.isnan(values)] = tap  # A window with NaN ends up with its last one.

    # A tap's index is the window's corner plus an offset, and the corner may lie in the padding.
    corner = _corners(rows, stride[0], padding[0])[:, None] * width
    corner = corner + _corners(cols, stride[1], padding[1])
    offset = np.arange(kernel_size[0])[:, None] * (dilation[0] * width)
    offset = (offset + np.arange(kernel_size[1]) * dilation[1]).ravel()
    indices = offset.take(won)
    indices += corner
    if np.any(padding) and np.any(np.greater(dilation, (height, width))):
        np.clip(indices, 0, height * width - 1, out=indices)
    return y, indices


@reference
def max_pool2d_values(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Floats:
    """The y of `max_pool2d` alone, at a fraction of its cost; the same contract."""
    taps = _max_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = taps[0].copy(order="C")
    for values in taps[1:]:
        np.maximum(y, values, out=y)
    return y


def _max_taps(
    x: Floats, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> list[Floats]:
    """Return the taps of every window, with -inf outside x."""
    output = pool_output_size(
        x.shape[2:],
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    rows, cols = output
    wide = _extend(x, -np.inf, _reach((rows, cols), kernel_size, stride, dilation), padding)
    return _taps(wide, (rows, cols), kernel_size, stride, dilation)


@reference
def max_pool2d_backward(g: Floats, indices: Indices, *, size: Pair) -> Floats:
    """Scatter g to the places of `indices`: the gradient of <g, y> for y of `max_pool2d`.

    ::

        dx[n, c].flat[indices[n, c, p, q]] += g[n, c, p, q]

    Parameters
    ----------
    g : array (N, C, OH, OW)
    indices : int64 array (N, C, OH, OW)
        As `max_pool2d` returns them; each lies in 0 .. H*W - 1.
    size : pair of int
        H and W of x.

    Returns
    -------
    array (N, C, H, W)
        New, of the dtype of g. A place named more than once adds its terms in row-major order.
    """
    dx = np.zeros((*g.shape[:2], *size), g.dtype)
    np.add.at(dx.reshape(-1), _flat(indices, size).reshape(-1), g.reshape(-1))
    return dx


@reference
def max_pool2d_gather(x: Floats, indices: Indices) -> Floats:
    """Values of x at the places of `indices`: the adjoint of `max_pool2d_backward`.

    ::

        y[n, c, p, q] = x[n, c].flat[indices[n, c, p, q]]

    Parameters
    ----------
    x : array (N, C, H, W)
    indices : int64 array (N, C, OH, OW)
        As `max_pool2d` returns them; each lies in 0 .. H*W - 1.

    Returns
    -------
    array (N, C, OH, OW)
        New, of the dtype of x.
    """
    return x.reshape(-1).take(_flat(indices, (x.shape[2], x.shape[3])))


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
    wide = _extend(x, 0.0, _reach(output, kernel_size, stride, (1, 1)), padding)
    # Down the columns first: KH + KW passes instead of KH * KW, and the longer ones contiguous.
    down, right = (_slices(*axis) for axis in zip(kernel_size, stride, output, strict=True))
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
    reach = _reach(output, kernel_size, stride, (1, 1))
    high, wide = (max(n + p, r) for n, p, r in zip(size, padding, reach, strict=True))
    down, right = (_slices(*axis) for axis in zip(kernel_size, stride, output, strict=True))
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


def _reach(output: Pair, kernel_size: Pair, stride: Pair, dilation: Pair) -> Pair:
    """Rows and columns from the first window's corner to the last window's end."""
    rows, cols = (
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(output, stride, kernel_size, dilation, strict=True)
    )
    return rows, cols


def _extend(x: Floats, fill: float, reach: Pair, padding: Pair) -> Floats:
    """Return x with `fill` wherever windows reach beyond it; x itself where none does."""
    (top, left), (height, width) = padding, x.shape[2:]
    high, wide = max(reach[0], top + height), max(reach[1], left + width)
    if (high, wide) == (height, width):
        return x
    extended = np.full((*x.shape[:2], high, wide), fill, x.dtype)
    extended[:, :, top : top + height, left : left + width] = x
    return extended


def _slices(taps: int, stride: int, windows: int, dilation: int = 1) -> list[slice]:
    """Return one slice of an axis per tap: where the windows have it."""
    starts = range(0, taps * dilation, dilation)
    return [slice(start, start + stride * (windows - 1) + 1, stride) for start in starts]


def _taps(x: Floats, output: Pair, kernel_size: Pair, stride: Pair, dilation: Pair) -> list[Floats]:
    """Return views (N, C, OH, OW) of x, one per tap, in row-major order."""
    down, right = (
        _slices(*axis) for axis in zip(kernel_size, stride, output, dilation, strict=True)
    )
    return [x[:, :, rows, cols] for rows in down for cols in right]


def _corners(windows: int, stride: int, padding: int) -> Indices:
    return np.arange(windows) * stride - padding


def _first_inside(windows: int, size: int, stride: int, padding: int, dilation: int) -> Indices:
    """Return the first tap of each window that is not in the near padding."""
    return np.maximum(0, -(_corners(windows, stride, padding) // dilation))


def _flat(indices: Indices, size: Pair) -> Indices:
    """Turn indices into each plane of H * W into indices into the whole array."""
    batch, channels = indices.shape[:2]
    planes = np.arange(batch * channels) * (size[0] * size[1])
    return indices + planes.reshape(batch, channels, 1, 1)


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
        start = _corners(o, s, p)
        end = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        counts.append(np.maximum(end - start, 1))  # An empty window sums to 0, whatever divides it.
    return (counts[0][:, None] * counts[1]).astype(dtype)


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
