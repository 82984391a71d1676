"""Rprop: steps of a size that only the signs of gradients change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import rprop_step

from .checks import check_range, check_several
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Rprop(Optimizer):
    r"""Resilient backpropagation.

    With the gradient g of parameter p and that of the step before, h, for every element::

        s = s * etas[1]  if g * h > 0               s is at first lr, and is kept
        s = s * etas[0]  if g * h < 0               between the two step_sizes
        g = 0            if g * h < 0
        p = p - sign(g) * s
        h = g

    Meant for gradients of the whole data set: a batch's have random signs.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        Size of the first step.
    etas : tuple of two floats
        Factors of the step where the gradient changed its sign, and where it did not.
    step_sizes : tuple of two floats
        The smallest and the largest step.
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
        If an option is negative or NaN, not ``0 < etas[0] < 1 < etas[1]``, the smallest
        step is above the largest, or for parameters as in `Optimizer`.

    References
    ----------
    M. Riedmiller and H. Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The
    RPROP Algorithm", 1993.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Rprop([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    _counts = True
    _always = ("prev", "step_size")
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "lr", options["lr"])
        shrink, grow = (
            check_range(who, f"etas[{i}]", eta)
            for i, eta in enumerate(check_several(who, "etas", options["etas"], 2))
        )
        if not 0.0 < shrink < 1.0 < grow:
            raise ValueError(f"{who}: etas must be 0 < a < 1 < b, not {options['etas']!r}")
        low, high = (
            check_range(who, f"step_sizes[{i}]", size)
            for i, size in enumerate(check_several(who, "step_sizes", options["step_sizes"], 2))
        )
        if low > high:
            raise ValueError(
                f"{who}: step_sizes must be the smallest and the largest, not "
                f"{options['step_sizes']!r}"
            )

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _initial(self, name: str, group: Group) -> float:
        return float(group["lr"]) if name == "step_size" else 0.0

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        shrink, grow = map(float, group["etas"])
        low, high = map(float, group["step_sizes"])
        for slot, grad in ready:
            slot.tick()
            previous, size = slot.state
            rprop_step(slot.array, grad, previous, size, sign, shrink, grow, low, high)
