"""Elementwise functions beside PyTorch: values, gradients, kinks, extremes, dtypes, refusals."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd
import nn.functional
from autograd import Tensor
from tests.autograd.test_parity import agree, both_dtypes, drawn

SHAPES = [(), (5,), (0,), (2, 3)]
INSIDE, ANY, POSITIVE = (-0.95, 0.95), (-3, 3), (0.2, 3)

UNARY = {
    "acos": INSIDE, "acosh": (1.1, 4), "asin": INSIDE, "asinh": ANY, "atan": ANY, "atanh": INSIDE,
    "ceil": ANY, "cosh": ANY, "deg2rad": (-300, 300), "erfc": ANY, "erfinv": INSIDE, "exp2": ANY,
    "expm1": ANY, "floor": ANY, "frac": ANY, "log10": POSITIVE, "log1p": (-0.8, 3),
    "log2": POSITIVE, "logit": (0.05, 0.95), "nan_to_num": ANY, "positive": ANY, "rad2deg": ANY,
    "reciprocal": POSITIVE, "round": ANY, "rsqrt": POSITIVE, "sinc": ANY, "sinh": ANY,
    "square": ANY, "tan": (-1.3, 1.3), "trunc": ANY, "isfinite": ANY, "isinf": ANY, "isnan": ANY,
    "logical_not": ANY, "absolute": ANY, "arccos": INSIDE, "arccosh": (1.1, 4), "arcsin": INSIDE,
    "arcsinh": ANY, "arctan": ANY, "arctanh": INSIDE, "fix": ANY, "negative": ANY,
}  # fmt: skip
BINARY = {
    "atan2": ANY, "arctan2": ANY, "copysign": (0.3, 3), "float_power": POSITIVE, "fmax": ANY,
    "fmin": ANY, "fmod": (0.3, 3), "hypot": ANY, "logaddexp": ANY, "logaddexp2": ANY,
    "remainder": (0.3, 3), "true_divide": POSITIVE, "divide": POSITIVE, "multiply": ANY,
    "subtract": ANY, "xlogy": POSITIVE, "logical_and": ANY, "logical_or": ANY, "logical_xor": ANY,
    "isclose": ANY, "greater": ANY, "greater_equal": ANY, "less": ANY, "less_equal": ANY,
    "not_equal": ANY,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """NumPy's warnings are heard (docs/differences.md): not what is compared here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@both_dtypes
@pytest.mark.parametrize("name", UNARY)
def test_unary(torch, name, dtype):
    low, high = UNARY[name]
    for shape in SHAPES:
        x = drawn(*shape, dtype=dtype, low=low, high=high)
        agree(torch, lambda lib, x: getattr(lib, name)(x), x)
        agree(torch, lambda lib, x: getattr(x, name)(), x)


@both_dtypes
@pytest.mark.parametrize("name", BINARY)
def test_binary(torch, name, dtype):
    low, high = BINARY[name]
    for a, b in [((), ()), ((3,), ()), ((2, 1), (1, 3)), ((2, 3), (3,)), ((0, 3), (3,))]:
        x = drawn(*a, dtype=dtype, low=low, high=high)
        y = drawn(*b, dtype=dtype, low=low, high=high, seed=1)
        agree(torch, lambda lib, x, y: getattr(lib, name)(x, y), x, y)
        agree(torch, lambda lib, x, y: getattr(x, name)(y), x, y)


