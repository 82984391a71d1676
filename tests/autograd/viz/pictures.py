"""Pictures read back: the geometry of a drawing, from the text of its SVG."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from autograd.viz.model import Diagram

SPACE = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]
Box = tuple[float, ...]  # left, top, width, height


class Picture:
    """What an SVG shows, read back from its text."""

    def __init__(self, text: str) -> None:
        self.root = ET.fromstring(text)
        self.width, self.height = (float(self.root.get(n, "nan")) for n in ("width", "height"))
        self.boxes = self._boxes("data-vertex", int)
        self.frames = self._boxes("data-cluster", str)
        self.labels = self._boxes("data-of-edge", int)
        self.edges = [
            (int(g.get("data-tail", "")), int(g.get("data-head", "")), points_of(g))
            for g in self.root.iter(f"{SPACE}g")
            if g.get("data-edge") is not None
        ]

    def _boxes(self, attribute: str, kind: Callable[[str], Any]) -> dict[Any, Box]:
        found: dict[Any, Box] = {}
        for group in self.root.iter(f"{SPACE}g"):
            key = group.get(attribute)
            if key is not None:
                found[kind(key)] = tuple(float(v) for v in group.get("data-box", "").split())
        return found

    @property
    def texts(self) -> list[str]:
        return [element.text or "" for element in self.root.iter(f"{SPACE}text")]

    def node(self, index: int) -> ET.Element:
        return next(g for g in self.root.iter(f"{SPACE}g") if g.get("data-vertex") == str(index))

    def words(self, index: int) -> list[str]:
        return [t.text or "" for t in self.node(index).iter(f"{SPACE}text")]

    def tooltip(self, index: int) -> str:
        title = self.node(index).find(f"{SPACE}title")
        return "" if title is None else title.text or ""


def points_of(group: ET.Element) -> list[Point]:
    """The line of an edge as a fine polyline, and the tip of its arrow at the end."""
    line, head = list(group.iter(f"{SPACE}path"))[:2]
    points: list[Point] = []
    for command, numbers in re.findall(r"([MLC])([-\d. ]+)", line.get("d", "")):
        found = np.array([float(n) for n in numbers.split()]).reshape(-1, 2)
        if command == "C":
            a, (b, c, d) = np.array(points[-1]), found
            for t in np.linspace(0.1, 1, 10):
                u = 1 - t
                x, y = u**3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t**3 * d
                points.append((x, y))
        else:
            points.append((found[0][0], found[0][1]))
    tip = re.match(r"M([-\d.]+) ([-\d.]+)", head.get("d", ""))
    assert tip is not None
    return [*points, (float(tip[1]), float(tip[2]))]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes have points in common."""
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def along(points: list[Point]) -> np.ndarray:
    """Points of a polyline no more than a pixel apart, (n, 2)."""
    parts = []
    for a, b in pairwise(points):
        steps = max(int(math.dist(a, b)), 2)
        parts.append(np.linspace(a, b, steps))
    return np.concatenate(parts)


def crosses(points: np.ndarray, box: Box) -> bool:
    """Whether points lie inside a box, by more than half a pixel."""
    x, y, w, h = box
    px, py = points.T
    inside = (x + 0.5 < px) & (px < x + w - 0.5) & (y + 0.5 < py) & (py < y + h - 0.5)
    return bool(inside.any())


def distance(point: Point, box: Box) -> float:
    """From a point to the nearest one of a box."""
    x, y, w, h = box
    return math.hypot(
        max(x - point[0], 0, point[0] - x - w), max(y - point[1], 0, point[1] - y - h)
    )


def check(picture: Picture, diagram: Diagram) -> None:
    """Nothing lies on anything else, and every edge goes from its tail to its head."""
    assert sorted(picture.boxes) == list(range(len(diagram.vertices)))
    assert len(picture.edges) == len(diagram.edges)
    for a, b in combinations(picture.boxes.values(), 2):
        assert not overlap(a, b)
    for tail, head, points in picture.edges:
        assert distance(points[0], picture.boxes[tail]) < 1
        assert distance(points[-1], picture.boxes[head]) < 1
        line = along(points)
        for index, box in picture.boxes.items():
            assert index in (tail, head) or not crosses(line, box), (tail, head, index)
    for label in picture.labels.values():
        assert not any(overlap(label, box) for box in picture.boxes.values())
    for a, b in combinations(picture.labels.values(), 2):
        assert not overlap(a, b)
