"""Creation, dtypes, modes and printing beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool", "float16")


def same(ours: Any, theirs: Any) -> None:
    assert ours.shape == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())


CREATED: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("eye", (3,), {}),
    ("eye", (2, 4), {}),
    ("eye", (4, 2), {"dtype": "int64"}),
    ("eye", (0,), {}),
    ("eye", (2, 0), {"requires_grad": True}),
    ("scalar_tensor", (3,), {}),
    ("scalar_tensor", (2.5,), {"dtype": "float64"}),
    ("scalar_tensor", (True,), {}),
    ("full", ((2, 3), 7), {}),
    ("full", ((), True), {}),
    ("full", ((2,), 1.5), {"dtype": "int64"}),
    ("as_tensor", ([1, 2],), {}),
    ("as_tensor", ([1.0, 2],), {}),
    ("as_tensor", ([[True], [False]],), {}),
    ("as_tensor", (3,), {"dtype": "float64"}),
    ("arange", (2, 5), {}),
    ("arange", (1.0, 2.0, 0.25), {}),
    ("linspace", (0, 1, 5), {}),
    ("linspace", (3, 3, 1), {"dtype": "float64"}),
]


@pytest.mark.parametrize(("name", "args", "options"), CREATED)
def test_what_is_made(torch, name, args, options):
    theirs = {k: getattr(torch, v) if k == "dtype" else v for k, v in options.items()}
    same(getattr(autograd, name)(*args, **options), getattr(torch, name)(*args, **theirs))


@pytest.mark.parametrize("dtype", DTYPES)
def test_made_like_another(torch, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    ours, theirs = autograd.from_numpy(array), torch.from_numpy(array)
    same(ours, theirs)
    assert np.shares_memory(ours.numpy(), array)
    for other in (None, "float64", "int64"):
        here: dict[str, Any] = {"dtype": other} if other else {}
        there = {"dtype": getattr(torch, other)} if other else {}
        same(autograd.full_like(ours, 3, **here), torch.full_like(theirs, 3, **there))
        same(ours.new_full((4,), 1, **here), theirs.new_full((4,), 1, **there))
        same(ours.new_ones(2, 2, **here), theirs.new_ones(2, 2, **there))
        same(ours.new_zeros((0, 2), **here), theirs.new_zeros((0, 2), **there))
        assert ours.new_empty((2,), **here).dtype == str(theirs.new_empty((2,), **there).dtype)[6:]
    assert autograd.numel(ours) == torch.numel(theirs) == 6


def test_as_tensor_shares_what_it_can(torch):
    array = np.ones(3)
    for lib in (autograd, torch):
        shared = lib.as_tensor(array)
        assert np.shares_memory(shared.numpy(), array)
        assert lib.as_tensor(shared) is shared
        assert not np.shares_memory(lib.as_tensor(array, dtype=lib.tensor(1).dtype).numpy(), array)
        assert lib.is_tensor(shared)
        assert not lib.is_tensor(array)


@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_types_of_results(torch, first, second):
    a, b = np.ones(2, first), np.ones((), second)
    ours = autograd.from_numpy(a), autograd.tensor(b)
    theirs = torch.from_numpy(a), torch.tensor(b)
    for x, y in ((0, 1), (1, 0)):
        expected = str(torch.result_type(theirs[x], theirs[y]))[6:]
        assert autograd.result_type(ours[x], ours[y]) == expected
        assert (ours[x] * ours[y]).dtype == expected
    for number in (2, 2.5, True):
        assert (
            autograd.result_type(ours[0], number) == str(torch.result_type(theirs[0], number))[6:]
        )
    can = torch.can_cast(getattr(torch, first), getattr(torch, second))
    assert autograd.can_cast(first, second) == can


def test_the_default_type(torch):
    for lib, double in ((autograd, "float64"), (torch, torch.float64)):
        before = lib.get_default_dtype()
        lib.set_default_dtype(double)
        try:
            assert lib.get_default_dtype() == double
            assert lib.tensor(1.0).dtype == lib.ones(2).dtype == double
        finally:
            lib.set_default_dtype(before)
        with pytest.raises(TypeError):
            lib.set_default_dtype(lib.tensor(1).dtype)


def test_modes(torch):
    for lib in (autograd, torch):
        x = lib.ones(2, requires_grad=True)
        with lib.no_grad():
            assert not lib.is_grad_enabled()
            assert not (x * 2).requires_grad
            with lib.enable_grad():
                assert lib.is_grad_enabled()
                assert (x * 2).requires_grad
            with lib.set_grad_enabled(True):
                assert (x * 2).requires_grad
            assert not lib.is_grad_enabled()
        assert lib.is_grad_enabled()
        lib.set_grad_enabled(False)
        assert not (x * 2).requires_grad
        lib.set_grad_enabled(True)

        @lib.enable_grad()
        def twice(x):
            return x * 2

        with lib.no_grad():
            assert twice(x).requires_grad


def test_value_and_grad(torch):
    def here(x, y):
        return (x * y).sum(), x

    array = np.arange(3.0)
    (value, x), grads = autograd.value_and_grad(here, argnums=(0, 1), has_aux=True)(
        autograd.tensor(array), autograd.tensor(array + 1)
    )
    expected, (there, kept) = torch.func.grad_and_value(here, argnums=(0, 1), has_aux=True)(
        torch.tensor(array), torch.tensor(array + 1)
    )
    same(value, there)
    same(x, kept)
    for ours, theirs in zip(grads, expected, strict=True):
        same(ours, theirs)


PRINTED: list[Any] = [
    np.float32(3.14159265),
    np.array([1e-6, 1.0, 1000.0], np.float32),
    np.array([[1.5, -2.25], [1e8, 0.0]]),
    np.array([np.nan, np.inf, -np.inf, 1.0], np.float32),
    np.arange(12).reshape(3, 4),
    np.array([[True, False]]),
    np.zeros((0, 3), np.float32),
    np.linspace(-1, 1, 1200, dtype=np.float32),
    np.ones((2, 3, 4), np.float32),
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"precision": 2},
    {"threshold": 5, "edgeitems": 1},
    {"linewidth": 30},
    {"sci_mode": True},
    {"sci_mode": False, "precision": 3},
    {"profile": "short"},
    {"profile": "full"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_printing(torch, options):
    try:
        for lib in (autograd, torch):
            lib.set_printoptions(**options)
        for array in PRINTED:
            assert repr(autograd.tensor(array)) == repr(torch.tensor(array)).replace("torch.", "")
    finally:
        for lib in (autograd, torch):
            lib.set_printoptions(profile="default")
