"""What a model is trained on and how it is judged."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import optim
from autograd import no_grad

from ..data import DataLoader, TensorDataset
from ..models import ModelEntry, find_model
from ..module import Module
from ..report import draw_history
from ..train import Record, measure
from ..train.evaluation import Metric

if TYPE_CHECKING:
    from ..settings import Settings

Part = tuple[np.ndarray, ...]
EVALUATION_BATCH = 256  # fixed, so that --batch-size cannot change how a sum is rounded
CURVES = "curves.png"


@dataclass(frozen=True)
class Parts:
    """
    Samples to train on, to choose by, and to be judged by, of which the last are kept apart.

    Attributes
    ----------
    train, validation, test : tuple of ndarray
        Arrays that are equally long: the inputs, and last the targets.
    about : dict
        What a user of the weights must know to prepare data alike, such as a mean. Plain numbers
        and strings: it is kept beside the weights.

    Examples
    --------
    >>> x = np.arange(4.0)
    >>> Parts((x, 2 * x), (x[:1], x[:1]), (x[:2], x[:2])).sizes
    (4, 1, 2)
    """

    train: Part
    validation: Part
    test: Part
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many samples the three parts have."""
        return len(self.train[-1]), len(self.validation[-1]), len(self.test[-1])

    def checksum(self) -> int:
        """A number that changes when the data do."""
        total = 0
        for array in (*self.train, *self.validation, *self.test):
            for start in range(0, len(array), EVALUATION_BATCH):  # views need not be copied whole
                rows = np.ascontiguousarray(array[start : start + EVALUATION_BATCH])
                total = zlib.crc32(rows.data, total)
        return total


def cut(size: int, shares: Sequence[float], rng: np.random.Generator) -> list[np.ndarray]:
    """
    Positions of `size` samples at random in parts: the shares given, and first what is left.

    Examples
    --------
    >>> train, validation, test = cut(10, [0.1, 0.2], np.random.default_rng(0))
    >>> len(train), len(validation), len(test)
    (7, 1, 2)
    """
    counts = [max(1, round(share * size)) for share in shares]
    if sum(counts) >= size:
        raise ValueError(f"{size} samples are too few for parts of {counts} beside the training")
    order = rng.permutation(size)
    ends = np.cumsum([size - sum(counts), *counts])
    return [part for part in np.split(order, ends) if len(part)]


class Task:
    """
    What a model is trained on, and how it is judged: all that ``train`` needs beside the model.

    A subclass says at least how data are loaded, and what the loss is; an instance is one run's.

    Attributes
    ----------
    metrics : dict of str to callable
        Of all outputs and targets, as `Trainer` takes them. The first is shown for each epoch.
    training : dict
        Further arguments of `Trainer`, such as ``clip_norm``.
    heeds : frozenset of str
        Those of the settings in `SPECIAL` that mean something here.
    settings : Settings
    parts : Parts

    Parameters
    ----------
    settings : Settings
        What was asked for.
    rng : numpy.random.Generator
        For what is drawn at random of the data: a part of them, or all.

    Examples
    --------
    >>> from nn.recipes import find_recipe
    >>> sorted(find_recipe("lenet5").task.heeds)
    ['label_smoothing', 'shift']
    """

    metrics: ClassVar[Mapping[str, Metric]] = {}
    training: ClassVar[Mapping[str, Any]] = {}
    heeds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.parts = self.load(rng)

    @property
    def entry(self) -> ModelEntry:
        """The model that is trained."""
        return find_model(self.settings.model)

    def load(self, rng: np.random.Generator) -> Parts:
        """
        Read or make the data; at most ``settings.limit`` samples of each part, if that is given.

        Raises
        ------
        Failure
            If they cannot be had.
        """
        raise NotImplementedError

    @classmethod
    def make_model(cls, settings: Settings) -> Module:
        """The model with its initial weights; data are not needed for it."""
        return find_model(settings.model).factory()

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Mean loss over the samples of a batch."""
        raise NotImplementedError

    def augment(self) -> Callable[[Any, Any], Any] | None:
        """What changes each batch of training inputs at random, if anything does."""
        return None

    def scheduler(self, optimizer: optim.Optimizer) -> optim.lr_scheduler.LRScheduler:
        """How the learning rate changes from epoch to epoch."""
        settings = self.settings
        return optim.lr_scheduler.StepLR(optimizer, settings.lr_step, settings.lr_decay)

    def pretrain(self, model: Module) -> None:
        """What comes before the first epoch, such as the greedy training of single layers."""

    def test(self, model: Module) -> dict[str, Any]:
        """
        The figures of the test part: the loss, and what else counts.

        Returns
        -------
        dict
            Numbers, and lists of numbers, by name.
        """
        return measure(model, batches(self.parts.test), self.loss, self.metrics)

    def told(self, figures: Mapping[str, Any]) -> str:
        """The figures of the test in words."""
        numbers = {name: value for name, value in figures.items() if not isinstance(value, list)}
        return "test " + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())

    def shown(self, record: Mapping[str, Any]) -> str:
        """What the line of an epoch says beside the losses."""
        return "  ".join(
            f"{name} {record[f'validation_{name}']:.4g}" for name in list(self.metrics)[:1]
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """
        Draw what was learnt, by matplotlib, into files of a folder.

        Returns
        -------
        list of str
            Names of the files.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        draw_history(history, folder / CURVES)
        return [CURVES]

    def example(self, model: Module) -> int:
        """Position of the test sample whose loss is drawn as a graph and played as a film."""
        return 0

    def title(self, index: int) -> str:
        """What that picture is called."""
        return f"{self.settings.model}: test sample {index}"


def batches(
    part: Part, batch_size: int = EVALUATION_BATCH, shuffle: np.random.Generator | None = None
) -> DataLoader:
    """Batches of a part, in their order, or in a fresh random order each epoch."""
    return DataLoader(TensorDataset(*part), batch_size, shuffle is not None, generator=shuffle)


def outputs_of(model: Module, part: Part) -> np.ndarray:
    """What a model says of a part, in evaluation mode; it is left in the mode it was in."""
    training = model.training
    model.eval()
    try:
        with no_grad():
            return np.concatenate([model(*batch[:-1]).numpy() for batch in batches(part)])
    finally:
        model.train(training)


def count_parameters(model: Module) -> int:
    """Numbers that are learnt."""
    return sum(math.prod(parameter.shape) for parameter in model.parameters())
