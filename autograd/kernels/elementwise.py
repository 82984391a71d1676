"""Functions of one element at a time: activations, their backward forms, arithmetic.

A backward form takes the gradient `g` of the result, and the result `y` or the input `x`, whichever
is cheaper to start from, and makes one pass over memory; NumPy makes one for each operation. Large
results come from recycled memory, which at 40 MB is worth more than the arithmetic.

All take arrays of any shape, and two arrays of the same shape.
"""

import math
from collections.abc import Callable

import numpy as np

from .common import Floats, Sample
from .dispatch import native, reference
from .native import Unit

UNIT = Unit(
    "elementwise",
    "autograd.kernels.native.elementwise",
    uses=("formulas", "vmath", "vnormal", "vtrig"),
)

ROOT_HALF = math.sqrt(0.5)
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
TANH_GELU = 2.0 * math.sqrt(2.0 / math.pi)

# --- Exponential, logarithm, sine -----------------------------------------------------------------


@reference
def exp(x: Floats, /) -> Floats:
    """Y = e**x."""
    return np.exp(x)


@reference
def log(x: Floats, /) -> Floats:
    """Y = ln x; NaN below 0, -inf at 0, without a warning or with NumPy's."""
    return np.log(x)


@reference
def sin(x: Floats, /) -> Floats:
    """Y = sin x; NaN at infinities."""
    return np.sin(x)


@reference
def cos(x: Floats, /) -> Floats:
    """Y = cos x; NaN at infinities."""
    return np.cos(x)


# --- Activations ----------------------------------------------------------------------------------


@reference
def relu(x: Floats, /) -> Floats:
    """Y = max(x, 0); NaN stays NaN."""
    return np.maximum(x, 0)


@reference
def relu_backward(g: Floats, y: Floats, /) -> Floats:
    """Dx = 0 where y <= 0, else g (where y is NaN too); `y` is the result of `relu`."""
    return np.where(y <= 0, g.dtype.type(0), g)


@reference
def tanh(x: Floats, /) -> Floats:
    """Y = tanh x."""
    return np.tanh(x)


@reference
def tanh_backward(g: Floats, y: Floats, /) -> Floats:
    """Dx = g * (1 - y**2); `y` is the result of `tanh`."""
    return g * (1 - y * y)


@reference
def sigmoid(x: Floats, /) -> Floats:
    """Y = 1 / (1 + e**-x), without overflow."""
    # exp of a negative number only: it may underflow, which is right, but never overflow.
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, z)[()] / (1 + z)


@reference
def sigmoid_backward(g: Floats, y: Floats, /) -> Floats:
    """Dx = g * y * (1 - y); `y` is the result of `sigmoid`."""
    return g * (y * (1 - y))


@reference
def softplus(x: Floats, beta: float, threshold: float, /) -> Floats:
    """Y = ln(1 + e**(beta * x)) / beta, without overflow; x where beta * x > threshold."""
    v = x * beta
    return np.where(v > threshold, x, np.logaddexp(v, 0) / beta)[()]


@reference
def softplus_backward(g: Floats, x: Floats, beta: float, threshold: float, /) -> Floats:
    """Dx = g * sigmoid(beta * x), or g where beta * x > threshold; `x` is the input."""
    v = x * beta
    z = np.exp(-np.abs(v))
    return g * np.where(v > threshold, 1.0, np.where(v >= 0, 1.0, z) / (1 + z)).astype(x.dtype)


@reference
def silu(x: Floats, /) -> Floats:
    """Y = x * sigmoid(x); 0 at -inf, the limit."""
    z = np.exp(-np.abs(x))
    weight = np.maximum(x, np.finfo(x.dtype).min)
    return np.where(x >= 0, weight, weight * z)[()] / (1 + z)


@reference
def silu_backward(g: Floats, x: Floats, /) -> Floats:
    """Dx = g * (s + x * s * (1 - s)), s = sigmoid(x); `x` is the input of `silu`."""
    x = np.clip(x, -800, 800)  # beyond, the slope is 0 or 1
    z = np.exp(-np.abs(x))
    return g * ((np.where(x >= 0, 1.0, z)[()] + x * z / (1 + z)) / (1 + z))


