"""What recording and backward cost beyond the arithmetic, against torch eager.

Run ``python benchmarks/overhead.py`` (or ``make bench``). Every pair of contenders runs in turn in
one process, A B A B ..., on one thread; the ratio is taken pair by pair and its median printed with
its quartiles, so that a slow moment of the machine hits both sides. Chains of a million nodes run
in processes of their own, because their peak memory is measured too.

Without torch the rows against it are left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
from autograd import Scalar
from benchmarks.classic import Value
from benchmarks.measure import HEADING, Row, compare, machine
from benchmarks.suite.scalars import scalar_step

HAVE_TORCH = importlib.util.find_spec("torch") is not None
CHAIN = 1_000_000


def expression(shape: tuple[int, ...], torch: Any, rounds: int) -> Row:
    """(x * w + b).tanh().sum(), forward and backward."""
    arrays = [np.array(np.random.default_rng(i).standard_normal(shape), "f4") for i in range(3)]
    x, w, b = (autograd.tensor(a, requires_grad=True) for a in arrays)
    tx, tw, tb = (torch.tensor(a, requires_grad=True) for a in arrays)

    def ours() -> None:
        x.grad = w.grad = b.grad = None
        (x * w + b).tanh().sum().backward()

    def theirs() -> None:
        tx.grad = tw.grad = tb.grad = None
        (tx * tw + tb).tanh().sum().backward()

    ours()
    theirs()
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), tw.grad.numpy(), rtol=1e-4, atol=1e-6)
    aim = 0.6 if shape == (64, 64) else 0.5
    name = f"(x*w + b).tanh().sum() {shape}"
    return compare(name, ours, theirs, aim, calls=400, rounds=rounds)


def two_moons(rounds: int) -> Row:
    """Scalars against the classic engine."""
    ours, rival = scalar_step(Scalar), scalar_step(Value)
    for _ in range(2):
        assert math.isclose(ours(), rival(), rel_tol=1e-9)
    name = "scalar two-moons step, classic engine"
    return compare(name, ours, rival, 0.7, calls=1, rounds=rounds, unit="ms")


def peak_memory() -> float:
    """Largest resident size of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says here begins with the parent's peak
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return 1024.0 * float(line.split()[1])
    scale = 1.0 if sys.platform == "darwin" else 1024.0
    return scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def chain(library: str) -> dict[str, float]:
    """Record a chain of sin on one number and walk it back; meant for a process of its own."""
    if library == "ours":
        x: Any = autograd.tensor(0.5, requires_grad=True)
    else:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        x = torch.tensor(0.5, requires_grad=True)
    x.sin().backward()
    x.grad = None
    before = peak_memory()
    start = time.perf_counter()
    y = x
    for _ in range(CHAIN):
        y = y.sin()
    middle = time.perf_counter()
    y.backward()
    end = time.perf_counter()
    peak = peak_memory()
    assert x.grad is not None
    return {
        "forward": middle - start,
        "backward": end - middle,
        "memory": peak - before,
        "gradient": float(x.grad),
    }


def chains(rounds: int) -> list[Row]:
    """The chains in turn, each run in a fresh process."""
    results: dict[str, list[dict[str, float]]] = {"ours": [], "torch": []}
    for _ in range(rounds):
        for library, runs in results.items():
            command = [sys.executable, __file__, "--chain", library]
            runs.append(json.loads(subprocess.check_output(command)))
    rows = []
    for what, aim, unit in (("forward", 1.1, "s"), ("backward", 0.4, "s"), ("memory", 0.6, "MB")):
        ours = [run[what] for run in results["ours"]]
        rival = [run[what] for run in results["torch"]]
        ratios = [a / b for a, b in zip(ours, rival, strict=True)]
        rows.append(
            Row(
                f"chain of {CHAIN:,} sin, {what}",
                statistics.median(ours),
                statistics.median(rival),
                statistics.median(ratios),
                min(ratios),
                max(ratios),
                aim,
                unit,
            )
        )
    return rows


def main() -> int:
    """Print the table; the exit status is 1 if an aim was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="turns of each pair (25)")
    parser.add_argument("--chains", type=int, default=3, help="runs of each chain (3; 0: none)")
    parser.add_argument("--chain", choices=("ours", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chain:
        print(json.dumps(chain(options.chain)))
        return 0
    print(f"{machine()}, one thread")
    print(HEADING)
    rows: list[Row] = []

    def show(row: Row) -> None:
        rows.append(row)
        print(row.text(), flush=True)

    if HAVE_TORCH:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        autograd.set_num_threads(1)
        for shape in ((), (8,), (64, 64)):
            show(expression(shape, torch, options.rounds))
    else:
        print("torch is not installed: only the scalar engines are compared")
    show(two_moons(max(3, options.rounds // 4)))
    if HAVE_TORCH and options.chains:
        for row in chains(options.chains):
            show(row)
    return int(not all(row.met for row in rows))


if __name__ == "__main__":
    sys.exit(main())
