"""What may listen while a model trains: early stopping, progress bars, logs, and your own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..serialize import PathLike
from .average import copied
from .history import Record

if TYPE_CHECKING:
    from .trainer import Trainer


class BatchResult(NamedTuple):
    """
    What a callback is told of a batch.

    Attributes
    ----------
    number : int
        Of the batch in its epoch, from 0.
    size : int
        Samples in it.
    loss : float
    """

    number: int
    size: int
    loss: float


class Callback:
    """
    Base of all callbacks: each method does nothing; a subclass overrides those it needs.

    The trainer is handed over whole: `Trainer.stop` ends the training, `Trainer.model`,
    `Trainer.optimizer`, `Trainer.epoch` and `Trainer.history` say where it stands.

    Examples
    --------
    >>> class Count(Callback):
    ...     batches = 0
    ...
    ...     def on_batch_end(self, trainer, result):
    ...         self.batches += 1
    """

    def on_fit_start(self, trainer: Trainer) -> None:
        """Training begins, or goes on."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """An epoch begins; ``trainer.epoch`` of them are complete."""

    def on_batch_end(self, trainer: Trainer, result: BatchResult) -> None:
        """The loss of a batch was computed, its gradient too, and a step taken if one is due."""

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """An epoch is complete and in ``trainer.history``; entries added to `record` stay there."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Training ends, also by an error: the place to close files."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs of this callback; kept in checkpoints."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Take what `state_dict` returned."""


def mode_of(monitor: str, mode: str | None, who: str) -> str:
    """
    Return "min" or "max": as given, or "min" for a loss; any other name must say.

    Examples
    --------
    >>> mode_of("validation_loss", None, "EarlyStopping")
    'min'
    """
    if mode in ("min", "max"):
        return mode
    if mode is None and monitor.endswith("loss"):
        return "min"
    raise ValueError(
        f"{who}: mode must be 'min' or 'max' (is a lower {monitor} better, or a higher one?), not "
        f"{mode!r}"
    )


def monitored(record: Record, monitor: str, who: str) -> float:
    """
    Return the value of `monitor` in a record.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> monitored({"epoch": 1, "train_loss": 0.5}, "train_loss", "EarlyStopping")
    0.5
    """
    if monitor not in record:
        raise ValueError(
            f"{who}: no {monitor!r} to monitor; an epoch's record has {', '.join(record)}"
        )
    return float(record[monitor])


class EarlyStopping(Callback):
    """
    End the training when a number has not become better for some epochs.

    Parameters
    ----------
    patience : int, default 5
        Epochs in a row without improvement after which training stops.
    min_delta : float, default 0
        What is no more than this better is no improvement.
    monitor : str, optional
        An entry of the epochs' records. Default: the trainer's own.
    mode : {"min", "max"}, optional
        Whether lower or higher is better. Default: the trainer's, or lower for a loss.
    restore_best : bool, default True
        Whether the model has the weights of its best epoch when training ends, for whatever
        reason. They are kept in memory and in checkpoints.

    Raises
    ------
    ValueError
        If `patience` is no integer >= 1, or `min_delta` negative.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=2)
    >>> stopping.best is None
    True
    """

    def __init__(
        self,
        patience: int = 5,
        min_delta: float = 0.0,
        monitor: str | None = None,
        mode: str | None = None,
        restore_best: bool = True,
    ) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(f"EarlyStopping: patience must be an integer >= 1, not {patience!r}")
        if not min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta must be >= 0, not {min_delta!r}")
        if mode is not None or monitor is not None:
            mode = mode_of(monitor or "loss", mode, "EarlyStopping")
        self.patience = patience
        self.min_delta = float(min_delta)
        self.monitor = monitor
        self.mode = mode
        self.restore_best = restore_best
        self.best: float | None = None
        self.best_epoch = 0
        self.wait = 0
        self.weights: dict[str, np.ndarray] = {}

    def on_fit_start(self, trainer: Trainer) -> None:
        """Stop at once if a run goes on that was stopped already."""
        if self.wait >= self.patience:
            self._stop(trainer)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Compare with the best so far."""
        monitor = self.monitor or trainer.monitor
        value = monitored(record, monitor, "EarlyStopping")
        if self._is_better(value, self.mode or trainer.mode):
            self.best, self.best_epoch, self.wait = value, trainer.epoch, 0
            if self.restore_best:
                self.weights = copied(trainer.weights_for_use())
            return
        self.wait += 1
        if self.wait >= self.patience:
            self._stop(trainer)

    def on_fit_end(self, trainer: Trainer) -> None:
        """Give the model its best weights."""
        if self.weights:
            trainer.use(self.weights)

    def _is_better(self, value: float, mode: str) -> bool:
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        gain = self.best - value if mode == "min" else value - self.best
        return gain > self.min_delta

    def _stop(self, trainer: Trainer) -> None:
        monitor = self.monitor or trainer.monitor
        trainer.stop(
            f"early stopping: {monitor} did not become better than {self.best} of epoch "
            f"{self.best_epoch} for {self.wait} epochs"
        )

    def state_dict(self) -> dict[str, Any]:
        """The best value, its epoch and weights, and the epochs since."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "weights": dict(self.weights),
        }

    def load_state_dict(self, state: Any) -> None:
        """
        Take what `state_dict` returned.

        Raises
        ------
        ValueError
            If it is none.
        """
        like = self.state_dict()
        if not isinstance(state, Mapping) or state.keys() != like.keys():
            raise ValueError("EarlyStopping.load_state_dict: not a state of EarlyStopping")
        best, epoch, wait, weights = (state[name] for name in like)
        fits = (
            (best is None or isinstance(best, float))
            and isinstance(epoch, int)
            and isinstance(wait, int)
            and isinstance(weights, Mapping)
        )
        if not fits:
            raise ValueError(f"EarlyStopping.load_state_dict: malformed state {state!r}")
        self.best, self.best_epoch, self.wait = best, epoch, wait
        self.weights = {name: np.array(value, copy=True) for name, value in weights.items()}


