"""Move whole lanes to better places: what sweeps cannot do, since they look at one row at a time.

A lane on the wrong side of a long chain crosses an edge at each end; moving it past one box of
the chain gains nothing, only moving it past all of them does.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .graph import MAIN_WEIGHT, Levels

# A crossing is as bad as this way that edges run sideways.
CROSSING_COST = 150.0
# Places tried for each lane, nearest to its ends first.
TRIED = 24
# How much better a place must be, so that rounding moves nothing.
GAIN = 1.0


def move_lanes(levels: Levels, x: Sequence[float], centres: Sequence[float]) -> list[list[int]]:
    """Rows with the lanes of ``levels.rows`` where each of them crosses little and bends little.

    Parameters
    ----------
    levels : Levels
    x : sequence of float
        Where the items stand with the present rows.
    centres : sequence of float
        The same for the clusters.
    """
    return _Mover(levels, list(x), centres).run()


class _Mover:
    """Rows while their lanes are moved one after the other."""

    def __init__(self, levels: Levels, x: list[float], centres: Sequence[float]) -> None:
        self.levels = levels
        self.x = x
        self.centres = centres
        self.rows = [row[:] for row in levels.rows]
        self.place = [0.0] * len(levels.rank)
        for row in self.rows:
            self._number(row)
        # Edges between each row and the next: upper item, lower item, weight.
        self.gaps: list[list[tuple[int, int, int]]] = [[] for _ in self.rows]
        for e, chain in enumerate(levels.chains):
            if not levels.bypass[e]:
                weight = MAIN_WEIGHT if all(levels.main[e]) else 1
                for a, b in itertools.pairwise(chain):
                    self.gaps[levels.rank[a]].append((a, b, weight))

    def _number(self, row: list[int]) -> None:
        for position, item in enumerate(row):
            self.place[item] = float(position)

    def run(self) -> list[list[int]]:
        """Move each lane once, long ones last: they have the most to cross."""
        lanes: list[list[int]] = [[] for _ in range(self.levels.lanes)]
        for item, lane in enumerate(self.levels.lane):
            if lane >= 0 and self.levels.ups[item]:
                lanes[lane].append(item)
        for items in sorted(lanes, key=len):
            if items:
                self._move(items)
        return self.rows

    def _move(self, items: list[int]) -> None:
        levels, x = self.levels, self.x
        above, below = levels.ups[items[0]][0], levels.downs[items[-1]][0]
        ends = x[above], x[below]
        units = [self._units(item) for item in items]
        columns = sorted({round(at, 3) for found in units for at, _, _ in found})
        places = [columns[0] - 1, columns[-1] + 1] if columns else []
        places += [(a + b) / 2 for a, b in itertools.pairwise(columns)]
        places.sort(key=lambda at: abs(at - ends[0]) + abs(at - ends[1]))
        lane_path = [above, *items, below]
        here = x[items[0]]
        best = self._cost(lane_path, [self.place[i] for i in items])
        best += abs(here - ends[0]) + abs(here - ends[1]) - GAIN
        chosen: float | None = None
        for at in places[:TRIED]:
            aside = abs(at - ends[0]) + abs(at - ends[1])
            if aside >= best:
                break
            cost = aside + self._cost(
                lane_path, [self._slot(i, at, found) for i, found in zip(items, units, strict=True)]
            )
            if cost < best:
                best, chosen = cost, at
        if chosen is None:
            return
        for item, found in zip(items, units, strict=True):
            self.place[item] = self._slot(item, chosen, found)
            row = self.rows[levels.rank[item]]
            row.sort(key=lambda i: self.place[i])
            self._number(row)
            x[item] = chosen

    def _units(self, item: int) -> list[tuple[float, float, float]]:
        """What stands beside an item in its cluster: where, and its first and last position."""
        levels = self.levels
        around = levels.container[item]
        found: list[tuple[float, float, float]] = []
        last = -1
        for other in self.rows[levels.rank[item]]:
            if other == item:
                continue
            inner, c = -1, levels.container[other]
            while c >= 0 and c != around:
                inner, c = c, levels.cluster_parents[c]
            if c != around:
                continue
            at = self.place[other]
            if inner >= 0 and inner == last:
                found[-1] = found[-1][0], found[-1][1], at
            else:
                found.append((self.centres[inner] if inner >= 0 else self.x[other], at, at))
            last = inner
        return found

    def _cost(self, path: list[int], places: list[float]) -> float:
        """The cost of crossings of a lane with its items at these positions."""
        place = self.place
        first = self.levels.rank[path[0]]
        at = [place[path[0]], *places, place[path[-1]]]
        crossed = 0
        for i in range(len(path) - 1):
            a, b = path[i], path[i + 1]
            high, low = at[i], at[i + 1]
            for u, v, weight in self.gaps[first + i]:
                if u != a and v != b and (place[u] < high) != (place[v] < low):
                    crossed += weight
        return crossed * CROSSING_COST

    def _slot(self, item: int, at: float, units: list[tuple[float, float, float]]) -> float:
        """The position of an item between those units left of `at` and the others."""
        for where, first, _ in units:
            if where > at:
                return first - 0.5
        return units[-1][2] + 0.5 if units else self.place[item]
