"""The static picture, checked by what is read back from it.

After a change of the drawing that is meant: look at the pictures, and write the golden files anew
by ``DAGRAD_GOLDEN=1 python -m pytest tests/autograd/viz/test_svg.py``.
"""

import math
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.viz.details import Details
from autograd.viz.model import Cluster, Diagram, Edge, Mark, Source, Vertex
from autograd.viz.style import DARK, LIGHT, LOOKS, colour, css
from autograd.viz.svg.card import Card
from autograd.viz.svg.edges import labels_of, smooth
from autograd.viz.svg.rows import local_name
from autograd.viz.svg.svg import to_svg
from autograd.viz.svg.text import elide, escape, text_width, wrap
from tests.autograd.viz.drawings import DRAWINGS, NASTY, kinds, marked, mlp, residual, scalars
from tests.autograd.viz.pictures import (
    SPACE,
    Picture,
    along,
    check,
    crosses,
    overlap,
)

GOLDEN = Path(__file__).parent / "golden"
ALL = {**DRAWINGS, "kinds": kinds}


# --- The drawing as a whole --------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_is_a_document_of_its_own(name, theme):
    text = to_svg(ALL[name](), theme=theme)
    picture = Picture(text)
    root = picture.root
    assert root.tag == f"{SPACE}svg"
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root[0].tag == f"{SPACE}title"
    assert root[1].tag == f"{SPACE}desc"
    assert not list(root.iter(f"{SPACE}script"))
    # Nothing refers to anything outside, and without a style sheet nothing needs one.
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "var(" not in text
    assert ("prefers-color-scheme" in text) == (theme == "auto")
    used = set(re.findall(r"var\((--dg-[\w-]+),#", text))
    assert all(f"{variable}:#" in text for variable in used)


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("name", ALL)
def test_nothing_lies_on_anything_else(name, direction):
    diagram = ALL[name]()
    picture = Picture(to_svg(diagram, direction=direction))
    check(picture, diagram)


@pytest.mark.parametrize("name", ALL)
def test_everything_is_inside_the_picture(name):
    picture = Picture(to_svg(ALL[name]()))
    [graph] = [g for g in picture.root.iter(f"{SPACE}g") if g.get("class") == "dg-graph"]
    left, top = map(float, re.findall(r"[-\d.]+", graph.get("transform", "")))
    everything = [*picture.boxes.values(), *picture.frames.values(), *picture.labels.values()]
    for x, y, w, h in everything:
        assert left + x >= 0
        assert top + y >= 0
        assert left + x + w <= picture.width
        assert top + y + h <= picture.height


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_frames_hold_their_members_and_nothing_else(name):
    diagram = DRAWINGS[name]()
    picture = Picture(to_svg(diagram))
    assert list(picture.frames) == list(diagram.clusters)
    for path, (x, y, w, h) in picture.frames.items():
        for vertex in diagram.vertices:
            bx, by, bw, bh = picture.boxes[vertex.index]
            inside = x <= bx and y <= by and bx + bw <= x + w and by + bh <= y + h
            member = vertex.cluster == path or vertex.cluster.startswith(f"{path}.")
            assert inside == member
            assert inside or not overlap((x, y, w, h), (bx, by, bw, bh))


@pytest.mark.parametrize("name", ALL)
def test_words_fit_into_their_cards(name):
    diagram = ALL[name]()
    picture = Picture(to_svg(diagram))
    for vertex in diagram.vertices:
        width = picture.boxes[vertex.index][2]
        for text in picture.node(vertex.index).iter(f"{SPACE}text"):
            size = float(text.get("font-size", "12"))
            length = text_width(text.text or "", size, text.get("font-weight") is not None)
            x = float(text.get("x", "nan"))
            start, end = (x - length, x) if text.get("text-anchor") == "end" else (x, x + length)
            assert start >= 3
            assert end <= width - 3


@pytest.mark.parametrize("name", ALL)
def test_two_drawings_are_identical(name):
    assert to_svg(ALL[name]()) == to_svg(ALL[name]())


