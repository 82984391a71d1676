"""What `why` answers with: causes, most likely first, and the graph with the way marked on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..model import Diagram, Mark, Source
from ..summary import number

if TYPE_CHECKING:
    from ..graph import Graph

Verdict = Literal["none", "nan", "zero", "partly zero", "vanishing", "exploding", "healthy"]

# Rows of a printed table: the ends of a long way tell as much as the whole.
LONGEST_TABLE = 24


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for what was found.

    Attributes
    ----------
    kind : str
        One or two words that never change, such as "detached" or "dead_relu".
    text : str
        What happened, with names and numbers.
    mend : str
        What to do about it.
    source : Source or None
        Where in the user's code.
    vertices : tuple of int
        The culprits in ``answer.diagram``.
    sure : bool
        False for a suspicion that the evidence does not prove.
    """

    kind: str
    text: str
    mend: str = ""
    source: Source | None = None
    vertices: tuple[int, ...] = ()
    sure: bool = True

    def __str__(self) -> str:
        lines = [f"{self.text}{'' if self.sure else ' (not certain)'}"]
        if self.source is not None:
            code = f"    {self.source.text}" if self.source.text else ""
            lines.append(f"at {self.source}{code}")
        if self.mend:
            lines.append(f"Mend: {self.mend}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Cause {self.kind}{f' at {self.source}' if self.source else ''}>"


@dataclass(frozen=True, slots=True)
class Row:
    """One step of the way back from the loss.

    Attributes
    ----------
    vertex : int
    label : str
    norm : float
        Of the complete gradient.
    factor : float or None
        The norm divided by that of the row above; None for the first.
    """

    vertex: int
    label: str
    norm: float
    factor: float | None


@dataclass(slots=True)
class Answer:
    """Why a gradient is as it is; ``str()`` tells it in words.

    Attributes
    ----------
    verdict : str
        "none", "nan", "zero", "partly zero", "vanishing", "exploding" or "healthy".
    headline : str
    causes : list of Cause
        Most likely first; empty if healthy.
    table : list of Row
        Gradient norms from the loss to the tensor, where they are known.
    remarks : list of str
        What else is worth knowing, such as that a recording would tell more.
    diagram : Diagram or None
        The graph with marks: the way from the loss, and the culprits. None if there is no graph.
    """

    verdict: Verdict
    headline: str
    causes: list[Cause] = field(default_factory=list)
    table: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    diagram: Diagram | None = None

    @property
    def graph(self) -> Graph:
        """The marked diagram as a picture.

        Raises
        ------
        RuntimeError
            If there is no graph to draw.
        """
        if self.diagram is None:
            raise RuntimeError(f"there is no graph to draw: {self.headline}")
        from ..graph import Graph

        return Graph(self.diagram)

    def mark(self, diagram: Diagram, path: list[int]) -> None:
        """Take `diagram`, marked with the way and the culprits."""
        norms = {row.vertex: f"norm {number(row.norm, 3)}" for row in self.table}
        marks = {index: Mark("path", norms.get(index, "")) for index in path}
        for rank, cause in reversed(list(enumerate(self.causes))):
            for index in cause.vertices:
                text = cause.kind.replace("_", " ")
                marks[index] = Mark("bad" if rank == 0 else "warn", text)
        self.diagram = diagram.marked(marks)

    def __str__(self) -> str:
        parts = [self.headline]
        for rank, cause in enumerate(self.causes, 1):
            head = f"{rank}. "
            parts.append(head + str(cause).replace("\n", "\n" + " " * len(head)))
        if self.table:
            parts.append("\n".join(self._table()))
        parts += self.remarks
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        kinds = ", ".join(cause.kind for cause in self.causes)
        return f"<Answer: {self.verdict}{f' ({kinds})' if kinds else ''}>"

    def _table(self) -> list[str]:
        sign = {"vanishing": -1.0, "exploding": 1.0}.get(self.verdict, 0.0)
        changes = [sign * _log(row.factor) for row in self.table]
        worst = max(changes, default=0.0)
        width = max(len(row.label) for row in self.table)
        lines = [f"{'gradient of':{width}}  {'norm':>10}  {'factor':>8}"]
        for row, change in zip(self.table, changes, strict=True):
            factor = "" if row.factor is None else f"{row.factor:.3g}"
            flag = "  <- largest change" if change == worst and worst > 0.0 else ""
            lines.append(f"{row.label:{width}}  {row.norm:>10.4g}  {factor:>8}{flag}")
        if len(lines) > LONGEST_TABLE:
            half = LONGEST_TABLE // 2
            hidden = len(lines) - 2 * half
            middle = lines[half:-half]
            flagged = [line for line in middle if "<-" in line]
            lines = [*lines[:half], f"... {hidden - len(flagged)} more", *flagged, *lines[-half:]]
        return lines


def _log(factor: float | None) -> float:
    if factor is None or not math.isfinite(factor) or factor <= 0.0:
        return 0.0
    return math.log(factor)
