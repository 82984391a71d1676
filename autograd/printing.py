"""How tensors print: PyTorch's form, NumPy's line breaking."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

PRECISION = 4
WIDTH = 80


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
        max_line_width=WIDTH,
        threshold=1000,
        edgeitems=3,
        formatter=_formatter(np.asarray(value)),
    )
    return f"{head}{text}{tail})"


def _formatter(array: np.ndarray) -> Any:
    if array.dtype.kind != "f":
        return None
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    nonzero = finite[finite > 0]
    low, high = (nonzero.min(), nonzero.max()) if nonzero.size else (1.0, 1.0)
    if np.all(finite == np.floor(finite)) and high < 1e8:
        style = ".0f"
    elif high / low > 1000.0 or high > 1e8 or low < 1e-4:
        style = f".{PRECISION}e"
    else:
        style = f".{PRECISION}f"

    def show(x: float) -> str:
        if not math.isfinite(x):
            return str(float(x))
        return f"{x:{style}}" + ("." if style == ".0f" else "")

    # A 0-d tensor stands alone; columns line up.
    width = max(len(show(x)) for x in _shown(array)) if array.ndim else 0
    return {"float_kind": lambda x: show(x).rjust(width)}


def _shown(array: np.ndarray) -> np.ndarray:
    """The elements that will be printed, or a fair stand-in for their width."""
    if array.size <= 1000:
        return array.ravel()
    flat = array.ravel()
    return np.concatenate([flat[:1000], [flat.min(), flat.max()]])
