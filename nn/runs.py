"""A run of `train`: its folder, its trainer, and what it leaves behind."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from autograd import manual_seed

from .options import new_settings, resumed_settings, saved_settings
from .pictures import save_pictures
from .recipes import Task, find_recipe
from .recipes.images import CONFUSION
from .recipes.task import CURVES, batches, count_parameters
from .serialize import CheckpointError, save_file
from .settings import OPTIMIZERS, Failure, Settings, reporting
from .train import BatchResult, Callback, Record, Trainer, TrainingError, write_metrics

if TYPE_CHECKING:
    from tqdm import tqdm

RUNS = Path("runs")

# The files of a run folder. The checkpoint is the one that counts; metrics.jsonl is written from
# it, and the others when the last epoch is done.
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
WEIGHTS = "model.safetensors"
GRAPH = "graph.svg"
FILM = "film.html"
RUN_FILES = (CHECKPOINT, METRICS, WEIGHTS, CURVES, CONFUSION, GRAPH, FILM)
FILMED = 100_000  # parameters: the page of a larger model would be too heavy to play
MODEL_KEY = "dagrad.model"  # of the metadata in model.safetensors; holds JSON


def claim_folder(out: Path | None, model: str) -> Path:
    """A folder for a new run: `out`, which must not hold one, or else a new one under runs/."""
    with reporting(OSError):
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            held = [name for name in RUN_FILES if (out / name).exists()]
            if held:
                raise Failure(
                    f"{out} holds a run already ({held[0]}): go on with it by --resume, or choose "
                    "another --out"
                )
            return out
        for folder in _numbered(model):
            try:
                folder.mkdir(parents=True)  # fails if it exists, so two runs cannot share it
            except FileExistsError:
                continue
            return folder
    raise AssertionError("_numbered never ends")


def resumed_folder(out: Path | None, model: str) -> Path:
    """The folder of the run to go on with: `out`, or else the newest of those under runs/."""
    if out is None:
        folders = list(itertools.takewhile(Path.exists, _numbered(model)))
        held = [folder for folder in folders if (folder / CHECKPOINT).exists()]
        if not held:
            raise Failure(f"no run of {model} under {RUNS}{os.sep}; name its folder by --out")
        return held[-1]
    if not out.is_dir():
        raise Failure(f"{out}: no such folder; there is no run to resume")
    if not (out / CHECKPOINT).exists():
        raise Failure(f"{out} holds no {CHECKPOINT}; there is no run to resume")
    return out


def _numbered(model: str) -> Iterator[Path]:
    yield RUNS / model
    for number in itertools.count(2):
        yield RUNS / f"{model}-{number}"


class Bar(Callback):
    """Moves a progress bar on by the samples of each batch."""

    def __init__(self, bar: tqdm[NoReturn]) -> None:
        self.bar = bar

    def on_batch_end(self, trainer: Trainer, result: BatchResult) -> None:
        """Show the batch's loss."""
        self.bar.set_postfix_str(f"loss {result.loss:.4f}", refresh=False)
        self.bar.update(result.size)


@dataclass
class Run:
    """One run of `train`: its folder, what it was told, its task and its trainer."""

    folder: Path
    settings: Settings
    task: Task
    trainer: Trainer

    def save(self) -> None:
        """Bring the folder up to date with the epochs done; the checkpoint goes first."""
        extra = {"settings": asdict(self.settings), "data_checksum": self.task.parts.checksum()}
        with reporting(OSError):
            self.trainer.save(self.folder / CHECKPOINT, extra)
            write_metrics(self.folder / METRICS, self.trainer.history.records)

    def fit(self) -> None:
        """Train to the last epoch, with a progress bar, a line and a checkpoint for each."""
        from tqdm import tqdm

        settings, trainer = self.settings, self.trainer
        width = len(str(settings.epochs))
        size = self.task.parts.sizes[0]
        while trainer.epoch < settings.epochs:
            began = time.perf_counter()
            with tqdm(
                total=size,
                desc=f"epoch {trainer.epoch + 1:{width}}/{settings.epochs}",
                unit=" samples",
                leave=False,
                disable=None,  # where stderr is no terminal
            ) as bar:
                trainer.callbacks[:] = [Bar(bar)]
                with reporting(TrainingError):
                    trainer.fit(trainer.epoch + 1)
            self.save()
            seconds = time.perf_counter() - began
            print(_epoch_line(trainer.history[-1], settings.epochs, self.task, seconds))

    def finish(self) -> None:
        """Test the model, for the first and only time, and write and show the results."""
        settings, trainer, task = self.settings, self.trainer, self.task
        figures = task.test(trainer.model)
        print(f"\n{task.told(figures)}")
        test: Record = {"epoch": trainer.epoch, **{f"test_{k}": v for k, v in figures.items()}}
        about = {
            "model": settings.model,
            "data": settings.data,
            **task.parts.about,  # a user of the weights must prepare data alike
            **{k: v for k, v in test.items() if not isinstance(v, list)},
        }
        # One entry, for safetensors writes several in an order that differs from run to run.
        metadata = {MODEL_KEY: json.dumps(about)}
        with reporting(OSError):
            write_metrics(self.folder / METRICS, [*trainer.history, test])
            save_file(trainer.model.state_dict(), self.folder / WEIGHTS, metadata)
        written = [WEIGHTS, CHECKPOINT, METRICS]
        try:
            with reporting(OSError):
                written += task.draw(trainer.model, trainer.history.records, figures, self.folder)
        except ImportError as error:
            print(f"note: {error}", file=sys.stderr)
        film = self.folder / FILM if count_parameters(trainer.model) <= FILMED else None
        with reporting(OSError):
            save_pictures(
                trainer.model,
                task.loss,
                task.parts.test,
                task.example(trainer.model),
                self.folder / GRAPH,
                film,
            )
        written += [GRAPH] if film is None else [GRAPH, FILM]
        print(f"\nin {self.folder}: {', '.join(written)}")


