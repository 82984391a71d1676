"""Layer and group normalisation: forward, with the statistics, and the gradient through both.

Each row (or group of channels of one image) is normalised by itself. The compiled code is that of
norm.py: a group is a row for the statistics, and a stack of planes for the rest.
"""

import numpy as np

from .common import Floats
from .dispatch import fast, implementation, reference
from .norm import UNIT, along_channels, bias_of, channel_sums, served, weight_of


@reference
def layer_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    """Normalise each row by its own mean and biased variance.

    ::

        y = (x - mean) * rstd * weight + bias,    rstd = 1 / sqrt(var + eps)

    Parameters
    ----------
    x : array (..., n)
    weight, bias : array (n,), optional
        1 and 0 where None.
    eps : float
        Added to the variance.

    Returns
    -------
    y : array of the shape and dtype of x
    mean, rstd : array (...)
        New, of the dtype of x; of an empty row 0 and 1 / sqrt(eps). NaN and inf spread within their
        row.
    """
    mean = _row_means(x)
    y = x - mean[..., None]
    rstd = 1 / np.sqrt(_row_means(y * y) + x.dtype.type(eps))
    y *= rstd[..., None]
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y, mean, rstd


@reference
def layer_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Gradient of <g, y> where mean and rstd are the statistics of x itself.

    ::

        z = (x - mean) * rstd,    h = g * weight
        dx = rstd * (h - sum(h) / n - z * sum(h * z) / n)
        dweight = sum(g * z),    dbias = sum(g)

    Parameters
    ----------
    g, x : array (..., n)
    mean, rstd : array (...)
        Results of `layer_norm`.
    weight : array (n,), optional
        1 where None.

    Returns
    -------
    dx : array of the shape and dtype of x
    dweight, dbias : array (n,)
        New, of the dtype of x, summed over all rows; given whether or not there are a weight and
        a bias.
    """
    z = (x - mean[..., None]) * rstd[..., None]
    h = g if weight is None else g * weight
    dx = h - _row_means(h)[..., None] - z * _row_means(h * z)[..., None]
    dx *= rstd[..., None]
    rows = tuple(range(x.ndim - 1))
    dweight, dbias = (np.add.reduce(a, axis=rows, dtype=np.float64) for a in (g * z, g))
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


@reference
def group_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, groups: int, eps: float
) -> tuple[Floats, Floats, Floats]:
    """Normalise each group of channels of each image by its own mean and biased variance.

    Parameters
    ----------
    x : array (N, C, ...)
    weight, bias : array (C,), optional
        1 and 0 where None.
    groups : int
        Divides C; each group has C / groups neighbouring channels.
    eps : float
        Added to the variance.

    Returns
    -------
    y : array of the shape and dtype of x
    mean, rstd : array (N, groups)
        New, of the dtype of x; of nothing 0 and 1 / sqrt(eps). NaN and inf spread within their
        group.
    """
    normal, mean, rstd = implementation(layer_norm, "reference")(
        _grouped(x, groups), None, None, eps=eps
    )
    y = normal.reshape(x.shape)
    if weight is not None:
        y *= along_channels(weight, x)
    if bias is not None:
        y += along_channels(bias, x)
    return y, mean, rstd


@reference
def group_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Gradient of <g, y> where mean and rstd are the statistics of x itself.

    Parameters
    ----------
    g, x : array (N, C, ...)
    mean, rstd : array (N, groups)
        Results of `group_norm`.
    weight : array (C,), optional
        1 where None.

    Returns
    -------
    dx : array of the shape and dtype of x
    dweight, dbias : array (C,)
        New, of the dtype of x; given whether or not there are a weight and a bias.
    """
    h = g if weight is None else g * along_channels(weight, x)
    rows, inner = (_grouped(a, mean.shape[1]) for a in (x, h))
    dx = implementation(layer_norm_backward, "reference")(inner, rows, mean, rstd, None)[0]
    normal = ((rows - mean[..., None]) * rstd[..., None]).reshape(x.shape)
    dweight, dbias = channel_sums(g * normal), channel_sums(g)
    return dx.reshape(x.shape), dweight.astype(x.dtype), dbias.astype(x.dtype)


