"""Batches of sequences of several lengths: packed, row after row without gaps, or padded.

Packed, the rows of all first steps stand first, then those of all second steps, and so on; the
sequences stand in order of falling length, so those that go on are always the first ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from autograd import Tensor, cat, tensor, where
from autograd.ops.index import _index, _unindex
from autograd.ops.shape import _reshape


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Fields):
    """
    Sequences of several lengths, packed; made by `pack_sequence` and `pack_padded_sequence`.

    Recurrent layers take it and give it back.

    Attributes
    ----------
    data : Tensor, (sum of lengths, ...)
        The rows of all first steps, then of all second steps, ...
    batch_sizes : Tensor, (longest length,)
        How many rows each step has.
    sorted_indices, unsorted_indices : Tensor, (batch,), or None
        Where each packed sequence stood before, and the reverse; None if they were in order.

    Examples
    --------
    >>> import autograd
    >>> packed = pack_sequence([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0])])
    >>> packed.data, packed.batch_sizes
    (tensor([1., 3., 2.]), tensor([2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Any = None,
        sorted_indices: Any = None,
        unsorted_indices: Any = None,
    ) -> Self:
        """Take the fields, or a pair of data and batch_sizes."""
        if batch_sizes is None:
            if not isinstance(data, tuple | list) or len(data) != 2:
                raise TypeError("PackedSequence: give data and batch_sizes, or a pair of the two")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, dtype: Any) -> PackedSequence:
        """
        Convert the data; the indices stay as they are.

        Examples
        --------
        >>> import autograd, numpy as np
        >>> pack_sequence([autograd.ones(2)]).to(np.float64).data.dtype
        dtype('float64')
        """
        data = self.data.to(dtype)
        return self if data is self.data else PackedSequence(data, *self[1:])

    def cpu(self) -> PackedSequence:
        """Itself: there is one device."""
        return self

    def double(self) -> PackedSequence:
        """Convert the data to float64."""
        return self.to(np.float64)

    def float(self) -> PackedSequence:
        """Convert the data to float32."""
        return self.to(np.float32)

    def half(self) -> PackedSequence:
        """Convert the data to float16."""
        return self.to(np.float16)

    def long(self) -> PackedSequence:
        """Convert the data to int64."""
        return self.to(np.int64)

    def int(self) -> PackedSequence:
        """Convert the data to int32."""
        return self.to(np.int32)

    @property
    def is_cuda(self) -> bool:
        """False: there is one device."""
        return False


def invert_permutation(permutation: Any) -> Any:
    """
    Return the permutation that undoes another; None of None.

    Examples
    --------
    >>> import autograd
    >>> invert_permutation(autograd.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = whole_numbers("invert_permutation", "permutation", permutation)
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return tensor(inverse)


def whole_numbers(who: str, what: str, values: Any) -> np.ndarray:
    """A list or tensor of integers as an array of int64."""
    array = np.asarray(values.detach().numpy() if isinstance(values, Tensor) else values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise TypeError(
            f"{who}: {what} must be whole numbers in one dimension, met {array.dtype} of shape "
            f"{array.shape}"
        )
    return array.astype(np.int64)


def sizes_of(who: str, sequence: PackedSequence) -> np.ndarray:
    """The rows of each step of a packed sequence, which must fit its data."""
    sizes = whole_numbers(who, "batch_sizes", sequence.batch_sizes)
    falling = len(sizes) > 0 and (sizes[1:] <= sizes[:-1]).all() and sizes[-1] > 0
    rows = sequence.data.shape[:1]
    if not falling or rows != (sizes.sum(),):
        raise RuntimeError(
            f"{who}: expected a packed sequence whose batch_sizes are at least 1, never rise, and "
            f"add up to its rows; met data {sequence.data.shape} and batch_sizes {sizes.tolist()}"
        )
    return sizes


def _sizes(lengths: np.ndarray) -> np.ndarray:
    """How many of the sequences reach each step."""
    counts = np.bincount(lengths, minlength=1)
    return len(lengths) - np.cumsum(counts)[:-1]


def _places(sizes: np.ndarray, order: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Step and sequence of each packed row; the k-th packed sequence is sequence order[k]."""
    steps = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    columns = np.arange(len(steps)) - starts
    return steps, columns if order is None else order[columns]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """
    Pack a padded batch: only the first ``lengths[k]`` steps of sequence k are kept.

    Parameters
    ----------
    input : Tensor, (steps, batch, ...)
        With `batch_first` (batch, steps, ...).
    lengths : Tensor or list of int, (batch,)
    batch_first : bool, default False
    enforce_sorted : bool, default True
        The lengths must be in falling order; if False, they are sorted here.

    Returns
    -------
    PackedSequence

    Raises
    ------
    RuntimeError
        If the lengths are not in order, less than 1, more than there are steps, or not one for each
        sequence, or the input is empty.

    Examples
    --------
    >>> import autograd
    >>> padded = autograd.tensor([[1.0, 3.0], [2.0, 0.0]])
    >>> pack_padded_sequence(padded, [2, 1]).data
    tensor([1., 3., 2.])
    """
    who = "pack_padded_sequence"
    shape = input.shape
    if len(shape) < 2 or 0 in shape:
        raise RuntimeError(
            f"{who}: cannot pack empty tensors: expected input of at least 2 dimensions, all with "
            f"elements, met {shape}"
        )
    batch, steps = shape[:2] if batch_first else (shape[1], shape[0])
    counts = whole_numbers(who, "lengths", lengths)
    if len(counts) != batch:
        raise RuntimeError(
            f"{who}: lengths must have one number for each of {batch} sequences, met {len(counts)}"
        )
    if counts.min() <= 0 or counts.max() > steps:
        raise RuntimeError(
            f"{who}: lengths must be from 1 to the number of steps, {steps}; met "
            f"{counts.min()} .. {counts.max()}"
        )
    order = None
    if enforce_sorted:
        if (counts[1:] > counts[:-1]).any():
            raise RuntimeError(
                f"{who}: with enforce_sorted=True, lengths must be in falling order, met "
                f"{counts.tolist()}; enforce_sorted=False sorts them"
            )
    else:
        order = np.argsort(-counts, kind="stable")
    sizes = _sizes(counts)
    times, columns = _places(sizes, order)
    rows = columns * steps + times if batch_first else times * batch + columns
    flat = _reshape(input, shape=(batch * steps, *shape[2:]))
    data = _index(flat, index=(rows,))
    return PackedSequence(data, tensor(sizes), None if order is None else tensor(order))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """
    Undo `pack_padded_sequence`: a padded batch and the lengths, in the order before packing.

    Parameters
    ----------
    sequence : PackedSequence
    batch_first : bool, default False
    padding_value : float, default 0
        What stands behind the end of a sequence.
    total_length : int, optional
        Number of steps of the result; default the longest length.

    Returns
    -------
    padded : Tensor, (steps, batch, ...)
        With `batch_first` (batch, steps, ...).
    lengths : Tensor, (batch,)

    Raises
    ------
    ValueError
        If a sequence is longer than `total_length`.
    RuntimeError
        If the numbers of rows do not fit the data.

    Examples
    --------
    >>> import autograd
    >>> packed = pack_sequence([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0])])
    >>> pad_packed_sequence(packed, batch_first=True, padding_value=-1.0)
    (tensor([[ 1.,  2.],
            [ 3., -1.]]), tensor([2, 1]))
    """
    who = "pad_packed_sequence"
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"{who}: expected a PackedSequence, met {type(sequence).__name__}")
    sizes = sizes_of(who, sequence)
    steps = len(sizes) if total_length is None else int(total_length)
    if steps < len(sizes):
        raise ValueError(
            f"{who}: total_length must be at least the length of the longest sequence, "
            f"{len(sizes)}; met {total_length}"
        )
    order = sequence.sorted_indices
    if order is not None:
        order = whole_numbers(who, "sorted_indices", order)
    times, columns = _places(sizes, order)
    lengths = np.bincount(columns, minlength=int(sizes[0]))
    padded = _padded(sequence.data, times, columns, steps, len(lengths), batch_first, padding_value)
    return padded, tensor(lengths.astype(np.int64))


