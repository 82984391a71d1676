"""No kernel reads or writes a byte outside its arrays."""

from __future__ import annotations

import sys

import pytest

from tests.kernels.processes import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fences are pages of POSIX")

RUN = "from tests.kernels.fenced_run import main; main({side!r}, {seed}, 8)"


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("seed", [0, 1])
def test_arrays_between_protected_pages(side, seed):
    done = run(RUN.format(side=side, seed=seed))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rounds 8" in done.stdout


STRAY = """
import numpy as np, ctypes
from tests.kernels.fence import fenced
with fenced({side!r}):
    x = np.zeros(1001, np.float32)
    place = x.ctypes.data + {offset}
    ctypes.c_float.from_address(place).value
    print("survived")
"""


@pytest.mark.parametrize(
    ("side", "offset", "survives"),
    [
        ("after", 1000 * 4, True),
        ("after", 1001 * 4, False),
        ("before", 0, True),
        ("before", -4, False),
    ],
)
def test_the_fence_stands_where_the_array_ends(side, offset, survives):
    done = run(STRAY.format(side=side, offset=offset))
    assert ("survived" in done.stdout) is survives
    assert (done.returncode == 0) is survives
