"""Exponentials, logarithms, roots and trigonometry, element by element."""

from __future__ import annotations

import math

import numpy as np

from ..families import elementwise

POSITIVE = (0.2, 3.0)


@elementwise(lambda g, y, x: g * y, saves="y", scalar=math.exp, result="float")
def exp(x):
    """Exponential e**x.

    Examples
    --------
    >>> import autograd
    >>> autograd.exp(autograd.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return np.exp(x)


@elementwise(lambda g, y, x: g / x, saves="x", scalar=math.log, domain=POSITIVE, result="float")
def log(x):
    """Natural logarithm.

    Examples
    --------
    >>> import autograd
    >>> autograd.log(autograd.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return np.log(x)


@elementwise(
    lambda g, y, x: g / (2.0 * y), saves="y", scalar=math.sqrt, domain=POSITIVE, result="float"
)
def sqrt(x):
    """Square root.

    Examples
    --------
    >>> import autograd
    >>> autograd.sqrt(autograd.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return np.sqrt(x)


@elementwise(lambda g, y, x: g * cos(x), saves="x", scalar=math.sin, result="float")
def sin(x):
    """Sine of an angle in radians.

    Examples
    --------
    >>> import autograd
    >>> autograd.sin(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return np.sin(x)


@elementwise(lambda g, y, x: -g * sin(x), saves="x", scalar=math.cos, result="float")  # pyright: ignore[reportGeneralTypeIssues]
def cos(x):
    """Cosine of an angle in radians.

    Examples
    --------
    >>> import autograd
    >>> autograd.cos(autograd.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return np.cos(x)


@elementwise(lambda g, y, x: g - g * y * y, saves="y", scalar=math.tanh, result="float")
def tanh(x):
    """Hyperbolic tangent.

    Examples
    --------
    >>> import autograd
    >>> autograd.tanh(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return np.tanh(x)
