"""The exclusive or, as points around the corners of a square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def exclusive_or(
    n: int, *, noise: float = 0.2, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """
    Points around the corners of a square from -1 to 1, and whether the corner's signs differ.

    No straight line parts the two classes, which is why a single layer cannot learn them (Minsky
    and Papert 1969, "Perceptrons").

    Parameters
    ----------
    n : int
        Points, of which each corner has the same number, give or take one.
    noise : float, default 0.2
        Standard deviation of the points around their corner, in both coordinates. 0: the corners.
    rng : np.random.Generator

    Returns
    -------
    points : ndarray of float32, (n, 2)
        In random order.
    differ : ndarray of int64, (n,)
        1 where the signs of the corner differ, else 0.

    Raises
    ------
    ValueError
        If `n` or `noise` is negative, or `noise` not finite.

    Examples
    --------
    >>> points, differ = exclusive_or(4, noise=0.0, rng=np.random.default_rng(0))
    >>> [(*map(int, point), int(label)) for point, label in sorted(zip(points.tolist(), differ))]
    [(-1, -1, 0), (-1, 1, 1), (1, -1, 1), (1, 1, 0)]
    """
    if n < 0 or not 0 <= noise < np.inf:
        raise ValueError(
            f"exclusive_or: expected n >= 0 and a finite noise >= 0, met n={n}, noise={noise}"
        )
    corner = rng.permutation(np.arange(n) % 4)
    signs = np.stack([corner // 2, corner % 2], axis=1) * 2 - 1
    points = signs + rng.normal(0.0, noise, (n, 2))
    return points.astype(np.float32), (signs[:, 0] != signs[:, 1]).astype(np.int64)
