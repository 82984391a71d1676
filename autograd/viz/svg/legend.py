"""The legend: what the looks that occur in a drawing mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model import Diagram
from ..style import LEVEL_WORDS, LEVELS, LOOKS, ORDERS, SMALL
from .card import BAR, BAR_GAP, Card, histogram
from .edges import labels_of
from .paint import Paint, Words, line_width, sign
from .text import pixels

# Height of a row.
ROW = 22.0
SWATCH_WIDTH, SWATCH_HEIGHT = 22.0, 14.0
# Between a swatch and its words, and between one entry and the next.
GAP, BETWEEN = 7.0, 20.0
_BARS = (2, 5, 9, 12, 8, 4, 2)


@dataclass(slots=True)
class Entry:
    """One swatch with its words.

    Attributes
    ----------
    what : {"kind", "bars", "text", "order", "mark"}
    name : str
        Of the kind, colour or mark; for "text" and "order" a colour, a colon, and the text.
    words : list of Words
    """

    what: str
    name: str
    words: list[Words]

    @property
    def swatch(self) -> float:
        """Width of what stands before the words."""
        if self.what == "kind":
            return SWATCH_WIDTH
        if self.what == "bars":
            return len(_BARS) * (BAR + BAR_GAP) - BAR_GAP
        return 14.0

    @property
    def width(self) -> float:
        """Of all of it."""
        return self.swatch + GAP + line_width(self.words)


def entries(diagram: Diagram, cards: Sequence[Card]) -> list[Entry]:
    """The entries that a drawing needs, in the order of `style`."""
    vertices = diagram.vertices
    found = []
    kinds = {vertex.kind for vertex in vertices}
    for kind, look in LOOKS.items():
        if kind in kinds:
            found.append(Entry("kind", kind, [_plain(look.word)]))
    if any(card.shows_bars for card in cards):
        words = [
            _plain("smallest, "),
            Words("mean", "muted", SMALL, bold=True),
            _plain(", largest"),
        ]
        found.append(Entry("bars", "value-bars", words))
    labels = labels_of(diagram)
    if any(edge.slope is not None for edge in diagram.edges):
        found.append(Entry("text", "muted:× 2", [_plain("partial derivative")]))
    if any(any(w.ink in ("gradient", "alarm") for w in words) for words in labels):
        found.append(Entry("text", "gradient:+1", [_plain("added to the gradient by this use")]))
    for order in sorted({min(vertex.order, 3) for vertex in vertices} - {0}):
        degree = ("", "∂", "∂²", "∂³")[order]
        found.append(Entry("order", f"order-{order}:{degree}", [_plain(ORDERS[order])]))
    levels = {vertex.mark.level for vertex in vertices if vertex.mark is not None}
    for level, word in LEVEL_WORDS.items():
        if level in levels:
            found.append(Entry("mark", level, [_plain(word)]))
    return found


def _plain(text: str) -> Words:
    return Words(text, "muted", SMALL)


def merged(lists: Iterable[Sequence[Entry]]) -> list[Entry]:
    """The entries of several drawings, each once, in the order of one."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in (entry for entries in lists for entry in entries):
        found.setdefault((entry.what, entry.name), entry)
    groups, kinds = ("kind", "bars", "text", "order", "mark"), list(LOOKS)
    return sorted(
        found.values(),
        key=lambda e: (groups.index(e.what), kinds.index(e.name) if e.what == "kind" else 0),
    )


def widest(found: Sequence[Entry]) -> float:
    """The width below which an entry would be cut."""
    return max((entry.width for entry in found), default=0.0)


def arrange(found: Sequence[Entry], room: float) -> list[list[Entry]]:
    """Break the entries into rows no wider than `room`."""
    rows: list[list[Entry]] = []
    used = 0.0
    for entry in found:
        if not rows or used + BETWEEN + entry.width > room:
            rows.append([])
            used = -BETWEEN
        rows[-1].append(entry)
        used += BETWEEN + entry.width
    return rows


def draw_legend(paint: Paint, rows: Sequence[Sequence[Entry]], x: float, y: float) -> str:
    """Rows of entries, each `ROW` high, from (x, y) on."""
    parts = []
    for i, row in enumerate(rows):
        left, middle = x, y + ROW * i + ROW / 2
        for entry in row:
            parts.append(_swatch(paint, entry, left, middle))
            parts.append(paint.line(entry.words, left + entry.swatch + GAP, middle + 4))
            left += entry.width + BETWEEN
    return "".join(parts)


def _swatch(paint: Paint, entry: Entry, x: float, middle: float) -> str:
    top = middle - SWATCH_HEIGHT / 2
    if entry.what == "kind":
        look = LOOKS[entry.name]
        back = paint.rect(
            x,
            top,
            SWATCH_WIDTH,
            SWATCH_HEIGHT,
            f"{entry.name}-fill",
            corner=min(look.corner, 5),
            stroke=entry.name,
            border=min(look.border, 2),
            dash=look.dash,
        )
        return back + _small(sign(paint, entry.name, 0, 0), x + SWATCH_WIDTH / 2, middle)
    if entry.what == "bars":
        return paint.path(histogram(_BARS, x, middle + 5), entry.name)
    if entry.what == "mark" and entry.name == "path":
        return paint.rect(x, middle - 4.5, 14, 9, "path-fill", corner=4.5)
    if entry.what == "mark":
        back = paint.rect(x, middle - 7, 14, 14, f"{entry.name}-fill", corner=4, stroke=entry.name)
        words = [Words(LEVELS[entry.name], f"{entry.name}-text", SMALL, bold=True)]
        return back + paint.line(words, x + 7, middle + 4, "middle")
    ink, _, text = entry.name.partition(":")
    return paint.line([Words(text, ink, SMALL)], x + 7, middle + 4, "middle")


def _small(drawing: str, x: float, y: float) -> str:
    if not drawing:
        return ""
    return f'<g transform="translate({pixels(x)} {pixels(y)}) scale(.8)">{drawing}</g>'
