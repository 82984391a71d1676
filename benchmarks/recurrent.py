"""Training steps of recurrent layers against torch eager: same weights, losses equal first.

Run ``python benchmarks/recurrent.py [--threads 1 2] [--rounds 15] [NAME ...]``. Forward, backward
and a step of SGD; the loss is the mean of the squares of all outputs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
import nn
import optim
from benchmarks.measure import Row, beside_torch, compare


@dataclass
class Step:
    """A layer, and the steps, sequences and features of its input."""

    name: str
    build: Callable[[Any], Any]
    shape: tuple[int, int, int]
    aim: float


STEPS = (
    Step("lstm", lambda nn: nn.LSTM(128, 128), (32, 32, 128), 1.2),
    Step("gru", lambda nn: nn.GRU(128, 128), (32, 32, 128), 1.2),
    Step("rnn", lambda nn: nn.RNN(128, 128), (32, 32, 128), 1.2),
    Step("lstm-2x2", lambda nn: nn.LSTM(64, 64, 2, bidirectional=True), (50, 16, 64), 1.2),
    Step("lstm-small", lambda nn: nn.LSTM(8, 16), (10, 4, 8), 1.2),
    Step("lstm-one", lambda nn: nn.LSTM(128, 256), (64, 1, 128), 1.2),
)


def measured(step: Step, torch: Any, rounds: int, threads: int) -> Row:
    """Check that both libraries compute the same losses, then time a training step of each."""
    autograd.manual_seed(0)
    model, twin = step.build(nn), step.build(torch.nn)
    weights = {k: torch.tensor(np.array(v.numpy())) for k, v in model.state_dict().items()}
    twin.load_state_dict(weights)
    x = autograd.randn(*step.shape)
    tx = torch.tensor(np.array(x.numpy()))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    their_optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)

    def ours() -> float:
        optimizer.zero_grad()
        y, _ = model(x)
        value = (y * y).mean()
        value.backward()
        optimizer.step()
        return value.item()

    def theirs() -> float:
        their_optimizer.zero_grad()
        y, _ = twin(tx)
        value = (y * y).mean()
        value.backward()
        their_optimizer.step()
        return value.item()

    for _ in range(3):
        a, b = ours(), theirs()
        assert math.isclose(a, b, rel_tol=1e-4), f"{step.name}: losses differ, {a} and {b}"
    name = f"{step.name} {step.shape}, {threads} thread{'s'[: threads > 1]}"
    return compare(name, ours, theirs, step.aim, rounds=rounds, turn=0.05, unit="ms")


if __name__ == "__main__":
    sys.exit(beside_torch(__doc__, STEPS, measured))
