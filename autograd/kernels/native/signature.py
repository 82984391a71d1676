"""Signatures of compiled kernels: what a kernel takes and gives, as text and as data.

The form is described in unit.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ELEMENTS = {
    "f4": np.dtype(np.float32),
    "f8": np.dtype(np.float64),
    "i8": np.dtype(np.int64),
    "i4": np.dtype(np.int32),
    "u4": np.dtype(np.uint32),
    "u1": np.dtype(np.uint8),
    "b1": np.dtype(np.bool_),
}
"""Element types of a signature."""

_SIGNATURE = re.compile(r"^(\w+)\((.*?)\)(?:\s*->\s*(.+))?$", re.DOTALL)
_PARAMETER = re.compile(r"^(\w+):\s*(int|float|(\w\w?)(?:\[([^\]]*)\]|\s+like\s+(\w+)))([!?]*)$")


@dataclass(frozen=True)
class Parameter:
    """One argument or result of a kernel."""

    name: str
    kind: str  # "array", "int" or "float"
    element: str = ""
    dims: tuple[str, ...] = ()
    leading: bool = False
    like: str = ""
    written: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Kernel:
    """A parsed signature."""

    name: str
    arguments: tuple[Parameter, ...]
    results: tuple[Parameter, ...]
    symbols: tuple[str, ...]
    dtypes: tuple[str, ...]
    otherwise: Callable[..., Any] | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Arguments and results."""
        return self.arguments + self.results

    def symbol(self, role: str, dtype: str) -> str:
        """Name of a body in the object file."""
        return f"{self.name}.{role}.{dtype}"


def parsed(
    signature: str, dtypes: tuple[str, ...], otherwise: Callable[..., Any] | None = None
) -> Kernel:
    """Read a signature."""
    match = _SIGNATURE.match(" ".join(signature.split()))
    if not match:
        raise ValueError(f"kernel signature {signature!r}: expected name(x: T[n], ...) -> y: T[n]")
    name, arguments, results = match.groups()
    before = tuple(_parameter(text, signature) for text in _split(arguments))
    after = tuple(_parameter(text, signature) for text in _split(results or ""))
    symbols = dict.fromkeys(dim for p in before for dim in p.dims)
    for p in after:
        unknown = set(p.dims) - symbols.keys()
        if unknown or (p.like and p.like not in {q.name for q in before}):
            raise ValueError(f"kernel signature {signature!r}: nothing gives the size of {p.name}")
    if not any(p.element == "T" for p in before + after):
        dtypes = ("f4",)  # one body will do
    return Kernel(name, before, after, tuple(symbols), dtypes, otherwise)


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]


def _parameter(text: str, signature: str) -> Parameter:
    match = _PARAMETER.match(text)
    if not match:
        raise ValueError(f"kernel signature {signature!r}: cannot read {text!r}")
    name, kind, element, dims, like, marks = match.groups()
    if element is None:
        return Parameter(name, kind, dims=(name,) if kind == "int" else ())
    if element != "T" and element not in ELEMENTS:
        raise ValueError(f"kernel signature {signature!r}: unknown element type {element!r}")
    sizes = [dim.strip() for dim in (dims or "").split(",") if dim.strip()]
    leading = bool(sizes) and sizes[0].startswith("*")
    if leading:
        sizes[0] = sizes[0][1:]
    return Parameter(
        name, "array", element, tuple(sizes), leading, like or "", "!" in marks, "?" in marks
    )


@dataclass
class Code:
    """What goes into one object file.

    Attributes
    ----------
    name : str
        Of the file in the cache.
    source : str
        Module with the bodies.
    uses : tuple of str
        Modules of this folder that `source` imports, beside the common ones.
    dtypes : tuple of str
        What T may be.
    kernels : dict
        Name -> signature.
    """

    name: str
    source: str
    uses: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("f4", "f8")
    kernels: dict[str, Kernel] = field(default_factory=dict)
