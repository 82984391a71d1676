"""Losses beyond PyTorch's table: extremes in float32, second order, what is refused, traces."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor, gradgradcheck, tensor

FLOATS = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4, 3))
A = Tensor(FLOATS[0])
CLASSES = np.array([2, 0, 1, 2])

# Each as a function of its first argument, of two alike, of signs, and of how it sums up.
LOSSES: dict[str, Callable[..., Any]] = {
    "l1_loss": lambda x, b, c, s, **how: F.l1_loss(x, b, **how),
    "l1_loss, weighted": lambda x, b, c, s, **how: F.l1_loss(x, b, weight=c, **how),
    "smooth_l1_loss": lambda x, b, c, s, **how: F.smooth_l1_loss(x, b, beta=0.3, **how),
    "huber_loss": lambda x, b, c, s, **how: F.huber_loss(x, b, delta=0.3, **how),
    "huber_loss, weighted": lambda x, b, c, s, **how: F.huber_loss(x, b, weight=c, **how),
    "binary_cross_entropy": lambda x, b, c, s, **how: F.binary_cross_entropy(x, b, c, **how),
    "binary_cross_entropy_with_logits": lambda x, b, c, s, **how: (
        F.binary_cross_entropy_with_logits(x, b, c, pos_weight=c, **how)
    ),
    "kl_div": lambda x, b, c, s, **how: F.kl_div(x, b, **how),
    "gaussian_nll_loss": lambda x, b, c, s, **how: F.gaussian_nll_loss(x, b, c, **how),
    "poisson_nll_loss": lambda x, b, c, s, **how: F.poisson_nll_loss(x, b * 3.0, full=True, **how),
    "hinge_embedding_loss": lambda x, b, c, s, **how: F.hinge_embedding_loss(x, s, **how),
    "margin_ranking_loss": lambda x, b, c, s, **how: F.margin_ranking_loss(x, b, s, 0.3, **how),
    "cosine_embedding_loss": lambda x, b, c, s, **how: F.cosine_embedding_loss(
        x, b, s[:, 0], **how
    ),
    "soft_margin_loss": lambda x, b, c, s, **how: F.soft_margin_loss(x, s, **how),
    "multi_margin_loss": lambda x, b, c, s, **how: F.multi_margin_loss(
        x, CLASSES, 2, weight=c[0], **how
    ),
    "multilabel_margin_loss": lambda x, b, c, s, **how: F.multilabel_margin_loss(
        x, np.array([[2, -1, 0], [0, 1, -1], [-1, -1, -1], [1, 2, 0]]), **how
    ),
    "multilabel_soft_margin_loss": lambda x, b, c, s, **how: F.multilabel_soft_margin_loss(
        x, b, **how
    ),
    "triplet_margin_loss": lambda x, b, c, s, **how: F.triplet_margin_loss(
        x, b, c, swap=True, **how
    ),
    "triplet_margin_with_distance_loss": lambda x, b, c, s, **how: (
        F.triplet_margin_with_distance_loss(x, b, c, **how)
    ),
}


def loss(name: str, x: Any, **how: Any) -> Any:
    """One of them, the other arguments in the dtype of x."""
    others = [Tensor(part.astype(x.dtype)) for part in (*FLOATS[1:], np.sign(FLOATS[2] - 0.5))]
    return LOSSES[name](x, *others, **how)


every = pytest.mark.parametrize("name", LOSSES)


@every
def test_second_order(name):
    x = Tensor(FLOATS[0], requires_grad=True)
    assert gradgradcheck(lambda v: loss(name, v), [x], atol=1e-6, rtol=1e-5)


@every
def test_reductions_belong_together(name):
    each = loss(name, A, reduction="none").numpy()
    np.testing.assert_allclose(loss(name, A, reduction="sum").item(), each.sum(), rtol=1e-13)
    if "weighted" not in name or name.startswith("huber"):
        np.testing.assert_allclose(loss(name, A).item(), each.mean(), rtol=1e-13)


@every
def test_an_unknown_reduction_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name.partition(',')[0]}.*reduction.*'average'"):
        loss(name, A, reduction="average")


@every
def test_shapes_that_would_broadcast_are_refused(name):
    for shape in [(1, 3), (3,), (4, 3, 1)]:
        with pytest.raises(ValueError, match=name.partition(",")[0]):
            loss(name, autograd.zeros(*shape))


@every
def test_a_trace_has_the_shapes_of_a_run(name):
    graph = autograd.trace(lambda x: loss(name, x, reduction="none"), A)
    output = graph.steps[graph.outputs[0].index].spec
    assert output.shape == loss(name, A, reduction="none").shape


@every
def test_float32_stays_float32(name):
    narrow = Tensor(FLOATS[0].astype(np.float32), requires_grad=True)
    y = loss(name, narrow)
    y.backward()
    assert y.dtype == np.float32
    assert narrow.grad is not None
    assert narrow.grad.dtype == np.float32


# --- Extremes -------------------------------------------------------------------------------------

EXTREMES = tensor([1e4, -1e4, 1e4, -1e4, 30.0, 0.0])
WANTED = tensor([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "of",
    [
        lambda x: F.binary_cross_entropy_with_logits(x, WANTED, reduction="none"),
        lambda x: F.binary_cross_entropy_with_logits(
            x, WANTED, reduction="none", pos_weight=autograd.ones(6)
        ),
        lambda x: F.soft_margin_loss(x, 2 * WANTED - 1, reduction="none"),
        lambda x: F.multilabel_soft_margin_loss(
            x.reshape(6, 1), WANTED.reshape(6, 1), reduction="none"
        ),
    ],
)
def test_scores_of_any_size(of):
    """No overflow, and no digit lost where the loss is tiny: 1e-13 is far below float32's eps."""
    x = EXTREMES.clone().requires_grad_()
    y = of(x)
    exact = [0.0, 0.0, 1e4, 1e4, 9.357622968839737e-14, 0.6931471805599453]
    np.testing.assert_allclose(y.detach().numpy(), exact, rtol=1e-6)
    (g,) = autograd.grad(y.sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy()[:4], [0.0, 0.0, 1.0, -1.0], rtol=1e-6)
    (h,) = autograd.grad(g.sum(), x)
    assert np.isfinite(h.numpy()).all()


