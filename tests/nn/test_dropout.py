"""Random functions: which elements dropout drops, what Gumbel's noise draws."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F

ONES = np.ones((40, 30, 2, 2))


@pytest.mark.parametrize(
    ("drop", "shape"),
    [
        (F.dropout1d, (40, 30, 4)),
        (F.dropout2d, (40, 30, 2, 2)),
        (F.dropout2d, (40, 30, 4)),
        (F.dropout3d, (40, 30, 1, 2, 2)),
    ],
)
def test_whole_channels_go(drop, shape):
    x = autograd.tensor(np.ones(shape), requires_grad=True)
    y = drop(x, 0.25, generator=autograd.Generator(0))
    channels = y.detach().numpy().reshape(40, 30, -1)
    assert (channels == channels[..., :1]).all()
    assert {float(v) for v in np.unique(channels)} == {0.0, 1 / 0.75}
    assert abs((channels == 0).mean() - 0.25) < 0.05
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


@pytest.mark.parametrize(("drop", "shape"), [(F.dropout1d, (50, 6)), (F.dropout3d, (50, 2, 2, 2))])
def test_channels_without_a_batch(drop, shape):
    y = drop(autograd.ones(*shape), 0.5, generator=autograd.Generator(0)).numpy().reshape(50, -1)
    assert (y == y[:, :1]).all()
    assert 0 < (y == 0).mean() < 1


def test_alpha_dropout_keeps_mean_and_variance():
    x = autograd.tensor(np.random.default_rng(0).standard_normal((400, 50, 4)))
    for drop in (F.alpha_dropout, F.feature_alpha_dropout):
        y = drop(x, 0.3, True, generator=autograd.Generator(1)).numpy()
        assert abs(y.mean()) < 0.03
        assert abs(y.std() - 1) < 0.03
    values, counts = np.unique(y, return_counts=True)
    dropped = (y == values[counts.argmax()]).reshape(400, 50, 4)
    assert (dropped == dropped[..., :1]).all()
    assert abs(dropped.mean() - 0.3) < 0.02


def test_modules_draw_in_training_only_and_by_the_seed():
    for layer in (nn.Dropout2d(), nn.AlphaDropout(), nn.FeatureAlphaDropout(), nn.Dropout3d()):
        x = autograd.ones(4, 8, 2, 2, 2)
        if isinstance(layer, nn.Dropout2d):
            x = x[..., 0]
        autograd.manual_seed(3)
        first = layer(x).numpy()
        autograd.manual_seed(3)
        np.testing.assert_array_equal(layer(x).numpy(), first)
        assert first.dtype == np.float32
        assert (first != layer.eval()(x).numpy()).any()
        assert layer(x) is x


def test_wrong_dimensions():
    with pytest.raises(RuntimeError, match="dropout1d"):
        F.dropout1d(autograd.ones(2, 2, 2, 2))
    with pytest.warns(UserWarning, match="dropout2d"):
        F.dropout2d(autograd.ones(2, 2))
    with pytest.warns(UserWarning, match="dropout3d"):
        F.dropout3d(autograd.ones(2, 2))
    with pytest.raises(ValueError, match="feature_alpha_dropout"):
        F.feature_alpha_dropout(autograd.ones(2), training=True)
    for drop in (F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout):
        with pytest.raises(ValueError, match="p must be"):
            drop(autograd.ones(2, 2, 2, 2)[0] if drop is F.dropout1d else ONES, -0.1)


def test_gumbel_draws_by_the_probabilities():
    odds = np.array([0.1, 0.6, 0.3])
    logits = autograd.tensor(np.tile(np.log(odds), (4000, 1)), requires_grad=True)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True, generator=autograd.Generator(0))
    drawn = hard.detach().numpy()
    np.testing.assert_allclose(drawn.max(1), 1.0)
    np.testing.assert_allclose(drawn.mean(0), odds, atol=0.03)
    soft = F.gumbel_softmax(logits, tau=0.5, generator=autograd.Generator(0))
    np.testing.assert_array_equal(soft.detach().numpy().argmax(1), drawn.argmax(1))
    weights = autograd.tensor(np.arange(3.0))
    (of_hard,) = autograd.grad((hard * weights).sum(), logits)
    (of_soft,) = autograd.grad((soft * weights).sum(), logits)
    np.testing.assert_allclose(of_hard.numpy(), of_soft.numpy())
    single = F.gumbel_softmax(autograd.zeros(2, 5), dim=0, hard=True)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.numpy().sum(0), 1.0, rtol=1e-6)
    with pytest.warns(UserWarning, match="eps"):
        F.gumbel_softmax(autograd.zeros(2), eps=0.1)
