"""The geometry of layouts, checked from the coordinates alone."""

from __future__ import annotations

import math
import random
import time
from itertools import pairwise

import pytest

from autograd.viz.layout.layout import Box, Layout, curves, layout

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
        label = found.labels[e]
        if label is not None:
            x, y = label
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


def middle(box: Box) -> float:
    return box.x + box.width / 2


CARD, LEAF = (110.0, 44.0), (84.0, 32.0)


class Builder:
    """A graph put together box by box."""

    def __init__(self) -> None:
        self.sizes, self.edges, self.parents, self.cluster_parents = [], [], [], []
        self.inside = -1

    def add(self, *operands: int) -> int:
        box = len(self.sizes)
        self.sizes.append(CARD if operands else LEAF)
        self.parents.append(self.inside)
        self.edges += [(operand, box) for operand in operands]
        return box

    def open(self) -> None:
        self.cluster_parents.append(self.inside)
        self.inside = len(self.cluster_parents) - 1

    def close(self) -> None:
        self.inside = self.cluster_parents[self.inside]

    def layout(self, **options) -> Layout:
        headers = [(80.0, 14.0)] * len(self.cluster_parents)
        found = layout(
            self.sizes, self.edges, self.parents, self.cluster_parents, headers, **options
        )
        check(found, self.sizes, self.edges, self.parents, self.cluster_parents, **options)
        return found


def test_nothing_and_one_box():
    assert layout([], []) == Layout()
    found = layout([(30, 20)], [])
    assert found.boxes == [Box(0, 0, 30, 20)]
    assert (found.width, found.height) == (30, 20)
    assert layout([(0, 0)], []).boxes == [Box(0, 0, 0, 0)]


def test_chain_is_one_straight_line():
    sizes = [(40 + 30 * (i % 3), 20 + 10 * (i % 2)) for i in range(9)]
    edges = [(i, i + 1) for i in range(8)]
    for direction in ("down", "right"):
        found = layout(sizes, edges, direction=direction)
        check(found, sizes, edges, direction=direction)
        assert all(len(route) == 2 for route in found.routes)


