"""Activation functions, element by element, each with its backward form as an op of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..families import elementwise
from ..kernels import implementation
from .arithmetic import where
from .transcendental import SMALL, alike, erf, exp

# A kernel takes arrays; for single numbers the formula itself is quicker.
SIGMOID = implementation(kernels.sigmoid, "reference")
SOFTPLUS = implementation(kernels.softplus, "reference")
SILU = implementation(kernels.silu, "reference")
GELU = implementation(kernels.gelu, "reference")
TANH_GELU = implementation(kernels.tanh_gelu, "reference")

# --- sigmoid --------------------------------------------------------------------------------------


def _sigmoid(x):
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


@elementwise(
    lambda g, y, x: g * (y * (1.0 - y)) if y.__class__ in SMALL else _sigmoid_backward(g, y),  # pyright: ignore[reportGeneralTypeIssues]
    saves="y",
    scalar=_sigmoid,
    domain=(-30.0, 30.0),
    result="float",
    formula=("1 / (1 + exp(-x))", "y * (1 - y)"),
)
def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)), computed without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.sigmoid(autograd.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return kernels.sigmoid(x) if x.__class__ is np.ndarray and x.ndim else SIGMOID(x)


@elementwise(
    lambda g, y, h, s: _sigmoid_backward(g, s),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, s: g * h * (1.0 - 2.0 * s),
    saves=("s", "h s"),
    scalar=lambda h, s: h * (s * (1.0 - s)),
    result="float",
    formula=("h * s * (1 - s)", "s * (1 - s)", "h * (1 - 2 * s)"),
)
def _sigmoid_backward(h, s):
    """H times the slope of `sigmoid` where its result is s."""
    return kernels.sigmoid_backward(h, s) if alike(h, s) else h * (s * (1.0 - s))


# --- relu -----------------------------------------------------------------------------------------


@elementwise(
    lambda g, y, x: where(y <= 0.0, 0.0, g) if y.__class__ in SMALL else _relu_backward(g, y),  # pyright: ignore[reportGeneralTypeIssues]
    saves="y",
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    formula=("max(x, 0)", "1 if x > 0 else 0"),
)
def relu(x):
    """Rectifier max(x, 0); the slope at 0 is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return kernels.relu(x) if x.__class__ is np.ndarray and x.ndim else np.maximum(x, 0)


@elementwise(
    lambda g, y, h, r: _relu_backward(g, r),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, r: 0.0 * g,  # a step
    saves=("r", ""),
    scalar=lambda h, r: 0.0 if r <= 0.0 else h,
    result="float",
    formula=("h if r > 0 else 0", "1 if r > 0 else 0", "0"),
)
def _relu_backward(h, r):
    """H where the result r of `relu` is positive, else 0; NaN passes, as in PyTorch."""
    return kernels.relu_backward(h, r) if alike(h, r) else where(r <= 0.0, 0.0 * r, h)


# --- softplus and silu ----------------------------------------------------------------------------


def _softplus(x, beta=1.0, threshold=math.inf):
    v = x * beta
    return x if v > threshold else (max(v, 0.0) + math.log1p(math.exp(-abs(v)))) / beta


@elementwise(
    lambda g, y, x, **how: _softplus_backward(g, x, **how),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=_softplus,
    domain=(-30.0, 30.0),
    result="float",
    formula=(
        "x if beta * x > threshold else log1pexp(beta * x) / beta",
        "1 if beta * x > threshold else sigmoid(beta * x)",
    ),
)
def softplus(x, *, beta=1.0, threshold=math.inf):
    """Smooth ramp log(1 + exp(beta * x)) / beta, computed without overflow.

    Where beta * x is above `threshold` it is x itself, and its slope 1.

    Examples
    --------
    >>> import autograd
    >>> autograd.softplus(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([0.3133, 0.6931, 1.3133])
    """
    if x.__class__ is np.ndarray and x.ndim:
        return kernels.softplus(x, beta, threshold)
    return SOFTPLUS(x, beta, threshold)


def _softplus_slope(x, beta, threshold):
    v = x * beta
    return 1.0 if v > threshold else _sigmoid(v)


@elementwise(
    lambda g, y, h, x, **how: _softplus_backward(g, x, **how),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, x, beta, threshold: g * h * _softplus_curvature(x, beta, threshold),
    saves=("x", "h x"),
    scalar=lambda h, x, beta=1.0, threshold=math.inf: h * _softplus_slope(x, beta, threshold),
    result="float",
    formula=(
        "h if beta * x > threshold else h * sigmoid(beta * x)",
        "1 if beta * x > threshold else sigmoid(beta * x)",
        "0 if beta * x > threshold else h * beta * sigmoid(beta * x) * (1 - sigmoid(beta * x))",
    ),
)
def _softplus_backward(h, x, *, beta=1.0, threshold=math.inf):
    """H times the slope of `softplus` at x."""
    if alike(h, x):
        return kernels.softplus_backward(h, x, beta, threshold)
    v = x * beta
    return h * where(v > threshold, 1.0, sigmoid(v))


def _softplus_curvature(x, beta, threshold):
    v = x * beta
    s = sigmoid(v)
    return where(v > threshold, 0.0, s * (1.0 - s) * beta)


