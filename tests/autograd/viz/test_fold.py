"""Folding: what becomes one, what stays, and that nothing hangs loose."""

import copy
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.viz.capture import capture
from autograd.viz.fold.fold import fold
from autograd.viz.fold.groups import convex
from autograd.viz.model import Cluster, Diagram, Edge, Mark, Source, Vertex
from tests.autograd.viz.drawings import DRAWINGS
from tests.autograd.viz.random_diagrams import check, diagrams


class Builder:
    """Writes a diagram down vertex by vertex."""

    def __init__(self):
        self.diagram = Diagram()

    def add(self, op, *tails, kind=None, **fields):
        index = len(self.diagram.vertices)
        kind = kind or ("intermediate" if tails else "leaf")
        self.diagram.vertices.append(Vertex(index, kind, op if tails else "", **fields))
        for slot, tail in enumerate(tails):
            self.diagram.edges.append(Edge(tail, index, slot, "abc"[slot]))
        return index

    def cluster(self, path, type_="Block", parent=""):
        self.diagram.clusters[path] = Cluster(path, path.rpartition(".")[2], type_, parent, 20)

    def done(self, output):
        self.diagram.vertices[output].kind = "output"
        self.diagram.outputs = [output]
        check(self.diagram)
        return self.diagram


def chain(length, *, op=lambda i: "sin", **fields):
    b = Builder()
    last = b.add("", name="w")
    for i in range(length):
        last = b.add(op(i), last, saved=4, **fields)
    return b.done(b.add("sum", last))


def blocks(count, *, shape=lambda k: (4,), skip=True, mark=None):
    """Blocks h = relu(linear(h, W, b)) + h, each in its frame, with its own W and b."""
    b = Builder()
    h = b.add("", name="x")
    for k in range(count):
        path = f"net{k}"
        b.cluster(path)
        b.cluster(f"{path}.lin", "Linear", path)
        w = b.add("", kind="parameter", name="W", shape=(4, 4), cluster=f"{path}.lin")
        bias = b.add("", kind="parameter", name="b", shape=shape(k), cluster=f"{path}.lin")
        y = b.add("linear", h, w, bias, cluster=f"{path}.lin")
        y = b.add("relu", y, cluster=path, mark=mark(k) if mark else None)
        h = b.add("add", y, h, cluster=path) if skip else y
    return b.done(b.add("sum", h))


def recurrent(steps, each_used=False):
    """A cell h = tanh(h @ W + x_t): no frames, one W for all."""
    b = Builder()
    w = b.add("", kind="parameter", name="W")
    h = b.add("", kind="constant", name="h0")
    states = []
    for _ in range(steps):
        y = b.add("matmul", h, w)
        x = b.add("", kind="constant")
        h = b.add("tanh", b.add("add", y, x), name="h")
        states.append(h)
    if not each_used:
        return b.done(b.add("sum", h))
    index = len(b.diagram.vertices)
    b.diagram.vertices.append(Vertex(index, "intermediate", "cat"))
    b.diagram.edges += [Edge(s, index, i, f"tensors[{i}]") for i, s in enumerate(states)]
    return b.done(b.add("sum", index))


# --- Repeats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_to_fold_is_the_same_object(name):
    diagram = DRAWINGS[name]()
    assert fold(diagram) is diagram
    assert fold(diagram, depth=9, limit=None) is diagram
    assert fold(Diagram()).vertices == []


def test_an_op_applied_to_itself_is_one_vertex():
    diagram = chain(1000, name="x")
    diagram.vertices[1000].value, diagram.vertices[1].value = 0.25, 0.75
    found = fold(diagram)
    check(found)
    w, x, total = found.vertices
    assert (w.name, x.op, x.repeat, x.members, x.kind) == ("w", "sin", 1000, 1000, "group")
    assert x.value == 0.25, "a group has the value of its output"
    assert x.saved == 4000
    assert total.op == "sum"
    assert [(e.tail, e.head) for e in found.edges] == [(0, 1), (1, 2)]


def test_a_sequence_of_ops_is_shown_once_in_a_frame():
    found = fold(chain(12, op=lambda i: ("sin", "exp", "tanh")[i % 3]))
    check(found)
    assert [v.op for v in found.vertices] == ["", "sin", "exp", "tanh", "sum"]
    (frame,) = found.clusters.values()
    assert frame.repeat == 4
    assert [v.cluster for v in found.vertices] == ["", *[frame.path] * 3, ""]


