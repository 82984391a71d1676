"""A zoomed diagram as a table: the chain from the element down, with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ..formats.text_width import clean, elided, width
from ..model import Diagram, Edge, Vertex
from ..summary import number

# Longer tables are for files, not for reading; the diagram has it all.
ROWS = 40
# Longer names push the numbers out of sight.
NAME_WIDTH = 52
HEADINGS = ("value", "slope", "gradient")
AGAIN = " ↑"  # an element whose operands stand further up

NOT_SHOWN = "…"  # an element that was not expanded


def table(diagram: Diagram, rows: int = ROWS) -> list[str]:
    """Lines with the vertices below the output, each under its user, with value, slope, gradient.

    An element that is used twice appears twice, its own operands only the first time.
    """
    operands = diagram.operands()
    found: list[tuple[str, str, tuple[str, ...]]] = []
    seen: set[int] = set()
    # Vertex, the edge that led there, the bars before it, and whether it is the last of its kind.
    stack: list[tuple[int, Edge | None, str, bool]] = [(diagram.outputs[0], None, "", True)]
    left = 0
    while stack:
        index, edge, bars, last = stack.pop()
        vertex = diagram.vertices[index]
        again = index in seen and bool(operands[index])
        branch = "" if edge is None else bars + ("└ " if last else "├ ")
        if len(found) < rows:
            numbers = tuple(
                "" if v is None else number(v)
                for v in (vertex.value, None if edge is None else edge.slope, vertex.grad)
            )
            found.append((branch + clean(vertex.name), _op(vertex, again), numbers))
        else:
            left += 1
        if again:
            continue
        seen.add(index)
        below = "" if edge is None else bars + ("  " if last else "│ ")
        for place, operand in enumerate(reversed(operands[index])):
            stack.append((operand.tail, operand, below, place == 0))
    lines = _aligned(found)
    if left:
        lines.append(f"… {left:,} more")
    return lines


def _op(vertex: Vertex, again: bool) -> str:
    if vertex.kind == "group":
        return "folded"
    if vertex.kind not in ("intermediate", "output"):
        return vertex.kind
    return (vertex.op or NOT_SHOWN) + AGAIN * again


def _aligned(rows: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[str]:
    """Columns: names and ops to the left, numbers to the right."""
    names = [elided(name, NAME_WIDTH) for name, _, _ in rows]
    wide = max(map(width, names))
    ops = max(len(op) for _, op, _ in rows)
    room = [
        max(len(heading), *(len(numbers[i]) for _, _, numbers in rows))
        for i, heading in enumerate(HEADINGS)
    ]
    lines = [" " * (wide + 2 + ops), *("" for _ in rows)]
    for i, heading in enumerate(HEADINGS):
        lines[0] += "  " + heading.rjust(room[i])
    for at, (name, (_, op, numbers)) in enumerate(zip(names, rows, strict=True), 1):
        text = name + " " * (wide - width(name)) + "  " + op.ljust(ops)
        text += "".join("  " + n.rjust(w) for n, w in zip(numbers, room, strict=True))
        lines[at] = text.rstrip()
    return lines
