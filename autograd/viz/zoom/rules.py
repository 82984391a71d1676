"""Partial derivatives of single elements, asked of the rules that the engine itself applies.

A rule turns the gradient of a result into the gradients of the inputs. Fed a gradient that is one
at a single element and zero elsewhere, it answers with that element's partial derivatives.
"""

from __future__ import annotations

import contextlib
import math
import weakref
from typing import Any

import numpy as np

from ...changes import CHANGES
from ...engine import check_unchanged, compute, fit
from ...graph import Node, Variable
from ..capture import Captured
from .maps import Moves, moves


class Rules:
    """The rules of the nodes of a captured graph, at the values they were applied to.

    Vertices are named by their index in the captured diagram.

    Attributes
    ----------
    operands : list of dict
        For each vertex: argument's position -> vertex.
    """

    def __init__(self, captured: Captured) -> None:
        self.vertices = captured.diagram.vertices
        self.nodes = captured.nodes
        self.operands: list[dict[int, int]] = [{} for _ in self.vertices]
        for edge in captured.diagram.edges:
            self.operands[edge.head][edge.slot] = edge.tail
        self._saved: dict[int, tuple[Any, ...]] = {}
        self._moves: dict[int, Moves | None] = {}
        self._diagonals: dict[int, dict[int, np.ndarray] | None] = {}

    def node(self, vertex: int) -> Node:
        """The node of a vertex that an op made."""
        node = self.nodes[vertex]
        assert node is not None
        return node

    def gradients(self, vertex: int, seed: Any, *, fitted: bool = True) -> dict[int, Any]:
        """What a gradient `seed` of the result contributes to each input, by argument position.

        Raises
        ------
        RuntimeError
            If a value that a rule reads is gone or was changed.
        """
        node = self.node(vertex)
        op, params = node.op, node.params
        assert op is not None
        saved = self.saved(vertex)
        found: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            joint = None if op.joint is None else op.joint(seed, *saved, **params)
            for slot, link in enumerate(node.inputs):
                if link.__class__ is not Node:
                    continue
                if joint is not None:
                    piece = joint[slot]
                else:
                    rule = op.rules[slot]
                    piece = None if rule is None else rule(seed, *saved, **params)
                if piece is not None:
                    found[slot] = fit(piece, link) if fitted and _misfit(piece, link) else piece
        return found

    def seed(self, vertex: int, position: int | None = None, value: float = 1.0) -> Any:
        """A gradient that is `value` at one position and zero elsewhere; None: everywhere."""
        node = self.node(vertex)
        if node.dtype is float:
            return value
        if not node.shape:
            return node.dtype.type(value)
        if position is None:
            return np.full(node.shape, value, node.dtype)
        gradient = np.zeros(node.shape, node.dtype)
        gradient.reshape(-1)[position] = value
        return gradient

    def of_element(self, vertex: int, position: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """The partial derivatives of one element: by argument, positions and slopes.

        An element counts as an operand even where its slope is zero, as far as can be found out:
        a gradient of NaN comes through multiplications by zero.
        """
        slopes = self.gradients(vertex, self.seed(vertex, position))
        probe: dict[int, Any] = {}
        with contextlib.suppress(ArithmeticError, ValueError):  # a rule may refuse NaN
            probe = self.gradients(vertex, self.seed(vertex, position, math.nan))
        found = {}
        for slot, piece in slopes.items():
            flat = np.asarray(piece).reshape(-1)
            reached = flat != 0.0
            if slot in probe:
                reached |= np.isnan(np.asarray(probe[slot]).reshape(-1))
            positions = np.flatnonzero(reached)
            found[slot] = (positions, flat[positions].astype(np.float64))
        return found

    def diagonal(self, vertex: int) -> dict[int, np.ndarray] | None:
        """All slopes of an op at once, where no two results share a gradient.

        For an elementwise op they have the shape of the result, for a reduction that of the
        input. None if a rule answers in another shape.
        """
        if vertex not in self._diagonals:
            self._diagonals[vertex] = self._diagonal(vertex)
        return self._diagonals[vertex]

    def _diagonal(self, vertex: int) -> dict[int, np.ndarray] | None:
        node = self.node(vertex)
        assert node.op is not None
        reduces = node.op.family == "reduction"
        found = {}
        for slot, piece in self.gradients(vertex, self.seed(vertex), fitted=reduces).items():
            slopes = np.asarray(piece)
            link = node.inputs[slot]
            if slopes.shape != (link.shape if reduces else node.shape):
                return None
            # In the input's dtype, as the engine hands it on.
            kept = np.float64 if link.dtype is float else link.dtype
            found[slot] = slopes.astype(kept).astype(np.float64).reshape(-1)
        return found

    def moves(self, vertex: int) -> Moves | None:
        """Where the elements of a vertex come from, if it only moves them and its rules agree."""
        if vertex not in self._moves:
            self._moves[vertex] = self._find_moves(vertex)
        return self._moves[vertex]

    def _find_moves(self, vertex: int) -> Moves | None:
        node = self.nodes[vertex]
        if node is None or node.op is None or node.op.family != "movement":
            return None
        arguments: list[Any] = []
        for slot in range(len(node.inputs)):
            tail = self.operands[vertex].get(slot)
            if tail is None:
                arguments.append(self.vertices[vertex].scalars.get(slot))
            else:
                scalar = self.vertices[tail].dtype == "float"
                arguments.append(float if scalar else self.vertices[tail].shape)
        try:
            found = moves(node.op, arguments, node.params)
            gradients = self.gradients(vertex, self.seed(vertex))
        except (ArithmeticError, IndexError, TypeError, ValueError):
            return None
        for slot, link in enumerate(node.inputs):
            if link.__class__ is Node:
                count = np.bincount(
                    found.positions[found.slots == slot], None, math.prod(link.shape)
                )
                if slot not in gradients or not np.array_equal(np.ravel(gradients[slot]), count):
                    return None  # its derivative is not that of moving: it has to be shown
        return found

    def whole_gradients(self, root: int, position: int, wanted: set[int]) -> dict[int, Any]:
        """The gradients of one element of `root` in the vertices `wanted`, by way of all paths.

        The engine's walk, without hooks. Vertices beyond a node whose values were freed are
        left out.
        """
        useful = set(wanted)
        for head in range(root + 1):
            if any(tail in useful for tail in self.operands[head].values()):
                useful.add(head)
        gradients = {root: self.seed(root, position)}
        unknown: set[int] = set()
        for vertex in range(root, -1, -1):
            node = self.nodes[vertex]
            if node is None or node.op is None or not (vertex in gradients or vertex in unknown):
                continue
            tails = self.operands[vertex]
            if vertex not in unknown:
                try:
                    pieces = self.gradients(vertex, gradients[vertex])
                except RuntimeError:
                    unknown.add(vertex)
                else:
                    for slot, piece in pieces.items():
                        tail = tails[slot]
                        if tail in useful:
                            gradients[tail] = (
                                gradients[tail] + piece if tail in gradients else piece
                            )
            if vertex in unknown:
                unknown.update(tails.values())
            if vertex not in wanted:
                gradients.pop(vertex, None)
        return {v: g for v, g in gradients.items() if v in wanted and v not in unknown}

    def check_operands(self, vertex: int) -> None:
        """Raise if what a vertex was computed from was changed in place since."""
        node = self.node(vertex)
        if node.time > CHANGES.last:
            return
        assert node.op is not None
        for slot, link in enumerate(node.inputs):
            if link.__class__ is Node:
                thing = link.saved[0]() if link.op is None and link.saved else None
            else:
                thing = link() if isinstance(link, weakref.ref) else link
            value = thing.value if isinstance(thing, Variable) else thing
            by = CHANGES.since(value, node.time)
            if by is not None and value is not None:
                name = node.op.inputs[0 if node.op.variadic else slot]
                raise RuntimeError(
                    f"zoom: {by} changed in place what {node.op.name} {node.shape} was computed "
                    f"from (its {name}, shape {value.shape}): the numbers are gone. Zoom before it"
                )

    # --- Saved values -------------------------------------------------------------------------

    def saved(self, vertex: int) -> tuple[Any, ...]:
        """``(y, *inputs)`` for the rules of a vertex; found again if a backward pass freed them."""
        node = self.node(vertex)
        if node.saved is not None:
            if node.time < CHANGES.last:
                check_unchanged(node)
            return node.saved
        if vertex not in self._saved:
            self._saved[vertex] = self._restored(vertex, node)
        return self._saved[vertex]

    def _restored(self, vertex: int, node: Node) -> tuple[Any, ...]:
        op = node.op
        assert op is not None
        arguments: list[Any] = []
        for slot in range(len(node.inputs)):
            tail = self.operands[vertex].get(slot)
            if tail is None:
                arguments.append(self.vertices[vertex].scalars.get(slot))
                continue
            value = self.vertices[tail].value
            if value is None:
                raise RuntimeError(
                    f"zoom: an earlier backward freed the values that {op.name} {node.shape} had "
                    "saved: zoom before it, give it retain_graph=True, or pass a function that "
                    "makes the tensor"
                )
            arguments.append(value)
        if op.promotes is not None:
            arguments = op.promotes(arguments)
        with np.errstate(all="ignore"):
            first = op.forward(*arguments, **node.params)[1] if op.aside else None
            if not op.aside:
                first = self.vertices[vertex].value
                first = compute(op, arguments, node.params) if first is None else first
        return (first, *arguments)


def _misfit(piece: Any, link: Node) -> bool:
    if link.dtype is float:
        return piece.__class__ is not float
    return piece.shape != link.shape or piece.dtype != link.dtype
