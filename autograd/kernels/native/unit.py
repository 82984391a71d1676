r"""Compiled kernels as Python sees them: declared by a signature, loaded at their first call.

A unit is one object file. Its kernels are declared where they are used, with what they take::

    native = Unit("rows", "autograd.kernels.native.rows")
    native.kernel("softmax(x: T[*rows, cols]) -> y: T like x")

    y = native.softmax(x)

and written in the module that is named, as Numba functions over pointers, which is imported only
when the object must be compiled::

    def softmax(x, y, rows, cols, first, last, worker): ...
    def softmax_tasks(x, y, rows, cols): ...

The signature is the contract that every call is checked against before any memory is touched:

- ``x: T[*rows, cols]``: a C-contiguous, aligned array of float32 or float64 (``T`` is the same
  throughout); ``*rows`` is the product of all leading dimensions. A symbol stands for one size.
- Other elements: ``f4 f8 i8 i4 u4 u1 b1``. A trailing ``!`` marks an array that is written, ``?``
  one
  that may be None (the null pointer).
- ``n: int`` and ``a: float`` (of type T in the body); an int that is named like a symbol binds it.
- ``-> y: T like x, s: T[rows]``: arrays that the call allocates and returns.

- A symbol named ``workers`` limits the threads of a call: ``scratch: T[workers, room]!`` has a part
  for each of them, whatever number of threads is set by the time that the call begins.

A body gets arguments, results and symbols in the order of their appearance, and the range of tasks
to do. With a ``_tasks`` function, the tasks are shared among threads; what a task computes must not
depend on which thread runs it or when. Without, the body is called once, with the range 0 .. 1.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import cache, layout

FOLDER = Path(__file__).parent
CORE = ("build", "language", "layout", "simd", "target", "unit")
"""Modules of this folder that every object depends on."""

ELEMENTS = {
    "f4": np.dtype(np.float32),
    "f8": np.dtype(np.float64),
    "i8": np.dtype(np.int64),
    "i4": np.dtype(np.int32),
    "u4": np.dtype(np.uint32),
    "u1": np.dtype(np.uint8),
    "b1": np.dtype(np.bool_),
}
"""Element types of a signature."""

C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x0001, 0x0100, 0x0400  # NumPy's flags

_SIGNATURE = re.compile(r"^(\w+)\((.*?)\)(?:\s*->\s*(.+))?$", re.DOTALL)
_PARAMETER = re.compile(r"^(\w+):\s*(int|float|(\w\w?)(?:\[([^\]]*)\]|\s+like\s+(\w+)))([!?]*)$")


@dataclass(frozen=True)
class Parameter:
    """One argument or result of a kernel."""

    name: str
    kind: str  # "array", "int" or "float"
    element: str = ""
    dims: tuple[str, ...] = ()
    leading: bool = False
    like: str = ""
    written: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Kernel:
    """A parsed signature."""

    name: str
    arguments: tuple[Parameter, ...]
    results: tuple[Parameter, ...]
    symbols: tuple[str, ...]
    dtypes: tuple[str, ...]
    otherwise: Callable[..., Any] | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Arguments and results."""
        return self.arguments + self.results

    def symbol(self, role: str, dtype: str) -> str:
        """Name of a body in the object file."""
        return f"{self.name}.{role}.{dtype}"


def parsed(
    signature: str, dtypes: tuple[str, ...], otherwise: Callable[..., Any] | None = None
) -> Kernel:
    """Read a signature."""
    match = _SIGNATURE.match(" ".join(signature.split()))
    if not match:
        raise ValueError(f"kernel signature {signature!r}: expected name(x: T[n], ...) -> y: T[n]")
    name, arguments, results = match.groups()
    before = tuple(_parameter(text, signature) for text in _split(arguments))
    after = tuple(_parameter(text, signature) for text in _split(results or ""))
    symbols = dict.fromkeys(dim for p in before for dim in p.dims)
    for p in after:
        unknown = set(p.dims) - symbols.keys()
        if unknown or (p.like and p.like not in {q.name for q in before}):
            raise ValueError(f"kernel signature {signature!r}: nothing gives the size of {p.name}")
    if not any(p.element == "T" for p in before + after):
        dtypes = ("f4",)  # one body will do
    return Kernel(name, before, after, tuple(symbols), dtypes, otherwise)


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]


