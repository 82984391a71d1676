"""Batch normalisation: statistics, application, and the gradient through both.

Channels lie on axis 1; each statistic is over all other axes. `per channel` means an array (C,).
Sums run pairwise along the plane and in float64 over the batch, so that their error does not grow
with the batch; that costs a fifth more than a plain float32 sum.
"""

import numpy as np

from .common import Floats, Sample
from .dispatch import reference


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


SAMPLES = (
    Sample("dense", ((256, 128),)),
    Sample("lenet5-c1", ((64, 6, 28, 28),)),
    Sample("cifar-64", ((32, 64, 8, 8),)),
    Sample("resnet-64", ((4, 64, 56, 56),)),
)
"""Shapes of x for the three kernels."""
