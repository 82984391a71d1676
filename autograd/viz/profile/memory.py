"""The memory of a graph over time: buffers as they come and go.

What counts is the array that owns the memory: a result and its views are one buffer, which lives
as long as any of them. Its end is told by a weak reference, so that nothing lives longer for being
watched.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from ...changes import owner
from ..style import colour

UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
OUTSIDE = -1  # memory of leaves and constants: it is there with or without the graph


@dataclass(slots=True)
class Buffer:
    """One piece of memory.

    Attributes
    ----------
    size : int
        Bytes.
    gradient : bool
        It came up in a backward pass as a gradient; else a result or a saved value.
    born, died : int
        Nanoseconds since the start; `died` is -1 if it outlived the profile.
    """

    size: int
    gradient: bool
    born: int
    died: int = -1

    def alive(self, time: int) -> bool:
        """Tell whether it was there at some time."""
        return self.born <= time and (self.died < 0 or self.died > time)


class Buffers:
    """Every buffer that came up since the start of a profile."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.all: list[Buffer] = []
        self._known: dict[int, tuple[weakref.ref[np.ndarray], int]] = {}

    def known(self, value: Any) -> int | None:
        """Number of the buffer behind `value`; `OUTSIDE`; or None for what is new or no array."""
        if not isinstance(value, np.ndarray):
            return None
        found = self._known.get(id(owner(value)))
        return None if found is None else found[1]

    def take(self, value: Any, *, gradient: bool = False, outside: bool = False) -> int | None:
        """Number of the buffer behind `value`, which is watched from now on; None for no array."""
        if not isinstance(value, np.ndarray):
            return None
        base = owner(value)
        key = id(base)
        found = self._known.get(key)
        if found is not None:
            return found[1]
        number = OUTSIDE
        if not outside:
            number = len(self.all)
            self.all.append(Buffer(base.nbytes, gradient, perf_counter_ns() - self.start))
        self._known[key] = (weakref.ref(base, lambda _: self._end(key)), number)
        return number

    def _end(self, key: int) -> None:
        found = self._known.pop(key, None)
        if found is not None and found[1] != OUTSIDE:
            self.all[found[1]].died = perf_counter_ns() - self.start

    def close(self) -> None:
        """Watch no longer."""
        self._known.clear()


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bytes over time, as steps: each value holds from its time to the next.

    Attributes
    ----------
    times : ndarray of float64
        Seconds since the start.
    bytes : ndarray of int64
        Held by results and saved values.
    gradients : ndarray of int64
        Held by gradients, which come on top of it.
    """

    times: np.ndarray
    bytes: np.ndarray
    gradients: np.ndarray

    @property
    def peak(self) -> int:
        """The most bytes that were held by results and saved values."""
        return int(self.bytes.max())

    @property
    def peak_time(self) -> float:
        """When that was first so, in seconds since the start."""
        return float(self.times[int(self.bytes.argmax())])

    @property
    def peak_with_gradients(self) -> int:
        """The most bytes that were held by all of them together."""
        return int((self.bytes + self.gradients).max())


def timeline(buffers: list[Buffer], end: int) -> Timeline:
    """Sum up the buffers that were alive at each time, until `end` (ns)."""
    steps: list[tuple[int, int, int]] = [(0, 0, 0)]
    for buffer in buffers:
        graph = 0 if buffer.gradient else buffer.size
        steps.append((buffer.born, graph, buffer.size - graph))
        if buffer.died >= 0:
            steps.append((buffer.died, -graph, graph - buffer.size))
    # At one and the same time what goes is taken off first: it was not there together.
    steps.sort(key=lambda step: (step[0], step[1] + step[2]))
    table = np.array(steps, np.int64)
    last = np.append(table[1:, 0] != table[:-1, 0], True)
    sums = np.cumsum(table[:, 1:], axis=0)[last]
    times = table[last, 0]
    if times[-1] < end:
        times, sums = np.append(times, end), np.append(sums, sums[-1:], axis=0)
    return Timeline(times / 1e9, sums[:, 0], sums[:, 1])


def plot(memory: Timeline, target: Any) -> Any:
    """Draw a timeline on matplotlib axes, or into a file.

    Raises
    ------
    RuntimeError
        If matplotlib is not there.
    TypeError
        If `target` is neither a path nor axes.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise RuntimeError(
            "plot_memory needs matplotlib: pip install dagrad[plot]; the numbers are in .memory"
        ) from None
    figure = None
    axes = target
    if isinstance(target, str | Path):
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        axes = figure.add_subplot()
    elif not hasattr(target, "fill_between"):
        raise TypeError(
            f"plot_memory: expected a path or matplotlib axes, not {type(target).__name__}"
        )
    unit, name = next((u, n) for u, n in UNITS if u == 1 or u <= memory.peak_with_gradients)
    times = memory.times * 1e3
    graph, total = memory.bytes / unit, (memory.bytes + memory.gradients) / unit
    for below, above, hue, label in (
        (np.zeros_like(graph), graph, "parameter", "results and saved values"),
        (graph, total, "gradient-bars", "gradients"),
    ):
        axes.fill_between(
            times, below, above, step="post", color=colour(hue, "light"), lw=0.0, label=label
        )
    axes.plot(
        memory.peak_time * 1e3, memory.peak / unit, "v", color=colour("ink", "light"), label="peak"
    )
    axes.set_xlabel("time (ms)")
    axes.set_ylabel(f"memory ({name})")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    if figure is not None:
        figure.savefig(target)
    return axes
