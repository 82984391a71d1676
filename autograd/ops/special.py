"""The complement and the inverse of the error function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import elementwise
from .transcendental import TWO_OVER_ROOT_PI, exp

# erfc(x) = exp(-x**2) * P((x - 3) / (x + 3)) / (x + 3) for x >= 0; the error of P is 2e-18. A
# Chebyshev fit in 40 digits, as powers from the lowest.
COMPLEMENT = (
    1.0740069070883398, -0.8833944531698836, 0.5902283571041017, -0.31046726190056234,
    0.11952776128730562, -0.02682723462469515, -0.0012124166276806254, 0.0030340620052543557,
    -0.0005483096848360884, -0.000276777887591881, 0.00010756143085263499, 3.0398415421531873e-05,
    -1.7470296805853163e-05, -4.750203745627632e-06, 2.764565983164306e-06, 1.001369462400479e-06,
    -4.063008830745508e-07, -2.3760728025226044e-07, 4.378632828744003e-08, 5.4870169496574923e-08,
    1.1223572636423521e-09, -1.1011786999949914e-08, -2.2353639571382333e-09, 1.653982449951394e-09,
    6.014463235100101e-10, -1.3486619525318313e-10, -6.726690666778158e-11,
)  # fmt: skip
# The same for float32, with an error of 6e-10.
SHORT_COMPLEMENT = (
    1.074006907, -0.8833944452, 0.5902283378, -0.3104674893, 0.1195280751, -0.02682537011,
    -0.001214341704, 0.003027424457, -0.000542621444, -0.0002649834217, 9.873707159e-05,
    1.965591056e-05, -1.030247867e-05,
)  # fmt: skip
FAR = 28.0  # where erfc is 0 in float64
BLOCK = 4096  # elements that stay in the nearest cache for all terms of a polynomial

# Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution": numerators
# and denominators, from the highest power, near the middle, in the tails, and far out.
MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
     4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
     1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
     2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
     4.2313330701600911252e1, 1.0),
)  # fmt: skip
TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
     1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
     4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
     1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
     2.05319162663775882187e0, 1.0),
)  # fmt: skip
OUTER = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
     5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
     7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
     5.99832206555887937690e-1, 1.0),
)  # fmt: skip
MIDDLE_END, TAIL_END = 0.85, 5.0
ROOT_HALF = math.sqrt(0.5)
HALF_ROOT_PI = 0.5 * math.sqrt(math.pi)


def _polynomial(terms: Any, x: Any) -> Any:
    """The polynomial with these coefficients, the highest first."""
    y = x * terms[0]
    y += terms[1]
    for term in terms[2:]:
        y *= x
        y += term
    return y


def _ratio(parts: Any, r: Any) -> Any:
    return _polynomial(parts[0], r) / _polynomial(parts[1], r)


# --- erfc -----------------------------------------------------------------------------------------


@elementwise(
    lambda g, y, x: g * (exp(x * x * -1.0) * -TWO_OVER_ROOT_PI),
    saves="x",
    scalar=math.erfc,
    result="float",
    formula=("erfc(x)", "-2 * exp(-(x ** 2)) / sqrt(pi)"),
)
def erfc(x):
    """Complement of the error function, ``1 - erf(x)``, exact far to the right too.

    Examples
    --------
    >>> import autograd
    >>> autograd.erfc(autograd.tensor([0.0, 1.0, 5.0]))
    tensor([1.0000e+00, 1.5730e-01, 1.5375e-12])
    """
    if not x.ndim:
        return x.dtype.type(math.erfc(x))
    return _in_blocks(_complement, x)


def _complement(x):
    size = np.minimum(np.abs(x), FAR)
    # exp(-size**2): the square of half of the digits is exact; exp would magnify its rounding.
    if x.dtype == np.float32:
        high = (size.view(np.uint32) & np.uint32(0xFFFFF000)).view(np.float32)
        terms = SHORT_COMPLEMENT
    else:
        high = size.astype(np.float32).astype(np.float64)
        terms = COMPLEMENT
    y = _polynomial(terms[::-1], (size - 3.0) / (size + 3.0))
    y /= size + 3.0
    with np.errstate(under="ignore"):
        y *= np.exp(-high * high)
        y *= np.exp((high - size) * (high + size))
    return np.where(x < 0.0, 2.0 - y, y)


def _in_blocks(function, x):
    """A function of contiguous lines of float32 or float64, over an array of any layout."""
    kind = np.float32 if x.dtype.itemsize < 8 else np.float64
    line = np.ascontiguousarray(x, kind).reshape(-1)
    y = np.empty_like(line)
    for start in range(0, line.size, BLOCK):
        y[start : start + BLOCK] = function(line[start : start + BLOCK])
    return y.reshape(x.shape).astype(x.dtype, copy=False)


# --- erfinv ---------------------------------------------------------------------------------------


def _inverse(y):
    """The inverse of the error function of one float."""
    size = abs(y)
    if size <= MIDDLE_END:
        return 0.5 * y * _ratio(MIDDLE, 0.180625 - 0.25 * y * y) * ROOT_HALF
    if not size < 1.0:
        return math.copysign(math.inf, y) if size == 1.0 else math.nan
    r = math.sqrt(-math.log(0.5 * (1.0 - size)))
    x = _ratio(TAIL, r - 1.6) if r <= TAIL_END else _ratio(OUTER, r - 5.0)
    return math.copysign(x * ROOT_HALF, y)


@elementwise(
    lambda g, y, x: g * (exp(y * y) * HALF_ROOT_PI),
    saves="y",
    scalar=_inverse,
    domain=(-0.95, 0.95),
    result="float",
    formula=("erfinv(x)", "exp(y ** 2) * sqrt(pi) / 2"),
)
def erfinv(x):
    """Inverse of the error function: infinite at -1 and 1, NaN beyond.

    Examples
    --------
    >>> import autograd
    >>> autograd.erfinv(autograd.tensor([0.0, 0.5, -1.0]))
    tensor([0.0000, 0.4769,   -inf])
    """
    if not x.ndim:
        return x.dtype.type(_inverse(float(x)))
    return _in_blocks(_inverse_of_line, x)


def _inverse_of_line(x):
    size = np.abs(x)
    near = np.minimum(size, MIDDLE_END)
    y = _ratio(MIDDLE, 0.180625 - 0.25 * (near * near))
    y *= 0.5 * x
    far = size > MIDDLE_END
    if far.any():
        ends = size[far]
        inside = ends < 1.0
        r = np.sqrt(-np.log(np.where(inside, 0.5 * (1.0 - ends), 0.5)))
        tail = np.where(
            r <= TAIL_END,
            _ratio(TAIL, np.minimum(r, TAIL_END) - 1.6),
            _ratio(OUTER, np.maximum(r, TAIL_END) - 5.0),
        )
        tail = np.where(inside, tail, np.where(ends == 1.0, np.inf, np.nan))
        y[far] = np.copysign(tail, x[far])
    y *= ROOT_HALF
    return y
