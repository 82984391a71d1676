"""Rounding, remainders and signs, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import to_common
from ..families import Operation, elementwise
from .arithmetic import sign, where

DIVISOR = ((-3.0, 3.0), (0.3, 3.0))


def flat(g, *_):
    """The rule of a function made of steps: exactly 0, also where g is infinite."""
    return where(False, g, 0.0)


def refuse_bools(operation: Operation) -> None:
    """Let an op say that it is not for bools, before NumPy answers with bytes or halves."""

    def without_bools(values):
        values = to_common(values)
        if all(getattr(v, "dtype", None) == np.bool_ or v.__class__ is bool for v in values):
            raise TypeError(f"{operation.op.name} is for integers and floats, not bools")
        return values

    operation.op.promotes = without_bools


def refuse_zero_divisors(operation: Operation) -> None:
    """Let an op of two inputs refuse bools, and a division of integers by zero."""
    refuse_bools(operation)
    without_bools: Any = operation.op.promotes

    def checked(values):
        a, b = without_bools(values)
        kinds = {np.result_type(v).kind for v in (a, b)}
        if kinds <= {"i", "u"} and not np.all(b):
            raise RuntimeError(f"{operation.op.name}: integer division by zero")
        return [a, b]

    operation.op.promotes = checked


def _whole(x: Any) -> bool:
    return x.dtype.kind != "f"


def _finite(function):
    """A function of the math module that makes an int, for floats that may be infinite or NaN."""
    return lambda x: float(function(x)) if math.isfinite(x) else x


# --- To whole numbers ---------------------------------------------------------------------------


@elementwise(flat, saves="", scalar=_finite(math.floor), formula=("floor(x)", "0"))
def floor(x):
    """The largest whole number that is not above x; the slope is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.floor(autograd.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """
    return x.copy() if _whole(x) else np.floor(x)


@elementwise(flat, saves="", scalar=_finite(math.ceil), formula=("ceil(x)", "0"))
def ceil(x):
    """The smallest whole number that is not below x; the slope is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.ceil(autograd.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """
    return x.copy() if _whole(x) else np.ceil(x)


@elementwise(flat, saves="", scalar=_finite(math.trunc), formula=("trunc(x)", "0"))
def trunc(x):
    """The whole part of x, towards 0; the slope is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.trunc(autograd.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """
    return x.copy() if _whole(x) else np.trunc(x)


@elementwise(
    lambda g, y, x: g,
    saves="",
    scalar=lambda x: math.copysign(math.fmod(x, 1.0), x) if math.isfinite(x) else x - x,
    result="float",
    formula=("x - trunc(x)", "1"),
)
def _frac(x):
    """What `trunc` takes away."""
    return x - np.trunc(x)


def frac(input: Any) -> Any:
    """The part of x behind the point, ``x - trunc(x)``, with the sign of x; the slope is 1.

    Examples
    --------
    >>> import autograd
    >>> autograd.frac(autograd.tensor([1.5, -1.25]))
    tensor([ 0.5000, -0.2500])
    """
    dtype: Any = getattr(input, "dtype", float)
    if dtype is not float and dtype.kind != "f":
        raise TypeError(f"frac is for floats, not {dtype}")
    return _frac(input)


def _rounded(x, decimals=0):
    if not math.isfinite(x):
        return x
    scale = 10.0 ** abs(decimals)
    whole = float(builtin_round(x * scale if decimals >= 0 else x / scale))
    return math.copysign(whole / scale if decimals >= 0 else whole * scale, x)


builtin_round = round


@elementwise(
    lambda g, y, x, decimals: flat(g),
    saves="",
    scalar=_rounded,
    formula=("round(x * 10 ** decimals) / 10 ** decimals", "0"),
)
def _round(x, *, decimals=0):
    """Round to the nearest, halves to the even one."""
    if _whole(x):
        return x.copy()
    return np.round(x, decimals)


def round(input: Any, *, decimals: int = 0) -> Any:
    """Round to the nearest, and halves to the even neighbour; the slope is 0.

    Parameters
    ----------
    input : Tensor or Scalar
    decimals : int
        Digits to keep behind the point; negative: before it (floats only).

    Examples
    --------
    >>> import autograd
    >>> autograd.round(autograd.tensor([0.5, 1.5, -2.7]))
    tensor([ 0.,  2., -3.])
    >>> autograd.round(autograd.tensor([1.25, 1.345]), decimals=1)
    tensor([1.2000, 1.3000])
    """
    dtype: Any = getattr(input, "dtype", float)
    if decimals and dtype is not float and dtype.kind != "f":
        raise TypeError(f"round: decimals are for floats, not {dtype}")
    return _round(input, decimals=decimals)


# --- Division with a remainder --------------------------------------------------------------------


@elementwise(
    flat,
    flat,
    saves="",
    scalar=lambda a, b: float(a // b),
    domain=DIVISOR,
    formula=("floor(a / b)", "0", "0"),
)
def floor_divide(a, b):
    """Quotient rounded down, ``a // b``; the slopes are 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.floor_divide(autograd.tensor([7.0, -7.0]), 2.0)
    tensor([ 3., -4.])
    """
    return np.floor_divide(a, b)


@elementwise(
    flat,
    flat,
    saves="",
    scalar=lambda a, b: float(math.trunc(a / b)),
    domain=DIVISOR,
    formula=("trunc(a / b)", "0", "0"),
)
def _trunc_divide(a, b):
    """Quotient rounded towards 0."""
    if np.result_type(a, b).kind == "f":
        return np.trunc(np.true_divide(a, b))
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a))


@elementwise(
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * floor_divide(a, b),
    saves=("", "a b"),
    scalar=lambda a, b: a % b,
    domain=DIVISOR,
    formula=("a - b * floor(a / b)", "1", "-floor(a / b)"),
)
def remainder(a, b):
    """Remainder of `floor_divide`, ``a % b``, with the sign of b.

    Examples
    --------
    >>> import autograd
    >>> autograd.remainder(autograd.tensor([5.0, -5.0]), 3.0)
    tensor([2., 1.])
    """
    return np.remainder(a, b)


@elementwise(
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * trunc(a / b),
    saves=("", "a b"),
    scalar=math.fmod,
    domain=DIVISOR,
    formula=("a - b * trunc(a / b)", "1", "-trunc(a / b)"),
)
def fmod(a, b):
    """Remainder of the division rounded towards 0, with the sign of a.

    Examples
    --------
    >>> import autograd
    >>> autograd.fmod(autograd.tensor([5.0, -5.0]), 3.0)
    tensor([ 2., -2.])
    """
    return np.fmod(a, b)


for _operation in (floor, ceil, trunc, _round):
    refuse_bools(_operation)
for _operation in (floor_divide, _trunc_divide, remainder, fmod):
    refuse_zero_divisors(_operation)


# --- Signs and limits ---------------------------------------------------------------------------


@elementwise(
    lambda g, y, a, b: g * where(a == 0.0, 0.0, y / where(a == 0.0, 1.0, a)),
    flat,
    saves=("y a", ""),
    scalar=math.copysign,
    result="float",
    domain=((0.3, 3.0), (-3.0, 3.0)),
    formula=("copysign(a, b)", "0 if a == 0 else y / a", "0"),
)
def copysign(a, b):
    """The size of a with the sign of b; the slope in a is 0 at 0, the one in b always.

    Examples
    --------
    >>> import autograd
    >>> autograd.copysign(autograd.tensor([1.0, 2.0]), autograd.tensor([-0.0, 3.0]))
    tensor([-1.,  2.])
    """
    return np.copysign(a, b)


@elementwise(
    None,
    None,
    saves="",
    scalar=lambda x, values: values if x == 0.0 else float(x > 0.0),
    formula=("values if x == 0 else 1 if x > 0 else 0", None, None),
)
def _heaviside(x, values):
    """The unit step."""
    above = np.asarray(np.greater(x, 0), np.result_type(x, values))
    return np.where(np.equal(x, 0), values, above)[()]


def heaviside(input: Any, values: Any) -> Any:
    """Unit step: 0 below 0, 1 above, and `values` at 0; no gradient.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([-2.0, 0.0, 3.0])
    >>> autograd.heaviside(x, autograd.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    met = [v.dtype for v in (input, values) if hasattr(v, "dtype") and v.dtype is not float]
    if len(set(met)) > 1:
        raise TypeError(f"heaviside: input and values must have one dtype, not {met[0]}, {met[1]}")
    return _heaviside(input, values)


def positive(input: Any) -> Any:
    """The input itself, as ``+x``.

    Examples
    --------
    >>> import autograd
    >>> autograd.positive(autograd.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    if getattr(input, "dtype", None) == np.bool_:
        raise TypeError("positive is for integers and floats, not bools")
    return input


@elementwise(
    lambda g, y, x, nan, posinf, neginf: where(abs(x) < math.inf, g, 0.0),
    saves="x",
    scalar=lambda x, nan=0.0, posinf=math.inf, neginf=-math.inf: (
        nan if x != x else posinf if x == math.inf else neginf if x == -math.inf else x
    ),
    formula=(
        "nan if x != x else posinf if x == inf else neginf if x == -inf else x",
        "1 if abs(x) < inf else 0",
    ),
)
def _nan_to_num(x, *, nan=0.0, posinf=math.inf, neginf=-math.inf):
    """Replace what is not finite."""
    if _whole(x) or np.isfinite(x).all():
        return x.copy()
    kind = x.dtype.type
    y = np.where(x != x, kind(nan), x)
    y = np.where(x == math.inf, kind(posinf), y)
    return np.where(x == -math.inf, kind(neginf), y)[()]


def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Replace NaN and infinities; where that happens the slope is 0.

    Parameters
    ----------
    input : Tensor or Scalar
    nan : float, optional
        In the place of NaN; default 0.
    posinf, neginf : float, optional
        In the place of the infinities; default the largest and the smallest finite number.

    Examples
    --------
    >>> import autograd
    >>> autograd.nan_to_num(autograd.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    dtype: Any = getattr(input, "dtype", float)
    largest = float(np.finfo(dtype if dtype is float or dtype.kind == "f" else float).max)
    return _nan_to_num(
        input,
        nan=0.0 if nan is None else float(nan),
        posinf=largest if posinf is None else float(posinf),
        neginf=-largest if neginf is None else float(neginf),
    )


sgn, fix = sign, trunc