@both_dtypes
def test_forms(torch, dtype):
    x, y, z = (drawn(2, 3, dtype=dtype, low=0.3, seed=s) for s in range(3))
    row = drawn(3, dtype=dtype, seed=4)
    for func in (
        lambda lib, x, y, z: lib.add(x, y, alpha=2.5),
        lambda lib, x, y, z: x.add(y, alpha=-1),
        lambda lib, x, y, z: lib.sub(x, 3, alpha=2),
        lambda lib, x, y, z: lib.rsub(x, y, alpha=2),
        lambda lib, x, y, z: lib.rsub(x, 2.0),
        lambda lib, x, y, z: lib.div(x, y),
        lambda lib, x, y, z: lib.div(x, y, rounding_mode="trunc"),
        lambda lib, x, y, z: x.div(-y, rounding_mode="floor"),
        lambda lib, x, y, z: lib.addcmul(x, y, z),
        lambda lib, x, y, z: lib.addcmul(x, y, z, value=-0.5),
        lambda lib, x, y, z: x.addcdiv(y, z, value=2),
        lambda lib, x, y, z: lib.lerp(x, y, z),
        lambda lib, x, y, z: lib.lerp(x, y, 0.25),
        lambda lib, x, y, z: x.lerp(y, 0.75),
        lambda lib, x, y, z: lib.lerp(x, y, lib.ones_like(z) * 1.5),
        lambda lib, x, y, z: lib.float_power(x, 2),
        lambda lib, x, y, z: lib.float_power(2.0, x),
        lambda lib, x, y, z: lib.xlogy(x, 2.0) + lib.xlogy(2.0, y),
        lambda lib, x, y, z: lib.copysign(x, -1.0),
        lambda lib, x, y, z: lib.remainder(x, 0.7) + lib.fmod(y, -0.6),
        lambda lib, x, y, z: 5.3 % x.detach() + x % 0.4,
        lambda lib, x, y, z: lib.sgn(x) + (-y).sgn() + x + y,  # a gradient of zeros is not shown
        lambda lib, x, y, z: lib.logit(x, 0.2) + lib.logit(y, eps=0.4),
        lambda lib, x, y, z: lib.round(x, decimals=1),
        lambda lib, x, y, z: lib.round(x * 50, decimals=-1),
        lambda lib, x, y, z: lib.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0),
        lambda lib, x, y, z: lib.clamp_min(x, 1.0) + lib.clamp_max(y, 1),
        lambda lib, x, y, z: lib.clamp_min(x, y) + lib.clamp_max(y, z),
        lambda lib, x, y, z: lib.clip(x, y, z) + lib.clamp(x, y) + lib.clamp(x, max=z),
        lambda lib, x, y, z: x.clip(0.5, 1.0),
    ):
        agree(torch, func, x, y, z)
    agree(torch, lambda lib, x, y: lib.addcmul(x, x, y) + lib.lerp(x, y, 0.3), x, row)


@both_dtypes
def test_quotients_rounded_down(torch, dtype):
    """Their values: PyTorch has no gradient of `floor_divide` (see docs/differences.md)."""
    x = np.array([7.0, -7.0, 0.5, -0.0, math.inf, -3.0], dtype)
    y = np.array([2.0, 2.0, -0.1, 3.0, 2.0, 0.0], dtype)
    for func in (
        lambda lib, x, y: lib.floor_divide(x, y),
        lambda lib, x, y: x.detach() // 2,
        lambda lib, x, y: 7 // x.detach(),
        lambda lib, x, y: x.floor_divide(y),
    ):
        agree(torch, lambda lib, x, y, f=func: f(lib, x.detach(), y.detach()), x, y)


