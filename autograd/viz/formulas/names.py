"""Names and numbers as formulas show them."""

from __future__ import annotations

import re
from typing import Any

from ..summary import number

# Names of metadata and of numbers that formulas use: as Unicode, as LaTeX.
GREEK = {
    "pi": ("π", r"\pi"),
    "inf": ("∞", r"\infty"),
    "beta": ("β", r"\beta"),
    "eps": ("ε", r"\varepsilon"),
    "lambd": ("λ", r"\lambda"),
}

LETTERS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
LETTERS += "sigma tau upsilon phi chi psi omega"
SMALL = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", LETTERS.split(), strict=True))
# Those that look like Latin letters have no command of their own.
LATIN_LIKE = {"omicron": "o"}
CAPITALS = "ΓΔΘΛΞΠΣ\u03a5ΦΨΩ"
COMMANDS = {c: LATIN_LIKE.get(name, rf"\{name}") for c, name in SMALL.items()}
COMMANDS |= {c: rf"\{SMALL[c.lower()].capitalize()}" for c in CAPITALS}
SPELLED = {name: rf"\{name}" for name in SMALL.values() if name not in LATIN_LIKE}

ESCAPES = {
    "\\": r"\backslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\hat{}",
    "~": r"\sim{}",
    "<": "<",
    " ": r"\ ",
    "\n": r"\ ",
    "\t": r"\ ",
    "|": r"\vert{}",
    "'": "'",
    '"': "''",
    "`": r"\text{`}",
}
# A word, then an underscore or not, then digits: the digits are an index.
INDEXED = re.compile(r"(.*[^\W\d_])_?(\d+)", re.DOTALL)
POSITION = re.compile(r"(.+?)\[([-\d, ]+)\]", re.DOTALL)


def plain_number(value: Any) -> str:
    """A number to four digits, ``∞`` for infinity."""
    if value is None:
        return "none"
    return number(value).replace("inf", "∞")


def latex_number(value: Any) -> str:
    r"""A number to four digits, as LaTeX.

    Examples
    --------
    >>> latex_number(-0.5), latex_number(1e-7), latex_number(float("inf"))
    ('-0.5', '1 \\times 10^{-7}', '\\infty')
    """
    text = plain_number(value)
    if "e" in text and text[-1].isdigit():
        digits, _, exponent = text.partition("e")
        return rf"{digits} \times 10^{{{int(exponent)}}}"
    if text.lstrip("-").isalpha():
        return rf"\mathrm{{{text}}}"
    return text.replace("∞", r"\infty")


def latex_name(name: str, upright: bool = True) -> str:
    r"""A name of the user's as LaTeX: one letter in italics, a word upright, digits lowered.

    Examples
    --------
    >>> latex_name("w"), latex_name("h_1"), latex_name("α"), latex_name("loss_total")
    ('w', 'h_{1}', '\\alpha', '\\mathrm{loss\\_total}')
    >>> latex_name("conv1.weight[2, 0]")
    '\\mathrm{conv1.weight}_{2,0}'
    """
    if not upright:
        return "".join(_escaped(c) for c in name)
    position = POSITION.fullmatch(name)
    if position:
        return f"{_word(position[1])}_{{{position[2].replace(' ', '')}}}"
    indexed = INDEXED.fullmatch(name)
    if indexed:
        return f"{_word(indexed[1])}_{{{indexed[2]}}}"
    return _word(name)


def _word(word: str) -> str:
    if word in COMMANDS:
        return COMMANDS[word]
    if word in SPELLED:
        return SPELLED[word]
    if len(word) == 1 and word.isascii() and word.isalpha():
        return word
    return rf"\mathrm{{{''.join(_escaped(c) for c in word)}}}"


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character in COMMANDS:
        return COMMANDS[character] + "{}"
    # Letters that mathematics does not have, in the font of the text.
    return character if character.isascii() else rf"\text{{{character}}}"
