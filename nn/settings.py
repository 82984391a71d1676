"""What decides the outcome of a training run, and how what is wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optim

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


@dataclass(frozen=True)
class Settings:
    """What decides the outcome of a run, saved in its checkpoint. Recipes have other defaults."""

    model: str
    data: str = ""
    epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adam"
    lr: float = 2e-3
    label_smoothing: float = 0.0
    shift: int = 0
    lr_step: int = 30
    lr_decay: float = 1.0
    seed: int = 0
    limit: int | None = None


# Settings that only some tasks heed; given to another one they are a mistake.
SPECIAL = ("label_smoothing", "shift")


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
