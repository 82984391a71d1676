"""Charts of results as inline SVG and HTML: roofline, ratios, scaling over threads.

Text in the drawings is readable at the width of a phone, and colours follow the page's theme.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

Record = dict[str, Any]

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44
HUES = tuple(f"var(--hue{i})" for i in range(8))
"""Colours of the page (`report`), light or dark as its theme."""
PANEL = (200, 118)  # of one family in the chart of scaling
LABEL_HEIGHT = 12.0
LETTER = 6.6  # width of one, on average
BAR_LIMITS = (0.25, 16.0)
"""Ratios that a bar can show; one beyond ends at the edge, and its number says where."""


def family(name: str) -> str:
    """
    What a kernel's name begins with.

    Examples
    --------
    >>> family("conv2d.weight")
    'conv2d'
    """
    return name.split(".")[0]


def hues(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same on every page that has the same names."""
    return {name: HUES[i % len(HUES)] for i, name in enumerate(sorted(set(names)))}


def short(value: float) -> str:
    """
    A number for an axis.

    Examples
    --------
    >>> [short(v) for v in (0.25, 1.0, 20.0, 1000.0)]
    ['0.25', '1', '20', '1000']
    """
    return f"{value:g}"


def log_ticks(low: float, high: float) -> list[float]:
    """
    Powers of ten from low to high, and twice and five times them where there are few.

    Examples
    --------
    >>> log_ticks(1.0, 30.0)
    [1.0, 2.0, 5.0, 10.0, 20.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1.0, 2.0, 5.0) if last - first <= 3 else (1.0,)
    marks = [f * 10.0**e for e in range(first, last + 1) for f in factors]
    return [m for m in marks if low <= m * 1.0001 and m <= high * 1.0001]


class Plane:
    """Two logarithmic axes with a grid."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], names: tuple[str, str]):
        self.x, self.y = x, y
        self.taken: list[float] = []  # heights of labels
        self.dots: list[tuple[float, float]] = []
        self.parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart">',
        ]
        for mark in log_ticks(*x):
            at = self.across(mark)
            self.parts.append(
                f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" '
                f'y2="{HEIGHT - BOTTOM}"/>'
            )
            self.text(at, HEIGHT - BOTTOM + 14, short(mark), "middle", "tick")
        for mark in log_ticks(*y):
            at = self.up(mark)
            self.parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            )
            self.text(LEFT - 6, at + 3.5, short(mark), "end", "tick")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, names[0], "middle", "axis")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.parts.append(
            f'<text class="axis" text-anchor="middle" '
            f'transform="translate(13 {middle:.1f}) rotate(-90)">{names[1]}</text>'
        )

    def across(self, value: float) -> float:
        """Where a number stands on the horizontal axis."""
        low, high = map(math.log, self.x)
        return LEFT + (math.log(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(self, value: float) -> float:
        """Where a number stands on the vertical axis."""
        low, high = map(math.log, self.y)
        return HEIGHT - BOTTOM - (math.log(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def text(self, x: float, y: float, words: str, anchor: str, kind: str) -> None:
        """Words at a place."""
        self.parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" '
            f'text-anchor="{anchor}">{escape(words)}</text>'
        )

    def path(self, points: Sequence[tuple[float, float]], kind: str, stroke: str = "") -> None:
        """A line through points given in the units of the axes."""
        places = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in points)
        style = f' style="stroke:{stroke}"' if stroke else ""
        self.parts.append(f'<polyline class="{kind}" points="{places}"{style}/>')

    def dot(self, x: float, y: float, colour: str, title: str) -> None:
        """A point, with words for a pointer that rests on it."""
        self.dots.append((self.across(x), self.up(y)))
        self.parts.append(
            f'<circle cx="{self.across(x):.1f}" cy="{self.up(y):.1f}" r="4" '
            f'style="fill:{colour}"><title>{escape(title)}</title></circle>'
        )

    def covers(self, begin: float, at: float, width: float) -> bool:
        """Whether a label would touch another one, or lie on a point."""
        if any(abs(at - other) < LABEL_HEIGHT for other in self.taken):
            return True
        inside = at < HEIGHT - BOTTOM - LABEL_HEIGHT
        return inside and any(
            begin - 4.0 < x < begin + width + 4.0 and abs(at - 4.0 - y) < LABEL_HEIGHT - 3.0
            for x, y in self.dots
        )

    def labels(self, wanted: Sequence[tuple[float, float, str, str]]) -> None:
        """Names beside points (x, y, name, colour), moved apart where they would touch."""
        for x, y, name, colour in sorted(wanted, key=lambda w: -w[1]):
            width = LETTER * len(name)
            left = self.across(x) + 8.0 + width > WIDTH - RIGHT
            across = self.across(x) + (-8.0 if left else 8.0)
            begin = across - width if left else across
            at = self.up(y) + 4.0
            while self.covers(begin, at, width):
                at += LABEL_HEIGHT / 2.0
            self.taken.append(at)
            self.parts.append(
                f'<text class="name" x="{across:.1f}" y="{at:.1f}" text-anchor="'
                f'{"end" if left else "start"}" style="fill:{colour}">'
                f"{escape(name)}</text>"
            )

    def finish(self) -> str:
        """The drawing."""
        return "\n".join([*self.parts, "</svg>"])


def roofline(records: Sequence[Record]) -> str:
    """
    Speed against arithmetic intensity, under what the machine can do; "" if nothing has both.

    `records` are of one type and number of threads. The slanted roofs are memory beyond the caches
    and the fastest cache; the level one is the peak of fused multiply-adds. Williams et al. 2009,
    "Roofline: an insightful visual performance model".
    """
    found = [r for r in records if r.get("gflops") and r.get("intensity") and r.get("peak")]
    if not found:
        return ""
    peak = max(r["peak"] for r in found) * 1e-9
    rates = sorted(r["bandwidth"] * 1e-9 for r in found if r.get("bandwidth"))
    slopes = sorted({rates[0], rates[-1]}) if rates else []
    xs = [r["intensity"] for r in found]
    ys = [r["gflops"] for r in found]
    x = min(*xs, peak / max(slopes or [peak])) / 2.0, max(xs) * 2.5
    y = min(*ys, *(x[0] * s for s in slopes)) / 1.3, max(peak, *ys) * 1.4
    plane = Plane(x, y, ("operations for each byte", "GFLOP/s"))
    for slope in slopes:
        begin = max(x[0], y[0] / slope)
        plane.path([(begin, begin * slope), (peak / slope, peak)], "roof")
        # Below its line and to the right of it, where the line does not go.
        x0, y0 = plane.across(begin) + 16, plane.up(begin * slope) + 4
        plane.text(x0, y0, f"{slope:.0f} GB/s", "start", "tick")
    plane.path([(peak / max(slopes or [peak]), peak), (x[1], peak)], "roof")
    plane.text(WIDTH - RIGHT - 2, plane.up(peak) - 5, f"peak {peak:.0f} GFLOP/s", "end", "tick")
    plane.taken.append(plane.up(peak) - 5)
    colours = hues(family(r["name"]) for r in found)
    best: dict[str, Record] = {}
    for r in found:
        plane.dot(
            r["intensity"],
            r["gflops"],
            colours[family(r["name"])],
            f"{r['key']}: {r['gflops']:.3g} GFLOP/s, {r['intensity']:.3g} per byte",
        )
        group = family(r["name"])
        if r["gflops"] >= best.get(group, r)["gflops"]:
            best[group] = r
    plane.labels([(r["intensity"], r["gflops"], n, colours[n]) for n, r in best.items()])
    return plane.finish()


def bars(records: Sequence[Record]) -> str:
    """Each rival's time over ours as a bar from 1, its interval as a line; "" without rivals."""
    low, high = map(math.log, BAR_LIMITS)

    def at(value: float) -> float:
        return 100.0 * (min(max(math.log(value), low), high) - low) / (high - low)

    rows = []
    for r in records:
        for rival, q in (r.get("ratios") or {}).items():
            start, stop = sorted((at(1.0), at(q["median"])))
            kind = "faster" if q["low"] > 1.0 else "slower" if q["high"] < 1.0 else "same"
            names = f"{escape(r['key'])} <i>{escape(rival)}</i>"
            rows.append(
                f'<div class="row"><div class="what">{names}</div>'
                f'<div class="track"><div class="bar {kind}" style="left:{start:.1f}%;'
                f'width:{stop - start:.1f}%"></div><div class="one" style="left:{at(1.0):.1f}%">'
                f'</div><div class="whisker" style="left:{at(q["low"]):.1f}%;'
                f'width:{at(q["high"]) - at(q["low"]):.1f}%"></div></div>'
                f'<div class="value">{q["median"]:.2f}</div></div>'
            )
    return f'<div class="bars">{"".join(rows)}</div>' if rows else ""


def scaling(records: Sequence[Record]) -> str:
    """Speed-up over the fewest threads, a panel for each family; "" with one number of threads."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for r in records:
        if r.get("seconds"):
            name = r["key"].rsplit(" ", 1)[0]
            lines.setdefault(name, []).append((r["threads"], r["seconds"]["median"]))
    lines = {name: sorted(found) for name, found in lines.items() if len(found) > 1}
    if not lines:
        return ""
    ups = {n: [(t, found[0][1] / s) for t, s in found] for n, found in lines.items()}
    most = max(t for found in ups.values() for t, _ in found)
    fewest = min(t for found in ups.values() for t, _ in found)
    highest = max(most / fewest, *(u for found in ups.values() for _, u in found))
    lowest = min(1.0, *(u for found in ups.values() for _, u in found))
    limits = (fewest, most), (0.9 * lowest, 1.1 * highest)
    groups: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for name, found in ups.items():
        groups.setdefault(family(name.split()[0]), {})[name] = found
    panels = [panel(name, members, *limits) for name, members in sorted(groups.items())]
    return f'<div class="panels">{"".join(panels)}</div>'


def panel(
    title: str,
    members: dict[str, list[tuple[int, float]]],
    x: tuple[float, float],
    y: tuple[float, float],
) -> str:
    """Speed-ups of a family: its members as lines, the ideal as a dashed one, and the range."""
    low, high = (math.log(end) for end in y)
    width = PANEL[0] - 26 - 14

    def place(threads: float, up: float) -> tuple[float, float]:
        across = math.log(threads / x[0]) / math.log(x[1] / x[0])
        return 26 + across * width, 96 - (math.log(up) - low) / (high - low) * 72

    def path(points: Sequence[tuple[float, float]], kind: str, colour: str = "") -> str:
        places = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(*p) for p in points))
        style = f' style="stroke:{colour}"' if colour else ""
        return f'<polyline class="{kind}" points="{places}"{style}/>'

    def words(at: tuple[float, float], text: str, kind: str, anchor: str) -> str:
        return (
            f'<text class="{kind}" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    ends = sorted(found[-1][1] for found in members.values())
    said = f"{ends[0]:.2f}" if len(ends) == 1 else f"{ends[0]:.2f} to {ends[-1]:.2f}"
    parts = [
        f'<svg viewBox="0 0 {PANEL[0]} {PANEL[1]}" role="img" class="panel">',
        words((4, 13), title, "axis", "start"),
        words((PANEL[0] - 4, 13), said, "axis", "end"),
        path([(x[0], 1.0), (x[1], 1.0)], "grid"),
        path([(x[0], 1.0), (x[1], x[1] / x[0])], "ideal"),
    ]
    for up in sorted({1.0, x[1] / x[0]}):
        parts.append(words((22, place(x[0], up)[1] + 3.5), short(up), "tick", "end"))
    for threads in x:
        at = place(threads, 1.0)[0]
        parts.append(words((at, PANEL[1] - 4), f"{threads:g}t", "tick", "middle"))
    colours = hues(members)
    for name, found in members.items():
        parts.append(path([(float(t), u) for t, u in found], "line", colours[name]))
        across, up = place(*found[-1])
        parts.append(
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3" style="fill:{colours[name]}"><title>'
            f"{escape(name)}: {found[-1][1]:.2f} x with {found[-1][0]} threads</title></circle>"
        )
    return "".join([*parts, "</svg>"])
