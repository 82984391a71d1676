"""Classification by AlexNet, VGG and ResNet; the digits are enlarged to what they take."""

from __future__ import annotations

from ..models import find_model
from ..module import Module
from ..settings import Settings
from .images import DATA, NUM_CLASSES, ImageClassification
from .recipe import Recipe

# 224x224 pixels cost seconds for each batch: --limit cuts the data, and few epochs are enough for
# digits that are told apart with less.
LARGE = {"epochs": 6, "batch_size": 16, "lr_step": 4, "lr_decay": 0.1}
# Thousands of hidden units add up: larger steps throw the scores far off.
CAREFUL = {**LARGE, "lr": 1e-4}
# As for the other networks for small images: digits may be drawn off their centre.
SHIFTED = {"shift": 2, "lr_step": 8, "lr_decay": 0.3}


class ClassificationByVGG(ImageClassification):
    """
    VGG with batch normalisation: without, a few hundred images taught it nothing in eight epochs.

    Examples
    --------
    >>> from nn.recipes import find_recipe
    >>> find_recipe("vgg11").task.__name__
    'ClassificationByVGG'
    """

    @classmethod
    def make_model(cls, settings: Settings) -> Module:
        """The model for ten classes."""
        entry = find_model(settings.model)
        return entry.factory(
            in_channels=entry.input_shape[0], num_classes=NUM_CLASSES, batch_norm=True
        )


RECIPES = (
    Recipe("small_alexnet", DATA, ImageClassification, {**SHIFTED, "epochs": 20}),
    Recipe("resnet20", DATA, ImageClassification, {**SHIFTED, "epochs": 10, "lr_step": 4}),
    Recipe("alexnet", DATA, ImageClassification, CAREFUL),
    *(
        Recipe(name, DATA, ClassificationByVGG, CAREFUL)
        for name in ("vgg11", "vgg13", "vgg16", "vgg19")
    ),
    *(
        Recipe(name, DATA, ImageClassification, {**LARGE, "lr": 1e-3})
        for name in ("resnet18", "resnet34", "resnet50")
    ),
)