def test_few_repeats_are_left_alone():
    for length in (2, 6):
        diagram = chain(length)
        assert fold(diagram) is diagram
    diagram = blocks(2)
    assert fold(diagram) is diagram


@pytest.mark.parametrize("skip", [True, False])
def test_blocks_with_their_own_parameters_are_shown_once(skip):
    found = fold(blocks(8, skip=skip))
    check(found)
    assert [v.op or v.name for v in found.vertices if v.kind != "parameter"] == [
        "x",
        "linear",
        "relu",
        *(["add"] if skip else []),
        "sum",
    ]
    assert [v.name for v in found.vertices if v.kind == "parameter"] == ["W", "b"]
    assert {path: c.repeat for path, c in found.clusters.items()} == {"net0": 8, "net0.lin": 1}
    assert found.clusters["net0"].name == "net0…net7"
    last = found.outputs[0]
    (edge,) = [e for e in found.edges if e.head == last]
    assert found.vertices[edge.tail].op == ("add" if skip else "relu")


def test_other_shapes_and_metadata_are_other_blocks():
    found = fold(blocks(8, shape=lambda k: (4,) if k < 4 else (5,)))
    check(found)
    assert sorted(c.repeat for c in found.clusters.values()) == [1, 1, 4, 4]
    assert len([v for v in found.vertices if v.op == "linear"]) == 2
    differing = chain(20)
    for vertex in differing.vertices:
        vertex.params = {"p": vertex.index}
    assert fold(differing) is differing


def test_equal_blocks_that_are_wired_differently_stay():
    b = Builder()
    last = [b.add("", name="x")]
    rng = random.Random(0)
    for _ in range(60):
        last.append(b.add("add", rng.choice(last), rng.choice(last)))
    diagram = b.done(last[-1])
    assert fold(diagram) is diagram


def test_steps_of_a_loop_share_their_weight_and_keep_their_data():
    found = fold(recurrent(10))
    check(found)
    (frame,) = found.clusters.values()
    assert (frame.repeat, frame.name) == (10, "h")
    inside = [v.op or v.kind for v in found.vertices if v.cluster == frame.path]
    assert sorted(inside) == ["add", "constant", "matmul", "tanh"]
    outside = [v.op or v.name for v in found.vertices if not v.cluster]
    assert outside == ["W", "h0", "sum"], "what all steps read is no part of one"


def test_results_that_each_step_hands_out_stay_connected():
    found = fold(recurrent(10, each_used=True))
    check(found)
    (cat,) = [v for v in found.vertices if v.op == "cat"]
    (edge,) = [e for e in found.edges if e.head == cat.index]
    assert edge.argument == "tensors[0] … tensors[9]"
    assert found.vertices[edge.tail].op == "tanh"


def test_what_is_done_with_each_step_after_the_loop_belongs_to_the_step():
    b = Builder()
    w, h = b.add("", name="W"), b.add("", name="h0")
    states = []
    for _ in range(10):
        h = b.add("tanh", b.add("matmul", h, w), name="h")
        states.append(h)
    losses = [b.add("mul", b.add("exp", state), state) for state in states]
    total = losses[0]
    for loss in losses[1:]:
        total = b.add("add", total, loss)
    found = fold(b.done(total))
    check(found)
    assert [c.repeat for c in found.clusters.values()] in ([9], [8])
    ops = [v.op for v in found.vertices]
    assert len(ops) < 20
    assert {"exp", "mul", "add"} <= set(ops)


def test_a_step_used_elsewhere_ends_the_repeat():
    diagram = recurrent(10)
    states = [v.index for v in diagram.vertices if v.op == "tanh"]
    index = len(diagram.vertices)
    diagram.vertices.append(Vertex(index, "output", "norm"))
    diagram.edges.append(Edge(states[4], index))
    diagram.outputs.append(index)
    found = fold(diagram)
    check(found)
    repeats = [c.repeat for c in found.clusters.values()]
    assert sum(repeats) == 10
    assert len(repeats) == 2


