"""Modules that are compared with PyTorch's: how each is made and called, and what comes out.

Each kind of module has a file `cases_KIND.py` with a list `CASES`. A case runs here, in PyTorch, or
was run in PyTorch once, by ``python -m tests.nn.make_references``, which keeps its results.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn

HERE = Path(__file__).resolve().parent
REFERENCES = HERE / "references"
KINDS = sorted(path.stem.removeprefix("cases_") for path in HERE.glob("cases_*.py"))
MODES = ("train", "eval")


class Fixed(NamedTuple):
    """An array of floats whose gradient is not asked for, such as a target."""

    array: np.ndarray


class Case(NamedTuple):
    """A module, and one call of it.

    Attributes
    ----------
    module : str
        Its name in `nn` and in `torch.nn`.
    args, kwargs
        Arguments of the constructor.
    call, options
        Positional and keyword arguments of the call: arrays (those of floats get a gradient unless
        they are `Fixed`), tuples and lists of them, and anything else as it is.
    modes : tuple of str
        "eval" alone for what is random in training.
    build : callable, optional
        Makes the module from the library's `nn`, where arguments are modules themselves.
    use : callable, optional
        ``use(library, module, *args, **options)`` calls it, where a plain call will not do; library
        is `autograd` or `torch`, whose `nn` is as `build` gets it.
    note : str
        Tells apart cases that would otherwise have one name.
    """

    module: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    call: tuple[Any, ...] = ()
    options: Mapping[str, Any] = {}
    modes: tuple[str, ...] = MODES
    build: Callable[[Any], Any] | None = None
    use: Callable[..., Any] | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """What tells this case from all others: also the seed of its parameters."""
        made = [shown(arg) for arg in self.args]
        made += [f"{name}={shown(value)}" for name, value in self.kwargs.items()]
        called = [shown(arg) for arg in self.call]
        called += [f"{name}={shown(value)}" for name, value in self.options.items()]
        text = f"{self.module}({', '.join(made)}) on {', '.join(called)}"
        return f"{text}, {self.note}" if self.note else text


def shown(value: Any) -> str:
    """A short text for an argument: of an array, its shape."""
    if isinstance(value, Fixed):
        return shown(value.array)
    if isinstance(value, np.ndarray):
        return f"{value.dtype.kind}{list(value.shape)}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(shown, value))})"
    return getattr(value, "__name__", repr(value))


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers, the same on every run."""
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def chosen(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Integers from 0 to count - 1, the same on every run."""
    return np.random.default_rng((seed, count, *shape)).integers(0, count, shape)


def cases(kind: str) -> list[Case]:
    """Cases of one kind; no two have one name."""
    found = importlib.import_module(f"tests.nn.cases_{kind}").CASES
    names = [case.name for case in found]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated, f"give a note to each of {repeated}"
    return found


def state_for(case: Case, shapes: Mapping[str, tuple[tuple[int, ...], Any]]) -> dict[str, Any]:
    """Values for parameters and buffers, from the case's name; integers stay as they are."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    state = {}
    for name in sorted(shapes):
        shape, dtype = shapes[name]
        if np.dtype(dtype).kind == "f":
            values = rng.uniform(-0.5, 0.5, shape)
            state[name] = np.abs(values) + 0.5 if "running_var" in name else values
    return state


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply to every array (or `Fixed`) in tuples and lists."""
    if isinstance(value, np.ndarray | Fixed):
        return function(value)
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(mapped(function, part) for part in value)
    return value


def leaves(value: Any) -> Iterator[Any]:
    """Tensors in tuples (named ones too) and lists, in order."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
    elif value is not None:
        yield value


class Here:
    """Run a case with this library."""

    library = autograd
    nn = nn

    def tensor(self, value: Any) -> Any:
        """A tensor with a gradient, if it is an array of floats."""
        if isinstance(value, Fixed):
            return autograd.tensor(value.array)
        return autograd.tensor(value, requires_grad=value.dtype.kind == "f")

    def set_state(self, case: Case, module: Any) -> None:
        """Load values for all floats; the keys and shapes are checked by the load."""
        own = module.state_dict()
        shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in own.items()}
        state = state_for(case, shapes)
        module.load_state_dict({name: state.get(name, own[name]) for name in own})

    def array(self, tensor: Any) -> np.ndarray:
        """Values as an array."""
        return np.array(tensor.detach().numpy())

    def is_float(self, tensor: Any) -> bool:
        """Whether gradients flow from it."""
        return tensor.dtype.kind == "f"


class There(Here):
    """Run a case with PyTorch."""

    def __init__(self, torch: Any) -> None:
        self.library = torch
        self.nn = torch.nn

    def tensor(self, value: Any) -> Any:
        """A tensor with a gradient, if it is an array of floats."""
        if isinstance(value, Fixed):
            return self.library.tensor(value.array)
        return self.library.tensor(value, requires_grad=value.dtype.kind == "f")

    def set_state(self, case: Case, module: Any) -> None:
        """Load values for all floats."""
        own = module.state_dict()
        shapes = {name: (tuple(t.shape), t.numpy().dtype) for name, t in own.items()}
        state = {name: self.library.tensor(a) for name, a in state_for(case, shapes).items()}
        module.load_state_dict({name: state.get(name, own[name]) for name in own})

    def is_float(self, tensor: Any) -> bool:
        """Whether gradients flow from it."""
        return tensor.is_floating_point()


def run(case: Case, mode: str, where: Here) -> dict[str, np.ndarray]:
    """Outputs, gradients of inputs and parameters, and buffers afterwards.

    The gradients are those of a fixed weighted sum of all outputs.
    """
    make = case.build or (lambda lib: getattr(lib, case.module)(*case.args, **case.kwargs))
    module = make(where.nn).double()
    where.set_state(case, module)
    module.train(mode == "train")
    inputs: list[Any] = []

    def taken(value: Any) -> Any:
        tensor = where.tensor(value)
        inputs.append(tensor)
        return tensor

    args = mapped(taken, case.call)
    options = {name: mapped(taken, value) for name, value in case.options.items()}
    if case.use is None:
        outputs = module(*args, **options)
    else:
        outputs = case.use(where.library, module, *args, **options)
    found: dict[str, np.ndarray] = {}
    total: Any = 0.0
    for k, output in enumerate(leaves(outputs)):
        found[f"output {k}"] = values = where.array(output)
        if where.is_float(output) and output.requires_grad:
            total = total + (output * where.tensor(Fixed(drawn(*values.shape, seed=k + 1)))).sum()
    if not isinstance(total, float):
        total.backward()
    tensors = [(f"gradient of input {k}", tensor) for k, tensor in enumerate(inputs)]
    tensors += [(f"gradient of {name}", tensor) for name, tensor in module.named_parameters()]
    for name, tensor in tensors:
        if tensor.grad is not None:
            found[name] = where.array(tensor.grad)
    for name, tensor in module.named_buffers():
        found[f"buffer {name}"] = where.array(tensor)
    return found


def joined(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """All numbers of a result in one line, as the file of references keeps them."""
    parts = [found[name].ravel().astype(np.float64) for name in sorted(found)]
    return np.concatenate([np.zeros(0), *parts])
