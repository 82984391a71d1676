"""What the elementwise ops should give: formulas for one number, by the math module."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

Oracle = Callable[..., Any]


def each(formula: Callable[..., Any]) -> Oracle:
    """An oracle from a formula for one element and metadata."""

    def oracle(*arrays: Any, **params: Any) -> np.ndarray:
        together = np.broadcast_arrays(*arrays)
        rows = zip(*(a.ravel().tolist() for a in together), strict=True)
        flat = [formula(*items, **params) for items in rows]
        kind = np.float64 if not flat else None
        return np.array(flat, dtype=kind).reshape(together[0].shape)

    return oracle


def cardinal_sine(x: float) -> float:
    """By the series of the sine."""
    square = -((math.pi * x) ** 2)
    return math.fsum(square**n / math.factorial(2 * n + 1) for n in range(40))


def angle(a: float, b: float) -> float:
    return cmath.phase(complex(b, a))


def step(x: float, values: float) -> float:
    return values if x == 0.0 else 1.0 if x > 0.0 else 0.0


def nearest(x: float, *, decimals: int = 0) -> float:
    return float(np.format_float_positional(x, precision=decimals, trim="k")) if x else x


def between(x: float, low: float, high: float) -> float:
    return sorted((low, x, high))[1]


def exponential_unit(
    x: float, *, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
) -> float:
    return scale * (x if x > 0.0 else alpha * (math.e ** (input_scale * x) - 1.0))


def close(
    a: float, b: float, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    return a - (atol + rtol * abs(b)) <= b <= a + (atol + rtol * abs(b))


def ramp(x: float) -> float:
    return math.log(1.0 + math.exp(-abs(x))) + max(x, 0.0)


ORACLES: dict[str, Oracle] = {
    # Angles.
    "tan": each(lambda x: math.sin(x) / math.cos(x)),
    "asin": each(lambda x: math.pi / 2 - math.acos(x)),
    "acos": each(lambda x: math.pi / 2 - math.asin(x)),
    "atan": each(lambda x: angle(x, 1.0)),
    "atan2": each(angle),
    "hypot": each(lambda a, b: abs(complex(a, b))),
    "sinh": each(lambda x: (math.exp(x) - math.exp(-x)) / 2.0),
    "cosh": each(lambda x: (math.exp(x) + math.exp(-x)) / 2.0),
    "asinh": each(lambda x: math.copysign(math.log(abs(x) + math.hypot(x, 1.0)), x)),
    "acosh": each(lambda x: math.log(x + math.sqrt(x * x - 1.0))),
    "atanh": each(lambda x: 0.5 * math.log((1.0 + x) / (1.0 - x))),
    "sinc": each(cardinal_sine),
    # Exponentials.
    "exp2": each(lambda x: math.exp(x * math.log(2.0))),
    "expm1": each(lambda x: 2.0 * math.sinh(x / 2.0) * math.exp(x / 2.0)),
    "log1p": each(lambda x: 2.0 * math.atanh(x / (2.0 + x))),
    "log2": each(lambda x: math.log(x) / math.log(2.0)),
    "log10": each(lambda x: math.log(x) / math.log(10.0)),
    "logaddexp": each(lambda a, b: math.log(math.exp(a) + math.exp(b))),
    "logaddexp2": each(lambda a, b: math.log2(2.0**a + 2.0**b)),
    "rsqrt": each(lambda x: x**-0.5),
    "reciprocal": each(lambda x: x**-1.0),
    "square": each(lambda x: math.pow(x, 2.0)),
    "xlogy": each(lambda a, b: math.log(b) * a if a else 0.0),
    "logit": each(lambda x: 2.0 * math.atanh(2.0 * x - 1.0)),
    "erfc": each(lambda x: 1.0 - math.erf(x)),
    "erfinv": each(lambda x: NormalDist().inv_cdf(0.5 * (x + 1.0)) * math.sqrt(0.5)),
    # Steps and remainders.
    "floor": each(lambda x: float(x // 1)),
    "ceil": each(lambda x: -float(-x // 1)),
    "trunc": each(lambda x: float(int(x))),
    "round": each(nearest),
    "frac": each(lambda x: x - int(x)),
    "floor_divide": each(lambda a, b: float(math.floor(a / b))),
    "trunc_divide": each(lambda a, b: float(int(a / b))),
    "remainder": each(lambda a, b: a - b * math.floor(a / b)),
    "fmod": each(lambda a, b: a - b * int(a / b)),
    "copysign": each(lambda a, b: abs(a) if b > 0.0 else -abs(a)),
    "heaviside": each(step),
    "nan_to_num": each(lambda x, **_: x),
    # Logic.
    "isnan": each(lambda x: x != x),
    "isinf": each(lambda x: x in (math.inf, -math.inf)),
    "isfinite": each(lambda x: x - x == 0.0),
    "logical_not": each(lambda x: x == 0.0),
    "logical_and": each(lambda a, b: a != 0.0 and b != 0.0),
    "logical_or": each(lambda a, b: a != 0.0 or b != 0.0),
    "logical_xor": each(lambda a, b: (a != 0.0) != (b != 0.0)),
    "isclose": each(close),
    "bitwise_and": each(lambda a, b: a & b),
    "bitwise_or": each(lambda a, b: a | b),
    "bitwise_xor": each(lambda a, b: a ^ b),
    "bitwise_not": each(lambda x: not x if isinstance(x, bool) else -1 - x),
    # Of two and of three.
    "lerp": each(lambda a, b, w: math.fsum((a, w * b, -w * a))),
    "fmax": each(lambda a, b: sorted((a, b))[1]),
    "fmin": each(lambda a, b: sorted((a, b))[0]),
    # Activations.
    "leaky_relu": each(lambda x, negative_slope=0.01: max(x, 0.0) + negative_slope * min(x, 0.0)),
    "prelu": each(lambda x, w: max(x, 0.0) + w * min(x, 0.0)),
    "threshold": each(lambda x, threshold=0.0, value=0.0: x if x > threshold else value),
    "hardtanh": each(lambda x, min_val=-1.0, max_val=1.0: between(x, min_val, max_val)),
    "hardsigmoid": each(lambda x: between(x / 6.0 + 0.5, 0.0, 1.0)),
    "hardswish": each(lambda x: x * between(x / 6.0 + 0.5, 0.0, 1.0)),
    "softshrink": each(lambda x, lambd=0.5: x - between(x, -lambd, lambd)),
    "hardshrink": each(lambda x, lambd=0.5: x if abs(x) > lambd else 0.0),
    "elu": each(exponential_unit),
    "mish": each(lambda x: x * math.tanh(ramp(x))),
    "softsign": each(lambda x: x / (1.0 + abs(x))),
    "tanhshrink": each(lambda x: x - 1.0 + 2.0 / (math.exp(2.0 * x) + 1.0)),
    "logsigmoid": each(lambda x: -ramp(-x)),
}
