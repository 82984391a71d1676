"""The normal distribution: erf, gelu and their slopes, written with simd.py.

In the manner of vmath.py, whose accuracy `erf` has too. `gelu` is within 3 units in the last place
of x * Phi(x), also far to the left, where the usual formula, x * (1 + erf(x / sqrt(2))) / 2, keeps
no digit. `tanh_gelu` is exact to 2 units where |x| < 1; the rounding of its angle shows in the left
tail as relative errors of up to 2**-23 times that angle.
"""

from .simd import Code, Value
from .vmath import (
    EXP,
    LN2_PARTS,
    exponent_of,
    inverse_of_sum,
    polynomial,
    product_error,
    scaled,
    sigmoid_parts,
    small_exp,
    weighted_sigmoid,
    within,
)

# erf(x) = x + x * P(x**2) for |x| < 1, 1 - exp(Q(|x|)) up to 4; errors 2**-29.6 and 2**-29.8.
ERF = (
    0.128379166, -0.3761262582, 0.1128358514, -0.02685381173, 0.005188327358, -0.0008010190999,
    7.853853129e-5,
)  # fmt: skip
LOG_ERFC = (
    -0.0003415503541, -1.127089078, -0.638145022, -0.1031065878, 0.02183798307, -0.002947637833,
    0.0001863770875,
)  # fmt: skip

# (t + 4) * exp(t**2 / 2) * Phi(-t) = P((t - 4) / (t + 4)) for 0 <= t <= 15; error 2**-29.5. Phi is
# the distribution function of the normal distribution.
NORMAL_TAIL = (
    0.7552851313, -0.6078966494, 0.3871373049, -0.1865215739, 0.06039835331, -0.007542613413,
    -0.003492220487, 0.001635485908, 0.0001718600814, -0.0002192836084, -4.506093688e-5,
)  # fmt: skip
NORMAL_TAIL_REST = -1.255223e-08  # what rounding the first one leaves out
DENSITY = 0.398942280401432678  # 1 / sqrt(2 pi)
OUTSIDE = 40.0  # beyond, Phi is 0 or 1 in float64 too
TANH_GELU = (1.59576912160573071, 0.07135481627260025)  # 2 sqrt(2 / pi), and that times 0.044715
LARGEST_TAIL = 15.0  # Phi(-15) is 0 in float32, times 15 too


def erf(k: Code, x: Value) -> Value:
    """Error function."""
    size = k.absolute(x)
    near = k.fma(x, polynomial(k, x * x, ERF), x)
    far = 1.0 - small_exp(k, polynomial(k, k.smaller(k.splat(4.0), size), LOG_ERFC))
    return k.select(size < 1.0, near, k.copysign(far, x))


def normal_density(k: Code, s: Value) -> tuple[Value, Value, Value]:
    """Exp(-s**2 / 2) = (1 + r + t) * 2**n for 0 <= s <= LARGEST_TAIL: r, t and n; t is small."""
    # A square of the upper 12 bits is exact; without that, exp would magnify its rounding.
    upper = k.from_bits(k.bits(s) & k.bit_splat(-1 << 12))
    n = exponent_of(k, s * s, -0.5)
    high, low = LN2_PARTS["f4"]
    first = k.fma(n, -high, upper * upper * -0.5)  # exact
    rest = k.fma((s - upper) * -0.5, s + upper, n * -low)
    r = first + rest
    return r, k.fma(polynomial(k, r, EXP["f4"]), r * r, rest - (r - first)), n


def normal_ratio(k: Code, s: Value, inverse: Value) -> tuple[Value, Value]:
    """(s + 4) * exp(s**2 / 2) * Phi(-s), and what its rounding left out; inverse = 1 / (s + 4)."""
    q = (s - 4.0) * inverse
    if not k.module.target.fma:
        return polynomial(k, q, NORMAL_TAIL), k.splat(0.0)
    # What is missing in q times (s + 4); the polynomial would magnify it.
    q = k.fma(inverse, k.fma(-q, s, k.fma(q + 1.0, -4.0, s)), q)
    first, second, *others = NORMAL_TAIL
    bend = polynomial(k, q, tuple(others))
    slope = k.fma(q, bend, second)
    slope_rest = k.fma(q, bend, second - slope)
    y = k.fma(q, slope, first)
    return y, k.fma(q, slope, first - y) + k.fma(q, slope_rest, NORMAL_TAIL_REST)


