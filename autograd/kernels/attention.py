"""Scaled dot-product attention, and its gradients.

The weights, one row of S numbers for each of L queries, are larger than all that goes in and comes
out. They are not kept: a forward leaves two numbers a row, from which a backward has them again.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from . import memory, threads
from .common import Floats, Indices, Sample
from .dispatch import fast, implementation, reference
from .native import Unit

# A score of -inf is one that a mask forbids; scores that overflow are found by the NaN they make.
_quiet = np.errstate(invalid="ignore", over="ignore", divide="ignore")

Mask = npt.NDArray[Any]


@reference
@_quiet
def attention(
    q: Floats, k: Floats, v: Floats, mask: Mask | None, *, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    """Averages of values, weighted by how well their keys fit each query.

    ::

        t = scale * q @ k.T + mask
        y = softmax(t) @ v

    Parameters
    ----------
    q : array (..., L, E)
    k : array (..., S, E)
    v : array (..., S, D)
        Leading dimensions broadcast together.
    mask : array that broadcasts to (..., L, S), or None
        Numbers to add, or bools: false forbids (adds -inf).
    scale : float
    causal : bool
        Forbid every key behind its query: j > i.

    Returns
    -------
    y : array (..., L, D)
        New. Rows in which everything is forbidden, and all rows for S = 0, are 0.
    stats : array (..., L, 2)
        Of each row the shift m, which is max(t), and 1 / sum(exp(t - m)), so that the weights
        are ``exp(t - m) * stats[..., 1]``. A row without a finite number has m = 0.

    A NaN or +inf among the scores of a row makes the row NaN.
    """
    t = _scores(q, k, mask, scale, causal)
    m = np.maximum.reduce(t, axis=-1, keepdims=True, initial=-np.inf)
    m = np.where(m > -np.inf, m, m.dtype.type(0))
    weights = np.exp(t - m)
    total = np.add.reduce(weights, axis=-1, keepdims=True)
    inverse = np.where(total == 0, total, 1 / total)
    weights *= inverse
    return np.matmul(weights, v), np.concatenate([m, inverse], axis=-1)


def _scores(q: Floats, k: Floats, mask: Mask | None, scale: float, causal: bool) -> Floats:
    t = np.matmul(q, np.swapaxes(k, -1, -2))
    t *= scale
    if mask is not None:
        t += additive(mask, t.dtype)
    if causal:
        length, size = t.shape[-2:]
        np.putmask(t, np.broadcast_to(~np.tri(length, size, dtype=np.bool_), t.shape), -np.inf)
    return t


def additive(mask: Mask, dtype: np.dtype[Any]) -> Floats:
    """Return a mask as numbers to add."""
    if mask.dtype.kind != "b":
        return mask
    return np.where(mask, dtype.type(0), dtype.type(-np.inf))


@reference
@_quiet
def attention_backward(
    g: Floats,
    q: Floats,
    k: Floats,
    v: Floats,
    mask: Mask | None,
    stats: Floats,
    *,
    scale: float,
    causal: bool,
) -> tuple[Floats, Floats, Floats]:
    """Gradients of <g, y> in q, k and v for ``y, stats = attention(q, k, v, mask)``.

    ::

        p = exp(t - m) / sum(exp(t - m))
        dt = p * (g @ v.T - sum(p * (g @ v.T)))
        dq, dk, dv = scale * dt @ k, scale * dt.T @ q, p.T @ g

    Returns
    -------
    dq, dk, dv : arrays
        New, of the shapes of q, k and v with all leading dimensions of y: where one of those was
        broadcast, the sum over it is still to be taken.
    """
    p = np.exp(_scores(q, k, mask, scale, causal) - stats[..., :1])
    p *= stats[..., 1:]
    dv = np.matmul(np.swapaxes(p, -1, -2), g)
    dt = np.matmul(g, np.swapaxes(v, -1, -2))
    dt -= np.add.reduce(p * dt, axis=-1, keepdims=True)
    dt *= p
    dt *= scale
    return np.matmul(dt, k), np.matmul(np.swapaxes(dt, -1, -2), q), dv


def heads_of(x: Floats, parts: int, heads: int, rows: int) -> list[Floats]:
    """View (A, B, parts * E), the sequence along axis `rows`, as parts (batch, heads, L, E)."""
    split = x.reshape(*x.shape[:2], parts, heads, x.shape[2] // (parts * heads))
    return list(split.transpose(2, 1 - rows, 3, rows, 4))


@reference
def self_attention(
    qkv: Floats, mask: Mask | None, *, heads: int, rows: int, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    """`attention` of several heads, with queries, keys and values side by side in one array.

    Parameters
    ----------
    qkv : array (N, L, 3 * E), or (L, N, 3 * E) for rows = 0
        Of each element of a sequence E numbers for the queries of all heads, E for the keys, and
        E for the values.
    mask : array that broadcasts to (N, heads, L, L), or None
    heads : int
        Divides E.
    rows : {0, 1}
        The axis of qkv along which the sequence runs.

    Returns
    -------
    y : array (N, L, E), or (L, N, E) for rows = 0
        New.
    stats : array (N, heads, L, 2)
    """
    q, k, v = heads_of(qkv, 3, heads, rows)
    y, stats = attention(q, k, v, mask, scale=scale, causal=causal)
    order = (2, 0, 1, 3) if rows == 0 else (0, 2, 1, 3)
    return y.transpose(order).reshape(*qkv.shape[:2], qkv.shape[2] // 3), stats


@reference
def self_attention_backward(
    g: Floats,
    qkv: Floats,
    mask: Mask | None,
    stats: Floats,
    *,
    heads: int,
    rows: int,
    scale: float,
    causal: bool,
) -> Floats:
    """Gradient of <g, y> in qkv for ``y, stats = self_attention(qkv, mask)``.

    Returns
    -------
    array of the shape of qkv
        New.
    """
    q, k, v = heads_of(qkv, 3, heads, rows)
    (upstream,) = heads_of(g, 1, heads, rows)
    found = attention_backward(upstream, q, k, v, mask, stats, scale=scale, causal=causal)
    dqkv = np.empty(qkv.shape, qkv.dtype)
    for to, gradient in zip(heads_of(dqkv, 3, heads, rows), found, strict=True):
        to[...] = gradient
    return dqkv


# --- Compiled -------------------------------------------------------------------------------------

UNIT = Unit(
    "attention", "autograd.kernels.native.attention", ("matmul", "tiles", "softmax", "vmath")
)
UNIT.kernel(
    """attention(q: T[*a], k: T[*b], v: T[*c], mask: T[*d]?, places: i8[r, five], plan: i8[fields],
    scale: T[one], scratch: T[workers, room]!, y: T[*e]!, stats: T[*s]!)"""
)
UNIT.kernel(
    """attention_backward(g: T[*a], q: T[*b], k: T[*c], v: T[*d], mask: T[*e]?, stats: T[*s],
    places: i8[r, eight], plan: i8[fields], scale: T[one], scratch: T[workers, room]!,
    dq: T[*x]!, dk: T[*y]!, dv: T[*z]!)"""
)

BLOCK_SCORES, LEAST_ROWS = 1 << 15, 28
"""Queries are taken in blocks of so many scores (128 KiB in float32, for the L2 cache), and of no
fewer rows: two panels of the matrix product."""


class Layout(NamedTuple):
    """Where the rows of an array lie: steps of all dimensions but the last, counted in elements.

    The elements of a row are neighbours.
    """

    start: int
    steps: tuple[int, ...]


class _Plan(NamedTuple):
    places: Indices
    words: Indices
    room: int


@functools.lru_cache(maxsize=256)
def _plan(
    batch: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    causal: bool,
    layouts: tuple[Layout, ...],
    backward: bool,
) -> _Plan:
    """Work out blocks and places, as native/attention.py reads them.

    `layouts` are those of q, k, v, mask and y, or of q, k, v, mask, g, dq, dk and dv.
    """
    length, size, width, depth = sizes
    rows = max(LEAST_ROWS, BLOCK_SCORES // size)
    blocks = -(-length // rows)
    rows = -(-length // blocks)
    places = [_places(batch, layout) for layout in layouts]
    words = [*sizes, causal, rows, blocks, *(layout.steps[-1] for layout in layouts)]
    room = rows * size
    if backward:
        room = 2 * room + (size * max(width, depth) if blocks > 1 else 0)
    return _Plan(np.stack(places, axis=1), np.array(words, np.int64), room)


def _places(batch: tuple[int, ...], layout: Layout) -> Indices:
    """Where an array begins, for each place in the batch."""
    places = np.array(layout.start, np.int64)
    for n, step in zip(batch, layout.steps[:-1], strict=True):
        places = places[..., np.newaxis] + np.arange(n) * step
    return places.reshape(-1)


def _operand(x: Floats, batch: tuple[int, ...], rows: int) -> tuple[Floats, Layout]:
    """View an array that broadcasts to (*batch, rows, n) from its first to its last element.

    It is copied only if its rows do not lie in one piece, or some of it is behind its beginning.
    """
    item = x.itemsize
    if not x.flags.c_contiguous:
        steps = [s for s, n in zip(x.strides, x.shape, strict=True) if n > 1]
        neighbours = x.shape[-1] == 1 or x.strides[-1] == item
        if not neighbours or any(s < 0 or s % item for s in steps):
            x = np.ascontiguousarray(x)
    full = (*batch, rows)
    steps = (0,) * (len(full) + 1 - x.ndim) + tuple(
        0 if n == 1 else s // item for s, n in zip(x.strides, x.shape, strict=True)
    )
    if not x.flags.c_contiguous:
        span = 1 + sum((n - 1) * s for n, s in zip(x.shape, steps[-x.ndim :], strict=True))
        x = x.ravel("K") if span == x.size else as_strided(x, (span,), (item,))
    return x, Layout(0, steps[:-1])


def _packed(x: Floats, parts: int, heads: int, rows: int, part: int) -> Layout:
    """Layout of one of the arrays that `heads_of` views, in an array in C order."""
    width = x.shape[2]
    size = width // (parts * heads)
    steps = (x.shape[1] * width, width)
    return Layout(part * heads * size, (steps[1 - rows], size, steps[rows]))


def _mask_of(
    mask: Mask | None, dtype: np.dtype[Any], batch: tuple[int, ...], length: int, size: int
) -> tuple[Floats | None, Layout]:
    """View a mask as numbers of `dtype` whose rows are whole."""
    if mask is None:
        return None, Layout(0, (0,) * (len(batch) + 1))
    mask = additive(mask, dtype).astype(dtype, copy=False)
    if mask.ndim < 2 or mask.shape[-1] != size:
        mask = np.broadcast_to(mask, (*((1,) * (2 - mask.ndim)), *mask.shape[:-1], size))
    return _operand(mask, batch, length)


def _scratch(room: int, dtype: np.dtype[Any]) -> Floats:
    return memory.empty((threads.get_num_threads(), room), dtype)


def _served(*arrays: Floats) -> bool:
    """Whether there is compiled code for these: of one type, and none of them empty."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and all(x.dtype == dtype and x.size for x in arrays)


