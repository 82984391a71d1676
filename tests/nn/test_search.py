"""Search for hyper-parameters: spaces, trials that fail, processes, interruptions, resuming."""

from __future__ import annotations

import builtins
import json
import math
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nn.search import (
    Choice,
    Integer,
    LogUniform,
    Sealed,
    Trial,
    Trials,
    Uniform,
    bayesian,
    grid,
    parallel_coordinates,
    random,
    search,
)

from .search_objectives import awkward, counted, parabola

ROOT = Path(__file__).resolve().parents[2]
SPACE = {"x": Uniform(-5.0, 5.0), "lr": LogUniform(1e-4, 1.0), "n": Integer(1, 3), "c": ["a", "b"]}


def outcomes(trials):
    return [(t.number, t.parameters, t.value, t.error) for t in trials]


# ------------------------------------------------------------------ spaces


def test_a_grid_holds_every_combination_once():
    found = grid({"a": [1, 2], "b": Choice("x", None, True), "c": np.array([0.5])})
    assert len(found) == 6
    assert found[:2] == [{"a": 1, "b": "x", "c": 0.5}, {"a": 1, "b": None, "c": 0.5}]
    assert len({json.dumps(parameters) for parameters in found}) == 6
    assert [p["n"] for p in grid({"n": Integer(2, 4)})] == [2, 3, 4]


def test_draws_lie_in_their_ranges_and_fill_them():
    drawn = random(SPACE, 2000, np.random.default_rng(0))
    x, lr = (np.array([p[name] for p in drawn]) for name in ("x", "lr"))
    assert -5 <= x.min() < -4.9
    assert 4.9 < x.max() < 5
    assert np.median(np.log10(lr)) == pytest.approx(-2, abs=0.2)
    assert {p["n"] for p in drawn} == {1, 2, 3}
    assert {p["c"] for p in drawn} == {"a", "b"}
    assert drawn[:9] == random(SPACE, 9, np.random.default_rng(0))
    assert json.loads(json.dumps(drawn)) == drawn
    assert random(SPACE, 0, np.random.default_rng(0)) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Uniform(1.0, 1.0), "low must be less"),
        (lambda: Uniform(0.0, math.inf), "finite"),
        (lambda: LogUniform(0.0, 1.0), "positive"),
        (lambda: Integer(2, 1), "low not more than high"),
        (lambda: Choice(), "at least one value"),
        (lambda: grid({}), "at least one parameter"),
        (lambda: grid({"x": []}), "'x' has no values"),
        (lambda: grid({"x": Uniform(0, 1)}), "'x' is Uniform.*no end"),
        (lambda: random({"x": [1]}, -1, np.random.default_rng(0)), "n must be at least 0"),
        (lambda: search(parabola, []), "at least one candidate"),
        (lambda: search(parabola, grid({"x": [1]}), mode="best"), "'max' or 'min'"),
        (lambda: search(parabola, grid({"x": [1]}), workers=0), "workers must be at least 1"),
    ],
)
def test_what_makes_no_search_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_values_that_json_cannot_keep_are_refused():
    with pytest.raises(TypeError, match="not tuple"):
        Choice((1, 2))
    with pytest.raises(TypeError, match=r"'x'.*not list"):
        search(parabola, [{"x": [1]}])
    with pytest.raises(TypeError, match="'x' must have a sequence"):
        grid({"x": 3})


def test_a_space_is_a_dict():
    for wrong in ([1], None):
        with pytest.raises(TypeError, match="expected a dict of parameters"):
            grid(wrong)  # pyright: ignore[reportArgumentType] - the mistake under test


# ------------------------------------------------------------------ searching


def test_the_trials_are_the_same_for_one_and_two_workers():
    candidates = random({"x": Uniform(-5, 5)}, 7, np.random.default_rng(0))
    one, two = (search(parabola, candidates, workers=workers) for workers in (1, 2))
    assert outcomes(one) == outcomes(two)
    assert [t.parameters for t in two] == candidates
    assert two.best.value == max(parabola(c) for c in candidates)


