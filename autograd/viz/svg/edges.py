"""Edges: curves with arrow heads, and what is written on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..details import brief
from ..model import Diagram, Edge
from ..style import SMALL
from .paint import Paint, Words, line_width
from .text import figure, pixels, single

Point = tuple[float, float]

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
        text = _signed(edge)
        broken = "NaN" in text or "inf" in text
        words.append(Words(text, "alarm" if broken else "gradient", SMALL, bold=broken))
    return words


def _signed(edge: Edge) -> str:
    """A contribution as something that is added: ``+0.5``."""
    text = brief(edge.contribution)
    return text if text.startswith("−") or single(edge.contribution) is None else f"+{text}"


def label_size(words: list[Words]) -> tuple[float, float] | None:
    """The room that the words on an edge need; None for no words."""
    return (line_width(words) + 2 * LABEL_PAD_X, LABEL_HEIGHT) if words else None


def draw_label(paint: Paint, words: list[Words], centre: Point) -> str:
    """The words on an edge, which the line does not cross."""
    width = line_width(words) + 2 * LABEL_PAD_X
    x, y = centre[0] - width / 2, centre[1] - LABEL_HEIGHT / 2
    back = paint.rect(x, y, width, LABEL_HEIGHT, "page", corner=LABEL_HEIGHT / 2)
    return back + paint.line(words, x + LABEL_PAD_X, centre[1] + 4)


def _at(point: Point) -> str:
    return f"{pixels(point[0])} {pixels(point[1])}"


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at `distance` from `start` on the way to `end`."""
    whole = math.dist(start, end)
    share = min(distance / whole, 1.0) if whole else 0.0
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def smooth(pieces: Sequence[Sequence[Point]], cut: float = 0.0) -> str:
    """Path commands along straight and cubic pieces; the last ends `cut` earlier.

    Examples
    --------
    >>> smooth([((0, 0), (0, 10)), ((0, 10), (0, 15), (8, 15), (8, 20))], 4.0)
    'M0 0L0 10C0 15 8 15 8 16'
    """
    commands = [f"M{_at(pieces[0][0])}"]
    for i, piece in enumerate(pieces):
        end = piece[-1]
        if cut and i == len(pieces) - 1:
            end = _towards(end, piece[-2], cut)
        if len(piece) == 2:
            commands.append(f"L{_at(end)}")
        else:
            commands.append(f"C{_at(piece[1])} {_at(piece[2])} {_at(end)}")
    return "".join(commands)


def draw_edge(
    paint: Paint, pieces: Sequence[Sequence[Point]], ink: str, on_path: bool, right: bool
) -> str:
    """A line with an arrow head that touches the last point.

    Lines arrive in the direction of the layout, which is where the head points.
    """
    x, y = pieces[-1][-1]
    extra = 1.4 if on_path else 0.0
    length, half = HEAD_LENGTH + extra, HEAD_HALF + extra
    cut = min(length - 1, math.dist(pieces[-1][-2], pieces[-1][-1]))
    corners = [(x - half, y - length), (x + half, y - length)]
    if right:
        corners = [(x - length, y - half), (x - length, y + half)]
    width = PATH_WIDTH if on_path else WIDTH
    line = paint.path(smooth(pieces, cut), "none", ink, width)
    return line + paint.path(f"M{_at((x, y))}L{_at(corners[0])}L{_at(corners[1])}z", ink)


def draw_halo(paint: Paint, pieces: Sequence[Sequence[Point]]) -> str:
    """A broad band under an edge, as if by a marker pen."""
    return paint.path(smooth(pieces), "none", "path-fill", HALO_WIDTH)
