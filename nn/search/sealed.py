"""Data that are looked at once."""

from __future__ import annotations

from typing import Any


class Sealed:
    """
    Test data under seal: they can be read once, and a second attempt is an error.

    A test split that was looked at twice, with a choice made in between, no longer tells how a
    model does on data that nobody has seen.

    Parameters
    ----------
    *data
        What `read` gives out.

    Attributes
    ----------
    reads : int
        How often it was read: 0 or 1.

    Raises
    ------
    RuntimeError
        From the second `read`.

    Examples
    --------
    >>> test = Sealed([1, 2], [0, 1])
    >>> test.reads
    0
    >>> images, labels = test.read()
    >>> test.reads
    1
    >>> test.read()
    Traceback (most recent call last):
    ...
    RuntimeError: the test data were read already: what is chosen now is chosen by them
    """

    def __init__(self, *data: Any) -> None:
        self._data = data
        self.reads = 0

    def read(self) -> tuple[Any, ...]:
        """Break the seal."""
        if self.reads:
            raise RuntimeError(
                "the test data were read already: what is chosen now is chosen by them"
            )
        self.reads += 1
        return self._data

    def __repr__(self) -> str:
        return f"Sealed(reads={self.reads})"
