"""Datasets: what can be counted and indexed, and how one is cut into parts."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from autograd import Tensor, from_numpy

from .seeding import RandomSource, as_int, as_numpy_generator

Sample = TypeVar("Sample")
SampleOut = TypeVar("SampleOut", covariant=True)


class MapStyle(Protocol[SampleOut]):
    """Anything with a length and samples by position: a `Dataset`, a list, a range."""

    def __len__(self) -> int:
        """Count of samples."""
        ...

    def __getitem__(self, index: int, /) -> SampleOut:
        """Sample at `index`."""
        ...


class Dataset(Generic[Sample]):
    """
    Base of map-style datasets: subclasses define ``__getitem__`` and ``__len__``.

    A subclass may also define ``__getitems__(indices: list[int])``, the batch hook. It returns
    either a list of samples, which the loader collates, or anything else, which the loader takes
    for a batch collated already. The hook is left alone where a subclass overrides ``__getitem__``
    and not the hook, so an override always takes effect.

    A dataset whose samples are random says so by ``draws = True`` and draws from
    `batch_generator`; then they do not depend on the loader's number of workers.

    Examples
    --------
    >>> class Squares(Dataset[int]):
    ...     def __getitem__(self, index: int) -> int:
    ...         return index**2
    ...
    ...     def __len__(self) -> int:
    ...         return 10
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: int, /) -> Sample:
        """Sample at `index`."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __len__(self) -> int:
        """Count of samples."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")

    def __add__(self, other: MapStyle[Sample]) -> Dataset[Sample]:
        """Both, one after the other."""
        from .combine import ConcatDataset  # it is a dataset itself

        return ConcatDataset([self, other])


