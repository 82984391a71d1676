"""Logistic regression, perceptron and support vectors on tumours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import Standardize, breast_cancer
from ..metrics import accuracy, confusion_matrix
from ..models import LinearClassifier, LinearSVM, LogisticRegression, Perceptron
from ..module import Module
from ..report import confusion_text, save_confusion, save_curves
from ..settings import reporting
from ..train import Record
from .recipe import Recipe
from .task import CURVES, Parts, Task, cut, outputs_of

SHARES = [0.2, 0.2]  # of all samples, for validation and for the test
CONFUSION = "confusion.png"
NAMES = ["benign", "malignant"]
KINDS: dict[str, type[LinearClassifier]] = {
    "logistic_regression": LogisticRegression,
    "perceptron": Perceptron,
    "linear_svm": LinearSVM,
}


def sign_accuracy(scores: Any, classes: Any) -> float:
    """
    Share of the scores on the right side of 0.

    Examples
    --------
    >>> sign_accuracy(np.array([0.5, -2.0, 1.0]), np.array([1, 0, 0]))
    0.6666666666666666
    """
    return accuracy((np.asarray(scores) > 0).astype(np.int64), classes)


class Tumours(Task):
    """Tell malignant tumours from benign ones by 30 measures of their cells."""

    metrics: ClassVar = {"accuracy": sign_accuracy}

    def load(self, rng: np.random.Generator) -> Parts:
        """Tumours at random in three parts, standardised by the training part."""
        with reporting(ImportError):
            table = breast_cancer()
        places = [part[: self.settings.limit] for part in cut(len(table.targets), SHARES, rng)]
        scaler = Standardize().fit(table.features[places[0]])
        state = scaler.state_dict()
        about: dict[str, Any] = {}
        for i, name in enumerate(table.feature_names or []):
            about[f"{name}: mean"] = float(state["shift"][0, i])
            about[f"{name}: std"] = float(state["scale"][0, i])
        train, validation, test = (
            (scaler.transform(table.features[part]), table.targets[part]) for part in places
        )
        return Parts(train, validation, test, about)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """That of the model."""
        return KINDS[self.settings.model].loss(outputs, targets)

    def test(self, model: Module) -> dict[str, Any]:
        """Loss, accuracy, and what was taken for what."""
        found = (outputs_of(model, self.parts.test) > 0).astype(np.int64)
        matrix = confusion_matrix(found, self.parts.test[1], num_classes=2)
        return {**super().test(model), "confusion": np.asarray(matrix).tolist()}

    def told(self, figures: Mapping[str, Any]) -> str:
        """Accuracy and confusion matrix."""
        confusion = np.array(figures["confusion"])
        return (
            f"test accuracy {100 * figures['accuracy']:.2f} % ({confusion.trace():,} of "
            f"{confusion.sum():,} tumours)\n\n{confusion_text(confusion, NAMES)}"
        )

    def shown(self, record: Mapping[str, Any]) -> str:
        """Accuracy as a percentage."""
        return f"accuracy {100 * record['validation_accuracy']:6.2f} %"

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves and the confusion matrix."""
        confusion = np.array(figures["confusion"])
        title = f"{self.settings.model}: {confusion.trace():,} of {confusion.sum():,} tumours right"
        save_curves(folder / CURVES, history, title=title, test_accuracy=figures["accuracy"])
        save_confusion(folder / CONFUSION, confusion, title=title, labels=NAMES)
        return [CURVES, CONFUSION]

    def example(self, model: Module) -> int:
        """The first tumour that the model gets wrong; the first of all if it gets all right."""
        return int(((outputs_of(model, self.parts.test) > 0) != self.parts.test[1]).argmax())

    def title(self, index: int) -> str:
        """The tumour's number and class."""
        return f"{self.settings.model}: test tumour {index}, {NAMES[self.parts.test[1][index]]}"


# AdamW's weight decay is what makes the margin of the support vector machine wide.
SETTINGS = {"optimizer": "adamw", "lr": 0.01, "epochs": 40, "lr_step": 15, "lr_decay": 0.3}

RECIPES = tuple(Recipe(name, ("breast_cancer",), Tumours, SETTINGS) for name in KINDS)
