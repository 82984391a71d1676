"""Where boxes, frames and lines stand in a drawing of a graph: geometry, no drawing.

A layered layout after Sugiyama, Tagawa and Toda (1981) for graphs with nested clusters: rows
(layout_rank), long edges as items of the rows they pass (layout_graph), order within rows
(layout_order, layout_lanes), straight lines (layout_columns), coordinates (layout_place,
layout_settle), routes (layout_route).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .graph import Levels, build_levels
from .lanes import CROSSING_COST, move_lanes
from .order import crossings, order_rows
from .place import FRAME_PAD, Frame, Places, place
from .rank import Cycle, assign_ranks
from .route import Point, route
from .task import Task, check, parts

# Between parts of a graph that nothing joins.
PART_GAP = 48.0
# Parts are set in lines about this wide, as a multiple of the height of all, but a line is never
# broken before this width: a page is read at about 16:10.
ASPECT, LINE_LEAST = 1.6, 900.0
# From a title to the first edge that passes it.
TITLE_GAP = 12.0
# Rounds of moving whole lanes, in graphs of no more items than this: the work grows faster than
# the graph.
MOVES, MOVE_ITEMS = 6, 1_500
# Room around a label, since its edge and others pass.
LABEL_PAD = 4.0

Direction = Literal["down", "right"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Layout:
    """The geometry of a drawing, from (0, 0) to (width, height).

    Attributes
    ----------
    width, height : float
    boxes : list of Box
    clusters : list of Box
        Frames.
    headers : list of (float, float)
        Upper left corner of the title of each cluster, beside the edges that enter if it can be.
    routes : list of list of (float, float)
        For each edge a polyline from the border of its tail to the border of its head. Straight
        parts run in the layout's direction; around each slanted part the rectangle that it spans
        is free of boxes and labels, so that any curve within may replace it (see `curves`).
    labels : list of (float, float) or None
        Centre of each edge's label.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    clusters: list[Box] = field(default_factory=list)
    headers: list[Point] = field(default_factory=list)
    routes: list[list[Point]] = field(default_factory=list)
    labels: list[Point | None] = field(default_factory=list)


def layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    parents: Sequence[int] = (),
    cluster_parents: Sequence[int] = (),
    headers: Sequence[tuple[float, float]] = (),
    labels: Sequence[tuple[float, float] | None] = (),
    direction: Direction = "down",
) -> Layout:
    """Place boxes in rows so that all edges lead down (or right) and the picture is calm.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of each box.
    edges : sequence of (tail, head)
        Indices of boxes; acyclic, several between the same two are fine. Where boxes leave a
        choice, those that come first in the edges of their user stand left.
    parents : sequence of int, optional
        Index of the innermost cluster around each box, -1 for none.
    cluster_parents : sequence of int, optional
        Index of the cluster around each cluster, -1 for none.
    headers : sequence of (width, height), optional
        Room for the title at the top of each cluster.
    labels : sequence of (width, height) or None, optional
        Room for a label on each edge.
    direction : {"down", "right"}

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If edges or clusters lead in a circle, an index is out of range, a size is negative or not
        finite, or lengths do not fit.

    Examples
    --------
    >>> found = layout([(40, 20), (40, 20)], [(0, 1)])
    >>> [box.x for box in found.boxes]
    [0.0, 0.0]
    >>> found.routes
    [[(20.0, 20.0), (20.0, 63.0)]]
    """
    if direction not in ("down", "right"):
        raise ValueError(f'direction must be "down" or "right", got {direction!r}')
    parents = list(parents) or [-1] * len(sizes)
    headers = list(headers) or [(0.0, 0.0)] * len(cluster_parents)
    labels = list(labels) or [None] * len(edges)
    depth = check(sizes, edges, parents, cluster_parents, headers, labels)
    turned = direction == "right"

    # A cluster without boxes gets one the size of its title.
    all_sizes, all_parents = list(sizes), list(parents)
    empty = [True] * len(cluster_parents)
    for parent in parents:
        while parent >= 0 and empty[parent]:
            empty[parent] = False
            parent = cluster_parents[parent]
    inner = set(cluster_parents)
    for c, nothing in enumerate(empty):
        if nothing and c not in inner:
            all_sizes.append(headers[c])
            all_parents.append(c)

    found = Layout(
        boxes=[Box(0.0, 0.0, 0.0, 0.0)] * len(all_sizes),
        clusters=[Box(0.0, 0.0, 0.0, 0.0)] * len(cluster_parents),
        headers=[(0.0, 0.0)] * len(cluster_parents),
        routes=[[] for _ in edges],
        labels=[None] * len(edges),
    )
    task = Task(all_sizes, edges, all_parents, cluster_parents, depth, headers, labels, turned)
    pieces = [_lay_out(task, part) for part in parts(task)]
    _pack(found, pieces)
    del found.boxes[len(sizes) :]
    _place_headers(found, headers)
    return found


