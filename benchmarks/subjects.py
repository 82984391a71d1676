"""What is measured: a function with its inputs, its reference and its rivals.

The decorator serves the kernels of this library and those of its users alike::

    import numba
    import numpy as np

    import benchmarks


    @benchmarks.kernel(flops=lambda x, y: 2 * x.size, reference=lambda x, y: 2.0 * x + y)
    @numba.njit
    def axpy(x, y):
        return 2.0 * x + y

``python -m benchmarks run path/to/that/file.py`` measures it.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound="Callable[..., Any] | Built")
Size = int | tuple[int, ...]
Arrays = tuple[Any, ...]


@dataclass(frozen=True)
class Built:
    """
    A contender that makes something of its inputs first: tensors, a model, compiled code.

    Attributes
    ----------
    make : callable
        ``make(*inputs)`` returns what is timed: a call without arguments.
    calls : int
        More than 1 for what changes its state, as a training step does: so many results are
        compared, and the inputs are this contender's own copies.
    seconds : float
        About how long making it takes at the first time; a run with less time leaves it out.
    """

    make: Callable[..., Callable[[], Any]]
    calls: int = 1
    seconds: float = 0.0


TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
"""Largest error, as a part of the largest number of the reference."""


@dataclass(frozen=True, eq=False)
class Subject:
    """
    A function to be measured.

    Attributes
    ----------
    name : str
        "group.name", or a name.
    function : callable or Built
        Takes the inputs, in order.
    inputs : callable
        ``inputs(size, rng)`` makes them, floats in float64.
    reference : callable
        The same function in float64.
    rivals : mapping of str to callable or Built
        The same by others; their names say which arrays they get (`rivals`).
    flops, bytes : callable
        How many operations and bytes a call needs at least, from its inputs.
    sizes : sequence
        The first is the one of quick runs.
    dtypes : sequence of str
    tolerance : mapping of str to float
    tune : mapping of str to sequence
        Keyword arguments of the function that change its speed only, and their choices.
    """

    name: str
    function: Callable[..., Any] | Built
    inputs: Callable[[Any, np.random.Generator], Arrays]
    reference: Callable[..., Any]
    rivals: Mapping[str, Callable[..., Any] | Built]
    flops: Callable[..., float] | None
    bytes: Callable[..., float] | None
    sizes: Sequence[Size]
    dtypes: Sequence[str]
    tolerance: Mapping[str, float]
    tune: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many results of it are compared."""
        return self.function.calls if isinstance(self.function, Built) else 1


SUBJECTS: dict[str, Subject] = {}


def kernel(
    *,
    reference: Callable[..., Any],
    flops: Callable[..., float] | None = None,
    bytes: Callable[..., float] | None = None,
    inputs: Callable[[Any, np.random.Generator], Arrays] | None = None,
    rivals: Mapping[str, Callable[..., Any] | Built] | None = None,
    sizes: Sequence[Size] = (1_000, 100_000, 1_000_000),
    dtypes: Sequence[str] = ("float32", "float64"),
    tolerance: float | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    name: str | None = None,
) -> Callable[[F], F]:
    """
    Enter a function among those that are measured, and leave it as it is.

    Parameters
    ----------
    reference : callable
        The same function on float64 arrays: what correct is.
    flops, bytes : callable, optional
        ``flops(*inputs)``: operations of a call, for GFLOP/s; ``bytes(*inputs)``: memory that it
        must touch (default: its inputs and results, once).
    inputs : callable, optional
        ``inputs(size, rng)`` makes them, floats in float64; default: normal numbers, one line of
        `size` for each parameter.
    rivals : mapping of str to callable, optional
        Others to be timed beside it. Their names say what they get: "torch" PyTorch's tensors,
        "torch.compile" the same, compiled first, and "jax" JAX's arrays, under ``jax.jit``; any
        other name NumPy's arrays.
    sizes, dtypes : sequence
        The first size is that of quick runs.
    tolerance : float, optional
        Largest error as a part of the largest number of the reference.
    tune : mapping of str to sequence, optional
        Keyword arguments of the function and their choices, for ``python -m benchmarks tune``.
    name : str, optional
        Default: that of the function.

    Raises
    ------
    ValueError
        If the name is taken, or there is no size or dtype.

    Examples
    --------
    >>> @kernel(reference=lambda x: x * x, flops=lambda x: x.size, name="doc.square", sizes=[10])
    ... def square(x):
    ...     return x * x
    >>> SUBJECTS.pop("doc.square").sizes
    [10]
    """

    def enter(function: F) -> F:
        known = name or getattr(function, "__name__", type(function).__name__)
        if known in SUBJECTS:
            raise ValueError(f"kernel: the name {known!r} is taken; give another: name=...")
        if not len(sizes) or not len(dtypes):
            raise ValueError(f"kernel {known}: give at least one size and one dtype")
        limits = TOLERANCE if tolerance is None else dict.fromkeys(dtypes, tolerance)
        SUBJECTS[known] = Subject(
            known,
            function,
            inputs or lines_for(reference),
            reference,
            dict(rivals or {}),
            flops,
            bytes,
            sizes,
            dtypes,
            limits,
            dict(tune or {}),
        )
        return function

    return enter


def lines_for(function: Callable[..., Any]) -> Callable[[Any, np.random.Generator], Arrays]:
    """Normal numbers in a line of the size, one for each parameter of a function."""
    parameters = inspect.signature(function).parameters.values()
    count = sum(p.default is p.empty for p in parameters)
    return lambda size, rng: tuple(rng.standard_normal(size) for _ in range(count))


def cast(inputs: Arrays, dtype: str) -> Arrays:
    """Inputs with their floats in another type."""
    return tuple(
        np.ascontiguousarray(a, dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in inputs
    )


def load_file(path: Path) -> list[str]:
    """
    Run a user's file, and return the names of the kernels that it entered.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it entered none.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    before = set(SUBJECTS)
    module_name = f"benchmarked_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    found = [name for name in SUBJECTS if name not in before]
    if not found:
        raise ValueError(f"{path} enters no kernel: decorate one with @benchmarks.kernel(...)")
    return found
