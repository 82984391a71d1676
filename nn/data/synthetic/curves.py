"""Curves of one variable, to be fitted."""

from __future__ import annotations

import numpy as np


def wavy_curve(
    n: int, noise: float = 0.0, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """
    A smooth curve whose waves become shorter from left to right, at evenly spaced places.

    ``y = 0.6 * sin(3 * pi * x ** 2) + 0.4 * x`` for x from 0 to 1, plus noise.

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    noise : float, default 0.0
        Standard deviation of what is added to y.
    rng : numpy.random.Generator

    Returns
    -------
    x, y : ndarray of float32, shape ``(n, 1)``

    Raises
    ------
    ValueError
        If `n` is below 2 or `noise` is not a number of at least 0.

    Examples
    --------
    >>> x, y = wavy_curve(5, rng=np.random.default_rng(0))
    >>> x[:, 0].tolist(), np.round(y[:, 0].tolist(), 2).tolist()
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.43, 0.62, -0.2, 0.4])
    """
    if n < 2:
        raise ValueError(f"wavy_curve: a curve has at least 2 points, got n={n}")
    if not 0.0 <= noise < np.inf:
        raise ValueError(f"wavy_curve: noise must be a number of at least 0, got {noise}")
    x = np.linspace(0.0, 1.0, n)[:, None]
    y = 0.6 * np.sin(3.0 * np.pi * x**2) + 0.4 * x + noise * rng.standard_normal((n, 1))
    return x.astype(np.float32), y.astype(np.float32)
