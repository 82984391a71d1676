"""Text in drawings: how wide it is, how it is shortened, how numbers and markup are written.

There is no font at hand when an SVG is made, so widths come from a table: those of Helvetica and
Arial (and Liberation Sans), in thousandths of the type size.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..summary import number

# Of the characters from the space to the tilde.
_REGULAR = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 "
    "556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 "
    "1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 "
    "333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 "
    "556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 "
    "556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611 "
    "975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 "
    "333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 "
    "611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
_OTHERS = {"×": 584, "−": 584, "·": 278, "…": 1000, "²": 333, "³": 333, "∂": 494, "∞": 713}


def _table(widths: str) -> dict[str, float]:
    table = {chr(32 + i): int(width) / 1000 for i, width in enumerate(widths.split())}
    return table | {character: width / 1000 for character, width in _OTHERS.items()}


_TABLES = (_table(_REGULAR), _table(_BOLD))

# Letters that the table does not know are about this wide (of the type size); the scripts that
# Unicode calls wide fill the whole of it.
_UNKNOWN = 0.64
_WIDE = 1.0

# Other fonts than those measured may stand in, and are a little wider.
ALLOWANCE = 1.02


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a line in pixels.

    Examples
    --------
    >>> round(text_width("loss", 10.0), 2), text_width("", 10.0)
    (18.14, 0.0)
    """
    table = _TABLES[bold]
    total = 0.0
    for character in text:
        width = table.get(character)
        if width is None:
            if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
                width = 0.0
            else:
                wide = unicodedata.east_asian_width(character) in "WF"
                width = _WIDE if wide else _UNKNOWN
        total += width
    return total * size * ALLOWANCE


def elide(text: str, room: float, size: float, bold: bool = False) -> str:
    """Leave out the middle of `text` if it is wider than `room`.

    The end keeps a little more than the beginning: of a path, the end tells more.

    Examples
    --------
    >>> elide("encoder.layers.11.attention.weight", 100.0, 10.0)
    'encoder…tion.weight'
    """
    if text_width(text, size, bold) <= room:
        return text
    kept = len(text)
    low, high = 1, kept
    while low < high:  # the longest that fits
        kept = (low + high + 1) // 2
        if text_width(_without_middle(text, kept), size, bold) <= room:
            low = kept
        else:
            high = kept - 1
    return _without_middle(text, low)


def _without_middle(text: str, kept: int) -> str:
    head = int(kept * 0.4)
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}"


def wrap(text: str, room: float, size: float, most: int = 3) -> list[str]:
    """Break `text` at spaces into at most `most` lines that fit into `room`.

    Examples
    --------
    >>> wrap("the sign of this is wrong", 60.0, 10.0)
    ['the sign of', 'this is wrong']
    """
    lines: list[str] = []
    words = text.split()
    while words:
        count = 1
        if len(lines) == most - 1:
            count = len(words)
        else:
            while count < len(words) and text_width(" ".join(words[: count + 1]), size) <= room:
                count += 1
        lines.append(elide(" ".join(words[:count]), room, size))
        words = words[count:]
    return lines


def one_line(text: str) -> str:
    r"""`text` without line breaks and without what XML does not allow.

    Examples
    --------
    >>> one_line("a\n  b\x00") == "a b\ufffd"
    True
    """
    return " ".join(_legal(text).split())


def _legal(text: str) -> str:
    return "".join(
        c
        if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"
        else (c if c in "\n\t" else "\ufffd")
        for c in text
    )


def escape(text: str) -> str:
    """`text` as the content or an attribute of an XML or HTML element.

    Examples
    --------
    >>> escape('a < b & "c"')
    'a &lt; b &amp; &quot;c&quot;'
    """
    text = _legal(text)
    for character, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(character, entity)
    return text


def pixels(value: float) -> str:
    """A coordinate to a tenth of a pixel, in as few characters as that takes.

    Examples
    --------
    >>> pixels(12.0), pixels(-0.04), pixels(3.14159)
    ('12', '0', '3.1')
    """
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def figure(value: Any, digits: int = 3) -> str:
    """A number with a proper minus sign and a short exponent.

    Examples
    --------
    >>> figure(-0.12345), figure(1e-9), figure(2.5e12), figure(float("nan"))
    ('−0.123', '1e−9', '2.5e12', 'NaN')
    """
    text = number(value, digits)
    mantissa, e, exponent = text.partition("e")
    if e and exponent[1:].isdigit():
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return "NaN" if text == "nan" else text.replace("-", "−")


def single(value: Any) -> Any:
    """The number that a number, or an array of one element, is; None for other arrays.

    Examples
    --------
    >>> import numpy as np
    >>> single(np.float32(0.5)), single(np.array([[2]])), single(1.5), single(np.zeros(3))
    (0.5, 2, 1.5, None)
    """
    if isinstance(value, np.ndarray):
        return value.reshape(()).item() if value.size == 1 else None
    return value.item() if isinstance(value, np.generic) else value


def literal(array: Any, digits: int = 3) -> str:
    """A very small array, element by element.

    Examples
    --------
    >>> import numpy as np
    >>> literal(np.array([[1.0, -2.0], [0.5, 0.0]]))
    '[[1, −2], [0.5, 0]]'
    """
    if array.ndim == 0:
        return figure(array.item(), digits)
    parts: Sequence[str] = [literal(part, digits) for part in array]
    return f"[{', '.join(parts)}]"
