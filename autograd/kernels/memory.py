"""Large arrays from blocks that were used before.

The system hands out fresh pages zeroed, one fault at a time, which for a large result costs more
than most arithmetic. Blocks of 64 KiB and more that kernels allocate are therefore kept when NumPy
frees them, up to a limit, and used again. They are NumPy's own allocations by way of a memory
handler (NEP 49): a block comes back only when no array views it any more.
"""

import ctypes
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from .native.layout import ALLOCATOR_WORDS, CACHED, CLASSES, HITS, HUGE, LIMIT, MISSES, SIZES

LARGE = 1 << 16
"""Bytes from which on a result comes from the cache. Below, malloc keeps its pages itself."""

VARIABLE = "AUTOGRAD_CACHE_BYTES"
DEFAULT_LIMIT = 1 << 30
SMALLEST = 1 << 16
STEPS = 4  # size classes in each octave: a block is at most a quarter larger than asked for
LARGEST = 1 << 34  # beyond, blocks go straight back

_words: np.ndarray | None = None
_capsule: int = 0


class Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


def limit() -> int:
    """Return how many bytes of free blocks are kept: 1 GiB, or AUTOGRAD_CACHE_BYTES."""
    text = os.environ.get(VARIABLE)
    if not text:
        return DEFAULT_LIMIT
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise ValueError(f"{VARIABLE}={text!r}: expected a number of bytes")
    return value


def classes() -> list[int]:
    """Return the sizes of blocks, in bytes."""
    octaves = int(math.log2(LARGEST // SMALLEST))
    return [(SMALLEST << i) * (STEPS + j) // STEPS for i in range(octaves) for j in range(STEPS)]


def handler() -> tuple[int, int]:
    """Return the address of the handler's capsule, and from how many bytes on it is used."""
    global _words, _capsule
    if _words is None:
        from .native.objects import forever
        from .native.process import runtime

        words = forever(np.zeros(ALLOCATOR_WORDS, np.int64))
        sizes = classes()
        words[LIMIT], words[CLASSES] = limit(), len(sizes)
        words[HUGE] = Path("/sys/kernel/mm/transparent_hugepage").exists()
        words[SIZES : SIZES + len(sizes)] = sizes
        core = runtime()
        names = ("allocate", "allocate_zeros", "reallocate", "release")
        functions = (core.address(f"dagrad_{name}") for name in names)
        table = forever(Handler(b"dagrad", 1, words.ctypes.data, *functions))
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = (
            ctypes.py_object,
            [ctypes.c_void_p] * 3,
        )
        name = forever(ctypes.create_string_buffer(b"mem_handler"))
        _capsule = id(forever(new(ctypes.addressof(table), ctypes.addressof(name), None)))
        _words = words
    return _capsule, LARGE


def statistics() -> dict[str, int]:
    """Return the counters: bytes kept, blocks reused, blocks taken from the system."""
    if _words is None:
        return {"cached": 0, "hits": 0, "misses": 0}
    return {
        "cached": int(_words[CACHED]),
        "hits": int(_words[HITS]),
        "misses": int(_words[MISSES]),
    }


def empty_cache() -> None:
    """Give the memory that is kept for later results back to the system.

    Arrays in use are not touched.

    Examples
    --------
    >>> import autograd
    >>> autograd.empty_cache()
    """
    if _words is not None:
        from .native.process import runtime

        runtime().function("dagrad_empty", _words.ctypes.data)


_set_handler: Any = None


def empty(shape: Any, dtype: Any) -> np.ndarray:
    """Return an uninitialised C-ordered array, a large one out of the cache."""
    global _set_handler
    dtype = np.dtype(dtype)
    if math.prod(shape) * dtype.itemsize < LARGE:
        return np.empty(shape, dtype)
    if _set_handler is None:
        from .native.process import NUMPY_SET_HANDLER, runtime

        kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p)
        _set_handler = kind(runtime().numpy[NUMPY_SET_HANDLER])
        handler()
    before = _set_handler(_capsule)
    try:
        return np.empty(shape, dtype)
    finally:
        _set_handler(id(before))
