"""Kernels as machine code: written in Numba and LLVM IR, compiled once, kept on disk."""

from .unit import UNITS as UNITS
from .unit import Kernel as Kernel
from .unit import Unit as Unit
from .unit import quietly as quietly
