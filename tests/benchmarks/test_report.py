"""The page about a run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import __main__ as command
from benchmarks import charts, report


def record(name: str = "matmul", threads: int = 1, **other: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": f"{name} 128 float32 {threads}t",
        "name": name,
        "dtype": "float32",
        "threads": threads,
        "run": "first",
        "machine": "a machine <&>",
        "commit": "abc",
        "time": "now",
        "wrong": "",
        "seconds": {"low": 1e-5, "median": 2e-5 / threads, "high": 3e-5},
        "ratios": {"numpy": {"median": 1.5, "low": 1.2, "high": 1.7}},
        "gflops": 100.0 * threads,
        "gbytes": 5.0,
        "intensity": 20.0,
        "roof": 0.4,
        "peak": 2.8e11,
        "bandwidth": 4e10,
        "code": "512-bit FMA",
    }
    return found | other


MANY = [
    record(),
    record(threads=2),
    record("conv2d", intensity=100.0, bandwidth=2.5e11),
    record("slow", ratios={"torch": {"median": 0.5, "low": 0.4, "high": 0.6}}, intensity=0.1),
    record("even", ratios={"torch": {"median": 1.0, "low": 0.9, "high": 1.1}}),
    record(
        "odd", gflops=None, intensity=None, ratios={"x": {"median": 99.0, "low": 9, "high": 999}}
    ),
    record("bad", wrong="element [7] is <9>", seconds=None, ratios={}, gflops=None),
]


class Balanced(HTMLParser):
    """Every element that is opened is closed, in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """An element that is closed at once, as many of a drawing are."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_says_all():
    text = report.page(MANY)
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert "a machine &lt;&amp;&gt;" in text
    assert "element [7] is &lt;9&gt;" in text
    assert "Roofline, float32, 2 threads" in text
    assert not re.search(r"<script|<link|https?://|url\(|@import", text)
    for r in MANY:
        assert r["key"] in text
    with pytest.raises(ValueError, match="no results"):
        report.page([])


def test_drawings_are_sound_and_inside_their_frame():
    for drawing in (charts.roofline(MANY), charts.scaling(MANY)):
        root = ET.fromstring(drawing)
        for element in root.iter():
            for name in ("x", "x1", "x2", "cx"):
                if name in element.attrib:
                    assert -1.0 <= float(element.attrib[name]) <= charts.WIDTH + 1.0
            for name in ("y", "y1", "y2", "cy"):
                if name in element.attrib:
                    assert -1.0 <= float(element.attrib[name]) <= charts.HEIGHT + 1.0
        names = [e for e in root.iter() if e.attrib.get("class") == "name"]
        heights = sorted(float(e.attrib["y"]) for e in names)
        assert all(b - a >= charts.LABEL_HEIGHT - 0.2 for a, b in pairwise(heights))


def test_what_cannot_be_drawn_is_left_out():
    plain = [record(gflops=None, intensity=None, ratios={})]
    assert charts.roofline(plain) == charts.bars(plain) == charts.scaling(plain) == ""
    assert "Roofline" not in report.page(plain)


def test_bars_lie_on_the_right_side():
    text = charts.bars(MANY)
    kinds = re.findall(r'class="bar (\w+)" style="left:([\d.]+)%;width:([\d.]+)%', text)
    (one,) = set(re.findall(r'class="one" style="left:([\d.]+)%', text))
    for kind, left, width in kinds:
        if kind == "faster":
            assert float(left) == pytest.approx(float(one), abs=0.2)
        elif kind == "slower":
            assert float(left) + float(width) == pytest.approx(float(one), abs=0.2)
        assert float(left) + float(width) <= 100.1
    assert {kind for kind, _, _ in kinds} == {"faster", "slower", "same"}


def test_the_command(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import benchmarks\n\n"
        "@benchmarks.kernel(reference=lambda x: x + 1, sizes=[10], dtypes=['float32'])\n"
        "def plus(x):\n    return x + 1\n"
    )
    kept = ["--folder", str(tmp_path)]
    assert command.main(["run", str(mine), "--name", "r", *kept]) == 0
    page = tmp_path / "page.html"
    assert command.main(["report", "--html", str(page), *kept]) == 0
    assert "plus 10 float32 1t" in page.read_text(encoding="utf-8")
    assert command.main(["report", "other", "--html", str(page), *kept]) == 2
    assert "there is no run 'other'" in capsys.readouterr().err
