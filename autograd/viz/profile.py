"""profile: where the time of a training step goes, and the memory, by op, line, module and node."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..graph import Abstract, Node, Op, Variable
from ..watch import WATCHERS, Watcher
from .capture import capture, dtype_text
from .model import Mark
from .profile_checkpoints import Checkpoints, Of, checkpoints
from .profile_entry import Entry, flops
from .profile_memory import OUTSIDE, Buffers, Timeline, plot, timeline
from .profile_table import By, Sort, Table, percent, report, table
from .profile_trace import save_trace
from .profile_watch import Place, Places, Stopwatch
from .record import note_of
from .summary import number

if TYPE_CHECKING:
    from .graph import Graph

# Nodes with less than this share of the time get no mark: nobody mends those.
COLDEST = 0.001


class Profile(Watcher):
    """What ran inside one ``with profile():`` block, on the thread that opened it.

    Keeps plain numbers only, and does not keep the graph alive.

    Attributes
    ----------
    entries : list of Entry
        Every op call, in order.
    seconds : float
        Duration of the block.
    overhead : float
        How many of these seconds the profile (and other watchers) took; in no other number.
    passes : list of (int, int)
        When backward passes ran, in nanoseconds since the start.
    elsewhere : int
        Op calls of other threads, which are not looked at.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.seconds = self.overhead = 0.0
        self.passes: list[tuple[int, int]] = []
        self.elsewhere = 0
        self._watch = Stopwatch()
        self._places = Places()
        self._last = _Last(self)
        self._thread: int | None = None
        self._start = 0
        self._buffers = Buffers(0)
        self._memory: Timeline | None = None
        self._indices: weakref.WeakKeyDictionary[Node, int] = weakref.WeakKeyDictionary()
        self._calls: list[_Call] = []
        self._rules: list[_Rule] = []

    # --- The block ----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("profile: a profile runs once; make another one for another block")
        self._thread = threading.get_ident()
        self._watch.calibrate(self._last.left, self.left)
        self._start = perf_counter_ns()
        self._buffers = Buffers(self._start)
        WATCHERS.insert(0, self)
        WATCHERS.append(self._last)
        self._watch.go()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watch.stop()
        WATCHERS.remove(self)
        WATCHERS.remove(self._last)
        end = self._now()
        self.seconds = end / 1e9
        self.overhead = self._watch.excluded / 1e9
        self._places.forget()
        self._calls.clear()
        while self._rules:
            self._end_pass(end)
        self._memory = timeline(self._buffers.all, end)
        self._buffers.close()

    def _now(self) -> int:
        return perf_counter_ns() - self._start

    def _ours(self) -> bool:
        return threading.get_ident() == self._thread

    # --- Forward ------------------------------------------------------------------------------

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        """Take down where a call comes from."""
        if self._ours():
            self._watch.stop()
            place = self._places.look(sys._getframe(1))
            del self._rules[place.passes :]  # of passes that an error ended
            self._calls.append(_Call(op, id(inputs), place))

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Take the time of a call."""
        if not self._ours():
            self.elsewhere += 1
            return
        self._watch.stop()
        ended = self._now()
        call = None
        while self._calls:  # those on top raised an error
            call = self._calls.pop()
            if call.key == id(inputs) and call.op is op:
                break
        value = result.value if isinstance(result, Variable) else result
        if call is None or value.__class__ is Abstract:
            return
        entry = self._new(op, result.shape, result.dtype, call.place)
        entry.started, entry.ended = call.started, ended
        took = self._watch.value - call.value - call.inner
        if self._calls:
            self._calls[-1].inner += self._watch.value - call.value
        entry.in_backward = call.place.passes > 0
        if not entry.in_backward:
            entry.forward = took
        entry.flops = flops(op, inputs, entry.shape)
        self._count_memory(entry, inputs, result)

    def _new(self, op: Op, shape: tuple[int, ...], dtype: Any, place: Place) -> Entry:
        entry = Entry(len(self.entries), op.name, shape, dtype_text(dtype), place)
        self.entries.append(entry)
        return entry

    def _count_memory(self, entry: Entry, inputs: Sequence[Any], result: Any) -> None:
        buffers, node = self._buffers, result.node
        made = []
        for item in inputs:
            buffers.take(item.value if isinstance(item, Variable) else item, outside=True)
            link = item.node if isinstance(item, Variable) else None
            if link is not None and link in self._indices:
                made.append(self._indices[link])
        entry.inputs = tuple(dict.fromkeys(made))
        if buffers.known(result.value) is None:
            entry.output = getattr(result.value, "nbytes", 0)
        entry.result = buffers.take(result.value)
        if node is None or node.op is None:
            return
        entry.recorded = True
        self._indices[node] = entry.index
        saved = [buffers.take(array) for array in _arrays(node.saved or ())]
        entry.saved = tuple(dict.fromkeys(n for n in saved if n is not None and n != OUTSIDE))

    # --- Backward -----------------------------------------------------------------------------

    def start(self, seeds: Mapping[Node, Any]) -> None:
        """Learn that a pass begins."""
        if self._ours():
            self._watch.stop()
            depth = self._places.look(sys._getframe(1)).passes
            del self._rules[max(depth - 1, 0) :]
            self._rules.append(_Rule(self._now()))
            for gradient in seeds.values():
                self._take_gradient(gradient)

    def during(self, node: Node | None, gradient: Any) -> None:
        """Take the time of a rule."""
        if not self._ours() or not self._rules:
            return
        self._watch.stop()
        now = self._now()
        self._end_rule(now)
        if node is None:
            self._end_pass(now)
            return
        self._take_gradient(gradient)
        rule = self._rules[-1]
        rule.entry = self._entry_of(node)
        rule.value, rule.started = self._watch.value, now

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        """Count the memory of a gradient."""
        if self._ours():
            self._watch.stop()
            self._take_gradient(piece)

    def arrive(self, node: Node, gradient: Any) -> None:
        """Count the memory of a gradient."""
        if self._ours():
            self._watch.stop()
            self._take_gradient(gradient)

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Do not count what other watchers make of it."""
        if self._ours():
            self._watch.stop()

    def _take_gradient(self, gradient: Any) -> None:
        value = gradient.value if isinstance(gradient, Variable) else gradient
        self._buffers.take(value, gradient=True)

    def _end_rule(self, now: int) -> None:
        rule = self._rules[-1]
        if rule.entry is not None:
            rule.entry.backward += self._watch.value - rule.value
            rule.entry.passes.append((rule.started, now))
            rule.entry = None

    def _end_pass(self, now: int) -> None:
        self.passes.append((self._rules.pop().began, now))

    def _entry_of(self, node: Node) -> Entry:
        """The entry of a node; a new one if it was made before the block."""
        index = self._indices.get(node)
        if index is not None:
            return self.entries[index]
        assert node.op is not None
        note = note_of(node)
        place = Place() if note is None else Place(note.code, note.instruction)
        entry = self._new(node.op, node.shape, node.dtype, place)
        entry.recorded = True
        self._indices[node] = entry.index
        return entry

    # --- Results ------------------------------------------------------------------------------

    @property
    def memory(self) -> Timeline:
        """Memory held by the graph over time.

        Raises
        ------
        RuntimeError
            Inside the block.
        """
        if self._memory is None:
            raise RuntimeError("profile: the block is not over yet")
        return self._memory

    @property
    def forward(self) -> float:
        """Seconds in the forward of ops."""
        return sum(e.forward for e in self.entries) / 1e9

    @property
    def backward(self) -> float:
        """Seconds in the rules of ops."""
        return sum(e.backward for e in self.entries) / 1e9

    def table(self, by: By = "op", sort: Sort = "total", limit: int | None = None) -> Table:
        """Time and memory in rows.

        Parameters
        ----------
        by : {"op", "line", "module", "node"}
            What a row stands for. Modules count what the modules inside them do too.
        sort : {"total", "forward", "backward", "calls", "output", "saved", "name"}
        limit : int, optional
            Show no more rows.

        Raises
        ------
        ValueError
            If `by` or `sort` is something else.
        """
        return table(self.entries, self._buffers.all, by, sort, limit)

    def graph(self, output: Any) -> Graph:
        """The graph behind `output`, heated by where the time went.

        Parameters
        ----------
        output : Tensor, Scalar, or a sequence of them
            Made inside the block, and still alive.

        Raises
        ------
        ValueError
            If nothing of it ran inside the block.
        """
        from .graph import Graph

        if callable(output) and not isinstance(output, Variable):
            raise TypeError("profile: graph() takes what ran inside the block, not a function")
        captured = capture(output, backward=False)
        total = sum(e.total for e in self.entries)
        found: dict[int, int] = {}
        for index, node in enumerate(captured.nodes):
            if node is not None and node in self._indices:
                entry = self.entries[self._indices[node]]
                found[index] = entry.total
                vertex = captured.diagram.vertices[index]
                vertex.source = vertex.source or entry.source
        if not found:
            raise ValueError("profile: no node of this graph ran inside the block")
        hottest = max(found.values())
        marks = {
            index: Mark(
                "heat", f"{number(time / 1e6, 3)} ms, {percent(time, total)}", time / hottest
            )
            for index, time in found.items()
            if time > COLDEST * total
        }
        return Graph(captured.diagram.marked(marks))

    def checkpoints(
        self, *, of: Of = "both", every: bool = False, limit: int | None = 20
    ) -> Checkpoints:
        """What it would save to recompute stretches of the forward in backward.

        Looks at the moment of the peak of memory.

        Parameters
        ----------
        of : {"both", "modules", "stretches"}
            Calls of modules; stretches between points that only one value passes; or both.
        every : bool
            Also list stretches to which another is better in both respects (saves no less, and
            takes no longer), and such as only move the peak to another time.
        limit : int, optional
            Show no more rows.
        """
        return checkpoints(
            self.entries,
            self._buffers.all,
            self.passes,
            self.memory,
            of=of,
            every=every,
            limit=limit,
        )

    def plot_memory(self, target: Any) -> Any:
        """Draw `memory` on matplotlib axes, or into a file.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed.
        """
        return plot(self.memory, target)

    def save(self, path: str | Path) -> Path:
        """Write a trace for Perfetto (ui.perfetto.dev) or chrome://tracing.

        Raises
        ------
        ValueError
            If `path` does not end in ``.json``.
        """
        return save_trace(Path(path), self.entries, self.passes, self.memory)

    def __repr__(self) -> str:
        return f"<Profile: {len(self.entries)} op calls, {number(self.seconds * 1e3, 3)} ms>"

    def __str__(self) -> str:
        return report(self)


