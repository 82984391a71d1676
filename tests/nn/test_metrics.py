"""Metrics of classes, rankings and distributions, beside scikit-learn's and SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd
import nn.functional as F
from nn import metrics

sklearn_metrics = pytest.importorskip("sklearn.metrics")
stats = pytest.importorskip("scipy.stats")
distance = pytest.importorskip("scipy.spatial.distance")

RNG = np.random.default_rng(0)
TRUE = RNG.integers(0, 5, 60)
TRUE[TRUE == 3] = 1  # a class that is never true
FOUND = np.where(RNG.random(60) < 0.6, TRUE, RNG.integers(0, 4, 60))  # and one never predicted
YES, NO_OR_YES = RNG.integers(0, 2, 40), RNG.integers(0, 2, 40)
TIED = RNG.integers(0, 8, 40) / 8.0  # scores, many of them equal
SCORES = RNG.integers(0, 9, (60, 3)) / 9.0
OF_THREE = RNG.integers(0, 3, 60)


# --- Classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["precision", "recall", "f1_score"])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_scores_of_classes(name, average):
    theirs = getattr(sklearn_metrics, name if name == "f1_score" else f"{name}_score")
    wanted = theirs(TRUE, FOUND, average=average, zero_division=0)
    found = getattr(metrics, name)(FOUND, TRUE, average)
    if average is None:
        seen = np.unique([*TRUE, *FOUND])
        assert len(found) == 5
        found = found[seen]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize("name", ["precision", "recall", "f1_score"])
def test_scores_of_two_classes(name):
    theirs = getattr(sklearn_metrics, name if name == "f1_score" else f"{name}_score")
    ours = getattr(metrics, name)
    assert ours(YES, NO_OR_YES) == pytest.approx(theirs(NO_OR_YES, YES), rel=1e-14)
    wanted = theirs(NO_OR_YES, YES, pos_label=0)
    assert ours(YES, NO_OR_YES, pos_label=0) == pytest.approx(wanted, rel=1e-14)
    assert ours([0, 0], [0, 0]) == 0.0
    assert ours([0, 0], [0, 0], zero_division=1.0) == 1.0


def test_accuracy_and_confusion():
    assert metrics.accuracy(FOUND, TRUE) == sklearn_metrics.accuracy_score(TRUE, FOUND)
    for normalize in (None, "true", "pred", "all"):
        wanted = sklearn_metrics.confusion_matrix(TRUE, FOUND, labels=range(6), normalize=normalize)
        found = metrics.confusion_matrix(FOUND, TRUE, 6, normalize)
        np.testing.assert_allclose(found, wanted, rtol=1e-14)
    assert metrics.confusion_matrix(FOUND, TRUE).shape == (5, 5)


def test_scores_in_the_place_of_classes():
    scores = autograd.tensor(RNG.standard_normal((4, 3, 2)), requires_grad=True)
    true = autograd.tensor(RNG.integers(0, 2, (4, 2)))
    classes = scores.argmax(1)
    assert metrics.accuracy(scores, true) == metrics.accuracy(classes, true)
    assert metrics.confusion_matrix(scores, true).shape == (3, 3)
    np.testing.assert_array_equal(
        metrics.recall(scores, true, None), metrics.recall(classes, true, None, num_classes=3)
    )


def test_top_k():
    scores = RNG.permuted(np.tile(np.arange(6.0), (20, 1)), axis=1)
    true = RNG.integers(0, 6, 20)
    for k in (1, 2, 5):
        wanted = sklearn_metrics.top_k_accuracy_score(true, scores, k=k, labels=range(6))
        assert metrics.top_k_accuracy(scores, true, k) == pytest.approx(wanted)
    assert metrics.top_k_accuracy(scores, true, 6) == 1.0
    assert metrics.top_k_accuracy(SCORES, OF_THREE, 1) == metrics.accuracy(SCORES, OF_THREE)
    assert metrics.top_k_accuracy(np.zeros((2, 3)), [0, 2], 1) == 0.5


# --- Rankings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [True, False])
def test_roc_curve(drop):
    wanted = sklearn_metrics.roc_curve(YES, TIED, drop_intermediate=drop)
    for ours, theirs in zip(metrics.roc_curve(TIED, YES, drop), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_roc_auc_counts_pairs():
    higher = TIED[YES == 1][:, None] - TIED[YES == 0]
    wanted = (np.sign(higher) + 1).mean() / 2
    assert metrics.roc_auc(TIED, YES) == pytest.approx(wanted, rel=1e-14)
    assert metrics.roc_auc(-TIED, YES) == pytest.approx(1 - wanted, rel=1e-14)
    assert metrics.roc_auc(np.ones(3), [0, 1, 1]) == 0.5
    assert metrics.roc_auc([-np.inf, np.inf], [0, 1]) == 1.0


@pytest.mark.parametrize("average", ["macro", "weighted", None])
def test_each_class_against_the_rest(average):
    chances = SCORES + 0.01
    chances /= chances.sum(axis=1, keepdims=True)
    wanted = sklearn_metrics.roc_auc_score(OF_THREE, chances, multi_class="ovr", average=average)
    np.testing.assert_allclose(metrics.roc_auc(chances, OF_THREE, average), wanted, rtol=1e-13)
    wanted = sklearn_metrics.average_precision_score(OF_THREE, SCORES, average=average)
    found = metrics.average_precision(autograd.tensor(SCORES), OF_THREE, average)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_precision_recall_curve():
    wanted = sklearn_metrics.precision_recall_curve(YES, TIED)
    for ours, theirs in zip(metrics.precision_recall_curve(TIED, YES), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    wanted = sklearn_metrics.average_precision_score(YES, TIED)
    assert metrics.average_precision(TIED, YES) == pytest.approx(wanted, rel=1e-14)


# --- Distributions --------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [None, 2, 10.0])
def test_divergences(base):
    p, q = RNG.random((2, 3, 4))
    p[0, 1] = 0.0
    np.testing.assert_allclose(
        metrics.kl_divergence(p, q, base=base), stats.entropy(p, q, base=base, axis=-1), rtol=1e-12
    )
    np.testing.assert_allclose(
        metrics.js_divergence(p, q, 0, base),
        distance.jensenshannon(p, q, base=base, axis=0) ** 2,
        rtol=1e-12,
    )
    assert metrics.kl_divergence([1, 1], [1, 0]) == math.inf
    assert metrics.js_divergence([1, 0], [0, 1]) == pytest.approx(math.log(2.0))
    assert metrics.kl_divergence(p[0], 3 * p[0]) == pytest.approx(0.0, abs=1e-15)


def test_divergences_of_next_to_nothing():
    assert metrics.kl_divergence([1.0, 1e-300], [1e-300, 1.0]) == pytest.approx(690.7755, rel=1e-6)
    assert metrics.js_divergence([1.0, 5e-324], [1.0, 0.0]) == pytest.approx(0.0)


def test_wasserstein():
    u, v = RNG.standard_normal(7), RNG.standard_normal(5) + 1.0
    a, b = RNG.random(7), RNG.random(5)
    u[3] = u[4] = v[2]  # ties within and between
    for weights in [(), (a, b), (a, None)]:
        wanted = stats.wasserstein_distance(u, v, *weights)
        assert metrics.wasserstein_distance(u, v, *weights) == pytest.approx(wanted, rel=1e-12)
    assert metrics.wasserstein_distance(u, u[::-1]) == pytest.approx(0.0, abs=1e-15)


def test_wasserstein_of_histograms():
    edges = np.array([0.0, 1.0, 3.0, 4.0])
    p, q = np.array([2, 0, 2]), np.array([0, 3, 1])
    wanted = stats.wasserstein_distance([0.5, 3.5], [2.0, 3.5], [0.5, 0.5], [0.75, 0.25])
    assert metrics.wasserstein_histogram(p, q, edges) == pytest.approx(wanted)
    assert metrics.wasserstein_histogram(p, q, [0.5, 2.0, 3.5]) == pytest.approx(wanted)


def test_perplexity():
    logits, true = RNG.standard_normal((2, 5, 4)) * 30, RNG.integers(0, 4, (2, 5))
    true[0, 1] = -100
    loss = F.cross_entropy(autograd.tensor(logits.reshape(-1, 4)), true.reshape(-1))
    found = metrics.perplexity(autograd.tensor(logits), true, ignore_index=-100)
    assert found == pytest.approx(math.exp(loss.item()), rel=1e-12)
    assert metrics.perplexity([[0.0, -np.inf]], [0]) == 1.0
    assert metrics.perplexity([[0.0, -np.inf]], [1]) == math.inf
    assert metrics.perplexity([[0.0, 1e4]], [0]) == math.inf


# --- Batch by batch -------------------------------------------------------------------------------


def test_batches_add_up():
    confusion, mean = metrics.ConfusionMatrix(5), metrics.Mean()
    for part in np.array_split(np.arange(60), 4):
        confusion.update(autograd.tensor(FOUND[part]), TRUE[part])
        mean.update(SCORES[part].mean(), weight=len(part))
    np.testing.assert_array_equal(confusion.compute(), metrics.confusion_matrix(FOUND, TRUE))
    assert confusion.accuracy() == metrics.accuracy(FOUND, TRUE)
    assert confusion.precision("macro") == metrics.precision(FOUND, TRUE, "macro")
    assert confusion.recall("weighted") == metrics.recall(FOUND, TRUE, "weighted")
    assert confusion.f1_score("micro") == metrics.f1_score(FOUND, TRUE, "micro")
    assert mean.compute() == pytest.approx(SCORES.mean())
    confusion.reset()
    mean.reset()
    assert math.isnan(confusion.accuracy())
    assert math.isnan(mean.compute())
    assert not confusion.compute().any()


def test_a_refused_batch_leaves_all_as_it_was():
    confusion = metrics.ConfusionMatrix(2)
    confusion.update([0, 1], [1, 1])
    before = confusion.compute()
    with pytest.raises(IndexError, match="class 2"):
        confusion.update([0, 1], [2, 1])
    before[0, 0] = 7  # a copy
    np.testing.assert_array_equal(confusion.compute(), [[0, 0], [1, 1]])
    mean = metrics.Mean()
    with pytest.raises(ValueError, match="NaN"):
        mean.update([1.0, math.nan])
    assert math.isnan(mean.compute())


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: metrics.accuracy([], []), ValueError, "accuracy.*empty"),
        (lambda: metrics.accuracy([1, 2], [1]), ValueError, r"\(2,\) and target \(1,\)"),
        (lambda: metrics.accuracy([0.7, 0.2], [1, 0]), TypeError, "threshold"),
        (lambda: metrics.accuracy([[0.7, np.nan]], [1]), ValueError, "NaN"),
        (lambda: metrics.accuracy([[0.7, 0.3]], [1, 0]), ValueError, r"\(1, 2\) do not fit"),
        (lambda: metrics.accuracy([0, 1], [0, -1]), ValueError, "target holds the class -1"),
        (lambda: metrics.accuracy([0, 1], ["a", "b"]), TypeError, "class indices"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 1], 3), IndexError, "class 3"),
        (lambda: metrics.confusion_matrix([0], [0], normalize="rows"), ValueError, "'rows'"),
        (lambda: metrics.precision([0, 1, 2], [0, 1, 2]), ValueError, "3 classes; say average="),
        (lambda: metrics.recall([0], [0], "mean"), ValueError, "average"),
        (lambda: metrics.f1_score([0], [0], pos_label=2), ValueError, "pos_label"),
        (lambda: metrics.top_k_accuracy(SCORES, OF_THREE, 4), ValueError, "k must be from 1 to 3"),
        (lambda: metrics.top_k_accuracy(SCORES, OF_THREE + 1, 1), IndexError, "class 3"),
        (lambda: metrics.top_k_accuracy([0.1], [0], 1), ValueError, r"\(N, C\)"),
        (lambda: metrics.roc_auc([0.1, 0.2], [1, 1]), ValueError, "all 2 targets are 1"),
        (lambda: metrics.roc_curve([0.1, 0.2], [0, 0]), ValueError, "all 2 targets are 0"),
        (lambda: metrics.roc_auc([0.1, np.nan], [0, 1]), ValueError, "NaN"),
        (lambda: metrics.roc_auc([0.1, 0.2], [0, 2]), ValueError, "0 or 1, met 2"),
        (lambda: metrics.roc_auc([], []), ValueError, "not empty"),
        (lambda: metrics.roc_auc(SCORES, np.zeros(60, int)), ValueError, "every class must occur"),
        (lambda: metrics.roc_auc(SCORES, OF_THREE, "micro"), ValueError, "average"),
        (lambda: metrics.average_precision([0.1], [0]), ValueError, "no target is 1"),
        (lambda: metrics.average_precision(SCORES, OF_THREE + 1), ValueError, "class 3"),
        (lambda: metrics.kl_divergence([1, -1], [1, 1]), ValueError, "p must not be negative"),
        (lambda: metrics.kl_divergence([1, 1], [0, 0]), ValueError, "q .* zero throughout"),
        (lambda: metrics.js_divergence([1, 1], [1, 1, 1]), ValueError, "one shape"),
        (lambda: metrics.js_divergence([], []), ValueError, "must have elements"),
        (lambda: metrics.js_divergence([1, 1], [1, 1], dim=1), IndexError, "dim 1"),
        (lambda: metrics.kl_divergence([1, 1], [1, 1], base=1), ValueError, "base"),
        (lambda: metrics.wasserstein_distance([], [1.0]), ValueError, "u_values"),
        (lambda: metrics.wasserstein_distance([1.0], [np.inf]), ValueError, "v_values.*infin"),
        (lambda: metrics.wasserstein_distance([1], [1], [-1]), ValueError, "u_weights"),
        (lambda: metrics.wasserstein_distance([1], [1], [1, 2]), ValueError, "u_weights"),
        (lambda: metrics.wasserstein_histogram([1, 1], [1, 1], [0.0]), ValueError, "bins"),
        (lambda: metrics.wasserstein_histogram([1, 1], [1, 1], [1, 0]), ValueError, "increase"),
        (lambda: metrics.perplexity([[0.0, 1.0]], [2]), IndexError, "class 2"),
        (lambda: metrics.perplexity([[0.0, 1.0]], [0], 0), ValueError, "no target counts"),
        (lambda: metrics.perplexity([0.0, 1.0], [0]), ValueError, "do not fit"),
        (lambda: metrics.perplexity([[-np.inf, -np.inf]], [0]), ValueError, "no finite score"),
        (lambda: metrics.ConfusionMatrix(0), ValueError, "num_classes"),
        (lambda: metrics.ConfusionMatrix(2).recall(), ValueError, "recall of nothing"),
        (lambda: metrics.Mean().update(1.0, -1.0), ValueError, "weight"),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
