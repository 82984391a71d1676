"""Activations and their gradients as formulas of vectors: (code, vectors) -> vector."""

from collections.abc import Callable

from . import vmath, vnormal, vtrig
from .simd import Code, Value

Formula = Callable[..., Value]

SILU_RANGE = (-800.0, 800.0)  # outside, the slope is 0 or 1, and infinity times 0 must not occur


def relu(k: Code, x: Value) -> Value:
    return k.select(x < 0.0, 0.0, x)


def relu_backward(k: Code, g: Value, y: Value) -> Value:
    return k.select(y <= 0.0, 0.0, g)


def tanh_backward(k: Code, g: Value, y: Value) -> Value:
    return g * k.fma(-y, y, 1.0)


def sigmoid_backward(k: Code, g: Value, y: Value) -> Value:
    return g * (y * (1.0 - y))


def silu_backward(k: Code, g: Value, x: Value) -> Value:
    x = vmath.within(k, x, *SILU_RANGE)
    s, slope = vmath.sigmoid_parts(k, x)
    return g * k.fma(x, slope, s)


def ramp(k: Code, x: Value, beta: Value, inverse: Value, threshold: Value) -> Value:
    v = x * beta
    return k.select(v > threshold, x, vmath.softplus(k, v) * inverse)


def ramp_backward(k: Code, g: Value, x: Value, beta: Value, threshold: Value) -> Value:
    v = x * beta
    s, _ = vmath.sigmoid_parts(k, v)
    return k.select(v > threshold, g, g * s)


def times(slope: Formula) -> Formula:
    """A gradient times a slope."""
    return lambda k, g, x: g * slope(k, x)


ONE: dict[str, Formula] = {
    "relu": relu,
    "exp": vmath.exp,
    "log": vmath.log,
    "tanh": vmath.tanh,
    "sigmoid": vmath.sigmoid,
    "silu": vmath.silu,
    "tanh_gelu": vnormal.tanh_gelu,
}
TWO: dict[str, Formula] = {
    "relu_backward": relu_backward,
    "tanh_backward": tanh_backward,
    "sigmoid_backward": sigmoid_backward,
    "silu_backward": silu_backward,
    "tanh_gelu_backward": times(vnormal.tanh_gelu_slope),
    "add": lambda k, a, b: a + b,
    "subtract": lambda k, a, b: a - b,
    "multiply": lambda k, a, b: a * b,
    "divide": lambda k, a, b: a / b,
}
WAVES: dict[str, Formula] = {"sin": vtrig.sin, "cos": vtrig.cos}

# In float32 vectors, in float64 one number at a time.
NORMAL_ONE: dict[str, tuple[Formula, Formula]] = {
    "erf": (vnormal.erf, vnormal.wide_erf),
    "gelu": (vnormal.gelu, vnormal.wide_gelu),
}
NORMAL_TWO: dict[str, tuple[Formula, Formula]] = {
    "gelu_backward": (times(vnormal.gelu_slope), times(vnormal.wide_gelu_slope)),
}
