"""graph: the computational graph as a picture, in whatever format is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..differentiate import grad
from ..graph import OPS, Node, Variable, new_leaf, toposort
from ..trace import Graph as Trace
from ..trace import trace
from .capture import Captured, capture, outputs_of
from .fold.fold import fold
from .model import Diagram
from .record import Recording
from .traced import diagram_of_trace

Direction = Literal["down", "right"]
Theme = Literal["auto", "light", "dark"]

# More vertices than this are summarised: no eye follows more.
LIMIT = 400
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


class Graph:
    """A graph to look at: shown by notebooks, printed as text, saved in many formats.

    Holds no reference to what it was drawn from.

    Attributes
    ----------
    diagram : Diagram
        All of it, before anything was folded.
    depth, repeats, limit, direction, theme, engine
        As given to `graph`; assignable.
    """

    def __init__(
        self,
        diagram: Diagram,
        *,
        depth: int | None = None,
        repeats: bool = True,
        limit: int | None = LIMIT,
        direction: Direction = "down",
        theme: Theme = "auto",
        engine: Literal["builtin", "dot"] = "builtin",
    ) -> None:
        _check("direction", direction, ("down", "right"))
        _check("theme", theme, ("auto", "light", "dark"))
        _check("engine", engine, ("builtin", "dot"))
        self.diagram = diagram
        self.depth = depth
        self.repeats = repeats
        self.limit = limit
        self.direction: Direction = direction
        self.theme: Theme = theme
        self.engine = engine

    @property
    def shown(self) -> Diagram:
        """The diagram as it is drawn: modules below `depth`, repeats and long parts folded."""
        return fold(self.diagram, depth=self.depth, repeats=self.repeats, limit=self.limit)

    def svg(self) -> str:
        """The picture as an SVG document."""
        if self.engine == "dot":
            from .formats.dot import dot_to_svg

            return dot_to_svg(self.shown, direction=self.direction)
        from .svg.svg import to_svg

        return to_svg(self.shown, theme=self.theme, direction=self.direction)

    def text(self, width: int = 100) -> str:
        """The graph as lines of text, none longer than `width`."""
        from .formats.text import to_text

        return to_text(self.shown, width=width)

    def save(self, path: str | Path) -> Path:
        """Write a file in the format that its suffix names.

        Parameters
        ----------
        path : str or Path
            ``.svg`` a static picture; ``.html`` an interactive page that needs no network;
            ``.png`` (with the extra ``plot``); ``.txt``; ``.mmd`` Mermaid, for Markdown;
            ``.dot`` for Graphviz; ``.json`` everything, before folding.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the suffix is another one.
        RuntimeError
            If the format needs a program or a package that is not there.
        """
        path = Path(path)
        writer = WRITERS.get(path.suffix.lower())
        if writer is None:
            raise ValueError(
                f"save: {path.name!r} has no suffix that names a format; there are "
                f"{', '.join(WRITERS)}"
            )
        content = writer(self)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        vertices, edges = len(self.diagram.vertices), len(self.diagram.edges)
        return f"<Graph: {vertices} vertices, {edges} edges>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "image/svg+xml": self.svg()}


def _html(graph: Graph) -> str:
    from .page import to_html

    return to_html(graph.shown, direction=graph.direction, theme=graph.theme)


def _png(graph: Graph) -> bytes:
    from .png import to_png

    theme = "dark" if graph.theme == "dark" else "light"
    return to_png(graph.shown, direction=graph.direction, theme=theme)


def _dot(graph: Graph) -> str:
    from .formats.dot import to_dot

    return to_dot(graph.shown, direction=graph.direction)


def _mermaid(graph: Graph) -> str:
    from .formats.mermaid import to_mermaid

    return to_mermaid(graph.shown, direction=graph.direction)


def _json(graph: Graph) -> str:
    from .formats.json_text import to_json

    return to_json(graph.diagram)


WRITERS: dict[str, Callable[[Graph], str | bytes]] = {
    ".svg": Graph.svg,
    ".html": _html,
    ".png": _png,
    ".txt": Graph.text,
    ".mmd": _mermaid,
    ".dot": _dot,
    ".json": _json,
}


def graph(
    output: Any,
    *specs: Any,
    order: int = 0,
    backward: bool = True,
    names: Mapping[str, Any] | None = None,
    title: str = "",
    depth: int | None = None,
    repeats: bool = True,
    limit: int | None = LIMIT,
    direction: Direction = "down",
    theme: Theme = "auto",
    engine: Literal["builtin", "dot"] = "builtin",
) -> Graph:
    """Draw the computational graph behind `output`.

    Nothing is changed by it: no ``.grad``, no saved value, and the graph is not kept alive.

    Parameters
    ----------
    output : Tensor, Scalar, sequence or dictionary of them, callable, or traced Graph
        A callable without `specs` is run, and everything is known about what it does: variable
        names, source lines, modules. With `specs` it is traced on shapes alone: a model can be
        drawn before there are any data. Results may be nested in one another; None among them is
        passed over. What ``autograd.trace`` returned is drawn as it is.
    *specs : Spec, Tensor or tuple of int
        What the callable's arguments are like; a tuple is a float32 shape.
    order : int
        0: the forward graph. 1: also the graph of its gradient with respect to all leaves;
        2: also that of the gradient of (the sum of) this gradient; and so on.
    backward : bool
        Show gradients and contributions.
    names : mapping, optional
        Name -> Tensor, Scalar or module, where the names of the caller's variables are not right.
    title : str
    depth : int, optional
        Modules nested deeper are drawn as one box each.
    repeats : bool
        Draw equal blocks in a row once, with "× 8".
    limit : int, optional
        Summarise graphs with more vertices. None: draw all.
    direction : {"down", "right"}
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's setting.
    engine : {"builtin", "dot"}
        "dot" lets Graphviz, which must be installed, lay out the SVG.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If `output` cannot be drawn.
    ValueError
        If an option is not among those above, or `order` is not 0 for a traced graph.

    Examples
    --------
    >>> import autograd
    >>> from autograd import viz
    >>> w = autograd.tensor(3.0, requires_grad=True)
    >>> loss = (w * 2.0 - 1.0) ** 2
    >>> drawing = viz.graph(loss)
    >>> [vertex.op or vertex.name for vertex in drawing.diagram.vertices]
    ['w', 'mul', 'sub', 'pow']
    >>> float(drawing.diagram.vertices[0].grad)
    20.0
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"graph: order must be 0, 1, 2, ..., not {order!r}")
    options: dict[str, Any] = {
        "depth": depth,
        "repeats": repeats,
        "limit": limit,
        "direction": direction,
        "theme": theme,
        "engine": engine,
    }
    diagram = getattr(output, "diagram", output)
    if order and (isinstance(diagram, Diagram) or isinstance(output, Trace) or specs):
        raise ValueError("graph: order is for the graph of a value, not of a trace or a drawing")
    if isinstance(output, Trace):
        diagram = diagram_of_trace(output)
    elif specs:
        diagram = _captured_trace(output, specs, names).diagram
    elif not isinstance(diagram, Diagram):
        captured = _captured(output, order, backward, names)
        diagram = captured.diagram
        if captured.problem:
            diagram.about = f"No gradients: {captured.problem}."
    diagram.title = title or diagram.title
    return Graph(diagram, **options)


