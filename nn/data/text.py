"""Text as numbers: alphabets, windows, and a text that every Python has."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

# Typographic signs of the manual, which differ between releases of Python, as ASCII.
PLAIN = str.maketrans("\u201c\u201d\u2018\u2019\u2013\u2014", "\"\"''--")
TABLE = re.compile(r"\+[-=]{2}")
DEEP = re.compile(r"^ {9,}", re.MULTILINE)
ALIGNED = re.compile(r"(?<=\S) {2,}")


class Alphabet:
    """
    Characters, and their numbers from 0.

    Parameters
    ----------
    characters : iterable of str
        A text will do: each character counts once, and they are sorted.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> alphabet = Alphabet("hello world")
    >>> len(alphabet), alphabet.characters
    (8, ' dehlorw')
    >>> alphabet.encode("hole")
    array([3, 5, 4, 2])
    >>> alphabet.decode([3, 2, 5])
    'heo'
    """

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(sorted({sign for text in characters for sign in text}))
        if not self.characters:
            raise ValueError("Alphabet: expected at least one character, met none")
        self._numbers = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def __repr__(self) -> str:
        return f"Alphabet({self.characters!r})"

    def encode(self, text: str) -> np.ndarray:
        """
        Numbers of the characters of a text, int64.

        Raises
        ------
        ValueError
            If a character is not in the alphabet; names it and its place.
        """
        try:
            return np.fromiter(map(self._numbers.__getitem__, text), np.int64, len(text))
        except KeyError as error:
            sign = error.args[0]
            raise ValueError(
                f"Alphabet.encode: {sign!r}, at place {text.index(sign)}, is not in the alphabet "
                f"of {len(self)} characters"
            ) from None

    def decode(self, numbers: Any) -> str:
        """
        Text of numbers.

        Raises
        ------
        ValueError
            If a number belongs to no character.
        """
        values = np.asarray(numbers)
        if values.size and (values.dtype.kind not in "iu" or values.ndim != 1):
            raise ValueError(
                f"Alphabet.decode: expected a row of integers, met {values.dtype} {values.shape}"
            )
        if values.size and not 0 <= values.min() <= values.max() < len(self):
            raise ValueError(
                f"Alphabet.decode: expected numbers from 0 to {len(self) - 1}, met "
                f"{values.min()} to {values.max()}"
            )
        return "".join(self.characters[i] for i in values)


def next_windows(numbers: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
    """
    A long row of numbers cut into windows, and for each number the one that follows.

    Parameters
    ----------
    numbers : array of int, (n,)
    length : int
        Of a window. What is left at the end, and fills none, is dropped.

    Returns
    -------
    inputs, targets : ndarray of int64, (windows, length)

    Raises
    ------
    ValueError
        If `length` is less than 1, or `numbers` are no row of more than `length`.

    Examples
    --------
    >>> inputs, targets = next_windows(np.arange(8), 3)
    >>> inputs.tolist()
    [[0, 1, 2], [3, 4, 5]]
    >>> targets.tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    values = np.asarray(numbers)
    if length < 1 or values.ndim != 1 or len(values) <= length or values.dtype.kind not in "iu":
        raise ValueError(
            f"next_windows: expected a row of more than length={length} integers, and length at "
            f"least 1, met {values.dtype} {values.shape}"
        )
    count = (len(values) - 1) // length
    values = values.astype(np.int64)
    inputs = values[: count * length].reshape(count, length)
    return inputs, values[1 : count * length + 1].reshape(count, length)


@functools.cache
def python_manual() -> str:
    """
    The chapters of Python's language reference that ``help()`` shows, as one text.

    Some 340,000 characters, printable ASCII and line ends. A paragraph that occurs in several
    chapters is there once, so that what is held out was not read in training; tables
    and the blanks that align columns are left out. The text is that of the Python that runs, and
    differs a little from release to release.

    Examples
    --------
    >>> 'The "while" statement' in python_manual()
    True
    """
    from pydoc_data.topics import topics

    paragraphs: dict[str, str] = {}
    for _, chapter in sorted(topics.items()):
        for paragraph in chapter.translate(PLAIN).split("\n\n"):
            # Chapters indent alike paragraphs differently.
            paragraphs.setdefault(" ".join(paragraph.split()), paragraph.strip("\n"))
    kept = (p for words, p in paragraphs.items() if words and not TABLE.search(words))
    text = ALIGNED.sub(" ", DEEP.sub(" " * 8, "\n\n".join(kept)))
    return "".join(sign for sign in text if sign == "\n" or " " <= sign <= "~")
