"""Averages of weights: how they are taken, and the schedule that goes with them.

`nn.swa_utils` has the modules that do it, and these names too: what is imported from
``torch.optim.swa_utils`` is all there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd import Tensor, no_grad

from .lr_scheduler.base import (
    LRScheduler,
    check_int,
    check_number,
    check_optimizer,
    check_word,
    for_each_group,
)
from .optimizer import Optimizer

AverageFunction = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverageFunction = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]

STRATEGIES = ("cos", "linear")


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverageFunction:
    """Return a function that moves averages towards new values, exponentially, in place.

    ``average = decay * average + (1 - decay) * value``

    Parameters
    ----------
    decay : float
        Between 0 and 1.

    Returns
    -------
    callable
        Of a list of averages, a list of values and the number of values so far (not used).

    Raises
    ------
    ValueError
        If `decay` is not a number between 0 and 1.

    Examples
    --------
    >>> import autograd
    >>> average = autograd.tensor([1.0, 2.0])
    >>> get_ema_multi_avg_fn(0.75)([average], [autograd.tensor([5.0, 2.0])], 3)
    >>> average
    tensor([2., 2.])
    """
    check_number("get_ema_multi_avg_fn", "decay", decay, 0.0, 1.0)

    @no_grad()
    def ema_update(averages: Sequence[Tensor], values: Sequence[Tensor], count: Any) -> None:
        for average, value in zip(averages, values, strict=True):
            if average.dtype.kind == "f":
                average.lerp_(value.detach(), 1.0 - decay)
            else:  # rounded towards 0
                average.copy_(average * decay + value * (1.0 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> MultiAverageFunction:
    """Return a function that takes new values into plain averages, in place.

    ``average = average + (value - average) / (count + 1)``

    Returns
    -------
    callable
        Of a list of averages, a list of values and the number of values so far.

    Examples
    --------
    >>> import autograd
    >>> average = autograd.tensor([1.0, 2.0])
    >>> get_swa_multi_avg_fn()([average], [autograd.tensor([5.0, 2.0])], 3)
    >>> average
    tensor([2., 2.])
    """

    @no_grad()
    def swa_update(averages: Sequence[Tensor], values: Sequence[Tensor], count: Any) -> None:
        for average, value in zip(averages, values, strict=True):
            if average.dtype.kind == "f":
                average.lerp_(value.detach(), 1.0 / (float(count) + 1.0))
            else:  # rounded towards 0
                average.copy_(average + (value - average) / (float(count) + 1.0))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> AverageFunction:
    """Return a function that gives an exponential average with a new value taken in.

    ``decay * average + (1 - decay) * value``

    Parameters
    ----------
    decay : float
        Between 0 and 1.

    Returns
    -------
    callable
        Of an average, a value and the number of values so far (not used).

    Raises
    ------
    ValueError
        If `decay` is not a number between 0 and 1.

    Examples
    --------
    >>> import autograd
    >>> get_ema_avg_fn(0.75)(autograd.tensor([1.0, 2.0]), autograd.tensor([5.0, 2.0]), 3)
    tensor([2., 2.])
    """
    check_number("get_ema_avg_fn", "decay", decay, 0.0, 1.0)

    @no_grad()
    def ema_update(average: Tensor, value: Tensor, count: Any) -> Tensor:
        return decay * average + (1.0 - decay) * value

    return ema_update


def get_swa_avg_fn() -> AverageFunction:
    """Return a function that gives a plain average with a new value taken in.

    ``average + (value - average) / (count + 1)``

    Returns
    -------
    callable
        Of an average, a value and the number of values so far.

    Examples
    --------
    >>> import autograd
    >>> get_swa_avg_fn()(autograd.tensor([1.0, 2.0]), autograd.tensor([5.0, 2.0]), 3)
    tensor([2., 2.])
    """

    @no_grad()
    def swa_update(average: Tensor, value: Tensor, count: Any) -> Tensor:
        return average + (value - average) / (float(count) + 1.0)

    return swa_update


class SWALR(LRScheduler):
    r"""Move the learning rate to a constant one, for averages of weights.

    Within `anneal_epochs` steps the rate goes from that of before to `swa_lr`, along half a cosine
    or a line, and stays there.

    Parameters
    ----------
    optimizer : Optimizer
    swa_lr : float or list of float
        The rate to reach: one number for all groups, or one for each.
    anneal_epochs : int
    anneal_strategy : str
        "cos" or "linear".
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a list is not as long as the groups, `anneal_epochs` is not an integer >= 0, or
        `anneal_strategy` is unknown.
    TypeError, KeyError
        As for `LRScheduler`.

    References
    ----------
    P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.2, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.6, 0.2, 0.2, 0.2]
    """

    _counts = LRScheduler._counts | {"anneal_epochs"}
    _words: ClassVar = {"_anneal_strategy": STRATEGIES}

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SWALR", optimizer)
        rates = for_each_group("SWALR", "swa_lr", swa_lr, optimizer)
        self._anneal_strategy = check_word("SWALR", "anneal_strategy", anneal_strategy, STRATEGIES)
        self.anneal_epochs = check_int("SWALR", "anneal_epochs", anneal_epochs, 0)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is behind at a step."""
        done = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1.0 - math.cos(math.pi * done)) / 2.0 if self._anneal_strategy == "cos" else done

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        found = []
        for i, (group, rate) in enumerate(
            zip(self.optimizer.param_groups, self._present_rates, strict=True)
        ):
            if "swa_lr" not in group:
                raise ValueError(
                    f"SWALR.step: parameter group {i} was added later, and has no 'swa_lr'"
                )
            goal = group["swa_lr"]
            # What the rate would be if nothing had been moved yet.
            start = goal if before == 1.0 else (rate - before * goal) / (1.0 - before)
            found.append(goal * now + start * (1.0 - now))
        return found
