"""Formulas: each against the engine's own forward and rules, and in every form it is shown in."""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import math
import pkgutil
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Scalar, Tensor, ops
from autograd.families import elementwise, structured
from autograd.graph import OPS, Op
from autograd.viz.formulas.formulas import Expr, Formula, formula
from autograd.viz.formulas.js import js_name
from autograd.viz.formulas.names import latex_name

for found in pkgutil.iter_modules(ops.__path__, f"{ops.__name__}."):
    importlib.import_module(found.name)  # ops that only layers use are in the table too
TABLE = {n: op for n, op in OPS.items() if op.function.__module__.startswith("autograd.")}
ELEMENTWISE = {n: op for n, op in TABLE.items() if op.family == "elementwise"}

# Where formulas change from one case to another; the rest is drawn from the op's domain.
EDGES: dict[str, list[tuple[float, ...]]] = {
    "relu": [(0.0,), (-0.0,)],
    "relu_backward": [(1.5, 0.0), (-2.0, 0.0)],
    "abs": [(0.0,)],
    "sign": [(0.0,), (-0.0,)],
    "maximum": [(1.0, 1.0), (0.0, -0.0), (-2.0, -2.0)],
    "minimum": [(1.0, 1.0), (0.0, -0.0), (-2.0, -2.0)],
    "clamp": [
        (-1.0, -1.0, 1.0),
        (1.0, -1.0, 1.0),
        (3.0, 2.0, 1.0),
        (0.0, 2.0, 1.0),
        (1.5, 2.0, 1.0),
    ],
    "where": [(0.0, 1.0, 2.0), (1.0, 1.0, 2.0)],
    "pow": [(0.0, 2.0), (0.0, 1.0), (0.0, 0.0), (-2.0, 3.0), (-2.0, 2.0), (1.0, 0.0), (3.0, -2.0)],
    "sqrt": [(0.0,)],
    "log": [(1.0,)],
    "sigmoid": [(0.0,), (700.0,), (-700.0,)],
    "tanh": [(0.0,), (30.0,), (-30.0,)],
    "softplus": [(0.0,), (500.0,), (-500.0,)],
    "exp": [(0.0,), (-800.0,)],
    "erf": [(0.0,), (8.0,)],
    "gelu": [(0.0,), (-9.0,), (9.0,)],
    "tanh_gelu": [(0.0,), (-6.0,), (6.0,)],
    "floor": [(0.0,), (-0.0,), (2.0,), (-0.5,)],
    "ceil": [(0.0,), (-0.0,), (2.0,), (-0.5,)],
    "trunc": [(0.0,), (-0.0,), (2.0,), (-0.5,)],
    "round": [(0.5,), (-0.5,), (1.5,), (2.5,), (-2.5,)],
    "copysign": [(1.0, -0.0), (2.0, 0.0), (0.0, -1.0)],
    "heaviside": [(0.0, 0.5)],
    "isclose": [(1.0, 1.0), (1.0, 1.000001), (math.inf, math.inf), (math.nan, math.nan)],
    "nan_to_num": [(math.nan,), (math.inf,), (-math.inf,)],
    "isnan": [(math.nan,), (math.inf,)],
    "isinf": [(math.nan,), (-math.inf,)],
    "isfinite": [(math.nan,), (-math.inf,)],
    "logical_and": [(0.0, 1.0), (0.0, 0.0), (2.0, math.nan)],
    "logical_or": [(0.0, 1.0), (0.0, 0.0), (0.0, math.nan)],
    "logical_xor": [(0.0, 1.0), (0.0, 0.0), (2.0, math.nan)],
    "logical_not": [(0.0,), (math.nan,)],
    "fmax": [(1.0, 1.0), (math.nan, 1.0), (1.0, math.nan)],
    "fmin": [(1.0, 1.0), (math.nan, 1.0), (1.0, math.nan)],
    "xlogy": [(0.0, 2.0)],
    "sinc": [(0.0,)],
    "hardtanh": [(-1.0,), (1.0,)],
    "hardsigmoid": [(-3.0,), (3.0,)],
    "hardswish": [(-3.0,), (3.0,)],
    "softshrink": [(-0.5,), (0.5,)],
    "hardshrink": [(-0.5,), (0.5,)],
    "leaky_relu": [(0.0,)],
    "prelu": [(0.0, 0.5)],
    "threshold": [(0.0,)],
    "elu": [(0.0,), (-50.0,)],
    "erfinv": [(0.9999999,), (-0.9999,)],
    "erfc": [(20.0,), (-20.0,)],
    "eq": [(1.0, 1.0)],
    "ne": [(1.0, 1.0)],
    "le": [(1.0, 1.0)],
    "ge": [(1.0, 1.0)],
    "lt": [(1.0, 1.0)],
    "gt": [(1.0, 1.0)],
}
METADATA: dict[str, list[dict[str, float]]] = {
    "softplus": [
        {"beta": 1.0, "threshold": math.inf},
        {"beta": 0.5, "threshold": 5.0},
        {"beta": 2.0, "threshold": 20.0},
    ],
}
METADATA["round"] = [{"decimals": 0}, {"decimals": 2}]
METADATA["elu"] = [
    {"alpha": 1.0, "scale": 1.0, "input_scale": 1.0},
    {"alpha": 1.7, "scale": 1.1, "input_scale": 0.5},
]
METADATA["softplus_backward"] = METADATA["softplus"]


