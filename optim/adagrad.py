"""Adagrad: steps scaled by the sum of all squared gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import adagrad_step

from .checks import check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Adagrad(Optimizer):
    r"""Adagrad: large steps where gradients were small so far.

    With the gradient g of parameter p at step t = 1, 2, ...::

        g = g + weight_decay * p
        s = s + g**2                                at first initial_accumulator_value
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    lr_decay : float
        How fast the learning rate falls.
    weight_decay : float
        Factor of an L2 penalty.
    initial_accumulator_value : float
        What the sum of squares begins with.
    eps : float
        Keeps the division finite.
    foreach, fused
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
        If an option is negative or NaN, or for parameters as in `Optimizer`.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", 2011.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    _counts = True
    _always = ("sum",)
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:  # as in PyTorch, there is a state before the first step
            for param in group["params"]:
                fresh = self._fresh(param, group)
                self._state[param]["step"] = Tensor(np.zeros((), np.float32))
                self._state[param].update((name, Tensor(array)) for name, array in fresh.items())

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _initial(self, name: str, group: Group) -> float:
        return float(group["initial_accumulator_value"])

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        falling = float(group["lr_decay"])
        for slot, grad in ready:
            rate = lr / (1.0 + (slot.tick() - 1.0) * falling)
            adagrad_step(slot.array, grad, slot.state[0], sign, decay, eps, rate)
