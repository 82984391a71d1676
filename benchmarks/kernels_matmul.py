"""Matrix products against NumPy's BLAS and torch's MKL, over sizes, layers and their gradients.

Run ``python benchmarks/kernels_matmul.py --threads 1 2``. Contenders run in turn in one process;
the ratios (rival / ours, above 1 is faster) are taken turn by turn and their medians printed. With
two threads a rival stalls as soon as anything else takes a core, so look at a quiet machine.

`autograd.kernels.matmul` takes every size to its own code. This table is the reason: where a ratio
to NumPy fell well below 1, a size class would be worth sending back.
"""

import argparse
import importlib
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SQUARES = (1, 2, 4, 8, 16, 32, 48, 64, 128, 256, 512, 1024, 2048)
LINEAR = ((64, 784, 128), (128, 784, 512), (128, 512, 10), (32, 64, 10))
"""Rows, inputs and outputs of layers; each with both gradients."""
OTHERS = (
    ("nn", (4096, 64), (64, 4096)),
    ("nn", (64, 4096), (4096, 64)),
    ("nt", (1, 784), (784, 512)),
    ("nt", (8, 784), (784, 512)),
    ("nt", (32, 784), (784, 512)),
    ("nn", (1000, 1000), (1000,)),
    ("tn", (1000, 1000), (1000,)),
    ("nn", (1000,), (1000,)),
    ("nn", (64, 8, 32, 64), (64, 8, 64, 32)),
    ("nt", (64, 8, 32, 64), (64, 8, 64, 32)),
    ("nn", (32, 4, 4), (32, 4, 4)),
)


def calls() -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """Orientation (n in rows, t transposed) and shapes of a and b."""
    for n in SQUARES:
        yield "nn", (n, n), (n, n)
    for rows, inputs, outputs in LINEAR:
        yield "nt", (rows, inputs), (inputs, outputs)
        yield "nn", (rows, outputs), (outputs, inputs)
        yield "tn", (outputs, rows), (rows, inputs)
    yield from OTHERS


def operand(shape: tuple[int, ...], transposed: bool, dtype: Any, seed: int) -> np.ndarray:
    """Random numbers, in columns if `transposed`."""
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return np.ascontiguousarray(x.mT).mT if transposed and x.ndim > 1 else x


def seconds(run: Callable[[], Any], repeats: int) -> float:
    """Time of one call."""
    begin = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - begin) / repeats


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    for threads in options.threads[1:]:  # OpenBLAS reads its number of threads when it is loaded
        rest = [
            "--threads",
            str(threads),
            "--dtype",
            options.dtype,
            "--rounds",
            str(options.rounds),
        ]
        os.spawnv(os.P_WAIT, sys.executable, [sys.executable, __file__, *rest])
    threads = options.threads[0]
    if os.environ.get("OPENBLAS_NUM_THREADS") != str(threads):
        os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
        rest = [
            "--threads",
            str(threads),
            "--dtype",
            options.dtype,
            "--rounds",
            str(options.rounds),
        ]
        os.execv(sys.executable, [sys.executable, __file__, *rest])
    table(threads, options.dtype, options.rounds)


def table(threads: int, dtype: str, rounds: int) -> None:
    """Measure all calls."""
    from autograd import kernels

    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    kernels.set_num_threads(threads)
    found: list[tuple[float, float]] = []
    print(f"{dtype}, {threads} thread(s){'':24s} ours us  GFLOP/s   numpy   torch")
    for form, left, right in calls():
        a = operand(left, form[0] == "t", dtype, 0)
        b = operand(right, form[1] == "t", dtype, 1)
        x, y = torch.from_numpy(a), torch.from_numpy(b)
        np.testing.assert_allclose(kernels.matmul(a, b), np.matmul(a, b), rtol=1e-2, atol=1e-2)
        contenders = (
            lambda a=a, b=b: kernels.matmul(a, b),
            lambda a=a, b=b: np.matmul(a, b),
            lambda x=x, y=y: torch.matmul(x, y),
        )
        repeats = max(1, int(1e-3 / seconds(contenders[0], 3)))
        turns = [[seconds(run, repeats) for run in contenders] for _ in range(rounds)]
        ours = statistics.median(turn[0] for turn in turns)
        ratios = [statistics.median(turn[i] / turn[0] for turn in turns) for i in (1, 2)]
        found.append((ratios[0], ratios[1]))
        work = 2 * math.prod(a.shape) * (b.shape[-1] if b.ndim > 1 else 1)
        name = f"{form} {'x'.join(map(str, left))} @ {'x'.join(map(str, right))}"
        print(
            f"{name:40s} {ours * 1e6:10.2f} {work / ours * 1e-9:8.1f}"
            f" {ratios[0]:7.2f} {ratios[1]:7.2f}",
            flush=True,
        )
    for i, rival in enumerate(("numpy", "torch")):
        mean = math.exp(statistics.fmean(math.log(ratios[i]) for ratios in found))
        print(f"geometric mean against {rival}: {mean:.2f}")


if __name__ == "__main__":
    main()
