"""Spirals in the plane, wound around each other: classes that no straight line parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

START = 0.1  # radius at which each arm begins, so that the arms do not touch in the middle


def spirals(
    n: int,
    *,
    arms: int = 2,
    turns: float = 1.75,
    noise: float = 0.04,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """
    Points on the arms of a spiral, each arm a class.

    The arms begin near the middle and end on the circle of radius 1; points lie evenly along the
    radius. With the defaults, neighbouring turns are about a quarter apart.

    Parameters
    ----------
    n : int
        Points, of which each arm has the same number, give or take one.
    arms : int, default 2
        Number of classes.
    turns : float, default 1.75
        How often each arm goes around the middle. More are harder.
    noise : float, default 0.04
        Standard deviation of what is added to both coordinates.
    rng : np.random.Generator

    Returns
    -------
    points : ndarray of float32, (n, 2)
        In random order.
    arm : ndarray of int64, (n,)

    Raises
    ------
    ValueError
        If `n`, `turns` or `noise` is negative or not finite, or there is no arm.

    Examples
    --------
    >>> points, arm = spirals(300, arms=3, rng=np.random.default_rng(0))
    >>> points.shape, np.bincount(arm)
    ((300, 2), array([100, 100, 100]))
    """
    if n < 0 or arms < 1 or not (0 <= turns < np.inf and 0 <= noise < np.inf):
        raise ValueError(
            "spirals: expected n >= 0, arms >= 1, finite turns >= 0 and noise >= 0, met "
            f"n={n}, arms={arms}, turns={turns}, noise={noise}"
        )
    arm = rng.permutation(np.arange(n) % arms)
    along = rng.uniform(0.0, 1.0, n)
    radius = START + (1.0 - START) * along
    angle = 2.0 * np.pi * (turns * along + arm / arms)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points += rng.normal(0.0, noise, (n, 2))
    return points.astype(np.float32), arm.astype(np.int64)
