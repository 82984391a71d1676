"""ASGD: gradient descent that keeps the average of its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import asgd_step

from .checks import check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent.

    With the gradient g of parameter p at step t = 1, 2, ...::

        g = g + weight_decay * p
        p = (1 - lambd * eta) * p - eta * g
        a = p                                       while mu is 1
        a = a + mu * (p - a)                        later
        eta = lr / (1 + lambd * lr * t)**alpha      at first lr
        mu = 1 / max(1, t - t0)                     at first 1

    The average a is ``optimizer.state[p]["ax"]``; the last two lines serve the step to come.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    lambd : float
        Decay of the parameters.
    alpha : float
        Power with which eta falls.
    t0 : float
        Step after which averaging begins.
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
        If an option is NaN, or `lr` or `weight_decay` negative, or for parameters as in
        `Optimizer`.

    References
    ----------
    B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.ASGD([w], lr=0.25, lambd=0.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    _counts = True
    _always = ("eta", "mu", "ax")
    _sometimes = ()
    _numbers = ("eta", "mu")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "lr", options["lr"])
        for name in ("lambd", "alpha", "t0"):
            check_range(who, name, options[name], low=float("-inf"))
        check_range(who, "weight_decay", options["weight_decay"])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _initial(self, name: str, group: Group) -> float:
        return {"eta": float(group["lr"]), "mu": 1.0, "ax": 0.0}[name]

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        lambd, alpha, t0 = map(float, (group["lambd"], group["alpha"], group["t0"]))
        for slot, grad in ready:
            t = slot.tick()
            eta, mu, ax = slot.state
            now = eta.item()
            asgd_step(slot.array, grad, ax, sign, decay, 1.0 - lambd * now, now, mu.item())
            eta.fill(lr / (1.0 + lambd * lr * t) ** alpha)
            mu.fill(1.0 / max(1.0, t - t0))
