"""SGD: stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .optimizer import Group, Optimizer, Params, Run, check_range


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
    lr : float
        Learning rate.
    momentum : float
    dampening : float
        Share of each gradient that momentum leaves out.
    weight_decay : float
        Factor of an L2 penalty.
    nesterov : bool
    maximize : bool
        Go up the gradient instead of down.

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
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
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

    def _update(self, group: Group, run: Run, grad: Any) -> None:
        state = run.state
        update(
            run.param,
            grad,
            state[0] if state else None,
            run.step,
            run.work,
            lr=float(group["lr"]),
            momentum=float(group["momentum"]),
            dampening=float(group["dampening"]),
            weight_decay=float(group["weight_decay"]),
            nesterov=group["nesterov"],
            first=run.first,
        )
        run.first = False


def update(
    param: np.ndarray,
    grad: np.ndarray,
    momentum_buffer: np.ndarray | None,
    step: np.ndarray,
    work: np.ndarray,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """Write what `param` loses in one step into `step`, and advance the momentum.

    All arrays are of one shape and dtype. `param` (read only if there is weight decay) and `grad`
    stay as they are, except that `grad` may be `work`, which is overwritten.
    """
    if weight_decay:
        np.multiply(param, weight_decay, step)
        grad = np.add(grad, step, work)
    if momentum_buffer is None:
        np.multiply(grad, lr, step)
        return
    if first:
        momentum_buffer[...] = grad
    else:
        np.multiply(momentum_buffer, momentum, momentum_buffer)
        if dampening:
            np.multiply(grad, 1 - dampening, step)
            np.add(momentum_buffer, step, momentum_buffer)
        else:
            np.add(momentum_buffer, grad, momentum_buffer)
    if nesterov:
        np.multiply(momentum_buffer, momentum, step)
        np.add(step, grad, step)
        np.multiply(step, lr, step)
    else:
        np.multiply(momentum_buffer, lr, step)
