"""Tests of elements, logic and bits: nothing here has a gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import promoted, to_common
from ..families import Operation, elementwise, shape_of, structured
from ..graph import Abstract, Spec, Variable
from .arithmetic import eq, ge, gt, le, lt, ne


@elementwise(None, result="bool", scalar=math.isnan, formula=("x != x", None))
def isnan(x):
    """Whether each element is NaN.

    Examples
    --------
    >>> import autograd
    >>> autograd.isnan(autograd.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return np.isnan(x)


@elementwise(None, result="bool", scalar=math.isinf, formula=("abs(x) == inf", None))
def isinf(x):
    """Whether each element is infinite.

    Examples
    --------
    >>> import autograd
    >>> autograd.isinf(autograd.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return np.isinf(x)


@elementwise(None, result="bool", scalar=math.isfinite, formula=("abs(x) < inf", None))
def isfinite(x):
    """Whether each element is a number other than NaN and the infinities.

    Examples
    --------
    >>> import autograd
    >>> autograd.isfinite(autograd.tensor([1.0, float("nan")]))
    tensor([ True, False])
    """
    return np.isfinite(x)


@elementwise(None, result="bool", scalar=lambda x: not x, formula=("not x", None))
def logical_not(x):
    """Whether each element is 0 (or False).

    Examples
    --------
    >>> import autograd
    >>> autograd.logical_not(autograd.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return np.logical_not(x)


@elementwise(
    None, None, result="bool", scalar=lambda a, b: bool(a and b), formula=("a and b", None, None)
)
def logical_and(a, b):
    """Whether both elements are true (or not 0).

    Examples
    --------
    >>> import autograd
    >>> autograd.logical_and(autograd.tensor([0.0, 2.0]), autograd.tensor([1.0, 1.0]))
    tensor([False,  True])
    """
    return np.logical_and(a, b)


@elementwise(
    None, None, result="bool", scalar=lambda a, b: bool(a or b), formula=("a or b", None, None)
)
def logical_or(a, b):
    """Whether one element or both are true (or not 0).

    Examples
    --------
    >>> import autograd
    >>> autograd.logical_or(autograd.tensor([0.0, 2.0]), autograd.tensor([0.0, 1.0]))
    tensor([False,  True])
    """
    return np.logical_or(a, b)


@elementwise(
    None,
    None,
    result="bool",
    scalar=lambda a, b: bool(a) != bool(b),
    formula=("a and not b or b and not a", None, None),
)
def logical_xor(a, b):
    """Whether exactly one element is true (or not 0).

    Examples
    --------
    >>> import autograd
    >>> autograd.logical_xor(autograd.tensor([0.0, 2.0]), autograd.tensor([0.0, 1.0]))
    tensor([False, False])
    """
    return np.logical_xor(a, b)


# --- Bits -----------------------------------------------------------------------------------------


def _whole_numbers(name: str):
    def checked(values):
        values = to_common(values)
        for v in values:
            if v.__class__ is float or getattr(v, "dtype", np.dtype(int)).kind == "f":
                found = getattr(v, "dtype", float)
                raise TypeError(f"{name} is for bools and integers, not {np.dtype(found)}")
        return values

    return checked


def _bits(*inputs: Any, **_: Any) -> Spec:
    return Spec(np.broadcast_shapes(*(getattr(s, "shape", ()) for s in inputs)), promoted(inputs))


def _bit_op(forward: Any) -> Operation:
    name = forward.__name__
    operation = structured(
        *[None] * forward.__code__.co_argcount,
        infer=_bits,
        promotes=_whole_numbers(name),
        formula=(f"{name}({', '.join(forward.__code__.co_varnames)})",)
        + (None,) * forward.__code__.co_argcount,
    )(forward)
    operation.op.samples = lambda draw: [
        (tuple(draw(shape) > 0 for shape in ((2, 3), (3,))[: len(operation.op.inputs)]), {}),
        (
            tuple((9 * draw(s)).astype(int) for s in ((2, 3), (2, 1))[: len(operation.op.inputs)]),
            {},
        ),
    ]
    return operation


@_bit_op
def bitwise_and(a, b):
    """Bits set in both: ``a & b`` of bools or integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.bitwise_and(autograd.tensor([True, True]), autograd.tensor([True, False]))
    tensor([ True, False])
    """
    return np.bitwise_and(a, b)


@_bit_op
def bitwise_or(a, b):
    """Bits set in one or both: ``a | b`` of bools or integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.bitwise_or(autograd.tensor([True, False]), autograd.tensor([False, False]))
    tensor([ True, False])
    """
    return np.bitwise_or(a, b)


@_bit_op
def bitwise_xor(a, b):
    """Bits set in exactly one: ``a ^ b`` of bools or integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.bitwise_xor(autograd.tensor([True, True]), autograd.tensor([True, False]))
    tensor([False,  True])
    """
    return np.bitwise_xor(a, b)


@_bit_op
def bitwise_not(x):
    """All bits turned: ``~x`` of bools or integers.

    Examples
    --------
    >>> import autograd
    >>> autograd.bitwise_not(autograd.tensor([True, False]))
    tensor([False,  True])
    """
    return np.invert(x)


# --- Equality of arrays ---------------------------------------------------------------------------


@elementwise(
    None,
    None,
    result="bool",
    scalar=lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: bool(
        a == b
        or (math.isfinite(b) and abs(a - b) <= atol + rtol * abs(b))
        or (equal_nan and a != a and b != b)
    ),
    formula=(
        "a == b or abs(a - b) <= atol + rtol * abs(b) < inf or equal_nan and a != a and b != b",
        None,
        None,
    ),
)
def _isclose(a, b, *, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether a and b are equal up to a tolerance."""
    if np.result_type(a, b).kind != "f":
        a, b = np.asarray(a, np.float64)[()], np.asarray(b, np.float64)[()]
    with np.errstate(invalid="ignore"):  # the difference of two infinities
        near = np.abs(a - b) <= atol + rtol * np.abs(b)
    near = (a == b) | (np.isfinite(b) & near)
    return near | ((a != a) & (b != b)) if equal_nan else near


def _checked_pair(who: str, input: Any, other: Any) -> None:
    kinds = [v.dtype for v in (input, other) if hasattr(v, "dtype") and v.dtype is not float]
    if len(set(kinds)) > 1:
        raise TypeError(f"{who}: both must have one dtype, not {kinds[0]} and {kinds[1]}")


def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether elements are nearly equal: ``|input - other| <= atol + rtol * |other|``.

    Parameters
    ----------
    input, other : Tensor
        Of one dtype.
    rtol, atol : float
        The relative and the absolute tolerance, not negative.
    equal_nan : bool
        Whether two NaN count as equal.

    Examples
    --------
    >>> import autograd
    >>> autograd.isclose(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise ValueError(f"isclose: {name} must not be negative, met {value}")
    _checked_pair("isclose", input, other)
    return _isclose(input, other, rtol=float(rtol), atol=float(atol), equal_nan=bool(equal_nan))


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are nearly equal (see `isclose`), as a bool of Python.

    Examples
    --------
    >>> import autograd
    >>> autograd.allclose(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.000001]))
    True
    """
    _values("allclose", input, other)
    near = isclose(input, other, rtol, atol, equal_nan)
    return bool(np.all(getattr(near, "value", near)))


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have one shape and the same elements, as a bool of Python.

    Examples
    --------
    >>> import autograd
    >>> autograd.equal(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.0]))
    True
    """
    _values("equal", input, other)
    if shape_of(input, "equal") != shape_of(other, "equal"):
        return False
    same = eq(input, other)
    return bool(np.all(getattr(same, "value", same)))


def _values(who: str, *inputs: Any) -> None:
    if any(isinstance(v, Variable) and isinstance(v.value, Abstract) for v in inputs):
        raise TypeError(f"{who}: a traced tensor has no values to compare")


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
