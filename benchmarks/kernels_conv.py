"""Convolution kernels against torch, layer by layer and pass by pass.

Run ``python benchmarks/kernels_conv.py --threads 1 2``. Every result is first compared with the
NumPy reference in float64. Then ours, torch on NCHW and torch on channels_last run in turn; a
figure is the median over the rounds of torch's time divided by ours, so above 1 we are faster.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograd import kernels
from benchmarks.measure import geometric_mean

PASSES = ("forward", "input", "weight")
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}
"""Largest difference from the reference, relative to its largest entry."""

TURN = 0.003
"""Seconds that one contender is timed before the next one comes."""
PAUSE = 0.01
"""Seconds between two turns. Torch's threads spin for some milliseconds after a call: without it,
kernels of ours that take 0.2 ms on two cores had only one of them."""


@dataclass(frozen=True)
class Layer:
    """One convolution with square images and kernels."""

    name: str
    batch: int
    channels: int
    size: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    @property
    def params(self) -> dict[str, Any]:
        """Keyword arguments of the kernels."""
        return {
            "stride": (self.stride,) * 2,
            "padding": (self.padding,) * 2,
            "dilation": (1, 1),
            "groups": self.groups,
        }


LAYERS = (
    Layer("lenet1", 64, 1, 28, 6, 5, padding=2),
    Layer("lenet2", 64, 6, 14, 16, 5),
    Layer("cifar16", 32, 16, 32, 16, 3, padding=1),
    Layer("cifar32", 32, 32, 16, 32, 3, padding=1),
    Layer("cifar64", 32, 64, 8, 64, 3, padding=1),
    Layer("cifar16s2", 32, 16, 32, 32, 3, stride=2, padding=1),
    Layer("cifar32s2", 32, 32, 16, 64, 3, stride=2, padding=1),
    Layer("res64", 4, 64, 56, 64, 3, padding=1),
    Layer("res128", 4, 128, 28, 128, 3, padding=1),
    Layer("res256", 4, 256, 14, 256, 3, padding=1),
    Layer("stem7", 4, 3, 224, 64, 7, stride=2, padding=3),
    Layer("pw1x1", 4, 64, 56, 256, 1),
    Layer("dw3x3", 4, 64, 56, 64, 3, padding=1, groups=64),
)


def contenders(layer: Layer, dtype: str) -> dict[str, list[Callable[[], Any]]]:
    """For each pass: ours, torch, torch on channels_last. Ours is checked first."""
    torch = importlib.import_module("torch")

    rng = np.random.default_rng(0)
    x = rng.standard_normal((layer.batch, layer.channels, layer.size, layer.size)).astype(dtype)
    shape = (layer.outputs, layer.channels // layer.groups, layer.kernel, layer.kernel)
    weight = rng.standard_normal(shape).astype(dtype)
    size, kernel_size = x.shape[2:], shape[2:]
    g = rng.standard_normal(kernels.conv2d(x, weight, None, **layer.params).shape).astype(dtype)

    def ours(x: Any, weight: Any, g: Any) -> list[Callable[[], Any]]:
        return [
            lambda: kernels.conv2d(x, weight, None, **layer.params),
            lambda: kernels.conv2d_input(g, weight, size=size, **layer.params),
            lambda: kernels.conv2d_weight(x, g, kernel_size=kernel_size, **layer.params),
        ]

    def torchs(memory_format: Any) -> list[Callable[[], Any]]:
        tx, tw, tg = (
            torch.from_numpy(a).contiguous(memory_format=memory_format) for a in (x, weight, g)
        )
        window = ([layer.stride] * 2, [layer.padding] * 2, [1, 1])

        def backward(*mask: bool) -> Any:
            back = torch.ops.aten.convolution_backward
            return back(tg, tx, tw, None, *window, False, [0, 0], layer.groups, mask)

        return [
            lambda: torch.nn.functional.conv2d(tx, tw, None, *window, layer.groups),
            lambda: backward(True, False, False),
            lambda: backward(False, True, False),
        ]

    with kernels.use("reference"):
        exact = [run() for run in ours(*(a.astype(np.float64) for a in (x, weight, g)))]
    mine = ours(x, weight, g)
    for name, run, expected in zip(PASSES, mine, exact, strict=True):
        error = np.abs(run() - expected).max() / np.abs(expected).max()
        if not error < TOLERANCE[dtype]:
            raise SystemExit(f"{layer.name} {name}: off by {error:.1e}")
    rivals = (torchs(torch.contiguous_format), torchs(torch.channels_last))
    return {name: [mine[i], *(r[i] for r in rivals)] for i, name in enumerate(PASSES)}


def times(runs: list[Callable[[], Any]], rounds: int) -> list[list[float]]:
    """Seconds of each function, round by round, in turn.

    Each turn begins with a pause, in which the threads of the one before cease to wait for work on
    the cores that this one needs, and with a call that is not timed, so that nobody finds the
    arrays in the cache because of a neighbour.
    """
    calls = []
    for run in runs:
        run()
        begin = time.perf_counter()
        run()
        calls.append(max(1, round(TURN / (time.perf_counter() - begin))))
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, count, into in zip(runs, calls, found, strict=True):
            time.sleep(PAUSE)
            run()
            begin = time.perf_counter()
            for _ in range(count):
                run()
            into.append((time.perf_counter() - begin) / count)
    return found


def main() -> None:
    """Print a table for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--dtype", choices=TOLERANCE, default="float32")
    parser.add_argument("--layers", nargs="+", default=[layer.name for layer in LAYERS])
    options = parser.parse_args()
    torch = importlib.import_module("torch")

    for threads in options.threads:
        torch.set_num_threads(threads)
        kernels.set_num_threads(threads)
        print(f"{options.dtype}, {threads} threads; torch's time / ours: NCHW, channels_last")
        print(f"{'':10s}" + "".join(f"{name:>30s}" for name in PASSES))
        ratios: tuple[list[float], list[float]] = ([], [])
        for layer in LAYERS:
            if layer.name not in options.layers:
                continue
            line = f"{layer.name:10s}"
            for runs in contenders(layer, options.dtype).values():
                mine, *rivals = times(runs, options.rounds)
                line += f"{statistics.median(mine) * 1e3:10.3f} ms "
                for into, rival in zip(ratios, rivals, strict=True):
                    into.append(statistics.median(r / m for r, m in zip(rival, mine, strict=True)))
                    line += f" {into[-1]:7.2f}"
                line += " "
            print(line, flush=True)
        means = ", ".join(f"{geometric_mean(r):.2f}" for r in ratios)
        print(f"geometric means: {means}; least: {min(ratios[0]):.2f}\n")


if __name__ == "__main__":
    main()
