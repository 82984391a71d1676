"""Losses of predictions against values."""

from __future__ import annotations

from typing import Any

from autograd import mse_loss as _mse_loss
from autograd.families import shape_of as _shape_of

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
