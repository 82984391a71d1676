"""to_text: a diagram for the terminal, one row for each vertex, with its edges as rails.

From left to right: the rails, what the vertex is in the user's names, shape and dtype, the value
and the gradient as numbers or as ranges with small histograms, the bytes kept for backward, and
the line of code. What does not fit into the width is left out, the least needed first.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model import Diagram, Vertex
from ..summary import bytes_text, number, shape_text
from .text_cells import DETAILS, column, heading
from .text_rails import ASCII, UNICODE, Rail, rails
from .text_rows import Row, frame_title, label, reference, rows, told_in_label
from .text_width import clean, elided, padded, shortened, to_ascii, width

NARROWEST = 20
# Rails take at most this part of the width: beyond, operands are told by their names only.
SHARE_OF_RAILS = 0.25
# Part of the width that labels, if they need it, have before the other columns get theirs.
SHARE_OF_LABELS = 0.38
# More contributions than this are not written out.
MOST_CONTRIBUTIONS = 6

GLYPHS = {
    "parameter": ("◆", "P"),
    "leaf": ("◇", "L"),
    "buffer": ("▫", "B"),
    "constant": ("○", "c"),
    "intermediate": ("●", "o"),
    "output": ("◉", "@"),
    "group": ("▤", "G"),
}
MARKS = {
    "bad": ("✖", "X"),
    "warn": ("▲", "!"),
    "heat": ("▮", "*"),
    "path": ("▶", ">"),
    "good": ("✔", "+"),
}
# The sixteen colours of the reader's own terminal, so that they suit its background.
COLOURS = {
    "parameter": "34",
    "leaf": "36",
    "buffer": "35",
    "constant": "90",
    "intermediate": "",
    "output": "1;32",
    "group": "33",
    "bad": "1;31",
    "warn": "33",
    "heat": "31",
    "path": "1;35",
    "good": "32",
    "alarm": "1;31",
    "gradient": "33",
    "quiet": "2",
    "heading": "1",
}
LANES = ("36", "35", "34", "32", "33", "31")


@dataclass(frozen=True, slots=True)
class _Span:
    """Text of one colour."""

    text: str
    colour: str = ""


def to_text(
    diagram: Diagram, *, width: int = 100, colour: bool = False, ascii_only: bool = False
) -> str:
    """Draw a diagram with the characters of a terminal.

    Parameters
    ----------
    diagram : Diagram
    width : int
        Columns that there are, at least 20; no line is longer.
    colour : bool
        Use ANSI escapes for colours.
    ascii_only : bool
        For a terminal without Unicode: other characters are replaced or written as escapes.

    Returns
    -------
    str
        Lines without one at the end.

    Raises
    ------
    ValueError
        If `width` is no int of at least 20.

    Examples
    --------
    >>> from autograd.viz import Diagram, Edge, Vertex
    >>> x = Vertex(0, "leaf", name="x", value=3.0, grad=6.0)
    >>> y = Vertex(1, "output", "mul", name="y", value=9.0, grad=1.0)
    >>> square = Diagram([x, y], [Edge(0, 1, 0, "a"), Edge(0, 1, 1, "b")], outputs=[1])
    >>> print(to_text(square, width=60))
    2 vertices, 2 edges
                      shape   dtype  value  gradient
    ◇  x              scalar  float  3      6
    ◉  y = mul(x, x)  scalar  float  9      1
    ◇ leaf   ◉ output
    """
    if not isinstance(width, int) or isinstance(width, bool) or width < NARROWEST:
        raise ValueError(f"to_text: width must be an int of {NARROWEST} or more, not {width!r}")
    lines = _Page(diagram, width, ascii_only).lines()
    return "\n".join(_painted(line, width, colour, ascii_only) for line in lines)


def _painted(line: list[_Span], room: int, colour: bool, ascii_only: bool) -> str:
    """Join the spans of a line, without spaces at its end, cut where the terminal ends."""
    parts: list[str] = []
    used = 0
    spans = [_Span(to_ascii(s.text), s.colour) for s in line] if ascii_only else list(line)
    while spans and not spans[-1].text.strip():
        spans.pop()
    for number_, span in enumerate(spans):
        text = span.text if number_ < len(spans) - 1 else span.text.rstrip()
        text = shortened(text, room - used, ".." if ascii_only else "…")
        used += width(text)
        parts.append(
            f"\x1b[{span.colour}m{text}\x1b[0m" if colour and span.colour and text else text
        )
    return "".join(parts)


def _length(spans: list[_Span]) -> int:
    return sum(width(span.text) for span in spans)


class _Page:
    """The lines of one diagram."""

    def __init__(self, diagram: Diagram, room: int, ascii_only: bool) -> None:
        self.diagram = diagram
        self.room = room
        self.ascii = ascii_only
        self.rows = rows(diagram)
        self.operands = diagram.operands()
        self.users = diagram.users()
        self.shown = [row.vertex for row in self.rows if row.vertex is not None]
        tails = {v.index: [e.tail for e in self.operands[v.index]] for v in self.shown}
        most = max(1, int(room * SHARE_OF_RAILS) // 2)
        order = [v.index for v in self.shown]
        drawn = rails(order, tails, ASCII if ascii_only else UNICODE, most)
        self.rails = dict(zip(order, drawn, strict=True))
        self.rail_width = max((len(rail.characters) for rail in drawn), default=0) + 1

    def lines(self) -> list[list[_Span]]:
        """All lines, from the title to the legend."""
        labels = [self._label_spans(row, long=False) for row in self.rows]
        full = [self._label_spans(row, long=True) for row in self.rows]
        naturally = [max((_length(x) for x in which), default=0) for which in (labels, full)]
        label_room, columns = self._columns(*naturally)
        labels = [
            long if _length(long) <= label_room else short
            for short, long in zip(labels, full, strict=True)
        ]
        found = [[_Span(self._title(), COLOURS["heading"])]]
        for line in textwrap.wrap(clean(self.diagram.about), self.room):
            found.append([_Span(line, COLOURS["quiet"])])
        if any(name for name, _, _ in columns):
            names = "  ".join(padded(name, room) for name, room, _ in columns)
            lead = " " * (self.rail_width + label_room + 2)
            found.append([_Span(lead), _Span(names, COLOURS["quiet"])])
        place = 0
        below = Rail()
        for row, spans in zip(self.rows, labels, strict=True):
            if row.vertex is None:
                found.append([*self._passing(below), *spans])
                continue
            below = self.rails[row.vertex.index]
            line = [*self._rail(row.vertex, below), *self._fitted(spans, label_room)]
            for _, _, texts in columns:
                line.extend((_Span("  "), texts[place]))
            found.append(line)
            found.extend(self._remarks(row, row.vertex, below))
            place += 1
        return [*found, *([_Span(text, COLOURS["quiet"])] for text in self._legend())]

    # --- The head and the foot ----------------------------------------------------------------

    def _title(self) -> str:
        vertices, edges = len(self.diagram.vertices), len(self.diagram.edges)
        text = f"{vertices:,} vert{'ex' if vertices == 1 else 'ices'}, "
        text += f"{edges:,} edge{'' if edges == 1 else 's'}"
        members = sum(v.members for v in self.diagram.vertices)
        if members > vertices:
            text += f" for {members:,} nodes"
        saved = sum(v.saved for v in self.diagram.vertices)
        if saved:
            text += f" · {bytes_text(saved)} saved for backward"
        return f"{clean(self.diagram.title)} · {text}" if self.diagram.title else text

    def _legend(self) -> list[str]:
        """The signs that occur and what they mean, in as many lines as it takes."""
        kinds = [kind for kind in GLYPHS if any(v.kind == kind for v in self.shown)]
        parts = [f"{self._sign(GLYPHS[kind])} {_kind_text(kind)}" for kind in kinds]
        if any(c.repeat > 1 for c in self.diagram.clusters.values()):
            parts.append("× n: the first of n is shown")
        lines: list[str] = []
        for part in parts:
            if lines and width(lines[-1]) + 3 + width(part) <= self.room:
                lines[-1] += f"   {part}"
            else:
                lines.append(part)
        return lines

    def _sign(self, signs: tuple[str, str]) -> str:
        return signs[self.ascii]

    # --- The left side ------------------------------------------------------------------------

    def _rail(self, vertex: Vertex, rail: Rail) -> list[_Span]:
        spans = []
        for character, lane in zip(rail.characters, rail.lanes, strict=True):
            if character == "●":
                spans.append(_Span(self._sign(GLYPHS[vertex.kind]), COLOURS[vertex.kind]))
            else:
                spans.append(_Span(character, LANES[lane % len(LANES)]))
        return [*spans, _Span(" " * (self.rail_width - len(rail.characters)))]

    def _passing(self, rail: Rail) -> list[_Span]:
        """The rails beside a line that belongs to no vertex."""
        sign = (ASCII if self.ascii else UNICODE).pass_by
        spans = [
            _Span(f"{sign if runs else ' '} ", LANES[lane % len(LANES)])
            for lane, runs in enumerate(rail.after)
        ]
        return [*spans, _Span(" " * (self.rail_width - 2 * len(spans)))]

    def _label_spans(self, row: Row, long: bool) -> list[_Span]:
        bar, corner, top = ("| ", "` ", ", ") if self.ascii else ("│ ", "╰ ", "╭ ")
        if row.vertex is None:
            assert row.heading is not None
            title = frame_title(row.heading) + (" (continued)" if row.continued else "")
            lead = _Span(bar * len(row.frames) + top, COLOURS["quiet"])
            return [lead, _Span(title, COLOURS["heading"])]
        vertex = row.vertex
        bars = bar * (len(row.frames) - row.closes) + corner * row.closes
        spans = [_Span(bars, COLOURS["quiet"])]
        if row.inline:
            frame = self.diagram.clusters[row.inline]
            title = frame_title(frame).partition(" · ")[0]
            spans.append(_Span(title, COLOURS["heading"]))
            spans.append(_Span("  "))
        if vertex.mark is not None:
            sign = self._sign(MARKS[vertex.mark.level])
            spans.append(_Span(f"{sign} ", COLOURS[vertex.mark.level]))
        text = label(self.diagram, vertex, self.operands[vertex.index], long)
        tint = COLOURS[vertex.kind] if vertex.kind != "intermediate" else ""
        return [*spans, _Span(text, tint)]

    def _fitted(self, spans: list[_Span], room: int) -> list[_Span]:
        """The spans in exactly `room` columns: a long name gives way in its middle."""
        sign = ".." if self.ascii else "…"
        found: list[_Span] = []
        left = room
        for span in spans:
            text = to_ascii(span.text) if self.ascii else span.text
            cut = shortened if "(" in text else elided
            found.append(_Span(cut(text, left, sign), span.colour))
            left -= width(found[-1].text)
        return [*found, _Span(" " * left)]

    def _remarks(self, row: Row, vertex: Vertex, rail: Rail) -> list[list[_Span]]:
        """Lines below a vertex: what is marked, remarked and summed up there."""
        texts: list[tuple[str, str]] = []
        if vertex.mark is not None and vertex.mark.text:
            texts.append((vertex.mark.text, COLOURS[vertex.mark.level]))
        if vertex.about and not told_in_label(vertex):
            texts.append((vertex.about, COLOURS["quiet"]))
        summed = self._contributions(vertex)
        if summed:
            texts.append((summed, COLOURS["gradient"]))
        bars = ("| " if self.ascii else "│ ") * (len(row.frames) - row.closes)
        lead = [*self._passing(rail), _Span(bars, COLOURS["quiet"]), _Span("  ")]
        return [[*lead, _Span(clean(text), tint)] for text, tint in texts]

    def _contributions(self, vertex: Vertex) -> str:
        """Where paths meet: the gradient as the sum of what each use sends back."""
        uses = [e for e in self.users[vertex.index] if e.contribution is not None]
        if vertex.shape or vertex.grad is None or not 2 <= len(uses) <= MOST_CONTRIBUTIONS:
            return ""
        text = ""
        for edge in uses:
            piece = number(edge.contribution)
            sign = "" if not text else " - " if piece.startswith("-") else " + "
            text += f"{sign}{piece.lstrip('-') if sign else piece} via "
            text += reference(self.diagram.vertices[edge.head])
        return f"gradient {number(vertex.grad)} = {text}"

    # --- The columns --------------------------------------------------------------------------

    def _columns(
        self, naturally: int, at_most: int
    ) -> tuple[int, list[tuple[str, int, list[_Span]]]]:
        """The room for labels, and the columns: name, width and texts of each.

        Of all that could be shown, the most that leaves labels the room they need.
        """
        room = self.room - self.rail_width
        wanted = min(naturally, int(self.room * SHARE_OF_LABELS))
        chosen: list[tuple[str, int, list[_Span]]] = []
        for plan in self._plans():
            chosen = [c for c in plan if any(span.text.strip() for span in c[2])]
            taken = sum(2 + size for _, size, _ in chosen)
            if room - taken >= wanted:
                break
        else:
            chosen = []
            taken = 0
        return max(1, min(at_most, room - taken)), chosen

    def _plans(self) -> Iterator[list[tuple[str, int, list[_Span]]]]:
        """What columns there could be, the most first."""
        values = [v.value for v in self.shown]
        grads = [v.grad for v in self.shown]
        shapes = self._column("shape", [shape_text(v.shape) for v in self.shown], "quiet")
        dtypes = self._column("dtype", [v.dtype for v in self.shown], "quiet")
        kept = [bytes_text(v.saved) if v.saved else "" for v in self.shown]
        saved = self._column("saved", kept, "quiet")
        lines = [f"{v.source.name}:{v.source.line}" if v.source else "" for v in self.shown]
        source = self._column("line", lines, "quiet")
        for detail in range(len(DETAILS) - 1, -1, -1):
            value = self._values("value", values, detail, "")
            grad = self._values("gradient", grads, detail, "gradient")
            if detail == len(DETAILS) - 1:
                yield [shapes, dtypes, value, grad, saved, source]
            yield [shapes, dtypes, value, grad, saved]
            yield [shapes, value, grad, saved]
            yield [shapes, value, grad]
        yield [shapes, self._values("value", values, 0, "")]
        yield [shapes]

    def _column(self, name: str, texts: list[str], tint: str) -> tuple[str, int, list[_Span]]:
        texts = [to_ascii(clean(text)) if self.ascii else clean(text) for text in texts]
        size = max([len(name), *map(width, texts)])
        return name, size, [_Span(padded(text, size), COLOURS[tint]) for text in texts]

    def _values(
        self, name: str, values: list[Any], detail: int, tint: str
    ) -> tuple[str, int, list[_Span]]:
        texts = column(values, detail, self.ascii)
        arrays = any(getattr(value, "size", 1) > 1 for value in values if value is not None)
        title = heading(name, detail, arrays)
        title = to_ascii(title) if self.ascii else title
        size = max([width(title), *(width(text) for text, _ in texts)])
        spans = [
            _Span(padded(text, size), COLOURS["alarm"] if alarming else COLOURS.get(tint, ""))
            for text, alarming in texts
        ]
        return title, size, spans


def _kind_text(kind: str) -> str:
    return {"intermediate": "result", "group": "several nodes"}.get(kind, kind)
