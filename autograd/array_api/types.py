"""Questions about dtypes, as the array API standard asks them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import get_default_dtype, promoted
from ..graph import Spec, Variable
from ..ops import arithmetic
from ..tensor import Tensor
from .making import on_cpu

KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
"""Kinds of dtypes as the standard calls them, by NumPy's letters."""
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES += ("float32", "float64")


def dtype_of(thing: Any) -> np.dtype[Any]:
    """The dtype that `thing` is or has."""
    return np.dtype(thing.dtype if isinstance(thing, Variable | np.ndarray) else thing)


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """`x` converted to a dtype; without `copy` the tensor itself if it has it already.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.astype(xp.asarray([1.7]), xp.int32)
    tensor([1], dtype=int32)
    """
    on_cpu("astype", device)
    result = x.to(dtype)
    return arithmetic.clone(x) if copy and result is x else result


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether promotion together with `to` gives `to`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.can_cast(xp.float32, xp.float64), xp.can_cast(xp.float64, xp.float32)
    (True, False)
    """
    pair = [Spec((1,), dtype_of(from_)), Spec((1,), dtype_of(to))]
    return bool(promoted(pair) == dtype_of(to))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind, such as "integral", or is another; or of one of several.

    Raises
    ------
    ValueError
        For an unknown kind.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.int8, ("bool", "integral"))
    (True, True)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"isdtype: kind must be one of {list(KINDS)}, not {kind!r}")
        return np.dtype(dtype).kind in KINDS[kind]
    return np.dtype(dtype) == np.dtype(kind)


def finfo(type: Any, /) -> Any:
    """Limits of a float dtype, as NumPy has them.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.finfo(xp.float32).bits
    32
    """
    return np.finfo(dtype_of(type))


def iinfo(type: Any, /) -> Any:
    """Limits of an integer dtype, as NumPy has them.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    return np.iinfo(dtype_of(type))


class Info:
    """What ``__array_namespace_info__()`` returns."""

    def capabilities(self) -> dict[str, Any]:
        """What may be asked for."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The only device."""
        return "cpu"

    def devices(self) -> list[str]:
        """All devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Dtypes of what is made without one."""
        on_cpu("default_dtypes", device)
        index = np.dtype(np.int64)
        return {"real floating": get_default_dtype(), "integral": index, "indexing": index}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Dtypes by name, all or those of a kind."""
        on_cpu("dtypes", device)
        found = {name: np.dtype(name) for name in DTYPES}
        return found if kind is None else {n: d for n, d in found.items() if isdtype(d, kind)}
