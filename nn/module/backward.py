"""How a module's backward hooks see gradients: through nodes around its arguments and results."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, Self

from autograd import Function, Tensor, is_grad_enabled

# Which watch the next of the two Functions below belongs to: their arguments can be tensors only.
_now = threading.local()


class Watch:
    """One call of a module with backward hooks: what they are, and the gradients met so far."""

    def __init__(self, module: Any, before: list[Any], after: list[Any]) -> None:
        self.module = module
        self.before = before
        self.after = after
        self.places: list[int] = []  # of the tensors among the arguments
        self.count = 0  # of arguments
        self.grad_output: tuple[Any, ...] = ()
        self.several = False

    @classmethod
    def of(cls, module: Any, hooks: list[tuple[Callable[..., Any], bool]]) -> Self | None:
        """A watch if there is something to watch."""
        if not hooks or not is_grad_enabled():
            return None
        before = [hook for hook, early in hooks if early]
        return cls(module, before, [hook for hook, early in hooks if not early])

    def _through(self, function: type[Function], tensors: list[Any]) -> tuple[Any, ...]:
        _now.watch = self
        try:
            return function.apply(*tensors)
        finally:
            del _now.watch

    def arguments(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, behind a node if one of them requires a gradient."""
        places = [i for i, value in enumerate(args) if isinstance(value, Tensor)]
        self.count = len(args)
        if not any(args[i].requires_grad for i in places):
            return args
        self.places = places
        passed = self._through(ModuleInputs, [args[i] for i in places])
        given = list(args)
        for i, value in zip(places, passed, strict=True):
            given[i] = value
        return tuple(given)

    def results(self, output: Any) -> Any:
        """The results, behind a node if one of them requires a gradient."""
        self.several = isinstance(output, tuple)
        values = output if self.several else (output,)
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not self.several and not places:
            warnings.warn(
                "backward hooks see modules whose output is a Tensor or a tuple of Tensors, not a "
                f"{type(output).__name__}",
                stacklevel=5,
            )
        if not any(values[i].requires_grad for i in places):
            return output
        passed = self._through(ModuleOutputs, [values[i] for i in places])
        given = list(values)
        for i, value in zip(places, passed, strict=True):
            given[i] = value
        if not self.several:
            return given[0]
        return type(output)(*given) if hasattr(output, "_fields") else tuple(given)

    def left(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Gradients of the results, as the early hooks leave them."""
        for hook in self.before:
            changed = hook(self.module, grads)
            if changed is not None:
                grads = _replaced("pre-hook", changed, grads)
        self.grad_output = grads
        if not self.places:  # no argument will tell
            for hook in self.after:
                found = hook(self.module, (None,) * self.count, grads)
                if found is not None and any(grad is not None for grad in _tuple(found)):
                    raise RuntimeError(
                        "a backward hook cannot return gradients of inputs that require none"
                    )
        return grads

    def entered(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Gradients of the arguments, as the hooks leave them."""
        all_grads: list[Any] = [None] * self.count
        for i, grad in zip(self.places, grads, strict=True):
            all_grads[i] = grad
        found = tuple(all_grads)
        for hook in self.after:
            changed = hook(self.module, found, self.grad_output)
            if changed is not None:
                found = _replaced("hook", changed, found)
        self.grad_output = ()
        return tuple(found[i] for i in self.places)


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _replaced(what: str, changed: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    changed = _tuple(changed)
    if len(changed) != len(grads):
        raise RuntimeError(
            f"a backward {what} must return None or {len(grads)} gradients, not {len(changed)}"
        )
    return changed


class ModuleInputs(Function):
    """The arguments of a module, unchanged; in backward the hooks see their gradients."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        """Pass the tensors on."""
        ctx.watch = _now.watch
        return tuple(tensor.detach() for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Pass on what the hooks leave."""
        return ctx.watch.entered(grads)


class ModuleOutputs(Function):
    """The results of a module, unchanged; in backward the hooks see their gradients."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        """Pass the tensors on."""
        ctx.watch = _now.watch
        return tuple(tensor.detach() for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Pass on what the hooks leave."""
        return ctx.watch.left(grads)
