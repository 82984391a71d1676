"""A small Transformer that sorts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor, no_grad, tensor

from ..layers.containers import ModuleList
from ..layers.embedding import Embedding
from ..layers.linear import Linear
from ..layers.norm import LayerNorm
from ..layers.transformer_layers import TransformerEncoderLayer
from ..module import Module

BASE = 10000.0  # Vaswani et al. 2017: the longest wave has 2 pi times as many positions


def sinusoids(length: int, width: int) -> Tensor:
    """
    Positions as waves: what Vaswani et al. 2017 add to embeddings.

    ::

        p[i, 2k]     = sin(i / 10000 ** (2k / width))
        p[i, 2k + 1] = cos(i / 10000 ** (2k / width))

    Parameters
    ----------
    length : int
        Positions.
    width : int
        Features of each, even.

    Returns
    -------
    Tensor, (length, width)

    Raises
    ------
    ValueError
        If `width` is odd.

    Examples
    --------
    >>> sinusoids(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    if width % 2:
        raise ValueError(f"sinusoids: width must be even, a sine and a cosine each, not {width}")
    speed = np.exp(-math.log(BASE) * np.arange(0, width, 2) / width)
    angle = np.arange(length)[:, None] * speed
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(length, width)
    return tensor(waves.astype(np.float32))


class SortingTransformer(Module):
    """
    An encoder of the Transformer that reads a string of digits and writes it sorted.

    All positions of the answer are computed at once: from position i comes a score for each digit,
    and the highest should be that of the i-th smallest digit. So each position must find the digit
    of its rank, wherever it stands; this is what attention is for.

    ======================= =========== ==========
    layer                   output      parameters
    ======================= =========== ==========
    embedding               10 x 32     320
    + sinusoids             10 x 32
    encoder layer 1         10 x 32     8544
      norm, attention                   64 + 4224
      norm, linear 64,                  64 + 2112
      ReLU, linear 32                   2080
    encoder layer 2         10 x 32     8544
    norm                    10 x 32     64
    linear                  10 x 10     330
    ======================= =========== ==========

    17802 parameters altogether. (Numbers for the defaults.)

    Layers and sinusoids are those of Vaswani et al. 2017, "Attention is all you need", with the
    norms before attention and linear layers (Xiong et al. 2020) and without dropout.

    Parameters
    ----------
    symbols : int, default 10
        Number of different digits.
    length : int, default 10
        Of the longest strings.
    width : int, default 32
        Features of each position.
    heads : int, default 1
        Of attention; divides `width`.
    layers : int, default 2
    positions : bool, default True
        Add sinusoids to the embeddings. Without them the network cannot know which position it is
        computing, see the example.

    Raises
    ------
    ValueError
        If a number is below 1, `width` is odd, or `heads` does not divide it; in the call, if the
        input is not (N, L) with L from 1 to `length`.
    IndexError
        In the call, if a digit is not from 0 to ``symbols - 1``.

    Examples
    --------
    >>> import autograd
    >>> model = SortingTransformer()
    >>> model(autograd.tensor([[3, 1, 2, 1]])).shape
    (1, 4, 10)
    >>> [tuple(weights.shape) for weights in model.attention(autograd.tensor([[3, 1, 2, 1]]))]
    [(1, 1, 4, 4), (1, 1, 4, 4)]

    Without positions, an input in another order gives the same output in that order:

    >>> blind = SortingTransformer(positions=False)
    >>> there = blind(autograd.tensor([[3, 1, 2]]))
    >>> back = blind(autograd.tensor([[2, 1, 3]]))
    >>> autograd.allclose(there, back.flip(1), atol=1e-5)
    True
    """

    positions: Tensor | None

    def __init__(
        self,
        symbols: int = 10,
        length: int = 10,
        width: int = 32,
        heads: int = 1,
        layers: int = 2,
        positions: bool = True,
    ) -> None:
        super().__init__()
        if min(symbols, length, width, heads, layers) < 1:
            raise ValueError(
                "SortingTransformer: every number must be at least 1, met "
                f"symbols={symbols}, length={length}, width={width}, heads={heads}, layers={layers}"
            )
        self.symbols = symbols
        self.length = length
        self.embedding = Embedding(symbols, width)
        # Computed, not learned: not worth a place in files of weights.
        self.register_buffer(
            "positions", sinusoids(length, width) if positions else None, persistent=False
        )
        self.layers = ModuleList(
            TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = LayerNorm(width)
        self.scores = Linear(width, symbols)

    def forward(self, strings: Any) -> Any:
        """Map strings (N, L) of ints to scores (N, L, symbols)."""
        x = self._embedded(strings)
        for layer in self.layers:
            x = layer(x)
        return self.scores(self.norm(x))

    def attention(self, strings: Any) -> list[Tensor]:
        """Weights (N, heads, L, L) of each layer: how much each position attends to each other."""
        weights = []
        with no_grad():
            x = self._embedded(strings)
            for layer in self.layers:
                y = layer.norm1(x)
                weights.append(layer.self_attn(y, y, y, average_attn_weights=False)[1])
                x = layer(x)
        return weights

    def _embedded(self, strings: Any) -> Any:
        shape = tuple(strings.shape)
        if len(shape) != 2 or not 1 <= shape[1] <= self.length:
            raise ValueError(
                f"SortingTransformer: expected strings (N, L) of 1 to {self.length} digits, met "
                f"{shape}"
            )
        x = self.embedding(strings)
        return x if self.positions is None else x + self.positions[: shape[1]]
