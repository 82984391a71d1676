"""to_svg: a diagram as a static picture, without scripts, that GitHub and notebooks show.

Every element says what it stands for (``data-vertex``, ``data-edge``, ``data-cluster``) and where
it is (``data-box``): the interactive page moves on these, and tests check the picture by them.
"""

from __future__ import annotations

from typing import Literal

from ..details import Details, Lines
from ..layout.layout import curves, layout
from ..model import Cluster, Diagram
from ..style import BODY, FONT, LOOKS, SMALL, Theme, check_theme, dark_sheet
from .card import SHEET, SHEETS, Card
from .edges import draw_edge, draw_halo, draw_label, label_size, labels_of
from .legend import ROW as LEGEND_ROW
from .legend import arrange, draw_legend, entries, widest
from .paint import Paint, Words, line_width
from .text import elide, escape, one_line, pixels, wrap

Direction = Literal["down", "right"]

MARGIN = 24.0
# A smaller drawing gets some paper around it: its legend and title need room.
NARROWEST = 240.0
HEADING, HEADING_SIZE = 34.0, 16.0
NOTE_ROW, NOTE_GAP = 16.0, 12.0
LEGEND_GAP = 22.0

# The title of a frame.
HEADER_HEIGHT = 16.0
HEADER_WIDEST = 320.0
FRAME_CORNER = 12.0
FRAME_OPACITY, DARKEST = 0.04, 3

NOTHING = "This graph is empty"
NOTHING_HEIGHT = 60.0
NOTHING_MORE = "No op was recorded for what was asked to be drawn."


def to_svg(diagram: Diagram, *, theme: Theme = "auto", direction: Direction = "down") -> str:
    """Draw a diagram.

    Parameters
    ----------
    diagram : Diagram
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system, by a style sheet inside the picture; programs without
        style sheets need one of the others.
    direction : {"down", "right"}
        Where values flow.

    Returns
    -------
    str
        An SVG document: text only, and nothing in it needs a network.

    Raises
    ------
    ValueError
        If there is no such theme or direction.

    Examples
    --------
    >>> from autograd.viz import Diagram, Edge, Vertex
    >>> x = Vertex(0, "leaf", name="x", value=3.0)
    >>> y = Vertex(1, "output", op="exp", name="y")
    >>> picture = to_svg(Diagram([x, y], [Edge(0, 1)]), theme="light")
    >>> picture.startswith("<svg "), picture.count("data-vertex")
    (True, 2)
    """
    return Scene(diagram, direction).svg(theme)