class ProgressBar(Callback):
    """
    A bar for each epoch on the terminal, by tqdm; it stays there with the epoch's numbers.

    Parameters
    ----------
    show : bool, optional
        None shows it where stderr is a terminal, True everywhere, False nowhere.

    Examples
    --------
    >>> bar = ProgressBar(show=False)
    """

    def __init__(self, show: bool | None = None) -> None:
        self.disable = None if show is None else not show
        self.bar: Any = None

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Begin a bar."""
        from tqdm import tqdm

        last = trainer.last_epoch
        title = f"epoch {trainer.epoch + 1:{len(str(last))}}/{last}"
        loader = trainer.train_loader
        try:
            length = len(loader) if isinstance(loader, Sized) else None
        except TypeError:  # a loader of a stream
            length = None
        self.bar = tqdm(total=length, desc=title, unit=" batches", disable=self.disable)

    def on_batch_end(self, trainer: Trainer, result: BatchResult) -> None:
        """Move on."""
        self.bar.set_postfix_str(f"loss {result.loss:.4f}", refresh=False)
        self.bar.update(result.number + 1 - self.bar.n)  # a resumed epoch begins further on

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Leave the epoch's numbers behind."""
        shown = (
            f"{name.replace('_', ' ')} {value:.4g}"
            for name, value in record.items()
            if name not in ("epoch", "lr") and isinstance(value, float)
        )
        self.bar.set_postfix_str(", ".join(shown))
        self.bar.close()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close a bar that an error or Ctrl-C has left open."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class TensorBoard(Callback):
    """
    Event files for TensorBoard, by tensorboardX: each number of an epoch's record by its name.

    Parameters
    ----------
    folder : path-like
        A resumed run goes on in it.

    Raises
    ------
    ImportError
        When training begins, if tensorboardX is not installed.

    Examples
    --------
    >>> events = TensorBoard("runs/events")
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder)
        self.writer: Any = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """Open a file; what a killed run wrote beyond its checkpoint is hidden."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                f"event files need tensorboardX ({error}); install it by: "
                "pip install dagrad[tensorboard]"
            ) from error
        self.writer = SummaryWriter(str(self.folder), purge_step=trainer.epoch + 1)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Write the numbers of the epoch."""
        for name, value in record.items():
            if name != "epoch" and isinstance(value, int | float):
                self.writer.add_scalar(name, value, record["epoch"])
        self.writer.flush()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None
