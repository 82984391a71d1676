"""What constructors and loaded states are checked for, and the errors that say what was wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from autograd import Tensor


def listed(params: Any, who: str) -> tuple[list[Tensor], list[str]]:
    """The tensors of a group, checked, and their names if they have any."""
    if isinstance(params, set | frozenset):
        raise TypeError(f"{who}: params is a set, whose order changes between runs; use a list")
    entries = [params] if isinstance(params, Tensor) else list(params)
    names = [entry[0] for entry in entries if isinstance(entry, tuple)]
    if names and len(names) != len(entries):
        raise ValueError(f"{who}: give names to all of the parameters or to none")
    tensors = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
    for i, param in enumerate(tensors):
        if not isinstance(param, Tensor):
            raise TypeError(
                f"{who}: only Tensors can be optimized, but parameter {i} is of type "
                f"{type(param).__name__}"
            )
        shape = param.shape  # which a lazy module's parameter has not, and says so
        if not param.is_leaf:
            raise ValueError(
                f"{who}: parameter {i} (shape {shape}) is not a leaf: it was computed from "
                "other tensors, so a change of it would be lost; optimize those, or detach() it"
            )
    return tensors, names


def check_range(
    who: str,
    name: str,
    value: Any,
    low: float = 0.0,
    below: float = math.inf,
    most: float = math.inf,
) -> float:
    """`value` as a float; ValueError unless it is a number >= `low`, < `below` and <= `most`."""
    try:
        x = float(value)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{who}: {name} must be a number, not {value!r}") from None
    if not low <= x <= most or (below < math.inf and not x < below):
        wanted = [f">= {low:g}"] if low > -math.inf else []
        wanted += [f"< {below:g}"] if below < math.inf else []
        wanted += [f"<= {most:g}"] if most < math.inf else []
        raise ValueError(
            f"{who}: {name} must be {' and '.join(wanted) or 'not NaN'}, not {value!r}"
        )
    return x


def check_count(who: str, name: str, value: Any, low: int = 0) -> int:
    """`value`; ValueError unless it is an integer >= `low`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ValueError(f"{who}: {name} must be an integer >= {low}, not {value!r}")
    return value


def check_several(who: str, name: str, value: Any, count: int) -> list[Any]:
    """`value` as a list; ValueError unless it is a tuple or list of `count` entries."""
    if not isinstance(value, tuple | list) or len(value) != count:
        words = {2: "two", 3: "three"}[count]
        raise ValueError(f"{who}: {name} must be {words} numbers, not {value!r}")
    return list(value)


def check_betas(who: str, betas: Any) -> None:
    """Raise ValueError unless it is two numbers in [0, 1)."""
    for i, beta in enumerate(check_several(who, "betas", betas, 2)):
        check_range(who, f"betas[{i}]", beta, below=1.0)


def check_flags(who: str, options: Mapping[str, Any]) -> None:
    """Raise if PyTorch's switches of implementation ask for what there is not.

    `foreach`, `fused` and `capturable` choose among implementations of one formula: here there is
    one, a single pass over memory for each parameter, whatever they say.
    """
    if options.get("differentiable"):
        raise ValueError(
            f"{who}: differentiable=True is not possible, as a step changes parameters in place "
            "and records nothing; write the step with operators to differentiate through it"
        )
    if options.get("fused") and options.get("foreach"):
        raise RuntimeError(f"{who}: fused and foreach cannot be True together")


def mapping(value: Any, what: str) -> Mapping[Any, Any]:
    """`value`, which must be a dict."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a dict, not {type(value).__name__}")
    return value


def loaded(name: str, value: Any, param: Tensor, where: str) -> Any:
    """A copy of one entry of a loaded state."""
    if not isinstance(name, str):
        raise TypeError(f"{where} has the name {name!r}, which is not a str")
    if name == "step":
        steps = check_range(where, "'step'", value)
        return Tensor(np.array(steps, np.float32))
    if isinstance(value, Tensor | np.ndarray | np.generic):
        array = value.array() if isinstance(value, Tensor) else np.asarray(value)
        return Tensor(array.astype(param.dtype if array.dtype.kind == "f" else array.dtype))
    return deepcopy(value)
