"""How attention is cut into blocks, and where its arrays lie.

An array is read where it is: a plan has the place of every matrix of a batch, and how far its rows
are apart. A dimension that is broadcast has steps of 0.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .common import Floats, Indices

BLOCK_SCORES, LEAST_ROWS = 1 << 17, 28
"""Queries are taken in blocks of so many scores (512 KiB in float32, for a usual L2 cache).

But there are no fewer rows in one than two panels of the matrix product have. With a quarter of the
scores a backward took up to 1.2 times as long, since each block adds to the gradients of all keys.
"""


Placed = tuple[tuple[int, ...], tuple[int, ...]]
"""Shape and strides of an array."""


class Layout(NamedTuple):
    """Where the rows of an array lie: steps of all dimensions but the last, counted in elements.

    The elements of a row are neighbours.
    """

    start: int
    steps: tuple[int, ...]


class Plan(NamedTuple):
    """Sizes, blocks and places, as native/attention.py reads them."""

    batch: tuple[int, ...]
    sizes: tuple[int, int, int, int]
    places: Indices
    words: Indices
    room: int


@functools.lru_cache(maxsize=256)
def plan_of(
    q: Placed,
    k: Placed,
    v: Placed,
    mask: Placed | None,
    g: Placed | None,
    item: int,
    causal: bool,
) -> Plan:
    """Plan a forward, or with the gradient `g` of its result a backward."""
    sizes = (q[0][-2], k[0][-2], q[0][-1], v[0][-1])
    length, size, width, depth = sizes
    batch = np.broadcast_shapes(q[0][:-2], k[0][:-2], v[0][:-2]) if g is None else g[0][:-2]
    rank = len(batch) + 1
    given = [_layout(x, rank, item) for x in (q, k, v)]
    given.append(Layout(0, (0,) * rank) if mask is None else _layout(mask, rank, item))
    if g is None:
        made = [_in_order(batch, length, depth)]
    else:
        made = [_layout(g, rank, item)]
        made += [_in_order(batch, *s) for s in ((length, width), (size, width), (size, depth))]
    return _planned(batch, sizes, causal, (*given, *made), g is not None)


@functools.lru_cache(maxsize=256)
def self_plan(
    shape: tuple[int, ...],
    heads: int,
    rows: int,
    mask: Placed | None,
    item: int,
    causal: bool,
    backward: bool,
) -> Plan:
    """Plan the same for heads side by side in an array of this shape, in C order."""
    length, width = shape[rows], shape[2] // 3
    parts = [_packed(shape, 3, heads, rows, part) for part in range(3)]
    given = [*parts, Layout(0, (0,) * 3) if mask is None else _layout(mask, 3, item)]
    made = [_packed((*shape[:2], width), 1, heads, rows, 0), *(parts if backward else ())]
    sizes = (length, length, width // heads, width // heads)
    return _planned((shape[1 - rows], heads), sizes, causal, (*given, *made), backward)


def _planned(
    batch: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    causal: bool,
    layouts: tuple[Layout, ...],
    backward: bool,
) -> Plan:
    """Layouts are those of q, k, v, mask and y, or of q, k, v, mask, g, dq, dk and dv."""
    length, size, width, depth = sizes
    rows = max(LEAST_ROWS, BLOCK_SCORES // size)
    blocks = -(-length // rows)
    rows = -(-length // blocks)
    places = np.stack([_places(batch, layout) for layout in layouts], axis=1)
    words = [*sizes, causal, rows, blocks, *(layout.steps[-1] for layout in layouts)]
    room = rows * size
    if backward:
        room = 2 * room + (size * max(width, depth) if blocks > 1 else 0)
    return Plan(batch, sizes, places, np.array(words, np.int64), room)


def _places(batch: tuple[int, ...], layout: Layout) -> Indices:
    """Where an array begins, for each place in the batch."""
    places = np.array(layout.start, np.int64)
    for n, step in zip(batch, layout.steps[:-1], strict=True):
        places = places[..., np.newaxis] + np.arange(n) * step
    return places.reshape(-1)


def _layout(x: Placed, rank: int, item: int) -> Layout:
    """Layout of an array that broadcasts to `rank` dimensions and a row."""
    steps = [0 if n == 1 else s // item for n, s in zip(*x, strict=True)]
    return Layout(0, (*(0,) * (rank + 1 - len(steps)), *steps[:-1]))


def _in_order(batch: tuple[int, ...], rows: int, columns: int) -> Layout:
    """Layout of an array (*batch, rows, columns) in C order."""
    steps = [columns]
    for n in (rows, *batch[:0:-1])[: len(batch)]:
        steps.append(steps[-1] * n)
    return Layout(0, tuple(reversed(steps)))


def _packed(shape: tuple[int, ...], parts: int, heads: int, rows: int, part: int) -> Layout:
    """Layout of one of the arrays that `heads_of` views, in an array in C order."""
    size = shape[2] // (parts * heads)
    steps = (shape[1] * shape[2], shape[2])
    return Layout(part * heads * size, (steps[1 - rows], size, steps[rows]))


def in_rows(x: Floats) -> Floats:
    """Return x, or a copy if a row is not in one piece, or something lies before the first."""
    if x.flags.c_contiguous:
        return x
    steps = [s for s, n in zip(x.strides, x.shape, strict=True) if n > 1]
    neighbours = x.shape[-1] == 1 or x.strides[-1] == x.itemsize
    if neighbours and not any(s < 0 or s % x.itemsize for s in steps):
        return x
    return np.ascontiguousarray(x)


def flat(x: Floats) -> Floats:
    """View all memory from first to last element as one array; `x` is as `in_rows` gives it."""
    if x.flags.c_contiguous:
        return x
    span = 1 + sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True)) // x.itemsize
    return x.ravel("K") if span == x.size else as_strided(x, (span,), (x.itemsize,))


def placed(x: Floats) -> Placed:
    """Shape and strides, which plans are kept by."""
    return x.shape, x.strides
