"""The estimators: scikit-learn's own checks, its tools, and what they promise beyond."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import autograd  # noqa: E402
import nn  # noqa: E402
import optim  # noqa: E402
from nn.sklearn import NeuralClassifier, NeuralRegressor  # noqa: E402

QUICK: dict[str, Any] = {"learning_rate": 0.02, "epochs": 40}


@parametrize_with_checks([NeuralClassifier((16,), **QUICK), NeuralRegressor((16,), **QUICK)])
def test_scikit_learn_s_own_checks(estimator, check):
    state = np.random.get_state()  # noqa: NPY002 - one of the checks draws from it
    try:
        check(estimator)
    finally:
        np.random.set_state(state)  # noqa: NPY002 - as above


class Wide(nn.Module):
    """A network of one's own; at the top of a module, so that it can be pickled."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, 12)
        self.norm = nn.BatchNorm1d(12)
        self.last = nn.Linear(12, outputs)

    def forward(self, x):
        return self.last(self.norm(self.first(x)).tanh())


@pytest.fixture
def processes():
    """Those that joblib starts, ended afterwards."""
    yield 2
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


def iris() -> tuple[Any, Any]:
    found: Any = load_iris(return_X_y=True)
    return found


@pytest.mark.slow
def test_pipeline_search_and_cross_validation(processes):
    X, y = iris()
    network = NeuralClassifier(epochs=60, batch_size=32, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    grid = {
        "neuralclassifier__hidden_layer_sizes": [(8,), ()],
        "neuralclassifier__module": [None, Wide],
        "neuralclassifier__learning_rate": [0.02],
    }
    search = GridSearchCV(model, grid, cv=2, n_jobs=processes).fit(X, y)
    assert search.best_score_ > 0.9
    assert cross_val_score(search.best_estimator_, X, y, cv=2).min() > 0.85


def test_multi_output_and_custom_network():
    data: Any = load_diabetes(return_X_y=True)
    X, y = data
    X, y = X[:200], np.stack([y[:200], -1e6 * y[:200] + 3e7], axis=1)
    X = StandardScaler().fit_transform(X)
    model = NeuralRegressor(module=Wide, random_state=1, **QUICK).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.5
    one = NeuralRegressor((8,), random_state=1, **QUICK).fit(X, y[:, 0])
    assert one.predict(X).shape == (200,)


def test_several_labels():
    data: Any = make_multilabel_classification(100, 8, n_classes=3, random_state=0)
    X, y = data
    X = StandardScaler().fit_transform(X)
    model = NeuralClassifier((16,), random_state=0, learning_rate=0.05, epochs=60).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (100, 3)
    assert ((proba > 0.5) == model.predict(X)).all()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), proba)
    assert (model.predict(X) == y).mean() > 0.9


def test_early_stopping_takes_the_best_epoch():
    X, y = iris()
    model = NeuralClassifier(
        (16,), learning_rate=0.2, epochs=200, early_stopping=True, patience=3, random_state=0
    ).fit(X, y)
    assert model.n_iter_ < 200
    assert str(model.history_.stop_reason).startswith("early stopping")
    assert model.loss_curve_ == [record["train_loss"] for record in model.history_]


def test_a_few_samples_can_be_stopped_early_too():
    X, y = np.eye(6), [0, 0, 1, 1, 2, 2]
    model = NeuralClassifier((4,), early_stopping=True, epochs=3, random_state=0)
    assert model.fit(X, y).predict(X).shape == (6,)
    with pytest.raises(ValueError, match="test_size"):
        NeuralClassifier((4,), early_stopping=True, epochs=3, validation_fraction=2.0).fit(X, y)


def weights(model) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in model.module_.parameters()]


def test_random_state_decides_and_leaves_the_library_s_generator_alone():
    X, y = iris()
    autograd.manual_seed(5)
    before = autograd.default_generator.state_dict()
    first, again = (
        NeuralClassifier((8,), dropout=0.2, epochs=3, random_state=7).fit(X, y) for _ in range(2)
    )
    assert autograd.default_generator.state_dict() == before
    assert weights(first) == weights(again)
    free = [NeuralClassifier((8,), epochs=1).fit(X, y) for _ in range(2)]
    assert weights(free[0]) != weights(free[1])
    autograd.manual_seed(5)
    assert weights(NeuralClassifier((8,), epochs=1).fit(X, y)) == weights(free[0])


