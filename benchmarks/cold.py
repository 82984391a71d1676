"""Before the steady state: what compiling costs, and loading what was compiled before.

Kernels come in units, each compiled once for a machine and kept; a unit is measured in processes of
its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .tables import duration

ROOT = Path(__file__).resolve().parent.parent
LOADS = 3
"""A load takes milliseconds: the median of so many processes is told."""

LOADING = """
import json, sys, time
from autograd import kernels
from autograd.kernels.native import UNITS, objects, process
with objects.quietly():
    process.runtime()
    begin = time.perf_counter()
    if sys.argv[1]:
        UNITS[sys.argv[1]].load()
print(json.dumps(time.perf_counter() - begin))
"""
"""Loads a unit, and prints the seconds; the runtime that all units share is there before."""


@dataclass(frozen=True)
class Unit:
    """
    What a unit costs before its first result.

    Attributes
    ----------
    name : str
    kernels : tuple of str
    compile : float or None
        Seconds with an empty cache, Numba's import among them.
    load : float
        Seconds with a full one.
    """

    name: str
    kernels: tuple[str, ...]
    compile: float | None
    load: float


def seconds_of(name: str, folder: str | None) -> float:
    """Seconds that a unit takes in a fresh process, with a cache of its own."""
    environment = {**os.environ}
    if folder is not None:
        environment["AUTOGRAD_CACHE_DIR"] = folder
    told = subprocess.run(
        [sys.executable, "-c", LOADING, name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        reason = (told.stderr.strip().splitlines() or ["no word"])[-1]
        raise ValueError(f"the unit {name!r} cannot be loaded: {reason}")
    return float(json.loads(told.stdout))


def measure(names: Sequence[str] = (), *, compiling: bool = True) -> Iterator[Unit]:
    """
    Measure units, each in fresh processes.

    Parameters
    ----------
    names : sequence of str
        Default: all.
    compiling : bool
        With an empty cache first; else only loading from the usual one, which is filled if need be.

    Raises
    ------
    LookupError
        If there is no unit of a name.
    """
    from autograd.kernels.native.unit import UNITS

    for name in names:
        if name not in UNITS:
            raise LookupError(f"there is no unit {name!r}; there are {', '.join(UNITS)}")
    with tempfile.TemporaryDirectory() as place:
        folder = place if compiling else None
        if compiling:
            seconds_of("", folder)
        for name in names or UNITS:
            first = seconds_of(name, folder)
            loads = [seconds_of(name, folder) for _ in range(LOADS)]
            kernels = tuple(UNITS[name].code.kernels)
            yield Unit(name, kernels, first if compiling else None, statistics.median(loads))


HEADING = f"{'unit':14}{'compile':>9}{'load':>10}  kernels"


def line(unit: Unit) -> str:
    """A line for a terminal."""
    compiled = "-" if unit.compile is None else duration(unit.compile)
    return f"{unit.name:14}{compiled:>9}{duration(unit.load):>10}  {', '.join(unit.kernels)}"[:100]
