"""Classifiers of two classes by one straight line: they differ in their losses alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, from_numpy, no_grad, relu

from .. import functional
from ..layers.linear import Linear


class LinearClassifier(Linear):
    """
    Base of `LogisticRegression`, `Perceptron` and `LinearSVM`: the score ``x @ weight.T + bias``.

    A score above 0 says class 1, any other class 0. A subclass says with `loss` what a good line
    is.

    Parameters
    ----------
    in_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Examples
    --------
    >>> import autograd
    >>> LinearClassifier(3)(autograd.zeros(4, 3)).shape
    (4,)
    """

    def __init__(
        self, in_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(in_features, 1, bias, device, dtype)

    def forward(self, input: Any) -> Any:
        """Map samples (..., in_features) to scores (...)."""
        return super().forward(input).squeeze(-1)

    def predict(self, inputs: Any) -> Tensor:
        """Classes, 0 or 1, of samples (..., in_features); not recorded."""
        with no_grad():
            scores = self(inputs)
        return from_numpy((scores.numpy() > 0).astype(np.int64))

    @staticmethod
    def loss(scores: Any, classes: Any) -> Any:
        """Mean loss of scores (N,) against classes (N,), 0 or 1."""
        raise NotImplementedError("a LinearClassifier gets its loss from a subclass")


class LogisticRegression(LinearClassifier):
    """
    A linear classifier with probabilities: ``P(class 1) = sigmoid(score)``.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    linear       1            ``in_features + 1``
    ============ ============ =======================

    Its loss is the cross-entropy, the mean of ``-log P(true class)``. Cox 1958, "The regression
    analysis of binary sequences".

    Parameters
    ----------
    in_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Raises
    ------
    ValueError
        If a size is negative; in the call, if the input is not (..., in_features); in the loss, if
        scores and classes differ in shape.

    Examples
    --------
    >>> import autograd
    >>> LogisticRegression.loss(autograd.tensor([0.0, 0.0]), autograd.tensor([0, 1]))
    tensor(0.6931)
    """

    @staticmethod
    def loss(scores: Any, classes: Any) -> Any:
        """Cross-entropy of scores (N,) and classes (N,), 0 or 1."""
        target = _classes("LogisticRegression", scores, classes)
        return functional.binary_cross_entropy_with_logits(scores, target)


class Perceptron(LinearClassifier):
    """
    The perceptron: a line that is moved by the samples on its wrong side, and by no others.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    linear       1            ``in_features + 1``
    ============ ============ =======================

    Its loss is the mean of ``max(0, -y * score)``, with y = 1 for class 1 and -1 for class 0. A
    step of gradient descent on one sample is Rosenblatt's rule: where ``y * score`` is below 0, add
    ``lr * y * x`` to the weights. Rosenblatt 1958, "The perceptron: a probabilistic model for
    information storage and organization in the brain".

    Parameters
    ----------
    in_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Raises
    ------
    ValueError
        If a size is negative; in the call, if the input is not (..., in_features); in the loss, if
        scores and classes differ in shape.

    Examples
    --------
    >>> import autograd
    >>> Perceptron.loss(autograd.tensor([2.0, -3.0]), autograd.tensor([1, 1]))
    tensor(1.5000)
    """

    @staticmethod
    def loss(scores: Any, classes: Any) -> Any:
        """Mean of ``max(0, -y * score)`` of scores (N,) and classes (N,), 0 or 1."""
        return relu(-_signs("Perceptron", scores, classes) * scores).mean()


class LinearSVM(LinearClassifier):
    """
    A linear support vector machine: a line with as wide a margin as the samples leave.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    linear       1            ``in_features + 1``
    ============ ============ =======================

    Its loss is the hinge, the mean of ``max(0, 1 - y * score)``, with y = 1 for class 1 and -1 for
    class 0. The margin lies between the scores -1 and 1 and is ``2 / norm(weight)`` wide: an
    optimizer's ``weight_decay`` is what makes it wide. Cortes and Vapnik 1995, "Support-vector
    networks".

    Parameters
    ----------
    in_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Raises
    ------
    ValueError
        If a size is negative; in the call, if the input is not (..., in_features); in the loss, if
        scores and classes differ in shape.

    Examples
    --------
    >>> import autograd
    >>> LinearSVM.loss(autograd.tensor([2.0, 0.5]), autograd.tensor([1, 1]))
    tensor(0.2500)
    """

    @staticmethod
    def loss(scores: Any, classes: Any) -> Any:
        """Mean of ``max(0, 1 - y * score)`` of scores (N,) and classes (N,), 0 or 1."""
        return relu(1.0 - _signs("LinearSVM", scores, classes) * scores).mean()


def _classes(who: str, scores: Any, classes: Any) -> Tensor:
    """Classes as numbers of the scores' dtype."""
    array = np.asarray(classes.numpy() if isinstance(classes, Tensor) else classes)
    if array.shape != tuple(scores.shape):
        raise ValueError(
            f"{who}.loss: expected scores and classes of one shape (N,), got {tuple(scores.shape)} "
            f"and {array.shape}"
        )
    if not np.isin(array, (0, 1)).all():
        raise ValueError(f"{who}.loss: classes must be 0 or 1, got {np.unique(array)[:5]}")
    return from_numpy(array.astype(scores.dtype))


def _signs(who: str, scores: Any, classes: Any) -> Tensor:
    """-1 for class 0 and 1 for class 1."""
    return _classes(who, scores, classes) * 2.0 - 1.0
