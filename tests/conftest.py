"""Fixtures for every test, and the rule that a test leaves the process as it found it."""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest

import autograd

ROOT = Path(__file__).resolve().parent.parent

# Compiling a kernel may take seconds within one example, so there is no deadline; the examples are
# the same on every run, so that a red run can be repeated.
hypothesis.settings.register_profile("dagrad", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("dagrad")

# Threads that others start once and keep: tqdm's monitor, execnet's workers under pytest-xdist.
LASTING_THREADS = ("tqdm", "execnet")
THREAD_GRACE_SECONDS = 2.0
WATCHED_VARIABLES = ("AUTOGRAD_", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_")


class State(NamedTuple):
    """One piece of global state: how to read it as a comparable value, and how to put it back."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]


def numpy_random_state() -> tuple[Any, ...]:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 - the legacy state is what is watched
    return (kind, np.asarray(keys).tobytes(), *rest)


def restore_numpy_random_state(state: tuple[Any, ...]) -> None:
    kind, keys, *rest = state
    legacy = (kind, np.frombuffer(keys, dtype=np.uint32), *rest)
    np.random.set_state(legacy)  # noqa: NPY002 - as above


def watched_environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name.startswith(WATCHED_VARIABLES)}


def restore_environment(state: dict[str, str]) -> None:
    for name in watched_environment().keys() - state.keys():
        del os.environ[name]
    os.environ.update(state)


STATES = [
    State("numpy's legacy random state", numpy_random_state, restore_numpy_random_state),
    State("Python's random state", random.getstate, random.setstate),
    State("numpy's error handling", np.geterr, lambda state: np.seterr(**state)),
    State("numpy's print options", np.get_printoptions, lambda state: np.set_printoptions(**state)),
    State("the working directory", Path.cwd, os.chdir),
    State("environment variables", watched_environment, restore_environment),
    State("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    State("the cycle collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    # Each pair is watched from the day that autograd has it.
    *(
        State(name, getattr(autograd, read), getattr(autograd, restore))
        for name, read, restore in [
            ("grad mode", "is_grad_enabled", "set_grad_enabled"),
            ("the default dtype", "get_default_dtype", "set_default_dtype"),
            ("the number of threads", "get_num_threads", "set_num_threads"),
            ("the precision of convolutions", "get_conv_precision", "set_conv_precision"),
        ]
        if hasattr(autograd, read) and hasattr(autograd, restore)
    ),
]


def left_threads(before: set[threading.Thread]) -> set[threading.Thread]:
    """Threads started since, after they had a moment to end by themselves."""
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    while True:
        left = {
            thread
            for thread in set(threading.enumerate()) - before
            if not type(thread).__module__.startswith(LASTING_THREADS)
        }
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves global state changed, and put the state back for the next one.

    Every test also starts from the same state of autograd's generator.
    """
    autograd.manual_seed(0)
    before = [state.read() for state in STATES]
    threads = set(threading.enumerate())
    yield
    leaks = []
    for state, old in zip(STATES, before, strict=True):
        if (new := state.read()) != old:
            state.restore(old)
            shown = "" if "random" in state.name else f" ({old!r} became {new!r})"
            leaks.append(f"{state.name}{shown}")
    leaks += [f"a running thread ({thread.name})" for thread in left_threads(threads)]
    if leaks:
        pytest.fail("the test changed global state and left it so: " + "; ".join(leaks))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark a test that asks for torch as a parity test, so that `make test` never needs torch."""
    for item in items:
        if "torch" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.parity)


@pytest.fixture(scope="session")
def torch() -> Any:
    """The torch module; a test that takes this fixture is a parity test."""
    return pytest.importorskip("torch", reason="torch is not installed: run `make parity`")


@pytest.fixture(scope="session")
def mnist() -> Path:
    """Folder of the four MNIST files (IDX, gzipped), beside the repository."""
    folder = ROOT.parent / "shared" / "data" / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST files in {folder}")
    return folder
