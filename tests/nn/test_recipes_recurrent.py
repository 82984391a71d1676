"""The recipes of recurrent networks: what they reach, what they count, what they write."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nn.__main__ as cli
from nn.recipes.recurrent import count_bits


def trained(name, folder, *options) -> dict[str, float]:
    assert cli.main(["train", name, "--out", str(folder), *options]) == 0
    return json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])


@pytest.mark.slow
def test_an_lstm_learns_to_add_over_a_hundred_steps(tmp_path):
    figures = trained("adding_lstm", tmp_path)
    assert figures["test_loss"] < 0.01
    assert figures["test_always_one"] == pytest.approx(1 / 6, abs=0.01)


def test_the_character_model_learns_and_writes(tmp_path, capsys):
    figures = trained("char_lm", tmp_path, "--limit", "600", "--epochs", "3")
    assert figures["test_bits"] < figures["test_unigram_bits"]
    assert figures["test_bits"] == pytest.approx(figures["test_loss"] / np.log(2))
    text = (tmp_path / "written.txt").read_text()
    assert text.count("----- temperature") == 3
    assert text.count("The ") >= 3
    assert "bits per character" in capsys.readouterr().out


def test_counted_bits_are_those_of_the_frequencies():
    rng = np.random.default_rng(0)
    text = (rng.random(200_001) < 0.1).astype(np.int64)
    windows = np.stack([text[:-1], text[1:]]).reshape(2, 100, 2000)
    entropy = -0.1 * np.log2(0.1) - 0.9 * np.log2(0.9)
    unigram, bigram = count_bits(windows, windows, 2)
    assert unigram == pytest.approx(entropy, abs=0.01)
    assert bigram == pytest.approx(entropy, abs=0.01)
    chain = np.arange(3001) % 3  # each character says which one comes next
    pair = np.stack([chain[:-1], chain[1:]])
    unigram, bigram = count_bits(pair, pair, 3)
    assert unigram == pytest.approx(np.log2(3), abs=0.01)
    assert bigram < 0.01
    assert np.isfinite(count_bits(pair, 2 - pair, 3)).all()
