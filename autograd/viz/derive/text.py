"""How a derivation is set: rows of equal terms under headings, as text, LaTeX and Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

import numpy as np

from ..formulas.formulas import Expr
from ..formulas.names import latex_name, latex_number, plain_number
from ..formulas.print import Symbol
from ..summary import number

# A row of text longer than this goes on below its first equals sign.
WIDTH = 96
# A left side longer than this stands alone in its line of text.
LONGEST_LEFT = 30
# Fractions in neighbouring lines would touch; a heading keeps more distance.
NEXT_LINE, NEXT_SECTION = " \\\\[0.5ex]\n", " \\\\[2ex]\n"
LATEX_SIGNS = {"≈": r"\approx", "·": r"\cdot"}
# Arrays up to this many elements are written out.
TINY = 9


class Told(NamedTuple):
    """One thing in both notations.

    `single`: it is the name of a single number, and not of an array.
    """

    unicode: str
    latex: str
    single: bool = False


class Part(NamedTuple):
    """A term of a row, and the sign before it: = or ≈, or + or · within a long term."""

    sign: str
    told: Told


NOTHING = Told("", "")


@dataclass(frozen=True, slots=True)
class Row:
    """An equation of several parts; without `left`, just a remark.

    Attributes
    ----------
    left : Told
    parts : tuple of Part
    about : Told
        A shape or a word behind it.
    """

    left: Told
    parts: tuple[Part, ...]
    about: Told = NOTHING


@dataclass(slots=True)
class Section:
    """Rows under a heading."""

    title: str
    rows: list[Row] = field(default_factory=list)


# --- Single things --------------------------------------------------------------------------------


def name(label: str, single: bool = False) -> Told:
    """A name of the user's; that of a numbered layer, "0.weight", must not look like a number."""
    if label[:1].isdecimal():
        number, dot, rest = label.partition(".")
        label = f"[{number}]{dot}{rest}"
    return Told(label, latex_name(label), single)


def words(text: str) -> Told:
    """Plain words; names in them are between backquotes."""
    pieces = text.split("`")
    latex = "".join(
        latex_name(piece) if i % 2 else rf"\text{{{piece}}}" if piece else ""
        for i, piece in enumerate(pieces)
    )
    return Told("".join(pieces), latex)


def joined(things: Sequence[Told], between: str, latex: str) -> Told:
    """Things in a row, with a sign between them."""
    return Told(between.join(t.unicode for t in things), latex.join(t.latex for t in things))


def bracketed(told: Told) -> Told:
    """In round brackets."""
    return Told(f"({told.unicode})", rf"\left({told.latex}\right)")


def single(value: float) -> Told:
    """A number."""
    return Told(plain_number(value), latex_number(value))


def expression(
    expr: Expr, names: Mapping[str, str | float | Told], arrays: bool | None = None
) -> Told:
    """An expression, with names that may be different in the two notations."""
    plain: dict[str, str | float] = {}
    raised: dict[str, str | float] = {}
    for key, value in names.items():
        if isinstance(value, Told):
            plain[key] = Symbol.made(value.unicode, value.single)
            raised[key] = Symbol.made(value.latex, value.single)
        else:
            plain[key] = raised[key] = value
    return Told(expr.unicode(plain, arrays=arrays), expr.latex(raised, arrays=arrays))


def total(loss: str, variable: str) -> Told:
    """The derivative along all paths."""
    above, below = name(loss), name(variable)
    latex = rf"\frac{{d\,{above.latex}}}{{d\,{below.latex}}}"
    return Told(f"d {above.unicode}/d {below.unicode}", latex)


def partial(result: str, variable: str) -> Told:
    """The derivative of one step."""
    above, below = name(result), name(variable)
    latex = rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}"
    return Told(f"∂{above.unicode}/∂{below.unicode}", latex)


def arriving(variable: str, single: bool = False) -> Told:
    """The gradient of a node, as the rules of its op use it."""
    told = name(variable)
    return Told(f"G_{told.unicode}", rf"G_{{{told.latex}}}", single)


def shape(sizes: Sequence[int]) -> Told:
    """Sizes in brackets; nothing for a single number."""
    if not sizes:
        return Told("", "")
    inside = "×".join(map(str, sizes))
    return Told(f"({inside})", rf"\left({inside}\right)".replace("×", r" \times "))