def metadata(op: Op) -> list[dict[str, Any]]:
    """Metadata to try an op with: what stands above, else its defaults."""
    parameters = inspect.signature(op.forward).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.name not in op.inputs}
    return METADATA.get(op.name, [defaults])


def points(op: Op) -> list[tuple[float, ...]]:
    domain = op.domain if isinstance(op.domain[0], tuple) else [op.domain] * len(op.inputs)
    rng = np.random.default_rng(0)
    drawn = [tuple(float(rng.uniform(*interval)) for interval in domain) for _ in range(40)]
    if op.name == "where":
        drawn = [(float(c > 0.0), a, b) for c, a, b in drawn]
    return drawn + EDGES.get(op.name, [])


def slopes_of(op: Op, point: tuple[float, ...], params: dict[str, Any]) -> list[float | None]:
    """The engine's own rules, at a point, on 0-d float64 arrays."""
    arrays = [np.asarray(v)[()] for v in point]
    y, one = op.forward(*arrays, **params), np.float64(1.0)
    return [None if r is None else float(r(one, y, *arrays, **params)) for r in op.rules]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_each_elementwise_formula_is_what_the_engine_computes(name: str) -> None:
    op = ELEMENTWISE[name]
    assert op.formula, f"{name} needs a formula: what people read of it"
    found = formula(op)
    assert found.local
    assert [s is None for s in found.slopes] == [r is None for r in op.rules]
    for params, point in itertools.product(metadata(op), points(op)):
        values = dict(zip(op.inputs, point, strict=True)) | params
        with np.errstate(all="ignore"):
            y = float(op.forward(*(np.asarray(v)[()] for v in point), **params))
            slopes = slopes_of(op, point, params)
        assert found.value.evaluate(values) == pytest.approx(y, rel=1e-12, abs=1e-300), values
        values["y"] = y
        for slope, expected in zip(found.slopes, slopes, strict=True):
            if slope is not None:
                assert slope.evaluate(values) == pytest.approx(
                    expected, rel=1e-11, abs=1e-13, nan_ok=True
                ), (
                    slope,
                    values,
                )
        # What was decided by the values has the same value, and so has what was simplified.
        known = formula(op, params)
        assert known.value.chosen(values).evaluate(values) == found.value.evaluate(values)


def test_every_formula_is_of_the_names_that_its_op_has() -> None:
    extra = {"g", "y", "n", "ties"}
    for op in TABLE.values():
        assert op.formula, f"{op.name} has no formula"
        parameters = set(inspect.signature(op.forward).parameters)
        found = formula(op)
        assert set(found.value.names) <= parameters | {"n"}, op
        for slope in found.slopes:
            if slope is not None:
                assert set(slope.names) <= parameters | extra, op
                assert found.local or "g" in slope.names, op
        if op.joint is None:
            assert [s is None for s in found.slopes] == [r is None for r in op.rules], op
        for expression in (found.value, *found.slopes):
            if expression is not None:
                assert expression.unicode()
                assert expression.latex().count("{") == expression.latex().count("}")
                expression.legend()
                expression.legend(latex=True)


def test_an_operand_that_is_not_there_is_not_shown() -> None:
    attention = {"scale": 0.5, "causal": False, "mask": None}
    found = formula(OPS["attention"], attention)
    assert found.value.unicode() == "softmax(0.5·q·kᵀ)·v"
    causal = formula(OPS["attention"], {"scale": 0.5, "causal": True})
    assert causal.value.unicode() == "softmax(past(0.5·q·kᵀ + mask))·v"
    found = formula(OPS["lstm_layer"], {"projection": None})
    assert found.value.unicode() == "steps(lstm(inputs + hidden·weightᵀ, cell))"


# --- JavaScript -----------------------------------------------------------------------------------

