"""What the words of a command mean, and what is said of those that mean nothing."""

from __future__ import annotations

import os

import pytest

from autograd.kernels.native.target import available, target
from benchmarks import __main__ as command
from benchmarks import history, plan, rivals
from benchmarks.subjects import SUBJECTS, kernel

MINE = """
import benchmarks

enter = benchmarks.kernel(reference=lambda x: x, sizes=[10, (2, 3)], name="mine.copy",
                          rivals={"other": lambda x: x.copy(), "jax": lambda x: x + 0.0})
enter(lambda x: x.copy())
enter = benchmarks.kernel(reference=lambda x: x, sizes=[20], dtypes=["float64"], name="mine.one")
enter(lambda x: x + 0.0)
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return str(path)


def told(capsys, *words: str) -> tuple[int, str]:
    status = command.main(words)
    out, error = capsys.readouterr()
    return status, out + error


def test_sizes_types_and_rivals_that_are_asked_for(file, tmp_path, capsys):
    words = ["run", file, "--size", "7", "--size", "4x5", "--rivals", "other"]
    words += ["--dtype", "float64", "--folder", str(tmp_path)]
    status, text = told(capsys, *words)
    assert status == 0
    for key in ("mine.copy 7 float64", "mine.copy 4x5 float64", "mine.one 7 float64"):
        assert key in text
    for absent in ("mine.one 4x5", "float32", "jax"):
        assert absent not in text.replace("kept in", "")


def test_a_quick_run_has_first_sizes_and_nothing_compiled(file, tmp_path, capsys):
    status, text = told(capsys, "run", file, "--quick", "--folder", str(tmp_path))
    assert status == 0
    assert "mine.copy 10 float32" in text
    assert "mine.one 20 float64" in text
    assert "2x3" not in text
    assert "jax" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "x"], "expected numbers such as 1000 or 64x784x128"),
        (["--size", "0"], "expected numbers such as"),
        (["--size", "1x2x3x4x5"], "nothing chosen has sizes of 5 numbers; there are mine.copy 10"),
        (["--dtype", "int8"], "--dtype int8: expected float32 or float64"),
        (["--rivals", "torsch"], "--rivals torsch: there are jax, other"),
        (["--threads", "0"], "--threads 0: expected at least 1"),
        (["--budget", "0"], "--budget 0: expected a number of seconds above 0"),
    ],
)
def test_what_means_nothing_is_told_on_a_line(file, words, said, capsys):
    status, text = told(capsys, "run", file, *words)
    assert status == 2
    assert said in text
    assert text.count("\n") == 1


def test_libraries_that_are_missing_are_told_once(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rivals, "installed", lambda name: rivals.library_of(name) is None)
    status, text = told(capsys, "run", file, "--folder", str(tmp_path))
    assert status == 0
    assert text.count("not installed") == 1
    assert "nothing is measured beside: jax" in text


def test_one_core(file, tmp_path, capsys):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        words = ["run", file, "--quick", "--threads", "2", "--folder", str(tmp_path)]
        status, text = told(capsys, *words)
    finally:
        os.sched_setaffinity(0, before)
    assert status == 0
    assert "this process may use 1 core: 2 threads share them, and show no scaling" in text


def test_a_lesser_vector_unit_is_told(monkeypatch):
    assert plan.lesser_unit() == "" or target().unit != available()[0]
    monkeypatch.setattr(plan, "available", lambda: ("best", target().unit))
    assert plan.lesser_unit().startswith(f"AUTOGRAD_SIMD={target().unit}: our kernels")


def test_a_run_ends_with_its_budget_and_says_so(file, tmp_path, capsys):
    words = ["run", file, "--budget", "1e-6", "--folder", str(tmp_path)]
    status, text = told(capsys, *words)
    assert status == 0
    assert "out of time after 0 of 5: give a larger --budget" in text


def test_time_is_shared_out():
    now = 0.0
    budget = plan.Budget(100.0, 0.0, lambda: now, most=3.0)
    assert budget.share(1) == 3.0
    assert budget.share(70) == pytest.approx(1.0)
    assert budget.patience() == 50.0
    budget.compiling = 45.0
    assert budget.patience() == 5.0
    now = 99.0
    assert budget.patience() == 0.5
    now = 200.0
    assert (budget.left, budget.patience()) == (0.0, 0.0)


def test_rivals_without_time_to_compile_are_counted(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(plan.Budget, "patience", lambda self: 0.0)
    monkeypatch.setattr(rivals, "installed", lambda name: True)
    status, text = told(capsys, "run", file, "--folder", str(tmp_path))
    assert status == 0
    assert "4 compiled rivals were left out" in text


def test_first_sizes_come_first():
    for name in ("a", "b"):
        kernel(reference=lambda x: x, sizes=[1, 2], name=f"order.{name}")(lambda x: x)
    options = command.parser().parse_args(["run", "order."])
    tasks, _ = plan.tasks(options)
    found = [(t.subject.name[-1], t.size, t.dtype[-2:]) for t in tasks if "order" in t.subject.name]
    assert found[:4] == [("a", 1, "32"), ("b", 1, "32"), ("a", 2, "32"), ("b", 2, "32")]
    assert [f[2] for f in found] == ["32"] * 4 + ["64"] * 4


def test_a_history_that_cannot_be_read_is_told(tmp_path, capsys):
    path = tmp_path / f"{history.machine_key()}.jsonl"
    path.write_bytes(b"\xff\x00 no json\n")
    status, text = told(capsys, "history", "--folder", str(tmp_path))
    assert status == 2
    assert "cannot read line 1; left out" in text
    assert "holds no result that can be read" in text
    path.unlink()
    path.mkdir()
    status, text = told(capsys, "history", "--folder", str(tmp_path))
    assert status == 2
    assert text.startswith("error: ")
    assert text.count("\n") == 1


def test_threads_are_put_back():
    before = os.environ.get("NPROC")
    with rivals.threads_as_before():
        rivals.set_threads(1)
        assert os.environ["NPROC"] == "1"
    assert os.environ.get("NPROC") == before
    assert "exp" not in SUBJECTS or SUBJECTS["exp"].calls == 1
