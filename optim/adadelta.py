"""Adadelta: steps in the units of the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import adadelta_step

from .checks import check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Adadelta(Optimizer):
    r"""Adadelta: gradients scaled by the size of past steps over that of past gradients.

    With the gradient g of parameter p::

        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g**2
        d = sqrt(a + eps) / sqrt(v + eps) * g
        a = rho * a + (1 - rho) * d**2
        p = p - lr * d

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    rho : float
        How much of the averages is kept at each step.
    eps : float
        Keeps the division finite, and the first steps from being 0.
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
        If an option is negative or NaN, `rho` is above 1, or for parameters as in `Optimizer`.

    References
    ----------
    M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Adadelta([w], rho=0.75, eps=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([-0.3093, -0.4106], requires_grad=True)
    """

    _counts = True
    _always = ("square_avg", "acc_delta")
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "rho", options["rho"], most=1.0)
        for name in ("lr", "eps", "weight_decay"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        rho = float(group["rho"])
        lr, eps, decay = map(float, (group["lr"], group["eps"], group["weight_decay"]))
        for slot, grad in ready:
            slot.tick()
            square, moved = slot.state
            adadelta_step(slot.array, grad, square, moved, sign, decay, rho, 1.0 - rho, eps, lr)