@elementwise(
    lambda g, y, x: _silu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=lambda x: x * _sigmoid(x),
    result="float",
    formula=("x * sigmoid(x)", "sigmoid(x) * (1 + x * (1 - sigmoid(x)))"),
)
def silu(x):
    """Sigmoid linear unit x * sigmoid(x), also known as swish.

    Examples
    --------
    >>> import autograd
    >>> autograd.silu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return kernels.silu(x) if x.__class__ is np.ndarray and x.ndim else SILU(x)


def _silu_curvature(x):
    s = sigmoid(x)
    return s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s))


@elementwise(
    lambda g, y, h, x: _silu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, x: g * h * _silu_curvature(x),
    saves=("x", "h x"),
    scalar=lambda h, x: h * (_sigmoid(x) * (1.0 + x * (1.0 - _sigmoid(x)))),
    result="float",
    formula=(
        "h * sigmoid(x) * (1 + x * (1 - sigmoid(x)))",
        "sigmoid(x) * (1 + x * (1 - sigmoid(x)))",
        "h * sigmoid(x) * (1 - sigmoid(x)) * (2 + x * (1 - 2 * sigmoid(x)))",
    ),
)
def _silu_backward(h, x):
    """H times the slope of `silu` at x."""
    if alike(h, x):
        return kernels.silu_backward(h, x)
    s = sigmoid(1.0 * x)
    return h * (s + x * s * (1.0 - s))


# --- gelu -----------------------------------------------------------------------------------------

ROOT_HALF = math.sqrt(0.5)
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
STEEP, BEND = 2.0 * math.sqrt(2.0 / math.pi), 2.0 * math.sqrt(2.0 / math.pi) * 0.044715


def _normal(x):
    return 0.5 * math.erfc(-x * ROOT_HALF)


@elementwise(
    lambda g, y, x: _gelu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=lambda x: x * _normal(x),
    result="float",
    formula=("x * Phi(x)", "Phi(x) + x * phi(x)"),
)
def _gelu(x):
    """X times the normal distribution function of x."""
    return kernels.gelu(x) if x.__class__ is np.ndarray and x.ndim else GELU(x)


@elementwise(
    lambda g, y, h, x: _gelu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, x: g * h * (exp(x * x * -0.5) * (2.0 - x * x) * DENSITY),
    saves=("x", "h x"),
    scalar=lambda h, x: h * (_normal(x) + x * math.exp(-0.5 * x * x) * DENSITY),
    result="float",
    formula=("h * (Phi(x) + x * phi(x))", "Phi(x) + x * phi(x)", "h * (2 - x ** 2) * phi(x)"),
)
def _gelu_backward(h, x):
    """H times the slope of `gelu` at x."""
    if alike(h, x):
        return kernels.gelu_backward(h, x)
    return h * (0.5 + 0.5 * erf(x * ROOT_HALF) + x * exp(x * x * -0.5) * DENSITY)


@elementwise(
    lambda g, y, x: _tanh_gelu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    scalar=lambda x: x * _sigmoid(x * (STEEP + BEND * x * x)),
    result="float",
    formula=("x * tanh_Phi(x)", "tanh_Phi(x) + x * tanh_phi(x)"),
)
def _tanh_gelu(x):
    """The approximation of `gelu` by tanh."""
    return kernels.tanh_gelu(x) if x.__class__ is np.ndarray and x.ndim else TANH_GELU(x)


def _tanh_gelu_slope(x):
    s = _sigmoid(x * (STEEP + BEND * x * x))
    return s * (1.0 + x * (1.0 - s) * (STEEP + 3.0 * BEND * x * x))


def _tanh_gelu_curvature(x):
    s = sigmoid(x * (x * x * BEND + STEEP))
    slope = x * x * (3.0 * BEND) + STEEP
    return s * (1.0 - s) * (2.0 * slope + x * ((1.0 - 2.0 * s) * slope * slope + x * (6.0 * BEND)))


@elementwise(
    lambda g, y, h, x: _tanh_gelu_backward(g, x),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, h, x: g * h * _tanh_gelu_curvature(x),
    saves=("x", "h x"),
    scalar=lambda h, x: h * _tanh_gelu_slope(x),
    result="float",
    formula=(
        "h * (tanh_Phi(x) + x * tanh_phi(x))",
        "tanh_Phi(x) + x * tanh_phi(x)",
        "h * (2 * tanh_phi(x) + x * tanh_phi_slope(x))",
    ),
)
def _tanh_gelu_backward(h, x):
    """H times the slope of that approximation at x."""
    if alike(h, x):
        return kernels.tanh_gelu_backward(h, x)
    s = sigmoid(x * (x * x * BEND + STEEP))
    return h * (s + x * s * (1.0 - s) * (x * x * (3.0 * BEND) + STEEP))


def gelu(input: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit x * Phi(x), Phi the normal distribution function.

    Parameters
    ----------
    input : Tensor or Scalar
    approximate : {"none", "tanh"}
        "tanh": x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2 instead.

    Raises
    ------
    ValueError
        If `approximate` is another word.

    Examples
    --------
    >>> import autograd
    >>> autograd.gelu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate == "none":
        return _gelu(input)
    if approximate == "tanh":
        return _tanh_gelu(input)
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