@both_dtypes
def test_kinks_and_poles(torch, dtype):
    """Ties, zeros, infinities and NaN: the values and slopes that PyTorch chose."""
    inf, nan = math.inf, math.nan
    one: list[tuple[str, list[float]]] = [
        ("floor", [0.0, -0.0, 2.0, inf, nan]), ("ceil", [0.0, 2.0, -inf]), ("trunc", [-2.0, nan]),
        ("round", [0.5, 1.5, -0.5, 2.5, inf]), ("frac", [-1.5, 2.0]),
        ("nan_to_num", [nan, inf, -inf, 1.0]),
        ("sinc", [0.0, 1.0, -1.0]), ("acos", [1.0, -1.0, 2.0]), ("asin", [1.0, -1.0, 2.0]),
        ("atanh", [1.0, -1.0, 2.0]), ("acosh", [1.0, 0.5]), ("rsqrt", [0.0, -1.0, inf]),
        ("reciprocal", [0.0, -0.0, inf]), ("erfinv", [0.0, 1.0, -1.0, 2.0]),
        ("erfc", [0.0, 5.0, -10.0, inf]), ("logit", [0.0, 1.0, -1.0, 2.0]),
        ("log1p", [-1.0, 0.0, 1e-20, inf]), ("expm1", [0.0, 1e-20, -inf, inf]),
        ("log2", [0.0, -1.0, inf]), ("log10", [0.0, 1000.0]), ("exp2", [-inf, inf, 0.0]),
        ("asinh", [1e-30, 0.0, 1e10]), ("square", [0.0, -inf]), ("isnan", [nan, inf, 0.0]),
        ("isinf", [nan, inf, -inf]), ("isfinite", [nan, inf, 0.0]), ("logical_not", [nan, 0.0]),
    ]  # fmt: skip
    for name, points in one:
        agree(torch, lambda lib, x, n=name: getattr(lib, n)(x), np.array(points, dtype))
    two: list[tuple[str, list[float], list[float]]] = [
        ("fmax", [nan, 1.0, nan, 2.0], [1.0, nan, nan, 2.0]),
        ("fmin", [nan, 1.0, nan, 2.0], [1.0, nan, nan, 2.0]),
        ("hypot", [0.0, 3.0, 1e30], [0.0, 4.0, 1e30]),
        ("atan2", [0.0, 3.0, 0.0], [0.0, 4.0, -1.0]),
        ("copysign", [0.0, -0.0, 1.0, -2.0], [-1.0, 1.0, -0.0, 0.0]),
        ("fmod", [5.0, -5.0, 5.0], [3.0, 3.0, inf]),
        ("remainder", [5.0, -5.0, 5.0, -5.0], [3.0, 3.0, inf, inf]),
        ("xlogy", [0.0, 0.0, 1.0, 0.0, 2.0], [0.0, -1.0, 0.0, inf, 2.0]),
        ("logaddexp", [inf, inf, 1e30, -inf, -inf], [inf, 1.0, 1.0, 2.0, -inf]),
        ("logaddexp2", [inf, inf, 1e30, -inf, -inf], [inf, 1.0, 1.0, 2.0, -inf]),
        ("clamp_min", [1.0, 2.0, nan], [1.0, 3.0, 1.0]),
        ("clamp_max", [1.0, 2.0, nan], [1.0, 1.0, 1.0]),
        ("logical_xor", [nan, 0.0], [1.0, 0.0]),
        ("isclose", [inf, nan, 1.0, inf], [inf, nan, 1.000001, 1.0]),
    ]
    for name, a, b in two:
        x, y = np.array(a, dtype), np.array(b, dtype)
        agree(torch, lambda lib, x, y, n=name: getattr(lib, n)(x, y), x, y)
    agree(torch, lambda lib, x: lib.isclose(x, x, equal_nan=True), np.array([nan, 1.0], dtype))
    edge = np.array([-1.0, 0.0, 2.0, nan], dtype)
    agree(torch, lambda lib, x: lib.heaviside(x.detach(), x.detach() * 0 + 0.5), edge)


@both_dtypes
def test_far_out(torch, dtype):
    """What does not overflow there does not here; and some that does there."""
    big = np.array([1e18, -1e18, 1e-18, -1e-18, 3e4], dtype)
    for name in ("asinh", "atan", "exp2", "expm1", "sinh", "cosh", "erfc", "rsqrt", "log1p"):
        agree(torch, lambda lib, x, n=name: getattr(lib, n)(x).detach(), big)
    x = Tensor(np.array([1e30], np.float32), requires_grad=True)
    for function in (autograd.asinh, autograd.acosh):
        (g,) = autograd.grad(function(x).sum(), x)
        np.testing.assert_allclose(g.numpy(), [1e-30], rtol=1e-6)


ACTIVATIONS: dict[str, list[tuple[Any, ...]]] = {
    "leaky_relu": [(), (0.3,), (-0.5,)], "elu": [(), (0.5,)], "selu": [()], "celu": [(), (2.0,)],
    "hardtanh": [(), (-2.0, 0.5)], "hardsigmoid": [()], "hardswish": [()], "mish": [()],
    "softsign": [()], "softshrink": [(), (1.0,), (0.0,)], "hardshrink": [(), (1.0,)],
    "tanhshrink": [()], "logsigmoid": [()], "relu6": [()], "threshold": [(0.5, -3.0)],
    "rrelu": [(), (0.1, 0.7)],
}  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(torch, name, dtype):
    theirs = getattr(torch.nn.functional, name)
    kinks = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 3, -3, 6, 2, -2, 40, -40, 1e10, -1e10], dtype)
    x = drawn(4, 5, dtype=dtype, low=-5, high=8)
    if name == "hardsigmoid" and dtype == np.float64:
        kinks, x = kinks.astype(np.float32), x.astype(np.float32)  # PyTorch's 1 / 6 is a float32
    for args in ACTIVATIONS[name]:
        for points in (kinks, x, x[0, 0], x[:0]):
            agree(
                torch,
                lambda lib, x, a=args: (
                    getattr(nn.functional, name) if lib is autograd else theirs
                )(x, *a),
                np.asarray(points),
            )
    for module in (autograd, Tensor):
        if hasattr(module, name):
            assert hasattr(torch if module is autograd else torch.Tensor, name)


