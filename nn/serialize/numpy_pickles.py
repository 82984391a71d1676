"""NumPy's arrays and numbers in a pickle, as training scripts leave them beside the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .files import CheckpointError

KINDS = "biufc"  # of dtypes: numbers and bools; never objects


class Described:
    """A dtype that is being read: its byte order comes after it."""

    def __init__(self, name: Any, *rest: Any) -> None:
        dtype = np.dtype(name) if isinstance(name, str) and len(name) <= 4 else None
        if dtype is None or dtype.kind not in KINDS or dtype.shape:
            raise CheckpointError("refused: a NumPy dtype that is not of numbers")
        self.dtype = dtype

    def build(self, state: Any) -> None:
        """Take the byte order from the state that NumPy pickles."""
        if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise CheckpointError("malformed: a NumPy dtype")
        self.dtype = self.dtype.newbyteorder(state[1])


def _encode(text: Any, encoding: Any = None) -> bytes:
    """``_codecs.encode``: how protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise CheckpointError("malformed: bytes that are no Latin-1 text")
    return text.encode("latin-1")


def _scalar(described: Any, data: Any) -> Any:
    if type(described) is not Described or type(data) is not bytes:
        raise CheckpointError("malformed: a NumPy number")
    (found,) = np.frombuffer(data, described.dtype)
    return described.dtype.newbyteorder("=").type(found)


def _reconstruct(*args: Any) -> np.ndarray:
    return np.empty(0, np.int8)


def build_numpy(target: Any, state: Any) -> bool:
    """
    Give an array or a dtype the state that a pickle has for it.

    Returns
    -------
    bool
        False if `target` is neither.

    Raises
    ------
    CheckpointError
        If the state is not one.
    """
    if type(target) is Described:
        target.build(state)
        return True
    if type(target) is not np.ndarray:
        return False
    if type(state) is not tuple or len(state) != 5:
        raise CheckpointError("malformed: a NumPy array")
    version, shape, described, fortran, data = state
    if version != 1 or type(fortran) is not bool:
        raise CheckpointError("malformed: a NumPy array")
    _check_array(shape, described, data)
    array: Any = target  # the type says that NumPy wants its own bools
    array.__setstate__((1, shape, described.dtype, fortran, data))
    return True


def _from_buffer(data: Any, described: Any, shape: Any, order: Any) -> np.ndarray:
    """What protocol 5 calls for an array that lies in order."""
    _check_array(shape, described, data)
    if order not in ("C", "F"):
        raise CheckpointError("malformed: a NumPy array")
    return np.frombuffer(bytearray(data), described.dtype).reshape(shape, order=order)


def _check_array(shape: Any, described: Any, data: Any) -> None:
    sound = (
        type(described) is Described
        and type(shape) is tuple
        and len(shape) <= 64
        and all(type(n) is int and 0 <= n < 2**62 for n in shape)
        and type(data) is bytes
        and math.prod(shape) * described.dtype.itemsize == len(data)
    )
    if not sound:
        raise CheckpointError("malformed: a NumPy array")


NUMPY_CALLS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _encode,
    "numpy.dtype": Described,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "numpy.core.numeric._frombuffer": _from_buffer,
}
