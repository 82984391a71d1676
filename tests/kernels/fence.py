"""Arrays that end (or begin) at a page which nobody may touch.

While `fenced` is on, NumPy takes the memory of every new array from here: whole pages between two
that are protected, with the array pushed against one of them. A kernel that reads or writes one
element too far ends the process with a segmentation fault. For processes of their own only.
"""

from __future__ import annotations

import ctypes
import importlib
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PAGE = mmap.PAGESIZE
SET_HANDLER = 304  # its place in NumPy's table of C functions (numpy/__multiarray_api.h)
PROT_NONE, PROT_BOTH = 0, 3
MAP_PRIVATE_ANONYMOUS = 0x22 if sys.platform == "linux" else 0x1002

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

Malloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
Calloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
Realloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", Malloc),
        ("calloc", Calloc),
        ("realloc", Realloc),
        ("free", Free),
    )


class Fence:
    """The memory of fenced arrays; `side` is "after" or "before" the array."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.blocks: dict[int, tuple[int, int]] = {}
        self.handler = Handler(
            b"fence",
            1,
            None,
            Malloc(lambda _, size: self.allocate(size)),
            Calloc(lambda _, count, size: self.allocate(count * size)),  # pages come zeroed
            Realloc(lambda _, place, size: self.reallocate(place, size)),
            Free(lambda _, place, size: self.release(place)),
        )

    def allocate(self, size: int) -> int:
        """Return memory of exactly `size` bytes, up to the alignment of an element."""
        whole = -(-max(size, 1) // PAGE) * PAGE
        start = libc.mmap(None, whole + 2 * PAGE, PROT_BOTH, MAP_PRIVATE_ANONYMOUS, -1, 0)
        libc.mprotect(start, PAGE, PROT_NONE)
        libc.mprotect(start + PAGE + whole, PAGE, PROT_NONE)
        place = start + PAGE
        if self.side == "after":
            place += whole - (size if size % 4 == 0 else -(-size // 8) * 8)
        self.blocks[place] = (start, whole + 2 * PAGE)
        return place

    def reallocate(self, place: int, size: int) -> int:
        """Move a block."""
        start, length = self.blocks[place]
        moved = self.allocate(size)
        ctypes.memmove(moved, place, min(size, start + length - PAGE - place))
        self.release(place)
        return moved

    def release(self, place: int) -> None:
        """Unmap a block: whoever still uses it faults too."""
        if place:
            libc.munmap(*self.blocks.pop(place))


@contextmanager
def fenced(side: str) -> Iterator[None]:
    """Fence every array that is made inside. The arrays must not outlive the process's fence."""
    get: Any = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    functions = ctypes.cast(get(table, None), ctypes.POINTER(ctypes.c_void_p))
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)
    set_handler = kind(functions[SET_HANDLER] or 0)
    new: Any = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p] * 3
    fence = Fence(side)
    name = ctypes.create_string_buffer(b"mem_handler")
    capsule = new(ctypes.addressof(fence.handler), ctypes.addressof(name), None)
    _alive.append((fence, name, capsule))
    before = set_handler(capsule)
    try:
        yield
    finally:
        set_handler(before)


_alive: list[Any] = []
