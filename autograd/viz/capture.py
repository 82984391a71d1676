"""capture: read a live graph into a Diagram, with values, gradients and the user's names.

Nothing of the graph is changed. Gradients come from the engine's own backward pass, watched;
values from where they are still held, and else from running the op again on what it ran on.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..changes import CHANGES
from ..frames import user_frames
from ..graph import NUMBERS, Node, Spec, Variable, toposort
from ..transforms.tree import Leaf, flatten
from .gradients import Flows, differentiate, slope_of
from .model import Cluster, Diagram, Edge, Kind, Vertex
from .names import Names
from .record import Call, Keep, Note, Recording, note_of
from .values import Values, leaf_of


@dataclass(slots=True)
class Captured:
    """A diagram, and the nodes that its vertices stand for.

    Attributes
    ----------
    diagram : Diagram
    nodes : list of Node or None
        For each vertex; None for a constant.
    index : dict
        Node -> index of its vertex.
    outputs : list of Variable
    problem : str
        Why there are no gradients; "" if there are, or if none were asked for.
    """

    diagram: Diagram
    nodes: list[Node | None] = field(default_factory=list)
    index: dict[Node, int] = field(default_factory=dict)
    outputs: list[Variable] = field(default_factory=list)
    problem: str = ""


def capture(
    output: Variable | Sequence[Any] | Mapping[Any, Any] | Callable[[], Any],
    *,
    backward: bool = True,
    names: Mapping[str, Any] | None = None,
) -> Captured:
    """Read the graph behind `output`.

    Parameters
    ----------
    output : Tensor, Scalar, a sequence or dictionary of them (nested or not), or a callable
        A callable takes no arguments and returns the output; it runs inside a `record` block, so
        that all names, source lines and values are known.
    backward : bool
        Work out the gradient of every node too (the outputs must have one element each; hooks
        run again). Where the graph was freed, what a recording noted serves instead.
    names : mapping, optional
        Names for variables (or for modules whose parameters are meant); others are looked up in
        the user's frames.

    Raises
    ------
    TypeError
        If `output` is something else.
    """
    with_names = Names(names)
    keep = Keep()  # held until the graph is read
    if callable(output) and not isinstance(output, Variable):
        with Recording(private=True), keep:
            output = output()
    outputs = outputs_of(output)
    with_names.look_around(user_frames(sys._getframe(1)))
    reader = _Reader(outputs, with_names)
    reader.read()
    captured = Captured(reader.diagram, reader.nodes, reader.index, outputs)
    if backward:
        flows, captured.problem = differentiate(outputs, reader.order, reader.notes)
        reader.fill_in(flows)
    return captured


def outputs_of(output: Any) -> list[Variable]:
    """The variables in what a function returned: alone, or in tuples, lists and dictionaries.

    Raises
    ------
    TypeError
        If there is something else among them, but for None (of what was not asked for).
    ValueError
        If there is none.
    """
    leaves, structure = flatten(output)
    outputs = []
    for leaf in leaves:
        if isinstance(leaf, Variable):
            outputs.append(leaf)
        elif leaf is not None or isinstance(structure, Leaf):
            raise TypeError(
                f"expected a Tensor, a Scalar, a sequence of them, or a function without arguments "
                f"that returns them, not {type(leaf).__name__}"
            )
    if not outputs:
        raise ValueError("there is no output to start from: what was given is empty")
    return outputs


class _Reader:
    """Builds the diagram of one graph."""

    def __init__(self, outputs: list[Variable], names: Names) -> None:
        self.diagram = Diagram()
        self.nodes: list[Node | None] = []
        self.index: dict[Node, int] = {}
        self.outputs = outputs
        self.names = names
        self.order = toposort([v.node for v in outputs if v.node is not None])
        self.notes = [note_of(node) for node in self.order]
        for note in self.notes:
            if note is not None and note.call is not None:
                names.of_call(note.call)
        self.values = Values(self.order, self.notes, names)
        self._constants: dict[int, int] = {}
        # Held while reading: an id that is a key must not be used again.
        self._held: list[Any] = []

    # --- Vertices and edges -------------------------------------------------------------------

    def read(self) -> None:
        """Make the vertices, edges and clusters."""
        ends = {v.node for v in self.outputs}
        saved = self.values.saved_bytes()
        for node, note in zip(self.order, self.notes, strict=True):
            edges, scalars = self._operands(node)
            vertex = self._vertex(node, note)
            vertex.scalars = scalars
            vertex.saved = saved.get(node, 0)
            if node.op is not None and node in ends:
                vertex.kind = "output"
            self._add(vertex, node)
            for edge in edges:
                edge.head = vertex.index
                self.diagram.edges.append(edge)
        for variable in self.outputs:
            if variable.node is None:
                self.diagram.outputs.append(self._constant(variable, None))
            else:
                self.diagram.outputs.append(self.index[variable.node])
        self._name_results()
        self._place_leaves()

    def _add(self, vertex: Vertex, node: Node | None) -> int:
        vertex.index = len(self.diagram.vertices)
        self.diagram.vertices.append(vertex)
        self.nodes.append(node)
        if node is not None:
            self.index[node] = vertex.index
        return vertex.index

    def _vertex(self, node: Node, note: Note | None) -> Vertex:
        vertex = Vertex(0, "leaf" if node.op is None else "intermediate")
        vertex.shape, vertex.dtype = node.shape, dtype_text(node.dtype)
        vertex.value = owned(self.values.found.get(node))
        vertex.about = self.values.remarks.get(node, "")
        if node.op is not None:
            vertex.op = node.op.name
            vertex.params = dict(node.params)
        else:
            variable = leaf_of(node)
            vertex.kind = kind_of(variable, "leaf")
            vertex.name = self.names.of_leaf(variable, node, note)
        if note is not None:
            vertex.source = note.source
            vertex.order = note.order
            if note.rule_of:
                vertex.about = vertex.about or f"part of the gradient of {note.rule_of}"
            elif note.call is not None:
                vertex.cluster = self._cluster(note.call)
        return vertex

    def _operands(self, node: Node) -> tuple[list[Edge], dict[int, Any]]:
        edges, scalars = [], {}
        if node.op is None:
            return edges, scalars
        arguments = node.op.inputs
        for slot, link in enumerate(node.inputs):
            name = f"{arguments[0]}[{slot}]" if node.op.variadic else arguments[slot]
            if link.__class__ is Node:
                tail = self.index[link]
            else:
                thing = link() if isinstance(link, weakref.ref) else link
                value = None if node.saved is None else node.saved[slot + 1]
                if thing is None and value is None:
                    continue  # an operand that is not there, such as a bias
                if thing is None:
                    thing = value  # the variable is gone, its value (or its shape) is not
                if thing.__class__ in NUMBERS:
                    scalars[slot] = thing
                    continue
                tail = self._constant(thing, node)
            edges.append(Edge(tail, -1, slot, name))
        return edges, scalars

    def _constant(self, thing: Any, user: Node | None) -> int:
        """The vertex of an operand without a gradient: a Variable, an array, or only a Spec."""
        key = id(thing)
        if key in self._constants:
            return self._constants[key]
        self._held.append(thing)
        vertex = Vertex(0, kind_of(thing, "constant"))
        raw = thing.value if isinstance(thing, Variable) else thing
        vertex.shape = tuple(getattr(raw, "shape", ()))
        vertex.dtype = dtype_text(getattr(raw, "dtype", float))
        if not isinstance(raw, Spec):
            vertex.value = owned(raw)
            by = None if user is None else CHANGES.since(raw, user.time)
            if by is not None:
                vertex.about = f"changed in place since by {by}"
        variable = isinstance(thing, Variable)
        note = None if isinstance(raw, Spec) else note_of(thing)
        vertex.name = self.names.of_leaf(thing, thing.node if variable else None, note)
        if note is not None:
            vertex.source = note.source
        index = self._constants[key] = self._add(vertex, None)
        return index

    def _cluster(self, call: Call) -> str:
        """The path of the cluster of a call; made, with those around it, where it is new."""
        chain = [call]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        root = chain[-1].module_name
        name = self.names.of_module(chain[-1])
        path = parent = ""
        for item in reversed(chain):
            path = name + item.path[len(root) :]
            if path not in self.diagram.clusters:
                own = item.module_name if parent else name
                self.diagram.clusters[path] = Cluster(path, own, item.type, parent, item.parameters)
            parent = path
        return path

    def _name_results(self) -> None:
        """Name results by the lines that made them."""
        last_of_group = set(range(len(self.diagram.vertices)))
        groups = [
            -1 if node is None or (note := note_of(node)) is None else note.group
            for node in self.nodes
        ]
        for edge in self.diagram.edges:
            if groups[edge.tail] >= 0 and groups[edge.tail] == groups[edge.head]:
                last_of_group.discard(edge.tail)
        for vertex, node in zip(self.diagram.vertices, self.nodes, strict=True):
            if node is not None and node.op is not None:
                final = vertex.index in last_of_group
                vertex.name = self.names.of_result(node, note_of(node), final)

    def _place_leaves(self) -> None:
        """Put each parameter and buffer into the innermost cluster around all its users."""
        users = self.diagram.users()
        for vertex in self.diagram.vertices:
            if vertex.kind in ("parameter", "buffer"):
                paths = [self.diagram.vertices[e.head].cluster for e in users[vertex.index]]
                vertex.cluster = self._common(paths)

    def _common(self, paths: Iterable[str]) -> str:
        chains = []
        for path in paths:
            chain = []
            while path:
                chain.append(path)
                path = self.diagram.clusters[path].parent
            chains.append(chain[::-1])
        shared = ""
        for level in zip(*chains, strict=False):
            if len(set(level)) > 1:
                break
            shared = level[0]
        return shared

    # --- Gradients ----------------------------------------------------------------------------

    def fill_in(self, flows: Flows) -> None:
        """Put gradients, contributions and slopes into the diagram."""
        for node, gradient in flows.gradients.items():
            if node in self.index:
                self.diagram.vertices[self.index[node]].grad = owned(gradient)
        for edge in self.diagram.edges:
            head, tail = self.nodes[edge.head], self.nodes[edge.tail]
            if head is None or tail is None:
                continue
            piece = flows.contributions.get((head, edge.slot))
            if piece is None:
                continue
            edge.contribution = owned(piece)
            if not head.shape and not tail.shape:
                edge.slope = slope_of(head, edge.slot, flows.gradients.get(head), piece)


def kind_of(thing: Any, otherwise: Kind) -> Kind:
    """What a leaf or a constant is, by the role that its model gave it."""
    role = getattr(thing, "role", "")
    if role == "parameter":
        return "parameter"
    return "buffer" if role == "buffer" else otherwise


def dtype_text(dtype: Any) -> str:
    """The name of a dtype; a Scalar's is "float"."""
    return "float" if dtype is float else str(dtype)


def owned(value: Any) -> Any:
    """A copy that nothing else changes; None for what is no value."""
    if value is None or isinstance(value, Spec):
        return None
    if isinstance(value, Variable):
        value = value.value
    return value if isinstance(value, float | int) else np.array(value)
