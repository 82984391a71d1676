"""to_html: a diagram as one page to explore, which needs no network and no server.

The page holds the drawing once for each depth to which modules can be opened, laid out here with
all the care that a static picture gets; the script only moves between them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

from .details import Lines
from .fold.fold import fold
from .model import Diagram, Vertex
from .style import BODY, FONT, MONOSPACE, Theme, check_theme, css
from .summary import shape_text, summarise
from .svg.legend import ROW, arrange, draw_legend, merged
from .svg.paint import Paint
from .svg.rows import title_of
from .svg.svg import Direction, Scene
from .svg.text import escape, figure, one_line, pixels

# A page opens at the deepest level with at most this many vertices: what one sees at a glance.
GLANCE = 80
LEGEND_WIDTH = 272.0
# They share one scope, and run in this order.
SCRIPTS = ("graph.js", "graph_details.js", "graph_input.js")


def to_html(
    diagram: Diagram, *, theme: Theme = "auto", direction: Direction = "down", title: str = ""
) -> str:
    """Draw a diagram as a page with pan, zoom, search, depth, and details of each node.

    Parameters
    ----------
    diagram : Diagram
    theme : {"auto", "light", "dark"}
        What the page begins with; it has a switch.
    direction : {"down", "right"}
        Where values flow.
    title : str
        That of the diagram if empty.

    Returns
    -------
    str
        A whole HTML document. It loads nothing, and works from a file.

    Raises
    ------
    ValueError
        If there is no such theme or direction.
    """
    check_theme(theme)
    heading = one_line(title or diagram.title) or "Computational graph"
    levels = [_Level(name, item, direction) for name, item in _levels(diagram)]
    start = max(
        (i for i, level in enumerate(levels) if len(level.diagram.vertices) <= GLANCE), default=0
    )
    table = _Table()
    data = {
        "start": start,
        "direction": direction,
        "levels": [level.data(table) for level in levels],
        "details": table.rows,
    }
    assets = files("autograd.viz").joinpath("assets")
    # A print is light whatever the screen is.
    style = f"{css('auto', switch=True)}@media print{{{css('light', ':root:root:root')}}}"
    style += assets.joinpath("graph.css").read_text("utf-8")
    style = style.replace("{FONT}", FONT).replace("{MONOSPACE}", MONOSPACE)
    script = "".join(assets.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    parts = {
        "THEME": "" if theme == "auto" else f' data-theme="{theme}"',
        "TITLE": escape(heading),
        "STYLE": style,
        "ABOUT": escape(levels[start].scene.description()),
        "LEGEND": _legend(levels),
        "FIRST": levels[start].drawing(),
        "LEVELS": "".join(
            f'<template data-level="{i}">{level.drawing()}</template>'
            for i, level in enumerate(levels)
            if i != start
        ),
        "DATA": _json(data),
        "SCRIPT": f'(() => {{"use strict";\n{script}}})();',
    }
    page = assets.joinpath("graph.html").read_text("utf-8")
    pieces = page.split("{{")
    return pieces[0] + "".join(
        parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:])
    )


def _levels(diagram: Diagram) -> list[tuple[str, Diagram]]:
    """The diagram with its modules opened ever deeper; levels that look the same come once."""
    deepest = 0
    depth: dict[str, int] = {}
    for path, cluster in diagram.clusters.items():
        depth[path] = depth.get(cluster.parent, 0) + 1
        deepest = max(deepest, depth[path])
    found: list[tuple[str, Diagram]] = []
    for level in range(deepest):
        folded = fold(diagram, depth=level, repeats=False, limit=None)
        if not found or len(folded.vertices) != len(found[-1][1].vertices):
            found.append((f"depth {level}", folded))
    if found and len(found[-1][1].vertices) == len(diagram.vertices):
        found.pop()
    return [*found, ("everything", diagram)]


class _Level:
    """One depth of the page."""

    def __init__(self, name: str, diagram: Diagram, direction: Direction) -> None:
        self.name = name
        self.diagram = diagram
        self.scene = Scene(diagram, direction)

    def drawing(self) -> str:
        """The graph as an SVG element of the page."""
        scene, paint = self.scene, Paint("auto", styled=True)
        width = pixels(scene.places.width + 2 * scene.left)
        height = pixels(scene.places.height + 2 * scene.top)
        return (
            f'<svg class="dagrad" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="{FONT}" font-size="{BODY}" fill="{paint.colour("ink")}"'
            f' role="group" aria-label="{escape(scene.description())}">'
            f'<g class="view">{"".join(scene.parts(paint, interactive=True))}</g></svg>'
        )

    def data(self, table: _Table) -> dict[str, Any]:
        """What the script needs to know of it."""
        details = self.scene.details
        return {
            "name": self.name,
            "about": self.scene.description(),
            "nodes": [
                {
                    "label": _label(vertex),
                    "path": one_line(vertex.name if vertex.kind == "group" else vertex.cluster),
                    "group": vertex.kind == "group",
                    "find": _haystack(vertex),
                    "lines": table.number(details.vertex(vertex)),
                    "bars": _bars(vertex),
                }
                for vertex in self.diagram.vertices
            ],
            "edges": [
                [edge.tail, edge.head, table.number(details.edge(edge))]
                for edge in self.diagram.edges
            ],
            "outputs": self.diagram.outputs,
        }


class _Table:
    """Descriptions, each stored once: most are the same at all depths."""

    def __init__(self) -> None:
        self.rows: list[Lines] = []
        self._numbers: dict[tuple[tuple[str, str], ...], int] = {}

    def number(self, lines: Lines) -> int:
        key = tuple(lines)
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(lines)
        return self._numbers[key]


def _label(vertex: Vertex) -> str:
    """What a button to this vertex says."""
    return "".join(words.text for words in title_of(vertex))


def _haystack(vertex: Vertex) -> str:
    """What a search looks into."""
    shape = shape_text(vertex.shape)
    plain = shape.replace("×", "x")
    words = (vertex.name, vertex.op, vertex.kind, shape, plain, vertex.dtype, vertex.cluster)
    return one_line(" ".join(dict.fromkeys(word for word in words if word))).lower()


def _bars(vertex: Vertex) -> list[Any]:
    """Histograms of value and gradient: [label, counts, smallest, mean, largest] each."""
    found = []
    for label, value in (("value", vertex.value), ("gradient", vertex.grad)):
        if isinstance(value, np.ndarray) and value.size > 1:
            summary = summarise(value)
            if summary.histogram:
                ends = (summary.minimum, summary.mean, summary.maximum)
                found.append([label, list(summary.histogram), *(figure(end) for end in ends)])
    return found


def _legend(levels: list[_Level]) -> str:
    """One legend for all depths."""
    paint = Paint("auto", styled=True)
    rows = arrange(merged(level.scene.entries for level in levels), LEGEND_WIDTH)
    if not rows:
        return ""
    drawn, height = draw_legend(paint, rows, 0, 0), ROW * len(rows)
    return (
        f'<svg class="dagrad legend" width="{pixels(LEGEND_WIDTH)}" height="{pixels(height)}"'
        f' viewBox="0 0 {pixels(LEGEND_WIDTH)} {pixels(height)}" font-family="{FONT}"'
        f' font-size="{BODY}" fill="{paint.colour("ink")}" role="img" aria-label="Legend">'
        f"{drawn}</svg>"
    )


def _json(data: Any) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
