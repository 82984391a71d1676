"""Why is it slow? What is wrong with a machine, its settings, or a kernel, and what to do.

``python -m benchmarks doctor`` looks at the machine and the settings; with a file or a part of a
name it looks at those kernels, too.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from autograd.kernels.native import Unit, cache
from autograd.kernels.native.objects import key
from autograd.kernels.native.unit import UNITS
from autograd.kernels.threads import available_cores

from . import clock, proof, rivals, roofs, trial
from .stats import spread
from .subjects import Subject, cast

WATCHED_SECONDS = 1.0
VARIES = 0.15
"""Part by which the same loop may vary within the time watched, between its 5th and 95th of 100."""

CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")
CGROUP = Path("/sys/fs/cgroup")

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Finding:
    """Something wrong: what is seen, and what to do."""

    about: str
    seen: str
    todo: str

    def __str__(self) -> str:
        return f"{self.about}: {self.seen}\n    -> {self.todo}"


def examine(subjects: Sequence[Subject], threads: int) -> Iterator[Finding]:
    """Everything that is wrong, the machine first: what it disturbs cannot be judged."""
    yield from load_and_speed()
    yield from too_few_cores(threads)
    yield from blas_threads(threads)
    usable = True
    for finding in unusable_cache():
        usable = False
        yield finding
    cold = cold_units()
    parallel = False
    for subject in subjects:
        yield from kernel_faults(subject)
        parallel |= proof.shares_work(subject.function)
    if usable:
        yield from cold_cache(cold, bool(subjects))
    yield from threading_layer(parallel)


# --- The machine ----------------------------------------------------------------------------------


def load_and_speed(seconds: float = WATCHED_SECONDS) -> Iterator[Finding]:
    """Run one loop for a while: whether others compute meanwhile, and whether its speed varies."""
    load, throttled = clock.Load(), throttled_periods()
    rates = loop_times(seconds)
    foreign = load.foreign()
    if foreign > clock.BUSY:
        yield Finding(
            "busy machine",
            f"other processes used {foreign:.2f} cores while this one computed",
            "end them or wait; times taken now say little (`top` names them)",
        )
    found = spread(rates)
    slow, fast = (float(q) for q in np.quantile(rates, (0.95, 0.05)))
    if slow / fast - 1.0 > VARIES:
        yield Finding(
            "uneven speed",
            f"the same loop took up to {slow / fast - 1.0:.0%} longer within {seconds:g} s "
            f"(median {found.median * 1e6:.0f} us of CPU time)",
            "the CPU changes its clock, or a neighbour shares it: cool it, plug it in, set the "
            "governor to performance, or compare in turn only, as `run` does",
        )
    after = throttled_periods()
    if throttled is not None and after is not None and after > throttled:
        yield Finding(
            "throttled container",
            f"the cgroup's CPU quota stopped this process {after - throttled} times",
            "raise the quota (docker --cpus, Kubernetes limits.cpu) or use fewer threads",
        )
    yield from governor()


def loop_times(seconds: float) -> list[float]:
    """CPU seconds of the same loop, again and again: the turns of others on the core do not count.

    A core that is slower, by its clock or by a neighbour on it, shows nevertheless.
    """
    _, functions, _ = roofs.compiled("f4")
    result = np.zeros(16)
    rounds = 4 * roofs.calibrated("float32")
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        begin = time.thread_time()
        functions["fma"](result.ctypes.data, rounds)
        times.append(time.thread_time() - begin)
    return times


def throttled_periods() -> int | None:
    """How often the cgroup's quota has stopped us; None where nobody counts."""
    with suppress(OSError, ValueError, IndexError):
        words = (CGROUP / "cpu.stat").read_text(encoding="ascii").split()
        return int(words[words.index("nr_throttled") + 1])
    return None


def governor() -> Iterator[Finding]:
    """Whether the CPU is told not to run as fast as it can."""
    with suppress(OSError, ValueError):
        allowed = int((CPUFREQ / "scaling_max_freq").read_text(encoding="ascii"))
        possible = int((CPUFREQ / "cpuinfo_max_freq").read_text(encoding="ascii"))
        if allowed < possible:
            yield Finding(
                "slow clock",
                f"the CPU may run at {allowed / 1e6:.2f} of its {possible / 1e6:.2f} GHz",
                "allow more: cpupower frequency-set -u, or the power settings",
            )


