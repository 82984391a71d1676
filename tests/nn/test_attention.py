"""MultiheadAttention and the Transformer, beyond the cases of cases_attention.py."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim


def arrays(module):
    return {name: value.numpy() for name, value in module.state_dict().items()}


def made(library, name, *args, **kwargs):
    """Make a module without PyTorch's remarks on nested tensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return getattr(library, name)(*args, **kwargs)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("MultiheadAttention", (8, 2), {}),
        ("MultiheadAttention", (8, 2), {"kdim": 3, "add_bias_kv": True}),
        ("MultiheadAttention", (8, 2), {"add_bias_kv": True, "bias": False}),
        ("Transformer", (8, 2, 1, 2, 16), {}),
        ("Transformer", (8, 2, 2, 1, 16), {"bias": False, "batch_first": True}),
    ],
)
def test_state_of_a_torch_model_is_taken_as_it_is(torch, name, args, kwargs):
    ours, theirs = made(nn, name, *args, **kwargs), made(torch.nn, name, *args, **kwargs)
    state = {key: autograd.tensor(value.numpy()) for key, value in theirs.state_dict().items()}
    ours.load_state_dict(state, strict=True)
    assert list(ours.state_dict()) == list(state)
    back = {key: torch.tensor(value) for key, value in arrays(ours).items()}
    theirs.load_state_dict(back, strict=True)


def test_initial_values():
    autograd.manual_seed(0)
    attention = nn.MultiheadAttention(96, 4, add_bias_kv=True)
    values = arrays(attention)
    for name, bound in (
        ("in_proj_weight", math.sqrt(6 / (4 * 96))),  # Xavier's, over all three
        ("out_proj.weight", math.sqrt(1 / 96)),  # that of Linear
    ):
        assert 0.98 * bound < np.abs(values[name]).max() <= bound
        assert math.isclose(values[name].std(), bound / math.sqrt(3), rel_tol=0.03)
    assert not values["in_proj_bias"].any()
    assert not values["out_proj.bias"].any()
    # Fans of (1, 1, E) are E and E.
    assert math.isclose(values["bias_k"].std(), math.sqrt(1 / 96), rel_tol=0.3)
    separate = arrays(nn.MultiheadAttention(96, 4, kdim=48))
    assert np.abs(separate["k_proj_weight"]).max() <= math.sqrt(6 / (96 + 48))
    matrices = [v for v in arrays(nn.Transformer(24, 2, 1, 1, 48)).values() if v.ndim == 2]
    assert all(
        0.8 * bound < np.abs(v).max() <= bound
        for v in matrices
        for bound in [math.sqrt(6 / sum(v.shape))]
    )


def test_layers_of_a_stack_are_copies():
    layer = nn.TransformerEncoderLayer(4, 2, 6)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = encoder.layers
    np.testing.assert_array_equal(first.linear1.weight.detach(), second.linear1.weight.detach())
    assert first.linear1.weight is not second.linear1.weight
    assert layer.linear1.weight is not first.linear1.weight


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_short_way_is_the_long_way(batch_first):
    attention = nn.MultiheadAttention(6, 3, batch_first=batch_first).double()
    x = autograd.randn(4, 2, 6, dtype=np.float64)
    n, length = (4, 2) if batch_first else (2, 4)
    mask = autograd.tensor(np.triu(np.ones((length, length), bool), 1))
    padding = autograd.tensor(np.zeros((n, length)))
    for options in ({}, {"attn_mask": mask}, {"key_padding_mask": padding}):
        short, none = attention(x, x, x, need_weights=False, **options)
        long, weights = attention(x, x, x, **options)
        other, _ = attention(x, x.clone(), x, need_weights=False, **options)
        assert none is None
        assert weights.shape == (n, length, length)
        np.testing.assert_allclose(weights.sum(-1).detach(), 1.0)
        np.testing.assert_allclose(short.detach(), long.detach(), rtol=1e-12)
        np.testing.assert_allclose(short.detach(), other.detach(), rtol=1e-12)


