"""The facts of one graph: values, gradients and contributions, recorded or worked out again."""

from __future__ import annotations

import gc
import weakref
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine import compute, fit
from ...graph import Node, Spec, Variable, wrap
from ..capture import capture
from ..model import Edge, Vertex
from ..record import note_of


class Evidence:
    """A graph from a root (the loss) down, and what flowed between the root and one target.

    Attributes
    ----------
    diagram : Diagram
    nodes : list of Node or None
        In parallel to the vertices.
    root, target : int
        Vertices. The target is -1 if the root does not depend on it.
    path : list of int
        Vertices on a way from target to root, in topological order.
    remarks : list of str
        What the numbers rest on, where that is not the recorded truth.
    """

    def __init__(
        self, root: Node, target: Node | None, names: Mapping[str, Any] | None = None
    ) -> None:
        # The variable may be gone; its node is what the graph is read from.
        note = note_of(root)
        output = wrap(None if note is None else note.value, root, True)
        try:
            captured = capture(output, names=names)
        except ArithmeticError:  # a Scalar's rule raises where an array's gives inf or NaN
            captured = capture(output, backward=False, names=names)
        self.diagram = captured.diagram
        self.nodes = captured.nodes
        self.remarks: list[str] = []
        self.root = captured.index[root]
        self.target = -1 if target is None else captured.index.get(target, -1)
        self.ins = self.diagram.operands()
        self.outs = self.diagram.users()
        self.path = self._way()
        again = self._run_again()
        if self.vertices[self.root].grad is None:
            self._differentiate()
            again = True
        if again and any(v.about.startswith("changed in place") for v in self.vertices):
            self.remarks.append(
                "Leaves were changed since (by an optimizer's step, say), and values were worked "
                "out again from what they are now. With viz.record() around the step the numbers "
                "are those of the step itself."
            )

    @property
    def vertices(self) -> list[Vertex]:
        """Of the diagram."""
        return self.diagram.vertices

    def aim(self, target: int) -> None:
        """Take another vertex, a constant perhaps, for the start of the path."""
        self.target = target
        self.path = self._way()

    def entry(self, ids: set[int]) -> int:
        """The first constant whose variable (or array) is one of `ids`; -1 if there is none."""
        for edge in self.diagram.edges:
            head = self.nodes[edge.head]
            if self.nodes[edge.tail] is None and head is not None:
                link = head.inputs[edge.slot]
                if id(link() if isinstance(link, weakref.ref) else link) in ids:
                    return edge.tail
        return -1

    def value(self, index: int) -> Any:
        """The value of a vertex; None if unknown."""
        return self.vertices[index].value

    def gradient(self, index: int) -> Any:
        """The complete gradient of a vertex; None if unknown."""
        return self.vertices[index].grad

    def piece(self, edge: Edge) -> Any:
        """What the head of an edge contributed to its tail; None if unknown."""
        return edge.contribution

    def ways(self, index: int) -> list[Edge]:
        """The edges from a vertex on the path to its users on the path."""
        on_path = self._on_path
        return [edge for edge in self.outs[index] if edge.head in on_path]

    def arguments(self, index: int) -> list[Any]:
        """The raw operands of a vertex by slot; None where one is unknown (or absent)."""
        node, vertex = self.nodes[index], self.vertices[index]
        if node is None or node.op is None:
            return []
        found = [vertex.scalars.get(slot) for slot in range(len(node.inputs))]
        for edge in self.ins[index]:
            value = self.value(edge.tail)
            found[edge.slot] = value if isinstance(value, float) or value is None else value[()]
        return found

    def known(self, index: int, slot: int) -> bool:
        """Whether the value of one operand is known (or known to be absent, as a bias may be)."""
        node = self.nodes[index]
        assert node is not None
        if slot in self.vertices[index].scalars or node.inputs[slot] is None:
            return True
        return any(e.slot == slot and self.value(e.tail) is not None for e in self.ins[index])

    def rule(self, index: int, slot: int, gradient: Any, arguments: list[Any]) -> Any:
        """What the rule of a vertex gives for one slot, before it is summed to the operand's shape.

        None if there is no rule, or if something that it reads is unknown.
        """
        node = self.nodes[index]
        assert node is not None
        assert node.op is not None
        op = node.op
        names = op.inputs * len(arguments) if op.variadic else op.inputs
        read = op.reads[0 if op.variadic else slot]
        value = self.value(index)
        if "y" in read and value is None and not op.aside:
            return None
        for other, name in enumerate(names):
            if name in read and not self.known(index, other):
                return None
        for edge in self.ins[index]:  # what is not read must still have a shape
            if arguments[edge.slot] is None:
                tail = self.vertices[edge.tail]
                dtype = float if tail.dtype == "float" else tail.dtype
                arguments[edge.slot] = Spec(tail.shape, dtype)
        if not isinstance(value, float) and value is not None:
            value = value[()]
        saved = (None if op.aside else value, *arguments)
        try:
            with np.errstate(all="ignore"):
                if op.joint is not None:
                    return op.joint(gradient, *saved, **node.params)[slot]
                found = op.rules[slot]
                return None if found is None else found(gradient, *saved, **node.params)
        except (ArithmeticError, AttributeError, TypeError):
            return None  # a Scalar's division by zero, or the shape of what is gone

    def label(self, index: int) -> str:
        """What to call a vertex: "relu `h` in model.act"."""
        vertex = self.vertices[index]
        name = f"`{vertex.name}`" if vertex.name else ""
        cluster = f"in {vertex.cluster}" if vertex.cluster and vertex.op else ""
        words = [vertex.op, name, cluster]
        if not vertex.op and not name:
            words = [f"a {vertex.kind} of shape {vertex.shape}"]
        return " ".join(word for word in words if word)

    def index_of(self, node: Node) -> int:
        """The vertex of a node; -1 if it is not in the graph."""
        return next((i for i, other in enumerate(self.nodes) if other is node), -1)

    # --- What nobody noted --------------------------------------------------------------------

    def _way(self) -> list[int]:
        leading = {self.target}
        if self.target >= 0:
            for vertex in self.vertices:
                if any(edge.tail in leading for edge in self.ins[vertex.index]):
                    leading.add(vertex.index)
        self._on_path = leading - {-1}
        return sorted(self._on_path)

    def _run_again(self) -> bool:
        """Fill in missing values by running ops again on what is known; tell if any was found."""
        again = False
        for vertex, node in zip(self.vertices, self.nodes, strict=True):
            if vertex.value is not None or node is None or node.op is None:
                continue
            slots = range(len(node.inputs))
            if vertex.about or not all(self.known(vertex.index, slot) for slot in slots):
                continue
            arguments = self.arguments(vertex.index)
            try:
                if node.op.promotes is not None:
                    arguments = node.op.promotes(arguments)
                with np.errstate(all="ignore"):
                    vertex.value = _own(compute(node.op, arguments, node.params))
            except (ArithmeticError, AttributeError, TypeError, ValueError):
                continue
            again = True
        return again

    def _differentiate(self) -> None:
        """Walk back from the root by the ops' rules, where the engine no longer can."""
        root = self.vertices[self.root]
        one = 1.0 if root.dtype == "float" else np.ones(root.shape, root.dtype)[()]
        sums: dict[int, Any] = {self.root: one}
        broken: set[int] = set()
        for index in range(self.root, -1, -1):
            if index in broken:  # what could not be worked out leaves all below it unknown
                broken.update(edge.tail for edge in self.ins[index])
            node, vertex = self.nodes[index], self.vertices[index]
            if index in broken or index not in sums or node is None:
                continue
            gradient = sums.pop(index)
            vertex.grad = _own(gradient)
            if node.op is None:
                continue
            arguments = self.arguments(index)
            for edge in self.ins[index]:
                target = self.nodes[edge.tail]
                if target is None or (node.op.joint is None and node.op.rules[edge.slot] is None):
                    continue
                piece = self.rule(index, edge.slot, gradient, arguments)
                if piece is None:
                    broken.add(edge.tail)
                    continue
                with np.errstate(all="ignore"):
                    piece = fit(piece, target)
                    edge.contribution = _own(piece)
                    before = sums.get(edge.tail)
                    sums[edge.tail] = piece if before is None else before + piece


