"""What recurrent networks learn: to add two numbers far apart, and to write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import autograd

from ..data import Alphabet, adding_problem, next_windows, python_manual
from ..functional import cross_entropy, mse_loss
from ..models import CharLanguageModel
from ..module import Module
from ..report import save_predictions
from ..serialize.files import write_atomically
from ..train import Record
from .recipe import Recipe
from .task import Parts, Task, outputs_of

SEQUENCES = {"train": 32_000, "validation": 500, "test": 2000}
STEPS = 100
PREDICTIONS = "predictions.png"

PLAIN = Alphabet(["\n", *map(chr, range(32, 127))])  # printable ASCII and the line end
SHARES = 0.8, 0.9  # of the text: where training ends, and where validation does
WINDOW = 64
WRITTEN = 400  # characters
TEMPERATURES = 0.0, 0.5, 1.0
TEXT = "written.txt"


class Adding(Task):
    """The sum of two marked numbers among a hundred, at the end of their sequence."""

    training: ClassVar = {"clip_norm": 1.0}

    def load(self, rng: np.random.Generator) -> Parts:
        """Fresh sequences for each part."""
        limit = self.settings.limit
        train, validation, test = (
            adding_problem(size if limit is None else min(size, limit), STEPS, rng=rng)
            for size in SEQUENCES.values()
        )
        return Parts(train, validation, test)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Mean squared error."""
        return mse_loss(outputs, targets)

    def test(self, model: Module) -> dict[str, Any]:
        """The squared error, and that of always answering 1."""
        figures = super().test(model)
        figures["always_one"] = float(np.square(self.parts.test[1] - 1.0).mean())
        return figures

    def told(self, figures: Mapping[str, Any]) -> str:
        """Both."""
        return (
            f"test mean squared error {figures['loss']:.4g} over {STEPS} steps (who always answers "
            f"1: {figures['always_one']:.4g})"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and the sums found against the true ones."""
        files = super().draw(model, history, figures, folder)
        save_predictions(
            folder / PREDICTIONS,
            outputs_of(model, self.parts.test)[:, 0],
            self.parts.test[1][:, 0],
            title=f"{self.settings.model}: test mean squared error {figures['loss']:.2g}",
            name="sum of the marked numbers",
        )
        return [*files, PREDICTIONS]


class Characters(Task):
    """The next character of Python's manual, in bits."""

    training: ClassVar = {"clip_norm": 1.0}

    def load(self, rng: np.random.Generator) -> Parts:
        """Windows of the text: its beginning to train on, then validation, and its end to test."""
        text = PLAIN.encode(python_manual())
        ends = [round(share * len(text)) for share in SHARES]
        limit = self.settings.limit
        windows = (next_windows(part, WINDOW) for part in np.split(text, ends))
        train, validation, test = ((x[:limit], y[:limit]) for x, y in windows)
        return Parts(train, validation, test)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of each character."""
        return cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def test(self, model: Module) -> dict[str, Any]:
        """Loss, bits per character, and those of counting characters and pairs of them."""
        figures = super().test(model)
        train, test = (np.stack([part[0], part[1]]) for part in (self.parts.train, self.parts.test))
        singles, pairs = count_bits(train, test, len(PLAIN))
        bits = figures["loss"] / math.log(2)
        return {**figures, "bits": bits, "unigram_bits": singles, "bigram_bits": pairs}

    def told(self, figures: Mapping[str, Any]) -> str:
        """Bits per character."""
        return (
            f"test {figures['bits']:.3f} bits per character (counts of characters: "
            f"{figures['unigram_bits']:.3f}, of pairs: {figures['bigram_bits']:.3f})"
        )

    def shown(self, record: Mapping[str, Any]) -> str:
        """Bits per character."""
        return f"{record['validation_loss'] / math.log(2):.3f} bits per character"

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and a text that it writes."""
        files = super().draw(model, history, figures, folder)
        assert isinstance(model, CharLanguageModel)
        start = "The "
        texts = []
        for temperature in TEMPERATURES:
            numbers = model.generate(
                PLAIN.encode(start),
                WRITTEN,
                temperature,
                generator=autograd.Generator(self.settings.seed),
            )
            texts.append(f"----- temperature {temperature} -----\n{start}{PLAIN.decode(numbers)}\n")
        write_atomically(folder / TEXT, "\n".join(texts).encode())
        return [*files, TEXT]

    def title(self, index: int) -> str:
        """The window."""
        return f"{self.settings.model}: {PLAIN.decode(self.parts.test[0][index])!r}"


def count_bits(train: np.ndarray, test: np.ndarray, size: int) -> tuple[float, float]:
    """
    Bits per character of two models that count.

    Parameters
    ----------
    train, test : ndarray of int64, (2, ...)
        Characters, and those that follow them.
    size : int
        Different characters.

    Returns
    -------
    unigram, bigram : float
        By how often each character is there; by how often it follows the one before.

    Examples
    --------
    >>> same = np.array([[0, 1, 0, 1], [1, 0, 1, 0]])
    >>> unigram, bigram = count_bits(same, same, 2)
    >>> unigram, bigram < 0.1
    (1.0, True)
    """
    before, after = train.reshape(2, -1)
    singles = np.bincount(after, minlength=size) + 1.0  # what was never seen must be possible
    pairs = np.full((size, size), 0.1)
    np.add.at(pairs, (before, after), 1.0)
    singles, pairs = singles / singles.sum(), pairs / pairs.sum(1, keepdims=True)
    before, after = test.reshape(2, -1)
    return float(-np.log2(singles[after]).mean()), float(-np.log2(pairs[before, after]).mean())


ADDING = {"epochs": 4, "batch_size": 64, "lr": 1e-2, "lr_step": 3, "lr_decay": 0.3}

RECIPES = (
    Recipe("adding_lstm", ("adding_problem",), Adding, ADDING),
    Recipe("adding_rnn", ("adding_problem",), Adding, ADDING),
    Recipe(
        "char_lm",
        ("python_manual",),
        Characters,
        {"epochs": 8, "lr": 5e-3, "lr_step": 5, "lr_decay": 0.3},
    ),
)
