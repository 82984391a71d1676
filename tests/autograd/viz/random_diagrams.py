"""Random diagrams for hypothesis, and what must hold of every diagram."""

from __future__ import annotations

from typing import get_args

import numpy as np
from hypothesis import strategies as st

from autograd.viz.model import Cluster, Diagram, Edge, Kind, Level, Mark, Source, Vertex
from tests.autograd.viz.drawings import NASTY

NAMES = st.sampled_from(["", "x", "h_1", "end", "重み", "layer.0.weight", NASTY, "n" * 70])
NUMBERS = st.sampled_from([0.0, -1.5, 1e-30, float("nan"), float("inf"), -float("inf")])
METADATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner, inner)
        | st.builds(slice, st.none() | st.integers(), st.integers())
    ),
    max_leaves=4,
)


@st.composite
def values(draw: st.DrawFn, shape: tuple[int, ...], dtype: str) -> object:
    """Make a value of this shape: numbers that are not finite among them."""
    if dtype == "float":
        return draw(NUMBERS)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    array = (rng.normal(size=shape) * 3).astype(dtype)
    if array.dtype.kind == "f" and array.size and draw(st.booleans()):
        array.reshape(-1)[rng.integers(array.size)] = draw(NUMBERS)
    return array


@st.composite
def diagrams(draw: st.DrawFn, most: int = 30) -> Diagram:
    """Make a valid diagram: any wiring, nested clusters whose vertices are scattered, marks."""
    paths = [""]
    clusters = {}
    for number in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(paths))
        path = f"{parent}.{number}".lstrip(".")
        clusters[path] = Cluster(
            path, draw(NAMES), draw(NAMES), parent, draw(st.integers(0, 3)), draw(st.integers(1, 2))
        )
        paths.append(path)
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    for index in range(draw(st.integers(0, most))):
        dtype = draw(st.sampled_from(["float", "float32", "float64", "int64", "bool"]))
        shape = () if dtype == "float" else draw(st.sampled_from([(), (3,), (2, 0), (2, 5)]))
        known = draw(st.booleans())
        vertex = Vertex(index, "leaf", name=draw(NAMES), shape=shape, dtype=dtype)
        vertex.kind = draw(st.sampled_from(get_args(Kind)))
        vertex.value = draw(values(shape, dtype)) if known else None
        vertex.grad = draw(values(shape, dtype)) if known else None
        vertex.cluster = draw(st.sampled_from(paths))
        vertex.saved = draw(st.integers(0, 5000))
        if draw(st.integers(0, 5)) == 0:
            vertex.mark = Mark(draw(st.sampled_from(get_args(Level))), draw(NAMES), 0.5)
        tails = draw(st.lists(st.integers(0, index - 1), max_size=3)) if index else []
        if tails:
            vertex.op = draw(st.sampled_from(["mul", "add", "sin"]))
            vertex.source = draw(st.none() | st.builds(Source, NAMES, st.integers(1, 3), NAMES))
            vertex.params = draw(st.dictionaries(st.sampled_from(["dim", "p"]), METADATA))
            vertex.scalars = draw(st.dictionaries(st.integers(4, 6), NUMBERS, max_size=1))
        for slot, tail in enumerate(tails):
            of = vertices[tail]
            piece = draw(values(of.shape, of.dtype)) if known else None
            edges.append(Edge(tail, index, slot, draw(NAMES), piece))
        vertices.append(vertex)
    outputs = [len(vertices) - 1] if vertices else []
    return Diagram(vertices, edges, clusters, outputs, draw(NAMES))


def check(diagram: Diagram) -> None:
    """Assert what the model's text promises of a diagram."""
    size = len(diagram.vertices)
    seen = {""}
    for path, cluster in diagram.clusters.items():
        assert cluster.path == path
        assert cluster.parent in seen
        seen.add(path)
    for index, vertex in enumerate(diagram.vertices):
        assert vertex.index == index
        assert vertex.cluster in seen
        assert vertex.members >= 1
        assert vertex.repeat >= 1
    assert all(0 <= edge.tail < edge.head < size for edge in diagram.edges)
    order = [(edge.head, edge.slot) for edge in diagram.edges]
    assert order == sorted(order)
    assert all(0 <= index < size for index in diagram.outputs)
