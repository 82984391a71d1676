"""Further exponentials, logarithms and powers, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import to_common
from ..families import elementwise
from ..graph import NUMBERS, Spec, Variable
from .activation import sigmoid
from .arithmetic import cast, clamp, pow, where
from .transcendental import POSITIVE, log, over, times

LN2, LN10 = math.log(2.0), math.log(10.0)


@elementwise(
    lambda g, y, x: g * (y * LN2),
    saves="y",
    scalar=lambda x: 2.0**x,
    result="float",
    formula=("2 ** x", "y * log(2)"),
)
def exp2(x):
    """Power of two, 2**x.

    Examples
    --------
    >>> import autograd
    >>> autograd.exp2(autograd.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return np.exp2(x)


@elementwise(
    lambda g, y, x: g * (y + 1.0),
    saves="y",
    scalar=math.expm1,
    result="float",
    formula=("expm1(x)", "y + 1"),
)
def expm1(x):
    """Exponential less one, ``exp(x) - 1``, exact near 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.expm1(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return np.expm1(x)


@elementwise(
    lambda g, y, x: over(g, x + 1.0),
    saves="x",
    scalar=math.log1p,
    domain=(-0.7, 3.0),
    result="float",
    formula=("log1p(x)", "1 / (1 + x)"),
)
def log1p(x):
    """Logarithm of one more, ``log(1 + x)``, exact near 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.log1p(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return np.log1p(x)


@elementwise(
    lambda g, y, x: g / (x * LN2),
    saves="x",
    scalar=math.log2,
    domain=POSITIVE,
    result="float",
    formula=("log2(x)", "1 / (x * log(2))"),
)
def log2(x):
    """Logarithm to base 2.

    Examples
    --------
    >>> import autograd
    >>> autograd.log2(autograd.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return np.log2(x)


@elementwise(
    lambda g, y, x: g / (x * LN10),
    saves="x",
    scalar=math.log10,
    domain=POSITIVE,
    result="float",
    formula=("log10(x)", "1 / (x * log(10))"),
)
def log10(x):
    """Logarithm to base 10.

    Examples
    --------
    >>> import autograd
    >>> autograd.log10(autograd.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """
    return np.log10(x)


def _logaddexp(a, b):
    top, low = (a, b) if a > b else (b, a)
    return top if top == low + math.inf else top + math.log1p(math.exp(low - top))


@elementwise(
    lambda g, y, a, b: times(g, sigmoid(a - b)),
    lambda g, y, a, b: times(g, sigmoid(b - a)),
    saves="a b",
    scalar=_logaddexp,
    result="float",
    formula=("max(a, b) + log1p(exp(-abs(a - b)))", "sigmoid(a - b)", "sigmoid(b - a)"),
)
def logaddexp(a, b):
    """Logarithm of a sum of exponentials, ``log(exp(a) + exp(b))``, without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.logaddexp(autograd.tensor([0.0, 1000.0]), autograd.tensor([0.0, 0.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """
    return np.logaddexp(a, b)


@elementwise(
    lambda g, y, a, b: times(g, sigmoid((a - b) * LN2)),
    lambda g, y, a, b: times(g, sigmoid((b - a) * LN2)),
    saves="a b",
    scalar=lambda a, b: _logaddexp(a * LN2, b * LN2) / LN2,
    domain=(0.5, 3.0),
    result="float",
    formula=(
        "max(a, b) + log2(1 + 2 ** -abs(a - b))",
        "sigmoid((a - b) * log(2))",
        "sigmoid((b - a) * log(2))",
    ),
)
def logaddexp2(a, b):
    """Logarithm to base 2 of ``2**a + 2**b``, without overflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.logaddexp2(autograd.tensor([0.0, 3.0]), autograd.tensor([0.0, 3.0]))
    tensor([1., 4.])
    """
    return np.logaddexp2(a, b)


# --- Powers -----------------------------------------------------------------------------------


@elementwise(
    lambda g, y, x: g * (y * y * y * -0.5),
    saves="y",
    scalar=lambda x: 1.0 / math.sqrt(x),
    domain=POSITIVE,
    result="float",
    formula=("1 / sqrt(x)", "-(y ** 3) / 2"),
)
def rsqrt(x):
    """Reciprocal of the square root, ``1 / sqrt(x)``.

    Examples
    --------
    >>> import autograd
    >>> autograd.rsqrt(autograd.tensor([1.0, 4.0]))
    tensor([1.0000, 0.5000])
    """
    return 1.0 / np.sqrt(x)


@elementwise(
    lambda g, y, x: times(-g, times(y, y)),
    saves="y",
    scalar=lambda x: 1.0 / x,
    domain=(0.3, 3.0),
    result="float",
    formula=("1 / x", "-(y ** 2)"),
)
def reciprocal(x):
    """Reciprocal ``1 / x``.

    Examples
    --------
    >>> import autograd
    >>> autograd.reciprocal(autograd.tensor([1.0, 4.0]))
    tensor([1.0000, 0.2500])
    """
    return 1.0 / x


@elementwise(
    lambda g, y, x: times(g, 2.0 * x),
    saves="x",
    scalar=lambda x: x * x,
    formula=("x ** 2", "2 * x"),
)
def square(x):
    """Square ``x**2``; bools count as integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.square(autograd.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """
    return times(x, x)


def _bools_count(values):
    values = to_common(values)
    return [
        np.asarray(v, np.int64)[()] if getattr(v, "dtype", None) == np.bool_ else v for v in values
    ]


def _square_infer(x, *, _infer=square.op.infer):
    spec = _infer(x)
    return Spec(spec.shape, np.int64) if spec.dtype == np.bool_ else spec


square.op.promotes = _bools_count
square.op.infer = _square_infer


def float_power(input: Any, exponent: Any) -> Any:
    """Power ``input ** exponent``, computed in float64.

    Examples
    --------
    >>> import autograd
    >>> autograd.float_power(autograd.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=float64)
    """
    return pow(_wide(input), _wide(exponent))


def _wide(x: Any) -> Any:
    if isinstance(x, Variable | np.ndarray | np.generic):
        return x if x.dtype is float else cast(x, np.float64)
    return float(x) if x.__class__ in NUMBERS else x


# --- Logarithms with a limit ------------------------------------------------------------------


def _xlogy(a, b):
    return (b if b != b else 0.0) if a == 0.0 else a * math.log(b)


@elementwise(
    lambda g, y, a, b: where((a == 0.0) * (b <= 0.0), 0.0, xlogy(g, b)),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, a, b: g * a / b,
    saves=("a b", "a b"),
    scalar=_xlogy,
    domain=((-3.0, 3.0), POSITIVE),
    result="float",
    formula=(
        "(b if b != b else 0) if a == 0 else a * log(b)",
        "0 if a == 0 and b <= 0 else log(b)",
        "a / b",
    ),
)
def xlogy(a, b):
    """Product ``a * log(b)``, and 0 where a is 0 (NaN if b is).

    Examples
    --------
    >>> import autograd
    >>> autograd.xlogy(autograd.tensor([0.0, 2.0]), autograd.tensor([0.0, 1.5]))
    tensor([0.0000, 0.8109])
    """
    b = np.asarray(b, np.result_type(a, b))
    return a * log(np.where((a == 0.0) & (b == b), b.dtype.type(1), b)[()])


def _log_odds(x):
    return math.log(x / (1.0 - x))


@elementwise(
    lambda g, y, x: where((x < 0.0) + (x > 1.0), math.nan, g / (x * (1.0 - x))),
    saves="x",
    scalar=_log_odds,
    domain=(0.1, 0.9),
    result="float",
    formula=("log(x / (1 - x))", "1 / (x * (1 - x))"),
)
def _logit(x):
    """The inverse of the sigmoid."""
    with np.errstate(divide="ignore"):  # the pole at 1 is part of the definition
        return np.log(x / (1.0 - x))


def logit(input: Any, eps: float | None = None) -> Any:
    """Inverse of the sigmoid, ``log(x / (1 - x))``; NaN outside 0..1.

    Parameters
    ----------
    input : Tensor or Scalar
    eps : float, optional
        Limit `input` to the range from `eps` to ``1 - eps`` first.

    Examples
    --------
    >>> import autograd
    >>> autograd.logit(autograd.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    return _logit(input if eps is None else clamp(input, eps, 1.0 - eps))
