"""The terminal's picture: what it says, that it fits, and that its rails are the edges.

After a change that is meant: look at the text, and write the golden files anew by
``DAGRAD_GOLDEN=1 python -m pytest tests/autograd/viz/test_text.py``.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.viz.formats.text import GLYPHS, to_text
from autograd.viz.formats.text_cells import DETAILS, column
from autograd.viz.formats.text_rails import ASCII, UNICODE, rails
from autograd.viz.formats.text_width import clean, elided, padded, shortened, sparkline, width
from autograd.viz.model import Cluster, Diagram, Edge, Mark, Vertex
from tests.autograd.viz.drawings import DRAWINGS, NASTY, kinds
from tests.autograd.viz.random_diagrams import diagrams

GOLDEN = Path(__file__).parent / "golden"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def chain(*vertices, extra=()):
    made = [Vertex(i, *rest[:1], **rest[1]) for i, rest in enumerate(vertices)]
    edges = [Edge(i, i + 1) for i in range(len(made) - 1)]
    return Diagram(made, [*edges, *extra], outputs=[len(made) - 1])


# --- What it says -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("columns", [80, 120])
def test_golden(name, columns):
    text = to_text(DRAWINGS[name](), width=columns) + "\n"
    path = GOLDEN / f"{name}_{columns}.txt"
    if os.environ.get("DAGRAD_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see the top of this file"


def test_golden_ascii():
    text = to_text(DRAWINGS["mlp"](), width=100, ascii_only=True) + "\n"
    path = GOLDEN / "mlp_ascii.txt"
    if os.environ.get("DAGRAD_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see the top of this file"


def test_names_arguments_and_numbers():
    text = to_text(DRAWINGS["scalars"]())
    assert "d = add(#2, b)" in text
    assert "loss = pow(d, 2)" in text
    assert "gradient -54 = -36 via #2 - 18 via d" in text
    assert "expression.py:3" in text
    row = next(line for line in text.splitlines() if "loss = pow" in line)
    assert row.split()[-2:] == ["81", "1"]


def test_metadata_and_many_operands():
    vertices = [Vertex(i, "leaf", name=f"x{i}") for i in range(40)]
    vertices.append(Vertex(40, "output", "cat", params={"dim": 1, "out": None, "keep": False}))
    edges = [Edge(i, 40, i) for i in range(40)]
    text = to_text(Diagram(vertices, edges, outputs=[40]), width=120)
    assert "#40 = cat(x0, x1, … 37 more, x39, dim=1)" in text


def test_frames_are_headed_and_single_rows_name_theirs():
    text = to_text(DRAWINGS["mlp"]())
    assert "╭ model: Sequential · 79,510 parameters" in text
    assert "│ 1: ReLU  #4 = relu(#3)" in text
    assert re.search(r"●─┴─╯ +│ ╰ #3 = linear\(x, weight, bias\)", text)
    assert re.search(r"╰ ╰ logits = linear\(#4, weight, bias\)", text)


def test_a_frame_entered_again_says_so():
    vertices = [Vertex(i, "intermediate", f"op{i}", cluster="m" * (i != 2)) for i in range(5)]
    edges = [Edge(i, i + 1) for i in range(4)]
    text = to_text(Diagram(vertices, edges, {"m": Cluster("m", "m", "Block")}, [4]))
    assert text.count("╭ m: Block") == 2
    assert text.count("╭ m: Block (continued)") == 1


def test_repeats_and_groups():
    vertices = [
        Vertex(0, "leaf", name="W"),
        Vertex(1, "group", "sin", "x", repeat=1000, members=1000, saved=4096),
        Vertex(2, "intermediate", "matmul", cluster="h"),
        Vertex(3, "intermediate", "tanh", name="h", cluster="h"),
        Vertex(4, "group", "… 1,234 nodes", members=1234, about="617 add, 617 mul"),
    ]
    edges = [Edge(0, 1), Edge(1, 2), Edge(0, 2, 1), Edge(2, 3), Edge(3, 4)]
    text = to_text(Diagram(vertices, edges, {"h": Cluster("h", "h", repeat=10)}, [4]))
    assert "x = sin(W) × 1,000" in text
    assert "╭ h × 10" in text
    assert "… 1,234 nodes · 617 add, 617 mul" in text
    assert "× n: the first of n is shown" in text
    assert "5 vertices, 5 edges for 2,237 nodes · 4 KiB saved for backward" in text


def test_a_leaf_that_all_rounds_read_stands_outside_of_them():
    vertices = [
        Vertex(0, "leaf", name="x"),
        Vertex(1, "parameter", name="W"),
        Vertex(2, "constant", name="data", cluster="h"),
        Vertex(3, "intermediate", "matmul", cluster="h"),
        Vertex(4, "intermediate", "add", cluster="h"),
        Vertex(5, "intermediate", "mul", cluster="h"),
    ]
    edges = [Edge(0, 3), Edge(2, 3, 1), Edge(3, 4), Edge(3, 5), Edge(4, 5, 1), Edge(1, 5, 2)]
    lines = to_text(Diagram(vertices, edges, {"h": Cluster("h", "h", repeat=9)}, [5])).splitlines()
    heading = next(i for i, line in enumerate(lines) if "╭ h × 9" in line)
    assert any("W" in line for line in lines[:heading])
    assert any("data" in line for line in lines[heading:])


def test_marks_stand_with_their_words():
    text = to_text(DRAWINGS["marked"]())
    for sign in "▶✖✔▮▲":
        assert sign in text
    assert "the rule sends back 0.5 where the finite difference is −0.5: its sign" in text


def test_values_that_are_not_numbers_are_loud():
    coloured = to_text(DRAWINGS["marked"](), width=120, colour=True)
    assert "\x1b[1;31m" in coloured
    assert "2 nan, 1 inf of 40" in coloured
    assert "\x1b[1;31mnan" in coloured


@pytest.mark.parametrize("detail", range(len(DETAILS)))
def test_cells(detail):
    values = [None, 2.5, np.zeros(0), np.full(4, 7.0), np.arange(12.0), np.array(True), 3]
    values += [np.full(3, np.nan), np.array([1.0, np.inf]), np.float32(1.0), np.arange(3) > 1]
    values += [np.array([-1e308, 0.0, 1e308]), np.array(-np.inf), np.array([1, 2**60])]
    texts = column(values, detail)
    assert len({width(text) for text, _ in texts}) == 1
    stripped = [text.strip() for text, _ in texts]
    assert stripped[:4] == ["", "2.5", "empty", "7 all"]
    assert stripped[7] == "3 nan of 3"
    assert stripped[8] == "1 inf of 2"
    assert [alarming for _, alarming in texts][7:9] == [True, True]
    if DETAILS[detail]["range"]:
        assert stripped[4].startswith("0 ▇")
        assert " 11" in stripped[4]


def test_empty_and_unconnected():
    assert to_text(Diagram()) == "0 vertices, 0 edges"
    text = to_text(Diagram([Vertex(0, "leaf", name="x")], outputs=[0]))
    assert text.splitlines()[0] == "1 vertex, 0 edges"
    assert "◇  x" in text


def test_a_long_chain_does_not_recurse():
    vertices = [Vertex(i, "intermediate", "sin") for i in range(5_000)]
    edges = [Edge(i, i + 1) for i in range(4_999)]
    lines = to_text(Diagram(vertices, edges, outputs=[4_999])).splitlines()
    assert len(lines) > 5_000


# --- That it fits -----------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(diagrams(most=14), st.integers(20, 160), st.booleans(), st.booleans())
def test_never_wider_than_asked(diagram, columns, colour, ascii_only):
    text = to_text(diagram, width=columns, colour=colour, ascii_only=ascii_only)
    plain = ESCAPE.sub("", text)
    assert colour or plain == text
    for line in plain.split("\n"):
        assert width(line) <= columns
        assert line == line.rstrip()
        assert "\x1b" not in line
    assert not ascii_only or text.isascii()
    assert to_text(diagram, width=columns, colour=colour, ascii_only=ascii_only) == text


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_wide_and_combining_characters_keep_the_columns_below_each_other(columns):
    names = [
        "x",
        "重み" * 3,
        "e\u0301" * 5,
        "\u0302α",
        "a\u200db",
        "x\ny\x1b[31m\u202e",
        "한국어",
        NASTY,
    ]
    vertices = [
        Vertex(i, "leaf", name=name, shape=(1, 2), dtype="float32", value=np.arange(2.0))
        for i, name in enumerate(names)
    ]
    lines = to_text(Diagram(vertices), width=columns).splitlines()[2:-1]
    lines = [line for line in lines if "1×2" in line]
    assert len(lines) == len(names)
    places = {width(line[: line.index("1×2")]) for line in lines}
    assert len(places) == 1


def test_all_kinds_have_a_sign_of_their_own():
    text = to_text(kinds(), width=140)
    for kind in ("parameter", "leaf", "buffer", "constant", "intermediate", "group", "output"):
        assert GLYPHS[kind][0] in text.splitlines()[-1]
    assert len({signs[0] for signs in GLYPHS.values()}) == len(GLYPHS)
    assert len({signs[1] for signs in GLYPHS.values()}) == len(GLYPHS)


@pytest.mark.parametrize("wrong", [19, 0, True, 80.0, "80", None])
def test_width_is_checked(wrong):
    with pytest.raises(ValueError, match="width must be an int of 20 or more"):
        to_text(Diagram(), width=wrong)


@given(st.text(max_size=30), st.integers(0, 20))
def test_cutting_text(text, room):
    tidy = clean(text)
    assert width(elided(tidy, room)) <= room or not tidy
    assert width(shortened(tidy, room)) <= room or not tidy
    assert width(padded(tidy, room)) == max(room, width(tidy))
    assert not any(ord(c) < 32 or c in "\x7f\x9b\u202e\u2028" for c in tidy)


def test_histograms():
    assert sparkline((0, 0, 1, 1000), 4) == "▁▁▂▇", "a single element is seen"
    assert sparkline((5,) * 12, 6) == "▇" * 6
    assert sparkline((0, 4), 2, ascii_only=True) == "_#"


# --- That its rails are the edges -------------------------------------------------------------


def read_back(order, drawn, signs):
    """The operands of each row, from the characters alone."""
    owners: dict[int, int] = {}
    found = {}
    for vertex, rail in zip(order, drawn, strict=True):
        lanes = rail.characters[::2]
        between = rail.characters[1::2]
        own = lanes.index("●")
        low = high = own
        while low and between[low - 1] == signs.across:
            low -= 1
        while high + 1 < len(lanes) and between[high] == signs.across:
            high += 1
        ends = (signs.left_end, signs.middle_end, signs.right_end)
        on = (signs.left_on, signs.middle_on, signs.right_on)
        operands = {owners.pop(own)} if own in owners else set()
        for lane in range(low, high + 1):
            if lane != own and lanes[lane] in ends:
                operands.add(owners.pop(lane))
            elif lane != own and lanes[lane] in on:
                operands.add(owners[lane])
        found[vertex] = operands
        for lane, runs in enumerate(rail.after):
            if runs and lane not in owners:
                assert lane == own
                owners[lane] = vertex
        assert set(owners) == {lane for lane, runs in enumerate(rail.after) if runs}
    return found


@given(st.data())
def test_rails_are_the_edges(data):
    count = data.draw(st.integers(1, 25))
    operands = {
        v: data.draw(st.lists(st.integers(0, v - 1), max_size=4)) if v else [] for v in range(count)
    }
    drawn = rails(range(count), operands, UNICODE, most=99)
    found = read_back(range(count), drawn, UNICODE)
    assert found == {v: set(tails) for v, tails in operands.items()}
    narrow = rails(range(count), operands, ASCII, most=3)
    assert all(len(rail.characters) <= 8 for rail in narrow)


def test_a_residual_block_is_a_line_beside_a_line():
    drawn = rails(range(4), {1: [0], 2: [1], 3: [2, 0]})
    assert ["".join(rail.characters).rstrip() for rail in drawn] == ["●", "├─●", "│ ●", "●─╯"]


def test_a_mark_with_a_name_that_is_long():
    diagram = chain(("leaf", {"name": "w" * 300}), ("output", {"op": "f", "name": "y"}))
    diagram.vertices[1].mark = Mark("bad", "z" * 300)
    for line in to_text(diagram, width=50).splitlines():
        assert width(line) <= 50
