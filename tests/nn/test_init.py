"""Initial values: formulas, bounds, moments, seeds."""

from __future__ import annotations

import inspect
import math
from statistics import NormalDist

import numpy as np
import pytest

import autograd
import nn
from nn import init

RANDOM = [
    init.uniform_,
    init.normal_,
    init.trunc_normal_,
    init.xavier_uniform_,
    init.xavier_normal_,
    init.kaiming_uniform_,
    init.kaiming_normal_,
]
SHAPE = (60, 10, 5, 4)  # fan-in 200, fan-out 1200


def filled(fill, *args, shape=SHAPE, **kwargs):
    tensor = autograd.zeros(*shape)
    assert fill(tensor, *args, **kwargs) is tensor
    return tensor.numpy().astype(np.float64)


@pytest.mark.parametrize("fill", RANDOM)
def test_seeds_decide(fill):
    autograd.manual_seed(5)
    a = filled(fill)
    autograd.manual_seed(5)
    np.testing.assert_array_equal(filled(fill), a)
    np.testing.assert_array_equal(filled(fill, generator=autograd.Generator(5)), a)
    assert (filled(fill) != a).any()


@pytest.mark.parametrize("fill", RANDOM)
def test_parameters_are_filled_outside_the_graph(fill):
    p = nn.Parameter(np.zeros((3, 4)))
    array = p.array()
    fill(p)
    assert p.is_leaf
    assert p.requires_grad
    assert p.array() is array
    assert array.dtype == np.float64
    assert array.any()
    with pytest.raises(TypeError, match="Tensor"):
        fill(np.zeros((3, 4)))


def test_constants():
    assert (filled(init.ones_) == 1).all()
    assert (filled(init.constant_, 2.5) == 2.5).all()
    assert (filled(init.zeros_) == 0).all()
    np.testing.assert_array_equal(filled(init.eye_, shape=(2, 3)), np.eye(2, 3))
    with pytest.raises(ValueError, match="2 dimensions"):
        init.eye_(autograd.zeros(3))


def check_uniform(values, low, high):
    assert values.min() >= low - 1e-6
    assert values.max() <= high + 1e-6
    width = high - low
    assert values.min() < low + 0.01 * width
    assert values.max() > high - 0.01 * width
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.02 * width)
    assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.03)


def check_normal(values, mean, std):
    assert values.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(values.size))
    assert values.std() == pytest.approx(std, rel=0.03)
    inside = (abs(values - mean) < std).mean()
    assert inside == pytest.approx(0.6827, abs=0.02)


def test_uniform_and_normal():
    check_uniform(filled(init.uniform_, -2.0, 3.0), -2.0, 3.0)
    check_normal(filled(init.normal_, 1.0, 0.5), 1.0, 0.5)


def test_xavier():
    bound = 2.0 * math.sqrt(6 / 1400)
    check_uniform(filled(init.xavier_uniform_, 2.0), -bound, bound)
    check_normal(filled(init.xavier_normal_, 2.0), 0.0, 2.0 * math.sqrt(2 / 1400))


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 200), ("fan_out", 1200)])
def test_kaiming(mode, fan):
    bound = math.sqrt(2.0) * math.sqrt(3 / fan)
    check_uniform(filled(init.kaiming_uniform_, 0, mode, "relu"), -bound, bound)
    check_normal(filled(init.kaiming_normal_, 0, mode), 0.0, math.sqrt(2 / fan))
    slope = math.sqrt(5)
    bound = math.sqrt(2 / 6) * math.sqrt(3 / fan)
    check_uniform(filled(init.kaiming_uniform_, slope, mode), -bound, bound)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0.0, 1.0, -2.0, 2.0),
        (0.0, 0.02, -2.0, 2.0),
        (1.0, 2.0, 0.0, 1.5),
        (0.0, 1.0, -0.05, 0.05),
        (0.0, 1.0, 3.0, 50.0),
        (0.0, 1.0, 3.0, 3.1),
        (5.0, 2.0, -60.0, -2.0),
        (0.0, 1.0, -math.inf, 0.5),
    ],
)
def test_truncated_normal_has_the_right_distribution(mean, std, a, b):
    values = filled(init.trunc_normal_, mean, std, a, b, shape=(20000,))
    assert values.min() >= np.float32(a)
    assert values.max() <= np.float32(b)
    # By quantiles: the distribution function of a truncated normal, here on the side of its
    # lower tail, where it is exact.
    normal = NormalDist()
    low, high, u = (a - mean) / std, (b - mean) / std, (values - mean) / std
    if low + high > 0:
        low, high, u = -high, -low, -u
    bottom, top = normal.cdf(low), normal.cdf(high)
    for q in (0.1, 0.25, 0.5, 0.75, 0.9):
        at = normal.inv_cdf(bottom + q * (top - bottom))
        assert (u <= at).mean() == pytest.approx(q, abs=0.015)


