"""Distances and similarities of vectors, as layers."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..module import Module


class CosineSimilarity(Module):
    """
    Cosine of the angle of vectors: ``sum(x1 * x2) / (|x1| * |x2|)`` along `dim`.

    Parameters
    ----------
    dim : int, default 1
    eps : float, default 1e-8
        The least that a length counts.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CosineSimilarity()(autograd.tensor([[3.0, 4.0]]), autograd.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """Compare two tensors that broadcast together; `dim` goes."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """
    Length of ``x1 - x2 + eps`` along the last dimension, in the p-norm.

    Parameters
    ----------
    p : float, default 2
    eps : float, default 1e-6
        Keeps the root away from 0.
    keepdim : bool, default False
        Leave the last dimension, at size 1.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.PairwiseDistance()(autograd.tensor([[3.0, 4.0]]), autograd.zeros(1, 2))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """Compare tensors (N, D) or (D,)."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