def tiny(value: Any) -> Told | None:
    """The elements of a small array or a number; None if there are too many."""
    array = np.asarray(value)
    if array.ndim > 2 or array.size > TINY or not array.size:
        return None
    if not array.ndim:
        return single(array.item())
    rows = [[single(v) for v in row] for row in np.atleast_2d(array).tolist()]
    plain = ", ".join(f"[{', '.join(v.unicode for v in row)}]" for row in rows)
    raised = r" \\ ".join(" & ".join(v.latex for v in row) for row in rows)
    return Told(
        plain if array.ndim == 1 else f"[{plain}]",
        rf"\begin{{bmatrix}} {raised} \end{{bmatrix}}",
    )


def is_exact(value: Any, dtype: str) -> bool:
    """Whether the digits shown are all there is."""
    if isinstance(value, int | bool | np.integer | np.bool_):
        return True
    value = float(value)
    if not math.isfinite(value):
        return True
    rounding = 1e-12 if dtype in ("float", "float64") else 1e-6
    return abs(float(number(value)) - value) <= rounding * abs(value)


def broken(things: Sequence[Told], sign: str) -> tuple[Part, ...]:
    """The first term of a row, which may go on in the next line at any of its signs."""
    return (Part("=", things[0]), *(Part(sign, told) for told in things[1:]))


def chain(*terms: tuple[Told | None, bool]) -> tuple[Part, ...]:
    """Terms that say something new, each with whether it is exact: what follows ≈ is not."""
    found: list[Part] = []
    exact = True
    for told, precise in terms:
        exact = exact and precise
        if told is not None and (not found or told.unicode != found[-1].told.unicode):
            found.append(Part("=" if exact else "≈", told))
    return tuple(found)


# --- The whole ------------------------------------------------------------------------------------


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def as_text(sections: Sequence[Section]) -> str:
    """Sections as lines of text, the equals signs of each in one column."""
    blocks = []
    for section in sections:
        column = max(
            (w for row in section.rows if (w := width(row.left.unicode)) <= LONGEST_LEFT),
            default=0,
        )
        lines = [section.title]
        for row in section.rows:
            lines += _text_lines(row, column)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _text_lines(row: Row, column: int) -> list[str]:
    left = f"  {row.left.unicode}"
    pieces = [f" {sign} {told.unicode}" for sign, told in row.parts]
    indent = " " * (column + 2)
    lines = [left]
    if pieces and width(left) > column + 2:
        lines.append(indent)
    elif pieces:
        lines[0] += " " * (column + 2 - width(left))
    if row.about.unicode:
        pieces.append(f"   {row.about.unicode}")
    room = False  # no line ends before its first piece
    for piece in pieces:
        if room and width(lines[-1] + piece) > WIDTH:
            lines.append(indent)
        lines[-1] += piece
        room = True
    return lines


def as_latex(sections: Sequence[Section], titles: bool = True) -> str:
    r"""Sections as one ``aligned`` environment (of amsmath, MathJax and KaTeX)."""
    blocks = []
    for section in sections:
        lines = [rf"& \textbf{{{section.title}}}"] if titles else []
        for row in section.rows:
            lines += _latex_lines(row)
        blocks.append(NEXT_LINE.join(lines))
    return "\\begin{aligned}\n" + NEXT_SECTION.join(blocks) + "\n\\end{aligned}"


def _latex_lines(row: Row) -> list[str]:
    about = rf" \quad {row.about.latex}" if row.about.latex else ""
    if not row.parts:
        return [f"& {row.left.latex}{about}"]
    lines = [f"{row.left.latex} &"]
    room = WIDTH - LONGEST_LEFT
    for sign, told in row.parts:
        length = width(told.unicode) + 3
        if length > room and not lines[-1].endswith("&"):
            lines.append("& {}")
            room = WIDTH - LONGEST_LEFT
        lines[-1] += f" {LATEX_SIGNS.get(sign, sign)} {told.latex}"
        room -= length
    if about and width(row.about.unicode) > room:
        lines.append("& {}")
    lines[-1] += about
    return lines


def as_markdown(sections: Sequence[Section]) -> str:
    """Sections with headings and displayed equations, as notebooks show them."""
    blocks = []
    for section in sections:
        blocks.append(f"**{section.title}**\n\n$$\n{as_latex([section], titles=False)}\n$$")
    return "\n\n".join(blocks) + "\n"
