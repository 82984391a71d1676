"""What was tried and what came out, in memory and as lines of JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

from .space import Parameters

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Trial:
    """
    One run of the objective.

    Attributes
    ----------
    number : int
        Its place in the search, from 0.
    parameters : dict
    value : float or None
        What the objective returned; None if it failed.
    error : str or None
        Why it failed.
    seconds : float
        What it took.

    Examples
    --------
    >>> Trial(0, {"lr": 0.1}, 0.9).value
    0.9
    """

    number: int
    parameters: Parameters
    value: float | None
    error: str | None = None
    seconds: float = 0.0


class Trials(Sequence[Trial]):
    """
    The trials of a search, in their order.

    Parameters
    ----------
    trials : iterable of Trial
    mode : {"max", "min"}
        Whether the best is the largest value or the smallest.
    interrupted : bool
        Whether Ctrl-C ended the search before all were done.

    Examples
    --------
    >>> trials = Trials([Trial(0, {"lr": 0.1}, 0.90), Trial(1, {"lr": 0.01}, 0.95)])
    >>> trials.best.parameters
    {'lr': 0.01}
    >>> print(trials)
    trial    lr  value
        1  0.01   0.95
        0   0.1    0.9
    """

    def __init__(
        self, trials: Iterable[Trial], mode: str = "max", interrupted: bool = False
    ) -> None:
        check_mode("Trials", mode)
        self._trials = sorted(trials, key=lambda trial: trial.number)
        self.mode = mode
        self.interrupted = interrupted

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> list[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | list[Trial]:
        return self._trials[index]

    def __len__(self) -> int:
        return len(self._trials)

    def ranked(self) -> list[Trial]:
        """Those that did not fail, the best first; of equals the earliest."""
        sign = -1.0 if self.mode == "max" else 1.0
        done = [(sign * t.value, t.number, t) for t in self if t.value is not None]
        return [trial for _, _, trial in sorted(done, key=lambda entry: entry[:2])]

    @property
    def best(self) -> Trial:
        """
        The best trial.

        Raises
        ------
        ValueError
            If there is none, as all failed; says why the first did.
        """
        ranked = self.ranked()
        if not ranked:
            why = f": the first failed by {self.failed[0].error}" if self.failed else ""
            raise ValueError(f"none of {len(self)} trials has a value{why}")
        return ranked[0]

    @property
    def values(self) -> list[float]:
        """Values of those that did not fail, in the order of the trials."""
        return [trial.value for trial in self if trial.value is not None]

    @property
    def failed(self) -> list[Trial]:
        """Those that failed."""
        return [trial for trial in self if trial.value is None]

    def best_so_far(self) -> list[float]:
        """After each trial, the best value until then; NaN until the first that has one."""
        better = max if self.mode == "max" else min
        found, best = [], math.nan
        for trial in self:
            if trial.value is not None:
                best = trial.value if math.isnan(best) else better(best, trial.value)
            found.append(best)
        return found

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns, as a data frame takes them: number, each parameter, value, error, seconds."""
        columns: dict[str, list[Any]] = {"number": [trial.number for trial in self]}
        for name in self._names():
            columns[name] = [trial.parameters.get(name) for trial in self]
        for name in ("value", "error", "seconds"):
            columns[name] = [getattr(trial, name) for trial in self]
        return columns

    def table(self, top: int | None = None) -> str:
        """A table of the `top` best trials (default: all), and of those that failed."""
        names = self._names()
        rows = [["trial", *names, "value"]]
        for trial in self.ranked()[:top] + self.failed:
            shown = [_text(trial.parameters.get(name, "")) for name in names]
            value = "failed" if trial.value is None else _text(trial.value)
            rows.append([str(trial.number), *shown, value])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
            for row in rows
        ]
        lines += [f"trial {trial.number} failed: {trial.error}" for trial in self.failed]
        return "\n".join(lines)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for trial in self for name in trial.parameters))

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"Trials({len(self)} trials, {len(self.failed)} failed, mode={self.mode!r})"


def check_mode(who: str, mode: str) -> None:
    """Refuse what is neither largest nor smallest."""
    if mode not in ("max", "min"):
        raise ValueError(f"{who}: mode must be 'max' or 'min', met {mode!r}")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Journal:
    """
    Trials kept in a file, a line of JSON each, as soon as they are done.

    Parameters
    ----------
    file : path-like, optional
        Without one nothing is kept.

    Raises
    ------
    ValueError
        If the file holds something else.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> len(Journal(None).done)
    0
    """

    def __init__(self, file: PathLike | None) -> None:
        self.path = None if file is None else Path(file)
        self.done: dict[int, Trial] = {}
        if self.path is not None and self.path.exists():
            self.done = {trial.number: trial for trial in self._read(self.path)}
        if self.path is not None:  # a file that cannot be written is told now, not after a trial
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("a").close()

    def _read(self, path: Path) -> Iterator[Trial]:
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for place, line in enumerate(data[:whole].splitlines(), 1):
            try:
                yield Trial(**json.loads(line))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {place}: not a trial of a search") from error
        if whole < len(data):
            if not data[whole:].startswith(b'{"number"'[: len(data) - whole]):
                raise ValueError(f"{path}: not the trials of a search")
            # The search was killed while it wrote this line: that trial is run again.
            os.truncate(path, whole)

    def find(self, number: int, parameters: Parameters) -> Trial | None:
        """
        The trial of that number, if it is done.

        Raises
        ------
        ValueError
            If it had other parameters: the file is that of another search.
        """
        trial = self.done.get(number)
        if trial is not None and trial.parameters != parameters:
            raise ValueError(
                f"{self.path} holds another search: its trial {number} had {trial.parameters}, "
                f"not {parameters}; name another file"
            )
        return trial

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.done[trial.number] = trial
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(trial)) + "\n")
