"""Results as lines for a terminal of 100 columns, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .history import Change
from .trial import NO_TIME, NOT_INSTALLED, Result

COUNTED = (NO_TIME, NOT_INSTALLED)  # told once for the whole run

HEADING = (
    f"{'kernel':44}{'time':>9} {'IQR':>4}{'GFLOP/s':>9}{'GB/s':>7}{'roof':>6}\n"
    "    rival: its time / ours (95 % interval), ours is"
)


def duration(seconds: float) -> str:
    """A time with the unit that gives it one to three digits before the point."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1.0:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def number(value: float | None) -> str:
    """Three digits, or a dash."""
    return "-" if value is None else f"{value:.3g}"


def times(value: float) -> str:
    """A ratio: no decimals where they would widen the line."""
    return f"{value:.2f}" if value < 10.0 else f"{value:.0f}"


def percent(part: float | None) -> str:
    """A part of a hundred, or a dash."""
    return "-" if part is None else f"{part:.0%}"


def bits(result: Result) -> str:
    """Whether the results are those with fewer threads: "=", "differs", or a dash."""
    return "-" if result.same_bits is None else "=" if result.same_bits else "differs"


def lines(result: Result) -> list[str]:
    """A line for a result, and more for its rivals and problems."""
    if result.wrong:
        return [f"{result.key:32}  WRONG, not timed:", f"    {result.wrong}"]
    assert result.seconds is not None
    rates = f"{number(result.gflops):>9}{number(result.gbytes):>7}{percent(result.roof):>6}"
    spread = f"{duration(result.seconds.median):>9} {result.seconds.relative:>4.0%}"
    found = [f"{result.key:43} {spread}{rates}"]
    texts = [
        f"{name} {times(r.median)} ({times(r.low)} .. {times(r.high)}) {r.verdict}"
        for name, r in result.ratios.items()
    ]
    for first, *second in (texts[i : i + 2] for i in range(0, len(texts), 2)):
        found.append(f"    {first:44}  {second[0] if second else ''}".rstrip())
    found += [f"    {name}: {why}" for name, why in result.refused.items() if why not in COUNTED]
    if result.numba is not None:
        kind, seconds = result.numba
        word = "compiled by Numba" if kind == "compile" else "loaded from Numba's cache"
        found.append(f"    first call: {word} in {duration(seconds)}")
    if result.scaling is not None:
        found.append(
            f"    {result.scaling:.2f} x as fast as with the fewest threads; bits: {bits(result)}"
        )
    if result.disturbed:
        found.append("    other processes used the machine meanwhile: measure again")
    return found


def change_line(change: Change) -> str:
    """One line for a change between two runs."""
    return (
        f"{change.key:44}{change.ratio:6.2f} x  ({change.low:.2f} .. {change.high:.2f})  "
        f"{change.verdict}"
    )


def markdown(results: Sequence[Result]) -> str:
    """A table of results."""
    rows = [
        "| kernel | time | IQR | GFLOP/s | GB/s | roof | scaling | bits | code | rival / ours |",
        "|---|---:|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for r in results:
        if r.wrong or r.seconds is None:
            rows.append(f"| {r.key} | wrong: {r.wrong} |" + " |" * 8)
            continue
        rivals = ", ".join(f"{n} {q.median:.2f} ({q.verdict})" for n, q in r.ratios.items())
        rows.append(
            f"| {r.key} | {duration(r.seconds.median)} | {r.seconds.relative:.0%} | "
            f"{number(r.gflops)} | {number(r.gbytes)} | {percent(r.roof)} | {number(r.scaling)} | "
            f"{bits(r)} | {r.code or '-'} | {rivals} |"
        )
    return "\n".join(rows) + "\n"
