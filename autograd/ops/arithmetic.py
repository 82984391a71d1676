"""Arithmetic, comparison, selection and conversion, element by element."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import kernels
from ..dtypes import promoted, to_common
from ..families import elementwise, structured
from ..graph import NUMBERS, Spec, Variable, wrap
from .transcendental import large, log, times

ANY, POSITIVE, NONZERO = (-3.0, 3.0), (0.2, 3.0), (0.3, 3.0)


@elementwise(
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    saves="",
    scalar=operator.add,
    formula=("a + b", "1", "1"),
)
def add(a, b):
    """Sum ``a + b`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.add(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([4., 5.])
    """
    return kernels.add(a, b) if a.__class__ is np.ndarray and large(a, b) else a + b


@elementwise(
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    saves="",
    scalar=operator.sub,
    formula=("a - b", "1", "-1"),
)
def sub(a, b):
    """Difference ``a - b`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.sub(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([-2., -1.])
    """
    return kernels.subtract(a, b) if a.__class__ is np.ndarray and large(a, b) else a - b


@elementwise(
    lambda g, y, a, b: times(g, b),
    lambda g, y, a, b: times(g, a),
    saves=("b", "a"),
    scalar=operator.mul,
    formula=("a * b", "b", "a"),
)
def mul(a, b):
    """Product ``a * b`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.mul(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([3., 6.])
    """
    return kernels.multiply(a, b) if a.__class__ is np.ndarray and large(a, b) else a * b


@elementwise(
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -g * y / b,
    saves=("b", "y b"),
    scalar=operator.truediv,
    result="float",
    domain=(ANY, NONZERO),
    formula=("a / b", "1 / b", "-a / b ** 2"),
)
def div(a, b):
    """Quotient ``a / b`` of operands that broadcast together; integers divide as floats.

    Examples
    --------
    >>> import autograd
    >>> autograd.div(autograd.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    """
    return (
        kernels.divide(a, b) if a.__class__ is np.ndarray and large(a, b) else np.true_divide(a, b)
    )


@elementwise(lambda g, y, x: -g, saves="", scalar=operator.neg, formula=("-x", "-1"))
def neg(x):
    """Negative ``-x``.

    Examples
    --------
    >>> import autograd
    >>> autograd.neg(autograd.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return np.negative(x)


def _pow(a, b):
    try:
        y = a**b
    except ZeroDivisionError:
        return math.inf
    return math.nan if y.__class__ is complex else y


def _slope_in_base(g, y, a, b):
    lower = b - 1.0
    if getattr(b, "dtype", float) is not float or (b.__class__ in NUMBERS and b == 0.0):
        # 0 ** 0 stays 1 when the base moves: its slope is 0, and not 0 * inf.
        lower = where((a == 0.0) * (b == 0.0), 1.0, lower)
    return g * (b * pow(a, lower))


@elementwise(
    _slope_in_base,
    lambda g, y, a, b: g * where((a == 0.0) * (b >= 0.0), 0.0, y * log(where(a == 0.0, 1.0, a))),
    saves=("a b", "y a b"),
    scalar=_pow,
    domain=(POSITIVE, ANY),
    formula=(
        "a ** b",
        "0 if a == 0 and b == 0 else b * a ** (b - 1)",
        "0 if a == 0 and b >= 0 else y * log(a)",
    ),
)
def pow(a, b):
    """Power ``a ** b`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.pow(autograd.tensor([2.0, 3.0]), 2)
    tensor([4., 9.])
    """
    if a.__class__ is np.ndarray and a.dtype.char in "fd" and b.__class__ in NUMBERS:
        return _whole_power(a, b) if b == b // 1 else a**b
    return a**b


LARGEST_PRODUCT = 8  # squaring doubles what rounding left out: 3 units in the last place at x ** 8


def _whole_power(x, p):
    """Power by a whole number. NumPy takes 90 ns for each negative number, and 1 for each other."""
    if -1 <= p <= 2:
        return x**p
    if 2 < p <= LARGEST_PRODUCT:
        half = _whole_power(x, p // 2)
        return half * half * x if p % 2 else half * half
    y = np.abs(x) ** p
    return np.copysign(y, x) if p % 2 else y


@elementwise(
    lambda g, y, x: g * sign(x), saves="x", scalar=math.fabs, formula=("abs(x)", "sign(x)")
)
def abs(x):
    """Absolute value; the slope at 0 is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.abs(autograd.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return np.abs(x)


@elementwise(
    lambda g, y, x: 0.0 * g,
    saves="",
    scalar=lambda x: math.copysign(1.0, x) if x and x == x else x,
    formula=("sign(x)", "0"),
)
def sign(x):
    """Sign: -1, 0 or 1; NaN stays NaN. The slope is 0 everywhere.

    Examples
    --------
    >>> import autograd
    >>> autograd.sign(autograd.tensor([-3.0, 0.0, 5.0]))
    tensor([-1.,  0.,  1.])
    """
    return np.sign(x)


@elementwise(
    lambda g, y, a, b: where(a == b, 0.5 * g, where(a > b, g, 0.0)),
    lambda g, y, a, b: where(a == b, 0.5 * g, where(a < b, g, 0.0)),
    saves="a b",
    scalar=lambda a, b: a if a > b or a != a else b,
    formula=(
        "max(a, b)",
        "1 / 2 if a == b else 1 if a > b else 0",
        "1 / 2 if a == b else 1 if a < b else 0",
    ),
)
def maximum(a, b):
    """The larger of two operands; at a tie each gets half of the gradient; NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.maximum(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return np.maximum(a, b)


@elementwise(
    lambda g, y, a, b: where(a == b, 0.5 * g, where(a < b, g, 0.0)),
    lambda g, y, a, b: where(a == b, 0.5 * g, where(a > b, g, 0.0)),
    saves="a b",
    scalar=lambda a, b: a if a < b or a != a else b,
    formula=(
        "min(a, b)",
        "1 / 2 if a == b else 1 if a < b else 0",
        "1 / 2 if a == b else 1 if a > b else 0",
    ),
)
def minimum(a, b):
    """The smaller of two operands; at a tie each gets half of the gradient; NaN wins.

    Examples
    --------
    >>> import autograd
    >>> autograd.minimum(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return np.minimum(a, b)


@elementwise(
    lambda g, y, x, low, high: where((x >= low) * (x <= high), g, 0.0),
    lambda g, y, x, low, high: where((x < low) * (low <= high), g, 0.0),
    lambda g, y, x, low, high: where((x > high) + (low > high), g, 0.0),
    saves="x low high",
    scalar=lambda x, low, high: min(max(x, low), high),
    domain=(ANY, (-1.5, -0.5), (0.5, 1.5)),
    formula=(
        "min(max(x, low), high)",
        "1 if low <= x <= high else 0",
        "1 if x < low <= high else 0",
        "1 if x > high or low > high else 0",
    ),
)
def _clamp(x, low, high):
    """Limit x to low..high."""
    return np.minimum(np.maximum(x, low), high)


def _typed(values):
    """As `to_common`, and numbers too: NumPy makes a float64 of two numbers that meet first."""
    values = to_common(values)
    dtype = promoted(values)
    return [dtype.type(v) if v.__class__ in NUMBERS else v for v in values]


def _typed_among_arrays(values):
    if all(v.__class__ in NUMBERS for v in values):  # Scalars stay floats
        return values
    return _typed(values)


_clamp.op.promotes = _typed_among_arrays


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Limit `input` to the range from `min` to `max`.

    Parameters
    ----------
    input : Tensor or Scalar
    min, max : Tensor, Scalar or number, optional
        Bounds, broadcast with `input`; at least one of them. The gradient passes to `input`
        inside the range, bounds included.

    Raises
    ------
    ValueError
        If both bounds are missing.

    Examples
    --------
    >>> import autograd
    >>> autograd.clamp(autograd.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ValueError("clamp: give at least one of min and max")
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    dtype = getattr(input, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":  # integers have no infinity
        low = np.iinfo(dtype).min if min is None else min
        high = np.iinfo(dtype).max if max is None else max
    return _clamp(input, low, high)


@elementwise(
    None,
    lambda g, y, condition, a, b: where(condition, g, 0.0),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, condition, a, b: where(condition, 0.0, g),  # pyright: ignore[reportGeneralTypeIssues]
    saves="condition",
    scalar=lambda condition, a, b: a if condition else b,
    formula=("a if condition else b", None, "1 if condition else 0", "0 if condition else 1"),
)
def where(condition, a, b):
    """Take `a` where `condition` is true, else `b`; all three broadcast together.

    The side that was not taken gets a gradient of exactly 0, but what it was computed from may
    still turn 0 into NaN (``where(x > 0, log(x), 0)`` at 0): make the input of the branch safe,
    not only its output.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([-1.0, 2.0])
    >>> autograd.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if condition.__class__ is np.ndarray and condition.ndim and condition.dtype.char == "?":
        shape = condition.shape
        kind = getattr(a if getattr(a, "shape", ()) == shape else b, "dtype", None)
        if kind is not None and kind.char in "fd":
            left, right = _role(a, shape, kind), _role(b, shape, kind)
            if left == right == "array":
                return kernels.choose(condition, a, b)
            if left == "array" and right == "number":
                return kernels.choose_or(condition, a, float(b))
            if left == "number" and right == "array":
                return kernels.or_choose(condition, float(a), b)
    return np.where(condition, a, b)[()]


def _role(value, shape, kind):
    """How a kernel takes an operand; None if it does not."""
    if value.__class__ in NUMBERS:
        return "number"
    if value.dtype != kind:
        return None
    if value.__class__ is np.ndarray and value.shape == shape:
        return "array"
    return None if value.ndim else "number"


def _keep_condition(values):
    if all(v.__class__ in NUMBERS for v in values):
        return values
    return [values[0], *_typed(values[1:])]


def _where_infer(condition, a, b, *, _infer=where.op.infer):
    # The dtype of the condition does not matter; that of a bool never does.
    seen = Spec(condition.shape, bool) if hasattr(condition, "shape") else condition
    return _infer(seen, a, b)


where.op.promotes = _keep_condition
where.op.infer = _where_infer
where.op.samples = lambda draw: [((draw((2, 3)) > 0, draw((2, 3)), draw((3,))), {})]


# --- Comparison: no gradient ------------------------------------------------------------------


@elementwise(None, None, result="bool", scalar=operator.eq, formula=("a == b", None, None))
def eq(a, b):
    """Element by element ``a == b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.eq(autograd.tensor([1.0, 2.0]), 2.0)
    tensor([False,  True])
    """
    return np.equal(a, b)


@elementwise(None, None, result="bool", scalar=operator.ne, formula=("a != b", None, None))
def ne(a, b):
    """Element by element ``a != b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.ne(autograd.tensor([1.0, 2.0]), 2.0)
    tensor([ True, False])
    """
    return np.not_equal(a, b)


@elementwise(None, None, result="bool", scalar=operator.lt, formula=("a < b", None, None))
def lt(a, b):
    """Element by element ``a < b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.lt(autograd.tensor([1.0, 2.0]), 2.0)
    tensor([ True, False])
    """
    return np.less(a, b)


@elementwise(None, None, result="bool", scalar=operator.le, formula=("a <= b", None, None))
def le(a, b):
    """Element by element ``a <= b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.le(autograd.tensor([1.0, 3.0]), 2.0)
    tensor([ True, False])
    """
    return np.less_equal(a, b)


@elementwise(None, None, result="bool", scalar=operator.gt, formula=("a > b", None, None))
def gt(a, b):
    """Element by element ``a > b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.gt(autograd.tensor([1.0, 3.0]), 2.0)
    tensor([False,  True])
    """
    return np.greater(a, b)


@elementwise(None, None, result="bool", scalar=operator.ge, formula=("a >= b", None, None))
def ge(a, b):
    """Element by element ``a >= b``.

    Examples
    --------
    >>> import autograd
    >>> autograd.ge(autograd.tensor([1.0, 3.0]), 2.0)
    tensor([False,  True])
    """
    return np.greater_equal(a, b)


# --- Conversion -------------------------------------------------------------------------------


@structured(
    lambda g, y, x, dtype: g,
    saves="",
    infer=lambda x, *, dtype: Spec(x.shape, dtype),
    formula=("cast(x)", "cast(g)"),
)
def _cast(x, /, *, dtype):
    """Convert to another dtype; the gradient is converted back."""
    if x.__class__ is float:
        return dtype.type(x)
    return x.astype(dtype)


def cast(x: Any, dtype: Any) -> Any:
    """Convert to another dtype (see `Tensor.to`); the gradient is converted back.

    Integers and bools have no gradient.
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f" and isinstance(x, Variable) and x.requires_grad:
        x = wrap(x.value)
    return _cast(x, dtype=dtype)


_cast.op.samples = lambda draw: [((draw((2, 3)),), {"dtype": np.dtype(np.float64)})]


@structured(
    lambda g, y, x: cast(g, x.dtype),
    saves="",
    infer=lambda x: Spec((), float),
    formula=("sum(x)", "expand(g)"),
)
def to_scalar(x, /):
    """The sum of all elements as a Python float: how a gradient reaches a Scalar."""
    return x if x.__class__ is float else float(np.sum(x))


to_scalar.op.samples = lambda draw: [((draw(()),), {})]


@elementwise(lambda g, y, x: g, saves="", scalar=lambda x: x, formula=("x", "1"))
def clone(x):
    """A copy that gradients flow through.

    Examples
    --------
    >>> import autograd
    >>> autograd.clone(autograd.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return x.copy()  # not x[()] of it: a view would be refused changes in place
