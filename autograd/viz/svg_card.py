"""Cards: what is drawn for one vertex.

A card is a stack of rows: what it is (``h = relu``), its shape and dtype, its value, its gradient,
and a finding if there is one. A single number is written out, and so are a few; of more numbers
the card has the distribution, and the smallest, the mean and the largest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .model import Mark, Vertex
from .style import LEVELS, LOOKS, SMALL, TITLE
from .summary import bytes_text, shape_text, summarise
from .svg_paint import Paint, Words, line_width, sign
from .svg_text import elide, figure, literal, one_line, pixels, wrap

# Room between the border and the rows.
PAD_X, PAD_Y = 12.0, 9.0
# From one baseline to the next.
TITLE_ROW, ROW = 19.0, 17.0
# From the top of a row to its baseline, for type of the size BODY.
RISE = 12.0
# Longer titles and remarks are shortened; the tooltip has all of them.
WIDEST = 250.0
NARROWEST = 64.0
# Widths are multiples of these, so that cards above each other tend to be equal; the second is
# for cards with statistics.
STEP, WIDE_STEP = 8.0, 24.0

# Up to this many elements are written out.
FEW = 4
# Columns of a row of statistics.
BAR, BAR_GAP, BARS_HEIGHT = 3.0, 1.0, 12.0
COLUMN, COLUMN_GAP = 30.0, 8.0

# How far the highlight of a marked path reaches beyond a card.
HALO = 5.0

# The sheets behind a card or frame that stands for several.
SHEET = 4.0
SHEETS = 2

_SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "pow": "^"}
_DEGREES = {1: "∂", 2: "∂²", 3: "∂³"}


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


def _facts(vertex: Vertex) -> Row | None:
    """Shape, dtype and what is saved for the backward pass."""
    parts = []
    has_numbers = vertex.value is not None or vertex.grad is not None
    if vertex.dtype != "float":  # a Scalar is a Python float: there is nothing to tell
        parts.append(Words(shape_text(vertex.shape)))
        if has_numbers or vertex.dtype != "float32":
            parts.append(Words(vertex.dtype, "muted", SMALL))
        if vertex.saved and math.prod(vertex.shape) > 1:
            parts.append(Words(f"saves {bytes_text(vertex.saved)}", "muted", SMALL))
    if vertex.kind == "group" and vertex.members > 1 and "nodes" not in vertex.op:
        parts.append(Words(f"{vertex.members:,} nodes", "muted", SMALL))
    if not parts:
        return None
    words = [parts[0]]
    for part in parts[1:]:
        words += [Words("  ·  ", "muted", SMALL), part]
    return Row(words=words)


def _numbers(label: str, value: Any, ink: str) -> Row:
    """The row that tells a value or a gradient."""
    row = Row(Words(label, "muted" if ink == "value" else ink, SMALL))
    if not isinstance(value, np.ndarray) or value.size == 1:
        one = value.reshape(()).item() if isinstance(value, np.ndarray) else value
        if isinstance(one, float) and not math.isfinite(one):
            row.alarms = ["NaN" if math.isnan(one) else figure(one)]
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


class Card:
    """The drawing of one vertex.

    Parameters
    ----------
    vertex : Vertex

    Attributes
    ----------
    vertex : Vertex
    width, height : float
        Of all that is drawn, sheets behind the card included.
    """

    def __init__(self, vertex: Vertex) -> None:
        self.vertex = vertex
        self.title = title_of(vertex)
        self.rows = [row for row in (_facts(vertex),) if row is not None]
        if vertex.value is not None:
            self.rows.append(_numbers("value", vertex.value, "value"))
        if vertex.grad is not None:
            self.rows.append(_numbers("grad", vertex.grad, "gradient"))
        if vertex.kind == "group" and vertex.about:
            self.rows.append(Row(words=[Words(_short(vertex.about), "muted", SMALL)]))
        self.badges = self._badges()
        # A closed module is one thing; what was left out, and what comes repeatedly, is several.
        self.sheets = SHEETS if vertex.op.startswith("…") or vertex.repeat > 1 else 0
        self._measure()

    def _badges(self) -> list[Words]:
        """What stands at the right end of the title."""
        vertex, badges = self.vertex, []
        if vertex.repeat > 1:
            badges.append(Words(f"× {vertex.repeat}", "muted", bold=True))
        if vertex.order > 0:
            degree = min(vertex.order, 3)
            badges.append(Words(_DEGREES[degree], f"order-{degree}", TITLE, italic=True))
        mark = vertex.mark
        if mark is not None and not mark.text and mark.level != "path":
            badges.append(Words(LEVELS[mark.level], f"{mark.level}-text", bold=True))
        return badges

    @property
    def shows_bars(self) -> bool:
        """Whether a distribution is drawn."""
        return any(row.bars for row in self.rows)

    def _measure(self) -> None:
        labels = [row.label.width for row in self.rows if row.label is not None]
        self.label_width = max(labels) + 10 if labels else 0.0
        tables = [row.columns for row in self.rows if row.columns]
        self.columns = [
            max(COLUMN, *(columns[i].width for columns in tables)) if tables else 0.0
            for i in range(3)
        ]
        signed = self.vertex.kind not in ("intermediate",)
        width = line_width(self.title) + sum(b.width + 9 for b in self.badges) + 18 * signed
        for row in self.rows:
            width = max(width, self._row_width(row))
        width = max(width, NARROWEST)
        self.mark_lines: list[str] = []
        mark = self.vertex.mark
        if mark is not None and mark.text:
            room = max(width, min(WIDEST, 150.0)) - 16
            self.mark_lines = wrap(one_line(mark.text), room, SMALL)
            longest = max(Words(line, size=SMALL).width for line in self.mark_lines)
            width = max(width, longest + 16)
        step = WIDE_STEP if tables else STEP
        self.front_width = math.ceil((width + 2 * PAD_X) / step) * step
        rows = TITLE_ROW + ROW * len(self.rows)
        self.body_height = math.ceil(rows + 2 * PAD_Y - 4)
        self.mark_height = 15.0 * len(self.mark_lines) + 9 if self.mark_lines else 0.0
        self.heat_height = 5.0 if mark is not None and mark.level == "heat" else 0.0
        self.front_height = self.body_height + self.mark_height + self.heat_height
        self.width = self.front_width + SHEET * self.sheets
        self.height = self.front_height + SHEET * self.sheets

    def _row_width(self, row: Row) -> float:
        width = line_width(row.words) + (self.label_width if row.label else 0.0)
        if row.columns:
            bars = len(row.bars) * (BAR + BAR_GAP)
            width += bars + sum(self.columns) + COLUMN_GAP * 3
        return width + sum(_alarm_width(text) + 6 for text in row.alarms)

    # --- Drawing ------------------------------------------------------------------------------

    def draw(self, paint: Paint) -> str:
        """SVG elements, with the card's top left corner at the origin."""
        parts = [self._back(paint)]
        x, right = PAD_X, self.front_width - PAD_X
        y = PAD_Y + RISE + 1
        parts.append(paint.line(self.title, x, y))
        if sign_of := sign(paint, self.vertex.kind, right - 4.5, y - 4.6):
            parts.append(sign_of)
            right -= 18
        for badge in reversed(self.badges):
            parts.append(paint.right(badge, right, y))
            right -= badge.width + 9
        y += 1
        for row in self.rows:
            y += ROW
            parts.append(self._draw_row(paint, row, y))
        parts.append(self._draw_mark(paint))
        return "".join(parts)

    def halo(self, paint: Paint) -> str:
        """What lies behind the edges too: a broad band around a card on a marked path."""
        if self.vertex.mark is None or self.vertex.mark.level != "path":
            return ""
        corner = LOOKS[self.vertex.kind].corner + HALO
        width, height = self.width + 2 * HALO, self.height + 2 * HALO
        return paint.rect(-HALO, -HALO, width, height, "path-fill", corner=corner)

    def _back(self, paint: Paint) -> str:
        """The card itself, and the sheets behind it."""
        vertex, mark = self.vertex, self.vertex.mark
        look = LOOKS[vertex.kind]
        width, height = self.front_width, self.front_height
        parts = []
        for sheet in range(self.sheets, 0, -1):
            shift = SHEET * sheet
            parts.append(
                paint.rect(
                    shift,
                    shift,
                    width,
                    height,
                    "group-fill",
                    corner=look.corner,
                    stroke=vertex.kind,
                )
            )
        stroke, border = vertex.kind, look.border
        if mark is not None and mark.level != "path":
            stroke, border = mark.level, 2
        parts.append(
            paint.rect(
                0,
                0,
                width,
                height,
                f"{vertex.kind}-fill",
                corner=look.corner,
                stroke=stroke,
                border=border,
                dash=look.dash,
            )
        )
        if vertex.order > 0:
            ink = f"order-{min(vertex.order, 3)}"
            parts.append(paint.rect(4, 8, 3, height - 16, ink, corner=1.5))
        return "".join(parts)

    def _draw_row(self, paint: Paint, row: Row, y: float) -> str:
        x, parts = PAD_X, []
        if row.label is not None:
            parts.append(paint.line([row.label], x, y))
            x += self.label_width
        parts.append(paint.line(row.words, x, y))
        x += line_width(row.words)
        if row.columns:
            parts.append(paint.path(histogram(row.bars, x, y + 1), row.bars_ink))
            # Flush right, so that the numbers of both rows stand under each other.
            x = self.front_width - PAD_X - sum(self.columns) - 2 * COLUMN_GAP
            x -= sum(_alarm_width(text) + 6 for text in row.alarms)
            for width, words in zip(self.columns, row.columns, strict=True):
                x += width
                parts.append(paint.right(words, x, y))
                x += COLUMN_GAP
        x += 2 if row.words or row.columns else 0
        for text in row.alarms:
            width = _alarm_width(text)
            parts.append(paint.rect(x, y - 11.5, width, 15, "alarm", corner=4))
            parts.append(paint.line([_alarm(text)], x + 6, y))
            x += width + 6
        return "".join(parts)

    def _draw_mark(self, paint: Paint) -> str:
        mark = self.vertex.mark
        if mark is None:
            return ""
        parts = []
        width, top = self.front_width, self.body_height
        if self.mark_lines:
            bottom = top + self.mark_height
            corner = max(LOOKS[self.vertex.kind].corner - 1, 0)
            band = _band(1, top, width - 2, self.mark_height - 1, 0 if self.heat_height else corner)
            parts.append(paint.path(band, f"{mark.level}-fill"))
            parts.append(
                paint.line(
                    [Words(LEVELS[mark.level], f"{mark.level}-text", SMALL, True)], PAD_X, top + 15
                )
            )
            for i, text in enumerate(self.mark_lines):
                words = Words(text, f"{mark.level}-text", SMALL)
                parts.append(paint.line([words], PAD_X + 16, top + 15 + 15 * i))
            top = bottom
        if self.heat_height:
            length = (width - 2 * PAD_X) * _heat(mark)
            y = self.front_height - 6
            parts.append(paint.rect(PAD_X, y, width - 2 * PAD_X, 3, "line", corner=1.5))
            parts.append(paint.rect(PAD_X, y, max(length, 3), 3, "heat", corner=1.5))
        return "".join(parts)


