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

import os
import threading
from collections.abc import Callable
from typing import Any

from .signature import Code, Kernel, parsed


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
        self.code = Code(name, source, uses, dtypes)
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
        kernel = parsed(signature, dtypes or self.code.dtypes, otherwise)
        self.code.kernels[kernel.name] = kernel
        return kernel

    def __getattr__(self, name: str) -> Any:
        """Load the unit at the first use of one of its kernels."""
        if name.startswith("_") or name not in self.code.kernels:
            raise AttributeError(f"unit {self.code.name!r} declares no kernel {name!r}")
        self.load()
        return self.__dict__[name]

    def load(self) -> None:
        """Compile the unit, or take it from the cache, and make its kernels callable."""
        with self._lock:
            if not self.code.kernels.keys() <= self.__dict__.keys():
                from .call import builtins_of

                self.__dict__.update(builtins_of(self.code))


UNITS: dict[str, Unit] = {}
"""All units, by name."""


def _unlock() -> None:
    """Give the child of a fork fresh locks: the thread that held one is not there."""
    for unit in UNITS.values():
        unit._lock = threading.Lock()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)