@pytest.mark.parametrize("name", DRAWINGS)
def test_golden(name):
    text = to_svg(DRAWINGS[name]())
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("DAGRAD_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see the top of this file"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_graph(data):
    count = data.draw(st.integers(1, 14))
    paths = ["", "m", "m.a", "m.a.b", "n"]
    clusters = {p: Cluster(p, p[-1], "Net", p[:-2], repeat=1 + len(p) % 3) for p in paths[1:]}
    vertices, edges = [], []
    for i in range(count):
        value = data.draw(st.sampled_from([None, 1.5, math.nan, np.zeros(0), np.arange(9.0)]))
        kind = data.draw(st.sampled_from(list(LOOKS)))
        mark = data.draw(st.sampled_from([None, Mark("path"), Mark("heat", "hot", 2.0)]))
        path = data.draw(st.sampled_from(paths))
        vertices.append(
            Vertex(i, kind, "add", "v" * i, (9,), "float32", value, value, mark=mark, cluster=path)
        )
        for slot in range(data.draw(st.integers(0, min(i, 3)))):
            tail = data.draw(st.integers(0, i - 1))
            edges.append(Edge(tail, i, slot, contribution=value))
    diagram = Diagram(vertices, edges, clusters)
    picture = Picture(to_svg(diagram))
    assert len(picture.edges) == len(edges)
    for a, b in combinations(picture.boxes.values(), 2):
        assert not overlap(a, b)
    for tail, head, points in picture.edges:
        line = along(points)
        for index, box in picture.boxes.items():
            assert index in (tail, head) or not crosses(line, box)


def test_describes_itself():
    [text] = [e.text or "" for e in Picture(to_svg(mlp())).root.iter(f"{SPACE}desc")]
    assert text == (
        "10 nodes (4 parameters, 2 constants, 3 intermediate results, 1 output), 9 edges; "
        "output: loss"
    )


def test_options_are_checked():
    with pytest.raises(ValueError, match="theme must be"):
        to_svg(Diagram(), theme="sepia")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="direction must be"):
        to_svg(Diagram(), direction="up")  # type: ignore[arg-type]


def test_an_empty_graph_says_so():
    picture = Picture(to_svg(Diagram()))
    assert "This graph is empty" in picture.texts


def test_names_are_escaped_and_in_the_tooltip_complete():
    text = to_svg(kinds())
    picture = Picture(text)
    assert "</script>" not in text
    for shown in ("a<b>&\"c'{d}|\\e ", "α 损失", "🙂 </script><!--"):
        assert shown in picture.tooltip(0)
    assert "y" * 200 in picture.tooltip(6)
    assert not any("y" * 100 in words for words in picture.words(6))
    tip = picture.tooltip(4)
    assert "line: b & c.py:7" in tip
    assert 'x = "</title>" if a < b else {}' in tip
    assert "mode: <x>" in tip


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_a_document(name, op):
    vertices = [Vertex(0, "leaf", name=name), Vertex(1, "output", op=op, name=name)]
    Picture(to_svg(Diagram(vertices, [Edge(0, 1, argument=op)], title=name)))


# --- Cards -------------------------------------------------------------------------------------


def test_a_scalar_card_shows_name_op_value_and_gradient():
    picture = Picture(to_svg(scalars()))
    assert picture.words(0) == ["a", "value", "2", "grad", "54"]
    assert picture.words(3) == ["d", "=", "add", "value", "−9", "grad", "−18"]
    assert picture.words(4)[:4] == ["loss", "=", "pow", "^ 2"]


def test_an_array_card_shows_shape_bytes_and_distribution():
    picture = Picture(to_svg(mlp()))
    words = picture.words(3)
    assert words[:4] == ["linear", "64×100", "·", "float32"]
    assert "saves 25 KiB" in words
    numbers = words[words.index("value") + 1 : words.index("grad")]
    found = mlp().vertices[3].value
    assert [float(n.replace("−", "-")) for n in numbers] == pytest.approx(
        [found.min(), found.mean(), found.max()], rel=5e-3
    )


def test_a_graph_without_values_shows_op_and_shape_only():
    picture = Picture(to_svg(residual()))
    assert picture.words(2) == ["conv2d", "8×16×32×32"]
    assert picture.boxes[2][3] < 60