def test_diamond_is_symmetric():
    found = layout([CARD] * 4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    top, left, right, bottom = map(middle, found.boxes)
    assert top == pytest.approx(bottom)
    assert right - top == pytest.approx(top - left)
    assert left < right
    assert found.boxes[1].y == found.boxes[2].y


def test_parents_stand_over_the_middle_of_their_children():
    b = Builder()
    row = [b.add() for _ in range(16)]
    while len(row) > 1:
        row = [b.add(*row[i : i + 2]) for i in range(0, len(row), 2)]
    found = b.layout()
    for box in range(16, len(b.sizes)):
        operands = [middle(found.boxes[tail]) for tail, head in b.edges if head == box]
        assert middle(found.boxes[box]) == pytest.approx(sum(operands) / 2, abs=30)
    assert middle(found.boxes[row[0]]) == pytest.approx(found.width / 2, abs=1)


def test_parameters_flank_a_straight_main_line():
    b = Builder()
    x = b.add()
    main = [x]
    b.open()
    for _ in range(3):
        b.open()
        weight, bias = b.add(), b.add()
        x = b.add(x, weight, bias)
        b.close()
        main.append(x)
    b.close()
    found = b.layout()
    assert {round(middle(found.boxes[i]), 6) for i in main} == {middle(found.boxes[0])}
    for linear in main[1:]:
        weight, bias = found.boxes[linear - 2], found.boxes[linear - 1]
        assert weight.x + weight.width < middle(found.boxes[linear]) < bias.x
        assert weight.y == bias.y
        # Right above their user, and below what comes before.
        assert 0 < found.boxes[linear].y - weight.y - weight.height < 80
    for earlier, later in pairwise(range(1, 4)):
        first, second = found.clusters[earlier], found.clusters[later]
        assert first.y + first.height < second.y


def test_skip_edge_runs_straight_beside_the_body():
    b = Builder()
    x = b.add(b.add())
    for _ in range(3):
        body = x
        for _ in range(4):
            body = b.add(body)
        x = b.add(body, x)
    found = b.layout()
    assert len({round(middle(box), 6) for box in found.boxes}) == 1
    for (tail, head), route in zip(b.edges, found.routes, strict=True):
        if head - tail > 1:
            longest = max(q[1] - p[1] for p, q in pairwise(route) if p[0] == q[0])
            assert longest > 0.6 * (route[-1][1] - route[0][1])
            assert len(route) <= 6
        else:
            assert len(route) == 2


def test_constants_stand_right_above_their_user_even_through_further_ops():
    b = Builder()
    x = b.add()
    for _ in range(10):
        x = b.add(x)
    constant = b.add()
    turned = b.add(constant)
    last = b.add(x, turned)
    found = b.layout()
    assert found.boxes[turned].y == found.boxes[x].y
    assert found.boxes[x - 1].y < found.boxes[turned].y
    assert found.boxes[constant].y >= found.boxes[x - 1].y
    assert found.boxes[last].y > found.boxes[x].y


def test_parallel_edges_end_apart_and_do_not_cross():
    found = layout([CARD, CARD], [(0, 1), (0, 1), (0, 1)])
    check(found, [CARD, CARD], [(0, 1)] * 3)
    assert all(len(route) == 2 for route in found.routes)
    starts = [route[0][0] for route in found.routes]
    ends = [route[-1][0] for route in found.routes]
    assert starts == ends


def test_shared_parameters_of_an_unrolled_cell_cross_nothing_they_need_not():
    b = Builder()
    w, u, h = b.add(), b.add(), b.add()
    steps = []
    for _ in range(10):
        h = b.add(b.add(b.add(b.add(), w), b.add(h, u)))
        steps.append(h)
    found = b.layout()
    assert len({round(middle(found.boxes[i])) for i in steps}) == 1
    assert found.width < 800


def test_many_inputs_of_one_box_become_a_block():
    b = Builder()
    inputs = [b.add() for _ in range(40)]
    b.add(*inputs)
    found = b.layout()
    assert found.width < 2000
    ends = [found.routes[e][-1][0] for e in range(40)]
    assert ends == sorted(ends)


def test_titles_are_clear_of_entering_edges():
    b = Builder()
    x = b.add()
    for depth in (1, 2, 3):
        for _ in range(depth):
            b.open()
        x = b.add(b.add(x))
        for _ in range(depth):
            b.close()
    found = b.layout()
    for c, (left, top) in enumerate(found.headers):
        title = Box(left, top, 80, 14)
        for route in found.routes:
            for p, q in pairwise(route):
                room = Box(min(p[0], q[0]), p[1], abs(p[0] - q[0]), q[1] - p[1])
                assert not overlap(title, room), f"an edge crosses title {c}"


def test_clusters_that_feed_each_other_stand_side_by_side():
    sizes = [CARD] * 5
    edges = [(0, 1), (1, 2), (2, 3), (3, 4)]
    parents = [0, 1, 0, 1, 0]
    found = layout(sizes, edges, parents, [-1, -1], [(40, 14)] * 2)
    check(found, sizes, edges, parents, [-1, -1])
    first, second = found.clusters
    assert first.x + first.width < second.x or second.x + second.width < first.x


def test_empty_clusters_have_room_for_their_title():
    sizes, edges = [CARD, CARD], [(0, 1)]
    parents, cluster_parents = [0, -1], [-1, 0, 1, -1]
    found = layout(sizes, edges, parents, cluster_parents, [(90, 14)] * 4)
    check(found, sizes, edges, parents, cluster_parents)
    assert all(frame.width >= 90 for frame in found.clusters)


def test_unconnected_parts_stand_beside_each_other():
    sizes, edges = [CARD] * 6, [(0, 1), (2, 3), (4, 5)]
    found = layout(sizes, edges)
    check(found, sizes, edges)
    assert found.boxes[0].y == found.boxes[2].y == found.boxes[4].y
    many = layout([CARD] * 200, [])
    check(many, [CARD] * 200, [])
    assert 0.3 < many.width / many.height < 4


def test_curves_stay_within_the_free_rectangles():
    sizes, edges, parents, cluster_parents = random_graph(3, 30, 4)
    for direction in ("down", "right"):
        found = layout(sizes, edges, parents, cluster_parents, direction=direction)
        for route in found.routes:
            pieces = curves(route, direction)
            assert len(pieces) == len(route) - 1
            for piece, p, q in zip(pieces, route, route[1:], strict=False):
                assert (piece[0], piece[-1]) == (p, q)
                for x, y in piece:
                    assert min(p[0], q[0]) <= x <= max(p[0], q[0])
                    assert min(p[1], q[1]) <= y <= max(p[1], q[1])


def test_same_input_same_output():
    sizes, edges, parents, cluster_parents = random_graph(5, 40, 5)
    assert layout(sizes, edges, parents, cluster_parents) == layout(
        sizes, edges, parents, cluster_parents
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([CARD], [(0, 0)]), "to itself"),
        (([CARD] * 3, [(0, 1), (1, 2), (2, 0)]), "circle"),
        (([CARD], [(0, 1)]), "1 boxes"),
        (([CARD], [(-1, 0)]), "1 boxes"),
        (([CARD], [], [0]), "0 clusters"),
        (([CARD], [], [-2], [-1]), "1 clusters"),
        (([CARD], [], [0], [0]), "inside itself"),
        (([CARD], [], [0], [1, 0]), "inside itself"),
        (([CARD], [], [-1, -1]), "2 entries for 1 boxes"),
        (([CARD], [], [0], [-1], [(1, 1)] * 2), "2 entries for 1 clusters"),
        (([CARD] * 2, [(0, 1)], (), (), (), [None] * 2), "2 entries for 1 edges"),
        (([(-1.0, 2.0)], []), "sizes"),
        (([(math.nan, 2.0)], []), "sizes"),
        (([CARD] * 2, [(0, 1)], (), (), (), [(math.inf, 1.0)]), "labels"),
    ],
)
def test_what_cannot_be_laid_out_is_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        layout(*arguments)


