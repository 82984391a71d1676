"""Transformer blocks against torch eager: same weights, same batches, losses equal first.

Run ``python benchmarks/transformer.py [--threads 1 2] [--rounds 15] [NAME ...]``. A step is
forward, backward and SGD. Attention is measured alone, too, without the projections around it.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd
import nn
import nn.functional as F
import optim
from benchmarks.measure import Row, beside_torch, compare


@dataclass
class Block:
    """Encoder layers, one batch, and what is asked of them."""

    name: str
    batch: int
    length: int
    d_model: int
    heads: int
    feed_forward: int
    layers: int = 1
    causal: bool = False
    aim: float = 1.2


BLOCKS = (
    Block("block", 8, 64, 128, 4, 512),
    Block("causal", 8, 64, 128, 4, 512, causal=True),
    Block("small", 32, 16, 32, 4, 64),
    Block("long", 2, 512, 128, 4, 512),
    Block("two-layers", 16, 64, 64, 4, 256, layers=2),
)
"""The first is the one with a promise; without dropout, so that losses can be compared."""


@dataclass
class Attention:
    """One attention: (batch, heads, length, size of a head)."""

    name: str
    shape: tuple[int, ...]
    causal: bool = False


ATTENTIONS = (
    Attention("attention 8x4x64x32", (8, 4, 64, 32)),
    Attention("attention 8x4x64x32 causal", (8, 4, 64, 32), True),
    Attention("attention 2x4x512x32", (2, 4, 512, 32)),
    Attention("attention 1x8x1024x64", (1, 8, 1024, 64)),
)


def block_row(block: Block, torch: Any, rounds: int, threads: int) -> Row:
    """Check that both libraries compute the same losses, then time a training step of each."""
    autograd.manual_seed(0)

    def built(library: Any) -> Any:
        layer = library.TransformerEncoderLayer(
            block.d_model, block.heads, block.feed_forward, 0.0, batch_first=True
        )
        return library.TransformerEncoder(layer, block.layers, enable_nested_tensor=False)

    model, twin = built(nn), built(torch.nn)
    weights = {k: torch.tensor(np.array(v.numpy())) for k, v in model.state_dict().items()}
    twin.load_state_dict(weights)
    shape = (block.batch, block.length, block.d_model)
    x, t = autograd.randn(*shape), autograd.randn(*shape)
    tx, tt = torch.tensor(np.array(x.numpy())), torch.tensor(np.array(t.numpy()))
    mask = their_mask = None
    if block.causal:
        mask = nn.Transformer.generate_square_subsequent_mask(block.length)
        their_mask = torch.nn.Transformer.generate_square_subsequent_mask(block.length)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    their_optimizer = torch.optim.SGD(twin.parameters(), lr=0.01)
    loss, their_loss = nn.MSELoss(), torch.nn.MSELoss()

    def ours() -> float:
        optimizer.zero_grad()
        value = loss(model(x, mask, is_causal=block.causal), t)
        value.backward()
        optimizer.step()
        return value.item()

    def theirs() -> float:
        their_optimizer.zero_grad()
        value = their_loss(twin(tx, their_mask, is_causal=block.causal), tt)
        value.backward()
        their_optimizer.step()
        return value.item()

    for _ in range(3):
        a, b = ours(), theirs()
        assert math.isclose(a, b, rel_tol=1e-4), f"{block.name}: losses differ, {a} and {b}"
    name = f"{block.name} {shape}, {threads} thread{'s'[: threads > 1]}"
    return compare(name, ours, theirs, block.aim, rounds=rounds, turn=0.05, unit="ms")


def attention_row(case: Attention, torch: Any, rounds: int, threads: int) -> Row:
    """Time forward and backward of one attention."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(case.shape, dtype=np.float32) for _ in "qkvg"]
    mine = q, k, v = [autograd.tensor(a, requires_grad=True) for a in arrays[:3]]
    other = [torch.tensor(a, requires_grad=True) for a in arrays[:3]]
    g, h = autograd.tensor(arrays[3]), torch.tensor(arrays[3])

    def ours() -> Any:
        y = F.scaled_dot_product_attention(q, k, v, is_causal=case.causal)
        return autograd.grad(y, mine, g)

    def theirs() -> Any:
        y = torch.nn.functional.scaled_dot_product_attention(*other, is_causal=case.causal)
        return torch.autograd.grad(y, other, h)

    for a, b in zip(ours(), theirs(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4)
    name = f"{case.name}, {threads} thread{'s'[: threads > 1]}"
    return compare(name, ours, theirs, 1.2, rounds=rounds, turn=0.02)


def measured(case: Block | Attention, torch: Any, rounds: int, threads: int) -> Row:
    """Time a block's training step, or an attention."""
    if isinstance(case, Block):
        return block_row(case, torch, rounds, threads)
    return attention_row(case, torch, rounds, threads)


if __name__ == "__main__":
    sys.exit(beside_torch(__doc__, (*BLOCKS, *ATTENTIONS), measured))
