"""Losses that are negative log-likelihoods, or distances of distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import binary_cross_entropy_with_logits as _with_logits
from autograd import exp as _exp
from autograd import log as _log
from autograd import unsqueeze as _unsqueeze
from autograd import where as _where
from autograd import xlogy as _xlogy
from autograd.families import shape_of as _shape_of
from autograd.graph import Abstract as _Abstract
from autograd.ops.loss import _reduced
from autograd.ops.loss_arguments import one_shape, weighed
from autograd.ops.loss_pointwise import _binary_probability, _variance

from .reduction import legacy_reduction


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Cross-entropy of probabilities of yes: ``-(t * log(p) + (1 - t) * log(1 - p))``.

    No logarithm counts as less than -100, so that the loss of p = 0 is finite.

    Parameters
    ----------
    input : Tensor
        Probabilities p. Of scores, `binary_cross_entropy_with_logits` is safer and quicker.
    target : Tensor
        Of the same shape: 0, 1, or a probability between.
    weight : Tensor, optional
        Factors, broadcast to the shape of `input`.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, an element of `input` or `target` is not from 0 to 1, or the reduction
        is unknown.

    Examples
    --------
    >>> import autograd
    >>> binary_cross_entropy(autograd.tensor([0.5, 0.0]), autograd.tensor([1.0, 0.0]))
    tensor(0.3466)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("binary_cross_entropy", input=input, target=target)
    for name, tensor in (("input", input), ("target", target)):
        value = getattr(tensor, "value", tensor)
        # NaN is in no range, and refused as by PyTorch. What is traced has no values to look at.
        if not isinstance(value, _Abstract) and not np.all((value >= 0.0) & (value <= 1.0)):
            raise ValueError(
                f"binary_cross_entropy: every element of {name} must be from 0 to 1; for scores "
                "there is binary_cross_entropy_with_logits"
            )
    losses = weighed(_binary_probability(input, target), weight, "binary_cross_entropy")
    return _reduced(losses, reduction, "binary_cross_entropy")


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """
    Cross-entropy of the probabilities sigmoid(x): exact for scores x of any size.

    ``-(w * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``, w being `pos_weight` or 1.

    Parameters
    ----------
    input : Tensor
        Scores x (logits).
    target : Tensor
        Of the same shape: 0, 1, or a probability between.
    weight : Tensor, optional
        Factors, broadcast to the shape of `input`.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        Factors of the positive part, such as one for each class (in the last dimension).

    Raises
    ------
    ValueError
        If shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> x, t = autograd.tensor([0.0, -1e4]), autograd.tensor([1.0, 0.0])
    >>> binary_cross_entropy_with_logits(x, t)
    tensor(0.3466)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _with_logits(input, target, weight, pos_weight, reduction)


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """
    Kullback-Leibler divergence of log-probabilities x from probabilities t: ``t * (log(t) - x)``.

    Kullback and Leibler 1951, "On information and sufficiency".

    Parameters
    ----------
    input : Tensor
        Logarithms of the model's probabilities.
    target : Tensor
        Of the same shape: probabilities (a zero adds nothing), or their logarithms.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "batchmean", "sum", "none"}
        The divergence itself is "batchmean": the sum over the size of dimension 0. "mean" divides
        by the number of all elements.
    log_target : bool
        Whether `target` holds logarithms.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> p, q = autograd.tensor([[1.0, 0.0]]), autograd.tensor([[0.5, 0.5]])
    >>> kl_div(q.log(), p, reduction="batchmean")
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    shape = one_shape("kl_div", input=input, target=target)
    if log_target:
        losses = _exp(target) * (target - input)
    else:
        losses = _xlogy(target, target) - target * input
    if reduction == "batchmean":
        total = losses.sum()
        # A quotient of numbers: an empty batch gives 0 / 0, which is NaN as in PyTorch.
        return total if not shape else total / shape[0] if shape[0] else total * math.nan
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"kl_div: reduction must be 'none', 'batchmean', 'mean' or 'sum', not {reduction!r}"
        )
    return _reduced(losses, reduction, "kl_div")


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """
    Negative log-likelihood of normal variables: ``(log(var) + (x - t) ** 2 / var) / 2``.

    Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution".

    Parameters
    ----------
    input : Tensor
        Expected values x.
    target : Tensor
        Observed values t, of the same shape.
    var : Tensor or float
        Variances: of the shape of `input`, without its last dimension, or with one dimension of
        size 1.
    full : bool
        Add the constant ``log(2 * pi) / 2``.
    eps : float, default 1e-6
        What a smaller variance counts as; the gradient flows as if it were that.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit, a variance is negative, `eps` is not positive, or the reduction is
        unknown.

    Examples
    --------
    >>> import autograd
    >>> gaussian_nll_loss(autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([2.0]))
    tensor(1.3466)
    """
    who = "gaussian_nll_loss"
    shape = one_shape(who, input=input, target=target)
    if not eps > 0:
        raise ValueError(f"{who}: eps must be positive, met {eps}")
    met = _shape_of(var, who)
    if met != shape and not isinstance(var, float | int):
        if shape and met == shape[:-1]:
            var = _unsqueeze(var, -1)
        elif len(met) != len(shape) or [m for m, n in zip(met, shape, strict=True) if m != n] != [
            1
        ]:
            raise ValueError(
                f"{who}: var {met} does not fit input {shape}: expected the same shape, one "
                "without the last dimension, or one with a single dimension of size 1 instead"
            )
    var = _variance(var, least=float(eps))
    off = input - target
    losses = (_log(var) + off * off / var) * 0.5
    if full:
        losses = losses + 0.5 * math.log(2.0 * math.pi)
    return _reduced(losses, reduction, who)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Negative log-likelihood of counts t: ``exp(x) - t * x``, or ``x - t * log(x + eps)``.

    Parameters
    ----------
    input : Tensor
        Logarithms of the expected counts, or the counts themselves.
    target : Tensor
        Observed counts, of the same shape.
    log_input : bool, default True
        Whether `input` holds logarithms.
    full : bool
        Add Stirling's approximation of log(t!), ``t * log(t) - t + log(2 * pi * t) / 2``, where t
        is above 1.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    eps : float, default 1e-8
        Keeps the logarithm of an expected count of 0 finite.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> poisson_nll_loss(autograd.tensor([0.0, 1.0]), autograd.tensor([2.0, 1.0]))
    tensor(1.3591)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    one_shape("poisson_nll_loss", input=input, target=target)
    losses = _exp(input) - target * input if log_input else input - target * _log(input + eps)
    if full:
        # The logarithm of a count of 0 would spoil the gradient even of a branch not taken.
        many = _where(target > 1, target, 1.0)
        stirling = many * _log(many) - many + 0.5 * _log(2.0 * math.pi * many)
        losses = losses + _where(target > 1, stirling, 0.0)
    return _reduced(losses, reduction, "poisson_nll_loss")
