"""The runtime in this process: the compiled side of calls, the thread pool and the allocator."""

import ctypes
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding as llvm
import numpy as np

from . import layout
from .objects import image, loaded
from .signature import Code

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


class Runtime:
    """The compiled side of calls, loaded once for each process."""

    def __init__(self) -> None:
        for name in PYTHON_FUNCTIONS:
            function = getattr(ctypes.pythonapi, name)
            llvm.add_symbol(name, cast(int, ctypes.cast(function, ctypes.c_void_p).value))
        self.engine = loaded(image(RUNTIME))
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


RUNTIME = Code("runtime", "autograd.kernels.native.runtime")
_runtime: Runtime | None = None
_lock = threading.Lock()


def runtime() -> Runtime:
    """Return the runtime, loading it if need be."""
    global _runtime
    if _runtime is None:
        with _lock:
            if _runtime is None:
                _runtime = Runtime()
    return _runtime


def numpy_functions() -> Any:
    """Return the table of NumPy's C functions as an array of addresses."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    return ctypes.cast(get(capsule, None), ctypes.POINTER(ctypes.c_void_p))


def on_fork(action: Callable[[], Any]) -> None:
    """Run something in the child of every fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)


def _unlock() -> None:
    """Give the child of a fork a fresh lock: the thread that held it is not there."""
    global _lock
    _lock = threading.Lock()


on_fork(_unlock)
