"""How many threads kernels use, and the pool that they share.

The pool is part of the compiled runtime (native/runtime.py). Numba's own threading layers were
tried and not taken: "workqueue" aborts the process when two Python threads use it at once, "omp"
ends the child of a fork, and neither starts without importing Numba. Here a caller that finds the
pool busy works alone; the child of a fork begins with a new pool; and helpers that do not wake up
in time are not waited for. What a kernel computes does not depend on any of it: work is cut into
tasks by its size alone.
"""

import os
from pathlib import Path

import numpy as np

from .native.layout import POOL_WORDS, THREADS

VARIABLE = "AUTOGRAD_NUM_THREADS"

SPINS = 2000
"""Rounds that a helper waits for the next job before it sleeps: some 50 us, a few kernels of a
training step. Waking a sleeper costs about as much; spinning longer takes the core from others."""

_words: np.ndarray | None = None


def available_cores() -> int:
    """Return the number of cores that this process may use: its affinity, cut by a cgroup quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota() or cores))


def _quota() -> int | None:
    """Cores that a container's cgroup (version 2) grants, rounded up; None for no limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else -(-int(quota) // int(period))
    except (OSError, ValueError):
        return None


def _from_environment() -> int:
    text = os.environ.get(VARIABLE)
    if not text:
        return available_cores()
    try:
        return _checked(int(text), VARIABLE)
    except ValueError:
        raise ValueError(f"{VARIABLE}={text!r}: expected a positive integer") from None


def _checked(count: int, origin: str) -> int:
    if count < 1:
        raise ValueError(f"{origin}: expected a positive integer, not {count}")
    return count


def get_num_threads() -> int:
    """Return the number of threads that kernels may use.

    Examples
    --------
    >>> import autograd
    >>> autograd.get_num_threads() >= 1
    True
    """
    return _count


def set_num_threads(count: int) -> None:
    """Let kernels use `count` threads, the calling one included.

    The default is the number of cores that this process may use, or the environment variable
    AUTOGRAD_NUM_THREADS. Results do not depend on it, bit for bit.

    Parameters
    ----------
    count : int
        At least 1.

    Raises
    ------
    ValueError
        If `count` is below 1.

    Examples
    --------
    >>> import autograd
    >>> before = autograd.get_num_threads()
    >>> autograd.set_num_threads(1)
    >>> autograd.get_num_threads()
    1
    >>> autograd.set_num_threads(before)
    """
    global _count
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise TypeError(f"set_num_threads: expected an int, not {type(count).__name__}")
    _count = _checked(count.__index__(), "set_num_threads")
    if _words is not None:
        _words[THREADS] = _count


def pool_address() -> int:
    """Return the address of the pool, making it at the first call."""
    global _words
    pool = _words
    if pool is None:
        from .native.objects import forever
        from .native.process import on_fork, runtime

        words = forever(np.zeros(POOL_WORDS + 8, np.int64))
        begin = -(words.ctypes.data // 8) % 8  # counters that threads share begin a cache line
        pool = words[begin : begin + POOL_WORDS]
        core = runtime()
        begin_address = pool.ctypes.data
        core.function("dagrad_reset_pool", begin_address, _count, SPINS)
        on_fork(lambda: core.function("dagrad_reset_pool", begin_address, _count, SPINS))
        _words = forever(pool)
    return pool.ctypes.data


_count = _from_environment()
