"""NAdam: Adam that looks ahead, with Nesterov's momentum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import nadam_step

from .checks import check_betas, check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class NAdam(Optimizer):
    r"""NAdam: Adam with Nesterov's momentum.

    With the gradient g of parameter p at step t = 1, 2, ...::

        mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        M = M * mu(t)                               at first 1
        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        h = (1 - mu(t)) * g / (1 - M) + mu(t + 1) * m / (1 - M * mu(t + 1))
        p = p - lr * h / (sqrt(v / (1 - beta2**t)) + eps)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    betas : tuple of two floats
        How much of the averages of g and of its square is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Factor of an L2 penalty.
    momentum_decay : float
        How fast mu comes near beta1.
    decoupled_weight_decay : bool
        Shrink the parameters themselves, by ``lr * weight_decay``, as `AdamW` does.
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
    T. Dozat, "Incorporating Nesterov Momentum into Adam", 2016.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.NAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7359, -1.7359], requires_grad=True)
    """

    _counts = True
    _always = ("mu_product", "exp_avg", "exp_avg_sq")
    _sometimes = ()
    _numbers = ("mu_product",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_betas(who, options["betas"])
        for name in ("lr", "eps", "weight_decay", "momentum_decay"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _initial(self, name: str, group: Group) -> float:
        return 1.0 if name == "mu_product" else 0.0

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        rate, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        fading = float(group["momentum_decay"])
        beta1, beta2 = map(float, group["betas"])
        shrink = 0.0
        if group["decoupled_weight_decay"]:
            shrink, decay = rate * decay, 0.0
        factors = sign, decay, shrink, 1.0 - beta1, beta2, 1.0 - beta2, 1.0
        for slot, grad in ready:
            t = slot.tick()
            mu, following = (beta1 * (1.0 - 0.5 * 0.96 ** (s * fading)) for s in (t, t + 1.0))
            product, mean, square = slot.state
            product *= mu  # in float32, as PyTorch does, so that both go the same way
            past = product.item()
            correction = math.sqrt(1.0 - beta2**t)
            lead = rate * correction * (1.0 - mu) / (1.0 - past)
            lr = rate * correction * following / (1.0 - past * following)
            nadam_step(slot.array, grad, mean, square, *factors, eps * correction, lead, lr)
