"""Object files: where they come from, and how they get into the process."""

import contextlib
import ctypes
import functools
import hashlib
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from . import cache
from .signature import Code

FOLDER = Path(__file__).parent
CORE = ("build", "language", "layout", "signature", "simd", "target")
"""Modules of this folder that every object depends on."""


def key(code: Code) -> str:
    """Hash of everything that an object depends on."""
    import llvmlite

    from .target import target

    state = hashlib.sha256()
    numba = installed_version("numba")
    words = (sys.version, sys.platform, np.__version__, llvmlite.__version__, numba, target())
    signatures = [repr(k.parameters) for k in code.kernels.values()]
    state.update(repr((words, code.dtypes, signatures)).encode())
    for module in (*CORE, *code.uses):
        state.update(FOLDER.joinpath(f"{module}.py").read_bytes())
    state.update(Path(file_of(code.source)).read_bytes())
    return state.hexdigest()


@functools.cache
def file_of(module: str) -> str:
    """Source file of a module, without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(f"no module {module!r} with the bodies of a unit")
    return spec.origin


@functools.cache
def installed_version(distribution: str) -> str:
    """Version of a distribution, without importing it."""
    from importlib.metadata import version

    return version(distribution)


def image(code: Code) -> bytes:
    """Return the object file of some code, from the cache or from the compiler."""

    def make() -> bytes:
        begin = time.perf_counter()
        say(f"dagrad: compiling {code.name} kernels for this CPU (once) ... ")
        try:
            from . import build

            made = build.object_of(code)
        except BaseException:
            say("failed\n")
            raise
        say(f"{time.perf_counter() - begin:.1f} s\n")
        return made

    return cache.obtain(code.name, key(code), make)


def say(text: str) -> None:
    """Write to stderr, if there is one."""
    if sys.stderr is not None and not _quiet:
        sys.stderr.write(text)
        sys.stderr.flush()


_quiet = False


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Say nothing of compiling, as something else shows the progress."""
    global _quiet
    _quiet = True
    try:
        yield
    finally:
        _quiet = False


def loaded(content: bytes) -> Any:
    """Link an object file into the process; returns the engine that knows its addresses."""
    import llvmlite.binding as llvm

    from .target import machine

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(content))
    engine.finalize_object()
    return forever(engine)


def forever(thing: Any) -> Any:
    """Keep an object until the process ends: machine code may still run in other threads."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    return thing
