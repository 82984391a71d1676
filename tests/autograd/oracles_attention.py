"""Oracles of attention: one query at a time, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd.ops.attention  # noqa: F401 - only `nn` imports it, and the op table is to have it


def attended(q, k, v, mask, *, scale, causal, learned=False):
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (q, k, v))
    if mask is not None:
        mask = np.broadcast_to(mask, (*batch, q.shape[-2], k.shape[-2]))
    y = np.zeros((*batch, q.shape[-2], v.shape[-1]))
    for *place, i in np.ndindex(*y.shape[:-1]):
        allowed = {}
        for j in range(i + 1 if causal else k.shape[-2]):
            added = 0.0 if mask is None else mask[*place, i, j]
            if added is not np.False_:
                added = 0.0 if added is np.True_ else float(added)
                score = math.fsum(a * b for a, b in zip(q[*place, i], k[*place, j], strict=True))
                allowed[j] = math.exp(scale * score + added)
        for j, weight in allowed.items():
            y[*place, i] += weight / math.fsum(allowed.values()) * v[*place, j]
    return y


def self_attended(qkv, mask, *, heads, rows, scale, causal):
    x = qkv if rows == 1 else np.swapaxes(qkv, 0, 1)
    width = x.shape[2] // 3
    size = width // heads
    y = np.zeros((*x.shape[:2], width))
    for n, h in np.ndindex(len(x), heads):
        q, k, v = (x[n, :, i * width + h * size :][:, :size] for i in range(3))
        full = (len(x), heads, x.shape[1], x.shape[1])
        own = None if mask is None else np.broadcast_to(mask, full)[n, h]
        y[n, :, h * size : (h + 1) * size] = attended(q, k, v, own, scale=scale, causal=causal)
    return y if rows == 1 else np.swapaxes(y, 0, 1)


ORACLES: dict[str, Callable[..., Any]] = {
    "attention": attended,
    "self_attention": self_attended,
}
