"""Layers of the Transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import relu

from .. import functional as F
from ..module import Module, factory
from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .norm import LayerNorm

Activation = str | Callable[[Any], Any]


def _activation_of(who: str, activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(
            f"{who}: activation must be 'relu', 'gelu' or a callable, not {activation!r}"
        )
    return F.relu if activation == "relu" else F.gelu


class _Layer(Module):
    """What encoder and decoder layers share: self-attention, a feed-forward net, residual sums.

    Each block is ``norm(x + block(x))``, or ``x + block(norm(x))`` with `norm_first`; the i-th one
    has ``norm<i>`` and ``dropout<i>``.
    """

    def __init__(
        self,
        attentions: tuple[str, ...],
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        dtype = factory(type(self).__name__, device, dtype)
        function = _activation_of(type(self).__name__, activation)
        for name in attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
            )
            self.add_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        blocks = range(1, len(attentions) + 2)
        for i in blocks:
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in blocks:
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = function

    def _with(self, x: Any, norm: Module, block: Callable[[Any], Any]) -> Any:
        """A block with its residual sum and its norm."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """
    Self-attention, then a feed-forward net, each with a residual sum and a layer norm.

    ::

        x = norm1(x + dropout1(self_attn(x, x, x)))
        x = norm2(x + dropout2(linear2(dropout(activation(linear1(x))))))

    Vaswani et al. 2017, "Attention is all you need". With `norm_first` each norm stands before its
    block: ``x = x + dropout1(self_attn(norm1(x)))`` and so on (Xiong et al. 2020, "On layer
    normalization in the Transformer architecture").

    Parameters
    ----------
    d_model : int
        Number of features, E.
    nhead : int
        Number of heads; divides `d_model`.
    dim_feedforward : int, default 2048
        Features between `linear1` and `linear2`.
    dropout : float, default 0.1
        Of the weights of attention too.
    activation : {"relu", "gelu"} or callable, default relu
    layer_norm_eps : float, default 1e-5
    batch_first : bool, default False
        Batches are (N, S, E), not (S, N, E).
    norm_first : bool, default False
    bias : bool, default True
        Of all projections, linear layers and norms.
    device : None or "cpu"
    dtype : dtype, optional

    Raises
    ------
    ValueError
        If sizes do not fit.
    RuntimeError
        If `activation` is another word.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(autograd.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
            batch_first, norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """
        Encode sequences (S, N, E), or (N, S, E) with `batch_first`, or one sequence (S, E).

        Parameters
        ----------
        src : Tensor
        src_mask, src_key_padding_mask : Tensor, optional
            As `attn_mask` and `key_padding_mask` of `MultiheadAttention`.
        is_causal : bool, default False
            Say that `src_mask` is the causal one.
        """

        def attend(x: Any) -> Any:
            y, _ = self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )
            return self.dropout1(y)

        x = self._with(src, self.norm1, attend)
        return self._with(x, self.norm2, lambda x: self.dropout2(self._feed_forward(x)))


class TransformerDecoderLayer(_Layer):
    """
    Self-attention, attention to what an encoder made, then a feed-forward net.

    ::

        x = norm1(x + dropout1(self_attn(x, x, x)))
        x = norm2(x + dropout2(multihead_attn(x, memory, memory)))
        x = norm3(x + dropout3(linear2(dropout(activation(linear1(x))))))

    Parameters and errors as in `TransformerEncoderLayer`. Vaswani et al. 2017, "Attention is all
    you need".

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(autograd.randn(4, 3, 8), autograd.randn(4, 5, 8)).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, activation,
            layer_norm_eps, batch_first, norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """
        Decode sequences (T, N, E), or (N, T, E) with `batch_first`, with `memory` (S, N, E).

        Parameters
        ----------
        tgt, memory : Tensor
        tgt_mask, tgt_key_padding_mask : Tensor, optional
            As `attn_mask` and `key_padding_mask` of `MultiheadAttention`, for the self-attention.
        memory_mask, memory_key_padding_mask : Tensor, optional
            The same for the attention to `memory`.
        tgt_is_causal, memory_is_causal : bool, default False
            Say that a mask is the causal one.
        """

        def attend(x: Any) -> Any:
            y, _ = self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )
            return self.dropout1(y)

        def remember(x: Any) -> Any:
            y, _ = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal,
            )  # fmt: skip
            return self.dropout2(y)

        x = self._with(tgt, self.norm1, attend)
        x = self._with(x, self.norm2, remember)
        return self._with(x, self.norm3, lambda x: self.dropout3(self._feed_forward(x)))
