"""capture: read a live graph into a Diagram, with values, gradients and the user's names.

Nothing of the graph is changed. Gradients come from the engine's own backward pass, watched;
values from where they are still held, and else from running the op again on what it ran on.
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..changes import CHANGES, owner
from ..engine import backpropagate, compute, fit
from ..graph import NUMBERS, Abstract, Node, Spec, Variable, toposort
from ..watch import WATCHERS, Watcher
from .model import Cluster, Diagram, Edge, Kind, Vertex
from .names import Names
from .places import user_frames
from .record import Call, Keep, Note, Recording, note_of


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
    output: Variable | Sequence[Variable] | Callable[[], Any],
    *,
    backward: bool = True,
    names: Mapping[str, Any] | None = None,
) -> Captured:
    """Read the graph behind `output`.

    Parameters
    ----------
    output : Tensor, Scalar, a sequence of them, or a callable
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
    outputs = _outputs(output)
    with_names.look_around(user_frames(sys._getframe(1)))
    reader = _Reader(outputs, with_names)
    reader.read()
    captured = Captured(reader.diagram, reader.nodes, reader.index, outputs)
    if backward:
        captured.problem = reader.differentiate()
    return captured


def _outputs(output: Any) -> list[Variable]:
    outputs = list(output) if isinstance(output, list | tuple) else [output]
    for item in outputs:
        if not isinstance(item, Variable):
            raise TypeError(
                f"expected a Tensor, a Scalar, a sequence of them, or a function without arguments "
                f"that returns them, not {type(item).__name__}"
            )
    if not outputs:
        raise ValueError("there is no output to start from: the sequence is empty")
    return outputs


