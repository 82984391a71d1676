"""The thread pool: every task is done once, whoever calls, however many threads there are."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd
from autograd import kernels
from autograd.kernels import threads
from tests.kernels.processes import run
from tests.kernels.units import UNIT


@pytest.fixture(autouse=True)
def same_count() -> Iterator[None]:
    before = autograd.get_num_threads()
    yield
    autograd.set_num_threads(before)


def shared(tasks: int, rounds: int = 200) -> np.ndarray:
    """Run a job and return which worker did each task, after checking that each was done once."""
    counts, workers = np.zeros(tasks, np.int64), np.full(tasks, -1, np.int64)
    UNIT.spin(counts, workers, rounds)
    assert (counts == 1).all()
    return workers


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_each_task_is_done_once(count):
    autograd.set_num_threads(count)
    for tasks in [*range(20), 1000]:
        workers = shared(tasks)
        assert workers.size == 0 or (workers.min() >= 0 and workers.max() < count)


def test_helpers_do_help():
    autograd.set_num_threads(2)
    assert any(set(shared(200, 20_000)) == {0, 1} for _ in range(50))


def test_one_thread_means_the_caller():
    autograd.set_num_threads(1)
    assert set(shared(1000)) == {0}


def test_the_count_can_fall_and_rise():
    for count in (4, 1, 2, 1, 3):
        autograd.set_num_threads(count)
        assert autograd.get_num_threads() == count
        assert shared(500).max() < count


def test_scratch_limits_the_threads_of_a_call():
    autograd.set_num_threads(4)
    for parts in (1, 2, 3):
        counts, by = np.zeros(300, np.int64), np.zeros(300, np.int64)
        scratch = np.zeros(parts, np.int64)
        UNIT.spin_in_scratch(counts, by, scratch)
        assert (counts == 1).all()
        assert by.max() < parts
        assert scratch.sum() == 300 * 2000
    with pytest.raises(ValueError, match="scratch for no thread"):
        UNIT.spin_in_scratch(counts, by, np.zeros(0, np.int64))


def test_many_python_threads_share_one_pool():
    autograd.set_num_threads(2)
    with ThreadPoolExecutor(6) as pool:
        for _ in pool.map(lambda _: [shared(100, 1000) for _ in range(20)], range(12)):
            pass


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("2", TypeError), (True, TypeError)],
)
def test_a_count_is_a_positive_integer(value, error):
    with pytest.raises(error, match="set_num_threads"):
        autograd.set_num_threads(value)


def test_the_default_is_the_cores_of_this_process():
    assert 1 <= threads.available_cores() <= (os.cpu_count() or 1)
    done = run("import autograd; print(autograd.get_num_threads())", AUTOGRAD_NUM_THREADS="3")
    assert done.stdout == "3\n"
    done = run("import autograd", AUTOGRAD_NUM_THREADS="many")
    assert "AUTOGRAD_NUM_THREADS='many': expected a positive integer" in done.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity of Linux")
def test_affinity_counts():
    code = (
        "import os; os.sched_setaffinity(0, {0}); import autograd as a; print(a.get_num_threads())"
    )
    variables = {"AUTOGRAD_NUM_THREADS": ""}
    assert run(code, **variables).stdout == "1\n"


def forked(child) -> int:
    """Fork, run `child` there, and return its exit status."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forks when there are threads; that they do work is the point here.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            child()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_the_child_of_a_fork_has_a_pool_of_its_own():
    autograd.set_num_threads(2)
    shared(100, 5000)

    def child():
        for _ in range(20):
            shared(100, 1000)
        assert forked(lambda: shared(100, 1000)) == 0

    assert forked(child) == 0
    shared(100, 5000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_while_another_thread_is_at_work():
    autograd.set_num_threads(2)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            shared(300, 2000)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            assert forked(lambda: shared(300, 1000)) == 0
    finally:
        stop.set()
        thread.join()


def test_a_process_ends_while_helpers_wait():
    code = """
import numpy as np, autograd
from autograd import kernels
autograd.set_num_threads(4)
kernels.relu(np.ones(1_000_000, np.float32))
"""
    for _ in range(5):
        done = run(code)
        assert done.returncode == 0, done.stderr


def test_results_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(0).standard_normal(300_000, np.float32)
    outcomes = []
    for count in (1, 2, 5):
        autograd.set_num_threads(count)
        outcomes.append(kernels.relu(x))
    assert all((y == outcomes[0]).all() for y in outcomes)
