"""The recipes of linear models and of curves: figures, pictures, and what they refuse."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pytest

import nn.__main__ as cli
from nn.recipes.linear_classifiers import sign_accuracy
from nn.recipes.regression import rmse
from nn.report import save_lines, save_predictions


def trained(name, folder) -> dict[str, float]:
    assert cli.main(["train", name, "--out", str(folder)]) == 0
    return json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


@pytest.mark.parametrize("name", ["logistic_regression", "perceptron", "linear_svm"])
def test_tumours_are_told_apart(name, tmp_path):
    assert trained(name, tmp_path)["test_accuracy"] >= 0.96


@pytest.mark.parametrize(("name", "most"), [("linear_regression", 60.0), ("daily_views", 1.6)])
def test_descent_comes_near_the_closed_form(name, most, tmp_path):
    figures = trained(name, tmp_path)
    assert figures["test_rmse"] < most
    np.testing.assert_allclose(figures["test_rmse"], figures["test_closed_form_rmse"], rtol=0.02)


@pytest.mark.parametrize("name", ["sigmoid_sum", "hard_sigmoid_sum"])
def test_curves_are_fitted(name, tmp_path):
    assert trained(name, tmp_path)["test_rmse"] < 0.01


def test_measures():
    assert rmse(np.zeros((2, 1)), np.array([[3.0], [4.0]])) == pytest.approx(12.5**0.5)
    assert sign_accuracy(np.array([-1.0, 0.0, 1e-9]), np.array([0, 0, 1])) == 1.0


@pytest.mark.parametrize("name", ["linear_regression", "linear_svm"])
def test_without_sklearn_it_is_said_how_to_get_it(name, tmp_path, monkeypatch, capsys):
    ordinary = builtins.__import__

    def without(module, *rest):
        if module.startswith("sklearn"):
            raise ImportError(module)
        return ordinary(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert cli.main(["train", name, "--out", str(tmp_path / "run")]) == 1
    assert "pip install dagrad[data]" in capsys.readouterr().err


def test_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    x = np.linspace(0.0, 1.0, 9)
    save_predictions(tmp_path / "a.png", x, x**2, title="a", name="b (m)")
    save_predictions(tmp_path / "b.png", x[:1], x[:1])
    save_lines(tmp_path / "c.png", x, {"true": x, "found": x**2}, names=("t (s)", "y"))
    assert all((tmp_path / f"{name}.png").stat().st_size > 1000 for name in "abc")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda path: save_predictions(path, np.zeros(2), np.zeros(3)), r"\(2,\) and \(3,\)"),
        (lambda path: save_predictions(path, np.zeros(0), np.zeros(0)), "at least 1"),
        (lambda path: save_predictions(path, np.zeros((2, 1)), np.zeros((2, 1))), r"\(2, 1\)"),
        (lambda path: save_lines(path, np.zeros(2), {}), "one to three"),
        (lambda path: save_lines(path, np.zeros(2), {"y": np.zeros(3)}), r"\(3,\).*\(2,\)"),
    ],
)
def test_pictures_of_nothing_are_refused(draw, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        draw(tmp_path / "no.png")
    assert not list(tmp_path.iterdir())
