"""Smooth activations: exponential units, mish, softsign and others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..families import dim_of, elementwise, shape_of
from .activation import SOFTPLUS, sigmoid
from .arithmetic import mul, where
from .index import getitem
from .transcendental import exp, tanh, times

# --- Exponential units ----------------------------------------------------------------------------

# Klambauer et al. 2017, "Self-normalizing neural networks".
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _elu_slope(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    left = where(x <= 0.0, x, 0.0)  # on the right the exponential may overflow
    return where(x <= 0.0, exp(left * input_scale) * (alpha * scale * input_scale), scale)


@elementwise(
    lambda g, y, x, alpha, scale, input_scale: g * _elu_slope(x, alpha, scale, input_scale),
    saves="x",
    scalar=lambda x, alpha=1.0, scale=1.0, input_scale=1.0: (
        scale * alpha * math.expm1(x * input_scale) if x <= 0.0 else scale * x
    ),
    result="float",
    formula=(
        "scale * alpha * expm1(input_scale * x) if x <= 0 else scale * x",
        "scale * alpha * input_scale * exp(input_scale * x) if x <= 0 else scale",
    ),
)
def _elu(x, *, alpha=1.0, scale=1.0, input_scale=1.0):
    """Scale * x on the right, an exponential that levels off on the left."""
    left = np.expm1(x.clip(None, 0) * input_scale) * (alpha * scale)
    return left + x.clip(0, None) * scale


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """
    Exponential linear unit: x, and ``alpha * (exp(x) - 1)`` left of 0.

    Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units".

    Examples
    --------
    >>> import autograd
    >>> elu(autograd.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu(input, alpha=float(alpha), scale=1.0, input_scale=1.0)


def selu(input: Any, inplace: bool = False) -> Any:
    """
    Scaled exponential linear unit, whose constants keep mean 0 and variance 1 from layer to layer.

    Klambauer et al. 2017, "Self-normalizing neural networks".

    Examples
    --------
    >>> import autograd
    >>> autograd.selu(autograd.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _elu(input, alpha=SELU_ALPHA, scale=SELU_SCALE, input_scale=1.0)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """
    Exponential linear unit with a slope of 1 at 0: ``alpha * (exp(x / alpha) - 1)`` left of it.

    Barron 2017, "Continuously differentiable exponential linear units".

    Examples
    --------
    >>> import autograd
    >>> autograd.celu(autograd.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("celu: alpha must not be 0")
    return _elu(input, alpha=float(alpha), scale=1.0, input_scale=1.0 / alpha)


# --- mish, softsign and others --------------------------------------------------------------------


def _log1pexp(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _softplus(x: Any) -> Any:
    if x.__class__ is np.ndarray and x.ndim:
        return kernels.softplus(x, 1.0, math.inf)
    return SOFTPLUS(x, 1.0, math.inf)


def _mish_slope(x: Any) -> Any:
    # tanh(softplus(x)) = n / (n + 2) with n = exp(x) * (exp(x) + 2): 1 less its square is exact so.
    near = where(x > FAR, FAR, x)
    e = exp(near)
    n = e * (e + 2.0)
    t = n / (n + 2.0)
    return t + near * sigmoid(near) * (4.0 * (n + 1.0) / ((n + 2.0) * (n + 2.0)))


FAR = 20.0  # where the slope is 1 in float64, and further the exponentials may overflow in float32


@elementwise(
    lambda g, y, x: g * _mish_slope(x),
    saves="x",
    scalar=lambda x: x * math.tanh(_log1pexp(x)),
    domain=(-0.9, 4.0),  # further left the slope crosses 0, where no digit of it is sure
    result="float",
    formula=(
        "x * tanh(log1pexp(x))",
        "tanh(log1pexp(x)) + x * sigmoid(x) * (1 - tanh(log1pexp(x)) ** 2)",
    ),
)
def _mish(x):
    """X * tanh(softplus(x))."""
    return x * tanh(_softplus(x))


def mish(input: Any, inplace: bool = False) -> Any:
    """
    Self-regularised unit ``x * tanh(softplus(x))``.

    Misra 2019, "Mish: a self regularized non-monotonic activation function".

    Examples
    --------
    >>> import autograd
    >>> mish(autograd.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _mish(input)


def _softsign_slope(x: Any) -> Any:
    below = 1.0 + abs(x)
    return 1.0 / (below * below)


@elementwise(
    lambda g, y, x: g * _softsign_slope(x),
    saves="x",
    scalar=lambda x: x / (1.0 + math.fabs(x)),
    result="float",
    formula=("x / (1 + abs(x))", "1 / (1 + abs(x)) ** 2"),
)
def _softsign(x):
    """X / (1 + abs(x))."""
    return x / (1.0 + np.abs(x))


def softsign(input: Any) -> Any:
    """
    Sigmoid with polynomial tails, ``x / (1 + abs(x))``.

    Examples
    --------
    >>> import autograd
    >>> softsign(autograd.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return _softsign(input)


@elementwise(
    lambda g, y, x: times(g, tanh(x) ** 2),
    saves="x",
    scalar=lambda x: x - math.tanh(x),
    domain=(1.0, 4.0),  # near 0 the difference cancels
    result="float",
    formula=("x - tanh(x)", "tanh(x) ** 2"),
)
def _tanhshrink(x):
    """X - tanh(x)."""
    return x - tanh(x)


def tanhshrink(input: Any) -> Any:
    """
    What `tanh` takes away, ``x - tanh(x)``.

    Examples
    --------
    >>> import autograd
    >>> tanhshrink(autograd.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """
    return _tanhshrink(input)


@elementwise(
    lambda g, y, x: times(g, sigmoid(-x)),
    saves="x",
    scalar=lambda x: -_log1pexp(-x),
    domain=(-30.0, 30.0),
    result="float",
    formula=("-log1pexp(-x)", "sigmoid(-x)"),
)
def _logsigmoid(x):
    """The logarithm of the sigmoid."""
    return -_softplus(-x)


def logsigmoid(input: Any) -> Any:
    """
    Logarithm of the sigmoid, ``-log(1 + exp(-x))``, computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> logsigmoid(autograd.tensor([-1.0, 2.0]))
    tensor([-1.3133, -0.1269])
    """
    return _logsigmoid(input)


# --- Gates ----------------------------------------------------------------------------------------


def glu(input: Any, dim: int = -1) -> Any:
    """
    Gated linear unit: one half of `dim` times the sigmoid of the other half.

    Dauphin et al. 2017, "Language modeling with gated convolutional networks".

    Parameters
    ----------
    input : Tensor
    dim : int
        The dimension to halve; its size must be even.

    Raises
    ------
    ValueError
        If the size is odd.

    Examples
    --------
    >>> import autograd
    >>> glu(autograd.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    shape = shape_of(input, "glu")
    if not shape:
        raise ValueError("glu: a 0-d input has no halves")
    dim = dim_of("glu", dim, len(shape))
    if shape[dim] % 2:
        raise ValueError(f"glu: dimension {dim} of {shape} must be even, to be halved")
    half, before = shape[dim] // 2, (slice(None),) * dim
    gate = sigmoid(getitem(input, (*before, slice(half, None))))
    return mul(getitem(input, (*before, slice(0, half))), gate)
