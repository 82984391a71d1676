"""Classification by AlexNet, VGG and ResNet; the digits are enlarged to what they take."""

from __future__ import annotations

from .images import DATA, ImageClassification
from .recipe import Recipe

# 224x224 pixels cost seconds for each batch: --limit cuts the data, and few epochs are enough for
# digits that are told apart with less.
LARGE = {"epochs": 4, "batch_size": 16, "lr_step": 3, "lr_decay": 0.1}
# Without batch normalisation a large step kills units for good.
WITHOUT_NORM = {**LARGE, "lr": 1e-4}
# As for the other networks for small images: digits may be drawn off their centre.
SHIFTED = {"shift": 2, "lr_step": 8, "lr_decay": 0.3}

RECIPES = (
    Recipe("small_alexnet", DATA, ImageClassification, {**SHIFTED, "epochs": 20}),
    Recipe("resnet20", DATA, ImageClassification, {**SHIFTED, "epochs": 10, "lr_step": 4}),
    Recipe("alexnet", DATA, ImageClassification, WITHOUT_NORM),
    *(
        Recipe(name, DATA, ImageClassification, WITHOUT_NORM)
        for name in ("vgg11", "vgg13", "vgg16", "vgg19")
    ),
    *(
        Recipe(name, DATA, ImageClassification, LARGE)
        for name in ("resnet18", "resnet34", "resnet50")
    ),
)
