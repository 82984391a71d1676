"""Optimizer: parameter groups, their state, and the loop around every update formula.

An algorithm is a kernel that changes one parameter and its state in place. This module brings the
arrays: it looks after the state, and knows which parameters have a gradient.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad
from autograd.changes import CHANGES

from .checks import check_flags, check_range, listed, loaded, mapping
from .hooks import Hooked, hooked
from .slots import Group, Plan, Slot, misfit

Params = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]


class Optimizer(Hooked):
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
    A subclass names its state in `_names`, and calls its kernel in `_advance`.
    """

    _counts = False  # whether the state of a parameter counts its steps, as "step"
    _always: tuple[str, ...] = ()  # arrays that the state has whatever the options
    _sometimes: tuple[str, ...] | None = None  # arrays that it may have; None: not known
    _numbers: tuple[str, ...] = ()  # those of them that are one number, as float32

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
        self._check(defaults, self._who)
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._forget()
        entries: list[Any] = list(params)
        if not entries:
            raise ValueError(f"{self._who}: the list of parameters is empty")
        if not isinstance(entries[0], dict):
            entries = [{"params": entries}]
        for entry in entries:
            self.add_param_group(entry)

    # --- What a subclass says -----------------------------------------------------------------

    def _names(self, group: Group) -> tuple[str, ...]:
        """Names of the arrays that the options of `group` call for."""
        raise NotImplementedError

    def _shapes(self, names: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays that a parameter of some shape has, of those named."""
        return {name: () if name in self._numbers else shape for name in names}

    def _initial(self, name: str, group: Group) -> float:
        """The number that an array of the state is full of at first."""
        return 0.0

    def _advance(self, group: Group, ready: list[tuple[Slot, np.ndarray]]) -> None:
        """Change the parameters and states of `ready`, slots with gradients, in place."""
        raise NotImplementedError

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        """Raise ValueError if an option has a value that makes no sense."""

    def _check_parameter(self, param: Tensor, what: str) -> None:
        """Raise ValueError if the algorithm cannot change such a parameter."""

    def _check(self, options: Mapping[str, Any], who: str) -> None:
        check_flags(who, options)
        self._validate(options, who)

    # --- The step -----------------------------------------------------------------------------

    @hooked
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
        for group, plan in zip(self.param_groups, self._ready_plans(), strict=True):
            ready = []
            for slot in plan.slots:
                param = slot.param
                node = param.node
                if node is None or node.grad is None:
                    continue
                if param.value is not slot.array:
                    slot.rebind()
                grad = node.grad.value
                if grad.shape != slot.array.shape:
                    raise misfit(grad, slot.array)
                ready.append((slot, grad))
            CHANGES.mark_all([slot.change for slot, _ in ready], self._label)
            self._advance(group, ready)
        return loss

    def _ready_plans(self) -> list[Plan]:
        """The plans of all groups, with a slot for every parameter that has a gradient."""
        groups = self.param_groups
        plans = self._plans
        if len(plans) != len(groups):
            plans = self._plans = [Plan(group, self._names(group)) for group in groups]
        for i, group in enumerate(groups):
            plan, names = plans[i], self._names(group)
            if not plan.fits(group, names) or (self._state_seen and not self._intact(plan)):
                plan = plans[i] = Plan(group, names)
            if plan.idle:
                self._adopt(plan)
        return plans

    def _intact(self, plan: Plan) -> bool:
        """Tell whether `state` still holds what the slots work on."""
        return all(slot.intact(self._state.get(slot.param, {})) for slot in plan.slots)

    def _adopt(self, plan: Plan) -> None:
        """Give slots to parameters that have a gradient for the first time."""
        new = [
            Slot(param, self._fresh(param, plan.group), self._state.get(param, {}), self._counts)
            for param in plan.idle
            if param.grad is not None
        ]
        if not new:
            return
        for slot in new:  # all or, after an error above, none of them
            self._state[slot.param].update(slot.tensors)
        plan.slots += new
        taken = {id(slot.param) for slot in new}
        plan.idle = [p for p in plan.idle if id(p) not in taken]

    def _fresh(self, param: Tensor, group: Group) -> dict[str, np.ndarray]:
        """The state of a parameter before its first step, without the count of steps."""
        return {
            name: np.full(
                shape,
                self._initial(name, group),
                np.float32 if name in self._numbers else param.dtype,
            )
            for name, shape in self._shapes(self._names(group), param.shape).items()
        }

    def _forget(self) -> None:
        """Drop what is derived from `param_groups` and `state`."""
        self._plans: list[Plan] = []
        self._state_seen = False
        self._label = f"{type(self).__name__}.step"

    @property
    def was_stepped(self) -> bool:
        """True once `step` was called."""
        return self._stepped

    @property
    def _essential(self) -> list[str]:
        """Options that a state of this algorithm has, whatever release of PyTorch it is from."""
        return [name for name, value in self.defaults.items() if value and value is not True]

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
        self._check(group, who)
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for i, param in enumerate(params):
            self._check_parameter(param, f"{who}: parameter {i}")
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
        for hook in self._called("save_pre"):
            hook(self)
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
        saved = {"state": dict(sorted(state.items())), "param_groups": groups}
        return self._passed("save_post", saved)

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
        saved = mapping(self._passed("load_pre", state_dict), f"{who}: the state dict")
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
        for hook in self._called("load_post"):
            hook(self)

    def _check_state(self, entry: Mapping[Any, Any], param: Tensor, where: str) -> None:
        """Raise ValueError if the state of a parameter is not one of this algorithm's."""
        if self._sometimes is None or not entry:
            return
        steps = ("step",) if self._counts else ()
        needed = (*steps, *self._shapes(self._always, param.shape))
        missing = [name for name in needed if entry.get(name) is None]
        if missing:
            raise ValueError(f"{where} has no {missing[0]!r}: it is not from {self._who}")
        shapes = self._shapes((*self._always, *self._sometimes), param.shape)
        for name, value in entry.items():
            if name not in steps and name not in shapes:
                raise ValueError(f"{where} has {name!r}: it is not from {self._who}")
            if name in steps or value is None:
                continue
            shape = getattr(value, "shape", None)
            if name in self._numbers and shape is None:
                check_range(where, repr(name), value)
            elif shape != shapes[name]:
                raise ValueError(
                    f"{where}: {name!r} has shape {shape}, not {shapes[name]} as a parameter of "
                    f"shape {param.shape} needs"
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
            missing = [name for name in self._essential if name not in old]
            if missing:
                raise ValueError(f"{where} has no {missing[0]!r}: it is not from {self._who}")
            group = {**own, **deepcopy({**old, "params": None}), "params": own["params"]}
            self._check(group, where)
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

    def __repr__(self) -> str:
        lines = [f"{self._who} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])
