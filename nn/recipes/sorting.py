"""Strings of digits to sort, none of which is in two parts of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd import tensor

from ..data import digit_strings
from ..functional import cross_entropy
from ..module import Module
from ..report import save_attention
from ..train import Record
from .recipe import Recipe
from .task import Part, Parts, Task

SIZES = 20_000, 1000, 2000  # strings to train on, to validate and to test
LENGTH = 10
ATTENTION = "attention.png"


def whole_strings(outputs: Any, targets: Any) -> float:
    """
    Share of the strings in which every digit is right.

    Examples
    --------
    >>> scores = np.eye(3)[[[0, 1], [2, 2]]]
    >>> whole_strings(scores, np.array([[0, 1], [1, 2]]))
    0.5
    """
    right = np.asarray(outputs).argmax(-1) == np.asarray(targets)
    return float(right.all(axis=1).mean())


class Sorting(Task):
    """Sort strings of ten digits."""

    metrics: ClassVar = {"whole": whole_strings}

    def load(self, rng: np.random.Generator) -> Parts:
        """Different strings, and the same sorted."""
        sizes = [min(size, self.settings.limit or size) for size in SIZES]
        strings = digit_strings(sum(sizes), length=LENGTH, rng=rng)
        train, validation, test = np.split(strings, np.cumsum(sizes)[:-1])
        return Parts(_sorted(train), _sorted(validation), _sorted(test))

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of each digit."""
        return cross_entropy(outputs.transpose(1, 2), targets)

    def told(self, figures: Mapping[str, Any]) -> str:
        """The share of strings that are right from the first digit to the last."""
        return (
            f"test strings fully right: {100 * figures['whole']:.2f} % of "
            f"{self.parts.sizes[2]}, none of them trained on; loss {figures['loss']:.4g}"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and where each layer looks for one test string."""
        files = super().draw(model, history, figures, folder)
        string, answer = (part[0] for part in self.parts.test)
        percent = f"{100 * figures['whole']:.1f} %"
        maps = model.attention(tensor(string[None]))
        save_attention(
            folder / ATTENTION,
            [weights[0].numpy() for weights in maps],
            [str(digit) for digit in answer],
            [str(digit) for digit in string],
            title=f"{self.settings.model}: {percent} of the test strings right",
        )
        return [*files, ATTENTION]

    def title(self, index: int) -> str:
        """The string."""
        digits = " ".join(str(digit) for digit in self.parts.test[0][index])
        return f"{self.settings.model}: {digits}"


def _sorted(strings: np.ndarray) -> Part:
    return strings, np.sort(strings, axis=1)


RECIPES = (
    Recipe(
        "sorting",
        ("digit_strings",),
        Sorting,
        {"epochs": 8, "batch_size": 128, "lr": 5e-3, "lr_step": 5, "lr_decay": 0.2},
    ),
)
