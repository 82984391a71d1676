"""The adding problem: a long sequence of which two numbers matter."""

from __future__ import annotations

import numpy as np


def adding_problem(
    n: int, steps: int = 100, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """
    Sequences with two marked numbers each, and their sums.

    At each step there are a number, uniform in [0, 1), and a mark, 1 at two steps and 0 at all
    others. One mark lies in the first half of the sequence and one in the second, anywhere there.
    Who always answers 1 has a mean squared error of 1/6; who keeps the first marked number until
    the end, none.

    Hochreiter and Schmidhuber 1997, "Long short-term memory", section 5.4, in the form of most
    later papers: marks in the two halves, numbers that are not negative.

    Parameters
    ----------
    n : int
        Sequences.
    steps : int, default 100
        Of each, at least 2.
    rng : numpy.random.Generator

    Returns
    -------
    sequences : ndarray of float32, (n, steps, 2)
        Numbers and marks.
    sums : ndarray of float32, (n, 1)

    Raises
    ------
    ValueError
        If `n` is negative or `steps` less than 2.

    Examples
    --------
    >>> sequences, sums = adding_problem(3, 50, rng=np.random.default_rng(0))
    >>> sequences.shape, sums.shape
    ((3, 50, 2), (3, 1))
    >>> sequences[0, :, 1].sum()
    np.float32(2.0)
    """
    if n < 0 or steps < 2:
        raise ValueError(
            f"adding_problem: n must be at least 0 and steps at least 2, met {n} and {steps}"
        )
    numbers = rng.random((n, steps), dtype=np.float32)
    marks = np.zeros_like(numbers)
    rows, half = np.arange(n), steps // 2
    marks[rows, rng.integers(0, half, n)] = 1.0
    marks[rows, rng.integers(half, steps, n)] = 1.0
    sums = (numbers * marks).sum(axis=1, keepdims=True)
    return np.stack([numbers, marks], axis=2), sums
