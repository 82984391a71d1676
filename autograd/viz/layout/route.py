"""The lines of the edges: the last step of a layered layout.

An edge runs straight down through the rows and sideways only in the zones between them, where no
box is. Where several meet a box they spread along its border in the order in which they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .graph import Levels
from .order import spread_out
from .place import ENTRY, Places

Point = tuple[float, float]

# Ends of edges on a border: from its corners (rounded, radius 8), and from each other where there
# is room for that.
CORNER, END_GAP = 14.0, 16.0
# An edge that runs less than this aside is made straight if its neighbours on the border allow.
JOG = 24.0
# Edges that run outside everything: distance from each other.
BYPASS_GAP = 10.0
# An edge that comes straight down onto the middle keeps its end there, and others make way: the
# weight of its wish.
FIRM = 1000


def route(
    levels: Levels, places: Places, heights: Sequence[float]
) -> tuple[list[list[Point]], float]:
    """The points of each edge from border to border, and how far right the outer ones reach."""
    right = max(
        [x + w / 2 for x, w in zip(places.x, levels.width, strict=True)]
        + [cluster[2] for cluster in places.clusters]
    )
    outer: dict[int, float] = {}
    for number in _outer_edges(levels):
        right += BYPASS_GAP
        outer[number] = right
    starts, ends = _ends(levels, places, outer)
    routes: list[list[Point]] = []
    for number, chain in enumerate(levels.chains):
        tail, head = chain[0], chain[-1]
        a, b = levels.rank[tail], levels.rank[head]
        top, bottom = places.rows[a]
        points = [(starts[number], (top + bottom + heights[tail]) / 2)]
        if number in outer:
            points.append((starts[number], places.zones[a][0]))
            points.append((outer[number], places.zones[a][1]))
            points.append((outer[number], places.zones[b - 1][0]))
        else:
            at = starts[number]
            for r, item in enumerate(chain[1:-1], a):
                points.append((at, places.zones[r][0]))
                at = places.x[item]
                points.append((at, places.zones[r][1]))
            points.append((at, places.zones[b - 1][0]))
        points.append((ends[number], places.zones[b - 1][1]))
        top, bottom = places.rows[b]
        points.append((ends[number], (top + bottom - heights[head]) / 2))
        routes.append(_simplified(points))
    return routes, right


def _outer_edges(levels: Levels) -> list[int]:
    """Edges that run outside, short ones (which shall run inside of long ones) first."""
    found = [e for e, outside in enumerate(levels.bypass) if outside]
    rank = levels.rank
    return sorted(found, key=lambda e: rank[levels.edges[e][1]] - rank[levels.edges[e][0]])


@dataclass(slots=True)
class _Border:
    """The edges that meet the upper or lower border of a box, from left to right."""

    numbers: list[int]
    position: dict[int, int]
    gap: float
    low: float
    high: float

    def free(self, number: int, at: float, ends: list[float]) -> bool:
        """Whether this edge can end at `at` between its neighbours."""
        i = self.position[number]
        low = ends[self.numbers[i - 1]] + self.gap if i else self.low
        high = ends[self.numbers[i + 1]] - self.gap if i + 1 < len(self.numbers) else self.high
        return low <= at <= high


def _ends(
    levels: Levels, places: Places, outer: dict[int, float]
) -> tuple[list[float], list[float]]:
    """Where each edge leaves its tail and enters its head."""
    found: tuple[list[float], list[float]] = ([0.0] * len(levels.edges), [0.0] * len(levels.edges))
    borders: list[dict[int, _Border]] = [{}, {}]
    for side in (0, 1):
        meeting: dict[int, list[int]] = {}
        for number, edge in enumerate(levels.edges):
            meeting.setdefault(edge[side], []).append(number)
        for box, numbers in meeting.items():
            borders[side][box] = _spread(levels, places, outer, side, box, numbers, found[side])
    # Straighten what is nearly straight.
    for number, (tail, head) in enumerate(levels.edges):
        chain = levels.chains[number]
        starts, ends = found
        leaves, enters = borders[0][tail], borders[1][head]
        if len(chain) == 2 and number not in outer:
            first, last = starts[number], ends[number]
            if first != last and abs(first - last) < JOG:
                if enters.free(number, first, ends):
                    ends[number] = first
                elif leaves.free(number, last, starts):
                    starts[number] = last
        elif number not in outer:
            for border, at, to in (
                (leaves, places.x[chain[1]], starts),
                (enters, places.x[chain[-2]], ends),
            ):
                if abs(to[number] - at) < JOG and border.free(number, at, to):
                    to[number] = at
    return found


def _spread(
    levels: Levels,
    places: Places,
    outer: dict[int, float],
    side: int,
    box: int,
    numbers: list[int],
    found: list[float],
) -> _Border:
    """Set where edges meet one border of a box."""
    x, here = places.x, places.x[box]
    half = levels.width[box] / 2
    usable = max(half - CORNER, half / 4)
    step = -2 if side else 1
    come = {e: outer.get(e, x[levels.chains[e][step]]) - here for e in numbers}
    numbers.sort(key=lambda e: (come[e], e))
    # On each side of an edge onto the middle there must be room for the others.
    firm = [FIRM if abs(come[e]) < 1 else 1 for e in numbers]
    aside = max(sum(come[e] < 1 for e in numbers), sum(come[e] > -1 for e in numbers)) - 1
    steps = aside if FIRM in firm else (len(numbers) - 1) / 2
    gap = min(END_GAP, usable / max(1, steps))
    wishes: list[float] = []
    for e in numbers:
        wish = come[e]
        if len(levels.chains[e]) == 2 and e not in outer:
            wish /= 2  # both boxes come to meet each other
        if abs(wish) > usable:
            wish = usable * ENTRY if wish > 0 else -usable * ENTRY
        wishes.append(wish)
    for e, at in zip(numbers, _within(wishes, firm, gap, usable), strict=True):
        found[e] = here + at
    position = {e: i for i, e in enumerate(numbers)}
    return _Border(numbers, position, gap, here - usable, here + usable)


def _within(wishes: list[float], firm: list[int], gap: float, limit: float) -> list[float]:
    """Places near the wishes, at least `gap` apart, from ``-limit`` to `limit`."""
    places = spread_out(wishes, [gap] * len(wishes), firm)
    low, high = -limit, limit
    for i in range(len(places)):
        places[i] = low = max(places[i], low)
        low += gap
    for i in reversed(range(len(places))):
        places[i] = high = min(places[i], high)
        high -= gap
    return places


def _simplified(points: list[Point]) -> list[Point]:
    """Without points that repeat or lie within a straight vertical line."""
    found: list[Point] = []
    for point in points:
        if found and point == found[-1]:
            continue
        if len(found) > 1 and found[-1][0] == found[-2][0] == point[0]:
            found.pop()
        found.append(point)
    return found
