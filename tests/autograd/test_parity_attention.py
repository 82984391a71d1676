"""scaled_dot_product_attention: beside PyTorch's, and where there is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd
import nn.functional as F
from autograd import gradcheck, gradgradcheck
from autograd.func import grad, jvp, vmap

PLAIN = ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7))


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def some(*shape: int) -> np.ndarray:
    """Bools; all of the second row false."""
    mask = drawn(*shape) > -0.3
    mask[..., 1, :] = False
    return mask


def with_never(mask: np.ndarray) -> np.ndarray:
    return np.where(some(*mask.shape), mask, -np.inf)


# Shapes of query, key and value; a mask; the other arguments.
CASES: dict[str, tuple[tuple[tuple[int, ...], ...], Any, dict[str, Any]]] = {
    "plain": (PLAIN, None, {}),
    "scale": (PLAIN, None, {"scale": -2.5}),
    "scale 0": (PLAIN, None, {"scale": 0.0}),
    "causal, more keys": (PLAIN, None, {"is_causal": True}),
    "causal, fewer keys": ((PLAIN[1], PLAIN[0], PLAIN[0]), None, {"is_causal": True}),
    "bools": (PLAIN, some(4, 6), {}),
    "bools for each batch": (PLAIN, drawn(2, 1, 1, 6) > 0, {}),
    "bools for each query": (PLAIN, drawn(3, 4, 1) > 0, {}),
    "numbers": (PLAIN, drawn(2, 3, 4, 6), {}),
    "numbers, some -inf": (PLAIN, with_never(drawn(3, 4, 6)), {}),
    "matrices": (((4, 5), (6, 5), (6, 2)), some(4, 6), {}),
    "broadcast": (((2, 1, 4, 5), (3, 6, 5), (6, 2)), None, {}),
    "groups": (((2, 6, 4, 5), (2, 2, 6, 5), (2, 3, 6, 5)), None, {"enable_gqa": True}),
    "groups, masked": (((6, 4, 5), (2, 6, 5), (2, 6, 5)), some(6, 4, 6), {"enable_gqa": True}),
    "one": (((1, 1), (1, 1), (1, 1)), None, {}),
    "nothing to see": (((2, 3, 4, 5), (2, 3, 0, 5), (2, 3, 0, 5)), None, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(torch, name):
    shapes, mask, options = CASES[name]
    results = []
    for library, function in (
        (autograd, F.scaled_dot_product_attention),
        (torch, torch.nn.functional.scaled_dot_product_attention),
    ):
        inputs = [library.tensor(drawn(*shape), requires_grad=True) for shape in shapes]
        if mask is not None:
            inputs.append(library.tensor(mask, requires_grad=mask.dtype.kind == "f"))
        y = function(*inputs, **options)
        (y * library.tensor(drawn(*y.shape, seed=1))).sum().backward()
        grads = [x.grad for x in inputs if x.requires_grad]
        results.append([v.detach().numpy() for v in (y, *grads)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [1e2, 1e4])
def test_large_scores_in_float32(torch, size):
    arrays = [(drawn(3, 4, seed=i) * size).astype(np.float32) for i in range(3)]
    q, k, v = map(autograd.tensor, arrays)
    ours = F.scaled_dot_product_attention(q, k, v).numpy()
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, arrays)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("mask", [None, "bools", "numbers"])
@pytest.mark.parametrize("causal", [False, True])
def test_first_and_second_order(mask, causal):
    inputs = [autograd.tensor(drawn(2, n, 2), requires_grad=True) for n in (3, 4, 4)]
    if mask == "numbers":
        inputs.append(autograd.tensor(drawn(3, 4), requires_grad=True))
    bools = autograd.tensor(some(3, 4)) if mask == "bools" else None

    def attend(q: Any, k: Any, v: Any, numbers: Any = bools) -> Any:
        return F.scaled_dot_product_attention(q, k, v, numbers, is_causal=causal)

    assert gradcheck(attend, inputs)
    assert gradgradcheck(attend, inputs)


def test_a_mask_that_learns_costs_the_others_nothing():
    q, k, v = (autograd.tensor(drawn(2, 4, 3), requires_grad=True) for _ in "qkv")
    mask = autograd.tensor(with_never(drawn(4, 4)), requires_grad=True)
    learned = autograd.grad(F.scaled_dot_product_attention(q, k, v, mask).sum(), (q, k, v, mask))
    plain = autograd.grad(F.scaled_dot_product_attention(q, k, v, mask.detach()).sum(), (q, k, v))
    for a, b in zip(learned, plain, strict=False):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-15)
    assert not learned[3].numpy()[~np.isfinite(mask.detach().numpy())].any()


def test_mask_and_causal_hold_together():
    q, k, v = (autograd.tensor(drawn(4, 3, seed=i)) for i in range(3))
    mask = some(4, 4)
    y = F.scaled_dot_product_attention(q, k, v, autograd.tensor(mask), is_causal=True)
    both = autograd.tensor(mask & np.tri(4, dtype=bool))
    np.testing.assert_array_equal(y, F.scaled_dot_product_attention(q, k, v, both))
    assert not y[1].any()


def test_weights_are_not_kept():
    q, k, v = (autograd.tensor(drawn(300, 2), requires_grad=True) for _ in "qkv")
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    stats, *inputs = y.node.saved
    kept = [
        x for x in (*(stats if isinstance(stats, tuple) else (stats,)), *inputs) if x is not None
    ]
    assert sum(x.size for x in kept) <= 300 * (3 * 2 + 2)


def test_dropout_of_weights():
    _ = autograd.manual_seed(0)
    q, k, v = autograd.zeros(200, 1), autograd.zeros(50, 1), autograd.ones(50, 1)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.3).numpy()
    assert abs(y.mean() - 1.0) < 0.02
    assert np.unique(y).size > 5
    np.testing.assert_allclose(y * 50 * 0.7, np.round(y * 50 * 0.7), atol=1e-4)
    source = [autograd.Generator(3) for _ in "ab"]
    a, b = (F.scaled_dot_product_attention(q, k, v, dropout_p=0.5, generator=g) for g in source)
    np.testing.assert_array_equal(a, b)
    assert not F.scaled_dot_product_attention(q, k, v, dropout_p=1.0).any()
    mask = autograd.tensor(some(200, 50))
    assert not F.scaled_dot_product_attention(q, k, v, mask, dropout_p=0.5)[1].any()


@pytest.mark.filterwarnings("ignore::autograd.VmapFallbackWarning")
def test_under_transforms():
    q, k, v = (autograd.tensor(drawn(2, 3, 4, seed=i)) for i in range(3))
    mask = autograd.tensor(drawn(3, 3))
    y = F.scaled_dot_product_attention(q, k, v, mask)
    each = vmap(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask))(q, k, v)
    np.testing.assert_allclose(each, y, rtol=1e-12)
    step = 1e-6
    way = autograd.tensor(drawn(3, 3, seed=7))
    _, slope = jvp(lambda m: F.scaled_dot_product_attention(q, k, v, m).sum(), (mask,), (way,))
    ends = [F.scaled_dot_product_attention(q, k, v, mask + way * s).sum() for s in (step, -step)]
    expected = ((ends[0] - ends[1]) / (2 * step)).item()
    assert math.isclose(slope.item(), expected, rel_tol=1e-5, abs_tol=1e-8)
    found = grad(lambda m: F.scaled_dot_product_attention(q, k, v, m).sum())(mask)
    assert math.isclose((found * way).sum().item(), expected, rel_tol=1e-5, abs_tol=1e-8)


Q, K = autograd.zeros(2, 4, 5), autograd.zeros(2, 6, 5)


@pytest.mark.parametrize(
    ("error", "message", "args", "options"),
    [
        (ValueError, r"met query \(5,\)", (autograd.zeros(5), K, K), {}),
        (ValueError, "expected", (Q, autograd.zeros(2, 6, 4), K), {}),
        (ValueError, "expected", (Q, K, autograd.zeros(2, 5, 5)), {}),
        (ValueError, "do not broadcast", (autograd.zeros(3, 4, 5), K, K), {}),
        (ValueError, r"attn_mask must broadcast to \(2, 4, 6\)", (Q, K, K, K), {}),
        (ValueError, "attn_mask must broadcast", (Q, K, K, autograd.zeros(6)), {}),
        (ValueError, "attn_mask must broadcast", (Q, K, K, autograd.zeros(3, 1, 4, 6)), {}),
        (TypeError, "attn_mask must be of bool", (Q, K, K, autograd.zeros(4, 6).double()), {}),
        (TypeError, "attn_mask must be of bool", (Q, K, K, np.zeros((4, 6), np.int64)), {}),
        (TypeError, "of one float type", (Q, K.double(), K), {}),
        (TypeError, "of one float type", (Q.long(), K.long(), K.long()), {}),
        (ValueError, "dropout_p must be", (Q, K, K), {"dropout_p": 1.5}),
        (ValueError, "dropout_p must be", (Q, K, K), {"dropout_p": math.nan}),
        (ValueError, "number of heads", (autograd.zeros(3, 4, 5), K, K), {"enable_gqa": True}),
    ],
)
def test_errors(error, message, args, options):
    with pytest.raises(error, match=message):
        F.scaled_dot_product_attention(*args, **options)


def test_a_narrower_mask_of_numbers_will_do():
    q, k = Q.double(), K.double()
    assert F.scaled_dot_product_attention(q, k, k, autograd.zeros(4, 6)).dtype == np.float64