def test_two_states_pass_from_step_to_step():
    b = Builder()
    h, c = b.add("", name="h0"), b.add("", name="c0")
    w = b.add("", kind="parameter", name="W")
    for _ in range(6):
        gate = b.add("sigmoid", b.add("matmul", h, w))
        c = b.add("mul", gate, c)
        h = b.add("mul", gate, b.add("tanh", c))
    found = fold(b.done(b.add("sub", h, c)))
    check(found)
    assert [cluster.repeat for cluster in found.clusters.values()] == [6]
    (last,) = found.outputs
    ends = [found.vertices[e.tail].op for e in found.edges if e.head == last]
    assert ends == ["mul", "mul"]
    assert len({e.tail for e in found.edges if e.head == last}) == 2


def test_repeats_inside_of_repeats():
    b = Builder()
    last = b.add("", name="x")
    for k in range(5):
        b.cluster(f"net{k}")
        for _ in range(10):
            last = b.add("sin", last, cluster=f"net{k}")
        last = b.add("exp", last, cluster=f"net{k}")
    found = fold(b.done(b.add("sum", last)))
    check(found)
    assert [(v.op, v.repeat) for v in found.vertices[1:-1]] == [("sin", 10), ("exp", 1)]
    assert [c.repeat for c in found.clusters.values()] == [5]


def test_marks_break_a_repeat_unless_all_have_the_same():
    diagram = chain(100)
    diagram.vertices[50].mark = Mark("bad", "twice too large")
    found = fold(diagram)
    check(found)
    assert [v.repeat for v in found.vertices] == [1, 49, 1, 50, 1]
    assert found.vertices[2].mark == Mark("bad", "twice too large")
    found = fold(blocks(8, mark=lambda k: Mark("good")))
    assert [v.op for v in found.vertices if v.mark] == ["relu"]
    found = fold(blocks(8, mark=lambda k: Mark("heat", f"{k} ms", k / 8)))
    assert len([v for v in found.vertices if v.mark]) == 8


def test_an_output_in_the_middle_stays_itself():
    diagram = chain(100)
    diagram.outputs.insert(0, 30)
    found = fold(diagram)
    check(found)
    assert [v.repeat for v in found.vertices] == [1, 29, 1, 70, 1]
    assert found.outputs == [2, 4]


def test_contributions_that_belong_to_hidden_rounds_are_not_shown():
    diagram = recurrent(10)
    for edge in diagram.edges:
        edge.contribution = 1.0
    found = fold(diagram)
    assert [e.contribution for e in found.edges if e.head == found.outputs[0]] == [None]
    assert all(e.contribution == 1.0 for e in found.edges if e.head != found.outputs[0])


def test_a_captured_loop():
    w = autograd.tensor(np.eye(3, dtype="f"), requires_grad=True)
    x = autograd.tensor(np.ones((2, 3), "f"))

    def loss():
        h = x
        for _ in range(10):
            h = (h @ w).tanh()
        return h.sum()

    found = fold(capture(loss).diagram)
    check(found)
    assert [v.op or v.name for v in found.vertices] == ["x", "w", "matmul", "tanh", "sum"] or [
        v.op or v.name for v in found.vertices
    ] == ["w", "x", "matmul", "tanh", "sum"]
    assert [c.repeat for c in found.clusters.values()] == [10]


# --- Depth ------------------------------------------------------------------------------------


def test_depth_folds_modules():
    diagram = DRAWINGS["mlp"]()
    found = fold(diagram, depth=1)
    check(found)
    assert [(v.op, v.name, v.members) for v in found.vertices if v.kind == "group"] == [
        ("Linear", "model.0", 3),
        ("ReLU", "model.1", 1),
        ("Linear", "model.2", 3),
    ]
    linear = found.vertices[1]
    assert linear.shape == (64, 100)
    assert linear.saved == diagram.vertices[3].saved
    assert linear.value is diagram.vertices[3].value
    assert linear.cluster == "model"
    assert linear.about == "78,500 parameters"
    assert list(found.clusters) == ["model"]
    whole = fold(diagram, depth=0)
    check(whole)
    assert [v.op or v.name for v in whole.vertices] == [
        "x",
        "Sequential",
        "target",
        "cross_entropy",
    ]
    assert whole.vertices[1].members == 7
    assert not whole.clusters


def test_depth_keeps_marks_outputs_and_sums_contributions():
    b = Builder()
    b.cluster("m")
    x = b.add("", name="x")
    p = b.add("sin", x, cluster="m", mark=Mark("good"))
    q = b.add("mul", p, x, cluster="m", mark=Mark("bad", "wrong"))
    diagram = b.done(b.add("sum", q))
    for edge, piece in zip(diagram.edges, (1.0, 5.0, 2.0, 7.0), strict=True):
        edge.contribution = piece
    diagram.outputs.append(q)
    found = fold(diagram, depth=0)
    check(found)
    assert [v.op or v.name for v in found.vertices] == ["x", "Block", "sum"]
    assert found.vertices[1].mark == Mark("bad", "wrong")
    assert found.outputs == [2, 1]
    assert [e.contribution for e in found.edges] == [3.0, 7.0]


