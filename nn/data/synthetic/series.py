"""Series of numbers in time, and the windows that predict their next one."""

from __future__ import annotations

import numpy as np

WEEK = (1.12, 1.18, 1.14, 1.06, 0.88, 0.74, 0.88)
"""How Monday to Sunday compare with the mean day: most is watched in the middle of the week."""

YEARLY_GROWTH = 1.25
"""Of the mean day, from one year to the next."""

NOISE = 0.06
"""Standard deviation of one day's accident, as a share of the day's expected views."""


def daily_views(
    days: int, *, start: float = 10.0, noise: float = NOISE, rng: np.random.Generator
) -> np.ndarray:
    """
    Views of a video channel, day by day, in thousands: growth, a weekly cycle, and chance.

    Expected are ``start * growth ** (day / 365) * week[day % 7]``; each day deviates from that by
    some 6 % (``exp(noise * normal)``), independently of all others. So the best prediction knows
    the day of the week, and averages much of the past, since a single day says little.

    Parameters
    ----------
    days : int
        At least 1; the first is a Monday.
    start : float, default 10.0
        Thousands of views of the mean day at the beginning.
    noise : float, default 0.06
        0 gives what is expected.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape ``(days,)``
        Above 0.

    Raises
    ------
    ValueError
        If `days` is below 1, or `start` is not a number above 0, or `noise` not one of
        at least 0.

    Examples
    --------
    >>> daily_views(3, rng=np.random.default_rng(0)).round(2)
    array([11.28, 11.71, 11.86], dtype=float32)
    """
    if days < 1:
        raise ValueError(f"daily_views: days must be at least 1, got {days}")
    if not 0.0 < start < np.inf:
        raise ValueError(f"daily_views: start must be a number above 0, got {start}")
    if not 0.0 <= noise < np.inf:
        raise ValueError(f"daily_views: noise must be a number of at least 0, got {noise}")
    day = np.arange(days)
    expected = start * YEARLY_GROWTH ** (day / 365.0) * np.array(WEEK)[day % 7]
    return (expected * np.exp(noise * rng.standard_normal(days))).astype(np.float32)


def lagged(series: np.ndarray, past: int, skip: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """
    Windows of a series, and the number that follows each.

    Parameters
    ----------
    series : ndarray, shape ``(T,)``
    past : int
        Length of a window.
    skip : int, default 0
        Leave out so many of the first numbers as targets (they may still be in windows), so that
        windows of different lengths can be compared on the same targets.

    Returns
    -------
    windows : ndarray, shape ``(N, past)``
        Oldest number first; ``N = T - max(past, skip)``.
    targets : ndarray, shape ``(N, 1)``

    Raises
    ------
    ValueError
        If the series has not one dimension, is no longer than `past` or `skip`, or `past` is below
        1 or `skip` below 0.

    Examples
    --------
    >>> windows, targets = lagged(np.arange(5.0), 2)
    >>> windows.tolist(), targets.tolist()
    ([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]], [[2.0], [3.0], [4.0]])
    """
    series = np.asarray(series)
    if series.ndim != 1:
        raise ValueError(f"lagged: expected a series of shape (T,), got {series.shape}")
    if past < 1 or skip < 0:
        raise ValueError(f"lagged: past must be at least 1 and skip 0, got {past} and {skip}")
    first = max(past, skip)
    if len(series) <= first:
        raise ValueError(
            f"lagged: {len(series)} numbers are too few to predict one from {past} after the first "
            f"{first}"
        )
    windows = np.lib.stride_tricks.sliding_window_view(series, past)[first - past : -1]
    return windows.copy(), series[first:, None].copy()
