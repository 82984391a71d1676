"""What losses do to each element: cross-entropy of yes and no, bent absolute values, variances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..families import elementwise
from .activation import SOFTPLUS, sigmoid, softplus
from .activations_bent import _hardtanh
from .arithmetic import clamp, maximum, where
from .exponential import log1p
from .loss import _reduced
from .loss_arguments import check_broadcasts, one_shape, weighed
from .transcendental import log, times

# --- Yes or no ------------------------------------------------------------------------------------

LEAST_LOG = -100.0
"""What a logarithm of a probability is at least, as in PyTorch: else log(0) is an infinite loss."""

LEAST_VARIANCE = float(np.float32(1e-12))
"""What p * (1 - p) is at least in the slope: PyTorch's constant, a float32 for every dtype."""

HALF_VARIANCE = float(np.finfo(np.float16).tiny)
"""The same for float16, where that constant is 0, and its inverse must be finite."""


def _log1pexp_of_minus(size: Any) -> Any:
    """``log(1 + exp(-size))`` of sizes >= 0: exact however small it is."""
    if size.__class__ is np.ndarray and size.ndim:
        return kernels.softplus(-size, 1.0, math.inf)
    return SOFTPLUS(-size, 1.0, math.inf)


def _binary_logits_scalar(x, target):
    return max(x, 0.0) - x * target + math.log1p(math.exp(-abs(x)))


@elementwise(
    lambda g, y, x, target: times(g, sigmoid(x) - target),
    lambda g, y, x, target: -g * x,
    saves=("x target", "x"),
    scalar=_binary_logits_scalar,
    domain=((-30.0, 30.0), (0.0, 1.0)),
    result="float",
    formula=("max(x, 0) - x * target + log1pexp(-abs(x))", "sigmoid(x) - target", "-x"),
)
def _binary_logits(x, target):
    """Cross-entropy of the probability sigmoid(x), without overflow or cancellation."""
    x = np.asarray(x, np.result_type(x, target))  # a number would make a float64 of its own
    return np.maximum(x, 0.0) - x * target + _log1pexp_of_minus(np.abs(x))


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    pos_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """
    Cross-entropy of the probabilities sigmoid(x): exact for scores x of any size.

    ``-(w * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``, w being `pos_weight` or 1.

    Parameters
    ----------
    input : Tensor
        Scores x (logits).
    target : Tensor
        Of the same shape: 0, 1, or a probability between.
    weight : Tensor, optional
        Factors, broadcast to the shape of `input`.
    pos_weight : Tensor, optional
        Factors of the positive part, such as one for each class (in the last dimension).
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> x, t = autograd.tensor([0.0, -1e4]), autograd.tensor([1.0, 0.0])
    >>> autograd.binary_cross_entropy_with_logits(x, t)
    tensor(0.3466)
    """
    who = "binary_cross_entropy_with_logits"
    shape = one_shape(who, input=input, target=target)
    if pos_weight is None:
        losses = _binary_logits(input, target)
    else:
        check_broadcasts(who, "pos_weight", pos_weight, shape)
        losses = (1.0 - target) * softplus(input) + pos_weight * target * softplus(-input)
    return _reduced(weighed(losses, weight, who), reduction, who)


def _log_of_scalar(p):
    return max(math.log(p), LEAST_LOG) if p > 0.0 else LEAST_LOG


def _bounded(logarithm: Any, x: Any, none: Any) -> Any:
    """A logarithm of at least -100; where there is `none` it is not even tried."""
    return maximum(where(none, LEAST_LOG, logarithm(where(none, 0.5, x))), LEAST_LOG)


def _binary_probability_slope(p: Any, target: Any) -> Any:
    least = HALF_VARIANCE if getattr(p, "dtype", None) == np.float16 else LEAST_VARIANCE
    return (p - target) / clamp(p * (1.0 - p), least)


@elementwise(
    lambda g, y, p, target: g * _binary_probability_slope(p, target),
    lambda g, y, p, target: g * (_bounded(log1p, -p, p == 1.0) - _bounded(log, p, p == 0.0)),
    saves=("p target", "p"),
    scalar=lambda p, target: (
        (target - 1.0) * (max(math.log1p(-p), LEAST_LOG) if p < 1.0 else LEAST_LOG)
        - target * _log_of_scalar(p)
    ),
    domain=((0.1, 0.9), (0.0, 1.0)),
    result="float",
    formula=(
        "(target - 1) * max(log1p(-p), -100) - target * max(log(p), -100)",
        "(p - target) / max(p * (1 - p), 1e-12)",
        "max(log1p(-p), -100) - max(log(p), -100)",
    ),
)
def _binary_probability(p, target):
    """Cross-entropy of a probability, no logarithm below -100."""
    p = np.asarray(p, np.result_type(p, target))  # a number would make a float64 of its own
    with np.errstate(divide="ignore"):
        yes, no = np.log(p), np.log1p(np.negative(p))
    return (target - 1.0) * np.maximum(no, LEAST_LOG) - target * np.maximum(yes, LEAST_LOG)


# --- Differences ----------------------------------------------------------------------------------


def _huber_slope(x: Any, delta: float, unit: float) -> Any:
    bounded = _hardtanh(x, min_val=-delta, max_val=delta)
    return bounded if unit == 1.0 else bounded / unit


def _huber_scalar(x, delta=1.0, unit=1.0):
    near = min(abs(x), delta)
    return near / unit * (abs(x) - 0.5 * near)


@elementwise(
    lambda g, y, x, delta, unit: times(g, _huber_slope(x, delta, unit)),
    saves="x",
    scalar=_huber_scalar,
    domain=(-3.0, 3.0),
    result="float",
    formula=(
        "min(abs(x), delta) * (abs(x) - min(abs(x), delta) / 2) / unit",
        "min(max(x, -delta), delta) / unit",
    ),
)
def _huber(x, *, delta=1.0, unit=1.0):
    """A parabola up to `delta` from 0, and its tangent lines further out. Both over `unit`."""
    near = x.clip(-delta, delta)  # with the sign of x, which the product loses again
    y = near * -0.5
    y += x
    if unit != 1.0:
        near /= unit
    y *= near
    return y


# --- Variances ------------------------------------------------------------------------------------


NEGATIVE_VARIANCE = "gaussian_nll_loss: var has a negative entry"


def _variance_scalar(x, least=1e-6):
    if x < 0.0:
        raise ValueError(NEGATIVE_VARIANCE)
    return max(x, least)


@elementwise(
    lambda g, y, x, least: g,
    saves="",
    scalar=_variance_scalar,
    domain=(0.2, 3.0),
    result="float",
    formula=("max(x, least)", "1"),
)
def _variance(x, *, least=1e-6):
    """Variances, none below `least`; the slope is 1 there too, so that they can grow again."""
    if np.any(np.less(x, 0.0)):
        raise ValueError(NEGATIVE_VARIANCE)
    return np.maximum(x, least)
