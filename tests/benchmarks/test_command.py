"""``python -m benchmarks`` as its users meet it."""

from __future__ import annotations

import gc
import json
import time
import warnings

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import clock, history, trial
from benchmarks.check import mismatch
from benchmarks.subjects import SUBJECTS, kernel

FILE = """
import time

import numpy as np
import benchmarks

@benchmarks.kernel(
    flops=lambda x, y: 2 * x.size,
    reference=lambda x, y: 2.0 * x + y,
    rivals={"twice": lambda x, y: 2.0 * x + y + 0.0 * y},
    sizes=[1000, (20, 30)],
)
def axpy(x, y):
    return SLOW(2.0 * x + y)
"""


@pytest.fixture
def user_file(tmp_path):
    """A function that writes the file of a user's, with some function around the result."""

    def write(around: str = ""):
        SUBJECTS.pop("axpy", None)
        path = tmp_path / "mine.py"
        path.write_text(FILE.replace("SLOW", around))
        return str(path)

    return write


def run(*words: str, capsys) -> tuple[int, str]:
    status = command.main(words)
    told = capsys.readouterr()
    return status, told.out + told.err


def test_a_kernel_of_the_users_own(user_file, tmp_path, capsys):
    out = tmp_path / "out.json"
    table = tmp_path / "out.md"
    words = ["run", user_file(), "--folder", str(tmp_path), "--name", "first"]
    status, text = run(*words, "--json", str(out), "--markdown", str(table), capsys=capsys)
    assert status == 0
    assert "axpy 1000 float32 1t" in text
    assert "axpy 20x30 float64 1t" in text
    assert "twice" in text
    # The names of the machine and of the folder are as long as they are.
    table_lines = [line for line in text.splitlines()[1:] if not line.startswith("kept in")]
    assert max(map(len, table_lines)) <= 100
    results = json.loads(out.read_text())
    assert len(results) == 4
    first = results[0]
    assert first["gflops"] == pytest.approx(2e-6 / first["seconds"]["median"])
    assert first["intensity"] == pytest.approx(2 * 1000 / (3 * 4000))
    assert table.read_text().count("\n") == 6
    status, text = run("history", "--folder", str(tmp_path), capsys=capsys)
    assert (status, text.split()[0]) == (0, "first")


def test_a_slower_commit_is_seen(user_file, tmp_path, capsys):
    for name, around in (("old", ""), ("new", "(lambda y: (time.sleep(0.002), y)[1])")):
        words = ["run", user_file(around), "--folder", str(tmp_path)]
        assert run(*words, "--quick", "--name", name, capsys=capsys)[0] == 0
    words = ["compare", "old", "new", "--folder", str(tmp_path)]
    status, text = run(*words, capsys=capsys)
    assert status == 0
    assert "axpy 1000 float32 1t" in text
    assert "slower" in text
    assert run(*words, "--fail-over", "1.5", capsys=capsys)[0] == 1
    assert run("compare", "new", "old", *words[3:], "--fail-over", "1.5", capsys=capsys)[0] == 0


def test_a_wrong_kernel_gets_no_time(user_file, tmp_path, capsys):
    around = "(lambda y: np.where(np.arange(y.size) == 7, 9.0, y))"
    words = ["run", user_file(around), "--quick", "--folder", str(tmp_path)]
    status, text = run(*words, capsys=capsys)
    assert status == 1
    assert "WRONG, not timed" in text
    assert "element [7] is 9, expected" in text
    (record,) = history.read(next(tmp_path.glob("*.jsonl")))
    assert record["seconds"] is None


def test_a_wrong_rival_is_told_and_left_out():
    @kernel(reference=lambda x: x, name="same", rivals={"off": lambda x: x + 1.0, "fails": None})  # pyright: ignore[reportArgumentType] - planted
    def same(x):
        return x.copy()

    found = trial.run(SUBJECTS["same"], 100, "float32", 1, 0.05)
    assert list(found.ratios) == []
    assert "element [0]" in found.refused["off"]
    assert "TypeError" in found.refused["fails"]


