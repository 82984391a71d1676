"""The numbers of a profile as tables and as a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..summary import bytes_text, number, shape_text
from .entry import Entry
from .memory import Buffer

if TYPE_CHECKING:
    from .profile import Profile

By = Literal["op", "line", "module", "node"]
Sort = Literal["total", "forward", "backward", "calls", "output", "saved", "name"]
# How many rows a report shows of each table.
REPORT_ROWS = 10
LONGEST_NAME = 60
OUTSIDE_MODULES = "(outside of modules)"
UNKNOWN_LINE = "(line unknown)"


@dataclass(slots=True)
class Row:
    """What some op calls took together.

    Attributes
    ----------
    name : str
    calls : int
    forward, backward : float
        Seconds.
    share : float
        Of the time of all ops, from 0 to 1.
    speed : float or None
        GFLOP/s of the forward, where all of its arithmetic is known.
    output, saved : int
        Bytes of new memory in results, and bytes kept for backward: each buffer counts for the
        first call that keeps it.
    """

    name: str
    calls: int = 0
    forward: float = 0.0
    backward: float = 0.0
    share: float = 0.0
    speed: float | None = None
    output: int = 0
    saved: int = 0

    @property
    def total(self) -> float:
        """Seconds forward and backward."""
        return self.forward + self.backward


@dataclass(slots=True)
class Table:
    """Rows that print as a table.

    Attributes
    ----------
    rows : list of Row
    hidden : int
        How many rows a limit left out.
    """

    by: str
    rows: list[Row] = field(default_factory=list)
    hidden: int = 0

    def __str__(self) -> str:
        lines = [
            (self.by, "calls", "forward ms", "backward ms", "share", "GFLOP/s", "output", "saved")
        ]
        for row in self.rows:
            lines.append(
                (
                    row.name,
                    str(row.calls),
                    f"{row.forward * 1e3:.3f}",
                    f"{row.backward * 1e3:.3f}",
                    percent(row.share, 1.0),
                    "" if row.speed is None else number(row.speed, 3),
                    bytes_text(row.output),
                    bytes_text(row.saved),
                )
            )
        if all(row.speed is None for row in self.rows):
            lines = [line[:5] + line[6:] for line in lines]
        text = aligned(lines)
        return f"{text}\n... and {self.hidden} more" if self.hidden else text


def table(
    entries: Sequence[Entry], buffers: Sequence[Buffer], by: By, sort: Sort, limit: int | None
) -> Table:
    """Group entries and add them up."""
    if by not in GROUPS:
        raise ValueError(f"table: by must be one of {', '.join(GROUPS)}, not {by!r}")
    orders: tuple[str, ...] = Sort.__args__  # pyright: ignore[reportAttributeAccessIssue] - of a Literal
    if sort not in orders:
        raise ValueError(f"table: sort must be one of {', '.join(orders)}, not {sort!r}")
    rows: dict[str, Row] = {}
    flops: dict[str, int] = {}
    whole: dict[str, bool] = {}
    kept = _first_kept(entries, buffers)
    everything = sum(e.total for e in entries) / 1e9
    for entry in entries:
        for name in GROUPS[by](entry):
            row = rows.setdefault(name, Row(name))
            row.calls += 1
            row.forward += entry.forward / 1e9
            row.backward += entry.backward / 1e9
            row.output += entry.output
            row.saved += kept[entry.index]
            timed = entry.forward > 0
            flops[name] = flops.get(name, 0) + (entry.flops if timed else 0)
            whole[name] = whole.get(name, True) and (entry.flops > 0 or not timed)
    for name, row in rows.items():
        row.share = row.total / everything if everything else 0.0
        if whole[name] and flops[name]:
            row.speed = flops[name] / row.forward / 1e9
    ordered = list(rows.values())
    if sort == "name":
        ordered.sort(key=lambda row: row.name)
    else:
        ordered.sort(key=lambda row: getattr(row, sort), reverse=True)
    shown = ordered if limit is None else ordered[:limit]
    return Table(by, shown, len(ordered) - len(shown))


def _first_kept(entries: Sequence[Entry], buffers: Sequence[Buffer]) -> list[int]:
    """For each entry the bytes that it is the first to keep."""
    seen: set[int] = set()
    found = []
    for entry in entries:
        new = [n for n in entry.saved if n not in seen]
        seen.update(new)
        found.append(sum(buffers[n].size for n in new))
    return found


# --- What a row stands for ----------------------------------------------------------------------


def _line(entry: Entry) -> list[str]:
    source = entry.source
    if source is None:
        return [UNKNOWN_LINE]
    return [f"{source.name}:{source.line}  {source.text}".rstrip()]


def _module(entry: Entry) -> list[str]:
    call = entry.module
    if call is None:
        return [OUTSIDE_MODULES]
    return [f"{c.module} ({c.type})" for c in call.around()]


def label(entry: Entry) -> str:
    """What an entry is called: its op, the shape of its result, and its number."""
    return f"#{entry.index} {entry.op} {shape_text(entry.shape)}"


GROUPS: dict[str, Callable[[Entry], list[str]]] = {
    "op": lambda entry: [entry.op],
    "line": _line,
    "module": _module,
    "node": lambda entry: [label(entry)],
}


# --- Text ---------------------------------------------------------------------------------------


def report(profile: Profile) -> str:
    """All that is worth knowing at first sight."""
    whole = profile.seconds - profile.overhead
    between = max(whole - profile.forward - profile.backward, 0.0)
    lines = [
        f"profile of {len(profile.entries)} op calls: {_ms(whole)}",
        f"  forward {_ms(profile.forward)}, backward {_ms(profile.backward)}",
        f"  between ops {_ms(between)}; profiling added {_ms(profile.overhead)}",
    ]
    if profile.elsewhere:
        lines.append(f"  {profile.elsewhere} op calls of other threads are not in it")
    memory = profile.memory
    lines.append(
        f"  memory held by the graph: at most {bytes_text(memory.peak)}, after "
        f"{_ms(memory.peak_time)}; with gradients {bytes_text(memory.peak_with_gradients)}"
    )
    if profile.entries:
        lines += ["", str(profile.table("op", limit=REPORT_ROWS))]
        lines += ["", str(profile.table("line", limit=REPORT_ROWS))]
    return "\n".join(lines)


def aligned(lines: Sequence[tuple[str, ...]]) -> str:
    """Columns side by side: the first to the left, numbers to the right."""
    lines = [(_cut(line[0]), *line[1:]) for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if i else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def percent(part: float, whole: float) -> str:
    """A share, to a tenth of a percent."""
    return f"{100.0 * part / whole if whole else 0.0:.1f} %"


def _ms(seconds: float) -> str:
    return f"{number(seconds * 1e3, 3)} ms"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
