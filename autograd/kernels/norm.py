"""Batch, layer and group normalisation: forward, statistics, and the gradient through both.

Batch and group normalisation have their channels on axis 1, layer normalisation takes the last
axis. Sums run pairwise along the plane and in float64 over the batch, so that their error does not
grow with the batch; that costs a fifth more than a plain float32 sum. The compiled twins read their
input once for mean and variance, and once more while it is still in the caches.
"""

import functools
from typing import Any

import numpy as np

from .common import Floats, Sample
from .dispatch import fast, implementation, reference
from .native import Unit

UNIT = Unit("norm", "autograd.kernels.native.norm", uses=("moments",))


@reference
def batch_norm_stats(x: Floats) -> tuple[Floats, Floats]:
    """Mean and biased variance of each channel.

    ::

        mean = sum(x) / M,    var = sum((x - mean)**2) / M,    M = x.size / C

    Two passes: the one-pass formula loses every digit when the mean is large beside the deviation.

    Parameters
    ----------
    x : array (N, C, ...)

    Returns
    -------
    mean, var : array (C,)
        New, of the dtype of x. Both are 0 if M is 0; var is 0 if M is 1. NaN and inf spread within
        their channel.
    """
    count = _count(x)
    mean = _channel_sums(x) / count
    mean = mean.astype(x.dtype)
    centred = x - _along_channels(mean, x)
    centred *= centred
    return mean, (_channel_sums(centred) / count).astype(x.dtype)


@reference
def batch_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    """Normalise each channel by its own statistics: `batch_norm_stats`, then `batch_norm_apply`.

    Parameters
    ----------
    x : array (N, C, ...)
    weight, bias : array (C,), optional
        1 and 0 where None.
    eps : float
        Added to the variance.

    Returns
    -------
    y : array of the shape and dtype of x
    mean, var : array (C,)
        New; as `batch_norm_stats` has them.
    """
    mean, var = implementation(batch_norm_stats, "reference")(x)
    invstd = 1 / np.sqrt(var + x.dtype.type(eps))
    return implementation(batch_norm_apply, "reference")(x, mean, invstd, weight, bias), mean, var


@reference
def batch_norm_apply(
    x: Floats, mean: Floats, invstd: Floats, weight: Floats | None, bias: Floats | None
) -> Floats:
    """Normalise each channel by the given statistics.

    ::

        y = (x - mean) * (invstd * weight) + bias

    x - mean comes first: folding the mean into the bias would save a pass, and the digits that
    cancel when the mean is large.

    Parameters
    ----------
    x : array (N, C, ...)
    mean, invstd : array (C,)
        invstd is 1 / sqrt(var + eps).
    weight, bias : array (C,), optional
        1 and 0 where None.

    Returns
    -------
    array of the shape and dtype of x
        New.
    """
    scale = invstd if weight is None else invstd * weight
    y = x - _along_channels(mean, x)
    y *= _along_channels(scale, x)
    if bias is not None:
        y += _along_channels(bias, x)
    return y


