"""Formulas as people read them: Unicode text and LaTeX, with no more brackets than needed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import cast

from .names import GREEK, latex_name, latex_number, plain_number
from .vocabulary import FUNCTIONS

# How tightly the outermost operation of a text binds.
CHOICE, OR, AND, NOT, COMPARISON, SUM, PRODUCT, MINUS, POWER, ATOM = range(10)

SIGNS = {ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥"}
LATEX_SIGNS = {"≠": r"\neq", "≤": r"\leq", "≥": r"\geq"}
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Names for single numbers: a product with one of them is not one of two arrays.
NUMBERS = frozenset(
    [
        "n",
        "eps",
        "p",
        "ties",
        "correction",
        "pi",
        "inf",
        "beta",
        "threshold",
        "alpha",
        "scale",
        "input_scale",
        "negative_slope",
        "lambd",
        "min_val",
        "max_val",
        "value",
        "decimals",
        "rtol",
        "atol",
    ]
)

Text = tuple[str, int]


class Symbol(str):
    """A name that is already in the notation of the printer.

    Attributes
    ----------
    single : bool
        It stands for a single number, so that a product with it is not one of two arrays.
    """

    single = False

    @classmethod
    def made(cls, text: str, single: bool) -> Symbol:
        """A symbol that says whether it is for a single number."""
        symbol = cls(text)
        symbol.single = single
        return symbol


class Printer:
    """What both forms share: the walk over the tree, and where brackets stand.

    Parameters
    ----------
    names : mapping
        Name in the formula -> what to write for it: a name of the user's, or a number.
    arrays : bool
        Tell a product element by element (⊙) from a product of matrices (·).
    """

    def __init__(self, names: Mapping[str, str | float], arrays: bool) -> None:
        self.names = names
        self.arrays = arrays

    def text(self, node: ast.expr, least: int = CHOICE) -> str:
        """The text of `node`, in brackets where it binds less than `least`."""
        text, level = self.visit(node)
        return text if level >= least else self.brackets(text)

    def operand(self, node: ast.expr, least: int) -> str:
        """As `text`, for what stands right of an operator: there a minus needs brackets."""
        text, level = self.visit(node)
        return text if level >= least and not text.startswith("-") else self.brackets(text)

    def visit(self, node: ast.expr) -> Text:
        """The text of `node`, and how tightly it binds."""
        return getattr(self, node.__class__.__name__)(node)

    # --- The kinds of node, by the names that `ast` gives them ------------------------------------

    def Constant(self, node: ast.Constant) -> Text:
        """A number of the formula itself, or one that was put in."""
        value = cast(float | bool | None, node.value)
        if isinstance(value, float) and node.kind is None:
            return repr(value), ATOM  # the formula's own, with all its digits
        return self.number(value)

    def Name(self, node: ast.Name) -> Text:
        """An input, the result, metadata."""
        name = self.names.get(node.id)
        if name is None:
            return self.symbol(node.id), ATOM
        return (self.name(name), ATOM) if isinstance(name, str) else self.number(name)

    def UnaryOp(self, node: ast.UnaryOp) -> Text:
        """Minus and not."""
        if isinstance(node.op, ast.Not):
            return self.word("not ") + self.test(node.operand, NOT), NOT
        _, level = self.visit(node.operand)
        return "-" + self.operand(node.operand, PRODUCT), min(level, MINUS)

    def BinOp(self, node: ast.BinOp) -> Text:
        """Arithmetic."""
        left, right = node.left, node.right
        match node.op:
            case ast.Add():
                return f"{self.text(left, SUM)} + {self.operand(right, SUM)}", SUM
            case ast.Sub():
                return f"{self.text(left, SUM)} - {self.operand(right, PRODUCT)}", SUM
            case ast.Mult():
                dot = self.each if self.arrays and not self._scales(node) else self.dot
                return self.text(left, PRODUCT) + dot + self.operand(right, PRODUCT), PRODUCT
            case ast.MatMult():
                return self.text(left, PRODUCT) + self.matrix + self.operand(right, POWER), PRODUCT
            case ast.Div():
                return self.fraction(left, right)
        return self.power(left, right)

    def Compare(self, node: ast.Compare) -> Text:
        """A comparison as a value, 1 or 0: in Iverson's brackets."""
        return self.iverson(self.test(node)), ATOM

    def BoolOp(self, node: ast.BoolOp) -> Text:
        """A condition as a value, in Iverson's brackets too."""
        return self.iverson(self.test(node)), ATOM

    def test(self, node: ast.expr, least: int = CHOICE) -> str:
        """A condition."""
        if isinstance(node, ast.BoolOp):
            level = AND if isinstance(node.op, ast.And) else OR
            word = self.word(" and " if level == AND else " or ")
            text = word.join(self.test(part, level + 1) for part in node.values)
        elif isinstance(node, ast.Compare):
            level = COMPARISON
            text = self.text(node.left, SUM)
            for sign, right in zip(node.ops, node.comparators, strict=True):
                text += f" {self.sign(SIGNS[type(sign)])} {self.text(right, SUM)}"
        else:
            return self.text(node, least)
        return text if level >= least else self.brackets(text)

    def IfExp(self, node: ast.IfExp) -> Text:
        """Cases, in a row as long as they nest on the right."""
        cases = []
        rest: ast.expr = node
        while isinstance(rest, ast.IfExp):
            cases.append((self.text(rest.body, OR), self.test(rest.test)))
            rest = rest.orelse
        return self.cases(cases, self.text(rest, OR))

    def Subscript(self, node: ast.Subscript) -> Text:
        """Elements taken out."""
        part = node.slice
        if isinstance(part, ast.Slice):
            ends = [self.text(end) if end else "" for end in (part.lower, part.upper)]
            return f"{self.text(node.value, ATOM)}[{':'.join(ends)}]", ATOM
        return f"{self.text(node.value, ATOM)}[{self.text(part)}]", ATOM

    def List(self, node: ast.List) -> Text:
        """Positions."""
        return f"[{', '.join(self.text(e) for e in node.elts)}]", ATOM

    def Call(self, node: ast.Call) -> Text:
        """A function, in the form that people give it."""
        assert isinstance(node.func, ast.Name)
        name, arguments = node.func.id, node.args
        own = getattr(self, f"call_{name}", None)
        if own is not None:
            return own(*arguments)
        function = FUNCTIONS.get(name)
        if function is not None and function.spelled_out:
            return self.visit(Put({"v": arguments[0]}).visit(parsed(function.definition)))
        inside = ", ".join(self.text(a) for a in arguments)
        return self.function(name) + self.brackets(inside), ATOM

    def _scales(self, node: ast.BinOp) -> bool:
        """Whether a factor is a single number, so that the product is not one of two arrays."""
        return self._is_single(node.left) or self._is_single(node.right)

    def _is_single(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            return self._is_single(node.left) and self._is_single(node.right)
        return isinstance(node, ast.Constant) or (
            isinstance(node, ast.Name) and self._is_number(node.id)
        )

    def _is_number(self, name: str) -> bool:
        given = self.names.get(name)
        if isinstance(given, Symbol):
            return given.single
        return name in NUMBERS or isinstance(given, float | int)

    # --- What the forms have of their own ---------------------------------------------------------

    each = dot = matrix = ""

    def brackets(self, text: str) -> str:
        """`text` in round brackets."""
        return f"({text})"

    def number(self, value: float | bool | None) -> Text:
        """A number that was put in."""
        raise NotImplementedError

    def symbol(self, name: str) -> str:
        """A name of the formula."""
        raise NotImplementedError

    def name(self, name: str) -> str:
        """A name of the user's."""
        raise NotImplementedError

    def sign(self, sign: str) -> str:
        """A sign of comparison."""
        return sign

    def word(self, word: str) -> str:
        """A word between conditions."""
        return word

    def iverson(self, text: str) -> str:
        """1 if true, else 0."""
        return f"[{text}]"

    def function(self, name: str) -> str:
        """The sign of a function."""
        raise NotImplementedError

    def fraction(self, above: ast.expr, below: ast.expr) -> Text:
        """A quotient."""
        raise NotImplementedError

    def power(self, base: ast.expr, exponent: ast.expr) -> Text:
        """A power."""
        raise NotImplementedError

    def cases(self, cases: list[tuple[str, str]], rest: str) -> Text:
        """Values with the conditions under which they hold."""
        raise NotImplementedError


class Unicode(Printer):
    """Formulas in one line of text."""

    each, dot, matrix = " ⊙ ", "·", "·"

    def number(self, value: float | bool | None) -> Text:
        """To four digits."""
        text = plain_number(value)
        return text, MINUS if text.startswith("-") else POWER if "e" in text else ATOM

    def symbol(self, name: str) -> str:
        """Greek where it is spelled out."""
        return GREEK[name][0] if name in GREEK else name

    def name(self, name: str) -> str:
        """As the user wrote it."""
        return name

    def function(self, name: str) -> str:
        """Its sign, or its name."""
        found = FUNCTIONS.get(name)
        return (found and found.unicode) or name

    def fraction(self, above: ast.expr, below: ast.expr) -> Text:
        """With a slash."""
        return f"{self.text(above, PRODUCT)}/{self.operand(below, MINUS)}", PRODUCT

    def power(self, base: ast.expr, exponent: ast.expr) -> Text:
        """Raised digits, or ^."""
        below, raised = self.text(base, ATOM), self.text(exponent)
        if raised.removeprefix("-").isdecimal():
            return below + raised.translate(SUPERSCRIPT), POWER
        return f"{below}^{self.operand(exponent, ATOM)}", POWER

    def cases(self, cases: list[tuple[str, str]], rest: str) -> Text:
        """1 if x > 0, else 0."""
        told = "".join(f"{value} if {test}, " for value, test in cases)
        return f"{told}else {rest}", CHOICE

    def call_sqrt(self, x: ast.expr) -> Text:
        """With the sign of the root."""
        return "√" + self.text(x, ATOM), POWER

    def call_abs(self, x: ast.expr) -> Text:
        """Between bars."""
        return f"|{self.text(x)}|", ATOM

    def call_T(self, x: ast.expr) -> Text:
        """A transposed matrix."""
        return self.text(x, ATOM) + "ᵀ", POWER

    def call_hat(self, x: ast.expr) -> Text:
        """What was normalised, in a word: few fonts put a hat on a letter where it belongs."""
        return f"normalised({self.text(x)})", ATOM

    def call_partial(self, y: ast.expr, x: ast.expr) -> Text:
        """A derivative that nobody has written down."""
        return f"∂{_raw(y)}/∂{self._variable(x)}", POWER

    def _variable(self, node: ast.expr) -> str:
        name = self.names.get(_raw(node), _raw(node))
        return name if isinstance(name, str) else _raw(node)


class Latex(Printer):
    """Formulas for LaTeX, MathJax and KaTeX."""

    each, dot, matrix = r" \odot ", r" \cdot ", r" \, "

    def brackets(self, text: str) -> str:
        """Growing with what they hold."""
        return rf"\left({text}\right)"

    def number(self, value: float | bool | None) -> Text:
        """To four digits."""
        text = latex_number(value)
        return text, MINUS if text.startswith("-") else PRODUCT if " " in text else ATOM

    def symbol(self, name: str) -> str:
        """Greek where it is spelled out."""
        return GREEK[name][1] if name in GREEK else latex_name(name)

    def name(self, name: str) -> str:
        """Escaped."""
        return name if isinstance(name, Symbol) else latex_name(name)

    def sign(self, sign: str) -> str:
        """As a command."""
        return LATEX_SIGNS.get(sign, sign)

    def word(self, word: str) -> str:
        """Upright."""
        return rf"\text{{{word}}}"

    def iverson(self, text: str) -> str:
        """1 if true, else 0."""
        return rf"\left[{text}\right]"

    def function(self, name: str) -> str:
        """Its sign, or its name, upright."""
        found = FUNCTIONS.get(name)
        return (found and found.latex) or rf"\operatorname{{{latex_name(name, upright=False)}}}"

    def fraction(self, above: ast.expr, below: ast.expr) -> Text:
        """One above the other; a minus stands before it."""
        if isinstance(above, ast.UnaryOp):
            return rf"-\frac{{{self.text(above.operand)}}}{{{self.text(below)}}}", MINUS
        return rf"\frac{{{self.text(above)}}}{{{self.text(below)}}}", POWER

    def power(self, base: ast.expr, exponent: ast.expr) -> Text:
        """Raised."""
        return f"{self.text(base, ATOM)}^{{{self.text(exponent)}}}", POWER

    def cases(self, cases: list[tuple[str, str]], rest: str) -> Text:
        """With a brace."""
        told = "".join(rf"{value} & \text{{if }} {test} \\ " for value, test in cases)
        return rf"\begin{{cases}} {told}{rest} & \text{{else}} \end{{cases}}", ATOM

    def call_exp(self, x: ast.expr) -> Text:
        """A power of e."""
        return f"e^{{{self.text(x)}}}", POWER

    def call_sqrt(self, x: ast.expr) -> Text:
        """Under a root."""
        return rf"\sqrt{{{self.text(x)}}}", ATOM

    def call_abs(self, x: ast.expr) -> Text:
        """Between bars."""
        return rf"\left|{self.text(x)}\right|", ATOM

    def call_T(self, x: ast.expr) -> Text:
        """A transposed matrix."""
        return rf"{self.text(x, ATOM)}^{{\top}}", POWER

    def call_hat(self, x: ast.expr) -> Text:
        """What was normalised."""
        return rf"\widehat{{{self.text(x)}}}", ATOM

    def call_partial(self, y: ast.expr, x: ast.expr) -> Text:
        """A derivative that nobody has written down."""
        name = self.names.get(_raw(x), _raw(x))
        below = self.name(name if isinstance(name, str) else _raw(x))
        above = rf"\mathrm{{{latex_name(_raw(y), upright=False)}}}"
        return rf"\frac{{\partial {above}}}{{\partial {below}}}", POWER


def _raw(node: ast.expr) -> str:
    assert isinstance(node, ast.Name)
    return node.id


def parsed(text: str) -> ast.expr:
    """The tree of a formula."""
    return ast.parse(text, mode="eval").body


class Put(ast.NodeTransformer):
    """Puts trees in the places of names."""

    def __init__(self, trees: Mapping[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The tree for this name, if there is one."""
        return self.trees.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The arguments alone: the name of the function is no variable."""
        assert isinstance(node.func, ast.Name)
        if node.func.id == "partial":
            return node
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])