class Scene:
    """A diagram whose parts have their places.

    Attributes
    ----------
    cards : list of Card
    places : Layout
        Geometry of the boxes, frames and routes, relative to `left`, `top`.
    left, top : float
        Where the graph begins, inside the picture.
    width, height : float
        Of the picture.
    """

    def __init__(self, diagram: Diagram, direction: Direction = "down") -> None:
        if direction not in ("down", "right"):
            raise ValueError(f'direction must be "down" or "right", not {direction!r}')
        self.diagram = diagram
        self.direction = direction
        self.details = Details(diagram)
        self.cards = [Card(vertex) for vertex in diagram.vertices]
        self.labels = labels_of(diagram)
        self.clusters = list(diagram.clusters.values())
        number = {cluster.path: i for i, cluster in enumerate(self.clusters)}
        self.places = layout(
            [(card.width, card.height) for card in self.cards],
            [(edge.tail, edge.head) for edge in diagram.edges],
            [number.get(vertex.cluster, -1) for vertex in diagram.vertices],
            [number.get(cluster.parent, -1) for cluster in self.clusters],
            [_header_size(cluster) for cluster in self.clusters],
            [label_size(words) for words in self.labels],
            direction,
        )
        self.heading = one_line(diagram.title)
        self.lines = [curves(route, direction) for route in self.places.routes]
        self.entries = entries(diagram, self.cards)
        inside = max(NARROWEST, self.places.width, widest(self.entries))
        self.legend = arrange(self.entries, inside)
        self.width = inside + 2 * MARGIN
        self.left = MARGIN + (inside - self.places.width) / 2
        self.notes = wrap(one_line(diagram.about), inside, SMALL) if diagram.about else []
        self.top = MARGIN + (HEADING if self.heading else 0.0)
        if self.notes:
            self.top += NOTE_ROW * len(self.notes) + NOTE_GAP
        self.bottom = self.top + (self.places.height if self.cards else NOTHING_HEIGHT)
        self.height = self.bottom + MARGIN
        if self.legend:
            self.height += LEGEND_GAP + LEGEND_ROW * len(self.legend) - 8

    # --- The document -------------------------------------------------------------------------

    def svg(self, theme: Theme = "auto") -> str:
        """The whole picture as a document of its own."""
        check_theme(theme)
        paint = Paint(theme)
        opening, content = self._opening(paint), self._content(paint)
        style = ""
        if theme == "auto":
            style = f"<style>{dark_sheet(opening + content)}</style>"
        return f"{opening}{style}{content}</svg>\n"

    def _opening(self, paint: Paint) -> str:
        width, height = pixels(self.width), pixels(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="dagrad" role="img"'
            f' width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="{FONT}" font-size="{BODY}" fill="{paint.colour("ink")}">'
            f"<title>{escape(self.heading or 'Computational graph')}</title>"
            f"<desc>{escape(self.description())}</desc>"
        )

    def description(self) -> str:
        """The drawing in a sentence."""
        counts: dict[str, int] = {}
        for vertex in self.diagram.vertices:
            counts[vertex.kind] = counts.get(vertex.kind, 0) + 1
        kinds = ", ".join(_counted(counts[kind], kind) for kind in LOOKS if kind in counts)
        ends = ", ".join(self.details.short(index) for index in self.diagram.outputs)
        nodes, edges = len(self.diagram.vertices), len(self.diagram.edges)
        text = f"{_counted(nodes, 'node')} ({kinds}), {_counted(edges, 'edge')}"
        if not self.diagram.vertices:
            return NOTHING
        text = f"{text}; output: {ends}" if ends else text
        return one_line(f"{text}; {self.diagram.about}" if self.diagram.about else text)

    def _content(self, paint: Paint) -> str:
        parts = [paint.rect(0, 0, self.width, self.height, "page", corner=10)]
        if self.heading:
            text = elide(self.heading, self.width - 2 * MARGIN, HEADING_SIZE, True)
            words = [Words(text, size=HEADING_SIZE, bold=True)]
            parts.append(paint.line(words, MARGIN, MARGIN + 15))
        first = MARGIN + (HEADING if self.heading else 0.0) + SMALL
        for row, note in enumerate(self.notes):
            parts.append(paint.line([Words(note, "muted", SMALL)], MARGIN, first + NOTE_ROW * row))
        parts += self.parts(paint) if self.cards else [self._nothing(paint)]
        if self.legend:
            drawn = draw_legend(paint, self.legend, MARGIN, self.bottom + LEGEND_GAP)
            parts.append(f'<g class="dg-legend">{drawn}</g>')
        return "".join(parts)

    def _nothing(self, paint: Paint) -> str:
        centre = self.width / 2
        return paint.line(
            [Words(NOTHING, bold=True)], centre, self.top + 26, "middle"
        ) + paint.line([Words(NOTHING_MORE, "muted", SMALL)], centre, self.top + 46, "middle")

    # --- Its parts ----------------------------------------------------------------------------

    def parts(self, paint: Paint, *, interactive: bool = False) -> list[str]:
        """Frames, edges and cards, from back to front, in one group.

        Each has a tooltip; if `interactive`, a label and the keyboard's focus instead.
        """
        place = f'<g class="dg-graph" transform="translate({_point(self.left, self.top)})">'
        on_path = self._on_path()
        halos = [
            draw_halo(paint, line)
            for line, marked in zip(self.lines, on_path, strict=True)
            if marked
        ]
        for card, box in zip(self.cards, self.places.boxes, strict=True):
            if halo := card.halo(paint):
                halos.append(f'<g transform="translate({_point(box.x, box.y)})">{halo}</g>')
        return [
            place,
            *(self._frame(paint, i, interactive) for i in range(len(self.clusters))),
            *halos,
            *(
                self._edge(paint, i, on_path[i], interactive)
                for i in range(len(self.diagram.edges))
            ),
            *(self._header(paint, i) for i in range(len(self.clusters))),
            *(self._label(paint, i) for i in range(len(self.diagram.edges))),
            *(self._node(paint, i, interactive) for i in self._reading_order()),
            "</g>",
        ]

    def _reading_order(self) -> list[int]:
        """Vertices as the eye meets them, which is a topological order too."""
        boxes = self.places.boxes
        if self.direction == "down":
            return sorted(range(len(boxes)), key=lambda i: (boxes[i].y, boxes[i].x))
        return sorted(range(len(boxes)), key=lambda i: (boxes[i].x, boxes[i].y))

    def _on_path(self) -> list[bool]:
        """For each edge, whether it belongs to a marked way: culprits stand on it too."""
        levels = [v.mark.level if v.mark is not None else "" for v in self.diagram.vertices]
        way = [bool("path" in levels and level in ("path", "bad", "warn")) for level in levels]
        return [way[edge.tail] and way[edge.head] for edge in self.diagram.edges]

    def _node(self, paint: Paint, index: int, interactive: bool) -> str:
        vertex, box = self.diagram.vertices[index], self.places.boxes[index]
        where = _box(box.x, box.y, box.width, box.height)
        lines = self.details.vertex(vertex)
        if interactive:
            label = escape(", ".join(t if not n else f"{n} {t}" for n, t in lines[:6]))
            more, title = f' tabindex="0" role="button" aria-label="{label}"', ""
        else:
            more, title = "", tooltip(lines)
        return (
            f'<g class="dg-node dg-{vertex.kind}" data-vertex="{index}" data-box="{where}"{more}'
            f' transform="translate({_point(box.x, box.y)})">'
            f"{title}{self.cards[index].draw(paint)}</g>"
        )

    def _edge(self, paint: Paint, index: int, on_path: bool, interactive: bool) -> str:
        edge = self.diagram.edges[index]
        order = min(self.diagram.vertices[edge.head].order, 3)
        ink = "path" if on_path else f"order-{order}" if order else "edge"
        line = draw_edge(paint, self.lines[index], ink, on_path, self.direction == "right")
        title = "" if interactive else tooltip(self.details.edge(edge))
        return (
            f'<g class="dg-edge" data-edge="{index}" data-tail="{edge.tail}"'
            f' data-head="{edge.head}">{title}{line}</g>'
        )

    def _label(self, paint: Paint, index: int) -> str:
        centre = self.places.labels[index] if self.labels[index] else None
        if centre is None:
            return ""
        size = label_size(self.labels[index]) or (0.0, 0.0)
        where = _box(centre[0] - size[0] / 2, centre[1] - size[1] / 2, *size)
        drawn = draw_label(paint, self.labels[index], centre)
        return f'<g class="dg-label" data-of-edge="{index}" data-box="{where}">{drawn}</g>'

    def _frame(self, paint: Paint, index: int, interactive: bool) -> str:
        cluster, box = self.clusters[index], self.places.clusters[index]
        where = _box(box.x, box.y, box.width, box.height)
        sheets = SHEETS if cluster.repeat > 1 else 0
        parts = [
            paint.rect(
                box.x + SHEET * i,
                box.y + SHEET * i,
                box.width,
                box.height,
                "page",
                corner=FRAME_CORNER,
                stroke="line",
            )
            for i in range(sheets, -1, -1)
        ]
        parts.append(
            paint.rect(
                box.x,
                box.y,
                box.width,
                box.height,
                "frame",
                corner=FRAME_CORNER,
                opacity=self._opacity(cluster),
            )
        )
        title = "" if interactive else tooltip(self.details.cluster(cluster))
        return (
            f'<g class="dg-cluster" data-cluster="{escape(cluster.path)}" data-box="{where}">'
            f"{title}{''.join(parts)}</g>"
        )

    def _header(self, paint: Paint, index: int) -> str:
        """The title of a frame; an edge that could not keep clear of it passes behind it."""
        cluster, (x, y) = self.clusters[index], self.places.headers[index]
        words = _header(cluster)
        back = [
            paint.rect(x - 3, y, line_width(words) + 6, HEADER_HEIGHT, fill, opacity=opacity)
            for fill, opacity in (("page", 1.0), ("frame", self._opacity(cluster)))
        ]
        return (
            f'<g class="dg-header" data-title-of="{escape(cluster.path)}">'
            f"{''.join(back)}{paint.line(words, x, y + 12.5)}</g>"
        )

    def _opacity(self, cluster: Cluster) -> float:
        """Frames are the darker the deeper they are."""
        return FRAME_OPACITY * min(1 + self._depth(cluster), DARKEST)

    def _depth(self, cluster: Cluster) -> int:
        depth = 0
        while cluster.parent:
            cluster = self.diagram.clusters[cluster.parent]
            depth += 1
        return depth


