"""nn.functional beyond what its modules show: second order, dtypes, errors, transforms."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F


def drawn(*shape, grad=True, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return autograd.tensor(values, requires_grad=grad)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.instance_norm(x, weight=drawn(3, grad=False), bias=drawn(3, grad=False)),
        lambda x: F.instance_norm(x, eps=0.1),
        lambda x: F.rms_norm(x, (2, 4), drawn(2, 4, grad=False), 0.1),
        lambda x: F.alpha_dropout(x, 0.3, True, generator=autograd.Generator(0)),
        lambda x: F.dropout2d(x, 0.3, True, generator=autograd.Generator(0)),
        lambda x: F.fractional_max_pool2d(x, 2, (1, 2), generator=autograd.Generator(0)),
        lambda x: F.gumbel_softmax(x, 0.7, generator=autograd.Generator(0)),
    ],
)
def test_second_order(function):
    assert autograd.gradgradcheck(function, [drawn(2, 3, 2, 4)])


def test_statistics_of_instances():
    x = drawn(4, 3, 5)
    mean, var = autograd.zeros(3, dtype=np.float64), autograd.ones(3, dtype=np.float64)
    F.instance_norm(x, mean, var, momentum=0.25).sum().backward()
    values = x.detach().numpy()
    np.testing.assert_allclose(mean.numpy(), 0.25 * values.mean((0, 2)))
    expected = 0.75 + 0.25 * values.var(2, ddof=1).mean(0)
    np.testing.assert_allclose(var.numpy(), expected)
    before = mean.tolist()
    for bad in (
        lambda: F.instance_norm(x, mean),
        lambda: F.instance_norm(x, mean[:2], var),
        lambda: F.instance_norm(x[:, :, :1], mean, var),
        lambda: F.instance_norm(x[0], mean, var),
        lambda: F.instance_norm(x, use_input_stats=False),
        lambda: autograd.func.vmap(lambda v: F.instance_norm(v, mean, var))(x[None]),
    ):
        with pytest.raises(ValueError, match="_norm: "):
            bad()
    assert mean.tolist() == before


def test_float32_stays():
    x = autograd.randn(2, 3, 4, 4)
    for y in (
        F.instance_norm(x),
        F.rms_norm(x, 4),
        F.alpha_dropout(x, training=True),
        F.feature_alpha_dropout(x, training=True),
        F.dropout2d(x),
        F.fractional_max_pool2d(x, 2, 2),
        F.gumbel_softmax(x),
    ):
        assert y.dtype == np.float32


def test_integers_are_refused():
    x = autograd.tensor(np.ones((2, 3, 4, 4), np.int64))
    for function in (
        F.instance_norm,
        lambda v: F.alpha_dropout(v, training=True),
        lambda v: F.feature_alpha_dropout(v, training=True),
        lambda v: F.dropout1d(v[0]),
        F.dropout2d,
        F.dropout3d,
        F.gumbel_softmax,
    ):
        with pytest.raises(TypeError, match="floating-point"):
            function(x)


def test_root_mean_squares_of_the_extremes():
    x = np.array([1e-30, 1e-30], np.float32)
    np.testing.assert_allclose(F.rms_norm(autograd.tensor(x), 2).numpy(), 2.8963e-27, 1e-4)
    assert F.rms_norm(autograd.zeros(0, 3), 3).shape == (0, 3)
    with pytest.raises(TypeError, match="rms_norm"):
        F.rms_norm(autograd.tensor([1, 2]), 2)
    with pytest.raises(ValueError, match="weight"):
        F.rms_norm(autograd.ones(2), 2, autograd.ones(3))


def test_fractional_pools_by_the_seed():
    x = drawn(1, 2, 9, 9, grad=False)
    y, places = F.fractional_max_pool2d(x, 3, 4, return_indices=True)
    np.testing.assert_array_equal(
        x.reshape(2, 81).gather(1, places.reshape(2, 16)), y.reshape(2, 16)
    )
    pools = [
        F.fractional_max_pool2d(x, 3, 5, generator=autograd.Generator(s)).tolist()
        for s in (0, 0, 3)
    ]
    assert pools[0] == pools[1] != pools[2]
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "output_size or output_ratio"),
        ({"output_size": 8}, "do not fit"),
        ({"output_ratio": (0.5, 0.5, 0.5)}, "output_ratio"),
        ({"output_size": 4, "_random_samples": np.ones((2, 2))}, "_random_samples"),
    ]
    for options, words in refused:
        with pytest.raises(ValueError, match=words):
            F.fractional_max_pool2d(x, 3, **options)


def test_a_fractional_window_may_be_as_large_as_the_volume():
    # PyTorch takes this of images, but not of volumes.
    x = drawn(1, 2, 2, 2, grad=False)
    y = F.fractional_max_pool3d(x, 2, output_size=1)
    assert y.item() == x.max().item()


# In PyTorch these begin with arguments of another kind, or are not functions that can be asked.
OTHERS = {"one_hot", "normalize", "softmax", "log_softmax", "softmin"}


def test_signatures_are_pytorchs(torch):
    """Names, order and defaults; ours may take more by keyword (`generator=`, `axis=`)."""
    compared = 0
    for name in sorted(set(dir(F)) - OTHERS):
        ours, theirs = getattr(F, name), getattr(torch.nn.functional, name, None)
        if name.startswith("_") or theirs is None or not inspect.isfunction(theirs):
            continue
        wanted = list(inspect.signature(theirs).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL for p in wanted):
            continue
        have = list(inspect.signature(ours).parameters.values())
        have = [p for p in have if p.kind is not p.KEYWORD_ONLY or p.name in dict.fromkeys(
            q.name for q in wanted)]  # fmt: skip
        if name in ("sigmoid", "tanh"):  # whose one argument goes by position
            continue
        assert [(p.name, p.default) for p in have] == [(p.name, p.default) for p in wanted], name
        compared += 1
    assert compared > 40


def test_modules_take_pytorchs_arguments(torch):
    for name in sorted(dir(nn)):
        ours, theirs = getattr(nn, name), getattr(torch.nn, name, None)
        if not (inspect.isclass(ours) and theirs is not None and issubclass(ours, nn.Module)):
            continue
        if name in ("Module", "Identity", "Sequential", "LogSigmoid"):
            continue
        wanted = list(inspect.signature(theirs).parameters)
        if wanted == ["args", "kwargs"]:
            continue
        have = inspect.signature(ours).parameters
        assert [n for n in have if n in wanted] == wanted, name
        assert all(p.default is not p.empty for n, p in have.items() if n not in wanted), name