@fast(attention, UNIT)
def _attention(
    q: Floats, k: Floats, v: Floats, mask: Mask | None, *, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    if not _served(q, k, v):
        return implementation(attention, "reference")(q, k, v, mask, scale=scale, causal=causal)
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    sizes = (q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1])
    y = memory.empty((*batch, sizes[0], sizes[3]), q.dtype)
    stats = memory.empty((*batch, sizes[0], 2), q.dtype)
    q, at_q = _operand(q, batch, sizes[0])
    k, at_k = _operand(k, batch, sizes[1])
    v, at_v = _operand(v, batch, sizes[1])
    added, at_mask = _mask_of(mask, q.dtype, batch, *sizes[:2])
    layouts = (at_q, at_k, at_v, at_mask, _operand(y, batch, sizes[0])[1])
    plan = _plan(batch, sizes, bool(causal), layouts, False)
    factor, scratch = np.array([scale], q.dtype), _scratch(plan.room, q.dtype)
    UNIT.attention(q, k, v, added, plan.places, plan.words, factor, scratch, y, stats)
    return y, stats


@fast(attention_backward, UNIT)
def _attention_backward(
    g: Floats,
    q: Floats,
    k: Floats,
    v: Floats,
    mask: Mask | None,
    stats: Floats,
    *,
    scale: float,
    causal: bool,
) -> tuple[Floats, Floats, Floats]:
    """Scratch: for each thread two blocks of scores and the gradient of the keys of a head."""
    if not _served(q, k, v, g):
        otherwise = implementation(attention_backward, "reference")
        return otherwise(g, q, k, v, mask, stats, scale=scale, causal=causal)
    batch = g.shape[:-2]
    sizes = (q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1])
    rows = (sizes[0], sizes[1], sizes[1])
    dtype = q.dtype
    found = [
        memory.empty((*batch, n, x.shape[-1]), dtype) for n, x in zip(rows, (q, k, v), strict=True)
    ]
    given = [_operand(x, batch, n) for n, x in zip((*rows, sizes[0]), (q, k, v, g), strict=True)]
    added, at_mask = _mask_of(mask, dtype, batch, *sizes[:2])
    into = [_operand(x, batch, n)[1] for n, x in zip(rows, found, strict=True)]
    layouts = (*(at for _, at in given[:3]), at_mask, given[3][1], *into)
    plan = _plan(batch, sizes, bool(causal), layouts, True)
    (q, k, v, g), factor = (x for x, _ in given), np.array([scale], dtype)
    scratch = _scratch(plan.room, dtype)
    UNIT.attention_backward(
        g, q, k, v, added, stats, plan.places, plan.words, factor, scratch, *found
    )
    return found[0], found[1], found[2]


