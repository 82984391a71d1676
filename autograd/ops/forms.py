"""PyTorch's further forms of arithmetic: what is a line of other ops, and second names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import promoted
from ..families import elementwise
from ..graph import NUMBERS, Variable
from . import arithmetic
from .arithmetic import abs, clamp, mul, neg, where
from .logic import isnan
from .rounding import _trunc_divide, floor_divide

# --- Sums, quotients ------------------------------------------------------------------------------


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Sum ``input + alpha * other`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.add(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([4., 5.])
    >>> autograd.add(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 1.0]), alpha=10)
    tensor([11., 12.])
    """
    return arithmetic.add(input, _scaled("add", input, other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Difference ``input - alpha * other`` of operands that broadcast together.

    Examples
    --------
    >>> import autograd
    >>> autograd.sub(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([-2., -1.])
    >>> autograd.sub(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 1.0]), alpha=10)
    tensor([-9., -8.])
    """
    return arithmetic.sub(input, _scaled("sub", input, other, alpha))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Difference the other way round, ``other - alpha * input``.

    Examples
    --------
    >>> import autograd
    >>> autograd.rsub(autograd.tensor([1.0, 2.0]), 3.0)
    tensor([2., 1.])
    """
    return sub(other, input, alpha=alpha)


def _scaled(who: str, input: Any, other: Any, alpha: Any) -> Any:
    if alpha.__class__ is int and alpha == 1:
        return other
    if alpha.__class__ is float and _kind(input, other) != "f":
        raise TypeError(f"{who}: alpha must be an int for integers and bools, met {alpha}")
    return mul(other, alpha)


def _kind(*operands: Any) -> str:
    """The kind of dtype in which operands compute together."""
    values = [v.value if isinstance(v, Variable) else v for v in operands]
    return promoted(v for v in values if v.__class__ in NUMBERS or hasattr(v, "shape")).kind


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """Quotient ``input / other`` of operands that broadcast together.

    Parameters
    ----------
    input, other : Tensor, Scalar or number
        Integers divide as floats where nothing is rounded.
    rounding_mode : {None, "trunc", "floor"}
        Round the quotient towards 0, or down; its slopes are then 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.div(autograd.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    >>> autograd.div(autograd.tensor([7.0, -7.0]), 2.0, rounding_mode="trunc")
    tensor([ 3., -3.])
    """
    if rounding_mode is None:
        return arithmetic.div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return _trunc_divide(input, other)
    raise ValueError(f"div: rounding_mode must be None, 'trunc' or 'floor', not {rounding_mode!r}")


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """Sum with a product, ``input + value * tensor1 * tensor2``.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0])
    >>> autograd.addcmul(x, x, x, value=0.5)
    tensor([1.5000, 4.0000])
    """
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """Sum with a quotient, ``input + value * tensor1 / tensor2``.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0])
    >>> autograd.addcdiv(x, x, x, value=0.5)
    tensor([1.5000, 2.5000])
    """
    if _kind(tensor1, tensor2) != "f":
        raise TypeError("addcdiv: two tensors of integers do not divide here; convert one to float")
    return add(input, arithmetic.div(tensor1, tensor2), alpha=value)


def _between(start, end, weight):
    return (
        start + weight * (end - start)
        if -0.5 < weight < 0.5
        else end - (end - start) * (1.0 - weight)
    )


@elementwise(
    lambda g, y, start, end, weight: g * (1.0 - weight),
    lambda g, y, start, end, weight: g * weight,
    lambda g, y, start, end, weight: g * (end - start),
    saves=("weight", "weight", "start end"),
    scalar=_between,
    formula=("start + weight * (end - start)", "1 - weight", "weight", "end - start"),
)
def _lerp(start, end, weight):
    """The way from start to end, from the nearer of the two: both ends are exact."""
    way = end - start
    near = np.abs(weight) < 0.5
    if weight.__class__ in NUMBERS:
        return start + weight * way if near else end - way * (1.0 - weight)
    return np.where(near, start + weight * way, end - way * (1 - weight))[()]


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Go from `input` towards `end`: ``input + weight * (end - input)``.

    Parameters
    ----------
    input, end : Tensor
        Floats of one dtype, which broadcast together.
    weight : Tensor or number
        0 at `input`, 1 at `end`.

    Examples
    --------
    >>> import autograd
    >>> autograd.lerp(autograd.tensor([0.0, 2.0]), autograd.tensor([4.0, 4.0]), 0.25)
    tensor([1.0000, 2.5000])
    """
    met = [v.dtype for v in (input, end, weight) if hasattr(v, "dtype") and v.dtype is not float]
    if len(set(met)) > 1 or any(dtype.kind != "f" for dtype in met):
        raise TypeError(f"lerp: all must be floats of one dtype, not {', '.join(map(str, met))}")
    return _lerp(input, end, weight)


# --- The larger and the smaller -------------------------------------------------------------------


@elementwise(
    lambda g, y, a, b: where((a >= b) + isnan(b), g, 0.0),
    lambda g, y, a, b: where((a >= b) + isnan(b), 0.0, g),
    saves="a b",
    scalar=lambda a, b: a if a >= b or b != b else b,
    formula=(
        "a if a >= b or b != b else b",
        "1 if a >= b or b != b else 0",
        "0 if a >= b or b != b else 1",
    ),
)
def fmax(a, b):
    """The larger of two operands, and the one that is not NaN; at a tie `a` gets the gradient.

    Examples
    --------
    >>> import autograd
    >>> autograd.fmax(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, float("nan")]))
    tensor([3., 5.])
    """
    return np.fmax(a, b)


@elementwise(
    lambda g, y, a, b: where((a <= b) + isnan(b), g, 0.0),
    lambda g, y, a, b: where((a <= b) + isnan(b), 0.0, g),
    saves="a b",
    scalar=lambda a, b: a if a <= b or b != b else b,
    formula=(
        "a if a <= b or b != b else b",
        "1 if a <= b or b != b else 0",
        "0 if a <= b or b != b else 1",
    ),
)
def fmin(a, b):
    """The smaller of two operands, and the one that is not NaN; at a tie `a` gets the gradient.

    Examples
    --------
    >>> import autograd
    >>> autograd.fmin(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, float("nan")]))
    tensor([1., 5.])
    """
    return np.fmin(a, b)


def clamp_min(input: Any, min: Any) -> Any:
    """Limit `input` from below: see `clamp`.

    Examples
    --------
    >>> import autograd
    >>> autograd.clamp_min(autograd.tensor([-2.0, 3.0]), 0)
    tensor([0., 3.])
    """
    return clamp(input, min=min)


def clamp_max(input: Any, max: Any) -> Any:
    """Limit `input` from above: see `clamp`.

    Examples
    --------
    >>> import autograd
    >>> autograd.clamp_max(autograd.tensor([-2.0, 3.0]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, max=max)


subtract, multiply, divide, true_divide = sub, mul, div, arithmetic.div
negative, absolute, clip = neg, abs, clamp
