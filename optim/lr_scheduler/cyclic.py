"""CyclicLR: rates that go up and down between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from ..optimizer import Optimizer
from .base import (
    LRScheduler,
    check_number,
    check_optimizer,
    check_positive,
    check_word,
    for_each_group,
    restore_function,
    saved_function,
    set_rate,
)
from .momentum import begin_momentum, check_momentum, set_momentum

MODES = ("triangular", "triangular2", "exp_range")
SCALE_MODES = ("cycle", "iterations")


class CyclicLR(LRScheduler):
    r"""Let the learning rate go up and down between two bounds; to be stepped after each batch.

    In a cycle the rate rises on a line for `step_size_up` steps, and falls for `step_size_down`.
    The height of cycle c = 1, 2, ... at step t is that between the bounds times

    - 1 for "triangular",
    - ``1 / 2**(c - 1)`` for "triangular2",
    - ``gamma**t`` for "exp_range",
    - ``scale_fn(c)`` or ``scale_fn(t)``, if there is one.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float or list of float
        The bounds: one number for all groups, or one for each.
    step_size_up : int
        Steps of the rising half.
    step_size_down : int, optional
        Steps of the falling half; as many without it.
    mode : str
        "triangular", "triangular2" or "exp_range"; of no effect with `scale_fn`.
    gamma : float
        For "exp_range".
    scale_fn : callable, optional
        From a number to a factor.
    scale_mode : str
        "cycle" or "iterations": what `scale_fn` is given.
    cycle_momentum : bool
        Move the momentum the other way: "momentum", or the first of "betas", of the optimizer.
    base_momentum, max_momentum : float or list of float
        The lowest and the highest momentum: where the rate is highest, and where it is lowest.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a list is not as long as the groups, `mode` is unknown, a number is NaN or out of its
        range, or `cycle_momentum` is True and the optimizer has no momentum.
    TypeError, KeyError
        As for `LRScheduler`.

    References
    ----------
    L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.CyclicLR(
    ...     optimizer, 1.0, 3.0, step_size_up=2, cycle_momentum=False
    ... )
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 2.0, 3.0, 2.0, 1.0]
    """

    _apart = frozenset({"optimizer", "_scale_fn_custom"})
    _words: ClassVar = {"mode": MODES, "scale_mode": SCALE_MODES}

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        who = "CyclicLR"
        check_optimizer(who, optimizer)
        base_lrs = for_each_group(who, "base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group(who, "max_lr", max_lr, optimizer)
        up = float(check_positive(who, "step_size_up", step_size_up))
        down = up
        if step_size_down is not None:
            down = float(check_positive(who, "step_size_down", step_size_down))
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if scale_fn is None:
            check_word(who, "mode", mode, MODES)
        elif not callable(scale_fn):
            raise TypeError(f"{who}: scale_fn must be a function, not {type(scale_fn).__name__}")
        self.mode = mode
        self.gamma = check_number(who, "gamma", gamma)
        self._scale_fn_custom = scale_fn
        self.scale_mode = check_word(who, "scale_mode", scale_mode, SCALE_MODES)
        self._init_scale_mode()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = check_momentum(who, optimizer)
            self.base_momentums = for_each_group(who, "base_momentum", base_momentum, optimizer)
            self.max_momentums = for_each_group(who, "max_momentum", max_momentum, optimizer)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_rate(group, lr)
            if cycle_momentum:
                begin_momentum(optimizer, self.base_momentums, self.max_momentums, self.use_beta1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_mode(self) -> None:
        """Scale by what the mode means, whatever was asked for."""
        if self._scale_fn_custom is None:
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: float) -> float:
        """Height of a cycle: the factor at a cycle or step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1.0 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for step `last_epoch`, and set the momentum."""
        self._expect_step()
        turns = self.last_epoch / self.total_size
        cycle = math.floor(1 + turns)
        x = 1.0 + turns - cycle
        rising = x <= self.step_ratio
        height = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            several = zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=False
            )
            for group, low, high in several:
                set_momentum(group, high - (high - low) * height, self.use_beta1)
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in bounds]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, and of `scale_fn` what `LambdaLR` keeps."""
        return {**super().state_dict(), "_scale_fn_custom": saved_function(self._scale_fn_custom)}

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        if name == "_scale_fn_custom":
            return given is None or (isinstance(given, dict) and own is not None)
        return super()._fits(name, own, given)

    def _take(self, state: dict[str, Any]) -> None:
        restore_function(self._scale_fn_custom, state.pop("_scale_fn_custom"))
        super()._take(state)
        self._init_scale_mode()
