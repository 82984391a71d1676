"""A trainer's state in a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import DataLoader
from ..serialize import (
    Checkpoint,
    CheckpointError,
    PathLike,
    load_checkpoint,
    save_checkpoint,
    save_file,
)
from .callbacks import monitored
from .history import Record, write_metrics

if TYPE_CHECKING:
    from .callbacks import Callback
    from .trainer import Trainer


# The files that a run keeps in its folder.
LAST = "last.safetensors"
BEST = "best.safetensors"
METRICS = "metrics.jsonl"


@dataclass
class Progress:
    """
    How far an epoch is that was left in the middle.

    Attributes
    ----------
    batches : int
        Trained on; 0 between epochs.
    total : float
        Sum of their samples' losses.
    count : int
        Their samples.
    rate : float
        Learning rate as the epoch began.
    loader : dict or None
        State of the loader as the epoch began.
    """

    batches: int = 0
    total: float = 0.0
    count: int = 0
    rate: float = 0.0
    loader: Any = None


class _Fixed:
    """A state as something that has it; loading goes elsewhere."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def state_dict(self) -> Mapping[str, Any]:
        return self.state

    def load_state_dict(self, state: Any, /) -> None:
        raise TypeError("a fixed state takes no other")


def save_trainer(
    trainer: Trainer,
    path: PathLike,
    weights: dict[str, np.ndarray] | None,
    extra: Mapping[str, Any],
) -> None:
    """Write a checkpoint of `trainer`; `weights` are those to go on from, if not the model's."""
    progress = trainer.progress
    loader = trainer.train_loader if isinstance(trainer.train_loader, DataLoader) else None
    inside: dict[str, Any] = {name: v for name, v in asdict(progress).items() if name != "loader"}
    save_checkpoint(
        path,
        model=trainer.model if weights is None else _Fixed(weights),
        optimizer=trainer.optimizer,
        scheduler=trainer.scheduler,
        # In the middle of an epoch, the state that its order was drawn from.
        loader=_Fixed(progress.loader) if loader is not None and progress.batches else loader,
        epoch=trainer.epoch,
        rng=trainer.generators,
        extra={
            **extra,
            "history": trainer.history.records,
            "trainer": {
                "progress": inside,
                "average": None if trainer.average is None else trainer.average.state_dict(),
                "callbacks": [[_name(c), c.state_dict()] for c in _stateful(trainer)],
            },
        },
    )


def keep_run(trainer: Trainer, folder: Path) -> None:
    """Bring the folder of a run up to date; the checkpoint goes first."""
    trainer.save(folder / LAST)
    records = trainer.history.records
    write_metrics(folder / METRICS, records)
    if not records or trainer.progress.batches:
        return
    if math.isnan(monitored(records[-1], trainer.monitor, "Trainer")):
        return
    if trainer.history.best(trainer.monitor, trainer.mode) is records[-1]:
        save_file(trainer.weights_for_use(), folder / BEST)


def run_exists(folder: Path, how: str) -> FileExistsError:
    """The error of a folder that holds another run."""
    return FileExistsError(f"{how}, or choose another folder: {folder} holds a run already")


def load_trainer(trainer: Trainer, path: PathLike) -> Checkpoint:
    """Put all that `save_trainer` wrote back into `trainer`; or nothing, and raise."""
    # Twice, since load_checkpoint changes the model, and a bad history must leave it alone.
    info = load_checkpoint(path)
    history = _checked_history(path, info)
    state = _checked_state(path, info)
    progress = Progress(**state["progress"])
    loader = trainer.train_loader if isinstance(trainer.train_loader, DataLoader) else None
    callbacks = _stateful(trainer)
    names = [name for name, _ in state["callbacks"]]
    if names != [_name(callback) for callback in callbacks]:
        raise CheckpointError(
            f"{path}: the run had the callbacks {names}, this trainer has "
            f"{[_name(callback) for callback in callbacks]}"
        )
    if (state["average"] is None) != (trainer.average is None):
        raise CheckpointError(f"{path}: only one of the run and this trainer averages its weights")
    parts: list[tuple[Any, Any]] = [
        *zip(callbacks, (saved for _, saved in state["callbacks"]), strict=True)
    ]
    if trainer.average is not None:
        parts.append((trainer.average, state["average"]))
    before = [(part, part.state_dict()) for part, _ in parts]
    try:
        for part, saved in parts:
            part.load_state_dict(saved)
        load_checkpoint(
            path,
            model=trainer.model,
            optimizer=trainer.optimizer,
            scheduler=trainer.scheduler,
            loader=loader,
            rng=trainer.generators,
        )
    except BaseException as error:
        for part, old in before:
            part.load_state_dict(old)
        if isinstance(error, ValueError) and not isinstance(error, CheckpointError):
            raise CheckpointError(f"{path}: {error}") from error
        raise
    progress.loader = None if loader is None else loader.state_dict()
    trainer.epoch, trainer.progress = info.epoch, progress
    trainer.history.records[:] = history
    return info


def _stateful(trainer: Trainer) -> list[Callback]:
    return [callback for callback in trainer.callbacks if callback.state_dict()]


def _name(callback: Callback) -> str:
    return type(callback).__name__


def _checked_history(path: PathLike, info: Checkpoint) -> list[Record]:
    history = info.extra.get("history") if isinstance(info.extra, dict) else None
    if not isinstance(history, list) or not all(
        isinstance(record, dict)
        and record.get("epoch") == number
        and all(isinstance(record.get(key), float) for key in ("lr", "train_loss"))
        for number, record in enumerate(history, start=1)
    ):
        raise CheckpointError(f"{path}: holds no history of a training run")
    if len(history) != info.epoch:
        raise CheckpointError(
            f"{path}: the history has {len(history)} epochs, the checkpoint {info.epoch}"
        )
    return history


def _checked_state(path: PathLike, info: Checkpoint) -> dict[str, Any]:
    state = info.extra.get("trainer")
    like = asdict(Progress())
    good = isinstance(state, dict) and state.keys() == {"progress", "average", "callbacks"}
    if good:
        progress, callbacks = state["progress"], state["callbacks"]
        good = (
            isinstance(progress, dict)
            and progress.keys() == like.keys() - {"loader"}
            and all(type(value) is type(like[name]) for name, value in progress.items())
            and isinstance(callbacks, list)
            and all(
                isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], str)
                for entry in callbacks
            )
        )
    if not good:
        raise CheckpointError(f"{path}: holds no state of a trainer")
    return state