def test_a_frame_that_is_left_and_entered_again_is_cut_in_two():
    b = Builder()
    b.cluster("m")
    first = b.add("sin", b.add("", name="x"), cluster="m")
    outside = b.add("exp", first)
    second = b.add("mul", outside, first, cluster="m")
    found = fold(b.done(b.add("sum", second)), depth=0)
    check(found)
    assert [v.op or v.name for v in found.vertices] == ["x", "Block", "exp", "Block", "sum"]


def test_groups_in_each_others_way_are_cut():
    b = Builder()
    x = b.add("", name="x")
    row = [b.add("sin", x) for _ in range(4)]
    first, second = b.add("mul", row[0], row[1]), b.add("mul", row[2], row[3])
    diagram = b.done(b.add("sub", first, second))
    apart = [[row[0], first], [row[2], second]]
    assert convex(diagram, apart) == list(enumerate(apart))
    # The first's end needs the second's begin, and the other way round.
    pieces = convex(diagram, [[row[0], second], [row[2], first]])
    assert sorted(members for _, members in pieces) == [[row[0]], [row[2]], [first], [second]]


def test_deep_nesting_does_not_recurse():
    b = Builder()
    path = ""
    for k in range(3000):
        path, parent = f"{k}", path
        b.cluster(path, "Block", parent)
    last = b.add("", name="x")
    for k in range(3000):
        last = b.add(f"op{k % 700}", last, cluster=str(k))
    diagram = b.done(last)
    for depth in (None, 0, 1500):
        check(fold(diagram, depth=depth))


# --- The limit --------------------------------------------------------------------------------


def big(length, seed=0, look=50):
    rng = random.Random(seed)
    diagram = Diagram()
    for i in range(length):
        vertex = Vertex(i, rng.choice(["leaf", "constant", "parameter"]))
        if i > 3 and rng.random() < 0.7:
            vertex = Vertex(i, "intermediate", rng.choice(["mul", "add"]), saved=rng.randrange(9))
            vertex.source = Source("f.py", rng.randrange(4))
            for slot in range(rng.choice([1, 2])):
                diagram.edges.append(Edge(rng.randrange(max(0, i - look), i), i, slot))
        diagram.vertices.append(vertex)
    diagram.outputs = [length - 1]
    return diagram


@pytest.mark.parametrize("limit", [20, 100, 400])
def test_the_limit_keeps_the_ends_the_outputs_and_the_marks(limit):
    diagram = big(5000)
    for place in (2500, 3001):
        diagram.vertices[place].mark = Mark("bad", str(place))
    found = fold(diagram, limit=limit, repeats=False)
    check(found)
    assert limit / 2 <= len(found.vertices) <= limit * 1.2
    assert [v.mark.text for v in found.vertices if v.mark] == ["2500", "3001"]
    assert sum(v.members for v in found.vertices) == 5000
    assert sum(v.saved for v in found.vertices) == sum(v.saved for v in diagram.vertices)
    groups = [v for v in found.vertices if v.kind == "group"]
    assert groups
    assert all(v.op == f"… {v.members:,} nodes" for v in groups)
    assert all(v.value is None or v.shape == np.shape(v.value) for v in groups)
    first = [v.op for v in found.vertices if v.op][: limit // 6]
    assert first == [v.op for v in diagram.vertices if v.op][: limit // 6]


def test_a_group_says_what_it_is_made_of():
    found = fold(chain(3000, op=lambda i: ("mul", "add")[i % 2]), limit=30, repeats=False)
    group = max(found.vertices, key=lambda v: v.members)
    each = group.members // 2
    assert group.about in (f"{each} add, {each} mul", f"{each + 1} add, {each} mul")


def test_levels_of_modules_are_folded_before_anything_is_summarised():
    b = Builder()
    b.cluster("net")
    last = b.add("", name="x")
    for k in range(60):
        b.cluster(f"net.{k}", f"Block{k}", "net")
        for j in range(20):
            last = b.add(f"op{k + j}", last, cluster=f"net.{k}")
    found = fold(b.done(b.add("sum", last)), limit=100)
    check(found)
    assert [v.op for v in found.vertices[1:-1]] == [f"Block{k}" for k in range(60)]


def test_many_leaves_of_one_op():
    b = Builder()
    leaves = [b.add("", kind="parameter") for _ in range(2000)]
    b.diagram.vertices.append(Vertex(2000, "output", "cat"))
    b.diagram.edges += [Edge(v, 2000, v, f"tensors[{v}]") for v in leaves]
    b.diagram.outputs = [2000]
    found = fold(b.diagram)
    check(found)
    assert len(found.edges) == 1
    assert found.vertices[0].about == "2,000 parameter"
    assert found.edges[0].argument == "tensors[0] … tensors[1999]"


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda: chain(100_000),
        lambda: chain(100_000, op=lambda i: f"op{i % 300}"),
        lambda: big(100_000),
        lambda: big(100_000, look=3),
        lambda: big(100_000, look=100_000),
    ],
    ids=["chain", "period", "near", "nearest", "anywhere"],
)
def test_100_000_vertices(make, repeats):
    diagram = make()
    start = time.perf_counter()
    found = fold(diagram, repeats=repeats)
    assert time.perf_counter() - start < 20, "about two seconds on a quiet machine"
    check(found)
    assert len(found.vertices) <= 480


