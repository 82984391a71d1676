"""How one element was computed: its operands, one by one or as terms that may be folded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...graph import Node
from .maps import (
    ELEMENT_BY_ELEMENT,
    PRODUCTS,
    broadcast_position,
    index_at,
    pooled_positions,
    reduced_positions,
)
from .rules import Rules

# Linear ops that give the elements they combine equal weights: what is folded enters as one sum.
SUMS = frozenset({"sum", "mean", "avg_pool2d", "to_scalar"})


@dataclass(slots=True)
class Operand:
    """An element that is always shown beside its user."""

    slot: int
    vertex: int
    position: int
    slope: float | None


@dataclass(slots=True)
class Factor:
    """One operand of every term: for each term an element, and the term's slope in it.

    Attributes
    ----------
    vertices, positions : ndarray of int
    slopes : ndarray
    tracked : ndarray of bool
        Whether a gradient flows there.
    slots : ndarray of int
        Which argument of the op it is.
    """

    vertices: np.ndarray
    positions: np.ndarray
    slopes: np.ndarray
    tracked: np.ndarray
    slots: np.ndarray


@dataclass(slots=True)
class Step:
    """The computation of one element.

    Attributes
    ----------
    operands : list of Operand
        Shown one by one.
    factors : list of Factor
        None; or one: the terms are elements; or two: the terms are products of elements.
    values : ndarray
        Of the terms.
    sums : bool
        The terms only enter through their sum, times `weight`.
    weight : float
    known : bool
        Whether the values of all terms are.
    also : list of int
        Vertices (constants) that were read as a whole.
    """

    operands: list[Operand] = field(default_factory=list)
    factors: list[Factor] = field(default_factory=list)
    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sums: bool = False
    weight: float = 1.0
    known: bool = True
    also: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of terms."""
        return len(self.values)

    def ranked(self) -> np.ndarray:
        """The terms, those with the largest contributions first.

        Terms of a sum contribute alike; then the larger value counts.
        """
        slopes = np.ones(self.count) if len(self.factors) == 2 else self.factors[0].slopes
        size = [np.where(np.isnan(a), np.inf, np.abs(a)) for a in (self.values, slopes)]
        return np.lexsort((np.arange(self.count), -size[0], -size[1]))


