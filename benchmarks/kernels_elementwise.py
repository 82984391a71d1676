"""Activations, forward and backward through autograd, against torch eager.

Run ``python benchmarks/kernels_elementwise.py``. Both sides do what a user does: results are
allocated, the graph is recorded, and ``y.backward(g)`` leaves a fresh gradient on x. The contenders
run in turn in one process, and the median of the ratios of their times, torch / ours, is printed:
above 1 this library is the faster one. Quartiles say how quiet the machine was.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
from autograd import kernels
from benchmarks.measure import geometric_mean
from nn import functional

TARGETS = ("relu", "tanh", "sigmoid", "gelu", "exp", "log")
OTHERS = ("silu", "erf", "softplus", "sin", "cos")
SIZES = (1_000, 100_000, 10_000_000)


def function(name: str, ours: bool) -> Callable[[Any], Any]:
    """The function of a name, of this library or of torch."""
    if ours:
        return getattr(functional if hasattr(functional, name) else autograd, name)
    torch = importlib.import_module("torch")

    inside = torch.nn.functional
    return getattr(torch, name) if hasattr(torch, name) else getattr(inside, name)


def step(name: str, x: np.ndarray, g: np.ndarray, ours: bool) -> Callable[[], None]:
    """One forward and backward."""
    apply = function(name, ours)
    if ours:
        leaf, seed = autograd.tensor(x, requires_grad=True), autograd.tensor(g)
    else:
        torch = importlib.import_module("torch")

        leaf, seed = torch.tensor(x, requires_grad=True), torch.tensor(g)

    def run() -> None:
        leaf.grad = None
        apply(leaf).backward(seed)

    return run


def seconds(run: Callable[[], None], calls: int) -> float:
    """Time of one call, the mean of some."""
    begin = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - begin) / calls


def compare(name: str, size: int, dtype: Any, rounds: int) -> tuple[float, float, list[float]]:
    """Times of both sides, and the ratios torch / ours of all rounds."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, size)
    x = (np.exp(x) if name == "log" else x).astype(dtype)
    g = rng.normal(0, 1, size).astype(dtype)
    runs = [step(name, x, g, ours) for ours in (True, False)]
    for run in runs:
        seconds(run, 3)
    calls = max(1, int(0.004 / seconds(runs[1], 2)))
    pairs = [tuple(seconds(run, calls) for run in runs) for _ in range(rounds)]
    ours, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    return ours, theirs, [b / a for a, b in pairs]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Activations against torch.")
    parser.add_argument("names", nargs="*", default=[*TARGETS, *OTHERS])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    options = parser.parse_args(arguments)
    torch = importlib.import_module("torch")

    for threads in options.threads:
        torch.set_num_threads(threads)
        kernels.set_num_threads(threads)
        print(f"{options.dtype}, {threads} threads: ratio torch / ours (quartiles)")
        found: dict[str, list[float]] = {}
        for name in options.names:
            for size in options.sizes:
                rounds = options.rounds if size < 1_000_000 else max(5, options.rounds // 3)
                ours, theirs, ratios = compare(name, size, options.dtype, rounds)
                low, middle, high = statistics.quantiles(ratios, n=4)
                found.setdefault(name, []).append(middle)
                print(
                    f"  {name:9s} {size:9d}  {ours * 1e6:9.1f} us  {theirs * 1e6:9.1f} us  "
                    f"{middle:5.2f}  ({low:.2f} .. {high:.2f})",
                    flush=True,
                )
        aimed = [r for name in TARGETS for r in found.get(name, [])]
        if aimed:
            mean = geometric_mean(aimed)
            print(f"  {', '.join(TARGETS)}: geometric mean {mean:.2f}, least {min(aimed):.2f}")


if __name__ == "__main__":
    main()
