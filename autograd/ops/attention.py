"""Scaled dot-product attention.

The fused ops neither keep nor return the weights, L x S numbers a head: their backward works them
out again. Backward on Variables, for higher orders, and whatever has to do something to the weights
between softmax and product (dropout, handing them out) goes by ops.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..dtypes import promoted, to_common
from ..families import shape_of, structured
from ..graph import Spec, Variable
from ..random import Generator
from .arithmetic import where
from .dropout import dropout
from .extremes import amax
from .linalg import _matmul
from .loss import _softmax
from .reduce import sum
from .shape import _expand, _permute, _reshape, cat, mT

NEVER = -math.inf


def additive(mask: Any, dtype: Any) -> Any:
    """A mask as numbers to add: 0 where a mask of bools is true, -inf where it is false."""
    if np.dtype(mask.dtype).kind != "b":
        return mask
    allowed, forbidden = (np.array(v, dtype) for v in (0.0, NEVER))
    return where(mask, allowed, forbidden)


def causal_mask(length: int, size: int, dtype: Any) -> Any:
    """Numbers to add that forbid every key behind its query, as an array."""
    return np.triu(np.full((length, size), NEVER, dtype), 1)


def scores(q: Any, k: Any, mask: Any, scale: float, causal: bool) -> Any:
    """``scale * q @ k.T + mask``."""
    t = _matmul(q * scale, mT(k))
    if mask is not None:
        t = t + additive(mask, t.dtype)
    if causal:
        t = where(np.tri(*t.shape[-2:], dtype=np.bool_), t, NEVER)
    return t


def weights_of(t: Any, masked: bool) -> Any:
    """Softmax of the scores; 0 in rows where a mask forbids everything."""
    if not t.shape[-1]:
        return t
    if not masked:
        return _softmax(t, dim=len(t.shape) - 1)
    dead = amax(t, -1, keepdim=True) == NEVER
    return where(dead, 0.0, _softmax(where(dead, 0.0, t), dim=len(t.shape) - 1))


def _by_ops(
    g: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool
) -> tuple[Any, Any, Any, Any]:
    """Gradients in queries, keys, values, and what a mask of numbers is added to."""
    p = weights_of(scores(q, k, mask, scale, causal), mask is not None)
    dp = _matmul(g, mT(v))
    dt = p * (dp - sum(p * dp, -1, keepdim=True))
    return _matmul(dt, k) * scale, _matmul(mT(dt), q) * scale, _matmul(mT(p), g), dt


def _attention_rule(g, stats, q, k, v, mask, *, scale, causal, learned):
    if stats is not None and not learned:
        found = kernels.attention_backward(g, q, k, v, mask, stats, scale=scale, causal=causal)
        return *found, None
    *found, dmask = _by_ops(g, q, k, v, mask, scale, causal)
    return *found, dmask if learned else None


def _promote(values: list[Any]) -> list[Any]:
    *arrays, mask = values
    if mask is None or mask.dtype.kind == "b":
        return [*to_common(arrays), mask]
    return to_common(values)


def _floats(*values: Any) -> Any:
    """The dtype of those that are numbers; a mask of bools is not."""
    return promoted([v for v in values if v is not None and np.dtype(v.dtype).kind != "b"])


def _attention_infer(q, k, v, mask, **_):
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    return Spec((*batch, q.shape[-2], v.shape[-1]), _floats(q, k, v, mask))


@structured(
    joint=_attention_rule,
    saves="q k v mask",
    aside=True,
    promotes=_promote,
    infer=_attention_infer,
    formula=(
        (
            "softmax(past(scale * q @ T(k) + mask)) @ v if causal else "
            "softmax(scale * q @ T(k) + mask) @ v"
        ),
        "scale * flow(g, v) @ k",
        "scale * T(flow(g, v)) @ q",
        "T(weights(q, k)) @ g",
        "weights(q, k) * (g @ T(v) - sum(g * y))",
    ),
)
def _attention(q, k, v, mask, /, *, scale, causal, learned):
    """Attention; two numbers a row come along, from which backward makes the weights again.

    `learned`: the mask has a gradient.
    """
    return kernels.attention(q, k, v, mask, scale=scale, causal=causal)


_attention.op.samples = lambda draw: [
    (
        (draw((2, 2, 3, 2)), draw((2, 2, 4, 2)), draw((2, 2, 4, 3)), None),
        {"scale": 0.7, "causal": False, "learned": False},
    ),
    (
        (draw((2, 1, 3, 2)), draw((4, 2)), draw((2, 4, 1)), draw((3, 4))),
        {"scale": -0.5, "causal": True, "learned": True},
    ),
    (
        (draw((3, 2)), draw((3, 2)), draw((3, 2)), np.array([[True], [False], [True]])),
        {"scale": 1.0, "causal": False, "learned": False},
    ),
]


# --- Several heads in one array -------------------------------------------------------------------


def heads_of(x: Any, heads: int, rows: int) -> Any:
    """(A, B, heads * D), with the sequence along dimension `rows`, as (batch, heads, L, D)."""
    split = _reshape(x, shape=(*x.shape[:2], heads, x.shape[2] // heads))
    return _permute(split, dims=(1 - rows, 2, rows, 3))


def from_heads(x: Any, rows: int) -> Any:
    """Undo `heads_of`."""
    n, heads, length, size = x.shape
    order = (2, 0, 1, 3) if rows == 0 else (0, 2, 1, 3)
    shape = (length, n, heads * size) if rows == 0 else (n, length, heads * size)
    return _reshape(_permute(x, dims=order), shape=shape)


def _self_attention_rule(g, stats, qkv, mask, *, heads, rows, scale, causal):
    if stats is not None:
        found = kernels.self_attention_backward(
            g, qkv, mask, stats, heads=heads, rows=rows, scale=scale, causal=causal
        )
        return found, None
    size = qkv.shape[2] // 3
    q, k, v = (heads_of(qkv[..., i * size : (i + 1) * size], heads, rows) for i in range(3))
    *found, _ = _by_ops(heads_of(g, heads, rows), q, k, v, mask, scale, causal)
    return cat([from_heads(part, rows) for part in found], 2), None


@structured(
    joint=_self_attention_rule,
    saves="qkv mask",
    aside=True,
    promotes=_promote,
    infer=lambda qkv, mask, **_: Spec((*qkv.shape[:2], qkv.shape[2] // 3), _floats(qkv, mask)),
    formula=(
        (
            "heads(softmax(past(scale * queries(qkv) @ T(keys(qkv)) + mask)) @ values(qkv)) "
            "if causal else "
            "heads(softmax(scale * queries(qkv) @ T(keys(qkv)) + mask) @ values(qkv))"
        ),
        (
            "heads(cat(scale * flow(g, qkv) @ keys(qkv), scale * T(flow(g, qkv)) @ queries(qkv), "
            "T(weights(qkv)) @ g))"
        ),
        None,
    ),
)
def _self_attention(qkv, mask, /, *, heads, rows, scale, causal):
    """Attention of several heads, queries, keys and values side by side; `mask` is constant.

    qkv is (N, L, 3 * E), or (L, N, 3 * E) for rows = 0, and the result like one third of it: the
    gradient comes in one piece, and nothing is copied on the way.
    """
    return kernels.self_attention(qkv, mask, heads=heads, rows=rows, scale=scale, causal=causal)


_self_attention.op.samples = lambda draw: [
    ((draw((2, 3, 12)), None), {"heads": 2, "rows": 1, "scale": 0.7, "causal": False}),
    (
        (draw((3, 2, 6)), np.array([[[[True, False, True]]], [[[False, False, False]]]])),
        {"heads": 1, "rows": 0, "scale": 0.4, "causal": False},
    ),
    ((draw((2, 3, 6)), None), {"heads": 2, "rows": 1, "scale": 0.7, "causal": True}),
]


# --- What users call ------------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """Averages of values, weighted by how well their keys fit each query.

    ::

        softmax(query @ key.T * scale + mask) @ value

    Vaswani et al. 2017, "Attention is all you need". The weights are not kept for backward, unless
    there is dropout. A query that may attend to nothing gives 0.

    Parameters
    ----------
    query : Tensor, (..., L, E)
    key : Tensor, (..., S, E)
    value : Tensor, (..., S, D)
        Leading dimensions broadcast together.
    attn_mask : Tensor, optional
        Broadcasts to (..., L, S). Of bools: true where a query may attend to a key; of numbers:
        added to the scores. A mask of numbers may require a gradient.
    dropout_p : float
        Probability with which a weight becomes 0 (and the rest grow by ``1 / (1 - dropout_p)``):
        here too in evaluation, so give 0 there.
    is_causal : bool
        A query attends to no key behind it: j <= i, counted from the first of both. Together with
        a mask both hold.
    scale : float, optional
        Default: ``1 / sqrt(E)``.
    enable_gqa : bool
        Let each head (the third dimension from the end) of key and value serve as many heads of
        query as there are more of those.
    generator : Generator, optional
        Source of the dropout; default the one that `autograd.manual_seed` seeds.

    Returns
    -------
    Tensor, (..., L, D)

    Raises
    ------
    ValueError
        If shapes do not fit, or `dropout_p` is no probability.
    TypeError
        If operands are not of one float type, or a mask is neither of bools nor of floats no wider
        than that.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.attention import scaled_dot_product_attention
    >>> query, value = autograd.zeros(1, 2), autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> scaled_dot_product_attention(query, autograd.ones(2, 2), value)
    tensor([[2., 3.]])
    >>> mask = autograd.tensor([[True, False]])
    >>> scaled_dot_product_attention(query, autograd.ones(2, 2), value, mask)
    tensor([[1., 2.]])
    """
    who = "scaled_dot_product_attention"
    if not 0.0 <= dropout_p <= 1.0:
        raise ValueError(f"{who}: dropout_p must be from 0 to 1, not {dropout_p}")
    q, k, v = (shape_of(x, who) for x in (query, key, value))
    shapes = f"query {q}, key {k} and value {v}"
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ValueError(f"{who}: expected (..., L, E), (..., S, E) and (..., S, D), met {shapes}")
    kinds = {np.dtype(x.dtype) for x in (query, key, value)}
    if len(kinds) > 1 or next(iter(kinds)).kind != "f":
        raise TypeError(
            f"{who}: query, key and value must be of one float type, met {query.dtype}, "
            f"{key.dtype} and {value.dtype}"
        )
    if enable_gqa:
        key, value = (_for_heads_of(query, x, shapes) for x in (key, value))
    batch = q[:-2]
    try:
        if not batch == key.shape[:-2] == value.shape[:-2]:  # the quick answer first
            batch = np.broadcast_shapes(batch, key.shape[:-2], value.shape[:-2])
    except ValueError:
        raise ValueError(
            f"{who}: the leading dimensions of {shapes} do not broadcast together"
        ) from None
    if attn_mask is not None:
        _check_mask(attn_mask, (*batch, q[-2], k[-2]), next(iter(kinds)))
    if scale is None:
        scale = 1.0 / math.sqrt(q[-1]) if q[-1] else 1.0
    scale, causal = float(scale), bool(is_causal)
    if dropout_p:
        p = weights_of(scores(query, key, attn_mask, scale, causal), attn_mask is not None)
        return _matmul(dropout(p, dropout_p, generator=generator), value)
    learned = isinstance(attn_mask, Variable) and attn_mask.requires_grad
    return _attention(query, key, value, attn_mask, scale=scale, causal=causal, learned=learned)


def _check_mask(mask: Any, full: tuple[int, ...], dtype: Any) -> None:
    """Raise unless a mask broadcasts to `full` and can be added to scores of this type."""
    shape, kind = shape_of(mask, "attn_mask"), np.dtype(mask.dtype)
    fits = 2 <= len(shape) <= len(full)
    if not fits or any(n not in (1, m) for n, m in zip(shape[::-1], full[::-1], strict=False)):
        raise ValueError(
            f"scaled_dot_product_attention: attn_mask must broadcast to {full}, met {shape}"
        )
    if kind.kind not in "bf" or (kind.kind == "f" and np.promote_types(kind, dtype) != dtype):
        raise TypeError(
            f"scaled_dot_product_attention: attn_mask must be of bool or {dtype}, not {kind}"
        )


def _for_heads_of(query: Any, x: Any, shapes: str) -> Any:
    """Keys or values with each head repeated for the heads of `query` that it serves."""
    if min(len(query.shape), len(x.shape)) < 3 or (
        not x.shape[-3] or query.shape[-3] % x.shape[-3]
    ):
        raise ValueError(
            "scaled_dot_product_attention: with enable_gqa the number of heads (dimension -3) of "
            f"key and value must divide that of query, met {shapes}"
        )
    *batch, heads, size, width = x.shape
    times = query.shape[-3] // heads
    if times == 1:
        return x
    apart = _expand(
        _reshape(x, shape=(*batch, heads, 1, size, width)),
        shape=(*batch, heads, times, size, width),
    )
    return _reshape(apart, shape=(*batch, heads * times, size, width))
