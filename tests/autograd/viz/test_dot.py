"""DOT: structure, escaping, and what happens with and without Graphviz.

After a change that is meant: ``DAGRAD_GOLDEN=1 python -m pytest tests/autograd/viz/test_dot.py``.
"""

import os
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings

from autograd.viz.formats.dot import dot_to_svg, to_dot
from autograd.viz.model import Diagram, Edge, Vertex
from tests.autograd.viz.drawings import DRAWINGS, NASTY, kinds
from tests.autograd.viz.random_diagrams import diagrams

GOLDEN = Path(__file__).parent / "golden"
NEEDS_DOT = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def parsed(text):
    """The labels of nodes, the edges and the number of frames; all labels are valid XML."""
    for label in re.findall(r"label=<(.*?)>[\],](?= |\n|$)", text):
        ET.fromstring(f"<label>{label}</label>")
    depth = 0
    for line in text.splitlines():
        depth += line.endswith("{")
        depth -= line.strip() == "}"
        assert depth >= 0
    assert depth == 0
    nodes = re.findall(r"^ *v(\d+) \[label=<(.*)>, shape=", text, re.M)
    edges = re.findall(r"^  v(\d+) -> v(\d+)", text, re.M)
    words = {
        int(index): "\n".join(ET.fromstring(f"<x>{label}</x>").itertext()).replace("\\\\", "\\")
        for index, label in nodes
    }
    return words, [(int(a), int(b)) for a, b in edges], text.count("subgraph cluster_")


@pytest.mark.parametrize("name", DRAWINGS)
def test_golden(name):
    text = to_dot(DRAWINGS[name]())
    path = GOLDEN / f"{name}.dot"
    if os.environ.get("DAGRAD_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see the top of this file"


@pytest.mark.parametrize("name", [*DRAWINGS, "kinds"])
def test_all_that_is_there_is_written(name):
    diagram = kinds() if name == "kinds" else DRAWINGS[name]()
    words, edges, frames = parsed(to_dot(diagram))
    assert sorted(words) == list(range(len(diagram.vertices)))
    assert edges == [(e.tail, e.head) for e in diagram.edges]
    assert frames == len(diagram.clusters)


def test_names_are_escaped():
    words, _, _ = parsed(to_dot(Diagram([Vertex(0, "leaf", name='<b>|{}"\\&amp; a,a->a')])))
    assert words[0] == '<b>|{}"\\&amp; a,a->a'
    parsed(to_dot(Diagram([Vertex(0, "leaf", name=NASTY)], title=NASTY)))


@settings(deadline=None, max_examples=40)
@given(diagrams(most=12))
def test_any_diagram_is_well_formed(diagram):
    text = to_dot(diagram)
    assert len(parsed(text)[0]) == len(diagram.vertices)
    assert to_dot(diagram) == text


def test_direction():
    assert "rankdir=TB" in to_dot(Diagram())
    assert "rankdir=LR" in to_dot(Diagram(), direction="right")
    with pytest.raises(ValueError, match='direction must be "down" or "right"'):
        to_dot(Diagram(), direction="up")  # type: ignore[arg-type]


def test_without_graphviz_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"apt install graphviz.*brew.*conda.*choco.*built-in"):
        dot_to_svg(DRAWINGS["scalars"]())


def test_a_failure_of_graphviz_is_told(monkeypatch, tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="could not draw the diagram: out of luck"):
        dot_to_svg(Diagram())


@NEEDS_DOT
@pytest.mark.parametrize("name", [*DRAWINGS, "kinds"])
def test_graphviz_draws_it(name):
    diagram = kinds() if name == "kinds" else DRAWINGS[name]()
    root = ET.fromstring(dot_to_svg(diagram))
    classes = [g.get("class") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    assert classes.count("node") == len(diagram.vertices)
    assert classes.count("edge") == len(diagram.edges)
    assert classes.count("cluster") == len(diagram.clusters)


@NEEDS_DOT
def test_graphviz_shows_names_as_they_are():
    name = '<b>|{}"\\N & a'
    found = dot_to_svg(
        Diagram([Vertex(0, "leaf", name=name), Vertex(1, "output", "f")], [Edge(0, 1)])
    )
    texts = ["".join(t.itertext()) for t in ET.fromstring(found).iter()]
    assert any(name.replace(" ", "\u00a0") == t.replace(" ", "\u00a0") for t in texts)