def _parameter(text: str, signature: str) -> Parameter:
    match = _PARAMETER.match(text)
    if not match:
        raise ValueError(f"kernel signature {signature!r}: cannot read {text!r}")
    name, kind, element, dims, like, marks = match.groups()
    if element is None:
        return Parameter(name, kind, dims=(name,) if kind == "int" else ())
    if element != "T" and element not in ELEMENTS:
        raise ValueError(f"kernel signature {signature!r}: unknown element type {element!r}")
    sizes = [dim.strip() for dim in (dims or "").split(",") if dim.strip()]
    leading = bool(sizes) and sizes[0].startswith("*")
    if leading:
        sizes[0] = sizes[0][1:]
    return Parameter(
        name, "array", element, tuple(sizes), leading, like or "", "!" in marks, "?" in marks
    )


class Unit:
    """Kernels that are compiled together; each is an attribute to call.

    Parameters
    ----------
    name : str
        Of the file in the cache.
    source : str
        Module with the bodies.
    uses : tuple of str
        Modules of this folder that `source` imports, beside the common ones.
    dtypes : tuple of str
        What T may be.
    """

    def __init__(
        self,
        name: str,
        source: str,
        uses: tuple[str, ...] = (),
        dtypes: tuple[str, ...] = ("f4", "f8"),
    ) -> None:
        self.name = name
        self.source = source
        self.uses = uses
        self.dtypes = dtypes
        self.kernels: dict[str, Kernel] = {}
        self._lock = threading.Lock()
        UNITS[name] = self

    def kernel(
        self,
        signature: str,
        dtypes: tuple[str, ...] | None = None,
        otherwise: Callable[..., Any] | None = None,
    ) -> Kernel:
        """Declare a kernel.

        Parameters
        ----------
        signature : str
        dtypes : tuple of str, optional
            What T may be, if not what the unit says.
        otherwise : callable, optional
            Takes the calls with a T that there is no code for, and those with anything but
            ndarrays.
        """
        kernel = parsed(signature, dtypes or self.dtypes, otherwise)
        self.kernels[kernel.name] = kernel
        return kernel

    def __getattr__(self, name: str) -> Any:
        """Load the unit at the first use of one of its kernels."""
        if name.startswith("_") or name not in self.kernels:
            raise AttributeError(f"unit {self.name!r} declares no kernel {name!r}")
        self.load()
        return self.__dict__[name]

    def load(self) -> None:
        """Compile the unit, or take it from the cache, and make its kernels callable."""
        with self._lock:
            if not self.kernels.keys() <= self.__dict__.keys():
                from . import call

                call.publish(self, image(self))

    def key(self) -> str:
        """Hash of everything that the object depends on."""
        import llvmlite

        from .target import target

        state = hashlib.sha256()
        numba = installed_version("numba")
        words = (sys.version, sys.platform, np.__version__, llvmlite.__version__, numba, target())
        state.update(
            repr((words, self.dtypes, [repr(k.parameters) for k in self.kernels.values()])).encode()
        )
        for module in (*CORE, *self.uses):
            state.update(FOLDER.joinpath(f"{module}.py").read_bytes())
        state.update(Path(file_of(self.source)).read_bytes())
        return state.hexdigest()


UNITS: dict[str, Unit] = {}
"""All units, by name."""


def _unlock() -> None:
    """Give the child of a fork fresh locks: the thread that held one is not there."""
    for unit in UNITS.values():
        unit._lock = threading.Lock()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


@functools.cache
def file_of(module: str) -> str:
    """Source file of a module, without importing it."""
    from importlib.util import find_spec

    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(f"no module {module!r} with the bodies of a unit")
    return spec.origin