@fast(self_attention, UNIT)
def _self_attention(
    qkv: Floats, mask: Mask | None, *, heads: int, rows: int, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    if not _served(qkv):
        otherwise = implementation(self_attention, "reference")
        return otherwise(qkv, mask, heads=heads, rows=rows, scale=scale, causal=causal)
    qkv = np.ascontiguousarray(qkv)
    dtype, batch = qkv.dtype, (qkv.shape[1 - rows], heads)
    length, width = qkv.shape[rows], qkv.shape[2] // 3
    y = memory.empty((*qkv.shape[:2], width), dtype)
    stats = memory.empty((*batch, length, 2), dtype)
    added, at_mask = _mask_of(mask, dtype, batch, length, length)
    parts = [_packed(qkv, 3, heads, rows, part) for part in range(3)]
    layouts = (*parts, at_mask, _packed(y, 1, heads, rows, 0))
    plan = _plan(batch, _sizes(length, width // heads), bool(causal), layouts, False)
    factor, scratch = np.array([scale], dtype), _scratch(plan.room, dtype)
    UNIT.attention(qkv, qkv, qkv, added, plan.places, plan.words, factor, scratch, y, stats)
    return y, stats


@fast(self_attention_backward, UNIT)
def _self_attention_backward(
    g: Floats,
    qkv: Floats,
    mask: Mask | None,
    stats: Floats,
    *,
    heads: int,
    rows: int,
    scale: float,
    causal: bool,
) -> Floats:
    if not _served(qkv, g):
        otherwise = implementation(self_attention_backward, "reference")
        return otherwise(g, qkv, mask, stats, heads=heads, rows=rows, scale=scale, causal=causal)
    qkv, g = np.ascontiguousarray(qkv), np.ascontiguousarray(g)
    dtype, batch = qkv.dtype, (qkv.shape[1 - rows], heads)
    length, width = qkv.shape[rows], qkv.shape[2] // 3
    found = memory.empty(qkv.shape, dtype)
    added, at_mask = _mask_of(mask, dtype, batch, length, length)
    parts = [_packed(qkv, 3, heads, rows, part) for part in range(3)]
    layouts = (*parts, at_mask, _packed(g, 1, heads, rows, 0), *parts)
    plan = _plan(batch, _sizes(length, width // heads), bool(causal), layouts, True)
    factor, scratch = np.array([scale], dtype), _scratch(plan.room, dtype)
    UNIT.attention_backward(
        g, qkv, qkv, qkv, added, stats, plan.places, plan.words, factor, scratch,
        found, found, found,
    )  # fmt: skip
    return found


def _sizes(length: int, width: int) -> tuple[int, int, int, int]:
    return length, length, width, width


SAMPLES = (
    Sample("block", ((8, 4, 64, 32),) * 3, {"scale": 0.1767766952966369, "causal": False}),
    Sample("decoder", ((2, 3, 50, 20),) * 3, {"scale": 0.25, "causal": True}),
    Sample("cross", ((3, 2, 7, 8), (3, 2, 90, 8), (3, 2, 90, 5)), {"scale": 0.3, "causal": False}),
)
"""Arguments of `attention`: shapes of q, k and v."""