def batch_hook(dataset: Any) -> Callable[[list[int]], Any] | None:
    """
    Bound ``__getitems__`` of `dataset`, or None where it has none or ``__getitem__`` overrides it.

    Examples
    --------
    >>> batch_hook([1, 2, 3]) is None
    True
    """
    for klass in type(dataset).__mro__:
        if "__getitems__" in vars(klass):
            return dataset.__getitems__
        if "__getitem__" in vars(klass):
            return None
    return None


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """
    Samples are the rows of some tensors: sample i is ``(tensors[0][i], tensors[1][i], ...)``.

    Parameters
    ----------
    *tensors : Tensor or ndarray, shape ``(N, ...)`` each
        Their first axes agree. An ndarray is wrapped, sharing its memory and keeping its dtype.

    Raises
    ------
    ValueError
        If there is none, one has no axis, or the first axes differ.
    TypeError
        If one is neither a Tensor nor an ndarray.

    Examples
    --------
    >>> data = TensorDataset(np.zeros((5, 2), np.float32), np.arange(5))
    >>> len(data), data[3][0].shape, int(data[3][1])
    (5, (2,), 3)
    """

    def __init__(self, *tensors: Tensor | np.ndarray) -> None:
        if not tensors:
            raise ValueError("TensorDataset needs at least one tensor")
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor | np.ndarray):
                raise TypeError(
                    f"TensorDataset: argument {position} must be a Tensor or an ndarray, "
                    f"not {type(tensor).__name__}"
                )
            if len(tensor.shape) == 0:
                raise ValueError(f"TensorDataset: argument {position} is 0-d; it has no rows")
        if len({tensor.shape[0] for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(f"TensorDataset: first axes differ; shapes are {shapes}")
        self.tensors: tuple[Tensor, ...] = tuple(
            tensor if isinstance(tensor, Tensor) else from_numpy(tensor) for tensor in tensors
        )

    def __getitem__(self, index: int, /) -> tuple[Tensor, ...]:
        """Row `index` of every tensor."""
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, ...]:
        """Batch of the rows `indices`, by one fancy index for each tensor."""
        rows = np.asarray(indices, dtype=np.intp)
        return tuple(_take_rows(tensor, rows) for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


def _take_rows(tensor: Tensor, rows: np.ndarray) -> Tensor:
    if tensor.requires_grad:
        return tensor[rows]
    return from_numpy(tensor.numpy().take(rows, axis=0))


class Subset(Dataset[Sample]):
    """
    Part of a dataset, by positions.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
    indices : sequence of int
        Positions in `dataset`, in the order wanted; repeats are allowed.

    Raises
    ------
    TypeError
        If `indices` are not integers.
    IndexError
        If one lies outside the dataset.

    Examples
    --------
    >>> part = Subset("abcdef", [4, 0])
    >>> len(part), part[0], part[1]
    (2, 'e', 'a')
    """

    def __init__(self, dataset: MapStyle[Sample], indices: Sequence[int] | np.ndarray) -> None:
        positions = np.asarray(indices)
        if positions.size == 0:
            positions = positions.astype(np.intp)
        if positions.dtype.kind not in "iu" or positions.ndim != 1:
            raise TypeError(
                "Subset: indices must be a flat sequence of integers, got "
                f"{positions.dtype} of shape {positions.shape}"
            )
        size = len(dataset)
        outside = positions[(positions < -size) | (positions >= size)]
        if outside.size:
            raise IndexError(f"Subset: index {outside[0]} is outside a dataset of {size} samples")
        self.dataset = dataset
        self.indices: list[int] = positions.tolist()

    def __getitem__(self, index: int, /) -> Sample:
        """Sample at position ``indices[index]`` of the whole dataset."""
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> Any:
        """Batch through the whole dataset's own hook where it has one, else a list of samples."""
        positions = [self.indices[index] for index in indices]
        hook = batch_hook(self.dataset)
        if hook is not None:
            return hook(positions)
        return [self.dataset[position] for position in positions]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: MapStyle[Sample],
    lengths: Sequence[int | float],
    generator: RandomSource = None,
) -> list[Subset[Sample]]:
    """
    Cut a dataset at random into parts that do not overlap and together are the whole.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
    lengths : sequence of int, or of fractions that sum to 1
        Sizes of the parts. Of fractions, part i gets ``floor(len(dataset) * lengths[i])`` samples,
        and what remains is dealt out one by one from the first part on, as in PyTorch.
    generator : int, np.random.Generator, autograd.Generator or None
        Seed or source of the one permutation that is drawn; None draws on the library's own.

    Returns
    -------
    list of Subset

    Raises
    ------
    ValueError
        If a length is negative, or the lengths sum neither to ``len(dataset)`` nor to 1.

    Warns
    -----
    UserWarning
        If a fraction comes out as an empty part.

    Examples
    --------
    >>> train, validation, test = random_split(range(10), [0.7, 0.2, 0.1], generator=0)
    >>> len(train), len(validation), len(test)
    (7, 2, 1)
    """
    size = len(dataset)
    sizes = _split_sizes(list(lengths), size)
    order = as_numpy_generator(generator).permutation(size)
    ends = itertools.accumulate(sizes)
    return [
        Subset(dataset, order[end - length : end]) for end, length in zip(ends, sizes, strict=True)
    ]


def _split_sizes(lengths: list[int | float], size: int) -> list[int]:
    """Counts that sum to `size`."""
    if not lengths:
        raise ValueError("random_split: lengths is empty")
    for position, length in enumerate(lengths):
        if not length >= 0:  # NaN fails too
            raise ValueError(f"random_split: lengths[{position}] is {length}; it must be >= 0")
    total = sum(lengths)
    counts = [as_int(length) for length in lengths]
    whole = [count for count in counts if count is not None]
    if len(whole) == len(lengths) and (total != 1 or size == 1):
        if total != size:
            raise ValueError(
                f"random_split: lengths {lengths} sum to {total}, but the dataset has {size} "
                "samples"
            )
        return whole
    if not math.isclose(total, 1):
        raise ValueError(
            f"random_split: lengths {lengths} sum to {total}; fractions must sum to 1, and counts "
            f"to the dataset's {size} samples"
        )
    sizes = [math.floor(size * fraction) for fraction in lengths]
    for position in range(size - sum(sizes)):
        sizes[position % len(sizes)] += 1
    for position, length in enumerate(sizes):
        if length == 0:
            warnings.warn(
                f"random_split: part {position} is empty ({lengths[position]} of {size} samples)",
                stacklevel=3,
            )
    return sizes
