"""Borders around the last dimensions: zeros, reflections, repeated edges, wrapping around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..families import movement
from ..graph import Spec


def _strips(n: int, before: int, after: int, mode: str) -> Iterator[tuple[slice, slice]]:
    """(strip of the border, what it repeats), both as slices of the padded line."""
    end = before + n
    if mode == "replicate":
        pairs = [
            (slice(0, before), slice(before, before + 1)),
            (slice(end, end + after), slice(end - 1, end)),
        ]
    elif mode == "circular":
        pairs = [
            (slice(0, before), slice(n, end)),
            (slice(end, end + after), slice(before, before + after)),
        ]
    else:
        last = end - 2 - after
        pairs = [
            (slice(0, before), slice(2 * before, before, -1)),
            (slice(end, end + after), slice(end - 2, last if last >= 0 else None, -1)),
        ]
    return ((b, s) for b, s in pairs if b.start < b.stop)


def _grown(shape, widths):
    return tuple(n + a + b for n, (a, b) in zip(shape, widths, strict=True))


@movement(
    lambda g, y, x, widths, mode: _unborder(g, widths=widths, mode=mode),  # pyright: ignore[reportGeneralTypeIssues]
    infer=lambda x, *, widths, mode: Spec(_grown(x.shape, widths), x.dtype),
    formula=("pad(x)", "fold(g)"),
)
def _border(x, /, *, widths, mode):
    """Put around x a border made of its own elements, one dimension after the other."""
    y = np.empty(_grown(x.shape, widths), x.dtype)
    y[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
    for dim, (n, (a, b)) in enumerate(zip(x.shape, widths, strict=True)):
        lead = (slice(None),) * dim
        for border, inner in _strips(n, a, b, mode):
            y[(*lead, border)] = y[(*lead, inner)]
    return y


@movement(
    lambda g, y, x, widths, mode: _border(g, widths=widths, mode=mode),
    infer=lambda x, *, widths, mode: Spec(
        [n - a - b for n, (a, b) in zip(x.shape, widths, strict=True)], x.dtype
    ),
    formula=("fold(x)", "pad(g)"),
)
def _unborder(x, /, *, widths, mode):
    """The adjoint of `_border`: borders are added to what they repeat, and cut off."""
    y = np.array(x)
    for dim in range(x.ndim - 1, -1, -1):
        a, b = widths[dim]
        lead = (slice(None),) * dim
        for border, inner in _strips(x.shape[dim] - a - b, a, b, mode):
            strip = y[(*lead, border)]
            if mode == "replicate":
                strip = strip.sum(dim, keepdims=True)
            y[(*lead, inner)] += strip
    return np.ascontiguousarray(
        y[tuple(slice(a, n - b) for n, (a, b) in zip(x.shape, widths, strict=True))]
    )


_BORDERS = [
    {"widths": ((0, 0), (2, 1), (1, 3)), "mode": "reflect"},
    {"widths": ((0, 0), (2, 3), (1, 0)), "mode": "replicate"},
    {"widths": ((0, 0), (3, 1), (0, 2)), "mode": "circular"},
]
_border.op.samples = lambda draw: [((draw((2, 3, 4)),), params) for params in _BORDERS]
_unborder.op.samples = lambda draw: [
    ((draw(_grown((2, 3, 4), params["widths"])),), params) for params in _BORDERS
]


def check_border(shape: tuple[int, ...], widths: tuple[int, ...], pairs: Any, mode: str) -> None:
    """Raise if a mode other than "constant" cannot make these borders."""
    count = len(widths) // 2
    if not 1 <= count <= 3 or len(shape) not in (count + 1, count + 2):
        raise ValueError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 dimensions of as many and one or two "
            f"more, met widths {widths} for shape {shape}"
        )
    for n, (a, b) in zip(shape, pairs, strict=True):
        most = n - 1 if mode == "reflect" else n
        if mode != "replicate" and max(a, b) > most:
            raise ValueError(
                f"pad: mode {mode!r} has at most {most} to offer in a dimension of size {n}, "
                f"met widths {widths} for shape {shape}"
            )
        if n == 0 and max(a, b) > 0:
            raise ValueError(f"pad: shape {shape} has nothing to pad with in mode {mode!r}")
