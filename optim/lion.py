"""Lion: steps of one size, in the direction of a sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import lion_step

from .checks import check_betas, check_range
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Lion(Optimizer):
    r"""Lion: the sign of an average of gradients.

    With the gradient g of parameter p::

        d = sign(beta1 * m + (1 - beta1) * g)
        p = p - lr * (d + weight_decay * p)
        m = beta2 * m + (1 - beta2) * g

    It keeps half the state of `Adam`. Since all elements move by lr, that is to be 3 to 10 times
    smaller than for `AdamW`, and weight_decay as much larger. PyTorch does not have it; arguments
    and state are named as there.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    betas : tuple of two floats
        How much of the average the direction, and the next step, keep.
    weight_decay : float
        Share of the parameter, times lr, that is taken off at each step.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If an option is negative or NaN, a beta is not in [0, 1), or for parameters as in
        `Optimizer`.

    References
    ----------
    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, algorithm 2.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Lion([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    _always = ("exp_avg",)
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_betas(who, options["betas"])
        for name in ("lr", "weight_decay"):
            check_range(who, name, options[name])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        factors = sign, lr * decay, beta1, 1.0 - beta1, beta2, 1.0 - beta2, lr
        for slot, grad in ready:
            lion_step(slot.array, grad, slot.state[0], *factors)
