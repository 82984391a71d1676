"""Whether operations are recorded: a switch for each thread, set by context managers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Mode(threading.local):
    """The switches of one thread; a new thread starts with recording on."""

    def __init__(self) -> None:
        self.grad = True
        self.inference = False
        self.outside: list[tuple[bool, bool]] = []  # what each open block found


mode = Mode()


class _Switch:
    """A context manager that is a decorator too, with or without parentheses.

    It keeps nothing itself, so one object serves nested blocks and several threads.
    """

    def __new__(cls, function: Any = None) -> Any:
        switch = object.__new__(cls)
        return switch if function is None else switch(function)

    def _set(self) -> None:
        raise AssertionError("each switch says what it sets")

    def __enter__(self) -> None:
        mode.outside.append((mode.grad, mode.inference))
        self._set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.grad, mode.inference = mode.outside.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate `function`."""

        @functools.wraps(function)
        def switched(*args: P.args, **kwargs: P.kwargs) -> R:
            mode.outside.append((mode.grad, mode.inference))
            self._set()
            try:
                return function(*args, **kwargs)
            finally:
                mode.grad, mode.inference = mode.outside.pop()

        return switched


class no_grad(_Switch):
    """Record nothing inside: results do not require gradients.

    Works as ``with no_grad():`` and as ``@no_grad()``; holds for the calling thread only.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> with autograd.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def _set(self) -> None:
        mode.grad = False


class enable_grad(_Switch):
    """Record again inside a `no_grad` block (inside `inference_mode` it has no effect).

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> with autograd.no_grad(), autograd.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    def _set(self) -> None:
        mode.grad = not mode.inference


class set_grad_enabled(_Switch):
    """Record or not, by a condition: from now on, or inside a `with` block or a function.

    Parameters
    ----------
    enabled : bool

    Examples
    --------
    >>> import autograd
    >>> with autograd.set_grad_enabled(False):
    ...     autograd.is_grad_enabled()
    False
    """

    def __new__(cls, enabled: bool) -> Any:
        """Make the switch; unlike the others it always takes an argument."""
        return object.__new__(cls)

    def __init__(self, enabled: bool) -> None:
        self._enabled = bool(enabled)
        self._outside = (mode.grad, mode.inference)
        self._set()  # at once, as in PyTorch: the call alone is a statement

    def _set(self) -> None:
        mode.grad = self._enabled and not mode.inference

    def __enter__(self) -> None:
        mode.outside.append(self._outside)
        self._set()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate `function`, and nothing else."""
        mode.grad, mode.inference = self._outside  # it is the function that is meant
        return super().__call__(function)


class inference_mode(_Switch):
    """Record nothing inside, and let no `enable_grad` further in turn it on again.

    Examples
    --------
    >>> import autograd
    >>> with autograd.inference_mode(), autograd.enable_grad():
    ...     autograd.is_grad_enabled()
    False
    """

    def _set(self) -> None:
        mode.grad = False
        mode.inference = True


def is_grad_enabled() -> bool:
    """Tell whether operations on this thread are recorded."""
    return mode.grad


def is_inference_mode_enabled() -> bool:
    """Tell whether this thread is inside `inference_mode`."""
    return mode.inference
