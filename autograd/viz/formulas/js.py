"""Formulas as JavaScript, and as numbers: the two ways to compute one, which agree."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

from .vocabulary import FUNCTIONS, divide, power

SIGNS = {
    ast.Eq: "===",
    ast.NotEq: "!==",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
NUMBERS = {"pi": math.pi, "inf": math.inf}

# Names that Python allows and JavaScript keeps for itself, and those that the text itself uses.
RESERVED = frozenset(
    """
    arguments await break case catch class const continue debugger default delete do else enum eval
    export extends false finally fn for function if implements import in instanceof interface
    Infinity let Math NaN new null Number package private protected public return static super
    switch this throw true try typeof undefined var void while with yield
    """.split()  # noqa: SIM905 - a column of fifty words would be no easier to read
)


def js_name(name: str) -> str:
    """The variable that stands for `name` in JavaScript: itself, but for reserved words.

    Examples
    --------
    >>> js_name("x"), js_name("var")
    ('x', 'var_')
    """
    return name + "_" if name in RESERVED else name


def refused(node: ast.expr) -> ValueError:
    """Say that `node` has no number of its own."""
    return ValueError(
        f"{ast.unparse(node)} is only shown, not computed: it is about whole arrays, or its op has "
        "no formula"
    )


def javascript(node: ast.expr) -> str:
    """The value of `node` as a JavaScript expression."""
    match node:
        case ast.Constant(value=float() | int() as number):
            return _js_number(number)
        case ast.Name():
            return _js_number(NUMBERS[node.id]) if node.id in NUMBERS else js_name(node.id)
        case ast.UnaryOp(op=ast.USub()):
            return f"(-{javascript(node.operand)})"
        case ast.BinOp(op=ast.Pow()):
            return f"fn.pow({javascript(node.left)}, {javascript(node.right)})"
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            sign = ARITHMETIC[type(node.op)]
            return f"({javascript(node.left)} {sign} {javascript(node.right)})"
        case ast.IfExp():
            test, yes, no = _js_test(node.test), javascript(node.body), javascript(node.orelse)
            return f"({test} ? {yes} : {no})"
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return f"({_js_test(node)} ? 1 : 0)"
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS and FUNCTIONS[name].js:
            return f"{FUNCTIONS[name].js}({', '.join(javascript(a) for a in node.args)})"
    raise refused(node)


def _js_test(node: ast.expr) -> str:
    match node:
        case ast.Compare():
            operands = [javascript(v) for v in (node.left, *node.comparators)]
            signs = [SIGNS[type(op)] for op in node.ops]
            parts = [
                f"{a} {sign} {b}" for a, sign, b in zip(operands, signs, operands[1:], strict=False)
            ]
            return f"({' && '.join(parts)})"
        case ast.BoolOp():
            sign = " && " if isinstance(node.op, ast.And) else " || "
            return f"({sign.join(_js_test(v) for v in node.values)})"
        case ast.UnaryOp(op=ast.Not()):
            return f"(!{_js_test(node.operand)})"
    # As in Python NaN is true, and true and false may come as what they are.
    return f"(Number({javascript(node)}) !== 0)"


def _js_number(value: float) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "(-Infinity)"
    text = repr(value)
    return f"({text})" if text.startswith("-") else text


def computed(node: ast.expr, values: Mapping[str, float]) -> float:
    """The value of `node`, by IEEE arithmetic."""
    match node:
        case ast.Constant(value=float() | int() as number):
            return float(number)
        case ast.Name():
            if node.id in values:
                return float(values[node.id])
            if node.id in NUMBERS:
                return NUMBERS[node.id]
            raise ValueError(f"the formula needs a value of {node.id!r}; given: {list(values)}")
        case ast.UnaryOp(op=ast.USub()):
            return -computed(node.operand, values)
        case ast.BinOp():
            return _arithmetic(node, computed(node.left, values), computed(node.right, values))
        case ast.IfExp():
            return computed(node.body if holds(node.test, values) else node.orelse, values)
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return float(holds(node, values))
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            compute = FUNCTIONS[name].compute
            if compute is not None and len(node.args) <= 2:
                return compute(*(computed(a, values) for a in node.args))
    raise refused(node)


def _arithmetic(node: ast.BinOp, a: float, b: float) -> float:
    match node.op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return divide(a, b)
        case ast.Pow():
            return power(a, b)
    raise refused(node)


def holds(node: ast.expr, values: Mapping[str, float]) -> bool:
    """Whether a condition is true."""
    match node:
        case ast.Compare():
            operands = [computed(v, values) for v in (node.left, *node.comparators)]
            pairs = zip(node.ops, operands, operands[1:], strict=False)
            return all(_compared(op, a, b) for op, a, b in pairs)
        case ast.BoolOp():
            parts = (holds(v, values) for v in node.values)
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        case ast.UnaryOp(op=ast.Not()):
            return not holds(node.operand, values)
    return computed(node, values) != 0.0


def _compared(op: ast.cmpop, a: float, b: float) -> bool:
    match op:
        case ast.Eq():
            return a == b
        case ast.NotEq():
            return a != b
        case ast.Lt():
            return a < b
        case ast.LtE():
            return a <= b
        case ast.Gt():
            return a > b
    return a >= b
