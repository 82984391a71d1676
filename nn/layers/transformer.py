"""The Transformer: stacks of layers as encoder and decoder, and both together."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from autograd import Tensor, relu
from autograd.families import shape_of
from autograd.graph import Variable
from autograd.ops.attention import causal_mask

from .. import init
from ..module import Module, factory
from .containers import ModuleList
from .norm import LayerNorm
from .transformer_layers import Activation, TransformerDecoderLayer, TransformerEncoderLayer


class _Stack(Module):
    """Copies of one layer, and a norm after the last."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        if num_layers < 0:
            raise ValueError(f"{type(self).__name__}: num_layers must not be {num_layers}")
        self.layers = ModuleList(copy.deepcopy(layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def _through(self, x: Any, *rest: Any, **masks: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *rest, **masks)
        return x if self.norm is None else self.norm(x)


def _is_causal(mask: Any, hint: bool | None) -> bool:
    """Whether a mask is the causal one: as said, else by its values, where it has any."""
    if hint is not None or mask is None:
        return bool(hint)
    values = mask.value if isinstance(mask, Variable) else mask
    length = len(values) if getattr(values, "ndim", 0) == 2 else -1
    if not isinstance(values, np.ndarray) or values.shape != (length, length):
        return False
    if getattr(mask, "requires_grad", False):
        return False
    causal = causal_mask(length, length, np.float32)
    return bool(np.array_equal(values, causal < 0 if values.dtype.kind == "b" else causal))


class TransformerEncoder(_Stack):
    """
    A stack of encoder layers.

    Parameters
    ----------
    encoder_layer : Module
        Copied `num_layers` times: all copies start from the same values.
    num_layers : int
    norm : Module, optional
        Applied to the result.
    enable_nested_tensor, mask_check : bool, default True
        Accepted: there are no nested tensors here.

    Raises
    ------
    ValueError
        If `num_layers` is negative.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16)
    >>> encoder = nn.TransformerEncoder(layer, num_layers=2)
    >>> encoder(autograd.randn(5, 4, 8)).shape
    (5, 4, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Any:
        """
        Pass sequences through all layers.

        Parameters
        ----------
        src : Tensor
            As the layers take it.
        mask, src_key_padding_mask : Tensor, optional
            For every layer.
        is_causal : bool, optional
            Whether `mask` is the causal one; by default it is looked at.
        """
        return self._through(
            src,
            src_mask=mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=_is_causal(mask, is_causal),
        )


class TransformerDecoder(_Stack):
    """
    A stack of decoder layers.

    Parameters
    ----------
    decoder_layer : Module
        Copied `num_layers` times: all copies start from the same values.
    num_layers : int
    norm : Module, optional
        Applied to the result.

    Raises
    ------
    ValueError
        If `num_layers` is negative.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16)
    >>> decoder = nn.TransformerDecoder(layer, num_layers=2)
    >>> decoder(autograd.randn(3, 4, 8), autograd.randn(5, 4, 8)).shape
    (3, 4, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """
        Pass sequences through all layers, each of which sees `memory`.

        Parameters
        ----------
        tgt, memory : Tensor
            As the layers take them.
        tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask : Tensor, optional
            For every layer.
        tgt_is_causal : bool, optional
            Whether `tgt_mask` is the causal one; by default it is looked at.
        memory_is_causal : bool, default False
        """
        return self._through(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=_is_causal(tgt_mask, tgt_is_causal),
            memory_is_causal=memory_is_causal,
        )


class Transformer(Module):
    """
    Encoder and decoder together, as for translation.

    Vaswani et al. 2017, "Attention is all you need". Embeddings and positions come before it, and
    scores for words after it.

    Parameters
    ----------
    d_model : int, default 512
    nhead : int, default 8
    num_encoder_layers, num_decoder_layers : int, default 6
    dim_feedforward : int, default 2048
    dropout : float, default 0.1
    activation : {"relu", "gelu"} or callable, default relu
    custom_encoder, custom_decoder : Module, optional
        Used instead of those made from the other arguments.
    layer_norm_eps : float, default 1e-5
    batch_first, norm_first : bool, default False
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        All as in `TransformerEncoderLayer`; all matrices start from Xavier's uniform distribution.

    Raises
    ------
    ValueError
        If sizes do not fit.
    RuntimeError
        In the call, if source and target differ in batch or features.

    Examples
    --------
    >>> import autograd, nn
    >>> model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> mask = nn.Transformer.generate_square_subsequent_mask(3)
    >>> model(autograd.randn(4, 5, 8), autograd.randn(4, 3, 8), tgt_mask=mask).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("Transformer", device, dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        def layer(kind: Any) -> Any:
            return kind(
                d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                norm_first, bias, None, dtype,
            )  # fmt: skip

        if custom_encoder is None:
            layers = layer(TransformerEncoderLayer)
            custom_encoder = TransformerEncoder(layers, num_encoder_layers, norm())
        if custom_decoder is None:
            layers = layer(TransformerDecoderLayer)
            custom_decoder = TransformerDecoder(layers, num_decoder_layers, norm())
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw new matrices."""
        for parameter in self.parameters():
            if len(parameter.shape) > 1:
                init.xavier_uniform_(parameter)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """
        Make the causal mask: -inf where a key lies behind its query, else 0.

        Parameters
        ----------
        sz : int
        device : None or "cpu"
        dtype : dtype, optional

        Examples
        --------
        >>> Transformer.generate_square_subsequent_mask(3)
        tensor([[0., -inf, -inf],
                [0., 0., -inf],
                [0., 0., 0.]])
        """
        return Tensor(causal_mask(sz, sz, factory("Transformer", device, dtype)))

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """
        Encode `src`, and decode `tgt` with it; masks and hints as in encoder and decoder.

        Parameters
        ----------
        src : Tensor, (S, N, E), or (N, S, E) with `batch_first`, or (S, E)
        tgt : Tensor, (T, N, E), or (N, T, E) with `batch_first`, or (T, E)
        """
        source, target = shape_of(src, "Transformer"), shape_of(tgt, "Transformer")
        batch = 0 if self.batch_first else 1
        if len(source) == 3 and source[batch] != target[batch]:
            raise RuntimeError(
                f"Transformer: src and tgt must have as many sequences, met {source} and {target}"
            )
        if source[-1] != self.d_model or target[-1] != self.d_model:
            raise RuntimeError(
                f"Transformer: src and tgt must have {self.d_model} features, met {source} and "
                f"{target}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
