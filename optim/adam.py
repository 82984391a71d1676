"""Adam and AdamW: steps scaled by running averages of the gradient and its square."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import adam_step

from .checks import check_betas, check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Adam(Optimizer):
    r"""Adam: adaptive moment estimation.

    With the gradient g of parameter p at step t = 1, 2, ...::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        u = max(u, v) if amsgrad else v
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(u / (1 - beta2**t)) + eps)

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
    amsgrad : bool
        Divide by the largest average of the squares so far (Reddi et al.).
    maximize : bool
        Go up the gradient instead of down.
    foreach, capturable, fused
        Accepted for PyTorch's sake: there is one implementation, whatever they say.
    differentiable : bool
        Must be False: a step records nothing.
    decoupled_weight_decay : bool
        Shrink the parameters themselves, as `AdamW` does.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If an option is negative or NaN, a beta is not in [0, 1), or for parameters as in
        `Optimizer`.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015.
    S. J. Reddi, S. Kale and S. Kumar, "On the Convergence of Adam and Beyond", 2018.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Adam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    _counts = True
    _always = ("exp_avg", "exp_avg_sq")
    _sometimes = ("max_exp_avg_sq",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "lr", options["lr"])
        check_betas(who, options["betas"])
        check_range(who, "eps", options["eps"])
        check_range(who, "weight_decay", options["weight_decay"])

    def _names(self, group: Group) -> tuple[str, ...]:
        if group["amsgrad"]:
            return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return ("exp_avg", "exp_avg_sq")

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        rate, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        beta1, beta2 = map(float, group["betas"])
        shrink = 0.0
        if group["decoupled_weight_decay"]:
            shrink, decay = rate * decay, 0.0
        take1, take2 = 1.0 - beta1, 1.0 - beta2
        factors = sign, decay, shrink, take1, beta2, take2
        t = small = lr = 0.0
        for slot, grad in ready:
            if slot.tick() != t:
                # Both corrections are numbers, so they go into lr and eps.
                t = slot.count
                correction = math.sqrt(1.0 - beta2**t)
                small, lr = eps * correction, rate * correction / (1.0 - beta1**t)
            state = slot.state
            largest = state[2] if len(state) > 2 else None
            adam_step(slot.array, grad, state[0], state[1], largest, *factors, small, lr)


class AdamW(Adam):
    r"""Adam with weight decay apart from the gradient.

    As `Adam`, but its first line is ``p = p - lr * weight_decay * p``: what decays does not pass
    through the averages.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused
        As for `Adam`.
    weight_decay : float
        Share of the parameter, times lr, that is taken off at each step.

    Raises
    ------
    TypeError, ValueError
        As for `Adam`.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", 2019.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.AdamW([w], lr=0.25, weight_decay=0.2)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7000, -1.6500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
