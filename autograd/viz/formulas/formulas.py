"""Formulas of ops: what each computes and its derivatives, to be read and to be computed.

An op says its formula where it is defined (see `autograd.graph.Op.formula`), as Python
expressions over a small vocabulary (`formulas_vocabulary`). Here they become text, LaTeX,
JavaScript and numbers.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...graph import Op
from .js import computed, javascript
from .print import Latex, Put, Unicode, parsed
from .simplify import Decide, Simplify, constant
from .vocabulary import FUNCTIONS

__all__ = ["Expr", "Formula", "formula"]


class Expr:
    r"""An expression over named numbers or arrays.

    Parameters
    ----------
    source : str or ast.expr
        Python's notation; a text is parsed when it is first needed.
    arrays : bool
        It is about arrays: then a product element by element is written ⊙.

    Examples
    --------
    >>> e = Expr("w * x ** 2 + b")
    >>> e.unicode(), e.unicode({"w": -0.5, "x": "h1"})
    ('w·x² + b', '-0.5·h1² + b')
    >>> e.latex({"x": "h_1"})
    'w \\cdot h_{1}^{2} + b'
    >>> e.evaluate({"w": 0.5, "x": 2.0, "b": 1.0})
    3.0
    >>> e.js()
    '((w * fn.pow(x, 2)) + b)'
    """

    __slots__ = ("_source", "arrays")

    def __init__(self, source: str | ast.expr, arrays: bool = False) -> None:
        self._source = source
        self.arrays = arrays

    @property
    def tree(self) -> ast.expr:
        """The syntax tree, which is shared: not to be changed."""
        if isinstance(self._source, str):
            self._source = _tree(self._source)
        return self._source

    def unicode(
        self, names: Mapping[str, str | float] | None = None, *, arrays: bool | None = None
    ) -> str:
        """One line of text.

        Parameters
        ----------
        names : mapping, optional
            What to write for each name: another name, or a number (then to four digits, and in
            brackets where it is negative and stands right of an operator).
        arrays : bool, optional
            In the place of ``self.arrays``.
        """
        return Unicode(names or {}, self.arrays if arrays is None else arrays).text(self.tree)

    def latex(
        self, names: Mapping[str, str | float] | None = None, *, arrays: bool | None = None
    ) -> str:
        """LaTeX for mathematical mode; names of the user's are escaped. See `unicode`."""
        return Latex(names or {}, self.arrays if arrays is None else arrays).text(self.tree)

    def js(self) -> str:
        """A JavaScript expression with the same value.

        Its variables have the names of the formula's (see `formulas_js.js_name`); it may call
        ``Math`` and ``fn`` of ``assets/functions.js``.

        Raises
        ------
        ValueError
            If the formula is only shown: it is about whole arrays.
        """
        return javascript(self.tree)

    def evaluate(self, values: Mapping[str, float]) -> float:
        """The value where the names have these `values`, in float64; nothing overflows to an error.

        Raises
        ------
        ValueError
            If a name has no value, or the formula is only shown.
        """
        return computed(self.tree, values)

    def substitute(self, numbers: Mapping[str, float | bool | None]) -> Expr:
        """The same with numbers for names; nothing is worked out.

        None stands for an operand that is not there: `simplify` leaves it out.

        Raises
        ------
        TypeError
            If something is not a number.
        """
        for name, value in numbers.items():
            if not isinstance(value, float | int | None):
                raise TypeError(f"substitute: {name} must be a number, not {type(value).__name__}")
        return self._changed(Put({n: constant(v) for n, v in numbers.items()}))

    def simplify(self) -> Expr:
        """The same without numbers put in that change nothing, and conditions that are decided.

        Examples
        --------
        >>> e = Expr("0 if a == 0 and b == 0 else b * a ** (b - 1)")
        >>> e.substitute({"b": 2}).simplify().unicode()
        '2·a'
        """
        return self._changed(Simplify())

    def chosen(self, values: Mapping[str, float]) -> Expr:
        """The case that holds where the names have these `values`.

        Examples
        --------
        >>> Expr("1 if x > 0 else 0").chosen({"x": 3.0}).unicode()
        '1'
        """
        return self._changed(Decide(values))

    def _changed(self, change: ast.NodeTransformer) -> Expr:
        return Expr(change.visit(copy.deepcopy(self.tree)), self.arrays)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, in order of appearance; not those of functions and constants."""
        found: dict[str, None] = {}
        _collect(self.tree, found)
        return tuple(n for n in found if n not in ("pi", "inf"))

    def legend(self, *, latex: bool = False) -> tuple[str, ...]:
        """What the less known functions in it mean, one line each.

        Examples
        --------
        >>> Expr("x * sigmoid(x)").legend()
        ('σ(v) = 1/(1 + exp(-v))',)
        """
        found: dict[str, None] = {}
        _legend(self.tree, found)
        return tuple(_meaning(name, latex) for name in found)

    def __str__(self) -> str:
        return self.unicode()

    def __repr__(self) -> str:
        return f"Expr({ast.unparse(self.tree)!r})"


@dataclass(frozen=True, slots=True)
class Formula:
    """What an op computes.

    Attributes
    ----------
    value : Expr
        The result, over the names of the op's inputs and its metadata.
    slopes : tuple of Expr or None
        For each input (for all of them, if the op takes any number), over the same names and y,
        the result: the local derivative if `local`, else what flows to the input, made of g, the
        gradient that arrives. None: no gradient, on purpose.
    local : bool
        It holds for each element by itself, and can be computed.
    """

    value: Expr
    slopes: tuple[Expr | None, ...]
    local: bool

    def slope(self, slot: int) -> Expr | None:
        """The entry of `slopes` for the input at position `slot` of a call."""
        return self.slopes[min(slot, len(self.slopes) - 1)]


def formula(op: Op, known: Mapping[str, Any] | None = None) -> Formula:
    """The formula of an op; for an op without one, its name and the names of its inputs.

    Parameters
    ----------
    op : Op
    known : mapping, optional
        Metadata and operands that are plain numbers (or None: not there), by name: they are put
        in, and what then changes nothing is left out. Anything else in it is passed over.

    Examples
    --------
    >>> import autograd
    >>> f = formula(autograd.tanh.op)
    >>> f.value.unicode({"x": "d"}), f.slopes[0].unicode({"y": "t"})
    ('tanh(d)', '1 - t²')
    >>> f = formula(autograd.pow.op, {"b": 2})
    >>> f.value.unicode(), f.slopes[0].unicode()
    ('a²', '2·a')
    """
    value, *slopes = op.formula or _names_only(op)
    arrays = op.family != "elementwise"
    expressions = [None if s is None else Expr(s, arrays) for s in (value, *slopes)]
    put = {
        name: constant(value, kind="operand" if name in op.inputs else "put")
        for name, value in (known or {}).items()
        if isinstance(value, float | int | None)
    }
    if put:
        expressions = [e and e._changed(Put(put)).simplify() for e in expressions]
    first, *rest = expressions
    assert first is not None
    return Formula(first, tuple(rest), bool(op.formula) and not arrays)


def _names_only(op: Op) -> tuple[str | ast.expr | None, ...]:
    """What can be said of any op. Built, not parsed: its name may be anything."""
    inputs: list[ast.expr] = [ast.Name(name) for name in op.inputs]
    value = ast.Call(ast.Name(op.name), inputs, [])
    rules = [True] * len(inputs) if op.joint is not None else op.rules
    slopes = [
        ast.BinOp(
            ast.Name("g"),
            ast.Mult(),
            ast.Call(ast.Name("partial"), [ast.Name(op.name), x], []),
        )
        if rule is not None and op.differentiable
        else None
        for x, rule in zip(inputs, rules, strict=True)
    ]
    return value, *slopes


@functools.lru_cache(maxsize=1024)
def _tree(text: str) -> ast.expr:
    return parsed(text)


def _collect(node: ast.AST, found: dict[str, None]) -> None:
    if isinstance(node, ast.Name):
        found[node.id] = None
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        _collect(child, found)


def _legend(node: ast.AST, found: dict[str, None]) -> None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = FUNCTIONS.get(node.func.id)
        if function is not None and function.definition and not function.spelled_out:
            found[node.func.id] = None
            if not function.definition.startswith(":"):
                _legend(_tree(function.definition), found)
    for child in ast.iter_child_nodes(node):
        _legend(child, found)


def _meaning(name: str, latex: bool) -> str:
    definition = FUNCTIONS[name].definition
    call = Expr(ast.Call(ast.Name(name), [ast.Name("v")], []), arrays=True)
    head = call.latex() if latex else call.unicode()
    if definition.startswith(":"):
        pieces = definition.split("`")  # names of functions stand between backquotes
        for i, piece in enumerate(pieces):
            if i % 2:
                pieces[i] = FUNCTIONS[piece].latex if latex else FUNCTIONS[piece].unicode
            elif latex and piece:
                pieces[i] = rf"\text{{{piece}}}"
        return head + "".join(pieces)
    told = Expr(definition, arrays=True)
    return f"{head} = {told.latex() if latex else told.unicode()}"
