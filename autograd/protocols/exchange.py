"""DLPack: memory lent to other array libraries, and taken from them, without a copy.

Whoever gets memory writes to it behind the back of the clock in `changes.py`. So memory that a
graph has saved for its backward pass, at the moment of the loan, is lent as read-only; and refused
to those who speak a DLPack before 1.0, which cannot say so. What a graph saves of lent memory
later on is not seen: do not write into a tensor's memory while a graph is made of it.
"""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np

from ..changes import owner
from ..device import is_cpu
from ..graph import Node

CPU = (1, 0)
"""DLPack's number of the only device, as ``__dlpack_device__`` says it."""
FIRST_WITH_FLAGS = (1, 0)
"""The first version of DLPack that can lend memory as read-only."""


def lend(
    array: np.ndarray,
    alone: bool,
    stream: Any,
    max_version: tuple[int, int] | None,
    dl_device: tuple[Any, int] | None,
    copy: bool | None,
) -> Any:
    """The capsule of an array.

    Parameters
    ----------
    array : ndarray
    alone : bool
        Nobody but one tensor holds the array, so no node can have saved it.
    stream, max_version, dl_device, copy
        As the array API standard has them.

    Raises
    ------
    BufferError
        If a graph has saved the array, and the other side knows of no read-only memory; or for
        another device.
    """
    if dl_device is not None and tuple(map(int, dl_device)) != CPU:
        raise BufferError(f"__dlpack__: there is no device {dl_device}, only the CPU {CPU}")
    if stream is not None:
        raise BufferError(f"__dlpack__: the CPU has no streams; expected None, not {stream!r}")
    kept = any(context.keeps(array) for context in list(KEEPERS))
    if not copy and (kept or (not alone and saved(array))):
        if max_version is None or tuple(max_version) < FIRST_WITH_FLAGS:
            raise BufferError(
                f"__dlpack__: a graph has saved this memory (shape {array.shape}) for its "
                "backward pass, and DLPack before 1.0 cannot lend it as read-only; lend a clone()"
            )
        array = array.view()
        array.flags.writeable = False
    said = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
    return array.__dlpack__(**{name: value for name, value in said.items() if value is not None})


def saved(array: np.ndarray) -> bool:
    """Whether some node has saved a value in the memory of `array` for its backward pass.

    Nodes are in no list of ours, which every op would have to keep: Python's collector knows them.
    That takes some milliseconds, and is asked only where others hold the array too.
    """
    memory = owner(array)
    for found in gc.get_objects():
        if type(found) is Node and found.saved is not None:
            for value in found.saved:
                if isinstance(value, np.ndarray) and owner(value) is memory:
                    return True
    return False


KEEPERS: weakref.WeakSet[Any] = weakref.WeakSet()
"""Contexts of recorded calls of a `Function`, with a method ``keeps(array)``."""


class _Held:
    """A bare capsule, as the object that NumPy wants to take it from."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def on_cpu(who: str, device: Any) -> None:
    """Raise for a device that is not there, as the array API standard wants it."""
    if not is_cpu(device):
        raise ValueError(f"{who}: there is no device {device!r}, only 'cpu'")


def borrow(exporter: Any, device: Any = None, copy: bool | None = None) -> np.ndarray:
    """The memory of an exporter, or of a capsule, as an array."""
    if type(exporter).__name__ == "PyCapsule":
        exporter = _Held(exporter)
    elif not hasattr(exporter, "__dlpack__"):
        raise TypeError(
            f"from_dlpack: expected an object with __dlpack__, not {type(exporter).__name__}"
        )
    on_cpu("from_dlpack", device)
    array = np.from_dlpack(exporter)  # whose own copy= is younger than the NumPy that will do
    return array.copy() if copy else array