def test_unknown_direction():
    with pytest.raises(ValueError, match="up"):
        layout([CARD], [], direction="up")  # pyright: ignore[reportArgumentType]


def test_a_chain_of_twenty_thousand_does_not_recurse():
    count = 20_000
    found = layout([CARD] * count, [(i, i + 1) for i in range(count - 1)])
    assert found.boxes[-1].y > found.boxes[0].y
    assert len({box.x for box in found.boxes}) == 1


def test_a_deep_backward_graph_runs_its_longest_edges_outside():
    b = Builder()
    forward = [b.add()]
    for _ in range(400):
        forward.append(b.add(forward[-1]))
    gradient = b.add()
    for value in reversed(forward):
        gradient = b.add(gradient, value)
    found = layout(b.sizes, b.edges)
    right = max(box.x + box.width for box in found.boxes)
    assert found.width > right
    for (tail, head), route in zip(b.edges, found.routes, strict=True):
        assert route[0][1] == pytest.approx(found.boxes[tail].y + found.boxes[tail].height)
        assert route[-1][1] == pytest.approx(found.boxes[head].y)
        assert all(q[1] >= p[1] for p, q in pairwise(route))


@pytest.mark.parametrize("near", [4, 40, 2000])
def test_large_graphs_take_seconds(near):
    rng = random.Random(near)
    count = 2000
    edges = []
    for _ in range(3000):
        head = rng.randrange(1, count)
        edges.append((rng.randrange(max(0, head - near), head), head))
    parents = [i // 40 for i in range(count)] if near == 40 else []
    cluster_parents = [-1] * 50 if parents else []
    start = time.process_time()
    found = layout([CARD] * count, edges, parents, cluster_parents)
    assert time.process_time() - start < 6  # 1 s on an idle machine
    assert found.width > 0
