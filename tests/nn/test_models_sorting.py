"""The Transformer that sorts: sizes, positions, attention, and torch's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import SortingTransformer
from nn.models.sorting import sinusoids

STRINGS = np.random.default_rng(0).integers(0, 10, (6, 10))


def test_sizes_are_those_of_the_table():
    model = SortingTransformer()
    count = {name: sum(p.numel() for p in m.parameters()) for name, m in model.named_children()}
    assert count == {"embedding": 320, "layers": 2 * 8544, "norm": 64, "scores": 330}
    assert sum(p.numel() for p in model.parameters()) == 17802
    assert sum(p.numel() for p in SortingTransformer(positions=False).parameters()) == 17802
    assert "positions" not in model.state_dict()


def test_every_parameter_learns():
    model = SortingTransformer(symbols=4, length=5, width=8, heads=2, layers=1)
    scores = model(autograd.tensor(STRINGS[:, :5] % 4))
    assert scores.shape == (6, 5, 4)
    (scores * autograd.randn(6, 5, 4)).sum().backward()
    assert all(p.grad is not None and p.grad.numpy().any() for p in model.parameters())


def test_sinusoids_are_those_of_the_paper():
    waves = sinusoids(50, 6).numpy()
    assert waves.dtype == np.float32
    for i in range(50):
        for k in range(3):
            angle = i / 10000 ** (2 * k / 6)
            assert waves[i, 2 * k] == pytest.approx(np.sin(angle), abs=1e-6)
            assert waves[i, 2 * k + 1] == pytest.approx(np.cos(angle), abs=1e-6)
    with pytest.raises(ValueError, match="even"):
        sinusoids(4, 3)


def test_attention_is_what_the_layers_compute_with():
    autograd.manual_seed(0)
    model = SortingTransformer(width=16, heads=4)
    strings = autograd.tensor(STRINGS[:, :7])
    maps = model.attention(strings)
    assert [m.shape for m in maps] == [(6, 4, 7, 7)] * 2
    assert not any(m.requires_grad for m in maps)
    for m in maps:
        np.testing.assert_allclose(m.numpy().sum(-1), 1.0, rtol=1e-5)
    # The second layer by hand, from its definition.
    layer = model.layers[1]
    with autograd.no_grad():
        x = model.layers[0](model.embedding(strings) + sinusoids(7, 16))
        weight, bias = layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias
        q, k = (
            (layer.norm1(x) @ weight[part].T + bias[part]).reshape(6, 7, 4, 4).transpose(1, 2)
            for part in (slice(0, 16), slice(16, 32))
        )
        wanted = autograd.softmax(q @ k.transpose(2, 3) / 2.0, dim=-1)
    np.testing.assert_allclose(maps[1].numpy(), wanted.numpy(), atol=1e-6)


def test_without_positions_the_answer_moves_with_the_input():
    autograd.manual_seed(0)
    order = np.random.default_rng(1).permutation(10)
    for positions in (True, False):
        model = SortingTransformer(positions=positions)
        moved = model(autograd.tensor(STRINGS[:, order])).detach().numpy()
        same = model(autograd.tensor(STRINGS)).detach().numpy()[:, order]
        assert np.allclose(moved, same, atol=1e-5) is not positions


def test_it_learns_to_sort_short_strings():
    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    model = SortingTransformer(symbols=4, length=4, width=16, layers=1)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(300):
        strings = rng.integers(0, 4, (64, 4))
        scores = model(autograd.tensor(strings))
        answer = autograd.tensor(np.sort(strings, axis=1))
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), answer.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    strings = rng.integers(0, 4, (200, 4))
    answer = model(autograd.tensor(strings)).detach().numpy().argmax(-1)
    assert (answer == np.sort(strings, axis=1)).all(1).mean() > 0.95


@pytest.mark.parametrize("shape", [(10,), (2, 11), (2, 0), (2, 3, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"\(N, L\) of 1 to 10 digits, met"):
        SortingTransformer()(autograd.zeros(*shape, dtype=np.int64))


def test_other_digits_and_dtypes_are_refused():
    with pytest.raises(IndexError):
        SortingTransformer(symbols=4)(autograd.tensor([[1, 4]]))
    with pytest.raises((TypeError, RuntimeError)):
        SortingTransformer()(autograd.zeros(2, 3))


def test_no_strings_and_one_string():
    model = SortingTransformer()
    assert model(autograd.zeros(0, 10, dtype=np.int64)).shape == (0, 10, 10)
    assert model(autograd.tensor([[3]])).shape == (1, 1, 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"symbols": 0}, "at least 1"),
        ({"layers": 0}, "at least 1"),
        ({"width": 31}, "even"),
        ({"heads": 3}, "divide"),
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        SortingTransformer(**options)


def test_the_numbers_are_torchs(torch):
    layers = torch.nn

    class Theirs(layers.Module):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(10, 32)
            self.layers = layers.ModuleList(
                layers.TransformerEncoderLayer(32, 2, 64, 0.0, batch_first=True, norm_first=True)
                for _ in range(2)
            )
            self.norm = layers.LayerNorm(32)
            self.scores = layers.Linear(32, 10)

        def forward(self, strings):
            x = self.embedding(strings) + torch.tensor(sinusoids(10, 32).numpy())
            for layer in self.layers:
                x = layer(x)
            return self.scores(self.norm(x))

    torch.manual_seed(0)
    theirs, ours = Theirs(), SortingTransformer(heads=2)
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    y, wanted = ours(autograd.tensor(STRINGS)), theirs(torch.tensor(STRINGS))
    np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), atol=1e-5)
    (y**2).sum().backward()
    (wanted**2).sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.grad is not None
        h = q.grad.numpy()
        assert abs(p.grad.numpy() - h).max() <= 2e-5 * max(abs(h).max(), 1.0)
