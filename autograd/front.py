"""Front: what `Tensor` and `Scalar` share, the operators and functions of a number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from . import differentiate
from .graph import Variable, new_leaf
from .ops import (
    activation,
    activations_bent,
    arithmetic,
    exponential,
    forms,
    logic,
    rounding,
    special,
    transcendental,
    trigonometry,
)
from .protocols import functions, ufuncs

OPERANDS = (Variable, float, int, np.ndarray, np.generic)


class Front(Variable):
    """A variable with operators; the ops themselves are its methods, it is their first argument."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Answer ``np.sin(x)`` and ``array + x``; see `autograd.protocols.ufuncs`."""
        return ufuncs.answer(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Answer ``np.sum(x)``; see `autograd.protocols.functions`."""
        return functions.answer(function, types, args, kwargs)

    # --- The graph ----------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start (or stop) recording operations on this leaf; returns the variable itself.

        Raises
        ------
        TypeError
            If the dtype is not floating-point: only floats have gradients.
        RuntimeError
            If recording is to stop on a variable that is not a leaf.
        """
        if requires_grad and self.dtype is not float and self.dtype.kind != "f":
            raise TypeError(
                f"only floating-point tensors can require grad, not {self.dtype}; convert with "
                ".to(np.float32) first"
            )
        if not requires_grad and not self.is_leaf:
            raise RuntimeError("requires_grad_(False) is for leaves; use detach()")
        if requires_grad and self.node is None:
            self.node = new_leaf(self)
        self.requires_grad = bool(requires_grad)
        return self

    backward = differentiate.backward
    retain_grad = differentiate.retain_grad
    register_hook = differentiate.register_hook

    # --- Operators ----------------------------------------------------------------------------

    def __hash__(self) -> int:
        return id(self)

    __add__ = arithmetic.add

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    __sub__ = arithmetic.sub

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.sub(other, self)

    __mul__ = arithmetic.mul

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.mul(other, self)

    __truediv__ = arithmetic.div

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.div(other, self)

    __pow__ = arithmetic.pow

    def __rpow__(self, other: Any) -> Any:
        return arithmetic.pow(other, self)

    __floordiv__ = rounding.floor_divide

    def __rfloordiv__(self, other: Any) -> Any:
        return rounding.floor_divide(other, self)

    __mod__ = rounding.remainder

    def __rmod__(self, other: Any) -> Any:
        return rounding.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return rounding.floor_divide(self, other), rounding.remainder(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return rounding.floor_divide(other, self), rounding.remainder(other, self)

    __neg__ = arithmetic.neg

    def __pos__(self) -> Any:
        return self

    __abs__ = arithmetic.abs

    def __eq__(self, other: Any) -> Any:
        return arithmetic.eq(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return arithmetic.ne(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __lt__(self, other: Any) -> Any:
        return arithmetic.lt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __le__(self, other: Any) -> Any:
        return arithmetic.le(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __gt__(self, other: Any) -> Any:
        return arithmetic.gt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ge__(self, other: Any) -> Any:
        return arithmetic.ge(self, other) if isinstance(other, OPERANDS) else NotImplemented

    # --- Functions ----------------------------------------------------------------------------

    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    abs = arithmetic.abs
    sign = arithmetic.sign
    clamp = arithmetic.clamp
    exp = transcendental.exp
    log = transcendental.log
    sqrt = transcendental.sqrt
    sin = transcendental.sin
    cos = transcendental.cos
    tanh = transcendental.tanh
    erf = transcendental.erf
    sigmoid = activation.sigmoid
    relu = activation.relu
    softplus = activation.softplus

    square = exponential.square
    reciprocal = exponential.reciprocal
    rsqrt = exponential.rsqrt
    exp2 = exponential.exp2
    expm1 = exponential.expm1
    log1p = exponential.log1p
    log2 = exponential.log2
    log10 = exponential.log10
    logaddexp = exponential.logaddexp
    logaddexp2 = exponential.logaddexp2
    logit = exponential.logit
    xlogy = exponential.xlogy
    float_power = exponential.float_power
    tan = trigonometry.tan
    asin = arcsin = trigonometry.asin
    acos = arccos = trigonometry.acos
    atan = arctan = trigonometry.atan
    atan2 = arctan2 = trigonometry.atan2
    sinh = trigonometry.sinh
    cosh = trigonometry.cosh
    asinh = arcsinh = trigonometry.asinh
    acosh = arccosh = trigonometry.acosh
    atanh = arctanh = trigonometry.atanh
    hypot = trigonometry.hypot
    sinc = trigonometry.sinc
    deg2rad = trigonometry.deg2rad
    rad2deg = trigonometry.rad2deg
    erfc = special.erfc
    erfinv = special.erfinv
    floor = rounding.floor
    ceil = rounding.ceil
    trunc = fix = rounding.trunc
    round = rounding.round
    frac = rounding.frac
    floor_divide = rounding.floor_divide
    remainder = rounding.remainder
    fmod = rounding.fmod
    copysign = rounding.copysign
    heaviside = rounding.heaviside
    nan_to_num = rounding.nan_to_num
    positive = rounding.positive
    sgn = rounding.sgn
    add = forms.add
    sub = subtract = forms.sub
    mul = multiply = arithmetic.mul
    div = divide = forms.div
    true_divide = arithmetic.div
    neg = negative = arithmetic.neg
    absolute = arithmetic.abs
    fmax = forms.fmax
    fmin = forms.fmin
    clip = arithmetic.clamp
    clamp_min = forms.clamp_min
    clamp_max = forms.clamp_max
    lerp = forms.lerp
    addcmul = forms.addcmul
    addcdiv = forms.addcdiv
    hardshrink = activations_bent.hardshrink
    prelu = activations_bent.prelu
    isnan = logic.isnan
    isinf = logic.isinf
    isfinite = logic.isfinite
    isclose = logic.isclose
    allclose = logic.allclose
    equal = logic.equal
    logical_not = logic.logical_not
    logical_and = logic.logical_and
    logical_or = logic.logical_or
    logical_xor = logic.logical_xor
    not_equal = logic.not_equal
    less = logic.less
    less_equal = logic.less_equal
    greater = logic.greater
    greater_equal = logic.greater_equal