def gelu(k: Code, x: Value) -> Value:
    """X * Phi(x) = max(x, 0) - |x| * Phi(-|x|).

    Phi(-s) = P((s - 4) / (s + 4)) / (s + 4) * exp(-s**2 / 2), and the roundings of the factors are
    made good at the end.
    """
    s = k.smaller(k.splat(LARGEST_TAIL), k.absolute(x))
    inverse, error = inverse_of_sum(k, 4.0, s)
    p, p_error = normal_ratio(k, s, inverse)
    r, t, n = normal_density(k, s)
    a = s * inverse
    b = a * p
    rest = k.fma(p, product_error(k, s, inverse, a), product_error(k, a, p, b))
    rest = k.fma(a, p_error, rest)
    # The exponential multiplies what the roundings left out, too.
    tail = b + k.fma(b, r, k.fma(b, t + error, k.fma(rest, r, rest)))
    tail = scaled(k, tail, n)
    return k.select(x >= 0.0, x - tail, -tail)


def gelu_slope(k: Code, x: Value) -> Value:
    """Derivative of `gelu`: Phi(x) + x * phi(x), phi the density."""
    s = k.smaller(k.splat(LARGEST_TAIL), k.absolute(x))
    inverse, _ = inverse_of_sum(k, 4.0, s)
    p, _ = normal_ratio(k, s, inverse)
    r, t, n = normal_density(k, s)
    slope = scaled(k, (r + t) + 1.0, n) * k.fma(p, inverse, s * -DENSITY)
    return k.select(x >= 0.0, 1.0 - slope, slope)


def tanh_gelu_angle(k: Code, x: Value) -> Value:
    """V(x), with which the approximation of `gelu` is x * sigmoid(v)."""
    return x * k.fma(x * x, TANH_GELU[1], TANH_GELU[0])


def tanh_gelu(k: Code, x: Value) -> Value:
    """X * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2, an approximation of `gelu`."""
    near = within(k, x, -OUTSIDE, OUTSIDE)
    weight = k.larger(k.splat(-OUTSIDE), x)
    return weighted_sigmoid(k, tanh_gelu_angle(k, near), weight)


def tanh_gelu_slope(k: Code, x: Value) -> Value:
    """Derivative of `tanh_gelu`."""
    x = within(k, x, -OUTSIDE, OUTSIDE)
    s, slope = sigmoid_parts(k, tanh_gelu_angle(k, x))
    return k.fma(x * slope, k.fma(x * x, 3.0 * TANH_GELU[1], TANH_GELU[0]), s)


# --- float64, one number at a time: the C library is precise --------------------------------------


def library(k: Code, name: str, x: Value) -> Value:
    """A function of the C library."""
    return k.intrinsic(name, x.type, [x.ir])


def wide_erf(k: Code, x: Value) -> Value:
    """Error function."""
    return library(k, "erf", x)


def wide_gelu(k: Code, x: Value) -> Value:
    """X * Phi(x)."""
    return k.larger(k.number(-OUTSIDE), x) * wide_normal(k, x)


def wide_gelu_slope(k: Code, x: Value) -> Value:
    """Derivative of `gelu`."""
    near = k.smaller(k.number(OUTSIDE), k.larger(k.number(-OUTSIDE), x))
    density = library(k, "exp", near * near * -0.5) * DENSITY
    return wide_normal(k, x) + near * density


def wide_normal(k: Code, x: Value) -> Value:
    """Phi(x)."""
    return library(k, "erfc", x * -(0.5**0.5)) * 0.5
