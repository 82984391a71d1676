"""How fast this machine can be at best, measured: arithmetic, matrix products, memory.

A kernel that does so many operations on so many bytes needs at least ``max(operations / peak,
bytes / bandwidth)`` seconds (the roofline of Williams, Waterman and Patterson 2009). The peak is
that of fused multiply-adds in registers. Each level of the caches has a bandwidth of its own, so
the bandwidth is measured for arrays of several sizes, and a kernel is judged by that of its own.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from autograd import get_num_threads, kernels, set_num_threads
from autograd.kernels.native.build import optimise
from autograd.kernels.native.simd import INT, PTR, Code, Module
from autograd.kernels.native.target import machine, target

LETTERS = {"float32": "f4", "float64": "f8"}

SIZES = (1 << 15, 3 << 18, 12 << 20, 128 << 20)
"""Bytes of all arrays of a bandwidth: within the first, second and third cache, and far beyond."""

PRODUCT = 768
"""Side of the squares that are multiplied: three of float32 fill 7 MB, and take milliseconds."""

REPEATS = 5
"""The best of so many counts: a roof is what the machine can do when nobody disturbs it."""

FMA_SECONDS = 0.001
"""Of one run of multiply-adds: short, so that some run has its cores for itself."""

FMA_REPEATS = 20


@dataclass(frozen=True)
class Roof:
    """
    What so many threads can do at best with one type.

    Attributes
    ----------
    threads : int
    dtype : str
    fma : float
        Operations a second of fused multiply-adds in registers, each counted as two.
    ours, numpy : float
        Operations a second of large matrix products.
    triad : float
        Bytes a second of ``x = a y + z`` in arrays far beyond the caches: three arrays each.
    bandwidths : tuple of (int, float)
        Bytes of the arrays, and bytes a second: of the triad or of reading, whichever is higher.
    """

    threads: int
    dtype: str
    fma: float
    ours: float
    numpy: float
    triad: float
    bandwidths: tuple[tuple[int, float], ...]

    @property
    def peak(self) -> float:
        """The highest rate of arithmetic that was seen."""
        return max(self.fma, self.ours, self.numpy)

    def bandwidth(self, touched: float) -> float:
        """Bytes a second for a call that touches so many bytes.

        It is the largest of those measured with at least as many, so that a disturbed measurement
        of a fast cache does not put its roof below that of a slower one.
        """
        fitting = [rate for size, rate in self.bandwidths if size >= touched]
        return max(fitting, default=self.bandwidths[-1][1])

    def seconds(self, operations: float, touched: float) -> float:
        """The least time of a call."""
        return max(operations / self.peak, touched / self.bandwidth(touched))


def loops(module: Module) -> None:
    """The vector code: multiply-adds, a triad, and reading."""
    # Enough sums for two multiply-adds in each of four cycles; two registers hold the constants.
    chains = 24 if module.target.registers == 32 else 12
    with module.function("fma", x=PTR, n=INT) as k:
        sums = [k.variable(float(i)) for i in range(chains)]
        half, one = k.splat(0.5), k.splat(1.0)
        with k.loop(0, k.n):
            for total in sums:
                total.set(k.fma(total.get(), half, one))
        store_sum(k, [total.get() for total in sums])
    with module.function("triad", x=PTR, y=PTR, z=PTR, n=INT, passes=INT) as k:
        half = k.splat(0.5)
        with k.loop(0, k.passes), k.loop(0, k.n, 4 * k.lanes) as i:
            for j in range(0, 4 * k.lanes, k.lanes):
                k.store(k.x, i + j, k.fma(k.load(k.y, i + j), half, k.load(k.z, i + j)))
    with module.function("read", x=PTR, y=PTR, n=INT, passes=INT) as k:
        sums = [k.variable(0.0) for _ in range(8)]
        with k.loop(0, k.passes), k.loop(0, k.n, 8 * k.lanes) as i:
            for j, total in enumerate(sums):
                total.set(total.get() + k.load(k.y, i + j * k.lanes))
        store_sum(k, [total.get() for total in sums])


def store_sum(k: Code, values: list[Any]) -> None:
    """Write a sum, without which nothing of a loop would be left."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    k.store(k.x, 0, total)


@functools.cache
def compiled(letter: str) -> tuple[Any, dict[str, Callable[..., None]], int]:
    """The loops for a type: what keeps them alive, the functions, and multiply-adds of a round."""
    vectors = Module(letter, target())
    loops(vectors)
    host = machine()
    whole = llvm.parse_assembly(str(vectors))
    whole.triple, whole.data_layout = host.triple, str(host.target_data)
    optimise(whole, host)
    engine = llvm.create_mcjit_compiler(whole, host)
    engine.finalize_object()
    functions = {}
    for name, pointers, numbers in (("fma", 1, 1), ("triad", 3, 2), ("read", 2, 2)):
        words = [ctypes.c_void_p] * pointers + [ctypes.c_int64] * numbers
        kind = ctypes.CFUNCTYPE(None, *words)
        functions[name] = kind(engine.get_function_address(f"{name}_{letter}"))
    chains = 24 if target().registers == 32 else 12
    return engine, functions, chains * vectors.lanes


def bind(index: int) -> None:
    """Keep this thread on a core of its own.

    New threads begin on the core of their maker, and are moved within some milliseconds: what is
    shorter would be measured with all of them on one core, one after the other.
    """
    with suppress(AttributeError, OSError):  # not on every system
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[index % len(cores)]})


