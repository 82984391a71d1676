"""Adafactor: Adam whose squares are kept by rows and columns only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import scale_by, sgd_step, sum_of_squares
from autograd.kernels import sum as array_sum

from .checks import check_range, check_several
from .optimizer import Optimizer, Params
from .slots import Group, Slot


class Adafactor(Optimizer):
    r"""Adafactor: steps scaled by a mean square that is stored as a row and a column.

    With the gradient g of parameter p at step t = 1, 2, ..., where means are over the last
    dimension (R), the last but one (C), or all elements (of p and u)::

        w = t**beta2_decay
        a = min(lr, 1 / sqrt(t)) * max(eps[1], sqrt(mean(p**2)))
        p = (1 - lr * weight_decay) * p
        R = (1 - w) * R + w * mean(g**2)
        C = (1 - w) * C + w * mean(g**2)
        V = R C / max(mean(R), eps[0])              for matrices, and stacks of them
        V = (1 - w) * V + w * g**2                  for vectors and numbers
        u = g / sqrt(max(V, eps[0]**2))
        p = p - a * u / max(1, sqrt(mean(u**2)) / d)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        See `Optimizer`.
    lr : float or Tensor
        The largest share by which a step changes the parameters; not a rate as in `SGD`.
    beta2_decay : float
        Power, <= 0, with which the averages slow down.
    eps : tuple of two floats
        The smallest root of the mean square, None for the machine epsilon of the parameter's
        dtype; and the least size that a parameter counts as.
    d : float
        Above this the root mean square of a step is clipped.
    weight_decay : float
        Share of the parameter, times lr, that is taken off at each step.
    foreach
        Accepted for PyTorch's sake: there is one implementation, whatever it says.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If an option is NaN, `beta2_decay` is above 0, `d` below 1, another one negative, or for
        parameters as in `Optimizer`.

    References
    ----------
    N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([[1.0, -2.0], [4.0, 2.0]], requires_grad=True)
    >>> optimizer = optim.Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> {name: value.shape for name, value in optimizer.state[w].items() if name != "step"}
    {'row_var': (2, 1), 'col_var': (1, 2)}
    """

    _counts = True
    _always = ("row_var", "col_var", "variance")
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        check_range(who, "lr", options["lr"])
        check_range(who, "beta2_decay", options["beta2_decay"], low=-math.inf, most=0.0)
        floor, least = check_several(who, "eps", options["eps"], 2)
        if floor is not None:
            check_range(who, "eps[0]", floor)
        check_range(who, "eps[1]", least)
        check_range(who, "d", options["d"], low=1.0)
        check_range(who, "weight_decay", options["weight_decay"])

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    def _shapes(self, names: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """A row and a column of each matrix, or all of a vector or number."""
        if len(shape) < 2:
            return {"variance": shape} if names else {}
        several = {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
        return several if names else {}

    @np.errstate(all="ignore")  # as silent as the compiled steps of other optimizers
    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        lr, decay, clip = map(float, (group["lr"], group["weight_decay"], group["d"]))
        floor, least = group["eps"]
        for slot, grad in ready:
            t = slot.tick()
            param = slot.array
            if not param.size:
                continue
            small = float(np.finfo(param.dtype).eps if floor is None else floor)
            share = min(lr, t**-0.5) * max(float(least), root_mean_square(param))
            if decay:
                scale_by(param, 1.0 - lr * decay)
            update = scaled(grad, slot.state, t ** float(group["beta2_decay"]), small)
            rate = share / max(1.0, root_mean_square(update) / clip)
            sign = -1.0 if group["maximize"] else 1.0
            sgd_step(param, update, None, sign, 0.0, 0.0, 1.0, 0.0, rate)


def scaled(grad: np.ndarray, state: list[np.ndarray], weight: float, small: float) -> np.ndarray:
    """The gradient over the root of its mean square, of which `state` takes in a new part."""
    square = grad * grad
    if len(state) == 1:
        (variance,) = state
        variance += weight * (square - variance)
        spread = np.maximum(variance, small * small)
    else:
        row, column = state
        for mean, dim in ((row, grad.ndim - 1), (column, grad.ndim - 2)):
            new = array_sum(square, dim=(dim,), keepdim=True) / grad.shape[dim]
            mean += weight * (new - mean)
        size = np.maximum(row.mean(axis=-2, keepdims=True), small)
        spread = np.multiply(row / size, column, out=square)
        np.maximum(spread, small * small, out=spread)
    spread = np.sqrt(spread, out=np.asarray(spread))
    return np.divide(grad, spread, out=spread)


def root_mean_square(x: np.ndarray) -> float:
    """Of all elements."""
    return math.sqrt(sum_of_squares(x) / x.size)
