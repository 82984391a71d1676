"""Functions of one's own around a step, and around saving and loading a state."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from autograd.differentiate import Handle

P = ParamSpec("P")
R = TypeVar("R")
Self = TypeVar("Self", bound="Hooked")

KINDS = ("step_pre", "step_post", "save_pre", "save_post", "load_pre", "load_post")


class Hooked:
    """What is called before and after the work of an optimizer, in the order of registration."""

    _stepped = False
    _hooks: dict[str, dict[object, Callable[..., Any]]] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(vars(cls)["step"])

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` before each step.

        Parameters
        ----------
        hook : callable
            Gets the arguments of the call, of which the first is the optimizer. It may return new
            ones, as a tuple of both; else None.

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.
        """
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` after each step.

        Parameters
        ----------
        hook : callable

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.

        Examples
        --------
        >>> import autograd, optim
        >>> w = autograd.tensor([1.0], requires_grad=True)
        >>> optimizer = optim.SGD([w])
        >>> handle = optimizer.register_step_post_hook(lambda *_: print("stepped"))
        >>> optimizer.step()
        stepped
        >>> handle.remove()
        >>> optimizer.step()
        """
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer)`` before `state_dict` looks at the state.

        Parameters
        ----------
        hook : callable
        prepend : bool
            Call it before those that were registered earlier.

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.
        """
        return self._register("save_pre", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer, state_dict)`` on what `state_dict` is about to return.

        Parameters
        ----------
        hook : callable
            May change the dict, or return another one.
        prepend : bool
            Call it before those that were registered earlier.

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.
        """
        return self._register("save_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer, state_dict)`` before `load_state_dict` looks at it.

        Parameters
        ----------
        hook : callable
            Gets a shallow copy; may change it, or return another one.
        prepend : bool
            Call it before those that were registered earlier.

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.
        """
        return self._register("load_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call ``hook(optimizer)`` after `load_state_dict` took a state.

        Parameters
        ----------
        hook : callable
        prepend : bool
            Call it before those that were registered earlier.

        Returns
        -------
        Handle
            Its ``remove()`` takes the hook off.
        """
        return self._register("load_post", hook, prepend)

    def _register(self, kind: str, hook: Callable[..., Any], first: bool = False) -> Handle:
        if self._hooks is None:
            self._hooks = {each: {} for each in KINDS}
        hooks, key = self._hooks[kind], object()
        later = dict(hooks) if first else {}
        if first:
            hooks.clear()
        hooks[key] = hook
        hooks.update(later)
        return Handle(hooks, key)

    def _called(self, kind: str) -> list[Callable[..., Any]]:
        """The hooks of a kind; one may take itself off when called."""
        return list(self._hooks[kind].values()) if self._hooks else []

    def _passed(self, kind: str, state_dict: Any) -> Any:
        """A state after the hooks of a kind, each of which may replace it."""
        hooks = self._called(kind)
        if hooks and isinstance(state_dict, Mapping):
            state_dict = dict(state_dict)
        for hook in hooks:
            result = hook(self, state_dict)
            state_dict = state_dict if result is None else result
        return state_dict


def hooked(step: Callable[Concatenate[Self, P], R]) -> Callable[Concatenate[Self, P], R]:
    """A step that notes that it was called, and calls the hooks."""

    @functools.wraps(step)
    def wrapper(self: Self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._hooks is None:
            self._stepped = True
            return step(self, *args, **kwargs)
        given: tuple[Any, ...] = (self, *args)
        named: dict[str, Any] = dict(kwargs)
        for hook in self._called("step_pre"):
            result = hook(self, given, named)
            if result is None:
                continue
            if not isinstance(result, tuple) or len(result) != 2:
                raise RuntimeError(
                    f"{type(self).__name__}.step: a hook before it must return None or (args, "
                    f"kwargs), not {result!r}"
                )
            given, named = result
        # A step that calls that of its base class is one step.
        hooks, self._hooks = self._hooks, None
        try:
            self._stepped = True
            result = step(*given, **named)
        finally:
            self._hooks = hooks
        for hook in self._called("step_post"):
            hook(self, given, named)
        return result

    return wrapper
