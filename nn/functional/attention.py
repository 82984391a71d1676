"""Attention of several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import cat, linear, mean, softmax
from autograd.families import shape_of
from autograd.graph import Variable
from autograd.ops.arithmetic import where
from autograd.ops.attention import (
    NEVER,
    _self_attention,
    from_heads,
    heads_of,
    scaled_dot_product_attention,
    scores,
)
from autograd.ops.shape import _expand, _reshape, unsqueeze

from .dropout import dropout

WHO = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """
    Attention of several heads, each of which sees its own projection of queries, keys and values.

    ::

        head_i = softmax(q_i @ k_i.T / sqrt(E / heads) + mask) @ v_i
        y = concatenation of all heads @ out_proj_weight.T + out_proj_bias

    with ``q_i, k_i, v_i`` the i-th parts of ``query @ Wq.T + bq``, ``key @ Wk.T + bk`` and
    ``value @ Wv.T + bv``. Vaswani et al. 2017, "Attention is all you need".

    Parameters
    ----------
    query : Tensor, (L, N, E), or (L, E) without a batch
    key : Tensor, (S, N, Ek), or (S, Ek)
    value : Tensor, (S, N, Ev), or (S, Ev)
    embed_dim_to_check : int
        E.
    num_heads : int
        Divides E.
    in_proj_weight : Tensor, (3 * E, E), or None
        Wq, Wk and Wv, one below the other.
    in_proj_bias : Tensor, (3 * E,), or None
    bias_k, bias_v : Tensor, (1, 1, E), or None
        One more key, and its value, for every sequence.
    add_zero_attn : bool
        Add one more key and value of zeros.
    dropout_p : float
        Probability with which a weight becomes 0, in training.
    out_proj_weight : Tensor, (E, E)
    out_proj_bias : Tensor, (E,), or None
    training : bool, default True
    key_padding_mask : Tensor, (N, S), or (S,), optional
        Of bools: true for keys to be ignored; of numbers: added to the scores.
    need_weights : bool, default True
        Return the weights too, which takes the memory that the other way spares.
    attn_mask : Tensor, (L, S) or (N * num_heads, L, S), optional
        Of bools: true where a query must not attend; of numbers: added to the scores.
    use_separate_proj_weight : bool, default False
        Take the next three instead of `in_proj_weight`.
    q_proj_weight, k_proj_weight, v_proj_weight : Tensor, (E, E), (E, Ek) and (E, Ev)
    static_k, static_v : Tensor, (N * num_heads, S, E / num_heads), optional
        Keys and values as they are, instead of projections.
    average_attn_weights : bool, default True
        Return the mean of the weights of all heads.
    is_causal : bool, default False
        Say that `attn_mask` forbids the keys behind each query and nothing else. Without weights
        and padding it is not read then.
    batch_first : bool, default False
        Beyond PyTorch: query, key, value and result have their first two dimensions swapped.

    Returns
    -------
    y : Tensor, shaped like query
    weights : Tensor or None
        (N, L, S), or (N, num_heads, L, S) if not averaged; both without N if query is.

    Raises
    ------
    ValueError
        If shapes or arguments do not fit together.
    TypeError
        If a mask is neither of bools nor of floats, or of wider ones than query.
    RuntimeError
        If `is_causal` comes without `attn_mask`.

    Examples
    --------
    >>> import autograd
    >>> import nn.functional as F
    >>> x = autograd.ones(3, 1, 2)
    >>> weight, out = autograd.ones(6, 2), autograd.eye(2)
    >>> y, weights = F.multi_head_attention_forward(
    ...     x, x, x, 2, 1, weight, None, None, None, False, 0.0, out, None
    ... )
    >>> y[0], weights.shape
    (tensor([[2., 2.]]), (1, 3, 3))
    """
    batched = _check(query, key, value, key_padding_mask, attn_mask, num_heads)
    same = query is key and key is value
    rows = 1 if batch_first and batched else 0
    if not batched:
        query, key, value = (unsqueeze(x, 1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = unsqueeze(key_padding_mask, 0)
    n, length, size = query.shape[1 - rows], query.shape[rows], key.shape[rows]
    embed = query.shape[2]
    if embed != embed_dim_to_check or num_heads < 1 or embed % num_heads:
        raise ValueError(
            f"{WHO}: query must have {embed_dim_to_check} features, a multiple of "
            f"num_heads={num_heads}, met {query.shape}"
        )
    fit = key.shape[:2] == value.shape[:2] if use_separate_proj_weight else key.shape == value.shape
    if not fit or key.shape[1 - rows] != n:
        raise ValueError(
            f"{WHO}: query {query.shape}, key {key.shape} and value {value.shape} must have the "
            "same number of sequences, and key and value be of one length (and, with one weight "
            "for all, of one shape)"
        )
    if (bias_k is None) != (bias_v is None):
        raise ValueError(f"{WHO}: bias_k and bias_v must be given together")
    if bias_k is not None and (static_k is not None or static_v is not None):
        raise ValueError(f"{WHO}: bias_k and bias_v cannot be added to static_k and static_v")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            f"{WHO}: is_causal says of what kind attn_mask is, so it needs one, as "
            "Transformer.generate_square_subsequent_mask makes"
        )
    alone = is_causal and key_padding_mask is None and not need_weights
    extra = (bias_k is not None) + bool(add_zero_attn)
    mask = None
    if not alone and attn_mask is not None:
        full = (n, num_heads, length, size)
        mask = _padded(_full_mask(attn_mask, full, query.dtype), extra)
    if key_padding_mask is not None:
        columns = size if static_k is None else static_k.shape[1]
        padding = _padding_mask(key_padding_mask, (n, columns), query.dtype)
        padding = _padded(padding, extra)
        mask = padding if mask is None else mask + padding
    p = dropout_p if training else 0.0
    weights = (
        (q_proj_weight, k_proj_weight, v_proj_weight)
        if use_separate_proj_weight
        else (in_proj_weight,)
    )
    if any(w is None for w in weights):
        raise ValueError(
            f"{WHO}: use_separate_proj_weight={use_separate_proj_weight} needs "
            + ("q_proj_weight, k_proj_weight and v_proj_weight" if len(weights) > 1 else "")
            + ("in_proj_weight" if len(weights) == 1 else "")
        )
    constant = not (isinstance(mask, Variable) and mask.requires_grad)
    plain = static_k is None and static_v is None and not extra and not need_weights and not p
    if same and plain and constant and len(weights) == 1:
        y = _self_attention(
            linear(query, in_proj_weight, in_proj_bias),
            mask,
            heads=num_heads,
            rows=rows,
            scale=1.0 / math.sqrt(embed // num_heads),
            causal=alone,
        )
        y = linear(y, out_proj_weight, out_proj_bias)
        return (y if batched else _reshape(y, shape=(length, embed))), None
    q, k, v = _projected(query, key, value, weights, in_proj_bias, same)
    if bias_k is not None:
        one = (1, n, embed) if rows == 0 else (n, 1, embed)
        k, v = (cat([x, _expand(b, shape=one)], rows) for x, b in ((k, bias_k), (v, bias_v)))
    q, k, v = (heads_of(x, num_heads, rows) for x in (q, k, v))
    if static_k is not None:
        k = _static("static_k", static_k, k)
    if static_v is not None:
        v = _static("static_v", static_v, v)
    if add_zero_attn:
        zeros = np.zeros((n, num_heads, 1, embed // num_heads), k.dtype)
        k, v = cat([k, zeros], 2), cat([v, zeros], 2)
    shown = None
    if need_weights:
        shown = softmax(scores(q, k, mask, 1.0 / math.sqrt(q.shape[-1]), False), -1)
        shown = dropout(shown, p)
        y = shown @ v
        shown = mean(shown, 1) if average_attn_weights else shown
        shown = shown if batched else _reshape(shown, shape=shown.shape[1:])
    else:
        y = scaled_dot_product_attention(q, k, v, mask, p, alone)
    y = linear(from_heads(y, rows), out_proj_weight, out_proj_bias)
    return (y if batched else _reshape(y, shape=(length, embed))), shown


def _check(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Check numbers of dimensions; return whether there is a batch."""
    q, k, v = (shape_of(x, WHO) for x in (query, key, value))
    if len(q) not in (2, 3) or len(k) != len(q) or len(v) != len(q):
        raise ValueError(
            f"{WHO}: query, key and value must all be 3-d, or 2-d without a batch, met {q}, {k} "
            f"and {v}"
        )
    for name, m, dims in (
        ("key_padding_mask", padding, (len(q) - 1,)),
        ("attn_mask", mask, (2, 3)),
    ):
        if m is None:
            continue
        if np.dtype(m.dtype).kind not in "bf":
            raise TypeError(f"{WHO}: {name} must be of bools or floats, not {m.dtype}")
        if len(shape_of(m, WHO)) not in dims:
            wanted = " or ".join(f"{d}-d" for d in dims)
            raise ValueError(f"{WHO}: {name} must be {wanted} here, met {m.shape}")
    if len(q) == 2 and mask is not None and len(mask.shape) == 3:
        wanted = (heads, q[0], k[0])
        if mask.shape != wanted:
            raise ValueError(f"{WHO}: attn_mask must have shape {wanted}, met {mask.shape}")
    return len(q) == 3