def _epoch_line(record: Record, epochs: int, task: Task, seconds: float) -> str:
    parts = [
        f"epoch {record['epoch']:{len(str(epochs))}}/{epochs}",
        f"train loss {record['train_loss']:.4f}",
        f"validation loss {record['validation_loss']:.4f}",
        task.shown(record),
        f"{seconds:.1f} s",
    ]
    return "  ".join(filter(None, parts))


def start(options: argparse.Namespace) -> Run:
    """Settle settings, data and folder, and make the trainer; nothing is trained yet."""
    given = {
        field.name: getattr(options, field.name)
        for field in fields(Settings)
        if getattr(options, field.name) is not None
    }
    if options.resume:
        folder = resumed_folder(options.out, options.model)
        saved, checksum = saved_settings(folder / CHECKPOINT)
        settings = resumed_settings(given, saved, folder)
    else:
        folder = checksum = saved = None
        settings = new_settings(given)

    task, order_rng = seeded_task(settings)
    if saved is not None and task.parts.checksum() != checksum:
        raise Failure(
            f"{folder} holds a run on other data ({saved.data}) than {settings.data} is now; "
            "resume it with the same data, or start another run in another --out"
        )

    trainer = make_trainer(task, order_rng, fresh=saved is None)
    if folder is None:
        folder = claim_folder(options.out, settings.model)
        run = Run(folder, settings, task, trainer)
        run.save()  # now, so that an unwritable folder is told before the training
    else:
        with reporting(CheckpointError, OSError):
            trainer.load(folder / CHECKPOINT)
        if trainer.epoch > settings.epochs:
            raise Failure(
                f"{folder} has {trainer.epoch} epochs behind it already; --epochs "
                f"{settings.epochs} is less"
            )
        run = Run(folder, settings, task, trainer)
        run.save()
    names = ("training", "validation", "test")
    counts = ", ".join(
        f"{size:,} {name}" for size, name in zip(task.parts.sizes, names, strict=True)
    )
    parameters = count_parameters(trainer.model)
    print(f"{settings.model}, {parameters:,} parameters; {settings.data}, samples: {counts}")
    print(
        f"{settings.optimizer}, lr {settings.lr:g}, batch size {settings.batch_size}, seed "
        f"{settings.seed}; run folder {folder}"
    )
    if trainer.epoch:
        print(f"going on after epoch {trainer.epoch}")
    return run


def make_trainer(task: Task, order_rng: np.random.Generator, fresh: bool = True) -> Trainer:
    """The trainer of a run that begins, or of one whose checkpoint is yet to be loaded."""
    settings = task.settings
    manual_seed(settings.seed)
    model = task.make_model(settings)
    if fresh:
        task.pretrain(model)
    optimizer = OPTIMIZERS[settings.optimizer].make(model.parameters(), settings.lr)
    return Trainer(
        model,
        optimizer,
        task.loss,
        batches(task.parts.train, settings.batch_size, order_rng),
        batches(task.parts.validation),
        metrics=task.metrics,
        scheduler=task.scheduler(optimizer),
        augment=task.augment(),
        **task.training,
    )


def seeded_task(settings: Settings) -> tuple[Task, np.random.Generator]:
    """The task of a run, its data cut as its seed says, and the generator of their order."""
    # Streams of their own, so that no two draws have anything in common.
    data_rng, order_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(settings.seed).spawn(2)
    )
    return find_recipe(settings.model).task(settings, data_rng), order_rng