@reference
def batch_norm_backward(
    g: Floats, x: Floats, mean: Floats, invstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Gradient of <g, y> where mean and invstd are the statistics of x itself (training).

    ::

        z = (x - mean) * invstd
        dbias = sum(g),    dweight = sum(g * z)
        dx = weight * invstd * (g - dbias / M - z * dweight / M)

    Parameters
    ----------
    g, x : array (N, C, ...)
    mean, invstd : array (C,)
        Of x: `batch_norm_stats`, and 1 / sqrt(var + eps).
    weight : array (C,), optional
        1 where None.

    Returns
    -------
    dx : array of the shape and dtype of x
    dweight, dbias : array (C,)
        New, of the dtype of x; given whether or not there are a weight and a bias.
    """
    count = _count(x)
    z = x - _along_channels(mean, x)
    z *= _along_channels(invstd, x)
    dbias = _channel_sums(g)
    dx = g * z
    dweight = _channel_sums(dx)
    z *= _along_channels((dweight / count).astype(x.dtype), x)
    np.subtract(g, z, out=dx)
    dx -= _along_channels((dbias / count).astype(x.dtype), x)
    dx *= _along_channels(invstd if weight is None else invstd * weight, x)
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


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
        y *= _along_channels(weight, x)
    if bias is not None:
        y += _along_channels(bias, x)
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
    h = g if weight is None else g * _along_channels(weight, x)
    rows, inner = (_grouped(a, mean.shape[1]) for a in (x, h))
    dx = implementation(layer_norm_backward, "reference")(inner, rows, mean, rstd, None)[0]
    normal = ((rows - mean[..., None]) * rstd[..., None]).reshape(x.shape)
    dweight, dbias = _channel_sums(g * normal), _channel_sums(g)
    return dx.reshape(x.shape), dweight.astype(x.dtype), dbias.astype(x.dtype)


def _row_means(x: Floats) -> Floats:
    """Return the mean of each row, 0 of an empty one."""
    total = np.add.reduce(x, axis=-1, dtype=np.float64) / max(1, x.shape[-1])
    return np.asarray(total, x.dtype)


def _grouped(x: Floats, groups: int) -> Floats:
    """View x (N, C, ...) as (N, groups, values of a group)."""
    return x.reshape(len(x), groups, x.size // max(1, len(x) * groups))


def _count(x: Floats) -> int:
    """Return the number of values per channel, or 1 for none: what a mean divides by."""
    channels = x.shape[1]
    return max(1, x.size // max(1, channels))


def _channel_sums(x: Floats) -> Floats:
    """Return the sum of each channel, (C,) in float64."""
    if x.ndim > 2:
        # Not reshape(N, C, -1), which is ambiguous for an empty array.
        x = np.add.reduce(x, axis=tuple(range(2, x.ndim)))
    return np.add.reduce(x, axis=0, dtype=np.float64)


def _along_channels(values: Floats, x: Floats) -> Floats:
    """View values (C,) so that they broadcast along axis 1 of x."""
    return values.reshape(-1, *(1,) * (x.ndim - 2))


# --- Compiled -------------------------------------------------------------------------------------

UNIT.kernel(
    "batch_norm(x: T[*total], weight: T[channels], bias: T[channels], count: int, channels: int,"
    " eps: float) -> y: T like x, mean: T[channels], var: T[channels]"
)
UNIT.kernel(
    "batch_norm_apply(x: T[*total], mean: T[channels], invstd: T[channels], weight: T[channels],"
    " bias: T[channels], count: int, channels: int) -> y: T like x"
)
UNIT.kernel(
    "batch_norm_backward(g: T[*total], x: T[*total], mean: T[channels], invstd: T[channels],"
    " weight: T[channels], count: int, channels: int)"
    " -> dx: T like x, dweight: T[channels], dbias: T[channels]"
)
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

SERVED = (np.dtype(np.float32), np.dtype(np.float64))

CHUNK_ELEMENTS, MOST_CHUNKS = 1 << 15, 64
"""The rows of a layer are cut into chunks of at least so many elements, and at most so many, for
the sums over rows: enough tasks for many threads, few enough to add up in no time."""

SMALL_PLANE = 8
"""Below so many elements in a plane the reference is the faster one for groups."""


@functools.lru_cache(maxsize=64)
def _filled(size: int, value: float, dtype: Any) -> Floats:
    """Return a read-only array of one value, for a weight or bias that is not there."""
    array = np.full(size, value, dtype)
    array.flags.writeable = False
    return array


def _weight_of(x: Floats, weight: Floats | None, axis: int) -> Floats:
    return _filled(x.shape[axis], 1.0, x.dtype) if weight is None else weight


def _bias_of(x: Floats, bias: Floats | None, axis: int) -> Floats:
    return _filled(x.shape[axis], 0.0, x.dtype) if bias is None else bias


def _served(x: Floats) -> bool:
    return x.dtype in SERVED and x.size > 0


@fast(batch_norm_stats, UNIT)
def _batch_norm_stats(x: Floats) -> tuple[Floats, Floats]:
    return _batch_norm(x, None, None, eps=1.0)[1:]


@fast(batch_norm, UNIT)
def _batch_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    if not _served(x):
        return implementation(batch_norm, "reference")(x, weight, bias, eps=eps)
    weight, bias = _weight_of(x, weight, 1), _bias_of(x, bias, 1)
    return UNIT.batch_norm(x, weight, bias, x.shape[0], x.shape[1], eps)


@fast(batch_norm_apply, UNIT)
def _batch_norm_apply(
    x: Floats, mean: Floats, invstd: Floats, weight: Floats | None, bias: Floats | None
) -> Floats:
    if not _served(x):
        return implementation(batch_norm_apply, "reference")(x, mean, invstd, weight, bias)
    weight, bias = _weight_of(x, weight, 1), _bias_of(x, bias, 1)
    return UNIT.batch_norm_apply(x, mean, invstd, weight, bias, x.shape[0], x.shape[1])


@fast(batch_norm_backward, UNIT)
def _batch_norm_backward(
    g: Floats, x: Floats, mean: Floats, invstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    if not _served(x):
        return implementation(batch_norm_backward, "reference")(g, x, mean, invstd, weight)
    weight = _weight_of(x, weight, 1)
    return UNIT.batch_norm_backward(g, x, mean, invstd, weight, x.shape[0], x.shape[1])


@fast(layer_norm, UNIT)
def _layer_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    if not _served(x):
        return implementation(layer_norm, "reference")(x, weight, bias, eps=eps)
    y, mean, rstd = UNIT.layer_norm(x, _weight_of(x, weight, -1), _bias_of(x, bias, -1), eps)
    if x.ndim == 2:
        return y, mean, rstd
    return y, mean.reshape(x.shape[:-1]), rstd.reshape(x.shape[:-1])


@fast(layer_norm_backward, UNIT)
def _layer_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Scratch: the sums of up to MOST_CHUNKS chunks, at most twice as large as x."""
    if not _served(x):
        return implementation(layer_norm_backward, "reference")(g, x, mean, rstd, weight)
    chunks = max(1, min(MOST_CHUNKS, x.size // CHUNK_ELEMENTS, mean.size))
    weight = _weight_of(x, weight, -1)
    dx, dweight, dbias = UNIT.layer_norm_backward(g, x, mean, rstd, weight, chunks)
    return dx, np.add.reduce(dweight), np.add.reduce(dbias)


@fast(group_norm, UNIT)
def _group_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, groups: int, eps: float
) -> tuple[Floats, Floats, Floats]:
    n, channels = x.shape[:2]
    if not _served(x) or channels % groups or x.size < n * channels * SMALL_PLANE:
        return implementation(group_norm, "reference")(x, weight, bias, groups=groups, eps=eps)
    weight, bias = _weight_of(x, weight, 1), _bias_of(x, bias, 1)
    return UNIT.group_norm(x, weight, bias, groups, n, channels, eps)


@fast(group_norm_backward, UNIT)
def _group_norm_backward(
    g: Floats, x: Floats, mean: Floats, rstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    n, channels = x.shape[:2]
    if not _served(x) or len(mean) != n or x.size < n * channels * SMALL_PLANE:
        return implementation(group_norm_backward, "reference")(g, x, mean, rstd, weight)
    weight = _weight_of(x, weight, 1)
    dx, dweight, dbias = UNIT.group_norm_backward(g, x, mean, rstd, weight, channels)
    return dx, np.add.reduce(dweight), np.add.reduce(dbias)


SAMPLES = (
    Sample("dense", ((256, 128),)),
    Sample("lenet5-c1", ((64, 6, 28, 28),)),
    Sample("cifar-64", ((32, 64, 8, 8),)),
    Sample("resnet-64", ((4, 64, 56, 56),)),
)
"""Shapes of x for the three kernels."""
