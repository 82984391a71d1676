"""The page of a film: what Python knows as JSON, between the assets that show it."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ..model import Diagram, Edge, Vertex
from ..style import FONT, LOOKS, MONOSPACE, ORDERS, css
from .arrays import Store, told
from .levels import levels
from .live import Programs
from .origins import suspects
from .story import Formulas, labels

SCRIPTS = (
    "functions.js",
    "film_numbers.js",
    "film_live.js",
    "film_story.js",
    "film_heat.js",
    "film_graph.js",
    "film_panel.js",
    "film_state.js",
    "film.js",
)


def page(diagram: Diagram, title: str, hidden: dict[int, set[int]] | None) -> str:
    """The film of `diagram` as HTML.

    Parameters
    ----------
    diagram : Diagram
    title : str
    hidden : dict or None
        What `Origins.hidden` found; None if nobody watched.
    """
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
    rest = text("film.html")
    # In one pass: what is put in may contain such marks itself.
    pieces = []
    while rest:
        at, mark = min(
            ((found, m) for m in parts if (found := rest.find(m)) >= 0), default=(len(rest), "")
        )
        pieces += [rest[:at], parts.get(mark, "")]
        rest = rest[at + len(mark) :]
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
        found["source"] = [source.name, source.line, source.function, source.text]
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
