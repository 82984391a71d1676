"""Loading object files, and turning their kernels into Python builtins."""

import ctypes
import importlib
import os
from typing import Any, cast

import llvmlite.binding as llvm
import numpy as np

from . import layout, unit
from .target import machine
from .unit import Unit, forever

METH_FASTCALL = 0x0080

# What compiled code calls. Handed to the linker by address: a statically linked Python exports
# none.
PYTHON_FUNCTIONS = (
    "PyLong_AsSsize_t",
    "PyFloat_AsDouble",
    "PyErr_Occurred",
    "PyErr_Clear",
    "PyObject_Vectorcall",
    "Py_IncRef",
    "Py_DecRef",
    "PyTuple_New",
    "PyTuple_SetItem",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
)

# Places of functions in the table that NumPy exports to C (numpy/__multiarray_api.h).
NUMPY_DTYPE_OF, NUMPY_EMPTY, NUMPY_SET_HANDLER = 45, 184, 304


class MethodDefinition(ctypes.Structure):
    """PyMethodDef of CPython."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def loaded(image: bytes) -> Any:
    """Link an object file into the process; returns the engine that knows its addresses."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(image))
    engine.finalize_object()
    return forever(engine)


class Runtime:
    """The compiled side of calls, loaded once for each process."""

    def __init__(self) -> None:
        for name in PYTHON_FUNCTIONS:
            function = getattr(ctypes.pythonapi, name)
            llvm.add_symbol(name, cast(int, ctypes.cast(function, ctypes.c_void_p).value))
        self.engine = loaded(unit.image(RUNTIME))
        self.call = self.address("dagrad_call")
        self.numpy = numpy_functions()
        self.check_layout()

    def address(self, name: str) -> int:
        """Where a function lies."""
        return self.engine.get_function_address(name)

    def function(self, name: str, *arguments: int) -> int:
        """Call an exported function of integers."""
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(arguments))
        return kind(self.address(name))(*arguments)

    def check_layout(self) -> None:
        """Refuse to go on where arrays do not lie in memory as `layout` has it."""
        probe = np.arange(6, dtype=np.float32).reshape(2, 3)

        def word(address: int, kind: Any = ctypes.c_int64) -> int:
            return kind.from_address(address).value

        me = id(probe)
        dtype = word(me + layout.DTYPE)
        met = (
            word(me + layout.TYPE),
            word(me + layout.DATA),
            word(me + layout.NDIM, ctypes.c_int32),
            word(word(me + layout.SHAPE)),
            word(me + layout.FLAGS, ctypes.c_int32) & 0x0501,
            dtype,
            word(dtype + layout.TYPE_NUMBER, ctypes.c_int32),
            word(dtype + layout.BYTE_ORDER, ctypes.c_int8),
        )
        expected = (
            id(np.ndarray),
            probe.ctypes.data,
            2,
            2,
            0x0501,
            id(probe.dtype),
            probe.dtype.num,
            ord(probe.dtype.byteorder),
        )
        if met != expected:
            raise RuntimeError(f"NumPy {np.__version__} lays arrays out as {met}, not {expected}")


RUNTIME = Unit("runtime", "autograd.kernels.native.runtime")
_runtime: Runtime | None = None


def runtime() -> Runtime:
    """Return the runtime, loading it if need be."""
    global _runtime
    if _runtime is None:
        with RUNTIME._lock:  # pyright: ignore[reportPrivateUsage] - a module of the same folder
            if _runtime is None:
                _runtime = Runtime()
    return _runtime


def numpy_functions() -> Any:
    """Return the table of NumPy's C functions as an array of addresses."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    return ctypes.cast(get(capsule, None), ctypes.POINTER(ctypes.c_void_p))


def publish(owner: Unit, image: bytes) -> None:
    """Make a unit's kernels attributes of it."""
    from .. import memory, threads

    core = runtime()
    engine = loaded(image)
    for kernel in owner.kernels.values():
        run, tasks = (
            {d: engine.get_function_address(kernel.symbol(role, d)) for d in kernel.dtypes}
            for role in ("run", "tasks")
        )
        if not all(run.values()):
            raise RuntimeError(f"unit {owner.name}: the object has no kernel {kernel.name}")
        if not any(p.element == "T" for p in kernel.parameters):
            run["f8"] = run["f4"]
        words = unit.described(kernel, run, tasks)
        fallback = unit.fallback_of(owner, kernel)
        words[layout.FALLBACK] = id(forever(fallback))
        words[layout.POOL] = threads.pool_address()
        words[layout.NDARRAY], words[layout.NONE] = id(np.ndarray), id(None)
        words[layout.EMPTY] = core.numpy[NUMPY_EMPTY]
        words[layout.DTYPE_OF] = core.numpy[NUMPY_DTYPE_OF]
        words[layout.SET_HANDLER] = core.numpy[NUMPY_SET_HANDLER]
        words[layout.HANDLER], words[layout.LARGE] = memory.handler()
        setattr(owner, kernel.name, builtin(kernel.name, core.call, words))


def builtin(name: str, function: int, me: np.ndarray) -> Any:
    """Make a Python builtin of a C function, bound to the array that describes it."""
    definition = forever(MethodDefinition(name.encode(), function, METH_FASTCALL, None))
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make(ctypes.addressof(definition), forever(me), None)


def on_fork(action: Any) -> None:
    """Run something in the child of every fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)