def _own(value: Any) -> Any:
    if isinstance(value, Variable):
        value = value.value
    return float(value) if isinstance(value, float | int) else np.array(value)


# --- The graphs that are alive -----------------------------------------------------------------


def live_users() -> dict[Node, list[Node]]:
    """For each node the nodes made of it that are alive, oldest first.

    Nodes know what they were made of and not what was made of them, so that a graph goes with
    its last output: who uses a leaf is known to the collector of cycles alone.
    """
    users: dict[Node, list[Node]] = defaultdict(list)
    for thing in gc.get_objects():
        # By type: other libraries answer to __class__ with code of their own.
        if type(thing) is Node:
            inputs = [link for link in getattr(thing, "inputs", ()) if link.__class__ is Node]
            for parent in dict.fromkeys(inputs):
                users[parent].append(thing)
    for made in users.values():
        made.sort(key=lambda node: node.time)
    return users


def made_from(node: Node, users: Mapping[Node, list[Node]]) -> list[Node]:
    """Every live node that depends on `node` and belongs to a forward graph, oldest first."""
    found = {node: None}
    stack = [node]
    while stack:
        for user in users.get(stack.pop(), ()):
            note = note_of(user)
            if user not in found and (note is None or note.order == 0):
                found[user] = None
                stack.append(user)
    del found[node]
    return sorted(found, key=lambda other: other.time)


def was_walked(node: Node) -> bool:
    """Whether a backward pass came by, as far as the node can tell."""
    if node.op is None:
        return False
    note = note_of(node)
    if note is not None and note.gradient is not None:
        return True
    return node.op.saves_values and node.saved is None


def likely_root(ends: list[Node]) -> Node | None:
    """Of several graph ends, that from which a backward pass most likely started."""

    def rank(node: Node) -> tuple[bool, bool, bool, int]:
        note = note_of(node)
        noted = note is not None and note.gradient is not None
        size = int(np.prod(node.shape))
        return noted, was_walked(node), size == 1, node.time

    return max(ends, key=rank, default=None)


def leaf_of(node: Node) -> Variable | None:
    """The variable of a leaf, if it is alive."""
    reference = node.saved[0] if node.op is None and node.saved else None
    return reference() if isinstance(reference, weakref.ref) else None
