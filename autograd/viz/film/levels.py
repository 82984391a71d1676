"""The same graph laid out at several depths: with modules as single boxes, then more and more open.

The page changes between these as the reader opens and closes frames; it moves nothing itself.
"""

from __future__ import annotations

from typing import Any

from ..layout.layout import curves, layout
from ..model import Diagram
from ..style import BODY, SMALL
from ..svg.edges import smooth
from ..svg.text import elide, text_width
from .story import sign

# A card: its title, then numbers, or a line with the shape above two small maps.
PADDING = 10
SCALAR_HEIGHT = 64
ARRAY_HEIGHT = 86
PLAIN_HEIGHT = 44
LEAST_WIDTH = 96
MOST_TITLE = 150
SIGN_ROOM = 26
HEADER_HEIGHT = 22

# More boxes than this are not clear at a glance: the film opens with modules closed.
CLEAR = 24


def levels(diagram: Diagram, labels: list[str]) -> tuple[list[dict[str, Any]], int]:
    """Lay the graph out at each depth that shows something else, and say which to begin with.

    Returns
    -------
    levels : list of dict
        From all modules closed to all open: ``boxes``, ``frames``, ``routes``, ``size``.
    first : int
    """
    depths = _depths(diagram)
    deepest = max(depths.values(), default=0)
    found: list[dict[str, Any]] = []
    for level in range(deepest + 1):
        drawn = _level(diagram, labels, depths, level)
        if drawn is None:
            continue
        if found and len(found[-1]["boxes"]) == len(drawn["boxes"]):
            found.pop()  # it opened only frames around a single box
        found.append(drawn)
    if len(found) > 1 and len(found[0]["boxes"]) == 1:
        del found[0]  # the whole model as one box shows nothing
    first = len(found) - 1
    while first and len(found[first]["boxes"]) > CLEAR:
        first -= 1
    return found, first


def _depths(diagram: Diagram) -> dict[str, int]:
    depths: dict[str, int] = {}
    for path, cluster in diagram.clusters.items():
        depths[path] = 1 + depths.get(cluster.parent, 0)
    return depths


def _level(
    diagram: Diagram, labels: list[str], depths: dict[str, int], level: int
) -> dict[str, Any] | None:
    open_paths = [path for path in diagram.clusters if depths[path] <= level]
    frame_of = {path: i for i, path in enumerate(open_paths)}
    box_of: list[int] = []
    boxes: list[dict[str, Any]] = []
    closed: dict[str, int] = {}
    for vertex in diagram.vertices:
        path, shut = vertex.cluster, ""
        while path:
            if depths[path] > level:
                shut = path
            path = diagram.clusters[path].parent
        if not shut:
            box_of.append(len(boxes))
            boxes.append(_card(diagram, vertex.index, labels[vertex.index], frame_of))
        else:
            if shut not in closed:
                closed[shut] = len(boxes)
                boxes.append(_module(diagram, shut, frame_of))
            boxes[closed[shut]]["v"].append(vertex.index)
            box_of.append(closed[shut])
    edges: dict[tuple[int, int], list[int]] = {}
    for i, edge in enumerate(diagram.edges):
        ends = box_of[edge.tail], box_of[edge.head]
        if ends[0] != ends[1]:
            edges.setdefault(ends, []).append(i)
    # Edges between two cards are drawn one by one (x * x has two), those of a module as one.
    pairs: list[tuple[int, int]] = []
    carried: list[list[int]] = []
    for ends, indices in edges.items():
        alone = all(len(boxes[i]["v"]) == 1 for i in ends)
        for group in [[i] for i in indices] if alone else [indices]:
            pairs.append(ends)
            carried.append(group)
    clusters = [diagram.clusters[path] for path in open_paths]
    try:
        placed = layout(
            [(b["w"], b["h"]) for b in boxes],
            pairs,
            [b.pop("frame") for b in boxes],
            [frame_of.get(c.parent, -1) for c in clusters],
            [(text_width(_frame_title(c), SMALL, True) + 30, HEADER_HEIGHT) for c in clusters],
        )
    except ValueError:
        return None  # closed, modules that call each other would make a circle
    for box, at in zip(boxes, placed.boxes, strict=True):
        box["x"], box["y"] = round(at.x, 1), round(at.y, 1)
    return {
        "boxes": boxes,
        "frames": [
            {
                "x": round(at.x, 1),
                "y": round(at.y, 1),
                "w": round(at.width, 1),
                "h": round(at.height, 1),
                "t": _frame_title(c),
                "tx": [round(x + 12, 1), round(y + 16, 1)],
            }
            for c, at, (x, y) in zip(clusters, placed.clusters, placed.headers, strict=True)
        ],
        "routes": [
            {
                "d": smooth(curves(route)),
                "e": group,
                "from": [round(route[0][0], 1), round(route[0][1], 1)],
            }
            for route, group in zip(placed.routes, carried, strict=True)
        ],
        "size": [round(placed.width, 1), round(placed.height, 1)],
    }


def _card(diagram: Diagram, index: int, label: str, frames: dict[str, int]) -> dict[str, Any]:
    vertex = diagram.vertices[index]
    frame = frames.get(vertex.cluster, -1)
    cluster = diagram.clusters.get(vertex.cluster)
    if vertex.members > 1:
        label = vertex.name or vertex.op or label
    elif cluster is not None and not vertex.op:
        label = label.rsplit(".", 1)[-1]  # its frame says the rest
    title = elide(label, MOST_TITLE, BODY, bold=True)
    mark = elide(sign(vertex), MOST_TITLE, SMALL)
    width = 2 * PADDING + text_width(title, BODY, bold=True)
    if mark:
        width += SIGN_ROOM + text_width(mark, SMALL)
    array = bool(vertex.shape)
    height = ARRAY_HEIGHT if array else SCALAR_HEIGHT
    if vertex.value is None and vertex.grad is None:
        height = PLAIN_HEIGHT
    return {
        "v": [index],
        "t": title,
        "s": mark,
        "w": round(max(LEAST_WIDTH, width), 1),
        "h": height,
        "frame": frame,
    }


def _module(diagram: Diagram, path: str, frames: dict[str, int]) -> dict[str, Any]:
    cluster = diagram.clusters[path]
    title = elide(cluster.name, MOST_TITLE, BODY, bold=True)
    mark = elide(cluster.type if cluster.type != cluster.name else "", MOST_TITLE, SMALL)
    width = 2 * PADDING + text_width(title, BODY, bold=True)
    width += SIGN_ROOM + text_width(mark, SMALL) if mark else 0.0
    return {
        "v": [],
        "t": title,
        "s": mark,
        "m": 1,
        "w": round(max(LEAST_WIDTH, width), 1),
        "h": ARRAY_HEIGHT,
        "frame": frames.get(cluster.parent, -1),
    }


def _frame_title(cluster: Any) -> str:
    title = cluster.name
    if cluster.type and cluster.type != cluster.name:
        title += f" : {cluster.type}"
    if cluster.parameters:
        title += f" · {cluster.parameters:,} parameters"
    return title + (f" × {cluster.repeat}" if cluster.repeat > 1 else "")