def _heat(mark: Mark) -> float:
    return min(max(mark.heat, 0.0), 1.0) if math.isfinite(mark.heat) else 1.0


def _short(text: str) -> str:
    return elide(one_line(text), WIDEST, SMALL)


def _alarm(text: str) -> Words:
    return Words(text, "alarm-text", SMALL, bold=True)


def _alarm_width(text: str) -> float:
    return _alarm(text).width + 12


def histogram(counts: tuple[int, ...], x: float, bottom: float) -> str:
    """Bars from left to right, the highest as high as the row; what is there is seen."""
    most = max(counts, default=0)
    commands = []
    for i, count in enumerate(counts):
        height = max(BARS_HEIGHT * count / most, 1.0) if count else 0.0
        if height:
            left = pixels(x + i * (BAR + BAR_GAP))
            commands.append(
                f"M{left} {pixels(bottom)}v{pixels(-height)}h{pixels(BAR)}v{pixels(height)}z"
            )
    return "".join(commands)


def _band(x: float, y: float, width: float, height: float, corner: float) -> str:
    """A rectangle whose lower corners are round."""
    c = pixels(corner)
    return (
        f"M{pixels(x)} {pixels(y)}h{pixels(width)}v{pixels(height - corner)}"
        f"a{c} {c} 0 0 1-{c} {c}h{pixels(2 * corner - width)}a{c} {c} 0 0 1-{c}-{c}z"
    )
