"""The large models of the registry are made slim: tests need their form, not their size."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from nn.models import MODELS

VGG = {"width": 4, "hidden": 16}
SLIM: dict[str, dict[str, Any]] = {
    "alexnet": {"hidden": 16},
    "resnet18": {"width": 4},
    "resnet34": {"width": 4},
    "resnet50": {"width": 4},
    "vgg11": VGG,
    "vgg13": VGG,
    "vgg16": VGG,
    "vgg19": VGG,
}


@pytest.fixture(autouse=True)
def slim_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of millions of weights are drawn nowhere but where they are counted."""
    for name, arguments in SLIM.items():
        entry = MODELS[name]
        monkeypatch.setitem(
            MODELS, name, replace(entry, factory=partial(entry.factory, **arguments))
        )
