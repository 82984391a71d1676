"""to_mermaid: a diagram as a Mermaid flowchart, which GitHub draws inside of Markdown."""

from __future__ import annotations

from typing import Literal

from ..model import Diagram, Vertex
from ..style import LIGHT
from .outline import card, edge_label, outline, title_of

DIRECTIONS = {"down": "TD", "right": "LR"}
# Kinds differ by their outline too: colour alone would not do.
SHAPES = {
    "parameter": ("[/", "/]"),
    "leaf": ("([", "])"),
    "buffer": ("[(", ")]"),
    "constant": ("[", "]"),
    "intermediate": ("(", ")"),
    "output": ("{{", "}}"),
    "group": ("[[", "]]"),
}
DASHES = {"buffer": "6 3", "constant": "2 3"}
# Characters that mean nothing to Mermaid, to its Markdown or to HTML.
HARMLESS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.:=+/'!?$@^~×…·−"
)


def to_mermaid(diagram: Diagram, direction: Literal["down", "right"] = "down") -> str:
    """Write a diagram as a Mermaid flowchart.

    Paste it into Markdown between ```` ```mermaid ```` and ```` ``` ````. Mermaid itself refuses
    more than 500 edges or 50,000 characters: fold larger diagrams first.

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
    >>> print(to_mermaid(Diagram([x, y], [Edge(0, 1)], outputs=[1])).partition("  class")[0])
    flowchart TD
      v0(["x"]):::leaf
      v1{{"y = sin"}}:::output
      v0 --> v1
    <BLANKLINE>
    """
    if direction not in DIRECTIONS:
        raise ValueError(f'to_mermaid: direction must be "down" or "right", not {direction!r}')
    lines = [f"flowchart {DIRECTIONS[direction]}"]
    if diagram.title:
        lines[:0] = ["---", f"title: {_yaml(diagram.title)}", "---"]
    frames = 0
    for step in outline(diagram):
        indent = "  " * (step.depth + 1)
        if step.begins is not None:
            lines.append(f'{indent}subgraph c{frames}["{_escaped(title_of(step.begins))}"]')
            frames += 1
        elif step.vertex is not None:
            lines.append(indent + _node(step.vertex))
        else:
            lines.append(f"{indent}end")
    operands = diagram.operands()
    uses = [len(edges) for edges in diagram.users()]
    for edge in diagram.edges:
        text = edge_label(diagram, edge, operands, uses)
        arrow = f'-->|"{_escaped(text)}"|' if text else "-->"
        lines.append(f"  v{edge.tail} {arrow} v{edge.head}")
    kinds = dict.fromkeys(vertex.kind for vertex in diagram.vertices)
    lines.extend(_class(kind, DASHES.get(kind, "")) for kind in SHAPES if kind in kinds)
    marks: dict[str, list[int]] = {}
    for vertex in diagram.vertices:
        if vertex.mark is not None:
            marks.setdefault(vertex.mark.level, []).append(vertex.index)
    for level, marked in marks.items():
        lines.append(_class(level, "", ",stroke-width:3px"))
        lines.append(f"  class {','.join(f'v{index}' for index in marked)} {level}")
    if frames:
        every = ",".join(f"c{number}" for number in range(frames))
        lines.append(f"  classDef frame fill:none,stroke:{LIGHT['frame']},stroke-width:1px")
        lines.append(f"  class {every} frame")
    return "\n".join(lines) + "\n"


def _node(vertex: Vertex) -> str:
    begin, end = SHAPES[vertex.kind]
    text = "<br/>".join(_escaped(line.text) for line in card(vertex))
    return f'v{vertex.index}{begin}"{text}"{end}:::{vertex.kind}'


def _class(name: str, dash: str, more: str = "") -> str:
    """A fill that is light, and with it dark letters: they suit a dark page too."""
    colours = f"fill:{LIGHT[f'{name}-fill']},stroke:{LIGHT[name]},color:{LIGHT['ink']}"
    dashes = f",stroke-dasharray:{dash}" if dash else ""
    return f"  classDef {name} {colours}{dashes}{more}"


def _escaped(text: str) -> str:
    """Whatever could mean something to Mermaid as the number of the character; never nothing."""
    # Mermaid takes a backslash and an n for a new line, in whatever way they are written.
    text = text.replace("\\n", "\N{REVERSE SOLIDUS OPERATOR}n")
    return "".join(
        c if c in HARMLESS or (not c.isascii() and c.isalpha()) else f"#{ord(c)};"
        for c in text or " "
    )


def _yaml(text: str) -> str:
    """A string in double quotes, which YAML reads as JSON does."""
    import json

    return json.dumps(text)
