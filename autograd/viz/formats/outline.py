"""What the formats for other programs (Mermaid, DOT) say of a diagram, before their syntax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..model import Cluster, Diagram, Edge, Vertex
from ..summary import bytes_text, number, shape_text, summarise
from .text_rows import frame_title, metadata, short_name
from .text_width import clean, elided

# Columns of a line on a card: a card is not much wider than high.
WIDEST = 36
WIDEST_HEADING = 60
# Ops of which the order of operands does not matter: naming them says nothing.
COMMUTATIVE = frozenset({"add", "mul", "maximum", "minimum", "eq", "ne"})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a card: its words, and what it tells.

    `part` is "title", "shape", "value", "gradient", "saved", "about" or a level of marks.
    """

    text: str
    part: str


def card(vertex: Vertex) -> list[Line]:
    """What is told of a vertex; the title first.

    Examples
    --------
    >>> [line.text for line in card(Vertex(0, "leaf", name="w", value=2.0, grad=0.5))]
    ['w', 'value 2', 'gradient 0.5']
    """
    lines = [Line(_title(vertex), "title")]
    if vertex.shape or vertex.dtype != "float":
        lines.append(Line(f"{shape_text(vertex.shape)} {vertex.dtype}".strip(), "shape"))
    if vertex.value is not None:
        lines.append(Line(f"value {distribution(vertex.value)}", "value"))
    if vertex.grad is not None:
        lines.append(Line(f"gradient {distribution(vertex.grad)}", "gradient"))
    if vertex.saved:
        lines.append(Line(f"{bytes_text(vertex.saved)} saved", "saved"))
    if vertex.about:
        lines.append(Line(vertex.about, "about"))
    if vertex.mark is not None and vertex.mark.text:
        lines.append(Line(vertex.mark.text, vertex.mark.level))
    return [Line(elided(clean(line.text), WIDEST), line.part) for line in lines]


def _title(vertex: Vertex) -> str:
    times = f" × {vertex.repeat:,}" if vertex.repeat > 1 else ""
    name = short_name(vertex, vertex.cluster)
    if not vertex.op:
        return (name or vertex.kind) + times
    told = metadata(vertex)
    given = [number(value) if value is not None else "None" for value in vertex.scalars.values()]
    inner = ", ".join([*given, *told])
    op = f"{vertex.op}({inner})" if inner else vertex.op
    sign = ": " if vertex.kind == "group" and vertex.repeat == 1 else " = "
    return (f"{name}{sign}{op}" if name else op) + times


def distribution(value: object) -> str:
    """A number, or the range of an array; NaN and infinite elements are counted."""
    array = np.asarray(value)
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number(array.reshape(-1)[0])
    found = summarise(array)
    wrong = [f"{n:,} {name}" for n, name in ((found.nans, "nan"), (found.infs, "inf")) if n]
    if found.nans + found.infs == found.size:
        return ", ".join(wrong)
    low, high = number(found.minimum, 3), number(found.maximum, 3)
    text = f"all {low}" if low == high else f"{low} … {high}"
    return "; ".join([text, *wrong])


def edge_label(diagram: Diagram, edge: Edge, operands: list[list[Edge]], uses: list[int]) -> str:
    """What is written at an edge: the argument where there are several, and a number's share.

    Of parameters the name says which argument they are; where paths meet, each edge says what it
    contributes to the gradient.
    """
    parts = []
    others = [
        e
        for e in operands[edge.head]
        if diagram.vertices[e.tail].kind not in ("parameter", "buffer")
    ]
    ordered = diagram.vertices[edge.head].op not in COMMUTATIVE
    if ordered and len(others) > 1 and any(edge is other for other in others):
        parts.append(edge.argument)
    if uses[edge.tail] > 1 and edge.contribution is not None and np.size(edge.contribution) == 1:
        share = number(np.asarray(edge.contribution).reshape(-1)[0])
        parts.append(share if share.startswith("-") else f"+{share}")
    return clean(", ".join(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class Step:
    """One step through the nested frames: a frame begins or ends, or a vertex stands there."""

    depth: int
    begins: Cluster | None = None
    vertex: Vertex | None = None


def outline(diagram: Diagram) -> Iterator[Step]:
    """Walk through the frames and the vertices in them; a step with neither ends a frame."""
    inside: dict[str, list[Vertex]] = {}
    for vertex in diagram.vertices:
        inside.setdefault(vertex.cluster, []).append(vertex)
    children: dict[str, list[Cluster]] = {}
    for cluster in diagram.clusters.values():
        children.setdefault(cluster.parent, []).append(cluster)
    stack = [iter(children.get("", ()))]
    yield from (Step(0, vertex=vertex) for vertex in inside.get("", ()))
    while stack:
        depth = len(stack) - 1
        cluster = next(stack[-1], None)
        if cluster is None:
            stack.pop()
            if stack:
                yield Step(depth - 1)
            continue
        yield Step(depth, begins=cluster)
        yield from (Step(depth + 1, vertex=vertex) for vertex in inside.get(cluster.path, ()))
        stack.append(iter(children.get(cluster.path, ())))


def title_of(cluster: Cluster) -> str:
    """The heading of a frame."""
    return elided(frame_title(cluster), WIDEST_HEADING)
