"""A table of vectors, one for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, embedding

from .. import init
from ..module import Module, Parameter, factory


class Embedding(Module):
    """
    Rows of a table that is learned: vectors for words, characters, classes.

    Parameters
    ----------
    num_embeddings : int
        Rows.
    embedding_dim : int
        Their width.
    padding_idx : int, optional
        A row that stays as it is: zeros at first, without a gradient. Counted from the end if
        negative.
    device : None or "cpu"
    dtype : dtype, optional
        Of the table; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (num_embeddings, embedding_dim)
        Starts from N(0, 1).

    Raises
    ------
    ValueError
        If a size is negative or `padding_idx` is not a row.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Embedding(10, 3)(autograd.tensor([[1, 2], [4, 4]])).shape
    (2, 2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("Embedding", device, dtype)
        if num_embeddings < 0 or embedding_dim < 0:
            raise ValueError(
                f"Embedding: sizes must be at least 0, met num_embeddings={num_embeddings}, "
                f"embedding_dim={embedding_dim}"
            )
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx {padding_idx} is not one of {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """
        Make a layer of a table that there is.

        Parameters
        ----------
        embeddings : Tensor, (rows, width)
            Copied.
        freeze : bool, default True
            Do not learn it.
        padding_idx : int, optional

        Raises
        ------
        ValueError
            If the table is not 2-d.
        """
        table = embeddings.numpy() if isinstance(embeddings, Tensor) else np.asarray(embeddings)
        if table.ndim != 2:
            raise ValueError(f"Embedding: a table has two dimensions, met shape {table.shape}")
        rows, width = table.shape
        layer = cls(rows, width, padding_idx, dtype=table.dtype)
        layer.weight.array()[...] = table
        layer.weight.requires_grad_(not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array()[self.padding_idx] = 0

    def forward(self, input: Any) -> Any:
        """Look up a tensor of row numbers of any shape."""
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Sizes and `padding_idx`."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
