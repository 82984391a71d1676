"""Losses of triplets, as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..functional.reduction import legacy_reduction
from ..functional.triplets import triplet_margin_loss, triplet_margin_with_distance_loss
from ..module import Module


class TripletMarginLoss(Module):
    """
    ``max(d(anchor, positive) - d(anchor, negative) + margin, 0)`` of distances d in the p-norm.

    Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks".

    Parameters
    ----------
    margin : float, default 1
    p : float, default 2
        Which norm of the difference.
    eps : float, default 1e-6
        Added to each difference, so that a distance of 0 has a slope.
    swap : bool
        Take d(positive, negative) in the place of d(anchor, negative) where it is smaller.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If `margin` is not positive. In the call: if the shapes differ (PyTorch broadcasts), or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> a, p, n = autograd.zeros(1, 2), autograd.tensor([[3.0, 4.0]]), autograd.ones(1, 2)
    >>> nn.TripletMarginLoss()(a, p, n)
    tensor(4.5858)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if not margin > 0:
            raise ValueError(f"TripletMarginLoss: margin must be greater than 0, met {margin}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """Compare vectors of one shape (N, D)."""
        return triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Module):
    """
    `TripletMarginLoss` with a distance of one's own.

    Parameters
    ----------
    distance_function : callable, optional
        ``distance_function(a, b)``; default `autograd.pairwise_distance`.
    margin : float, default 1
    swap : bool
        Take d(positive, negative) in the place of d(anchor, negative) where it is smaller.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If `margin` is not positive. In the call: if the shapes differ (PyTorch broadcasts), or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> a, p, n = autograd.zeros(1, 2), autograd.tensor([[3.0, 4.0]]), autograd.ones(1, 2)
    >>> l1 = lambda x, y: abs(x - y).sum(dim=-1)
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=l1)
    >>> loss(a, p, n)
    tensor(6.)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if not margin > 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: margin must be greater than 0, met {margin}"
            )
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap
        self.reduction = reduction

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """Compare what the distance takes."""
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
