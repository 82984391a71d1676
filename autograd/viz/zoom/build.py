"""Growing the diagram of one element: the most important elements are expanded first."""

from __future__ import annotations

import heapq
import math
from collections import deque
from itertools import count
from typing import Any

import numpy as np

from ..capture import Captured
from ..model import Cluster, Diagram, Edge, Vertex
from ..summary import number
from .items import (
    Folded,
    Item,
    Part,
    Rest,
    element_label,
    exact_sum,
    remark,
    tensor_labels,
)
from .maps import ELEMENT_BY_ELEMENT, index_at
from .rules import Rules
from .steps import Step, Steps

# Rounding, as a multiple of the dtype's precision, below which two gradients are one and the same.
ROUNDING = 1000.0


class Builder:
    """Expands the element at `position` of the vertex `root` of a captured graph."""

    def __init__(
        self, captured: Captured, root: int, position: int, depth: int, limit: int, terms: int
    ) -> None:
        self.captured = captured
        self.rules = Rules(captured)
        self.steps = Steps(self.rules)
        self.labels = tensor_labels(captured.diagram.vertices)
        self.depth, self.limit, self.terms = depth, limit, terms
        self.elements: dict[tuple[int, int], Item] = {}
        self.items: list[Item] = []
        self.rests: list[Rest] = []
        self.cut: list[tuple[Item, str]] = []
        self._heap: list[tuple[float, float, int, Item]] = []
        self._arrivals = count()
        self.distances = self._distances(root)
        self.root = self._element(root, position)
        self.root.vertex.kind = "output"
        self.root.gradient = 1.0
        self._queue(self.root)

    def _distances(self, root: int) -> dict[int, int]:
        """For each vertex, how many ops lie between it and the root; what only moves is none."""
        found = {root: 0}
        queue = deque([root])
        while queue:
            vertex = queue.popleft()
            away = found[vertex]
            if away >= self.depth:
                continue
            free = self.rules.moves(vertex) is not None
            for _, tail in sorted(self.rules.operands[vertex].items()):
                if away + (not free) < found.get(tail, math.inf):
                    found[tail] = away + (not free)
                    (queue.appendleft if free else queue.append)(tail)
        return found

    # --- Growing ------------------------------------------------------------------------------

    def grow(self) -> None:
        """Expand until all is shown that `depth`, `terms` and `limit` allow."""
        while self._heap:
            _, _, _, item = heapq.heappop(self._heap)
            if not item.expanded:
                item.expanded = True
                self._expand(item)

    def _queue(self, item: Item) -> None:
        node = self.captured.nodes[item.origin] if item.origin >= 0 else None
        if item.expanded or node is None or node.op is None:
            return
        value = item.vertex.value
        size = [math.inf if v is None or math.isnan(v) else abs(v) for v in (item.gradient, value)]
        heapq.heappush(self._heap, (-size[0], -size[1], next(self._arrivals), item))

    def _expand(self, item: Item) -> None:
        if self.distances.get(item.origin, self.depth) >= self.depth:
            self.cut.append((item, f"depth {self.depth}"))
            return
        step = self.steps.step(item.origin, item.position)
        order = step.ranked() if step.count else np.zeros(0, int)
        shown = self._affordable(step, order)
        if shown is None:
            self.cut.append((item, f"limit {self.limit}"))
            return
        terms = order[:shown].tolist()
        slots = self._slots(item, step, order)
        for slot, term in zip(slots, terms, strict=False):
            self._add_term(item, step, term, slot)
        if shown < step.count:
            self._fold(item, step, np.sort(order[shown:]), slots[shown])
        for operand in step.operands:
            tail = self._element(operand.vertex, operand.position)
            # Beside terms (a bias) its place is after them.
            slot = len(item.operands) if step.factors else operand.slot
            self._link(tail, item, slot, self._argument(item, operand.slot), operand.slope)
        if len(step.factors) == 2:
            about = f"{item.vertex.op}: a sum of {step.count:,} products"
            item.vertex.about = remark(item.vertex.about, about)
            item.vertex.op = "sum"
        if not item.operands:
            self._bare(item, f"{item.vertex.op} made it of no other element")
        if step.also:
            read = ", ".join(self.labels[tail] for tail in step.also)
            item.vertex.about = remark(item.vertex.about, f"also reads {read}")

    @staticmethod
    def _bare(item: Item, about: str) -> None:
        """Draw an element without operands for what it is here, an input: no op that lacks them."""
        item.vertex.about = remark(item.vertex.about, about)
        item.vertex.op = ""
        item.vertex.params, item.vertex.scalars = {}, {}

    def _slots(self, item: Item, step: Step, order: np.ndarray) -> list[int]:
        """Places for the terms, in their order.

        Each has that of its argument, unless several are elements of the same one; those are
        numbered after all arguments, so that nobody takes the second for the second argument.
        """
        if len(step.factors) == 1:
            slots = step.factors[0].slots[order].tolist()
            if len(set(slots)) == len(slots):
                return slots
            node = self.rules.node(item.origin)
            first = 0 if node.op is None or len(node.op.inputs) == 1 else len(node.op.inputs)
            return list(range(first, first + step.count))
        return list(range(step.count))

    def _affordable(self, step: Step, order: np.ndarray) -> int | None:
        """How many terms may be shown; None if not even the operands fit under the limit."""
        left = self.limit - len(self.items)
        new = {(o.vertex, o.position) for o in step.operands} - self.elements.keys()
        left -= len(new)
        wanted = step.count if step.count <= self.terms + 1 else self.terms
        costs = 0
        best = 0 if left >= 0 and not step.count else None
        for shown, term in enumerate(order[:wanted].tolist(), 1):
            costs += len(step.factors) == 2
            for factor in step.factors:
                key = int(factor.vertices[term]), int(factor.positions[term])
                if key not in self.elements and key not in new:
                    new.add(key)
                    costs += 1
            if costs > left:
                break
            if costs + (shown < step.count) <= left:
                best = shown
        return best

    def _add_term(self, item: Item, step: Step, term: int, slot: int) -> None:
        factors = step.factors
        tails = [self._element(int(f.vertices[term]), int(f.positions[term])) for f in factors]
        slopes = [float(f.slopes[term]) if f.tracked[term] else None for f in factors]
        if len(factors) == 1:
            argument = self._argument(item, int(factors[0].slots[term]))
            self._link(tails[0], item, slot, argument, slopes[0])
            return
        vertex = Vertex(
            0,
            "intermediate",
            "mul",
            f"{tails[0].vertex.name}·{tails[1].vertex.name}",
            dtype=item.vertex.dtype,
            value=float(step.values[term]),
            order=item.vertex.order,
            cluster=item.vertex.cluster,
            source=item.vertex.source,
        )
        product = self._add(Item((*item.key[:2], 0, slot), vertex))
        self._link(product, item, slot, "term", 1.0)
        for place, (tail, slope) in enumerate(zip(tails, slopes, strict=True)):
            self._link(tail, product, place, "ab"[place], slope)

    def _fold(self, item: Item, step: Step, terms: np.ndarray, slot: int) -> None:
        vertex = Vertex(
            0,
            "group",
            "sum" if step.sums else "",
            f"{'sum of ' if step.sums else ''}{len(terms):,} more",
            dtype=item.vertex.dtype,
            value=exact_sum(step.values[terms]) if step.known else None,
            order=item.vertex.order,
            cluster=item.vertex.cluster,
            source=item.vertex.source,
            members=len(terms),
        )
        rest = self._add(Item((*item.key[:2], 0, slot), vertex))
        self.rests.append(Rest(rest, item, step, terms))
        slope: float | None = step.weight
        if not step.sums:
            # They enter one by one: taken together, their gradients add up.
            factor = step.factors[0]
            flows = factor.tracked[terms]
            slope = exact_sum(factor.slopes[terms][flows]) if flows.any() else None
        self._link(rest, item, slot, "rest", slope)

    def _link(self, tail: Item, head: Item, slot: int, argument: str, slope: float | None) -> None:
        if tail.origin >= 0 and self.captured.nodes[tail.origin] is None:
            slope = None  # a constant, joined with what has a gradient
        head.operands.append((tail, slot, argument, slope))
        if slope is not None:
            tail.gradient += head.gradient * slope
            self._queue(tail)

    def _argument(self, item: Item, slot: int) -> str:
        node = self.rules.node(item.origin)
        assert node.op is not None
        names = node.op.inputs
        return f"{names[0]}[{slot}]" if node.op.variadic else names[slot]

    def _add(self, item: Item) -> Item:
        self.items.append(item)
        return item

    def _element(self, origin: int, position: int) -> Item:
        item = self.elements.get((origin, position))
        if item is None:
            of = self.captured.diagram.vertices[origin]
            vertex = Vertex(
                0,
                "intermediate" if of.kind == "output" else of.kind,
                of.op,
                element_label(self.labels[origin], index_at(position, of.shape)),
                dtype=of.dtype,
                value=self.steps.value(origin, position),
                params=self._params(origin),
                scalars=dict(of.scalars),
                order=of.order,
                cluster=of.cluster,
                source=of.source,
                about=of.about,
            )
            item = self.elements[origin, position] = self._add(
                Item((origin, position, 1, 0), vertex, origin, position)
            )
            self._queue(item)
        return item

    def _params(self, origin: int) -> dict[str, Any]:
        """The op's metadata, where it says something of single elements (unlike dim, or shape)."""
        node = self.captured.nodes[origin]
        if node is None or node.op is None:
            return {}
        each = node.op.family == "elementwise" or node.op.name in ELEMENT_BY_ELEMENT
        return dict(node.params) if each else {}

    # --- The result ---------------------------------------------------------------------------

    def diagram(self) -> Diagram:
        """The vertices in order, with the gradients of the root in each."""
        self.items.sort(key=lambda item: item.key)
        edges: list[Edge] = []
        for index, item in enumerate(self.items):
            item.vertex.index = index
            item.gradient = 0.0
        self.root.gradient = 1.0
        scale = {id(item): 0.0 for item in self.items}
        flows = {id(self.root)}
        for item in reversed(self.items):
            reached = id(item) in flows
            if reached:
                item.vertex.grad = item.gradient
            for tail, slot, argument, slope in item.operands:
                piece = item.gradient * slope if reached and slope is not None else None
                if piece is not None:
                    tail.gradient += piece
                    scale[id(tail)] += abs(piece)
                    flows.add(id(tail))
                edges.append(
                    Edge(tail.vertex.index, item.vertex.index, slot, argument, piece, slope)
                )
        edges.sort(key=lambda edge: (edge.head, edge.slot))
        for item, why in self.cut:
            self._bare(item, f"a result of {item.vertex.op}; its operands are not shown ({why})")
        if self.rests or self.cut:
            self._note_what_is_missing(scale)
        vertices = [item.vertex for item in self.items]
        return Diagram(
            vertices,
            edges,
            self._clusters(vertices),
            [self.root.vertex.index],
            f"{self.root.vertex.name}, zoomed in",
        )

    def _clusters(self, vertices: list[Vertex]) -> dict[str, Cluster]:
        every = self.captured.diagram.clusters
        used = set()
        for vertex in vertices:
            path = vertex.cluster
            while path and path not in used:
                used.add(path)
                path = every[path].parent
        return {path: cluster for path, cluster in every.items() if path in used}

    def _note_what_is_missing(self, scale: dict[int, float]) -> None:
        """Say of elements of which not all uses are shown that there is more to their gradient."""
        wanted = {item.origin for item in self.elements.values()}
        truth = self.rules.whole_gradients(self.root.origin, self.root.position, wanted)
        for item in self.items:
            shown = item.vertex.grad
            if item.origin not in truth or shown is None:
                continue
            true = float(np.asarray(truth[item.origin]).reshape(-1)[item.position])
            dtype = item.vertex.dtype
            precision = float(np.finfo(np.float64 if dtype == "float" else dtype).eps)
            slack = ROUNDING * precision * (abs(true) + scale[id(item)])
            if abs(true - shown) > slack:
                text = (
                    f"the whole gradient is {number(true)}: the rest takes paths that are not shown"
                )
                item.vertex.about = remark(item.vertex.about, text)

    def folded(self) -> list[Folded]:
        """What each vertex of folded terms stands for, noted on it too; to follow `diagram`."""
        found = []
        for rest in sorted(self.rests, key=lambda rest: rest.item.key):
            parts = []
            for factor, gradients in zip(rest.step.factors, rest.gradients(), strict=True):
                origins, flows = factor.vertices[rest.terms], factor.tracked[rest.terms]
                for origin in np.unique(origins).tolist():
                    here = origins == origin
                    places = factor.positions[rest.terms][here]
                    values = self.steps.values(origin)
                    shape = self.captured.diagram.vertices[origin].shape
                    flow = flows[here].all() and self.captured.nodes[origin] is not None
                    parts.append(
                        Part(
                            self.labels[origin],
                            tuple(index_at(place, shape) for place in places.tolist()),
                            None if values is None else exact_sum(values[places]),
                            exact_sum(gradients[here]) if flow else None,
                        )
                    )
            vertex = rest.item.vertex
            vertex.about = _parts_text(parts)
            found.append(Folded(vertex.index, len(rest.terms), vertex.value, tuple(parts)))
        return found


def _parts_text(parts: list[Part]) -> str:
    names = " and ".join(dict.fromkeys(part.name for part in parts))
    sums = [number(part.gradient) for part in parts if part.gradient is not None]
    return f"of {names}" + (f"; gradients sum to {' and '.join(sums)}" if sums else "")
