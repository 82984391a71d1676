"""Muon: momentum whose matrices are made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import matmul, scale_by, sgd_step, sum_of_squares

from .checks import check_count, check_range, check_several
from .optimizer import Optimizer, Params
from .slots import Group, Slot

# PyTorch refuses as many, too: long before, rounding is all that is left to remove.
MOST_STEPS = 99

RATES = (None, "original", "match_rms_adamw")


class Muon(Optimizer):
    r"""Muon: momentum, orthogonalized by Newton and Schulz's iteration.

    With the gradient g of a matrix p of A rows and B columns::

        m = momentum * m + (1 - momentum) * g
        X = momentum * m + (1 - momentum) * g  if nesterov else  m
        X = X / max(|X|, eps)                       |X| the root of the sum of squares
        G = X X^T;  X = a X + (b G + c G G) X       ns_steps times
        p = (1 - lr * weight_decay) * p - lr * r * X

    where (a, b, c) are `ns_coefficients` and the factor r of the rate is ``sqrt(max(1, A / B))``
    for "original", ``0.2 * sqrt(max(A, B))`` for "match_rms_adamw".

    X comes near the orthogonal matrix that is closest to it: all directions of a step are of one
    length. The iteration runs in the dtype of the parameter (PyTorch's in bfloat16). Meant for the
    matrices of hidden layers; give embeddings, biases and the last layer to `AdamW`.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Matrices. See `Optimizer`.
    lr : float or Tensor
        Learning rate.
    weight_decay : float
        Share of the parameter, times lr, that is taken off at each step.
    momentum : float
    nesterov : bool
    ns_coefficients : tuple of three floats
    eps : float
        Keeps the division finite.
    ns_steps : int
        Steps of the iteration, less than 100.
    adjust_lr_fn : str, optional
        "original" (as without it) or "match_rms_adamw", with which the rate and the weight decay of
        `AdamW` can be kept.

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If a parameter is not a matrix, an option is negative or NaN, `adjust_lr_fn` is not one of
        those, or for parameters as in `Optimizer`.

    References
    ----------
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    J. Liu et al., "Muon is Scalable for LLM Training", 2025.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([[1.0, 0.0], [0.0, 5.0]], requires_grad=True)
    >>> optimizer = optim.Muon([w], lr=0.5, weight_decay=0.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach().diagonal()
    tensor([0.6016, 4.6389])
    """

    _always = ("momentum_buffer",)
    _sometimes = ()

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        for name in ("lr", "weight_decay", "momentum", "eps"):
            check_range(who, name, options[name])
        for i, value in enumerate(
            check_several(who, "ns_coefficients", options["ns_coefficients"], 3)
        ):
            check_range(who, f"ns_coefficients[{i}]", value, low=-math.inf)
        if check_count(who, "ns_steps", options["ns_steps"]) > MOST_STEPS:
            raise ValueError(f"{who}: ns_steps must be < 100, not {options['ns_steps']}")
        if options["adjust_lr_fn"] not in RATES:
            raise ValueError(
                f"{who}: adjust_lr_fn must be one of 'original' and 'match_rms_adamw', not "
                f"{options['adjust_lr_fn']!r}"
            )

    def _check_parameter(self, param: Tensor, what: str) -> None:
        if param.ndim != 2:
            raise ValueError(
                f"{what} has shape {param.shape}, but Muon is for matrices only; give others to "
                "another optimizer, such as AdamW"
            )

    def _names(self, group: Group) -> tuple[str, ...]:
        return self._always

    @np.errstate(all="ignore")  # as silent as the compiled steps of other optimizers
    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        lr, decay, eps = map(float, (group["lr"], group["weight_decay"], group["eps"]))
        momentum = float(group["momentum"])
        a, b, c = map(float, group["ns_coefficients"])
        for slot, grad in ready:
            param, (mean,) = slot.array, slot.state
            mean += (1.0 - momentum) * (grad - mean)
            step = grad + momentum * (mean - grad) if group["nesterov"] else mean
            step = orthogonalized(step, (a, b, c), group["ns_steps"], eps)
            scale_by(param, 1.0 - lr * decay)
            rate = lr * adjustment(group["adjust_lr_fn"], *param.shape)
            sgd_step(param, step, None, 1.0, 0.0, 0.0, 1.0, 0.0, rate)


def orthogonalized(
    matrix: np.ndarray, coefficients: tuple[float, float, float], steps: int, eps: float
) -> np.ndarray:
    """A matrix with the singular vectors of another, and singular values near 1."""
    a, b, c = coefficients
    rows, columns = matrix.shape
    x = matrix.T if rows > columns else matrix  # the smaller of the two products with itself
    x = x / max(math.sqrt(sum_of_squares(matrix)), eps)
    for _ in range(steps):
        gram = matmul(x, x.T)
        x = a * x + matmul(b * gram + c * matmul(gram, gram), x)
    return x.T if rows > columns else x


def adjustment(name: str | None, rows: int, columns: int) -> float:
    """The factor of the learning rate for a matrix of some shape."""
    if name == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1.0, rows / columns)) if columns else 1.0