def test_static_keys_and_values(torch):
    rng = np.random.default_rng(0)
    results = []
    for library, functional in ((autograd, F), (torch, torch.nn.functional)):
        rng = np.random.default_rng(0)
        x, static = rng.standard_normal((3, 2, 4)), rng.standard_normal((2, 4, 5, 2))
        weight, out = rng.standard_normal((12, 4)), rng.standard_normal((4, 4))
        x, weight, out, k, v = (library.tensor(a) for a in (x, weight, out, *static))
        padding = library.tensor(np.arange(10).reshape(2, 5) % 4 == 1)
        y, weights = functional.multi_head_attention_forward(
            x, x, x, 4, 2, weight, None, None, None, True, 0.5, out, None, training=False,
            key_padding_mask=padding, static_k=k, static_v=v,
        )  # fmt: skip
        results.append((y.numpy(), weights.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("kind", ["bools", "numbers", "hint"])
def test_stacks_see_that_a_mask_is_causal(monkeypatch, kind):
    seen = []
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1)
    forward = encoder.layers[0].forward
    monkeypatch.setattr(
        encoder.layers[0],
        "forward",
        lambda *a, **k: (seen.append(k["is_causal"]), forward(*a, **k))[1],
    )
    x = autograd.randn(2, 5, 4)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    if kind == "bools":
        mask = mask < 0
    y = encoder(x, mask, is_causal=True if kind == "hint" else None)
    later = x.clone()
    later[:, 3:] += 1.0
    z = encoder(later, mask)
    assert seen == [True, True]
    np.testing.assert_allclose(y[:, :3].detach(), z[:, :3].detach(), rtol=1e-5)
    assert (abs(y - z)[:, 3:] > 1e-4).any()
    other = mask.clone()
    other[0, 1] = False if kind == "bools" else 0.0
    encoder(x, other)
    assert seen[2:] == [False]


def test_padding_changes_nothing_for_the_rest():
    """Evaluation without gradients too, where PyTorch writes 0 for what is padding."""
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2).eval()
    x = autograd.randn(2, 5, 4)
    padding = autograd.tensor(np.arange(5) >= 3).expand(2, 5)
    with autograd.no_grad():
        whole = encoder(x, src_key_padding_mask=padding)
        short = encoder(x[:, :3])
    np.testing.assert_allclose(whole[:, :3], short, rtol=1e-4, atol=1e-6)
    assert whole[:, 3:].any()


def test_masks_of_two_kinds_go_together():
    """Without the warning that PyTorch gives."""
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    padding = autograd.tensor(np.array([[False, False, True]] * 2))
    x = autograd.randn(2, 3, 4)
    y = layer(x, mask, padding)
    z = layer(x, mask < 0, padding)
    np.testing.assert_allclose(y.detach(), z.detach(), rtol=1e-6)


def test_nothing_to_attend_to():
    attention = nn.MultiheadAttention(4, 2)
    x = autograd.randn(3, 2, 4)
    mask = autograd.tensor(np.ones((3, 3), bool))
    y, _ = attention(x, x, x, attn_mask=mask, need_weights=False)
    np.testing.assert_array_equal(y.detach(), np.zeros((3, 2, 4)))
    y, weights = attention(x, x, x, attn_mask=mask)  # a plain softmax, as PyTorch's
    assert np.isnan(weights.detach()).all()


def test_dropout_in_training_only():
    attention = nn.MultiheadAttention(8, 2, dropout=0.5)
    x = autograd.randn(6, 2, 8)
    for quick in (False, True):
        a, b = (attention.train()(x, x, x, need_weights=not quick)[0].detach() for _ in "ab")
        assert (a != b).any()
        a, b = (attention.eval()(x, x, x, need_weights=not quick)[0].detach() for _ in "ab")
        np.testing.assert_array_equal(a, b)


def test_copies_and_second_derivatives():
    attention = nn.MultiheadAttention(4, 2).double()
    x = autograd.randn(3, 1, 4, dtype=np.float64, requires_grad=True)
    assert autograd.gradgradcheck(lambda x: attention(x, x, x, need_weights=False)[0], [x])
    twin = copy.deepcopy(attention)
    np.testing.assert_array_equal(twin(x, x, x)[0].detach(), attention(x, x, x)[0].detach())


