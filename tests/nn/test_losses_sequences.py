"""ctc_loss: where probabilities are extreme, lengths do not fit, and PyTorch's gradient differs."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn.functional as F
from autograd import Tensor, tensor


def scores(*shape: int, scale: float = 1.0, dtype: type = np.float64) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(shape) * scale).astype(dtype)


TEXT = np.array([[1, 2]])


def log_probs(*shape: int) -> Tensor:
    return autograd.log_softmax(Tensor(scores(*shape)), -1)


@pytest.mark.parametrize("scale", [1.0, 1e3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_sequences_beside_pytorch(torch, scale, dtype):
    """At a scale of 1000 the paths differ by many orders of magnitude more than floats have."""
    moments, count, classes = 60, 4, 7
    texts = np.random.default_rng(1).integers(1, classes, (count, 12))
    lengths = (12, 3, 12, 7), (60, 41, 30, 8)
    x = Tensor(scores(moments, count, classes, scale=scale, dtype=dtype), requires_grad=True)
    y = F.ctc_loss(autograd.log_softmax(x, -1), texts, lengths[1], lengths[0], zero_infinity=True)
    y.backward()
    z = torch.tensor(x.detach().numpy().copy(), dtype=torch.float64, requires_grad=True)
    wanted = torch.nn.functional.ctc_loss(
        torch.log_softmax(z, -1), torch.tensor(texts), lengths[1], lengths[0], zero_infinity=True
    )
    wanted.backward()
    exact = 1e-9 if dtype is np.float64 else 1e-5 * scale
    assert y.dtype == dtype
    np.testing.assert_allclose(y.item(), wanted.item(), rtol=max(exact, 1e-9) / scale + 1e-9)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=exact, atol=exact)


def test_the_gradient_is_the_derivative_where_pytorch_adds_the_probabilities(torch):
    """PyTorch's is right after log_softmax only, which takes away what it adds."""
    x = log_probs(3, 1, 3).detach().requires_grad_()
    (g,) = autograd.grad(F.ctc_loss(x, TEXT, (3,), (2,), reduction="sum"), x)
    assert autograd.gradcheck(lambda v: F.ctc_loss(v, TEXT, (3,), (2,)), [x])
    z = torch.tensor(x.detach().numpy().copy(), requires_grad=True)
    torch.nn.functional.ctc_loss(z, torch.tensor(TEXT), (3,), (2,), reduction="sum").backward()
    np.testing.assert_allclose(g.numpy() + np.exp(x.detach().numpy()), z.grad.numpy(), rtol=1e-12)


def test_second_order():
    """Which PyTorch has not."""
    x = Tensor(scores(4, 2, 3), requires_grad=True)

    def loss(v: Tensor) -> Tensor:
        texts = np.array([[1, 1], [2, 1]])
        return F.ctc_loss(autograd.log_softmax(v, -1), texts, (4, 3), (2, 2))

    assert autograd.gradgradcheck(loss, [x])


@pytest.mark.parametrize("length", [1, 0])
def test_a_text_too_long_for_its_sequence(length):
    x = log_probs(3, 2, 3).detach().requires_grad_()
    texts, how = np.array([[1, 2], [2, 2]]), ((3, length), (2, 2))
    y = F.ctc_loss(x, texts, *how, reduction="none")
    assert np.isfinite(y[0].item())
    assert y[1].item() == np.inf
    (g,) = autograd.grad(y.sum(), x)
    assert np.isfinite(g.numpy()[:, 0]).all()
    assert np.isnan(g.numpy()[:, 1]).any()
    y = F.ctc_loss(x, texts, *how, reduction="none", zero_infinity=True)
    (g,) = autograd.grad(y.sum(), x, create_graph=True)
    (h,) = autograd.grad((g * g).sum(), x)
    assert y[1].item() == 0.0
    for array in (g.detach().numpy(), h.numpy()):
        assert np.isfinite(array).all()
        assert not array[:, 1].any()


