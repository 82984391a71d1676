"""Recipes: how each model of `nn.models` is trained by ``python -m nn train``.

A recipe names a model's data, its task (loss, metrics, test, pictures) and the settings that suit
it. To add one: a subclass of `Task`, and a `Recipe` in the file's ``RECIPES``, listed below.
"""

from . import (
    autoencoders,
    boltzmann,
    convolutional,
    detection,
    images,
    linear_classifiers,
    pixels,
    plane,
    recurrent,
    regression,
    sorting,
)
from .recipe import Recipe as Recipe
from .task import Parts as Parts
from .task import Task as Task

RECIPES: dict[str, Recipe] = {
    recipe.model: recipe
    for recipe in (
        *images.RECIPES,
        *autoencoders.RECIPES,
        *boltzmann.RECIPES,
        *convolutional.RECIPES,
        *detection.RECIPES,
        *linear_classifiers.RECIPES,
        *pixels.RECIPES,
        *plane.RECIPES,
        *recurrent.RECIPES,
        *regression.RECIPES,
        *sorting.RECIPES,
    )
}


def find_recipe(model: str) -> Recipe:
    """
    The recipe of a model.

    Raises
    ------
    KeyError
        If it has none.

    Examples
    --------
    >>> find_recipe("mlp").defaults["shift"]
    2
    """
    return RECIPES[model]
