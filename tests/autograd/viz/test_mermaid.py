"""Mermaid: structure and escaping, without Mermaid itself.

That Mermaid's own parser takes these files and draws every name as it is written was checked by
hand, with Mermaid 11 in Chromium, in its light and dark themes. After a change that is meant:
``DAGRAD_GOLDEN=1 python -m pytest tests/autograd/viz/test_mermaid.py``.
"""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from autograd.viz.formats.mermaid import HARMLESS, SHAPES, to_mermaid
from autograd.viz.model import Cluster, Diagram, Edge, Mark, Vertex
from tests.autograd.viz.drawings import DRAWINGS, NASTY, kinds
from tests.autograd.viz.random_diagrams import diagrams

GOLDEN = Path(__file__).parent / "golden"
NODE = re.compile(r'^ *v(\d+)(\S{1,2}?)"([^"]*)"(\S{1,2}):::(\w+)$')
EDGE = re.compile(r'^  v(\d+) -->(?:\|"([^"]*)"\|)? v(\d+)$')
FRAME = re.compile(r'^ *subgraph c(\d+)\["([^"]+)"\]$')
OTHER = re.compile(
    r"^(flowchart (TD|LR)|---|title: \".*\"| *end|  classDef \w+ [\w:#,. -]+|  class [vc\d,]+ \w+)$"
)


def parsed(text):
    """Nodes, edges and frames; fails at a line that is none of Mermaid's statements."""
    nodes, edges, frames, depth = {}, [], [], 0
    for line in text.splitlines():
        if node := NODE.match(line):
            nodes[int(node[1])] = node.groups()[1:]
        elif edge := EDGE.match(line):
            edges.append((int(edge[1]), int(edge[3]), decoded(edge[2] or "")))
        elif frame := FRAME.match(line):
            frames.append((depth, decoded(frame[2])))
            depth += 1
        else:
            assert OTHER.match(line), line
            depth -= line.strip() == "end"
    assert depth == 0
    return nodes, edges, frames


def decoded(text):
    plain = text.replace("<br/>", "")
    assert all(c in HARMLESS or c in "#;" or (c.isalpha() and not c.isascii()) for c in plain)
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text.replace("<br/>", "\n"))


@pytest.mark.parametrize("name", DRAWINGS)
def test_golden(name):
    text = to_mermaid(DRAWINGS[name]())
    path = GOLDEN / f"{name}.mmd"
    if os.environ.get("DAGRAD_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see the top of this file"


@pytest.mark.parametrize("name", [*DRAWINGS, "kinds"])
def test_all_that_is_there_is_written(name):
    diagram = kinds() if name == "kinds" else DRAWINGS[name]()
    nodes, edges, frames = parsed(to_mermaid(diagram))
    assert sorted(nodes) == list(range(len(diagram.vertices)))
    assert [e[:2] for e in edges] == [(e.tail, e.head) for e in diagram.edges]
    assert len(frames) == len(diagram.clusters)
    for vertex in diagram.vertices:
        begin, text, end, kind = nodes[vertex.index]
        assert (begin, end) == SHAPES[vertex.kind]
        assert kind == vertex.kind
        assert decoded(text)


def test_cards_and_frames():
    nodes, edges, frames = parsed(to_mermaid(DRAWINGS["mlp"]()))
    assert decoded(nodes[7][1]).splitlines()[:2] == ["logits = linear", "64×10 float32"]
    assert frames == [
        (0, "model: Sequential · 79,510 parameters"),
        (1, "0: Linear · 78,500 parameters"),
        (1, "1: ReLU"),
        (1, "2: Linear · 1,010 parameters"),
    ]
    nodes, edges, _ = parsed(to_mermaid(DRAWINGS["scalars"]()))
    assert decoded(nodes[4][1]) == "loss = pow(2)\nvalue 81\ngradient 1"
    assert [text for tail, _, text in edges if tail == 1] == ["-36", "-18"], "where paths meet"


def test_operands_are_named_where_their_order_matters():
    vertices = [Vertex(0, "leaf"), Vertex(1, "leaf"), Vertex(2, "intermediate", "sub")]
    vertices.append(Vertex(3, "output", "mul"))
    edges = [Edge(0, 2, 0, "a"), Edge(1, 2, 1, "b"), Edge(1, 3, 0, "a"), Edge(2, 3, 1, "b")]
    _, edges, _ = parsed(to_mermaid(Diagram(vertices, edges, outputs=[3])))
    assert [text for _, _, text in edges] == ["a", "b", "", ""]


def test_escaping():
    diagram = Diagram([Vertex(0, "leaf", name=NASTY)], [], {"c": Cluster("c", "end")}, title=NASTY)
    diagram.vertices[0].cluster = "c"
    diagram.vertices.append(Vertex(1, "leaf", name='<b>"`end`"'))
    nodes, _, frames = parsed(to_mermaid(diagram))
    assert decoded(nodes[1][1]) == '<b>"`end`"'
    assert frames == [(0, "end")]
    text = to_mermaid(Diagram([Vertex(0, "leaf", name="new\nline")]))
    assert "#92;n" not in text, "Mermaid would break the line there"


def test_marks_have_a_class():
    diagram = DRAWINGS["marked"]().marked({3: Mark("bad", "here")})
    text = to_mermaid(diagram)
    assert "  class v2,v3 bad" in text.splitlines()
    assert "classDef bad " in text


@settings(deadline=None, max_examples=40)
@given(diagrams(most=12))
def test_any_diagram_is_well_formed(diagram):
    text = to_mermaid(diagram, "right")
    parsed(text)
    assert text.isprintable() or "\n" in text
    assert to_mermaid(diagram, "right") == text


def test_direction():
    assert to_mermaid(Diagram()).startswith("flowchart TD")
    assert to_mermaid(Diagram(), "right").startswith("flowchart LR")
    with pytest.raises(ValueError, match='direction must be "down" or "right"'):
        to_mermaid(Diagram(), "up")  # type: ignore[arg-type]
