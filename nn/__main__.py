"""The command line: ``python -m nn train lenet5``, installed also as ``dagrad train lenet5``."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import os
import shlex
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import optim
from autograd import manual_seed

from . import data as readers
from .losses import CrossEntropyLoss
from .models import ModelEntry, find_model, list_models
from .module import Module
from .report import confusion_text, save_confusion, save_curves
from .serialize import CheckpointError, load_checkpoint, save_file
from .train import Evaluation, Record, Trainer, TrainingError, evaluate, random_shift, write_metrics

NUM_CLASSES = 10  # of digits and of MNIST
TEST_SHARE = 0.2  # of the digits, which have no test set of their own
VALIDATION_SHARE = 0.1  # of what is not held out for the test
DIGITS_SCALE = 4  # 8x8 -> 32x32
MNIST_PADDING = 2  # on each side, 28x28 -> 32x32
EVALUATION_BATCH = 256  # fixed, so that --batch-size cannot change how a sum is rounded
MAX_SHIFT = 16  # half of an image: beyond it, some would be nothing but border
MAX_SEED = 2**64 - 1
RUNS = Path("runs")

# The files of a run folder. The checkpoint is the one that counts; metrics.jsonl is written from
# it, and the others when the last epoch is done.
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
WEIGHTS = "model.safetensors"
CURVES = "curves.png"
CONFUSION = "confusion.png"
RUN_FILES = (CHECKPOINT, METRICS, WEIGHTS, CURVES, CONFUSION)
MODEL_KEY = "dagrad.model"  # of the metadata in model.safetensors; holds JSON

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Failure(Exception):
    """What went wrong in one sentence for the user, and the exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def reporting(*kinds: type[Exception]) -> Iterator[None]:
    """
    Turn the errors that a layer below documents for bad input into a `Failure`.

    Everything else is a mistake in the program and keeps its traceback, so what is inside should
    be one call.
    """
    try:
        yield
    except kinds as error:
        raise Failure(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


# ---------------------------------------------------------------- settings


@dataclass(frozen=True)
class Settings:
    """What decides the outcome of a run, saved in its checkpoint."""

    model: str
    data: str = "digits"
    epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adam"
    lr: float = 2e-3
    # Three remedies for a training set of 1,300 images, which a network soon knows by heart. Mean
    # test accuracy on the digits, over eight seeds: 98.6 % with none, 99.1 % with smoothing,
    # 99.2 % with shifts too (half a pixel of the 8x8 original), 99.6 % with all three.
    label_smoothing: float = 0.1
    shift: int = 2
    lr_step: int = 10
    lr_decay: float = 0.3
    seed: int = 0
    limit: int | None = None


@dataclass(frozen=True)
class OptimizerChoice:
    """An optimizer on the command line, and the learning rate that suits it."""

    make: Callable[[Any, float], optim.Optimizer]
    lr: float
    description: str


OPTIMIZERS = {
    "sgd": OptimizerChoice(
        lambda parameters, lr: optim.SGD(parameters, lr, momentum=0.9), 2e-2, "momentum 0.9"
    ),
    "adam": OptimizerChoice(optim.Adam, 2e-3, ""),
    "adamw": OptimizerChoice(optim.AdamW, 2e-3, "weight decay 0.01"),
    "rmsprop": OptimizerChoice(optim.RMSprop, 1e-3, ""),
}

# Settings that a resumed run may have otherwise than its checkpoint: more epochs, and the data,
# which are compared by their content, so that a folder may move.
CHANGEABLE = ("epochs", "data")


def new_settings(given: dict[str, Any]) -> Settings:
    """Settings of a new run: what was given, and defaults for the rest."""
    if "lr" not in given:
        name = given.get("optimizer", Settings.optimizer)
        given = {**given, "lr": OPTIMIZERS[name].lr}
    return Settings(**given)


def resumed_settings(given: dict[str, Any], saved: Settings, folder: Path) -> Settings:
    """Settings of a run that goes on: those saved, which what was given must not contradict."""
    differing = [
        f"{_option(name)} {getattr(saved, name)}, not {value}"
        for name, value in given.items()
        if name not in CHANGEABLE and value != getattr(saved, name)
    ]
    if differing:
        raise Failure(
            f"{folder} holds a run with {'; '.join(differing)}: leave such options out to resume "
            "it, or start another run in another --out"
        )
    changed = {name: given[name] for name in CHANGEABLE if name in given}
    return Settings(**{**asdict(saved), **changed})


def _option(name: str) -> str:
    return name if name == "model" else "--" + name.replace("_", "-")


def saved_settings(path: Path) -> tuple[Settings, int]:
    """Settings in a checkpoint, and the checksum of its data."""
    with reporting(CheckpointError, OSError):
        info = load_checkpoint(path)
    extra = info.extra if isinstance(info.extra, dict) else {}
    saved, checksum = extra.get("settings"), extra.get("data_checksum")
    like = asdict(Settings("", limit=0))
    if not isinstance(saved, dict) or not isinstance(checksum, int) or saved.keys() != like.keys():
        raise Failure(f"{path}: a checkpoint, but not one of `train`")
    for name, value in saved.items():
        if (name, value) == ("limit", None):
            continue
        try:
            if type(value) is not type(like[name]):
                raise argparse.ArgumentTypeError(f"must be like {like[name]!r}, not {value!r}")
            PARSERS[name](str(value))
        except argparse.ArgumentTypeError as error:
            raise Failure(f"{path}: malformed checkpoint: {name}: {error}") from error
    return Settings(**saved), checksum


# ---------------------------------------------------------------- data


@dataclass(frozen=True)
class Splits:
    """Images (float32, ``(N, 1, 32, 32)``, standardised) and labels of the three parts."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    mean: float
    std: float

    def checksum(self) -> int:
        """A number that changes when the data do."""
        total = 0
        for array in (*self.train, *self.validation, *self.test):
            total = zlib.crc32(np.ascontiguousarray(array).data, total)
        return total


def load_splits(name: str, rng: np.random.Generator, limit: int | None) -> Splits:
    """
    Read the data called `name`, cut them at random into parts, and standardise.

    Mean and deviation are those of the training part: nothing of the other two may reach training.
    """
    kind, _, folder = name.partition(":")
    if kind == "digits":
        with reporting(ImportError):
            images, labels = readers.digits()
        images = _enlarge(images, DIGITS_SCALE)
        test_count = round(TEST_SHARE * len(images))
        rest, test = _cut(len(images), test_count, rng)
        test_images, test_labels = images[test], labels[test]
        images, labels = images[rest], labels[rest]
    else:
        with reporting(OSError, ValueError):
            (images, labels), (test_images, test_labels) = readers.mnist(folder)
        images, test_images = (_pad(part) for part in (images, test_images))
    for part in (labels, test_labels):
        if part.size and not 0 <= part.min() <= part.max() < NUM_CLASSES:
            raise Failure(f"{name}: a label is {part.max()}; labels must be 0 to {NUM_CLASSES - 1}")
    if len(images) < 2 or len(test_images) < 1:
        raise Failure(
            f"{name}: {len(images)} images to train on and {len(test_images)} to test on; at least "
            "2 and 1 are needed"
        )
    count = max(1, round(VALIDATION_SHARE * len(images)))
    train, validation = (part[:limit] for part in _cut(len(images), count, rng))
    mean = float(images[train].mean(dtype=np.float64))
    std = float(images[train].std(dtype=np.float64)) or 1.0  # blank images stay blank

    def prepared(pixels: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return ((pixels[:, None] - mean) / std).astype(np.float32), classes

    return Splits(
        prepared(images[train], labels[train]),
        prepared(images[validation], labels[validation]),
        prepared(test_images[:limit], test_labels[:limit]),
        mean,
        std,
    )


def _cut(size: int, count: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Positions of all but `count` of `size` samples, and of those `count`, at random."""
    first, second = readers.random_split(range(size), [size - count, count], generator=rng)
    return first.indices, second.indices


def _enlarge(images: np.ndarray, scale: int) -> np.ndarray:
    """Square images made larger, linear between the centres of the pixels."""
    size = images.shape[1]
    place = np.clip((np.arange(scale * size) + 0.5) / scale - 0.5, 0, size - 1)
    # Row i holds the weights of the old pixels in new pixel i: a tent around its place.
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size))).astype(images.dtype)
    return weights @ images @ weights.T


