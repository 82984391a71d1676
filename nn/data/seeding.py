"""One door from every kind of random source that users hold to a NumPy generator."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd.random import Generator, default_generator

# What `generator=` takes: a seed, either kind of generator, or None for the library's own.
RandomSource = int | np.random.Generator | Generator | None


def as_numpy_generator(source: RandomSource) -> np.random.Generator:
    """
    NumPy generator behind `source`.

    Parameters
    ----------
    source : int, np.random.Generator, autograd.Generator or None
        A seed (the same seed gives the same numbers), a generator (used as it is, so its state
        moves on with every draw), or None: a new generator seeded by one draw from the library's
        own, so that ``autograd.manual_seed`` reaches it.

    Returns
    -------
    np.random.Generator

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        For a negative seed.

    Examples
    --------
    >>> int(as_numpy_generator(7).integers(100)) == int(as_numpy_generator(7).integers(100))
    True
    """
    if isinstance(source, np.random.Generator):
        return source
    if isinstance(source, Generator):
        return source.numpy
    if source is None:
        return np.random.default_rng(_fresh_seed())
    seed = as_int(source)
    if seed is None:
        raise TypeError(
            "generator must be an int seed, a np.random.Generator, an autograd.Generator or None, "
            f"not {type(source).__name__}"
        )
    if seed < 0:
        raise ValueError(f"a seed must not be negative, got {seed}")
    return np.random.default_rng(seed)


def _fresh_seed() -> int:
    """One draw from the library's own generator."""
    return int(default_generator.numpy.integers(2**63))


# Set by a loader around the making of each batch of a dataset that draws.
_BATCH: ContextVar[np.random.Generator | None] = ContextVar("batch generator", default=None)


def batch_generator() -> np.random.Generator:
    """
    Source of random numbers for a dataset's ``__getitem__`` or ``__getitems__``.

    While a `DataLoader` makes a batch of a dataset that says ``draws = True``, it is a generator
    that depends on the loader's, the epoch and the batch's number alone: the samples are then the
    same for any number of workers. Anywhere else it is the library's own.

    Returns
    -------
    np.random.Generator

    Examples
    --------
    >>> from nn.data import DataLoader, Dataset
    >>> class Dice(Dataset[int]):
    ...     draws = True
    ...
    ...     def __len__(self):
    ...         return 6
    ...
    ...     def __getitem__(self, index):
    ...         return int(batch_generator().integers(1, 7))
    >>> first, again = (
    ...     [batch.tolist() for batch in DataLoader(Dice(), 3, num_workers=n, generator=0)]
    ...     for n in (0, 2)
    ... )
    >>> first == again
    True
    """
    generator = _BATCH.get()
    return default_generator.numpy if generator is None else generator


@contextmanager
def drawing_from(seed: int | None, number: int) -> Iterator[None]:
    """Let `batch_generator` be that of batch `number` of the epoch with this seed; None: do not."""
    if seed is None:
        yield
        return
    token = _BATCH.set(np.random.default_rng((seed, number)))
    try:
        yield
    finally:
        _BATCH.reset(token)


def as_int(value: Any) -> int | None:
    """
    `value` as a Python int, or None where it is no integer (a bool is none here).

    Examples
    --------
    >>> as_int(np.int64(3)), as_int(3.0), as_int(True)
    (3, None, None)
    """
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def set_state(bits: Any, state: Any) -> None:
    """
    Put a NumPy bit generator into a state that its ``state`` attribute gave.

    NumPy takes positions outside its buffers, to read there later, and leaves some generators half
    changed when it refuses a state; here all is checked, and a refusal changes nothing.

    Parameters
    ----------
    bits : np.random.BitGenerator
    state : dict

    Raises
    ------
    ValueError
        If the state is of another kind of bit generator, or malformed.

    Examples
    --------
    >>> one, two = np.random.PCG64(1), np.random.PCG64(2)
    >>> set_state(two, one.state)
    >>> one.random_raw() == two.random_raw()
    True
    """
    before = bits.state
    try:
        kind = state["bit_generator"]
        if kind == "MT19937":
            _check_position(state["state"]["pos"], 624)
        if kind == "Philox":
            _check_position(state["buffer_pos"], 4)
        bits.state = state
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        bits.state = before
        raise ValueError(f"not a state of {type(bits).__name__}: {error!r}") from error


def _check_position(position: Any, size: int) -> None:
    number = as_int(position)
    if number is None or not 0 <= number <= size:
        raise ValueError(f"position {position!r} is outside the buffer of {size}")
