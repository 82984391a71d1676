"""Schedules of the learning rate, stepped once an epoch (or as often as you like)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from .optimizer import Optimizer

# Flags that PyTorch's schedulers keep in their state; they mean nothing between steps.
FOREIGN_FLAGS = frozenset({"_is_initial", "_get_lr_called_within_step", "verbose"})


class LRScheduler:
    """Base of all schedules.

    A subclass computes the rates of epoch `last_epoch` in `get_lr`, from those of the epoch
    before in ``optimizer.param_groups``, so that schedules can be stepped one after the other.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        The epoch reached so far. -1: begin anew, with the present rates as the initial ones.

    Attributes
    ----------
    optimizer : Optimizer
    base_lrs : list of float
        The initial rate of each group.
    last_epoch : int

    Raises
    ------
    TypeError
        If `optimizer` is not an Optimizer.
    KeyError
        If `last_epoch` is not -1 and a group has no "initial_lr" (load the optimizer's state
        first).
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        who = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{who}: {type(optimizer).__name__} is not an Optimizer")
        if not is_int(last_epoch) or last_epoch < -1:
            raise ValueError(f"{who}: last_epoch must be an integer >= -1, not {last_epoch!r}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{who}: parameter group {i} has no 'initial_lr', which last_epoch="
                    f"{last_epoch} needs: load the optimizer's state first, or begin with -1"
                )
        self.optimizer = optimizer
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        self.step()

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group as the last step set it."""
        return list(self._last_lr)

    def step(self) -> None:
        """Go on to the next epoch; to be called after the optimizer's step.

        Warns
        -----
        UserWarning
            If the optimizer was never stepped: the first rate would go unused.
        """
        if self._step_count == 1 and not self.optimizer.was_stepped:
            warnings.warn(
                f"{type(self).__name__}.step() was called before the optimizer's step(), so the "
                "first learning rate of the schedule is skipped; call them the other way round",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer; lists are copied."""
        return {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "optimizer"
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take what `state_dict` returned, all of it or nothing.

        The rates in use are the optimizer's: load its state too.

        Raises
        ------
        TypeError
            If `state_dict` is not a dict.
        ValueError
            If it lacks an entry, has one too many, or one that does not fit this schedule.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{who}: expected a dict, not {type(state_dict).__name__}")
        own = self.state_dict()
        new = {name: value for name, value in state_dict.items() if name not in FOREIGN_FLAGS}
        if new.keys() != own.keys():
            missing, extra = (
                sorted(own.keys() - new.keys()),
                sorted(new.keys() - own.keys(), key=str),
            )
            raise ValueError(f"{who}: missing entries {missing}, unexpected entries {extra}")
        for name, value in own.items():
            given = new[name]
            fits = type(value) is type(given) or (is_number(value) and is_number(given))
            if is_int(value) and not isinstance(value, bool):
                fits = is_int(given)
            if isinstance(value, list) and fits:
                fits = len(given) == len(value) and all(map(is_number, given))
            if not fits:
                raise ValueError(f"{who}: {name!r} should be like {value!r}, not {given!r}")
            new[name] = list(given) if isinstance(given, list) else given
        vars(self).update(new)


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
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if not is_int(step_size) or step_size < 1:
            raise ValueError(f"StepLR: step_size must be an integer >= 1, not {step_size!r}")
        if not is_number(gamma) or math.isnan(gamma) or gamma < 0:
            raise ValueError(f"StepLR: gamma must be a number >= 0, not {gamma!r}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`."""
        groups = self.optimizer.param_groups
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return [group["lr"] for group in groups]
        return [group["lr"] * self.gamma for group in groups]


def is_int(value: Any) -> bool:
    """True for an integer that is not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """True for a Python (or NumPy float64) number that is not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)
