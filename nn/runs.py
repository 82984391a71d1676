"""A run of `train`: its folder, its trainer, and what it leaves behind."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

import optim
from autograd import manual_seed

from . import data as readers
from .layers.losses import CrossEntropyLoss
from .metrics import accuracy
from .models import ModelEntry, find_model
from .module import Module
from .pictures import save_pictures
from .report import confusion_text, save_confusion, save_curves
from .serialize import CheckpointError, save_file
from .settings import (
    OPTIMIZERS,
    Failure,
    Settings,
    new_settings,
    reporting,
    resumed_settings,
    saved_settings,
)
from .splits import NUM_CLASSES, Splits, load_splits
from .train import (
    BatchResult,
    Callback,
    Evaluation,
    Record,
    Trainer,
    TrainingError,
    evaluate,
    write_metrics,
)

if TYPE_CHECKING:
    from tqdm import tqdm

EVALUATION_BATCH = 256  # fixed, so that --batch-size cannot change how a sum is rounded
RUNS = Path("runs")

# The files of a run folder. The checkpoint is the one that counts; metrics.jsonl is written from
# it, and the others when the last epoch is done.
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
WEIGHTS = "model.safetensors"
CURVES = "curves.png"
CONFUSION = "confusion.png"
GRAPH = "graph.svg"
FILM = "film.html"
RUN_FILES = (CHECKPOINT, METRICS, WEIGHTS, CURVES, CONFUSION, GRAPH, FILM)
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
    """One run of `train`: its folder, what it was told, its data and its trainer."""

    folder: Path
    settings: Settings
    splits: Splits
    trainer: Trainer

    def save(self) -> None:
        """Bring the folder up to date with the epochs done; the checkpoint goes first."""
        extra = {"settings": asdict(self.settings), "data_checksum": self.splits.checksum()}
        with reporting(OSError):
            self.trainer.save(self.folder / CHECKPOINT, extra)
            write_metrics(self.folder / METRICS, self.trainer.history.records)

    def fit(self) -> None:
        """Train to the last epoch, with a progress bar, a line and a checkpoint for each."""
        from tqdm import tqdm

        settings, trainer = self.settings, self.trainer
        width = len(str(settings.epochs))
        size = len(self.splits.train[1])
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
            print(_epoch_line(trainer.history[-1], settings.epochs, time.perf_counter() - began))

    def finish(self) -> None:
        """Test the model, for the first and only time, and write and show the results."""
        settings, trainer = self.settings, self.trainer
        result = evaluate(trainer.model, _loader(self.splits.test), trainer.loss_fn, NUM_CLASSES)
        percent = f"{100 * result.accuracy:.2f} %"
        print(f"\ntest accuracy {percent} ({result.correct:,} of {result.count:,} images)\n")
        print(confusion_text(result.confusion))
        test = {
            "epoch": trainer.epoch,
            "test_loss": result.loss,
            "test_accuracy": result.accuracy,
            "test_confusion": result.confusion.tolist(),
        }
        about = {
            "model": settings.model,
            "data": settings.data,
            "mean": self.splits.mean,  # a user of the weights must standardise alike
            "std": self.splits.std,
            "test_accuracy": result.accuracy,
        }
        # One entry, for safetensors writes several in an order that differs from run to run.
        metadata = {MODEL_KEY: json.dumps(about)}
        with reporting(OSError):
            write_metrics(self.folder / METRICS, [*trainer.history, test])
            save_file(trainer.model.state_dict(), self.folder / WEIGHTS, metadata)
        written = [WEIGHTS, CHECKPOINT, METRICS]
        try:
            self._draw(result)
            written += [CURVES, CONFUSION]
        except ImportError as error:
            print(f"note: {error}", file=sys.stderr)
        with reporting(OSError):
            save_pictures(trainer.model, *self.splits.test, self.folder / GRAPH, self.folder / FILM)
        written += [GRAPH, FILM]
        print(f"\nin {self.folder}: {', '.join(written)}")

    def _draw(self, result: Evaluation) -> None:
        settings = self.settings
        kind = settings.data.partition(":")[0]
        percent = f"{100 * result.accuracy:.2f} %"
        smoothing = settings.label_smoothing
        with reporting(OSError):
            save_curves(
                self.folder / CURVES,
                self.trainer.history.records,
                title=f"{settings.model} on {kind}: {percent} of {result.count:,} test images "
                f"right\n{settings.optimizer}, lr {settings.lr:g}, batch {settings.batch_size}, "
                f"seed {settings.seed}",
                loss_name="cross-entropy"
                + (f" (label smoothing {smoothing:g})" if smoothing else ""),
                test_accuracy=result.accuracy,
            )
            save_confusion(
                self.folder / CONFUSION,
                result.confusion,
                title=f"{settings.model} on {kind}: {result.correct:,} of {result.count:,} test "
                f"images right ({percent})",
            )


def _epoch_line(record: Record, epochs: int, seconds: float) -> str:
    return (
        f"epoch {record['epoch']:{len(str(epochs))}}/{epochs}  "
        f"train loss {record['train_loss']:.4f}  "
        f"validation loss {record['validation_loss']:.4f}  "
        f"accuracy {100 * record['validation_accuracy']:6.2f} %  {seconds:.1f} s"
    )


def _loader(
    part: tuple[np.ndarray, np.ndarray],
    batch_size: int = EVALUATION_BATCH,
    shuffle: np.random.Generator | None = None,
) -> readers.DataLoader:
    dataset = readers.TensorDataset(*part)
    return readers.DataLoader(dataset, batch_size, shuffle is not None, generator=shuffle)


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

    splits, order_rng = seeded_splits(settings)
    if saved is not None and splits.checksum() != checksum:
        raise Failure(
            f"{folder} holds a run on other data ({saved.data}) than {settings.data} is now; "
            "resume it with the same data, or start another run in another --out"
        )
    check_shape(find_model(settings.model), splits, settings)

    manual_seed(settings.seed)
    model = make_model(settings)
    optimizer = OPTIMIZERS[settings.optimizer].make(model.parameters(), settings.lr)
    shift = settings.shift
    trainer = Trainer(
        model,
        optimizer,
        CrossEntropyLoss(label_smoothing=settings.label_smoothing),
        _loader(splits.train, settings.batch_size, order_rng),
        _loader(splits.validation),
        metrics={"accuracy": accuracy},
        scheduler=optim.lr_scheduler.StepLR(optimizer, settings.lr_step, settings.lr_decay),
        augment=readers.RandomShift(shift) if shift else None,
    )
    if folder is None:
        folder = claim_folder(options.out, settings.model)
        run = Run(folder, settings, splits, trainer)
        run.save()  # now, so that an unwritable folder is told before the training
    else:
        with reporting(CheckpointError, OSError):
            trainer.load(folder / CHECKPOINT)
        if trainer.epoch > settings.epochs:
            raise Failure(
                f"{folder} has {trainer.epoch} epochs behind it already; --epochs "
                f"{settings.epochs} is less"
            )
        run = Run(folder, settings, splits, trainer)
        run.save()
    counts = ", ".join(
        f"{len(labels):,} {name}"
        for name, (_, labels) in (
            ("training", splits.train),
            ("validation", splits.validation),
            ("test", splits.test),
        )
    )
    parameters = sum(math.prod(parameter.shape) for parameter in model.parameters())
    print(f"{settings.model}, {parameters:,} parameters; {settings.data}, images: {counts}")
    print(
        f"{settings.optimizer}, lr {settings.lr:g}, batch size {settings.batch_size}, seed "
        f"{settings.seed}; run folder {folder}"
    )
    if trainer.epoch:
        print(f"going on after epoch {trainer.epoch}")
    return run


def seeded_splits(settings: Settings) -> tuple[Splits, np.random.Generator]:
    """The data of a run, cut as its seed says, and the generator of the order of its images."""
    # Streams of their own, so that no two draws have anything in common.
    split_rng, order_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(settings.seed).spawn(2)
    )
    return load_splits(settings.data, split_rng, settings.limit), order_rng


def make_model(settings: Settings) -> Module:
    """The model of a run, with the initial weights that the default generator gives it."""
    entry = find_model(settings.model)
    return entry.factory(in_channels=entry.input_shape[0], num_classes=NUM_CLASSES)


def check_shape(entry: ModelEntry, splits: Splits, settings: Settings) -> None:
    """Raise `Failure` if the data have images of another shape than the model takes."""
    shape = splits.train[0].shape[1:]
    if shape != entry.input_shape:
        raise Failure(
            f"{settings.model} takes images of shape {entry.input_shape}, {settings.data} has "
            f"{shape}"
        )
