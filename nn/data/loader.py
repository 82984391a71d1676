"""Batches of a dataset, in order or shuffled, made ahead by one background thread."""

from __future__ import annotations

import contextvars
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

import numpy as np

import autograd

from .collate import default_collate
from .dataset import MapStyle, batch_hook
from .seeding import RandomSource, as_int, as_numpy_generator, set_state


class DataLoader:
    """
    Iterable over the batches of a dataset; each ``iter()`` is one epoch.

    Parameters
    ----------
    dataset : Dataset, or anything with ``__len__`` and ``__getitem__``
    batch_size : int, default 1
    shuffle : bool, default False
        Whether each epoch has a fresh random order, drawn when its iterator is made: it is the
        only draw of the epoch, so an epoch that is left early leaves the generator as a complete
        one does.
    drop_last : bool, default False
        Whether a last batch of fewer than `batch_size` samples is left out.
    collate_fn : callable, optional
        Turns a list of samples into a batch; default `default_collate`. With the default, a
        dataset's batch hook (see `Dataset`) may hand over a collated batch at once.
    generator : int, np.random.Generator, autograd.Generator or None
        Seed or source of the orders; None draws a seed from the library's own generator when a
        shuffling loader is made.
    prefetch : int, default 2
        Batches made ahead by a background thread; 0 makes each when it is asked for. The thread
        ends with the epoch, or when its iterator is dropped or closed. A dataset that draws from
        a generator shared with the training loop needs 0 to be reproducible.

    Raises
    ------
    ValueError
        If the dataset is empty, `batch_size` is no integer >= 1, or `prefetch` no integer >= 0.
    TypeError
        If the dataset has no length or no indexing.

    Notes
    -----
    An exception in the dataset or in `collate_fn` is raised in the loop that asked for the batch,
    the same object, with its traceback, and ends the epoch.

    Examples
    --------
    >>> from nn.data import TensorDataset
    >>> data = TensorDataset(np.arange(5.0), np.arange(5))
    >>> for values, labels in DataLoader(data, batch_size=2):
    ...     print(values.numpy(), labels.numpy())
    [0. 1.] [0 1]
    [2. 3.] [2 3]
    [4.] [4]
    """

    def __init__(
        self,
        dataset: MapStyle[Any],
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: RandomSource = None,
        prefetch: int = 2,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"DataLoader: {type(dataset).__name__} is no dataset; it needs __len__ and "
                "__getitem__"
            )
        if len(dataset) == 0:
            raise ValueError(f"DataLoader: the dataset ({type(dataset).__name__}) is empty")
        self.dataset = dataset
        self.batch_size = _count("batch_size", batch_size, least=1)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.collate_fn = collate_fn
        self.prefetch = _count("prefetch", prefetch, least=0)
        self.generator: np.random.Generator | None = None
        if shuffle or generator is not None:
            self.generator = as_numpy_generator(generator)

    def __len__(self) -> int:
        size = len(self.dataset)
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        size = len(self.dataset)
        if self.shuffle and self.generator is not None:
            order = self.generator.permutation(size)
        else:
            order = np.arange(size)
        fetch = _Fetch(self.dataset, self.collate_fn, order, self.batch_size)
        if self.prefetch == 0:
            return _one_by_one(fetch, len(self))
        return Prefetcher(fetch, len(self), self.prefetch)

    def state_dict(self) -> dict[str, Any]:
        """
        State of the shuffle generator: what decides the orders of the epochs not yet begun.

        Returns
        -------
        dict
            ``{"generator": state}``, with the state of NumPy's bit generator (a nested dict of
            names, ints and arrays), or None where the loader has no generator.

        Examples
        --------
        >>> loader = DataLoader(range(100), batch_size=100, shuffle=True, generator=0)
        >>> state = loader.state_dict()
        >>> first = next(iter(loader)).numpy()
        >>> loader.load_state_dict(state)
        >>> bool((next(iter(loader)).numpy() == first).all())
        True
        """
        state = None if self.generator is None else self.generator.bit_generator.state
        return {"generator": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """
        Go back to a `state_dict`: the next epochs have the orders that followed it.

        Raises
        ------
        ValueError
            If the state is of another kind of generator, of a loader without one where this one
            has one (or the reverse), or malformed. The loader is then left as it was.
        """
        if not isinstance(state, Mapping) or set(state) != {"generator"}:
            raise ValueError("DataLoader.load_state_dict: expected a dict with the key 'generator'")
        saved = state["generator"]
        if self.generator is None or saved is None:
            if self.generator is not saved:
                mine, other = ("no ", "one") if self.generator is None else ("a ", "none")
                raise ValueError(
                    f"DataLoader.load_state_dict: this loader has {mine}shuffle generator, the "
                    f"state is of a loader with {other}"
                )
            return
        try:
            set_state(self.generator.bit_generator, saved)
        except ValueError as error:
            raise ValueError(f"DataLoader.load_state_dict: {error}") from error


def _count(name: str, value: Any, least: int) -> int:
    count = as_int(value)
    if count is None or count < least:
        raise ValueError(f"DataLoader: {name} must be an integer >= {least}, got {value!r}")
    return count


class _Fetch:
    """Makes batch number b of one epoch."""

    def __init__(
        self,
        dataset: MapStyle[Any],
        collate_fn: Callable[[list[Any]], Any] | None,
        order: np.ndarray,
        batch_size: int,
    ) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.hook = batch_hook(dataset)
        self.order = order
        self.batch_size = batch_size

    def __call__(self, number: int) -> Any:
        start = number * self.batch_size
        indices: list[int] = self.order[start : start + self.batch_size].tolist()
        if self.hook is not None:
            batch = self.hook(indices)
            if isinstance(batch, list):
                return (self.collate_fn or default_collate)(batch)
            if self.collate_fn is None:
                return batch
            # A collated batch cannot be handed to the user's own collate_fn, which takes samples.
        return (self.collate_fn or default_collate)([self.dataset[index] for index in indices])


def _one_by_one(fetch: Callable[[int], Any], count: int) -> Iterator[Any]:
    for number in range(count):
        yield fetch(number)


class _Channel:
    """
    What the two threads of one epoch share.

    SimpleQueue, for its put() may run inside another put() or get() of the same thread: the
    cycle collector can close an iterator at any bytecode of either thread.
    """

    def __init__(self, ahead: int) -> None:
        self.results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self.permits: SimpleQueue[None] = SimpleQueue()
        self.stopped = False
        for _ in range(ahead):
            self.permits.put(None)


def _work(fetch: Callable[[int], Any], count: int, channel: _Channel, grad: bool) -> None:
    """Body of the background thread: one batch for each permit, until done, stopped or failed."""
    with autograd.set_grad_enabled(grad):  # a new thread starts with recording on
        for number in range(count):
            channel.permits.get()
            if channel.stopped:
                return
            try:
                channel.results.put((fetch(number), None))
            except BaseException as error:
                channel.results.put((None, error))
                return


def _stop(thread: threading.Thread, channel: _Channel) -> None:
    channel.stopped = True
    channel.permits.put(None)
    if thread is not threading.current_thread():
        thread.join()
    while not channel.results.empty():  # an error in it would hold its frames, which hold it
        channel.results.get()


class Prefetcher(Iterator[Any]):
    """
    Iterator over ``fetch(0), ..., fetch(count - 1)``, computed ahead by one thread.

    Parameters
    ----------
    fetch : callable
        Runs in the background thread, where this thread's grad mode and ``np.errstate`` hold.
    count : int
    ahead : int
        Results that may be ready or in the making beyond the one handed out last.

    Examples
    --------
    >>> list(Prefetcher(lambda number: number**2, count=4, ahead=2))
    [0, 1, 4, 9]
    """

    def __init__(self, fetch: Callable[[int], Any], count: int, ahead: int) -> None:
        self._left = count
        self._channel = _Channel(ahead)
        # The thread must not hold this object, or dropping it would never end the thread.
        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(_work, fetch, count, self._channel, autograd.is_grad_enabled()),
            name="dagrad-prefetch",
            daemon=True,
        )
        self._thread.start()
        self._close = weakref.finalize(self, _stop, self._thread, self._channel)

    def __next__(self) -> Any:
        if self._left == 0 or not self._close.alive:
            self.close()
            raise StopIteration
        value, error = self._channel.results.get()
        if error is not None:
            self.close()
            try:
                if isinstance(error, StopIteration):  # would end the loop in silence
                    raise RuntimeError("DataLoader: the dataset raised StopIteration") from error
                raise error
            finally:
                del error
        self._left -= 1
        self._channel.permits.put(None)
        return value

    def close(self) -> None:
        """End the epoch: stop the thread, wait for the batch it is making, drop what is ready."""
        self._close()
