"""Exponentials, logarithms, roots and trigonometry, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..families import elementwise
from ..graph import NUMBERS

POSITIVE = (0.2, 3.0)

SMALL = frozenset((*NUMBERS, np.float16, np.float32, np.float64))
"""Types of single numbers, for which a formula is quicker than a kernel."""

LARGE = 1 << 15
"""Elements from which on kernels do plain arithmetic quicker than NumPy: they use memory again."""

ERF = kernels.implementation(kernels.erf, "reference")
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def alike(a: Any, b: Any) -> bool:
    """Whether a kernel can take both: arrays, not 0-d, of one shape."""
    return (
        a.__class__ is np.ndarray
        and b.__class__ is np.ndarray
        and a.ndim > 0
        and a.shape == b.shape
    )


def large(a: Any, b: Any) -> bool:
    """Whether a kernel makes the sum or product of both quicker than NumPy."""
    return a.size >= LARGE and alike(a, b)


def times(a: Any, b: Any) -> Any:
    """``a * b`` of anything, and quick for large arrays."""
    return kernels.multiply(a, b) if a.__class__ is np.ndarray and large(a, b) else a * b


def over(a: Any, b: Any) -> Any:
    """``a / b`` of anything, and quick for large arrays."""
    return kernels.divide(a, b) if a.__class__ is np.ndarray and large(a, b) else a / b


@elementwise(
    lambda g, y, x: times(g, y), saves="y", scalar=math.exp, result="float", formula=("exp(x)", "y")
)
def exp(x):
    """Exponential e**x.

    Examples
    --------
    >>> import autograd
    >>> autograd.exp(autograd.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return kernels.exp(x) if x.__class__ is np.ndarray and x.ndim else np.exp(x)


@elementwise(
    lambda g, y, x: over(g, x),
    saves="x",
    scalar=math.log,
    domain=POSITIVE,
    result="float",
    formula=("log(x)", "1 / x"),
)
def log(x):
    """Natural logarithm.

    Examples
    --------
    >>> import autograd
    >>> autograd.log(autograd.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return kernels.log(x) if x.__class__ is np.ndarray and x.ndim else np.log(x)


@elementwise(
    lambda g, y, x: g / (2.0 * y),
    saves="y",
    scalar=math.sqrt,
    domain=POSITIVE,
    result="float",
    formula=("sqrt(x)", "1 / (2 * y)"),
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


@elementwise(
    lambda g, y, x: times(g, cos(x)),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=math.sin,
    result="float",
    formula=("sin(x)", "cos(x)"),
)
def sin(x):
    """Sine of an angle in radians.

    Examples
    --------
    >>> import autograd
    >>> autograd.sin(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return kernels.sin(x) if x.__class__ is np.ndarray and x.ndim else np.sin(x)


@elementwise(
    lambda g, y, x: times(-g, sin(x)),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=math.cos,
    result="float",
    formula=("cos(x)", "-sin(x)"),
)
def cos(x):
    """Cosine of an angle in radians.

    Examples
    --------
    >>> import autograd
    >>> autograd.cos(autograd.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return kernels.cos(x) if x.__class__ is np.ndarray and x.ndim else np.cos(x)


@elementwise(
    lambda g, y, x: g - g * y * y if y.__class__ in SMALL else _tanh_backward(g, y),  # pyright: ignore[reportGeneralTypeIssues]
    saves="y",
    scalar=math.tanh,
    result="float",
    formula=("tanh(x)", "1 - y ** 2"),
)
def tanh(x):
    """Hyperbolic tangent.

    Examples
    --------
    >>> import autograd
    >>> autograd.tanh(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return kernels.tanh(x) if x.__class__ is np.ndarray and x.ndim else np.tanh(x)


@elementwise(
    lambda g, y, h, t: _tanh_backward(g, t),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, t: -2.0 * g * h * t,
    saves=("t", "h t"),
    scalar=lambda h, t: h * (1.0 - t * t),
    result="float",
    formula=("h * (1 - t ** 2)", "1 - t ** 2", "-2 * h * t"),
)
def _tanh_backward(h, t):
    """H times the slope of `tanh` where its result is t."""
    return kernels.tanh_backward(h, t) if alike(h, t) else h * (1.0 - t * t)


@elementwise(
    lambda g, y, x: g * (exp(x * x * -1.0) * TWO_OVER_ROOT_PI),
    saves="x",
    scalar=math.erf,
    result="float",
    formula=("erf(x)", "2 * exp(-(x ** 2)) / sqrt(pi)"),
)
def erf(x):
    """Error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    Examples
    --------
    >>> import autograd
    >>> autograd.erf(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return kernels.erf(x) if x.__class__ is np.ndarray and x.ndim else ERF(x)
