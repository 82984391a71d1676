"""A search over a list of candidates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .space import plain
from .trials import Journal, PathLike, Trial, Trials, check_mode
from .workers import Objective, Pool


def search(
    objective: Objective,
    candidates: Sequence[Mapping[str, Any]],
    *,
    workers: int = 1,
    mode: str = "max",
    file: PathLike | None = None,
    progress: bool | None = None,
) -> Trials:
    """
    Try candidates, and say what came out.

    Each trial stands for itself, so the values are the same for any number of workers, if the
    objective seeds what it draws. A trial that raises, or returns no finite number, is marked as
    failed, and the others go on. Ctrl-C ends the search; what is done is returned, and kept.

    Parameters
    ----------
    objective : callable
        Takes a dict of parameters, returns a number: a score on validation data.
    candidates : sequence of dict
        From `grid` or `random`, or written by hand.
    workers : int, default 1
        Processes, with one thread each. For more than one the objective must be a function (or an
        object with ``__call__``) of a file that can be imported, and a script must start its
        search under ``if __name__ == "__main__":``.
    mode : {"max", "min"}
        Whether the best is the largest value or the smallest.
    file : path-like, optional
        Where each trial is kept as a line of JSON when it is done. A search that finds some of its
        trials there does not run them again.
    progress : bool, optional
        A line on stderr for each trial: always, never, or (None) where stderr is a terminal.

    Returns
    -------
    Trials

    Raises
    ------
    ValueError
        If there are no candidates, `file` holds another search, or an option is not as said.
    TypeError
        If a parameter is no number, string, bool or None, or the objective cannot be sent to
        another process.
    RuntimeError
        If a process cannot begin.
    OSError
        If `file` cannot be written.

    Examples
    --------
    >>> from nn.search import grid
    >>> trials = search(lambda p: -((p["x"] - 1) ** 2), grid({"x": [0, 1, 2]}))
    >>> trials.best.parameters
    {'x': 1}
    """
    check_mode("search", mode)
    if not candidates:
        raise ValueError("search: expected at least one candidate, met none")
    wanted = [
        {name: plain(f"search: {name!r}", value) for name, value in candidate.items()}
        for candidate in candidates
    ]
    journal = Journal(file)
    found = [journal.find(number, parameters) for number, parameters in enumerate(wanted)]
    done = [trial for trial in found if trial is not None]
    tell = teller(len(wanted), progress)
    interrupted = False
    try:
        with Pool(objective, workers) as pool:
            tasks = [(n, wanted[n]) for n, trial in enumerate(found) if trial is None]
            for trial in pool.run(tasks):
                journal.add(trial)
                done.append(trial)
                tell(trial)
    except KeyboardInterrupt:
        interrupted = True
    return Trials(done, mode, interrupted)


def teller(count: int, progress: bool | None) -> Callable[[Trial], None]:
    """What prints a line for each trial, or nothing."""
    shown = sys.stderr.isatty() if progress is None else progress

    def tell(trial: Trial) -> None:
        if shown:
            outcome = trial.error if trial.value is None else f"{trial.value:.4g}"
            print(
                f"trial {trial.number} of {count}: {trial.parameters} -> {outcome} "
                f"({trial.seconds:.1f} s)",
                file=sys.stderr,
            )

    return tell
