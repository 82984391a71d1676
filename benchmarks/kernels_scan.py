"""`where`, and sums, products and extremes so far, forward and backward, against torch eager.

Run ``python benchmarks/kernels_scan.py [--rounds 15] [NAME ...]``, on one thread. The ratio is
ours / torch, as in measure.py: below 1 is faster.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
from benchmarks.measure import HEADING, Row, compare, geometric_mean, machine

# The operand x and another one, and the mask of a choice.
CALLS: dict[str, Callable[..., Any]] = {
    "where": lambda library, x, other, mask: library.where(mask, x, other),
    "cumsum": lambda library, x, other, mask: library.cumsum(x, -1),
    "cumprod": lambda library, x, other, mask: library.cumprod(x, -1),
    "cummax": lambda library, x, other, mask: library.cummax(x, -1)[0],
}
SHAPES = ((10, 100), (100, 1000), (1000, 10000))


def measured(torch: Any, name: str, shape: tuple[int, ...], rounds: int) -> Row:
    """Compare on one shape, after a check that the gradients agree."""
    rng = np.random.default_rng(0)
    # Products of numbers near 1 neither vanish nor overflow.
    x, other, g = (1.0 + 0.01 * rng.standard_normal(shape, dtype=np.float32) for _ in range(3))
    mask = rng.random(shape) < 0.5

    def step(library: Any) -> Callable[[], np.ndarray]:
        leaves = [library.tensor(a, requires_grad=True) for a in (x, other)]
        seed, choice = library.tensor(g), library.tensor(mask)

        def run() -> np.ndarray:
            for leaf in leaves:
                leaf.grad = None
            CALLS[name](library, *leaves, choice).backward(seed)
            return leaves[0].grad.numpy()

        return run

    ours, theirs = step(autograd), step(torch)
    wanted = theirs()
    np.testing.assert_allclose(ours(), wanted, rtol=1e-3, atol=1e-5 * float(np.abs(wanted).max()))
    return compare(f"{name} {shape}", ours, theirs, 1.0, rounds=rounds, turn=0.03)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(CALLS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch = importlib.import_module("torch")
    autograd.set_num_threads(1)
    torch.set_num_threads(1)
    print(f"{machine()}, torch {torch.__version__}\n{HEADING}")
    for name in options.names:
        rows = [measured(torch, name, shape, options.rounds) for shape in SHAPES]
        for row in rows:
            print(row.text(), flush=True)
        print(f"{name}: geometric mean {geometric_mean(row.ratio for row in rows):.2f}")


if __name__ == "__main__":
    main()
