"""Several vertices as one: which sets of them can be, and what becomes of their edges."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

import numpy as np

from ..model import Cluster, Diagram, Edge, Mark, Vertex

_vertex_fields = attrgetter(*(f.name for f in fields(Vertex)))
_edge_fields = attrgetter(*(f.name for f in fields(Edge)))

# The worst comes first: the mark that a group takes from its members.
SEVERITY = {"bad": 0, "warn": 1, "heat": 2, "path": 3, "good": 4}


@dataclass(slots=True)
class Gathered:
    """What is known of vertices that become one.

    Attributes
    ----------
    members : list of Vertex
    exits : list of Vertex
        Those whose value is used outside, or is an output; in order.
    """

    members: list[Vertex]
    exits: list[Vertex]

    def vertex(self, op: str, name: str, cluster: str) -> Vertex:
        """Make a vertex of kind "group" with the sums, and with the value of the only exit."""
        result = self.exits[-1] if self.exits else self.members[-1]
        single = len(self.exits) <= 1
        return Vertex(
            result.index,
            "group",
            op=op,
            name=name,
            shape=result.shape,
            dtype=result.dtype,
            value=result.value if single else None,
            grad=result.grad if single else None,
            saved=sum(v.saved for v in self.members),
            order=result.order,
            cluster=cluster,
            source=result.source,
            members=sum(v.members for v in self.members),
            mark=worst(v.mark for v in self.members),
        )


def copied(vertex: Vertex, index: int) -> Vertex:
    """The same vertex at another place; faster than `dataclasses.replace`."""
    copy = Vertex(*_vertex_fields(vertex))
    copy.index = index
    return copy


def between(edge: Edge, tail: int, head: int) -> Edge:
    """The same edge with other ends; faster than `dataclasses.replace`."""
    copy = Edge(*_edge_fields(edge))
    copy.tail, copy.head = tail, head
    return copy


def worst(marks: Iterable[Mark | None]) -> Mark | None:
    """The gravest of `marks`, the hottest of equals; it says how many others there are."""
    found = [mark for mark in marks if mark is not None]
    if not found:
        return None
    first = min(found, key=lambda m: (SEVERITY[m.level], -m.heat))
    same = sum(mark.level == first.level for mark in found)
    if same == 1:
        return first
    return replace(first, text=f"{first.text} (and {same - 1:,} more)".strip())


def floating(diagram: Diagram) -> list[bool]:
    """For each vertex whether nothing flows into it: leaves, constants, whatever was given."""
    found = [True] * len(diagram.vertices)
    for edge in diagram.edges:
        found[edge.head] = False
    return found


# --- Which sets can be one vertex -------------------------------------------------------------


def convex(diagram: Diagram, groups: Sequence[list[int]]) -> list[tuple[int, list[int]]]:
    """Split groups that a path leaves and enters again: as one vertex they would make a cycle.

    Returns
    -------
    list of (int, list of int)
        The number of the group that it was part of, and the members, sorted.
    """
    pieces = [(number, sorted(members)) for number, members in enumerate(groups)]
    caught = _in_cycles(diagram, [members for _, members in pieces])
    if caught:
        pieces = _split(diagram, pieces, caught)
        if _in_cycles(diagram, [members for _, members in pieces]):
            # Intervals of a topological order can have no cycle between them.
            pieces = _split(diagram, pieces, set(range(len(pieces))))
    return pieces


def _split(
    diagram: Diagram, pieces: list[tuple[int, list[int]]], which: set[int]
) -> list[tuple[int, list[int]]]:
    """Cut each piece of `which` into runs that follow one another in the order of vertices."""
    free = floating(diagram)
    ranks = np.cumsum(~np.array(free, bool))
    first_user = [len(free)] * len(free)
    for edge in diagram.edges:
        first_user[edge.tail] = min(first_user[edge.tail], edge.head)
    result = []
    for number, (origin, members) in enumerate(pieces):
        if number not in which:
            result.append((origin, members))
            continue
        runs: list[list[int]] = []
        run_of: dict[int, int] = {}
        inner = [v for v in members if not free[v]]
        for before, v in zip([None, *inner], inner, strict=False):
            if before is None or ranks[v] != ranks[before] + 1:
                runs.append([])
            runs[-1].append(v)
            run_of[v] = len(runs) - 1
        loose = []
        for v in members:
            if free[v] and first_user[v] in run_of:
                runs[run_of[first_user[v]]].append(v)
            elif free[v]:  # in a run it could be needed before the run has begun
                loose.append(v)
        if loose:
            runs.append(loose)
        result.extend((origin, sorted(run)) for run in runs)
    return result


def _in_cycles(diagram: Diagram, groups: Sequence[list[int]]) -> set[int]:
    """The numbers of groups on cycles, or between two, of the graph in which each is one."""
    stands = _stands(diagram, groups)
    pairs = _pairs(diagram, stands)
    left = set(_unordered(pairs, set(stands)))
    if left:
        back = [(h, t) for t, h in pairs if t in left and h in left]
        left = set(_unordered(back, left))
    size = len(diagram.vertices)
    return {node - size for node in left if node >= size}


def _stands(diagram: Diagram, groups: Sequence[list[int]]) -> list[int]:
    """For each vertex itself, or the number of vertices plus that of its group."""
    size = len(diagram.vertices)
    stands = list(range(size))
    for number, members in enumerate(groups):
        for v in members:
            stands[v] = size + number
    return stands


def _pairs(diagram: Diagram, stands: list[int]) -> list[tuple[int, int]]:
    found = dict.fromkeys((stands[e.tail], stands[e.head]) for e in diagram.edges)
    return [(t, h) for t, h in found if t != h]


def _unordered(pairs: list[tuple[int, int]], nodes: set[int]) -> list[int]:
    """What is left of `nodes` after taking away, again and again, those with no edge in."""
    waiting = dict.fromkeys(sorted(nodes), 0)
    users: dict[int, list[int]] = {node: [] for node in waiting}
    for tail, head in pairs:
        waiting[head] += 1
        users[tail].append(head)
    ready = [node for node, count in waiting.items() if not count]
    while ready:
        for head in users[ready.pop()]:
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return [node for node, count in waiting.items() if count]


# --- Making them one --------------------------------------------------------------------------


def contract(
    diagram: Diagram,
    groups: Sequence[list[int]],
    describe: Callable[[int, Gathered], Vertex],
) -> Diagram:
    """Draw each group as one vertex, which ``describe(number, gathered)`` makes.

    No cycle may pass through the groups (see `convex`). Edges from the same vertex into a group
    become one, and its contribution is their sum; so do edges from different members of a group
    into the same vertex, which have no sum.
    """
    size = len(diagram.vertices)
    stands = _stands(diagram, groups)
    exits = _exits(diagram, stands, len(groups))
    made: dict[int, Vertex] = {v.index: v for v in diagram.vertices if stands[v.index] < size}
    for number, members in enumerate(groups):
        gathered = Gathered(
            [diagram.vertices[v] for v in members],
            [diagram.vertices[v] for v in exits[number]],
        )
        made[size + number] = describe(number, gathered)
    firsts = [min(members) for members in groups]
    index = {
        node: place
        for place, node in enumerate(
            _ordered(
                _pairs(diagram, stands),
                made,
                lambda node: node if node < size else firsts[node - size],
            )
        )
    }
    edges: list[Edge] = []
    merged: dict[tuple[int, int], Edge] = {}
    spread: dict[tuple[int, int], Edge] = {}
    for edge in diagram.edges:
        tail, head = stands[edge.tail], stands[edge.head]
        if tail == head:
            continue
        blurred = tail >= size and len(exits[tail - size]) > 1
        piece = None if blurred else edge.contribution
        ends = (index[tail], index[head])
        if head < size and not blurred:
            edges.append(between(edge, *ends))
        elif head < size and ends not in spread:
            spread[ends] = Edge(*ends, edge.slot, edge.argument)
            edges.append(spread[ends])
        elif head < size:
            spread[ends].argument = span(spread[ends].argument, edge.argument)
        elif ends in merged:
            merged[ends].contribution = _sum(merged[ends].contribution, piece)
            if merged[ends].argument != edge.argument:
                merged[ends].argument = ""
        else:
            merged[ends] = Edge(*ends, 0, edge.argument, piece)
    slots: dict[int, int] = {}
    for edge in sorted(merged.values(), key=lambda e: (e.head, e.tail)):
        edge.slot = slots[edge.head] = slots.get(edge.head, -1) + 1
        edges.append(edge)
    return Diagram(
        [copied(made[node], place) for node, place in index.items()],
        sorted(edges, key=lambda e: (e.head, e.slot)),
        pruned(diagram.clusters, (v.cluster for v in made.values())),
        list(dict.fromkeys(index[stands[v]] for v in diagram.outputs)),
        diagram.title,
        diagram.about,
    )


def _exits(diagram: Diagram, stands: list[int], groups: int) -> list[list[int]]:
    size = len(diagram.vertices)
    found: list[dict[int, None]] = [{} for _ in range(groups)]
    for edge in diagram.edges:
        if stands[edge.tail] >= size and stands[edge.tail] != stands[edge.head]:
            found[stands[edge.tail] - size][edge.tail] = None
    for v in diagram.outputs:
        if stands[v] >= size:
            found[stands[v] - size][v] = None
    return [sorted(vertices) for vertices in found]


def _ordered(
    pairs: list[tuple[int, int]], nodes: Iterable[int], key: Callable[[int], int]
) -> list[int]:
    """A topological order that stays as near to the order of `key` as can be."""
    waiting = dict.fromkeys(nodes, 0)
    users: dict[int, list[int]] = {}
    for tail, head in pairs:
        waiting[head] += 1
        users.setdefault(tail, []).append(head)
    ready = [(key(node), node) for node, count in waiting.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        for head in users.get(node, ()):
            waiting[head] -= 1
            if not waiting[head]:
                heapq.heappush(ready, (key(head), head))
    if len(order) < len(waiting):
        raise ValueError("fold: the edges of the diagram form a cycle")
    return order


def span(first: str, last: str) -> str:
    """Two names as the ends of a list."""
    return f"{first.split(' … ')[0]} … {last}" if first and last else first or last


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    with np.errstate(all="ignore"):
        return a + b


def pruned(clusters: dict[str, Cluster], used: Iterable[str]) -> dict[str, Cluster]:
    """The clusters of the paths `used` and those around them, in their order."""
    kept: set[str] = set()
    for path in dict.fromkeys(used):
        while path and path not in kept and path in clusters:
            kept.add(path)
            path = clusters[path].parent
    return {path: cluster for path, cluster in clusters.items() if path in kept}
