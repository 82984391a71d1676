"""Attention of several heads, and the Transformer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.nn.cases import Case, Fixed, drawn


def with_itself(library: Any, module: Any, x: Any, **options: Any) -> Any:
    """Queries, keys and values are one tensor."""
    return module(x, x, x, **options)


def keys_are_values(library: Any, module: Any, x: Any, memory: Any, **options: Any) -> Any:
    return module(x, memory, memory, **options)


def made(name: str, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """Make a Transformer without PyTorch's remarks on nested tensors."""

    def build(nn: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "enable_nested_tensor is True", UserWarning)
            return getattr(nn, name)(*args, **kwargs)

    return build


def stack(name: str, layer: dict[str, Any], norm: bool = False) -> Callable[[Any], Any]:
    """Make an encoder or a decoder of two layers."""

    def build(nn: Any) -> Any:
        layers = getattr(nn, f"{name}Layer")(4, 2, 6, dropout=0.0, **layer)
        after = nn.LayerNorm(4) if norm else None
        options = {"enable_nested_tensor": False} if name == "TransformerEncoder" else {}
        return getattr(nn, name)(layers, 2, after, **options)

    return build


def activated(name: str) -> Callable[[Any], Any]:
    """Make an encoder layer whose activation is a module."""
    return lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0, getattr(nn, name)())


BEHIND = np.triu(np.ones((3, 3), bool), 1)
CAUSAL = Fixed(np.where(BEHIND, -np.inf, 0.0))
PADDING = np.array([[False, False, True], [False, True, True]])  # (N, S)
OTHER = np.array([[False, False, True, False, True], [True, False, False, False, False]])
X, Q, K, V = drawn(3, 2, 4), drawn(3, 2, 4, seed=1), drawn(5, 2, 6), drawn(5, 2, 7)
MEMORY = drawn(5, 2, 4)
QUICK = {"need_weights": False}

CASES = [
    # With queries, keys and values of their own.
    Case("MultiheadAttention", (4, 2), call=(Q, MEMORY, drawn(5, 2, 4, seed=2))),
    Case("MultiheadAttention", (4, 2), {"kdim": 6, "vdim": 7}, call=(Q, K, V)),
    Case("MultiheadAttention", (4, 2), {"vdim": 7, "bias": False}, call=(Q, MEMORY, V)),
    Case(
        "MultiheadAttention",
        (4, 2),
        call=(Q, MEMORY),
        options={"key_padding_mask": OTHER, **QUICK},
        use=keys_are_values,
    ),
    Case(
        "MultiheadAttention",
        (4, 4),
        {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
        call=(drawn(2, 3, 4), drawn(2, 5, 4), drawn(2, 5, 4, seed=3)),
        options={"key_padding_mask": OTHER, "average_attn_weights": False},
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        {"add_zero_attn": True, "bias": False},
        call=(X,),
        options={"attn_mask": BEHIND, **QUICK},
        use=with_itself,
    ),
    # With itself.
    Case("MultiheadAttention", (4, 1), call=(X,), use=with_itself),
    Case("MultiheadAttention", (4, 2), call=(X,), options=QUICK, use=with_itself),
    Case("MultiheadAttention", (4, 2), call=(X[:, 0],), options=QUICK, use=with_itself),
    Case(
        "MultiheadAttention",
        (4, 2),
        {"batch_first": True, "dropout": 0.5},
        call=(drawn(2, 3, 4),),
        options={"attn_mask": CAUSAL, "is_causal": True, **QUICK},
        use=with_itself,
        modes=("eval",),
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        {"batch_first": True},
        call=(drawn(2, 3, 4),),
        options={"attn_mask": BEHIND, "is_causal": True, **QUICK},
        use=with_itself,
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        call=(X,),
        options={"attn_mask": BEHIND, "key_padding_mask": PADDING, "is_causal": True, **QUICK},
        use=with_itself,
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        call=(X,),
        options={"attn_mask": drawn(4, 3, 3), **QUICK},
        use=with_itself,
        note="a mask that learns",
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        call=(X,),
        options={"attn_mask": np.eye(3, dtype=bool), "key_padding_mask": PADDING},
        use=with_itself,
    ),
    Case(
        "MultiheadAttention",
        (4, 2),
        {"batch_first": True},
        call=(X[:, 0],),
        options={"attn_mask": drawn(2, 3, 3), "key_padding_mask": Fixed(drawn(3))},
        use=with_itself,
        note="without a batch",
    ),
    # Layers.
    Case("TransformerEncoderLayer", (4, 2, 6, 0.0), call=(X,)),
    Case("TransformerEncoderLayer", (4, 2, 6), call=(X,), modes=("eval",)),
    Case(
        "TransformerEncoderLayer",
        (4, 2, 6, 0.0, "gelu", 1e-3),
        {"batch_first": True, "norm_first": True},
        call=(drawn(2, 3, 4),),
        options={"src_mask": CAUSAL, "is_causal": True},
    ),
    Case(
        "TransformerEncoderLayer",
        (4, 2, 6, 0.0),
        {"bias": False},
        call=(X,),
        options={"src_mask": BEHIND, "src_key_padding_mask": PADDING},
    ),
    Case(
        "TransformerEncoderLayer", (4, 2, 6, 0.0), call=(X,), build=activated("SiLU"), note="SiLU"
    ),
    Case("TransformerDecoderLayer", (4, 2, 6, 0.0), call=(X, MEMORY)),
    Case(
        "TransformerDecoderLayer",
        (4, 2, 6, 0.0, "gelu"),
        {"norm_first": True, "batch_first": True, "bias": False, "layer_norm_eps": 1e-2},
        call=(drawn(2, 3, 4), drawn(2, 5, 4)),
        options={
            "tgt_mask": BEHIND,
            "tgt_is_causal": True,
            "tgt_key_padding_mask": PADDING,
            "memory_key_padding_mask": OTHER,
            "memory_mask": np.arange(15).reshape(3, 5) % 4 == 2,
        },
    ),
    # Stacks.
    Case("TransformerEncoder", call=(X,), build=stack("TransformerEncoder", {})),
    Case(
        "TransformerEncoder",
        call=(drawn(2, 3, 4),),
        options={"mask": BEHIND, "src_key_padding_mask": PADDING},
        build=stack("TransformerEncoder", {"batch_first": True}, True),
    ),
    Case(
        "TransformerEncoder",
        call=(X,),
        options={"mask": CAUSAL},
        build=stack("TransformerEncoder", {"norm_first": True}, True),
    ),
    Case(
        "TransformerDecoder",
        call=(X, MEMORY),
        options={"tgt_mask": CAUSAL},
        build=stack("TransformerDecoder", {}, True),
    ),
    Case(
        "Transformer",
        call=(drawn(5, 2, 4), X),
        options={"tgt_mask": CAUSAL, "memory_key_padding_mask": OTHER},
        build=made("Transformer", 4, 2, 1, 2, 6, 0.0, "gelu", bias=False),
    ),
    Case(
        "Transformer",
        call=(drawn(2, 5, 4), drawn(2, 3, 4)),
        options={
            "src_key_padding_mask": OTHER,
            "tgt_key_padding_mask": PADDING,
            "src_mask": np.triu(np.ones((5, 5), bool), 1),
            "memory_mask": np.arange(15).reshape(3, 5) % 4 == 2,
            "src_is_causal": True,
        },
        build=made("Transformer", 4, 2, 2, 1, 6, 0.0, batch_first=True, norm_first=True),
    ),
]