def test_failing_trials_are_reported_and_the_others_go_on(capsys):
    trials = search(awkward, grid({"x": range(6)}), workers=2, progress=True)
    assert [t.value for t in trials] == [0.0, None, None, None, 4.0, 5.0]
    assert [t.error for t in trials.failed] == [
        "ValueError: one is refused",
        "the objective returned nan",
        "its process died (exit status 3)",
    ]
    assert trials.best.number == 5
    assert trials.values == [0.0, 4.0, 5.0]
    assert "trial 1 failed: ValueError: one is refused" in str(trials)
    assert "-> ValueError: one is refused" in capsys.readouterr().err


def test_without_a_value_there_is_no_best():
    trials = search(awkward, grid({"x": [1]}))
    with pytest.raises(ValueError, match=r"none of 1 trials.*one is refused"):
        _ = trials.best
    with pytest.raises(ValueError, match="nothing to draw"):
        parallel_coordinates(trials)


def test_an_objective_cannot_spoil_the_parameters():
    def greedy(parameters):
        return parameters.pop("x")

    assert search(greedy, grid({"x": [1]}))[0].parameters == {"x": 1}


def test_objectives_that_other_processes_cannot_have_are_named():
    with pytest.raises(TypeError, match="define it in a module, or use workers=1"):
        search(lambda parameters: 0.0, grid({"x": [1]}), workers=2)
    code = (
        "from nn.search import grid, search\n"
        "def f(p): return 1.0\n"
        "try: search(f, grid({'x': [1]}), workers=2)\n"
        "except TypeError as error: print(error)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "move it to a file" in shown.stdout


# ------------------------------------------------------------------ files


def test_a_search_goes_on_where_it_ended(tmp_path):
    file = tmp_path / "new" / "trials.jsonl"
    candidates = grid({"x": [1, 2, 3], "folder": [str(tmp_path)]})
    search(counted, candidates[:2], file=file)
    whole = search(counted, candidates, file=file, workers=2)
    assert whole.values == [1.0, 2.0, 3.0]
    assert len(list(tmp_path.glob("1-*"))) == 1
    assert len(list(tmp_path.glob("3-*"))) == 1
    assert outcomes(search(counted, candidates, file=file)) == outcomes(whole)
    assert len(file.read_text().splitlines()) == 3


def test_a_line_that_was_cut_is_run_again(tmp_path):
    file = tmp_path / "trials.jsonl"
    candidates = grid({"x": [0.1, 1 / 3, 3.0]})
    whole = search(parabola, candidates, file=file)
    for cut in (1, 9, 40):
        file.write_bytes(file.read_bytes()[:-cut])
        assert outcomes(search(parabola, candidates, file=file)) == outcomes(whole)


def test_another_search_or_another_file_is_refused(tmp_path):
    file = tmp_path / "trials.jsonl"
    search(parabola, grid({"x": [1, 2]}), file=file)
    with pytest.raises(ValueError, match=r"trials.jsonl holds another search.*trial 1"):
        search(parabola, grid({"x": [1, 3]}), file=file)
    for text in ("hello\n", "hello", '{"a": 1}\n', "[]\n"):
        file.write_text(text)
        with pytest.raises(ValueError, match=r"trials.jsonl"):
            search(parabola, grid({"x": [1, 2]}), file=file)
        assert file.read_text() == text


def test_a_file_that_cannot_be_written_is_told_before_the_first_trial(tmp_path):
    (tmp_path / "file").touch()
    ran = []
    with pytest.raises(OSError, match="file"):
        search(ran.append, grid({"x": [1]}), file=tmp_path / "file" / "trials.jsonl")
    assert not ran


def test_ctrl_c_keeps_what_is_done(tmp_path):
    def impatient(parameters):
        if parameters["x"] == 2:
            raise KeyboardInterrupt
        return parameters["x"]

    file = tmp_path / "trials.jsonl"
    trials = search(impatient, grid({"x": [0, 1, 2, 3]}), file=file)
    assert trials.interrupted
    assert trials.values == [0.0, 1.0]
    assert len(file.read_text().splitlines()) == 2


def test_ctrl_c_ends_the_processes(tmp_path):
    code = (
        "import time\n"
        "from nn.search import grid, search\n"
        "def slow(p):\n"
        "    time.sleep(0 if p['x'] < 2 else 600)\n"
        "    return p['x']\n"
        "if __name__ == '__main__':\n"
        "    trials = search(slow, grid({'x': range(5)}), workers=2, file='trials.jsonl')\n"
        "    print(trials.interrupted, trials.values)\n"
    )
    (tmp_path / "script.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    file = tmp_path / "trials.jsonl"
    while not (file.exists() and file.read_text().count("\n") == 2):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert shown == "True [0.0, 1.0]\n"


# ------------------------------------------------------------------ Bayesian


def test_the_bayesian_search_learns_and_can_go_on(tmp_path):
    pytest.importorskip("optuna", reason="optuna is not installed: pip install dagrad[search]")
    space = {"x": Uniform(-50.0, 50.0), "c": Choice("a", "b"), "n": Integer(1, 3)}
    file = tmp_path / "trials.jsonl"
    trials = bayesian(parabola, space, 40, seed=1, file=file)
    late = [abs(t.parameters["x"] - 2.0) for t in trials[20:]]
    early = [abs(t.parameters["x"] - 2.0) for t in trials[:10]]
    assert np.median(late) < 0.5 * np.median(early)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:17]))
    assert outcomes(bayesian(parabola, space, 40, seed=1, file=file)) == outcomes(trials)
    assert len(file.read_text().splitlines()) == 40
    with pytest.raises(ValueError, match="another search"):
        bayesian(parabola, space, 40, seed=2, file=file)


