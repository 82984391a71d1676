"""Losses of predictions against values."""

from __future__ import annotations

from typing import Any

from autograd import mse_loss as _mse_loss
from autograd.families import shape_of as _shape_of
from autograd.ops.loss import _reduced
from autograd.ops.loss_arguments import one_shape
from autograd.ops.loss_pointwise import _huber

from .reduction import legacy_reduction


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """
    Squared difference, averaged.

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        A factor for each element, of the same shape; "mean" then divides by their sum.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts, and warns that it is likely wrong), or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None:
        return _mse_loss(input, target, reduction)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"mse_loss: reduction must be 'none', 'mean' or 'sum', not {reduction!r}")
    if _shape_of(weight, "mse_loss") != _shape_of(input, "mse_loss"):
        raise ValueError(
            f"mse_loss: weight {_shape_of(weight, 'mse_loss')} and input "
            f"{_shape_of(input, 'mse_loss')} must have one shape"
        )
    losses = _mse_loss(input, target, "none") * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """
    Absolute difference ``abs(input - target)``, averaged; its slope is 0 where they are equal.

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        A factor for each element, of the same shape; "mean" then divides by their sum.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts, and warns), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> l1_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("l1_loss", input=input, target=target)
    losses = abs(input - target)
    if weight is None:
        return _reduced(losses, reduction, "l1_loss")
    one_shape("l1_loss", input=input, weight=weight)
    total = _reduced(losses * weight, "sum" if reduction == "mean" else reduction, "l1_loss")
    return total / weight.sum() if reduction == "mean" else total


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """
    Absolute difference d whose corner at 0 is rounded, averaged.

    ``d ** 2 / (2 * beta)`` where d < beta, and ``d - beta / 2`` further out. Girshick 2015, "Fast
    R-CNN".

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    beta : float, default 1
        Where the parabola ends; with 0 this is `l1_loss`.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts, and warns), `beta` is negative, or the reduction
        is unknown.

    Examples
    --------
    >>> import autograd
    >>> smooth_l1_loss(autograd.tensor([0.5, 3.0]), autograd.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("smooth_l1_loss", input=input, target=target)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, met {beta}")
    off = input - target
    losses = _huber(off, delta=float(beta), unit=float(beta)) if beta else abs(off)
    return _reduced(losses, reduction, "smooth_l1_loss")


def huber_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
) -> Any:
    """
    Half the squared difference, which goes on in straight lines from `delta` on, averaged.

    ``d ** 2 / 2`` where the absolute difference d is at most delta, and ``delta * (d - delta / 2)``
    further out. Huber 1964, "Robust estimation of a location parameter".

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    reduction : {"mean", "sum", "none"}
    delta : float, default 1
    weight : Tensor, optional
        A factor for each element, of the same shape; "mean" still divides by the count.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts, and warns), `delta` is not positive, or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> huber_loss(autograd.tensor([0.5, 3.0]), autograd.zeros(2), "none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    one_shape("huber_loss", input=input, target=target)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, met {delta}")
    losses = _huber(input - target, delta=float(delta), unit=1.0)
    if weight is not None:
        one_shape("huber_loss", input=input, weight=weight)
        losses = losses * weight
    return _reduced(losses, reduction, "huber_loss")
