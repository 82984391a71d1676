"""Detection of digits in generated scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import digit_scenes
from ..metrics import mean_average_precision
from ..models import YOLOLoss, YOLOv3Loss, true_boxes
from ..models.yolo import Found, decode_cells
from ..models.yolo_v3 import ANCHORS, anchor_places, decode_anchors
from ..module import Module
from ..report import save_detections
from ..train import Record
from .images import DATA, load_digits
from .recipe import Recipe
from .task import Part, Parts, Task, outputs_of

SCENES = {"train": 6000, "validation": 300, "test": 500}
SIZE = 64  # pixels of a scene's sides
LOW = 0.02  # scores from which on boxes count for the average precision: almost all
SURE = 0.2  # those that are drawn
SHOWN = 18
DETECTIONS = "detections.png"


def precision_of(found: Found, targets: Any) -> float:
    """
    Mean average precision at an overlap of one half.

    Examples
    --------
    >>> rows = np.array([[[1.0, 2.0, 8.0, 9.0, 3.0]]])
    >>> precision_of([{**true_boxes(rows)[0], "scores": np.ones(1)}], rows)
    1.0
    """
    return mean_average_precision(found, true_boxes(targets), (0.5,), "all").map


def first_precision(outputs: Any, targets: Any) -> float:
    """
    `precision_of` the outputs of `YOLOv1`.

    Examples
    --------
    >>> first_precision(np.zeros((1, 8, 8, 20)), np.array([[[1.0, 2.0, 8.0, 9.0, 3.0]]]))
    0.0
    """
    return precision_of(decode_cells(outputs, threshold=LOW), targets)


def third_precision(outputs: Any, targets: Any) -> float:
    """
    `precision_of` the outputs of `YOLOv3` with the default anchors.

    Examples
    --------
    >>> third_precision(np.full((1, 240, 15), -9.0), np.array([[[1.0, 2.0, 8.0, 9.0, 3.0]]]))
    0.0
    """
    return precision_of(decode_anchors(outputs, anchor_places(ANCHORS, SIZE), SIZE, LOW), targets)


class Detection(Task):
    """Boxes around one to three digits among clutter, by YOLO's first version."""

    metrics: ClassVar = {"map": first_precision}
    criterion: ClassVar[type[Module]] = YOLOLoss

    def load(self, rng: np.random.Generator) -> Parts:
        """Scenes; each part takes its digits from images that the others never see."""
        digits = load_digits(self.settings.data, rng, None, (1, 28, 28))
        mean, std = digits.about["mean"], digits.about["std"]

        def scenes(name: str, part: Part) -> Part:
            count = SCENES[name] if self.settings.limit is None else self.settings.limit
            images, classes = part
            pixels = images[:, 0] * std + mean  # ink from 0 to 1 again
            return digit_scenes(min(count, SCENES[name]), pixels, classes, size=SIZE, rng=rng)

        return Parts(
            scenes("train", digits.train),
            scenes("validation", digits.validation),
            scenes("test", digits.test),
        )

    def loss(self, outputs: Any, targets: Any) -> Any:
        """The paper's loss."""
        return self.criterion()(outputs, targets)

    def told(self, figures: Mapping[str, Any]) -> str:
        """Mean average precision."""
        return (
            f"test mAP {figures['map']:.4f} at an overlap of one half "
            f"({len(self.parts.test[0]):,} scenes)"
        )

    def shown(self, record: Mapping[str, Any]) -> str:
        """Mean average precision."""
        return f"mAP {record['validation_map']:.4f}"

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and the first scenes of the test with the boxes found."""
        files = super().draw(model, history, figures, folder)
        images, targets = (array[:SHOWN] for array in self.parts.test)
        save_detections(
            folder / DETECTIONS,
            images,
            self.decoded(outputs_of(model, (images, targets))),
            true_boxes(targets),
            title=f"{self.settings.model}: test mAP {figures['map']:.3f}",
        )
        return [*files, DETECTIONS]

    def decoded(self, outputs: np.ndarray) -> Found:
        """Boxes of a score that is high enough to be drawn."""
        return decode_cells(outputs, threshold=SURE)

    def title(self, index: int) -> str:
        """The scene's number."""
        return f"{self.settings.model}: test scene {index}"


class AnchorDetection(Detection):
    """The same, from anchors on two maps, by YOLO's third version."""

    metrics: ClassVar = {"map": third_precision}
    criterion: ClassVar[type[Module]] = YOLOv3Loss

    def decoded(self, outputs: np.ndarray) -> Found:
        """Boxes of a score that is high enough to be drawn."""
        return decode_anchors(outputs, anchor_places(ANCHORS, SIZE), SIZE, SURE)


SETTINGS = {"epochs": 8, "lr": 3e-3, "lr_step": 3, "lr_decay": 0.3}

RECIPES = (
    Recipe("yolo_v1", DATA, Detection, SETTINGS),
    Recipe("yolo_v3", DATA, AnchorDetection, SETTINGS),
)