def too_few_cores(threads: int) -> Iterator[Finding]:
    """Whether there are fewer cores than threads."""
    cores = available_cores()
    asked = {"dagrad (--threads, AUTOGRAD_NUM_THREADS)": threads}
    for variable in ("NUMBA_NUM_THREADS", *BLAS_VARIABLES):
        with suppress(ValueError):
            asked[variable] = int(os.environ.get(variable, ""))
    for who, count in asked.items():
        if count > cores:
            yield Finding(
                "too few cores",
                f"{count} threads are asked for by {who}, and this process may use {cores}",
                f"ask for {cores} at most, or give the process more (taskset, docker --cpus)",
            )
    with suppress(OSError, ValueError):
        quota, period = (CGROUP / "cpu.max").read_text(encoding="ascii").split()
        granted = float("inf") if quota == "max" else int(quota) / int(period)
        if granted < min(threads, cores):
            yield Finding(
                "CPU quota",
                f"the container grants {granted:.2g} cores to {threads} threads",
                "raise the quota (docker --cpus, Kubernetes limits.cpu) or use fewer threads",
            )


def blas_threads(threads: int) -> Iterator[Finding]:
    """Whether NumPy's BLAS and our threads together ask for more cores than there are."""
    blas, cores = roofs.Blas.loaded(), available_cores()
    if blas is None or blas.threads * threads <= cores:
        return
    told = [f"{name}={os.environ[name]}" for name in BLAS_VARIABLES if name in os.environ]
    yield Finding(
        "oversubscribed BLAS",
        f"{blas.threads} threads of NumPy's BLAS for each of {threads} of ours are more than "
        f"{cores} cores ({', '.join(told) or 'no variable limits them'})",
        "set OPENBLAS_NUM_THREADS=1 (MKL_NUM_THREADS=1 with MKL) before Python starts; kernels of "
        "dagrad do not call BLAS",
    )


# --- Caches ---------------------------------------------------------------------------------------


def unusable_cache() -> Iterator[Finding]:
    """Why compiled kernels cannot be kept."""
    try:
        place = cache.folder()
        problem = unwritable(place)
    except RuntimeError as error:  # there is no home folder
        place, problem = Path("?"), str(error)
    if not problem and place.exists() and not cache.is_private(place):
        problem = "other users can write it"
    if problem:
        yield Finding(
            "kernel cache",
            f"{place} cannot be used ({problem}): every process compiles again",
            f"set {cache.VARIABLE} to a folder that only you can write",
        )


def is_loaded(unit: Unit) -> bool:
    """Whether the kernels of a unit are in this process."""
    return unit.code.kernels.keys() <= unit.__dict__.keys()


def cold_units() -> list[str]:
    """Units that are neither in this process nor in the cache."""
    return [
        name
        for name, unit in UNITS.items()
        if not is_loaded(unit) and cache.load(name, key(unit.code)) is None
    ]


def cold_cache(cold: list[str], called: bool) -> Iterator[Finding]:
    """Whether the calls just made had to compile; without any, whether nothing is compiled yet."""
    compiled = [name for name in cold if is_loaded(UNITS[name])]
    if compiled:
        yield Finding(
            "cold kernel cache",
            f"{', '.join(compiled)} had to be compiled just now, which takes seconds",
            "it is kept: run once more; if this returns, the cache is emptied between runs "
            f"(keep the folder of {cache.VARIABLE} in containers and CI)",
        )
    elif not called and len(cold) == len(UNITS):
        yield Finding(
            "cold kernel cache",
            f"no kernel is compiled yet in {cache.folder()}: first calls take seconds",
            "call each kernel once before timing it, as `run` does",
        )


def unwritable(place: Path) -> str:
    """Why no file can be made in a folder, which need not exist yet; "" if one can."""
    existing = place
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        if not existing.is_dir():
            return f"{existing} is a file"
        with tempfile.TemporaryFile(dir=existing):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def numba_cache(function: Any) -> Iterator[Finding]:
    """Whether ``cache=True`` of a Numba function is of no use, or of none yet."""
    path = getattr(function.stats, "cache_path", None)
    if path is None:  # without cache=True
        return
    problem = unwritable(Path(path))
    if problem:
        yield Finding(
            function.__name__,
            f"Numba's cache {path} cannot be written ({problem}): every process compiles again",
            "set NUMBA_CACHE_DIR to a folder that can be written",
        )
    elif function.stats.cache_misses and not function.stats.cache_hits:
        yield Finding(
            function.__name__,
            f"Numba's cache {path} was cold: this process compiled anew",
            "run once more; if this returns, its source file changes or NUMBA_CACHE_DIR does",
        )


# --- Kernels --------------------------------------------------------------------------------------


