"""LRScheduler: what all schedules share."""

from __future__ import annotations

import copy
import math
import types
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor

from ..optimizer import Optimizer

# What PyTorch's schedulers keep in their state that means nothing between steps.
FLAGS = frozenset({"_is_initial", "_get_lr_called_within_step", "verbose"})


class LRScheduler:
    """Base of all schedules.

    A subclass computes the rates of epoch `last_epoch` in `get_lr`, from those of the epoch
    before in ``optimizer.param_groups``, so that schedules can be stepped one after the other.
    It may give them in closed form, too, in `_get_closed_form_lr`, for steps to a given epoch.

    Parameters
    ----------
    optimizer : Optimizer
        Where a group's "lr" is a Tensor, its memory is overwritten.
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

    _counts: ClassVar[frozenset[str]] = frozenset({"last_epoch", "_step_count"})
    """Entries of the state that are integers."""
    _words: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Entries of the state that are words, and which words they may be."""

    _apart: ClassVar[frozenset[str]] = frozenset({"optimizer"})
    """Attributes that a state does not have as they are."""

    _is_initial = False  # during the step in the constructor
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        who = type(self).__name__
        check_optimizer(who, optimizer)
        if not is_int(last_epoch) or last_epoch < -1:
            raise ValueError(f"{who}: last_epoch must be an integer >= -1, not {last_epoch!r}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", plain(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{who}: parameter group {i} has no 'initial_lr', which last_epoch="
                    f"{last_epoch} needs: load the optimizer's state first, or begin with -1"
                )
        self.optimizer = optimizer
        self.base_lrs: list[float] = [plain(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr: list[float] = []
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """Compute the rate of each group for epoch `last_epoch`; for `step` to call."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[float]:
        """Compute the same from the initial rates alone."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group as the last step set it."""
        return list(self._last_lr)

    @property
    def _present_rates(self) -> list[float]:
        """The present rate of each group."""
        return [plain(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch; to be called after the optimizer's step.

        Parameters
        ----------
        epoch : int, optional
            Go to this epoch. Deprecated, as in PyTorch: the rates are those of the closed form,
            whatever other schedules did.

        Raises
        ------
        ValueError
            If a rate would be NaN, or parameter groups were added that the schedule does not know.

        Warns
        -----
        UserWarning
            If the optimizer was never stepped: the first rate would go unused. If `epoch` is given.
        """
        if self._step_count == 1 and not self.optimizer.was_stepped:
            warnings.warn(
                f"{type(self).__name__}.step() was called before the optimizer's step(), so the "
                "first learning rate of the schedule is skipped; call them the other way round",
                UserWarning,
                stacklevel=2,
            )
        if epoch is not None:
            warn_of_epoch(type(self).__name__)
        self._step_count += 1
        try:
            self._update_lr(epoch)
        except Exception:
            self._step_count -= 1
            raise

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of the one given."""
        before = self.last_epoch
        self.last_epoch = before + 1 if epoch is None else epoch
        try:
            self._set_rates(self.get_lr if epoch is None else self._get_closed_form_lr)
        except Exception:
            self.last_epoch = before
            raise

    def _set_rates(self, compute: Callable[[], list[float]]) -> None:
        self._get_lr_called_within_step = True
        try:
            values = compute()
        finally:
            self._get_lr_called_within_step = False
        groups, who = self.optimizer.param_groups, type(self).__name__
        if len(values) != len(groups):
            raise ValueError(
                f"{who}.step: the schedule is for {len(values)} parameter groups, and the "
                f"optimizer has {len(groups)} now"
            )
        for i, lr in enumerate(values):
            if math.isnan(lr):
                raise ValueError(
                    f"{who}.step: the learning rate of parameter group {i} would be NaN at epoch "
                    f"{self.last_epoch}"
                )
        for group, lr in zip(groups, values, strict=True):
            set_rate(group, lr)
        self._last_lr = self._present_rates

    def _expect_step(self) -> None:
        """Warn whoever calls `get_lr` for the present rate."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "get_lr() computes what the next step will set; for the present learning rates "
                "use get_last_lr()",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer; lists are copied."""
        return {
            name: copy.deepcopy(value) if isinstance(value, list | dict) else value
            for name, value in vars(self).items()
            if name not in self._apart and name not in FLAGS
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
        self._take(self._checked(state_dict))

    def _checked(self, state_dict: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a state that can be loaded, or an error."""
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{who}: expected a dict, not {type(state_dict).__name__}")
        own = self.state_dict()
        new = {name: value for name, value in state_dict.items() if name not in FLAGS}
        if new.keys() != own.keys():
            missing = sorted(own.keys() - new.keys())
            extra = sorted(new.keys() - own.keys(), key=str)
            raise ValueError(f"{who}: missing entries {missing}, unexpected entries {extra}")
        for name, value in own.items():
            given = new[name]
            if name in self._counts:
                fits = is_int(given)
            elif name in self._words:
                fits = given in self._words[name]
            else:
                fits = self._fits(name, value, given)
            if not fits:
                raise ValueError(f"{who}: {name!r} should be like {value!r}, not {given!r}")
            new[name] = copy.deepcopy(given)
        return new

    def _fits(self, name: str, own: Any, given: Any) -> bool:
        """Whether an entry of a state may take the place of one's own."""
        return alike(own, given)

    def _take(self, state: dict[str, Any]) -> None:
        """Take a state that was checked."""
        vars(self).update(state)


# --- Rates --------------------------------------------------------------------------------------


def plain(value: Any) -> float:
    """A rate as a number, though it may be kept as a Tensor."""
    return value if is_number(value) else float(value)


def set_rate(group: dict[str, Any], lr: float) -> None:
    """Set the rate of a group; a Tensor stays the Tensor that others hold."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def warn_of_epoch(who: str) -> None:
    """Warn of the form of `step` that PyTorch has deprecated."""
    warnings.warn(
        f"{who}.step(epoch): the epoch is not needed and the form is deprecated; call step() once "
        "an epoch",
        UserWarning,
        stacklevel=3,
    )


# --- Checks -------------------------------------------------------------------------------------


def check_optimizer(who: str, optimizer: Any) -> None:
    """Raise TypeError unless it is an Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{who}: {type(optimizer).__name__} is not an Optimizer")


def check_number(
    who: str, name: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> float:
    """`value`; ValueError unless it is a number between the two."""
    value = unboxed(value)
    if not is_number(value) or not low <= value <= high:
        wanted = [f">= {low:g}"] if low > -math.inf else []
        wanted += [f"<= {high:g}"] if high < math.inf else []
        raise ValueError(
            f"{who}: {name} must be a number {' and '.join(wanted) or 'other than NaN'}, not "
            f"{value!r}"
        )
    return value


def check_positive(who: str, name: str, value: Any) -> float:
    """`value`; ValueError unless it is a number > 0."""
    value = unboxed(value)
    if not is_number(value) or not value > 0:
        raise ValueError(f"{who}: {name} must be a number > 0, not {value!r}")
    return value


def check_int(who: str, name: str, value: Any, low: int) -> int:
    """`value`; ValueError unless it is an integer >= `low`."""
    value = unboxed(value)
    if not is_int(value) or value < low:
        raise ValueError(f"{who}: {name} must be an integer >= {low}, not {value!r}")
    return value


def check_word(who: str, name: str, value: Any, words: tuple[str, ...]) -> str:
    """`value`; ValueError unless it is one of the words."""
    if value not in words:
        raise ValueError(f"{who}: {name} must be one of {', '.join(words)}, not {value!r}")
    return value


def for_each_group(who: str, name: str, value: Any, optimizer: Optimizer) -> list[float]:
    """A number for every group, from one for all or a list."""
    groups = optimizer.param_groups
    several = list(value) if isinstance(value, list | tuple) else [value] * len(groups)
    if len(several) != len(groups):
        raise ValueError(
            f"{who}: {name} has {len(several)} values, and the optimizer {len(groups)} parameter "
            "groups"
        )
    return [check_number(who, name, float(v) if isinstance(v, Tensor) else v) for v in several]


def unboxed(value: Any) -> Any:
    """A NumPy scalar as the Python number that it is."""
    return value.item() if isinstance(value, np.generic) else value


def is_int(value: Any) -> bool:
    """True for an integer that is not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """True for a Python (or NumPy float64) number that is not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def alike(own: Any, given: Any) -> bool:
    """Whether two values of a state are of one form: numbers, or containers of one length."""
    if is_number(own):
        return is_number(given)
    if isinstance(own, list):
        return isinstance(given, list) and len(own) == len(given) and each_alike(own, given)
    if isinstance(own, dict):
        return (
            isinstance(given, dict)
            and own.keys() == given.keys()
            and each_alike(own.values(), (given[name] for name in own))
        )
    return type(own) is type(given)


def each_alike(own: Iterable[Any], given: Iterable[Any]) -> bool:
    """Whether all pairs are of one form."""
    return all(alike(a, b) for a, b in zip(own, given, strict=True))


# --- Functions in a state ------------------------------------------------------------------------


def saved_function(function: Any) -> dict[str, Any] | None:
    """What a state keeps of a function: the attributes of a callable object; None of a `def`."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return copy.deepcopy(getattr(function, "__dict__", None))


def restore_function(function: Any, saved: Mapping[str, Any] | None) -> None:
    """Give a callable object its attributes back."""
    if saved:
        vars(function).update(copy.deepcopy(saved))