def _counted(count: int, kind: str) -> str:
    """How many there are of something, in words."""
    words = {"leaf": "leaves", "intermediate": "intermediate results"}
    if count == 1:
        return f"1 {'intermediate result' if kind == 'intermediate' else kind}"
    return f"{count:,} {words.get(kind, f'{kind}s')}"


def _header(cluster: Cluster) -> list[Words]:
    """The title of a frame."""
    words = [Words(elide(one_line(cluster.name), HEADER_WIDEST / 2, BODY, True), bold=True)]
    kind = one_line(cluster.type)
    if kind and kind != cluster.name:
        words.append(Words(f" : {elide(kind, HEADER_WIDEST / 2, BODY)}", "muted"))
    if cluster.repeat > 1:
        words.append(Words(f"   × {cluster.repeat}", bold=True))
    if cluster.parameters:
        count = f"{cluster.parameters:,} parameter{'s' * (cluster.parameters > 1)}"
        words.append(Words(f"    {count}", "muted", SMALL))
    return words


def _header_size(cluster: Cluster) -> tuple[float, float]:
    return line_width(_header(cluster)), HEADER_HEIGHT


def _point(x: float, y: float) -> str:
    return f"{pixels(x)} {pixels(y)}"


def _box(x: float, y: float, width: float, height: float) -> str:
    return " ".join(pixels(value) for value in (x, y, width, height))


def tooltip(lines: Lines) -> str:
    """A title element with one line for each (label, text)."""
    text = "\n".join(f"{label}: {text}" if label else text for label, text in lines)
    return f"<title>{escape(text)}</title>"