@both_dtypes
def test_prelu_and_glu(torch, dtype):
    functional = torch.nn.functional

    def ours(lib):
        return nn.functional if lib is autograd else functional

    x = drawn(2, 4, 3, 6, dtype=dtype)
    x[0, 0, 0, 0] = 0.0
    agree(torch, lambda lib, x, w: ours(lib).prelu(x, w), x, drawn(1, dtype=dtype, seed=1))
    agree(torch, lambda lib, x, w: lib.prelu(x, w), x, drawn(4, dtype=dtype, seed=1))
    agree(torch, lambda lib, x, w: x.prelu(w), x[0], drawn(3, dtype=dtype, seed=1))
    agree(torch, lambda lib, x, w: lib.prelu(x, w), x[0, 0, 0], drawn(1, dtype=dtype, seed=1))
    for dim in (-1, 0, 1):
        agree(torch, lambda lib, x, d=dim: ours(lib).glu(x, d), x)
    agree(torch, lambda lib, x: ours(lib).glu(x), x)


def test_rrelu_draws_its_slopes():
    x = Tensor(-np.ones((100, 100), np.float32), requires_grad=True)
    y = nn.functional.rrelu(x, 0.2, 0.6, training=True, generator=autograd.Generator(0))
    slopes = -y.detach().numpy()
    assert 0.2 <= slopes.min() < 0.21
    assert 0.59 < slopes.max() <= 0.6
    assert abs(slopes.mean() - 0.4) < 0.01
    (g,) = autograd.grad(y.sum(), x)
    np.testing.assert_array_equal(g.numpy(), slopes)


# --- In place -------------------------------------------------------------------------------------

CHANGED_BY = {
    "atan2": 1, "copysign": 1, "floor_divide": 1, "fmod": 1, "hypot": 1, "remainder": 1, "xlogy": 1,
    "heaviside": 1, "logical_and": 1, "logical_or": 1, "logical_xor": 1, "add": 1, "sub": 1,
    "mul": 1, "div": 1, "pow": 1, "eq": 1, "ne": 1, "lt": 1, "le": 1, "gt": 1, "ge": 1,
    "clamp_min": 1, "clamp_max": 1, "clamp": 2, "clip": 2, "lerp": 2, "addcmul": 2, "addcdiv": 2,
    "arctan2": 1, "true_divide": 1, "divide": 1, "multiply": 1, "subtract": 1, "greater": 1,
    "greater_equal": 1, "less": 1, "less_equal": 1, "not_equal": 1,
}  # fmt: skip
NOT_CHANGED_BY = ("positive", "isfinite", "isinf", "isnan")
SINGLE = (
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tanh",
    "erf",
    "sigmoid",
    "relu",
    "abs",
    "neg",
    "sign",
)


@pytest.mark.parametrize("name", [*(n for n in UNARY if n not in NOT_CHANGED_BY), *SINGLE])
def test_in_place_of_one(torch, name):
    low, high = UNARY.get(name, (0.2, 3))
    x = drawn(2, 3, low=low, high=high)
    # PyTorch lets the gradient pass a logical op in place, and has none of the other two kinds.
    constant = name == "logical_not" or name.endswith(("sinh", "cosh", "atanh", "arctanh"))
    constant = constant and name not in ("sinh", "cosh")

    def change(lib, x):
        y = x.detach().clone() if constant else x * 1.0
        assert getattr(y, f"{name}_")() is y
        return y

    agree(torch, change, x)


@pytest.mark.parametrize("name", CHANGED_BY)
def test_in_place_of_more(torch, name):
    x, *others = (drawn(2, 3, low=0.2, high=3, seed=s) for s in range(3))
    constant = name in ("floor_divide", "heaviside") or name.startswith("logical")

    def change(lib, x, *others):
        y = x.detach().clone() if constant else x * 1.0
        assert getattr(y, f"{name}_")(*(o.detach() for o in others)) is y
        return y

    agree(torch, change, x, *others[: CHANGED_BY[name]])


def test_operators_in_place(torch):
    x = drawn(2, 3, low=0.5)

    def change(lib, x):
        y = x * 1.0
        y += 2
        y *= x
        y -= 0.5
        y /= 3
        y **= 2
        y %= 0.7
        return y

    agree(torch, change, x)

    def count(lib, x):
        x //= 3
        x %= 5
        x &= 6
        x |= 1
        x ^= 3
        return x

    agree(torch, count, np.arange(-10, 20))

    def powers(lib, x):
        return (x * 1.0).float_power_(2)

    agree(torch, powers, x)


