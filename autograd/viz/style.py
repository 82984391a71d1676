"""The colours, type sizes and fonts of everything that is drawn, in light and in dark.

The hues are Okabe and Ito's, made darker (or, in the dark, lighter) until text reaches the
contrast 4.5 : 1 and lines 3 : 1 against what they stand on. No meaning hangs on colour alone:
kinds differ by corners, border and sign too, marks by sign and words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

# Helvetica and Arial have the same widths, so that text measured by one table fits everywhere;
# Liberation Sans is their equal on Linux.
FONT = "'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif"
MONOSPACE = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"

# Type sizes in pixels: readable without zooming, and few of them.
TITLE = 14
BODY = 12
SMALL = 11

LIGHT: dict[str, str] = {
    # Paper, cards, and three weights of ink.
    "page": "#fffffe",
    "surface": "#ffffff",
    "ink": "#1b2430",
    "muted": "#566072",
    "line": "#d3dae3",
    "edge": "#7d8898",
    "frame": "#56688a",
    "shadow": "#1b2431",
    "focus": "#0067b8",
    # Kinds: the border and sign, and the fill.
    "parameter": "#0072b2",
    "parameter-fill": "#e9f3fb",
    "leaf": "#00875f",
    "leaf-fill": "#e7f6f0",
    "buffer": "#2b86b8",
    "buffer-fill": "#f2f9fd",
    "constant": "#6b7585",
    "constant-fill": "#f4f5f7",
    "intermediate": "#8a94a3",
    "intermediate-fill": "#ffffff",
    "output": "#1b2430",
    "output-fill": "#ffffff",
    "group": "#6b7585",
    "group-fill": "#fafbfc",
    # What flows forward and what flows back.
    "value": "#1b2430",
    "value-bars": "#8495ac",
    "gradient": "#96296a",
    "gradient-bars": "#cc79a7",
    # Orders: made by a backward pass, by a backward pass through that one, and so on.
    "order-1": "#96296a",
    "order-2": "#a34a00",
    "order-3": "#00664b",
    # Marks: line and sign, fill, words.
    "path": "#b07d00",
    "path-fill": "#ffe08a",
    "path-text": "#5e4300",
    "good": "#00875f",
    "good-fill": "#e0f4ec",
    "good-text": "#005c43",
    "warn": "#b67700",
    "warn-fill": "#fdf0d2",
    "warn-text": "#6d4800",
    "bad": "#c84c00",
    "bad-fill": "#fde8dc",
    "bad-text": "#963900",
    "heat": "#d55e00",
    "heat-fill": "#f9e9de",
    "heat-text": "#8a3c00",
    # NaN and inf: the one solid label.
    "alarm": "#b3261e",
    "alarm-text": "#fffffd",
}

DARK: dict[str, str] = {
    "page": "#0f1318",
    "surface": "#222a35",
    "ink": "#e9edf2",
    "muted": "#a6b0be",
    "line": "#36404d",
    "edge": "#7f8b9b",
    "frame": "#6a7fa5",
    "shadow": "#000000",
    "focus": "#7cc4ff",
    "parameter": "#56b4e9",
    "parameter-fill": "#14304a",
    "leaf": "#33c79a",
    "leaf-fill": "#12362c",
    "buffer": "#7cc3ea",
    "buffer-fill": "#1a2b38",
    "constant": "#98a3b3",
    "constant-fill": "#20262f",
    "intermediate": "#73808f",
    "intermediate-fill": "#222a35",
    "output": "#e9edf2",
    "output-fill": "#222a35",
    "group": "#98a3b3",
    "group-fill": "#262f3b",
    "value": "#e9edf2",
    "value-bars": "#7c90ab",
    "gradient": "#f0a3cd",
    "gradient-bars": "#b8628f",
    "order-1": "#f0a3cd",
    "order-2": "#f5ad62",
    "order-3": "#58d1a8",
    "path": "#e3b23c",
    "path-fill": "#5c4608",
    "path-text": "#ffe7a6",
    "good": "#33c79a",
    "good-fill": "#10332a",
    "good-text": "#9be8cd",
    "warn": "#e6a52e",
    "warn-fill": "#3a2b0b",
    "warn-text": "#ffd98a",
    "bad": "#ff8748",
    "bad-fill": "#43210f",
    "bad-text": "#ffc4a3",
    "heat": "#e8772e",
    "heat-fill": "#38200f",
    "heat-text": "#ffc9a6",
    "alarm": "#ffb4ab",
    "alarm-text": "#690005",
}

ORDERS = ("forward", "backward", "backward of backward", "third order and beyond")
LEVELS = {"path": "→", "good": "✓", "warn": "!", "bad": "✗", "heat": "▲"}
LEVEL_WORDS = {
    "path": "on the path",
    "good": "right",
    "warn": "suspect",
    "bad": "wrong",
    "heat": "hot",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of vertex is drawn, besides its colours.

    Attributes
    ----------
    word : str
        For the legend.
    corner : float
        Radius of the card's corners.
    border : float
        Width of its border.
    dash : str
        Dash pattern; "" for a solid border.
    """

    word: str
    corner: float
    border: float
    dash: str = ""


