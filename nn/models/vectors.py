"""What the models of flat vectors share: images as rows, and a classifier out of their layers."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..layers.activation import Sigmoid
from ..layers.containers import Sequential
from ..layers.linear import Linear
from ..layers.shape import Flatten
from ..module import Module


def check_sizes(who: str, sizes: Sequence[int], least: int = 2) -> tuple[int, ...]:
    """
    The widths of a network's layers, or an error that says what is wrong with them.

    Examples
    --------
    >>> check_sizes("Autoencoder", [784, 32])
    (784, 32)
    """
    try:
        widths = tuple(int(size) for size in sizes)
        fit = len(widths) >= least and min(widths) > 0 and widths == tuple(sizes)
    except (TypeError, ValueError):
        fit = False
    if not fit:
        raise ValueError(f"{who}: sizes must be {least} or more integers > 0, met {sizes!r}")
    return tuple(int(size) for size in sizes)


def as_rows(who: str, x: Any, size: int) -> Any:
    """
    A batch of anything as rows (N, size): images are flattened.

    Examples
    --------
    >>> import autograd
    >>> as_rows("RBM", autograd.zeros(5, 1, 28, 28), 784).shape
    (5, 784)
    """
    shape = tuple(x.shape)
    if len(shape) < 2 or math.prod(shape[1:]) != size:
        raise ValueError(
            f"{who}: expected a batch (N, {size}), or (N, ...) with {size} numbers in each "
            f"sample, met shape {shape}"
        )
    return x if len(shape) == 2 else x.reshape(shape[0], size)


def classifier_of(layers: Iterable[Linear], num_classes: int) -> Sequential:
    """
    A perceptron that begins with copies of `layers`, a Sigmoid after each, and ends in scores.

    Examples
    --------
    >>> classifier_of([Linear(4, 3)], 2)
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=4, out_features=3, bias=True)
      (2): Sigmoid()
      (3): Linear(in_features=3, out_features=2, bias=True)
    )
    """
    if num_classes < 1:
        raise ValueError(f"classifier: num_classes must be > 0, met {num_classes}")
    modules: list[Module] = [Flatten()]
    width = 0
    for layer in layers:
        modules += [copy.deepcopy(layer), Sigmoid()]
        width = layer.out_features
    return Sequential(*modules, Linear(width, num_classes))