def _forbidden(name: str, mask: Any, dtype: Any) -> Any:
    """A mask as numbers to add: -inf where a mask of bools is true."""
    if np.dtype(mask.dtype).kind != "b":
        if np.promote_types(mask.dtype, dtype) != dtype:  # it would make the result as wide
            raise TypeError(f"{WHO}: {name} must be of bool or {dtype}, not {mask.dtype}")
        return mask
    return where(mask, np.array(NEVER, dtype), np.array(0.0, dtype))


def _full_mask(mask: Any, full: tuple[int, ...], dtype: Any) -> Any:
    """A mask for scores of shape `full`, (N, heads, L, S)."""
    n, heads, *rest = full
    wanted = tuple(rest) if len(mask.shape) == 2 else (n * heads, *rest)
    if mask.shape != wanted:
        raise ValueError(f"{WHO}: attn_mask must have shape {wanted} here, met {mask.shape}")
    shape = (1, 1, *rest) if len(mask.shape) == 2 else full
    return _reshape(_forbidden("attn_mask", mask, dtype), shape=shape)


def _padding_mask(mask: Any, wanted: tuple[int, int], dtype: Any) -> Any:
    if mask.shape != wanted:
        raise ValueError(f"{WHO}: key_padding_mask must have shape {wanted}, met {mask.shape}")
    mask = _forbidden("key_padding_mask", mask, dtype)
    return _reshape(mask, shape=(wanted[0], 1, 1, wanted[1]))


def _padded(mask: Any, extra: int) -> Any:
    """A mask that allows as many more keys."""
    return cat([mask, np.zeros((*mask.shape[:-1], extra), mask.dtype)], 3) if extra else mask


def _projected(query: Any, key: Any, value: Any, weights: Any, bias: Any, same: bool) -> list[Any]:
    """Projections of queries, keys and values for all heads."""
    size = query.shape[2]
    if same and len(weights) == 1:
        together = linear(query, weights[0], bias)
        return [together[..., i * size : (i + 1) * size] for i in range(3)]
    if len(weights) == 1:
        weights = [weights[0][i * size : (i + 1) * size] for i in range(3)]
    biases = [None if bias is None else bias[i * size : (i + 1) * size] for i in range(3)]
    inputs = (query, key, value)
    return [linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]


def _static(name: str, given: Any, heads: Any) -> Any:
    """Keys or values that were given: (N * heads, S, D) for all heads."""
    n, count, _, size = heads.shape
    shape = shape_of(given, WHO)
    if len(shape) != 3 or shape[0] != n * count or shape[2] != size:
        raise ValueError(f"{WHO}: {name} must be ({n * count}, S, {size}), met {shape}")
    return _reshape(given, shape=(n, count, shape[1], size))
