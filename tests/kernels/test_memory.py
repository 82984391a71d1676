"""The cache of large blocks: used again, bounded, and never while an array still sees it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import kernels
from autograd.kernels import memory
from tests.kernels.processes import run


@pytest.fixture(autouse=True)
def empty_before_and_after() -> Iterator[None]:
    autograd.empty_cache()
    yield
    autograd.empty_cache()


def large(value: float = 0.0, count: int = 100_000) -> np.ndarray:
    array = kernels.empty((count,), np.float64)
    array[:] = value
    return array


def handler_of(array: np.ndarray) -> str | None:
    return importlib.import_module("numpy._core.multiarray").get_handler_name(array)


def test_a_freed_block_is_used_again():
    array = large()
    place = array.ctypes.data
    del array
    before = memory.statistics()["hits"]
    again = large()
    assert again.ctypes.data == place
    assert memory.statistics()["hits"] == before + 1


def test_results_of_kernels_come_from_the_cache():
    x = np.ones(100_000, np.float32)
    assert handler_of(kernels.relu(x)) == "dagrad"
    assert handler_of(kernels.relu(x[:10])) != "dagrad"
    assert handler_of(np.empty(100_000)) != "dagrad", "others' arrays are none of our business"


def test_a_view_keeps_its_block():
    array = large(1.0)
    view = array[10:20]
    other = array.data[30:40]
    del array
    assert large(2.0)[0] == 2
    assert (view == 1).all()
    assert other[0] == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=40))
def test_no_two_living_arrays_share_memory(steps):
    alive: dict[int, np.ndarray] = {}
    for i, (slot, what) in enumerate(steps):
        if what == 0:
            alive[slot] = large(i, 10_000 + 3000 * (slot % 3))
        elif what == 1 and slot in alive:
            alive[slot] = alive[slot][5:-5]
        else:
            alive.pop(slot, None)
    for slot, array in alive.items():
        assert (array == array[0]).all(), slot
    starts = sorted((a.ctypes.data, a.nbytes) for a in alive.values())
    assert all(p + n <= q for (p, n), (q, _) in pairwise(starts))


def test_threads_do_not_get_each_others_blocks():
    failures: list[int] = []

    def work(me: int) -> None:
        for _ in range(200):
            first, second = large(me, 9000), large(me + 0.5, 9000)
            if not ((first == me).all() and (second == me + 0.5).all()):
                failures.append(me)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_emptying_gives_back_what_is_free_and_only_that():
    kept = large(3.0)
    del_me = large()
    del del_me
    assert memory.statistics()["cached"] > 0
    autograd.empty_cache()
    assert memory.statistics()["cached"] == 0
    assert (kept == 3).all()


def test_what_is_kept_has_a_limit():
    code = """
import numpy as np, autograd
from autograd import kernels
from autograd.kernels import memory
for count in (100_000, 400_000, 200_000, 100_000):
    kernels.empty((count,), np.float64)
assert memory.statistics()["cached"] <= 2_000_000, memory.statistics()
assert memory.statistics()["cached"] > 0
"""
    done = run(code, AUTOGRAD_CACHE_BYTES="2000000")
    assert done.returncode == 0, done.stderr
    done = run(code, AUTOGRAD_CACHE_BYTES="0")
    assert "AssertionError" in done.stderr  # nothing is kept at all


def test_a_wrong_limit_is_named():
    code = "from autograd.kernels import memory; memory.limit()"
    done = run(code, AUTOGRAD_CACHE_BYTES="1GB")
    assert "AUTOGRAD_CACHE_BYTES='1GB': expected a number of bytes" in done.stderr


def test_arrays_behave_like_any_others():
    array = large(1.0)
    assert array.flags.owndata
    assert array.ctypes.data % 64 == 0
    array.resize((300_000,), refcheck=False)
    assert (array[:100_000] == 1).all()
    array.resize((50,), refcheck=False)
    assert (array == 1).all()
    assert (large(2.0).copy() == 2).all()


def test_sizes_at_the_edges():
    assert kernels.empty((0, 5), np.float32).shape == (0, 5)
    assert kernels.empty((), np.float32).shape == ()
    for size in (memory.LARGE - 1, memory.LARGE, memory.LARGE + 1):
        array = kernels.empty((size,), np.uint8)
        array[:] = 7
        assert array.sum() == 7 * size
    with pytest.raises(MemoryError):
        kernels.empty((1 << 50,), np.float64)


def test_the_size_classes_waste_at_most_a_quarter():
    sizes = memory.classes()
    assert sizes == sorted(set(sizes))
    assert all(b <= 1.25 * a for a, b in pairwise(sizes))