def _row_means(x: Floats) -> Floats:
    """Return the mean of each row, 0 of an empty one."""
    total = np.add.reduce(x, axis=-1, dtype=np.float64) / max(1, x.shape[-1])
    return np.asarray(total, x.dtype)


def _grouped(x: Floats, groups: int) -> Floats:
    """View x (N, C, ...) as (N, groups, values of a group)."""
    return x.reshape(len(x), groups, x.size // max(1, len(x) * groups))


# --- Compiled -------------------------------------------------------------------------------------

UNIT.kernel(
    "layer_norm(x: T[*rows, cols], weight: T[cols], bias: T[cols], eps: float)"
    " -> y: T like x, mean: T[rows], rstd: T[rows]"
)
UNIT.kernel(
    "layer_norm_backward(g: T[*rows, cols], x: T[*rows, cols], mean: T[*rows], rstd: T[*rows],"
    " weight: T[cols], chunks: int)"
    " -> dx: T like x, dweight: T[chunks, cols], dbias: T[chunks, cols]"
)
UNIT.kernel(
    "group_norm(x: T[*total], weight: T[channels], bias: T[channels], groups: int, count: int,"
    " channels: int, eps: float) -> y: T like x, mean: T[count, groups], rstd: T[count, groups]"
)
UNIT.kernel(
    "group_norm_backward(g: T[*total], x: T[*total], mean: T[count, groups],"
    " rstd: T[count, groups], weight: T[channels], channels: int)"
    " -> dx: T like x, dweight: T[count, channels], dbias: T[count, channels]"
)

CHUNK_ELEMENTS, MOST_CHUNKS = 1 << 15, 64
"""The rows of a layer are cut into chunks of at least so many elements, and at most so many, for
the sums over rows: enough tasks for many threads, few enough to add up in no time."""

SMALL_PLANE = 8
"""Below so many elements in a plane the reference is the faster one for groups."""


@fast(layer_norm, UNIT)
def _layer_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    if not served(x):
        return implementation(layer_norm, "reference")(x, weight, bias, eps=eps)
    y, mean, rstd = UNIT.layer_norm(x, weight_of(x, weight, -1), bias_of(x, bias, -1), eps)
    if x.ndim == 2:
        return y, mean, rstd
    return y, mean.reshape(x.shape[:-1]), rstd.reshape(x.shape[:-1])


@fast(layer_norm_backward, UNIT)
def _layer_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Scratch: the sums of up to MOST_CHUNKS chunks, at most twice as large as x."""
    if not served(x):
        return implementation(layer_norm_backward, "reference")(g, x, mean, rstd, weight)
    chunks = max(1, min(MOST_CHUNKS, x.size // CHUNK_ELEMENTS, mean.size))
    weight = weight_of(x, weight, -1)
    dx, dweight, dbias = UNIT.layer_norm_backward(g, x, mean, rstd, weight, chunks)
    return dx, np.add.reduce(dweight), np.add.reduce(dbias)


@fast(group_norm, UNIT)
def _group_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, groups: int, eps: float
) -> tuple[Floats, Floats, Floats]:
    n, channels = x.shape[:2]
    if not served(x) or channels % groups or x.size < n * channels * SMALL_PLANE:
        return implementation(group_norm, "reference")(x, weight, bias, groups=groups, eps=eps)
    weight, bias = weight_of(x, weight, 1), bias_of(x, bias, 1)
    return UNIT.group_norm(x, weight, bias, groups, n, channels, eps)


@fast(group_norm_backward, UNIT)
def _group_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    n, channels = x.shape[:2]
    if not served(x) or len(mean) != n or x.size < n * channels * SMALL_PLANE:
        return implementation(group_norm_backward, "reference")(g, x, mean, rstd, weight)
    weight = weight_of(x, weight, 1)
    dx, dweight, dbias = UNIT.group_norm_backward(g, x, mean, rstd, weight, channels)
    return dx, np.add.reduce(dweight), np.add.reduce(dbias)
