"""SGD: stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import sgd_step

from .checks import check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum if wanted.

    With the gradient g of parameter p at step t::

        g = g + weight_decay * p
        b = g                                       at the first step
        b = momentum * b + (1 - dampening) * g      later
        d = g + momentum * b  if nesterov else  b
        p = p - lr * d

    Without momentum d is g. (Sutskever et al. put the learning rate into b; this form, PyTorch's,
    behaves better when the rate changes.)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    momentum : float
    dampening : float
        Share of each gradient that momentum leaves out.
    weight_decay : float
        Factor of an L2 penalty.
    nesterov : bool
    maximize : bool
        Go up the gradient instead of down.
    foreach, fused
        Accepted for PyTorch's sake: there is one implementation, whatever they say.
    differentiable : bool
        Must be False: a step records nothing.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If an option is negative or NaN, nesterov is asked for without momentum or with dampening,
        or for parameters as in `Optimizer`.

    References
    ----------
    H. Robbins and S. Monro, "A Stochastic Approximation Method", 1951.
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
    momentum in deep learning", 2013.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    _sometimes = ("momentum_buffer",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "lr", options["lr"])
        momentum = check_range(who, "momentum", options["momentum"])
        dampening = check_range(who, "dampening", options["dampening"], low=float("-inf"))
        check_range(who, "weight_decay", options["weight_decay"])
        if options["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"{who}: nesterov needs momentum > 0 and dampening 0, not momentum "
                f"{options['momentum']!r} and dampening {options['dampening']!r}"
            )

    def _names(self, group: Group) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr, decay, momentum = map(float, (group["lr"], group["weight_decay"], group["momentum"]))
        take = 1.0 - float(group["dampening"])
        lead = momentum if group["nesterov"] else 0.0
        for slot, grad in ready:
            array = slot.array
            if not momentum:
                sgd_step(array, grad, None, sign, decay, 0.0, 1.0, 0.0, lr)
            elif slot.first:
                sgd_step(array, grad, slot.state[0], sign, decay, 0.0, 1.0, lead, lr)
                slot.first = False
            else:
                sgd_step(array, grad, slot.state[0], sign, decay, momentum, take, lead, lr)