FUNCTIONS_JS = Path(autograd.__file__).parent / "viz" / "assets" / "functions.js"
NODE = shutil.which("node")


def in_javascript(calls: list[tuple[str, dict[str, float]]]) -> list[float]:
    """The values of expressions, each with its variables, by Node."""
    lines = [FUNCTIONS_JS.read_text(encoding="utf-8"), "const found = [];"]
    for text, values in calls:
        named = ", ".join(js_name(n) for n in values)
        given = json.dumps([float(v) for v in values.values()])
        lines.append(f"found.push((({named}) => {text})(...{given}));")
    lines.append("console.log(found.map((v) => String(v)).join(' '));")
    run = subprocess.run(
        [str(NODE), "-"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [float(word.replace("Infinity", "inf")) for word in run.stdout.split()]


@pytest.mark.skipif(NODE is None, reason="needs Node to run JavaScript")
def test_javascript_computes_what_python_does() -> None:
    calls, expected = [], []
    for op in ELEMENTWISE.values():
        found = formula(op)
        for params, point in itertools.product(metadata(op), points(op)):
            values = dict(zip(op.inputs, point, strict=True)) | params
            values["y"] = found.value.evaluate(values)
            for expression in (found.value, *found.slopes):
                if expression is not None:
                    calls.append((expression.js(), values))
                    expected.append(expression.evaluate(values))
    np.testing.assert_allclose(in_javascript(calls), expected, rtol=4e-15, atol=1e-300)


@pytest.mark.skipif(NODE is None, reason="needs Node to run JavaScript")
def test_javascript_at_the_ends_of_the_numbers() -> None:
    texts = ["erf(x)", "Phi(x)", "phi(x)", "sigmoid(x)", "log1pexp(x)", "tanh_Phi(x)", "exp(x)"]
    texts += ["tanh_phi(x)", "log(x)", "sqrt(x)", "1 / x", "x ** -1", "x ** 0.5", "x ** 3"]
    texts += ["2 ** x", "1 ** x", "x ** 0", "log1p(x)", "abs(x)", "sign(x)", "max(x, 0)"]
    texts += ["0 if not x > 0 else x", "x == x", "-1 < x <= 5"]
    near = [0.49, 0.5, 1.49, 1.5, 5.0, 26.5, 1e-8, 1e-300, 3.0, 8.25]
    numbers = [*near, *(-v for v in near), 0.0, 1e300, -1e300, math.inf, -math.inf, math.nan]
    cases = [(Expr(text), {"x": x}) for text in texts for x in numbers]
    found = in_javascript([(e.js(), v) for e, v in cases])
    for (expression, values), value in zip(cases, found, strict=True):
        expected = expression.evaluate(values)
        assert value == pytest.approx(expected, rel=4e-15, abs=1e-300, nan_ok=True), (
            expression,
            values,
        )


# --- Text -----------------------------------------------------------------------------------------

SHOWN = [
    ("w * x + b", "w·x + b", r"w \cdot x + b"),
    ("a - (b - c)", "a - (b - c)", r"a - \left(b - c\right)"),
    ("a - b - c", "a - b - c", "a - b - c"),
    ("a * (b * c)", "a·b·c", r"a \cdot b \cdot c"),
    ("a / (b / c)", "a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
    ("(a + b) / 2", "(a + b)/2", r"\frac{a + b}{2}"),
    ("-a / b ** 2", "-a/b²", r"-\frac{a}{b^{2}}"),
    ("(-a) ** 2", "(-a)²", r"\left(-a\right)^{2}"),
    ("-(a ** 2)", "-a²", "-a^{2}"),
    ("a ** b ** c", "a^(b^c)", "a^{b^{c}}"),
    ("(a ** b) ** c", "(a^b)^c", r"\left(a^{b}\right)^{c}"),
    ("x ** -1", "x⁻¹", "x^{-1}"),
    ("x ** 0.5", "x^0.5", "x^{0.5}"),
    ("sqrt(x)", "√x", r"\sqrt{x}"),
    ("sqrt(x + 1) ** 3", "(√(x + 1))³", r"\sqrt{x + 1}^{3}"),
    ("abs(x - 1)", "|x - 1|", r"\left|x - 1\right|"),
    ("exp(-x ** 2)", "exp(-x²)", "e^{-x^{2}}"),
    ("exp(x) ** 2", "exp(x)²", r"\left(e^{x}\right)^{2}"),
    ("sigmoid(x)", "σ(x)", r"\sigma\left(x\right)"),
    ("log1p(x)", "log(1 + x)", r"\log\left(1 + x\right)"),
    ("erf(x)", "erf(x)", r"\operatorname{erf}\left(x\right)"),
    ("1 if x > 0 else 0", "1 if x > 0, else 0", None),
    ("2 * (1 if x > 0 else 0)", "2·(1 if x > 0, else 0)", None),
    ("1 if a <= x <= b and not c else 0", "1 if a ≤ x ≤ b and not c, else 0", None),
    ("0.044715 * x", "0.044715·x", r"0.044715 \cdot x"),
    ("T(a) @ g", "aᵀ·g", r"a^{\top} \, g"),
    ("x @ (a @ b)", "x·(a·b)", None),
]


@pytest.mark.parametrize(("source", "text", "latex"), SHOWN)
def test_brackets_stand_where_they_are_needed(source: str, text: str, latex: str | None) -> None:
    assert Expr(source).unicode() == text
    if latex is not None:
        assert Expr(source).latex() == latex


def test_numbers_in_the_places_of_names() -> None:
    line = Expr("w * x + b")
    assert line.unicode({"w": 0.5, "x": 2.0, "b": 1.0}) == "0.5·2 + 1"
    assert line.unicode({"w": -0.5, "x": -2.0, "b": -1.0}) == "-0.5·(-2) + (-1)"
    assert line.latex({"w": -0.5, "x": -2.0, "b": 1e-7}) == (
        r"-0.5 \cdot \left(-2\right) + 1 \times 10^{-7}"
    )
    assert Expr("a - b").unicode({"b": -3.0}) == "a - (-3)"
    assert Expr("x ** 2").unicode({"x": -3.0}) == "(-3)²"
    assert Expr("-x").unicode({"x": -3.0}) == "-(-3)"
    assert Expr("1 / x").unicode({"x": -3.0}) == "1/(-3)"
    assert Expr("x ** 2").unicode({"x": 1e-9}) == "(1e-09)²"
    assert Expr("x + 1").unicode({"x": math.inf}) == "∞ + 1"
    assert Expr("x + 1").latex({"x": math.nan}) == r"\mathrm{nan} + 1"
    put = line.substitute({"w": 1 / 3, "x": 2})
    assert put.unicode() == "0.3333·2 + b"
    assert put.evaluate({"b": 1.0}) == 1 / 3 * 2 + 1.0
    assert line.unicode() == "w·x + b"  # the parsed tree is shared, and unharmed


def test_names_of_the_users_are_escaped() -> None:
    assert latex_name("x") == "x"
    assert latex_name("v12") == "v_{12}"
    assert latex_name("α") == r"\alpha"
    assert latex_name("alpha") == r"\alpha"
    assert latex_name("Ω2") == r"\Omega_{2}"
    assert latex_name("W[3, -1]") == "W_{3,-1}"
    assert latex_name("a_b_1") == r"\mathrm{a\_b}_{1}"
    assert latex_name("größe") == r"\mathrm{gr\text{ö}\text{ß}e}"
    assert latex_name(r"\input{x}$%") == r"\mathrm{\backslash{}input\{x\}\$\%}"
    assert Expr("a * b").latex({"a": "loss_total", "b": "h_1"}) == (
        r"\mathrm{loss\_total} \cdot h_{1}"
    )
    assert Expr("hat(x)").unicode({"x": "h1"}) == "normalised(h1)"


def test_a_product_of_arrays_has_its_own_sign() -> None:
    product = formula(autograd.mul.op).value
    assert product.unicode() == "a·b"
    assert product.unicode(arrays=True) == "a ⊙ b"
    assert product.latex(arrays=True) == r"a \odot b"
    assert formula(OPS["matmul"]).slopes[1].unicode({"a": "X", "g": "G"}) == "Xᵀ·G"  # pyright: ignore[reportOptionalMemberAccess]
    assert formula(OPS["mean"]).slopes[0].unicode({"n": 4}) == "expand(g)/4"  # pyright: ignore[reportOptionalMemberAccess]


def test_what_is_known_shortens_a_formula() -> None:
    def told(op: Any, **known: Any) -> list[str]:
        found = formula(op.op, known)
        return [str(e) for e in (found.value, *found.slopes)]

    assert told(autograd.pow, b=2)[:2] == ["a²", "2·a"]
    assert told(autograd.pow, b=0.5)[1] == "0.5·a^(-0.5)"
    assert told(autograd.pow, b=-1)[:2] == ["a⁻¹", "-1·a⁻²"]
    assert told(autograd.softplus, beta=1.0, threshold=math.inf) == ["log(1 + exp(x))", "σ(x)"]
    clamp = OPS["clamp"]
    found = formula(clamp, {"low": 0.0, "high": math.inf})
    assert found.value.unicode() == "max(x, 0)"
    assert [str(s) for s in found.slopes] == ["1 if 0 ≤ x, else 0", "1 if x < 0, else 0", "0"]
    linear = formula(OPS["linear"], {"bias": None})
    assert linear.value.unicode() == "x·weightᵀ"
    norm = formula(OPS["layer_norm"], {"weight": None, "bias": None, "eps": 1e-5})
    assert norm.value.unicode() == "normalised(x)"
    assert norm.slopes[0] is not None
    assert (
        norm.slopes[0].unicode() == "(g - mean(g) - normalised(x) ⊙ mean(g ⊙ normalised(x)))/std(x)"
    )
    assert formula(OPS["narrow"], {"dim": 0, "start": 2, "stop": 5}).value.unicode() == "x[2:5]"
    assert formula(OPS["reshape"], {"shape": (2, 3)}).value.unicode() == "reshape(x)"


def test_a_case_is_chosen_by_values() -> None:
    slope = formula(autograd.maximum.op).slopes[0]
    assert slope is not None
    assert slope.chosen({"a": 1.0, "b": 1.0}).unicode() == "1/2"
    assert slope.chosen({"a": 2.0, "b": 1.0}).unicode() == "1"
    assert slope.chosen({"a": 0.0, "b": 1.0}).unicode() == "0"
    with pytest.raises(ValueError, match="needs a value of 'b'"):
        slope.chosen({"a": 1.0})


def test_bad_input_is_told_apart() -> None:
    with pytest.raises(ValueError, match="needs a value of 'x'"):
        Expr("w * x").evaluate({"w": 1.0})
    with pytest.raises(TypeError, match="x must be a number, not str"):
        Expr("x").substitute({"x": "1"})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="only shown"):
        formula(OPS["matmul"]).value.js()
    with pytest.raises(ValueError, match="only shown"):
        formula(OPS["sum"]).value.evaluate({"x": 1.0})
    with pytest.raises(ValueError, match="must be the result and one for each"):
        elementwise(lambda g, y, x: g, formula=("x",))(lambda x: x)


@pytest.fixture
def plain() -> Any:
    """Ops of a user's, without a formula."""

    @elementwise(lambda g, y, x: g * 2.0)
    def doubled_here(x):
        return x * 2.0

    @structured(lambda g, y, x, target: g, None, infer=lambda x, target: x)
    def strange_here(x, target, /):
        return x

    yield doubled_here, strange_here
    del OPS["doubled_here"], OPS["strange_here"]


def test_an_op_without_a_formula_is_called_by_its_name(plain: Any) -> None:
    doubled, strange = plain
    found = formula(doubled.op)
    assert found == Formula(found.value, found.slopes, local=False)
    assert found.value.unicode({"x": "h_1"}) == "doubled_here(h_1)"
    assert found.slopes[0] is not None
    assert found.slopes[0].unicode({"x": "h_1"}) == "g·∂doubled_here/∂h_1"
    assert found.slopes[0].unicode({"x": 2.0, "g": 1.0}) == "1·∂doubled_here/∂x"
    assert found.slopes[0].latex({"x": "h_1"}) == (
        r"g \cdot \frac{\partial \mathrm{doubled\_here}}{\partial h_{1}}"
    )
    with pytest.raises(ValueError, match="no formula"):
        found.value.js()
    other = formula(strange.op)
    assert other.value.unicode() == "strange_here(x, target)"
    assert other.slopes[1] is None


def test_names_that_javascript_keeps() -> None:
    assert Expr("var + fn").js() == "(var_ + fn_)"
    assert Expr("x if condition else -3").js() == "((Number(condition) !== 0) ? x : (-3))"


@given(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
def test_a_scalar_says_the_same(a: float, b: float) -> None:
    x, y = Scalar(a), Scalar(b)
    z = autograd.sigmoid(x) * autograd.tanh(y)
    z.backward()
    s = formula(autograd.sigmoid.op)
    value = s.value.evaluate({"x": a})
    assert s.slopes[0] is not None
    slope = s.slopes[0].evaluate({"x": a, "y": value}) * math.tanh(b)
    assert isinstance(x.grad, Scalar)
    assert x.grad.item() == pytest.approx(slope, rel=1e-12, abs=1e-300)


def test_broadcast_tensors_have_the_same_formula() -> None:
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x**2
    assert y.node is not None
    assert y.node.op is not None
    assert formula(y.node.op, {"b": 2.0}).value.unicode({"a": "x"}) == "x²"
