"""Every optimizer against torch eager: one step of 20 parameters, large ones and small ones.

Run ``python benchmarks/optimizers.py``. The ratio is ours / torch, as in measure.py: below 1 is
faster. A million numbers in 20 tensors are what a model with a few layers has; 20 tensors of 100
show what a step costs apart from arithmetic. PyTorch runs in each of its forms: a loop over the
parameters, `foreach` and, where there is one, `fused`. The aim is not to be slower than any of
them.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
import optim
from benchmarks.measure import HEADING, compare, geometric_mean, machine

SHAPES = {"1e6 in 20": [(250, 200)] * 20, "20 of 100": [(10, 10)] * 20}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9},
    "ASGD": {},
    "Adam": {},
    "AdamW": {"amsgrad": True},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Adagrad": {},
    "Adadelta": {},
    "Adafactor": {},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Rprop": {},
    "Muon": {},
}
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")
LOOP_ONLY = ("Muon",)

Pair = tuple[str, Callable[[], Any], Callable[[], Any]]


def pair(torch: Any, size: str, name: str, form: str) -> Pair:
    """One step of both."""
    rng = np.random.default_rng(0)
    ours, theirs = [], []
    for shape in SHAPES[size]:
        start, slope = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
        ours.append(autograd.tensor(start, requires_grad=True))
        theirs.append(torch.tensor(start, requires_grad=True))
        ours[-1].grad, theirs[-1].grad = autograd.tensor(slope), torch.tensor(slope)
    options = OPTIMIZERS[name]
    one = getattr(optim, name)(ours, **options)
    two = getattr(torch.optim, name)(theirs, **options, **({} if form == "loop" else {form: True}))
    for _ in range(10):  # past the first steps of RAdam, which are others
        one.step()
        two.step()
    if name not in LOOP_ONLY:  # Muon's iteration rounds to bfloat16 there
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-3, atol=1e-4)
    return f"{name} ({form}) {size}", one.step, two.step


def pairs(torch: Any, names: list[str]) -> Iterator[Pair]:
    """All comparisons, made when it is their turn."""
    for size in SHAPES:
        for name in names:
            for form in ("loop", "foreach", "fused"):
                if (form == "fused" and name not in FUSED) or (
                    form == "foreach" and name in LOOP_ONLY
                ):
                    continue
                yield pair(torch, size, name, form)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, such as Adam")
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
        for name, ours, theirs in pairs(torch, options.names or list(OPTIMIZERS)):
            row = compare(name, ours, theirs, 1.0, rounds=options.rounds)
            print(row.text(), flush=True)
            ratios.append(row.ratio)
        print(f"geometric mean {geometric_mean(ratios):.2f}, largest {max(ratios):.2f}")
    autograd.set_num_threads(before)


if __name__ == "__main__":
    main()