def test_what_is_not_finite_is_loud():
    text = to_svg(marked(), theme="light")
    picture = Picture(text)
    assert picture.words(1).count("2 NaN") == 1
    assert picture.words(1).count("1 inf") == 1
    assert "NaN" in picture.words(5)
    assert "inf" in picture.words(5)
    assert text.count(LIGHT["alarm"]) == 8


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((0, 3)), ["no elements"]),
        (np.array(True), ["True"]),
        (np.array([[1.5]]), ["1.5"]),
        (np.array([1, -2]), ["[1, −2]"]),
        (np.full((3, 4), 7), ["all", "7"]),
        (np.full(9, np.nan), ["9 NaN"]),
        (np.array([np.inf, -np.inf]), ["2 inf"]),
        (np.array([-1.7e308, 0.0, 0.0, 0.0, 1.7e308]), ["−1.7e308", "0", "1.7e308"]),
        (5e-324, ["4.941e−324"]),
        (12345678, ["12345678"]),
        (np.float32(-0.0), ["0"]),
    ],
)
def test_values(value, words):
    vertex = Vertex(0, "leaf", name="v", dtype="float", value=value)
    assert Picture(to_svg(Diagram([vertex]))).words(0) == ["v", "value", *words]


@pytest.mark.parametrize("value", [math.nan, np.float32("nan"), np.array(np.nan, np.float16)])
def test_a_single_nan_is_loud(value):
    text = to_svg(Diagram([Vertex(0, "leaf", name="v", value=value)]), theme="light")
    assert text.count(LIGHT["alarm"]) == 1


@pytest.mark.parametrize(
    ("op", "scalars", "words"),
    [
        ("mul", {1: 2.0}, "× 2"),
        ("sub", {0: 1.0}, "1 −"),
        ("div", {1: -0.5}, "÷ −0.5"),
        ("clamp", {1: 0.0, 2: 1.0}, "(0, 1)"),
        ("clamp", {1: None, 2: 6.0}, "(6)"),
        ("add", {}, None),
    ],
)
def test_plain_numbers_among_the_operands(op, scalars, words):
    vertex = Vertex(0, "intermediate", op, scalars=scalars)
    assert Picture(to_svg(Diagram([vertex]))).words(0) == [op] + [words] * (words is not None)


def test_kinds_differ_without_colour():
    assert len({(look.corner, look.border, look.dash) for look in LOOKS.values()}) == len(LOOKS)


def test_what_stands_for_several_is_a_stack():
    assert Card(Vertex(0, "group", "… 1,200 nodes", members=1200)).sheets
    assert Card(Vertex(0, "group", "Block", members=9, repeat=3)).sheets
    assert not Card(Vertex(0, "group", "Linear", members=3)).sheets


@pytest.mark.parametrize(
    ("name", "cluster", "shown"),
    [
        ("fc1.weight", "model.fc1", "weight"),
        ("model.fc1.weight", "model.fc1", "weight"),
        ("model.fc1", "model", "fc1"),
        ("weight", "", "weight"),
        ("fc1.weight", "other.fc11", "fc1.weight"),
        ("c1.weight", "model.fc1", "c1.weight"),
        ("fc1", "model.fc1", "fc1"),
    ],
)
def test_names_do_not_repeat_what_the_frame_says(name, cluster, shown):
    assert local_name(Vertex(0, "parameter", name=name, cluster=cluster)) == shown


def test_orders_have_signs():
    picture = Picture(to_svg(DRAWINGS["higher_order"]()))
    degrees = ("∂", "∂²", "∂³")
    shown = [[d for d in degrees if d in picture.words(i)] for i in range(7)]
    assert shown == [[], [], ["∂"], ["∂"], ["∂²"], ["∂²"], ["∂³"]]


def test_marks_are_written_out():
    picture = Picture(to_svg(marked()))
    assert {"✗"} <= set(picture.words(2))
    assert "✓" in picture.words(3)
    text = " ".join(picture.words(2))
    assert "the rule sends back 0.5" in text
    assert "12.3 ms, 61 %" in picture.words(4)
    # The way from w to the loss is highlighted, and it leads through the culprit.
    assert to_svg(marked(), theme="light").count('stroke-width="9"') == 3


def test_the_longest_finding_stays_inside():
    vertex = Vertex(0, "output", "f", mark=Mark("bad", "word " * 200))
    card = Card(vertex)
    assert card.width < 320
    assert len(card.mark_lines) == 3
    assert card.mark_lines[-1].count("…") == 1


# --- Edges -------------------------------------------------------------------------------------


def test_contributions_stand_where_several_meet():
    picture = Picture(to_svg(scalars()))
    written = {}
    for group in picture.root.iter(f"{SPACE}g"):
        if group.get("data-of-edge") is not None:
            edge = int(group.get("data-of-edge", ""))
            written[edge] = [t.text for t in group.iter(f"{SPACE}text")]
    assert written == {
        0: ["× −3"],
        1: ["× 2", "−36"],
        2: ["× 1"],
        3: ["× 1", "−18"],
        4: ["× −18"],
    }


