"""The rows of a card: what is told of a vertex, before anything is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..model import Vertex
from ..style import SMALL, TITLE
from ..summary import bytes_text, shape_text, summarise
from .paint import Words, line_width
from .text import elide, figure, literal, one_line, single

# Longer titles and remarks are shortened; the tooltip has all of them.
WIDEST = 250.0
# Up to this many elements are written out.
FEW = 4

_SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "pow": "^"}


@dataclass(slots=True)
class Row:
    """One line of a card.

    Attributes
    ----------
    label : Words or None
        Stands in a column of its own, left of the content.
    words : list of Words
    bars : tuple of int
        Counts of a histogram, drawn before the columns.
    bars_ink : str
    columns : list of Words
        Right-aligned numbers.
    alarms : list of str
        Loud labels after the rest.
    """

    label: Words | None = None
    words: list[Words] = field(default_factory=list)
    bars: tuple[int, ...] = ()
    bars_ink: str = ""
    columns: list[Words] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


def local_name(vertex: Vertex) -> str:
    """The name without what the frame around says already: ``weight`` in the frame of ``fc1``.

    Examples
    --------
    >>> local_name(Vertex(0, "parameter", name="fc1.weight", cluster="model.fc1"))
    'weight'
    """
    frames = f".{vertex.cluster}"
    parts = vertex.name.split(".")
    for kept in range(len(parts) - 1, 0, -1):
        if frames.endswith("." + ".".join(parts[:kept])):
            return ".".join(parts[kept:])
    return vertex.name


def title_of(vertex: Vertex) -> list[Words]:
    """What a vertex is called: ``h = relu``, ``W``, ``× 2``."""
    name, op = one_line(local_name(vertex)), one_line(vertex.op)
    if vertex.kind == "group" or op:
        line: list[Words] = []
        op = op or f"{vertex.members} nodes"
        scalars = _scalars(vertex)
        head = Words(elide(op, WIDEST * 0.6, TITLE, True), size=TITLE, bold=True)
        tail = [Words(f" {scalars}", "muted", TITLE)] if scalars else []
        room = WIDEST - head.width - line_width(tail)
        if name and name != op:
            shown = elide(name, max(room - 24, 40.0), TITLE)
            between = " : " if vertex.kind == "group" else " = "
            line = [Words(shown, size=TITLE, italic=True), Words(between, "muted", TITLE)]
        return [*line, head, *tail]
    return [Words(elide(name or vertex.kind, WIDEST, TITLE, True), size=TITLE, bold=True)]


def _scalars(vertex: Vertex) -> str:
    """The plain numbers among the operands: ``× 2``, ``1 −``, ``(2, 0.5)``."""
    numbers = {slot: figure(n) for slot, n in vertex.scalars.items() if n is not None}
    if not numbers:
        return ""
    symbol = _SYMBOLS.get(vertex.op)
    if symbol and len(numbers) == 1:
        [(slot, text)] = numbers.items()
        return f"{symbol} {text}" if slot else f"{text} {symbol}"
    return f"({', '.join(numbers[slot] for slot in sorted(numbers))})"


def facts(vertex: Vertex) -> Row | None:
    """Shape, dtype and what is saved for the backward pass."""
    parts = []
    has_numbers = vertex.value is not None or vertex.grad is not None
    if vertex.dtype != "float":  # a Scalar is a Python float: there is nothing to tell
        parts.append(Words(shape_text(vertex.shape)))
        if has_numbers or vertex.dtype != "float32":
            parts.append(Words(vertex.dtype, "muted", SMALL))
        if vertex.saved and math.prod(vertex.shape) > 1:
            parts.append(Words(f"saves {bytes_text(vertex.saved)}", "muted", SMALL))
    if not parts:
        return None
    words = [parts[0]]
    for part in parts[1:]:
        words += [Words("  ·  ", "muted", SMALL), part]
    return Row(words=words)


def numbers_row(label: str, value: Any, ink: str) -> Row:
    """The row that tells a value or a gradient."""
    row = Row(Words(label, "muted" if ink == "value" else ink, SMALL))
    one = single(value)
    if one is not None:
        if isinstance(one, float) and not math.isfinite(one):
            row.alarms = [figure(one)]
        else:
            row.words = [Words(figure(one, 4), ink, bold=True)]
        return row
    if not value.size:
        row.words = [Words("no elements", "muted", SMALL)]
        return row
    found = summarise(value)
    if found.nans:
        row.alarms.append(f"{found.nans:,} NaN")
    if found.infs:
        row.alarms.append(f"{found.infs:,} inf")
    if not row.alarms and value.size <= FEW and value.ndim <= 2:
        row.words = [Words(literal(value), ink)]
    elif not math.isfinite(found.minimum):
        row.words = []
    elif found.minimum == found.maximum:
        row.words = [Words("all ", "muted", SMALL), Words(figure(found.minimum), ink, SMALL, True)]
    else:
        row.bars, row.bars_ink = found.histogram, f"{ink}-bars"
        row.columns = [
            Words(figure(found.minimum), "muted" if ink == "value" else ink, SMALL),
            Words(figure(found.mean), ink, SMALL, bold=True),
            Words(figure(found.maximum), "muted" if ink == "value" else ink, SMALL),
        ]
    return row


def inside_of(vertex: Vertex) -> str:
    """What a group stands for."""
    if vertex.kind != "group":
        return ""
    parts = [one_line(vertex.about)] if vertex.about else []
    if vertex.members > 1 and "nodes" not in vertex.op:
        parts.insert(0, f"{vertex.members:,} nodes")
    return elide(", ".join(parts), WIDEST, SMALL)
