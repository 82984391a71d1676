"""All that is known about one vertex or edge, in words: for tooltips and the page's panel."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import OPS
from .model import Cluster, Diagram, Edge, Vertex
from .style import LEVEL_WORDS
from .summary import bytes_text, shape_text, summarise
from .svg.text import figure, literal, one_line, single

Lines = list[tuple[str, str]]

# Tooltips and panels that are longer than this help nobody.
LONGEST = 300
# Arrays of up to this many elements are written out in full.
WRITTEN = 16
# More uses of one vertex than this are counted, not listed.
MOST_USES = 12
# Names that can stand in a formula: "w", "h[3]", "fc1.weight".
_SIMPLE = re.compile(r"[^\W\d][\w.]{0,30}(\[\w+\])?")


class Details:
    """Describes the vertices and edges of one diagram.

    Parameters
    ----------
    diagram : Diagram
    """

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.operands = diagram.operands()
        self.users = diagram.users()
        self._formulas: dict[str, Any] = {}

    def vertex(self, vertex: Vertex) -> Lines:
        """(label, text) for everything that is known about `vertex`; never a line break."""
        lines: Lines = [("", self.heading(vertex)), *self._formula(vertex)]
        add = lines.append
        add(("kind", _kind(vertex)))
        if vertex.dtype == "float" and not vertex.shape:
            add(("type", "a number (Python float)"))
        else:
            add(("shape", f"{shape_text(vertex.shape)}, {vertex.dtype}"))
        lines += quantity("value", vertex.value)
        lines += quantity("gradient", vertex.grad)
        lines += self._contributions(vertex)
        for name, value in vertex.params.items():
            add((one_line(str(name)), _clip(_parameter(value))))
        if vertex.saved:
            add(("saved for backward", bytes_text(vertex.saved)))
        if vertex.members > 1:
            add(("stands for", f"{vertex.members:,} nodes"))
        if vertex.repeat > 1:
            add(("in a row", f"{vertex.repeat} times"))
        if vertex.cluster:
            add(("module", _clip(vertex.cluster)))
        if vertex.source is not None:
            # Without its folders: pictures are passed on, and those of one machine tell nobody else
            # anything. The JSON form has the whole path.
            add(("line", _clip(f"{vertex.source.name}:{vertex.source.line}")))
            if vertex.source.function:
                add(("in", _clip(vertex.source.function)))
            if vertex.source.text:
                add(("code", _clip(vertex.source.text)))
        if vertex.about:
            add(("note", _clip(vertex.about)))
        if vertex.mark is not None:
            text = vertex.mark.text or LEVEL_WORDS[vertex.mark.level]
            if vertex.mark.level == "heat":
                text += f" ({vertex.mark.heat:.0%} of the hottest)"
            add(("finding", _clip(text)))
        return lines

    def heading(self, vertex: Vertex) -> str:
        """What a vertex is called, and of what it is made: ``h = relu(x: z)``."""
        name, op = one_line(vertex.name), one_line(vertex.op)
        if vertex.kind == "group":
            text = " : ".join(part for part in (name, op) if part and part != "…")
            return _clip(text or f"{vertex.members} nodes")
        if not op:
            return _clip(name or vertex.kind)
        return _clip(
            f"{name} = {op}({self._arguments(vertex)})"
            if name
            else f"{op}({self._arguments(vertex)})"
        )

    def _arguments(self, vertex: Vertex) -> str:
        texts: dict[int, str] = {
            slot: figure(value) for slot, value in vertex.scalars.items() if value is not None
        }
        for edge in self.operands[vertex.index]:
            texts[edge.slot] = self.short(edge.tail)
        return ", ".join(texts[slot] for slot in sorted(texts))

    def short(self, index: int) -> str:
        """The name of a vertex, or else its op or kind."""
        vertex = self.diagram.vertices[index]
        return one_line(vertex.name or vertex.op or vertex.kind)

    def _formula(self, vertex: Vertex) -> Lines:
        """The formula of the op and its local derivatives, with the user's names."""
        op = OPS.get(vertex.op)
        if op is None or not op.formula or vertex.kind == "group":
            return []
        from .formulas.formulas import formula

        found = self._formulas.get(op.name)
        if found is None:
            found = self._formulas[op.name] = formula(op)
        names: dict[str, str | float] = {}
        if not op.variadic:
            for slot, value in vertex.scalars.items():
                if value is not None and slot < len(op.inputs):
                    names[op.inputs[slot]] = float(value)
            for edge in self.operands[vertex.index]:
                given = self.diagram.vertices[edge.tail].name
                if edge.slot < len(op.inputs) and _SIMPLE.fullmatch(given):
                    names[op.inputs[edge.slot]] = given
        if _SIMPLE.fullmatch(vertex.name):
            names["y"] = vertex.name
        lines = [("formula", _clip(found.value.unicode(names)))]
        for slot, slope in enumerate(found.slopes):
            if slope is None or slot >= len(op.inputs):
                continue
            argument = names.get(op.inputs[slot], op.inputs[slot])
            if isinstance(argument, str):
                what = f"∂/∂{argument}" if found.local else f"to {argument}"
                lines.append((what, _clip(slope.unicode(names))))
        return lines

    def _contributions(self, vertex: Vertex) -> Lines:
        uses = [edge for edge in self.users[vertex.index] if edge.contribution is not None]
        if len(uses) < 2:
            return []
        lines = [
            (f"from {self.short(edge.head)}", brief(edge.contribution)) for edge in uses[:MOST_USES]
        ]
        if len(uses) > MOST_USES:
            lines.append(("", f"and {len(uses) - MOST_USES} more uses"))
        return lines

    def edge(self, edge: Edge) -> Lines:
        """(label, text) for everything that is known about `edge`."""
        tail = self.diagram.vertices[edge.tail]
        lines: Lines = [("", _clip(f"{self.short(edge.tail)} → {self.short(edge.head)}"))]
        if edge.argument:
            lines.append(("argument", _clip(edge.argument)))
        if tail.shape:
            lines.append(("shape", f"{shape_text(tail.shape)}, {tail.dtype}"))
        if edge.slope is not None:
            lines.append(("partial derivative", figure(edge.slope, 6)))
        if edge.contribution is not None:
            lines += quantity("contribution to the gradient", edge.contribution)
        return lines

    def cluster(self, cluster: Cluster) -> Lines:
        """(label, text) for a frame."""
        lines: Lines = [
            ("", _clip(f"{cluster.name} : {cluster.type}" if cluster.type else cluster.name))
        ]
        if cluster.path != cluster.name:
            lines.append(("path", _clip(cluster.path)))
        if cluster.parameters:
            lines.append(("parameters", f"{cluster.parameters:,}"))
        if cluster.repeat > 1:
            lines.append(("in a row", f"{cluster.repeat} times"))
        return lines