@functools.cache
def installed_version(distribution: str) -> str:
    """Version of a distribution, without importing it."""
    from importlib.metadata import version

    return version(distribution)


def image(unit: Unit) -> bytes:
    """Return the object file of a unit, from the cache or from the compiler."""

    def make() -> bytes:
        begin = time.perf_counter()
        say(f"dagrad: compiling {unit.name} kernels for this CPU (once) ... ")
        try:
            from . import build

            made = build.object_of(unit)
        except BaseException:
            say("failed\n")
            raise
        say(f"{time.perf_counter() - begin:.1f} s\n")
        return made

    return cache.obtain(unit.name, unit.key(), make)


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


def described(kernel: Kernel, run: dict[str, int], tasks: dict[str, int]) -> np.ndarray:
    """Lay a kernel out as the words that a call reads; addresses of the runtime come later."""
    parameters = kernel.parameters
    words = np.zeros(layout.RECORDS + layout.RECORD * len(parameters), np.int64)
    words[layout.ARGUMENTS] = len(kernel.arguments)
    words[layout.RESULTS] = len(kernel.results)
    words[layout.SYMBOLS] = len(kernel.symbols)
    words[layout.WORKERS] = kernel.symbols.index("workers") if "workers" in kernel.symbols else -1
    for i, dtype in enumerate(("f4", "f8")):
        words[layout.RUN + i] = run.get(dtype, 0)
        words[layout.TASKS + i] = tasks.get(dtype, 0)
    names = [p.name for p in kernel.arguments]
    if len(parameters) + len(kernel.symbols) > layout.MAX_SLOTS:
        raise ValueError(f"kernel {kernel.name}: more than {layout.MAX_SLOTS} slots")
    if len(kernel.symbols) > layout.MAX_SYMBOLS:
        raise ValueError(f"kernel {kernel.name}: more than {layout.MAX_SYMBOLS} symbols")
    for i, p in enumerate(parameters):
        begin = layout.RECORDS + layout.RECORD * i
        record = words[begin : begin + layout.RECORD]
        record[layout.KIND] = {"int": layout.INTEGER, "float": layout.FLOAT, "array": layout.ARRAY}[
            p.kind
        ]
        record[layout.NUMBER] = 0 if p.element in ("", "T") else ELEMENTS[p.element].num
        record[layout.NEEDED] = C_CONTIGUOUS | ALIGNED | (WRITEABLE if p.written else 0)
        record[layout.OPTIONAL] = p.optional
        record[layout.LEADING] = p.leading
        record[layout.DIMS] = len(p.dims)
        record[layout.FIRST : layout.FIRST + len(p.dims)] = [
            kernel.symbols.index(d) for d in p.dims
        ]
        if i >= len(names):
            record[layout.NEEDED] = names.index(p.like) if p.like else -1
    return words


def fallback_of(unit: Unit, kernel: Kernel) -> Callable[..., Any]:
    """What takes the calls that do not fit as they are: it converts the arrays, or says why not."""

    def fallback(*args: Any) -> Any:
        if len(args) != len(kernel.arguments):
            raise TypeError(
                f"kernel {kernel.name} takes {len(kernel.arguments)} arguments, not {len(args)}"
            )
        sizes: dict[str, int] = {}
        ready: list[Any] = []
        changed = False
        copies: list[tuple[Any, np.ndarray]] = []
        if kernel.otherwise is not None and not _served(kernel, args):
            return kernel.otherwise(*args)
        common = _common_dtype(kernel, args)
        for p, value in zip(kernel.arguments, args, strict=True):
            if p.kind == "int":
                fitted = _number(kernel, p, value, "__index__")
                _bind(kernel, p, sizes, (fitted,))
            elif p.kind == "float":
                fitted = _number(kernel, p, value, "__float__")
            elif value is None and p.optional:
                fitted = None
            else:
                fitted = _fitted(kernel, p, value, common)
                _bind(kernel, p, sizes, fitted.shape)
                if p.written and fitted is not value:
                    copies.append((value, fitted))
            changed |= fitted is not value
            ready.append(fitted)
        if sizes.get("workers", 1) < 1:
            raise ValueError(f"kernel {kernel.name}: scratch for no thread at all")
        if not changed:
            raise TypeError(
                f"kernel {kernel.name}: no code for {common}; it takes {', '.join(kernel.dtypes)}"
            )
        outcome = getattr(unit, kernel.name)(*ready)
        for target, fitted in copies:
            target[...] = fitted
        return outcome

    return fallback