def test_an_edge_of_arrays_says_the_range_of_its_contribution():
    diagram = scalars()
    diagram.edges[1] = replace(diagram.edges[1], slope=None, contribution=ramp_of(5))
    assert "−1 … 1" in Picture(to_svg(diagram)).texts


def ramp_of(count):
    return np.linspace(-1, 1, count)


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "+NaN"), (-math.inf, "−inf"), (np.array([1, np.nan]), "1 NaN")]
)
def test_a_broken_contribution_is_loud(value, text):
    diagram = scalars()
    diagram.edges[1] = replace(diagram.edges[1], slope=None, contribution=value)
    [words] = labels_of(diagram)[1:2]
    assert [(w.text, w.ink, w.bold) for w in words] == [(text, "alarm", True)]


def test_lines_end_where_the_head_begins():
    assert smooth([((0.0, 0.0), (0.0, 20.0))], 6.0) == "M0 0L0 14"
    curve = [((0.0, 0.0), (0.0, 10.0), (8.0, 10.0), (8.0, 20.0))]
    assert smooth(curve, 6.0) == "M0 0C0 10 8 10 8 14"


# --- Details, text, style ----------------------------------------------------------------------


def test_details_name_the_operands_in_order():
    diagram = scalars()
    details = Details(diagram)
    assert details.heading(diagram.vertices[3]) == "d = add(mul, b)"
    assert details.heading(diagram.vertices[4]) == "loss = pow(d, 2)"
    lines = dict(details.vertex(diagram.vertices[3]))
    assert lines["line"] == "expression.py:3"
    assert lines["code"] == "d = a * b + b"
    assert lines["formula"] == "mul + b" or "+" in lines["formula"]


def test_details_tell_nobody_the_folders_of_a_file():
    diagram = scalars()
    diagram.vertices[3].source = Source("/home/someone/expression.py", 3, "step")
    lines = dict(Details(diagram).vertex(diagram.vertices[3]))
    assert lines["line"] == "expression.py:3"
    assert "/home/" not in to_svg(diagram)


def test_details_list_the_contributions():
    diagram = scalars()
    lines = Details(diagram).vertex(diagram.vertices[1])
    assert ("from mul", "−36") in lines
    assert ("from d", "−18") in lines


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.floats(10, 200))
def test_elided_text_fits(text, room):
    shown = elide(text, room, 12.0)
    assert text_width(shown, 12.0) <= room or len(shown) <= 2
    assert shown == text or "…" in shown
    for line in wrap(text, room, 12.0):
        assert text_width(line, 12.0) <= room or len(line) <= 2


@given(st.text(max_size=60))
def test_escaped_text_reads_back(text):
    back = ET.fromstring(f"<a>{escape(text)}</a>").text or ""
    assert len(back) == len(text)


def _luminance(value: str) -> float:
    parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(palette):
    grounds = ["page", "surface", *(f"{kind}-fill" for kind in LOOKS)]
    for ground in grounds:
        for text in ("ink", "muted", "gradient", "alarm", "order-1", "order-2", "order-3"):
            assert _contrast(palette[text], palette[ground]) >= 4.5
    for level in ("path", "good", "warn", "bad", "heat"):
        assert _contrast(palette[f"{level}-text"], palette[f"{level}-fill"]) >= 4.5
        assert _contrast(palette[level], palette["page"]) >= 3
    assert _contrast(palette["alarm-text"], palette["alarm"]) >= 4.5
    for line in (*LOOKS, "edge", "value-bars", "gradient-bars", "focus"):
        assert _contrast(palette[line], palette["page"]) >= 3


def test_palettes_have_the_same_colours():
    assert list(LIGHT) == list(DARK)
    with pytest.raises(KeyError):
        colour("mauve", "light")
    with pytest.raises(ValueError, match="theme must be"):
        css("sepia")  # type: ignore[arg-type]
    assert css("auto", switch=True).count("--dg-ink:") == 4
    assert NASTY


def test_names_of_one_light_colour_have_one_dark_colour():
    dark: dict[str, str] = {}
    for name, light in LIGHT.items():
        assert dark.setdefault(light, DARK[name]) == DARK[name], name
