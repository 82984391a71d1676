"""Autoencoders, Boltzmann machines and deep belief networks from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nn.__main__ as cli
from nn.recipes import find_recipe
from nn.recipes.autoencoders import psnr, squared_error
from nn.report import save_image_rows
from nn.settings import Settings


def trained(name, out, capsys, *options):
    """The figures of the test after a short training."""
    command = ["train", name, "--out", str(out), *options]
    assert cli.main(command) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    *_, test = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return test, printed


def make_task(name: str, limit: int | None = 20):
    settings = Settings(name, "digits", limit=limit)
    return find_recipe(name).task(settings, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["autoencoder", "denoising", "stacked_autoencoder"])
def test_images_are_restored_better_than_by_their_mean(name, tmp_path, capsys):
    test, printed = trained(name, tmp_path / "run", capsys, "--epochs", "2")
    task = make_task(name, None)
    mean = task.parts.train[1].mean(0)
    targets = task.parts.test[1]
    assert test["test_squared_error"] < squared_error(np.broadcast_to(mean, targets.shape), targets)
    assert "restored.png" in printed
    assert "PSNR" in printed


def test_noise_is_in_the_inputs_alone_and_the_gain_is_told(tmp_path, capsys):
    task = make_task("denoising")
    for part in (task.parts.validation, task.parts.test):
        assert 0.4 < float((part[0] - part[1]).std()) < 0.6
        assert part[1].min() >= 0
        assert part[1].max() <= 1
    inputs, targets = task.parts.train
    assert np.array_equal(inputs, targets)
    test, printed = trained("denoising", tmp_path / "run", capsys, "--epochs", "2")
    assert test["test_gain"] > 3
    assert "dB more than the noisy images" in printed


def test_a_boltzmann_machine_learns_from_black_and_white(tmp_path, capsys):
    assert set(np.unique(make_task("rbm").parts.train[0])) == {0.0, 1.0}
    few, _ = trained("rbm", tmp_path / "few", capsys, "--epochs", "1", "--lr", "1e-9")
    more, printed = trained("rbm", tmp_path / "more", capsys, "--epochs", "3")
    assert more["test_pseudo_likelihood"] > few["test_pseudo_likelihood"] + 20
    assert more["test_cross_entropy"] < few["test_cross_entropy"] - 20
    assert "features.png" in printed


@pytest.mark.slow
def test_a_deep_belief_network_knows_more_than_how_often_each_pixel_is_on(tmp_path, capsys):
    test, printed = trained("deep_belief", tmp_path / "run", capsys, "--epochs", "10")
    parts = make_task("deep_belief", None).parts
    pixels = parts.test[0]
    chance = np.clip(parts.train[0].mean(0), 0.01, 0.99)
    alone = (pixels * np.log(chance) + (1 - pixels) * np.log(1 - chance)).sum((1, 2, 3)).mean()
    assert test["test_bound"] > alone + 30
    assert "machines trained one by one" in printed
    assert "dreams.png" in printed


def test_psnr_and_squared_error():
    assert squared_error(np.ones(2), np.zeros(2)) == 1
    assert psnr(np.full(3, 0.1), np.zeros(3)) == pytest.approx(20)
    assert psnr(np.ones(3), np.ones(3)) > 1000  # no error: no infinity that JSON could not hold


def test_rows_that_are_no_images_are_refused(tmp_path):
    images = np.zeros((3, 4, 4))
    for rows in ({}, {"one": images, "two": images[:2]}, {"one": images[:0]}):
        with pytest.raises(ValueError, match="save_image_rows"):
            save_image_rows(tmp_path / "a.png", rows)
    with pytest.raises(ValueError, match=r"expected images \(N, height, width\)"):
        save_image_rows(tmp_path / "a.png", {"one": np.zeros((3, 16))})
    save_image_rows(tmp_path / "a.png", {"one": images, "two": images - 1}, signed=True)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
