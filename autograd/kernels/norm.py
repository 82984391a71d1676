"""Batch normalisation: statistics, application, and the gradient through both.

Channels lie on axis 1; each statistic is over all other axes. `per channel` means an array (C,).
Sums run pairwise along the plane and in float64 over the batch, so that their error does not grow
with the batch; that costs a fifth more than a plain float32 sum. The compiled twins read their
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
    mean = channel_sums(x) / count
    mean = mean.astype(x.dtype)
    centred = x - along_channels(mean, x)
    centred *= centred
    return mean, (channel_sums(centred) / count).astype(x.dtype)


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
    y = x - along_channels(mean, x)
    y *= along_channels(scale, x)
    if bias is not None:
        y += along_channels(bias, x)
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
    z = x - along_channels(mean, x)
    z *= along_channels(invstd, x)
    dbias = channel_sums(g)
    dx = g * z
    dweight = channel_sums(dx)
    z *= along_channels((dweight / count).astype(x.dtype), x)
    np.subtract(g, z, out=dx)
    dx -= along_channels((dbias / count).astype(x.dtype), x)
    dx *= along_channels(invstd if weight is None else invstd * weight, x)
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


def _count(x: Floats) -> int:
    """Return the number of values per channel, or 1 for none: what a mean divides by."""
    channels = x.shape[1]
    return max(1, x.size // max(1, channels))


def channel_sums(x: Floats) -> Floats:
    """Return the sum of each channel, (C,) in float64."""
    if x.ndim > 2:
        # Not reshape(N, C, -1), which is ambiguous for an empty array.
        x = np.add.reduce(x, axis=tuple(range(2, x.ndim)))
    return np.add.reduce(x, axis=0, dtype=np.float64)


def along_channels(values: Floats, x: Floats) -> Floats:
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
SERVED = (np.dtype(np.float32), np.dtype(np.float64))


@functools.lru_cache(maxsize=64)
def _filled(size: int, value: float, dtype: Any) -> Floats:
    """Return a read-only array of one value, for a weight or bias that is not there."""
    array = np.full(size, value, dtype)
    array.flags.writeable = False
    return array


def weight_of(x: Floats, weight: Floats | None, axis: int) -> Floats:
    """Return the weight, or ones along an axis of x."""
    return _filled(x.shape[axis], 1.0, x.dtype) if weight is None else weight


def bias_of(x: Floats, bias: Floats | None, axis: int) -> Floats:
    """Return the bias, or zeros along an axis of x."""
    return _filled(x.shape[axis], 0.0, x.dtype) if bias is None else bias


def served(x: Floats) -> bool:
    """Return whether there is compiled code for x."""
    return x.dtype in SERVED and x.size > 0


@fast(batch_norm_stats, UNIT)
def _batch_norm_stats(x: Floats) -> tuple[Floats, Floats]:
    return _batch_norm(x, None, None, eps=1.0)[1:]


@fast(batch_norm, UNIT)
def _batch_norm(
    x: Floats, weight: Floats | None, bias: Floats | None, *, eps: float
) -> tuple[Floats, Floats, Floats]:
    if not served(x):
        return implementation(batch_norm, "reference")(x, weight, bias, eps=eps)
    weight, bias = weight_of(x, weight, 1), bias_of(x, bias, 1)
    return UNIT.batch_norm(x, weight, bias, x.shape[0], x.shape[1], eps)


@fast(batch_norm_apply, UNIT)
def _batch_norm_apply(
    x: Floats, mean: Floats, invstd: Floats, weight: Floats | None, bias: Floats | None
) -> Floats:
    if not served(x):
        return implementation(batch_norm_apply, "reference")(x, mean, invstd, weight, bias)
    weight, bias = weight_of(x, weight, 1), bias_of(x, bias, 1)
    return UNIT.batch_norm_apply(x, mean, invstd, weight, bias, x.shape[0], x.shape[1])


@fast(batch_norm_backward, UNIT)
def _batch_norm_backward(
    g: Floats, x: Floats, mean: Floats, invstd: Floats, weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    if not served(x):
        return implementation(batch_norm_backward, "reference")(g, x, mean, invstd, weight)
    weight = weight_of(x, weight, 1)
    return UNIT.batch_norm_backward(g, x, mean, invstd, weight, x.shape[0], x.shape[1])


SAMPLES = (
    Sample("dense", ((256, 128),)),
    Sample("lenet5-c1", ((64, 6, 28, 28),)),
    Sample("cifar-64", ((32, 64, 8, 8),)),
    Sample("resnet-64", ((4, 64, 56, 56),)),
)
"""Shapes of x for the three kernels."""
