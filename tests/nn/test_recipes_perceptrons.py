"""The recipes of spirals, digits of 256 pixels and sorting: figures, pictures, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nn.__main__ as cli
from nn.recipes import find_recipe
from nn.recipes.sorting import whole_strings
from nn.report import save_attention
from nn.settings import Settings


def trained(name, folder, *options) -> dict[str, float]:
    assert cli.main(["train", name, "--out", str(folder), *options]) == 0
    return json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


def test_spirals_are_parted(tmp_path):
    assert trained("spirals", tmp_path)["test_accuracy"] >= 0.97


def test_digits_of_256_pixels_are_told_apart(tmp_path):
    pytest.importorskip("sklearn")
    assert trained("digits256", tmp_path)["test_accuracy"] >= 0.96


def test_strings_are_sorted(tmp_path):
    assert trained("sorting", tmp_path, "--epochs", "3")["test_whole"] >= 0.95


def test_no_string_is_in_two_parts():
    recipe = find_recipe("sorting")
    parts = recipe.task(Settings("sorting", limit=500), np.random.default_rng(0)).parts
    assert parts.sizes == (500, 500, 500)
    every = np.concatenate([parts.train[0], parts.validation[0], parts.test[0]])
    assert len(np.unique(every, axis=0)) == 1500
    for strings, answers in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(np.sort(strings, axis=1), answers)


def test_digits256_are_means_of_four_pixels():
    pytest.importorskip("sklearn")
    small, large = (
        find_recipe(name).task(Settings(name, "digits"), np.random.default_rng(0)).parts
        for name in ("digits256", "mlp")
    )
    images = large.test[0].reshape(-1, 16, 2, 16, 2).mean((2, 4))
    assert small.test[0].shape == (len(images), 1, 16, 16)
    np.testing.assert_allclose(small.test[0][:, 0], images, atol=1e-5)
    np.testing.assert_array_equal(small.test[1], large.test[1])


def test_a_string_counts_when_all_of_it_is_right():
    scores = np.eye(4)[[[0, 1, 2], [0, 1, 3], [3, 3, 3]]]
    assert whole_strings(scores, np.array([[0, 1, 2], [0, 1, 2], [3, 3, 3]])) == pytest.approx(
        2 / 3
    )


def test_maps_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    maps = [rng.dirichlet(np.ones(4), (2, 3)) for _ in range(2)]
    save_attention(tmp_path / "maps.png", maps, list("abc"), list("1234"), title="a")
    save_attention(tmp_path / "one.png", [np.ones((1, 1, 1))], ["a"], ["b"])
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("maps.png", "one.png"))


@pytest.mark.parametrize(
    "maps",
    [
        [],
        [np.ones(())],
        [np.ones((0, 3, 4))],
        [np.ones((2, 4, 3))],
        [np.ones((1, 3, 4)), np.ones((2, 3, 4))],
    ],
)
def test_other_maps_are_refused(maps, tmp_path):
    with pytest.raises(ValueError, match=r"expected maps \(heads, 3, 4\) of every layer, met"):
        save_attention(tmp_path / "no.png", maps, list("abc"), list("1234"))
    assert not list(tmp_path.iterdir())