class _Last(Watcher):
    """Starts the watch of a profile again, after all other watchers have done their work."""

    def __init__(self, profile: Profile) -> None:
        self._profile = weakref.ref(profile)

    def _resume(self) -> None:
        profile = self._profile()
        if profile is not None and profile._ours():
            profile._watch.go()

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        profile = self._profile()
        if profile is not None and profile._ours():
            call = profile._calls[-1]
            call.value, call.started = profile._watch.value, profile._now()
            profile._watch.go()

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        self._resume()

    def start(self, seeds: Mapping[Node, Any]) -> None:
        self._resume()

    def during(self, node: Node | None, gradient: Any) -> None:
        self._resume()

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        self._resume()

    def arrive(self, node: Node, gradient: Any) -> None:
        self._resume()

    def left(self, how: str, variable: Variable, result: Any) -> None:
        self._resume()


class _Call:
    """An op call that has not returned yet."""

    __slots__ = ("inner", "key", "op", "place", "started", "value")

    def __init__(self, op: Op, key: int, place: Place) -> None:
        self.op, self.key, self.place = op, key, place
        self.started = self.value = self.inner = 0


class _Rule:
    """The rule that runs in one backward pass."""

    __slots__ = ("began", "entry", "started", "value")

    def __init__(self, began: int) -> None:
        self.began = began
        self.entry: Entry | None = None
        self.started = self.value = 0


def profile() -> Profile:
    """Measure, inside a ``with`` block, time and memory of each op, forward and backward.

    Around a training step, several, or the forward of a model alone; other threads are left out.
    What is not inside such a block costs nothing.

    Returns
    -------
    Profile
        ``print(p)`` is a report; ``p.table(by="line")``, ``p.graph(loss)``, ``p.memory``,
        ``p.checkpoints()`` and ``p.save("trace.json")`` tell more.

    Examples
    --------
    >>> import autograd
    >>> from autograd.viz.profile import profile
    >>> x = autograd.ones(100, 100)
    >>> w = autograd.ones(100, 100, requires_grad=True)
    >>> with profile() as p:
    ...     (x @ w).relu().sum().backward()
    >>> [row.name for row in p.table(sort="name").rows]
    ['matmul', 'relu', 'sum']
    >>> p.memory.peak
    80000
    """
    return Profile()


def _arrays(value: Any) -> list[np.ndarray]:
    """The arrays among saved values, also inside tuples."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple | list):
        return [array for item in value for array in _arrays(item)]
    return []