def _captured(output: Any, order: int, backward: bool, names: Mapping[str, Any] | None) -> Captured:
    if not order:
        return capture(output, backward=backward, names=names)
    gradients: list[list[tuple[Variable, Variable]]] = []
    with Recording(private=True):
        if callable(output) and not isinstance(output, Variable):
            output = output()
        outputs = outputs_of(output)
        last = outputs
        for _ in range(order):
            pairs = _gradients(last)
            last = [gradient for _, gradient in pairs]
            gradients.append(pairs)
            if not pairs:
                break  # constant: what it would be differentiated to is zero
    every = [*outputs, *(gradient for pairs in gradients for _, gradient in pairs)]
    captured = capture(every, backward=False, names=names)
    vertices = captured.diagram.vertices
    for times, pairs in enumerate(gradients, 1):
        for leaf, gradient in pairs:
            if leaf.node is not None and gradient.node is not None and not gradient.is_leaf:
                of = vertices[captured.index[leaf.node]].name or "leaf"
                power = "" if times == 1 else "".join(SUPERSCRIPTS[int(d)] for d in str(times))
                vertices[captured.index[gradient.node]].name = f"∂{power}/∂{of}"
    return captured


def _gradients(outputs: Sequence[Variable]) -> list[tuple[Variable, Variable]]:
    """The leaves, and the recorded gradient of the sum of `outputs` with respect to each."""
    total: Any = None
    for output in outputs:
        if isinstance(output, Variable) and output.requires_grad:
            term = OPS["sum"].function(output) if output.shape else output
            total = term if total is None else total + term
    if total is None:
        return []
    leaves = [
        leaf
        for node in toposort([total.node])
        if node.op is None and (leaf := _variable(node)) is not None
    ]
    found = grad(total, leaves, create_graph=True, allow_unused=True)
    return [
        (leaf, g)
        for leaf, g in zip(leaves, found, strict=True)
        if g is not None and g.requires_grad
    ]


def _variable(node: Node) -> Any:
    return None if node.saved is None else node.saved[0]()


def _captured_trace(
    function: Any, specs: Sequence[Any], names: Mapping[str, Any] | None
) -> Captured:
    if not callable(function):
        raise TypeError(
            f"graph: with input shapes, the first argument is a model or another callable, not "
            f"{type(function).__name__}"
        )
    kept: list[Any] = []

    def run(*inputs: Variable) -> Any:
        for variable in inputs:
            if variable.dtype is float or variable.dtype.kind == "f":
                # So that all that is made of it is recorded.
                variable.node = variable.node or new_leaf(variable)
                variable.requires_grad = True
        kept.extend(inputs)
        result = function(*inputs)
        kept.append(outputs_of(result))
        return result

    with Recording(private=True):
        trace(run, *specs)
    outputs = kept.pop()
    given = {f"input{i + 1 if len(kept) > 1 else ''}": v for i, v in enumerate(kept)}
    captured = capture(outputs, backward=False, names={**given, **(names or {})})
    for variable in kept:
        if variable.node in captured.index:  # data that the user will give, not a leaf to learn
            captured.diagram.vertices[captured.index[variable.node]].kind = "constant"
    return captured


def _check(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"graph: {name} must be {' or '.join(map(repr, allowed))}, not {value!r}")
