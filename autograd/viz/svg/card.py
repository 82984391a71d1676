"""Cards: what is drawn for one vertex.

A card is a stack of rows: what it is (``h = relu``), its shape and dtype, its value, its gradient,
and a finding if there is one. A single number is written out, and so are a few; of more numbers
the card has the distribution, and the smallest, the mean and the largest.
"""

from __future__ import annotations

import math

from ..model import Mark, Vertex
from ..style import LEVELS, LOOKS, SMALL, TITLE
from .paint import Paint, Words, line_width, sign
from .rows import Row, facts, inside_of, numbers_row, title_of
from .text import one_line, pixels, wrap

# Room between the border and the rows.
PAD_X, PAD_Y = 12.0, 9.0
# From one baseline to the next.
TITLE_ROW, ROW = 19.0, 17.0
# From the top of a row to its baseline, for type of the size BODY.
RISE = 12.0
NARROWEST = 64.0
# Widths are multiples of these, so that cards above each other tend to be equal; the second is
# for cards with statistics.
STEP, WIDE_STEP = 8.0, 24.0

# Columns of a row of statistics.
BAR, BAR_GAP, BARS_HEIGHT = 3.0, 1.0, 12.0
COLUMN, COLUMN_GAP = 30.0, 8.0

# What is hotter than this (of the hottest) gets a border that says so.
HOT = 0.5
MARK_BORDER = 2.0
# Lines of a finding, and where they begin after its sign.
MARK_ROW, MARK_INDENT = 15.0, 16.0
# How far the highlight of a marked path reaches beyond a card.
HALO = 5.0

# The sheets behind a card or frame that stands for several.
SHEET = 4.0
SHEETS = 2

_DEGREES = {1: "∂", 2: "∂²", 3: "∂³"}


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
        self.rows = [row for row in (facts(vertex),) if row is not None]
        if vertex.value is not None:
            self.rows.append(numbers_row("value", vertex.value, "value"))
        if vertex.grad is not None:
            self.rows.append(numbers_row("grad", vertex.grad, "gradient"))
        if inside := inside_of(vertex):
            self.rows.append(Row(words=[Words(inside, "muted", SMALL)]))
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
            room = max(width, 150.0) - MARK_INDENT
            self.mark_lines = wrap(one_line(mark.text), room, SMALL)
            longest = max(Words(line, size=SMALL).width for line in self.mark_lines)
            width = max(width, longest + MARK_INDENT)
        step = WIDE_STEP if tables else STEP
        self.front_width = math.ceil((width + 2 * PAD_X) / step) * step
        rows = TITLE_ROW + ROW * len(self.rows)
        self.body_height = math.ceil(rows + 2 * PAD_Y - 4)
        self.mark_height = MARK_ROW * len(self.mark_lines) + 9 if self.mark_lines else 0.0
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
        vertex = self.vertex
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
        stroke, border = self._border()
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

    def _border(self) -> tuple[str, float]:
        """Colour and width: those of the kind, or of what was found."""
        mark, look = self.vertex.mark, LOOKS[self.vertex.kind]
        cool = mark is not None and mark.level == "heat" and _heat(mark) < HOT
        if mark is None or mark.level == "path" or cool:
            return self.vertex.kind, look.border
        return mark.level, MARK_BORDER

    def _draw_mark(self, paint: Paint) -> str:
        mark = self.vertex.mark
        if mark is None:
            return ""
        parts = []
        width, top = self.front_width, self.body_height
        if self.mark_lines:
            inset, ink = self._border()[1], f"{mark.level}-text"
            height = self.front_height - top - inset
            corner = max(LOOKS[self.vertex.kind].corner - inset, 0)
            band = _band(inset, top, width - 2 * inset, height, corner)
            parts.append(paint.path(band, f"{mark.level}-fill"))
            bullet = Words(LEVELS[mark.level], ink, SMALL, bold=True)
            parts.append(paint.line([bullet], PAD_X, top + MARK_ROW))
            for i, text in enumerate(self.mark_lines, 1):
                words = Words(text, ink, SMALL)
                parts.append(paint.line([words], PAD_X + MARK_INDENT, top + MARK_ROW * i))
        if self.heat_height:
            room, y = width - 2 * PAD_X, self.front_height - 7
            parts.append(paint.rect(PAD_X, y, room, 3, "line", corner=1.5))
            parts.append(paint.rect(PAD_X, y, max(room * _heat(mark), 3), 3, "heat", corner=1.5))
        return "".join(parts)


def _heat(mark: Mark) -> float:
    return min(max(mark.heat, 0.0), 1.0) if math.isfinite(mark.heat) else 1.0


def _alarm(text: str) -> Words:
    return Words(text, "alarm-text", SMALL, bold=True)


def _alarm_width(text: str) -> float:
    return _alarm(text).width + 12


def histogram(counts: tuple[int, ...], x: float, bottom: float) -> str:
    """Bars from left to right, the highest as high as the row; what is there is seen."""
    most, skipped = max(counts, default=0), 0.0
    commands = [f"M{pixels(x)} {pixels(bottom)}"]
    for count in counts:
        if count:
            height = max(BARS_HEIGHT * count / most, 1.0)
            move = f"m{pixels(skipped)} 0" if skipped else ""
            commands.append(f"{move}v{pixels(-height)}h{pixels(BAR)}v{pixels(height)}z")
            skipped = 0.0
        skipped += BAR + BAR_GAP
    return "".join(commands)


def _band(x: float, y: float, width: float, height: float, corner: float) -> str:
    """A rectangle whose lower corners are round."""
    c = pixels(corner)
    return (
        f"M{pixels(x)} {pixels(y)}h{pixels(width)}v{pixels(height - corner)}"
        f"a{c} {c} 0 0 1-{c} {c}h{pixels(2 * corner - width)}a{c} {c} 0 0 1-{c}-{c}z"
    )
