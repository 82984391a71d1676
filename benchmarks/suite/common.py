"""How the suite enters its subjects: rivals on their libraries, and passes there and back."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
import nn.functional
from autograd import kernels

from .. import rivals
from ..subjects import Arrays, Built, Size, kernel

Formula = Callable[..., Any]
"""A function of a library and of arrays of its kind."""


class Names:
    """Functions of some modules under one roof."""

    def __init__(self, *modules: Any) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        for module in self.modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


OURS = Names(nn.functional, autograd)


def torch_names() -> Names:
    """PyTorch's functions."""
    torch = importlib.import_module("torch")
    return Names(torch.nn.functional, torch)


def beside(
    *,
    numpy: Formula | None = None,
    scipy: Formula | None = None,
    torch: Formula | None = None,
    jax: Formula | None = None,
) -> dict[str, Built | Formula]:
    """
    Rivals of a plain function; those of PyTorch and JAX take their library first.

    What is given for PyTorch is measured eager and compiled.
    """
    found: dict[str, Built | Formula] = {}
    if numpy is not None:
        found["numpy"] = numpy
    if scipy is not None:
        found["scipy"] = scipy
    if torch is not None:
        formula = torch

        def eager(*own: Any) -> Callable[[], Any]:
            names = torch_names()
            return lambda: formula(names, *own)

        def compiled(*own: Any) -> Callable[[], Any]:
            names = torch_names()
            return rivals.bound(rivals.torch_compiled(lambda *a: formula(names, *a)), own)

        found |= {"torch": Built(eager), "torch.compile": Built(compiled)}
    if jax is not None:
        traced = jax

        def jitted(*own: Any) -> Callable[[], Any]:
            module = rivals.jax()
            return rivals.bound(rivals.jax_compiled(lambda *a: traced(module, *a)), own)

        found["jax"] = Built(jitted)
    return found


def scipy_function(path: str) -> Formula:
    """A function of SciPy by its dotted name, looked for when it is called."""
    module, name = path.rsplit(".", 1)

    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(f"scipy.{module}"), name)(*arguments)

    return call


def passes(
    name: str,
    forward: Formula,
    *,
    inputs: Callable[[Any, np.random.Generator], Arrays],
    sizes: Sequence[Size],
    jax: Formula | None = None,
    wanted: int = 1,
    loss: bool = False,
    **options: Any,
) -> None:
    """
    Enter a forward and a backward as a user writes them: results allocated, graph recorded.

    Parameters
    ----------
    forward : callable
        ``forward(names, *tensors)``, for this library and for PyTorch.
    inputs : callable
        Arrays: first those that get gradients, then others, and at last the result's gradient.
    jax : callable, optional
        The same for JAX: ``jax(jax_module, *arrays)``.
    wanted : int
        How many inputs get gradients.
    loss : bool
        The result is one number, and there is no gradient among the inputs.
    """

    def ours(*arrays: Any) -> Callable[[], Any]:
        leaves = [autograd.tensor(a, requires_grad=True) for a in arrays[:wanted]]
        rest = [autograd.tensor(a) for a in arrays[wanted:]]
        seed = None if loss else rest.pop()

        def call() -> Any:
            y = forward(OURS, *leaves, *rest)
            return (y, *autograd.grad(y, leaves, seed))

        return call

    def theirs(compiled: bool, own: Arrays) -> Callable[[], Any]:
        torch, names = importlib.import_module("torch"), torch_names()
        leaves = [a.clone().requires_grad_() for a in own[:wanted]]
        rest = list(own[wanted:])
        seed = None if loss else rest.pop()

        def plain(*arguments: Any) -> Any:
            return forward(names, *arguments)

        function = rivals.torch_compiled(plain) if compiled else plain

        def call() -> Any:
            y = function(*leaves, *rest)
            return (y, *torch.autograd.grad(y, leaves, seed))

        return call

    def reference(*arrays: Any) -> Any:
        with kernels.use("reference"):
            return ours(*arrays)()

    found: dict[str, Built] = {
        "torch": Built(lambda *own: theirs(False, own)),
        "torch.compile": Built(lambda *own: theirs(True, own), seconds=2 * rivals.COMPILE_SECONDS),
    }
    if jax is not None:
        traced = jax
        found["jax"] = Built(lambda *own: jax_passes(traced, own, wanted, loss))
    kernel(name=name, reference=reference, inputs=inputs, rivals=found, sizes=sizes, **options)(
        Built(ours)
    )


def jax_passes(formula: Formula, own: Arrays, wanted: int, loss: bool) -> Callable[[], Any]:
    """A forward and a backward of JAX, compiled."""
    module = rivals.jax()

    def whole(*arrays: Any) -> Any:
        rest = arrays[wanted:] if loss else arrays[wanted:-1]
        y, back = module.vjp(lambda *leaves: formula(module, *leaves, *rest), *arrays[:wanted])
        return (y, *back(module.numpy.ones_like(y) if loss else arrays[-1]))

    return rivals.bound(rivals.jax_compiled(whole), own)


def enter(name: str, function: Formula, reference: Formula, options: Mapping[str, Any]) -> None:
    """Enter a kernel."""
    kernel(name=name, reference=reference, **options)(function)


def normal(*shapes: Callable[[Any], tuple[int, ...]]) -> Callable[..., Arrays]:
    """Make normal numbers, in the shapes that a size means."""
    return lambda size, rng: tuple(rng.standard_normal(shape(size)) for shape in shapes)


def itself(size: Any) -> tuple[int, ...]:
    """The shape that a size is."""
    return size if isinstance(size, tuple) else (size,)
