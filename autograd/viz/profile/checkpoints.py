"""What recomputing a stretch of the forward in backward would save, and what it would cost.

A checkpoint around a stretch keeps the stretch's inputs; all else that the ops inside saved goes
when the stretch is over, and comes back when backward gets to it. What an op outside saved too
stays. All of this is arithmetic on the buffers and times of one measured run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from ..summary import bytes_text
from .entry import Entry
from .memory import Buffer, Timeline
from .table import aligned

Of = Literal["both", "modules", "stretches"]

# Up to this many points that only one value passes, every stretch between two is looked at; above,
# only those whose length is a power of two, as their number would grow with the square.
EVERY_PAIR = 48
# Stretches whose new peak is worked out, which takes a walk through all buffers: those after them
# save least.
SIMULATED = 64


@dataclass(slots=True)
class Checkpoint:
    """One stretch that could be recomputed.

    Attributes
    ----------
    name : str
        The path of a module call, or the first and the last op.
    first, last : int
        The entries where it begins and ends.
    line : str
        Where it begins in the user's code.
    saved : int
        Bytes that would not be held at the moment of the peak.
    seconds : float
        What its forward took, and would take again.
    peak : int
        The peak of this forward and its backward with the checkpoint.
    """

    name: str
    first: int
    last: int
    line: str
    saved: int
    seconds: float
    peak: int = -1


@dataclass(slots=True)
class Checkpoints:
    """Stretches, the one that saves most first; prints as a table.

    Attributes
    ----------
    peak : int
        Bytes held by results and saved values at the peak of the measured run.
    rows : list of Checkpoint
    hidden : int
        How many rows a limit left out.
    """

    peak: int
    rows: list[Checkpoint] = field(default_factory=list)
    hidden: int = 0

    def __str__(self) -> str:
        if not self.rows:
            return f"no stretch would lower the peak of {bytes_text(self.peak)} by recomputing it"
        lines = [("checkpoint around", "saves", "for ms", "peak then", "from")]
        lines += [
            (r.name, bytes_text(r.saved), f"{r.seconds * 1e3:.3f}", bytes_text(r.peak), r.line)
            for r in self.rows
        ]
        text = f"peak {bytes_text(self.peak)}\n{aligned(lines)}"
        return f"{text}\n... and {self.hidden} more" if self.hidden else text


def checkpoints(
    entries: Sequence[Entry],
    buffers: Sequence[Buffer],
    passes: Sequence[tuple[int, int]],
    memory: Timeline,
    *,
    of: Of,
    every: bool,
    limit: int | None,
) -> Checkpoints:
    """Rank the stretches of the forward that the peak belongs to."""
    if of not in ("both", "modules", "stretches"):
        raise ValueError(f"checkpoints: of must be both, modules or stretches, not {of!r}")
    moment = round(memory.peak_time * 1e9)
    graph = _forward_of(entries, passes, moment)
    stage = _Stage(graph, buffers, moment, round(float(memory.times[-1]) * 1e9))
    candidates: dict[tuple[int, ...], Checkpoint] = {}
    found = [*_modules(graph)] if of != "stretches" else []
    found += [*_stretches(graph)] if of != "modules" else []
    for name, members in found:
        key = tuple(e.index for e in members)
        if key not in candidates:
            candidates[key] = stage.judge(name, members)
    useful = [(key, c) for key, c in candidates.items() if c.saved > 0]
    useful.sort(key=lambda pair: (-pair[1].saved, pair[1].seconds))
    if not every:  # those alone that are cheaper than all that save as much
        cheapest = float("inf")
        efficient = []
        for pair in useful:
            if pair[1].seconds < cheapest:
                cheapest = pair[1].seconds
                efficient.append(pair)
        useful = efficient
    rows = []
    for key, checkpoint in useful[:SIMULATED]:
        checkpoint.peak = stage.peak_with(set(key))
        if every or checkpoint.peak < memory.peak:
            rows.append(checkpoint)
    shown = rows if limit is None else rows[:limit]
    return Checkpoints(memory.peak, shown, len(rows) - len(shown))


def _forward_of(
    entries: Sequence[Entry], passes: Sequence[tuple[int, int]], moment: int
) -> list[Entry]:
    """The calls since the last backward pass that was over before the peak."""
    ends = [end for _, end in passes if end < moment]
    begins = [start for start, end in passes if end >= moment and start < moment]
    low = max(ends, default=-1)
    high = min(begins, default=moment)
    return [e for e in entries if low < e.ended <= high and not e.in_backward and e.ended]


class _Stage:
    """The buffers of one forward, and the moment at which most of them are held."""

    def __init__(
        self, graph: list[Entry], buffers: Sequence[Buffer], moment: int, end: int
    ) -> None:
        self.graph, self.buffers, self.moment, self.end = graph, buffers, moment, end
        self.by_index = {e.index: e for e in graph}
        self.savers: dict[int, int] = {}
        self.users: dict[int, list[int]] = {}
        for entry in graph:
            for buffer in entry.saved:
                self.savers[buffer] = self.savers.get(buffer, 0) + 1
            for buffer in self._read(entry):
                self.users.setdefault(buffer, []).append(entry.index)
        # What an op lets go is gone when the next one starts: nothing comes up in between.
        over = min((p[0] for e in graph for p in e.passes), default=end)
        starts = [*(e.started for e in graph[1:]), over]
        # Other steps of the same loop have peaks of their own.
        self.begin = graph[0].started if graph else 0
        self.finish = max((p[1] for e in graph for p in e.passes), default=end)
        self.gone_after = {e.index: t for e, t in zip(graph, starts, strict=False)}

    def _read(self, entry: Entry) -> list[int]:
        """The buffers of the results that an entry was made of."""
        makers = (self.by_index[i] for i in entry.inputs if i in self.by_index)
        return [m.result for m in makers if m.result is not None and m.result >= 0]

    def judge(self, name: str, members: Sequence[Entry]) -> Checkpoint:
        """What a checkpoint around `members` saves at the peak, and costs."""
        inside = {e.index for e in members}
        freed, held = self.effect(inside)
        saved = 0
        if self._back(inside) > self.moment:
            for number, over in freed.items():
                if over <= self.moment and self.buffers[number].alive(self.moment):
                    saved += self.buffers[number].size
            if self.gone_after[members[-1].index] <= self.moment:
                more = (self.buffers[n] for n in held)
                saved -= sum(b.size for b in more if not b.alive(self.moment))
        seconds = sum(e.forward for e in members) / 1e9
        source = members[0].source
        line = "" if source is None else f"{source.name}:{source.line}"
        return Checkpoint(name, members[0].index, members[-1].index, line, saved, seconds)

    def effect(self, members: set[int]) -> tuple[dict[int, int], list[int]]:
        """The buffers that would not be held, with the time from which; inputs that would be."""
        counts: dict[int, int] = {}
        inputs: set[int] = set()
        made: set[int | None] = set()
        for index in sorted(members):
            entry = self.by_index[index]
            made.add(entry.result)
            for buffer in entry.saved:
                counts[buffer] = counts.get(buffer, 0) + 1
            inputs.update(b for b in self._read(entry) if b not in made)
        over = self.gone_after[max(members)]
        freed = {}
        for buffer, count in counts.items():
            if count == self.savers[buffer] and buffer not in inputs:
                outside = [u for u in self.users.get(buffer, ()) if u not in members]
                freed[buffer] = max([over, *(self.gone_after[u] for u in outside)])
        return freed, sorted(n for n in inputs if n not in self.savers)

    def _back(self, members: set[int]) -> int:
        """When backward gets to the stretch."""
        return min((p[0] for i in members for p in self.by_index[i].passes), default=self.end)

    def peak_with(self, members: set[int]) -> int:
        """The peak of memory if `members` were recomputed when backward gets to them."""
        freed, held = self.effect(members)
        back = self._back(members)
        done = max((p[1] for i in members for p in self.by_index[i].passes), default=self.end)
        kept = set(held)
        steps: list[tuple[int, int]] = []
        for number, buffer in enumerate(self.buffers):
            if buffer.gradient:
                continue
            end = self.end + 1 if buffer.died < 0 else buffer.died
            if number in kept:  # needed until all has been recomputed from it
                end = max(end, done)
            over = freed.get(number, end)
            for born, died in ((buffer.born, min(over, end)), (max(back, over), end)):
                if born < died:
                    steps += [(born, buffer.size), (died, -buffer.size)]
        if not steps:
            return 0
        steps.sort()
        times, sizes = np.array(steps, np.int64).T
        during = np.cumsum(sizes)[(times >= self.begin) & (times <= self.finish)]
        return int(during.max()) if during.size else 0


# --- Which stretches there are ------------------------------------------------------------------


def _modules(graph: Sequence[Entry]) -> Iterable[tuple[str, list[Entry]]]:
    """The calls of modules."""
    found: dict[str, list[Entry]] = {}
    for entry in graph:
        for call in entry.module.around() if entry.module is not None else ():
            found.setdefault(call.path, []).append(entry)
    return found.items()


def _stretches(graph: Sequence[Entry]) -> Iterable[tuple[str, list[Entry]]]:
    """Stretches between two points that only one value passes."""
    cuts = _cuts(graph)
    count = len(cuts) - 1
    if count <= EVERY_PAIR:
        pairs = [(a, b) for a in range(count) for b in range(a + 1, count + 1)]
    else:
        pairs, length = list(pairwise(range(count + 1))), 2
        while length <= count:
            half = length // 2
            pairs += [(a, a + length) for a in range(0, count - length + 1, half)]
            length *= 2
    for a, b in pairs:
        members = list(graph[cuts[a] : cuts[b]])
        recorded = [e for e in members if e.recorded]
        first, last = recorded[0], recorded[-1]
        name = f"#{first.index} {first.op}"
        if last is not first:
            name += f" … #{last.index} {last.op}"
        yield name, members


def _cuts(graph: Sequence[Entry]) -> list[int]:
    """Positions at which only one value passes from what is before to what is after.

    Calls that are no part of the graph, such as the update of running statistics, stay with the
    recorded one before them.
    """
    position = {e.index: p for p, e in enumerate(graph)}
    crossing = [0] * (len(graph) + 1)
    last_use: dict[int, int] = {}
    for place, entry in enumerate(graph):
        for maker in entry.inputs:
            if maker in position:
                last_use[position[maker]] = place
    for made, used in last_use.items():
        # It passes every position after its maker, up to its last user.
        crossing[made + 1] += 1
        crossing[used + 1] -= 1
    total, cuts = 0, [0]
    for place in range(1, len(graph)):
        total += crossing[place]
        if (
            total == 1
            and graph[place].recorded
            and any(e.recorded for e in graph[cuts[-1] : place])
        ):
            cuts.append(place)
    if any(e.recorded for e in graph[cuts[-1] :]):
        cuts.append(len(graph))
    return cuts