def _served(kernel: Kernel, args: tuple[Any, ...]) -> bool:
    """Whether there is code for the types of the arguments, whatever their layout."""
    served = {ELEMENTS[d] for d in kernel.dtypes}
    found: set[np.dtype[Any]] = set()
    for p, value in zip(kernel.arguments, args, strict=True):
        if p.kind == "array" and not (value is None and p.optional):
            if not isinstance(value, np.ndarray):
                return False
            dtype = value.dtype.newbyteorder("=")
            if p.element == "T":
                found.add(dtype)
            elif dtype != ELEMENTS[p.element]:
                return False
    return len(found) <= 1 and found <= served


def _common_dtype(kernel: Kernel, args: tuple[Any, ...]) -> np.dtype[Any] | None:
    """Return the T of a call; arrays that disagree are an error, not a conversion."""
    found = {
        np.asarray(value).dtype.newbyteorder("=")
        for p, value in zip(kernel.arguments, args, strict=True)
        if p.element == "T" and value is not None
    }
    if len(found) > 1 or not found <= {ELEMENTS[d] for d in kernel.dtypes}:
        names = " and ".join(sorted(str(d) for d in found))
        raise TypeError(f"kernel {kernel.name}: met {names}, expected one of {kernel.dtypes}")
    return found.pop() if found else None


def _number(kernel: Kernel, p: Parameter, value: Any, method: str) -> Any:
    if not hasattr(value, method):
        raise TypeError(f"kernel {kernel.name}: {p.name} is {value!r}, expected {p.kind}")
    return getattr(value, method)()


def _fitted(kernel: Kernel, p: Parameter, value: Any, common: Any) -> np.ndarray:
    wanted = common if p.element == "T" else ELEMENTS[p.element]
    array = np.asarray(value)
    if array.dtype.newbyteorder("=") != wanted:
        raise TypeError(f"kernel {kernel.name}: {p.name} is {array.dtype}, expected {wanted}")
    if p.written and not array.flags.writeable:
        raise ValueError(f"kernel {kernel.name}: {p.name} is read-only")
    fits = array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative
    if type(value) is np.ndarray and fits:
        return value
    if type(array) is np.ndarray and fits:
        return array
    # A copy is made here, not by `require`: a 0-d array must keep its shape.
    return np.array(array, wanted, order="C", copy=True, subok=False)


def _bind(kernel: Kernel, p: Parameter, sizes: dict[str, int], shape: tuple[int, ...]) -> None:
    met = shape
    if p.leading:
        split = len(shape) - (len(p.dims) - 1)
        if split >= 0:
            shape = (int(np.prod(shape[:split], dtype=np.int64)), *shape[split:])
    wanted = tuple(sizes.get(dim, dim) for dim in p.dims)
    if len(shape) != len(p.dims) or any(
        sizes.setdefault(dim, n) != n or n < 0 for dim, n in zip(p.dims, shape, strict=True)
    ):
        if p.kind == "int":
            raise ValueError(f"kernel {kernel.name}: {p.name} is {met[0]}, expected {wanted[0]}")
        raise ValueError(f"kernel {kernel.name}: {p.name} has shape {met}, expected {wanted}")


def pointer_to(words: np.ndarray) -> int:
    """Address of an array's data."""
    return words.ctypes.data


def forever(thing: Any) -> Any:
    """Keep an object until the process ends: machine code may still run in other threads."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    return thing
