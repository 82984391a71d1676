"""The models that the command line knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..module import Module
from .lenet import LeNet5
from .mlp import MLP


@dataclass(frozen=True)
class ModelEntry:
    """
    A model that can be made by name.

    Attributes
    ----------
    name : str
    factory : callable
        Makes the model; one that classifies images takes ``in_channels=`` and ``num_classes=``.
    input_shape : tuple of int
        Of one example, without the batch.
    description : str
        One line.
    dtype : str
        Of the input.

    Examples
    --------
    >>> MODELS["lenet5"].input_shape
    (1, 32, 32)
    """

    name: str
    factory: Callable[..., Module]
    input_shape: tuple[int, ...]
    description: str
    dtype: str = "float32"


ENTRIES = (
    ModelEntry(
        "lenet5",
        LeNet5,
        (1, 32, 32),
        "LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for 32x32 images",
    ),
    ModelEntry(
        "mlp",
        MLP,
        (1, 32, 32),
        "perceptron with 32 hidden units on the means of 4x4 pixels of 32x32 images",
    ),
)

MODELS: dict[str, ModelEntry] = {entry.name: entry for entry in ENTRIES}


def list_models() -> list[str]:
    """
    Names of all models, sorted.

    Examples
    --------
    >>> "lenet5" in list_models()
    True
    """
    return sorted(MODELS)


def find_model(name: str) -> ModelEntry:
    """
    The entry of a model.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists those that are known.

    Examples
    --------
    >>> find_model("lenet6")
    Traceback (most recent call last):
    ...
    ValueError: unknown model 'lenet6'; known are: lenet5, mlp
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; known are: {', '.join(list_models())}")
    return MODELS[name]


def get_model(name: str, **arguments: Any) -> Module:
    """
    Make a model by name.

    Parameters
    ----------
    name : str
    **arguments
        For its factory.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> get_model("lenet5", num_classes=3).get_submodule("fc3")
    Linear(in_features=84, out_features=3, bias=True)
    """
    return find_model(name).factory(**arguments)
