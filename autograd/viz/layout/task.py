"""What a layout is asked for: checked, and taken apart into what nothing joins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .rank import Cycle, topological


@dataclass(frozen=True, slots=True)
class Task:
    """What `layout` was asked for, complete and checked."""

    sizes: Sequence[tuple[float, float]]
    edges: Sequence[tuple[int, int]]
    parents: Sequence[int]
    cluster_parents: Sequence[int]
    depth: Sequence[int]
    headers: Sequence[tuple[float, float]]
    labels: Sequence[tuple[float, float] | None]
    turned: bool


def check(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    parents: Sequence[int],
    cluster_parents: Sequence[int],
    headers: Sequence[tuple[float, float]],
    labels: Sequence[tuple[float, float] | None],
) -> list[int]:
    """The depth of each cluster; raises ValueError for what cannot be laid out."""
    for name, given, expected, of in (
        ("parents", parents, sizes, "boxes"),
        ("headers", headers, cluster_parents, "clusters"),
        ("labels", labels, edges, "edges"),
    ):
        if len(given) != len(expected):
            raise ValueError(f"{name} has {len(given)} entries for {len(expected)} {of}")
    for name, rooms in (("sizes", sizes), ("headers", headers), ("labels", labels)):
        for i, room in enumerate(rooms):
            if room is not None and not all(0 <= side < math.inf for side in room):
                raise ValueError(f"{name}[{i}] is {room}; expected two finite sides, 0 or more")
    for i, (tail, head) in enumerate(edges):
        if not (0 <= tail < len(sizes) and 0 <= head < len(sizes)):
            raise ValueError(f"edges[{i}] is {(tail, head)}; there are {len(sizes)} boxes")
        if tail == head:
            raise ValueError(f"edges[{i}] leads from box {tail} to itself")
    for name, given in (("parents", parents), ("cluster_parents", cluster_parents)):
        for i, parent in enumerate(given):
            if not -1 <= parent < len(cluster_parents):
                raise ValueError(
                    f"{name}[{i}] is {parent}; there are {len(cluster_parents)} clusters"
                )
    inside: list[list[int]] = [[] for _ in cluster_parents]
    for c, parent in enumerate(cluster_parents):
        if parent >= 0:
            inside[parent].append(c)
    try:
        order = topological(len(cluster_parents), inside)
    except Cycle:
        raise ValueError("cluster_parents leads in a circle: a cluster is inside itself") from None
    depth = [0] * len(cluster_parents)
    for c in order:
        if cluster_parents[c] >= 0:
            depth[c] = depth[cluster_parents[c]] + 1
    return depth


def parts(task: Task) -> list[tuple[list[int], list[int], list[int]]]:
    """Boxes, edges and clusters of each part that nothing joins to the rest, by first box."""
    count = len(task.sizes)
    group = list(range(count + len(task.cluster_parents)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    joins = [*task.edges]
    joins += [(box, count + c) for box, c in enumerate(task.parents) if c >= 0]
    joins += [(count + c, count + p) for c, p in enumerate(task.cluster_parents) if p >= 0]
    for a, b in joins:
        a, b = root(a), root(b)
        if a != b:
            group[max(a, b)] = min(a, b)
    found: dict[int, tuple[list[int], list[int], list[int]]] = {}
    for box in range(count):
        found.setdefault(root(box), ([], [], []))[0].append(box)
    for e, (tail, _) in enumerate(task.edges):
        found[root(tail)][1].append(e)
    for c in range(len(task.cluster_parents)):
        found[root(count + c)][2].append(c)
    return list(found.values())
