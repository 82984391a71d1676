"""Kernels as machine code: written in Numba and LLVM IR, compiled once, kept on disk."""

from .unit import UNITS as UNITS
from .unit import Unit as Unit
