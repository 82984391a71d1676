"""How a list of samples becomes one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, from_numpy

# dtype kinds that a Tensor holds: bool, signed, unsigned, float.
NUMERIC_KINDS = "biuf"


def default_collate(batch: Sequence[Any]) -> Any:
    """
    Stack samples of equal structure along a new first axis.

    Parameters
    ----------
    batch : sequence of samples, not empty
        Each sample is, and all are of the same structure:

        ==============================  =====================================================
        sample                          batch
        ==============================  =====================================================
        Tensor or ndarray, ``(*)``      Tensor ``(B, *)`` of its dtype
        bool, int, float                Tensor ``(B,)`` of bool, int64, float64 (as in PyTorch)
        NumPy number                    Tensor ``(B,)`` of its dtype
        str, bytes                      list of them, as they are
        tuple, named tuple, list        the same, of batches
        dict or other mapping           dict of batches
        ==============================  =====================================================

    Returns
    -------
    Tensor, or tuple, list or dict of them
        In new memory. Where a Tensor requires grad, the stacking is recorded.

    Raises
    ------
    ValueError
        If the batch is empty, or shapes, lengths or keys differ between samples.
    TypeError
        If a sample is of another type, or types differ between samples.

    Examples
    --------
    >>> images, labels = default_collate([(np.zeros(3), 1), (np.ones(3), 0)])
    >>> images.shape, labels.numpy()
    ((2, 3), array([1, 0]))
    """
    if len(batch) == 0:
        raise ValueError("default_collate: the batch is empty")
    return _collate(batch, "sample")


def _collate(batch: Sequence[Any], where: str) -> Any:
    """Collate the parts of all samples that lie at `where`, such as ``sample[0]['x']``."""
    first = batch[0]
    if isinstance(first, Tensor | np.ndarray):
        return _stack(batch, where)
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, bool | int | float | np.generic):
        return _numbers(batch, where)
    if isinstance(first, Mapping):
        _same(batch, where, Mapping, "keys", set)
        return {
            key: _collate([sample[key] for sample in batch], f"{where}[{key!r}]") for key in first
        }
    if isinstance(first, tuple | list):
        _same(batch, where, (tuple, list), "length", len)
        parts = [
            _collate(part, f"{where}[{position}]")
            for position, part in enumerate(zip(*batch, strict=True))
        ]
        if hasattr(first, "_fields"):
            return type(first)(*parts)
        return tuple(parts) if isinstance(first, tuple) else parts
    raise TypeError(
        f"default_collate: {where} is of type {type(first).__name__}; it must be a Tensor, an "
        "ndarray, a number, a string, or a tuple, list or dict of these (or pass collate_fn)"
    )


def _same(
    batch: Sequence[Any],
    where: str,
    kind: type | tuple[type, ...],
    what: str,
    of: Callable[[Any], Any],
) -> None:
    first = batch[0]
    for position, other in enumerate(batch):
        if not isinstance(other, kind):
            raise TypeError(
                f"default_collate: {where} is of type {type(first).__name__} in sample 0 of the "
                f"batch and {type(other).__name__} in sample {position}"
            )
        if of(other) != of(first):
            raise ValueError(
                f"default_collate: {where} has {what} {of(first)} in sample 0 of the batch and "
                f"{of(other)} in sample {position}"
            )


def _stack(batch: Sequence[Any], where: str) -> Tensor:
    _same(batch, where, (Tensor, np.ndarray), "shape", lambda item: tuple(item.shape))
    if any(isinstance(item, Tensor) and item.requires_grad for item in batch):
        return autograd.stack(
            [item if isinstance(item, Tensor) else from_numpy(item) for item in batch]
        )
    rows = np.stack([item.numpy() if isinstance(item, Tensor) else item for item in batch])
    if rows.dtype.kind not in NUMERIC_KINDS:
        raise TypeError(f"default_collate: {where} is an array of {rows.dtype}, not of numbers")
    return from_numpy(rows)


def _numbers(batch: Sequence[Any], where: str) -> Tensor:
    _same(batch, where, (bool, int, float, np.generic), "count", lambda _: 1)
    values = np.array(batch)
    if values.dtype.kind not in NUMERIC_KINDS:
        raise TypeError(f"default_collate: {where} makes an array of {values.dtype}, not numbers")
    return from_numpy(values)


def default_convert(data: Any) -> Any:
    """
    A sample by itself: its arrays as Tensors, all else as it is.

    Parameters
    ----------
    data : anything
        Tuples, lists and dicts are gone through.

    Returns
    -------
    Tensor, or what was given with Tensors inside
        Sharing memory with the arrays.

    Examples
    --------
    >>> default_convert({"image": np.zeros(2), "name": "zero"})
    {'image': tensor([0., 0.], dtype=float64), 'name': 'zero'}
    """
    if isinstance(data, np.ndarray | np.generic) and data.dtype.kind in NUMERIC_KINDS:
        return from_numpy(np.asarray(data))
    if isinstance(data, Mapping):
        return {name: default_convert(part) for name, part in data.items()}
    if isinstance(data, tuple | list):
        parts = [default_convert(part) for part in data]
        if hasattr(data, "_fields"):
            return type(data)(*parts)
        return tuple(parts) if isinstance(data, tuple) else parts
    return data
