"""Losses of predictions against values, as modules."""

from __future__ import annotations

from typing import Any

from ..functional.reduction import legacy_reduction
from ..functional.regression import huber_loss, l1_loss, smooth_l1_loss
from ..module import Module


class L1Loss(Module):
    """
    Absolute difference ``abs(input - target)`` of two tensors of one shape, averaged.

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
    >>> nn.L1Loss()(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(1.)
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
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Module):
    """
    Absolute difference d whose corner at 0 is rounded, averaged.

    ``d ** 2 / (2 * beta)`` where d < beta, and ``d - beta / 2`` further out. Girshick 2015, "Fast
    R-CNN".

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    beta : float, default 1
        Where the parabola ends; with 0 this is `L1Loss`.

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), `beta` is negative, or the reduction
        is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.SmoothL1Loss(reduction="none")
    >>> loss(autograd.tensor([0.5, 3.0]), autograd.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """Compare tensors of one shape."""
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Module):
    """
    Half the squared difference, which goes on in straight lines from `delta` on, averaged.

    ``d ** 2 / 2`` where the absolute difference d is at most delta, and ``delta * (d - delta / 2)``
    further out. Huber 1964, "Robust estimation of a location parameter".

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float, default 1
        Where the lines begin.

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), `delta` is not positive, or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> loss = nn.HuberLoss(reduction="none", delta=2.0)
    >>> loss(autograd.tensor([0.5, 3.0]), autograd.zeros(2))
    tensor([0.1250, 4.0000])
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ) -> None:
        super().__init__()
        self.reduction = reduction
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """Compare tensors of one shape."""
        return huber_loss(input, target, self.reduction, self.delta)
