"""``python -m nn search``: what it finds, keeps, shows and refuses."""

from __future__ import annotations

import json
import shlex

import pytest

import nn.__main__ as cli
from nn.search import Choice, Integer, LogUniform, Uniform
from nn.search.command import ValidationLoss, searched

SMALL = ["--limit", "64", "--epochs", "1"]


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("lr=1e-4:0.1", "lr", LogUniform(1e-4, 0.1)),
        ("batch-size=16:32", "batch_size", Integer(16, 32)),
        ("label_smoothing=0:0.3", "label_smoothing", Uniform(0.0, 0.3)),
        ("optimizer=sgd,adam", "optimizer", Choice("sgd", "adam")),
    ],
)
def test_ranges_are_read(text, name, values):
    assert searched(text) == (name, values)


@pytest.mark.parametrize(
    "text", ["lr", "lr=", "lr=1:0.1", "lr=-1:1", "lr=a,b", "epochs=1,2", "optimizer=sgd:adam", "=1"]
)
def test_what_is_no_range_is_wrong_usage(text, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["search", "mlp", text])
    assert left.value.code == 2
    assert "NAME=VALUES" in capsys.readouterr().err


def test_a_search_shows_the_best_keeps_all_and_goes_on(tmp_path, capsys):
    file = tmp_path / "trials.jsonl"
    command = ["search", "mlp", "lr=0.0001,0.01", "batch_size=16", "--method", "grid", *SMALL]
    command += ["--out", str(file)]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [trial["parameters"]["lr"] for trial in kept] == [0.0001, 0.01]
    assert kept[1]["value"] < kept[0]["value"]
    assert kept[1]["value"] == ValidationLoss("mlp")(kept[1]["parameters"])
    assert printed.err.count("trial ") == 2
    best = printed.out.splitlines()[-1].partition("train ")[2]
    assert shlex.split(best)[:3] == ["mlp", "--lr", "0.01"]
    assert cli.main(["train", *shlex.split(best), "--out", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert record["validation_loss"] == kept[1]["value"]
    capsys.readouterr()
    assert cli.main(command) == 0
    assert capsys.readouterr().err == ""
    assert len(file.read_text().splitlines()) == 2
    assert cli.main([*command, "--seed", "1"]) == 1
    assert "holds another search" in capsys.readouterr().err


def test_random_trials_depend_on_the_seed_alone(capsys):
    tables = []
    for seed in ("3", "3", "4"):
        command = ["search", "mlp", "lr=1e-4:1e-1", "--trials", "2", "--seed", seed, *SMALL]
        assert cli.main(command) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1] != tables[2]


def test_settings_that_mean_nothing_and_failures_are_told(capsys):
    assert cli.main(["search", "adding_rnn", "lr=0.1", "shift=0:1"]) == 2
    assert "--shift means nothing to adding_rnn" in capsys.readouterr().err
    assert cli.main(["search", "mlp", "lr=0.1:1", "--method", "grid"]) == 1
    assert "no end of values" in capsys.readouterr().err
    missing = ["search", "mlp", "lr=0.1", "--data", "mnist:no/such", "--trials", "1"]
    assert cli.main(missing) == 1
    assert "no/such" in capsys.readouterr().err


def test_the_bayesian_search_is_there(capsys):
    pytest.importorskip("optuna", reason="optuna is not installed: pip install dagrad[search]")
    command = ["search", "mlp", "lr=1e-3:1e-1", "--method", "bayesian", "--trials", "3", *SMALL]
    assert cli.main(command) == 0
    assert capsys.readouterr().out.count(" 64 ") == 3
