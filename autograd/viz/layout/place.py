"""Coordinates: the third step of a layered layout.

Lanes, and the longest path through each box, become straight vertical lines ("columns"). What
stands left of what is then a set of least distances between columns and the sides of frames;
within these, every column is drawn to the mean of its neighbours, so that a parent stands over
the middle of its children.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .columns import columns
from .graph import Levels, choose_main
from .rank import Cycle
from .settle import Problem, Segment

# Least distances in a row: between boxes, between a box and an edge, between edges. In pixels at
# 100 %, like all sizes here: edges need less room than cards, but an arrow head (8) must fit.
BOX_GAP, EDGE_BOX_GAP, EDGE_GAP = 28.0, 20.0, 14.0
# From a frame to what is inside and to what is outside.
FRAME_PAD, FRAME_GAP = 14.0, 20.0
# How far from the middle of a box several edges meet it, as a part of its half width.
ENTRY = 0.5
# Height between rows in which edges run sideways: at least, and more the farther they run, since
# many flat lines on top of each other cannot be told apart.
ROUTE_HEIGHT, ROUTE_SLOPE, ROUTE_MOST = 34.0, 0.06, 110.0
# The same next to a row of labels alone, of which there is one between any two of boxes.
ROUTE_TO_LABEL = 18.0
# How strongly edges pull: the main line, others, long ones (which should not bend the picture),
# leaves (which go where their user is).
PULL_MAIN, PULL, PULL_LONG, PULL_LEAF = 4.0, 1.0, 0.5, 0.2
# A box that joins or parts several equal lines stands in their middle: its pull to them.
PULL_FAN = 10.0
# The last bit of an edge is straight, so that its arrow head (8 long) points at the box.
STUB = 9.0


@dataclass(slots=True)
class Frame:
    """How much room a cluster needs around its members.

    Attributes
    ----------
    before, after : float
        Above the first and below the last row.
    low, high : float
        To the left and to the right.
    across, along : float
        Least width and height.
    title : float
        From the left side to the first edge that enters from above, so that it passes the title.
    """

    before: float
    after: float
    low: float
    high: float
    across: float
    along: float
    title: float


@dataclass(slots=True)
class Places:
    """Coordinates of one connected graph.

    Attributes
    ----------
    x : list of float
        Centre of each item.
    rows : list of (float, float)
        Top and bottom of each row.
    zones : list of (float, float)
        Where edges run sideways below each row but the last.
    clusters : list of (float, float, float, float)
        Left, top, right, bottom of each frame.
    """

    x: list[float]
    rows: list[tuple[float, float]]
    zones: list[tuple[float, float]]
    clusters: list[tuple[float, float, float, float]]


def place(levels: Levels, heights: Sequence[float], frames: Sequence[Frame]) -> Places:
    """Coordinates for ordered rows; `heights` of all items."""
    x, sides = _place_across(levels, frames)
    rows, zones, ends = _place_along(levels, heights, frames, x)
    clusters = [
        (left, top, right, bottom) for (left, right), (top, bottom) in zip(sides, ends, strict=True)
    ]
    return Places(x, rows, zones, clusters)


# Across the rows


def _place_across(
    levels: Levels, frames: Sequence[Frame]
) -> tuple[list[float], list[tuple[float, float]]]:
    """Centre of each item, and left and right side of each frame."""
    choose_main(levels)  # again: which edge is the middle one is known now
    column = columns(levels)
    try:
        return _solve(levels, frames, column)
    except Cycle:
        # Columns that twist around frames; lanes alone never do.
        first: dict[int, int] = {}
        column = [
            item if lane < 0 else first.setdefault(lane, item)
            for item, lane in enumerate(levels.lane)
        ]
        return _solve(levels, frames, column)


def _solve(
    levels: Levels,
    frames: Sequence[Frame],
    column: list[int],
) -> tuple[list[float], list[tuple[float, float]]]:
    number: dict[int, int] = {}
    of_item = [number.setdefault(c, len(number)) for c in column]
    movable = len(number)
    # Unknowns: columns, then the left and the right side of each frame.
    distances = _distances(levels, frames, of_item, movable)
    total = movable + 2 * len(frames)
    problem = Problem(total, distances)
    neighbours = _pulls(levels, of_item, movable)
    x = problem.settle(neighbours, movable)
    left = min(x[i] - levels.width[item] / 2 for item, i in enumerate(of_item))
    left = min([left, *x[movable:]])
    sides = [(x[movable + 2 * c] - left, x[movable + 2 * c + 1] - left) for c in range(len(frames))]
    return [x[i] - left for i in of_item], sides


def _pulls(levels: Levels, of_item: list[int], movable: int) -> list[list[tuple[int, float]]]:
    """For each column the others that it is drawn to, and how strongly."""
    pulls: list[dict[int, float]] = [{} for _ in range(movable)]
    down_main, up_main = [False] * levels.count, [False] * levels.count
    for (tail, head), (down, up) in zip(levels.edges, levels.main, strict=True):
        down_main[tail] |= down
        up_main[head] |= up
    for e, chain in enumerate(levels.chains):
        if levels.bypass[e]:
            continue
        tail, head = chain[0], chain[-1]
        if all(levels.main[e]):
            pull = PULL_MAIN
        elif not levels.ups[tail] and len(levels.downs[tail]) == 1:
            pull = PULL_LEAF
        else:
            pull = PULL if len(chain) == 2 else PULL_LONG
        for a, b in itertools.pairwise(chain):
            i, j = of_item[a], of_item[b]
            if i != j:
                down = PULL_FAN if a == tail and not down_main[tail] else pull
                up = PULL_FAN if b == head and not up_main[head] else pull
                pulls[i][j] = pulls[i].get(j, 0.0) + down
                pulls[j][i] = pulls[j].get(i, 0.0) + up
    return [list(found.items()) for found in pulls]


def _gap(levels: Levels, a: int, b: int) -> float:
    edges = (levels.lane[a] >= 0 and not levels.width[a]) + (
        levels.lane[b] >= 0 and not levels.width[b]
    )
    return (BOX_GAP, EDGE_BOX_GAP, EDGE_GAP)[edges]


def _distances(
    levels: Levels, frames: Sequence[Frame], of_item: list[int], movable: int
) -> dict[Segment, float]:
    """The least distance from one unknown to another."""
    least: dict[Segment, float] = {}

    def keep(a: int, b: int, distance: float) -> None:
        if distance > least.get((a, b), -1.0):
            least[a, b] = distance

    parents, depth = levels.cluster_parents, levels.depth
    for c, frame in enumerate(frames):
        left, right = movable + 2 * c, movable + 2 * c + 1
        keep(left, right, frame.across)
        if parents[c] >= 0:
            outer = movable + 2 * parents[c]
            keep(outer, left, frames[parents[c]].low)
            keep(right, outer + 1, frames[parents[c]].high)
    for row in levels.rows:
        for position, item in enumerate(row):
            c, half, here = levels.container[item], levels.width[item] / 2, of_item[item]
            if position + 1 < len(row):
                other = row[position + 1]
                d = levels.container[other]
                if c == d:
                    apart = half + levels.width[other] / 2 + _gap(levels, item, other)
                    keep(here, of_item[other], apart)
                    continue
                inner, outer = c, d  # the outermost clusters that hold only one of the two
                while inner >= 0 or outer >= 0:
                    deep_in = depth[inner] if inner >= 0 else -1
                    deep_out = depth[outer] if outer >= 0 else -1
                    up_in = parents[inner] if inner >= 0 else -1
                    up_out = parents[outer] if outer >= 0 else -1
                    if deep_in > deep_out:
                        if up_in == outer:
                            break
                        inner = up_in
                    elif deep_out > deep_in:
                        if up_out == inner:
                            break
                        outer = up_out
                    elif up_in == up_out:
                        break
                    else:
                        inner, outer = up_in, up_out
                inside_a = inner >= 0 and (outer < 0 or depth[inner] >= depth[outer])
                inside_b = outer >= 0 and (inner < 0 or depth[outer] >= depth[inner])
                a = movable + 2 * inner + 1 if inside_a else here
                b = movable + 2 * outer if inside_b else of_item[other]
                apart = FRAME_GAP
                if not inside_a:
                    apart += half
                if not inside_b:
                    apart += levels.width[other] / 2
                keep(a, b, apart)
        _keep_inside(levels, frames, row, of_item, movable, keep)
    for c, frame in enumerate(frames):
        entered = _first_entered(levels, c)
        if frame.title and entered >= 0:
            several = len(levels.ups[entered]) > 1  # then the first meets the box farther left
            aside = levels.width[entered] / 2 * ENTRY if several else 0.0
            keep(movable + 2 * c, of_item[entered], frame.title + aside)
    return least


def _first_entered(levels: Levels, cluster: int) -> int:
    """The leftmost item in a cluster's first row that an edge reaches from above; or -1."""
    for item in levels.rows[levels.top[cluster]]:
        if levels.ups[item]:
            c = levels.container[item]
            while c >= 0 and c != cluster:
                c = levels.cluster_parents[c]
            if c == cluster:
                return item
    return -1