def quantity(label: str, value: Any) -> Lines:
    """A number, a small array, or the distribution of a large one."""
    if value is None:
        return []
    one = single(value)
    if one is not None:
        return [(label, figure(one, 8))]
    if not value.size:
        return [(label, "no elements")]
    if value.size <= WRITTEN:
        return [(label, literal(value, 4))]
    found = summarise(value)
    lines = []
    if found.minimum == found.maximum:
        lines.append((label, f"all {figure(found.minimum, 6)}"))
    elif not math.isnan(found.minimum):
        range_ = f"{figure(found.minimum, 4)} to {figure(found.maximum, 4)}"
        lines.append((label, f"{range_}, mean {figure(found.mean, 4)}"))
    parts = [f"{found.size:,} elements"]
    for count, word in ((found.zeros, "zero"), (found.nans, "NaN"), (found.infs, "inf")):
        if count:
            parts.append(f"{count:,} {word}")
    lines.append((label if not lines else "", ", ".join(parts)))
    return lines


def brief(value: Any) -> str:
    """A number, or the range of an array.

    Examples
    --------
    >>> import numpy as np
    >>> brief(0.25), brief(np.array([-1.0, 0.0, 2.0, 3.0, 5.0]))
    ('0.25', '−1 … 5')
    """
    one = single(value)
    if one is not None:
        return figure(one)
    if not value.size:
        return "no elements"
    found = summarise(value)
    if found.nans or found.infs:
        counts = ((found.nans, "NaN"), (found.infs, "inf"))
        return ", ".join(f"{count:,} {word}" for count, word in counts if count)
    if found.minimum == found.maximum:
        return f"all {figure(found.minimum)}"
    return f"{figure(found.minimum)} … {figure(found.maximum)}"


def _kind(vertex: Vertex) -> str:
    words = {
        "parameter": "parameter (learned)",
        "leaf": "leaf that requires grad",
        "buffer": "buffer (state that is not learned)",
        "constant": "constant (no gradient)",
        "intermediate": "intermediate result",
        "output": "output",
        "group": "several nodes drawn as one",
    }[vertex.kind]
    if vertex.order:
        words += f", made by backward pass {vertex.order}"
    return words


def _parameter(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return literal(value) if value.size <= WRITTEN else f"array of {shape_text(value.shape)}"
    if isinstance(value, float):
        return figure(value, 6)
    if isinstance(value, str | int | bool | None | np.generic):
        return str(value)
    if isinstance(value, tuple | list) and len(value) <= WRITTEN:
        return f"({', '.join(_parameter(item) for item in value)})"
    if isinstance(value, Sequence):
        return f"{len(value)} items"
    return type(value).__name__


def _clip(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