class Steps:
    """Reads how elements were computed from a captured graph."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.vertices = rules.vertices
        self._values: dict[int, np.ndarray | None] = {}

    def values(self, vertex: int) -> np.ndarray | None:
        """The elements of a vertex in row-major order; None if they are not known."""
        if vertex not in self._values:
            value = self.vertices[vertex].value
            self._values[vertex] = None if value is None else np.asarray(value).reshape(-1)
        return self._values[vertex]

    def value(self, vertex: int, position: int) -> Any:
        """The value of one element, as a Python number."""
        values = self.values(vertex)
        return None if values is None else values[position].item()

    def follow(self, vertices: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The elements themselves, where ops have only moved them."""
        vertices, positions = vertices.copy(), positions.copy()
        todo = np.ones(len(vertices), bool)
        while todo.any():
            for vertex in np.unique(vertices[todo]).tolist():
                here = todo & (vertices == vertex)
                moves = self.rules.moves(vertex)
                if moves is None:
                    todo &= ~here
                    continue
                slots, old = moves.slots[positions[here]], positions[here]
                tails = self._table(vertex)[slots]  # slot -1: the last entry, `vertex` itself
                positions[here] = np.where(tails == vertex, old, moves.positions[old])
                todo[here] = tails != vertex
                vertices[here] = tails
        return vertices, positions

    def step(self, vertex: int, position: int) -> Step:
        """How the element at `position` was computed."""
        node = self.rules.node(vertex)
        op = node.op
        assert op is not None
        self.rules.check_operands(vertex)
        index = index_at(position, node.shape)
        if op.family == "movement" and self.rules.moves(vertex) is not None:
            return self._moved(vertex, position)
        if op.family == "elementwise" or op.name in ELEMENT_BY_ELEMENT:
            slopes = self.rules.diagonal(vertex)
            if slopes is not None:
                return self._elementwise(vertex, position, index, slopes)
        if op.family == "reduction":
            slopes = self.rules.diagonal(vertex)
            if slopes is not None:
                return self._reduction(vertex, index, slopes)
        if op.name in PRODUCTS:
            step = self._products(vertex, index)
            if step is not None:
                return step
        return self._general(vertex, position, index)

    # --- By family ----------------------------------------------------------------------------

    def _moved(self, vertex: int, position: int) -> Step:
        moves = self.rules.moves(vertex)
        assert moves is not None
        slot = int(moves.slots[position])
        tail = self.rules.operands[vertex].get(slot)
        if tail is None:
            return Step()
        where = int(moves.positions[position])
        return Step([self._operand(slot, tail, where, 1.0 if self._flows(vertex, slot) else None)])

    def _elementwise(
        self, vertex: int, position: int, index: tuple[int, ...], slopes: dict[int, np.ndarray]
    ) -> Step:
        step = Step()
        whole = self.vertices[vertex].op in ELEMENT_BY_ELEMENT
        for slot, tail in sorted(self.rules.operands[vertex].items()):
            if whole and slot:
                step.also.append(tail)
                continue
            where = broadcast_position(index, self.vertices[tail].shape)
            slope = float(slopes[slot][position]) if slot in slopes else None
            step.operands.append(self._operand(slot, tail, where, slope))
        return step

    def _reduction(
        self, vertex: int, index: tuple[int, ...], slopes: dict[int, np.ndarray]
    ) -> Step:
        params = self.rules.node(vertex).params
        tail = self.rules.operands[vertex][0]
        shape = self.vertices[tail].shape
        positions = reduced_positions(index, shape, params["dim"], params["keepdim"])
        return self._terms({0: (positions, slopes[0][positions] if 0 in slopes else None)}, vertex)

    def _products(self, vertex: int, index: tuple[int, ...]) -> Step | None:
        node = self.rules.node(vertex)
        operands = self.rules.operands[vertex]
        shapes = [
            self.vertices[operands[slot]].shape if slot in operands else () for slot in (0, 1)
        ]
        assert node.op is not None
        products = PRODUCTS[node.op.name](index, shapes, node.params)
        pair = []
        for slot, where in zip(products.slots, (products.left, products.right), strict=True):
            values = self.values(operands[slot])
            if values is None:
                return None
            pair.append((slot, where, values[where].astype(np.float64)))
        step = Step(sums=True)
        for (slot, where, _), (_, _, other) in (pair, pair[::-1]):
            vertices = np.full(len(where), operands[slot])
            step.factors.append(
                self._factor(vertex, vertices, where, other, np.full(len(where), slot))
            )
        with np.errstate(all="ignore"):
            step.values = pair[0][2] * pair[1][2]
        if products.bias is not None and products.bias[0] in operands:
            slot, where = products.bias
            slope = 1.0 if self._flows(vertex, slot) else None
            step.operands.append(self._operand(slot, operands[slot], where, slope))
        return step

    def _general(self, vertex: int, position: int, index: tuple[int, ...]) -> Step:
        node = self.rules.node(vertex)
        assert node.op is not None
        found: dict[int, tuple[np.ndarray, np.ndarray | None]] = {}
        found.update(self.rules.of_element(vertex, position))
        if node.op.name == "max_pool2d" and 0 in found:  # those that are not the largest count too
            shape = self.vertices[self.rules.operands[vertex][0]].shape
            inside = pooled_positions(index, shape, node.params)
            positions, slopes = found[0]
            assert slopes is not None
            every = np.union1d(positions, inside)
            spread = np.zeros(len(every))
            spread[np.searchsorted(every, positions)] = slopes
            found[0] = (every, spread)
        step = self._terms(found, vertex)
        step.also = [
            tail
            for slot, tail in sorted(self.rules.operands[vertex].items())
            if not self._flows(vertex, slot)
        ]
        return step

    # --- Parts --------------------------------------------------------------------------------

    def _terms(self, found: dict[int, tuple[np.ndarray, np.ndarray | None]], vertex: int) -> Step:
        """A step whose terms are elements; slopes None: no gradient flows to that argument."""
        slots = np.concatenate([np.full(len(p), s) for s, (p, _) in found.items()] or [[]]).astype(
            int
        )
        positions = np.concatenate([p for p, _ in found.values()] or [[]]).astype(int)
        slopes = np.concatenate(
            [np.full(len(p), 0.0) if d is None else d for p, d in found.values()] or [[]]
        )
        tails = self._table(vertex)[slots]
        factor = self._factor(vertex, tails, positions, slopes, slots)
        step = Step(factors=[factor], values=np.zeros(len(tails)))
        for tail in np.unique(factor.vertices).tolist():
            values = self.values(tail)
            if values is None:
                step.known = False
            else:
                here = factor.vertices == tail
                step.values[here] = values[factor.positions[here]]
        op = self.vertices[vertex].op
        if op in SUMS and len(slopes) and (slopes == slopes[0]).all():
            step.sums, step.weight = True, float(slopes[0])
        return step

    def _factor(
        self,
        vertex: int,
        tails: np.ndarray,
        positions: np.ndarray,
        slopes: np.ndarray,
        slots: np.ndarray,
    ) -> Factor:
        count = len(self.rules.node(vertex).inputs)
        flows = np.array([self._flows(vertex, slot) for slot in range(count)], bool)
        vertices, positions = self.follow(tails, positions)
        return Factor(vertices, positions, slopes, flows[slots], slots)

    def _operand(self, slot: int, tail: int, position: int, slope: float | None) -> Operand:
        vertices, positions = self.follow(np.array([tail]), np.array([position]))
        return Operand(slot, int(vertices[0]), int(positions[0]), slope)

    def _table(self, vertex: int) -> np.ndarray:
        """Operands by argument, and the vertex itself where there is none and at the end."""
        operands = self.rules.operands[vertex]
        count = len(self.rules.node(vertex).inputs)
        return np.array([*(operands.get(slot, vertex) for slot in range(count)), vertex])

    def _flows(self, vertex: int, slot: int) -> bool:
        node = self.rules.node(vertex)
        op = node.op
        assert op is not None
        if node.inputs[slot].__class__ is not Node:
            return False
        return op.joint is not None or op.rules[slot] is not None
