"""How tensors print: in PyTorch's form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Options:
    """How tensors print: PyTorch's settings, with its defaults."""

    precision: int = 4
    threshold: int = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=2**62),
}
OPTIONS = Options()


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is left out stays as it is.

    Parameters
    ----------
    precision : int, optional
        Digits after the point (4).
    threshold : int, optional
        Tensors of more elements are shortened to their edges (1000).
    edgeitems : int, optional
        Elements at each edge (3).
    linewidth : int, optional
        Characters in a line (80).
    profile : {"default", "short", "full"}, optional
        All of these at once; the others given here then change it.
    sci_mode : bool, optional
        With an exponent, always or never. Left out: as the numbers ask for.

    Raises
    ------
    ValueError
        If a number is negative, or there is no such profile.

    Examples
    --------
    >>> import autograd
    >>> autograd.set_printoptions(precision=2)
    >>> autograd.tensor([0.12345])
    tensor([0.12])
    >>> autograd.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in PROFILES:
            raise ValueError(
                f"set_printoptions: profile must be one of {list(PROFILES)}, not {profile!r}"
            )
        vars(OPTIONS).update(vars(PROFILES[profile]))
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, value in given.items():
        if value is None:
            continue
        if value < 0:
            raise ValueError(f"set_printoptions: {name} must not be negative, not {value}")
        setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def tensor_text(tensor: Any) -> str:
    """The text of ``repr(tensor)``."""
    head = f"{type(tensor).__name__.lower()}("
    value = tensor.value
    if not isinstance(value, np.ndarray | np.generic):
        return f"{head}{value!r})"
    array = np.asarray(value)
    notes = [f"size={array.shape}"] if array.size == 0 and array.ndim > 1 else []
    if array.dtype not in ((np.float32, np.int64, np.bool_) if array.size else (np.float32,)):
        notes.append(f"dtype={array.dtype}")
    if tensor.node is not None and tensor.node.op is not None:
        notes.append(f"op={tensor.node.op.name}")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    return f"{_noted(head + _numbers(array, len(head)), notes, len(head))})"


def _noted(text: str, notes: list[str], indent: int) -> str:
    """Add what follows the numbers, each on a new line where the last one is full."""
    for note in notes:
        last = len(text) - (text.rfind("\n") + 1)
        full = last + len(note) + 4 > OPTIONS.linewidth  # a comma, two brackets, a space
        text += (",\n" + " " * indent if full else ", ") + note
    return text


def _numbers(array: np.ndarray, indent: int) -> str:
    if array.size == 0:
        return "[]"
    shortened = array.size > OPTIONS.threshold
    show, width = _column(_edges(array) if shortened else array)
    if array.ndim == 0:
        return show(array[()]).strip()
    return _brackets(array, indent, shortened, show, width)


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that are printed of an array that is shortened."""
    for axis, length in enumerate(array.shape):
        if length > 2 * OPTIONS.edgeitems:
            last = array.take(range(length - OPTIONS.edgeitems, length), axis)
            array = np.concatenate([array.take(range(OPTIONS.edgeitems), axis), last], axis)
    return array


def _brackets(
    array: np.ndarray, indent: int, shortened: bool, show: Callable[[Any], str], width: int
) -> str:
    """An array in brackets: numbers in lines that are not too long, rows one below the other."""
    edge = OPTIONS.edgeitems
    cut = shortened and len(array) > 2 * edge
    parts = [*array[:edge], ..., *array[len(array) - edge :]] if cut else list(array)
    if array.ndim == 1:
        texts = [" ..." if part is ... else show(part) for part in parts]
        count = max(1, (OPTIONS.linewidth - indent) // (width + 2))
        rows = [", ".join(texts[k : k + count]) for k in range(0, len(texts), count)]
    else:
        rows = [
            "..." if part is ... else _brackets(part, indent + 1, shortened, show, width)
            for part in parts
        ]
    between = "," + "\n" * max(1, array.ndim - 1) + " " * (indent + 1)
    return f"[{between.join(rows)}]"


def _column(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """How each number of an array is written so that they line up, and how wide.

    The width is that of the numbers other than zero, as in PyTorch: a zero or a NaN among shorter
    numbers sticks out.
    """
    if array.dtype.kind != "f":
        width = max(len(str(x)) for x in array.ravel())
        return lambda x: str(x).rjust(width), width
    numbers = array[np.isfinite(array) & (array != 0)].astype(np.float64)
    sizes = np.abs(numbers)
    low, high = (sizes.min(), sizes.max()) if sizes.size else (1.0, 1.0)
    whole = bool(np.all(np.floor(sizes) == sizes))
    exponents = OPTIONS.sci_mode
    if exponents is None or not sizes.size:
        exponents = high / low > 1000.0 or high > 1e8 or (not whole and low < 1e-4)
    point = whole and not exponents
    style = ".0f" if point else f".{OPTIONS.precision}{'e' if exponents else 'f'}"
    width = max((len(f"{x:{style}}") + point for x in numbers), default=1)

    def show(x: Any) -> str:
        return (f"{x:{style}}" + "." * (point and math.isfinite(x))).rjust(width)

    return show, width
