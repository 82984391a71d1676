"""OneCycleLR: one rise to a high rate, and a fall to one far below the first."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..optimizer import Optimizer
from .base import (
    LRScheduler,
    check_int,
    check_number,
    check_optimizer,
    check_positive,
    check_word,
    for_each_group,
)
from .momentum import begin_momentum, check_momentum, set_momentum

STRATEGIES = ("cos", "linear")


class OneCycleLR(LRScheduler):
    r"""One cycle of the learning rate; to be stepped after each batch.

    The rate goes from ``max_lr / div_factor`` to `max_lr` in the first ``pct_start * total_steps``
    steps, and then to ``max_lr / div_factor / final_div_factor``; with three phases back to where
    it began as fast as it rose, and on from there. In each phase it follows half a cosine or a
    line.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        The highest rate: one number for all groups, or one for each.
    total_steps : int, optional
        Steps of the cycle. Without it, `epochs` times `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        Share of the steps in which the rate rises.
    anneal_strategy : str
        "cos" or "linear".
    cycle_momentum : bool
        Move the momentum the other way: "momentum", or the first of "betas", of the optimizer.
    base_momentum, max_momentum : float or list of float
        The lowest and the highest momentum: where the rate is highest, and where it is lowest.
    div_factor : float
        How many times as high as the first rate the highest is.
    final_div_factor : float
        How many times as high as the last rate the first is.
    three_phase : bool
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If the number of steps is not given or no integer >= 1, a list is not as long as the groups,
        a number is NaN or out of its range, or `cycle_momentum` is True and the optimizer has no
        momentum. At the step after the last.
    TypeError, KeyError
        As for `LRScheduler`.

    References
    ----------
    L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", 2018.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.OneCycleLR(
    ...     optimizer, 1.0, total_steps=5, pct_start=0.4, div_factor=4.0, cycle_momentum=False
    ... )
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     if epoch < 4:
    ...         scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [0.25, 1.0, 0.75, 0.25, 0.0]
    """

    _counts = LRScheduler._counts | {"total_steps"}
    _words: ClassVar = {"_anneal_func_type": STRATEGIES}

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        who = "OneCycleLR"
        check_optimizer(who, optimizer)
        if total_steps is not None:
            self.total_steps = check_int(who, "total_steps", total_steps, 1)
        elif epochs is not None and steps_per_epoch is not None:
            several = check_int(who, "epochs", epochs, 1)
            self.total_steps = several * check_int(who, "steps_per_epoch", steps_per_epoch, 1)
        else:
            raise ValueError(f"{who}: give total_steps, or both epochs and steps_per_epoch")
        pct_start = check_number(who, "pct_start", pct_start, 0.0, 1.0)
        self._schedule_phases = phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = check_word(who, "anneal_strategy", anneal_strategy, STRATEGIES)
        max_lrs = for_each_group(who, "max_lr", max_lr, optimizer)
        div_factor = check_positive(who, "div_factor", div_factor)
        final_div_factor = check_positive(who, "final_div_factor", final_div_factor)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = check_momentum(who, optimizer)
            lowest = for_each_group(who, "base_momentum", base_momentum, optimizer)
            highest = for_each_group(who, "max_momentum", max_momentum, optimizer)
            if last_epoch == -1:
                begin_momentum(optimizer, lowest, highest, self.use_beta1)
        if last_epoch == -1:
            for group, most in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = most / div_factor
                group["max_lr"] = most
                group["min_lr"] = most / div_factor / final_div_factor
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        """A value on the way from one to the other."""
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1.0)
        return (end - start) * share + start

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for step `last_epoch`, and set the momentum."""
        self._expect_step()
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR.step: the schedule has {self.total_steps} steps, and this would be "
                f"step {t}"
            )
        begin = 0.0
        phase = self._schedule_phases[-1]
        for phase in self._schedule_phases:
            if t <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            begin = phase["end_step"]
        length = phase["end_step"] - begin
        share = (t - begin) / length if length else 1.0
        rates = []
        for i, group in enumerate(self.optimizer.param_groups):
            if "max_lr" not in group:
                raise ValueError(
                    f"OneCycleLR.step: parameter group {i} was added later, and has no 'max_lr'"
                )
            start, end = group[phase["start_lr"]], group[phase["end_lr"]]
            rates.append(self._between(start, end, share))
            if self.cycle_momentum:
                start, end = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self._between(start, end, share), self.use_beta1)
        return rates


def phases(share: float, steps: int, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and from which entry of a group to which one it goes."""

    def phase(end: float, lrs: tuple[str, str], momentums: tuple[str, str]) -> dict[str, Any]:
        return {
            "end_step": end,
            "start_lr": lrs[0],
            "end_lr": lrs[1],
            "start_momentum": momentums[0],
            "end_momentum": momentums[1],
        }

    most, least = "max_momentum", "base_momentum"
    up = phase(float(share * steps) - 1, ("initial_lr", "max_lr"), (most, least))
    if not three:
        return [up, phase(steps - 1, ("max_lr", "min_lr"), (least, most))]
    down = phase(float(2 * share * steps) - 2, ("max_lr", "initial_lr"), (least, most))
    return [up, down, phase(steps - 1, ("initial_lr", "min_lr"), (most, most))]
