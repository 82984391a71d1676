"""The state of a tree of modules as a dict, and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, no_grad
from autograd.differentiate import Handle

from .parameter import Buffer, Parameter
from .tree import Tree
from .uninitialized import is_lazy


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` passed over: both lists are empty if it was strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


_keys = itertools.count()
EXTRA = "_extra_state"


class State(Tree):
    """The part of `Module` that saves and loads."""

    _state_hooks: dict[int, tuple[str, Callable[..., Any]]]  # when, hook

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["_state_hooks"] = {}

    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """
        Parameters and persistent buffers by their dotted names, in PyTorch's order.

        Parameters
        ----------
        destination : dict, optional
            Gets the entries; default a new dict.
        prefix : str
            Put before the names.
        keep_vars : bool, default False
            The parameters themselves, not detached.

        Returns
        -------
        dict of str to Tensor
            Sharing memory with the module.

        Examples
        --------
        >>> import nn
        >>> {name: value.shape for name, value in nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}
        """
        found = {} if destination is None else destination
        for hook in self._hooks_at("before saving"):
            hook(self, prefix, keep_vars)
        own = self.__dict__
        for name, value in self._own_state():
            found[prefix + name] = value if keep_vars else value.detach()
        if _has_extra(self):
            found[prefix + EXTRA] = self.get_extra_state()
        for name in self._module_names:
            module = own[name]
            if module is not None:
                module.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_at("after saving"):
            if hook(self, found, prefix, {}) is not None:
                raise RuntimeError(
                    "a state_dict post-hook changes the dict in place, returning None"
                )
        return found

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        own = self.__dict__
        for name in (
            *self._parameter_names,
            *(n for n, kept in self._buffer_names.items() if kept),
        ):
            if own[name] is not None:
                yield name, own[name]

    def _places(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Every module with the prefix of its keys, shared ones as often as they occur."""
        yield prefix, self
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None:
                yield from module._places(f"{prefix}{name}.")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """
        Copy parameters and buffers from a dict such as `state_dict` returns.

        Everything is checked first: either all is loaded or nothing.

        Parameters
        ----------
        state_dict : mapping of str to Tensor or ndarray
            Values are converted to the dtypes of the module.
        strict : bool, default True
            Raise for missing and unexpected keys. A shape that does not fit always raises.
        assign : bool, default False
            Make the values of the dict the module's own, with their dtypes, instead of copying.

        Returns
        -------
        IncompatibleKeys
            ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        TypeError
            If `state_dict` is no mapping.
        RuntimeError
            If keys, shapes or dtypes do not fit; the message lists all that do not.

        Examples
        --------
        >>> import nn
        >>> a, b = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> a.load_state_dict(b.state_dict())
        <All keys matched successfully>
        >>> a.load_state_dict({"bias": b.bias}, strict=False).missing_keys
        ['weight']
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"load_state_dict: expected a dict of tensors, not {type(state_dict).__name__}"
            )
        state, places = dict(state_dict), list(self._places())
        keys = IncompatibleKeys([], [])
        problems: list[str] = []
        for prefix, module in places:
            for hook in module._hooks_at("before loading"):
                hook(module, state, prefix, {}, strict, *keys, problems)
        targets = {
            prefix + name: (module, name, tensor)
            for prefix, module in places
            for name, tensor in module._own_state()
        }
        extras = {prefix + EXTRA: module for prefix, module in places if _has_extra(module)}
        known = targets.keys() | extras.keys()
        keys.missing_keys.extend(name for name in (*targets, *extras) if name not in state)
        keys.unexpected_keys.extend(name for name in state if name not in known)
        sources: dict[str, np.ndarray] = {}
        for name, (_, _, target) in targets.items():
            if name in state:
                source, problem = _fitting(name, state[name], target, assign)
                if problem:
                    problems.append(problem)
                elif source is not None:
                    sources[name] = source
        after = [(m, hook) for _, m in places for hook in m._hooks_at("after loading")]
        # A hook that runs after the load may forgive keys; so what was there is kept until then.
        if not after:
            problems += _about(keys, strict)
        if problems:
            raise _failed(self, problems)
        before = {name: targets[name][2].array().copy() for name in sources} if after else {}
        with no_grad():
            for name, source in sources.items():
                _put(*targets[name], source, state[name] if assign else None)
        for module, hook in after:
            if hook(module, keys) is not None:
                raise RuntimeError("a load_state_dict post-hook changes the keys in place only")
        if after and (problems := _about(keys, strict)):
            with no_grad():
                for name, values in before.items():
                    targets[name][2].copy_(values)
            raise _failed(self, problems)
        for name, module in extras.items():
            if name in state:
                module.set_extra_state(state[name])
        return keys

    def get_extra_state(self) -> Any:
        """
        What else belongs to the state; a subclass that defines it defines `set_extra_state` too.

        Raises
        ------
        RuntimeError
            If a subclass did not.
        """
        raise RuntimeError(f"{type(self).__name__} defines no get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """
        Take what `get_extra_state` gave; called by `load_state_dict`.

        Raises
        ------
        RuntimeError
            If a subclass did not define it.
        """
        raise RuntimeError(f"{type(self).__name__} defines no set_extra_state()")

    # --- Hooks ----------------------------------------------------------------------------------

    def _hooks_at(self, when: str) -> list[Callable[..., Any]]:
        return [hook for at, hook in self._state_hooks.values() if at == when]

    def _state_hook(self, when: str, hook: Callable[..., Any]) -> Handle:
        if not callable(hook):
            raise TypeError(f"a hook must be callable, not {hook!r}")
        key = next(_keys)
        self._state_hooks[key] = (when, hook)
        return Handle(self._state_hooks, key)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """
        Call ``hook(module, prefix, keep_vars)`` before the module's state is taken.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(1, 1)
        >>> handle = layer.register_state_dict_pre_hook(lambda *_: print("saving"))
        >>> _ = layer.state_dict()
        saving
        """
        return self._state_hook("before saving", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """
        Call ``hook(module, state_dict, prefix, local_metadata)``, which may change the dict.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(1, 1)
        >>> def forget(module, state, prefix, metadata):
        ...     del state[prefix + "bias"]
        >>> handle = layer.register_state_dict_post_hook(forget)
        >>> list(layer.state_dict())
        ['weight']
        """
        return self._state_hook("after saving", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """
        Call a hook before a state is loaded: the place to rename old keys.

        Parameters
        ----------
        hook : callable
            ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
            unexpected_keys, error_msgs)``; the dict is a copy that it may change.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> def rename(module, state, prefix, *_):
        ...     state[prefix + "weight"] = state.pop(prefix + "old")
        >>> handle = layer.register_load_state_dict_pre_hook(rename)
        >>> layer.load_state_dict({"old": layer.weight})
        <All keys matched successfully>
        """
        return self._state_hook("before loading", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """
        Call ``hook(module, incompatible_keys)`` after a load; it may take keys from both lists.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(1, 1)
        >>> def forgive(module, keys):
        ...     keys.missing_keys.clear()
        >>> handle = layer.register_load_state_dict_post_hook(forgive)
        >>> layer.load_state_dict({"weight": layer.weight})
        <All keys matched successfully>
        """
        return self._state_hook("after loading", hook)


def _has_extra(module: State) -> bool:
    return type(module).get_extra_state is not State.get_extra_state


def _about(keys: IncompatibleKeys, strict: bool) -> list[str]:
    problems = []
    if strict and keys.missing_keys:
        problems.append(f"Missing key(s) in state_dict: {_listed(keys.missing_keys)}.")
    if strict and keys.unexpected_keys:
        problems.append(f"Unexpected key(s) in state_dict: {_listed(keys.unexpected_keys)}.")
    return problems


def _failed(module: State, problems: list[str]) -> RuntimeError:
    listed = "\n\t".join(problems)
    return RuntimeError(
        f"Error(s) in loading state_dict for {type(module).__name__} (nothing was loaded):"
        f"\n\t{listed}"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _put(module: State, name: str, target: Tensor, source: np.ndarray, value: Any) -> None:
    """Copy `source` into `target`; or let `value` take its place, if there is one."""
    if value is None:
        if is_lazy(target):
            target.materialize(source.shape)
        target.copy_(source)
        return
    tensor = value.detach() if isinstance(value, Tensor) else value
    if isinstance(target, Parameter):
        setattr(module, name, Parameter(tensor, target.requires_grad))
    else:
        setattr(module, name, Buffer(tensor))


def _fitting(name: str, value: Any, target: Tensor, assign: bool) -> tuple[np.ndarray | None, str]:
    """`value` as an array that can be copied into `target`, or None and what is wrong."""
    if is_lazy(value):
        if is_lazy(target):
            return None, ""
        return None, f"{name}: the state_dict's has no shape yet, that of the model has."
    source = value.array() if isinstance(value, Tensor) else value
    if not isinstance(source, np.ndarray):
        return None, f'"{name}": expected a Tensor or an ndarray, met a {type(value).__name__}.'
    if not is_lazy(target) and source.shape != target.shape:
        return None, (
            f"size mismatch for {name}: shape {source.shape} in the state_dict, {target.shape} in "
            "the model."
        )
    if not np.can_cast(source.dtype, target.dtype, "same_kind"):
        return None, (
            f"dtype mismatch for {name}: {source.dtype} in the state_dict, {target.dtype} in the "
            "model."
        )
    if assign:
        return source, ""
    if not is_lazy(target) and not target.array().flags.writeable:
        return None, f"{name}: the memory of the model's tensor is read-only."
    return source.astype(target.dtype, copy=False), ""
