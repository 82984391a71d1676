"""What metrics take: Tensors, arrays or lists, checked and brought to plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.ops.index import raw

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def real_numbers(who: str, name: str, value: Any, *, infinite: bool = False) -> Floats:
    """
    Numbers as float64.

    Raises
    ------
    TypeError
        If they are not real numbers.
    ValueError
        If one is NaN, or infinite where that is not allowed.

    Examples
    --------
    >>> real_numbers("my_metric", "scores", [1, 2])
    array([1., 2.])
    """
    array = raw(who, value, name)
    if array.size and array.dtype.kind not in "biuf":
        raise TypeError(f"{who}: {name} must be real numbers, not {array.dtype}")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        raise ValueError(f"{who}: {name} of shape {array.shape} hold NaN")
    if not infinite and np.isinf(array).any():
        raise ValueError(f"{who}: {name} of shape {array.shape} hold infinities")
    return array


def class_indices(who: str, name: str, value: Any) -> Integers:
    """
    Class indices as int64.

    Raises
    ------
    TypeError
        If they are not integers (or bools).
    ValueError
        If one is negative.

    Examples
    --------
    >>> class_indices("my_metric", "target", [True, False])
    array([1, 0])
    """
    array = raw(who, value, name)
    if array.size and array.dtype.kind not in "biu":
        raise TypeError(
            f"{who}: {name} must be class indices, not {array.dtype}; take the argmax of scores, "
            "or compare probabilities with a threshold"
        )
    array = array.astype(np.int64)
    if array.size and array.min() < 0:
        raise ValueError(f"{who}: {name} holds the class {array.min()}; classes start at 0")
    return array


def predicted_classes(who: str, preds: Any, target: Any) -> tuple[Integers, Integers]:
    """
    Predicted and true classes, each in one line.

    Parameters
    ----------
    preds : Tensor, the shape of `target`, or (N, C, ...) of floats
        Class indices, or scores of each class, of which the highest counts (the first of equals).
    target : Tensor, (N, ...)

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, or a score is NaN.

    Examples
    --------
    >>> predicted_classes("my_metric", [[0.1, 0.9], [0.8, 0.2]], [1, 1])
    (array([1, 0]), array([1, 1]))
    """
    true = class_indices(who, "target", target)
    found = raw(who, preds, "preds")
    if found.ndim == true.ndim + 1 and found.dtype.kind == "f":
        scores = real_numbers(who, "preds", found, infinite=True)
        if scores.shape[:1] + scores.shape[2:] != true.shape or not scores.shape[1]:
            raise ValueError(f"{who}: scores {scores.shape} do not fit target {true.shape}")
        found = scores.argmax(axis=1)
    else:
        found = class_indices(who, "preds", found)
    if found.shape != true.shape:
        raise ValueError(
            f"{who}: preds {found.shape} and target {true.shape} must have one shape (or preds be "
            "scores, with a dimension of classes more)"
        )
    if not true.size:
        raise ValueError(f"{who}: preds and target are empty")
    return found.reshape(-1), true.reshape(-1)


def choice(who: str, name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """
    Refuse a word that is not among those allowed.

    Raises
    ------
    ValueError
        Which it then is.

    Examples
    --------
    >>> choice("my_metric", "average", "macro", ("macro", "micro"))
    """
    if value not in allowed:
        words = ", ".join(map(repr, allowed))
        raise ValueError(f"{who}: {name} must be one of {words}, not {value!r}")
