"""Functions of a vector, written with simd.py: accurate to 2 units in the last place.

Each takes the `Code` that is being written and a vector, and returns a vector. The polynomials are
minimax: their coefficients, lowest power first, solve the Remez exchange on the reduced range in
200-bit arithmetic for the relative error that is given beside them. Special values come out as in
IEEE 754's recommended functions: NaN stays NaN, infinities and signed zeros have their limits, and
subnormal numbers are neither flushed nor treated as zero.
"""

from typing import Any

from llvmlite import ir

from .simd import Code, Value

LN2 = 0.693147180559945309
LOG2E = 1.44269504088896341

# ln 2 in two parts; products of the first with an exponent are exact.
LN2_PARTS = {
    "f4": (0.693359375, -2.12194440054690583e-4),
    "f8": (6.93147180369123816e-1, 1.90821492927058770e-10),
}

# exp(r) = 1 + r + r**2 * P(r) for |r| <= ln(2) / 2; errors 2**-28.3 and 2**-64.
EXP = {
    "f4": (0.4999999345, 0.1666652064, 0.04166838803, 0.008368716503, 0.001381459802),
    "f8": (
        0.500000000000000004,
        0.166666666666666834,
        0.0416666666666660945,
        0.00833333333331703531,
        0.00138888888891155415,
        0.000198412698963814188,
        0.0000248015869267830692,
        2.75572348641501536e-6,
        2.75575817327272811e-7,
        2.51120361062654649e-8,
        2.08266598380778615e-9,
    ),
}
# Beyond these exp is 0 or infinity, and its exponent would not fit the constants below.
EXP_RANGE = {"f4": (-104.0, 89.0), "f8": (-746.0, 710.0)}

# log(1 + f) = f - f**2 / 2 + f**3 * P(f) for sqrt(1/2) <= 1 + f < sqrt(2); error 2**-30.3.
LOG_F4 = (
    0.333333126, -0.250000096, 0.2000211864, -0.1666799575, 0.1421955296, -0.1240559148,
    0.118881592, -0.1167563404, 0.0674662697,
)  # fmt: skip
# log(1 + f) = 2 s + s * z * P(z), s = f / (2 + f), z = s**2; error 2**-66.7.
LOG_F8 = (
    0.66666666666666661,
    0.400000000000062425,
    0.285714285690873414,
    0.222222226465718702,
    0.18181775683835168,
    0.153870899441824424,
    0.132501367112098644,
    0.132511582268638165,
)


# --- Parts ----------------------------------------------------------------------------------------


def polynomial(k: Code, x: Value, coefficients: tuple[float, ...]) -> Value:
    """Horner's rule; coefficients lowest power first."""
    y = k.splat(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        y = k.fma(y, x, c)
    return y


def fraction_bits(k: Code) -> int:
    """Stored bits of a significand."""
    return 23 if k.module.dtype == "f4" else 52


def _shift(k: Code) -> float:
    """Added to a small whole number, this leaves it in the lowest bits of the pattern."""
    return 1.5 * 2.0 ** fraction_bits(k)


def as_integers(k: Code, whole: Value) -> Value:
    """Whole numbers as integers (few machines convert vectors of 64-bit ones)."""
    return k.bits(whole + _shift(k)) - k.bits(k.splat(_shift(k)))


def as_floats(k: Code, whole: Value) -> Value:
    """Small integers as floats."""
    return k.from_bits(whole + k.bits(k.splat(_shift(k)))) - _shift(k)


def within(k: Code, x: Value, low: float, high: float) -> Value:
    """X limited to low .. high; NaN stays NaN."""
    return k.smaller(k.splat(high), k.larger(k.splat(low), x))


def power_of_two(k: Code, whole: Value) -> Value:
    """2**whole for integers that make a normal number."""
    bits = fraction_bits(k)
    bias = 127 if k.module.dtype == "f4" else 1023
    return k.from_bits((whole + k.bit_splat(bias)) << k.bit_splat(bits))


def scaled(k: Code, p: Value, n: Value) -> Value:
    """P * 2**n for whole n, rounded once, even where the result is subnormal."""
    if k.module.target.unit == "avx512":
        letters, mask = ("ps", 16) if k.module.dtype == "f4" else ("pd", 8)
        every = ir.Constant(ir.IntType(mask), -1)
        as_set = ir.Constant(ir.IntType(32), 4)  # the rounding mode in force
        name = f"llvm.x86.avx512.mask.scalef.{letters}.512"
        return k.intrinsic(name, k.vector, [p.ir, n.ir, p.ir, every, as_set])
    whole = as_integers(k, n)
    half = whole.arithmetic_shift(k.bit_splat(1))
    # The first product is exact, so that only the second one rounds.
    return p * power_of_two(k, half) * power_of_two(k, whole - half)


def exp_parts(k: Code, x: Value) -> tuple[Value, Value, Value]:
    """Exp(x) = (1 + t) * 2**n: n (whole), t, and 1 + t; x is limited to where that matters."""
    kind = k.module.dtype
    x = within(k, x, *EXP_RANGE[kind])
    n = k.rounded(x * LOG2E)
    high, low = LN2_PARTS[kind]
    r = k.fma(n, -low, k.fma(n, -high, x))
    t = k.fma(polynomial(k, r, EXP[kind]), r * r, r)
    return n, t, t + 1.0


def log_of_near_one(k: Code, f: Value) -> tuple[Value, Value]:
    """Log(1 + f) = f + c for sqrt(1/2) <= 1 + f < sqrt(2): f and c."""
    half_square = f * f * 0.5
    if k.module.dtype == "f4":
        return f, k.fma(f * f * f, polynomial(k, f, LOG_F4), -half_square)
    s = f / (f + 2.0)
    z = s * s
    rest = z * polynomial(k, z, LOG_F8)
    return f, s * (half_square + rest) - half_square


def log_parts(k: Code, x: Value) -> tuple[Value, Value]:
    """X = (1 + f) * 2**e with sqrt(1/2) <= 1 + f < sqrt(2), for positive finite x: f and e."""
    kind = k.module.dtype
    bits = fraction_bits(k)
    smallest = 2.0**-126 if kind == "f4" else 2.0**-1022
    subnormal = x < smallest
    x = k.select(subnormal, x * 2.0**bits, x)
    middle = k.bits(k.splat(0.5**0.5))
    above = k.bits(x) - middle
    e = as_floats(k, above.arithmetic_shift(k.bit_splat(bits)))
    e = e - k.select(subnormal, k.splat(bits), k.splat(0.0))
    m = k.from_bits((above & k.bit_splat((1 << bits) - 1)) + middle)
    return m - 1.0, e


# --- Exponential and logarithm --------------------------------------------------------------------


def exp(k: Code, x: Value) -> Value:
    """e**x."""
    n, _, p = exp_parts(k, x)
    return scaled(k, p, n)


def log(k: Code, x: Value) -> Value:
    """Natural logarithm; NaN below 0, -inf at 0."""
    f, e = log_parts(k, x)
    high, low = LN2_PARTS[k.module.dtype]
    f, correction = log_of_near_one(k, f)
    y = k.fma(e, high, f + k.fma(e, low, correction))
    y = k.select(x.eq(float("inf")), x, y)
    edge = k.select(x.eq(0.0), k.splat(float("-inf")), k.splat(float("nan")))
    return k.select(x > 0.0, y, edge)
