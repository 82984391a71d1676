"""Losses as modules."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, cross_entropy, mse_loss, nll_loss

from ..functional.reduction import legacy_reduction
from ..module import Module


class CrossEntropyLoss(Module):
    """
    Cross-entropy between scores and classes (or probabilities); softmax is applied here.

    For a class c: ``-weight[c] * log(softmax(x)[c])``, the mean divided by the sum of the weights
    that counted.

    Parameters
    ----------
    weight : Tensor, (C,), optional
        A factor for each class; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A class that does not count (with class targets only).
    reduction : {"mean", "sum", "none"}
    label_smoothing : float, default 0
        From 0 to 1: the part of the target spread evenly over all classes. Szegedy et al. 2016.

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, or an option is out of range.
    IndexError
        In the call: if a class is out of range.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CrossEntropyLoss()(autograd.zeros(1, 2), autograd.tensor([1]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = legacy_reduction(size_average, reduce, reduction)
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores (N, C, ...) with classes (N, ...) or probabilities (N, C, ...)."""
        return cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(Module):
    """
    Negative log likelihood of classes, given log-probabilities: ``-weight[c] * x[c]``.

    Parameters
    ----------
    weight : Tensor, (C,), optional
        A factor for each class; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A class that does not count.
    reduction : {"mean", "sum", "none"}
        "mean" divides by the sum of the weights that counted.

    Raises
    ------
    ValueError
        In the call: if shapes do not fit or the reduction is unknown.
    IndexError
        In the call: if a class is out of range.
    TypeError
        In the call: if classes are not integers.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.NLLLoss()(autograd.tensor([[-0.5, -1.0]]), autograd.tensor([1]))
    tensor(1.)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare log-probabilities (N, C, ...) with classes (N, ...)."""
        return nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MSELoss(Module):
    """
    Squared difference of two tensors of one shape, averaged.

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
    >>> nn.MSELoss()(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
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
        """Compare tensors of one shape."""
        return mse_loss(input, target, self.reduction)
