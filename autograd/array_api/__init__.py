"""The array API standard (2023.12) on tensors: what ``x.__array_namespace__()`` returns.

Code that is written for the standard runs on tensors, and is recorded::

    xp = x.__array_namespace__()
    y = xp.sum(xp.exp(x), axis=0)

What there is no op for (complex numbers, shifts of bits, linalg, fft) is not here. Dtypes promote
as PyTorch's do, float32 is the default, and ``x.size`` is PyTorch's method, not a number.
"""

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from ..dtype_names import bool as bool
from ..dtype_names import float32 as float32
from ..dtype_names import float64 as float64
from ..dtype_names import int8 as int8
from ..dtype_names import int16 as int16
from ..dtype_names import int32 as int32
from ..dtype_names import int64 as int64
from ..dtype_names import uint8 as uint8
from ..dtype_names import uint16 as uint16
from ..dtype_names import uint32 as uint32
from ..dtype_names import uint64 as uint64
from ..ops import arithmetic, join, logic, shape, views
from ..ops.arithmetic import abs as abs
from ..ops.arithmetic import add as add
from ..ops.arithmetic import maximum as maximum
from ..ops.arithmetic import minimum as minimum
from ..ops.arithmetic import pow as pow
from ..ops.arithmetic import sign as sign
from ..ops.cumulative import prod as prod
from ..ops.exponential import expm1 as expm1
from ..ops.exponential import log1p as log1p
from ..ops.exponential import log2 as log2
from ..ops.exponential import log10 as log10
from ..ops.exponential import logaddexp as logaddexp
from ..ops.exponential import square as square
from ..ops.extremes import argmax as argmax
from ..ops.extremes import argmin as argmin
from ..ops.linalg import matmul as matmul
from ..ops.logic import bitwise_and as bitwise_and
from ..ops.logic import bitwise_or as bitwise_or
from ..ops.logic import bitwise_xor as bitwise_xor
from ..ops.logic import isfinite as isfinite
from ..ops.logic import isinf as isinf
from ..ops.logic import isnan as isnan
from ..ops.logic import logical_and as logical_and
from ..ops.logic import logical_not as logical_not
from ..ops.logic import logical_or as logical_or
from ..ops.logic import logical_xor as logical_xor
from ..ops.reduce import all as all
from ..ops.reduce import any as any
from ..ops.reduce import mean as mean
from ..ops.reduce import sum as sum
from ..ops.rounding import ceil as ceil
from ..ops.rounding import copysign as copysign
from ..ops.rounding import floor as floor
from ..ops.rounding import floor_divide as floor_divide
from ..ops.rounding import positive as positive
from ..ops.rounding import remainder as remainder
from ..ops.rounding import round as round
from ..ops.rounding import trunc as trunc
from ..ops.transcendental import cos as cos
from ..ops.transcendental import exp as exp
from ..ops.transcendental import log as log
from ..ops.transcendental import sin as sin
from ..ops.transcendental import sqrt as sqrt
from ..ops.transcendental import tanh as tanh
from ..ops.trigonometry import acos as acos
from ..ops.trigonometry import acosh as acosh
from ..ops.trigonometry import asin as asin
from ..ops.trigonometry import asinh as asinh
from ..ops.trigonometry import atan as atan
from ..ops.trigonometry import atan2 as atan2
from ..ops.trigonometry import atanh as atanh
from ..ops.trigonometry import cosh as cosh
from ..ops.trigonometry import hypot as hypot
from ..ops.trigonometry import sinh as sinh
from ..ops.trigonometry import tan as tan
from ..ops.views import broadcast_to as broadcast_to
from ..ops.views import moveaxis as moveaxis
from ..protocols import moving
from ..protocols.folding import cumulative_sum as cumulative_sum
from ..protocols.folding import searchsorted as searchsorted
from ..protocols.folding import take as take
from ..protocols.moving import expand_dims as expand_dims
from ..protocols.moving import flip as flip
from ..protocols.moving import meshgrid as meshgrid
from ..protocols.moving import repeat as repeat
from ..protocols.moving import result_type as result_type
from ..protocols.moving import roll as roll
from ..protocols.moving import squeeze as squeeze
from ..protocols.moving import stack as stack
from ..protocols.moving import tensordot as tensordot
from ..protocols.moving import tile as tile
from ..protocols.moving import where as where
from ..protocols.ufuncs import signbit as signbit
from ..protocols.ufuncs import vecdot as vecdot
from .computing import argsort as argsort
from .computing import max as max
from .computing import min as min
from .computing import nonzero as nonzero
from .computing import reshape as reshape
from .computing import sort as sort
from .computing import std as std
from .computing import tril as tril
from .computing import triu as triu
from .computing import unique_all as unique_all
from .computing import unique_counts as unique_counts
from .computing import unique_inverse as unique_inverse
from .computing import unique_values as unique_values
from .computing import var as var
from .making import arange as arange
from .making import asarray as asarray
from .making import empty as empty
from .making import empty_like as empty_like
from .making import eye as eye
from .making import from_dlpack as from_dlpack
from .making import full as full
from .making import full_like as full_like
from .making import linspace as linspace
from .making import ones as ones
from .making import ones_like as ones_like
from .making import zeros as zeros
from .making import zeros_like as zeros_like
from .types import Info as Info
from .types import astype as astype
from .types import can_cast as can_cast
from .types import finfo as finfo
from .types import iinfo as iinfo
from .types import isdtype as isdtype

newaxis = None

# The standard's names for what PyTorch calls otherwise.
bitwise_invert = logic.bitwise_not
broadcast_arrays = views.broadcast_tensors
clip = arithmetic.clamp
concat = moving.concatenate
divide = arithmetic.div
equal = arithmetic.eq
greater = arithmetic.gt
greater_equal = arithmetic.ge
less = arithmetic.lt
less_equal = arithmetic.le
matrix_transpose = shape.mT
multiply = arithmetic.mul
negative = arithmetic.neg
not_equal = arithmetic.ne
permute_dims = moving.transpose
subtract = arithmetic.sub
unstack = join.unbind

__array_api_version__ = "2023.12"


def __array_namespace_info__() -> Info:
    """What there is: devices, dtypes, capabilities."""
    return Info()
