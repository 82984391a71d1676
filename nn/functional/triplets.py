"""Losses of triplets: an anchor should be nearer to the positive than to the negative example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import clamp as _clamp
from autograd import minimum as _minimum
from autograd import pairwise_distance as _pairwise_distance
from autograd.ops.loss import _reduced
from autograd.ops.loss_arguments import one_shape

from .reduction import legacy_reduction


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    ``max(d(anchor, positive) - d(anchor, negative) + margin, 0)`` of distances d in the p-norm.

    Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks".

    Parameters
    ----------
    anchor, positive, negative : Tensor, (N, D) or (D,)
        Of one shape.
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
        If the shapes differ (PyTorch broadcasts), `margin` is not positive, or the reduction is
        unknown.

    Examples
    --------
    >>> import autograd
    >>> a, p, n = autograd.zeros(1, 2), autograd.tensor([[3.0, 4.0]]), autograd.ones(1, 2)
    >>> triplet_margin_loss(a, p, n)
    tensor(4.5858)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)

    def distance(a: Any, b: Any) -> Any:
        return _pairwise_distance(a, b, p=p, eps=eps)

    return _triplets(
        "triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """
    `triplet_margin_loss` with a distance of one's own.

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Of one shape, which the distance takes.
    distance_function : callable, optional
        ``distance_function(a, b)``; default `autograd.pairwise_distance`.
    margin : float, default 1
    swap : bool
        Take d(positive, negative) in the place of d(anchor, negative) where it is smaller.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), `margin` is not positive, or the reduction is
        unknown.

    Examples
    --------
    >>> import autograd
    >>> a, p, n = autograd.zeros(1, 2), autograd.tensor([[3.0, 4.0]]), autograd.ones(1, 2)
    >>> l1 = lambda x, y: abs(x - y).sum(dim=-1)
    >>> triplet_margin_with_distance_loss(a, p, n, distance_function=l1)
    tensor(6.)
    """
    return _triplets(
        "triplet_margin_with_distance_loss",
        anchor,
        positive,
        negative,
        _pairwise_distance if distance_function is None else distance_function,
        margin,
        swap,
        reduction,
    )


def _triplets(
    who: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    one_shape(who, anchor=anchor, positive=positive, negative=negative)
    if not margin > 0:
        raise ValueError(f"{who}: margin must be greater than 0, met {margin}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _minimum(far, distance(positive, negative))
    return _reduced(_clamp(margin + near - far, 0.0), reduction, who)