class _Flows(Watcher):
    """Collects what a backward pass computes."""

    def __init__(self) -> None:
        self.gradients: dict[Node, Any] = {}
        self.contributions: dict[tuple[Node, int], Any] = {}

    def during(self, node: Node | None, gradient: Any) -> None:
        if node is not None:
            self.gradients[node] = gradient

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        self.contributions[node, slot] = piece

    def arrive(self, node: Node, gradient: Any) -> None:
        self.gradients[node] = gradient


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
        self.values: dict[Node, Any] = {}
        self.remarks: dict[Node, str] = {}
        self._constants: dict[int, int] = {}
        # Held while reading: an id that is a key must not be used again.
        self._held: list[Any] = []

    # --- Vertices and edges -------------------------------------------------------------------

    def read(self) -> None:
        """Make the vertices, edges and clusters."""
        for note in self.notes:
            if note is not None and note.call is not None:
                self.names.of_call(note.call)
        self._find_values()
        ends = {v.node for v in self.outputs}
        saved = self._saved_bytes()
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
        vertex.value = owned(self.values.get(node))
        vertex.about = self.remarks.get(node, "")
        if node.op is not None:
            vertex.op = node.op.name
            vertex.params = dict(node.params)
        else:
            variable = _leaf(node)
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

    # --- Values -------------------------------------------------------------------------------

    def _find_values(self) -> None:
        found = self.values
        for node, note in zip(self.order, self.notes, strict=True):
            if node.op is None:
                variable = _leaf(node)
                if variable is not None:
                    self._keep(node, variable.value)
                continue
            if note is not None:
                self._keep(node, note.value)
            variable = self.names.variable_of(node)
            if node not in found and variable is not None:
                self._keep(node, variable.value)
            if node.saved is None:
                continue
            tracked = tuple(link.__class__ is Node for link in node.inputs)
            if node not in found and not node.op.aside and node.op.keeps(tracked)[0]:
                self._keep(node, node.saved[0])
            for slot, link in enumerate(node.inputs):
                if link.__class__ is Node and link not in found:
                    self._keep(link, node.saved[slot + 1])
        for node in self.order:
            if node not in found and node.op is not None and node not in self.remarks:
                self._keep(node, self._again(node))
        used: dict[Node, int] = {}  # users come in order of time: the first one counts
        for node in self.order:
            for link in node.inputs:
                if link.__class__ is Node:
                    used.setdefault(link, node.time)
        for node in self.order:
            self._note_changes(node, used.get(node, node.time))

    def _keep(self, node: Node, value: Any) -> None:
        """Take `value` for that of `node`, if it is a value and fits."""
        if value is None or isinstance(value, Spec | Node):
            return
        if node.dtype is float:
            if isinstance(value, float | int):
                self.values[node] = float(value)
        elif getattr(value, "shape", None) == node.shape and value.dtype == node.dtype:
            self.values[node] = value

    def _again(self, node: Node) -> Any:
        """Run the op of `node` again, if all it ran on is known and as it was."""
        assert node.op is not None
        if node.saved is None:
            return None
        arguments = []
        for slot, link in enumerate(node.inputs):
            value = node.saved[slot + 1]
            if value is None or isinstance(value, Node | Spec):
                if link.__class__ is Node:
                    value = self.values.get(link)
                else:
                    thing = link() if isinstance(link, weakref.ref) else link
                    value = thing.value if isinstance(thing, Variable) else thing
                if value is None and link is not None:
                    return None
                if isinstance(value, Spec) or CHANGES.since(value, node.time) is not None:
                    return None
            arguments.append(value)
        if node.op.promotes is not None:
            arguments = node.op.promotes(arguments)
        try:
            with np.errstate(all="ignore"):
                return compute(node.op, arguments, node.params)
        except ArithmeticError:  # a Scalar's division by zero raises
            return None

    def _note_changes(self, node: Node, used: int) -> None:
        """Tell of values that were changed in place since; an intermediate's are lost then."""
        value = self.values.get(node)
        by = CHANGES.since(value, used if node.op is None else node.time)
        if by is None:
            return
        if node.op is not None:
            del self.values[node]
            self.remarks[node] = f"its values are gone: changed in place since by {by}"
        else:
            self.remarks[node] = f"changed in place by {by} since it was used here"

    def _saved_bytes(self) -> dict[Node, int]:
        """Bytes that each node keeps; what leaves, constants or earlier nodes hold not again."""
        counted: set[int] = set()
        for node in self.order:
            for link in node.inputs:
                thing = link() if isinstance(link, weakref.ref) else link
                _count(thing.value if isinstance(thing, Variable) else thing, counted)
            if node.op is None:
                _count(self.values.get(node), counted)
        found = {}
        for node in self.order:
            if node.op is not None and node.saved is not None:
                found[node] = sum(_count(value, counted) for value in node.saved)
        return found

    # --- Gradients ----------------------------------------------------------------------------

    def differentiate(self) -> str:
        """Fill in gradients, contributions and slopes; say why not, if there are none."""
        ends = [v.node for v in self.outputs if v.node is not None and v.requires_grad]
        problem = ""
        flows = _Flows()
        freed = next((n for n in self.order if n.op is not None and n.saved is None), None)
        if not ends:
            problem = "no output requires grad: there is no graph to walk backwards"
        elif any(v.value.__class__ is Abstract for v in self.outputs):
            problem = "the graph was traced without values"
        elif freed is not None:
            problem = (
                "an earlier backward freed the values that this graph had saved: give it "
                "retain_graph=True, or draw before it, or pass a function that makes the output"
            )
        elif any(math.prod(node.shape) != 1 for node in ends):
            shape = next(node.shape for node in ends if math.prod(node.shape) != 1)
            problem = f"an output of shape {shape} has no gradient of its own: reduce it first"
        else:
            try:
                self._walk(ends, flows)
            except RuntimeError as error:  # a value was changed in place since
                problem = str(error)
                flows = _Flows()
        if problem and any(note is not None and note.gradient is not None for note in self.notes):
            problem = ""
            for node, note in zip(self.order, self.notes, strict=True):
                if note is not None and note.gradient is not None:
                    flows.gradients[node] = note.gradient
                    for slot, piece in note.contributions.items():
                        flows.contributions[node, slot] = piece
        self._fill_in(flows)
        return problem

    def _walk(self, ends: list[Node], flows: _Flows) -> None:
        """The engine's own backward pass, leaving every ``.grad`` and every recording alone."""
        seeds: dict[Node, Any] = {}
        for node in ends:
            one = 1.0 if node.dtype is float else node.dtype.type(1)
            seeds[node] = np.full(node.shape, one) if node.shape else one
        kept = [(node, node.grad) for node in self.order if node.hooks is not None]
        watchers, WATCHERS[:] = WATCHERS[:], [flows]
        try:
            with np.errstate(all="ignore"):
                backpropagate(seeds, self.order, retain_graph=True)
        finally:
            WATCHERS[:] = watchers
            for node, grad in kept:
                node.grad = grad  # retain_grad is a hook

    def _fill_in(self, flows: _Flows) -> None:
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
                edge.slope = _slope(head, edge.slot, flows.gradients.get(head), piece)


def _slope(node: Node, slot: int, gradient: Any, piece: Any) -> float | None:
    """The partial derivative of a single number with respect to one of its operands."""
    assert node.op is not None
    if node.saved is None:
        upstream = float(gradient)
        return float(piece) / upstream if upstream and math.isfinite(upstream) else None
    one = 1.0 if node.dtype is float else node.dtype.type(1)
    with np.errstate(all="ignore"):
        if node.op.joint is not None:
            slope = node.op.joint(one, *node.saved, **node.params)[slot]
        else:
            rule = node.op.rules[slot]
            slope = None if rule is None else rule(one, *node.saved, **node.params)
    return None if slope is None else float(fit(slope, node.inputs[slot]))


def _leaf(node: Node) -> Variable | None:
    assert node.saved is not None
    return node.saved[0]()


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


def _count(value: Any, counted: set[int]) -> int:
    """Bytes of the memory behind `value` that were not counted before."""
    if isinstance(value, tuple | list):
        return sum(_count(item, counted) for item in value)
    if not isinstance(value, np.ndarray):
        return 0
    base = owner(value)
    if id(base) in counted:
        return 0
    counted.add(id(base))
    return base.nbytes
