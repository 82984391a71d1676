"""A network that predicts numbers, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from autograd import Tensor

from .base import NeuralEstimator, normalised


class NeuralRegressor(RegressorMixin, NeuralEstimator):
    r"""
    A network for one number a sample, or for several.

    The loss is the mean squared error of the targets, which are standardised inside (by the mean
    and deviation of those first seen), so that the learning rate suits targets of any size.
    Standardise the inputs first, as in the example.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; () is a linear model.
    activation : str or callable, default "relu"
        "relu", "gelu", "silu", "tanh", "logistic" or "identity"; or what makes a module.
    module : callable, optional
        A network of your own: ``module(inputs, outputs)`` returns a `Module` that maps
        ``(N, inputs)`` to ``(N, outputs)``; see `NeuralClassifier`.
    optimizer : str or callable, default "adam"
        "adam", "adamw", "rmsprop" or "sgd" (momentum 0.9); or what is called with the parameters,
        ``lr=`` and ``weight_decay=``.
    learning_rate : float, default 1e-3
    batch_size : int or "auto", default "auto"
        Samples a step; "auto" is 200, or all if there are fewer.
    epochs : int, default 200
    weight_decay : float, default 0
    dropout : float, default 0
        Probability of each hidden unit to be left out in training.
    early_stopping : bool, default False
        Hold out `validation_fraction`, end when its loss has not become lower by more than
        `min_delta` for `patience` epochs, and take the weights of the best epoch.
    validation_fraction : float, default 0.1
    patience : int, default 10
    min_delta : float, default 0
    random_state : int, RandomState or None
        Of initial weights, orders and dropout. None draws on `autograd.manual_seed`'s generator;
        anything else leaves that generator as it was.
    warm_start : bool, default False
        Whether `fit` goes on with the network that there is.
    verbose : bool, default False
        Show a progress bar for each epoch.

    Attributes
    ----------
    module_ : Module
        In evaluation mode; gives standardised numbers.
    target_mean_, target_scale_ : ndarray, shape ``(outputs,)``
    history_ : History
        Of the last call of `fit`.
    loss_, loss_curve_, n_iter_ : float, list of float, int
        Last training loss, that of each epoch, and their number.
    n_features_in_, feature_names_in_
        As elsewhere in scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = NeuralRegressor((16,), learning_rate=0.02, epochs=50, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    _who: ClassVar[str] = "NeuralRegressor"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """
        Train on inputs ``(N, F)`` and numbers ``(N,)`` or ``(N, outputs)``.

        Raises
        ------
        ValueError
            If the data or a parameter are not as they should be.
        """
        going_on = self.warm_start and hasattr(self, "module_")
        return self._fit(X, y, sample_weight, self.epochs, anew=not going_on)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """
        Train for one epoch, from where the network stands.

        Raises
        ------
        ValueError
            As for `fit`.
        """
        return self._fit(X, y, sample_weight, 1, anew=not hasattr(self, "module_"))

    def _fit(self, X: Any, y: Any, sample_weight: Any, epochs: int, anew: bool) -> Self:
        X, y = self._inputs(X, y, reset=anew, numeric=True)
        weight = self._weights(sample_weight, X)
        # An axis of length 1 that scikit-learn's users know to be no second one.
        flat = y.ndim == 1
        samples = normalised((X, y.reshape(len(X), -1).astype(np.float64), weight))
        x, targets, weight = samples
        if anew:
            share = (weight / weight.sum())[:, None].astype(np.float64)
            self.target_mean_ = (share * targets).sum(0)
            off = targets - self.target_mean_
            # The largest is taken out of the square, which might leave the range of floats.
            largest = np.abs(off).max(0)
            largest[largest == 0] = 1.0
            spread = largest * np.sqrt((share * (off / largest) ** 2).sum(0))
            self.target_scale_ = np.where(spread > 0, spread, 1.0)
            self.flat_ = flat
        elif targets.shape[1] != len(self.target_mean_):
            raise ValueError(
                f"NeuralRegressor: it was fitted to {len(self.target_mean_)} outputs, y has "
                f"{targets.shape[1]}"
            )
        targets = ((targets - self.target_mean_) / self.target_scale_).astype(x.dtype)
        self._train((x, targets, weight), targets.shape[1], epochs, anew=anew)
        return self

    def loss(self, outputs: Tensor, targets: Any) -> Any:
        """Mean weighted squared error; `targets` are numbers and weights."""
        values, weights = targets
        difference = outputs - values
        return ((difference * difference).mean(1) * weights).mean()

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers, in the shape of the targets fitted to."""
        found = self._outputs(X) * self.target_scale_ + self.target_mean_
        return found.ravel() if self.flat_ else found
