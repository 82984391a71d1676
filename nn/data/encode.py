"""Encodings of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, from_numpy

Arrays = np.ndarray | np.generic | int | Sequence[Any]


@overload
def one_hot(labels: Tensor, num_classes: int = -1) -> Tensor: ...
@overload
def one_hot(labels: Arrays, num_classes: int = -1) -> NDArray[np.int64]: ...
def one_hot(labels: Any, num_classes: int = -1) -> Tensor | NDArray[np.int64]:
    """
    Class indices as rows that are 1 at the class and 0 elsewhere.

    Not differentiable. As in PyTorch, except that every integer dtype is taken (PyTorch takes
    int64 alone) and that the errors name the label met.

    Parameters
    ----------
    labels : Tensor or array_like of integers, any shape ``(*)``
        Class indices, each in ``0 .. num_classes - 1``.
    num_classes : int, default -1
        Length of the new last axis; -1 means one more than the largest label.

    Returns
    -------
    Tensor or ndarray of int64, shape ``(*, num_classes)``
        A Tensor where `labels` is one, else an ndarray.

    Raises
    ------
    RuntimeError
        If `labels` are not integers, if one is negative or not smaller than `num_classes`, or if
        `num_classes` is -1 and there is no label to infer it from.

    Examples
    --------
    >>> one_hot([0, 2])
    array([[1, 0, 0],
           [0, 0, 1]])
    >>> one_hot([0, 2], num_classes=4).shape
    (2, 4)
    """
    values = labels.numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if values.size == 0 and values.dtype == np.float64 and not isinstance(labels, Tensor):
        values = values.astype(np.int64)  # an empty list has no dtype of its own
    if values.dtype.kind not in "iu":
        raise RuntimeError(
            f"one_hot: labels must be integers, got {values.dtype}; convert them with "
            "astype(int64) first"
        )
    if values.size == 0:
        if num_classes <= 0:
            raise RuntimeError(
                f"one_hot: cannot infer the number of classes from labels of shape {values.shape}; "
                "pass num_classes"
            )
    else:
        low, high = int(values.min()), int(values.max())
        if low < 0:
            raise RuntimeError(f"one_hot: class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        if high >= num_classes:
            raise RuntimeError(
                f"one_hot: class values must be smaller than num_classes={num_classes}, got {high}"
            )
    hot = np.zeros((values.size, num_classes), dtype=np.int64)
    hot[np.arange(values.size), values.reshape(-1)] = 1
    hot = hot.reshape(*values.shape, num_classes)
    return from_numpy(hot) if isinstance(labels, Tensor) else hot
