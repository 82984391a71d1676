"""The graph as its layered layout sees it: items in rows, nested in clusters.

An item is a box or the place where a long edge passes through a row. The places of one edge in
one cluster form a lane, which is drawn as one straight line. So do the places that a cluster
keeps free in those of its rows where nothing of it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from .rank import Arc, common_cluster

# An edge takes one item per row it passes. Where a graph is so deep that these would outnumber
# its boxes by far, the longest edges run outside, beside everything (a "bypass").
ITEMS_PER_BOX, ITEMS_LEAST = 12, 20_000
# A crossing with a main line counts as this many, and so does its pull.
MAIN_WEIGHT = 3


@dataclass(slots=True)
class Levels:
    """Items, rows, lanes and clusters of one connected graph.

    Attributes
    ----------
    count : int
        Boxes; items from here on belong to edges and clusters.
    edges : sequence of (tail, head)
    rank : list of int
        Row of each item.
    width : list of float
        Extent of each item along its row.
    container : list of int
        Innermost cluster around each item; -1 for none.
    lane : list of int
        Lane of each item; -1 for a box.
    ups, downs : list of list of int
        Items that each is joined to in the row above and below, once per edge.
    chains : list of list of int
        For each edge its items, from tail to head.
    bypass : list of bool
        Whether the edge runs outside; its chain is then only its tail and head.
    rows : list of list of int
        Items of each row; from left to right once they are ordered.
    cluster_parents, depth : sequence of int
        Of each cluster: parent, and number of clusters around it.
    top, bottom : list of int
        First and last row of each cluster.
    lanes : int
        How many there are.
    main : list of (bool, bool)
        For each edge whether it is the main one of its tail, and of its head; see `choose_main`.
    rows_of_boxes : frozenset of int
        The others hold labels alone.
    """

    count: int
    edges: Sequence[Arc]
    rank: list[int]
    width: list[float]
    container: list[int]
    lane: list[int]
    cluster_parents: Sequence[int]
    depth: Sequence[int]
    top: list[int]
    bottom: list[int]
    ups: list[list[int]] = field(default_factory=list)
    downs: list[list[int]] = field(default_factory=list)
    chains: list[list[int]] = field(default_factory=list)
    bypass: list[bool] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    lanes: int = 0
    main: list[tuple[bool, bool]] = field(default_factory=list)
    rows_of_boxes: frozenset[int] = frozenset()

    def has_boxes(self, row: int) -> bool:
        """Whether there is a box in a row, not only labels."""
        return row in self.rows_of_boxes


def build_levels(
    widths: Sequence[float],
    edges: Sequence[Arc],
    ranks: Sequence[int],
    parents: Sequence[int],
    cluster_parents: Sequence[int],
    depth: Sequence[int],
    labels: Sequence[float | None],
) -> Levels:
    """Put an item into each row that an edge passes; labels (widths) stand in the last of these."""
    count = len(widths)
    top, bottom = _extents(ranks, parents, cluster_parents, depth)
    found = Levels(
        count,
        edges,
        list(ranks),
        list(widths),
        list(parents),
        [-1] * count,
        cluster_parents,
        depth,
        top,
        bottom,
    )
    spans = [ranks[head] - ranks[tail] for tail, head in edges]
    longest = _longest_allowed(spans, ITEMS_PER_BOX * count + ITEMS_LEAST)
    for number, (tail, head) in enumerate(edges):
        chain = [tail]
        label = labels[number]
        outside = spans[number] > longest and label is None
        if not outside:
            previous = -2
            for rank in range(ranks[tail] + 1, ranks[head]):
                around = _around(found, parents[tail], parents[head], rank)
                if around != previous:
                    found.lanes += 1
                    previous = around
                chain.append(len(found.rank))
                found.rank.append(rank)
                found.width.append(0.0)
                found.container.append(around)
                found.lane.append(found.lanes - 1)
            if label is not None:
                found.width[chain[-1]] = label
        chain.append(head)
        found.chains.append(chain)
        found.bypass.append(outside)
    found.ups = [[] for _ in found.rank]
    found.downs = [[] for _ in found.rank]
    for chain, outside in zip(found.chains, found.bypass, strict=True):
        if not outside:
            for a, b in itertools.pairwise(chain):
                found.downs[a].append(b)
                found.ups[b].append(a)
    _fill(found)
    found.rows = [[] for _ in range(max(found.rank) + 1)]
    for item, rank in enumerate(found.rank):
        found.rows[rank].append(item)
    found.rows_of_boxes = frozenset(ranks)
    choose_main(found)
    return found


def choose_main(levels: Levels) -> None:
    """Find ``levels.main``: the edges that shall be one straight line from box to box.

    The main edge below a box leads along the longest path to a sink, the one above along the
    longest from a source; operands without operands that come from outside the box's cluster go
    before those within, as inputs do before parameters. Of an odd number of equal ones it is the
    middle one, of an even number there is none, so that the box stands between them.
    """
    count, edges = levels.count, levels.edges
    outs: list[list[int]] = [[] for _ in range(count)]
    ins: list[list[int]] = [[] for _ in range(count)]
    for number, (tail, head) in enumerate(edges):
        if not levels.bypass[number]:
            outs[tail].append(number)
            ins[head].append(number)
    order = sorted(range(count), key=lambda v: levels.rank[v])
    above, below = [0] * count, [0] * count
    for v in order:
        above[v] = max((above[edges[e][0]] + 1 for e in ins[v]), default=0)
    for v in reversed(order):
        below[v] = max((below[edges[e][1]] + 1 for e in outs[v]), default=0)
    place = [0] * len(levels.rank)
    for row in levels.rows:
        for position, item in enumerate(row):
            place[item] = position

    def middle(numbers: list[int], far: list[float], side: int) -> int:
        """The middle edge of those that lead farthest; -1 if there is none."""
        if not numbers:
            return -1
        most = max(far)
        best = [e for e, f in zip(numbers, far, strict=True) if f == most]
        single = len({edges[e][side] for e in best}) == 1
        direct = len(levels.chains[best[0]]) == 2
        if len(best) % 2 == 0 and not (single and direct):
            return -1
        beside = 1 if side else -2
        best.sort(key=lambda e: place[levels.chains[e][beside]])
        return best[len(best) // 2]

    levels.main = [(False, False)] * len(edges)
    for v in range(count):
        number = middle(outs[v], [below[edges[e][1]] for e in outs[v]], 1)
        if number >= 0:
            levels.main[number] = (True, levels.main[number][1])
        far = [above[edges[e][0]] or _priority(levels, e) for e in ins[v]]
        number = middle(ins[v], far, 0)
        if number >= 0:
            levels.main[number] = (levels.main[number][0], True)


def _priority(levels: Levels, number: int) -> float:
    """Below 1: which of the operands without operands goes first."""
    tail, head = levels.edges[number]
    if levels.container[tail] != levels.container[head]:
        return 0.9
    return 1 / (1 + levels.rank[head] - levels.rank[tail])


def _fill(levels: Levels) -> None:
    """Hold each cluster's place in those of its rows where nothing of it is."""
    taken: list[set[int]] = [set() for _ in levels.cluster_parents]
    for item, c in enumerate(levels.container):
        if c >= 0:
            taken[c].add(levels.rank[item])
    for c in sorted(range(len(taken)), key=lambda c: -levels.depth[c]):
        missing = [r for r in range(levels.top[c], levels.bottom[c] + 1) if r not in taken[c]]
        for rank in missing:
            levels.rank.append(rank)
            levels.width.append(0.0)
            levels.container.append(c)
            levels.lane.append(levels.lanes)
            levels.ups.append([])
            levels.downs.append([])
        levels.lanes += bool(missing)
        if levels.cluster_parents[c] >= 0:
            taken[levels.cluster_parents[c]].update(range(levels.top[c], levels.bottom[c] + 1))