def _pad(images: np.ndarray) -> np.ndarray:
    sides = (MNIST_PADDING, MNIST_PADDING)
    return np.pad(images, ((0, 0), sides, sides)).astype(np.float32) / 255


# ---------------------------------------------------------------- run folders


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


# ---------------------------------------------------------------- train


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
            write_metrics(self.folder / METRICS, self.trainer.history)

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

                def show(samples: int, loss: float, bar: tqdm[NoReturn] = bar) -> None:
                    bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
                    bar.update(samples)

                with reporting(TrainingError):
                    trainer.fit(trainer.epoch + 1, on_batch=show)
            self.save()
            print(_epoch_line(trainer.history[-1], settings.epochs, time.perf_counter() - began))

    def finish(self) -> None:
        """Test the model, for the first and only time, and write and show the results."""
        settings, trainer = self.settings, self.trainer
        result = evaluate(
            trainer.model, _loader(self.splits.test), trainer.loss_fn, trainer.num_classes
        )
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
        print(f"\nin {self.folder}: {', '.join(written)}")

    def _draw(self, result: Evaluation) -> None:
        settings = self.settings
        kind = settings.data.partition(":")[0]
        percent = f"{100 * result.accuracy:.2f} %"
        smoothing = settings.label_smoothing
        with reporting(OSError):
            save_curves(
                self.folder / CURVES,
                self.trainer.history,
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

    # Streams of their own, so that no two draws have anything in common.
    split_rng, order_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(settings.seed).spawn(2)
    )
    splits = load_splits(settings.data, split_rng, settings.limit)
    if saved is not None and splits.checksum() != checksum:
        raise Failure(
            f"{folder} holds a run on other data ({saved.data}) than {settings.data} is now; "
            "resume it with the same data, or start another run in another --out"
        )
    entry = find_model(settings.model)
    _check_shape(entry, splits, settings)

    manual_seed(settings.seed)
    model: Module = entry.factory(in_channels=entry.input_shape[0], num_classes=NUM_CLASSES)
    optimizer = OPTIMIZERS[settings.optimizer].make(model.parameters(), settings.lr)
    shift = settings.shift
    trainer = Trainer(
        model,
        optimizer,
        CrossEntropyLoss(label_smoothing=settings.label_smoothing),
        _loader(splits.train, settings.batch_size, order_rng),
        _loader(splits.validation),
        NUM_CLASSES,
        scheduler=optim.lr_scheduler.StepLR(optimizer, settings.lr_step, settings.lr_decay),
        augment=(lambda images, rng: random_shift(images, shift, rng)) if shift else None,
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


def _check_shape(entry: ModelEntry, splits: Splits, settings: Settings) -> None:
    shape = splits.train[0].shape[1:]
    if shape != entry.input_shape:
        raise Failure(
            f"{settings.model} takes images of shape {entry.input_shape}, {settings.data} has "
            f"{shape}"
        )


def train(options: argparse.Namespace) -> int:
    """Carry out ``train``."""
    run = start(options)
    try:
        run.fit()
        run.finish()
    except KeyboardInterrupt:
        command = shlex.join(["train", run.settings.model, "--out", str(run.folder), "--resume"])
        raise Failure(
            f"interrupted; {run.folder / CHECKPOINT} has {run.trainer.epoch} of "
            f"{run.settings.epochs} epochs, go on by: {_program()} {command}",
            INTERRUPTED,
        ) from None
    return OK


# ---------------------------------------------------------------- arguments


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line; --help has the rest."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _program() -> str:
    name = Path(sys.argv[0]).name
    return name if name.startswith("dagrad") else "python -m nn"


def _number(
    kind: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str
) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return value

    return parse


count = _number(int, lambda value: value >= 1, "an integer >= 1")
pixels = _number(int, lambda value: 0 <= value <= MAX_SHIFT, f"an integer from 0 to {MAX_SHIFT}")
decay = _number(float, lambda value: 0 < value <= 1, "a number > 0 and <= 1")
seed = _number(int, lambda value: 0 <= value <= MAX_SEED, "an integer from 0 to 2**64 - 1")
rate = _number(float, lambda value: 0 < value < math.inf, "a finite number > 0")
share = _number(float, lambda value: 0 <= value < 1, "a number >= 0 and < 1")


def model_name(text: str) -> str:
    """A name that the registry knows."""
    try:
        return find_model(text).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def data_name(text: str) -> str:
    """``digits`` or ``mnist:FOLDER``."""
    kind, _, folder = text.partition(":")
    if text != "digits" and (kind != "mnist" or not folder):
        raise argparse.ArgumentTypeError(f"unknown data {text!r}; known are: digits, mnist:FOLDER")
    return text


def optimizer_name(text: str) -> str:
    """A key of `OPTIMIZERS`."""
    if text not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise argparse.ArgumentTypeError(f"unknown optimizer {text!r}; known are: {known}")
    return text


# How each setting is read, from the command line and, as text, from a checkpoint.
PARSERS: dict[str, Callable[[str], Any]] = {
    "model": model_name,
    "data": data_name,
    "epochs": count,
    "batch_size": count,
    "optimizer": optimizer_name,
    "lr": rate,
    "label_smoothing": share,
    "shift": pixels,
    "lr_step": count,
    "lr_decay": decay,
    "seed": seed,
    "limit": count,
}


def folder_name(text: str) -> Path:
    """Any path but an empty one, which would mean the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text)


def make_parser() -> Parser:
    """Parser of the whole command line."""
    program = _program()
    parser = Parser(
        prog=program,
        description="dagrad: define a model, see its graph, measure its kernels.",
        epilog=f"example: {program} train lenet5",
        allow_abbrev=False,
    )
    parser.add_argument("--list", action="store_true", help="name the models, and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_train(commands, program)
    return parser


def _add_train(commands: Any, program: str) -> None:
    default = Settings("")
    rates = ", ".join(f"{name} {choice.lr:g}" for name, choice in OPTIMIZERS.items())
    kinds = ", ".join(
        name + (f" ({choice.description})" if choice.description else "")
        for name, choice in OPTIMIZERS.items()
    )
    parser = commands.add_parser(
        "train",
        help="train a model to classify images",
        description="Train a model to classify images of handwritten digits, test it once at the\n"
        "end, and leave in a run folder:\n\n"
        f"  {WEIGHTS:24}the weights\n"
        f"  {CHECKPOINT:24}all that --resume needs, written after each epoch\n"
        f"  {METRICS:24}a line of JSON for each epoch, and one for the test\n"
        f"  {CURVES:24}loss and accuracy by epoch (needs matplotlib)\n"
        f"  {CONFUSION:24}what was taken for what in the test (needs matplotlib)",
        epilog="examples:\n"
        f"  {program} train lenet5\n"
        f"  {program} train lenet5 --data mnist:data/mnist --epochs 15 --out runs/mnist\n"
        f"  {program} train lenet5 --out runs/mnist --resume\n"
        f"  {program} train lenet5 --optimizer sgd --lr 0.05 --seed 1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", nargs="?", type=model_name, metavar="MODEL", help="name of a model, see --list"
    )
    parser.add_argument("--list", action="store_true", help="name the models, and leave")

    # Defaults are None here and in Settings: a resumed run must tell what was given from what was
    # left out.
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        type=data_name,
        metavar="DATA",
        help="digits: the 1,797 of scikit-learn, 8x8 enlarged to 32x32, 20%% held out for the "
        "test; mnist:FOLDER: MNIST's four IDX files, plain or .gz, padded to 32x32, t10k for the "
        f"test; of the rest, 10%% validate (default: {default.data})",
    )
    group.add_argument(
        "--limit",
        type=count,
        metavar="N",
        help="use at most N images of each part, to try things out (default: all)",
    )

    group = parser.add_argument_group("training")
    group.add_argument(
        "--epochs",
        type=count,
        metavar="N",
        help=f"passes over the training images (default: {default.epochs})",
    )
    group.add_argument(
        "--batch-size",
        type=count,
        metavar="N",
        help=f"images per step (default: {default.batch_size})",
    )
    group.add_argument(
        "--optimizer",
        type=optimizer_name,
        metavar="NAME",
        help=f"{kinds} (default: {default.optimizer})",
    )
    group.add_argument("--lr", type=rate, metavar="RATE", help=f"learning rate (default: {rates})")
    group.add_argument(
        "--lr-step",
        type=count,
        metavar="N",
        help=f"epochs after which the learning rate falls (default: {default.lr_step})",
    )
    group.add_argument(
        "--lr-decay",
        type=decay,
        metavar="FACTOR",
        help=f"what it is multiplied by then; 1 keeps it (default: {default.lr_decay:g})",
    )
    group.add_argument(
        "--shift",
        type=pixels,
        metavar="N",
        help="move each training image at random by up to N pixels each way (default: "
        f"{default.shift})",
    )
    group.add_argument(
        "--label-smoothing",
        type=share,
        metavar="SHARE",
        help="share of each label that is spread over all classes (default: "
        f"{default.label_smoothing:g})",
    )
    group.add_argument(
        "--seed",
        type=seed,
        metavar="N",
        help="of the split, the initial weights, the shifts and the order of the images; the same "
        f"seed gives the same run, bit for bit (default: {default.seed})",
    )

    group = parser.add_argument_group("run folder")
    group.add_argument(
        "--out",
        type=folder_name,
        metavar="FOLDER",
        help="where the results go; a folder that holds a run is refused (default: "
        f"{RUNS}/MODEL, or the first that is free of {RUNS}/MODEL-2, -3, ...)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on after the last complete epoch of the run in --out (default: the last of "
        f"{RUNS}/MODEL, -2, ...), with its settings; only --epochs may differ",
    )
    parser.set_defaults(parser=parser)


def list_text() -> str:
    """What --list shows."""
    lines = []
    for name in list_models():
        entry = find_model(name)
        shape = "x".join(map(str, entry.input_shape))
        lines += [
            name,
            f"    {entry.description}",
            f"    input: {shape}    data: digits, mnist:FOLDER",
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name. Default: those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 for a failure, 130 for Ctrl-C. Wrong usage raises SystemExit(2).

    Examples
    --------
    >>> main(["train", "--list"])
    lenet5
        LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for 32x32 images
        input: 1x32x32    data: digits, mnist:FOLDER
    0
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A line per epoch also through a pipe; and a path that is no valid text must not be fatal.
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.list:
        print(list_text())
        return OK
    if options.command is None:
        parser.error("name a command: train")
    if options.model is None:
        options.parser.error(f"name a model: {', '.join(list_models())}")
    try:
        return train(options)
    except Failure as failure:
        print(f"{parser.prog}: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on, as after `| head`. What is still in the buffer must go somewhere, or
        # Python complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"{parser.prog}: stopped, as its output was closed", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
