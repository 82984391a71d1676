"""Datasets made of others, datasets that only stream, and datasets that change their samples."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from .collate import default_collate
from .dataset import Dataset, MapStyle, batch_hook
from .seeding import as_int, batch_generator
from .transforms import Transform

Sample = TypeVar("Sample")


class ConcatDataset(Dataset[Sample]):
    """
    Several datasets one after the other, as one.

    Parameters
    ----------
    datasets : iterable of Dataset, or anything with ``__len__`` and ``__getitem__``

    Raises
    ------
    ValueError
        If there is none.
    TypeError
        If one only streams.

    Examples
    --------
    >>> both = ConcatDataset(["abc", "de"])
    >>> len(both), both[3], both[-1], both.cumulative_sizes
    (5, 'd', 'e', [3, 5])
    """

    def __init__(self, datasets: Iterable[MapStyle[Sample]]) -> None:
        self.datasets: list[MapStyle[Sample]] = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: there is no dataset")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise TypeError(
                    f"ConcatDataset: a {type(dataset).__name__} only streams; ChainDataset takes it"
                )

    @property
    def cumulative_sizes(self) -> list[int]:
        """Length up to and with each dataset."""
        return list(itertools.accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int, /) -> Sample:
        """Sample at `index`, counted through."""
        number, place = self._find(index, self.cumulative_sizes)
        return self.datasets[number][place]

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        """Samples of a batch, by each dataset in turn."""
        ends = self.cumulative_sizes
        places = [self._find(index, ends) for index in indices]
        return [self.datasets[number][place] for number, place in places]

    def _find(self, index: int, ends: list[int]) -> tuple[int, int]:
        """Number of the dataset, and the place in it."""
        size = ends[-1]
        if not -size <= index < size:
            raise IndexError(f"ConcatDataset: index {index} is outside {size} samples")
        index %= size
        number = bisect.bisect_right(ends, index)
        return number, index - (ends[number - 1] if number else 0)


class StackDataset(Dataset[Any]):
    """
    Samples made of one from each dataset: a tuple, or a dict where they have names.

    Parameters
    ----------
    *args : datasets
    **kwargs : datasets
        Either kind, not both.

    Raises
    ------
    ValueError
        If there are none or both kinds, or the lengths differ.

    Examples
    --------
    >>> StackDataset("abc", [1, 2, 3])[1]
    ('b', 2)
    >>> StackDataset(letter="abc", number=[1, 2, 3])[1]
    {'letter': 'b', 'number': 2}
    """

    def __init__(self, *args: MapStyle[Any], **kwargs: MapStyle[Any]) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give datasets, either with names or without")
        self.datasets: Any = args or kwargs
        sizes = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(sizes)) > 1:
            raise ValueError(f"StackDataset: the datasets have different lengths, {sizes}")
        self._length = sizes[0]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int, /) -> Any:
        """One sample of each."""
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)


class IterableDataset(Dataset[Sample]):
    """
    Base of datasets that only stream: a subclass defines ``__iter__``.

    A loader takes the samples in their order, by one thread.

    Examples
    --------
    >>> from nn.data import DataLoader
    >>> class Lines(IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter([1, 2, 3])
    >>> [batch.tolist() for batch in DataLoader(Lines(), batch_size=2)]
    [[1, 2], [3]]
    """

    def __iter__(self) -> Iterator[Sample]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")

    def __len__(self) -> int:
        # A TypeError, for list() asks for a length and takes no other answer for "none".
        raise TypeError(f"a {type(self).__name__} streams; it has no length")

    def __add__(self, other: Any) -> ChainDataset[Sample]:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset[Sample]):
    """
    Several streams one after the other.

    Parameters
    ----------
    datasets : iterable of IterableDataset

    Raises
    ------
    TypeError
        When it is read, if one does not stream.

    Examples
    --------
    >>> class Count(IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(Count() + Count())
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[IterableDataset[Sample]]) -> None:
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Sample]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError(
                    f"ChainDataset: a {type(dataset).__name__} is no IterableDataset; "
                    "ConcatDataset takes it"
                )
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class TransformedDataset(Dataset[Any]):
    """
    A dataset whose first entries are changed on the way, batch by batch.

    In a `DataLoader` the random numbers of a batch depend on the loader's generator, the epoch
    and the batch's number alone, so that they are the same for any number of workers.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
        Of tuples.
    transform : callable
        ``transform(batch, rng)`` returns the changed batch; see `nn.data.ImageTransform`. A scaler
        such as `Standardize` is one too.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.data import DataLoader, GaussianNoise, TensorDataset
    >>> images = TensorDataset(np.zeros((4, 1, 2, 2), np.float32), np.arange(4))
    >>> noisy = TransformedDataset(images, GaussianNoise(1.0))
    >>> one, two = (
    ...     next(iter(DataLoader(noisy, 4, num_workers=count, generator=0)))[0] for count in (0, 2)
    ... )
    >>> bool((one == two).all()), bool((one != 0).all())
    (True, True)
    """

    draws: ClassVar[bool] = True

    def __init__(self, dataset: MapStyle[Any], transform: Transform) -> None:
        self.dataset = dataset
        self.transform = transform

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Any:
        """One sample, changed as a batch of one."""
        position = as_int(index)
        if position is None:
            raise TypeError(f"TransformedDataset: index must be an int, not {index!r}")
        first, *others = self._batch([position])
        return (first[0], *(part[0] for part in others))

    def __getitems__(self, indices: list[int]) -> tuple[Any, ...]:
        """A batch, changed."""
        return self._batch(indices)

    def _batch(self, indices: Sequence[int]) -> tuple[Any, ...]:
        hook = batch_hook(self.dataset)
        batch = hook(list(indices)) if hook else [self.dataset[index] for index in indices]
        if isinstance(batch, list):
            batch = default_collate(batch)
        if not isinstance(batch, tuple | list):
            raise TypeError(
                f"TransformedDataset: samples must be tuples, not {type(batch).__name__}"
            )
        return (self.transform(batch[0], batch_generator()), *batch[1:])


def draws(dataset: Any) -> bool:
    """
    Whether samples of `dataset` depend on `batch_generator`: it says so, or one inside does.

    Examples
    --------
    >>> draws([1, 2, 3]), draws(TransformedDataset([], lambda batch, rng: batch))
    (False, True)
    """
    if getattr(dataset, "draws", False):
        return True
    inner = getattr(dataset, "datasets", None)
    if isinstance(inner, dict):
        inner = inner.values()
    parts = [*(inner or []), *([dataset.dataset] if hasattr(dataset, "dataset") else [])]
    return any(draws(part) for part in parts)