# --- Everything -------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    diagrams(),
    st.none() | st.integers(0, 3),
    st.booleans(),
    st.none() | st.integers(1, 12),
)
def test_any_diagram_stays_valid_and_its_source_unchanged(diagram, depth, repeats, limit):
    before = copy.deepcopy(diagram)
    found = fold(diagram, depth=depth, repeats=repeats, limit=limit)
    check(found)
    assert repr(diagram) == repr(before)
    assert repr(fold(diagram, depth=depth, repeats=repeats, limit=limit)) == repr(found)
    assert sum(v.members for v in found.vertices) <= sum(v.members for v in diagram.vertices)
    assert bool(found.outputs) == bool(diagram.outputs)
    if any(v.mark for v in diagram.vertices):
        assert any(v.mark for v in found.vertices)


@settings(deadline=None, max_examples=25)
@given(diagrams(most=8), st.integers(3, 6))
def test_any_block_in_a_chain_is_found(block, rounds):
    """Copies of a random block, each reading the end of the one before."""
    inner = [v.index for v in block.vertices if v.op]
    if not inner or len(block.vertices) < 4:
        return
    diagram = Diagram()
    tail = -1
    for k in range(rounds):
        path = f"block{k}"
        diagram.clusters[path] = Cluster(path, path, "Block")
        base = len(diagram.vertices)
        for v in block.vertices:
            made = copy.copy(v)
            made.index, made.cluster, made.kind = base + v.index, path, "intermediate"
            made.mark = None
            diagram.vertices.append(made)
        for edge in block.edges:
            diagram.edges.append(Edge(base + edge.tail, base + edge.head, edge.slot))
        if tail >= 0:
            diagram.edges.append(Edge(tail, base + inner[0], 7))
        else:
            made = Vertex(0, "leaf", shape=block.vertices[inner[-1]].shape)
            made.dtype = block.vertices[inner[-1]].dtype
            for v in diagram.vertices:
                v.index += 1
            diagram.vertices.insert(0, made)
            for edge in diagram.edges:
                edge.tail, edge.head = edge.tail + 1, edge.head + 1
            base += 1
            diagram.edges.append(Edge(0, base + inner[0], 7))
        tail = base + inner[-1]
    diagram.edges.sort(key=lambda e: (e.head, e.slot))
    diagram.vertices.append(Vertex(len(diagram.vertices), "output", "sum"))
    diagram.edges.append(Edge(tail, len(diagram.vertices) - 1))
    diagram.outputs = [len(diagram.vertices) - 1]
    check(diagram)
    found = fold(diagram, limit=None)
    check(found)
    if all(v.op or any(e.tail == v.index for e in block.edges) for v in block.vertices):
        assert max(c.repeat for c in found.clusters.values()) == rounds


@pytest.mark.parametrize(
    "wrong", [{"depth": -1}, {"depth": True}, {"depth": 1.5}, {"limit": 0}, {"limit": "400"}]
)
def test_options_are_checked(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be None or an int"):
        fold(Diagram(), **wrong)
