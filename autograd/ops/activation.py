"""Activation functions, element by element."""

from __future__ import annotations

import math

import numpy as np

from ..families import elementwise
from .arithmetic import where


def _sigmoid(x):
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


@elementwise(
    lambda g, y, x: g * (y * (1.0 - y)),
    saves="y",
    scalar=_sigmoid,
    domain=(-30.0, 30.0),
    result="float",
)
def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)), computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.sigmoid(autograd.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    # exp of a negative number only: it may underflow, which is right, but never overflow.
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, z)[()] / (1.0 + z)


@elementwise(
    lambda g, y, x: where(y <= 0.0, 0.0, g),  # so that NaN passes, as in PyTorch
    saves="y",
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
)
def relu(x):
    """Rectifier max(x, 0); the slope at 0 is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return np.maximum(x, 0)


def _softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@elementwise(
    lambda g, y, x: g * sigmoid(x),
    saves="x",
    scalar=_softplus,
    domain=(-30.0, 30.0),
    result="float",
)
def softplus(x):
    """Smooth ramp log(1 + exp(x)), computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.softplus(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([0.3133, 0.6931, 1.3133])
    """
    return np.logaddexp(x, 0)