def test_mistakes_are_one_clear_line(tmp_path, capsys):
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1\n")
    for words, said in (
        (["run", "no such kernel"], "no kernel's name has"),
        (["run", str(tmp_path / "absent.py")], "there is no file"),
        (["run", str(empty)], "enters no kernel"),
        (["history", "--folder", str(tmp_path)], "nothing was kept"),
    ):
        status, text = run(*words, capsys=capsys)
        assert status == 2
        assert said in text
        assert len(text.splitlines()) == 1
    enter = kernel(reference=lambda x: x, name="twice")
    enter(abs)
    with pytest.raises(ValueError, match="taken"):
        enter(abs)


def test_a_damaged_history_loses_its_bad_lines_only(tmp_path):
    path = tmp_path / "h.jsonl"
    good = json.dumps({"key": "k", "run": "a", "times": {"ours": [1.0]}})
    path.write_text(f"{good}\n{{half\n[1]\n\n{good}\n")
    with pytest.warns(UserWarning, match="cannot read line 2, 3; left out"):
        assert len(history.read(path)) == 2


def test_ctrl_c_keeps_what_was_measured(user_file, tmp_path, capsys, monkeypatch):
    calls = []
    honest = trial.run

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return honest(*args)

    monkeypatch.setattr(trial, "run", interrupted)
    words = ["run", user_file(), "--folder", str(tmp_path)]
    status, text = run(*words, capsys=capsys)
    assert status == 0
    assert "stopped after 2 of 4" in text
    assert len(history.read(next(tmp_path.glob("*.jsonl")))) == 2


def test_ctrl_c_in_the_middle_of_a_kernel_ends_the_run(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "import itertools\nimport time\nimport benchmarks\ncalls = itertools.count()\n\n"
        "@benchmarks.kernel(reference=lambda x: x, sizes=[10, 20], dtypes=['float64'])\n"
        "def interrupted(x):\n"
        "    time.sleep(0.01)\n"
        "    if next(calls) == 20:\n        raise KeyboardInterrupt\n    return x.copy()\n"
    )
    words = ["run", str(path), "--budget", "60", "--folder", str(tmp_path)]
    status, text = run(*words, capsys=capsys)
    assert status == 0
    assert "stopped after 1 of 2" in text
    (record,) = history.read(next(tmp_path.glob("*.jsonl")))
    assert record["stopped"]


def test_contenders_take_turns():
    order = []
    found = clock.in_turn(
        {"a": lambda: order.append("a"), "b": lambda: time.sleep(0.001)}, 0.0, rounds=4, turn=1e-3
    )
    assert found.rounds == 4
    assert [len(v) for v in found.seconds.values()] == [4, 4]
    assert found.spread("b").median > found.spread("a").median
    assert len(found.foreign) == 4
    with pytest.raises(ValueError, match="no contenders"):
        clock.in_turn({}, 0.1)


def test_the_collector_is_off_unless_it_is_part_of_the_work():
    seen = []
    contender = {"a": lambda: seen.append(gc.isenabled())}
    clock.in_turn(contender, 0.0, rounds=1, turn=1e-5)
    assert not any(seen)
    seen.clear()
    clock.in_turn(contender, 0.0, rounds=1, turn=1e-5, collect=True)
    assert all(seen)


def test_what_is_right():
    exact = np.array([1.0, np.nan, np.inf, -4.0])
    assert mismatch(exact.astype(np.float32), exact, 1e-6) is None
    assert mismatch((exact, exact), (exact, exact), 1e-6) is None
    for wrong, said in (
        (exact[:2], "shape"),
        (np.array([1.0, 1.0, np.inf, -4.0]), r"element \[1\]"),
        (np.array([1.0, np.nan, -np.inf, -4.0]), r"element \[2\]"),
        ((exact, exact), "2 results"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            problem = mismatch(wrong, exact, 1e-6)
        assert problem is not None
        assert str(problem).startswith(said.split("\\")[0].strip()) or "element" in str(problem)


def test_the_suite_is_listed(capsys):
    status, text = run("list", capsys=capsys)
    assert status == 0
    for name in ("matmul", "softmax", "conv2d.weight", "lstm.grad", "step.resnet-20", "adam.step"):
        assert name in text
    assert max(map(len, text.splitlines())) <= 100
