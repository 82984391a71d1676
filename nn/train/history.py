"""What is known of the epochs of a run: in memory, as lines of JSON, as a table, as a picture."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..serialize import PathLike, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Record = dict[str, Any]  # what is known of one epoch: a line of metrics.jsonl


class History(Sequence[Record]):
    """
    The records of a run, one dict for each complete epoch.

    Parameters
    ----------
    records : iterable of dict, optional

    Attributes
    ----------
    records : list of dict
    stop_reason : str or None
        Why training ended before its last epoch: "interrupted" after Ctrl-C, else the sentence of
        who stopped it. None where all epochs were run.

    Examples
    --------
    >>> history = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}])
    >>> history[-1]["train_loss"], len(history)
    (0.25, 2)
    >>> history.to_dict()
    {'epoch': [1, 2], 'train_loss': [0.5, 0.25]}
    """

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records: list[Record] = list(records)
        self.stop_reason: str | None = None

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, History):
            return self.records == other.records
        return self.records == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it grows, so it is no key

    def __repr__(self) -> str:
        last = f", last {self.records[-1]}" if self.records else ""
        return f"History({len(self)} epochs{last})"

    def best(self, monitor: str, mode: str = "min") -> Record:
        """
        Return the record whose `monitor` is lowest (mode "min") or highest ("max").

        The first of equals; NaN is never best.

        Raises
        ------
        ValueError
            If there is no record, none has `monitor`, or mode is another word.

        Examples
        --------
        >>> History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]).best("loss")["epoch"]
        2
        """
        if mode not in ("min", "max"):
            raise ValueError(f"History.best: mode must be 'min' or 'max', not {mode!r}")
        having = [r for r in self.records if monitor in r and not math.isnan(r[monitor])]
        if not having:
            raise ValueError(
                f"History.best: no epoch has a value of {monitor!r}; known are: "
                f"{', '.join(self.to_dict()) or 'none'}"
            )
        return (min if mode == "min" else max)(having, key=lambda record: record[monitor])

    def to_dict(self) -> dict[str, list[Any]]:
        """
        Columns by name, as for a data frame; None where an epoch has no such entry.

        Examples
        --------
        >>> History([{"epoch": 1}, {"epoch": 2, "loss": 1.0}]).to_dict()
        {'epoch': [1, 2], 'loss': [None, 1.0]}
        """
        names = dict.fromkeys(name for record in self.records for name in record)
        return {name: [record.get(name) for record in self.records] for name in names}

    def to_csv(self, path: PathLike) -> None:
        r"""
        Write the columns with a header, atomically.

        Raises
        ------
        OSError
            If it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     History([{"epoch": 1, "loss": 0.5}]).to_csv(Path(folder, "history.csv"))
        ...     Path(folder, "history.csv").read_text()
        'epoch,loss\n1,0.5\n'
        """
        columns = self.to_dict()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        write_atomically(Path(path), text.getvalue().encode())

    def plot(self, path: PathLike | None = None) -> Figure:
        """
        Draw the losses, and beside them the other numbers, by epoch.

        Parameters
        ----------
        path : path-like, optional
            Of a PNG file to be written too.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it once ``matplotlib.pyplot`` was imported there.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no epochs yet.

        Examples
        --------
        >>> figure = History([{"epoch": 1, "train_loss": 0.5, "lr": 0.1}]).plot()
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['loss']
        """
        from ..report import draw_history

        return draw_history(self.records, path)


def write_metrics(path: PathLike, records: Sequence[Mapping[str, Any]]) -> None:
    r"""
    Write one JSON object a line, atomically: no reader and no crash sees half a line.

    The whole file is written anew, so that it never has more epochs than the checkpoint beside it.
    An infinity or NaN, which JSON has no word for, is written as null.

    Parameters
    ----------
    path : path-like
    records : sequence of dict

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_metrics(Path(folder, "metrics.jsonl"), [{"epoch": 1, "train_loss": 0.5}])
    ...     Path(folder, "metrics.jsonl").read_text()
    '{"epoch": 1, "train_loss": 0.5}\n'
    """
    lines = "".join(json.dumps(_finite(record), allow_nan=False) + "\n" for record in records)
    write_atomically(Path(path), lines.encode())


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }
