"""profile: where the time of a training step goes, and the memory, by op, line, module and node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...graph import Variable
from ..capture import capture
from ..model import Mark
from ..summary import number
from .checkpoints import Checkpoints, Of, checkpoints
from .measure import Measurement
from .memory import Timeline, plot
from .table import By, Sort, Table, percent, report, table
from .trace import save_trace

if TYPE_CHECKING:
    from ..graph import Graph

# Nodes with less than this share of the time get no mark: nobody mends those.
COLDEST = 0.001


class Profile(Measurement):
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
        from ..graph import Graph

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
    >>> from autograd.viz.profile.profile import profile
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