def test_the_bayesian_search_depends_on_the_batch_not_on_the_workers():
    pytest.importorskip("optuna", reason="optuna is not installed: pip install dagrad[search]")
    space = {"x": Uniform(-5.0, 5.0), "lr": LogUniform(1e-3, 1.0)}
    one, two = (
        bayesian(parabola, space, 9, startup=4, batch=2, workers=workers, mode="min")
        for workers in (1, 2)
    )
    assert outcomes(one) == outcomes(two)
    assert len(one) == 9


def test_the_bayesian_search_survives_failures():
    pytest.importorskip("optuna", reason="optuna is not installed: pip install dagrad[search]")
    trials = bayesian(awkward, {"x": Integer(0, 2)}, 12)
    assert len(trials) == 12
    assert {t.parameters["x"] for t in trials.failed} <= {1, 2}
    for n, batch, startup in ((0, 1, 1), (3, 0, 1), (3, 1, 0)):
        with pytest.raises(ValueError, match="must be at least 1, met 0"):
            bayesian(awkward, {"x": Integer(0, 2)}, n, batch=batch, startup=startup)


def test_a_missing_optuna_is_told_with_the_line_that_installs_it(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "optuna":
            raise ImportError("No module named 'optuna'")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=re.escape("pip install dagrad[search]")):
        bayesian(parabola, {"x": Uniform(0.0, 1.0)}, 3)


# ------------------------------------------------------------------ what is shown


def test_the_table_ranks_and_best_so_far_goes_one_way():
    values = [0.5, None, 0.25, 0.75]
    made = [Trial(i, {"x": i}, v, None if v else "no") for i, v in enumerate(values)]
    trials = Trials(reversed(made), mode="min")
    assert [t.number for t in trials] == [0, 1, 2, 3]
    assert trials.best.number == 2
    assert trials.best_so_far() == [0.5, 0.5, 0.25, 0.25]
    first_words = [line.split()[0] for line in trials.table(top=1).splitlines()]
    assert first_words == ["trial", "2", "1", "trial"]
    assert trials.to_dict()["x"] == [0, 1, 2, 3]
    assert math.isnan(Trials(made[1:2]).best_so_far()[0])
    assert len(Trials([])) == 0
    assert Trials(made[:1] * 2).best.number == 0


def test_parallel_coordinates_have_a_line_for_each_trial():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    drawn = random(SPACE, 30, np.random.default_rng(0))
    axes = parallel_coordinates(search(parabola, drawn))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["x", "lr", "n", "c", "value"]
    assert len(axes.lines) == 30 + 5
    heights = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines[:30]])
    assert heights.min() >= 0
    assert heights.max() <= 1
    texts = {text.get_text() for text in axes.texts}
    assert {"a", "b", "0.001", "0.01", "0.1", "1", "2", "3"} <= texts
    single = parallel_coordinates(search(parabola, grid({"x": [True], "y": [None]})))
    assert len(single.lines) == 1 + 3


def test_a_seal_is_broken_once():
    test = Sealed(1, 2)
    assert test.read() == (1, 2)
    assert test.reads == 1
    with pytest.raises(RuntimeError, match="read already"):
        test.read()
    assert test.reads == 1
