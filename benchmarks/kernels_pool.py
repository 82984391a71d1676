"""Max pooling, forward and backward, against torch eager.

Run ``python benchmarks/kernels_pool.py``. The ratio is ours / torch, as in measure.py: below 1 is
faster. The aim of every row is 1 / 0.8, that of their geometric mean 1 / 1.5.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
from benchmarks.measure import HEADING, Row, compare, geometric_mean, machine

SHAPES = {
    "1e3, 2x2": ((1, 4, 16, 16), 2, 2, 0),
    "lenet, 2x2": ((64, 6, 28, 28), 2, 2, 0),
    "1e5, 2x2": ((8, 16, 28, 28), 2, 2, 0),
    "1e5, 3x3": ((4, 16, 40, 40), 3, 2, 1),
    "resnet stem, 3x3": ((4, 64, 112, 112), 3, 2, 1),
    "1e7, 2x2": ((16, 64, 98, 98), 2, 2, 0),
    "1e7, 3x3": ((16, 64, 98, 98), 3, 2, 1),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch = importlib.import_module("torch")
    before = autograd.get_num_threads()
    print(machine())
    for count in (1, 2):
        autograd.set_num_threads(count)
        torch.set_num_threads(count)
        print(f"max_pool2d, forward and backward, {count} threads\n{HEADING}")
        rows = [measured(torch, name, options.rounds) for name in SHAPES]
        print(f"geometric mean {geometric_mean(row.ratio for row in rows):.2f}")
    autograd.set_num_threads(before)


def measured(torch: Any, name: str, rounds: int) -> Row:
    """Compare on one shape, after a check that the gradients agree."""
    shape, kernel, stride, padding = SHAPES[name]
    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    x, tx = autograd.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    y = autograd.max_pool2d(x, kernel, stride, padding)
    g = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    seed, their_seed = autograd.tensor(g), torch.tensor(g)

    def ours() -> None:
        x.grad = None
        autograd.max_pool2d(x, kernel, stride, padding).backward(seed)

    def theirs() -> None:
        tx.grad = None
        torch.nn.functional.max_pool2d(tx, kernel, stride, padding).backward(their_seed)

    ours()
    theirs()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), tx.grad.numpy(), rtol=1e-5, atol=1e-6)
    row = compare(name, ours, theirs, 1 / 0.8, rounds=rounds)
    print(row.text(), flush=True)
    return row


if __name__ == "__main__":
    main()
