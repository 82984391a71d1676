"""Schedules along a cosine, once or again and again."""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .base import LRScheduler, check_int, check_number, check_positive


class CosineAnnealingLR(LRScheduler):
    """Let the learning rate fall along half a wave of a cosine (and rise along the other half).

    At epoch t the rate is ``eta_min + (initial_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2``,
    unless something else changes it too: each step moves the present rate by the ratio of two such
    values.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Epochs until the lowest rate.
    eta_min : float
        The lowest rate.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `T_max` is not a number > 0 or `eta_min` is not a number.
    TypeError, KeyError
        As for `LRScheduler`.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017
    (without the restarts).

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = check_positive("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = check_number("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self._is_initial:
            return self._present_rates
        t, low = self.last_epoch, self.eta_min
        if self._step_count == 1 and t > 0:
            return self._get_closed_form_lr()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # at the lowest rate the ratio has no end
            rise = (1.0 - math.cos(math.pi / self.T_max)) / 2.0
            pairs = zip(self._present_rates, self.base_lrs, strict=False)
            return [rate + (base - low) * rise for rate, base in pairs]
        now, before = (1.0 + math.cos(math.pi * s / self.T_max) for s in (t, t - 1))
        return [now / before * (rate - low) + low for rate in self._present_rates]

    def _get_closed_form_lr(self) -> list[float]:
        share = (1.0 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2.0
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the learning rate fall along half a wave of a cosine, and begin anew.

    With T_cur epochs since the last restart, and T_i epochs from it to the next, the rate is
    ``eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2``.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        Epochs until the first restart.
    T_mult : int
        How many times as long each period is as the one before.
    eta_min : float
        The lowest rate.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `T_0` or `T_mult` is not an integer >= 1 or `eta_min` is not a number.
    TypeError, KeyError
        As for `LRScheduler`.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 1.0, 0.8536, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        who = "CosineAnnealingWarmRestarts"
        self.T_0 = check_int(who, "T_0", T_0, 1)
        self.T_i: float = self.T_0
        self.T_mult = check_int(who, "T_mult", T_mult, 1)
        self.eta_min = check_number(who, "eta_min", eta_min)
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        share = (1.0 + math.cos(math.pi * self.T_cur / self.T_i)) / 2.0
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to any place, between epochs too.

        Parameters
        ----------
        epoch : float, optional
            The place, such as ``epoch + i / len(loader)`` after each batch.

        Raises
        ------
        ValueError
            If `epoch` is negative or NaN.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is not None:
            check_number("CosineAnnealingWarmRestarts.step", "epoch", epoch, 0.0)
            self.T_cur, self.T_i = self._place(epoch)
        else:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._set_rates(self.get_lr)

    def _place(self, epoch: float) -> tuple[float, float]:
        """How long ago the last restart was at some epoch, and how long its period is."""
        if self.T_mult == 1:
            return epoch % self.T_0, self.T_0
        begin, period = 0, self.T_0
        while epoch >= begin + period:
            begin, period = begin + period, period * self.T_mult
        return epoch - begin, period
