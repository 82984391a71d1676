"""The elementwise functions as methods that change a tensor in place, such as ``x.exp_()``.

Each computes the function, and puts the result in the place of the old values
(`Tensor._replace`, where the change is recorded, or refused).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .front import Front
from .modes import mode
from .ops import (
    activation,
    arithmetic,
    exponential,
    forms,
    logic,
    rounding,
    special,
    transcendental,
    trigonometry,
)


def in_place(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Make the in-place method of a function, called `name` (default: the function's) and "_"."""
    name = f"{name or function.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = function(self, *args, **kwargs)
        if self.requires_grad and mode.grad and not result.requires_grad:
            # A function without gradient, such as a comparison: nothing flows to the old values.
            result = arithmetic.where(False, self, arithmetic.cast(result, self.dtype))
        return self._replace(result, name)

    method.__name__ = name
    method.__doc__ = f"In place `autograd.{function.__name__}`."
    return method


class InPlace(Front):
    """What `Tensor` has beyond `Front`: elementwise changes in place."""

    __slots__ = ()

    def _replace(self, result: Any, name: str) -> Any:
        raise NotImplementedError

    # --- Arithmetic -------------------------------------------------------------------------------

    add_ = __iadd__ = in_place(forms.add)
    sub_ = __isub__ = in_place(forms.sub)
    mul_ = __imul__ = in_place(arithmetic.mul)
    div_ = __itruediv__ = in_place(forms.div)
    pow_ = __ipow__ = in_place(arithmetic.pow)
    floor_divide_ = __ifloordiv__ = in_place(rounding.floor_divide)
    remainder_ = __imod__ = in_place(rounding.remainder)
    fmod_ = in_place(rounding.fmod)
    neg_ = in_place(arithmetic.neg)
    abs_ = in_place(arithmetic.abs)
    sign_ = in_place(arithmetic.sign)
    sgn_ = in_place(rounding.sgn, "sgn")
    clamp_ = in_place(arithmetic.clamp)
    clamp_min_ = in_place(forms.clamp_min)
    clamp_max_ = in_place(forms.clamp_max)
    lerp_ = in_place(forms.lerp)
    addcmul_ = in_place(forms.addcmul)
    addcdiv_ = in_place(forms.addcdiv)
    copysign_ = in_place(rounding.copysign)
    nan_to_num_ = in_place(rounding.nan_to_num)
    heaviside_ = in_place(rounding.heaviside)
    floor_ = in_place(rounding.floor)
    ceil_ = in_place(rounding.ceil)
    trunc_ = in_place(rounding.trunc)
    round_ = in_place(rounding.round)
    frac_ = in_place(rounding.frac)

    subtract_ = in_place(forms.sub, "subtract")
    multiply_ = in_place(arithmetic.mul, "multiply")
    divide_ = in_place(forms.div, "divide")
    true_divide_ = in_place(arithmetic.div, "true_divide")
    negative_ = in_place(arithmetic.neg, "negative")
    absolute_ = in_place(arithmetic.abs, "absolute")
    clip_ = in_place(arithmetic.clamp, "clip")
    fix_ = in_place(rounding.trunc, "fix")

    # --- Exponentials, angles, activations --------------------------------------------------------

    exp_ = in_place(transcendental.exp)
    exp2_ = in_place(exponential.exp2)
    expm1_ = in_place(exponential.expm1)
    log_ = in_place(transcendental.log)
    log1p_ = in_place(exponential.log1p)
    log2_ = in_place(exponential.log2)
    log10_ = in_place(exponential.log10)
    logit_ = in_place(exponential.logit)
    xlogy_ = in_place(exponential.xlogy)
    sqrt_ = in_place(transcendental.sqrt)
    rsqrt_ = in_place(exponential.rsqrt)
    square_ = in_place(exponential.square)
    reciprocal_ = in_place(exponential.reciprocal)
    erf_ = in_place(transcendental.erf)
    erfc_ = in_place(special.erfc)
    erfinv_ = in_place(special.erfinv)
    sin_ = in_place(transcendental.sin)
    cos_ = in_place(transcendental.cos)
    tan_ = in_place(trigonometry.tan)
    asin_ = in_place(trigonometry.asin)
    acos_ = in_place(trigonometry.acos)
    atan_ = in_place(trigonometry.atan)
    atan2_ = in_place(trigonometry.atan2)
    sinh_ = in_place(trigonometry.sinh)
    cosh_ = in_place(trigonometry.cosh)
    tanh_ = in_place(transcendental.tanh)
    asinh_ = in_place(trigonometry.asinh)
    acosh_ = in_place(trigonometry.acosh)
    atanh_ = in_place(trigonometry.atanh)
    hypot_ = in_place(trigonometry.hypot)
    sinc_ = in_place(trigonometry.sinc)
    deg2rad_ = in_place(trigonometry.deg2rad)
    rad2deg_ = in_place(trigonometry.rad2deg)
    sigmoid_ = in_place(activation.sigmoid)
    relu_ = in_place(activation.relu)

    arcsin_ = in_place(trigonometry.asin, "arcsin")
    arccos_ = in_place(trigonometry.acos, "arccos")
    arctan_ = in_place(trigonometry.atan, "arctan")
    arctan2_ = in_place(trigonometry.atan2, "arctan2")
    arcsinh_ = in_place(trigonometry.asinh, "arcsinh")
    arccosh_ = in_place(trigonometry.acosh, "arccosh")
    arctanh_ = in_place(trigonometry.atanh, "arctanh")

    def float_power_(self, exponent: Any) -> Any:
        """In place `autograd.float_power`: of float64 only, as the result is."""
        if self.dtype != np.float64:
            raise TypeError(f"float_power_: the result is float64, the tensor {self.dtype}")
        return self._replace(exponential.float_power(self, exponent), "float_power_")

    # --- Comparisons, logic, bits -----------------------------------------------------------------

    eq_ = in_place(arithmetic.eq)
    ne_ = in_place(arithmetic.ne)
    lt_ = in_place(arithmetic.lt)
    le_ = in_place(arithmetic.le)
    gt_ = in_place(arithmetic.gt)
    ge_ = in_place(arithmetic.ge)
    not_equal_ = in_place(arithmetic.ne, "not_equal")
    less_ = in_place(arithmetic.lt, "less")
    less_equal_ = in_place(arithmetic.le, "less_equal")
    greater_ = in_place(arithmetic.gt, "greater")
    greater_equal_ = in_place(arithmetic.ge, "greater_equal")
    logical_not_ = in_place(logic.logical_not)
    logical_and_ = in_place(logic.logical_and)
    logical_or_ = in_place(logic.logical_or)
    logical_xor_ = in_place(logic.logical_xor)
    bitwise_not_ = in_place(logic.bitwise_not)
    bitwise_and_ = __iand__ = in_place(logic.bitwise_and)
    bitwise_or_ = __ior__ = in_place(logic.bitwise_or)
    bitwise_xor_ = __ixor__ = in_place(logic.bitwise_xor)

    # --- Operators that only whole numbers and bools have -----------------------------------------

    bitwise_not = __invert__ = logic.bitwise_not
    bitwise_and = __and__ = __rand__ = logic.bitwise_and
    bitwise_or = __or__ = __ror__ = logic.bitwise_or
    bitwise_xor = __xor__ = __rxor__ = logic.bitwise_xor
