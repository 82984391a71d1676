"""A profile in the trace event format, which Perfetto and chrome://tracing show on a time axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..summary import shape_text
from .entry import Entry
from .memory import Timeline
from .watch import ModuleCall

PROCESS, THREAD = 1, 1


def save_trace(
    path: Path, entries: Sequence[Entry], passes: Sequence[tuple[int, int]], memory: Timeline
) -> Path:
    """Write the events; times are those of the clock, with the watching in between."""
    import json

    if path.suffix.lower() != ".json":
        raise ValueError(f"save: a trace is a .json file, not {path.name!r}")
    document = {"traceEvents": events(entries, passes, memory), "displayTimeUnit": "ms"}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def events(
    entries: Sequence[Entry], passes: Sequence[tuple[int, int]], memory: Timeline
) -> list[dict[str, Any]]:
    """Names, then complete events that nest (longer ones first), then the memory."""
    found: list[dict[str, Any]] = []
    spans: dict[str, tuple[ModuleCall, int, int]] = {}
    for entry in entries:
        if entry.ended:
            found.append(_complete(entry.op, "forward", entry.started, entry.ended, _args(entry)))
        for start, end in entry.passes:
            found.append(_complete(f"{entry.op} backward", "backward", start, end, _args(entry)))
        if entry.module is not None and not entry.in_backward:
            for call in entry.module.around():
                start = spans[call.path][1] if call.path in spans else entry.started
                spans[call.path] = (call, start, entry.ended)
    for call, start, end in spans.values():
        found.append(_complete(call.path, "module", start, end, {"type": call.type}))
    found += [_complete("backward", "pass", start, end, {}) for start, end in passes]
    rank = {"pass": 0, "module": 0, "forward": 1, "backward": 1}
    found.sort(key=lambda e: (e["ts"], -e["dur"], rank[e["cat"]], len(e["name"])))
    names = [("process_name", "dagrad"), ("thread_name", "ops")]
    head = [
        {"name": key, "ph": "M", "pid": PROCESS, "tid": THREAD, "args": {"name": name}}
        for key, name in names
    ]
    counters = [
        {
            "name": "graph memory",
            "ph": "C",
            "pid": PROCESS,
            "tid": THREAD,
            "ts": float(time) * 1e6,
            "args": {"results and saved": int(graph), "gradients": int(gradients)},
        }
        for time, graph, gradients in zip(memory.times, memory.bytes, memory.gradients, strict=True)
    ]
    return [*head, *found, *counters]


def _complete(name: str, kind: str, start: int, end: int, args: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "pid": PROCESS,
        "tid": THREAD,
        "ts": start / 1e3,
        "dur": (end - start) / 1e3,
        "args": args,
    }


def _args(entry: Entry) -> dict[str, Any]:
    source = entry.source
    return {
        "node": entry.index,
        "shape": shape_text(entry.shape),
        "dtype": entry.dtype,
        "forward ms": entry.forward / 1e6,
        "backward ms": entry.backward / 1e6,
        "output bytes": entry.output,
        "line": "" if source is None else f"{source}  {source.text}",
    }
