"""Rivals: which are installed, which arrays they get, how they are compiled, how many threads."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import proof, roofs
from .subjects import Arrays, Built, Subject

LIBRARIES = ("numpy", "scipy", "torch", "jax")
"""Rivals whose names begin with one of these words need that library."""

COMPILED = ("torch.compile", "jax")
"""Rivals that compile for every shape: seconds, which quick runs leave out."""

COMPILE_SECONDS = 5.0
"""About how long that takes, unless a rival says more."""


def library_of(name: str) -> str | None:
    """
    The library that a rival needs; None for a function of the user's.

    Examples
    --------
    >>> library_of("torch.compile"), library_of("mine")
    ('torch', None)
    """
    word = name.replace(" ", ".").split(".")[0]
    return word if word in LIBRARIES else None


def installed(name: str) -> bool:
    """Whether a rival's library is here."""
    library = library_of(name)
    return library is None or importlib.util.find_spec(library) is not None


def is_compiled(name: str) -> bool:
    """Whether a rival is one of those that compile."""
    return name.startswith(COMPILED)


def seconds_to_make(name: str, rival: Callable[..., Any] | Built) -> float:
    """About how long a rival takes to compile."""
    told = rival.seconds if isinstance(rival, Built) else 0.0
    return told or (COMPILE_SECONDS if is_compiled(name) else 0.0)


def missing(subjects: Sequence[Subject], wanted: Callable[[str], bool]) -> list[str]:
    """Libraries that rivals would need and that are not installed."""
    names = {name for subject in subjects for name in subject.rivals if wanted(name)}
    return sorted({library_of(name) or "" for name in names if not installed(name)})


def jax() -> Any:
    """JAX, with float64 allowed."""
    module = importlib.import_module("jax")
    module.config.update("jax_enable_x64", True)
    return module


def place(name: str, inputs: Arrays) -> Arrays:
    """Inputs as the arrays of a rival's library, where it computes."""
    library = library_of(name)
    if library == "torch":
        torch = importlib.import_module("torch")
        return tuple(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in inputs)
    if library == "jax":
        put = jax().numpy.array
        # JAX counts in int32 unless told otherwise.
        return tuple(
            put(a, dtype=np.int32 if a.dtype.kind == "i" else a.dtype)
            if isinstance(a, np.ndarray)
            else a
            for a in inputs
        )
    return inputs


def torch_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function under ``torch.compile``, for one shape, compiled in this process."""
    torch = importlib.import_module("torch")
    # Its workers would stay, and be seen as the load of somebody else.
    inductor: Any = importlib.import_module("torch._inductor.config")
    inductor.compile_threads = 1
    # What was compiled for other shapes would make it give up, or generalise.
    importlib.import_module("torch._dynamo").reset()
    return torch.compile(function, dynamic=False)


def jax_compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A function under ``jax.jit`` that returns when its results are there."""
    module = jax()
    compiled = module.jit(function, **options)
    return lambda *arguments: module.block_until_ready(compiled(*arguments))


def bound(function: Callable[..., Any], inputs: Arrays) -> Callable[[], Any]:
    """A call without arguments."""
    return lambda: function(*inputs)


def contender(name: str, function: Callable[..., Any] | Built, inputs: Arrays) -> Callable[[], Any]:
    """What is timed of a contender: a call without arguments, on arrays of its own kind."""
    own = place(name, inputs)
    if isinstance(function, Built):
        return function.make(*own)
    if name.startswith("torch.compile"):
        return bound(torch_compiled(function), own)
    return bound(jax_compiled(function) if name.startswith("jax") else function, own)


@contextmanager
def others_warnings() -> Iterator[None]:
    """Leave out what compilers of others warn of: it is not about what is measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def set_threads(count: int) -> None:
    """How many threads ours, NumPy's BLAS, PyTorch and JAX may use."""
    importlib.import_module("autograd").set_num_threads(count)
    blas = roofs.Blas.loaded()
    if blas is not None:
        blas.set(count)
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(count)
    # XLA reads this when a client is made, and takes the number of cores without it.
    before, os.environ["NPROC"] = os.environ.get("NPROC"), str(count)
    if "jax" in sys.modules and before != str(count):
        jax().clear_caches()
        importlib.import_module("jax.extend.backend").clear_backends()


def set_numba_threads(function: Any, count: int) -> None:
    """How many of Numba's threads a kernel may use; one that uses none does not start them."""
    if proof.shares_work(function):
        numba = importlib.import_module("numba")
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


@contextmanager
def threads_as_before() -> Iterator[None]:
    """Put back every number of threads."""
    autograd, blas = importlib.import_module("autograd"), roofs.Blas.loaded()
    torch = importlib.import_module("torch") if "torch" in sys.modules else None
    counts = autograd.get_num_threads(), blas and blas.threads
    torch_count = torch and torch.get_num_threads()
    nproc = os.environ.get("NPROC")
    try:
        yield
    finally:
        autograd.set_num_threads(counts[0])
        if blas is not None and counts[1]:
            blas.set(counts[1])
        if torch is not None and torch_count:
            torch.set_num_threads(torch_count)
        if nproc is None:
            os.environ.pop("NPROC", None)
        else:
            os.environ["NPROC"] = nproc
