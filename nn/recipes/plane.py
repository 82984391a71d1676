"""Points of two classes in the plane: spirals, and the exclusive or."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autograd import softmax, tensor

from ..data import exclusive_or, spirals
from ..functional import binary_cross_entropy, cross_entropy
from ..metrics import accuracy
from ..module import Module
from ..report import save_plane
from ..train import Record
from .recipe import Recipe
from .task import Part, Parts, Task

PLANE = "plane.png"


class TwoClasses(Task):
    """
    Tell points of two classes apart.

    Attributes
    ----------
    sizes : tuple of int
        Points to train on, to validate and to test.
    names : tuple of str
        Of the classes.
    """

    metrics: ClassVar = {"accuracy": accuracy}
    sizes: ClassVar[tuple[int, int, int]]
    names: ClassVar[tuple[str, str]]
    generate: ClassVar[Callable[..., Part]]

    def load(self, rng: np.random.Generator) -> Parts:
        """Fresh points for each part."""
        limit = self.settings.limit
        train, validation, test = (
            type(self).generate(min(size, limit or size), rng=rng) for size in self.sizes
        )
        return Parts(train, validation, test)

    def chance(self, outputs: Any) -> Any:
        """The chance of the second class, from 0 to 1."""
        raise NotImplementedError

    def told(self, figures: Mapping[str, Any]) -> str:
        """The share of right answers."""
        return (
            f"test accuracy {100 * figures['accuracy']:.2f} % of {self.parts.sizes[2]} points, "
            f"loss {figures['loss']:.4g}"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and what the network says everywhere in the plane."""
        files = super().draw(model, history, figures, folder)
        points, labels = self.parts.test
        title = f"{self.settings.model}: {100 * figures['accuracy']:.1f} % of {len(points)} points"
        save_plane(folder / PLANE, lambda x: self.chance(model(x)), points, labels, title=title)
        return [*files, PLANE]

    def title(self, index: int) -> str:
        """The point and its class."""
        points, labels = self.parts.test
        x, y = points[index]
        return f"{self.settings.model}: ({x:.2f}, {y:.2f}), {self.names[labels[index]]}"


class ExclusiveOr(TwoClasses):
    """Tell points whose signs differ from those whose signs are equal, by two sigmoid outputs."""

    sizes: ClassVar = (64, 32, 400)
    names: ClassVar = ("equal", "they differ")
    generate: ClassVar = staticmethod(exclusive_or)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of each output: the first says "equal", the second "they differ"."""
        wanted = np.eye(2, dtype=np.float32)[np.asarray(targets)]
        return binary_cross_entropy(outputs, tensor(wanted))

    def chance(self, outputs: Any) -> Any:
        """What the second output says."""
        return outputs[:, 1]


class Spirals(TwoClasses):
    """Tell the points of two arms that wind around each other apart."""

    sizes: ClassVar = (1000, 300, 1000)
    names: ClassVar = ("arm 0", "arm 1")
    generate: ClassVar = staticmethod(spirals)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy."""
        return cross_entropy(outputs, targets)

    def chance(self, outputs: Any) -> Any:
        """Softmax of the two scores."""
        return softmax(outputs, dim=1)[:, 1]


RECIPES = (
    Recipe(
        "worked_network",
        ("exclusive_or",),
        ExclusiveOr,
        {"epochs": 50, "batch_size": 16, "optimizer": "sgd", "lr": 0.5},
    ),
    Recipe(
        "spirals", ("spirals",), Spirals, {"epochs": 60, "lr": 1e-2, "lr_step": 45, "lr_decay": 0.1}
    ),
)
