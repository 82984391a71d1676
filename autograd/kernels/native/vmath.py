"""Functions of a vector, written with simd.py: accurate to 2 units in the last place.

Each takes the `Code` that is being written and a vector, and returns a vector. The polynomials are
minimax: their coefficients, lowest power first, solve the Remez exchange on the reduced range in
200-bit arithmetic for the relative error that is given beside them. Special values come out as in
IEEE 754's recommended functions: NaN stays NaN, infinities and signed zeros have their limits, and
subnormal numbers are neither flushed nor treated as zero.
"""

from llvmlite import ir

from .simd import Code, Value

LN2 = 0.693147180559945309
LOG2E = 1.44269504088896341
LN2_REST = {"f4": -1.9046543e-9, "f8": 2.3190468138462996e-17}
"""What rounding ln 2 to one number leaves out."""

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
# Beyond these exp(x), and x * exp(x) too, is 0 or infinity, and its exponent would not fit.
EXP_RANGE = {"f4": (-110.0, 89.0), "f8": (-754.0, 710.0)}

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

# tanh(x) = x + x**3 * P(x**2) for |x| < 0.625; errors 2**-27.8 and 2**-61.
TANH = {
    "f4": (-0.3333328194, 0.1333144221, -0.0537397166, 0.02063909259, -0.005704993268),
    "f8": (
        -0.333333333333333128,
        0.133333333333297437,
        -0.0539682539660592447,
        0.0218694884687214682,
        -0.00886323431263831509,
        0.00359211400021545123,
        -0.0014557259491189254,
        0.000589451800025180194,
        -0.000237011726414116419,
        0.0000915583966916992023,
        -0.0000301871992268389513,
        6.04245711146e-6,
    ),
}

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


def reduced_exp(k: Code, r: Value) -> Value:
    """Exp(r) - 1 for |r| <= ln(2) / 2, to the precision that adding 1 leaves."""
    return k.fma(polynomial(k, r, EXP[k.module.dtype]), r * r, r)


def exponent_of(k: Code, x: Value, factor: float = 1.0) -> Value:
    """The whole number n nearest to factor * x / ln(2): exp(factor * x) is about 2**n."""
    shift = _shift(k)
    return k.fma(x, factor * LOG2E, shift) - shift


def exp_parts(k: Code, x: Value) -> tuple[Value, Value]:
    """Exp(x) = (1 + t) * 2**n with n whole, for x within EXP_RANGE: t and n."""
    n = exponent_of(k, x)
    high, low = LN2_PARTS[k.module.dtype]
    return reduced_exp(k, k.fma(n, -low, k.fma(n, -high, x))), n


def small_exp(k: Code, x: Value) -> Value:
    """Exp of numbers whose result is normal, or NaN."""
    t, n = exp_parts(k, x)
    if k.module.target.unit == "avx512":
        return scaled(k, t + 1.0, n)
    return (t + 1.0) * power_of_two(k, as_integers(k, n))


def exp_of_minus(k: Code, size: Value) -> tuple[Value, Value]:
    """Exp(-size) = (1 + t) * 2**n for numbers from 0 on: t and n."""
    return exp_parts(k, k.larger(k.splat(EXP_RANGE[k.module.dtype][0]), -size))


def inverse_of_sum(k: Code, a: float, b: Value) -> tuple[Value, Value]:
    """1 / (a + b) = y * (1 + e), where a is a power of two and b positive: y and a small e."""
    total = b + a
    y = 1.0 / total
    if not k.module.target.fma:
        return y, k.splat(0.0)  # a remainder would be all rounding
    missing = b - (total - a)
    return y, k.fma(-missing, y, k.fma(-total, y, 1.0))


def product_error(k: Code, a: Value, b: Value, product: Value) -> Value:
    """What rounding left out of a product."""
    return k.fma(a, b, -product) if k.module.target.fma else k.splat(0.0)


