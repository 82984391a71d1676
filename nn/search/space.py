"""What can be searched: ranges of parameters, and lists of candidates drawn from them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Parameters = dict[str, Any]
PLAIN = (bool, int, float, str, type(None))  # what JSON gives back as it was


@dataclass(frozen=True)
class Uniform:
    """
    A real number between two, each as likely.

    Examples
    --------
    >>> 0.0 <= Uniform(0.0, 0.5).draw(np.random.default_rng(0)) < 0.5
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"{self}: low must be less than high, and both finite")

    def draw(self, rng: np.random.Generator) -> float:
        """One value at random."""
        return float(rng.uniform(self.low, self.high))


@dataclass(frozen=True)
class LogUniform:
    """
    A positive number whose logarithm is uniform: each power of ten is as likely.

    Examples
    --------
    >>> 1e-4 <= LogUniform(1e-4, 1e-1).draw(np.random.default_rng(0)) <= 1e-1
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(f"{self}: low must be positive and less than high, which is finite")

    def draw(self, rng: np.random.Generator) -> float:
        """One value at random."""
        value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(value, self.low), self.high)  # exp may round past the end


@dataclass(frozen=True)
class Integer:
    """
    A whole number from `low` to `high`, both included.

    Examples
    --------
    >>> Integer(1, 3).draw(np.random.default_rng(0)) in (1, 2, 3)
    True
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not (isinstance(self.low, int) and isinstance(self.high, int) and self.low <= self.high):
            raise ValueError(f"{self}: low and high must be ints, low not more than high")

    def draw(self, rng: np.random.Generator) -> int:
        """One value at random."""
        return int(rng.integers(self.low, self.high, endpoint=True))


@dataclass(frozen=True, init=False)
class Choice:
    """
    One of several values: numbers, strings, booleans or None.

    Examples
    --------
    >>> Choice("LSTM", "GRU").values
    ('LSTM', 'GRU')
    """

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        if not values:
            raise ValueError("Choice: expected at least one value, met none")
        object.__setattr__(self, "values", tuple(plain("Choice", value) for value in values))

    def draw(self, rng: np.random.Generator) -> Any:
        """One value at random."""
        return self.values[int(rng.integers(len(self.values)))]


Range = Uniform | LogUniform | Integer | Choice


def plain(where: str, value: Any) -> Any:
    """
    A value that a line of JSON gives back as it was.

    Raises
    ------
    TypeError
        If it is no number, string, boolean or None.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, PLAIN):
        raise TypeError(
            f"{where}: a parameter must be a number, string, bool or None, not "
            f"{type(value).__name__}; choose among names, and look up what they mean in the "
            "objective"
        )
    return value


def _range(who: str, name: str, values: Any) -> Range:
    if isinstance(values, Range):
        return values
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(
            f"{who}: {name!r} must have a sequence of values, Choice, Integer, Uniform or "
            f"LogUniform, not {type(values).__name__}"
        )
    if not len(values):
        raise ValueError(f"{who}: {name!r} has no values")
    return Choice(*values)


def ranges(who: str, space: Mapping[str, Any]) -> dict[str, Range]:
    """The ranges of a space, where sequences of values are choices."""
    if not isinstance(space, Mapping):
        raise TypeError(f"{who}: expected a dict of parameters, met {type(space).__name__}")
    if not space:
        raise ValueError(f"{who}: expected a space of at least one parameter, met none")
    return {name: _range(who, name, values) for name, values in space.items()}


def grid(space: Mapping[str, Any]) -> list[Parameters]:
    """
    All combinations of some values; those of the last parameter change fastest.

    Parameters
    ----------
    space : dict
        A sequence of values, a `Choice` or an `Integer` for each parameter.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If a parameter has no values, or a range with no end of them.

    Examples
    --------
    >>> for parameters in grid({"lr": [0.1, 0.01], "layers": Integer(1, 2)}):
    ...     print(parameters)
    {'lr': 0.1, 'layers': 1}
    {'lr': 0.1, 'layers': 2}
    {'lr': 0.01, 'layers': 1}
    {'lr': 0.01, 'layers': 2}
    """
    axes: dict[str, Iterable[Any]] = {}
    for name, values in ranges("grid", space).items():
        if isinstance(values, Choice):
            axes[name] = values.values
        elif isinstance(values, Integer):
            axes[name] = range(values.low, values.high + 1)
        else:
            raise ValueError(
                f"grid: {name!r} is {values}, which has no end of values: list those to try"
            )
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def random(space: Mapping[str, Any], n: int, rng: np.random.Generator) -> list[Parameters]:
    """
    Combinations drawn at random, each parameter by itself.

    Bergstra and Bengio 2012, "Random search for hyper-parameter optimization": where few of the
    parameters matter, n draws try n values of each, but a grid of n points only a few.

    Parameters
    ----------
    space : dict
        `Uniform`, `LogUniform`, `Integer`, `Choice` or a sequence of values for each parameter.
    n : int
        Combinations.
    rng : numpy.random.Generator

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If `n` is negative or a parameter has no values.

    Examples
    --------
    >>> space = {"lr": LogUniform(1e-4, 1e-1), "cell": ["LSTM", "GRU"]}
    >>> [sorted(parameters) for parameters in random(space, 2, np.random.default_rng(0))]
    [['cell', 'lr'], ['cell', 'lr']]
    """
    if n < 0:
        raise ValueError(f"random: n must be at least 0, met {n}")
    drawn = ranges("random", space)
    return [{name: values.draw(rng) for name, values in drawn.items()} for _ in range(n)]
