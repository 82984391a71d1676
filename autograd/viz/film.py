"""film: forward and backward, step by step, with the arithmetic, as one page of HTML.

Python puts into the page what the engine computed; the page shows it, and computes again only
what the reader changes with a slider.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..graph import Variable
from .capture import capture
from .film_arrays import Store, told
from .film_levels import levels
from .film_live import Programs
from .film_origins import Origins, suspects
from .film_story import Formulas, labels
from .fold import fold
from .model import Diagram, Edge, Vertex
from .style import FONT, LOOKS, MONOSPACE, ORDERS, css

# A film of more steps than this is longer than anybody watches.
LIMIT = 600
FRAME_HEIGHT = 720  # of a film in a notebook, in pixels

SCRIPTS = (
    "functions.js",
    "film_numbers.js",
    "film_live.js",
    "film_story.js",
    "film_heat.js",
    "film_graph.js",
    "film_panel.js",
    "film.js",
)


class Film:
    """A page on which a graph runs forward and backward; shown by notebooks.

    Holds no reference to the graph it was made of.

    Attributes
    ----------
    diagram : Diagram
        What is shown, with parts folded where there were too many.
    title : str
    """

    def __init__(
        self, diagram: Diagram, title: str = "", hidden: dict[int, set[int]] | None = None
    ) -> None:
        self.diagram = diagram
        self.title = title
        self._hidden = hidden
        self._html = ""

    @property
    def html(self) -> str:
        """The page: one file, which needs no network."""
        if not self._html:
            self._html = _page(self.diagram, self.title, self._hidden)
        return self._html

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Raises
        ------
        ValueError
            If the suffix is not ``.html`` or ``.htm``.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: a film is a page: end the name {path.name!r} in .html")
        path.write_text(self.html, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return f"<Film: {len(self.diagram.vertices)} vertices; save it as .html to watch it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="{html.escape(self.title)}" '
            f'width="100%" height="{FRAME_HEIGHT}" style="border:0"></iframe>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def film(
    loss: Variable | Callable[[], Any] | Any,
    *,
    names: Mapping[str, Any] | None = None,
    title: str = "",
) -> Film:
    """Show the chain rule at work on a graph: a film to play, step through and try numbers in.

    Parameters
    ----------
    loss : Tensor, Scalar, callable, or anything with a `diagram`
        One number, from which gradients flow back. A function without arguments that returns it
        tells most: it is run, so that all values, names and source lines are known. A Graph or
        a Zoom is shown with what it holds.
    names : mapping, optional
        Names for variables, or for modules whose parameters are meant.
    title : str
        Of the page; default the name of what it shows.

    Returns
    -------
    Film

    Raises
    ------
    TypeError
        If `loss` is something else.
    ValueError
        If there is nothing to show: no gradient flows, or an earlier backward freed the graph.

    Notes
    -----
    A slider computes the recorded operations again, in the page: an ``if`` of the function that
    would choose others with other numbers is not run again.

    Examples
    --------
    >>> from autograd import Scalar
    >>> from autograd.viz.film import film
    >>> a, b = Scalar(2.0), Scalar(-3.0)
    >>> shown = film(a * b + b)
    >>> shown
    <Film: 4 vertices; save it as .html to watch it>
    >>> shown.diagram.vertices[1].name, shown.diagram.vertices[1].grad
    ('b', 3.0)
    """
    hidden: dict[int, set[int]] | None = None
    diagram = loss if isinstance(loss, Diagram) else getattr(loss, "diagram", None)
    if diagram is None:
        if not isinstance(loss, Variable | list | tuple) and not callable(loss):
            raise TypeError(
                "film: expected a Tensor, a Scalar, a function without arguments that returns one, "
                f"or something with a diagram, not {type(loss).__name__}"
            )
        with Origins() as origins:
            captured = capture(loss, names=names)
            hidden = origins.hidden(captured) if callable(loss) else None
        if captured.problem:
            raise ValueError(f"film: there are no gradients to show: {captured.problem}")
        diagram = captured.diagram
    elif not isinstance(diagram, Diagram):
        raise TypeError(f"film: .diagram must be a Diagram, not {type(diagram).__name__}")
    if not any(v.grad is not None for v in diagram.vertices):
        raise ValueError(
            "film: this diagram has no gradients: it was drawn from a graph that an earlier "
            "backward had freed (give that retain_graph=True), from shapes alone, or without "
            "backward; pass a function that returns the loss instead"
        )
    if len(diagram.vertices) > LIMIT:
        diagram, hidden = fold(diagram, limit=LIMIT), None
    return Film(diagram, title or _title(diagram), hidden)


def _title(diagram: Diagram) -> str:
    shown = [diagram.vertices[i].name or diagram.vertices[i].op for i in diagram.outputs]
    return diagram.title or ", ".join(shown) or "film"


# --- The page -------------------------------------------------------------------------------------


def _page(diagram: Diagram, title: str, hidden: dict[int, set[int]] | None) -> str:
    assets = files("autograd.viz") / "assets"

    def text(name: str) -> str:
        return (assets / name).read_text(encoding="utf-8")

    payload, functions = _payload(diagram, title, hidden)
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # What ends a script, or begins a comment in it, must not stand in one; nor what is no Unicode.
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    data = data.encode("utf-8", "replace").decode("utf-8")
    script = "\n".join(text(name) for name in SCRIPTS)
    script = script.replace("/* FUNCTIONS */", ",\n".join(functions))
    colours = css() + f":root{{--font:{FONT};--mono:{MONOSPACE}}}"
    parts = {
        "{{title}}": html.escape(title.encode("utf-8", "replace").decode("utf-8")),
        "{{css}}": colours + text("film.css"),
        "{{data}}": data,
        "{{script}}": script,
    }
    page = text("film.html")
    # In one pass: what is put in may contain such marks itself.
    pieces = []
    while page:
        at, mark = min(
            ((found, m) for m in parts if (found := page.find(m)) >= 0), default=(len(page), "")
        )
        pieces += [page[:at], parts.get(mark, "")]
        page = page[at + len(mark) :]
    return "".join(pieces)


def _payload(
    diagram: Diagram, title: str, hidden: dict[int, set[int]] | None
) -> tuple[dict[str, Any], list[str]]:
    """All that the page knows, as JSON; and the functions it computes with, as JavaScript."""
    operands = diagram.operands()
    store, formulas = Store(), Formulas(diagram)
    names = labels(diagram)
    vertices = [
        _vertex(v, names[v.index], operands[v.index], store, formulas) for v in diagram.vertices
    ]
    edges = [_edge(e, store) for e in diagram.edges]
    store.choose()
    programs = Programs(diagram, operands)
    exact = [store.exact(v["v"]) for v in vertices]
    sliders = programs.sliders(operands, exact, suspects(diagram) if hidden is None else hidden)
    for vertex, program in zip(vertices, programs.programs, strict=True):
        if program is not None:
            vertex["live"] = program
    drawn, first = levels(diagram, names)
    payload = {
        "title": title,
        "vertices": vertices,
        "edges": edges,
        "outputs": diagram.outputs,
        "formulas": formulas.found,
        "sliders": {str(i): reason for i, reason in sliders.items()},
        "levels": drawn,
        "level": first,
        "arrays": store.packed(),
        "rounded": store.rounded(),
        "orders": list(ORDERS),
        "looks": {
            kind: [look.corner, look.border, look.dash, look.word] for kind, look in LOOKS.items()
        },
    }
    return payload, programs.functions


def _vertex(
    vertex: Vertex, label: str, edges: Sequence[Edge], store: Store, formulas: Formulas
) -> dict[str, Any]:
    first = vertex.kind in ("parameter", "leaf")
    found: dict[str, Any] = {
        "kind": vertex.kind,
        "op": vertex.op,
        "n": label,
        "named": bool(vertex.name),
        "shape": list(vertex.shape),
        "dtype": vertex.dtype,
        "v": store.add(vertex.value, first),
        "g": store.add(vertex.grad, first),
    }
    number = formulas.of(vertex, list(edges))
    if number is not None:
        found["f"] = number
    if vertex.order:
        found["order"] = vertex.order
    if vertex.cluster:
        found["in"] = vertex.cluster
    if vertex.source is not None:
        source = vertex.source
        found["source"] = [Path(source.file).name, source.line, source.function, source.text]
    if vertex.about:
        found["about"] = vertex.about
    if vertex.members > 1:
        found["members"] = vertex.members
    if vertex.repeat > 1:
        found["repeat"] = vertex.repeat
    if vertex.mark is not None:
        found["mark"] = [vertex.mark.level, vertex.mark.text]
    if vertex.scalars:
        found["scalars"] = {str(slot): told(v) for slot, v in vertex.scalars.items()}
    shown = {k: repr(v) for k, v in vertex.params.items() if _is_short(v)}
    if shown:
        found["params"] = shown
    return found


def _is_short(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return len(value) <= 8 and all(map(_is_short, value))
    return value is None or isinstance(value, bool | int | float | str | slice)


def _edge(edge: Edge, store: Store) -> dict[str, Any]:
    found: dict[str, Any] = {"t": edge.tail, "h": edge.head, "slot": edge.slot}
    if edge.argument:
        found["arg"] = edge.argument
    if edge.contribution is not None:
        found["c"] = store.add(edge.contribution)
    if edge.slope is not None:
        found["slope"] = told(float(edge.slope))
    return found