def _keep_inside(
    levels: Levels,
    frames: Sequence[Frame],
    row: list[int],
    of_item: list[int],
    movable: int,
    keep: Callable[[int, int, float], None],
) -> None:
    """The first and the last item of each cluster in a row stay within its frame."""
    if not frames:
        return
    previous = -1
    for item in row:
        c = levels.container[item]
        if c >= 0 and c != previous:
            keep(movable + 2 * c, of_item[item], levels.width[item] / 2 + frames[c].low)
        previous = c
    previous = -1
    for item in reversed(row):
        c = levels.container[item]
        if c >= 0 and c != previous:
            keep(of_item[item], movable + 2 * c + 1, levels.width[item] / 2 + frames[c].high)
        previous = c


# Along the rows


def _place_along(
    levels: Levels, heights: Sequence[float], frames: Sequence[Frame], x: Sequence[float]
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], list[tuple[float, float]]]:
    """Top and bottom of rows, of the zones between them, and of frames."""
    clusters = range(len(frames))
    inner_first = sorted(clusters, key=lambda c: -levels.depth[c])
    parents = levels.cluster_parents
    rise = [frame.before for frame in frames]  # from the frame's top to its first row
    for c in inner_first:
        p = parents[c]
        if p >= 0 and levels.top[p] == levels.top[c]:
            rise[p] = max(rise[p], rise[c] + frames[p].before)
    starting: list[list[int]] = [[] for _ in levels.rows]
    ending: list[list[int]] = [[] for _ in levels.rows]
    for c in inner_first:
        starting[levels.top[c]].append(c)
        ending[levels.bottom[c]].append(c)
    ends = [[0.0, 0.0] for _ in clusters]
    rows: list[tuple[float, float]] = []
    zones: list[tuple[float, float]] = []
    y = 0.0
    for r, row in enumerate(levels.rows):
        y += max((rise[c] for c in starting[r]), default=0.0)
        bottom = y + max((heights[i] for i in row), default=0.0)
        rows.append((y, bottom))
        for c in starting[r]:
            ends[c][0] = y - rise[c]
        lowest = bottom
        for c in ending[r]:
            inside = [ends[d][1] for d in ending[r] if parents[d] == c]
            low = max(inside, default=bottom) + frames[c].after
            ends[c][1] = max(low, ends[c][0] + frames[c].along)
            lowest = max(lowest, ends[c][1])
        if r + 1 < len(levels.rows):
            run = max((abs(x[a] - x[b]) for a in row for b in levels.downs[a]), default=0.0)
            arrives, leaves = levels.has_boxes(r + 1), levels.has_boxes(r)
            least = ROUTE_HEIGHT if arrives and leaves else ROUTE_TO_LABEL
            y = lowest + min(least + ROUTE_SLOPE * run, ROUTE_MOST)
            zones.append((lowest, y))
            if arrives:
                y += STUB
    return rows, zones, [(a, b) for a, b in ends]
