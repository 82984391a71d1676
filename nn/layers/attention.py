"""Attention of several heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from .. import init
from ..module import Module, Parameter, factory
from .linear import Linear


class MultiheadAttention(Module):
    """
    Attention of several heads: each looks with its own projection, and all are put together.

    ::

        head_i = softmax(q_i @ k_i.T / sqrt(embed_dim / num_heads) + mask) @ v_i
        y = out_proj(concatenation of all heads)

    Vaswani et al. 2017, "Attention is all you need".

    Parameters
    ----------
    embed_dim : int
        E, the number of features of queries and results.
    num_heads : int
        Divides `embed_dim`.
    dropout : float, default 0.0
        Probability with which a weight becomes 0 in training.
    bias : bool, default True
        Add biases in all projections.
    add_bias_kv : bool, default False
        Learn one more key, and its value, for every sequence.
    add_zero_attn : bool, default False
        Add one more key and value of zeros.
    kdim, vdim : int, optional
        Features of keys and of values; `embed_dim` if not given.
    batch_first : bool, default False
        Batches are (N, L, E), not (L, N, E).
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    in_proj_weight : Parameter, (3 * E, E), or None
        The projections of queries, keys and values, one below the other, from Xavier's uniform
        distribution. None if `kdim` or `vdim` is another than E.
    q_proj_weight, k_proj_weight, v_proj_weight : Parameter, or None
        (E, E), (E, kdim) and (E, vdim), in that case.
    in_proj_bias : Parameter, (3 * E,), or None
        Starts at 0, as the bias of `out_proj`.
    out_proj : Linear
    bias_k, bias_v : Parameter, (1, 1, E), or None
        From Xavier's normal distribution.

    Raises
    ------
    ValueError
        If a size is not positive, or `num_heads` does not divide `embed_dim`.

    Examples
    --------
    A few steps towards sequences turned around:

    >>> import autograd, nn, optim
    >>> _ = autograd.manual_seed(0)
    >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = autograd.randn(4, 5, 8)
    >>> optimizer = optim.Adam(attention.parameters(), lr=0.01)
    >>> losses = []
    >>> for _ in range(20):
    ...     y, weights = attention(x, x, x)
    ...     loss = ((y - x.flip(1)) ** 2).mean()
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     losses.append(loss.item())
    >>> losses[-1] < 0.9 * losses[0]
    True
    >>> weights.shape
    (4, 5, 5)
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("MultiheadAttention", device, dtype)
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: num_heads must divide embed_dim, both positive, met "
                f"embed_dim={embed_dim} and num_heads={num_heads}"
            )
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"MultiheadAttention: dropout must be from 0 to 1, not {dropout}")
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        packed = self.kdim == embed_dim == self.vdim
        shapes: dict[str, tuple[int, ...] | None] = {
            "q_proj_weight": None if packed else (embed_dim, embed_dim),
            "k_proj_weight": None if packed else (embed_dim, self.kdim),
            "v_proj_weight": None if packed else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if packed else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            values = None if shape is None else Parameter(np.empty(shape, dtype))
            self.register_parameter(name, values)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw new initial values, but for the weight of `out_proj`."""
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """
        Attend from queries to keys; returns the results, and the weights or None.

        Parameters
        ----------
        query, key, value : Tensor
            (L, N, E), (S, N, kdim) and (S, N, vdim), or with `batch_first` (N, L, E) and so on; all
            without N for one sequence.
        key_padding_mask : Tensor, (N, S), optional
            Of bools: true for keys to be ignored; of numbers: added to the scores.
        need_weights : bool, default True
            False is faster, and takes less memory.
        attn_mask : Tensor, (L, S) or (N * num_heads, L, S), optional
            Of bools: true where a query must not attend; of numbers: added to the scores.
        average_attn_weights : bool, default True
            The weights are (N, L, S), the mean of all heads; else (N, num_heads, L, S).
        is_causal : bool, default False
            Say that `attn_mask` is the causal one.
        """
        return F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )
