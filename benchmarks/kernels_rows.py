"""Softmax, cross-entropy and the normalisations against torch, as users call them.

Run ``python benchmarks/kernels_rows.py [--threads N] [--seconds S] [NAME ...]``. Each row is one
forward and backward of float32 tensors; both libraries allocate what they return. They take turns
in one process, A B A B ..., and the median of the ratios of neighbours is printed, so that a slow
moment of the machine hits both; above 1 is faster than torch.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
from benchmarks.measure import geometric_mean

torch = importlib.import_module("torch")

Step = Callable[[], object]
Shape = tuple[int, ...]

ROWS: tuple[Shape, ...] = ((10, 100), (128, 10), (100, 1000), (10000, 1000), (200, 50000))
CHANNELS: tuple[Shape, ...] = (
    (10, 100), (4, 16, 4, 4), (256, 128), (32, 64, 8, 8), (64, 6, 28, 28), (4, 64, 56, 56),
    (32, 64, 70, 70), (10000, 1000),
)  # fmt: skip
"""About 1e3, 1e5 and 1e7 elements, and shapes of common layers."""


def leaf(lib: Any, array: np.ndarray) -> Any:
    """A tensor that wants a gradient."""
    return lib.tensor(array, requires_grad=True)


def both(
    shape: Shape, sizes: int | None, forward: Callable[..., Any], *, loss: bool = False
) -> tuple[Step, Step]:
    """A step of each library: forward(lib, functional, x, weight, bias) and its backward."""
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    affine = [rng.standard_normal(sizes, dtype=np.float32) for _ in range(2)] if sizes else []

    def step(lib: Any, functional: Any, wrap: Any) -> Step:
        inputs = [leaf(lib, a) for a in (x, *affine)]
        seed = None if loss else wrap(g)

        def run() -> None:
            for tensor in inputs:
                tensor.grad = None
            y = forward(functional, *inputs)
            y.backward(seed) if seed is not None else y.backward()

        return run

    import nn.functional

    return (
        step(autograd, nn.functional, autograd.tensor),
        step(torch, torch.nn.functional, torch.from_numpy),
    )


def cases() -> Iterator[tuple[str, Shape, tuple[Step, Step]]]:
    """Everything that is measured: its name, the shape of x, and a step of each library."""
    for shape in ROWS:
        yield "softmax", shape, both(shape, None, lambda f, x: f.softmax(x, dim=1))
        yield "log_softmax", shape, both(shape, None, lambda f, x: f.log_softmax(x, dim=1))
        target = np.random.default_rng(1).integers(0, shape[1], shape[0])
        classes = {"nn.functional": autograd.tensor(target), "torch": torch.from_numpy(target)}

        def entropy(f: Any, x: Any, classes: dict[str, Any] = classes) -> Any:
            return f.cross_entropy(x, classes["torch" if "torch" in f.__name__ else f.__name__])

        yield "cross_entropy", shape, both(shape, None, entropy, loss=True)

        def layer(f: Any, x: Any, w: Any, b: Any, size: int = shape[1]) -> Any:
            return f.layer_norm(x, (size,), w, b)

        yield "layer_norm", shape, both(shape, shape[1], layer)
    for shape in CHANNELS:

        def batch(f: Any, x: Any, w: Any, b: Any) -> Any:
            return f.batch_norm(x, None, None, w, b, training=True)

        yield "batch_norm", shape, both(shape, shape[1], batch)
        if len(shape) == 4 and shape[1] % 2 == 0:

            def group(f: Any, x: Any, w: Any, b: Any) -> Any:
                return f.group_norm(x, 2, w, b)

            yield "group_norm", shape, both(shape, shape[1], group)


def compared(ours: Step, theirs: Step, seconds: float) -> tuple[float, float]:
    """Median time of a step of ours, and median ratio of theirs to it."""
    for _ in range(3):
        ours()
        theirs()
    begin = time.perf_counter()
    ours()
    repeats = max(1, int(1e-3 / (time.perf_counter() - begin)))
    times, ratios = [], []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(ratios) < 5:
        marks = [time.perf_counter()]
        for step in (ours, theirs):
            for _ in range(repeats):
                step()
            marks.append(time.perf_counter())
        times.append((marks[1] - marks[0]) / repeats)
        ratios.append((marks[2] - marks[1]) / (marks[1] - marks[0]))
    return statistics.median(times), statistics.median(ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="rows and normalisations against torch")
    parser.add_argument("names", nargs="*", help="what to measure; everything if not given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each row of the table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    autograd.set_num_threads(options.threads)
    found: dict[str, list[float]] = {}
    for name, shape, steps in cases():
        if options.names and name not in options.names:
            continue
        ours, ratio = compared(*steps, options.seconds)
        found.setdefault(name, []).append(ratio)
        print(f"{name:14} {shape!s:18} {ours * 1e6:10.1f} us   torch/ours {ratio:6.2f}", flush=True)
    for name, ratios in found.items():
        mean = geometric_mean(ratios)
        print(f"{name:14} geometric mean {mean:.2f}, worst {min(ratios):.2f}")


if __name__ == "__main__":
    main()
