"""One page about a run: roofline, ratios, scaling, and a table. No scripts, no requests."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .charts import Record, bars, roofline, scaling
from .stats import Spread
from .tables import duration, number, percent

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee6;
  --paper: #ffffff; --good: #15803d; --bad: #be123c; --even: #8793a3;
  --hue0: #0b6fb8; --hue1: #c2410c; --hue2: #15803d; --hue3: #a21caf; --hue4: #a16207;
  --hue5: #0e7490; --hue6: #be123c; --hue7: #4d7c0f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #2c3542;
  --paper: #12171e; --good: #4ade80; --bad: #fb7185; --even: #7b8797;
  --hue0: #60b8f7; --hue1: #fb923c; --hue2: #4ade80; --hue3: #e879f9; --hue4: #facc15;
  --hue5: #22d3ee; --hue6: #fb7185; --hue7: #a3e635; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 960px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 70ch; }
.chart { width: 100%; max-width: 720px; display: block; }
.chart text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.chart .name { font-weight: 600; } .chart .axis { fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: 0.7; }
.roof { fill: none; stroke: var(--ink); stroke-width: 1.6; }
.line { fill: none; stroke-width: 1.8; }
.ideal { fill: none; stroke: var(--even); stroke-width: 1; stroke-dasharray: 3 3; }
polyline.grid { fill: none; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 10px; }
.panel { width: 100%; display: block; border: 1px solid var(--line); border-radius: 6px; }
.panel text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.panel .axis { fill: var(--ink); font-weight: 600; }
.row { display: grid; grid-template-columns: minmax(150px, 36%) 1fr 48px; gap: 10px;
  align-items: center; padding: 3px 0; }
.what { overflow-wrap: anywhere; font-size: 13px; } .what i { color: var(--soft); }
.track { position: relative; height: 16px; }
.bar { position: absolute; top: 3px; height: 10px; border-radius: 2px; }
.faster { background: var(--good); } .slower { background: var(--bad); }
.same { background: var(--even); }
.one { position: absolute; top: 0; height: 16px; width: 1px; background: var(--ink); }
.whisker { position: absolute; top: 7.5px; height: 1px; background: var(--ink); }
.value { text-align: right; font-variant-numeric: tabular-nums; font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { padding: 4px 10px 4px 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
.wrong { color: var(--bad); }
"""


ROOFLINE = """How fast each kernel computes, under what this machine can do: to the left memory sets
the limit, to the right arithmetic. Operations are those of the definition: an algorithm that needs
fewer, such as Winograd's, may stand above the roof."""
BARS = """Time of the rival over ours, on a logarithmic scale: to the right of the line ours is
faster. The thin line is the 95 % interval."""
SCALING = """How many times faster than with the fewest threads, a panel for each family of kernels;
the dashed line is as many times as there are threads."""


def about(record: Record) -> str:
    """Where and when a run was made."""
    said = [record.get(name) or "unknown" for name in ("machine", "run", "commit", "time")]
    machine, run, commit, time = (escape(str(word)) for word in said)
    return f"{machine}. Run {run}, commit {commit}, {time}."


def page(records: Sequence[Record]) -> str:
    """
    The page as text.

    Raises
    ------
    ValueError
        If there are no records.
    """
    if not records:
        raise ValueError("report: no results")
    first = records[0]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Benchmarks: {escape(str(first.get('run')))}</title>",
        f"<style>{STYLE}</style></head><body>",
        "<h1>Benchmarks</h1>",
        f"<p>{about(first)}</p>",
    ]
    for threads in sorted({r["threads"] for r in records}):
        for dtype in sorted({r["dtype"] for r in records}):
            chosen = [r for r in records if r["threads"] == threads and r["dtype"] == dtype]
            if drawing := roofline(chosen):
                many = f"{threads} thread{'s' * (threads > 1)}"
                parts += [
                    f"<h2>Roofline, {dtype}, {many}</h2>",
                    f"<p>{ROOFLINE}</p>",
                    drawing,
                ]
    if drawing := bars(records):
        parts += [
            "<h2>Beside others</h2>",
            f"<p>{BARS}</p>",
            drawing,
        ]
    if drawing := scaling(records):
        parts += [
            "<h2>Threads</h2>",
            f"<p>{SCALING}</p>",
            drawing,
        ]
    parts += ["<h2>All results</h2>", table(records), "</body></html>"]
    return "\n".join(parts) + "\n"


def table(records: Sequence[Record]) -> str:
    """Every result on a line."""
    head = ("kernel", "time", "IQR", "GFLOP/s", "GB/s", "of the roof", "code")
    rows = ["<tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"]
    for r in records:
        if r.get("wrong") or not r.get("seconds"):
            said = escape(str(r.get("wrong")))
            rows.append(
                f'<tr><td>{escape(r["key"])}</td><td colspan="6" class="wrong">wrong, not '
                f"timed: {said}</td></tr>"
            )
            continue
        seconds = Spread(**r["seconds"])
        cells = (
            r["key"],
            duration(seconds.median),
            f"{seconds.relative:.0%}",
            number(r.get("gflops")),
            number(r.get("gbytes")),
            percent(r.get("roof")),
            r.get("code") or "",
        )
        rows.append("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in cells) + "</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'