def _extents(
    ranks: Sequence[int],
    parents: Sequence[int],
    cluster_parents: Sequence[int],
    depth: Sequence[int],
) -> tuple[list[int], list[int]]:
    """First and last row of each cluster."""
    far = max(ranks) + 1
    top, bottom = [far] * len(cluster_parents), [-1] * len(cluster_parents)
    for box, parent in enumerate(parents):
        if parent >= 0:
            top[parent] = min(top[parent], ranks[box])
            bottom[parent] = max(bottom[parent], ranks[box])
    for c in sorted(range(len(cluster_parents)), key=lambda c: -depth[c]):
        parent = cluster_parents[c]
        if parent >= 0:
            top[parent] = min(top[parent], top[c])
            bottom[parent] = max(bottom[parent], bottom[c])
    return top, bottom


def _longest_allowed(spans: list[int], budget: int) -> int:
    """The length up to which edges may have items so that all of these stay within `budget`."""
    needed = 0
    for length in sorted(spans):
        needed += length - 1
        if needed > budget:
            return length - 1
    return max(spans, default=0)


def _around(levels: Levels, tail: int, head: int, rank: int) -> int:
    """The cluster in which an edge between boxes of clusters `tail` and `head` passes a row.

    It stays in the cluster of its tail to that cluster's last row and is in its head's cluster
    from that one's first row on; where both hold it passes between the two.
    """
    parents = levels.cluster_parents
    both = common_cluster(tail, head, parents, levels.depth)
    while tail != both and levels.bottom[tail] < rank:
        tail = parents[tail]
    while head != both and levels.top[head] > rank:
        head = parents[head]
    if tail == both:
        return head
    return tail if head == both else both
