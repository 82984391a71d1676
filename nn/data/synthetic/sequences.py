"""Strings of digits, none twice: what networks learn to sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def digit_strings(
    n: int, *, length: int = 10, symbols: int = 10, rng: np.random.Generator
) -> NDArray[np.int64]:
    """
    Different strings of digits, so that any part of them can be held out.

    ``np.sort(strings, axis=1)`` is what a network has to answer that sorts them.

    Parameters
    ----------
    n : int
        Strings.
    length : int, default 10
        Digits of each.
    symbols : int, default 10
        Digits are from 0 to ``symbols - 1``.
    rng : np.random.Generator

    Returns
    -------
    ndarray of int64, (n, length)
        No row twice, in random order.

    Raises
    ------
    ValueError
        If a number is out of range, or there are not as many different strings.

    Examples
    --------
    >>> digit_strings(3, length=5, rng=np.random.default_rng(0))
    array([[8, 6, 5, 2, 3],
           [0, 0, 0, 1, 8],
           [6, 9, 5, 6, 9]])
    >>> len(np.unique(digit_strings(8, length=3, symbols=2, rng=np.random.default_rng(0)), axis=0))
    8
    """
    if n < 0 or length < 1 or symbols < 1:
        raise ValueError(
            "digit_strings: expected n >= 0, length >= 1 and symbols >= 1, met "
            f"n={n}, length={length}, symbols={symbols}"
        )
    if n > symbols**length:
        raise ValueError(
            f"digit_strings: there are {symbols**length} strings of {length} digits out of "
            f"{symbols}, not {n}"
        )
    if 2 * n > symbols**length:  # few are left to be drawn: number all, and choose
        numbers = rng.permutation(symbols**length)[:n]
        return numbers[:, None] // symbols ** np.arange(length)[::-1] % symbols
    strings = np.empty((0, length), np.int64)
    while len(strings) < n:
        drawn = np.concatenate([strings, rng.integers(0, symbols, (n - len(strings), length))])
        _, first = np.unique(drawn, axis=0, return_index=True)
        strings = drawn[np.sort(first)]
    return strings
