"""The measuring half of a profile: a watcher that turns what runs into entries and buffers."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self

import numpy as np

from ...graph import Abstract, Node, Op, Variable
from ...watch import WATCHERS, Watcher
from ..capture import dtype_text
from ..record import note_of
from .entry import Entry, flops
from .memory import OUTSIDE, Buffers, Timeline, timeline
from .watch import Place, Places, Stopwatch


class Measurement(Watcher):
    """What ran inside one ``with`` block, on the thread that opened it.

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


class _Last(Watcher):
    """Starts the watch of a measurement again, after all other watchers have done their work."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = weakref.ref(measurement)

    def _resume(self) -> None:
        measurement = self._measurement()
        if measurement is not None and measurement._ours():
            measurement._watch.go()

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        measurement = self._measurement()
        if measurement is not None and measurement._ours():
            call = measurement._calls[-1]
            call.value, call.started = measurement._watch.value, measurement._now()
            measurement._watch.go()

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


def _arrays(value: Any) -> list[np.ndarray]:
    """The arrays among saved values, also inside tuples."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple | list):
        return [array for item in value for array in _arrays(item)]
    return []
