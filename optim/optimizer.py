"""Optimizer: parameter groups, their state, and the loop around every update formula.

An algorithm is a pure function on ndarrays, `update`, that writes into `step` what a parameter
loses. This module brings the arrays: it gathers small parameters end to end, so that one call
serves many of them, and takes `step` off each parameter in place.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from operator import is_
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad
from autograd.changes import CHANGES

# Parameters are laid end to end up to this many elements for each call of `update`. Below it the
# cost of a NumPy call outweighs that of copying the gradients; above it the copy costs more, and
# the arrays no longer stay in the CPU's nearest caches from one NumPy call to the next.
FUSED_ELEMENTS = 16384

Group = dict[str, Any]
Params = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]


class Run:
    """The arrays of one call of `update`: one parameter, or several small ones end to end.

    Attributes
    ----------
    params : list of Tensor
    arrays : list of ndarray
        The memory of each parameter, as it was when last looked at.
    names : tuple of str
        What `state` holds.
    state : list of ndarray
        Flat where the run is fused, else in the parameter's shape.
    tensors : list of dict of str to Tensor
        The same state for each parameter, in its shape: what `Optimizer.state` shows.
    steps : ndarray or None
        Steps taken by each parameter, shown as its state "step". None if the algorithm does not
        count.
    count : float
        Steps taken by all of them.
    first : bool
        Nothing was in the state before the coming step.
    param, step, work : ndarray
        Parameter (a gathered copy if fused), and two arrays to compute in.
    """

    __slots__ = (
        "arrays",
        "count",
        "first",
        "fused",
        "names",
        "param",
        "params",
        "parts",
        "state",
        "step",
        "steps",
        "tensors",
        "values",
        "work",
    )

    def __init__(self, params: list[Tensor], names: tuple[str, ...]) -> None:
        self.params = params
        self.arrays = [p.array() for p in params]
        self.names = names
        self.fused = len(params) > 1
        self.steps: np.ndarray | None = None
        self.count = 0.0
        self.first = False
        self.state: list[np.ndarray] = []
        self.tensors: list[dict[str, Tensor]] = [{} for _ in params]
        # For each parameter: the tensor, its array, and its place in `work` and in `step`.
        self.parts: list[tuple[Tensor, np.ndarray, np.ndarray, np.ndarray]] = []
        self.values: list[np.ndarray] = []

    def place(self, scratch: list[np.ndarray]) -> None:
        """Take `step`, `work` and `param` from the flat arrays of `scratch`."""
        shapes = [a.shape for a in self.arrays]
        size = sum(a.size for a in self.arrays)
        self.step, self.work, self.param = (a[:size] for a in scratch)
        steps, works = split(self.step, shapes), split(self.work, shapes)
        if self.fused:
            self.values = split(self.param, shapes)
        else:
            (self.step,), (self.work,), (self.param,) = steps, works, self.arrays
        self.parts = list(zip(self.params, self.arrays, works, steps, strict=True))

    def rebind(self) -> None:
        """Follow parameters whose `.data` were reassigned."""
        for i, (param, old, work, step) in enumerate(self.parts):
            array = param.array()
            if array is not old:
                check_memory(array)
                if array.shape != old.shape or array.dtype != old.dtype:
                    raise ValueError(
                        f"a parameter was {old.dtype} {old.shape} at the last step and is now "
                        f"{array.dtype} {array.shape}: the optimizer's state does not fit it"
                    )
                self.arrays[i] = array
                self.parts[i] = param, array, work, step
        if not self.fused:
            (self.param,) = self.arrays

    def gather(self, negate: bool, reads_param: bool) -> Any:
        """The gradient for `update` (negated to maximize); None if a parameter is not ready."""
        if not self.fused:
            param, array, work, _ = self.parts[0]
            node = param.node
            if node is None or (g := node.grad) is None or param.value is not array:
                return None
            if g.value.shape != array.shape:
                raise misfit(g.value, array)
            return np.negative(g.value, out=work) if negate else g.value
        for param, array, work, _ in self.parts:
            node = param.node
            if node is None or (g := node.grad) is None or param.value is not array:
                return None
            value = g.value
            if value.shape != array.shape:
                raise misfit(value, array)
            work[...] = value
        if negate:
            np.negative(self.work, out=self.work)
        if reads_param:
            for array, value in zip(self.arrays, self.values, strict=True):
                value[...] = array
        return self.work

    def tick(self) -> None:
        """Count a step."""
        self.count += 1.0
        if self.steps is not None:
            self.steps += 1

    def alone(self, index: int, scratch: list[np.ndarray]) -> Run:
        """A run of one of the parameters, on the same state."""
        run = Run([self.params[index]], self.names)
        run.tensors = [self.tensors[index]]
        run.state = [run.tensors[0][name].array() for name in run.names]
        run.steps = None if self.steps is None else self.steps[index : index + 1]
        run.count, run.first = self.count, self.first
        run.place(scratch)
        return run


class Plan:
    """How the steps of one group are run, and whether that still fits the group."""

    __slots__ = ("group", "idle", "params", "runs")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.params: list[Tensor] = list(group["params"])
        self.idle = self.params  # those that never had a gradient at a step
        self.runs: list[Run] = []

    def fits(self, group: Group) -> bool:
        """True if it was made for this group, with these parameters."""
        params = group["params"]
        return (
            self.group is group
            and len(params) == len(self.params)
            and all(map(is_, params, self.params))
        )


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize, in an order that is the same on every run. Dicts are parameter groups:
        ``{"params": [...], "lr": 0.1}``, where an option left out has its default.
    defaults : dict
        The options of the algorithm.

    Attributes
    ----------
    param_groups : list of dict
        The options of each group, read anew at every step, and its "params".
    state : dict
        Parameter -> state of that parameter, by name.
    defaults : dict

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized, or in an unordered set.
    ValueError
        If there is nothing to optimize, a tensor is not a leaf or comes twice, or an option has a
        value that makes no sense.

    Notes
    -----
    A subclass names its state in `_names`, and calls its update formula in `_update`.
    """

    _counts = False  # whether the state of a parameter counts its steps, as "step"
    _always: tuple[str, ...] = ()  # arrays that the state has whatever the options
    _sometimes: tuple[str, ...] | None = None  # arrays that it may have; None: not known

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"{self._who}: params must be an iterable of Tensors or dicts, not one Tensor; "
                "put it in a list"
            )
        if isinstance(params, set | frozenset):
            raise TypeError(
                f"{self._who}: params is a set, whose order changes between runs; use a list"
            )
        self._validate(defaults, self._who)
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._forget()
        self._stepped = False
        entries: list[Any] = list(params)
        if not entries:
            raise ValueError(f"{self._who}: the list of parameters is empty")
        if not isinstance(entries[0], dict):
            entries = [{"params": entries}]
        for entry in entries:
            self.add_param_group(entry)

    # --- What a subclass says -----------------------------------------------------------------

    def _names(self, group: Group) -> tuple[str, ...]:
        """Names of the arrays, shaped like the parameter, that the options of `group` call for."""
        raise NotImplementedError

    def _update(self, group: Group, run: Run, grad: Any) -> None:
        """Compute ``run.step`` and advance ``run.state``, by the options of `group`."""
        raise NotImplementedError

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        """Raise ValueError if an option has a value that makes no sense."""

    def _reads_param(self, group: Group) -> bool:
        """Tell whether `_update` reads the value of the parameter."""
        return group.get("weight_decay", 0) != 0

    # --- The step -----------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, in place.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss anew and its gradients; called first, with recording on.

        Returns
        -------
        loss
            What `closure` returned; None without one.

        Raises
        ------
        ValueError
            If a parameter is read-only, or is no longer of the shape of its gradient or state.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._stepped = True
        by = self._label
        mark, subtract = CHANGES.mark, np.subtract
        for group, plan in zip(self.param_groups, self._ready_plans(), strict=True):
            negate = group.get("maximize", False)
            reads_param = self._reads_param(group)
            for run in plan.runs:
                grad = run.gather(negate, reads_param)
                if grad is None:
                    self._step_singly(plan, run)
                    continue
                self._update(group, run, grad)
                for _, array, _, change in run.parts:
                    subtract(array, change, array)
                    mark(array, by)
        return loss

    def _step_singly(self, plan: Plan, run: Run) -> None:
        """Step a run of which a parameter has no gradient now, or has new memory."""
        lacking = [p.grad is None for p in run.params]
        if all(lacking):
            return
        run.rebind()
        group = plan.group
        runs = [run]
        if any(lacking):
            # From now on they may differ in their number of steps, so they stay apart.
            scratch = self._scratch[run.step.dtype]
            runs = [run.alone(i, scratch) for i in range(len(run.params))]
            at = plan.runs.index(run)
            plan.runs = [*plan.runs[:at], *runs, *plan.runs[at + 1 :]]
        for each in runs:
            grad = each.gather(group.get("maximize", False), self._reads_param(group))
            if grad is not None:
                self._update(group, each, grad)
                for _, array, _, change in each.parts:
                    np.subtract(array, change, array)
                    CHANGES.mark(array, self._label)

    def _ready_plans(self) -> list[Plan]:
        """The plans of all groups, with every parameter that has a gradient in a run."""
        plans = self._plans
        if len(plans) != len(self.param_groups):
            plans = self._plans = [Plan(group) for group in self.param_groups]
        for i, group in enumerate(self.param_groups):
            plan = plans[i]
            if not plan.fits(group):
                plan = plans[i] = Plan(group)
            names = self._names(group)
            runs = plan.runs
            if runs and (runs[0].names != names or (self._state_seen and not self._intact(runs))):
                plan = plans[i] = Plan(group)
            if plan.idle:
                new = [p for p in plan.idle if p.grad is not None]
                if new:
                    self._adopt(plan, new, names)
        return plans

    def _intact(self, runs: list[Run]) -> bool:
        """Tell whether `state` still holds what the runs work on."""
        for run in runs:
            for param, tensors in zip(run.params, run.tensors, strict=True):
                entry = self._state.get(param, {})
                if not all(map(is_, map(entry.get, tensors), tensors.values())):
                    return False
            if run.steps is not None and not (run.steps == run.count).all():
                return False
        return True

    def _adopt(self, plan: Plan, params: list[Tensor], names: tuple[str, ...]) -> None:
        """Give runs to parameters that have a gradient for the first time."""
        batches: dict[Any, list[list[Tensor]]] = {}
        room: dict[Any, int] = {}
        for param in params:
            array = param.array()
            check_memory(array)
            gradient = param.grad
            assert gradient is not None
            if gradient.shape != array.shape:
                raise misfit(gradient, array)
            entry = self._state.get(param, {})
            known = tuple(entry.get(name) is not None for name in names)
            key = array.dtype, known, number(entry.get("step", 0.0))
            if array.size <= room.get(key, -1):
                batches[key][-1].append(param)
                room[key] -= array.size
            elif array.size <= FUSED_ELEMENTS:
                batches.setdefault(key, []).append([param])
                room[key] = FUSED_ELEMENTS - array.size
            else:
                # In front, so that the last batch stays the one with room.
                batches.setdefault(key, []).insert(0, [param])
        runs = []
        for (dtype, known, count), several in batches.items():
            for batch in several:
                run = self._new_run(batch, names, dtype)
                run.first = not all(known)
                run.count = count
                runs.append(run)
        plan.runs += runs  # all or, after an error above, none of them
        taken = {id(p) for p in params}
        plan.idle = [p for p in plan.idle if id(p) not in taken]

    def _new_run(self, params: list[Tensor], names: tuple[str, ...], dtype: Any) -> Run:
        run = Run(params, names)
        shapes = [a.shape for a in run.arrays]
        size = sum(a.size for a in run.arrays)
        for name in names:
            flat = np.zeros(size, dtype)
            views = split(flat, shapes)
            for param, view, tensors in zip(params, views, run.tensors, strict=True):
                old = self._state[param].get(name)
                if old is not None:
                    if old.shape != view.shape:
                        raise misfit(old, view, f"the state {name!r}")
                    view[...] = getattr(old, "value", old)
                tensors[name] = Tensor(view)
            run.state.append(flat if run.fused else views[0])
        if self._counts:
            taken = [number(self._state[p].get("step", 0.0)) for p in params]
            run.steps = np.array(taken, np.float32)
            for i, tensors in enumerate(run.tensors):
                tensors["step"] = Tensor(run.steps[i : i + 1].reshape(()))
        largest = max(p.numel() for group in self.param_groups for p in group["params"])
        scratch = self._scratch.get(dtype)
        if scratch is None or scratch[0].size < max(size, largest):
            sizes = max(size, largest), max(size, largest), max(size, FUSED_ELEMENTS)
            scratch = self._scratch[dtype] = [np.empty(n, dtype) for n in sizes]
        run.place(scratch)
        for param, tensors in zip(params, run.tensors, strict=True):
            self._state[param].update(tensors)
        return run

    def _forget(self) -> None:
        """Drop what is derived from `param_groups` and `state`."""
        self._plans: list[Plan] = []
        self._scratch: dict[Any, list[np.ndarray]] = {}
        self._state_seen = False
        self._label = f"{type(self).__name__}.step"

    @property
    def was_stepped(self) -> bool:
        """True once `step` was called (or if a subclass has a `step` that does not tell)."""
        return self._stepped or type(self).step is not Optimizer.step

    @property
    def _who(self) -> str:
        return type(self).__name__

    # --- Groups and state ---------------------------------------------------------------------

    @property
    def state(self) -> defaultdict[Tensor, dict[str, Any]]:
        """State of each parameter that was ever stepped: a dict by name."""
        self._state_seen = True  # from now on somebody may change it, so each step looks
        return self._state

    @state.setter
    def state(self, state: Mapping[Tensor, dict[str, Any]]) -> None:
        self._state = state if isinstance(state, defaultdict) else defaultdict(dict, state)
        self._forget()
        self._state_seen = True

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters with options of its own.

        Parameters
        ----------
        param_group : dict
            "params", a Tensor or a list of them, and any of the options.

        Raises
        ------
        TypeError, ValueError
            As for the constructor.
        """
        who = f"{self._who}: parameter group {len(self.param_groups)}"
        if not isinstance(param_group, dict):
            raise TypeError(f"{who} must be a dict, not {type(param_group).__name__}")
        if "params" not in param_group:
            raise ValueError(f'{who} has no "params"')
        params, names = listed(param_group["params"], who)
        group = {**param_group, "params": params}
        if names:
            group["param_names"] = names
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        self._validate(group, who)
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for i, param in enumerate(params):
            if id(param) in seen:
                raise ValueError(
                    f"{who}: parameter {i} (shape {param.shape}) is already being optimized; a "
                    "parameter may be given once"
                )
            seen.add(id(param))
        for other in self.param_groups:
            if ("param_names" in other) != ("param_names" in group):
                raise ValueError(f"{who}: give names to the parameters of all groups or of none")
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters.

        Parameters
        ----------
        set_to_none : bool
            Set them to None, so that a parameter which gets no gradient is not stepped. False:
            overwrite them with zeros.
        """
        for group in self.param_groups:
            for param in group["params"]:
                node = param.node
                if node is None or node.grad is None:
                    continue
                if set_to_none:
                    node.grad = None
                elif node.grad.requires_grad:
                    node.grad = Tensor(np.zeros(node.shape, node.dtype))
                else:
                    node.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, in PyTorch's format.

        Returns
        -------
        dict
            "state": index of a parameter -> its state, and "param_groups": the options of each
            group with the indices of its "params". Arrays are not copied.
        """
        indices: dict[int, int] = {}
        for group in self.param_groups:
            for param in group["params"]:
                indices[id(param)] = len(indices)
        state = {
            indices[id(param)]: dict(entry)
            for param, entry in self._state.items()
            if entry and id(param) in indices
        }
        groups = [
            {
                **{name: value for name, value in group.items() if name != "params"},
                "params": [indices[id(param)] for param in group["params"]],
            }
            for group in self.param_groups
        ]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take the state and the options that `state_dict` returned, all of them or none.

        Arrays are copied, and converted to the dtype of the parameter.

        Parameters
        ----------
        state_dict : dict

        Raises
        ------
        TypeError, ValueError
            If it is not of the format, its groups are not of the same sizes as the optimizer's,
            an option makes no sense, or an array does not have the shape of its parameter. The
            optimizer is then as it was.
        """
        who = f"{self._who}.load_state_dict"
        saved = mapping(state_dict, f"{who}: the state dict")
        for name in ("state", "param_groups"):
            if name not in saved:
                raise ValueError(f"{who}: the state dict has no {name!r}")
        groups = self._loaded_groups(saved["param_groups"], who)
        every = [p for group in self.param_groups for p in group["params"]]
        keys = [key for group in saved["param_groups"] for key in group["params"]]
        if len({*keys}) != len(keys):
            raise ValueError(f"{who}: a parameter is in more than one place of its param_groups")
        params = dict(zip(keys, every, strict=True))
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for key, entry in mapping(saved["state"], f"{who}: 'state'").items():
            if key not in params:
                raise ValueError(f"{who}: 'state' has an entry {key!r} that is no parameter's")
            where = f"{who}: 'state' of parameter {key!r}"
            self._check_state(mapping(entry, where), params[key], where)
            state[params[key]] = {
                name: loaded(name, value, params[key], where) for name, value in entry.items()
            }
        self.__setstate__({"defaults": self.defaults, "state": state, "param_groups": groups})

    def _check_state(self, entry: Mapping[Any, Any], param: Tensor, where: str) -> None:
        """Raise ValueError if the state of a parameter is not one of this algorithm's."""
        if self._sometimes is None or not entry:
            return
        steps = ("step",) if self._counts else ()
        needed = (*steps, *self._always)
        missing = [name for name in needed if entry.get(name) is None]
        if missing:
            raise ValueError(f"{where} has no {missing[0]!r}: it is not from {self._who}")
        for name, value in entry.items():
            if name not in needed and name not in self._sometimes:
                raise ValueError(f"{where} has {name!r}: it is not from {self._who}")
            if name in steps or value is None:
                continue
            shape = getattr(value, "shape", None)
            if shape != param.shape:
                raise ValueError(
                    f"{where}: {name!r} has shape {shape}, the parameter has {param.shape}"
                )

    def _loaded_groups(self, saved: Any, who: str) -> list[Group]:
        """The groups of a state dict, with this optimizer's parameters."""
        if not isinstance(saved, list | tuple):
            raise TypeError(f"{who}: 'param_groups' must be a list, not {type(saved).__name__}")
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"{who}: the state dict has {len(saved)} parameter groups, the optimizer has "
                f"{len(self.param_groups)}"
            )
        groups = []
        for i, (old, own) in enumerate(zip(saved, self.param_groups, strict=True)):
            where = f"{who}: parameter group {i}"
            indices = mapping(old, where).get("params")
            if not isinstance(indices, list | tuple):
                raise ValueError(f"{where} has no list of 'params'")
            if len(indices) != len(own["params"]):
                raise ValueError(
                    f"{where} has {len(indices)} parameters in the state dict and "
                    f"{len(own['params'])} in the optimizer"
                )
            group = {**own, **deepcopy({**old, "params": None}), "params": own["params"]}
            self._validate(group, where)
            groups.append(group)
        return groups

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self._state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.defaults = state["defaults"]
        self._state = state["state"]
        self.param_groups = state["param_groups"]
        self._forget()
        self._stepped = vars(self).get("_stepped", False)

    def __repr__(self) -> str:
        lines = [f"{self._who} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


# --- Checks -------------------------------------------------------------------------------------


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
        if not param.is_leaf:
            raise ValueError(
                f"{who}: parameter {i} (shape {param.shape}) is not a leaf: it was computed from "
                "other tensors, so a change of it would be lost; optimize those, or detach() it"
            )
    return tensors, names


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


def misfit(value: Any, array: np.ndarray, what: str = "the gradient") -> ValueError:
    """The error for a gradient or state of another shape than its parameter's."""
    return ValueError(
        f"step: {what} of a parameter has shape {value.shape}, the parameter {array.shape}"
    )


def check_range(
    who: str, name: str, value: Any, low: float = 0.0, below: float = math.inf
) -> float:
    """`value` as a float; ValueError unless it is a number >= `low` and < `below`."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: {name} must be a number, not {value!r}") from None
    if not low <= x or (below < math.inf and not x < below):
        wanted = f">= {low:g}" if below == math.inf else f">= {low:g} and < {below:g}"
        if low == -math.inf:
            wanted = "not NaN"
        raise ValueError(f"{who}: {name} must be {wanted}, not {value!r}")
    return x


def number(value: Any) -> float:
    """A count of steps (a Tensor, an array or a number) as a float."""
    return float(value.item() if hasattr(value, "item") else value)


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


def split(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Views of consecutive pieces of `flat` in the given shapes."""
    return list(_pieces(flat, shapes))


def _pieces(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> Iterator[np.ndarray]:
    start = 0
    for shape in shapes:
        end = start + math.prod(shape)
        yield flat[start:end].reshape(shape)
        start = end
