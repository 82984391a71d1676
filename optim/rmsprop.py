"""RMSprop: steps scaled by a running average of the squared gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import rmsprop_step

from .checks import check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class RMSprop(Optimizer):
    r"""RMSprop, with momentum and centering if wanted.

    With the gradient g of parameter p::

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g                    if centered
        d = g / (sqrt(v - a**2 if centered else v) + eps)
        b = momentum * b + d                               if momentum
        p = p - lr * (b if momentum else d)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    alpha : float
        How much of the averages is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Factor of an L2 penalty.
    momentum : float
    centered : bool
        Divide by an estimate of the gradient's standard deviation (Graves).
    capturable, foreach
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
    T. Tieleman and G. Hinton, "Lecture 6.5: RMSprop", COURSERA: Neural Networks for Machine
    Learning, 2012.
    A. Graves, "Generating Sequences With Recurrent Neural Networks", 2013.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.RMSprop([w], lr=0.25, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    _counts = True
    _always = ("square_avg",)
    _sometimes = ("momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        for name in ("lr", "alpha", "eps", "weight_decay", "momentum"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        if group["centered"]:
            if group["momentum"]:
                return ("square_avg", "momentum_buffer", "grad_avg")
            return ("square_avg", "grad_avg")
        return ("square_avg", "momentum_buffer") if group["momentum"] else ("square_avg",)

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        alpha, momentum = float(group["alpha"]), float(group["momentum"])
        factors = (
            sign,
            float(group["weight_decay"]),
            alpha,
            1.0 - alpha,
            float(group["eps"]),
            momentum,
            float(group["lr"]),
        )
        centered = group["centered"]
        for slot, grad in ready:
            slot.tick()
            state = slot.state
            buffer, average = state[1] if momentum else None, state[-1] if centered else None
            rmsprop_step(slot.array, grad, state[0], buffer, average, *factors)