# --- The normal distribution ----------------------------------------------------------------------


@reference
def erf(x: Floats, /) -> Floats:
    """Y = 2 / sqrt(pi) * (integral of exp(-t**2) from 0 to x)."""
    return _each(math.erf, x)


def _each(function: Callable[[float], float], x: Floats) -> Floats:
    """A function of the math module, one element at a time: NumPy has no erf."""
    return np.array([function(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)[()]


def _normal(x: Floats) -> Floats:
    """Phi(x), the distribution function of the normal distribution."""
    return _each(lambda v: 0.5 * math.erfc(-ROOT_HALF * v), x)


@reference
def gelu(x: Floats, /) -> Floats:
    """Y = x * Phi(x), Phi the normal distribution; 0 at -inf, the limit."""
    return np.maximum(x, np.finfo(x.dtype).min) * _normal(x)


@reference
def gelu_backward(g: Floats, x: Floats, /) -> Floats:
    """Dx = g * (Phi(x) + x * phi(x)), phi the density; `x` is the input of `gelu`."""
    near = np.clip(x, -40, 40)  # beyond, phi is 0, and would meet infinity
    return g * (_normal(x) + near * np.exp(near * near * -0.5) * x.dtype.type(DENSITY))


@reference
def tanh_gelu(x: Floats, /) -> Floats:
    """Y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2, close to `gelu`."""
    near = np.clip(x, -40, 40)  # beyond, the angle would overflow
    z = np.exp(-np.abs(_angle(near)))
    weight = np.maximum(x, -40)
    return np.where(x >= 0, weight, weight * z)[()] / (1 + z)


@reference
def tanh_gelu_backward(g: Floats, x: Floats, /) -> Floats:
    """Dx = g times the derivative of `tanh_gelu` at x."""
    x = np.clip(x, -40, 40)
    z = np.exp(-np.abs(_angle(x)))
    slope = x.dtype.type(TANH_GELU) + x * x * x.dtype.type(3 * 0.044715 * TANH_GELU)
    return g * ((np.where(x >= 0, 1.0, z)[()] + x * slope * z / (1 + z)) / (1 + z))


def _angle(x: Floats) -> Floats:
    """V(x), with which `tanh_gelu` is x * sigmoid(v)."""
    return x * (x.dtype.type(TANH_GELU) + x * x * x.dtype.type(0.044715 * TANH_GELU))


# --- Arithmetic -----------------------------------------------------------------------------------


@reference
def add(a: Floats, b: Floats, /) -> Floats:
    """Y = a + b."""
    return a + b


@reference
def subtract(a: Floats, b: Floats, /) -> Floats:
    """Y = a - b."""
    return a - b


@reference
def multiply(a: Floats, b: Floats, /) -> Floats:
    """Y = a * b."""
    return a * b


@reference
def divide(a: Floats, b: Floats, /) -> Floats:
    """Y = a / b."""
    return a / b


for _kernel in (exp, log, sin, cos, relu, tanh, sigmoid, silu, erf, gelu, tanh_gelu):
    native(_kernel, UNIT, f"{_kernel.__name__}(x: T[*n]) -> y: T like x")
for _kernel in (relu_backward, tanh_backward, sigmoid_backward):
    native(_kernel, UNIT, f"{_kernel.__name__}(g: T[*n], y: T[*n]) -> dx: T like g")
for _kernel in (silu_backward, gelu_backward, tanh_gelu_backward):
    native(_kernel, UNIT, f"{_kernel.__name__}(g: T[*n], x: T[*n]) -> dx: T like g")
for _kernel in (add, subtract, multiply, divide):
    native(_kernel, UNIT, f"{_kernel.__name__}(a: T[*n], b: T[*n]) -> y: T like a")
native(softplus, UNIT, "softplus(x: T[*n], beta: float, threshold: float) -> y: T like x")
native(
    softplus_backward,
    UNIT,
    "softplus_backward(g: T[*n], x: T[*n], beta: float, threshold: float) -> dx: T like g",
)

SAMPLES = (
    Sample("small", ((1000,),)),
    Sample("layer", ((128, 784),)),
)
