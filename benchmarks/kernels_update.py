"""Optimizer steps, dropout and embedding against torch eager, as a user calls them.

Run ``python benchmarks/kernels_update.py``. The ratio is ours / torch, as in measure.py: below 1 is
faster. The aim of every row is 1 / 0.8, that of their geometric mean 1 / 1.5. Optimizers are
compared with torch's defaults and with its fused form, dropout and embedding forward and backward.
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
import optim
from benchmarks.measure import HEADING, compare, geometric_mean, machine

SIZES = (1_000, 100_000, 10_000_000)
OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "Adam": {},
    "AdamW": {"amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True},
}
TABLES = {"characters": ((65, 64), (32, 128)), "words": ((10_000, 128), (64, 256))}

Pair = tuple[str, Callable[[], Any], Callable[[], Any]]


def steps(torch: Any, size: int, name: str, options: dict[str, Any], fused: bool) -> Pair:
    """One step of one parameter."""
    rng = np.random.default_rng(0)
    start, slope = (rng.standard_normal(size).astype(np.float32) for _ in range(2))
    p = autograd.tensor(start, requires_grad=True)
    q = torch.tensor(start, requires_grad=True)
    p.grad, q.grad = autograd.tensor(slope), torch.tensor(slope)
    ours = getattr(optim, name)([p], **options)
    theirs = getattr(torch.optim, name)([q], **options, **({"fused": True} if fused else {}))
    for _ in range(3):
        ours.step()
        theirs.step()
    np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-4, atol=1e-5)
    return f"{name}{' (fused)' if fused else ''} {size:,}", ours.step, theirs.step


def dropout(torch: Any, size: int) -> Pair:
    """Dropout, forward and backward."""
    a = np.ones(size, np.float32)
    x, tx = autograd.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    g, tg = autograd.tensor(a), torch.tensor(a)

    def ours() -> None:
        x.grad = None
        autograd.dropout(x, 0.3).backward(g)

    def theirs() -> None:
        tx.grad = None
        torch.nn.functional.dropout(tx, 0.3).backward(tg)

    return f"dropout {size:,}", ours, theirs


def embedding(torch: Any, name: str) -> Pair:
    """Embedding, forward and backward."""
    table, shape = TABLES[name]
    rng = np.random.default_rng(0)
    a, numbers = rng.standard_normal(table).astype(np.float32), rng.integers(0, table[0], shape)
    g = rng.standard_normal((*shape, table[1])).astype(np.float32)
    w, tw = autograd.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    at, t_at = autograd.tensor(numbers), torch.tensor(numbers)
    seed, t_seed = autograd.tensor(g), torch.tensor(g)

    def ours() -> None:
        w.grad = None
        autograd.embedding(at, w).backward(seed)

    def theirs() -> None:
        tw.grad = None
        torch.nn.functional.embedding(t_at, tw).backward(t_seed)

    return f"embedding {name} {table} {shape}", ours, theirs


def pairs(torch: Any) -> list[Callable[[], Pair]]:
    """All comparisons, made when it is their turn."""
    made: list[Callable[[], Pair]] = []
    for size in SIZES:
        for name, options in OPTIMIZERS.items():
            for fused in (False, True) if name in ("SGD", "Adam") else (False,):
                made.append(lambda a=(size, name, options, fused): steps(torch, *a))
        made.append(lambda size=size: dropout(torch, size))
    return [*made, *(lambda name=name: embedding(torch, name) for name in TABLES)]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch = importlib.import_module("torch")
    before = autograd.get_num_threads()
    print(machine())
    for count in (1, 2):
        autograd.set_num_threads(count)
        torch.set_num_threads(count)
        print(f"{count} threads\n{HEADING}")
        ratios = []
        for make in pairs(torch):
            name, ours, theirs = make()
            row = compare(name, ours, theirs, 1 / 0.8, rounds=options.rounds)
            print(row.text(), flush=True)
            ratios.append(row.ratio)
        print(f"geometric mean {geometric_mean(ratios):.2f}, largest {max(ratios):.2f}")
    autograd.set_num_threads(before)


if __name__ == "__main__":
    main()