# --- Dtypes ---------------------------------------------------------------------------------------

KINDS = [np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, np.bool_]


def outcome(make: Any, function: Any, *values: Any) -> str | None:
    """The dtype of the result, or None if the arguments are refused."""
    values = tuple(make(v) if isinstance(v, np.ndarray) else v for v in values)
    try:
        return str(function(*values).dtype).removeprefix("torch.")
    except (TypeError, RuntimeError, NotImplementedError):
        return None


@pytest.mark.parametrize("name", UNARY)
def test_dtypes_of_one(torch, name):
    for kind in KINDS:
        x = np.ones(2, kind)
        wanted = outcome(torch.tensor, getattr(torch, name), x)
        found = outcome(Tensor, getattr(autograd, name), x)
        if name in ("negative", "absolute") and kind == np.bool_:
            continue  # NumPy's own refusal, or a bool
        assert found == wanted, kind


@pytest.mark.parametrize("name", [*BINARY, "floor_divide", "add", "sub", "div", "maximum"])
def test_dtypes_of_two(torch, name):
    operands = [np.ones(s, k) for k in KINDS for s in ((2,), ())]
    numbers: list[Any] = [2, 2.5] if name in ("fmod", "remainder", "xlogy", "floor_divide") else []
    for a, b in [*itertools.product(operands, operands), *itertools.product(operands, numbers)]:
        wanted = outcome(torch.tensor, getattr(torch, name), a, b)
        found = outcome(Tensor, getattr(autograd, name), a, b)
        kinds = {np.asarray(v).dtype.kind for v in (a, b)}
        if wanted is None and (name in ("hypot", "logaddexp", "logaddexp2", "isclose")):
            continue  # integers compute as floats here
        if name in ("sub", "subtract") and "b" in kinds:
            continue  # NumPy refuses two of them, PyTorch one
        assert found == wanted, (a, b)


def test_whole_numbers(torch):
    """Exact where a float would not be, and with the signs of Python."""
    a = np.array([7, -7, 2**53 + 1, -(2**53) - 1, 0])
    b = np.array([2, 2, -3, 3, -5])
    for func in (
        lambda lib, a, b: a // b, lambda lib, a, b: a % b, lambda lib, a, b: lib.fmod(a, b),
        lambda lib, a, b: lib.div(a, b, rounding_mode="trunc"), lambda lib, a, b: a // 2,
        lambda lib, a, b: lib.div(a, b, rounding_mode="floor"), lambda lib, a, b: 100 % b,
        lambda lib, a, b: lib.floor(a) + lib.round(b) + lib.trunc(a) + lib.ceil(b),
        lambda lib, a, b: lib.addcmul(a, a, b, value=3), lambda lib, a, b: lib.add(a, b, alpha=2),
        lambda lib, a, b: a & b, lambda lib, a, b: a | b, lambda lib, a, b: a ^ b,
        lambda lib, a, b: ~a, lambda lib, a, b: 6 & a, lambda lib, a, b: lib.bitwise_xor(a, 3),
        lambda lib, a, b: lib.bitwise_and(a, b) + lib.bitwise_or(a, b) + lib.bitwise_not(a),
        lambda lib, a, b: lib.isclose(a, b), lambda lib, a, b: lib.isclose(a, a),
        lambda lib, a, b: ~(a > b) & (a > 0) | (b > 0) ^ True,
    ):  # fmt: skip
        agree(torch, func, a, b)


