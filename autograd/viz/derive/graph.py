"""What a derivation knows of its graph: names, numbers, formulas, and who sends to whom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...graph import Node, Op
from ..capture import Captured
from ..formulas.formulas import Formula, formula
from ..model import Diagram, Edge, Vertex
from . import text
from .text import Told

Names = dict[str, str | float | Told]

# A gradient further from the sum of its contributions was changed by a hook.
ROUNDING = 1e-3


class Reading:
    """A captured graph with one output, asked what its derivation needs.

    Attributes
    ----------
    vertices : list of Vertex
    end : int
        Index of the loss.
    labels : list of str
        A name for each vertex; no two are alike.
    formulas : list of Formula or None
        None for what no op made.
    operands, users : list of list of Edge
    """

    def __init__(self, captured: Captured) -> None:
        diagram = captured.diagram
        self.vertices = diagram.vertices
        self.nodes = captured.nodes
        self.end = diagram.outputs[0]
        self.operands = diagram.operands()
        self.users = diagram.users()
        self.labels = _labels(diagram, captured.nodes, self.end)
        self.formulas = [self._formula(v) for v in self.vertices]

    def op(self, index: int) -> Op:
        """The op that made a vertex."""
        node = self.nodes[index]
        assert node is not None
        assert node.op is not None
        return node.op

    def _formula(self, vertex: Vertex) -> Formula | None:
        if not vertex.op:
            return None
        op = self.op(vertex.index)
        known: dict[str, Any] = dict(vertex.params)
        if not op.variadic:
            present = {e.slot for e in self.operands[vertex.index]}
            for slot, name in enumerate(op.inputs):
                if slot not in present:
                    known[name] = vertex.scalars.get(slot)
            for edge in self.operands[vertex.index]:
                if not self.is_named(edge.tail):
                    known[op.inputs[edge.slot]] = self.number(edge.tail)
        return formula(op, known)

    def formula(self, index: int) -> Formula:
        """The formula of a vertex that an op made."""
        found = self.formulas[index]
        assert found is not None
        return found

    # --- Names and numbers ------------------------------------------------------------------------

    def number(self, index: int) -> float | None:
        """The value of a vertex, if it is a single number and known."""
        vertex = self.vertices[index]
        return None if vertex.shape or vertex.value is None else float(vertex.value)

    def is_named(self, index: int) -> bool:
        """False for a constant number without a name: it stands for itself."""
        vertex = self.vertices[index]
        nameless = not vertex.name and self.nodes[index] is None
        return not nameless or self.number(index) is None

    def names(self, vertex: Vertex) -> Names:
        """What to write for the names in the formula of a step."""
        op = self.op(vertex.index)
        found: Names = {"y": self._told(vertex.index)}
        edges = self.operands[vertex.index]
        if op.variadic:
            found[op.inputs[0]] = text.joined(
                [text.name(self.labels[e.tail]) for e in edges], ", ", ", "
            )
        else:
            for edge in edges:
                found[op.inputs[edge.slot]] = self._told(edge.tail)
        folded = _folded(op, self.vertices[edges[0].tail].shape, vertex) if edges else None
        if folded is not None:
            found["n"] = folded
        if "index" in vertex.params:
            told = _index_text(vertex.params["index"])
            found["index"] = Told(told, rf"\mathtt{{{told.replace(':', '{:}')}}}")
        return found

    def _told(self, index: int) -> Told:
        return text.name(self.labels[index], single=not self.vertices[index].shape)

    def values(self, vertex: Vertex) -> dict[str, float] | None:
        """The numbers behind the names in the formula of a step, if all are single and known."""
        op = self.op(vertex.index)
        if op.variadic:
            return None
        found = {"y": self.number(vertex.index)}
        found |= {op.inputs[e.slot]: self.number(e.tail) for e in self.operands[vertex.index]}
        known = {n: v for n, v in found.items() if v is not None}
        return known if len(known) == len(found) else None

    def is_exact(self, indices: Iterable[int]) -> bool:
        """Whether the numbers of these vertices are shown with all their digits."""
        return all(
            text.is_exact(self.vertices[i].value, self.vertices[i].dtype)
            for i in indices
            if self.number(i) is not None
        )

    # --- The chain rule, as the engine applied it -------------------------------------------------

    def uses(self, tail: int, head: int) -> list[Edge]:
        """The uses of `tail` by `head` that send a gradient back."""
        return [e for e in self.operands[head] if e.tail == tail and e.contribution is not None]

    def heads(self, tail: int) -> list[int]:
        """Who sends gradients to `tail`, each once."""
        return list(dict.fromkeys(e.head for e in self.users[tail] if e.contribution is not None))

    def slope(self, tail: int, head: int) -> float | None:
        """The derivative of `head` in `tail`, over all uses, where both are single numbers."""
        slopes = [e.slope for e in self.uses(tail, head)]
        known = [s for s in slopes if s is not None]
        return sum(known) if known and len(known) == len(slopes) else None

    def leading_to(self, targets: Iterable[int]) -> set[int]:
        """The targets that have a gradient, and all between them and the loss."""
        found = {i for i in targets if i >= 0 and self.vertices[i].grad is not None}
        for head, edges in enumerate(self.operands):  # tails come before heads
            if any(e.tail in found and e.contribution is not None for e in edges):
                found.add(head)
        return found

    def is_hooked(self, index: int) -> bool:
        """Whether the gradient is not the sum of what was sent: a hook replaced it."""
        vertex = self.vertices[index]
        if vertex.shape or vertex.grad is None or index == self.end:
            return False
        sent = sum(float(e.contribution) for e in self.users[index] if e.contribution is not None)
        grad = float(vertex.grad)
        return math.isfinite(sent) and abs(sent - grad) > ROUNDING * max(abs(sent), abs(grad))

    def paths(self, start: int, limit: int) -> list[list[int]]:
        """The ways from `start` to the loss; [] if more than `limit`, or not all of numbers."""
        unfinished: list[list[int]] = [[start]]
        found: list[list[int]] = []
        while unfinished:
            path = unfinished.pop()
            last = path[-1]
            if last == self.end:
                found.append(path)
                continue
            heads = self.heads(last)
            if self.is_hooked(last) or any(self.slope(last, head) is None for head in heads):
                return []
            unfinished += [[*path, head] for head in reversed(heads)]
            if len(unfinished) + len(found) > limit:
                return []
        return found

    def product(self, path: Sequence[int]) -> float:
        """The product of the derivatives along a path, from the loss down."""
        product = 1.0
        for tail, head in steps_down(path):
            slope = self.slope(tail, head)
            assert slope is not None
            product *= slope
        return product


def steps_down(path: Sequence[int]) -> list[tuple[int, int]]:
    """The (tail, head) of each step of a path, the one at the loss first."""
    return list(zip(path[-2::-1], path[:0:-1], strict=True))


def _folded(op: Op, before: tuple[int, ...], vertex: Vertex) -> int | None:
    """How many elements, or losses, are folded into one result, where a formula asks for it."""
    if op.family == "reduction":
        return math.prod(before) // max(math.prod(vertex.shape), 1)
    if op.name.startswith("cross_entropy"):
        return before[0]
    return None


def _index_text(index: Any) -> str:
    """An index as in Python; an array of indices in a word."""
    told = []
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, slice):
            first, last, step = (
                "" if e is None else e for e in (entry.start, entry.stop, entry.step)
            )
            told.append(f"{first}:{last}" + (f":{step}" if step != "" else ""))
        elif entry is Ellipsis:
            told.append("...")
        else:
            told.append("indices" if getattr(entry, "shape", ()) else str(entry))
    return ", ".join(told)


def _labels(diagram: Diagram, nodes: Sequence[Node | None], end: int) -> list[str]:
    """The user's names, numbered where one is used again; v1, v2 ... for nameless results.

    Nameless leaves are u1, u2 ..., arrays that need no gradient c1, c2 ..., the loss is L.
    """
    taken = {v.name for v in diagram.vertices}
    labels: list[str] = []
    used: set[str] = set()
    for vertex in diagram.vertices:
        label = " ".join(vertex.name.split())
        if not label and vertex.index == end and "L" not in taken:
            label = "L"
        elif not label:
            stem = "v" if vertex.op else "c" if nodes[vertex.index] is None else "u"
            label = _fresh(stem, taken | used, 1)
        elif label in used:
            label = _fresh(f"{label}_", taken | used, 2)
        used.add(label)
        labels.append(label)
    return labels


def _fresh(stem: str, taken: set[str], first: int) -> str:
    while f"{stem}{first}" in taken:
        first += 1
    return f"{stem}{first}"
