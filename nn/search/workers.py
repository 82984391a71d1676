"""An objective in several processes, each of which is started afresh."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

import autograd

from .space import Parameters
from .trials import Trial

Objective = Callable[[Parameters], Any]
Task = tuple[int, Parameters]
END_SECONDS = 5.0  # a process that was told to end and has not by then is killed


def attempt(objective: Objective, number: int, parameters: Parameters) -> Trial:
    """Run the objective once; what it raises, or a value that is no number, is a failed trial."""
    start = time.perf_counter()
    value, error = None, None
    try:
        value = float(objective(dict(parameters)))
        if not math.isfinite(value):
            value, error = None, f"the objective returned {value}"
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    return Trial(number, parameters, value, error, round(time.perf_counter() - start, 3))


def _work(connection: Connection, objective: Objective) -> None:
    """What a process does: trials as they come, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the search, which ends this
    autograd.set_num_threads(1)
    connection.send(None)  # it has begun: what was sent could be read
    # The other side may be gone: then there is nobody to work for.
    with contextlib.suppress(EOFError, BrokenPipeError):
        while (task := connection.recv()) is not None:
            connection.send(attempt(objective, *task))


class _Worker:
    """A process, the way to talk to it, and the trial that it is at."""

    def __init__(self, objective: Objective) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: Any = context.Process(target=_work, args=(theirs, objective), daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the process closes the pipe
        self.begun = False
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        # A process that has died in the meantime is found when it is waited for.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(task)

    def take(self) -> Trial | None:
        """The trial that is done; None if the process says that it has begun."""
        task = self.task
        try:
            trial = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            code = self.process.exitcode
            if not self.begun or task is None:
                raise RuntimeError(
                    f"a process of the search could not begin (exit status {code}): the objective "
                    "must be in a file that can be imported, and a script must start its search "
                    "under if __name__ == '__main__'"
                ) from None
            return Trial(*task, None, f"its process died (exit status {code})")
        if trial is None:
            self.begun = True
        else:
            self.task = None
        return trial

    def end(self, at_once: bool) -> None:
        if not at_once:
            with contextlib.suppress(BrokenPipeError):
                self.connection.send(None)
            self.process.join(END_SECONDS)
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """
    Runs trials in several processes, or in this one.

    Processes are spawned, not forked: a fork would copy locks and threads of the kernels in
    whatever state they are. Each uses one thread, and gives the same numbers as any other.

    Parameters
    ----------
    objective : callable
    workers : int
        Processes; with 1 everything happens in this one.

    Raises
    ------
    ValueError
        If `workers` is less than 1.
    TypeError
        If the objective cannot be sent to another process.

    Examples
    --------
    >>> with Pool(lambda parameters: parameters["x"] ** 2, 1) as pool:
    ...     print([trial.value for trial in pool.run([(0, {"x": 3})])])
    [9.0]
    """

    def __init__(self, objective: Objective, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, met {workers}")
        if workers > 1:
            _check_importable(objective)
        self.objective = objective
        self.workers = workers
        self._running: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        for worker in self._running:
            worker.end(at_once=kind is not None)
        self._running.clear()

    def run(self, tasks: Iterable[Task]) -> Iterator[Trial]:
        """Trials as they are done, in any order."""
        if self.workers == 1:
            for task in tasks:
                yield attempt(self.objective, *task)
            return
        waiting = list(reversed(list(tasks)))
        while waiting or any(worker.task for worker in self._running):
            busy = sum(worker.task is not None for worker in self._running)
            while len(self._running) < min(self.workers, busy + len(waiting)):
                self._running.append(_Worker(self.objective))
            for worker in self._running:
                if waiting and worker.task is None:
                    worker.give(waiting.pop())
            ready = wait([worker.connection for worker in self._running if worker.task])
            for worker in [worker for worker in self._running if worker.connection in ready]:
                trial = worker.take()
                if trial is None:
                    continue
                if worker.task is not None:  # it died at this trial; another takes its place
                    worker.end(at_once=True)
                    self._running.remove(worker)
                yield trial


def _check_importable(objective: Objective) -> None:
    main = sys.modules.get("__main__")
    at_prompt = not hasattr(main, "__file__")  # a notebook or a prompt, which no process can import
    try:
        sent = pickle.dumps(objective)
    except Exception as error:
        raise TypeError(
            f"the objective cannot be sent to another process ({error}): define it in a module, or "
            "use workers=1"
        ) from error
    if at_prompt and b"__main__" in sent:
        raise TypeError(
            "the objective is defined in a notebook or at a prompt, from where other processes "
            "cannot import it: move it to a file, or use workers=1"
        )
