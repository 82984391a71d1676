"""What both estimators are made of: a network, its training, and its random numbers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import optim
from autograd import Tensor, default_generator, from_numpy, no_grad
from optim import Optimizer

from ..data import DataLoader, Dataset
from ..data.seeding import as_int
from ..layers.activation import GELU, ReLU, Sigmoid, SiLU, Tanh
from ..layers.containers import Sequential
from ..layers.dropout import Dropout
from ..layers.linear import Identity, Linear
from ..module import Module
from ..train import EarlyStopping, History, ProgressBar, Trainer

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": ReLU,
    "gelu": GELU,
    "silu": SiLU,
    "tanh": Tanh,
    "logistic": Sigmoid,
    "identity": Identity,
}
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "sgd": lambda params, **options: optim.SGD(params, momentum=0.9, **options),
}
AUTO_BATCH = 200  # as that of scikit-learn's own networks
PREDICTION_ROWS = 4096  # predicted at once: bounds the memory, and changes no result

Samples = tuple[np.ndarray, np.ndarray, np.ndarray]  # inputs, targets, weights


class Rows(Dataset[Any]):
    """Samples ``(x, (y, weight))``: the loss is told the weights with the targets."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> None:
        self.arrays = (x, y, weight)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int, /) -> Any:
        x, y, weight = (array[index] for array in self.arrays)
        return x, (y, weight)

    def __getitems__(self, indices: list[int]) -> Any:
        """Batch of the rows `indices`."""
        x, y, weight = (from_numpy(array[indices]) for array in self.arrays)
        return x, (y, weight)


