"""Trigonometric and hyperbolic functions and their inverses, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import elementwise
from .arithmetic import where
from .transcendental import cos, sin, sqrt

INSIDE = (-0.9, 0.9)
BEYOND_ONE = (1.2, 4.0)


@elementwise(
    lambda g, y, x: g * (1.0 + y * y),
    saves="y",
    scalar=math.tan,
    domain=(-1.3, 1.3),
    result="float",
    formula=("tan(x)", "1 + y ** 2"),
)
def tan(x):
    """Tangent of an angle in radians.

    Examples
    --------
    >>> import autograd
    >>> autograd.tan(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return np.tan(x)


# 1 - x**2 and x**2 - 1 are made of two factors, which lose no digits near 1 and do not overflow.


@elementwise(
    lambda g, y, x: g / (sqrt(1.0 - x) * sqrt(1.0 + x)),
    saves="x",
    scalar=math.asin,
    domain=INSIDE,
    result="float",
    formula=("asin(x)", "1 / sqrt(1 - x ** 2)"),
)
def asin(x):
    """Arc sine: the angle from -pi / 2 to pi / 2 whose sine is x; NaN outside -1..1.

    Examples
    --------
    >>> import autograd
    >>> autograd.asin(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return np.arcsin(x)


@elementwise(
    lambda g, y, x: -g / (sqrt(1.0 - x) * sqrt(1.0 + x)),
    saves="x",
    scalar=math.acos,
    domain=INSIDE,
    result="float",
    formula=("acos(x)", "-1 / sqrt(1 - x ** 2)"),
)
def acos(x):
    """Arc cosine: the angle from 0 to pi whose cosine is x; NaN outside -1..1.

    Examples
    --------
    >>> import autograd
    >>> autograd.acos(autograd.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return np.arccos(x)


@elementwise(
    lambda g, y, x: g / (1.0 + x * x),
    saves="x",
    scalar=math.atan,
    result="float",
    formula=("atan(x)", "1 / (1 + x ** 2)"),
)
def atan(x):
    """Arc tangent: the angle from -pi / 2 to pi / 2 whose tangent is x.

    Examples
    --------
    >>> import autograd
    >>> autograd.atan(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return np.arctan(x)


def _away(a: Any, b: Any) -> Any:
    """The distance of (a, b) from the origin, and 1 at the origin itself."""
    r = hypot(a, b)  # pyright: ignore[reportGeneralTypeIssues]
    return where(r == 0.0, 1.0, r)


def _over_square(a: Any, r: Any) -> Any:
    """``a / r**2`` without the square, which may overflow."""
    return a / r / r


@elementwise(
    lambda g, y, a, b: g * _over_square(b, _away(a, b)),
    lambda g, y, a, b: g * _over_square(-a, _away(a, b)),
    saves="a b",
    scalar=math.atan2,
    domain=((-3.0, 3.0), (0.3, 3.0)),
    result="float",
    formula=(
        "atan2(a, b)",
        "0 if a == 0 and b == 0 else b / (a ** 2 + b ** 2)",
        "0 if a == 0 and b == 0 else -a / (a ** 2 + b ** 2)",
    ),
)
def atan2(a, b):
    """Angle of the point (b, a), from -pi to pi; its slopes at the origin are 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.atan2(autograd.tensor([1.0, 1.0]), autograd.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """
    return np.arctan2(a, b)


@elementwise(
    lambda g, y, a, b: g * (a / y),
    lambda g, y, a, b: g * (b / y),
    saves=("y a", "y b"),
    scalar=math.hypot,
    domain=(0.3, 3.0),
    result="float",
    formula=("sqrt(a ** 2 + b ** 2)", "a / y", "b / y"),
)
def hypot(a, b):
    """Hypotenuse ``sqrt(a**2 + b**2)``, computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.hypot(autograd.tensor([3.0, 5.0]), autograd.tensor([4.0, 12.0]))
    tensor([ 5., 13.])
    """
    return np.hypot(a, b)


# --- Hyperbolic -------------------------------------------------------------------------------


@elementwise(
    lambda g, y, x: g * cosh(x),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=math.sinh,
    result="float",
    formula=("sinh(x)", "cosh(x)"),
)
def sinh(x):
    """Hyperbolic sine ``(exp(x) - exp(-x)) / 2``.

    Examples
    --------
    >>> import autograd
    >>> autograd.sinh(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return np.sinh(x)


@elementwise(
    lambda g, y, x: g * sinh(x),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=math.cosh,
    result="float",
    formula=("cosh(x)", "sinh(x)"),
)
def cosh(x):
    """Hyperbolic cosine ``(exp(x) + exp(-x)) / 2``.

    Examples
    --------
    >>> import autograd
    >>> autograd.cosh(autograd.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return np.cosh(x)


@elementwise(
    lambda g, y, x: g / hypot(x, 1.0),
    saves="x",
    scalar=math.asinh,
    result="float",
    formula=("asinh(x)", "1 / sqrt(1 + x ** 2)"),
)
def asinh(x):
    """Inverse hyperbolic sine ``log(x + sqrt(x**2 + 1))``, computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.asinh(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return np.arcsinh(x)


@elementwise(
    lambda g, y, x: g / (sqrt(x - 1.0) * sqrt(x + 1.0)),
    saves="x",
    scalar=math.acosh,
    domain=BEYOND_ONE,
    result="float",
    formula=("acosh(x)", "1 / sqrt(x ** 2 - 1)"),
)
def acosh(x):
    """Inverse hyperbolic cosine ``log(x + sqrt(x**2 - 1))``; NaN below 1.

    Examples
    --------
    >>> import autograd
    >>> autograd.acosh(autograd.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return np.arccosh(x)


@elementwise(
    lambda g, y, x: g / ((1.0 - x) * (1.0 + x)),
    saves="x",
    scalar=math.atanh,
    domain=INSIDE,
    result="float",
    formula=("atanh(x)", "1 / (1 - x ** 2)"),
)
def atanh(x):
    """Inverse hyperbolic tangent ``log((1 + x) / (1 - x)) / 2``; infinite at -1 and 1.

    Examples
    --------
    >>> import autograd
    >>> autograd.atanh(autograd.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    with np.errstate(divide="ignore"):  # the poles are part of the definition
        return np.arctanh(x)


# --- Angles, and the cardinal sine --------------------------------------------------------------


def deg2rad(input: Any) -> Any:
    """Convert degrees to radians: ``x * pi / 180``.

    Examples
    --------
    >>> import autograd
    >>> autograd.deg2rad(autograd.tensor([90.0, 180.0]))
    tensor([1.5708, 3.1416])
    """
    return input * (math.pi / 180.0)


def rad2deg(input: Any) -> Any:
    """Convert radians to degrees: ``x * 180 / pi``.

    Examples
    --------
    >>> import autograd
    >>> autograd.rad2deg(autograd.tensor([1.0, 2.0]))
    tensor([ 57.2958, 114.5916])
    """
    return input * (180.0 / math.pi)


# (t * cos(t) - sin(t)) / t**2 = t * P(t**2): the terms (-1)**k * 2k / (2k + 1)! * t**(2k - 1).
SINC_SLOPE = tuple((-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 8))
NEAR = 0.5  # where the series is exact to 1e-17; further out the difference keeps its digits


def _sinc_slope(x: Any, y: Any) -> Any:
    """The slope of `sinc` at x, where its result is y."""
    t = math.pi * x
    near = abs(t) < NEAR
    series = 0.0
    square = t * t
    for term in reversed(SINC_SLOPE):
        series = series * square + term
    return where(near, math.pi * t * series, (cos(t) - y) / where(near, 1.0, x))


def _sinc(x):
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


@elementwise(
    lambda g, y, x: g * _sinc_slope(x, y),
    saves="y x",
    scalar=_sinc,
    result="float",
    formula=("1 if x == 0 else sin(pi * x) / (pi * x)", "0 if x == 0 else (cos(pi * x) - y) / x"),
)
def sinc(x):
    """Cardinal sine ``sin(pi * x) / (pi * x)``, 1 at 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.sinc(autograd.tensor([0.0, 0.5, 1.5]))
    tensor([ 1.0000,  0.6366, -0.2122])
    """
    t = np.multiply(x, math.pi)
    zero = t == 0.0
    return np.where(zero, 1.0, sin(t) / np.where(zero, 1.0, t))[()]


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
