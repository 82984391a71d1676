"""to_svg: a diagram as a static picture, without scripts, that GitHub and notebooks show.

Every element says what it stands for (``data-vertex``, ``data-edge``, ``data-cluster``) and where
it is (``data-box``): the interactive page moves on these, and tests check the picture by them.
"""

from __future__ import annotations

import re
from typing import Literal

from .details import Details, Lines
from .layout import layout
from .model import Cluster, Diagram, Mark
from .style import BODY, FONT, LOOKS, SMALL, Theme, check_theme, css
from .svg_card import SHEET, SHEETS, Card
from .svg_edges import draw_edge, draw_halo, draw_label, label_size, labels_of
from .svg_legend import draw_legend, entries, widest
from .svg_paint import Paint, Words, line_width
from .svg_text import elide, escape, one_line, pixels

Direction = Literal["down", "right"]

MARGIN = 24.0
# A smaller drawing gets some paper around it: its legend and title need room.
NARROWEST = 240.0
HEADING, HEADING_SIZE = 34.0, 16.0
LEGEND_GAP = 22.0

# The title of a frame.
HEADER_HEIGHT, HEADER_PAD = 28.0, 12.0
HEADER_WIDEST = 320.0
FRAME_CORNER = 12.0
FRAME_OPACITY = 0.045

NOTHING = "This graph is empty"
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
        self.entries = entries(diagram, self.cards)
        self.heading = one_line(diagram.title)
        widths = [NARROWEST, self.places.width, widest(self.entries)]
        self.width = max(widths) + 2 * MARGIN
        self.left = (self.width - self.places.width) / 2
        self.top = MARGIN + (HEADING if self.heading else 0.0)

    # --- The document -------------------------------------------------------------------------

    def svg(self, theme: Theme = "auto") -> str:
        """The whole picture as a document of its own."""
        check_theme(theme)
        paint = Paint(theme)
        content = self._content(paint)
        style = ""
        if theme == "auto":
            used = set(re.findall(r"var\(--dg-([a-z0-9-]+)\)", content))
            style = f"<style>{css('auto', '.dagrad', names=used)}</style>"
        return f"{self._opening(paint)}{style}{content}</svg>\n"

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
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in LOOKS if kind in counts)
        ends = ", ".join(self.details.short(index) for index in self.diagram.outputs)
        text = f"{len(self.diagram.vertices)} nodes ({kinds}), {len(self.diagram.edges)} edges"
        if not self.diagram.vertices:
            return NOTHING
        return one_line(f"{text}; output: {ends}" if ends else text)

    def _content(self, paint: Paint) -> str:
        body = [self._nothing(paint)] if not self.cards else self.parts(paint)
        bottom = self.top + (self.places.height if self.cards else 60.0)
        legend = ""
        if self.entries:
            y = bottom + LEGEND_GAP
            room = self.width - 2 * MARGIN
            legend, height = draw_legend(paint, self.entries, MARGIN, y, room)
            legend = f'<g class="dg-legend">{legend}</g>'
            bottom = y + height
        self.height = bottom + (MARGIN - 8 if legend else MARGIN)
        back = paint.rect(0, 0, self.width, self.height, "page", corner=10)
        heading = ""
        if self.heading:
            text = elide(self.heading, self.width - 2 * MARGIN, HEADING_SIZE, True)
            words = [Words(text, size=HEADING_SIZE, bold=True)]
            heading = paint.line(words, MARGIN, MARGIN + 15)
        return "".join([back, heading, *body, legend])

    def _nothing(self, paint: Paint) -> str:
        centre = self.width / 2
        return paint.line(
            [Words(NOTHING, bold=True)], centre, self.top + 26, "middle"
        ) + paint.line([Words(NOTHING_MORE, "muted", SMALL)], centre, self.top + 46, "middle")

    # --- Its parts ----------------------------------------------------------------------------

    def parts(self, paint: Paint) -> list[str]:
        """Frames, edges and cards, from back to front, in one group."""
        place = (
            f'<g class="dg-graph" transform="translate({pixels(self.left)} {pixels(self.top)})">'
        )
        on_path = [self._on_path(i) for i in range(len(self.diagram.edges))]
        halos = [
            draw_halo(paint, route)
            for route, marked in zip(self.places.routes, on_path, strict=True)
            if marked
        ]
        return [
            place,
            *(self._frame(paint, i) for i in range(len(self.clusters))),
            *halos,
            *(self._edge(paint, i, on_path[i]) for i in range(len(self.diagram.edges))),
            *(self._label(paint, i) for i in range(len(self.diagram.edges))),
            *(self._node(paint, i) for i in range(len(self.cards))),
            "</g>",
        ]

    def _on_path(self, index: int) -> bool:
        """Whether an edge joins two marked vertices of a marked way."""
        edge = self.diagram.edges[index]
        ends = [self.diagram.vertices[i].mark for i in (edge.tail, edge.head)]
        return all(_is_way(mark) for mark in ends) and any(
            mark is not None and mark.level == "path" for mark in ends
        )

    def _node(self, paint: Paint, index: int) -> str:
        vertex, box = self.diagram.vertices[index], self.places.boxes[index]
        where = _box(box.x, box.y, box.width, box.height)
        return (
            f'<g class="dg-node dg-{vertex.kind}" data-vertex="{index}" data-box="{where}"'
            f' transform="translate({pixels(box.x)} {pixels(box.y)})">'
            f"{tooltip(self.details.vertex(vertex))}{self.cards[index].draw(paint)}</g>"
        )

    def _edge(self, paint: Paint, index: int, on_path: bool) -> str:
        edge, route = self.diagram.edges[index], self.places.routes[index]
        order = min(self.diagram.vertices[edge.head].order, 3)
        ink = "path" if on_path else f"order-{order}" if order else "edge"
        line = draw_edge(paint, route, ink, on_path)
        return (
            f'<g class="dg-edge" data-edge="{index}" data-tail="{edge.tail}"'
            f' data-head="{edge.head}">{tooltip(self.details.edge(edge))}{line}</g>'
        )

    def _label(self, paint: Paint, index: int) -> str:
        centre = self.places.labels[index] if self.labels[index] else None
        if centre is None:
            return ""
        size = label_size(self.labels[index]) or (0.0, 0.0)
        where = _box(centre[0] - size[0] / 2, centre[1] - size[1] / 2, *size)
        drawn = draw_label(paint, self.labels[index], centre)
        return f'<g class="dg-label" data-of-edge="{index}" data-box="{where}">{drawn}</g>'

    def _frame(self, paint: Paint, index: int) -> str:
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
                opacity=FRAME_OPACITY * (1 + self._depth(cluster)),
            )
        )
        name, facts = _header(cluster)
        parts.append(paint.line(name, box.x + HEADER_PAD, box.y + 18.5))
        if facts:
            x = box.x + box.width - HEADER_PAD - line_width(facts)
            parts.append(paint.line(facts, x, box.y + 18.5))
        return (
            f'<g class="dg-cluster" data-cluster="{escape(cluster.path)}" data-box="{where}">'
            f"{tooltip(self.details.cluster(cluster))}{''.join(parts)}</g>"
        )

    def _depth(self, cluster: Cluster) -> int:
        depth = 0
        while cluster.parent:
            cluster = self.diagram.clusters[cluster.parent]
            depth += 1
        return depth


