"""Nested states, split into named arrays and what JSON can hold."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor, from_numpy

from .arrays import DTYPES, RESERVED, as_array
from .files import CheckpointError

MAX_DEPTH = 100  # of nested states; a deeper one is a mistake or an attack
MAX_INT_BITS = 10_000  # below Python's limit on the digits of an int in text


def pack(
    state: Any, prefix: str = "", arrays: dict[str, np.ndarray] | None = None
) -> tuple[dict[str, np.ndarray], Any]:
    """
    Split a nested state into named arrays and a skeleton that JSON can hold.

    Parameters
    ----------
    state : nested dict, list or tuple of Tensor, ndarray, NumPy scalar, number, str, bool and None
        Keys of dicts are str or int.
    prefix : str
        Put before the arrays' names, which are the paths to them: ``"state/0/exp_avg"``.
    arrays : dict, optional
        Gets the arrays (not copied); default a new dict.

    Returns
    -------
    arrays : dict of str to ndarray
    skeleton : JSON value
        ``unpack(skeleton, arrays)`` restores the state, with every type and every bit of a float.

    Raises
    ------
    TypeError
        If something else is in the state; says where.
    ValueError
        If it is nested deeper than 100 levels (or holds itself), or an int is beyond 10,000 bits.

    Examples
    --------
    >>> arrays, skeleton = pack({"step": 3, "state": {0: np.zeros(2)}})
    >>> arrays
    {'state/0': array([0., 0.])}
    >>> skeleton
    {'step': 3, 'state': {'$dict': [[0, {'$array': 'state/0'}]]}}
    """
    arrays = {} if arrays is None else arrays
    return arrays, _pack(state, (), prefix, arrays)


def _pack(value: Any, path: tuple[str, ...], prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    where = f"state at {prefix + '/'.join(path)!r}"
    if len(path) > MAX_DEPTH:
        raise ValueError(f"{where[:60]}... is nested deeper than {MAX_DEPTH} levels")

    def inner(key: object, item: Any) -> Any:
        return _pack(item, (*path, str(key)), prefix, arrays)

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Tensor | np.ndarray):
        name = _free_name(prefix + "/".join(path), arrays)
        arrays[name] = as_array(value, where)
        return {"$tensor" if isinstance(value, Tensor) else "$array": name}
    if isinstance(value, np.generic):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"{where} is a NumPy scalar of {value.dtype}, which cannot be stored")
        return {
            "$scalar": [
                value.dtype.name,
                value.astype(value.dtype.newbyteorder("<")).tobytes().hex(),
            ]
        }
    if isinstance(value, int):
        if value.bit_length() > MAX_INT_BITS:
            raise ValueError(f"{where} is an int beyond {MAX_INT_BITS} bits")
        return int(value)
    if isinstance(value, float):
        # repr() of a finite float reads back to the same bits; inf and nan are no JSON.
        return float(value) if np.isfinite(value) else {"$float": struct.pack(">d", value).hex()}
    if isinstance(value, tuple):
        return {"$tuple": [inner(position, item) for position, item in enumerate(value)]}
    if isinstance(value, list):
        return [inner(position, item) for position, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise TypeError(f"{where} has the key {key!r}; keys must be str or int")
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: inner(key, item) for key, item in value.items()}
        return {"$dict": [[key, inner(key, item)] for key, item in value.items()]}
    raise TypeError(f"{where} is of type {type(value).__name__}, which cannot be stored")


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """`name`, or one like it that is new and that the file format can hold."""
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    free, count = name, 1
    while free in taken or free == RESERVED:
        free, count = f"{name}~{count}", count + 1
    return free


def unpack(skeleton: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """
    State that `pack` split; the inverse of it.

    Parameters
    ----------
    skeleton : JSON value
    arrays : dict of str to ndarray
        Handed on without a copy.

    Returns
    -------
    nested state

    Raises
    ------
    CheckpointError
        If the skeleton is not of `pack`'s form, or an array is missing.

    Examples
    --------
    >>> unpack({"betas": {"$tuple": [0.9, {"$float": "7ff0000000000000"}]}}, {})
    {'betas': (0.9, inf)}
    """
    try:
        return _unpack(skeleton, arrays, 0)
    except (TypeError, ValueError, AttributeError, struct.error) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"malformed state: {error}") from error


def _unpack(node: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise CheckpointError(f"malformed state: nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, list):
        return [_unpack(item, arrays, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    tag = next(iter(node), "")
    if len(node) != 1 or not tag.startswith("$"):
        return {key: _unpack(item, arrays, depth + 1) for key, item in node.items()}
    body = node[tag]
    if tag in ("$array", "$tensor"):
        if body not in arrays:
            raise CheckpointError(f"array {body!r} is missing")
        return arrays[body] if tag == "$array" else from_numpy(arrays[body])
    if tag == "$float":
        return struct.unpack(">d", bytes.fromhex(body))[0]
    if tag == "$scalar":
        name, digits = body
        if name not in DTYPES:
            raise CheckpointError(f"malformed state: unknown dtype {name!r}")
        dtype = np.dtype(name)
        (scalar,) = np.frombuffer(bytes.fromhex(digits), dtype.newbyteorder("<")).astype(dtype)
        return scalar
    if tag == "$tuple":
        return tuple(_unpack(item, arrays, depth + 1) for item in body)
    if tag == "$dict":
        return {key: _unpack(item, arrays, depth + 1) for key, item in body}
    raise CheckpointError(f"malformed state: unknown tag {tag!r}")
