"""Parameters and their state as a step works on them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.changes import CHANGES

Group = dict[str, Any]


class Slot:
    """A parameter and its state as a step works on them.

    Attributes
    ----------
    param : Tensor
    array : ndarray
        The memory of the parameter, as it was when last looked at.
    change : Change
        Where its changes in place are noted.
    state : list of ndarray
        What the algorithm keeps, in the order of its names.
    tensors : dict of str to Tensor
        The same memory by name, and "step": what `Optimizer.state` shows.
    step : ndarray or None
        Steps taken, 0-d. None if the algorithm does not count.
    count : float
        The same as a number.
    first : bool
        Something was missing in the state before the coming step.
    """

    __slots__ = ("array", "change", "count", "first", "param", "state", "step", "tensors")

    def __init__(
        self, param: Tensor, fresh: dict[str, np.ndarray], entry: Mapping[str, Any], counts: bool
    ) -> None:
        self.param = param
        self.array = array = param.array()
        check_memory(array)
        gradient = param.grad
        if gradient is not None and gradient.shape != array.shape:
            raise misfit(gradient, array)
        self.change = CHANGES.entry(array)
        self.state = list(fresh.values())
        self.first = False
        for name, own in fresh.items():
            old = entry.get(name)
            if old is None:
                self.first = True
            elif getattr(old, "shape", ()) != own.shape:
                raise misfit(old, own, f"the state {name!r}", "which should have")
            else:
                own[...] = getattr(old, "value", old)
        self.tensors = {name: Tensor(own) for name, own in fresh.items()}
        self.count = number(entry.get("step", 0.0))
        self.step: np.ndarray | None = None
        if counts:
            self.step = np.array(self.count, np.float32)
            self.tensors["step"] = Tensor(self.step)

    def rebind(self) -> None:
        """Follow a parameter whose `.data` was reassigned."""
        old, array = self.array, self.param.array()
        check_memory(array)
        if array.shape != old.shape or array.dtype != old.dtype:
            raise ValueError(
                f"a parameter was {old.dtype} {old.shape} at the last step and is now "
                f"{array.dtype} {array.shape}: the optimizer's state does not fit it"
            )
        self.array = array
        self.change = CHANGES.entry(array)

    def tick(self) -> float:
        """Count a step, and return how many there were."""
        self.count = count = self.count + 1.0
        if self.step is not None:
            self.step.fill(count)
        return count

    def intact(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether what `Optimizer.state` shows is still what the slot works on."""
        tensors = self.tensors
        return all(map(is_, map(entry.get, tensors), tensors.values())) and (
            self.step is None or self.step == self.count
        )


class Plan:
    """The slots of one group, and whether they still fit the group."""

    __slots__ = ("group", "idle", "names", "params", "slots")

    def __init__(self, group: Group, names: tuple[str, ...]) -> None:
        self.group = group
        self.names = names
        self.params: list[Tensor] = list(group["params"])
        self.idle = self.params  # those that never had a gradient at a step
        self.slots: list[Slot] = []

    def fits(self, group: Group, names: tuple[str, ...]) -> bool:
        """True if it was made for this group, with these parameters and this state."""
        params = group["params"]
        return (
            self.group is group
            and self.names == names
            and len(params) == len(self.params)
            and all(map(is_, params, self.params))
        )


def check_memory(array: np.ndarray) -> None:
    """Raise if a step cannot change a parameter with this memory in place."""
    if array.dtype.kind != "f":
        raise ValueError(
            f"step: a parameter of shape {array.shape} is {array.dtype}; only floats can be "
            "optimized"
        )
    if not array.flags.writeable:
        raise ValueError(
            f"step: the memory of a parameter of shape {array.shape} is read-only; make the "
            "parameter from a copy"
        )


def misfit(
    value: Any, array: np.ndarray, what: str = "the gradient", against: str = "the parameter"
) -> ValueError:
    """The error for a gradient or state of another shape than it should have."""
    return ValueError(
        f"step: {what} of a parameter has shape {getattr(value, 'shape', ())}, {against} "
        f"{array.shape}"
    )


def number(value: Any) -> float:
    """A count of steps (a Tensor, an array or a number) as a float."""
    return float(value.item() if hasattr(value, "item") else value)
