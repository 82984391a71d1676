"""A network that classifies, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from autograd import Tensor, from_numpy, softmax, softplus

from ..functional import cross_entropy
from ..module import Module
from .base import NeuralEstimator, normalised


class NeuralClassifier(ClassifierMixin, NeuralEstimator):
    r"""
    A network for two classes, several, or (a 0/1 matrix as targets) several labels a sample.

    The loss is the cross-entropy, for several labels the sum of two-class ones; standardise the
    inputs first, as in the example.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; () is a linear model.
    activation : str or callable, default "relu"
        "relu", "gelu", "silu", "tanh", "logistic" or "identity"; or what makes a module.
    module : callable, optional
        A network of your own: ``module(inputs, outputs)`` returns a `Module` that maps
        ``(N, inputs)`` to scores ``(N, outputs)``. A class or a function of a module, for lambdas
        are not picklable, as a search in several processes needs. The two parameters above, and
        `dropout`, have no meaning then.
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
    class_weight : dict, "balanced" or None
        As elsewhere in scikit-learn; multiplies `sample_weight`.
    random_state : int, RandomState or None
        Of initial weights, orders and dropout. None draws on `autograd.manual_seed`'s generator;
        anything else leaves that generator as it was.
    warm_start : bool, default False
        Whether `fit` goes on with the network that there is.
    verbose : bool, default False
        Show a progress bar for each epoch.

    Attributes
    ----------
    classes_ : ndarray
        Labels in the order of the outputs.
    module_ : Module
        In evaluation mode.
    history_ : History
        Of the last call of `fit`.
    loss_, loss_curve_, n_iter_ : float, list of float, int
        Last training loss, that of each epoch, and their number.
    n_features_in_, feature_names_in_
        As elsewhere in scikit-learn.

    Notes
    -----
    Computes in float64, or in float32 if the inputs are. As the random numbers come from one
    stream, two threads that fit at once may change each other's; processes do not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NeuralClassifier((16,), learning_rate=0.02, epochs=50, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    _who: ClassVar[str] = "NeuralClassifier"
    classes_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str | Callable[[], Module] = "relu",
        *,
        module: Callable[[int, int], Module] | None = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        batch_size: int | str = "auto",
        epochs: int = 200,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        class_weight: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            module=module,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            epochs=epochs,
            weight_decay=weight_decay,
            dropout=dropout,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            min_delta=min_delta,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """
        Train on inputs ``(N, F)`` and labels ``(N,)``, or a 0/1 matrix ``(N, L)``.

        Raises
        ------
        ValueError
            If the data or a parameter are not as they should be.
        """
        going_on = self.warm_start and hasattr(self, "module_")
        X, y = self._inputs(X, y, reset=not going_on, numeric=False)
        return self._fit(X, y, sample_weight, None, self.epochs, anew=not going_on)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """
        Train for one epoch, from where the network stands.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like
            All labels that there will be; needed in the first call.

        Raises
        ------
        ValueError
            If `classes` are missing in the first call, or other ones later.
        """
        first = not hasattr(self, "module_")
        X, y = self._inputs(X, y, reset=first, numeric=False)
        multi = type_of_target(y).startswith("multilabel")
        if first and classes is None and not multi:
            raise ValueError("NeuralClassifier: the first partial_fit needs classes=")
        if not first and classes is not None and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"NeuralClassifier: partial_fit was begun with the classes {self.classes_}, not "
                f"{classes}"
            )
        return self._fit(X, y, sample_weight, classes, 1, anew=first)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, epochs: int, anew: bool
    ) -> Self:
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind.startswith("multiclass-multioutput"):
            raise ValueError(
                "NeuralClassifier: a matrix as y must be of 0 and 1, one column a label"
            )
        multi = kind.startswith("multilabel")
        if multi:
            targets, found = y.astype(X.dtype), np.arange(y.shape[1])
        else:
            y = column_or_1d(y, warn=True)
            found = np.unique(y if classes is None else classes)
            targets = None
        if anew:
            self.classes_, self.multilabel_ = found, multi
        elif multi != self.multilabel_ or not np.isin(found, self.classes_).all():
            raise ValueError(
                f"NeuralClassifier: it was fitted to the classes {self.classes_}, not to {found}"
            )
        if targets is None:
            unknown = np.setdiff1d(y, self.classes_)
            if unknown.size:
                raise ValueError(
                    f"NeuralClassifier: y has the labels {unknown}, which are none of the classes "
                    f"{self.classes_}"
                )
            targets = np.searchsorted(self.classes_, y)
        weight = self._weights(sample_weight, X)
        if self.class_weight is not None:
            weight = weight * compute_sample_weight(self.class_weight, y)
        samples = normalised((X, targets, weight))
        strata = None if multi else samples[1]
        self._train(samples, len(self.classes_), epochs, anew=anew, strata=strata)
        return self

    def loss(self, outputs: Tensor, targets: Any) -> Any:
        """Mean weighted cross-entropy; `targets` are labels and weights."""
        labels, weights = targets
        if self.multilabel_:
            losses = (softplus(outputs) - labels * outputs).sum(1)
        else:
            losses = cross_entropy(outputs, labels, reduction="none")
        return (losses * weights).mean()

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, ``(N, classes)``; of several labels, that of each."""
        scores = from_numpy(self._outputs(X))
        if self.multilabel_:
            return scores.sigmoid().numpy()
        return softmax(scores, dim=1).numpy()

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithm of `predict_proba`, exact where that is tiny."""
        scores = from_numpy(self._outputs(X))
        return (-softplus(-scores) if self.multilabel_ else scores.log_softmax(1)).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of each row; of several labels, those above one half."""
        scores = self._outputs(X)
        if self.multilabel_:
            return (scores > 0).astype(np.int64)
        return self.classes_[scores.argmax(1)]