def log_of_near_one(k: Code, f: Value) -> Value:
    """Log(1 + f) - f for sqrt(1/2) <= 1 + f < sqrt(2)."""
    half_square = f * f * 0.5
    if k.module.dtype == "f4":
        return k.fma(f * f * f, polynomial(k, f, LOG_F4), -half_square)
    s = f / (f + 2.0)
    z = s * s
    rest = z * polynomial(k, z, LOG_F8)
    return s * (half_square + rest) - half_square


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
    t, n = exp_parts(k, within(k, x, *EXP_RANGE[k.module.dtype]))
    return scaled(k, t + 1.0, n)


def log(k: Code, x: Value) -> Value:
    """Natural logarithm; NaN below 0, -inf at 0."""
    f, e = log_parts(k, x)
    high, low = LN2_PARTS[k.module.dtype]
    y = k.fma(e, high, f + k.fma(e, low, log_of_near_one(k, f)))
    y = k.select(x.eq(float("inf")), x, y)
    edge = k.select(x.eq(0.0), k.splat(float("-inf")), k.splat(float("nan")))
    return k.select(x > 0.0, y, edge)


def softplus(k: Code, x: Value) -> Value:
    """Log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    t, n = exp_of_minus(k, k.absolute(x))
    z = scaled(k, t + 1.0, n)
    # 1 + z lies between 1 and 2; its upper part is halved.
    upper = z > 2.0**0.5 - 1.0
    f = k.select(upper, (z - 1.0) * 0.5, z)
    halved = k.select(upper, k.splat(LN2), k.splat(0.0))
    total = f + halved
    missing = f - (total - halved) + LN2_REST[k.module.dtype]
    missing = k.select(upper, missing, k.splat(0.0))
    return k.select(x > 0.0, x, 0.0) + (total + (missing + log_of_near_one(k, f)))


# --- Sigmoid shapes -------------------------------------------------------------------------------


def tanh(k: Code, x: Value) -> Value:
    """Hyperbolic tangent: a polynomial near 0, 1 - 2 / (exp(2 |x|) + 1) elsewhere."""
    size = k.absolute(x)
    square = size * size
    near = k.fma(size * square, polynomial(k, square, TANH[k.module.dtype]), size)
    # From 20 on the result is 1 in float64 too.
    e = small_exp(k, k.smaller(k.splat(20.0), size) * 2.0)
    far = 1.0 - 2.0 / (e + 1.0)
    return k.copysign(k.select(size < 0.625, near, far), x)


def weighted_sigmoid(k: Code, x: Value, weight: Value | None) -> Value:
    """Weight / (1 + exp(-x)).

    Where x < 0 this is weight * (1 + t) * 2**n / (1 + exp(x)), whose power of two comes last:
    exp(x) alone may be subnormal, and so have lost its precision.
    """
    t, n = exp_of_minus(k, k.absolute(x))
    y, error = inverse_of_sum(k, 1.0, scaled(k, t + 1.0, n))
    negative = x < 0.0
    factor = error + k.select(negative, t, k.splat(0.0))
    if weight is None:
        y = k.fma(y, factor, y)
    else:
        product = y * weight
        y = product + k.fma(product, factor, product_error(k, y, weight, product))
        y = k.copysign(k.select(weight < float("inf"), y, weight), weight)
    return scaled(k, y, k.select(negative, n, k.splat(0.0)))


def sigmoid(k: Code, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return weighted_sigmoid(k, x, None)


def silu(k: Code, x: Value) -> Value:
    """X / (1 + exp(-x)); -0 at -inf."""
    # The limit keeps infinity times 0 away.
    return weighted_sigmoid(k, x, k.larger(k.splat(EXP_RANGE[k.module.dtype][0]), x))


def sigmoid_parts(k: Code, x: Value) -> tuple[Value, Value]:
    """Sigmoid(x) and its derivative, for gradients."""
    t, n = exp_of_minus(k, k.absolute(x))
    z = scaled(k, t + 1.0, n)
    inverse = 1.0 / (z + 1.0)
    lower = z * inverse
    return k.select(x < 0.0, lower, inverse), lower * inverse
