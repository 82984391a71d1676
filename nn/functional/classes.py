"""Losses of scores against classes."""

from __future__ import annotations

from typing import Any

from autograd import cross_entropy as _cross_entropy
from autograd import nll_loss as _nll_loss

from .reduction import legacy_reduction


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """
    Cross-entropy between scores and classes (or probabilities).

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Scores (logits); softmax is applied here.
    target : Tensor
        Classes: integers of shape (N,), () or (N, d1, ...). Or probabilities: floats of the
        shape of `input`.
    weight : Tensor, (C,), optional
        A factor for each class.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A class that does not count (with class targets only).
    reduction : {"mean", "sum", "none"}
        "mean" with class targets divides by the sum of the weights that counted.
    label_smoothing : float, default 0
        From 0 to 1: the part of the target spread evenly over all classes. Szegedy et al. 2016,
        "Rethinking the Inception architecture for computer vision".

    Raises
    ------
    ValueError
        If shapes do not fit, or an option is out of range.
    IndexError
        If a class is out of range.

    Examples
    --------
    >>> import autograd
    >>> cross_entropy(autograd.zeros(1, 2), autograd.tensor([1]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Negative log likelihood of classes, given log-probabilities.

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Log-probabilities.
    target : integer Tensor, (N,), () or (N, d1, ...)
    weight : Tensor, (C,), optional
        A factor for each class; the mean is then a weighted one.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A target that does not count.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit or the reduction is unknown.
    IndexError
        If a class is out of range.
    TypeError
        If classes are not integers.

    Examples
    --------
    >>> import autograd
    >>> nll_loss(autograd.tensor([[-0.5, -1.0]]), autograd.tensor([1]))
    tensor(1.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _nll_loss(input, target, weight, ignore_index, reduction)