LOOKS: dict[str, Look] = {
    "parameter": Look("parameter", 3, 1.4),
    "leaf": Look("leaf", 13, 1.4),
    "buffer": Look("buffer", 3, 1.2, "6 3"),
    "constant": Look("constant", 3, 1.2, "1.5 2.5"),
    "intermediate": Look("intermediate result", 8, 1),
    "output": Look("output", 8, 2.4),
    "group": Look("several drawn as one", 8, 1.6),
}


def check_theme(theme: str) -> None:
    """Raise ValueError if there is no such theme."""
    if theme not in THEMES:
        raise ValueError(f'theme must be "auto", "light" or "dark", not {theme!r}')


def colour(name: str, theme: Theme) -> str:
    """The colour `name`, as the attributes of a drawing in `theme` state it.

    That of "auto" is light: `dark_sheet` overrules it where the reader's system is dark.

    Examples
    --------
    >>> colour("ink", "light"), colour("ink", "auto"), colour("ink", "dark")
    ('#1b2430', '#1b2430', '#e9edf2')
    """
    return (DARK if theme == "dark" else LIGHT)[name]


def dark_sheet(drawing: str, selector: str = ".dagrad") -> str:
    """Rules that turn a light `drawing` dark where the reader's system is.

    They find elements by their light colours, so that a drawing has no variables in it: programs
    that know no style sheets, or not all of them, show it in light colours. Names of one light
    colour must therefore have one dark colour too.

    Examples
    --------
    >>> dark_sheet('<rect fill="#1b2430"/>', ".g")
    '@media(prefers-color-scheme:dark){.g[fill="#1b2430"],.g [fill="#1b2430"]{fill:#e9edf2}}'
    """
    rules = []
    for light, dark in dict.fromkeys((LIGHT[name], DARK[name]) for name in LIGHT):
        for what in ("fill", "stroke", "stop-color"):
            found = f'[{what}="{light}"]'
            if found[1:-1] in drawing:
                rules.append(f"{selector}{found},{selector} {found}{{{what}:{dark}}}")
    return f"@media(prefers-color-scheme:dark){{{''.join(rules)}}}"


def css(
    theme: Theme = "auto",
    selector: str = ":root",
    *,
    names: Collection[str] | None = None,
    switch: bool = False,
) -> str:
    """Rules that set the CSS variables ``--dg-ink``, ``--dg-page`` ... on `selector`.

    Parameters
    ----------
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system.
    selector : str
        One simple selector.
    names : collection of str, optional
        Only these colours.
    switch : bool
        With "auto": ``data-theme="light"`` or ``data-theme="dark"`` on an element that `selector`
        finds overrules the system.

    Raises
    ------
    ValueError
        If there is no such theme.

    Examples
    --------
    >>> css("light", names=["ink"])
    ':root{--dg-ink:#1b2430}'
    """
    check_theme(theme)

    def rule(palette: dict[str, str], chosen: str = "") -> str:
        wanted = palette if names is None else {n: c for n, c in palette.items() if n in names}
        return f"{selector}{chosen}{{{';'.join(f'--dg-{n}:{c}' for n, c in wanted.items())}}}"

    if theme != "auto":
        return rule(DARK if theme == "dark" else LIGHT)
    rules = f"{rule(LIGHT)}@media(prefers-color-scheme:dark){{{rule(DARK)}}}"
    if switch:
        rules += rule(LIGHT, '[data-theme="light"]') + rule(DARK, '[data-theme="dark"]')
    return rules