class NeuralEstimator(BaseEstimator):
    """Base of `NeuralClassifier` and `NeuralRegressor`."""

    n_features_in_: int
    module_: Module
    optimizer_: Optimizer
    history_: History
    _who: ClassVar[str]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str | Callable[[], Module] = "relu",
        *,
        module: Callable[[int, int], Module] | None = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        batch_size: Any = "auto",
        epochs: int = 200,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.min_delta = min_delta
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def loss(self, outputs: Tensor, targets: Any) -> Any:
        """Mean weighted loss of a batch; `targets` are targets and weights."""
        raise NotImplementedError

    # ---------------------------------------------------------------- training

    def _train(
        self, samples: Samples, outputs: int, epochs: int, *, anew: bool, strata: Any = None
    ) -> None:
        """Make the network if it is wanted `anew`, and train it."""
        x, y, weight = samples
        self._check_parameters()
        with self._own_numbers(anew):
            train, held_out = np.arange(len(x)), None
            if self.early_stopping and epochs > 1:
                train, held_out = self._held_out(len(x), strata)
            if anew:
                network = self._network(x.shape[1], outputs)
                if not isinstance(network, Module):
                    raise TypeError(
                        f"{self._who}: module must make a Module, not a {type(network).__name__}"
                    )
                self.module_ = network.to(x.dtype)
                self.optimizer_ = self._optimizer(self.module_)
            size = min(AUTO_BATCH, len(train)) if self.batch_size == "auto" else self.batch_size
            seed = int(default_generator.integers(0, 2**63 - 1, (1,))[0])
            # No prefetching: a batch is a copy of rows, quicker made than handed over.
            loader = DataLoader(
                Rows(*(part[train] for part in (x, y, weight))),
                min(size, len(train)),
                shuffle=True,
                generator=seed,
                prefetch=0,
            )
            validation, callbacks = None, []
            if held_out is not None:
                rows = Rows(*(part[held_out] for part in (x, y, weight)))
                validation = DataLoader(rows, PREDICTION_ROWS, prefetch=0)
                callbacks.append(EarlyStopping(self.patience, self.min_delta))
            if self.verbose:
                callbacks.append(ProgressBar(show=True))
            trainer = Trainer(
                *(self.module_, self.optimizer_, self.loss, loader, validation),
                callbacks=callbacks,
            )
            self.history_ = trainer.fit(epochs)
        self.module_.eval()
        self.n_iter_ = len(self.history_)
        self.loss_curve_ = [record["train_loss"] for record in self.history_]
        self.loss_ = self.loss_curve_[-1]

    def _held_out(self, count: int, strata: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Rows to train on, and rows that say when to stop, each class in both if that can be."""
        if strata is not None:
            classes = np.unique(strata, return_counts=True)[1]
            fewest = min(math.ceil(count * self.validation_fraction), count)
            if classes.min() < 2 or min(fewest, count - fewest) < len(classes):
                strata = None
        seed = int(default_generator.integers(0, 2**31 - 1, (1,))[0])
        parts: Any = train_test_split(
            np.arange(count), test_size=self.validation_fraction, random_state=seed, stratify=strata
        )
        return parts[0], parts[1]

    @contextlib.contextmanager
    def _own_numbers(self, anew: bool) -> Iterator[None]:
        """
        Let all that draws do so from this estimator's own stream, and leave the library's alone.

        Without a `random_state`, the library's own is what is drawn from.
        """
        if self.random_state is None:
            yield
            return
        held = default_generator.state_dict()
        if anew or not hasattr(self, "_stream"):
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            default_generator.manual_seed(int(seed))
        else:
            default_generator.load_state_dict(self._stream)
        try:
            yield
        finally:
            self._stream = default_generator.state_dict()
            default_generator.load_state_dict(held)

    def _network(self, inputs: int, outputs: int) -> Module:
        if self.module is not None:
            return self.module(inputs, outputs)
        activation = self.activation
        make = ACTIVATIONS[activation] if isinstance(activation, str) else activation
        sizes = np.atleast_1d(self.hidden_layer_sizes).tolist()
        layers: list[Module] = []
        for size in sizes:
            layers += [Linear(inputs, int(size)), make()]
            if self.dropout:
                layers.append(Dropout(self.dropout))
            inputs = int(size)
        return Sequential(*layers, Linear(inputs, outputs))

    def _optimizer(self, module: Module) -> Optimizer:
        make = OPTIMIZERS[self.optimizer] if isinstance(self.optimizer, str) else self.optimizer
        return make(module.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)

    def _check_parameters(self) -> None:
        sizes = np.atleast_1d(self.hidden_layer_sizes)
        if self.module is None and (
            sizes.ndim != 1 or (sizes.size and (sizes.dtype.kind not in "iu" or sizes.min() < 1))
        ):
            raise ValueError(
                f"{self._who}: hidden_layer_sizes must be integers >= 1, not "
                f"{self.hidden_layer_sizes!r}"
            )
        for name, known in (("activation", ACTIVATIONS), ("optimizer", OPTIMIZERS)):
            value = getattr(self, name)
            if not callable(value) and value not in known:
                raise ValueError(
                    f"{self._who}: {name} must be callable or one of {', '.join(known)}, not "
                    f"{value!r}"
                )
        if self.batch_size != "auto" and not _is_count(self.batch_size):
            raise ValueError(
                f"{self._who}: batch_size must be 'auto' or an integer >= 1, not "
                f"{self.batch_size!r}"
            )
        if not _is_count(self.epochs):
            raise ValueError(f"{self._who}: epochs must be an integer >= 1, not {self.epochs!r}")

    # ---------------------------------------------------------------- data

    def _inputs(self, X: Any, y: Any, reset: bool, numeric: bool) -> tuple[Any, Any]:
        """Validated, contiguous inputs of a float type, and targets."""
        X, y = validate_data(
            self,
            X,
            y,
            dtype=(np.float64, np.float32),
            multi_output=True,
            y_numeric=numeric,
            order="C",
            reset=reset,
        )
        return X, y

    def _weights(self, weight: Any, X: np.ndarray) -> np.ndarray:
        """One weight for each sample, in the inputs' type."""
        if weight is None:
            return np.ones(len(X), X.dtype)
        found = np.asarray(weight, dtype=np.float64)
        if found.ndim == 0:
            found = np.full(len(X), found)
        if found.shape != (len(X),):
            raise ValueError(
                f"{self._who}: sample_weight.shape == {found.shape}, expected {(len(X),)}"
            )
        if not np.isfinite(found).all() or (found < 0).any():
            raise ValueError(f"{self._who}: sample_weight must be finite and >= 0")
        if not found.any():
            raise ValueError(f"{self._who}: sample_weight is zero for every sample")
        return found

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network gives for each row."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), order="C", reset=False)
        dtype = next((p.dtype for p in self.module_.parameters()), X.dtype)
        X = X.astype(dtype, copy=False)
        with no_grad():
            parts = [
                self.module_(from_numpy(X[start : start + PREDICTION_ROWS])).numpy()
                for start in range(0, len(X), PREDICTION_ROWS)
            ]
        return np.concatenate(parts)


def normalised(samples: Samples) -> Samples:
    """Leave out what has no weight, and bring the others' mean to 1."""
    x, y, weight = samples
    kept = weight > 0
    x, y, weight = x[kept], y[kept], weight[kept]
    return x, y, (weight / weight.mean()).astype(x.dtype)


def _is_count(value: Any) -> bool:
    count = as_int(value)
    return count is not None and count >= 1
