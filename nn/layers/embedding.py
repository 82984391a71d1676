"""A table of vectors, one for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, embedding

from .. import functional as F
from .. import init
from ..module import Module, Parameter, factory


class _Table(Module):
    """What Embedding and EmbeddingBag share: a table, and how rows are limited and learned."""

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        sparse: bool,
        weight: Any,
        freeze: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        who = type(self).__name__
        dtype = factory(who, device, dtype)
        if num_embeddings < 0 or embedding_dim < 0:
            raise ValueError(
                f"{who}: sizes must be at least 0, met num_embeddings={num_embeddings}, "
                f"embedding_dim={embedding_dim}"
            )
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"{who}: padding_idx {padding_idx} is not one of {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if weight is None:
            table = np.empty((num_embeddings, embedding_dim), dtype)
            self.weight = Parameter(table, requires_grad=not freeze)
            self.reset_parameters()
        else:
            if tuple(weight.shape) != (num_embeddings, embedding_dim):
                raise ValueError(
                    f"{who}: a table of shape {tuple(weight.shape)} does not have num_embeddings="
                    f"{num_embeddings} rows of width {embedding_dim}"
                )
            self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array()[self.padding_idx] = 0


def _table(who: str, embeddings: Any) -> Any:
    """A table that there is: a tensor or an array of two dimensions."""
    table = embeddings if isinstance(embeddings, Tensor) else np.asarray(embeddings)
    if table.ndim != 2:
        raise ValueError(f"{who}: a table has two dimensions, met shape {table.shape}")
    return table


class Embedding(_Table):
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
    max_norm : float, optional
        Rows whose norm is larger are scaled down to it when they are looked up.
    norm_type : float, default 2
        Which norm.
    scale_grad_by_freq : bool, default False
        Divide a row's gradient by how often the input names it.
    sparse : bool, default False
        Accepted; gradients are dense arrays here.
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

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight,
            _freeze,
            device,
            dtype,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """
        Make a layer of a table that there is.

        Parameters
        ----------
        embeddings : Tensor or ndarray, (rows, width)
            Shared, not copied.
        freeze : bool, default True
            Do not learn it.
        padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
            As for the layer.

        Raises
        ------
        ValueError
            If the table is not 2-d.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.Embedding.from_pretrained(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(autograd.tensor([1]))
        tensor([[3., 4.]])
        """
        table = _table("Embedding", embeddings)
        rows, width = table.shape
        return cls(
            rows,
            width,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=table,
            _freeze=freeze,
        )

    def forward(self, input: Any) -> Any:
        """Look up a tensor of row numbers of any shape."""
        if self.max_norm is None and not self.scale_grad_by_freq:
            return embedding(input, self.weight, self.padding_idx)
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        """Sizes, and the arguments that differ from the defaults."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + (", sparse=True" if self.sparse else "")


class EmbeddingBag(_Table):
    """
    Sum, mean or maximum of the rows of a table that each bag of numbers names.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    max_norm, norm_type, scale_grad_by_freq, sparse
        As for `Embedding`.
    mode : {"mean", "sum", "max"}
        An empty bag gives zeros.
    include_last_offset : bool, default False
        The last of the offsets is the end of the last bag.
    padding_idx : int, optional
        This row counts for nothing and gets no gradient.
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
        If an argument is out of range; in the call, if shapes or offsets do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.EmbeddingBag(10, 3)(autograd.tensor([1, 2, 4, 4]), autograd.tensor([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight,
            False,
            device,
            dtype,
        )
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max', not {mode!r}")
        self.mode = mode
        self.include_last_offset = include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """
        Make a layer of a table that there is; see `Embedding.from_pretrained`.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.EmbeddingBag.from_pretrained(autograd.tensor([[1.0], [3.0]]))
        >>> layer(autograd.tensor([[0, 1]]))
        tensor([[2.]])
        """
        table = _table("EmbeddingBag", embeddings)
        rows, width = table.shape
        layer = cls(
            rows,
            width,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            table,
            include_last_offset,
            padding_idx,
        )
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """Sum up bags: the rows of (bags, size), or parts of (numbers,) that begin at `offsets`."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Sizes, mode, and the arguments that differ from the defaults."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
