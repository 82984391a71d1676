"""Ratios, intervals and verdicts, on series whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.history import change
from benchmarks.stats import ratio, spread


def noisy(rng: np.random.Generator, rounds: int = 40, level: float = 1.0) -> list[float]:
    """Times of a shared machine: skewed noise, and slow spells that last for some rounds."""
    spells = np.repeat(rng.random(rounds // 5) < 0.1, 5) * 0.3
    return list(level * (1.0 + 0.02 * rng.lognormal(0.0, 1.0, rounds)) * (1.0 + spells))


def test_spread():
    found = spread([5.0, 1.0, 3.0])
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0)
    assert found.relative == pytest.approx(2.0 / 3.0)
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_a_slow_spell_hits_both_sides_of_a_pair():
    rng = np.random.default_rng(0)
    spell = 1.0 + 4.0 * (np.arange(40) % 8 == 0)
    first = rng.uniform(0.98, 1.02, 40) * spell
    found = ratio(list(first), list(first * 1.5))
    assert found.median == pytest.approx(1.5)
    assert found.verdict == "faster"
    assert ratio(list(first * 1.5), list(first)).verdict == "slower"


def test_no_verdict_where_there_is_noise():
    rng = np.random.default_rng(0)
    found = ratio(list(rng.uniform(1.0, 3.0, 40)), list(rng.uniform(1.0, 3.0, 40)))
    assert found.noisy
    assert found.verdict == "noisy"


def test_what_cannot_be_compared():
    for pair in (([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([], [])):
        with pytest.raises(ValueError, match="rounds"):
            ratio(*pair)


def test_equal_runs_are_not_told_apart():
    """Of 20 repeats at most one false alarm; and of 20 that are 1.2 times slower, most are seen."""
    rng = np.random.default_rng(1)
    alarms = sum(change("k", noisy(rng), noisy(rng)).verdict != "same" for _ in range(20))
    assert alarms <= 1
    seen = sum(
        change("k", noisy(rng), noisy(rng, level=1.2)).verdict == "slower" for _ in range(20)
    )
    assert seen >= 15


def test_intervals_hold_the_truth():
    """The 95 % interval of a ratio holds its true median in about 95 of 100 series."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        first = rng.lognormal(0.0, 0.05, 30)
        found = ratio(list(first), list(first * 1.1 * rng.lognormal(0.0, 0.05, 30)))
        held += found.low <= 1.1 <= found.high
    assert 180 <= held <= 200
