"""What tests of the benchmarks put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

import autograd
from benchmarks import plan
from benchmarks.subjects import SUBJECTS


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fewest rounds of every trial."""
    monkeypatch.setattr(plan, "ENOUGH", 0.05)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever a test enters or sets is taken back."""
    known, threads = dict(SUBJECTS), autograd.get_num_threads()
    # Libraries of others change both when they are imported.
    depth, drawn = sys.getrecursionlimit(), np.random.get_state()  # noqa: NPY002 - theirs
    yield
    sys.setrecursionlimit(depth)
    np.random.set_state(drawn)  # noqa: NPY002 - theirs
    SUBJECTS.clear()
    SUBJECTS.update(known)
    autograd.set_num_threads(threads)
