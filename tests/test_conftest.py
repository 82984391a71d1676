"""The leak check of conftest.py is itself checked: tests that leak are run and seen to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")


@pytest.fixture
def run_test(pytester):
    """Run the given body as one test under the project's conftest, in a folder of its own."""

    def run(body: str, *options: str) -> pytest.RunResult:
        pytester.makeini("[pytest]\nmarkers =\n    parity: needs torch\n")
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(body)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        ("import numpy as np; np.random.seed(1)", "numpy's legacy random state"),
        ("import random; random.random()", "Python's random state"),
        ("import numpy as np; np.seterr(divide='raise')", "numpy's error handling"),
        ("import numpy as np; np.set_printoptions(precision=2)", "numpy's print options"),
        ("import os; os.chdir('/')", "the working directory"),
        ("import os; os.environ['AUTOGRAD_KERNELS'] = 'reference'", "environment variables"),
        ("import sys; sys.setrecursionlimit(5000)", "the recursion limit"),
        ("import gc; gc.disable()", "the cycle collector"),
        ("import autograd; autograd.set_grad_enabled(False)", "grad mode"),
        ("import autograd; autograd.set_default_dtype('float64')", "the default dtype"),
        ("import threading, time; threading.Timer(4, print).start()", "a running thread"),
    ],
)
def test_a_leak_is_found(run_test, leak, said):
    result = run_test(f"def test_it():\n    {leak}\n")
    result.assert_outcomes(passed=1, errors=1)
    assert f"left it so: {said}" in result.stdout.str()


def test_a_leak_is_undone_for_the_next_test(run_test):
    body = "import gc\ndef test_a():\n    gc.disable()\ndef test_b():\n    assert gc.isenabled()\n"
    run_test(body).assert_outcomes(passed=2, errors=1)


def test_what_is_put_back_is_no_leak(run_test):
    body = (
        "import os, numpy as np, autograd, hypothesis, hypothesis.strategies as st\n"
        "def test_a(monkeypatch, tmp_path):\n"
        "    monkeypatch.chdir(tmp_path)\n"
        "    monkeypatch.setenv('NUMBA_NUM_THREADS', '1')\n"
        "    with np.errstate(all='raise'), autograd.no_grad():\n"
        "        pass\n"
        "@hypothesis.given(st.randoms(use_true_random=False), st.integers())\n"
        "def test_b(source, number):\n"
        "    source.random()\n"
    )
    run_test(body).assert_outcomes(passed=2)


def test_a_test_that_takes_torch_is_a_parity_test(run_test):
    body = "def test_a(torch):\n    pass\ndef test_b():\n    pass\n"
    run_test(body, "-m", "not parity").assert_outcomes(passed=1, deselected=1)
