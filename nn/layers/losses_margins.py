"""Losses that ask for a margin, as modules."""

from __future__ import annotations

from typing import Any

from autograd import Tensor

from ..functional.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from ..functional.reduction import legacy_reduction
from ..module import Module


class HingeEmbeddingLoss(Module):
    """
    Distances x themselves where the target is 1, ``max(margin - x, 0)`` where it is -1.

    Parameters
    ----------
    margin : float, default 1
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.HingeEmbeddingLoss(reduction="none")
    >>> loss(autograd.tensor([0.5, 0.25]), autograd.tensor([1.0, -1.0]))
    tensor([0.5000, 0.7500])
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.margin = margin
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Judge distances of pairs; the target is 1 or -1."""
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(Module):
    """
    How far two scores are from the wanted order: ``max(-t * (x1 - x2) + margin, 0)``.

    Parameters
    ----------
    margin : float, default 0
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.MarginRankingLoss()
    >>> loss(autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([1.0]))
    tensor(2.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.margin = margin
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """Compare scores; the target is 1 if the first should be larger, else -1."""
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Module):
    """
    ``1 - cos`` where the target is 1, ``max(cos - margin, 0)`` where it is -1.

    cos is the cosine of the angle between two vectors; 1e-12 is added to their squared lengths.

    Parameters
    ----------
    margin : float, default 0
        From -1 to 1; 0 to 0.5 is usual.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> a, b = autograd.tensor([1.0, 0.0]), autograd.tensor([0.0, 2.0])
    >>> nn.CosineEmbeddingLoss()(a, b, autograd.tensor(1))
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.margin = margin
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """Compare vectors (N, D); the target (N,) is 1 or -1."""
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(Module):
    """
    Logistic loss of scores x and signs t: ``log(1 + exp(-t * x))``, without overflow.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.SoftMarginLoss()(autograd.tensor([0.0, 0.0]), autograd.tensor([1.0, -1.0]))
    tensor(0.6931)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores with signs of the same shape."""
        return soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(Module):
    """
    How far other classes come within a margin of the right one, in the mean over all classes.

    ``sum over c != t of weight[t] * max(margin - x[t] + x[c], 0) ** p / C``. Crammer and Singer
    2001, "On the algorithmic implementation of multiclass kernel-based vector machines".

    Parameters
    ----------
    p : {1, 2}
    margin : float, default 1
    weight : Tensor, (C,), optional
        A factor for each class; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If p is not 1 or 2. In the call: if shapes do not fit, or the reduction is unknown.
    IndexError
        In the call: if a class is out of range.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.MultiMarginLoss()
    >>> loss(autograd.tensor([[0.5, 1.0, 0.0, -2.0]]), autograd.tensor([1]))
    tensor(0.1250)
    """

    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, not {p}")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores (N, C) with classes (N,)."""
        return multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(Module):
    """
    How far the classes that are not named come within 1 of each one that is.

    ``sum over named j and unnamed i of max(1 - x[j] + x[i], 0) / C``

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, or the reduction is unknown.
    IndexError
        In the call: if a class is out of range.

    Examples
    --------
    >>> import autograd, nn
    >>> x, t = autograd.tensor([0.1, 0.2, 0.4, 0.8]), autograd.tensor([3, 0, -1, 1])
    >>> nn.MultiLabelMarginLoss()(x, t)
    tensor(0.8500)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores (N, C) with lists of classes (N, C) that end at the first -1."""
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(Module):
    """
    Cross-entropy of a yes or no for each class, in the mean over the last dimension.

    ``-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``, exact for scores x of any size.

    Parameters
    ----------
    weight : Tensor, (C,), optional
        A factor for each class; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.MultiLabelSoftMarginLoss()
    >>> loss(autograd.zeros(1, 3), autograd.tensor([[1.0, 0.0, 1.0]]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores (N, C) with zeros and ones."""
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
