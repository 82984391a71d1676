"""Which items of a layered layout stand in one vertical line."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence

from .graph import Levels


def columns(levels: Levels) -> list[int]:
    """For each item the column in which it stands: a line that crosses no other and no frame."""
    total = len(levels.rank)
    place = [0] * total
    for row in levels.rows:
        for position, item in enumerate(row):
            place[item] = position
    wanted: list[list[tuple[int, int, int]]] = [[] for _ in levels.rows]  # priority, a, b
    for number, chain in enumerate(levels.chains):
        if levels.bypass[number]:
            continue
        for a, b in itertools.pairwise(chain):
            if a < levels.count and b < levels.count:
                if all(levels.main[number]):
                    wanted[levels.rank[a]].append((2, a, b))
            elif a < levels.count:
                leaf = not levels.ups[a] and len(levels.downs[a]) == 1
                aligned = levels.main[number][1] or not leaf or not levels.has_boxes(levels.rank[b])
                if levels.main[number][0] and aligned:
                    wanted[levels.rank[a]].append((3, a, b))
            elif b < levels.count:
                if levels.main[number][1]:
                    wanted[levels.rank[a]].append((3, a, b))
            else:
                same = levels.lane[a] == levels.lane[b]
                wanted[levels.rank[a]].append((0 if same else 1, a, b))
    joined = list(range(total))
    for r, segments in enumerate(wanted):
        if not segments:
            continue
        uppers, lowers = _sides_of_frames(levels, r, place)
        for _, a, b in sorted(segments):
            up, low = float(place[a]), float(place[b])
            at = bisect_left(uppers, up)
            if at and lowers[at - 1] >= low:
                continue
            if at < len(uppers) and (uppers[at] == up or lowers[at] <= low):
                continue
            uppers.insert(at, up)
            lowers.insert(at, low)
            joined[b] = joined[a]
    return joined


def _sides_of_frames(
    levels: Levels, r: int, place: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Sides of the clusters that are in rows r and r + 1, as positions between those of items."""
    if not levels.cluster_parents:
        return [], []
    sides: tuple[dict[tuple[int, int], float], ...] = ({}, {})
    for side, row in zip(sides, (levels.rows[r], levels.rows[r + 1]), strict=True):
        for item in row:
            c = levels.container[item]
            while c >= 0:
                inset = 0.4 / (levels.depth[c] + 2)  # outer frames lie farther outside
                side.setdefault((c, 0), place[item] - 0.1 - inset)
                side[c, 1] = place[item] + 0.1 + inset
                c = levels.cluster_parents[c]
    both = sorted((at, sides[1][key]) for key, at in sides[0].items() if key in sides[1])
    return [a for a, _ in both], [b for _, b in both]
