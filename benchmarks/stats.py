"""What repeated timings say: medians, quartiles, and whether one contender is the faster one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
NOISY = 0.25
"""An interquartile range above this part of the median is told as noise, with no verdict: on shared
machines differences below it come and go by themselves."""
MATTERS = 0.03
"""A difference below this part is called the same even where the interval leaves out 1."""


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of some numbers."""

    low: float
    median: float
    high: float

    @property
    def relative(self) -> float:
        """The interquartile range as a part of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def spread(values: Sequence[float]) -> Spread:
    """
    Median and quartiles.

    Raises
    ------
    ValueError
        If there are no values.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    Spread(low=2.0, median=3.0, high=4.0)
    """
    if not len(values):
        raise ValueError("spread: no values")
    low, median, high = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    return Spread(low, median, high)


@dataclass(frozen=True)
class Ratio:
    """How the times of two contenders compare, b / a: above 1 the first is the faster one.

    Attributes
    ----------
    median : float
        Median of the ratios of all rounds.
    low, high : float
        Ends of its bootstrap interval.
    quartiles : Spread
        Of the ratios: how they scatter from round to round.
    """

    median: float
    low: float
    high: float
    quartiles: Spread

    @property
    def noisy(self) -> bool:
        """Whether the rounds scatter so much that there is no verdict."""
        return self.quartiles.relative > NOISY

    @property
    def verdict(self) -> str:
        """Of the first contender "faster", "slower" or "same"; without a verdict "noisy"."""
        if self.noisy:
            return "noisy"
        if self.low > 1.0 and self.median > 1.0 + MATTERS:
            return "faster"
        if self.high < 1.0 and self.median < 1.0 / (1.0 + MATTERS):
            return "slower"
        return "same"


def ratio(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Ratio:
    """
    Compare two contenders that were timed in turn: pair by pair, second / first.

    A slow moment of the machine hits both sides of a pair, so the ratio of a pair is worth more
    than that of two medians. The interval is the percentile bootstrap of the median (Efron 1979,
    "Bootstrap methods: another look at the jackknife"), with a fixed seed.

    Raises
    ------
    ValueError
        If they have different lengths, or fewer than two rounds.

    Examples
    --------
    >>> ratio([1.0, 1.1, 0.9, 1.0, 1.0], [2.0, 2.2, 1.8, 2.0, 2.1]).verdict
    'faster'
    >>> ratio([1.0, 1.0, 1.0], [1.01, 1.0, 0.99]).verdict
    'same'
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            f"ratio: {len(first)} and {len(second)} rounds; expected as many of both, at least 2"
        )
    each = np.asarray(second, np.float64) / np.asarray(first, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(each), (RESAMPLES, len(each)))
    medians = np.median(each[drawn], axis=1)
    outside = (1.0 - CONFIDENCE) / 2.0
    low, high = (float(q) for q in np.quantile(medians, (outside, 1.0 - outside)))
    return Ratio(float(np.median(each)), low, high, spread(each.tolist()))
