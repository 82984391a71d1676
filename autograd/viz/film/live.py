"""What a page needs to compute a graph again when the reader moves a number.

For each vertex a small program (``k``: its kind): an elementwise function with its slopes, written
out of the op's formula; sums and means; matrix products; softmax and cross-entropy; and, for every
op that only moves elements, the list of where each came from, found by running it on positions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...graph import OPS, Op
from ..formulas.formulas import formula
from ..formulas.js import js_name
from ..model import Diagram, Edge, Vertex
from .origins import OTHER

# A change must be computed while the reader drags: about a million products take 10 ms.
MOST_PRODUCTS = 1_000_000
MOST_ELEMENTS = 20_000
MOST_MOVED = 4096
FLOATS = ("float", "float32", "float64")


class Programs:
    """Programs of a diagram's vertices, and the functions that they share.

    Attributes
    ----------
    programs : list of dict or None
        For each vertex. None for leaves, and for what the page cannot compute.
    why_not : list of str
        For each vertex; "" if it can.
    functions : list of str
        JavaScript: ``{f: (...) => value, s: [(...) => slope or null, ...]}``.
    """

    def __init__(self, diagram: Diagram, operands: list[list[Edge]]) -> None:
        self.diagram = diagram
        self.programs: list[dict[str, Any] | None] = []
        self.why_not: list[str] = []
        self.functions: list[str] = []
        self._known: dict[str, int] = {}
        for vertex, edges in zip(diagram.vertices, operands, strict=True):
            program, reason = None, ""
            if vertex.op or vertex.members > 1:
                try:
                    program = self._program(vertex, edges)
                except (ValueError, TypeError, IndexError, KeyError):
                    program = None
                if program is None:
                    what = vertex.op or "a group"
                    reason = f"the page cannot compute {what} {_sizes(vertex.shape)}again"
            self.programs.append(program)
            self.why_not.append(reason)

    def _program(self, vertex: Vertex, edges: list[Edge]) -> dict[str, Any] | None:
        op = OPS.get(vertex.op)
        if op is None or vertex.members > 1 or math.prod(vertex.shape) > MOST_ELEMENTS:
            return None
        if op.name == "sum" and len(edges) > 1 and not vertex.shape:
            return {"k": "+"}  # of a graph zoomed in: the terms one by one
        given = sorted([*(e.slot for e in edges), *vertex.scalars])
        if op.variadic:
            return self._moved(op, vertex, edges) if op.family == "movement" else None
        if given != list(range(len(given))) or len(given) > len(op.inputs):
            return None
        if op.family == "elementwise":
            return self._elementwise(op, vertex) if len(given) == len(op.inputs) else None
        shapes = [self.diagram.vertices[e.tail].shape for e in edges]
        if op.name in ("cast", "to_scalar"):
            return {"k": "i" if op.name == "cast" else "s", "d": list(range(len(shapes[0])))}
        if op.name in ("sum", "mean") and op.family == "reduction" and len(edges) == 1:
            dim = vertex.params["dim"]
            dims = [int(d) % len(shapes[0]) for d in (dim if isinstance(dim, tuple) else (dim,))]
            return {"k": "s", "d": dims, "mean": int(op.name == "mean")}
        if op.name == "matmul" and max(map(len, shapes)) <= 2 and len(shapes) == 2:
            products = math.prod(vertex.shape) * shapes[0][-1]
            return {"k": "m"} if products <= MOST_PRODUCTS else None
        if op.name == "linear" and len(edges) >= 2:
            products = math.prod(vertex.shape) * shapes[0][-1]
            return {"k": "l"} if products <= MOST_PRODUCTS else None
        if op.name in ("softmax", "log_softmax") and len(edges) == 1:
            return {"k": "p", "d": vertex.params["dim"] % len(shapes[0]), "log": op.name[0] == "l"}
        if op.name == "cross_entropy" and len(edges) == 2 and len(shapes[0]) == 2:
            return {"k": "c"}
        if op.family == "movement":
            return self._moved(op, vertex, edges)
        return None

    def _elementwise(self, op: Op, vertex: Vertex) -> dict[str, Any]:
        known: dict[str, Any] = dict(vertex.params)
        known.update({op.inputs[slot]: value for slot, value in vertex.scalars.items()})
        if vertex.dtype == "float32":
            known = {k: _single(v) for k, v in known.items()}
        told = formula(op, known)
        if not told.local:
            raise ValueError(op.name)
        arguments = ",".join(["y", *(js_name(name) for name in op.inputs)])
        free = {"y", *op.inputs} - {"g"}
        slopes = []
        for expression in told.slopes:
            if expression is not None and not set(expression.names) <= free:
                raise ValueError(op.name)
            slopes.append("null" if expression is None else f"({arguments})=>{expression.js()}")
        if not set(told.value.names) <= free:
            raise ValueError(op.name)
        text = f"{{f:({arguments})=>{told.value.js()},s:[{','.join(slopes)}]}}"
        index = self._known.get(text)
        if index is None:
            index = self._known[text] = len(self.functions)
            self.functions.append(text)
        return {"k": "e", "f": index}

    def _moved(self, op: Op, vertex: Vertex, edges: list[Edge]) -> dict[str, Any] | None:
        """Where each element came from: run the op on positions, twice, to find its constants."""
        shapes = [self.diagram.vertices[e.tail].shape for e in edges]
        total = sum(math.prod(s) for s in shapes)
        if total > MOST_MOVED or math.prod(vertex.shape) > MOST_MOVED:
            return None
        if math.prod(vertex.shape) == math.prod(shapes[0]) and op.name in ("reshape", "squeeze"):
            return {"k": "i"}
        runs = []
        for start in (0, total):
            positions, at = [], start
            for shape in shapes:
                count = math.prod(shape)
                positions.append(np.arange(at, at + count, dtype=np.float64).reshape(shape))
                at += count
            runs.append(np.asarray(op.forward(*positions, **vertex.params)).reshape(-1))
        moved = runs[1] - runs[0] == total
        if runs[0].size != math.prod(vertex.shape):
            return None
        sources = [int(p) if m else -1 for p, m in zip(runs[0], moved, strict=True)]
        fixed = [float(p) for p, m in zip(runs[0], moved, strict=True) if not m]
        program: dict[str, Any] = {"k": "g", "m": sources}
        if fixed:
            if len(set(fixed)) > 1 or not math.isfinite(fixed[0]):
                return None
            program["c"] = fixed[0]
        return program

    # --- What can be moved ------------------------------------------------------------------------

    def sliders(
        self, operands: list[list[Edge]], exact: list[bool], hidden: Mapping[int, set[int]]
    ) -> dict[int, str]:
        """For each leaf and constant: "" if the page can follow a change of it, or why not.

        Parameters
        ----------
        operands : list of list of Edge
            ``diagram.operands()``.
        exact : list of bool
            For each vertex, whether the page has its value as it is.
        hidden : mapping
            Constant -> what it was computed from, which the graph does not say.
        """
        vertices = self.diagram.vertices
        users = self.diagram.users()
        found: dict[int, str] = {}
        whole = all(v.members == 1 and (not v.op or operands[v.index]) for v in vertices)
        for vertex in vertices:
            if vertex.op or vertex.members > 1:
                continue
            if vertex.dtype not in FLOATS:
                found[vertex.index] = f"its elements are {vertex.dtype}: it has no slope"
            elif vertex.value is None:
                found[vertex.index] = "its value is not known"
            elif not whole:  # what is left out may depend on it too
                found[vertex.index] = "part of the graph is not drawn"
            else:
                found[vertex.index] = self._computed_from(vertex, hidden) or self._followed(
                    vertex.index, users, operands, exact
                )
        return found

    def _computed_from(self, vertex: Vertex, hidden: Mapping[int, set[int]]) -> str:
        own = OTHER if vertex.kind == "constant" else vertex.index
        for index, origins in hidden.items():
            if index == vertex.index:
                return "it was computed, by operations that record nothing"
            if own in origins:
                constant = self.diagram.vertices[index]
                name = constant.name or "a constant"
                return f"{name} was computed from it, by operations that record nothing"
        return ""

    def _followed(
        self,
        index: int,
        users: list[list[Edge]],
        operands: list[list[Edge]],
        exact: list[bool],
    ) -> str:
        vertices = self.diagram.vertices
        downstream = {index}
        for vertex in vertices[index:]:
            if any(e.tail in downstream for e in operands[vertex.index]):
                downstream.add(vertex.index)
        if not users[index]:
            return "nothing is computed from it"
        # Their gradients change with it too: all that leads to where the change arrives.
        needed = set(downstream)
        for vertex in reversed(vertices):
            if vertex.index in needed:
                needed.update(e.tail for e in operands[vertex.index])
        elements = 0
        for i in sorted(needed):
            vertex = vertices[i]
            elements += math.prod(vertex.shape)
            if vertex.op and (vertex.grad is not None or i in downstream) and self.why_not[i]:
                return self.why_not[i]
            if not exact[i]:
                return f"the page has no exact value of {vertex.name or vertex.op}"
            if i in downstream and vertex.dtype not in (*FLOATS, "bool"):
                return f"the page does not compute in {vertex.dtype}"
        if elements > MOST_ELEMENTS:
            return f"too much depends on it: {elements:,} elements"
        return ""


def _single(value: Any) -> Any:
    return float(np.float32(value)) if isinstance(value, float) else value


def _sizes(shape: tuple[int, ...]) -> str:
    return f"of shape {shape} " if shape else ""
