"""Bitmaps: their size, their content, and what is said where they cannot be made."""

import struct
import sys
import zlib

import pytest

from autograd.viz.model import Diagram, Vertex
from autograd.viz.png import LARGEST, to_png
from autograd.viz.style import DARK
from autograd.viz.svg.svg import Scene
from tests.autograd.viz.drawings import DRAWINGS, kinds, scalars

pytest.importorskip("resvg_py", reason="the extra plot is not installed")


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _first_pixel(png: bytes, x: int = 0) -> str:
    """Colour of a pixel of the first line (above which there is nothing)."""
    data, at = b"", 8
    while at < len(png):
        [length] = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    line = zlib.decompress(data)
    assert png[24:26] == b"\x08\x06"  # eight bits, RGBA
    row = bytearray(line[1 : 1 + _size(png)[0] * 4])
    share = {0: 0, 1: 2, 2: 0, 3: 1, 4: 2}[line[0]]  # of the byte to the left, in halves
    for i in range(4, len(row)):
        row[i] = (row[i] + row[i - 4] * share // 2) % 256
    return "#" + bytes(row[4 * x : 4 * x + 3]).hex()


@pytest.mark.parametrize("name", [*DRAWINGS, "kinds"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_draws_everything(name, theme):
    diagram = {**DRAWINGS, "kinds": kinds}[name]()
    scene = Scene(diagram)
    width, height = _size(to_png(diagram, scale=1.0, theme=theme))
    assert abs(width - scene.width) <= 1
    assert abs(height - scene.height) <= 1


def test_scale_and_file(tmp_path):
    small, large = to_png(scalars(), scale=1), to_png(scalars(), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == large
    assert abs(_size(large)[0] - 2 * _size(small)[0]) <= 2
    assert to_png(scalars()) == large


def test_the_paper_has_the_colour_of_the_theme():
    assert _first_pixel(to_png(scalars(), theme="dark"), 100) == DARK["page"]
    assert _first_pixel(to_png(scalars(), theme="auto"), 100) == "#fffffe"


def test_a_huge_drawing_gets_fewer_pixels(monkeypatch):
    monkeypatch.setattr("autograd.viz.png.LARGEST", 500)
    assert max(_size(to_png(DRAWINGS["residual"](), scale=50.0))) <= 501
    assert LARGEST > 10_000


def test_an_empty_graph():
    assert _size(to_png(Diagram()))[0] > 100
    assert _size(to_png(Diagram([Vertex(0, "leaf")])))[0] > 100


@pytest.mark.parametrize("scale", [0, -1.0, float("nan"), float("inf"), "2", True])
def test_scale_is_checked(scale):
    with pytest.raises(ValueError, match="scale must be"):
        to_png(scalars(), scale=scale)


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(RuntimeError, match=r"pip install 'dagrad\[plot\]'"):
        to_png(scalars())
