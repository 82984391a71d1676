"""Who stands left of whom in each row: the second step of a layered layout.

Rows are swept down and up; each item is drawn to the mean place of its neighbours in the row
before (the barycentre method), then neighbours change places while that saves crossings. Lanes
and clusters keep one place for all their rows, so that each can be drawn as a straight line or a
rectangle.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from .graph import MAIN_WEIGHT, Levels

# Ways of sweeping differ in their start (from the sinks or the sources), in how much a lane heeds
# its far end when it is placed by its near one, and in whether lanes and clusters move on with
# each row. None is best for all graphs; those that are most often come first. A sweep costs some
# microseconds per item: a graph gets as many ways and sweeps as make up these numbers of items.
WAYS = [(up, far, follow) for far in (0.5, 0.0) for follow in (True, False) for up in (True, False)]
WAY_ITEMS, SWEEP_ITEMS = 16_000, 80_000
# Sweeps at most, and how many in a row may bring nothing.
SWEEPS, PATIENCE = 20, 6
# Rounds of exchanging neighbours after a sweep.
EXCHANGES = 4
# Items in a row keep about this distance while they are ordered.
STEP = 20.0
# Added to the place of a lane and of the k-th leaf beside its user: where all else is equal a
# long edge runs right of what it passes, outside of the leaves.
LANE_BIAS, LEAF_BIAS = 1.0, 0.01


def order_rows(levels: Levels, size: int) -> list[list[list[int]]]:
    """Orders of ``levels.rows`` with few crossings: one or more; `size` limits the effort."""
    if all(len(row) < 2 for row in levels.rows):
        return [levels.rows]
    return _Sweeper(levels).run(size)


def crossings(levels: Levels) -> int:
    """How many pairs of edges cross; those with main lines count several times."""
    place = [0] * len(levels.rank)
    for row in levels.rows:
        for position, item in enumerate(row):
            place[item] = position
    return _crossings(levels.rows, _weighted(levels)[1], place)


def _crossings(
    rows: Sequence[Sequence[int]], downs: Sequence[Sequence[int]], place: Sequence[int]
) -> int:
    total = 0
    for row in rows:
        seen: list[int] = []
        for item in row:
            ends = sorted([place[b] for b in downs[item]])
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return total


def _weighted(levels: Levels) -> tuple[list[list[int]], list[list[int]]]:
    """What each item is joined to above and below; main lines count several times."""
    ups: list[list[int]] = [[] for _ in levels.rank]
    downs: list[list[int]] = [[] for _ in levels.rank]
    for e, chain in enumerate(levels.chains):
        if not levels.bypass[e]:
            times = MAIN_WEIGHT if all(levels.main[e]) else 1
            for a, b in itertools.pairwise(chain):
                downs[a].extend([b] * times)
                ups[b].extend([a] * times)
    return ups, downs


class _Sweeper:
    """The state of the sweeps: where each item, lane and cluster wants to be and is."""

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self.clusters = len(levels.cluster_parents)
        total = len(levels.rank)
        self.x = [0.0] * total
        self.place = [0] * total
        self.lane_x = [0.0] * levels.lanes
        self.cluster_x = [0.0] * self.clusters
        self.prefix: list[tuple[float | int, ...]] = [()] * (self.clusters + 1)  # [-1]: the page
        self.outermost_first = sorted(range(self.clusters), key=lambda c: levels.depth[c])
        self.ups, self.downs = _weighted(levels)
        self.leaf_bias, self.anchor = _leaf_places(levels)
        self.lane_bias = [LANE_BIAS] * levels.lanes
        self.lane_ends = [(0, 0)] * levels.lanes
        for chain, main in zip(levels.chains, levels.main, strict=True):
            tail, head = chain[0], chain[-1]
            for item in chain[1:-1]:
                lane = levels.lane[item]
                self.lane_ends[lane] = tail, head
                if not levels.ups[tail] and len(levels.downs[tail]) == 1:
                    self.lane_bias[lane] = self.leaf_bias[tail]
                elif any(main):
                    self.lane_bias[lane] = 0.0
        self.starts: tuple[list[list[int]], list[list[int]]] = (
            [[] for _ in levels.rows],
            [[] for _ in levels.rows],
        )
        for c in self.outermost_first:
            self.starts[0][levels.top[c]].append(c)
            self.starts[1][levels.bottom[c]].append(c)
        # For each cluster the items outside that are joined to it, above and below.
        self.above: list[list[int]] = [[] for _ in range(self.clusters)]
        self.below: list[list[int]] = [[] for _ in range(self.clusters)]
        if self.clusters:
            self._find_neighbours()

    def _find_neighbours(self) -> None:
        levels = self.levels
        rings: list[tuple[int, ...]] = [()] * (self.clusters + 1)
        for c in self.outermost_first:
            rings[c] = (*rings[levels.cluster_parents[c]], c)
        for a, heads in enumerate(levels.downs):
            outer = rings[levels.container[a]]
            for b in heads:
                inner = rings[levels.container[b]]
                if inner is not outer:
                    for c in inner:
                        if c not in outer:
                            self.above[c].append(a)
                    for c in outer:
                        if c not in inner:
                            self.below[c].append(b)

    def run(self, size: int) -> list[list[list[int]]]:
        """Sweep in several ways, fewer for larger sizes; the best order that each found."""
        found: list[list[list[int]]] = []
        for way in WAYS[: max(1, WAY_ITEMS // size)]:
            order = self._run(*way, max(2, min(SWEEPS, SWEEP_ITEMS // size)))
            if order not in found:
                found.append(order)
        return found

    def _run(self, upwards: bool, far_end: float, follow: bool, sweeps: int) -> list[list[int]]:
        """The best order that sweeps from one start find."""
        rows = self.levels.rows
        self._start(upwards)
        best: list[list[int]] = []
        fewest = stale = 0
        for sweep in range(sweeps):
            self._sweep(upwards == (sweep % 2 == 1), far_end, follow)
            self._exchange()
            count = _crossings(rows, self.downs, self.place)
            if not best or count < fewest:
                best, fewest, stale = [row[:] for row in rows], count, 0
            else:
                stale += 1
            if stale == PATIENCE or not count:
                break
        return best

    def _start(self, upwards: bool) -> None:
        """Order by a depth-first walk from the sinks up or from the sources down."""
        levels = self.levels
        ahead, behind = (levels.ups, levels.downs) if upwards else (levels.downs, levels.ups)
        seen = [False] * len(levels.rank)
        placed = [0] * len(levels.rows)
        for root in range(len(levels.rank)):
            if behind[root]:
                continue
            work = [root]
            while work:
                item = work.pop()
                if seen[item]:
                    continue
                seen[item] = True
                self.x[item] = placed[levels.rank[item]] * STEP
                placed[levels.rank[item]] += 1
                work.extend(reversed(ahead[item]))
        for item, lane in enumerate(levels.lane):
            if lane >= 0:
                self.lane_x[lane] = self.x[item]
        sums = [0.0] * self.clusters
        sizes = [0] * self.clusters
        for item, c in enumerate(levels.container):
            while c >= 0:
                sums[c] += self.x[item]
                sizes[c] += 1
                c = levels.cluster_parents[c]
        for c in self.outermost_first:
            self.cluster_x[c] = sums[c] / sizes[c]
            self._set_prefix(c)
        for row in levels.rows:
            self._arrange(row, {item: self.x[item] for item in row})

    def _set_prefix(self, c: int) -> None:
        outer = self.prefix[self.levels.cluster_parents[c]]
        self.prefix[c] = (*outer, self.cluster_x[c], c)

    def _sweep(self, down: bool, far_end: float, follow: bool) -> None:
        """Order every row by the one before it."""
        levels, x = self.levels, self.x
        before, after = (self.ups, self.downs) if down else (self.downs, self.ups)
        outside = self.above if down else self.below
        starts = self.starts[0 if down else 1]
        lane_seen = [False] * levels.lanes
        rows = range(len(levels.rows))
        for r in rows if down else reversed(rows):
            for c in starts[r]:
                if outside[c]:
                    self.cluster_x[c] = sum(x[i] for i in outside[c]) / len(outside[c])
                self._set_prefix(c)
            row = levels.rows[r]
            wish: dict[int, float] = {}
            for item in row:
                lane = levels.lane[item]
                joined = before[item]
                if lane >= 0:
                    if not lane_seen[lane]:
                        lane_seen[lane] = True
                        if joined:
                            near, far = x[joined[0]], x[self.lane_ends[lane][down]]
                            self.lane_x[lane] = near + (far - near) * far_end + self.lane_bias[lane]
                        else:  # the place of a cluster
                            self.lane_x[lane] = self.cluster_x[levels.container[item]]
                    wish[item] = self.lane_x[lane]
                elif joined:
                    wish[item] = sum([x[i] for i in joined]) / len(joined) + self.leaf_bias[item]
                elif after[item]:
                    joined = after[item]
                    wish[item] = sum([x[i] for i in joined]) / len(joined) + self.leaf_bias[item]
                else:
                    wish[item] = x[item]
            for item in row:
                if self.anchor[item] >= 0:
                    wish[item] = self._seen_from(item, wish) + self.leaf_bias[item]
            self._arrange(row, wish)
            if follow:
                self._follow(row)

    def _seen_from(self, item: int, wish: dict[int, float]) -> float:
        """Where the anchor of an item wishes to be, or the cluster around it that hides it."""
        levels, anchor = self.levels, self.anchor[item]
        around, c = levels.container[item], levels.container[anchor]
        if c == around:
            return wish[anchor]
        while c >= 0 and levels.cluster_parents[c] != around:
            c = levels.cluster_parents[c]
        return self.cluster_x[c] if c >= 0 else wish[item]

    def _follow(self, row: list[int]) -> None:
        """Move lanes and clusters to where they came to stand in this row.

        Their order among each other stays, for it is that of the row; so no two change sides
        from one row to the next.
        """
        levels = self.levels
        within: dict[int, list[float]] = {}
        for item in row:
            if levels.lane[item] >= 0:
                self.lane_x[levels.lane[item]] = self.x[item]
            c = levels.container[item]
            while c >= 0:
                within.setdefault(c, []).append(self.x[item])
                c = levels.cluster_parents[c]
        for c in sorted(within, key=lambda c: levels.depth[c]):
            self.cluster_x[c] = sum(within[c]) / len(within[c])
            self._set_prefix(c)

    def _arrange(self, row: list[int], wish: dict[int, float]) -> None:
        """Sort a row by what its items wish, clusters together, and place it accordingly."""
        levels = self.levels
        if len(row) > 1:
            container, lane, place = levels.container, levels.lane, self.place
            prefix, clusters = self.prefix, self.clusters
            lanes = clusters + levels.lanes
            row.sort(
                key=lambda i: (
                    *prefix[container[i]],
                    wish[i],
                    clusters + lane[i] if lane[i] >= 0 else lanes + place[i],
                )
            )
        for position, item in enumerate(row):
            self.place[item] = position
        spread = spread_out([wish[i] for i in row], [STEP + levels.width[i] for i in row])
        for item, at in zip(row, spread, strict=True):
            self.x[item] = at

    def _exchange(self) -> None:
        """Exchange neighbours of the same cluster, not both lanes, while crossings become fewer."""
        levels, place, x = self.levels, self.place, self.x
        for _ in range(EXCHANGES):
            changed = False
            for row in levels.rows:
                if len(row) < 2:
                    continue
                for i in range(len(row) - 1):
                    a, b = row[i], row[i + 1]
                    if levels.container[a] != levels.container[b]:
                        continue
                    if levels.lane[a] >= 0 and levels.lane[b] >= 0:
                        continue
                    gain = 0
                    for joined in (self.ups, self.downs):
                        if joined[a] and joined[b]:
                            gain += _gain(
                                [place[j] for j in joined[a]], [place[j] for j in joined[b]]
                            )
                    if gain > 0:
                        row[i], row[i + 1] = b, a
                        place[a], place[b] = i + 1, i
                        x[a], x[b] = x[b], x[a]
                        changed = True
            if not changed:
                break


def _gain(a: list[int], b: list[int]) -> int:
    """Crossings saved if an item joined to places `a` and the next, joined to `b`, exchange."""
    if len(a) == len(b) == 1:
        return (a[0] > b[0]) - (a[0] < b[0])
    a.sort()
    saved = 0
    for end in b:
        saved += len(a) - bisect_right(a, end) - bisect_left(a, end)
    return saved


def _leaf_places(levels: Levels) -> tuple[list[float], list[int]]:
    """For each leaf with one user where it shall stand beside the other operands.

    Of several leaves beside a main line one half goes to each side, in the order of the arguments,
    which keeps the main line in the middle; a single one goes to the side on which it stands
    among the arguments.

    Returns
    -------
    bias : list of float
        How far each item is drawn to the left (negative) or right.
    anchor : list of int
        The item of the main line in the same row from which this is meant; -1 if there is none.
    """
    bias, anchor = [0.0] * len(levels.rank), [-1] * len(levels.rank)
    ins: list[list[int]] = [[] for _ in range(levels.count)]
    mains: list[int] = [-1] * levels.count
    for number, (_, head) in enumerate(levels.edges):
        if levels.main[number][1]:
            mains[head] = len(ins[head])
        ins[head].append(number)
    for numbers, main in zip(ins, mains, strict=True):
        tails = [levels.edges[e][0] for e in numbers]
        leaves = [
            i
            for i, t in enumerate(tails)
            if i != main and not levels.ups[t] and len(levels.downs[t]) == 1
        ]
        if main < 0 and len(leaves) < len(tails):
            main = next(i for i in range(len(tails)) if i not in leaves)
        half = len(leaves) // 2
        for i, slot in enumerate(leaves):
            if main < 0:
                side = i
            elif len(leaves) == 1:
                side = 1 if slot > main else -1
            else:
                side = i - half if i < half else i - half + 1
            bias[tails[slot]] = LEAF_BIAS * side
            if main >= 0 and not levels.bypass[numbers[main]]:
                beside = levels.chains[numbers[main]][-2]
                if levels.rank[beside] == levels.rank[tails[slot]]:
                    anchor[tails[slot]] = beside
    return bias, anchor


def spread_out(
    wishes: Sequence[float], sizes: Sequence[float], weights: Sequence[float] = ()
) -> list[float]:
    """Centres of intervals of these sizes, in this order, disjoint, nearest to the wishes.

    Least squares by pooling: neighbours that would overlap form a group, which stands at the
    (weighted) mean of what its members wish.
    """
    offsets = [0.0]
    for left, right in itertools.pairwise(sizes):
        offsets.append(offsets[-1] + (left + right) / 2)
    groups: list[tuple[float, float, int]] = []  # weighted sum of wishes, weight, members
    for i, (wish, offset) in enumerate(zip(wishes, offsets, strict=False)):
        weight = weights[i] if weights else 1.0
        total, members = (wish - offset) * weight, 1
        while groups and groups[-1][0] * weight >= total * groups[-1][1]:
            total += groups[-1][0]
            weight += groups[-1][1]
            members += groups[-1][2]
            groups.pop()
        groups.append((total, weight, members))
    found: list[float] = []
    for total, weight, members in groups:
        at, done = total / weight, len(found)
        found.extend([at + offset for offset in offsets[done : done + members]])
    return found
