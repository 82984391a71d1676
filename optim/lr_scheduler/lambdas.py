"""Schedules by functions of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, alike, check_optimizer, restore_function, saved_function

Factor = Callable[[int], float]


class ByFunction(LRScheduler):
    """What the schedules by functions share: a function for each group."""

    _apart = frozenset({"optimizer", "lr_lambdas"})

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1
    ) -> None:
        who = type(self).__name__
        check_optimizer(who, optimizer)
        groups = optimizer.param_groups
        several = isinstance(lr_lambda, list | tuple)
        self.lr_lambdas: list[Factor] = list(lr_lambda) if several else [lr_lambda] * len(groups)
        if len(self.lr_lambdas) != len(groups):
            raise ValueError(
                f"{who}: lr_lambda has {len(self.lr_lambdas)} functions, and the optimizer "
                f"{len(groups)} parameter groups"
            )
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"{who}: lr_lambda must be a function, not {type(function).__name__}"
                )
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer.

        Of functions that are objects with a ``__call__`` their attributes are kept, of others
        nothing.
        """
        saved = [saved_function(function) for function in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        if name != "lr_lambdas":
            return alike(own, given)
        return (
            isinstance(given, list)
            and len(given) == len(own)
            and all(entry is None or isinstance(entry, dict) for entry in given)
        )

    def _take(self, state: dict[str, Any]) -> None:
        for function, saved in zip(self.lr_lambdas, state.pop("lr_lambdas"), strict=True):
            restore_function(function, saved)
        super()._take(state)


class LambdaLR(ByFunction):
    """Set the learning rate to the initial one times a function of the epoch.

    At epoch t the rate is ``initial_lr * lr_lambda(t)``.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callables
        Takes the epoch, and gives the factor; one for all groups, or one for each.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If there are more or fewer functions than groups, or a factor is NaN.
    TypeError, KeyError
        As for `LRScheduler`, and if `lr_lambda` is not callable.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 0.3333, 0.25, 0.2]
    """

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class MultiplicativeLR(ByFunction):
    """Multiply the learning rate by a function of the epoch, at every epoch.

    At epoch t > 0 the rate is that of epoch t - 1 times ``lr_lambda(t)``.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callables
        Takes the epoch, and gives the factor; one for all groups, or one for each.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If there are more or fewer functions than groups, or a factor is NaN.
    TypeError, KeyError
        As for `LRScheduler`, and if `lr_lambda` is not callable.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.9 if t < 3 else 0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.9, 0.81, 0.405, 0.2025]
    """

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        self._expect_step()
        if self._is_initial:
            return self._present_rates
        pairs = zip(self._present_rates, self.lr_lambdas, strict=False)
        return [rate * function(self.last_epoch) for rate, function in pairs]