def together(work: Callable[[int], None], threads: int) -> float:
    """Seconds from the first thread's begin to the last one's end."""
    if threads == 1:
        begin = time.perf_counter()
        work(0)
        return time.perf_counter() - begin
    spans: list[tuple[float, float]] = []
    ready = threading.Barrier(threads)

    def body(index: int) -> None:
        bind(index)
        ready.wait()
        begin = time.perf_counter()
        work(index)
        spans.append((begin, time.perf_counter()))

    members = [threading.Thread(target=body, args=(i,)) for i in range(threads)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


@functools.cache
def calibrated(dtype: str) -> int:
    """Rounds of multiply-adds that take about `FMA_SECONDS` of one core."""
    _, functions, _ = compiled(LETTERS[dtype])
    result = np.zeros(16)
    rounds = 1000
    while True:
        begin = time.thread_time()  # others' turns on the core do not count
        functions["fma"](result.ctypes.data, rounds)
        taken = time.thread_time() - begin
        if taken >= FMA_SECONDS / 4:
            return round(rounds * FMA_SECONDS / taken)
        rounds *= 4


def fma_rate(dtype: str, threads: int = 1) -> float:
    """Operations a second of multiply-adds in registers, all threads together."""
    _, functions, width = compiled(LETTERS[dtype])
    results = np.zeros((threads, 64))
    addresses = [row.ctypes.data for row in results]
    rounds = calibrated(dtype)
    best = min(
        together(lambda i: functions["fma"](addresses[i], rounds), threads)
        for _ in range(FMA_REPEATS * threads)  # all cores must be free at once
    )
    return 2.0 * width * rounds * threads / best


@functools.cache
def bandwidths(threads: int) -> tuple[tuple[int, float, float], ...]:
    """For each size of `SIZES`: bytes a second of the triad, and of reading."""
    _, functions, _ = compiled("f8")
    room = np.ones(SIZES[-1] // 8 + 8)
    begin = room.ctypes.data + -room.ctypes.data % 64
    sums = np.zeros((threads, 16))
    found = []
    for size in SIZES:
        part = size // (3 * 8 * threads) // 64 * 64  # elements of one array of one thread
        passes = max(1, (1 << 27) // size)

        def triad(i: int, part: int = part, passes: int = passes) -> None:
            x, y, z = (begin + (3 * i + j) * part * 8 for j in range(3))
            functions["triad"](x, y, z, part, passes)

        def read(i: int, part: int = part, passes: int = passes) -> None:
            first = begin + 3 * i * part * 8
            functions["read"](sums[i].ctypes.data, first, 3 * part, passes)

        touched = 3 * 8 * part * threads * passes
        repeats = REPEATS if size < SIZES[-1] else 3
        rates = [
            touched / min(together(work, threads) for _ in range(repeats)) for work in (triad, read)
        ]
        found.append((size, *rates))
    return tuple(found)


def product_rate(multiply: Callable[..., Any], dtype: str) -> float:
    """Operations a second of a product of large squares."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((PRODUCT, PRODUCT)).astype(dtype) for _ in "ab")
    multiply(a, b)
    return 2.0 * PRODUCT**3 / min(together(lambda _: multiply(a, b), 1) for _ in range(REPEATS))


@functools.cache
def roof(threads: int, dtype: str) -> Roof:
    """
    Measure the roof of so many threads for a type, once in a process.

    Examples
    --------
    >>> found = roof(1, "float32")
    >>> found.seconds(operations=0.0, touched=1e6) > 0.0
    True
    """
    before, blas = get_num_threads(), Blas.loaded()
    own = blas.threads if blas else None
    set_num_threads(threads)
    try:
        if blas:
            blas.set(threads)
        ours, theirs = product_rate(kernels.matmul, dtype), product_rate(np.matmul, dtype)
    finally:
        set_num_threads(before)
        if blas and own:
            blas.set(own)
    memory = bandwidths(threads)
    return Roof(
        threads,
        dtype,
        fma_rate(dtype, threads),
        ours,
        theirs,
        memory[-1][1],
        tuple((size, max(rates)) for size, *rates in memory),
    )


@dataclass(frozen=True)
class Blas:
    """NumPy's OpenBLAS, and how its number of threads is read and set."""

    library: Any
    prefix: str
    suffix: str

    @staticmethod
    def loaded() -> Blas | None:
        """The one of this process; None if NumPy has another BLAS, or there is no telling."""
        with suppress(OSError, ImportError):
            importlib.import_module("numpy.linalg")
            lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
            paths = {
                line.split(maxsplit=5)[5] for line in lines if "openblas" in line and "/" in line
            }
            for path in sorted(paths, key=lambda p: ("numpy" not in p, p)):
                library = ctypes.CDLL(path)
                for prefix in ("scipy_openblas", "openblas"):
                    for suffix in ("64_", "_64", ""):
                        if hasattr(library, f"{prefix}_get_num_threads{suffix}"):
                            return Blas(library, prefix, suffix)
        return None

    @property
    def threads(self) -> int:
        """How many threads it uses."""
        return int(getattr(self.library, f"{self.prefix}_get_num_threads{self.suffix}")())

    def set(self, threads: int) -> None:
        """Let it use so many threads."""
        getattr(self.library, f"{self.prefix}_set_num_threads{self.suffix}")(threads)


def header(threads: int, dtypes: list[str]) -> str:
    """One line: the roofs of so many threads, GFLOP/s for each type in turn."""
    found = [roof(threads, dtype) for dtype in dtypes]

    def rates(name: str) -> str:
        return "/".join(f"{getattr(r, name) * 1e-9:.3g}" for r in found)

    kinds = "/".join("sd"[dtype == "float64"] for dtype in dtypes)
    return (
        f"{threads}t: FMA {rates('fma')}, {kinds}gemm ours {rates('ours')} numpy "
        f"{rates('numpy')} GFLOP/s; triad {found[0].triad * 1e-9:.3g} GB/s"
    )
