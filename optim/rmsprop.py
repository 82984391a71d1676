"""RMSprop: steps scaled by a running average of the squared gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .optimizer import Group, Optimizer, Params, Run, check_range


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
    lr : float
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
    maximize : bool
        Go up the gradient instead of down.

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
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
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

    def _update(self, group: Group, run: Run, grad: Any) -> None:
        run.tick()
        state = run.state
        momentum = float(group["momentum"])
        update(
            run.param,
            grad,
            state[0],
            state[1] if momentum else None,
            state[-1] if group["centered"] else None,
            run.step,
            run.work,
            lr=float(group["lr"]),
            alpha=float(group["alpha"]),
            eps=float(group["eps"]),
            weight_decay=float(group["weight_decay"]),
            momentum=momentum,
        )


def update(
    param: np.ndarray,
    grad: np.ndarray,
    square_avg: np.ndarray,
    momentum_buffer: np.ndarray | None,
    grad_avg: np.ndarray | None,
    step: np.ndarray,
    work: np.ndarray,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
) -> None:
    """Write what `param` loses in one step into `step`, and advance the averages.

    All arrays are of one shape and dtype. `param` (read only if there is weight decay) and `grad`
    stay as they are, except that `grad` may be `work`, which is overwritten.
    """
    if weight_decay:
        np.multiply(param, weight_decay, step)
        grad = np.add(grad, step, work)
    np.multiply(grad, grad, step)
    np.multiply(step, 1 - alpha, step)
    np.multiply(square_avg, alpha, square_avg)
    np.add(square_avg, step, square_avg)
    if grad_avg is None:
        np.sqrt(square_avg, step)
    else:
        np.subtract(grad, grad_avg, step)
        np.multiply(step, 1 - alpha, step)
        np.add(grad_avg, step, grad_avg)
        np.multiply(grad_avg, grad_avg, step)
        np.subtract(square_avg, step, step)
        # A steady gradient has no variance, and rounding may make that less than none, whose root
        # would be NaN for good.
        np.maximum(step, 0, out=step)
        np.sqrt(step, step)
    np.add(step, eps, step)
    np.divide(grad, step, step)
    if momentum_buffer is not None:
        np.multiply(momentum_buffer, momentum, momentum_buffer)
        np.add(momentum_buffer, step, momentum_buffer)
        np.multiply(momentum_buffer, lr, step)
    else:
        np.multiply(step, lr, step)
