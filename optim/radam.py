"""RAdam: Adam that waits until it knows the spread of its gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import adam_step, nadam_step

from .checks import check_betas, check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot

# Below this length of the average, the variance of the step has no bound (Liu et al.).
SHORTEST = 5.0


class RAdam(Optimizer):
    r"""RAdam: Adam with rectified variance.

    With the gradient g of parameter p at step t = 1, 2, ...::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        n = 2 / (1 - beta2) - 1
        k = n - 2 * t * beta2**t / (1 - beta2**t)
        r = sqrt((k - 4) * (k - 2) * n / ((n - 4) * (n - 2) * k))
        d = r * sqrt(1 - beta2**t) / (sqrt(v) + eps) if k > 5 else 1
        p = p - lr * m / (1 - beta1**t) * d

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
    L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.RAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    _counts = True
    _always = ("exp_avg", "exp_avg_sq")
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
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
        rate, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        beta1, beta2 = map(float, group["betas"])
        shrink = 0.0
        if group["decoupled_weight_decay"]:
            shrink, decay = rate * decay, 0.0
        factors = sign, decay, shrink, 1.0 - beta1, beta2, 1.0 - beta2
        longest = 2.0 / (1.0 - beta2) - 1.0
        for slot, grad in ready:
            t = slot.tick()
            mean, square = slot.state
            known = 1.0 - beta2**t
            length = longest - 2.0 * t * beta2**t / known
            lr = rate / (1.0 - beta1**t)
            if length > SHORTEST:
                full = (longest - 4.0) * (longest - 2.0) / longest
                rectified = math.sqrt((length - 4.0) * (length - 2.0) / length / full * known)
                adam_step(slot.array, grad, mean, square, None, *factors, eps, lr * rectified)
            else:
                nadam_step(slot.array, grad, mean, square, *factors, 0.0, 1.0, 0.0, lr)
