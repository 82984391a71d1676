"""to_dot: a diagram in the language of Graphviz, and the picture that its `dot` makes of it."""

from __future__ import annotations

from typing import Literal

from ..model import Diagram, Vertex
from ..style import BODY, LIGHT, SMALL
from .outline import Line, card, edge_label, outline, title_of
from .text_width import clean

DIRECTIONS = {"down": "TB", "right": "LR"}
FONT = "Helvetica"
# Kinds differ by shape and border, not by colour alone.
OUTLINES = {
    "parameter": 'shape=box, style="filled"',
    "leaf": 'shape=ellipse, margin="0.05,0", style="filled"',
    "buffer": 'shape=box, style="filled,dashed"',
    "constant": 'shape=box, style="filled,dotted"',
    "intermediate": 'shape=box, style="filled,rounded"',
    "output": 'shape=box, style="filled,rounded", penwidth=2.4',
    "group": 'shape=box, style="filled,rounded", peripheries=2',
}
COLOUR_OF_PART = {
    "title": "ink",
    "value": "value",
    "gradient": "gradient",
    "path": "path-text",
    "good": "good-text",
    "warn": "warn-text",
    "bad": "bad-text",
    "heat": "heat-text",
}

INSTALL = (
    "Graphviz is not installed: its program `dot` was not found on the PATH. Install it with "
    "`apt install graphviz` (Debian, Ubuntu), `brew install graphviz` (macOS), `conda install "
    "-c conda-forge graphviz` or `choco install graphviz` (Windows), or leave out "
    'engine="dot": the built-in engine needs nothing.'
)


def to_dot(diagram: Diagram, *, direction: Literal["down", "right"] = "down") -> str:
    """Write a diagram in the DOT language.

    Parameters
    ----------
    diagram : Diagram
    direction : {"down", "right"}

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `direction` is another one.

    Examples
    --------
    >>> from autograd.viz import Diagram, Edge, Vertex
    >>> x, y = Vertex(0, "leaf", name="x"), Vertex(1, "output", "sin", name="y")
    >>> text = to_dot(Diagram([x, y], [Edge(0, 1)], outputs=[1]))
    >>> text.splitlines()[0], text.splitlines()[-2].strip()
    ('digraph {', 'v0 -> v1')
    """
    if direction not in DIRECTIONS:
        raise ValueError(f'to_dot: direction must be "down" or "right", not {direction!r}')
    lines = ["digraph {", *(f"  {line}" for line in _defaults(DIRECTIONS[direction]))]
    if diagram.title:
        lines.append(f"  label=<<b>{_escaped(diagram.title)}</b>>")
        lines.append("  labelloc=t")
    frames = 0
    for step in outline(diagram):
        indent = "  " * (step.depth + 1)
        if step.begins is not None:
            more = ", peripheries=2" if step.begins.repeat > 1 else ""
            lines.append(f"{indent}subgraph cluster_{frames} {{")
            lines.append(
                f"{indent}  graph [label=<{_escaped(title_of(step.begins)) or ' '}>, labeljust=l,"
                f' style="rounded", color="{LIGHT["frame"]}", margin=10{more}]'
            )
            frames += 1
        elif step.vertex is not None:
            lines.append(indent + _node(step.vertex))
        else:
            lines.append(f"{indent}}}")
    operands = diagram.operands()
    uses = [len(edges) for edges in diagram.users()]
    for edge in diagram.edges:
        text = edge_label(diagram, edge, operands, uses)
        label = f" [label=<{_escaped(text)}>]" if text else ""
        lines.append(f"  v{edge.tail} -> v{edge.head}{label}")
    return "\n".join([*lines, "}"]) + "\n"


def _defaults(rankdir: str) -> list[str]:
    ink, edge, muted = LIGHT["ink"], LIGHT["edge"], LIGHT["muted"]
    font = f'fontname="{FONT}"'
    space = 'ranksep=0.35, nodesep=0.25, bgcolor="transparent"'
    return [
        f'graph [rankdir={rankdir}, {font}, fontsize={BODY}, fontcolor="{ink}", {space}]',
        f'node [{font}, fontsize={SMALL}, margin="0.12,0.06"]',
        f'edge [{font}, fontsize={SMALL - 1}, fontcolor="{muted}", color="{edge}", arrowsize=0.6]',
    ]


def _node(vertex: Vertex) -> str:
    colours = vertex.mark.level if vertex.mark is not None else vertex.kind
    text = "<br/>".join(_line(line) for line in card(vertex))
    look = OUTLINES[vertex.kind]
    if vertex.mark is not None:
        look = look.replace(", penwidth=2.4", "") + ", penwidth=2.4"
    return (
        f"v{vertex.index} [label=<{text}>, {look}, "
        f'fillcolor="{LIGHT[f"{colours}-fill"]}", color="{LIGHT[colours]}"]'
    )


def _line(line: Line) -> str:
    text = _escaped(line.text) or " "
    colour = LIGHT[COLOUR_OF_PART.get(line.part, "muted")]
    if line.part == "title":
        return f'<font point-size="{BODY}" color="{colour}"><b>{text}</b></font>'
    return f'<font color="{colour}">{text}</font>'


def _escaped(text: str) -> str:
    """For a label like HTML, in which Graphviz still replaces escapes, as of a node's name."""
    text = clean(text).replace("\\", "\\\\")
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, entity)
    return text


def dot_to_svg(diagram: Diagram, *, direction: Literal["down", "right"] = "down") -> str:
    """Let Graphviz draw a diagram.

    Parameters
    ----------
    diagram : Diagram
    direction : {"down", "right"}

    Returns
    -------
    str
        An SVG document.

    Raises
    ------
    RuntimeError
        If the program `dot` is not installed, or fails.
    ValueError
        If `direction` is another one.
    """
    from subprocess import CalledProcessError

    from graphviz import ExecutableNotFound, Source

    source = Source(to_dot(diagram, direction=direction))
    try:
        return source.pipe(format="svg", encoding="utf-8", quiet=True)
    except ExecutableNotFound as error:
        raise RuntimeError(INSTALL) from error
    except CalledProcessError as error:
        said = error.stderr if isinstance(error.stderr, str) else str(error)
        raise RuntimeError(f"Graphviz could not draw the diagram: {said.strip()}") from error
