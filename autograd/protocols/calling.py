"""How a call of NumPy's reaches a function of ours: its arguments by name, its errors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import floating, get_default_dtype, promoted
from ..graph import Variable, wrap

Adapter = Callable[..., Any]


def missing(name: str) -> TypeError:
    """The error for a function of NumPy's that has no counterpart here."""
    return TypeError(
        f"{name} has no counterpart for tensors, and what NumPy does with one is not recorded: "
        "give it t.detach().numpy(), and make a tensor of the result"
    )


def refused(name: str, keyword: str) -> TypeError:
    """The error for an argument that ours do not have."""
    return TypeError(
        f"{name} of a tensor takes no {keyword}=; leave it out, or compute on t.detach().numpy()"
    )


def no_target(name: str) -> TypeError:
    """The error for out= and for ``array += tensor``."""
    return TypeError(
        f"{name}: a result made of tensors cannot be written into an array (out=, or an operator "
        "such as +=): the write would not be recorded. Write a = a + t, or use t.detach().numpy()"
    )


def operands(*values: Any) -> tuple[Any, ...]:
    """Arguments of NumPy's as our ops take them: nested lists become arrays.

    Python's floats in a list take the float type of the other operands (or the default one), as
    a single number would.
    """
    if not any(isinstance(v, list | tuple) for v in values):
        return values
    rest = [v.value if isinstance(v, Variable) else v for v in values]
    met = [v for v in rest if v is not None and not isinstance(v, list | tuple)]
    dtype = floating(promoted(met)) if met else get_default_dtype()
    return tuple([_array(v, dtype) if isinstance(v, list | tuple) else v for v in values])


def _array(given: Any, dtype: np.dtype[Any]) -> np.ndarray:
    array = np.asarray(given)
    plain = array.dtype == np.float64 and not _holds_arrays(given)
    return array.astype(dtype) if plain else array


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_arrays(item) for item in value)
    return isinstance(value, Variable | np.ndarray | np.generic)


def ours(result: Any) -> Any:
    """`result` with the raw arrays in it as tensors: of a call where an array was the first."""
    if isinstance(result, np.ndarray | np.generic):
        return wrap(result) if result.dtype.kind in "biuf" else result
    if type(result) in (list, tuple):
        return type(result)(ours(item) for item in result)
    return result


def foreign(values: Any) -> bool:
    """True if one of the `values` is of a class that has its own say in NumPy's functions."""
    known = (Variable, np.ndarray, np.generic)
    return any(hasattr(v, "__array_ufunc__") and not isinstance(v, known) for v in values)


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:  # of NumPy's functions in C, older ones do not say
        return None


@functools.cache
def _accepted(adapter: Adapter) -> frozenset[str] | None:
    """The keywords of an adapter; None if it takes any."""
    parameters = inspect.signature(adapter).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return None
    return frozenset(parameters)


def call(name: str, function: Callable[..., Any], adapter: Adapter, args: Any, kwargs: Any) -> Any:
    """Call `adapter` with the arguments of a call of `function`, those left at default left out.

    An adapter names its optional parameters as NumPy does, and has those that ours can honour.
    """
    signature = _signature(function) or _signature(adapter)
    assert signature is not None  # an adapter is a Python function
    bound = signature.bind(*args, **kwargs)
    places: list[Any] = []
    names: dict[str, Any] = {}
    for key, value in bound.arguments.items():
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            places.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            names.update(value)
        elif parameter.kind is parameter.POSITIONAL_ONLY or parameter.default is parameter.empty:
            places.append(value)
        elif not _is_default(value, parameter.default):
            names[key] = value
    if names.get("out") is not None:
        raise no_target(name)
    accepted = _accepted(adapter)
    for key in names:
        if accepted is not None and key not in accepted:
            raise refused(name, key)
    if isinstance(names.get("axis"), list | tuple) and not names["axis"]:
        raise ValueError(f"{name}: axis={names['axis']} names no dimension; leave the call out")
    return ours(adapter(*places, **names))


def _is_default(value: Any, default: Any) -> bool:
    if value is default:
        return True
    plain = (str, int, float, bool)
    return type(value) is type(default) and isinstance(value, plain) and value == default
