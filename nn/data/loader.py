"""Batches of a dataset, in order or shuffled, made ahead by background threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .collate import default_collate, default_convert
from .combine import IterableDataset, draws
from .dataset import MapStyle, batch_hook
from .prefetch import END, Prefetcher
from .samplers import RandomSampler, SequentialSampler, as_sized, batches_of
from .seeding import RandomSource, as_int, as_numpy_generator, drawing_from, set_state

PREFETCH = 2  # batches ahead, for each thread


class DataLoader:
    """
    Iterable over the batches of a dataset; each ``iter()`` is one epoch.

    The arguments are PyTorch's. Workers are threads: NumPy computes and files are read outside
    of Python's lock, the batches need no pickling, and nothing has to be picklable.

    Parameters
    ----------
    dataset : Dataset, anything with ``__len__`` and ``__getitem__``, or IterableDataset
    batch_size : int or None, default 1
        None: no batches; each sample comes by itself.
    shuffle : bool, default False
        Whether each epoch has a fresh random order, drawn when its iterator is made. Nothing else
        is drawn in the epoch, so an epoch that is left early leaves the generator as a complete
        one does.
    sampler : Sampler, or any iterable of positions, optional
        Gives the order instead of `shuffle`; read when the iterator is made.
    batch_sampler : iterable of lists of positions, optional
        Gives the batches instead of all that.
    num_workers : int, default 0
        Threads that make batches. With 0 there is one, unless `prefetch` is 0 too.
    collate_fn : callable, optional
        Turns a list of samples into a batch; default `default_collate`. With the default, a
        dataset's batch hook (see `Dataset`) may hand over a collated batch at once. Without
        batches, it is given each sample.
    pin_memory, pin_memory_device, multiprocessing_context, persistent_workers, in_order
        Accepted, without effect: there is one memory, there are no processes, and batches always
        come in order.
    drop_last : bool, default False
        Whether a last batch of fewer than `batch_size` samples is left out.
    timeout : float, default 0
        Seconds that a batch may be waited for; 0 is any time.
    worker_init_fn : callable, optional
        Called in each thread with its number, before its first batch.
    generator : int, np.random.Generator, autograd.Generator or None
        Seed or source of the orders, and of what a random dataset draws (see `batch_generator`);
        None draws a seed from the library's own generator when such a loader is made.
    prefetch_factor : int, optional
        Batches made ahead for each of `num_workers`; default 2.
    prefetch : int, optional
        Batches made ahead in all; 0 makes each in the loop, when it is asked for. The threads end
        with the epoch, or when its iterator is dropped or closed. A dataset that draws from a
        generator shared with the training loop needs 0 to be reproducible.

    Raises
    ------
    ValueError
        If the dataset is empty, a number is out of its range, or options exclude each other.
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
        dataset: MapStyle[Any] | IterableDataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], object] | None = None,
        multiprocessing_context: Any = None,
        generator: RandomSource = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        prefetch: int | None = None,
    ) -> None:
        self._streams = isinstance(dataset, IterableDataset)
        if not self._streams:
            _check_dataset(dataset)
        _check_options(self._streams, batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.batch_size = None
        if batch_size is not None and batch_sampler is None:
            self.batch_size = _count("batch_size", batch_size, least=1)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.collate_fn = collate_fn
        self.num_workers = _count("num_workers", num_workers, least=0)
        if prefetch_factor is not None and num_workers == 0:
            raise ValueError("DataLoader: prefetch_factor is for each of num_workers, which is 0")
        factor = PREFETCH if prefetch_factor is None else prefetch_factor
        self.prefetch_factor = _count("prefetch_factor", factor, least=1)
        ahead = self.prefetch_factor * max(1, num_workers) if prefetch is None else prefetch
        self.prefetch = _count("prefetch", ahead, least=0)
        if not timeout >= 0:
            raise ValueError(f"DataLoader: timeout must be >= 0, got {timeout!r}")
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.pin_memory = pin_memory
        self.persistent_workers = persistent_workers
        self._draws = draws(dataset)
        self.generator: np.random.Generator | None = None
        held = getattr(sampler if batch_sampler is None else batch_sampler, "generator", None)
        if shuffle or generator is not None or (self._draws and held is None):
            self.generator = as_numpy_generator(generator)
        elif isinstance(held, np.random.Generator):
            self.generator = held  # so that the state is that of the orders
        self.sampler: Any = sampler
        self.batch_sampler = batch_sampler
        if sampler is None and batch_sampler is None and not self._streams:
            source = as_sized(dataset)
            self.sampler = (
                RandomSampler(source, generator=self.generator)
                if shuffle
                else SequentialSampler(source)
            )

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(as_sized(self.batch_sampler))
        size = len(self.dataset) if self._streams else len(as_sized(self.sampler))
        return (
            size if self.batch_size is None else batches_of(size, self.batch_size, self.drop_last)
        )

    def __iter__(self) -> Iterator[Any]:
        if self._streams:
            fetch: Callable[[int], Any] = self._stream(iter(self.dataset))
            count = None
        else:
            batches = self._batches()
            seed = None
            if self._draws and self.generator is not None:
                seed = int(self.generator.integers(2**63))
            fetch = _Fetch(self.dataset, self.collate_fn, batches, seed)
            count = len(batches)
        if self.prefetch == 0 and self.num_workers == 0:
            return _one_by_one(fetch, count)
        workers = 1 if self._streams else max(1, self.num_workers)
        ahead = max(1, self.prefetch)
        return Prefetcher(fetch, count, ahead, workers, self.timeout, self.worker_init_fn)

    def _batches(self) -> _Slices | list[Any]:
        """Positions of each batch of an epoch, or of each sample where there are no batches."""
        if self.batch_sampler is not None:
            return [list(batch) for batch in self.batch_sampler]
        given = self.sampler
        order = given.order() if hasattr(given, "order") else np.array([*given], dtype=np.intp)
        if self.batch_size is None:
            return order.tolist()
        return _Slices(order, self.batch_size, self.drop_last)

    def _stream(self, samples: Iterator[Any]) -> Callable[[int], Any]:
        """What makes the next batch of a stream."""
        size, collate = self.batch_size, self.collate_fn

        def fetch(number: int) -> Any:
            if size is None:
                sample = next(samples, END)
                return sample if sample is END else (collate or default_convert)(sample)
            batch = list(itertools.islice(samples, size))
            if not batch or (self.drop_last and len(batch) < size):
                return END
            return (collate or default_collate)(batch)

        return fetch

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


def _check_dataset(dataset: Any) -> None:
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise TypeError(
            f"DataLoader: {type(dataset).__name__} is no dataset; it needs __len__ and __getitem__"
        )
    if len(dataset) == 0:
        raise ValueError(f"DataLoader: the dataset ({type(dataset).__name__}) is empty")


def _check_options(
    streams: bool, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: Any
) -> None:
    """Refuse what excludes each other, as PyTorch does."""
    if streams and (shuffle or sampler is not None or batch_sampler is not None):
        raise ValueError(
            "DataLoader: an IterableDataset gives its samples in its own order; shuffle, sampler "
            "and batch_sampler are for datasets with positions"
        )
    if sampler is not None and shuffle:
        raise ValueError("DataLoader: give sampler or shuffle, not both")
    if batch_sampler is not None and (
        batch_size != 1 or shuffle or sampler is not None or drop_last
    ):
        raise ValueError(
            "DataLoader: batch_sampler takes the place of batch_size, shuffle, sampler and "
            "drop_last; give it alone"
        )
    if batch_size is None and drop_last:
        raise ValueError("DataLoader: without batches (batch_size=None) there is no last one")


def _count(name: str, value: Any, least: int) -> int:
    count = as_int(value)
    if count is None or count < least:
        raise ValueError(f"DataLoader: {name} must be an integer >= {least}, got {value!r}")
    return count


class _Slices:
    """The batches of an order, cut when they are asked for."""

    def __init__(self, order: np.ndarray, batch_size: int, drop_last: bool) -> None:
        self.order = order
        self.batch_size = batch_size
        self.count = batches_of(len(order), batch_size, drop_last)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> list[int]:
        start = number * self.batch_size
        return self.order[start : start + self.batch_size].tolist()


class _Fetch:
    """Makes batch number b of one epoch."""

    def __init__(
        self,
        dataset: Any,
        collate_fn: Callable[[Any], Any] | None,
        batches: _Slices | list[Any],
        seed: int | None,
    ) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.hook = batch_hook(dataset)
        self.batches = batches
        self.seed = seed

    def __call__(self, number: int) -> Any:
        with drawing_from(self.seed, number):
            return self._fetch(self.batches[number])

    def _fetch(self, indices: list[int] | int) -> Any:
        if not isinstance(indices, list):  # no batches
            return (self.collate_fn or default_convert)(self.dataset[indices])
        if self.hook is not None:
            batch = self.hook(indices)
            if isinstance(batch, list):
                return (self.collate_fn or default_collate)(batch)
            if self.collate_fn is None:
                return batch
            # A collated batch cannot be handed to the user's own collate_fn, which takes samples.
        return (self.collate_fn or default_collate)([self.dataset[index] for index in indices])


def _one_by_one(fetch: Callable[[int], Any], count: int | None) -> Iterator[Any]:
    for number in itertools.count() if count is None else range(count):
        batch = fetch(number)
        if batch is END:
            return
        yield batch


def get_worker_info() -> None:
    """
    None, as in a program without worker processes.

    Datasets written for PyTorch ask it how to share out a stream; here one thread reads it all.

    Examples
    --------
    >>> get_worker_info() is None
    True
    """
