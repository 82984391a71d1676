"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import adamax_step

from .checks import check_betas, check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Adamax(Optimizer):
    r"""Adamax: Adam in the infinity norm.

    With the gradient g of parameter p at step t = 1, 2, ...::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1**t) * m / u

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    betas : tuple of two floats
        How much of the average and of the maximum is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Factor of an L2 penalty.
    foreach, capturable
        Accepted for PyTorch's sake: there is one implementation, whatever they say.
    maximize : bool
        Go up the gradient instead of down.
    differentiable : bool
        Must be False: a step records nothing.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If an option is negative or NaN, a beta is not in [0, 1), or for parameters as in
        `Optimizer`.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Adamax([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    _counts = True
    _always = ("exp_avg", "exp_inf")
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_betas(who, options["betas"])
        for name in ("lr", "eps", "weight_decay"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        beta1, beta2 = map(float, group["betas"])
        for slot, grad in ready:
            rate = lr / (1.0 - beta1 ** slot.tick())
            mean, most = slot.state
            adamax_step(slot.array, grad, mean, most, sign, decay, 1.0 - beta1, beta2, eps, rate)
