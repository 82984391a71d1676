"""Diagram: a graph as it is shown, with all that was found out about each of its nodes.

A `Diagram` holds plain values and no reference to the graph it was made from, so that a drawing
keeps nothing alive. Everything that shows a graph (SVG, page, film, text, Mermaid, DOT, JSON)
reads a Diagram; everything that explains one (`why`, `verify`, `profile`) puts marks on it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal[
    "parameter",  # a leaf that a module learns
    "leaf",  # any other leaf that requires grad
    "buffer",  # part of a module's state that is not learned
    "constant",  # any other operand without a gradient, such as the data
    "intermediate",
    "output",
    "group",  # several vertices drawn as one
]
Level = Literal["path", "good", "warn", "bad", "heat"]


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the user's code.

    Attributes
    ----------
    file : str
        As Python names it: a path, or ``<stdin>``.
    line : int
        Counted from 1.
    function : str
    text : str
        The line itself, without its indentation; "" if the file cannot be read.
    """

    file: str
    line: int
    function: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        """The file without its folders; a cell of a notebook by its number, as ``In[3]``."""
        return _cell(self.file) or self.file.replace("\\", "/").rpartition("/")[2] or self.file

    def __str__(self) -> str:
        return f"{_cell(self.file) or self.file}:{self.line}"


def _cell(file: str) -> str:
    """The number of a notebook's cell, "" for any other file.

    IPython compiles each cell as a file of a name that says nothing to its author, in a folder of
    the process.
    """
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    compiler = getattr(get_shell() if get_shell else None, "compile", None)
    describe = getattr(compiler, "format_code_name", None)
    found = describe(file) if describe else None
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding about a vertex, painted on it.

    Attributes
    ----------
    level : {"path", "good", "warn", "bad", "heat"}
        "path": on the way from cause to effect. "heat": coloured by `heat`.
    text : str
        One short line shown with the vertex.
    heat : float
        From 0 (cold) to 1 (hot).
    """

    level: Level
    text: str = ""
    heat: float = 0.0


@dataclass(slots=True)
class Vertex:
    """One node of the graph, or an operand that has none.

    Attributes
    ----------
    index : int
        Position in ``diagram.vertices``; operands stand before what is made of them.
    kind : str
        See `Kind`.
    op : str
        Name of the op; "" for leaves and constants; the class name for a group that is a module.
    name : str
        The user's variable, or the path of a parameter; "" if unknown.
    shape : tuple of int
    dtype : str
        "float32" and so on; "float" for a Scalar.
    value, grad : ndarray, float or None
        None if unknown (a traced graph has no values, a forward graph no gradients).
    saved : int
        Bytes that this node keeps for backward beyond what leaves hold anyway.
    params : dict
        The op's metadata, such as ``{"dim": (0,), "keepdim": False}``.
    scalars : dict
        Operands that are plain numbers, by position: ``x * 2`` has ``{1: 2.0}``.
    order : int
        0 for the forward graph, 1 for its gradient's, 2 for the gradient of that.
    cluster : str
        Path of the innermost cluster around it; "" outside of all.
    source : Source or None
        Where the user's code made it.
    about : str
        A remark, such as "changed in place since by add_".
    members : int
        How many vertices this one stands for: 1 but for a group.
    repeat : int
        How often this (a group) occurs in a row; drawn as "× 8".
    mark : Mark or None
    """

    index: int
    kind: Kind
    op: str = ""
    name: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = "float"
    value: Any = None
    grad: Any = None
    saved: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    scalars: dict[int, float | int | bool | None] = field(default_factory=dict)
    order: int = 0
    cluster: str = ""
    source: Source | None = None
    about: str = ""
    members: int = 1
    repeat: int = 1
    mark: Mark | None = None


@dataclass(slots=True)
class Edge:
    """The value of one vertex as an argument of another.

    Attributes
    ----------
    tail, head : int
        Indices of the vertices: the value flows from tail to head, the gradient back.
    slot : int
        Position among the op's array arguments. ``x * x`` has two edges.
    argument : str
        Name of that argument.
    contribution : ndarray, float or None
        What this use adds to the gradient of the tail; it sums to ``grad`` over the edges.
    slope : float or None
        The partial derivative of the head with respect to this argument, where both are single
        numbers: the contribution is the head's gradient times it.
    """

    tail: int
    head: int
    slot: int = 0
    argument: str = ""
    contribution: Any = None
    slope: float | None = None


@dataclass(slots=True)
class Cluster:
    """A frame around vertices: one call of a module.

    Attributes
    ----------
    path : str
        Key in ``diagram.clusters``; ``path`` of the parent, a dot, and the name, with "#2" for
        the second call.
    name : str
        "0", "conv1", the user's variable for the outermost.
    type : str
        Name of the class.
    parent : str
        Path of the frame around it; "" if outermost.
    parameters : int
        Number of elements of all parameters inside.
    repeat : int
        How often it occurs in a row; drawn as "× 8".
    """

    path: str
    name: str
    type: str = ""
    parent: str = ""
    parameters: int = 0
    repeat: int = 1


@dataclass(slots=True)
class Diagram:
    """Vertices in topological order, the edges between them, and the clusters around them.

    Attributes
    ----------
    vertices : list of Vertex
    edges : list of Edge
        Ordered by head, then slot.
    clusters : dict of str to Cluster
        By path; parents before their children.
    outputs : list of int
        Indices of the vertices that the diagram was asked for.
    title : str
    about : str
        A remark on the whole, such as why there are no gradients.
    """

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    title: str = ""
    about: str = ""

    def operands(self) -> list[list[Edge]]:
        """For each vertex the edges that come in, by slot."""
        found: list[list[Edge]] = [[] for _ in self.vertices]
        for edge in self.edges:
            found[edge.head].append(edge)
        for edges in found:
            edges.sort(key=lambda e: e.slot)
        return found

    def users(self) -> list[list[Edge]]:
        """For each vertex the edges that go out."""
        found: list[list[Edge]] = [[] for _ in self.vertices]
        for edge in self.edges:
            found[edge.tail].append(edge)
        return found

    def marked(self, marks: dict[int, Mark]) -> Diagram:
        """The same diagram with `marks` on the vertices of these indices."""
        vertices = [
            replace(v, mark=marks[v.index]) if v.index in marks else v for v in self.vertices
        ]
        return replace(self, vertices=vertices)
