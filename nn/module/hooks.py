"""Calling a module, and hooks around its forward and backward passes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from autograd.differentiate import Handle

from .backward import Watch
from .registry import Registry

# Keys of hooks: unique in the process, and ordinary values when a module is copied or pickled.
_keys = itertools.count()


class Hooked(Registry):
    """The part of `Module` that calls."""

    _forward_pre_hooks: dict[int, tuple[Callable[..., Any], bool]]  # hook, with_kwargs
    _forward_hooks: dict[int, tuple[Callable[..., Any], bool, bool]]  # and always_call
    _backward_hooks: dict[int, tuple[Callable[..., Any], bool]]  # hook, before the module's own

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(_forward_pre_hooks={}, _forward_hooks={}, _backward_hooks={})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and the hooks around it."""
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks:
            return self._call_hooked(args, kwargs)
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """
        Compute the output; every subclass defines its own.

        Raises
        ------
        NotImplementedError
            If a subclass did not.

        Examples
        --------
        >>> import nn
        >>> nn.Module()(1)
        Traceback (most recent call last):
        ...
        NotImplementedError: Module defines no forward()
        """
        raise NotImplementedError(f"{type(self).__name__} defines no forward()")

    def _call_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Lists, since a hook may remove itself.
        after = list(self._forward_hooks.items())
        called: set[int] = set()
        try:
            for hook, with_kwargs in list(self._forward_pre_hooks.values()):
                args, kwargs = self._before(hook, with_kwargs, args, kwargs)
            watch = Watch.of(self, list(self._backward_hooks.values()))
            if watch is not None:
                args = watch.arguments(args)
            output = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in after:
                called.add(key)
                given = (args, kwargs, output) if with_kwargs else (args, output)
                changed = hook(self, *given)
                if changed is not None:
                    output = changed
            return output if watch is None else watch.results(output)
        except Exception:
            for key, (hook, with_kwargs, always_call) in after:
                if always_call and key not in called:
                    hook(self, *((args, kwargs, None) if with_kwargs else (args, None)))
            raise

    def _before(
        self, hook: Callable[..., Any], with_kwargs: bool, args: Any, kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments that a forward pre-hook leaves."""
        if not with_kwargs:
            changed = hook(self, args)
            if changed is None:
                return args, kwargs
            return (changed if isinstance(changed, tuple) else (changed,)), kwargs
        changed = hook(self, args, kwargs)
        if changed is None:
            return args, kwargs
        if not isinstance(changed, tuple) or len(changed) != 2:
            raise RuntimeError(
                "a forward pre-hook with kwargs must return None or a pair (args, kwargs), not "
                f"{changed!r}"
            )
        return changed

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """
        Call ``hook(module, args)`` before each `forward`; what it returns replaces the arguments.

        Parameters
        ----------
        hook : callable
            Returns None, a new argument, or a tuple of arguments. With `with_kwargs` it is called
            as ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        prepend : bool
            Run before the hooks that are there.
        with_kwargs : bool

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
        >>> layer(1)
        2
        >>> handle.remove()
        >>> layer(1)
        1
        """
        return _hooked(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """
        Call ``hook(module, args, output)`` after each `forward`; what it returns replaces output.

        Parameters
        ----------
        hook : callable
            With `with_kwargs` it is called as ``hook(module, args, kwargs, output)``.
        prepend : bool
            Run before the hooks that are there.
        with_kwargs : bool
        always_call : bool
            Call it, with output None, when `forward` raises too.

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: print("ran"))
        >>> layer(1)
        ran
        1
        """
        return _hooked(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """
        Call ``hook(module, grad_output)`` when the gradients of the module's results are there.

        Parameters
        ----------
        hook : callable
            Gets a tuple of gradients; what it returns other than None replaces them.
        prepend : bool
            Run before the hooks that are there.

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.Tanh()
        >>> handle = layer.register_full_backward_pre_hook(lambda module, grads: (grads[0] * 2,))
        >>> x = autograd.zeros(1, requires_grad=True)
        >>> layer(x).backward(autograd.ones(1))
        >>> x.grad
        tensor([2.])
        """
        return _hooked(self._backward_hooks, (hook, True), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """
        Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are there.

        Parameters
        ----------
        hook : callable
            Gets a tuple of gradients for the positional arguments (None for what is no tensor),
            and one for the results; what it returns other than None replaces the first. Where no
            argument requires a gradient it is called once those of the results are there.
        prepend : bool
            Run before the hooks that are there.

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.Linear(2, 3)
        >>> handle = layer.register_full_backward_hook(
        ...     lambda module, inputs, outputs: print(inputs[0].shape, outputs[0].shape)
        ... )
        >>> layer(autograd.zeros(4, 2, requires_grad=True)).sum().backward()
        (4, 2) (4, 3)
        """
        return _hooked(self._backward_hooks, (hook, False), prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Old name of `register_full_backward_hook`, whose meaning it has here."""
        return self.register_full_backward_hook(hook)


def _hooked(hooks: dict[int, Any], entry: Any, prepend: bool) -> Handle:
    if not callable(entry[0]):
        raise TypeError(f"a hook must be callable, not {entry[0]!r}")
    key = next(_keys)
    before = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[key] = entry
    hooks.update(before)
    return Handle(hooks, key)