def kernel_faults(subject: Subject) -> Iterator[Finding]:
    """What the machine code of a subject says, at its first size, in each type."""
    functions = [f for f in proof.referenced(subject.function) if proof.is_dispatcher(f)]
    for function in functions:
        loops = any(thing is numba.prange for thing in proof.named_by(function.py_func))
        if loops and not function.targetoptions.get("parallel"):
            yield Finding(
                function.__name__,
                "prange without parallel=True is an ordinary range: one thread does all",
                "write @njit(parallel=True), or range",
            )
    seen: set[str] = set()
    for dtype in subject.dtypes:
        exact = subject.inputs(subject.sizes[0], np.random.default_rng(0))
        inputs = cast(exact, dtype)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call = rivals.contender(trial.OURS, subject.function, inputs)
                call()
            found = trial.evidence_of(subject, call, inputs, dtype)
        except Exception as error:  # a user's kernel may raise anything: it is told
            yield Finding(
                subject.name,
                f"with {dtype} it raised {type(error).__name__}: {first_line(error)}",
                "`run` says whether it is right; nothing else can be judged before",
            )
            return
        if found is None or str(found) in seen:
            continue
        seen.add(str(found))
        yield from code_faults(subject.name, dtype, found)
    for function in functions:
        yield from numba_cache(function)


def first_line(error: Exception) -> str:
    """What an error says, in short."""
    return next(iter(str(error).splitlines()), "nothing more")


def code_faults(name: str, dtype: str, found: proof.Evidence) -> Iterator[Finding]:
    """What is wrong with machine code."""
    if not found.bits and found.scalar:
        yield Finding(
            name,
            f"no vector code for {dtype}: {found.scalar} instructions on single floats, none on "
            "vectors",
            "a loop whose steps wait for each other cannot be vectorised: for a sum write "
            "@njit(fastmath={'reassoc', 'nsz'}) or keep several sums; for others split the loop; "
            "index arrays that are contiguous, and keep branches and calls out",
        )
    if found.loops == 0:
        yield Finding(
            name,
            "parallel=True, but no loop is: Numba found nothing to share out",
            "write prange for the loop whose steps are independent, or leave parallel out",
        )


def threading_layer(parallel: bool) -> Iterator[Finding]:
    """Whether Numba's threads are absent or unsafe, if a kernel or the variable wants them."""
    wanted = os.environ.get("NUMBA_THREADING_LAYER", "")
    if not parallel and not wanted:
        return
    kinds = {"default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue", ""}
    if wanted not in kinds:
        yield Finding(
            "threading layer",
            f"NUMBA_THREADING_LAYER={wanted!r} is none that Numba knows",
            "write tbb, omp, workqueue, default, safe, forksafe or threadsafe",
        )
        return
    there = [kind for kind in ("tbb", "omp", "workqueue") if layer_loads(kind)]
    fitting = {
        "tbb": {"tbb"},
        "omp": {"omp"},
        "workqueue": {"workqueue"},
        "safe": {"tbb"},
        "forksafe": {"tbb", "workqueue"},
        "threadsafe": {"tbb", "omp"},
    }.get(wanted, {"tbb", "omp", "workqueue"})
    usable = [kind for kind in there if kind in fitting]
    if not usable:
        yield Finding(
            "threading layer",
            f"NUMBA_THREADING_LAYER={wanted} cannot be had: {', '.join(there)} can be loaded",
            "pip install tbb, or unset the variable",
        )
    elif usable[0] == "workqueue":
        yield Finding(
            "threading layer",
            "Numba's threads are those of workqueue, which ends the process when two Python "
            "threads use them at once",
            "pip install tbb, or install OpenMP (libgomp), and unset NUMBA_THREADING_LAYER",
        )


def layer_loads(kind: str) -> bool:
    """Whether one of Numba's threading layers can be loaded here."""
    module = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}[kind]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TBB is too old is told as a finding
            if kind == "tbb":
                importlib.import_module("numba.np.ufunc.parallel")._check_tbb_version_compatible()
            importlib.import_module(f"numba.np.ufunc.{module}")
    except ImportError:
        return False
    return True


def loaded(path: str, load: Callable[[str], list[str]]) -> tuple[list[str], list[Finding]]:
    """Names of the kernels that `load` enters, or why Numba refuses to keep one of them."""
    try:
        return load(path), []
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        finding = Finding(
            path,
            f"Numba finds no folder to keep its code in ({first_line(error)})",
            "set NUMBA_CACHE_DIR to a folder that can be written, or leave cache=True out",
        )
        return [], [finding]
