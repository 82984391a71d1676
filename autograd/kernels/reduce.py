"""Sums over all dimensions, leading ones, trailing ones, or leading and trailing ones.

That is what gradients need: a loss is a sum of everything, the gradient of a bias one over leading
dimensions, and that of a convolution's bias leaves a dimension in the middle. NumPy takes 2 us for
the smallest of these.
"""

import functools
import math
from typing import Any

import numpy as np

from .common import Floats, Sample
from .dispatch import fast, implementation, reference
from .native import Unit

UNIT = Unit("reduce", "autograd.kernels.native.reduce")
UNIT.kernel("chunk_sums(x: T[*n], chunk: int, parts: int) -> y: T[parts]")
UNIT.kernel("column_sums(x: T[rows, cols], chunk: int, parts: int) -> y: T[parts, cols]")
UNIT.kernel("row_sums(x: T[rows, cols]) -> y: T[rows]")

CHUNK = 1 << 13
"""Elements of a partial sum, and rows of one for columns: by sizes alone, never by threads."""
CHUNK_ROWS = 1 << 9

add_up: Any = np.add.reduce  # NumPy's annotations know its arguments by keyword only


@reference
def sum(x: Floats, /, *, dim: tuple[int, ...], keepdim: bool) -> Floats:
    """Sum over the dimensions `dim`: sorted, not negative.

    A sum over everything (without `keepdim`) is a NumPy scalar; one over nothing is a copy.
    """
    return add_up(x, dim, None, None, keepdim)


_numpy_sum = implementation(sum, "reference")


@functools.lru_cache(maxsize=1024)
def _split(ndim: int, dim: tuple[int, ...]) -> tuple[int, int] | None:
    """How many dimensions fold at the front and at the back; None if some do in between."""
    front = 0
    while front < len(dim) and dim[front] == front:
        front += 1
    back = len(dim) - front
    return (front, back) if dim[front:] == tuple(range(ndim - back, ndim)) else None


@fast(sum, UNIT)
def _sum(x: Floats, /, *, dim: tuple[int, ...], keepdim: bool) -> Floats:
    if x.__class__ is not np.ndarray or x.dtype.char not in "fd":
        return _numpy_sum(x, dim=dim, keepdim=keepdim)
    ndim = x.ndim
    if len(dim) == ndim and not keepdim:
        return _total(x)
    if dim == (0,) and ndim == 2:
        y = _columns(x)
        return y if keepdim else y[0]
    split = _split(ndim, dim)
    if split is None or not dim or not x.flags.c_contiguous:
        return _numpy_sum(x, dim=dim, keepdim=keepdim)
    front, back = split
    shape = x.shape
    left = shape[front : ndim - back]
    y = x
    if back:
        y = UNIT.row_sums(
            x.reshape(math.prod(shape[: ndim - back]), math.prod(shape[ndim - back :]))
        )
    if front:
        y = _columns(y.reshape(math.prod(shape[:front]), math.prod(left)))
    return y.reshape((1,) * front + left + (1,) * back if keepdim else left)


def _total(x: Floats) -> Floats:
    size = x.size
    while size > CHUNK:
        size = -(-size // CHUNK)
        x = UNIT.chunk_sums(x, CHUNK, size)
    return UNIT.chunk_sums(x, CHUNK, 1)[0]


def _columns(x: Floats) -> Floats:
    rows = len(x)
    while rows > CHUNK_ROWS:
        rows = -(-rows // CHUNK_ROWS)
        x = UNIT.column_sums(x, CHUNK_ROWS, rows)
    return UNIT.column_sums(x, CHUNK_ROWS, 1)


SAMPLES = (
    Sample("loss", ((128, 10),), {"dim": (0, 1), "keepdim": False}),
    Sample("bias", ((128, 512),), {"dim": (0,), "keepdim": False}),
    Sample("many rows", ((5000, 33),), {"dim": (0,), "keepdim": True}),
    Sample("rows", ((700, 1000),), {"dim": (1,), "keepdim": True}),
    Sample("channels", ((16, 32, 14, 14),), {"dim": (0, 2, 3), "keepdim": False}),
    Sample("everything", ((1_000_003,),), {"dim": (0,), "keepdim": False}),
)
