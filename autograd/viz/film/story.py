"""What a film says of each vertex, before any number is put in: its label and its formulas.

A formula goes into the page as a text with a private character in the place of each operand, so
that the page can write names there, or the numbers of the moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...graph import OPS
from ..formulas.formulas import Expr, Formula, formula
from ..model import Diagram, Edge, Vertex
from ..svg.text import figure

# Of Unicode's private use area; the page knows them too (film_numbers.js).
FIRST_OPERAND = 0xE000
RESULT, UPSTREAM = chr(0xE0FF), chr(0xE0FE)

SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "neg": "−",
    "pow": "**",
    "matmul": "@",
}
# Ops that a zoomed graph may give more operands than they have elsewhere.
SUMS = ("sum", "add")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def labels(diagram: Diagram) -> list[str]:
    """A name of its own for each vertex: the user's, numbered where it is used twice, or v1, v2 ...

    Examples
    --------
    >>> from autograd.viz.model import Diagram, Vertex
    >>> labels(
    ...     Diagram(
    ...         [
    ...             Vertex(0, "leaf", name="h"),
    ...             Vertex(1, "output", "tanh", name="h"),
    ...             Vertex(2, "constant", value=3.0),
    ...             Vertex(3, "output", "exp"),
    ...         ]
    ...     )
    ... )
    ['h₁', 'h₂', 'c1', 'v1']
    """
    counts: dict[str, int] = {}
    for vertex in diagram.vertices:
        if vertex.name:
            counts[vertex.name] = counts.get(vertex.name, 0) + 1
    seen: dict[str, int] = {}
    found = []
    taken = set(counts)
    for vertex in diagram.vertices:
        name = vertex.name
        if not name:
            stem = "v" if vertex.op else "c"
            while True:
                seen[stem] = seen.get(stem, 0) + 1
                name = f"{stem}{seen[stem]}"
                if name not in taken:
                    break
        elif counts[name] > 1:
            seen[name] = seen.get(name, 0) + 1
            name += str(seen[name]).translate(SUBSCRIPTS)
        found.append(name)
    return found


def sign(vertex: Vertex) -> str:
    """What stands for the op on a card, with an operand that is a plain number.

    Examples
    --------
    >>> sign(Vertex(0, "output", "pow", scalars={1: 2})), sign(Vertex(0, "output", "tanh"))
    ('** 2', 'tanh')
    """
    shown = SIGNS.get(vertex.op, vertex.op)
    number = vertex.scalars.get(1)
    if vertex.op in SIGNS and number is not None:
        return f"{shown} {figure(number)}"
    number = vertex.scalars.get(0)
    if vertex.op in SIGNS and number is not None:
        return f"{figure(number)} {shown}"
    return shown


class Formulas:
    """The formulas of a diagram's vertices, equal ones once.

    Attributes
    ----------
    found : list of dict
        ``value``: the result; ``slopes``: of each operand, or null; ``local``: they are slopes of
        single elements (else what flows to the operand); ``legend``: what the functions in the
        value mean, ``legends``: those in the slopes; ``variadic``: takes any number of operands.
    """

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.found: list[dict[str, Any]] = []
        self._known: dict[str, int] = {}

    def of(self, vertex: Vertex, edges: list[Edge]) -> int | None:
        """Number of the vertex's formula in `found`; None for a leaf."""
        if not vertex.op and vertex.members == 1:
            return None
        told = self._told(vertex, edges)
        key = repr(told)
        index = self._known.get(key)
        if index is None:
            index = self._known[key] = len(self.found)
            self.found.append(told)
        return index

    def _told(self, vertex: Vertex, edges: list[Edge]) -> dict[str, Any]:
        op = OPS.get(vertex.op)
        slots = 1 + max([e.slot for e in edges] + list(vertex.scalars), default=-1)
        if vertex.members > 1 or op is None or not (op.variadic or slots <= len(op.inputs)):
            return _unknown(vertex, edges)
        known: dict[str, Any] = dict(vertex.params)
        present = {e.slot for e in edges}
        for slot, name in enumerate(op.inputs):
            if slot in vertex.scalars:
                known[name] = vertex.scalars[slot]
            elif slot not in present and not op.variadic:
                known[name] = None  # an operand that is not there, such as a bias
        if op.family == "reduction" and edges:
            whole = math.prod(self.diagram.vertices[edges[0].tail].shape)
            known["n"] = whole // max(math.prod(vertex.shape), 1)
        told = formula(op, known)
        names = {name: chr(FIRST_OPERAND + i) for i, name in enumerate(op.inputs)}
        names |= {"y": RESULT, "g": UPSTREAM}
        return {
            "value": told.value.unicode(names),
            "slopes": [
                _slope(told, slot, names) for slot in range(max(slots, 0 if op.variadic else 1))
            ],
            "local": told.local,
            "legend": _legend([told.value]),
            "legends": _legend(told.slopes),
            "variadic": op.variadic,
        }


def _slope(told: Formula, slot: int, names: dict[str, str]) -> str | None:
    expression = told.slope(slot)
    return None if expression is None else expression.unicode(names)


def _legend(expressions: Iterable[Expr | None]) -> list[str]:
    lines: dict[str, None] = {}
    for expression in expressions:
        if expression is not None:
            lines |= dict.fromkeys(expression.legend())
    return list(lines)


def _unknown(vertex: Vertex, edges: list[Edge]) -> dict[str, Any]:
    """For a group, or an op that is not in the table: its name and its operands."""
    operands = [chr(FIRST_OPERAND + e.slot) for e in edges]
    numbers = [f"{v:.4g}" for v in vertex.scalars.values() if v is not None]
    if vertex.op in SUMS and len(operands) + len(numbers) > 1:
        value = " + ".join([*operands, *numbers])
    else:
        value = f"{vertex.op or 'group'}({', '.join([*operands, *numbers])})"
    slots = 1 + max((e.slot for e in edges), default=-1)
    return {
        "value": value,
        "slopes": [None] * slots,
        "local": not vertex.shape and vertex.members == 1,
        "legend": [],
        "legends": [],
        "variadic": False,
    }
