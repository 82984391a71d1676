"""Kernels of an object file as Python builtins, and what happens to calls that do not fit."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import memory, threads
from . import layout
from .objects import forever, image, loaded
from .process import NUMPY_DTYPE_OF, NUMPY_EMPTY, NUMPY_SET_HANDLER, runtime
from .signature import ELEMENTS, Code, Kernel, Parameter

METH_FASTCALL = 0x0080
C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x0001, 0x0100, 0x0400  # NumPy's flags


class MethodDefinition(ctypes.Structure):
    """PyMethodDef of CPython."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def builtins_of(code: Code) -> dict[str, Any]:
    """Load some code, and return its kernels as functions by name."""
    core = runtime()
    engine = loaded(image(code))
    made: dict[str, Any] = {}
    for kernel in code.kernels.values():
        run, tasks = (
            {d: engine.get_function_address(kernel.symbol(role, d)) for d in kernel.dtypes}
            for role in ("run", "tasks")
        )
        if not all(run.values()):
            raise RuntimeError(f"unit {code.name}: the object has no kernel {kernel.name}")
        if not any(p.element == "T" for p in kernel.parameters):
            run["f8"] = run["f4"]
        words = described(kernel, run, tasks)
        words[layout.FALLBACK] = id(forever(fallback_of(kernel, made)))
        words[layout.POOL] = threads.pool_address()
        words[layout.NDARRAY], words[layout.NONE] = id(np.ndarray), id(None)
        words[layout.EMPTY] = core.numpy[NUMPY_EMPTY]
        words[layout.DTYPE_OF] = core.numpy[NUMPY_DTYPE_OF]
        words[layout.SET_HANDLER] = core.numpy[NUMPY_SET_HANDLER]
        words[layout.HANDLER], words[layout.LARGE] = memory.handler()
        made[kernel.name] = builtin(kernel.name, core.call, words)
    return made


def builtin(name: str, function: int, me: np.ndarray) -> Any:
    """Make a Python builtin of a C function, bound to the array that describes it."""
    definition = forever(MethodDefinition(name.encode(), function, METH_FASTCALL, None))
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make(ctypes.addressof(definition), forever(me), None)


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
        record[layout.NUMBER] = ELEMENTS[p.element].num if p.element in ELEMENTS else layout.T
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


def fallback_of(kernel: Kernel, made: dict[str, Any]) -> Callable[..., Any]:
    """What takes the calls that do not fit as they are: it converts the arrays, or says why not.

    The kernel itself will be in `made`.
    """

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
        outcome = made[kernel.name](*ready)
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
