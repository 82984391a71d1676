"""Every model has a recipe, and each recipe trains, stops, goes on and is drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nn.__main__ as cli
from nn.models import list_models
from nn.recipes import RECIPES, find_recipe
from nn.recipes.task import Parts, cut
from nn.settings import SPECIAL, Settings

# Enough to fill a batch of what has batch normalisation, and as little as its data allow.
TINY = ["--limit", "4", "--batch-size", "4"]


def test_every_model_has_a_recipe_and_every_recipe_a_model():
    assert sorted(RECIPES) == list_models()


@pytest.mark.parametrize("name", RECIPES)
def test_its_settings_are_settings(name):
    recipe = find_recipe(name)
    assert recipe.data
    assert recipe.defaults.keys() <= vars(Settings("")).keys() - {"model", "data", "limit", "seed"}
    assert recipe.task.heeds <= set(SPECIAL)
    assert {k for k in SPECIAL if k in recipe.defaults} <= recipe.task.heeds


@pytest.mark.parametrize("name", RECIPES)
def test_it_trains_goes_on_and_leaves_its_results(name, tmp_path, capsys):
    out = tmp_path / "run"
    command = ["train", name, "--out", str(out)]
    assert cli.main([*command, *TINY, "--epochs", "1"]) == 0, capsys.readouterr().err
    assert cli.main([*command, "--resume", "--epochs", "2"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    assert printed.count("validation loss") == 2
    assert "test " in printed
    *epochs, test = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in epochs] == [1, 2]
    assert np.isfinite(test["test_loss"])
    made = {file.name for file in out.iterdir()}
    assert made >= {"model.safetensors", "checkpoint.safetensors", "graph.svg", "curves.png"}
    assert all(file in printed for file in made)


@pytest.mark.parametrize("name", [n for n, r in RECIPES.items() if not r.task.heeds])
def test_settings_that_mean_nothing_are_refused(name, capsys):
    assert cli.main(["train", name, "--shift", "1"]) == 2
    assert f"--shift means nothing to {name}" in capsys.readouterr().err


@pytest.mark.parametrize("name", RECIPES)
def test_data_of_other_models_are_refused(name, capsys):
    others = {r.kinds[0] for r in RECIPES.values()} - set(find_recipe(name).kinds) - {"mnist"}
    if others:
        assert cli.main(["train", name, "--data", min(others)]) == 2
        assert f"{name} is trained on " in capsys.readouterr().err


def test_parts_are_cut_without_overlap():
    parts = cut(20, [0.1, 0.2], np.random.default_rng(0))
    assert [len(part) for part in parts] == [14, 2, 4]
    assert sorted(np.concatenate(parts)) == list(range(20))
    with pytest.raises(ValueError, match="2 samples are too few"):
        cut(2, [0.1, 0.2], np.random.default_rng(0))


def test_the_checksum_sees_every_part():
    def checksum(*parts: np.ndarray) -> int:
        train, validation, test = parts
        return Parts((train,), (validation,), (test,)).checksum()

    x = np.arange(600.0)
    first = checksum(x, x, x)
    for i in range(3):
        parts = [x, x, x]
        parts[i] = x + (np.arange(600) == 500)
        assert checksum(*parts) != first
    assert checksum(x, x, x.copy()) == first
