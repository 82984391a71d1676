"""Edges: lines with round corners and arrow heads, and what is written on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .details import brief
from .model import Diagram, Edge
from .style import SMALL
from .svg_paint import Paint, Words, line_width
from .svg_text import figure, pixels

Point = tuple[float, float]

CORNER = 9.0
HEAD_LENGTH, HEAD_HALF = 7.0, 3.4
WIDTH = 1.3
PATH_WIDTH, HALO_WIDTH = 2.2, 9.0
# Around the words on an edge.
LABEL_PAD_X, LABEL_HEIGHT = 5.0, 17.0


def labels_of(diagram: Diagram) -> list[list[Words]]:
    """What is written on each edge: partial derivatives, and contributions where several meet."""
    uses = [0] * len(diagram.vertices)
    for edge in diagram.edges:
        uses[edge.tail] += 1
    return [_label(edge, uses[edge.tail] > 1) for edge in diagram.edges]


def _label(edge: Edge, meets_others: bool) -> list[Words]:
    words = []
    if edge.slope is not None:
        words.append(Words(f"× {figure(edge.slope)}", "muted", SMALL))
    if edge.contribution is not None and meets_others:
        if words:
            words.append(Words("  ", size=SMALL))
        words.append(Words(_signed(edge), "gradient", SMALL))
    return words


def _signed(edge: Edge) -> str:
    """A contribution as something that is added: ``+0.5``."""
    text = brief(edge.contribution)
    single = not isinstance(edge.contribution, np.ndarray) or edge.contribution.size == 1
    return text if text.startswith("−") or not single else f"+{text}"


def label_size(words: list[Words]) -> tuple[float, float] | None:
    """The room that the words on an edge need; None for no words."""
    return (line_width(words) + 2 * LABEL_PAD_X, LABEL_HEIGHT) if words else None


def draw_label(paint: Paint, words: list[Words], centre: Point) -> str:
    """The words on an edge, which the line does not cross."""
    width = line_width(words) + 2 * LABEL_PAD_X
    x, y = centre[0] - width / 2, centre[1] - LABEL_HEIGHT / 2
    back = paint.rect(x, y, width, LABEL_HEIGHT, "page", corner=LABEL_HEIGHT / 2)
    return back + paint.line(words, x + LABEL_PAD_X, centre[1] + 4)


def rounded(points: Sequence[Point]) -> str:
    """Path commands along a polyline, its corners cut by arcs that stay inside of them.

    Examples
    --------
    >>> rounded([(0.0, 0.0), (0.0, 20.0), (30.0, 20.0)])
    'M0 0L0 11Q0 20 9 20L30 20'
    """
    x, y = points[0]
    commands = [f"M{pixels(x)} {pixels(y)}"]
    for i in range(1, len(points) - 1):
        before, corner, after = points[i - 1], points[i], points[i + 1]
        here, there = math.dist(before, corner), math.dist(corner, after)
        radius = min(CORNER, here / 2, there / 2)
        if radius < 0.5:
            commands.append(f"L{_at(corner)}")
            continue
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        commands.append(f"L{_at(start)}Q{_at(corner)} {_at(end)}")
    commands.append(f"L{_at(points[-1])}")
    return "".join(commands)


def _at(point: Point) -> str:
    return f"{pixels(point[0])} {pixels(point[1])}"


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at `distance` from `start` on the way to `end`."""
    whole = math.dist(start, end)
    share = distance / whole if whole else 0.0
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _last_stretch(points: Sequence[Point]) -> tuple[list[Point], Point]:
    """The points without repetitions, and the one before the last."""
    kept = [points[0]]
    kept += [p for q, p in pairwise(points) if math.dist(p, q) > 0.05]
    if len(kept) == 1:
        kept.append((kept[0][0], kept[0][1] + 0.1))
    return kept, kept[-2]


def draw_edge(paint: Paint, points: Sequence[Point], ink: str, on_path: bool) -> str:
    """A line with an arrow head that touches the last point."""
    kept, before = _last_stretch(points)
    tip = kept[-1]
    base = _towards(tip, before, min(HEAD_LENGTH, math.dist(tip, before)))
    line = [*kept[:-1], _towards(tip, before, min(HEAD_LENGTH - 1.5, math.dist(tip, before)))]
    length = math.dist(tip, before) or 1.0
    across = ((before[1] - tip[1]) / length, (tip[0] - before[0]) / length)
    half = HEAD_HALF + (1.2 if on_path else 0)
    left = (base[0] + across[0] * half, base[1] + across[1] * half)
    right = (base[0] - across[0] * half, base[1] - across[1] * half)
    head = f"M{_at(tip)}L{_at(left)}L{_at(right)}z"
    stroke = paint.path(rounded(line), "none", ink, PATH_WIDTH if on_path else WIDTH)
    return stroke + paint.path(head, ink)


def draw_halo(paint: Paint, points: Sequence[Point]) -> str:
    """A broad band under an edge, as if by a marker pen."""
    return paint.path(rounded(_last_stretch(points)[0]), "none", "path-fill", HALO_WIDTH)