X = autograd.zeros(3, 2, 8)
BOOLS = autograd.tensor(np.zeros((2, 3), bool))


@pytest.mark.parametrize(
    ("error", "message", "call", "options"),
    [
        (ValueError, "must have 8 features", (X[..., :6],) * 3, {}),
        (ValueError, "must all be 3-d", (X[0, 0],) * 3, {}),
        (ValueError, "must all be 3-d", (X[0], X, X), {}),
        (ValueError, "same number of sequences", (X, X[:, :1], X[:, :1]), {}),
        (ValueError, "of one length", (X, X, X[:2]), {}),
        (ValueError, r"key_padding_mask must have shape \(2, 3\)", (X,) * 3, {"kpm": BOOLS.T}),
        (ValueError, "key_padding_mask must be 2-d", (X,) * 3, {"kpm": BOOLS[0]}),
        (TypeError, "must be of bools or floats", (X,) * 3, {"kpm": BOOLS.long()}),
        (ValueError, r"attn_mask must have shape \(3, 3\)", (X,) * 3, {"attn_mask": BOOLS}),
        (ValueError, r"\(4, 3, 3\)", (X,) * 3, {"attn_mask": autograd.zeros(3, 3, 3)}),
        (ValueError, r"\(2, 3, 3\)", (X[:, 0],) * 3, {"attn_mask": autograd.zeros(4, 3, 3)}),
        (TypeError, "of bool or float32", (X,) * 3, {"attn_mask": autograd.zeros(3, 3).double()}),
        (TypeError, "of bool or float32", (X,) * 3, {"kpm": autograd.zeros(2, 3).double()}),
        (RuntimeError, "is_causal says", (X,) * 3, {"is_causal": True}),
    ],
)
def test_errors_of_calls(error, message, call, options):
    options = {"key_padding_mask" if k == "kpm" else k: v for k, v in options.items()}
    with pytest.raises(error, match=message):
        nn.MultiheadAttention(8, 2)(*call, **options)


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (ValueError, "must divide", lambda: nn.MultiheadAttention(8, 3)),
        (ValueError, "must divide", lambda: nn.MultiheadAttention(8, 0)),
        (ValueError, "dropout", lambda: nn.MultiheadAttention(8, 2, 1.5)),
        (ValueError, "device", lambda: nn.MultiheadAttention(8, 2, device="cuda")),
        (RuntimeError, "'tanh'", lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh")),
        (ValueError, "num_layers", lambda: nn.TransformerEncoder(nn.Identity(), -1)),
        (RuntimeError, "as many sequences", lambda: nn.Transformer(8, 2, 1, 1, 4)(X, X[:, :1])),
        (RuntimeError, "8 features", lambda: nn.Transformer(8, 2, 1, 1, 4)(X, X[..., :6])),
    ],
)
def test_errors_of_constructors_and_models(error, message, make):
    with pytest.raises(error, match=message):
        make()


class Language(nn.Module):
    """Which token comes next; positions as sines (Vaswani et al. 2017)."""

    def __init__(self, tokens: int, length: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, size)
        layer = nn.TransformerEncoderLayer(size, 2, 2 * size, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.scores = nn.Linear(size, tokens)
        angle = np.arange(length)[:, None] / 50.0 ** (np.arange(0, size, 2) / size)
        places = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(length, size)
        self.register_buffer("places", autograd.tensor(places.astype(np.float32)))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, x):
        return self.scores(self.encoder(self.embedding(x) + self.places, self.mask))


def test_a_language_model_learns():
    """A token follows from the one before: all but the first can be known."""
    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    start = rng.integers(0, 5, (16, 1))
    text = autograd.tensor((start + 2 * np.arange(9)) % 5)
    model = Language(5, 8, 16)
    optimizer, loss = optim.Adam(model.parameters(), lr=0.02), nn.CrossEntropyLoss()
    losses = []
    for _ in range(30):
        value = loss(model(text[:, :-1]).reshape(-1, 5), text[:, 1:].reshape(-1))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < 0.2 * losses[0]
    guesses = model.eval()(text[:, :-1]).argmax(-1)
    np.testing.assert_array_equal(guesses, text[:, 1:])
