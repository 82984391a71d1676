"""Two-dimensional max pooling and its adjoints."""

import numpy as np

from .common import Floats, Indices, Pair, pool_output_size
from .dispatch import fast, implementation, reference
from .pool import UNIT, corners, extend, form_of, reach, taps


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
    views = _max_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    rows, cols = views[0].shape[2:]

    # Which tap won, as i * KW + j, in bytes where they suffice: those passes cost next to nothing.
    code = np.min_scalar_type(max(0, len(views) - 1)).type
    down = _first_inside(rows, height, stride[0], padding[0], dilation[0])
    right = _first_inside(cols, width, stride[1], padding[1], dilation[1])
    y = views[0].copy(order="C")
    won = np.empty(y.shape, code)
    won[...] = down[:, None] * kernel_size[1] + right
    for tap in range(1, len(views)):
        # Taps are met in order, so the one that won last is the largest that ever won.
        np.maximum(won, (views[tap] > y).view(np.uint8) * code(tap), out=won)
        np.maximum(y, views[tap], out=y)

    if np.isnan(np.max(y, initial=-np.inf)):
        for tap, values in enumerate(views):
            won[np.isnan(values)] = tap  # A window with NaN ends up with its last one.

    # A tap's index is the window's corner plus an offset, and the corner may lie in the padding.
    corner = corners(rows, stride[0], padding[0])[:, None] * width
    corner = corner + corners(cols, stride[1], padding[1])
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
    views = _max_taps(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = views[0].copy(order="C")
    for values in views[1:]:
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
    wide = extend(x, -np.inf, reach((rows, cols), kernel_size, stride, dilation), padding)
    return taps(wide, (rows, cols), kernel_size, stride, dilation)


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
def max_pool2d_input(
    g: Floats,
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Floats:
    """Gradient of <g, y> with respect to x, for y of `max_pool2d`.

    That is `max_pool2d_backward` with the indices of `max_pool2d`, which are not kept: finding them
    again takes less time than writing and reading eight bytes for each.

    Parameters
    ----------
    g : array (N, C, OH, OW)
    x : array (N, C, H, W)
    kernel_size, stride, padding, dilation, ceil_mode
        As given to `max_pool2d`.

    Returns
    -------
    array (N, C, H, W)
        New, of the dtype of g.
    """
    run = implementation(max_pool2d, "reference")
    _, indices = run(
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    size = (x.shape[2], x.shape[3])
    return implementation(max_pool2d_backward, "reference")(g, indices, size=size)


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


def _first_inside(windows: int, size: int, stride: int, padding: int, dilation: int) -> Indices:
    """Return the first tap of each window that is not in the near padding."""
    return np.maximum(0, -(corners(windows, stride, padding) // dilation))


def _flat(indices: Indices, size: Pair) -> Indices:
    """Turn indices into each plane of H * W into indices into the whole array."""
    batch, channels = indices.shape[:2]
    planes = np.arange(batch * channels) * (size[0] * size[1])
    return indices + planes.reshape(batch, channels, 1, 1)


UNIT.kernel(
    "max_values(x: T[n, c, height, width], rows: int, cols: int, form: i8[parts]) "
    "-> y: T[n, c, rows, cols]"
)
UNIT.kernel(
    "max_places(x: T[n, c, height, width], rows: int, cols: int, form: i8[parts]) "
    "-> y: T[n, c, rows, cols], indices: i8[n, c, rows, cols]"
)
UNIT.kernel(
    "max_input(g: T[n, c, rows, cols], x: T[n, c, height, width], form: i8[parts]) -> dx: T like x"
)
UNIT.kernel(
    "max_scatter(g: T[n, c, rows, cols], indices: i8[n, c, rows, cols], height: int, width: int, "
    "bad: i8[one]!) -> dx: T[n, c, height, width]"
)
UNIT.kernel(
    "max_gather(x: T[n, c, height, width], indices: i8[n, c, rows, cols], bad: i8[one]!) "
    "-> y: T[n, c, rows, cols]"
)


@fast(max_pool2d, UNIT, floats_only=True)
def _max_pool2d(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> tuple[Floats, Indices]:
    form = form_of(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    return UNIT.max_places(x, *form)


@fast(max_pool2d_values, UNIT, floats_only=True)
def _max_pool2d_values(
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Floats:
    form = form_of(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    return UNIT.max_values(x, *form)


@fast(max_pool2d_input, UNIT, floats_only=True)
def _max_pool2d_input(
    g: Floats,
    x: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Floats:
    dtype = g.dtype
    if x.dtype != dtype:
        g, x = g.astype(np.float64), x.astype(np.float64)
    size = x.shape[2:]
    rows, cols, form = form_of(size, kernel_size, stride, padding, dilation, ceil_mode)
    if g.shape[2:] != (rows, cols):
        raise ValueError(
            f"max_pool2d_input: g has shape {g.shape}, expected {(*x.shape[:2], rows, cols)}"
        )
    return UNIT.max_input(g, x, form).astype(dtype, copy=False)


@fast(max_pool2d_backward, UNIT, floats_only=True)
def _max_pool2d_backward(g: Floats, indices: Indices, *, size: Pair) -> Floats:
    bad = np.zeros(1, np.int64)
    dx = UNIT.max_scatter(g, indices, *size, bad)
    _check_indices(bad, indices, size)
    return dx


@fast(max_pool2d_gather, UNIT, floats_only=True)
def _max_pool2d_gather(x: Floats, indices: Indices) -> Floats:
    bad = np.zeros(1, np.int64)
    y = UNIT.max_gather(x, indices, bad)
    _check_indices(bad, indices, x.shape[2:])
    return y


def _check_indices(bad: Indices, indices: Indices, size: tuple[int, ...]) -> None:
    """Raise if the compiled code met an index outside a plane, which it then passed over."""
    if bad[0]:
        raise IndexError(
            f"max pooling: indices from {indices.min()} to {indices.max()} do not lie in planes of "
            f"{size[0]} x {size[1]}"
        )
