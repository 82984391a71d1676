"""The functions that a formula may name: how each computes and how it is written.

========================== =======================================================================
computes and is shown      exp expm1 log log1p log2 log10 log1pexp sqrt sin cos tan asin acos atan
                           atan2 sinh cosh tanh asinh acosh atanh erf erfc erfinv sigmoid abs sign
                           copysign floor ceil trunc round max min Phi phi tanh_Phi tanh_phi
                           tanh_phi_slope
is only shown              T sum mean var std max argmax softmax onehot hat expand reshape permute
                           cat split pad crop cast scatter gather put conv conv_transposed windows
                           fold mask random partial past weights flow heads queries keys values
                           steps first before lstm gru unrolled carried likelihood posterior
                           covariance
names with a meaning       y (the result), g (the gradient that arrives), n (how many elements are
                           folded into one), ties (how many are equal), pi, inf
========================== =======================================================================

Any other function may be named too: it is shown by its name. What is computed follows IEEE 754,
as JavaScript does: ``1 / 0`` is inf, ``log(-1)`` is NaN, and nothing raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ...ops.activation import BEND, DENSITY, STEEP
from ...ops.special import erfinv

# The slope of tanh_Phi is 0 beyond, where its angle would overflow.
FAR = 40.0


@dataclass(frozen=True, slots=True)
class Function:
    """One word of the vocabulary.

    Attributes
    ----------
    compute : callable or None
        On Python floats; None for what is only shown.
    js : str
        The JavaScript function: of ``Math``, or of ``fn`` (``assets/functions.js``).
    unicode, latex : str
        The sign that stands before the brackets; "": the name itself.
    definition : str
        What it is of its argument v: a formula, or words after a colon, with the names of other
        functions between backquotes.
    spelled_out : bool
        Show the definition in the place of the name.
    """

    compute: Callable[..., float] | None = None
    js: str = ""
    unicode: str = ""
    latex: str = ""
    definition: str = ""
    spelled_out: bool = False


# --- Arithmetic that never raises -----------------------------------------------------------------


def divide(a: float, b: float) -> float:
    """``a / b``, infinite or NaN where b is 0."""
    if b != 0.0:
        return a / b
    if a == 0.0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """``a ** b``: NaN for a root of a negative number, infinite for a pole or an overflow."""
    odd = math.isfinite(b) and math.fmod(b, 2.0) in (1.0, -1.0)
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0.0 and odd else math.inf
    except ValueError:
        if a == 0.0:
            return math.copysign(math.inf, a) if odd else math.inf
        return math.nan


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _log(x: float) -> float:
    return math.log(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan


def _log1p(x: float) -> float:
    return math.log1p(x) if x > -1.0 else -math.inf if x == -1.0 else math.nan


def _log1pexp(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0.0 else math.nan


def _sin(x: float) -> float:
    return math.sin(x) if math.isfinite(x) else math.nan


def _cos(x: float) -> float:
    return math.cos(x) if math.isfinite(x) else math.nan


def _quiet(function: Callable[..., float], pole: float = math.nan) -> Callable[..., float]:
    """A function of the math module that gives `pole` where that raises."""

    def quiet(*numbers: float) -> float:
        try:
            return float(function(*numbers))
        except (OverflowError, ValueError):
            return pole

    return quiet


def _log_to(base: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: base(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan


def _sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def _atanh(x: float) -> float:
    if math.fabs(x) < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if math.fabs(x) == 1.0 else math.nan


def _to_whole(function: Callable[[float], int]) -> Callable[[float], float]:
    # The sign of a zero is kept, as JavaScript does.
    return lambda x: math.copysign(function(x), x) if math.isfinite(x) else x


def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


def _sign(x: float) -> float:
    return x if x != x or x == 0.0 else math.copysign(1.0, x)


def _max(a: float, b: float) -> float:
    return a if a > b or a != a else b


def _min(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x * math.sqrt(0.5))


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) * DENSITY


def _tanh_normal(x: float) -> float:
    near = min(max(x, -FAR), FAR)
    return _sigmoid(near * (STEEP + BEND * near * near))


def _tanh_density(x: float) -> float:
    near = min(max(x, -FAR), FAR)
    s = _tanh_normal(near)
    return s * (1.0 - s) * (STEEP + 3.0 * BEND * near * near)


def _tanh_density_slope(x: float) -> float:
    near = min(max(x, -FAR), FAR)
    s = _tanh_normal(near)
    angle = STEEP + 3.0 * BEND * near * near
    return s * (1.0 - s) * ((1.0 - 2.0 * s) * angle * angle + 6.0 * BEND * near)


# --- The words ------------------------------------------------------------------------------------

FUNCTIONS: dict[str, Function] = {
    "exp": Function(_exp, "Math.exp", latex=r"\exp"),
    "log": Function(_log, "Math.log", latex=r"\log"),
    "expm1": Function(
        _quiet(math.expm1, math.inf), "Math.expm1", definition="exp(v) - 1", spelled_out=True
    ),
    "log2": Function(_log_to(math.log2), "Math.log2", latex=r"\log_2"),
    "log10": Function(_log_to(math.log10), "Math.log10", latex=r"\log_{10}"),
    "log1p": Function(_log1p, "Math.log1p", definition="log(1 + v)", spelled_out=True),
    "log1pexp": Function(_log1pexp, "fn.log1pexp", definition="log(1 + exp(v))", spelled_out=True),
    "sqrt": Function(_sqrt, "Math.sqrt"),
    "sin": Function(_sin, "Math.sin", latex=r"\sin"),
    "cos": Function(_cos, "Math.cos", latex=r"\cos"),
    "tan": Function(_quiet(math.tan), "Math.tan", latex=r"\tan"),
    "asin": Function(_quiet(math.asin), "Math.asin", latex=r"\arcsin"),
    "acos": Function(_quiet(math.acos), "Math.acos", latex=r"\arccos"),
    "atan": Function(math.atan, "Math.atan", latex=r"\arctan"),
    "atan2": Function(
        math.atan2, "Math.atan2", definition=": the angle of the point with these as y and x"
    ),
    "sinh": Function(_sinh, "Math.sinh", latex=r"\sinh"),
    "cosh": Function(_quiet(math.cosh, math.inf), "Math.cosh", latex=r"\cosh"),
    "tanh": Function(math.tanh, "Math.tanh", latex=r"\tanh"),
    "asinh": Function(math.asinh, "Math.asinh"),
    "acosh": Function(_quiet(math.acosh), "Math.acosh"),
    "atanh": Function(_atanh, "Math.atanh"),
    "erf": Function(math.erf, "fn.erf"),
    "erfc": Function(math.erfc, "fn.erfc", definition="1 - erf(v)"),
    "erfinv": Function(erfinv.op.scalar, "fn.erfinv", definition=": the inverse of `erf`"),
    "sigmoid": Function(_sigmoid, "fn.sigmoid", "σ", r"\sigma", definition="1 / (1 + exp(-v))"),
    "abs": Function(math.fabs, "Math.abs"),
    "sign": Function(_sign, "Math.sign"),
    "copysign": Function(
        math.copysign, "fn.copysign", definition=": the size of one with the sign of another"
    ),
    "floor": Function(_to_whole(math.floor), "Math.floor"),
    "ceil": Function(_to_whole(math.ceil), "Math.ceil"),
    "trunc": Function(_to_whole(math.trunc), "Math.trunc"),
    "round": Function(_to_whole(round), "fn.round", definition=": the nearest, or the even one"),
    "max": Function(_max, "Math.max", latex=r"\max"),
    "min": Function(_min, "Math.min", latex=r"\min"),
    "Phi": Function(_normal, "fn.Phi", "Φ", r"\Phi", definition="(1 + erf(v / sqrt(2))) / 2"),
    "phi": Function(
        _density, "fn.phi", "φ", r"\varphi", definition="exp(-(v ** 2) / 2) / sqrt(2 * pi)"
    ),
    "tanh_Phi": Function(
        _tanh_normal,
        "fn.tanh_Phi",
        "Φₜ",
        r"\Phi_t",
        definition="(1 + tanh(sqrt(2 / pi) * (v + 0.044715 * v ** 3))) / 2",
    ),
    "tanh_phi": Function(
        _tanh_density, "fn.tanh_phi", "φₜ", r"\varphi_t", definition=": the slope of `tanh_Phi`"
    ),
    "tanh_phi_slope": Function(
        _tanh_density_slope,
        "fn.tanh_phi_slope",
        "φₜ'",
        r"\varphi_t'",
        definition=": the slope of `tanh_phi`",
    ),
    "std": Function(definition="sqrt(var(v) + eps)"),
    "hat": Function(definition="(v - mean(v)) / std(v)"),
    "softmax": Function(definition="exp(v) / sum(exp(v))"),
    "onehot": Function(definition=": 1 at the target's class, else 0"),
    "expand": Function(definition=": repeated to the shape of the input"),
    "scatter": Function(definition=": added at those places of an array of zeros"),
    "gather": Function(definition=": taken from those places"),
    "put": Function(definition=": a copy, with other values at those places"),
    "windows": Function(definition=": each window of the image"),
    "fold": Function(definition=": each window added back where it came from"),
    "conv": Function(definition=": the sums of products under a sliding kernel"),
    "conv_transposed": Function(
        unicode="convᵀ",
        latex=r"\operatorname{conv}^{\top}",
        definition=": each gradient spread back over what its window saw",
    ),
    "mask": Function(definition=": 0 where the element is dropped, else 1"),
    # Of attention.
    "past": Function(definition=": -inf for keys behind their query"),
    "weights": Function(definition=": the softmax of the scores, as in the result"),
    "flow": Function(
        definition=": what flows to the scores, weights ⊙ (g·valuesᵀ - sum(g ⊙ result))"
    ),
    "heads": Function(definition=": for each head, and the results side by side"),
    "queries": Function(definition=": its first third"),
    "keys": Function(definition=": its second third"),
    "values": Function(definition=": its last third"),
    # Of recurrent layers.
    "steps": Function(
        definition=": one step after another, each from the state that the last left"
    ),
    "lstm": Function(
        definition=": new cell = σ(f)·cell + σ(i)·tanh(z), new state = σ(o)·tanh(new cell); i, f, "
        "z, o are the quarters of the first argument"
    ),
    "gru": Function(
        definition=": n = tanh(xₙ + σ(xᵣ + aᵣ)·aₙ), new state = n + σ(x_z + a_z)·(state - n); "
        "r, z, n are the thirds of the first two arguments, x and a"
    ),
    "first": Function(definition=": of the first step"),
    "before": Function(definition=": the states before each step"),
    "unrolled": Function(definition=": what flows to the gates, from the last step to the first"),
    "carried": Function(definition=": what each step passes back to the state before it"),
    # Of connectionist temporal classification.
    "likelihood": Function(
        definition=": the sum over all ways to write the text, one class at each moment, of the "
        "products of their probabilities"
    ),
    "posterior": Function(definition=": how sure each class is at each moment, given the text"),
    "covariance": Function(definition=": of the classes at two moments, given the text"),
}
