"""Which row each box stands in: the first step of a layered layout.

An edge leads at least one row down. A cluster whose edges to another all lead the same way ends
before that one begins, so that frames follow each other like paragraphs; where edges lead both
ways the two stand side by side. Within these limits edges are kept short: a constant or a
parameter stands right above its user, not at the top of the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Rounds of moving boxes up and down to shorten edges. Nearly all is gained in the first two.
ROUNDS = 4
# More leaves than this that one box alone uses stand in several rows above it.
ABREAST = 8

Arc = tuple[int, int]


class Cycle(ValueError):
    """The edges lead in a circle."""


def topological(count: int, heads: Sequence[Sequence[int]]) -> list[int]:
    """The numbers below `count` such that each stands before its heads; raises `Cycle`."""
    waiting = [0] * count
    for found in heads:
        for head in found:
            waiting[head] += 1
    order = [v for v in range(count) if not waiting[v]]
    for v in order:  # grows while it is read
        for head in heads[v]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    if len(order) != count:
        raise Cycle("the edges lead in a circle")
    return order


def components(count: int, heads: Sequence[Sequence[int]]) -> list[int]:
    """For each vertex the number of its strongly connected component (Tarjan, no recursion)."""
    index = [-1] * count
    low = [0] * count
    found = [-1] * count
    path: list[int] = []
    clock = number = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        index[root] = low[root] = clock
        clock += 1
        path.append(root)
        work = [(root, iter(heads[root]))]
        while work:
            v, rest = work[-1]
            for head in rest:
                if index[head] < 0:
                    index[head] = low[head] = clock
                    clock += 1
                    path.append(head)
                    work.append((head, iter(heads[head])))
                    break
                if found[head] < 0:
                    low[v] = min(low[v], index[head])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[v])
                if low[v] == index[v]:
                    while True:
                        member = path.pop()
                        found[member] = number
                        if member == v:
                            break
                    number += 1
    return found


def common_cluster(a: int, b: int, cluster_parents: Sequence[int], depth: Sequence[int]) -> int:
    """The innermost cluster around both clusters `a` and `b`; -1 for the page itself."""
    while a != b:
        if (depth[a] if a >= 0 else -1) >= (depth[b] if b >= 0 else -1):
            a = cluster_parents[a]
        else:
            b = cluster_parents[b]
    return a


def assign_ranks(
    count: int,
    edges: Sequence[Arc],
    parents: Sequence[int],
    cluster_parents: Sequence[int],
    depth: Sequence[int],
    length: int,
) -> list[int]:
    """The row of each box, from 0; an edge leads at least `length` rows down.

    Raises
    ------
    Cycle
        If the edges lead in a circle.
    """

    # Beside the boxes each cluster has a first and a last row, as two further unknowns.
    def first(c: int) -> int:
        return count + 2 * c

    def last(c: int) -> int:
        return count + 2 * c + 1

    total = count + 2 * len(cluster_parents)
    limits: dict[Arc, int] = {}
    bands: dict[Arc, int] = {}
    for child, parent in enumerate(parents):
        if parent >= 0:
            limits[first(parent), child] = limits[child, last(parent)] = 0
    for child, parent in enumerate(cluster_parents):
        if parent >= 0:
            limits[first(parent), first(child)] = limits[last(child), last(parent)] = 0
    lifted = _lifts(count, edges, length)
    made = [False] * count  # of operands
    for _, head in edges:
        made[head] = True
    of_made = [False] * count  # has an operand that is made itself
    for tail, head in edges:
        of_made[head] |= made[tail]
    for tail, head in edges:
        limits[tail, head] = length + lifted[tail]
        a, b = parents[tail], parents[head]
        # A constant for an op in the middle of a cluster stands beside it, not above it all.
        if a != b and (made[tail] or not of_made[head]):
            around = common_cluster(a, b, cluster_parents, depth)
            above = tail if a == around else last(_child_of(around, a, cluster_parents))
            below = head if b == around else first(_child_of(around, b, cluster_parents))
            bands[above, below] = length + lifted[tail] * (above == tail)
    both: list[list[int]] = [[] for _ in range(total)]
    for a, b in [*limits, *bands]:
        both[a].append(b)
    for c in range(len(cluster_parents)):
        both[first(c)].append(last(c))
    if bands:
        # Clusters that feed each other cannot follow each other.
        part = components(total, both)
        limits.update({(a, b): n for (a, b), n in bands.items() if part[a] != part[b]})

    ins: list[list[Arc]] = [[] for _ in range(total)]
    outs: list[list[Arc]] = [[] for _ in range(total)]
    heads: list[list[int]] = [[] for _ in range(total)]
    for (a, b), least in limits.items():
        ins[b].append((a, least))
        outs[a].append((b, least))
        heads[a].append(b)
    order = topological(total, heads)
    return _shorten(count, edges, order, ins, outs)


def _lifts(count: int, edges: Sequence[Arc], length: int) -> list[int]:
    """How many rows each box stands higher than it need, to share the width with its like.

    Forty inputs of one box would make a very wide picture; in five rows they are a neat block.
    """
    users, tails = [0] * count, [0] * count
    for tail, head in edges:
        users[tail] += 1
        tails[head] += 1
    leaves: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        if users[tail] == 1 and not tails[tail]:
            leaves[head].append(tail)
    lifted = [0] * count
    for found in leaves:
        rows = min(-(-len(found) // ABREAST), math.isqrt(len(found)))
        for i, leaf in enumerate(found):
            lifted[leaf] = (i % rows) * length
    return lifted


def _child_of(around: int, inner: int, cluster_parents: Sequence[int]) -> int:
    """The cluster directly inside `around` that holds cluster `inner`."""
    while cluster_parents[inner] != around:
        inner = cluster_parents[inner]
    return inner


def _shorten(
    count: int,
    edges: Sequence[Arc],
    order: list[int],
    ins: list[list[Arc]],
    outs: list[list[Arc]],
) -> list[int]:
    """Ranks within the limits whose edges are short.

    Starts with everything as late as the sinks allow where these stand as early as they can: side
    chains then hang right above their user. After that boxes with more edges above than below
    move up and those with more below move down, as far as they can. Going up, a box with as many
    above as below moves too, so that what hangs below it can follow.
    """
    total = len(order)
    rank = [0] * total
    for v in order:
        rank[v] = max((rank[a] + least for a, least in ins[v]), default=0)
    for v in reversed(order):
        rank[v] = min((rank[b] - least for b, least in outs[v]), default=rank[v])

    pull = [0] * total  # edges above less edges below
    for tail, head in edges:
        pull[head] += 1
        pull[tail] -= 1

    def cost() -> int:
        return sum(rank[head] - rank[tail] for tail, head in edges)

    best, best_cost = rank[:], cost()
    for _ in range(ROUNDS):
        for v in order:
            if ins[v] and (v >= count or pull[v] >= 0):
                rank[v] = max(rank[a] + least for a, least in ins[v])
        for v in reversed(order):
            if outs[v] and (v >= count or pull[v] < 0):
                rank[v] = min(rank[b] - least for b, least in outs[v])
        now = cost()
        if now >= best_cost:
            break
        best, best_cost = rank[:], now
    lowest = min(best[:count])
    return [r - lowest for r in best[:count]]