@pytest.mark.parametrize("kind", [NeuralClassifier, NeuralRegressor])
def test_going_on_after_pickling_equals_going_on(kind):
    X, y = iris()
    options = {"classes": [0, 1, 2]} if kind is NeuralClassifier else {}
    model = kind((8,), dropout=0.3, random_state=0).partial_fit(X, y, **options)
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, copy):
        each.partial_fit(X, y)
    assert weights(model) == weights(copy)
    assert (model.predict(X) == copy.predict(X)).all()


def test_warm_start_goes_on():
    X, y = iris()
    model = NeuralClassifier((8,), warm_start=True, epochs=20, random_state=0, learning_rate=0.02)
    first = model.fit(X, y).loss_
    assert model.fit(X, y).loss_ < first
    with pytest.raises(ValueError, match="fitted to the classes"):
        model.fit(X, y + 1)


def test_weights_count_as_repeated_samples():
    X, y = iris()
    weight = np.arange(150) % 3
    options: dict[str, Any] = {"epochs": 5, "batch_size": 500, "random_state": 0}
    one = NeuralClassifier((8,), **options).fit(X, y, sample_weight=weight)
    two = NeuralClassifier((8,), **options).fit(X.repeat(weight, 0), y.repeat(weight))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-8)


def test_balanced_classes():
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.05).astype(int)
    X = rng.normal(size=(300, 2)) + y[:, None]
    options: dict[str, Any] = {"random_state": 0, **QUICK}
    plain = NeuralClassifier((), **options).fit(X, y).predict(X).sum()
    balanced = NeuralClassifier((), class_weight="balanced", **options).fit(X, y)
    assert plain < y.sum() < balanced.predict(X).sum()


def test_own_activation_and_optimizer():
    X, y = iris()
    model = NeuralClassifier((8, 4), nn.Softplus, optimizer=optim.SGD, learning_rate=0.1, epochs=2)
    assert isinstance(model.fit(X, y).module_.get_submodule("1"), nn.Softplus)
    assert isinstance(model.optimizer_, optim.SGD)
    assert model.fit(X.astype(np.float32), y).predict_proba(X).dtype == np.float32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "swish"}, "activation must be callable or one of relu"),
        ({"optimizer": "lion"}, "optimizer must be callable or one of adam"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be integers >= 1"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be integers >= 1"),
        ({"batch_size": 0}, "batch_size must be 'auto' or an integer >= 1"),
        ({"epochs": 0}, "epochs must be an integer >= 1"),
    ],
)
def test_parameters_are_checked(options, words):
    X, y = iris()
    for kind in (NeuralClassifier, NeuralRegressor):
        with pytest.raises(ValueError, match=words):
            kind(**options).fit(X, y)


def test_a_module_must_make_a_module():
    X, y = iris()
    with pytest.raises(TypeError, match="must make a Module, not a list"):
        NeuralClassifier(module=lambda inputs, outputs: []).fit(X, y)  # pyright: ignore[reportArgumentType]


def test_targets_of_any_size():
    X, y = iris()
    plain = NeuralRegressor((8,), random_state=0, **QUICK).fit(X, y).predict(X)
    for size in (1e200, 1e-200):
        found = NeuralRegressor((8,), random_state=0, **QUICK).fit(X, y * size).predict(X)
        np.testing.assert_allclose(found, plain * size, rtol=1e-6)


def test_data_are_checked():
    X, y = iris()
    model = NeuralClassifier(epochs=1)
    with pytest.raises(ValueError, match="first partial_fit needs classes"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[2\], which are none of the classes"):
        model.partial_fit(X, y, classes=[0, 1])
    for weight, words in ((-np.ones(150), ">= 0"), (np.zeros(150), "zero for every sample")):
        with pytest.raises(ValueError, match=words):
            model.fit(X, y, sample_weight=weight)
    many = NeuralRegressor(epochs=1).fit(X, X)
    with pytest.raises(ValueError, match="fitted to 4 outputs, y has 1"):
        many.partial_fit(X, y)


def test_importing_the_library_does_not_import_scikit_learn():
    code = "import sys, nn; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