def test_repeated_labels_need_a_blank_between():
    certain = tensor([[0.0, -np.inf], [0.0, -np.inf], [-np.inf, 0.0]]).flip(1)
    assert F.ctc_loss(certain, np.array([1]), 3, 1).item() == 0.0
    assert F.ctc_loss(certain, np.array([1, 1]), 3, 2).item() == np.inf


def test_impossible_classes_leave_finite_slopes():
    x = log_probs(4, 1, 3).detach()
    x = autograd.where(np.array([False, True, True]), x, -np.inf).requires_grad_()
    y = F.ctc_loss(x, TEXT, (4,), (2,))
    (g,) = autograd.grad(y, x, create_graph=True)
    (h,) = autograd.grad((g * g).sum(), x)
    assert np.isfinite(y.item())
    assert np.isfinite(g.detach().numpy()).all()
    assert np.isfinite(h.numpy()).all()


def test_nothing_to_say():
    x = log_probs(3, 2, 3)
    y = F.ctc_loss(x, np.zeros((2, 0), np.int64), (3, 2), (0, 0), reduction="none")
    blanks = x.numpy()[:, :, 0]
    np.testing.assert_allclose(y.numpy(), [-blanks[:, 0].sum(), -blanks[:2, 1].sum()])
    assert F.ctc_loss(log_probs(3, 0, 3), np.zeros((0, 2), int), (), (), reduction="sum") == 0.0


def test_padding_may_be_anything():
    x = log_probs(4, 1, 3)
    wanted = F.ctc_loss(x, np.array([[1]]), (4,), (1,)).item()
    for padding in (0, -1, 99):
        assert F.ctc_loss(x, np.array([[1, padding]]), (4,), (1,)).item() == wanted


X = log_probs(4, 2, 3)
PAIR = np.array([[1, 2], [2, 1]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.ctc_loss(X, PAIR, (5, 4), (2, 2)), ValueError, "input_lengths .* 0 to 4, met 5"),
        (lambda: F.ctc_loss(X, PAIR, (4, -1), (2, 2)), ValueError, "input_lengths .* met -1"),
        (lambda: F.ctc_loss(X, PAIR, (4, 4), (3, 2)), ValueError, "target_lengths .* 0 to 2"),
        (lambda: F.ctc_loss(X, PAIR, (4,), (2, 2)), ValueError, "expected 2 input_lengths"),
        (lambda: F.ctc_loss(X, PAIR, (4.0, 4.0), (2, 2)), TypeError, "input_lengths .* integers"),
        (lambda: F.ctc_loss(X, PAIR * 1.0, (4, 4), (2, 2)), TypeError, "targets .* integers"),
        (lambda: F.ctc_loss(X, PAIR * 2, (4, 4), (2, 2)), IndexError, "class 4 in targets"),
        (lambda: F.ctc_loss(X, -PAIR, (4, 4), (2, 2)), IndexError, "class -1 in targets"),
        (lambda: F.ctc_loss(X, PAIR, (4, 4), (2, 2), 1), ValueError, "hold the blank, 1"),
        (lambda: F.ctc_loss(X, PAIR, (4, 4), (2, 2), 3), IndexError, "blank 3"),
        (lambda: F.ctc_loss(X, PAIR[:1], (4, 4), (2, 2)), ValueError, r"targets \(1, 2\)"),
        (lambda: F.ctc_loss(X, PAIR[0], (4, 4), (2, 2)), ValueError, "sum 4"),
        (lambda: F.ctc_loss(X[0, 0], PAIR, (4, 4), (2, 2)), ValueError, r"\(T, N, C\)"),
        (lambda: F.ctc_loss(X[:0], PAIR, (0, 0), (2, 2)), ValueError, "not empty"),
        (lambda: F.ctc_loss(X, PAIR, (4, 4), (2, 2), 0, "average"), ValueError, "'average'"),
        (
            lambda: F.ctc_loss(autograd.ones(4, 2, 3).to(np.int64), PAIR, (4, 4), (2, 2)),
            TypeError,
            "floats",
        ),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
