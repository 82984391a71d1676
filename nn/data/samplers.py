"""Samplers: in which order, how often, and in which batches the samples of a dataset come."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from .seeding import RandomSource, as_int, as_numpy_generator

Index = TypeVar("Index", covariant=True)


class Sampler(Generic[Index]):
    """
    Base of all samplers: a subclass defines ``__iter__``, and ``__len__`` where it can.

    Examples
    --------
    >>> class Backwards(Sampler[int]):
    ...     def __init__(self, source):
    ...         self.source = source
    ...
    ...     def __iter__(self):
    ...         return iter(range(len(self.source) - 1, -1, -1))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")


class SequentialSampler(Sampler[int]):
    """
    Every sample, in order.

    Parameters
    ----------
    data_source : anything with a length

    Examples
    --------
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> np.ndarray:
        """All positions at once."""
        return np.arange(len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """
    Samples in random order: each once, or drawn anew every time.

    Parameters
    ----------
    data_source : anything with a length
    replacement : bool, default False
        Whether a sample may come again before all have come.
    num_samples : int, optional
        How many are drawn; default: as many as there are. Without replacement, more than there
        are means further complete orders.
    generator : int, np.random.Generator, autograd.Generator or None
        Seed or source; None draws a seed from the library's own generator now.

    Raises
    ------
    ValueError
        If `num_samples` is no integer >= 1.

    Examples
    --------
    >>> sorted(RandomSampler(range(5), generator=0))
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: RandomSource = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = None if num_samples is None else _count("RandomSampler", num_samples)
        self.generator = as_numpy_generator(generator)

    @property
    def num_samples(self) -> int:
        """How many are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        """All positions at once."""
        size, count = len(self.data_source), self.num_samples
        if self.replacement:
            return self.generator.integers(0, size, count)
        if count == size:
            return self.generator.permutation(size)
        rounds = -(-count // size) if size else 0
        orders = [self.generator.permutation(size) for _ in range(rounds)]
        return np.concatenate([np.empty(0, np.int64), *orders])[:count]

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """
    The given positions, in random order.

    Parameters
    ----------
    indices : sequence of int
    generator : int, np.random.Generator, autograd.Generator or None
        See `RandomSampler`.

    Examples
    --------
    >>> sorted(SubsetRandomSampler([3, 7, 5], generator=0))
    [3, 5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: RandomSource = None) -> None:
        self.indices = indices
        self.generator = as_numpy_generator(generator)

    def order(self) -> np.ndarray:
        """All positions at once."""
        return np.asarray(self.indices)[self.generator.permutation(len(self.indices))]

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """
    Samples drawn with given odds, so that a rare class may come as often as a common one.

    Parameters
    ----------
    weights : sequence of float
        Of each sample; they need not sum to 1.
    num_samples : int
        How many are drawn.
    replacement : bool, default True
        Whether one may be drawn again.
    generator : int, np.random.Generator, autograd.Generator or None
        See `RandomSampler`.

    Raises
    ------
    ValueError
        If a weight is negative or no finite number, all are zero, or without replacement fewer
        samples have a weight than are drawn.

    Examples
    --------
    >>> set(WeightedRandomSampler([0.0, 1.0, 0.0], 4, generator=0))
    {1}
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray,
        num_samples: int,
        replacement: bool = True,
        generator: RandomSource = None,
    ) -> None:
        found = np.asarray(weights, dtype=np.float64)
        if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any() or not found.any():
            raise ValueError(
                "WeightedRandomSampler: weights must be a flat sequence of finite numbers >= 0, "
                f"not all 0; got shape {found.shape}"
                + (f", from {found.min()} to {found.max()}" if found.size else "")
            )
        self.num_samples = _count("WeightedRandomSampler", num_samples)
        if not replacement and np.count_nonzero(found) < self.num_samples:
            raise ValueError(
                f"WeightedRandomSampler: {np.count_nonzero(found)} samples have a weight, and "
                f"num_samples is {num_samples} without replacement"
            )
        self.weights = found
        self.replacement = replacement
        self.generator = as_numpy_generator(generator)

    def order(self) -> np.ndarray:
        """All positions at once."""
        odds = self.weights / self.weights.sum()
        return self.generator.choice(len(odds), self.num_samples, self.replacement, odds)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """
    Batches of what another sampler gives.

    Parameters
    ----------
    sampler : Sampler, or any iterable of positions
    batch_size : int
    drop_last : bool
        Whether a last batch of fewer is left out.

    Raises
    ------
    ValueError
        If `batch_size` is no integer >= 1.

    Examples
    --------
    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = _count("BatchSampler", batch_size, "batch_size")
        self.drop_last = bool(drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        positions = iter(self.sampler)
        while batch := list(itertools.islice(positions, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        return batches_of(len(as_sized(self.sampler)), self.batch_size, self.drop_last)


def batches_of(count: int, batch_size: int, drop_last: bool) -> int:
    """
    Batches that `count` samples make.

    Examples
    --------
    >>> batches_of(5, 2, False), batches_of(5, 2, True)
    (3, 2)
    """
    return count // batch_size if drop_last else -(-count // batch_size)


def as_sized(source: Any) -> Sized:
    """
    `source` itself, which must have a length.

    Raises
    ------
    TypeError
        If it has none.

    Examples
    --------
    >>> as_sized("abc")
    'abc'
    """
    if not isinstance(source, Sized):
        raise TypeError(f"a {type(source).__name__} has no length, so its batches have none")
    return source


def _count(who: str, value: Any, name: str = "num_samples") -> int:
    count = as_int(value)
    if count is None or count < 1:
        raise ValueError(f"{who}: {name} must be an integer >= 1, got {value!r}")
    return count