def _padded(
    data: Any,
    times: np.ndarray,
    columns: np.ndarray,
    steps: int,
    batch: int,
    batch_first: bool,
    value: float,
) -> Any:
    """Rows of `data` put at their steps and sequences, and `value` everywhere else."""
    rows = columns * steps + times if batch_first else times * batch + columns
    flat = _unindex(data, index=(rows,), shape=(steps * batch, *data.shape[1:]))
    if value != 0.0:  # or NaN
        empty = np.ones((steps * batch, *(1,) * (len(data.shape) - 1)), np.bool_)
        empty[rows] = False
        flat = where(empty, np.asarray(value, data.dtype), flat)
    shape = (batch, steps) if batch_first else (steps, batch)
    return _reshape(flat, shape=(*shape, *data.shape[1:]))


def pad_sequence(
    sequences: Iterable[Any],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:
    """
    Stack sequences of several lengths, the shorter ones filled up.

    Parameters
    ----------
    sequences : iterable of Tensor, (length, ...)
        All alike but in length. The result is of the dtype of the first.
    batch_first : bool, default False
    padding_value : float, default 0
    padding_side : {"right", "left"}
        Where it is filled in.

    Returns
    -------
    Tensor, (longest length, batch, ...)
        With `batch_first` (batch, longest length, ...).

    Raises
    ------
    RuntimeError
        If there are no sequences, or they differ in more than length.

    Examples
    --------
    >>> import autograd
    >>> pad_sequence([autograd.ones(2), autograd.ones(3)], batch_first=True)
    tensor([[1., 1., 0.],
            [1., 1., 1.]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: expected an iterable of tensors, met {type(sequences).__name__}"
        )
    sequences = list(sequences)
    shapes = [s.shape for s in sequences]
    if not shapes or any(len(s) < 1 or s[1:] != shapes[0][1:] for s in shapes):
        raise RuntimeError(
            f"pad_sequence: expected sequences (length, ...) alike but in length, met {shapes}"
        )
    if padding_side not in ("right", "left"):
        raise RuntimeError(
            f"pad_sequence: padding_side must be 'right' or 'left', met {padding_side!r}"
        )
    lengths = np.array([s[0] for s in shapes])
    steps = int(lengths.max())
    columns = np.repeat(np.arange(len(lengths)), lengths)
    times = np.arange(len(columns)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    if padding_side == "left":
        times += steps - lengths[columns]
    data = cat(sequences, 0)
    if data.dtype != sequences[0].dtype:
        data = data.to(sequences[0].dtype)
    return _padded(data, times, columns, steps, len(lengths), batch_first, padding_value)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """
    Take a padded batch apart: the first ``lengths[k]`` steps of each sequence, as views.

    Parameters
    ----------
    padded_sequences : Tensor, (steps, batch, ...)
        With `batch_first` (batch, steps, ...). It stays as it is.
    lengths : Tensor or list of int, (batch,)
    batch_first : bool, default False

    Raises
    ------
    ValueError
        If there is not one length for each sequence.

    Examples
    --------
    >>> import autograd
    >>> unpad_sequence(autograd.tensor([[1.0, 3.0], [2.0, 0.0]]), [2, 1])
    [tensor([1., 2.]), tensor([3.])]
    """
    counts = whole_numbers("unpad_sequence", "lengths", lengths)
    batch = padded_sequences.shape[0 if batch_first else 1]
    if len(counts) != batch:
        raise ValueError(
            f"unpad_sequence: lengths must have one number for each of {batch} sequences, met "
            f"{len(counts)}"
        )
    parts = []
    for k, n in enumerate(counts.tolist()):
        steps = slice(0, max(n, 0))
        parts.append(padded_sequences[(k, steps) if batch_first else (steps, k)])
    return parts


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """
    Pack sequences of several lengths.

    Parameters
    ----------
    sequences : list of Tensor, (length, ...)
        All alike but in length.
    enforce_sorted : bool, default True
        They must be in order of falling length; if False, they are sorted here.

    Raises
    ------
    RuntimeError
        As `pad_sequence` and `pack_padded_sequence` do.

    Examples
    --------
    >>> import autograd
    >>> sequences = [autograd.tensor([1.0]), autograd.tensor([2.0, 3.0])]
    >>> pack_sequence(sequences, enforce_sorted=False).data
    tensor([2., 1., 3.])
    """
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """
    Undo `pack_sequence`: a list of sequences, in the order before packing.

    Examples
    --------
    >>> import autograd
    >>> unpack_sequence(pack_sequence([autograd.ones(2), autograd.zeros(1)]))
    [tensor([1., 1.]), tensor([0.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
