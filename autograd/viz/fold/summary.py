"""The last resort for a large graph: stretches of the program told by what they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..model import Diagram, Source, Vertex
from .groups import SEVERITY, Gathered, contract, floating

# Of the vertices that may stay, the part for each end of the program and for marked vertices.
# The rest is for groups, and for the leaves that the others use.
SHARE_OF_AN_END = 0.2
SHARE_OF_MARKED = 0.2
SHARE_OF_LEAVES = 0.2
# Where a group may end, counted in sizes of a group: room to find a line of code that is done.
ROOM = 0.5
# What speaks against ending a group: each value that is carried over the border counts 1.
INSIDE_A_LINE = 4.0
INSIDE_A_MODULE = 8.0
# How many kinds of ops a group names.
NAMED_OPS = 4


def summarise_stretches(diagram: Diagram, limit: int) -> Diagram:
    """Keep about `limit` vertices: the ends, the outputs, what is marked; group the others.

    A group is a stretch of the program, in the order in which it ran, so that no cycle can come
    of it; it ends where few values are alive, and rather between lines and modules than in them.
    """
    free = np.array(floating(diagram), bool)
    inner = np.flatnonzero(~free)
    kept = _kept(diagram, inner, limit)
    stretches = _stretches(diagram, inner, kept, limit)
    leaves = _leaves(diagram, free, stretches, limit)
    groups = [group for group in [*stretches, *leaves] if len(group) > 1]

    def describe(_: int, gathered: Gathered) -> Vertex:
        members = gathered.members
        cluster = _common_cluster(diagram, (v.cluster for v in members))
        total = sum(v.members for v in members)
        vertex = gathered.vertex(op=f"… {total:,} nodes", name="", cluster=cluster)
        vertex.about = _census(members)
        vertex.source = _common_source(members)
        return vertex

    return contract(diagram, groups, describe) if groups else diagram


def _kept(diagram: Diagram, inner: np.ndarray, limit: int) -> np.ndarray:
    """For each vertex whether it stays what it is."""
    kept = np.zeros(len(diagram.vertices), bool)
    end = max(1, int(limit * SHARE_OF_AN_END))
    kept[inner[:end]] = True
    kept[inner[-end:]] = True
    kept[diagram.outputs[: max(1, limit // 4)]] = True
    marked = sorted(
        (SEVERITY[v.mark.level], -v.mark.heat, v.index) for v in diagram.vertices if v.mark
    )
    kept[[v for *_, v in marked[: max(1, int(limit * SHARE_OF_MARKED))]]] = True
    return kept


# --- Stretches --------------------------------------------------------------------------------


def _stretches(
    diagram: Diagram, inner: np.ndarray, kept: np.ndarray, limit: int
) -> list[list[int]]:
    """Cut what lies between the vertices that stay into groups."""
    between = ~kept[inner]
    groups = max(1, limit - int(kept.sum()) - int(limit * SHARE_OF_LEAVES))
    size = max(2, -(-int(between.sum()) // groups))
    cost = _cost_of_cuts(diagram, inner)
    room = int(size * ROOM)
    found = []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], between, [False]]).astype(int)))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        while start < stop:
            cut = stop
            if stop - start > size + room:
                # Between size - room and size + room vertices, whichever cut is cleanest; of
                # equals the one nearest to size.
                offsets = np.arange(max(1, size - room), size + room + 1)
                costs = cost[start + offsets] + np.abs(offsets - size) / (2.0 * size)
                cut = start + int(offsets[np.argmin(costs)])
            found.append(inner[start:cut].tolist())
            start = cut
    return found


def _cost_of_cuts(diagram: Diagram, inner: np.ndarray) -> np.ndarray:
    """For each place in `inner` what speaks against a border before it."""
    size = len(inner)
    rank = np.full(len(diagram.vertices), -1)
    rank[inner] = np.arange(size)
    last = np.full(size, -1)
    tails = rank[[e.tail for e in diagram.edges]]
    heads = rank[[e.head for e in diagram.edges]]
    np.maximum.at(last, tails[tails >= 0], heads[tails >= 0])
    # A value is carried over all borders after it up to its last user.
    carried = np.zeros(size + 2)
    alive = np.flatnonzero(last > np.arange(size))
    np.add.at(carried, alive + 1, 1.0)
    np.add.at(carried, last[alive] + 1, -1.0)
    cost = np.cumsum(carried)[: size + 1]
    lines = _numbers(diagram.vertices[v].source for v in inner)
    frames = _numbers(diagram.vertices[v].cluster for v in inner)
    cost[1:size] += INSIDE_A_LINE * (lines[1:] == lines[:-1])
    cost[1:size] += INSIDE_A_MODULE * (frames[1:] == frames[:-1])
    return cost


def _numbers(items: Iterable[object]) -> np.ndarray:
    known: dict[object, int] = {}
    return np.array([known.setdefault(item, len(known)) for item in items])


# --- Leaves -----------------------------------------------------------------------------------


def _leaves(
    diagram: Diagram, free: np.ndarray, stretches: list[list[int]], limit: int
) -> list[list[int]]:
    """Put leaves into the stretch that alone uses them.

    The others become groups while there are too many, those with the same users first.
    """
    place = {v: number for number, stretch in enumerate(stretches) for v in stretch}
    users: dict[int, set[int]] = {int(v): set() for v in np.flatnonzero(free)}
    for edge in diagram.edges:
        if edge.tail in users:
            users[edge.tail].add(place.get(edge.head, -1 - edge.head))
    fixed = set(diagram.outputs) | {v.index for v in diagram.vertices if v.mark is not None}
    alike: dict[tuple[int, ...], list[int]] = {}
    for v, found in users.items():
        if v in fixed:
            continue
        if len(found) == 1 and min(found) >= 0:
            stretches[min(found)].append(v)
        else:
            alike.setdefault(tuple(sorted(found)), []).append(v)
    allowed = max(1, int(limit * SHARE_OF_LEAVES))
    single = sum(map(len, alike.values()))
    groups: list[list[int]] = []
    for key in sorted(alike, key=lambda key: (-len(alike[key]), alike[key][0])):
        if single + len(groups) <= allowed or len(alike[key]) == 1:
            break
        groups.append(alike.pop(key))
        single -= len(groups[-1])
    if single + len(groups) <= allowed:
        return groups
    # Still too many: the first ones stay, and of the others there is one group for each kind.
    rest = sorted(v for found in [*alike.values(), *groups] for v in found)
    kinds: dict[str, list[int]] = {}
    for v in rest[allowed // 2 :]:
        kinds.setdefault(diagram.vertices[v].kind, []).append(v)
    return list(kinds.values())


# --- Words ------------------------------------------------------------------------------------


def _census(members: list[Vertex]) -> str:
    """What a group is made of: "617 mul, 617 add"."""
    counts: Counter[str] = Counter()
    for vertex in members:
        counts[vertex.op or vertex.kind] += vertex.members
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{count:,} {op}" for op, count in ranked[:NAMED_OPS]]
    others = sum(count for _, count in ranked[NAMED_OPS:])
    return ", ".join([*told, f"{others:,} others"] if others else told)


def _common_cluster(diagram: Diagram, paths: Iterable[str]) -> str:
    """The innermost cluster around all."""
    shared: list[str] | None = None
    for path in dict.fromkeys(paths):
        chain = []
        while path and path in diagram.clusters:
            chain.append(path)
            path = diagram.clusters[path].parent
        chain.reverse()
        if shared is None:
            shared = chain
        same = sum(1 for _ in _while_equal(shared, chain))
        shared = shared[:same]
    return shared[-1] if shared else ""


def _while_equal(a: list[str], b: list[str]) -> Iterable[str]:
    for x, y in zip(a, b, strict=False):
        if x != y:
            return
        yield x


def _common_source(members: list[Vertex]) -> Source | None:
    sources = dict.fromkeys(v.source for v in members if v.source is not None)
    return next(iter(sources)) if len(sources) == 1 else None
