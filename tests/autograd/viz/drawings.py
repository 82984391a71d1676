"""Small diagrams, made by hand, that the tests of the drawings share."""

from __future__ import annotations

import numpy as np

from autograd.viz.model import Cluster, Diagram, Edge, Kind, Mark, Source, Vertex

NASTY = "a<b>&\"c'{d}|\\e\n]]>\x00\x1b α 损失 e\u0301 🙂 </script><!--"


def ramp(*shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Values that are not evenly spread, the same everywhere."""
    count = int(np.prod(shape))
    steps = np.arange(count, dtype=np.float64) / max(count - 1, 1)
    bent = np.round(steps * steps * (high - low) + low, 6)
    return bent.reshape(shape).astype(np.float32)


def scalars() -> Diagram:
    """Make d = a·b + b, loss = d²: b is used twice."""
    line = Source("expression.py", 3, "f", "d = a * b + b")
    vertices = [
        Vertex(0, "leaf", name="a", value=2.0, grad=54.0),
        Vertex(1, "leaf", name="b", value=-3.0, grad=-54.0),
        Vertex(2, "intermediate", "mul", value=-6.0, grad=-18.0, source=line),
        Vertex(3, "intermediate", "add", "d", value=-9.0, grad=-18.0, source=line),
        Vertex(4, "output", "pow", "loss", value=81.0, grad=1.0, scalars={1: 2.0}),
    ]
    edges = [
        Edge(0, 2, 0, "a", 54.0, -3.0),
        Edge(1, 2, 1, "b", -36.0, 2.0),
        Edge(2, 3, 0, "a", -18.0, 1.0),
        Edge(1, 3, 1, "b", -18.0, 1.0),
        Edge(3, 4, 0, "a", -18.0, -18.0),
    ]
    return Diagram(vertices, edges, outputs=[4], title="d = a·b + b, loss = d²")


def _array(
    index: int, kind: Kind, op: str, name: str, shape: tuple[int, ...], cluster: str = ""
) -> Vertex:
    value = ramp(*shape, high=index + 1.0)
    grad = None if kind in ("constant", "buffer") else ramp(*shape, low=-0.01 * (index + 1))
    saved = value.nbytes if op else 0
    return Vertex(index, kind, op, name, shape, "float32", value, grad, saved, cluster=cluster)


def mlp() -> Diagram:
    """Two linear layers, each in its frame, and a loss."""
    vertices = [
        _array(0, "constant", "", "x", (64, 784)),
        _array(1, "parameter", "", "0.weight", (100, 784), "model.0"),
        _array(2, "parameter", "", "0.bias", (100,), "model.0"),
        _array(3, "intermediate", "linear", "", (64, 100), "model.0"),
        _array(4, "intermediate", "relu", "", (64, 100), "model.1"),
        _array(5, "parameter", "", "2.weight", (10, 100), "model.2"),
        _array(6, "parameter", "", "2.bias", (10,), "model.2"),
        _array(7, "intermediate", "linear", "logits", (64, 10), "model.2"),
        Vertex(8, "constant", name="target", shape=(64,), dtype="int64", value=np.arange(64) % 10),
        Vertex(
            9,
            "output",
            "cross_entropy",
            "loss",
            (),
            "float32",
            np.float32(2.31),
            np.float32(1.0),
            params={"reduction": "mean"},
        ),
    ]
    pairs = [(0, 3), (1, 3), (2, 3), (3, 4), (4, 7), (5, 7), (6, 7), (7, 9), (8, 9)]
    clusters = [
        Cluster("model", "model", "Sequential", "", 79510),
        Cluster("model.0", "0", "Linear", "model", 78500),
        Cluster("model.1", "1", "ReLU", "model"),
        Cluster("model.2", "2", "Linear", "model", 1010),
    ]
    return _diagram(vertices, pairs, clusters, [9])


def residual() -> Diagram:
    """A block with a skip connection, nested in a stage that occurs three times; no values."""
    inner = "net.stage.block"
    rows = [
        ("constant", "", "images", (8, 16, 32, 32), ""),
        ("parameter", "", "conv1.weight", (16, 16, 3, 3), f"{inner}.conv1"),
        ("intermediate", "conv2d", "", (8, 16, 32, 32), f"{inner}.conv1"),
        ("buffer", "", "bn1.running_mean", (16,), f"{inner}.bn1"),
        ("intermediate", "batch_norm", "", (8, 16, 32, 32), f"{inner}.bn1"),
        ("intermediate", "relu", "h", (8, 16, 32, 32), inner),
        ("parameter", "", "conv2.weight", (16, 16, 3, 3), f"{inner}.conv2"),
        ("intermediate", "conv2d", "", (8, 16, 32, 32), f"{inner}.conv2"),
        ("intermediate", "add", "", (8, 16, 32, 32), inner),
        ("intermediate", "relu", "", (8, 16, 32, 32), inner),
        ("group", "Head", "net.head", (8, 10), "net"),
        ("output", "sum", "loss", (), ""),
    ]
    vertices = [
        Vertex(i, kind, op, name, shape, "float32", cluster=cluster)  # type: ignore[arg-type]
        for i, (kind, op, name, shape, cluster) in enumerate(rows)
    ]
    vertices[10].members, vertices[10].saved, vertices[10].about = 6, 20480, "2 linear, 1 relu"
    pairs = [(0, 2), (1, 2), (2, 4), (3, 4), (4, 5), (5, 7), (6, 7), (0, 8), (7, 8), (8, 9)]
    clusters = [
        Cluster("net", "net", "ResNet", "", 272474),
        Cluster("net.stage", "stage", "Sequential", "net", 13952, repeat=3),
        Cluster(inner, "block", "BasicBlock", "net.stage", 4640),
        Cluster(f"{inner}.conv1", "conv1", "Conv2d", inner, 2304),
        Cluster(f"{inner}.bn1", "bn1", "BatchNorm2d", inner, 32),
        Cluster(f"{inner}.conv2", "conv2", "Conv2d", inner, 2304),
    ]
    return _diagram(vertices, [*pairs, (9, 10), (10, 11)], clusters, [11])


def higher_order() -> Diagram:
    """Make y = x³, its gradient's graph, and a step of the gradient of that."""
    vertices = [
        Vertex(0, "leaf", name="x", value=2.0),
        Vertex(1, "intermediate", "pow", "y", value=8.0, scalars={1: 3.0}),
        Vertex(2, "intermediate", "pow", value=4.0, scalars={1: 2.0}, order=1),
        Vertex(3, "intermediate", "mul", "dy", value=12.0, scalars={0: 3.0}, order=1),
        Vertex(4, "intermediate", "mul", value=4.0, scalars={0: 2.0}, order=2),
        Vertex(5, "intermediate", "mul", "d2y", value=12.0, scalars={0: 3.0}, order=2),
        Vertex(6, "output", "mul", "d3y", value=6.0, scalars={0: 3.0}, order=3),
    ]
    return _diagram(vertices, [(0, 1), (0, 2), (2, 3), (0, 4), (4, 5), (5, 6)], [], [1, 3, 6])


def marked() -> Diagram:
    """All marks, and numbers that are not numbers."""
    vertices = [
        Vertex(0, "parameter", name="w", shape=(3,), dtype="float32", value=ramp(3)),
        Vertex(1, "intermediate", "log", "z", (40,), "float32", value=_broken(), saved=160),
        Vertex(2, "intermediate", "sqrt", "", (40,), "float32", value=_broken(), grad=_broken()),
        Vertex(3, "intermediate", "exp", "e", (40,), "float32", value=ramp(40, high=80.0)),
        Vertex(4, "intermediate", "conv2d", "c", (40,), "float32", value=ramp(40)),
        Vertex(5, "output", "sum", "loss", (), "float32", float("nan"), float("inf")),
    ]
    diagram = _diagram(vertices, [(0, 1), (1, 2), (0, 3), (3, 4), (2, 5), (4, 5)], [], [5])
    return diagram.marked(
        {
            0: Mark("path"),
            1: Mark("path", "log(0) = −inf at [7]: 3 of 40 elements are 0"),
            2: Mark("bad", "the rule sends back 0.5 where the finite difference is −0.5: its sign"),
            3: Mark("good"),
            4: Mark("heat", "12.3 ms, 61 %", 0.61),
            5: Mark("warn", "not finite"),
        }
    )


def kinds() -> Diagram:
    """One vertex of each kind, with names that break careless writers."""
    made = [
        Vertex(0, "parameter", name=NASTY, shape=(2, 2), dtype="float32", value=ramp(2, 2)),
        Vertex(1, "leaf", name="", shape=(), dtype="float64", value=np.array(1e-300)),
        Vertex(2, "buffer", name="running_" * 30, shape=(9,), dtype="bool", value=np.arange(9) > 3),
        Vertex(3, "constant", shape=(0, 4), dtype="int64", value=np.zeros((0, 4), np.int64)),
        Vertex(4, "intermediate", "where", NASTY, (9,), "float64", np.full(9, 1e308), np.zeros(9)),
        Vertex(5, "group", "…", "1,200 more", members=1200, repeat=8, about=NASTY * 4),
        Vertex(6, "output", "user_op", "y" * 200, (1,), "float32", np.ones(1), about=NASTY),
    ]
    made[4].source = Source("C:\\<a>\\b & c.py", 7, "<module>", 'x = "</title>" if a < b else {}')
    made[4].params = {"dim": (0, 1), "mode": "<x>", "table": np.arange(40), "other": object}
    made[6].mark = Mark("warn", NASTY * 9)
    edges = [Edge(i, 4, i, NASTY, contribution=ramp(3)) for i in range(4)]
    edges += [Edge(0, 5, 0), Edge(4, 6, 0), Edge(5, 6, 1, "b"), Edge(4, 6, 2, "c")]
    return Diagram(made, edges, outputs=[6], title=NASTY)


def _broken() -> np.ndarray:
    values = ramp(40)
    values[[1, 5]] = np.nan
    values[7] = -np.inf
    return values


def _diagram(
    vertices: list[Vertex],
    pairs: list[tuple[int, int]],
    clusters: list[Cluster],
    outputs: list[int],
) -> Diagram:
    slots = [0] * len(vertices)
    edges = []
    for tail, head in sorted(pairs, key=lambda pair: pair[1]):
        edges.append(Edge(tail, head, slots[head]))
        slots[head] += 1
    return Diagram(vertices, edges, {cluster.path: cluster for cluster in clusters}, outputs)


DRAWINGS = {
    "scalars": scalars,
    "mlp": mlp,
    "residual": residual,
    "higher_order": higher_order,
    "marked": marked,
}
