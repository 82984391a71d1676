"""The command ``search``: settings of a run that make its validation loss small."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..options import PARSERS, count, folder_name, new_settings
from ..settings import INTERRUPTED, OK, Failure, reporting
from .bayes import bayesian
from .running import search
from .space import Choice, Integer, LogUniform, Range, Uniform, grid, random
from .trials import Trials

SEARCHED = ("optimizer", "lr", "batch_size", "label_smoothing", "shift", "lr_step", "lr_decay")
WHOLE = ("batch_size", "shift", "lr_step")
FIXED = ("data", "epochs", "seed", "limit")  # given once, and the same in all trials
SHOWN = 10  # trials in the table


@dataclass(frozen=True)
class ValidationLoss:
    """
    Trains a model as `train` would, and gives back the validation loss of the last epoch.

    Attributes
    ----------
    model : str

    Examples
    --------
    >>> loss = ValidationLoss("mlp")({"lr": 0.01, "epochs": 1, "limit": 32})
    >>> 0 < loss < 10
    True
    """

    model: str

    def __call__(self, parameters: Mapping[str, Any]) -> float:
        """The loss with these settings; the test part is not looked at."""
        from ..runs import make_trainer, seeded_task

        settings = new_settings({"model": self.model, **parameters})
        trainer = make_trainer(*seeded_task(settings))
        trainer.fit(settings.epochs)
        return float(trainer.history[-1]["validation_loss"])


def searched(text: str) -> tuple[str, Range]:
    """
    A setting and its range: ``lr=1e-4:1e-1`` or ``batch_size=16,32``.

    Examples
    --------
    >>> searched("lr=1e-4:1e-1")
    ('lr', LogUniform(low=0.0001, high=0.1))
    >>> searched("batch-size=16,32")
    ('batch_size', Choice(values=(16, 32)))
    """
    name, equals, values = text.partition("=")
    name = name.replace("-", "_")
    if name not in SEARCHED or not equals:
        raise argparse.ArgumentTypeError(
            f"must be NAME=LOW:HIGH or NAME=A,B,... with a name of {', '.join(SEARCHED)}; not "
            f"{text!r}"
        )
    try:
        if ":" not in values:
            return name, Choice(*(PARSERS[name](value) for value in values.split(",")))
        low, high = (PARSERS[name](value) for value in values.split(":", 1))
        if name in WHOLE:
            return name, Integer(low, high)
        return name, (LogUniform if name == "lr" else Uniform)(low, high)
    except (argparse.ArgumentTypeError, TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def add_search(commands: Any, program: str) -> None:
    """Add the parser of ``search``."""
    parser = commands.add_parser(
        "search",
        help="find settings by which a model trains well",
        description="Train a model many times, with settings from the ranges given, and show those "
        "whose validation\nloss was smallest after the last epoch. The test part is not looked at.",
        epilog="examples:\n"
        f"  {program} search lenet5 lr=1e-4:1e-1 batch_size=16,32,64 --trials 20 --workers 2\n"
        f"  {program} search lenet5 lr=1e-4:1e-1 shift=0:3 --method bayesian --out trials.jsonl\n"
        f"  {program} search mlp lr=0.001,0.01 optimizer=sgd,adam --method grid --epochs 5",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", type=PARSERS["model"], metavar="MODEL", help="name of a model, see --list"
    )
    parser.add_argument(
        "ranges",
        nargs="+",
        type=searched,
        metavar="NAME=VALUES",
        help=f"LOW:HIGH or A,B,... for one of {', '.join(SEARCHED)} (lr by its logarithm)",
    )
    parser.add_argument(
        "--method",
        choices=("random", "grid", "bayesian"),
        default="random",
        help="how trials are chosen; bayesian needs the extra search (default: random)",
    )
    parser.add_argument(
        "--trials", type=count, default=20, metavar="N", help="not of a grid (default: 20)"
    )
    parser.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="processes, with one thread each (default: 1, with all threads)",
    )
    parser.add_argument(
        "--out",
        type=folder_name,
        metavar="FILE",
        help="keep each trial there as a line of JSON; a search that was stopped goes on from it",
    )
    for name in FIXED:
        parser.add_argument(
            f"--{name}", type=PARSERS[name], metavar="VALUE", help="of all trials, as for train"
        )
    parser.set_defaults(parser=parser, carry_out=run_search, program=program)


def run_search(options: argparse.Namespace) -> int:
    """Carry out ``search``."""
    ranges = dict(options.ranges)
    fixed = {name: getattr(options, name) for name in FIXED if getattr(options, name) is not None}
    first = grid({name: _some(values) for name, values in ranges.items()})[0]
    settings = new_settings({"model": options.model, **fixed, **first})  # refuses what fits not
    # All that decides a trial is kept beside its outcome.
    fixed = {"epochs": settings.epochs, "seed": settings.seed, **fixed}
    space = {**ranges, **{name: Choice(value) for name, value in fixed.items()}}
    trials = _try(options, space, settings.seed)
    if not trials.values:
        raise Failure("interrupted" if trials.interrupted else str(trials))
    print(f"validation loss of {options.model}, the smallest first\n\n{trials.table(SHOWN)}")
    words = ["train", options.model]
    for name, value in trials.best.parameters.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    print(f"\nthe best: {options.program} {shlex.join(words)}")
    return INTERRUPTED if trials.interrupted else OK


def _some(values: Range) -> list[Any]:
    return [values.values[0] if isinstance(values, Choice) else values.low]


def _try(options: argparse.Namespace, space: dict[str, Range], seed: int) -> Trials:
    objective = ValidationLoss(options.model)
    file: Path | None = options.out
    with reporting(ImportError, OSError, ValueError, RuntimeError):
        if options.method == "bayesian":
            return bayesian(
                objective,
                space,
                options.trials,
                seed=seed % 2**32,  # as much as Optuna takes
                workers=options.workers,
                mode="min",
                file=file,
                progress=True,
            )
        candidates = (
            grid(space)
            if options.method == "grid"
            else random(space, options.trials, np.random.default_rng(seed))
        )
        return search(
            objective, candidates, workers=options.workers, mode="min", file=file, progress=True
        )
