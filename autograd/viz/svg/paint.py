"""Paint: the few shapes of which a drawing is made, in the colours of a theme.

All looks are attributes, so that programs which know no style sheets (resvg, LibreOffice) draw the
same; elements inherit what the groups around them say, which keeps files small.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..style import BODY, Theme, colour
from .text import escape, pixels, text_width


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a line of text.

    Attributes
    ----------
    text : str
    ink : str
        Name of a colour in `style`.
    size : float
    bold, italic : bool
    """

    text: str
    ink: str = "ink"
    size: float = BODY
    bold: bool = False
    italic: bool = False

    @property
    def width(self) -> float:
        """In pixels."""
        return text_width(self.text, self.size, self.bold)


def line_width(line: list[Words]) -> float:
    """The width of words that follow each other without gaps."""
    return sum(words.width for words in line)


class Paint:
    """Writes SVG elements.

    Parameters
    ----------
    theme : {"auto", "light", "dark"}
    styled : bool
        The page around has the variables of `style.css`: colours need no fallback.
    """

    def __init__(self, theme: Theme, *, styled: bool = False) -> None:
        self.theme: Theme = theme
        self.styled = styled

    def colour(self, name: str) -> str:
        """What an attribute says for the colour `name`; "none" stays."""
        if name == "none":
            return name
        return f"var(--dg-{name})" if self.styled else colour(name, self.theme)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        corner: float = 0,
        stroke: str = "",
        border: float = 1,
        dash: str = "",
        opacity: float = 1,
    ) -> str:
        """A rectangle. The border runs inside of it."""
        inset = border / 2 if stroke else 0
        parts = [
            f'<rect x="{pixels(x + inset)}" y="{pixels(y + inset)}"',
            f' width="{pixels(max(width - 2 * inset, 0))}"',
            f' height="{pixels(max(height - 2 * inset, 0))}" fill="{self.colour(fill)}"',
        ]
        if corner:
            parts.append(f' rx="{pixels(corner)}"')
        if stroke:
            parts.append(f' stroke="{self.colour(stroke)}"')
            if border != 1:
                parts.append(f' stroke-width="{border:g}"')
        if dash:
            parts.append(f' stroke-dasharray="{dash}"')
        if opacity != 1:
            parts.append(f' fill-opacity="{opacity:g}"')
        return "".join(parts) + "/>"

    def path(self, commands: str, fill: str = "none", stroke: str = "", border: float = 1) -> str:
        """A shape from path commands."""
        line = f' stroke="{self.colour(stroke)}" stroke-width="{border:g}"' if stroke else ""
        return f'<path d="{commands}" fill="{self.colour(fill)}"{line}/>'

    def line(self, words: list[Words], x: float, y: float, anchor: str = "start") -> str:
        """A line of text with its baseline at `y`.

        The pieces are placed one by one: where another font stands in, they do not drift apart.
        """
        if anchor != "start":
            x -= line_width(words) * (0.5 if anchor == "middle" else 1)
        parts = []
        for piece in words:
            if piece.text.strip():
                start = piece.text[: len(piece.text) - len(piece.text.lstrip())]
                indent = text_width(start, piece.size, piece.bold)
                parts.append(self._words(piece, x + indent, y))
            x += piece.width
        return "".join(parts)

    def right(self, words: Words, x: float, y: float) -> str:
        """Words that end at `x` in any font."""
        return self._words(words, x, y, ' text-anchor="end"')

    def _words(self, words: Words, x: float, y: float, more: str = "") -> str:
        if words.ink != "ink":
            more += f' fill="{self.colour(words.ink)}"'
        if words.size != BODY:
            more += f' font-size="{words.size:g}"'
        if words.bold:
            more += ' font-weight="600"'
        if words.italic:
            more += ' font-style="italic"'
        text = escape(words.text.strip())
        return f'<text x="{pixels(x)}" y="{pixels(y)}"{more}>{text}</text>'


def sign(paint: Paint, kind: str, x: float, y: float) -> str:
    """The sign of a kind of vertex, about 9 pixels wide, around the point (x, y)."""
    at = f"{pixels(x)} {pixels(y)}"
    round_ = f'<circle cx="{pixels(x)}" cy="{pixels(y)}"'
    ink = paint.colour(kind)
    if kind == "parameter":
        return paint.path(f"M{pixels(x)} {pixels(y - 5)}l5 5l-5 5l-5-5z", kind)
    if kind == "buffer":
        return paint.path(
            f"M{pixels(x)} {pixels(y - 4.4)}l4.4 4.4l-4.4 4.4l-4.4-4.4z", "none", kind, 1.4
        )
    if kind == "leaf":
        return f'{round_} r="4.4" fill="{ink}"/>'
    if kind == "constant":
        return f'{round_} r="3.7" fill="none" stroke="{ink}" stroke-width="1.4"/>'
    if kind == "output":
        ring = f'{round_} r="4.3" fill="none" stroke="{ink}" stroke-width="1.4"/>'
        return f'{ring}{round_} r="1.9" fill="{ink}"/>'
    if kind == "group":
        return paint.path(f"M{at}m-4.5-3.5h9m-9 3.5h9m-9 3.5h9", "none", kind, 1.4)
    return ""
