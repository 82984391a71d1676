"""The table of kernels, and which column of it is used.

A kernel is one contract with up to two implementations: the NumPy reference, whose docstring is the
contract, and a fast twin of the same signature that overrides it. Callers see one plain function::

    @reference
    def scale(x: Floats, *, by: float) -> Floats:
        \"\"\"y = by * x.\"\"\"
        return x * by

    @fast(scale)
    def _scale_simd(x: Floats, *, by: float) -> Floats: ...

    scale(x, by=2.0)            # the fast twin
    with use("reference"):
        scale(x, by=2.0)        # plain NumPy
"""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

from .native import Unit
from .native.cache import warn_once

P = ParamSpec("P")
R = TypeVar("R")

MODES = ("fast", "reference")
"""What can be asked for: the best implementation there is, or the NumPy reference."""

TABLE: dict[str, dict[str, Callable[..., Any]]] = {}
"""Kernel name -> mode -> implementation. Without a fast twin both modes hold the reference."""


def reference(implementation: Callable[P, R]) -> Callable[P, R]:
    """Enter a NumPy reference in the table; the result runs whichever twin the mode selects."""
    name = implementation.__name__
    if name in TABLE:
        raise ValueError(f"kernel {name!r} is already in the table")
    row: dict[str, Callable[..., R]] = dict.fromkeys(MODES, implementation)
    TABLE[name] = row
    mode = _mode.get

    # Closures, not callable objects: the call is half as long (see README.md); and one without
    # keywords where the kernel has none, which spares a dictionary.
    @functools.wraps(implementation)
    def kernel(*args: P.args, **kwargs: P.kwargs) -> R:
        return row[mode()](*args, **kwargs)

    @functools.wraps(implementation)
    def by_position(*args: Any) -> R:
        return row[mode()](*args)

    parameters = inspect.signature(implementation).parameters.values()
    if all(p.kind is p.POSITIONAL_ONLY for p in parameters):
        return cast(Callable[P, R], by_position)
    return kernel


def fast(
    kernel: Callable[P, R], *units: Unit, floats_only: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Override `kernel` by the decorated function, which has its signature and its contract.

    A twin that cannot serve some input (a dtype, a layout) calls `implementation(kernel,
    "reference")` for it.

    Parameters
    ----------
    *units : Unit
        The compiled code that the twin calls, loaded before its first call. Where that fails, a
        warning says why and the reference stays.
    floats_only : bool
        Give the twin only calls whose first array is of float32 or float64, and the reference all
        others. It costs 60 ns; a twin that counts them looks for itself.
    """
    name = kernel.__name__
    otherwise = TABLE[name]["reference"]

    def register(twin: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(twin)
        def served(*args: Any, **kwargs: Any) -> R:
            return (twin if args[0].dtype.char in "fd" else otherwise)(*args, **kwargs)

        chosen = cast(Callable[P, R], served) if floats_only else twin
        _override(name, units, lambda: chosen, twin)
        return twin

    return register


def native(kernel: Callable[..., Any], unit: Unit, signature: str) -> None:
    """Override `kernel` by compiled code that takes the same positional arguments.

    Declares the code in `unit` under the kernel's name. Arrays of another type than it has code for
    go to the reference.
    """
    name = kernel.__name__
    declared = unit.kernel(signature, otherwise=TABLE[name]["reference"])
    names = [p.name for p in declared.arguments]
    if declared.name != name or names != list(inspect.signature(kernel).parameters):
        raise ValueError(f"{signature!r} does not have the name and the parameters of {name!r}")
    _override(name, (unit,), lambda: getattr(unit, name), TABLE[name]["reference"])


def _override(
    name: str,
    units: tuple[Unit, ...],
    twin: Callable[[], Callable[..., Any]],
    like: Callable[..., Any],
) -> None:
    """Enter a twin that loads its units at the first call, of the signature of `like`."""
    row = TABLE[name]

    @functools.wraps(like)
    def first_call(*args: Any, **kwargs: Any) -> Any:
        try:
            for unit in units:
                unit.load()
        except Exception as error:
            warn_once(
                f"no compiled kernels here ({type(error).__name__}: {error}); plain NumPy is used "
                "instead, which is slower"
            )
            row["fast"] = row["reference"]
        else:
            row["fast"] = twin()
        return row["fast"](*args, **kwargs)

    row["fast"] = first_call


def implementation(kernel: Callable[P, R], mode: str) -> Callable[P, R]:
    """Return what `kernel` runs in `mode`."""
    return TABLE[kernel.__name__][_checked(mode)]


def current_mode() -> str:
    """Return the mode in force here."""
    return _mode.get()


def use(mode: str):
    """Select the implementations inside a `with` block or a decorated function.

    Holds for the current thread (and asyncio task) only. A thread started inside the block begins
    with the process default, which is the environment variable AUTOGRAD_KERNELS, else "fast".

    Parameters
    ----------
    mode : str
        One of `MODES`.
    """
    return _using(_checked(mode))


@contextmanager
def _using(mode: str) -> Iterator[None]:
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


def _checked(mode: str, origin: str = "kernels.use") -> str:
    if mode not in MODES:
        raise ValueError(f"{origin}: unknown mode {mode!r}; the modes are {', '.join(MODES)}")
    return mode


def _mode_from_environment() -> str:
    """Read the switch AUTOGRAD_KERNELS; unset or empty means "fast"."""
    return _checked(os.environ.get("AUTOGRAD_KERNELS") or "fast", "AUTOGRAD_KERNELS")


_default_mode = _mode_from_environment()
_mode: ContextVar[str] = ContextVar("autograd_kernels_mode", default=_default_mode)