def curves(points: Sequence[Point], direction: Direction = "down") -> list[tuple[Point, ...]]:
    """A route as Bézier pieces: 2 points for a straight line, 4 for a cubic.

    Each slanted part becomes a curve that leaves and arrives in the layout's direction and stays
    within the rectangle that the part spans.

    Examples
    --------
    >>> curves([(0, 0), (0, 10), (8, 20)])
    [((0, 0), (0, 10)), ((0, 10), (0, 15.0), (8, 15.0), (8, 20))]
    """
    pieces: list[tuple[Point, ...]] = []
    for a, b in itertools.pairwise(points):
        if a[0] == b[0] or a[1] == b[1]:
            pieces.append((a, b))
        elif direction == "down":
            middle = (a[1] + b[1]) / 2
            pieces.append((a, (a[0], middle), (b[0], middle), b))
        else:
            middle = (a[0] + b[0]) / 2
            pieces.append((a, (middle, a[1]), (middle, b[1]), b))
    return pieces


@dataclass(slots=True)
class _Piece:
    """One connected part, laid out from (0, 0)."""

    part: tuple[list[int], list[int], list[int]]
    width: float
    height: float
    boxes: list[Box]
    clusters: list[Box]
    routes: list[list[Point]]
    labels: list[Point | None]


def _lay_out(task: Task, part: tuple[list[int], list[int], list[int]]) -> _Piece:
    """One part, from (0, 0); works in rows downwards and turns the result if asked."""
    boxes, numbers, clusters = part
    of_box = {box: i for i, box in enumerate(boxes)}
    of_cluster = {c: i for i, c in enumerate(clusters)}
    of_cluster[-1] = -1
    across, along = (1, 0) if task.turned else (0, 1)
    widths = [float(task.sizes[b][across]) for b in boxes]
    heights = [float(task.sizes[b][along]) for b in boxes]
    edges = [(of_box[task.edges[e][0]], of_box[task.edges[e][1]]) for e in numbers]
    parents = [of_cluster[task.parents[b]] for b in boxes]
    cluster_parents = [of_cluster[task.cluster_parents[c]] for c in clusters]
    depth = [task.depth[c] for c in clusters]
    rooms = [task.labels[e] for e in numbers]

    # With labels every edge passes at least one row, where its label can stand.
    length = 2 if any(room is not None for room in rooms) else 1
    try:
        ranks = assign_ranks(len(boxes), edges, parents, cluster_parents, depth, length)
    except Cycle:
        raise ValueError("edges lead in a circle; expected an acyclic graph") from None
    used = set(ranks)
    used.update(
        ranks[head] - 1 for (_, head), room in zip(edges, rooms, strict=True) if room is not None
    )
    dense = {rank: i for i, rank in enumerate(sorted(used))}
    ranks = [dense[rank] for rank in ranks]

    label_widths = [room and room[across] + 2 * LABEL_PAD for room in rooms]
    levels = build_levels(widths, edges, ranks, parents, cluster_parents, depth, label_widths)
    heights += [0.0] * (len(levels.rank) - len(boxes))
    for chain, room in zip(levels.chains, rooms, strict=True):
        if room is not None:
            heights[chain[-2]] = room[along] + 2 * LABEL_PAD
    frames = [_frame(task.headers[c], task.turned) for c in clusters]
    places = _best(levels, heights, frames, len(task.sizes))
    lines, right = route(levels, places, heights)
    height = max([places.rows[-1][1]] + [cluster[3] for cluster in places.clusters])

    middles = [(places.rows[r][0] + places.rows[r][1]) / 2 for r in levels.rank]
    piece = _Piece(
        part,
        right,
        height,
        [
            Box(places.x[i] - widths[i] / 2, middles[i] - heights[i] / 2, widths[i], heights[i])
            for i in range(len(boxes))
        ],
        [Box(left, top, r - left, bottom - top) for left, top, r, bottom in places.clusters],
        lines,
        [
            (places.x[chain[-2]], middles[chain[-2]]) if room is not None else None
            for chain, room in zip(levels.chains, rooms, strict=True)
        ],
    )
    return _turned(piece) if task.turned else piece