def test_probabilities_of_zero_and_one():
    p = tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    y = F.binary_cross_entropy(p, tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
    assert y.tolist() == [0.0, 0.0, 100.0, 100.0]
    (g,) = autograd.grad(y.sum(), p)
    np.testing.assert_allclose(g.numpy(), [0.0, 0.0, -1e12, 1e12], rtol=1e-6)


def test_probabilities_of_zero_and_one_in_float16():
    p = Tensor(np.array([0.0, 1.0, 0.0, 1.0], np.float16), requires_grad=True)
    t = Tensor(np.array([0.0, 1.0, 1.0, 0.0], np.float16))
    y = F.binary_cross_entropy(p, t, reduction="none")
    assert y.tolist() == [0.0, 0.0, 100.0, 100.0]
    assert autograd.grad(y.sum(), p)[0].tolist() == [0.0, 0.0, -16384.0, 16384.0]


def test_differences_of_any_size():
    far = tensor([1e30, -1e30, 1e-30], requires_grad=True)
    y = F.huber_loss(far, autograd.zeros(3), reduction="none", delta=2.0)
    np.testing.assert_allclose(y.detach().numpy(), [2e30, 2e30, 0.0], rtol=1e-6)
    (g,) = autograd.grad(F.smooth_l1_loss(far, autograd.zeros(3), reduction="sum", beta=1e-5), far)
    np.testing.assert_allclose(g.numpy(), [1.0, -1.0, 1e-25], rtol=1e-6)


def test_cosines_of_long_vectors():
    long = tensor([3e15, 4e15], requires_grad=True)
    y = F.cosine_embedding_loss(long, long.detach(), tensor(1))
    assert y.item() == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(autograd.grad(y, long)[0].numpy()).all()


def test_a_zero_in_a_target_adds_nothing():
    q = tensor([[0.5, 0.5]], requires_grad=True)
    y = F.kl_div(q.log(), tensor([[1.0, 0.0]]), reduction="batchmean")
    assert y.item() == pytest.approx(np.log(2.0))
    assert autograd.grad(y, q)[0].tolist() == [[-2.0, 0.0]]


def test_counts_of_zero_have_no_factorial():
    t = tensor([0.0, 1.0], requires_grad=True)
    y = F.poisson_nll_loss(autograd.zeros(2), t, full=True)
    assert y.item() == 1.0
    assert autograd.grad(y, t)[0].tolist() == [0.0, 0.0]


def test_a_variance_below_eps_still_learns():
    var = tensor([0.0], requires_grad=True)
    y = F.gaussian_nll_loss(tensor([1.0]), tensor([1.0]), var, eps=0.5)
    assert autograd.grad(y, var)[0].tolist() == [1.0]


def test_a_variance_as_a_number():
    x, t = tensor([1.0, 2.0]), tensor([0.0, 0.0])
    y = F.gaussian_nll_loss(x, t, 2.0)
    assert y.item() == F.gaussian_nll_loss(x, t, tensor([2.0, 2.0])).item()


def test_empty_batches():
    nothing = autograd.zeros(0, 3)
    for of in (F.l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits, F.soft_margin_loss):
        assert of(nothing, nothing, reduction="sum").item() == 0.0
        assert of(nothing, nothing, reduction="none").shape == (0, 3)
    assert F.multi_margin_loss(nothing, np.zeros(0, int), reduction="none").shape == (0,)
    assert np.isnan(F.kl_div(nothing, nothing, reduction="batchmean").item())


# --- What is refused ------------------------------------------------------------------------------

X = autograd.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.smooth_l1_loss(X, X, beta=-1.0), ValueError, "beta .* -1"),
        (lambda: F.huber_loss(X, X, delta=0.0), ValueError, "delta .* 0"),
        (lambda: F.l1_loss(X, X, weight=autograd.ones(3)), ValueError, r"weight \(3,\)"),
        (lambda: F.binary_cross_entropy(X * 1.5, X), ValueError, "input .* 0 to 1"),
        (lambda: F.binary_cross_entropy(X, X - 2.0), ValueError, "target .* 0 to 1"),
        (lambda: F.binary_cross_entropy(X * np.nan, X), ValueError, "input .* 0 to 1"),
        (lambda: F.binary_cross_entropy(X, X, autograd.ones(2)), ValueError, r"weight \(2,\)"),
        (
            lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=autograd.ones(2, 2, 3)),
            ValueError,
            r"pos_weight \(2, 2, 3\) .* \(2, 3\)",
        ),
        (lambda: F.gaussian_nll_loss(X, X, -X), ValueError, "negative"),
        (lambda: F.gaussian_nll_loss(X, X, -1.0), ValueError, "negative"),
        (lambda: F.gaussian_nll_loss(X, X, autograd.ones(3)), ValueError, r"var \(3,\)"),
        (lambda: F.gaussian_nll_loss(X, X, autograd.ones(1, 1)), ValueError, r"var \(1, 1\)"),
        (lambda: F.gaussian_nll_loss(X, X, X, eps=0.0), ValueError, "eps"),
        (lambda: F.cosine_embedding_loss(X, X, X), ValueError, r"\(2, 3\)"),
        (lambda: F.multi_margin_loss(X, np.array([0, 3])), IndexError, "3 is out of range"),
        (lambda: F.multi_margin_loss(X, np.array([0, -1])), IndexError, "-1 is out of range"),
        (lambda: F.multi_margin_loss(X, np.array([0.0, 1.0])), TypeError, "integers"),
        (lambda: F.multi_margin_loss(X, np.array([0, 1]), p=3), ValueError, "p must be 1 or 2"),
        (
            lambda: F.multi_margin_loss(X, np.array([0, 1]), weight=autograd.ones(2)),
            ValueError,
            r"\(3,\), met \(2,\)",
        ),
        (lambda: F.multilabel_margin_loss(X, X), TypeError, "integers"),
        (lambda: F.multilabel_margin_loss(X, np.full((2, 3), 3)), IndexError, "out of range"),
        (lambda: F.multilabel_margin_loss(X, np.full((2, 3), -2)), IndexError, "out of range"),
        (lambda: F.triplet_margin_loss(X, X, X, margin=0.0), ValueError, "margin"),
        (lambda: nn.TripletMarginLoss(margin=-1.0), ValueError, "margin"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=0.0), ValueError, "margin"),
        (lambda: nn.MultiMarginLoss(p=0), ValueError, "p must be 1 or 2"),
        (lambda: F.l1_loss([1.0], X), TypeError, "l1_loss.*list"),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_old_switches_are_understood():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.BCEWithLogitsLoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert F.l1_loss(X, X, reduce=False).shape == (2, 3)
    with pytest.warns(UserWarning, match="reduction='mean'"):
        assert F.kl_div(X, X, True, reduction="sum").shape == ()


# --- Differences from PyTorch ---------------------------------------------------------------------


def test_the_mean_of_a_divergence_comes_without_a_warning():
    assert F.kl_div(X, X).item() == pytest.approx(-1.0)


def test_the_gradient_in_the_target_of_bce_is_that_of_the_clamped_logarithm():
    t = tensor([1.0, 0.0], requires_grad=True)
    y = F.binary_cross_entropy(tensor([0.0, 1.0]), t, reduction="sum")
    assert autograd.grad(y, t)[0].tolist() == [100.0, -100.0]


# --- Signatures -----------------------------------------------------------------------------------

FUNCTIONS = [*{name.partition(",")[0] for name in LOSSES}, "mse_loss", "nll_loss", "ctc_loss"]
MODULES = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss",
    "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss",
    "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss",
    "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


def arguments(call: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Names, kinds and defaults."""
    found = inspect.signature(call).parameters.values()
    return [(p.name, p.kind, p.default) for p in found]


@pytest.mark.parametrize("name", [*sorted(FUNCTIONS), "cross_entropy", *MODULES])
def test_arguments_are_pytorchs(torch, name):
    ours, theirs = (nn, torch.nn) if name in MODULES else (F, torch.nn.functional)
    assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name))
