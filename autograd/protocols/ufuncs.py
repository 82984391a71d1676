"""``np.sin(tensor)``, ``array + tensor``: NumPy's ufuncs as ops of ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import shape_of
from ..graph import Variable
from ..ops import (
    arithmetic,
    cumulative,
    exponential,
    extremes,
    forms,
    linalg,
    logic,
    reduce,
    rounding,
    transcendental,
    trigonometry,
)
from ..ops.shape import reshape, unsqueeze
from .calling import foreign, missing, no_target, operands, ours, refused


def floats(x: Any) -> Any:
    """`x`, integers as floats."""
    return x if getattr(x, "dtype", float) is float or x.dtype.kind == "f" else x * 1.0


def signbit(x: Any) -> Any:
    """Whether the sign is negative, that of -0.0 included."""
    return arithmetic.lt(rounding.copysign(1.0, floats(x)), 0.0)


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Dot products along one dimension."""
    return reduce.sum(arithmetic.mul(x1, x2), axis)


NAMED = {
    "add": arithmetic.add,
    "subtract": arithmetic.sub,
    "multiply": arithmetic.mul,
    "divide": arithmetic.div,
    "floor_divide": rounding.floor_divide,
    "remainder": rounding.remainder,
    "fmod": rounding.fmod,
    "divmod": lambda a, b: (rounding.floor_divide(a, b), rounding.remainder(a, b)),
    "power": arithmetic.pow,
    "float_power": exponential.float_power,
    "negative": arithmetic.neg,
    "positive": rounding.positive,
    "conjugate": rounding.positive,
    "absolute": arithmetic.abs,
    "fabs": lambda x: arithmetic.abs(floats(x)),
    "sign": arithmetic.sign,
    "signbit": signbit,
    "copysign": rounding.copysign,
    "heaviside": rounding.heaviside,
    "maximum": arithmetic.maximum,
    "minimum": arithmetic.minimum,
    "fmax": forms.fmax,
    "fmin": forms.fmin,
    "rint": rounding.round,
    "floor": rounding.floor,
    "ceil": rounding.ceil,
    "trunc": rounding.trunc,
    "sqrt": transcendental.sqrt,
    "square": exponential.square,
    "reciprocal": exponential.reciprocal,
    "exp": transcendental.exp,
    "exp2": exponential.exp2,
    "expm1": exponential.expm1,
    "log": transcendental.log,
    "log2": exponential.log2,
    "log10": exponential.log10,
    "log1p": exponential.log1p,
    "logaddexp": exponential.logaddexp,
    "logaddexp2": exponential.logaddexp2,
    "sin": transcendental.sin,
    "cos": transcendental.cos,
    "tan": trigonometry.tan,
    "arcsin": trigonometry.asin,
    "arccos": trigonometry.acos,
    "arctan": trigonometry.atan,
    "arctan2": trigonometry.atan2,
    "hypot": trigonometry.hypot,
    "sinh": trigonometry.sinh,
    "cosh": trigonometry.cosh,
    "tanh": transcendental.tanh,
    "arcsinh": trigonometry.asinh,
    "arccosh": trigonometry.acosh,
    "arctanh": trigonometry.atanh,
    "deg2rad": trigonometry.deg2rad,
    "radians": trigonometry.deg2rad,
    "rad2deg": trigonometry.rad2deg,
    "degrees": trigonometry.rad2deg,
    "equal": arithmetic.eq,
    "not_equal": arithmetic.ne,
    "less": arithmetic.lt,
    "less_equal": arithmetic.le,
    "greater": arithmetic.gt,
    "greater_equal": arithmetic.ge,
    "isnan": logic.isnan,
    "isinf": logic.isinf,
    "isfinite": logic.isfinite,
    "logical_and": logic.logical_and,
    "logical_or": logic.logical_or,
    "logical_xor": logic.logical_xor,
    "logical_not": logic.logical_not,
    "bitwise_and": logic.bitwise_and,
    "bitwise_or": logic.bitwise_or,
    "bitwise_xor": logic.bitwise_xor,
    "invert": logic.bitwise_not,
    "matmul": linalg.matmul,
    "vecdot": vecdot,
    "matvec": lambda a, b: linalg.matmul(a, unsqueeze(b, -1))[..., 0],
    "vecmat": lambda a, b: linalg.matmul(unsqueeze(a, -2), b)[..., 0, :],
}
"""Name of a ufunc -> what answers for it."""

