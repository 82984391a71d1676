"""Tensors from data, formulas and random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd


@pytest.mark.parametrize(
    ("made", "values", "dtype"),
    [
        (lambda: autograd.full((2, 1), 3), [[3], [3]], np.int64),
        (lambda: autograd.full((2,), True), [True, True], np.bool_),
        (lambda: autograd.full_like(autograd.ones(2), 3), [3.0, 3.0], np.float32),
        (lambda: autograd.zeros_like(autograd.ones(2), dtype=np.int64), [0, 0], np.int64),
        (lambda: autograd.scalar_tensor(3), 3.0, np.float32),
        (lambda: autograd.arange(5, 0, -2), [5, 3, 1], np.int64),
        (lambda: autograd.arange(0.0, 1.0, 0.5), [0.0, 0.5], np.float32),
        (lambda: autograd.arange(2, 2), [], np.int64),
        (lambda: autograd.linspace(1, 2, 1), [1.0], np.float32),
        (lambda: autograd.eye(2, 3), [[1, 0, 0], [0, 1, 0]], np.float32),
        (lambda: autograd.ones(2, dtype=np.float64).new_zeros(1, 2), [[0.0, 0.0]], np.float64),
        (lambda: autograd.ones(2).new_ones((2,), dtype=np.int64), [1, 1], np.int64),
        (lambda: autograd.tensor([1]).new_full((2,), 7), [7, 7], np.int64),
    ],
)
def test_values(made, values, dtype):
    tensor = made()
    assert tensor.dtype == dtype
    assert tensor.tolist() == values


@pytest.mark.parametrize(
    "made",
    [
        lambda: autograd.zeros(2, requires_grad=True),
        lambda: autograd.empty(2, requires_grad=True),
        lambda: autograd.eye(2, requires_grad=True),
        lambda: autograd.ones_like(autograd.zeros(2), requires_grad=True),
        lambda: autograd.linspace(0, 1, 3, requires_grad=True),
        lambda: autograd.rand_like(autograd.zeros(2), requires_grad=True),
        lambda: autograd.zeros(2).new_ones(2, requires_grad=True),
    ],
)
def test_a_new_tensor_may_require_grad(made):
    tensor = made()
    assert tensor.is_leaf
    (tensor * 2.0).sum().backward()
    assert tensor.grad is not None


@pytest.mark.parametrize("arguments", [(0, 5, -1), (5, 0), (0, 5, 0)])
def test_arange_that_leads_nowhere(arguments):
    with pytest.raises(ValueError, match="no steps of"):
        autograd.arange(*arguments)


def test_conversions_and_what_they_say():
    x = autograd.tensor([1.5, -2.5])
    assert [t.dtype for t in (x.half(), x.int(), x.long(), x.double(), x.bool())] == [
        np.dtype(d) for d in (np.float16, np.int32, np.int64, np.float64, np.bool_)
    ]
    assert autograd.result_type(autograd.tensor([1]), 1.5) == np.float32
    assert autograd.result_type(autograd.tensor([1.0]), autograd.tensor(1.0, np.float64)) == "f4"
    assert autograd.can_cast(np.bool_, np.int32)
    assert not autograd.can_cast(np.float32, np.bool_)
    assert autograd.is_tensor(x)
    assert not autograd.is_tensor(x.array())


# --- Random numbers -----------------------------------------------------------------------------


def drawn(seed: int) -> list[Any]:
    generator = autograd.Generator(seed)
    return [
        autograd.rand(3, generator=generator).tolist(),
        autograd.randn(3, generator=generator).tolist(),
        autograd.randint(10, (3,), generator=generator).tolist(),
        autograd.randperm(5, generator=generator).tolist(),
        autograd.normal(0.0, 1.0, (3,), generator=generator).tolist(),
        autograd.bernoulli(autograd.full((5,), 0.5), generator=generator).tolist(),
        autograd.multinomial(autograd.ones(5), 3, generator=generator).tolist(),
        autograd.zeros(3).uniform_(-1.0, 1.0, generator=generator).tolist(),
        autograd.zeros(5).bernoulli_(0.5, generator=generator).tolist(),
    ]


def test_one_seed_gives_the_same_numbers_again():
    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_the_numbers_of_a_seed_stay_what_they_are():
    # PCG64 is the same on every platform; a change here changes everybody's runs.
    generator = autograd.Generator(0)
    assert autograd.rand(2, generator=generator, dtype=np.float64).tolist() == [
        0.6369616873214543,
        0.2697867137638703,
    ]
    assert autograd.randint(100, (4,), generator=generator).tolist() == [30, 4, 7, 1]


def test_means_and_deviations():
    autograd.manual_seed(0)
    means = autograd.tensor([-5.0, 5.0])
    x = autograd.normal(means.reshape(2, 1).expand(2, 4000), 0.5).numpy()
    assert np.allclose(x.mean(1), [-5.0, 5.0], atol=0.05)
    assert np.allclose(x.std(1), 0.5, atol=0.05)
    assert autograd.normal(0.0, 1.0, (2, 3)).shape == (2, 3)
    p = autograd.tensor([0.0, 0.25, 1.0]).reshape(3, 1).expand(3, 4000)
    assert np.allclose(autograd.bernoulli(p).numpy().mean(1), [0.0, 0.25, 1.0], atol=0.03)


def test_multinomial_follows_its_weights():
    autograd.manual_seed(0)
    weights = autograd.tensor([[1.0, 0.0, 3.0], [2.0, 2.0, 0.0]])
    drawn = autograd.multinomial(weights, 4000, replacement=True).numpy()
    shares = np.stack([np.bincount(row, minlength=3) / 4000 for row in drawn])
    assert np.allclose(shares, [[0.25, 0.0, 0.75], [0.5, 0.5, 0.0]], atol=0.03)
    firsts = [int(autograd.multinomial(weights[0], 2)[0]) for _ in range(1000)]
    assert np.isclose(np.mean(firsts), 1.5, atol=0.12)  # 2 in three of four draws, else 0
    without = autograd.multinomial(weights, 2)
    assert sorted(without[0].tolist()) == [0, 2]
    assert sorted(without[1].tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: autograd.multinomial(autograd.tensor([1.0, 0.0]), 2), "fewer weights"),
        (lambda: autograd.multinomial(autograd.tensor([1.0, -1.0]), 1), "not negative"),
        (lambda: autograd.multinomial(autograd.tensor([1.0, float("nan")]), 1), "finite"),
        (lambda: autograd.multinomial(autograd.ones(2, 2, 2), 1), r"met \(2, 2, 2\)"),
        (lambda: autograd.multinomial(autograd.ones(2), 0), "at least 1"),
        (lambda: autograd.bernoulli(autograd.tensor([0.5, 1.5])), "from 0 to 1"),
        (lambda: autograd.normal(0.0, -1.0, (2,)), "must not be negative"),
        (lambda: autograd.randint(3, 3, (2,)), "no integer"),
    ],
)
def test_what_cannot_be_drawn(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parity
def test_creation_as_in_torch():
    torch = pytest.importorskip("torch")
    like = torch.ones(2, 3, dtype=torch.float64)
    ours = autograd.ones(2, 3, dtype=np.float64)
    for call in (
        lambda lib, x: lib.full_like(x, 2),
        lambda lib, x: lib.zeros_like(x),
        lambda lib, x: x.new_full((2,), 3),
        lambda lib, x: x.new_zeros(2, 1),
        lambda lib, x: lib.eye(3, 2),
        lambda lib, x: lib.arange(1, 7, 2),
        lambda lib, x: lib.arange(0.5, 2.0, 0.5),
        lambda lib, x: lib.linspace(-1, 1, 5),
        lambda lib, x: lib.scalar_tensor(2),
        lambda lib, x: lib.full((2,), 2),
        lambda lib, x: x.int(),
        lambda lib, x: x.half(),
    ):
        a, b = call(autograd, ours), call(torch, like)
        assert a.tolist() == b.tolist()
        assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
    kinds = {np.float32: torch.float32, np.float64: torch.float64, np.int64: torch.int64}
    kinds |= {np.bool_: torch.bool, np.int32: torch.int32}
    for a, x in kinds.items():
        for b, y in kinds.items():
            assert autograd.can_cast(a, b) == torch.can_cast(x, y), (a, b)
            found = autograd.result_type(autograd.ones(2, dtype=a), autograd.ones(2, dtype=b))
            wanted = torch.result_type(torch.ones(2, dtype=x), torch.ones(2, dtype=y))
            assert str(found) == str(wanted).removeprefix("torch.")


# --- Printing -----------------------------------------------------------------------------------


@pytest.fixture
def options():
    yield
    autograd.set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "tensor([0.5000, 1.2346])"),
        ({"precision": 1}, "tensor([0.5, 1.2])"),
        ({"sci_mode": True}, "tensor([5.0000e-01, 1.2346e+00])"),
        ({"sci_mode": True, "precision": 2}, "tensor([5.00e-01, 1.23e+00])"),
        ({"profile": "short"}, "tensor([0.50, 1.23])"),
        ({"profile": "short", "precision": 3}, "tensor([0.500, 1.235])"),
    ],
)
def test_print_options(options, given, text):
    autograd.set_printoptions(**given)
    assert repr(autograd.tensor([0.5, 1.23456])) == text


def test_long_tensors_are_shortened_where_they_are_told(options):
    x = autograd.arange(20)
    autograd.set_printoptions(threshold=10, edgeitems=2)
    assert repr(x) == "tensor([ 0,  1,  ..., 18, 19])"
    autograd.set_printoptions(profile="full", linewidth=40)
    assert "..." not in repr(autograd.arange(3000))
    assert max(map(len, repr(x).splitlines())) <= 40


@pytest.mark.parametrize(
    ("given", "message"),
    [({"precision": -1}, "precision must not be negative"), ({"profile": "long"}, "profile must")],
)
def test_print_options_that_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        autograd.set_printoptions(**given)


def test_the_one_device():
    here = autograd.device("cuda" if autograd.cuda.is_available() else "cpu")
    x = autograd.zeros(2, device=here)
    assert x.device == here == "cpu"
    assert x.to(here) is x.cpu() is x
    assert x.to("cpu", autograd.float64).dtype == autograd.float64
    assert x.to(autograd.ones(1, dtype=np.float64)).dtype == np.float64
    copied = x.to(autograd.float32, copy=True)
    assert copied is not x
    assert not np.shares_memory(copied.numpy(), x.numpy())
    for make in (
        lambda device: autograd.tensor([1.0], device=device),
        lambda device: autograd.rand(2, device=device),
        lambda device: x.new_ones(2, device=device),
        lambda device: x.to(device),
        autograd.device,
    ):
        make("cpu")
        with pytest.raises(RuntimeError, match="no device 'cuda:0' here"):
            make("cuda:0")
    with pytest.raises(TypeError, match="bogus"):
        x.to(bogus=1)
