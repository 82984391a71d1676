"""Losses that ask for a margin: between two scores, two vectors, or a class and the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import clamp as _clamp
from autograd import index_add as _index_add
from autograd import relu as _relu
from autograd import reshape as _reshape
from autograd import softplus as _softplus
from autograd import sqrt as _sqrt
from autograd import sum as _sum
from autograd import unsqueeze as _unsqueeze
from autograd import where as _where
from autograd.families import shape_of as _shape_of
from autograd.ops.loss import _classes, _pick_class, _reduced
from autograd.ops.loss_arguments import one_shape, weighed
from autograd.ops.loss_pointwise import _binary_logits

from .reduction import legacy_reduction

NO_CLASS = np.iinfo(np.int64).min
"""An index that is no class and marks none: every class counts."""

LEAST_SQUARE = 1e-12
"""What is added to squared lengths, as in PyTorch."""


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Distances x themselves where the target is 1, ``max(margin - x, 0)`` where it is -1.

    Parameters
    ----------
    input : Tensor
        Distances of pairs.
    target : Tensor
        Of the same shape: 1 for pairs that belong together, -1 for others.
    margin : float, default 1
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> x, t = autograd.tensor([0.5, 0.25]), autograd.tensor([1.0, -1.0])
    >>> hinge_embedding_loss(x, t, reduction="none")
    tensor([0.5000, 0.7500])
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("hinge_embedding_loss", input=input, target=target)
    # As in PyTorch each half is left out by the other's target: another number gets both.
    apart = _where(target != 1, _clamp(margin - input, 0.0), 0.0)
    together = _where(target != -1, input, 0.0)
    return _reduced(apart + together, reduction, "hinge_embedding_loss")


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    How far two scores are from the wanted order: ``max(-t * (x1 - x2) + margin, 0)``.

    Parameters
    ----------
    input1, input2 : Tensor
        Scores, of one shape.
    target : Tensor
        Of the same shape: 1 if the first should be larger, -1 if the second.
    margin : float, default 0
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> first, second = autograd.tensor([1.0, 1.0]), autograd.tensor([3.0, 3.0])
    >>> margin_ranking_loss(first, second, autograd.tensor([1.0, -1.0]), reduction="none")
    tensor([2., 0.])
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("margin_ranking_loss", input1=input1, input2=input2, target=target)
    losses = _clamp(margin - target * (input1 - input2), 0.0)
    return _reduced(losses, reduction, "margin_ranking_loss")


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    ``1 - cos`` where the target is 1, ``max(cos - margin, 0)`` where it is -1.

    cos is the cosine of the angle between two vectors; 1e-12 is added to their squared lengths.

    Parameters
    ----------
    input1, input2 : Tensor, (N, D) or (D,)
    target : Tensor, (N,) or ()
        1 for vectors that should be alike, -1 for others.
    margin : float, default 0
        From -1 to 1; 0 to 0.5 is usual.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.tensor([[1.0, 0.0], [1.0, 0.0]]), autograd.tensor([[0.0, 2.0], [3.0, 0.0]])
    >>> cosine_embedding_loss(a, b, autograd.tensor([1, -1]), reduction="none")
    tensor([1., 1.])
    """
    who = "cosine_embedding_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    shape = one_shape(who, input1=input1, input2=input2)
    if len(shape) not in (1, 2) or _shape_of(target, who) != shape[:-1]:
        raise ValueError(
            f"{who}: expected inputs (N, D) and target (N,), or (D,) and (), met {shape} and "
            f"{_shape_of(target, who)}"
        )
    # Two roots, not that of a product: in float32 it overflows from lengths of 1e10 on.
    lengths = [_sqrt(_sum(x * x, -1) + LEAST_SQUARE) for x in (input1, input2)]
    cosine = _sum(input1 * input2, -1) / lengths[0] / lengths[1]
    alike = _where(target == 1, 1.0 - cosine, 0.0)
    apart = _where(target == -1, _clamp(cosine - margin, 0.0), 0.0)
    return _reduced(alike + apart, reduction, who)


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Logistic loss of scores x and signs t: ``log(1 + exp(-t * x))``, without overflow.

    Parameters
    ----------
    input : Tensor
        Scores.
    target : Tensor
        Of the same shape: 1 or -1.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> soft_margin_loss(
    ...     autograd.tensor([0.0, 100.0]), autograd.tensor([1.0, -1.0]), reduction="sum"
    ... )
    tensor(100.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("soft_margin_loss", input=input, target=target)
    return _reduced(_softplus(-target * input), reduction, "soft_margin_loss")


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    How far other classes come within a margin of the right one, in the mean over all classes.

    ``sum over c != t of weight[t] * max(margin - x[t] + x[c], 0) ** p / C``. Crammer and Singer
    2001, "On the algorithmic implementation of multiclass kernel-based vector machines".

    Parameters
    ----------
    input : Tensor, (N, C) or (C,)
        Scores.
    target : integer Tensor, (N,) or ()
        The right classes.
    p : {1, 2}
    margin : float, default 1
    weight : Tensor, (C,), optional
        A factor for each class. "mean" divides by N all the same.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, p is not 1 or 2, or the reduction is unknown.
    IndexError
        If a class is out of range.
    TypeError
        If classes are not integers.

    Examples
    --------
    >>> import autograd
    >>> multi_margin_loss(autograd.tensor([[0.5, 1.0, 0.0, -2.0]]), autograd.tensor([1]))
    tensor(0.1250)
    """
    who = "multi_margin_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    shape = _shape_of(input, who)
    if len(shape) not in (1, 2) or _shape_of(target, who) != shape[:-1] or not shape[-1]:
        raise ValueError(
            f"{who}: expected input (N, C) and target (N,), or (C,) and (), met {shape} and "
            f"{_shape_of(target, who)}"
        )
    if p not in (1, 2):
        raise ValueError(f"{who}: p must be 1 or 2, not {p}")
    count = shape[-1]
    if weight is not None and _shape_of(weight, who) != (count,):
        raise ValueError(f"{who}: weight must have shape ({count},), met {_shape_of(weight, who)}")
    classes, _ = _classes(who, target, count, NO_CLASS)
    rows = _reshape(input, (-1, count))
    own = _pick_class(rows, classes, ignore_index=NO_CLASS)
    over = _relu(rows - _unsqueeze(own - margin, 1))
    over = _where(_unsqueeze(classes, 1) == np.arange(count), 0.0, over if p == 1 else over * over)
    losses = _sum(over, 1) / count
    if weight is not None:
        every = _reshape(weight, (1, count)) + np.zeros((losses.shape[0], 1), losses.dtype)
        losses = losses * _pick_class(every, classes, ignore_index=NO_CLASS)
    return _reduced(_reshape(losses, shape[:-1]), reduction, who)


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    How far the classes that are not named come within 1 of each one that is.

    ``sum over named j and unnamed i of max(1 - x[j] + x[i], 0) / C``

    Parameters
    ----------
    input : Tensor, (N, C) or (C,)
        Scores.
    target : integer Tensor, of the same shape
        The classes of a row, up to the first -1.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, or the reduction is unknown.
    IndexError
        If a class is out of range.
    TypeError
        If classes are not integers.

    Examples
    --------
    >>> import autograd
    >>> x, t = autograd.tensor([0.1, 0.2, 0.4, 0.8]), autograd.tensor([3, 0, -1, 1])
    >>> multilabel_margin_loss(x, t)
    tensor(0.8500)
    """
    who = "multilabel_margin_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    shape = one_shape(who, input=input, target=target)
    if len(shape) not in (1, 2) or not shape[-1]:
        raise ValueError(f"{who}: expected input and target (N, C) or (C,), met {shape}")
    named = np.asarray(getattr(target, "value", target)).reshape(-1, shape[-1])
    if named.dtype.kind not in "iu":
        raise TypeError(f"{who}: class indices must be integers, not {named.dtype}")
    listed = np.logical_and.accumulate(named != -1, axis=1)
    named = np.where(listed, named, -1).astype(np.int64)
    classes, _ = _classes(who, named, shape[-1], -1)
    rows = _reshape(input, (-1, shape[-1]))
    row, place = np.nonzero(listed)  # the pairs of a row and a class that it names
    chosen = classes.reshape(named.shape)[row, place]
    unnamed = np.ones(named.shape, bool)
    unnamed[row, chosen] = False
    over = _relu(rows[row] - _unsqueeze(rows[row, chosen] - 1.0, 1))
    over = _sum(_where(unnamed[row], over, 0.0), 1) / shape[-1]
    losses = _index_add(np.zeros(len(named), over.dtype), 0, row, over)
    return _reduced(_reshape(losses, shape[:-1]), reduction, who)


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Cross-entropy of a yes or no for each class, in the mean over the last dimension.

    ``-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``, exact for scores x of any size.

    Parameters
    ----------
    input : Tensor, (N, C)
        Scores.
    target : Tensor
        Of the same shape: 0 or 1.
    weight : Tensor, (C,), optional
        A factor for each class.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> multilabel_soft_margin_loss(autograd.zeros(1, 3), autograd.tensor([[1.0, 0.0, 1.0]]))
    tensor(0.6931)
    """
    who = "multilabel_soft_margin_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    shape = one_shape(who, input=input, target=target)
    if not shape or not shape[-1]:
        raise ValueError(f"{who}: expected input and target (N, C), met {shape}")
    losses = weighed(_binary_logits(input, target), weight, who)
    return _reduced(_sum(losses, -1) / shape[-1], reduction, who)
