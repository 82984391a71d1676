"""Series, curves and tables to learn from."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nn.data import breast_cancer, daily_views, diabetes, lagged, wavy_curve


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_daily_views_are_growth_times_week_times_chance():
    views = daily_views(730, rng=rng())
    assert views.dtype == np.float32
    assert views.shape == (730,)
    np.testing.assert_array_equal(views, daily_views(730, rng=rng()))
    smooth = daily_views(730, noise=0.0, rng=rng()).astype(np.float64)
    np.testing.assert_allclose(smooth[364:371].mean() / smooth[:7].mean(), 1.25, rtol=2e-3)
    assert smooth[:7].argmin() == 5
    np.testing.assert_allclose(np.log(views / smooth).std(), 0.06, rtol=0.1)
    np.testing.assert_allclose(daily_views(9, start=3.0, rng=rng()), 0.3 * views[:9], rtol=1e-6)


def test_lagged_windows():
    series = np.arange(10, dtype=np.float32)
    for past, skip in [(1, 0), (3, 0), (3, 5), (3, 2), (9, 0)]:
        x, y = lagged(series, past, skip)
        first = max(past, skip)
        assert x.dtype == y.dtype == np.float32
        assert y[:, 0].tolist() == list(range(first, 10))
        assert x.tolist() == [[t - past + i for i in range(past)] for t in range(first, 10)]
    x[0, 0] = 100.0
    assert series[0] == 0.0


def test_wavy_curve():
    x, y = wavy_curve(101, rng=rng())
    assert x.dtype == y.dtype == np.float32
    assert x.shape == y.shape == (101, 1)
    assert (x[0, 0], x[-1, 0]) == (0.0, 1.0)
    noisy = wavy_curve(101, 0.1, rng=rng())[1]
    np.testing.assert_allclose((noisy - y).std(), 0.1, rtol=0.2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: daily_views(0, rng=rng()), "at least 1, got 0"),
        (lambda: daily_views(5, start=0.0, rng=rng()), "start"),
        (lambda: daily_views(5, noise=-1.0, rng=rng()), "noise"),
        (lambda: wavy_curve(1, rng=rng()), "n=1"),
        (lambda: wavy_curve(5, float("nan"), rng=rng()), "noise"),
        (lambda: lagged(np.zeros((3, 2)), 1), r"\(T,\), got \(3, 2\)"),
        (lambda: lagged(np.zeros(3), 0), "past must be"),
        (lambda: lagged(np.zeros(3), 3), "too few"),
        (lambda: lagged(np.zeros(3), 1, 3), "too few"),
        (lambda: lagged(np.zeros(0), 1), "too few"),
    ],
)
def test_bad_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_tables_are_those_of_sklearn():
    datasets = pytest.importorskip("sklearn.datasets")
    table = breast_cancer()
    assert table.features.dtype == np.float32
    assert table.targets.dtype == np.int64
    assert table.feature_names is not None
    assert len(table.feature_names) == 30
    np.testing.assert_array_equal(table.targets, 1 - datasets.load_breast_cancer().target)
    table = diabetes()
    assert table.targets.dtype == np.float32
    assert table.features[:, 2].max() > 40  # in its own unit
    assert table.class_names is None


@pytest.mark.parametrize("read", [breast_cancer, diabetes])
def test_without_sklearn_it_is_said_how_to_get_it(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"dagrad\[data\]"):
        read()