UFUNCS = {getattr(np, name): op for name, op in NAMED.items() if hasattr(np, name)}
"""The same by the ufunc itself; an older NumPy has not all of them."""

REDUCE = {
    np.add: reduce.sum,
    np.multiply: cumulative.prod,
    np.maximum: extremes.amax,
    np.minimum: extremes.amin,
    np.logical_and: reduce.all,
    np.logical_or: reduce.any,
    np.logaddexp: reduce.logsumexp,
}
"""What ``ufunc.reduce`` is."""

ACCUMULATE = {
    np.add: cumulative.cumsum,
    np.multiply: cumulative.cumprod,
    np.maximum: lambda x, dim: cumulative.cummax(x, dim).values,
    np.minimum: lambda x, dim: cumulative.cummin(x, dim).values,
    np.logaddexp: cumulative.logcumsumexp,
}
"""What ``ufunc.accumulate`` is."""


USUAL = frozenset((np.ndarray, np.float32, np.float64, float, int))


def _usual(value: Any) -> bool:
    """True for an operand that goes to our op as it is."""
    return value.__class__ in USUAL or isinstance(value, Variable)


def answer(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``__array_ufunc__`` of a tensor says: the result of our op."""
    if not kwargs and method == "__call__" and ufunc in UFUNCS and all(map(_usual, inputs)):
        return UFUNCS[ufunc](*inputs)
    theirs = getattr(np, ufunc.__name__, None) is ufunc
    name = f"np.{ufunc.__name__}" if theirs else f"the ufunc {ufunc.__name__}"
    if foreign(inputs):
        return NotImplemented
    if any(out is not None for out in kwargs.get("out", ())):
        raise no_target(name)
    options = {k: v for k, v in kwargs.items() if k != "out" and v is not None}
    if options.get("where") is True:
        del options["where"]
    if method == "reduce":
        return _reduce(f"{name}.reduce", REDUCE.get(ufunc), inputs, kwargs, options)
    if method == "accumulate":
        return _accumulate(f"{name}.accumulate", ACCUMULATE.get(ufunc), inputs, options)
    op = UFUNCS.get(ufunc)
    if op is None or method not in ("__call__", "outer"):
        raise missing(name if method == "__call__" else f"{name}.{method}")
    arrays = operands(*inputs)
    allowed = ("axis",) if ufunc.__name__ == "vecdot" else ()
    for key in options:
        if key not in allowed:
            raise refused(name, key)
    if method == "outer":
        a, b = arrays
        shape = shape_of(a, name)
        if shape_of(b, name):
            a = reshape(a, *shape, *[1] * len(shape_of(b, name)))
        arrays = (a, b)
    return ours(op(*arrays, **options))


def _reduce(name: str, op: Any, inputs: Any, kwargs: Any, options: Any) -> Any:
    axis = kwargs.get("axis", 0)  # here None says all dimensions; left out, it is the first
    return _folded(name, op, inputs, options, axis, ("axis", "keepdims", "dtype"))


def _accumulate(name: str, op: Any, inputs: Any, options: Any) -> Any:
    axis = options.get("axis", 0)
    return _folded(name, op, inputs, options, axis, ("axis", "dtype"))


def _folded(name: str, op: Any, inputs: Any, options: Any, axis: Any, allowed: Any) -> Any:
    if op is None:
        raise missing(name)
    for key in options:
        if key not in allowed:
            raise refused(name, key)
    if axis == ():
        raise ValueError(f"{name}: axis=() names no dimension; leave the call out")
    if "dtype" in options and not name.startswith(("np.add.", "np.multiply.")):
        raise refused(name, "dtype")
    (x,) = inputs
    if not isinstance(x, Variable):
        raise missing(name)
    return op(x, axis, **{k: v for k, v in options.items() if k != "axis"})
