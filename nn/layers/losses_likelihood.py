"""Losses that are negative log-likelihoods, or distances of distributions, as modules."""

from __future__ import annotations

from typing import Any

from autograd import Tensor

from ..functional.likelihood import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)
from ..functional.reduction import legacy_reduction
from ..module import Module


class BCELoss(Module):
    """
    Cross-entropy of probabilities of yes: ``-(t * log(p) + (1 - t) * log(1 - p))``.

    No logarithm counts as less than -100, so that the loss of p = 0 is finite.

    Parameters
    ----------
    weight : Tensor, optional
        Factors, broadcast to the shape of the input; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, an element is not from 0 to 1, or the reduction is
        unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.BCELoss()(autograd.tensor([0.5, 0.0]), autograd.tensor([1.0, 0.0]))
    tensor(0.3466)
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
        """Compare probabilities with a target of the same shape."""
        return binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Module):
    """
    Cross-entropy of the probabilities sigmoid(x): exact for scores x of any size.

    ``-(w * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``, w being `pos_weight` or 1.

    Parameters
    ----------
    weight : Tensor, optional
        Factors, broadcast to the shape of the input; kept as a buffer.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        Factors of the positive part, such as one for each class (in the last dimension); a buffer.

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.BCEWithLogitsLoss()(autograd.tensor([0.0, -1e4]), autograd.tensor([1.0, 0.0]))
    tensor(0.3466)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction = legacy_reduction(size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare scores with a target of the same shape."""
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Module):
    """
    Kullback-Leibler divergence of log-probabilities x from probabilities t: ``t * (log(t) - x)``.

    Kullback and Leibler 1951, "On information and sufficiency".

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "batchmean", "sum", "none"}
        The divergence itself is "batchmean": the sum over the size of dimension 0. "mean" divides
        by the number of all elements.
    log_target : bool
        Whether the target holds logarithms.

    Raises
    ------
    ValueError
        In the call: if the shapes differ (PyTorch broadcasts), or the reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> p, q = autograd.tensor([[1.0, 0.0]]), autograd.tensor([[0.5, 0.5]])
    >>> nn.KLDivLoss(reduction="batchmean")(q.log(), p)
    tensor(0.6931)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """Compare log-probabilities with probabilities of the same shape."""
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class GaussianNLLLoss(Module):
    """
    Negative log-likelihood of normal variables: ``(log(var) + (x - t) ** 2 / var) / 2``.

    Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution".

    Parameters
    ----------
    full : bool
        Add the constant ``log(2 * pi) / 2``.
    eps : float, default 1e-6
        What a smaller variance counts as; the gradient flows as if it were that.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        In the call: if shapes do not fit, a variance is negative, `eps` is not positive, or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd, nn
    >>> x, t, var = autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([2.0])
    >>> nn.GaussianNLLLoss()(x, t, var)
    tensor(1.3466)
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.full = full
        self.eps = eps
        self.reduction = reduction

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """Compare expected values and their variances with observed values."""
        return gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(Module):
    """
    Negative log-likelihood of counts t: ``exp(x) - t * x``, or ``x - t * log(x + eps)``.

    Parameters
    ----------
    log_input : bool, default True
        Whether the input holds logarithms of the expected counts.
    full : bool
        Add Stirling's approximation of log(t!) where t is above 1.
    eps : float, default 1e-8
        Keeps the logarithm of an expected count of 0 finite.
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
    >>> nn.PoissonNLLLoss()(autograd.tensor([0.0, 1.0]), autograd.tensor([2.0, 1.0]))
    tensor(1.3591)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.log_input = log_input
        self.full = full
        self.eps = eps
        self.reduction = legacy_reduction(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """Compare expected counts, or their logarithms, with observed counts."""
        return poisson_nll_loss(
            input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )
