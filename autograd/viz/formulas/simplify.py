"""Making a formula shorter by what is known: numbers put in, conditions decided."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import TypeGuard

from .js import computed, holds


def constant(value: float | bool | None, kind: str = "put") -> ast.Constant:
    """A number that was put in, which is shown to fewer digits than the formula's own.

    A factor of kind "operand" is the user's, and stays even if it is 1.
    """
    return ast.Constant(value, kind=kind)


class Decide(ast.NodeTransformer):
    """Puts in the place of each choice the case that holds."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """The case that holds."""
        return self.visit(node.body if holds(node.test, self.values) else node.orelse)


class Simplify(ast.NodeTransformer):
    """Leaves out what changes nothing.

    That is: factors and exponents of 1, bounds at infinity, operands that are not there, conditions
    that are decided. Sums and products of numbers stay as they are, but for those in an exponent.
    """

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Arithmetic with 1, or with nothing."""
        left, right = self.visit(node.left), self.visit(node.right)
        node = ast.BinOp(left, node.op, right)
        if _nothing(left) or _nothing(right):
            return left if _nothing(right) else right
        match node.op:
            case ast.Mult() if _put(left, 1.0) and left.kind == "put":
                return right
            case ast.Mult() | ast.Div() if _put(right, 1.0) and right.kind == "put":
                return left
            case ast.Pow():
                if not isinstance(right, ast.Constant) and not _names(right):
                    node.right = right = constant(computed(right, {}))
                if _put(right, 1.0) and right.kind == "put":
                    return left
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A maximum with what is never larger."""
        assert isinstance(node.func, ast.Name)
        arguments = [self.visit(a) for a in node.args]
        if node.func.id == "T" and _nothing(arguments[0]):
            return arguments[0]
        idle = {"max": -math.inf, "min": math.inf}.get(node.func.id)
        if idle is not None:
            kept = [a for a in arguments if not _put(a, idle)]
            if len(arguments) == 2 and len(kept) == 1:
                return kept[0]
        return ast.Call(node.func, arguments, [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice that is no choice."""
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            return self.visit(node.body if test.value else node.orelse)
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A chain of comparisons without those that are true of every number."""
        operands = [self.visit(v) for v in (node.left, *node.comparators)]
        ops = list(node.ops)
        known = [_decided(op, a, b) for op, a, b in zip(ops, operands, operands[1:], strict=False)]
        if False in known:
            return ast.Constant(False)
        while known and known[0]:
            del known[0], ops[0], operands[0]
        while known and known[-1]:
            del known[-1], ops[-1], operands[-1]
        return ast.Compare(operands[0], ops, operands[1:]) if ops else ast.Constant(True)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Conditions without those that are decided."""
        decisive = isinstance(node.op, ast.Or)
        rest = []
        for part in map(self.visit, node.values):
            if not isinstance(part, ast.Constant):
                rest.append(part)
            elif bool(part.value) is decisive:
                return ast.Constant(decisive)
        if not rest:
            return ast.Constant(not decisive)
        return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _put(node: ast.expr, value: float) -> TypeGuard[ast.Constant]:
    """Whether `node` is this number, put in: one of the formula itself is there to be seen."""
    return isinstance(node, ast.Constant) and node.kind is not None and node.value == value


def _nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _names(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) for n in ast.walk(node))


def _decided(op: ast.cmpop, a: ast.expr, b: ast.expr) -> bool | None:
    """What a comparison comes to, if it is one of numbers, or with infinity."""
    if not _names(a) and not _names(b):
        return holds(ast.Compare(a, [op], [b]), {})
    least = (_put(a, -math.inf) and isinstance(op, ast.Lt | ast.LtE)) or (
        _put(b, -math.inf) and isinstance(op, ast.Gt | ast.GtE)
    )
    most = (_put(b, math.inf) and isinstance(op, ast.Lt | ast.LtE)) or (
        _put(a, math.inf) and isinstance(op, ast.Gt | ast.GtE)
    )
    if least or most:
        return True
    never = (_put(b, math.inf) and isinstance(op, ast.Gt)) or (
        _put(b, -math.inf) and isinstance(op, ast.Lt)
    )
    return False if never else None
