"""Results made ahead by background threads, and handed out in order."""

from __future__ import annotations

import contextvars
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import autograd

END = object()  # what a fetch of unknown length returns after its last result


class _Channel:
    """
    What the threads of one epoch share.

    SimpleQueue, for its put() may run inside another put() or get() of the same thread: the
    cycle collector can close an iterator at any bytecode of any thread.
    """

    def __init__(self, ahead: int) -> None:
        self.results: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        # Numbers of results that may be made; None sends a thread home. No lock is needed so, which
        # the collector could come upon while it is held.
        self.permits: SimpleQueue[int | None] = SimpleQueue()
        self.stopped = False
        for number in range(ahead):
            self.permits.put(number)


def _work(
    fetch: Callable[[int], Any],
    count: int | None,
    channel: _Channel,
    grad: bool,
    begin: Callable[[], object],
) -> None:
    """Body of a background thread: one result for each permit, until done, stopped or failed."""
    begun = False
    with autograd.set_grad_enabled(grad):  # a new thread starts with recording on
        while True:
            number = channel.permits.get()
            if number is None or channel.stopped or (count is not None and number >= count):
                return
            try:
                if not begun:
                    begin()
                    begun = True
                result = fetch(number)
            except BaseException as error:
                channel.results.put((number, None, error))
                return
            channel.results.put((number, result, None))
            if result is END:
                return


def _stop(threads: list[threading.Thread], channel: _Channel, ready: dict[int, Any]) -> None:
    channel.stopped = True
    for _ in threads:
        channel.permits.put(None)
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join()
    while not channel.results.empty():  # an error in it would hold its frames, which hold it
        channel.results.get()
    ready.clear()


class Prefetcher(Iterator[Any]):
    """
    Iterator over ``fetch(0), fetch(1), ...``, computed ahead by threads and handed out in order.

    Parameters
    ----------
    fetch : callable
        Runs in the background threads, where this thread's grad mode and ``np.errstate`` hold.
    count : int or None
        How many results there are; None: until `fetch` returns `END`.
    ahead : int
        Results that may be ready or in the making beyond the one handed out last.
    workers : int, default 1
        Threads.
    timeout : float, default 0
        Seconds that a result may be waited for; 0 is any time.
    begin : callable, optional
        Called with its number by each thread first.

    Examples
    --------
    >>> list(Prefetcher(lambda number: number**2, count=4, ahead=2, workers=2))
    [0, 1, 4, 9]
    """

    def __init__(
        self,
        fetch: Callable[[int], Any],
        count: int | None,
        ahead: int,
        workers: int = 1,
        timeout: float = 0,
        begin: Callable[[int], object] | None = None,
    ) -> None:
        self._count = count
        self._next = 0
        self._ahead = ahead
        self._timeout = timeout or None
        self._channel = _Channel(ahead)
        self._ready: dict[int, tuple[Any, BaseException | None]] = {}
        grad = autograd.is_grad_enabled()
        # The threads must not hold this object, or dropping it would never end them.
        self._threads = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(_work, fetch, count, self._channel, grad, _beginning(begin, worker)),
                name="dagrad-prefetch",
                daemon=True,
            )
            for worker in range(workers)
        ]
        for thread in self._threads:
            thread.start()
        self._close = weakref.finalize(self, _stop, self._threads, self._channel, self._ready)

    def __next__(self) -> Any:
        if self._next == self._count or not self._close.alive:
            self.close()
            raise StopIteration
        while self._next not in self._ready:
            try:
                number, value, error = self._channel.results.get(timeout=self._timeout)
            except queue.Empty:
                # The thread that is late cannot be waited for, so it is left to end by itself.
                self._close.detach()
                self._channel.stopped = True
                for _ in self._threads:
                    self._channel.permits.put(None)
                raise RuntimeError(
                    f"DataLoader: no batch came within the timeout of {self._timeout} s"
                ) from None
            self._ready[number] = (value, error)
        value, error = self._ready.pop(self._next)
        if value is END:
            self.close()
            raise StopIteration
        if error is not None:
            self.close()
            try:
                if isinstance(error, StopIteration):  # would end the loop in silence
                    raise RuntimeError("DataLoader: the dataset raised StopIteration") from error
                raise error
            finally:
                del error
        self._channel.permits.put(self._next + self._ahead)
        self._next += 1
        return value

    def close(self) -> None:
        """End the epoch: stop the threads, wait for what they are making, drop what is ready."""
        self._close()


def _beginning(begin: Callable[[int], object] | None, worker: int) -> Callable[[], object]:
    return (lambda: None) if begin is None else (lambda: begin(worker))
