"""The default float type, and which dtype a mixed expression has: PyTorch's rules."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

_default: list[np.dtype[Any]] = [np.dtype(np.float32)]
_BOOL, _INT = np.dtype(np.bool_), np.dtype(np.int64)
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2}


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype of float tensors made from Python numbers: float32 unless set."""
    return _default[0]


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of float tensors made from Python numbers.

    Raises
    ------
    TypeError
        If `dtype` is not a floating-point type.
    """
    new = np.dtype(dtype)
    if new.kind != "f":
        raise TypeError(f"set_default_dtype: {new} is not a floating-point type")
    _default[0] = new


def promoted(values: Iterable[Any]) -> np.dtype[Any]:
    """Return the dtype in which an op computes on `values`: arrays, their Specs, numbers or None.

    Arrays decide before single elements (0-d), and those before Python numbers: the later ones
    matter only where they are of a higher kind (bool < integer < float). An integer never widens
    a float.
    """
    return _promoted(tuple([_class_of(v) for v in values if v is not None]), _default[0])


def _class_of(value: Any) -> tuple[int, np.dtype[Any]]:
    """(priority, dtype): 0 for arrays with dimensions, 1 for single elements, 2 for numbers."""
    kind = value.__class__
    if kind is float:
        return 2, _default[0]
    if kind is int:
        return 2, _INT
    if kind is bool:
        return 2, _BOOL
    if value.dtype is float:  # the Spec of a Scalar
        return 2, _default[0]
    return (0 if value.shape else 1), value.dtype


@functools.cache
def _promoted(
    classes: tuple[tuple[int, np.dtype[Any]], ...], default: np.dtype[Any]
) -> np.dtype[Any]:
    result: np.dtype[Any] | None = None
    for priority in range(3):
        best: np.dtype[Any] | None = None
        for p, dtype in classes:
            if p == priority:
                best = dtype if best is None else _pair(best, dtype)
        if best is None:
            continue
        if result is None or _RANK[best.kind] > _RANK[result.kind]:
            result = best
    assert result is not None
    return result


def _pair(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """Promote two dtypes of equal priority; an integer gives way to any float."""
    if a.kind == "f" and b.kind != "f":
        return a
    if b.kind == "f" and a.kind != "f":
        return b
    return np.promote_types(a, b)


def check_supported(dtype: np.dtype[Any], who: str) -> None:
    """Raise TypeError for what is not bool, integer or real floating point."""
    if dtype.kind not in _RANK:
        raise TypeError(f"{who}: dtype {dtype} is not supported; use a real, integer or bool type")


def cast_to(value: Any, dtype: np.dtype[Any]) -> Any:
    """Bring one raw value to `dtype`: Python numbers stay, arrays are converted if they differ."""
    if value is None:
        return None
    if value.__class__ is float or value.__class__ is int or value.__class__ is bool:
        return value if dtype.kind == "f" or value.__class__ is not float else dtype.type(value)
    return value if value.dtype is dtype else value.astype(dtype, copy=False)


def _one_float_type(values: list[Any]) -> bool:
    """True if all values are arrays of one float dtype (or None): nothing to be done.

    Every call of most ops passes here, and nearly always so: hence a loop over identities. What it
    misses (NumPy scalars, equal dtypes that are two objects) goes the general way.
    """
    dtype = None
    for v in values:
        if v is not None:
            if v.__class__ is not np.ndarray:
                return False
            if dtype is None:
                dtype = v.dtype
            elif v.dtype is not dtype:
                return False
    return dtype is not None and dtype.kind == "f"


def to_common(values: list[Any]) -> list[Any]:
    """Bring raw values to the dtype in which they compute together."""
    if _one_float_type(values):
        return values
    values = [arrayed(v) for v in values]
    dtype = promoted(values)
    return [cast_to(v, dtype) for v in values]


def to_common_float(values: list[Any]) -> list[Any]:
    """As `to_common`, but integers compute in the default float type."""
    if _one_float_type(values):
        return values
    values = [arrayed(v) for v in values]
    dtype = floating(promoted(values))
    return [cast_to(v, dtype) for v in values]


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype` if it is a float type, else the default one: where integers compute as floats."""
    return dtype if dtype.kind == "f" else _default[0]


def arrayed(value: Any) -> Any:
    """Let numbers and real arrays pass; refuse everything else by name."""
    kind = value.__class__
    if kind is float or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, np.ndarray | np.generic):
        check_supported(value.dtype, "an operand")
        return value
    raise TypeError(
        f"an operand is {kind.__name__}: expected a Tensor, Scalar, ndarray or a number; make a "
        "tensor of it first"
    )
