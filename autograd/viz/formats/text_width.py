"""How wide text is in a terminal, and text that fits into a number of columns."""

from __future__ import annotations

import unicodedata

SPARKS = "▁▂▃▄▅▆▇"
ASCII_SPARKS = "_.-:=+#"


def width(text: str) -> int:
    r"""Columns that `text` takes: two for wide characters, none for combining ones.

    Examples
    --------
    >>> width("abc"), width("重み"), width("e\u0301")
    (3, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def clean(text: str) -> str:
    r"""Text without what moves the cursor, changes colours or turns the direction of writing.

    Examples
    --------
    >>> clean("a\nb\x1b[31m")
    'a\\nb\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if _harmless(character) else character.encode("unicode_escape").decode()
        for character in text
    )


def _harmless(character: str) -> bool:
    category = unicodedata.category(character)
    # Joiners and variation selectors are part of emoji; other format characters turn the text.
    return category[0] not in "CZ" or character in " \u200d" or category == "Co"


def to_ascii(text: str) -> str:
    """Text in which what is not ASCII is written as escapes, but for signs with a likeness."""
    if text.isascii():
        return text
    for sign, likeness in (("×", "x"), ("…", ".."), ("−", "-"), ("·", "."), ("∂", "d")):
        text = text.replace(sign, likeness)
    return text.encode("ascii", "backslashreplace").decode()


def elided(text: str, room: int, sign: str = "…") -> str:
    """`text` in at most `room` columns; its middle gives way to `sign` where it is longer.

    Examples
    --------
    >>> elided("conv1.weight", 8), elided("conv1.weight", 20), elided("重み重み", 4)
    ('conv…ght', 'conv1.weight', '重…')
    """
    if width(text) <= room:
        return text
    if room <= width(sign):
        return sign[: max(room, 0)]
    left = room - width(sign)
    head = _fitting(text, left - left // 2)
    tail = _fitting(text[::-1], left // 2)[::-1]
    # A combining character must not lose what it stands on.
    while tail and not _columns(tail[0]):
        tail = tail[1:]
    return head + sign + tail


def shortened(text: str, room: int, sign: str = "…") -> str:
    """`text` in at most `room` columns; its end gives way to `sign` where it is longer."""
    if width(text) <= room:
        return text
    if room <= width(sign):
        return sign[: max(room, 0)]
    return _fitting(text, room - width(sign)) + sign


def _fitting(text: str, room: int) -> str:
    """As many characters from the start as fit."""
    if text.isascii():
        return text[:room]
    used = 0
    for position, character in enumerate(text):
        used += _columns(character)
        if used > room:
            return text[:position]
    return text


def padded(text: str, room: int, right: bool = False) -> str:
    """`text` with spaces up to `room` columns, before it if `right`."""
    space = " " * max(0, room - width(text))
    return space + text if right else text + space


def sparkline(histogram: tuple[int, ...], length: int, ascii_only: bool = False) -> str:
    """A histogram as a row of bars, neighbouring bins taken together to make `length` of them.

    Examples
    --------
    >>> sparkline((1, 2, 3, 4, 3, 2, 1, 0, 0, 0, 0, 1), 12), sparkline((1, 1, 3, 4), 2)
    ('▃▄▅▇▅▄▃▁▁▁▁▃', '▃▇')
    """
    step = max(1, len(histogram) // length)
    counts = [sum(histogram[i : i + step]) for i in range(0, len(histogram), step)]
    signs = ASCII_SPARKS if ascii_only else SPARKS
    top, steps = max(counts, default=0), len(signs) - 1
    # The lowest bar is for nothing at all: a single element must be seen.
    return "".join(signs[0] if not n else signs[max(1, round(steps * n / top))] for n in counts)
