"""Scaled dot-product attention, and its gradients.

The weights, one row of S numbers for each of L queries, are larger than all that goes in and comes
out. They are not kept: a forward leaves two numbers a row, from which a backward has them again.
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from . import memory, threads
from .attention_plan import Placed, Plan, flat, in_rows, placed, plan_of, self_plan
from .common import Floats, Sample
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


def _numbers(mask: Mask | None, dtype: np.dtype[Any], size: int) -> tuple[Any, Placed | None]:
    """A mask as numbers of `dtype` in whole rows, and where they lie."""
    if mask is None:
        return None, None
    mask = additive(mask, dtype).astype(dtype, copy=False)
    if mask.ndim < 2 or mask.shape[-1] != size:
        mask = np.broadcast_to(mask, (*((1,) * (2 - mask.ndim)), *mask.shape[:-1], size))
    mask = in_rows(mask)
    return flat(mask), placed(mask)


@functools.lru_cache(maxsize=64)
def _number(value: float, dtype: np.dtype[Any]) -> Floats:
    """An array of one number, in which it has the type of the others."""
    number = np.array([value], dtype)
    number.flags.writeable = False
    return number


def _scratch(plan: Plan, dtype: np.dtype[Any]) -> Floats:
    return memory.empty((threads.get_num_threads(), plan.room), dtype)


def _served(*arrays: Floats) -> bool:
    """Whether there is compiled code for these: of one type, and none of them empty."""
    dtype = arrays[0].dtype
    if dtype.char not in "fd":
        return False
    return all(x.dtype == dtype and x.size for x in arrays)


@fast(attention, UNIT)
def _attention(
    q: Floats, k: Floats, v: Floats, mask: Mask | None, *, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    if not _served(q, k, v):
        return implementation(attention, "reference")(q, k, v, mask, scale=scale, causal=causal)
    dtype = q.dtype
    q, k, v = in_rows(q), in_rows(k), in_rows(v)
    added, lies = _numbers(mask, dtype, k.shape[-2])
    plan = plan_of(placed(q), placed(k), placed(v), lies, None, dtype.itemsize, causal)
    y = memory.empty((*plan.batch, plan.sizes[0], plan.sizes[3]), dtype)
    stats = memory.empty((*plan.batch, plan.sizes[0], 2), dtype)
    UNIT.attention(
        flat(q), flat(k), flat(v), added, plan.places, plan.words, _number(scale, dtype),
        _scratch(plan, dtype), y, stats,
    )  # fmt: skip
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
    dtype = q.dtype
    g, q, k, v = in_rows(g), in_rows(q), in_rows(k), in_rows(v)
    added, lies = _numbers(mask, dtype, k.shape[-2])
    plan = plan_of(placed(q), placed(k), placed(v), lies, placed(g), dtype.itemsize, causal)
    length, size, width, depth = plan.sizes
    dq = memory.empty((*plan.batch, length, width), dtype)
    dk = memory.empty((*plan.batch, size, width), dtype)
    dv = memory.empty((*plan.batch, size, depth), dtype)
    UNIT.attention_backward(
        flat(g), flat(q), flat(k), flat(v), added, stats, plan.places, plan.words,
        _number(scale, dtype), _scratch(plan, dtype), dq, dk, dv,
    )  # fmt: skip
    return dq, dk, dv


@fast(self_attention, UNIT)
def _self_attention(
    qkv: Floats, mask: Mask | None, *, heads: int, rows: int, scale: float, causal: bool
) -> tuple[Floats, Floats]:
    if not _served(qkv):
        otherwise = implementation(self_attention, "reference")
        return otherwise(qkv, mask, heads=heads, rows=rows, scale=scale, causal=causal)
    qkv, dtype = np.ascontiguousarray(qkv), qkv.dtype
    added, lies = _numbers(mask, dtype, qkv.shape[rows])
    plan = self_plan(qkv.shape, heads, rows, lies, dtype.itemsize, causal, False)
    y = memory.empty((*qkv.shape[:2], qkv.shape[2] // 3), dtype)
    stats = memory.empty((*plan.batch, plan.sizes[0], 2), dtype)
    UNIT.attention(
        qkv, qkv, qkv, added, plan.places, plan.words, _number(scale, dtype),
        _scratch(plan, dtype), y, stats,
    )  # fmt: skip
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
    qkv, g, dtype = np.ascontiguousarray(qkv), np.ascontiguousarray(g), qkv.dtype
    added, lies = _numbers(mask, dtype, qkv.shape[rows])
    plan = self_plan(qkv.shape, heads, rows, lies, dtype.itemsize, causal, True)
    found = memory.empty(qkv.shape, dtype)
    UNIT.attention_backward(
        g, qkv, qkv, qkv, added, stats, plan.places, plan.words, _number(scale, dtype),
        _scratch(plan, dtype), found, found, found,
    )  # fmt: skip
    return found


SAMPLES = (
    Sample("block", ((8, 4, 64, 32),) * 3, {"scale": 0.1767766952966369, "causal": False}),
    Sample("decoder", ((2, 3, 50, 20),) * 3, {"scale": 0.25, "causal": True}),
    Sample("cross", ((3, 2, 7, 8), (3, 2, 90, 8), (3, 2, 90, 5)), {"scale": 0.3, "causal": False}),
)
"""Arguments of `attention`: shapes of q, k and v."""
