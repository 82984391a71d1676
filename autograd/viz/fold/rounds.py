"""Rounds: stretches of a diagram, and the proof that several in a row are the same block."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from ..model import Diagram, Vertex
from .groups import floating

# Two of a kind are better seen side by side.
LEAST_ROUNDS = 3
# Vertices compared, for each of the diagram's, before the search gives up.
PATIENCE = 4
# Ops whose metadata say which part of the data is read: each step of a loop reads its own.
READS_A_PART = frozenset({"getitem", "select", "slice", "narrow"})


@dataclass(slots=True)
class Item:
    """A child frame, or a vertex outside of all child frames."""

    vertices: list[int] = field(default_factory=list)
    cluster: str = ""


@dataclass(slots=True)
class Round:
    """The vertices of one round and the place of each among them.

    `outside` holds (place, user) of each use that is neither in this round nor in the next.
    """

    vertices: list[int]
    place: dict[int, int]
    outside: set[tuple[int, int]] = field(default_factory=set)


class Wiring:
    """A diagram that is being folded: who reads whom, and what is left."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.vertices = list(diagram.vertices)
        self.clusters = dict(diagram.clusters)
        self.free = floating(diagram)
        self.edges = diagram.operands()
        self.users: list[list[int]] = [[e.head for e in edges] for edges in diagram.users()]
        self.alive = [True] * len(self.vertices)
        self.folded = False
        self.patience = PATIENCE * (len(self.vertices) + len(diagram.edges))
        self.numbers: dict[Hashable, int] = {}
        outputs = set(diagram.outputs)
        self.signs = [self._number(_sign(v, v.index in outputs)) for v in self.vertices]

    def _number(self, key: Hashable) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def _verified(self, items: list[Item], begin: int, rounds: int, length: int) -> int:
        """How many of the rounds from item `begin` on are the same; fewer than 3: none are."""
        if rounds < LEAST_ROUNDS:
            return 0
        first = unit = self._round(items, begin, length)
        after = self._round(items, begin + length, length)
        template = self._relations(after, first)
        before = None
        for k in range(rounds):
            self.patience -= 2 * len(unit.vertices)
            if self.patience < 0 or not self._agrees(template, unit, before):
                return k
            unit.outside = {
                (place, user)
                for place, v in enumerate(unit.vertices)
                for user in self.users[v]
                if user not in unit.place and user not in after.place
            }
            if unit.outside != first.outside:
                return k + 1 if unit.outside >= first.outside else k
            before, unit = unit, after
            if k + 2 < rounds:
                after = self._round(items, begin + (k + 2) * length, length)
            else:
                after = Round([], {})
        return rounds

    def _round(self, items: list[Item], first: int, length: int) -> Round:
        vertices = [v for item in items[first : first + length] for v in item.vertices]
        return Round(vertices, {v: place for place, v in enumerate(vertices)})

    def _relations(self, unit: Round, before: Round) -> list[list[tuple[str, int]]]:
        """For each operand of each vertex of `unit` where it comes from."""
        return [
            [self._relation(edge.tail, unit, before) for edge in self.edges[v]]
            for v in unit.vertices
        ]

    def _relation(self, tail: int, unit: Round, before: Round) -> tuple[str, int]:
        if tail in unit.place:
            return "within", unit.place[tail]
        if tail in before.place:
            return "carried", before.place[tail]
        return ("own" if self._owns(unit, tail) else "shared"), tail

    def _owns(self, unit: Round, tail: int) -> bool:
        return self.free[tail] and all(user in unit.place for user in self.users[tail])

    def _agrees(
        self,
        template: list[list[tuple[str, int]]],
        unit: Round,
        before: Round | None,
    ) -> bool:
        """Whether `unit` is wired like the template.

        The first one has none `before`: it reads from outside what the others read from there.
        """
        matched: dict[int, int] = {}
        begun: dict[int, int] = {}
        for relations, v in zip(template, unit.vertices, strict=True):
            edges = self.edges[v]
            if len(edges) != len(relations):
                return False
            if before is not None and before.vertices[unit.place[v]] > v:
                return False  # what reads the last round must stand after the first, too
            for (how, which), edge in zip(relations, edges, strict=True):
                tail = edge.tail
                if how == "within":
                    fits = unit.vertices[which] == tail
                elif how == "shared":
                    fits = which == tail
                elif how == "own":
                    fits = (
                        self._owns(unit, tail)
                        and self.signs[which] == self.signs[tail]
                        and matched.setdefault(which, tail) == tail
                    )
                elif before is not None:
                    fits = before.vertices[which] == tail
                else:
                    like, this = self.vertices[unit.vertices[which]], self.vertices[tail]
                    fits = (
                        tail not in unit.place
                        and begun.setdefault(which, tail) == tail
                        and (like.shape, like.dtype) == (this.shape, this.dtype)
                    )
                if not fits:
                    return False
        return len(set(matched.values())) == len(matched)


def _sign(vertex: Vertex, output: bool) -> Hashable:
    """All of a vertex that must be the same; an output is like no other."""
    params = "" if vertex.op in READS_A_PART else _text(vertex.params)
    return (
        vertex.kind,
        vertex.op,
        vertex.shape,
        vertex.dtype,
        params,
        _text(vertex.scalars),
        vertex.order,
        vertex.members,
        vertex.repeat,
        vertex.mark,
        vertex.index if output else -1,
    )


def _text(metadata: dict) -> str:
    if not metadata:
        return ""
    return ", ".join(
        f"{key}={value.dtype}{value.tolist()}"
        if isinstance(value, np.ndarray)
        else f"{key}={value!r}"
        for key, value in metadata.items()
    )
