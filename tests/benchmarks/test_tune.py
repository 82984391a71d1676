"""Choices are checked, compared in turn, and told; what starts cold is told apart."""

from __future__ import annotations

import time

import pytest

import autograd
from benchmarks import __main__ as command
from benchmarks import cold, tune
from benchmarks.first_call import FirstCall
from benchmarks.stats import ratio
from benchmarks.subjects import SUBJECTS, kernel

FILE = """
import time
import benchmarks

@benchmarks.kernel(reference=lambda x: x, sizes=[10], name="tuned",
                   tune={"wait": (0.0, 0.004), "right": (True, False)})
def copy(x, wait=0.002, right=True):
    time.sleep(wait)
    return x.copy() if right else x + 1.0
"""


def test_arguments_of_the_users_own(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    assert command.main(["tune", str(path), "--budget", "1"]) == 0
    text = capsys.readouterr().out
    assert "the default" in text
    assert "wait=0.0, right=False: element [0]" in text
    assert "without arguments" in text  # neither of the choices is what the function does alone
    assert "    -> " in text


def test_the_default_is_found_among_the_choices():
    @kernel(reference=lambda x: x, sizes=[10], name="tuned", tune={"pause": (0.0, 0.001)})
    def copy(x, pause=0.0):
        time.sleep(pause)
        return x.copy()

    found = tune.arguments(SUBJECTS["tuned"], 10, "float64", 0.1)
    assert found.default == "pause=0.0"
    assert found.best == found.default
    assert "-> keep pause=0.0" in "\n".join(found.lines())


def test_choices_that_cannot_be_tried_are_told():
    enter = kernel(reference=lambda x: x, name="odd", tune={"size": (1, 2)})
    enter(lambda x: x)
    with pytest.raises(ValueError, match="no argument 'size'"):
        tune.choices(SUBJECTS["odd"])
    enter = kernel(reference=lambda x: x, name="many", tune={"n": range(65)})
    enter(lambda x, n=1: x)
    with pytest.raises(ValueError, match="65 choices are too many"):
        tune.choices(SUBJECTS["many"])


def test_a_file_without_choices_is_told(tmp_path, capsys):
    path = tmp_path / "plain.py"
    path.write_text(FILE.split("tune=")[0].rstrip().rstrip(",") + ")\ndef copy(x):\n    return x\n")
    assert command.main(["tune", str(path)]) == 2
    assert "no kernel has choices" in capsys.readouterr().err


def test_numbers_of_threads_are_put_back():
    enter = kernel(reference=lambda x: x, sizes=[10], name="plain")
    enter(lambda x: x.copy())
    before = autograd.get_num_threads()
    found = tune.threads(SUBJECTS["plain"], 10, "float64", 0.05)
    assert autograd.get_num_threads() == before
    assert f"AUTOGRAD_NUM_THREADS={before}" == found.default


@pytest.mark.slow
def test_vector_units(capsys):
    words = ["tune", "matvec", "--simd", "--size", "50", "--budget", "0.2"]
    assert command.main(words) == 0
    assert "AUTOGRAD_SIMD=generic" in capsys.readouterr().out


def test_the_best_is_certainly_faster():
    slow, fast = [2.0, 2.1, 1.9, 2.0, 2.0], [1.0, 1.1, 0.9, 1.0, 1.0]
    found = tune.Tuned("k", "a", {"a": 2.0, "b": 1.0}, {"b": ratio(fast, slow)})
    assert found.best == "b"
    assert tune.Tuned("k", "a", {"a": 2.0, "b": 2.0}, {"b": ratio(slow, slow)}).best == "a"


def test_a_first_call_is_watched(tmp_path):
    numba = pytest.importorskip("numba")

    @numba.njit
    def double(x):
        return 2.0 * x

    watched = FirstCall(double)
    double(1.0)
    found = watched.found()
    assert found is not None
    assert found[0] == "compile"
    again = FirstCall(double)
    double(2.0)
    assert again.found() is None
    assert FirstCall(abs).found() is None


def test_loading_a_unit(capsys):
    assert command.main(["cold", "scan", "--loads-only"]) == 0
    text = capsys.readouterr().out
    assert "running_sum" in text
    assert max(map(len, text.splitlines()[1:])) <= 100
    assert command.main(["cold", "nothing"]) == 2
    assert "there is no unit 'nothing'; there are" in capsys.readouterr().err


@pytest.mark.slow
def test_compiling_a_unit():
    (found,) = cold.measure(["scan"])
    assert found.compile is not None
    assert found.compile > found.load
