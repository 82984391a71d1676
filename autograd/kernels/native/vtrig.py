"""Sine and cosine of a vector, written with simd.py, in the manner of vmath.py."""

from fractions import Fraction

from .simd import Code, Value
from .vmath import as_integers, fraction_bits, polynomial

# sin(r) = r + r**3 * P(r**2), cos(r) = 1 - r**2 / 2 + r**4 * P(r**2) for |r| <= pi / 4; errors
# 2**-28 and 2**-33, 2**-58 and 2**-64.
SIN = {
    "f4": (-0.16666654602, 0.0083321603038, -0.00019515219759),
    "f8": (
        -0.166666666666666307,
        0.00833333333332210724,
        -0.000198412698295801987,
        2.75573136180496068e-6,
        -2.50507472253350581e-8,
        1.58961981335403541e-10,
    ),
}
COS = {
    "f4": (0.04166664567, -0.0013887315629, 2.4433084005e-5),
    "f8": (
        0.0416666666666665928,
        -0.00138888888888730411,
        0.0000248015872888418208,
        -2.75573141763528757e-7,
        2.08757004305302438e-9,
        -1.13585146625376849e-11,
    ),
}
HALF_PI = Fraction(
    "1.57079632679489661923132169163975144209858469968755291048747229615390820314310449931401741267"
)
# Largest angle that `sin` and `cos` reduce themselves.
LARGEST_ANGLE = 4096.0


def half_pi_parts(k: Code) -> list[float]:
    """Pi / 2 in parts whose products with the whole numbers that occur need not be rounded.

    A fused multiply-add does not round products; elsewhere the parts are short.
    """
    whole = fraction_bits(k) + 1
    short = {24: [11, 11, 11, 11, 24], 53: [33, 33, 33, 53]}[whole]
    rest = HALF_PI
    parts: list[float] = []
    for bits in [whole] * 3 if k.module.target.fma else short:
        unit = Fraction(2) ** (rest.numerator.bit_length() - rest.denominator.bit_length() - bits)
        parts.append(float(round(rest / unit) * unit))
        rest -= Fraction(parts[-1])
    return parts


def wave(k: Code, x: Value, phase: int) -> Value:
    """Sin(|x| + phase * pi / 2) for |x| <= LARGEST_ANGLE."""
    size = k.absolute(x)
    n = k.rounded(size * (2.0 / 3.14159265358979324))
    r = size
    for part in half_pi_parts(k):
        r = k.fma(n, -part, r)
    square = r * r
    kind = k.module.dtype
    sine = k.fma(r * square, polynomial(k, square, SIN[kind]), r)
    cosine = k.fma(square * square, polynomial(k, square, COS[kind]), square * -0.5) + 1.0
    quadrant = as_integers(k, n) + k.bit_splat(phase)
    odd = (quadrant & k.bit_splat(1)) > k.bit_splat(0)
    flip = (quadrant >> k.bit_splat(1)) << k.bit_splat(8 * k.module.size - 1)
    return k.from_bits(k.bits(k.select(odd, cosine, sine)) ^ flip)


def sin(k: Code, x: Value) -> Value:
    """Sine for |x| <= LARGEST_ANGLE."""
    sign = k.bits(x) & k.bit_splat(1 << (8 * k.module.size - 1))
    return k.from_bits(k.bits(wave(k, x, 0)) ^ sign)


def cos(k: Code, x: Value) -> Value:
    """Cosine for |x| <= LARGEST_ANGLE."""
    return wave(k, x, 1)
