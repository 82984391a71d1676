"""ReduceLROnPlateau: a lower rate when there is no progress."""

from __future__ import annotations

import math
from typing import Any, ClassVar, SupportsFloat

from ..optimizer import Optimizer
from .base import (
    LRScheduler,
    check_int,
    check_number,
    check_optimizer,
    check_word,
    for_each_group,
    is_number,
    plain,
    set_rate,
    warn_of_epoch,
)

MODES = ("min", "max")
THRESHOLD_MODES = ("rel", "abs")


class ReduceLROnPlateau(LRScheduler):
    r"""Lower the learning rate when a number has stopped to improve.

    A number is an improvement if, with the best one so far b, it is

    - below ``b * (1 - threshold)`` for "min" and "rel",
    - below ``b - threshold`` for "min" and "abs",
    - above ``b * (1 + threshold)`` for "max" and "rel",
    - above ``b + threshold`` for "max" and "abs".

    After more than `patience` epochs without one, ``lr = max(lr * factor, min_lr)``.

    Parameters
    ----------
    optimizer : Optimizer
    mode : str
        "min" if the number should fall, "max" if it should rise.
    factor : float
        Below 1.
    patience : int
        Epochs without improvement that are let pass.
    threshold : float
    threshold_mode : str
        "rel" or "abs".
    cooldown : int
        Epochs after a change in which nothing is counted.
    min_lr : float or list of float
        The lowest rate: one number for all groups, or one for each.
    eps : float
        Changes that are not larger are not made.

    Raises
    ------
    TypeError
        If `optimizer` is not an Optimizer.
    ValueError
        If a mode is unknown, a number is NaN or out of its range, or `min_lr` is not as long as
        the groups.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> rates = []
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.0]:
    ...     optimizer.step()
    ...     scheduler.step(loss)
    ...     rates += scheduler.get_last_lr()
    >>> rates
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    _counts = frozenset(
        {"last_epoch", "patience", "cooldown", "cooldown_counter", "num_bad_epochs"}
    )
    _words: ClassVar = {"mode": MODES, "threshold_mode": THRESHOLD_MODES}

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        who = "ReduceLROnPlateau"
        check_optimizer(who, optimizer)
        self.factor = check_number(who, "factor", factor, 0.0)
        if self.factor >= 1.0:
            raise ValueError(f"{who}: factor must be < 1, not {factor!r}")
        self.optimizer = optimizer
        self.min_lrs = for_each_group(who, "min_lr", min_lr, optimizer)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else self.min_lrs[0]
        self.patience = check_int(who, "patience", patience, 0)
        self.cooldown = check_int(who, "cooldown", cooldown, 0)
        self.eps = check_number(who, "eps", eps)
        self.last_epoch = 0
        self._last_lr = self._present_rates
        self.mode = check_word(who, "mode", mode, MODES)
        self.threshold = check_number(who, "threshold", threshold)
        self.threshold_mode = check_word(who, "threshold_mode", threshold_mode, THRESHOLD_MODES)
        self._reset()

    def _reset(self) -> None:
        """Forget all numbers."""
        self.mode_worse = math.inf if self.mode == "min" else -math.inf
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    # PyTorch's signature: what it is stepped with makes this schedule different from all others.
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, metrics: SupportsFloat, epoch: int | None = None
    ) -> None:
        """Take in the number of an epoch, and lower the rate if it is time.

        Parameters
        ----------
        metrics : float or Tensor
            NaN is no improvement.
        epoch : int, optional
            Count on from this epoch. Deprecated, as in PyTorch.

        Raises
        ------
        ValueError
            If parameter groups were added, and `min_lr` is a list.

        Warns
        -----
        UserWarning
            If `epoch` is given.
        """
        current = float(metrics)
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ValueError(
                    f"ReduceLROnPlateau.step: min_lr was given for {len(self.min_lrs)} parameter "
                    f"groups, and the optimizer has {len(groups)} now"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        if epoch is not None:
            warn_of_epoch("ReduceLROnPlateau")
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._present_rates

    def _reduce_lr(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            old = plain(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_rate(group, new)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted now."""
        return self.cooldown_counter > 0

    def _is_better(self, current: float, best: float) -> bool:
        margin = self.threshold
        if self.mode == "min":
            return current < (
                best * (1.0 - margin) if self.threshold_mode == "rel" else best - margin
            )
        return current > (best * (1.0 + margin) if self.threshold_mode == "rel" else best + margin)

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        if name == "default_min_lr":
            return given is None or is_number(given)
        return super()._fits(name, own, given)
