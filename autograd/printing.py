"""How tensors print: PyTorch's form, NumPy's line breaking."""

from __future__ import annotations

import math
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
    tail = ""
    if value.dtype.kind in "iuf" and value.dtype not in (np.float32, np.int64):
        tail += f", dtype={value.dtype}"
    if tensor.node is not None and tensor.node.op is not None:
        tail += f", op={tensor.node.op.name}"
    elif tensor.requires_grad:
        tail += ", requires_grad=True"
    if value.size == 0:
        return f"{head}[], size={value.shape}{tail})"
    text = np.array2string(
        np.asarray(value),
        separator=", ",
        prefix=head,
        max_line_width=OPTIONS.linewidth,
        threshold=OPTIONS.threshold,
        edgeitems=OPTIONS.edgeitems,
        formatter=_formatter(np.asarray(value)),
    )
    return f"{head}{text}{tail})"


def _formatter(array: np.ndarray) -> Any:
    if array.dtype.kind != "f":
        return None
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    nonzero = finite[finite > 0]
    low, high = (nonzero.min(), nonzero.max()) if nonzero.size else (1.0, 1.0)
    digits, exponents = OPTIONS.precision, OPTIONS.sci_mode
    if exponents is None:
        whole = bool(np.all(finite == np.floor(finite)))
        exponents = high > 1e8 or (not whole and (high / low > 1000.0 or low < 1e-4))
        style = ".0f" if whole and high < 1e8 else f".{digits}{'e' if exponents else 'f'}"
    else:
        style = f".{digits}{'e' if exponents else 'f'}"

    def show(x: float) -> str:
        if not math.isfinite(x):
            return str(float(x))
        return f"{x:{style}}" + ("." if style == ".0f" else "")

    # A 0-d tensor stands alone; columns line up.
    width = max(len(show(x)) for x in _shown(array)) if array.ndim else 0
    return {"float_kind": lambda x: show(x).rjust(width)}


def _shown(array: np.ndarray) -> np.ndarray:
    """The elements that will be printed, or a fair stand-in for their width."""
    if array.size <= OPTIONS.threshold:
        return array.ravel()
    flat = array.ravel()
    return np.concatenate([flat[:1000], [flat.min(), flat.max()]])