def test_divmod():
    x = Tensor(np.array([7.0, -7.0], np.float32), requires_grad=True)
    for whole, rest in (divmod(x, 2), (x // 2, x % 2)):
        np.testing.assert_array_equal(whole.detach().numpy(), [3.0, -4.0])
        np.testing.assert_array_equal(rest.detach().numpy(), [1.0, 1.0])
    whole, rest = divmod(9, x)
    np.testing.assert_array_equal(rest.detach().numpy(), [2.0, -5.0])
    assert divmod(autograd.Scalar(7.5), 2)[1].value == 1.5


def test_equality(torch):
    x, y = drawn(2, 3), drawn(2, 3) + 1e-9
    for a, b in [(x, y), (x, x), (x, x[0]), (x[:, :0], x[:, :0]), (x, x + 1), (x > 0, x > 0)]:
        ours, theirs = (Tensor(a), Tensor(b)), (torch.tensor(a), torch.tensor(b))
        assert autograd.equal(*ours) is torch.equal(*theirs)
        assert ours[0].equal(ours[1]) is torch.equal(*theirs)
        if a.dtype == b.dtype:
            assert autograd.allclose(*ours) is torch.allclose(*theirs)
            assert ours[0].allclose(ours[1], 0, 1e-12) is torch.allclose(*theirs, 0, 1e-12)


# --- Refusals -------------------------------------------------------------------------------------

ONES, WHOLE = np.ones((2, 3), np.float32), np.ones((2, 3), np.int64)
BAD = {
    "alpha": lambda lib, F, t: lib.add(t(WHOLE), 1, alpha=0.5),
    "rounding mode": lambda lib, F, t: lib.div(t(ONES), 2, rounding_mode="up"),
    "zero divisor": lambda lib, F, t: t(WHOLE) // 0,
    "zero remainder": lambda lib, F, t: t(WHOLE) % t(WHOLE * 0),
    "zero fmod": lambda lib, F, t: lib.fmod(t(WHOLE), 0),
    "bits of floats": lambda lib, F, t: ~t(ONES),
    "and of floats": lambda lib, F, t: t(ONES) & t(WHOLE),
    "floor of bools": lambda lib, F, t: lib.floor(t(ONES > 0)),
    "round of bools": lambda lib, F, t: lib.round(t(ONES > 0)),
    "remainder of bools": lambda lib, F, t: t(ONES > 0) % t(ONES > 0),
    "frac of ints": lambda lib, F, t: lib.frac(t(WHOLE)),
    "decimals of ints": lambda lib, F, t: lib.round(t(WHOLE), decimals=1),
    "positive of bools": lambda lib, F, t: lib.positive(t(ONES > 0)),
    "lerp dtypes": lambda lib, F, t: lib.lerp(t(ONES), t(ONES.astype(np.float64)), 0.5),
    "lerp of ints": lambda lib, F, t: lib.lerp(t(WHOLE), t(WHOLE), 0.5),
    "addcdiv of ints": lambda lib, F, t: lib.addcdiv(t(WHOLE), t(WHOLE), t(WHOLE)),
    "heaviside dtypes": lambda lib, F, t: lib.heaviside(t(ONES), t(WHOLE)),
    "isclose dtypes": lambda lib, F, t: lib.isclose(t(ONES), t(WHOLE)),
    "isclose rtol": lambda lib, F, t: lib.isclose(t(ONES), t(ONES), rtol=-1.0),
    "shapes": lambda lib, F, t: lib.atan2(t(ONES), t(np.ones((2, 2), np.float32))),
    "shapes of three": lambda lib, F, t: lib.lerp(t(ONES), t(ONES), t(np.ones(2, np.float32))),
    "in place shape": lambda lib, F, t: t(np.ones(3, np.float32)).atan2_(t(ONES)),
    "in place dtype": lambda lib, F, t: t(WHOLE).true_divide_(2),
    "in place power": lambda lib, F, t: t(ONES).float_power_(2),
    "in place of a leaf": lambda lib, F, t: t(ONES).requires_grad_().lt_(1.0),
    "celu alpha": lambda lib, F, t: F.celu(t(ONES), 0.0),
    "hardtanh range": lambda lib, F, t: F.hardtanh(t(ONES), 1.0, -1.0),
    "softshrink range": lambda lib, F, t: F.softshrink(t(ONES), -1.0),
    "prelu channels": lambda lib, F, t: F.prelu(t(ONES), t(np.ones(2, np.float32))),
    "prelu weight": lambda lib, F, t: F.prelu(t(ONES), t(np.ones((1, 3), np.float32))),
    "rrelu range": lambda lib, F, t: F.rrelu(t(ONES), 0.5, 0.1, training=True),
    "glu odd": lambda lib, F, t: F.glu(t(ONES)),
    "glu range": lambda lib, F, t: F.glu(t(ONES), 2),
    "text": lambda lib, F, t: lib.tan("1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(torch, name):
    kinds = (RuntimeError, ValueError, IndexError, TypeError)
    with pytest.raises((*kinds, NotImplementedError)):
        BAD[name](torch, torch.nn.functional, torch.tensor)
    with pytest.raises(kinds) as caught:
        BAD[name](autograd, nn.functional, autograd.tensor)
    assert type(caught.value) in kinds
    assert len(str(caught.value)) > 20
