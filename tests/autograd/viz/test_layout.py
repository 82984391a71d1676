"""The geometry of layouts, checked from the coordinates alone."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from autograd.viz.layout import Box, Layout, layout

EPS = 1e-6


def overlap(a: Box, b: Box, margin: float = 0.0) -> bool:
    return (
        a.x < b.x + b.width + margin - EPS
        and b.x < a.x + a.width + margin - EPS
        and a.y < b.y + b.height + margin - EPS
        and b.y < a.y + a.height + margin - EPS
    )


def contains(outer: Box, inner: Box) -> bool:
    return (
        outer.x < inner.x
        and outer.y < inner.y
        and outer.x + outer.width > inner.x + inner.width
        and outer.y + outer.height > inner.y + inner.height
    )


def around(c: int, cluster_parents: list[int]) -> list[int]:
    found = []
    while c >= 0:
        found.append(c)
        c = cluster_parents[c]
    return found


def check(
    found: Layout, sizes, edges, parents=(), cluster_parents=(), labels=(), direction="down"
) -> None:
    """Everything that holds for each layout."""
    parents = list(parents) or [-1] * len(sizes)
    labels = list(labels) or [None] * len(edges)
    cluster_parents = list(cluster_parents)
    page = Box(-1, -1, found.width + 2, found.height + 2)
    assert len(found.boxes) == len(sizes)
    assert len(found.clusters) == len(found.headers) == len(cluster_parents)
    assert len(found.routes) == len(found.labels) == len(edges)
    for box, (width, height) in zip(found.boxes, sizes, strict=True):
        assert math.isclose(box.width, width)
        assert math.isclose(box.height, height)
        assert contains(page, box)
    # Boxes, frames and labels.
    by_x = sorted(range(len(sizes)), key=lambda i: found.boxes[i].x)
    for k, i in enumerate(by_x):
        a = found.boxes[i]
        for j in by_x[k + 1 :]:
            if found.boxes[j].x > a.x + a.width + 8:
                break
            assert not overlap(a, found.boxes[j], margin=8), f"boxes {i} and {j} overlap"
    for c, frame in enumerate(found.clusters):
        assert contains(page, frame)
        if cluster_parents[c] >= 0:
            assert contains(found.clusters[cluster_parents[c]], frame)
        outer = around(c, cluster_parents)
        for d in range(c):
            if d not in outer and c not in around(d, cluster_parents):
                assert not overlap(frame, found.clusters[d], 4), f"frames {c} and {d} overlap"
        for i, box in enumerate(found.boxes):
            if c in around(parents[i], cluster_parents):
                assert contains(frame, box), f"box {i} sticks out of frame {c}"
            else:
                assert not overlap(frame, box, 4), f"box {i} is foreign to frame {c}"
    signs = [
        Box(at[0] - room[0] / 2, at[1] - room[1] / 2, room[0], room[1])
        for at, room in zip(found.labels, labels, strict=True)
        if at is not None and room is not None
    ]
    assert len(signs) == sum(room is not None for room in labels)
    for i, sign in enumerate(signs):
        assert contains(page, sign)
        assert not any(overlap(sign, box) for box in found.boxes)
        assert not any(overlap(sign, other) for other in signs[:i])
    # Routes.
    ends: set[tuple[float, float]] = set()
    for e, (tail, head) in enumerate(edges):
        points = found.routes[e]
        if direction == "right":
            points = [(y, x) for x, y in points]
        a, b = (
            Box(v.y, v.x, v.height, v.width) if direction == "right" else v
            for v in (found.boxes[tail], found.boxes[head])
        )
        assert math.isclose(points[0][1], a.y + a.height)
        assert math.isclose(points[-1][1], b.y)
        assert a.x < points[0][0] < a.x + a.width
        assert b.x < points[-1][0] < b.x + b.width
        assert all(q[1] >= p[1] - EPS for p, q in pairwise(points))
        assert points[-1][1] > points[0][1]
        for end in (points[0], points[-1]):
            assert end not in ends, f"edge {e} ends on another"
            ends.add(end)
        for p, q in pairwise(found.routes[e]):
            room = Box(min(p[0], q[0]), min(p[1], q[1]), abs(p[0] - q[0]), abs(p[1] - q[1]))
            for i in range(len(sizes)):
                assert not overlap(room, found.boxes[i]), f"edge {e} crosses box {i}"
        if found.labels[e] is not None:
            x, y = found.labels[e]
            if direction == "right":
                x, y = y, x
            assert any(
                math.isclose(p[0], x) and math.isclose(q[0], x) and p[1] - EPS <= y <= q[1] + EPS
                for p, q in pairwise(points)
            ), f"label {e} is not on its edge"


def random_graph(seed: int, boxes: int = 30, clusters: int = 0):
    rng = random.Random(seed)
    sizes = [(rng.uniform(20, 150), rng.uniform(15, 80)) for _ in range(boxes)]
    edges = []
    for head in range(1, boxes):
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            near = rng.random() < 0.8
            edges.append((rng.randrange(max(0, head - 6) if near else 0, head), head))
    cluster_parents = [rng.randrange(-1, c) if c else -1 for c in range(clusters)]
    parents = [rng.randrange(-1, clusters) for _ in range(boxes)] if clusters else []
    return sizes, edges, parents, cluster_parents


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(seed, direction):
    sizes, edges, _, _ = random_graph(seed)
    labels = (
        [(30, 12) if e % 3 == seed % 3 else None for e in range(len(edges))] if seed % 2 else []
    )
    found = layout(sizes, edges, labels=labels, direction=direction)
    check(found, sizes, edges, labels=labels, direction=direction)


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("seed", range(30))
def test_random_clusters(seed, direction):
    sizes, edges, parents, cluster_parents = random_graph(seed, 24, 1 + seed % 7)
    headers = [(60 + 10 * (c % 4), 14) for c in range(len(cluster_parents))]
    labels = [(30, 12)] * len(edges) if seed % 3 == 0 else []
    found = layout(sizes, edges, parents, cluster_parents, headers, labels, direction)
    check(found, sizes, edges, parents, cluster_parents, labels, direction)
    for c, (width, height) in enumerate(headers):
        x, y = found.headers[c]
        assert contains(found.clusters[c], Box(x, y, width, height))
        for i, box in enumerate(found.boxes):
            assert not overlap(Box(x, y, width, height), box), f"title {c} over box {i}"