def _best(levels: Levels, heights: Sequence[float], frames: Sequence[Frame], boxes: int) -> Places:
    """Coordinates for the order of the rows that gives the calmest picture, which is set."""

    def judge(rows: list[list[int]]) -> tuple[float, list[list[int]], Places]:
        levels.rows = rows
        places = place(levels, heights, frames)
        x, downs = places.x, levels.downs
        aside = sum(abs(x[a] - x[b]) for a, joined in enumerate(downs) for b in joined)
        cost = crossings(levels) * CROSSING_COST + aside + max(x) - min(x)
        return cost, rows, places

    # The effort is limited for all parts together.
    size = max(len(levels.rank), boxes)
    best = min((judge(rows) for rows in order_rows(levels, size)), key=lambda judged: judged[0])
    if size <= MOVE_ITEMS:
        for _ in range(MOVES):
            levels.rows = best[1]
            centres = [(left + right) / 2 for left, _, right, _ in best[2].clusters]
            moved = judge(move_lanes(levels, best[2].x, centres))
            if moved[0] >= best[0]:
                break
            best = moved
    levels.rows = best[1]
    return best[2]


def _frame(header: tuple[float, float], turned: bool) -> Frame:
    """The room around a cluster's members, in rows that lead down."""
    width, height = header
    title = height + FRAME_PAD / 2 if height else 0.0
    least = width + 2 * FRAME_PAD if width else 0.0
    if turned:  # the title stands left of the rows' items
        return Frame(FRAME_PAD, FRAME_PAD, FRAME_PAD + title, FRAME_PAD, 0.0, least, 0.0)
    passing = width + FRAME_PAD + TITLE_GAP if width else 0.0
    return Frame(FRAME_PAD + title, FRAME_PAD, FRAME_PAD, FRAME_PAD, least, 0.0, passing)


def _turned(piece: _Piece) -> _Piece:
    """Mirrored at the diagonal: what led down leads right."""
    return _Piece(
        piece.part,
        piece.height,
        piece.width,
        [Box(b.y, b.x, b.height, b.width) for b in piece.boxes],
        [Box(c.y, c.x, c.height, c.width) for c in piece.clusters],
        [[(y, x) for x, y in points] for points in piece.routes],
        [label and (label[1], label[0]) for label in piece.labels],
    )


def _pack(found: Layout, pieces: list[_Piece]) -> None:
    """Set the pieces in lines from left to right, as words on a page."""
    area = sum((p.width + PART_GAP) * (p.height + PART_GAP) for p in pieces)
    line = max(math.sqrt(area * ASPECT), LINE_LEAST)
    x = y = tallest = 0.0
    for piece in pieces:
        if x and x + piece.width > line:
            x, y, tallest = 0.0, y + tallest + PART_GAP, 0.0
        boxes, edges, clusters = piece.part
        for i, b in zip(boxes, piece.boxes, strict=True):
            found.boxes[i] = Box(b.x + x, b.y + y, b.width, b.height)
        for i, c in zip(clusters, piece.clusters, strict=True):
            found.clusters[i] = Box(c.x + x, c.y + y, c.width, c.height)
        for i, points, label in zip(edges, piece.routes, piece.labels, strict=True):
            found.routes[i] = [(px + x, py + y) for px, py in points]
            found.labels[i] = label and (label[0] + x, label[1] + y)
        found.width = max(found.width, x + piece.width)
        found.height = max(found.height, y + piece.height)
        x += piece.width + PART_GAP
        tallest = max(tallest, piece.height)


def _place_headers(found: Layout, headers: Sequence[tuple[float, float]]) -> None:
    """Titles in the upper left corner of their frames."""
    for c, box in enumerate(found.clusters):
        found.headers[c] = (box.x + FRAME_PAD, box.y + FRAME_PAD / 2)
