"""Schedules that multiply the rate: by steps, on a line, by powers."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, check_int, check_number, check_positive, is_int, unboxed


class StepLR(LRScheduler):
    """Multiply the learning rate of every group by `gamma` every `step_size` epochs.

    At epoch t the rate is ``initial_lr * gamma ** (t // step_size)``, unless something else
    changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        Epochs between changes.
    gamma : float
        Factor at each change.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `step_size` is not an integer >= 1 or `gamma` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    _counts = LRScheduler._counts | {"step_size"}

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = check_int("StepLR", "step_size", step_size, 1)
        self.gamma = check_number("StepLR", "gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._present_rates
        return [rate * self.gamma for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        factor = self.gamma ** (self.last_epoch // self.step_size)
        return [base * factor for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiply the learning rate of every group by `gamma` at some epochs.

    At epoch t the rate is ``initial_lr * gamma ** n``, where n of the milestones are <= t, unless
    something else changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        Epochs of the changes; one that occurs twice counts twice.
    gamma : float
        Factor at each change.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a milestone is not an integer or `gamma` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        epochs = [unboxed(epoch) for epoch in milestones]
        for epoch in epochs:
            if not is_int(epoch):
                raise ValueError(f"MultiStepLR: milestones must be integers, not {epoch!r}")
        self.milestones = Counter(epochs)
        self.gamma = check_number("MultiStepLR", "gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self.last_epoch not in self.milestones:
            return self._present_rates
        factor = self.gamma ** self.milestones[self.last_epoch]
        return [rate * factor for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        factor = self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * factor for base in self.base_lrs]

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        if name != "milestones":
            return super()._fits(name, own, given)
        return isinstance(given, dict) and all(map(is_int, [*given, *given.values()]))

    def _take(self, state: dict[str, Any]) -> None:
        super()._take({**state, "milestones": Counter(state["milestones"])})


class ConstantLR(LRScheduler):
    """Make the learning rate of every group smaller for the first epochs.

    The rate is ``initial_lr * factor`` before epoch `total_iters`, and then `initial_lr`, unless
    something else changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float
        Between 0 and 1.
    total_iters : int
        Epochs with the factor.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `factor` is not between 0 and 1, or `total_iters` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=3)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [0.5, 0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factor = check_number("ConstantLR", "factor", factor, 0.0, 1.0)
        self.total_iters = check_number("ConstantLR", "total_iters", total_iters, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._present_rates]
        if self.last_epoch != self.total_iters:
            return self._present_rates
        if self.factor == 0.0:  # nothing is left to be divided by it
            return self.base_lrs
        return [rate * (1.0 / self.factor) for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        factor = self.factor if self.last_epoch < self.total_iters else 1.0
        return [base * factor for base in self.base_lrs]


class LinearLR(LRScheduler):
    """Move a factor of the learning rate from one number to another, on a straight line.

    At epoch t the rate is ``initial_lr * (start_factor + (end_factor - start_factor) * min(t,
    total_iters) / total_iters)``, unless something else changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float
        Above 0, at most 1.
    end_factor : float
        Between 0 and 1.
    total_iters : int
        Epochs on the line.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a factor is out of its range, or `total_iters` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        who = "LinearLR"
        check_number(who, "start_factor", start_factor, 0.0, 1.0)
        self.start_factor = check_positive(who, "start_factor", start_factor)
        self.end_factor = check_number(who, "end_factor", end_factor, 0.0, 1.0)
        self.total_iters = check_number(who, "total_iters", total_iters, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in self._present_rates]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present_rates
        slope = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * slope
        return [rate * (1.0 + slope / before) for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        done = min(self.total_iters, self.last_epoch) / (self.total_iters or 1)
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [base * factor for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiply the learning rate of every group by `gamma` at every epoch.

    At epoch t the rate is ``initial_lr * gamma ** t``, unless something else changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        Factor at each epoch.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `gamma` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = check_number("ExponentialLR", "gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self._is_initial:
            return self._present_rates
        return [rate * self.gamma for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """Let the learning rate fall to 0 like a power of the epochs that are left.

    At epoch t the rate is ``initial_lr * (1 - min(t, total_iters) / total_iters) ** power``,
    unless something else changes it too.

    Parameters
    ----------
    optimizer : Optimizer
    total_iters : int
        Epochs until 0.
    power : float
        1 for a straight line.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `total_iters` or `power` is not a number >= 0.
    TypeError, KeyError
        As for `LRScheduler`.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = check_number("PolynomialLR", "total_iters", total_iters, 0.0)
        self.power = check_number("PolynomialLR", "power", power, 0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present_rates
        left, before = (1.0 - t / self.total_iters for t in (self.last_epoch, self.last_epoch - 1))
        return [rate * (left / before) ** self.power for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        done = min(self.total_iters, self.last_epoch) / (self.total_iters or 1)
        return [base * (1.0 - done) ** self.power for base in self.base_lrs]
