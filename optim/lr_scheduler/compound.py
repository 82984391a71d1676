"""Schedules made of others: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, is_int, set_rate
from .plateau import ReduceLROnPlateau


class Compound(LRScheduler):
    """What schedules made of others share: their state."""

    _apart = frozenset({"optimizer", "_schedulers"})
    _schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, and the states of the schedules."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def _refuse_epoch(self, epoch: int | None) -> None:
        if epoch is not None:
            raise TypeError(f"{type(self).__name__}.step takes no epoch; call step() once an epoch")

    def _checked(self, state_dict: Mapping[str, Any]) -> dict[str, Any]:
        new = super()._checked(state_dict)
        pairs = zip(self._schedulers, state_dict["_schedulers"], strict=True)
        new["_schedulers"] = [scheduler._checked(state) for scheduler, state in pairs]
        return new

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        if name == "_schedulers":
            return isinstance(given, list) and len(given) == len(own)
        return super()._fits(name, own, given)

    def _take(self, state: dict[str, Any]) -> None:
        for scheduler, own in zip(self._schedulers, state.pop("_schedulers"), strict=True):
            scheduler._take(own)
        super()._take(state)


def check_schedulers(who: str, schedulers: Any, optimizer: Optimizer | None) -> Optimizer:
    """The optimizer of all schedules; an error unless it is one, and they can be combined."""
    several = list(schedulers)
    if not several:
        raise ValueError(f"{who}: the list of schedulers is empty")
    for i, scheduler in enumerate(several):
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(f"{who}: scheduler {i} is of type {type(scheduler).__name__}")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                f"{who}: scheduler {i} is a ReduceLROnPlateau, which must be stepped with a "
                "number; step it apart"
            )
        if optimizer is None:
            optimizer = scheduler.optimizer
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{who}: scheduler {i} is of another optimizer")
    check_optimizer(who, optimizer)
    return several[0].optimizer


class SequentialLR(Compound):
    """Use one schedule after the other.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        Of the same optimizer. All but the first are such that have rates of their own: no
        `SequentialLR` or `ChainedScheduler`.
    milestones : list of int
        Epochs at which the second, third, ... schedule takes over, and begins with its epoch 0; in
        order.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If there is no schedule, one is a `ReduceLROnPlateau` or of another optimizer, or the
        milestones are not integers in order, one fewer than the schedules.
    TypeError
        If something else is given for a schedule or the optimizer.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.SequentialLR(
    ...     optimizer,
    ...     [
    ...         optim.lr_scheduler.ConstantLR(optimizer, factor=0.1, total_iters=9),
    ...         optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5),
    ...     ],
    ...     milestones=[2],
    ... )
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [0.1, 0.1, 1.0, 0.5, 0.25]
    """

    _counts = frozenset({"last_epoch"})

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        who = "SequentialLR"
        check_optimizer(who, optimizer)
        check_schedulers(who, schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{who}: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones, not "
                f"{len(milestones)}"
            )
        if not all(map(is_int, milestones)) or sorted(milestones) != list(milestones):
            raise ValueError(f"{who}: milestones must be integers in order, not {milestones!r}")
        for i, scheduler in enumerate(schedulers[1:], 1):
            if isinstance(scheduler, Compound):
                raise ValueError(
                    f"{who}: scheduler {i} is a {type(scheduler).__name__}, which can only be the "
                    "first, as it cannot begin anew"
                )
        if not is_int(last_epoch) or last_epoch < -1:
            raise ValueError(f"{who}: last_epoch must be an integer >= -1, not {last_epoch!r}")
        self._schedulers = schedulers
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Their constructors have made the first step of each; only one is wanted.
        for group in optimizer.param_groups:
            set_rate(group, group["initial_lr"])
        undo_step(self)
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the rates of the first epoch: those of the first schedule."""
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch; to be called after the optimizer's step.

        Parameters
        ----------
        epoch : None
            As for the other schedules; here it cannot be given.

        Raises
        ------
        TypeError
            If it is.
        """
        self._refuse_epoch(epoch)
        following = self.last_epoch + 1
        i = bisect_right(self._milestones, following)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == following:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self.last_epoch = following
        self._last_lr = scheduler.get_last_lr()


def undo_step(scheduler: LRScheduler) -> None:
    """Take back one epoch of a schedule, or of all that it is made of."""
    if isinstance(scheduler, Compound):
        for each in scheduler._schedulers:
            undo_step(each)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(Compound):
    """Step several schedules together: each changes the rate that the one before has set.

    Parameters
    ----------
    schedulers : sequence of LRScheduler
        Of the same optimizer.
    optimizer : Optimizer, optional
        The same; that of the first schedule without it.

    Raises
    ------
    ValueError
        If there is no schedule, or one is a `ReduceLROnPlateau` or of another optimizer.
    TypeError
        If something else is given for a schedule or the optimizer.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.ChainedScheduler(
    ...     [
    ...         optim.lr_scheduler.ConstantLR(optimizer, factor=0.1, total_iters=2),
    ...         optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5),
    ...     ]
    ... )
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [0.1, 0.05, 0.25, 0.125, 0.0625]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self.optimizer = check_schedulers("ChainedScheduler", schedulers, optimizer)
        self._schedulers = list(schedulers)
        self._last_lr = self._present_rates

    def _initial_step(self) -> None:
        """Set the rates of the first epoch: each schedule changes what the one before has set."""
        for scheduler in self._schedulers:
            scheduler._initial_step()
        self._last_lr = self._present_rates

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch; to be called after the optimizer's step.

        Parameters
        ----------
        epoch : None
            As for the other schedules; here it cannot be given.

        Raises
        ------
        TypeError
            If it is.
        """
        self._refuse_epoch(epoch)
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._present_rates