def test_wrong_arguments():
    x = autograd.zeros(2, 2)
    for act, words in [
        (lambda: init.uniform_(x, 2.0, 1.0), "a <= b"),
        (lambda: init.uniform_(x, math.nan, 1.0), "a <= b"),
        (lambda: init.normal_(x, 0.0, -1.0), "std"),
        (lambda: init.trunc_normal_(x, a=1.0, b=1.0), "a < b"),
        (lambda: init.trunc_normal_(x, std=0.0), "std"),
        (lambda: init.xavier_uniform_(autograd.zeros(2)), "2 dimensions"),
        (lambda: init.kaiming_normal_(autograd.zeros(2)), "2 dimensions"),
        (lambda: init.kaiming_normal_(x, mode="fan"), "mode"),
        (lambda: init.kaiming_normal_(x, nonlinearity="gelu"), "gelu"),
        (lambda: init.calculate_gain("leaky_relu", True), "slope"),
    ]:
        with pytest.raises(ValueError, match=words):
            act()
    assert not x.numpy().any()


def test_an_empty_tensor_is_left_with_a_warning():
    with pytest.warns(UserWarning, match="no elements"):
        init.kaiming_uniform_(autograd.zeros(3, 0))
    assert nn.Linear(0, 3).get_parameter("bias").tolist() == [0.0, 0.0, 0.0]  # and no warning here


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 4), (4, 2, 3), (1, 5), (5, 1)])
def test_orthogonal_rows_or_columns(shape):
    x = init.orthogonal_(autograd.zeros(*shape, dtype=np.float64), 2.0, autograd.Generator(0))
    matrix = x.numpy().reshape(shape[0], -1)
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, 4.0 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_uniform():
    # A rotation of 2 by 2 has a uniform angle, and is a reflection half of the time.
    source = autograd.Generator(0)
    drawn = [init.orthogonal_(autograd.zeros(2, 2), generator=source).numpy() for _ in range(400)]
    angles = np.array([math.atan2(m[1, 0], m[0, 0]) for m in drawn])
    assert abs(np.mean(np.exp(1j * angles))) < 0.15
    assert abs(np.mean([np.linalg.det(m) for m in drawn])) < 0.15


def test_sparse_columns():
    x = init.sparse_(
        autograd.zeros(100, 50), 0.314, std=2.0, generator=autograd.Generator(0)
    ).numpy()
    assert ((x == 0).sum(0) == 32).all()
    assert x[x != 0].std() == pytest.approx(2.0, rel=0.05)
    assert len(set(map(tuple, (x == 0).T.tolist()))) > 40  # each column has its own places
    assert (init.sparse_(autograd.ones(3, 2), 1.0).numpy() == 0).all()


@pytest.mark.parametrize(
    ("groups", "shape"), [(1, (4, 3, 3)), (2, (4, 3, 2, 3)), (4, (4, 1, 1, 2, 3))]
)
def test_dirac_passes_channels_on(torch, groups, shape):
    ours = init.dirac_(autograd.ones(*shape), groups)
    theirs = torch.nn.init.dirac_(torch.ones(*shape), groups)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda: init.dirac_(autograd.ones(2, 2)), "dimensions"),
        (lambda: init.dirac_(autograd.ones(3, 2, 1), 2), "groups"),
        (lambda: init.orthogonal_(autograd.ones(2)), "2 dimensions"),
        (lambda: init.sparse_(autograd.ones(2), 0.1), "matrix"),
        (lambda: init.sparse_(autograd.ones(2, 2), 1.5), "sparsity"),
        (lambda: init.sparse_(autograd.ones(2, 2), 0.5, -1.0), "std"),
    ],
)
def test_patterns_that_do_not_fit(fill, words):
    with pytest.raises(ValueError, match=words):
        fill()


def test_patterns_take_parameters_and_empty_tensors():
    weight = nn.Parameter(autograd.ones(2, 3))
    assert init.orthogonal_(weight) is weight
    assert weight.grad is None
    assert init.orthogonal_(autograd.ones(0, 3)).shape == (0, 3)
    with pytest.raises(TypeError, match="expected a Tensor"):
        init.dirac_(np.ones((1, 1, 1)))  # pyright: ignore[reportArgumentType] - wrong on purpose


# ------------------------------------------------------------------ against torch


def test_gains_are_torchs(torch):
    for name in [*init.GAINS, "leaky_relu"]:
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


def test_signatures_are_torchs(torch):
    for fill in [
        *RANDOM,
        init.constant_,
        init.ones_,
        init.zeros_,
        init.eye_,
        init.calculate_gain,
        init.dirac_,
        init.orthogonal_,
        init.sparse_,
    ]:
        theirs = getattr(torch.nn.init, fill.__name__)
        shape = [(p.name, p.default) for p in inspect.signature(fill).parameters.values()]
        wanted = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
        assert shape == wanted


@pytest.mark.parametrize("name", [fill.__name__ for fill in RANDOM])
def test_moments_are_torchs(torch, name):
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, name)(torch.empty(SHAPE)).numpy()
    ours = filled(getattr(init, name))
    spread = float(theirs.std())
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.05 * spread)
    assert ours.std() == pytest.approx(spread, rel=0.03)
    quantiles = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(
        np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.08 * spread
    )
