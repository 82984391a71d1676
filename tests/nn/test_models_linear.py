"""Linear regression and linear classifiers: closed forms, and rules from before autograd."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import LinearClassifier, LinearRegression, LinearSVM, LogisticRegression, Perceptron

CLASSIFIERS = (LogisticRegression, Perceptron, LinearSVM)


def samples(n: int, features: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    return x, (x[:, 0] + 0.3 * rng.normal(size=n) > 0).astype(np.int64)


# ------------------------------------------------------------------ regression


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("outputs", [1, 3])
def test_solve_fulfils_the_normal_equations(bias, outputs):
    rng = np.random.default_rng(1)
    x, y = rng.normal(2.0, 1.0, (50, 4)), rng.normal(size=(50, outputs))
    model = LinearRegression(4, outputs, bias, dtype=np.float64)
    assert model.solve(x, y) is model
    residual = model(autograd.tensor(x)).detach().numpy() - y
    np.testing.assert_allclose(x.T @ residual, 0.0, atol=1e-10)
    if bias:
        np.testing.assert_allclose(residual.sum(axis=0), 0.0, atol=1e-10)


def test_solve_takes_tensors_and_keeps_the_parameters():
    model = LinearRegression(2)
    weight = model.weight
    model.solve(autograd.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), autograd.ones(3, 1))
    assert model.weight is weight
    assert weight.dtype == np.float32
    np.testing.assert_allclose(model(autograd.ones(1, 2)).tolist(), [[1.0]], rtol=1e-6)


def test_solve_takes_the_smallest_of_equal_weights():
    model = LinearRegression(3, dtype=np.float64).solve(np.zeros((1, 3)), [[5.0]])
    assert model.weight.tolist() == [[0.0, 0.0, 0.0]]
    assert model.bias is not None
    assert model.bias.tolist() == [5.0]
    twins = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [3.0, 3.0, 0.0]])
    model.solve(twins, 4.0 * twins[:, :1])
    np.testing.assert_allclose(model.weight.tolist(), [[2.0, 2.0, 0.0]], atol=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.ones((3, 2)), np.ones(3), r"\(3, 2\) and \(3,\)"),
        (np.ones((3, 1)), np.ones((3, 1)), r"inputs \(N, 2\).*got \(3, 1\)"),
        (np.ones((0, 2)), np.ones((0, 1)), "at least 1"),
        (np.ones((3, 2)), np.ones((2, 1)), r"\(2, 1\)"),
        (np.full((3, 2), np.nan), np.ones((3, 1)), "NaN"),
    ],
)
def test_solve_refuses_what_does_not_fit(x, y, words):
    with pytest.raises(ValueError, match=words):
        LinearRegression(2).solve(x, y)


def test_solve_is_what_sklearn_finds():
    linear_model = pytest.importorskip("sklearn.linear_model")
    table = nn.data.diabetes()
    model = LinearRegression(10, dtype=np.float64).solve(table.features, table.targets[:, None])
    other = linear_model.LinearRegression().fit(table.features.astype(np.float64), table.targets)
    np.testing.assert_allclose(model.weight.tolist()[0], other.coef_, rtol=1e-7)
    assert model.bias is not None
    np.testing.assert_allclose(model.bias.item(), other.intercept_, rtol=1e-7)


# ------------------------------------------------------------------ classifiers


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_scores_classes_parameters_and_gradients(make):
    model = make(30)
    assert nn.summary(model, (30,)).parameters == 31
    x, y = samples(20, 30)
    inputs = autograd.tensor(x, dtype=np.float32)
    scores = model(inputs)
    assert scores.shape == (20,)
    model.loss(scores, autograd.tensor(y)).backward()
    assert all(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in model.parameters())
    classes = model.predict(inputs)
    assert classes.dtype == np.int64
    np.testing.assert_array_equal(classes.numpy(), scores.detach().numpy() > 0)
    assert model(autograd.zeros(2, 5, 30)).shape == (2, 5)
    assert model(autograd.zeros(0, 30)).shape == (0,)
    assert make(3, bias=False).bias is None


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (LogisticRegression, lambda margin: np.logaddexp(0.0, -margin)),
        (Perceptron, lambda margin: np.maximum(0.0, -margin)),
        (LinearSVM, lambda margin: np.maximum(0.0, 1.0 - margin)),
    ],
)
def test_losses_are_those_of_the_textbook(make, formula):
    rng = np.random.default_rng(2)
    scores, y = 3.0 * rng.normal(size=40), rng.integers(0, 2, 40)
    expected = formula((2 * y - 1) * scores).mean()
    for classes in (y, autograd.tensor(y), y.astype(np.float64)):
        found = make.loss(autograd.tensor(scores), classes)
        np.testing.assert_allclose(found.item(), expected, rtol=1e-12)


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_losses_refuse_what_does_not_fit(make):
    with pytest.raises(ValueError, match=rf"{make.__name__}.loss.*\(3,\) and \(3, 1\)"):
        make.loss(autograd.zeros(3), np.zeros((3, 1), np.int64))
    with pytest.raises(ValueError, match="classes must be 0 or 1"):
        make.loss(autograd.zeros(2), np.array([-1, 1]))
    with pytest.raises(ValueError, match="linear"):
        make(3)(autograd.zeros(2, 4))


def test_the_base_has_no_loss():
    with pytest.raises(NotImplementedError, match="subclass"):
        LinearClassifier.loss(autograd.zeros(2), np.zeros(2))


def test_a_step_on_the_loss_of_the_perceptron_is_rosenblatts_rule():
    x, y = samples(60, 4)
    model = Perceptron(4, dtype=np.float64)
    w, b = model.weight.detach().numpy()[0].copy(), model.get_parameter("bias").item()
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    for sample, sign, label in zip(x, 2 * y - 1, y, strict=True):
        if sign * (w @ sample + b) < 0:
            w, b = w + 0.5 * sign * sample, b + 0.5 * sign
        optimizer.zero_grad()
        model.loss(model(autograd.tensor(sample[None])), [label]).backward()
        optimizer.step()
    np.testing.assert_allclose(model.weight.detach().numpy()[0], w, rtol=1e-12)


def test_what_is_learnt_is_what_sklearn_learns():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = samples(80, 3)
    decay = 0.05
    model = LogisticRegression(3, bias=False, dtype=np.float64)
    optimizer = optim.SGD(model.parameters(), lr=1.0, weight_decay=decay)
    for _ in range(600):
        optimizer.zero_grad()
        model.loss(model(autograd.tensor(x)), y).backward()
        optimizer.step()
    other = linear_model.LogisticRegression(C=1 / (80 * decay), fit_intercept=False, tol=1e-10)
    np.testing.assert_allclose(model.weight.tolist(), other.fit(x, y).coef_, atol=1e-6)