def _is_way(mark: Mark | None) -> bool:
    return mark is not None and mark.level in ("path", "bad", "warn")


def _header(cluster: Cluster) -> tuple[list[Words], list[Words]]:
    """The title of a frame: what stands left, and what stands right."""
    name = [Words(elide(one_line(cluster.name), HEADER_WIDEST / 2, BODY, True), bold=True)]
    kind = one_line(cluster.type)
    if kind and kind != cluster.name:
        name.append(Words(f" : {elide(kind, HEADER_WIDEST / 2, BODY)}", "muted"))
    facts: list[Words] = []
    if cluster.parameters:
        facts.append(Words(f"{cluster.parameters:,} parameters", "muted", SMALL))
    if cluster.repeat > 1:
        if facts:
            facts.append(Words("   ", size=SMALL))
        facts.append(Words(f"× {cluster.repeat}", bold=True))
    return name, facts


def _header_size(cluster: Cluster) -> tuple[float, float]:
    name, facts = _header(cluster)
    width = line_width(name) + (line_width(facts) + 24 if facts else 0.0)
    return width + 2 * HEADER_PAD, HEADER_HEIGHT


def _box(x: float, y: float, width: float, height: float) -> str:
    return " ".join(pixels(value) for value in (x, y, width, height))


def tooltip(lines: Lines) -> str:
    """A title element with one line for each (label, text)."""
    text = "\n".join(f"{label}: {text}" if label else text for label, text in lines)
    return f"<title>{escape(text)}</title>"
