"""The recipes of detectors: their scenes, and that the figure is that of the models' own boxes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from nn.models import YOLOv1, YOLOv3, true_boxes
from nn.recipes.detection import LOW, AnchorDetection, Detection
from nn.settings import Settings

pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install dagrad[data]")


@pytest.mark.parametrize(("name", "task"), [("yolo_v1", Detection), ("yolo_v3", AnchorDetection)])
def test_the_figure_is_that_of_the_models_boxes(name, task):
    made = task(Settings(name, "digits", limit=6), np.random.default_rng(0))
    assert made.parts.sizes == (6, 6, 6)
    images, targets = made.parts.validation
    assert (images.shape, images.dtype) == ((6, 1, 64, 64), np.float32)
    model = nn.models.get_model(name).eval()
    assert isinstance(model, YOLOv1 | YOLOv3)
    with autograd.no_grad():
        outputs = model(autograd.tensor(images)).numpy()
    outputs = outputs + 3.0  # an untrained model is sure of nothing
    found = model.decode(outputs, LOW)
    assert any(len(image["boxes"]) for image in found)
    (metric,) = made.metrics.values()
    wanted = nn.metrics.mean_average_precision(found, true_boxes(targets), (0.5,), "all").map
    assert metric(autograd.tensor(outputs), autograd.tensor(targets)) == wanted
    assert np.isfinite(made.loss(autograd.tensor(outputs), autograd.tensor(targets)).item())
    assert len(made.decoded(outputs)) == 6


def test_scenes_differ_from_part_to_part():
    made = Detection(Settings("yolo_v1", "digits", limit=4), np.random.default_rng(0))
    again = Detection(Settings("yolo_v1", "digits", limit=4), np.random.default_rng(0))
    assert made.parts.checksum() == again.parts.checksum()
    for one, other in [("train", "validation"), ("validation", "test"), ("train", "test")]:
        assert (getattr(made.parts, one)[0] != getattr(made.parts, other)[0]).any()
