"""Products, convolutions, pooling and resampling beside PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.autograd.test_parity import agree, both_dtypes, drawn

# --- Convolutions ---------------------------------------------------------------------------------

SIZES = {1: (7,), 2: (6, 7), 3: (4, 5, 6)}
KERNELS = {1: (3,), 2: (3, 2), 3: (2, 3, 1)}
WAYS: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": 1},
    {"dilation": 2, "padding": 2},
    {"groups": 2},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": "valid", "stride": 2},
]


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # PyTorch's, of a copy
@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_convolutions(torch, n, dtype):
    name = f"conv{n}d"
    for options in WAYS:
        groups = options.get("groups", 1)
        x = drawn(2, 4, *SIZES[n], dtype=dtype)
        w = drawn(2, 4 // groups, *KERNELS[n], dtype=dtype, seed=1)
        b = drawn(2, dtype=dtype, seed=2)
        agree(torch, lambda lib, x, w, b, o=options: getattr(lib, name)(x, w, b, **o), x, w, b)
        agree(torch, lambda lib, x, w, o=options: getattr(lib, name)(x, w, **o), x[0], w)
    x, w = drawn(2, 4, *SIZES[n], dtype=dtype), drawn(2, 4, *KERNELS[n], dtype=dtype, seed=1)
    tuples = {"stride": (2,) * n, "padding": (1,) * n, "dilation": (1,) * n}
    agree(torch, lambda lib, x, w: getattr(lib, name)(x, w, None, **tuples), x, w)
    agree(torch, lambda lib, x, w: getattr(lib, name)(x, w, None, [2], [1], [1]), x, w)
    agree(torch, lambda lib, x, w: getattr(lib, name)(x, w), x[:0], w)


BACK: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"dilation": 2, "padding": 1},
    {"groups": 2},
    {"dilation": 3, "padding": 1, "output_padding": 2},
    {"stride": 3, "padding": 1, "groups": 2},
]


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_transposed_convolutions(torch, n, dtype):
    name = f"conv_transpose{n}d"
    for options in BACK:
        groups = options.get("groups", 1)
        x = drawn(2, 4, *(m - 2 for m in SIZES[n]), dtype=dtype)
        w = drawn(4, 3, *KERNELS[n], dtype=dtype, seed=1)
        b = drawn(3 * groups, dtype=dtype, seed=2)
        agree(torch, lambda lib, x, w, b, o=options: getattr(lib, name)(x, w, b, **o), x, w, b)
        agree(torch, lambda lib, x, w, o=options: getattr(lib, name)(x, w, **o), x[0], w)


CONVOLUTIONS_REFUSED = [
    ("conv1d", (1, 3, 5), (2, 4, 2), {}),
    ("conv1d", (1, 3, 2), (2, 3, 3), {}),
    ("conv1d", (3,), (2, 3, 3), {}),
    ("conv1d", (1, 3, 5), (2, 3, 2), {"stride": 0}),
    ("conv1d", (1, 3, 5), (2, 3, 2), {"padding": -1}),
    ("conv1d", (1, 3, 5), (2, 3, 2), {"padding": "full"}),
    ("conv2d", (1, 3, 5, 5), (2, 3, 2, 2), {"padding": "same", "stride": 2}),
    ("conv3d", (1, 3, 5, 5), (2, 3, 2, 2), {}),
    ("conv3d", (1, 4, 5, 5, 5), (3, 2, 2, 2, 2), {"groups": 2}),
    ("conv_transpose1d", (1, 3, 5), (2, 4, 2), {}),
    ("conv_transpose1d", (1, 3, 5), (3, 4, 2), {"output_padding": 1}),
    ("conv_transpose1d", (1, 3, 1), (3, 4, 2), {"padding": 1}),
    ("conv_transpose2d", (1, 3, 5, 5), (3, 4, 2), {}),
    ("conv_transpose2d", (1, 3, 5, 5), (3, 4, 2, 2), {"bias": (5,)}),
]


@pytest.mark.parametrize(("name", "x", "w", "options"), CONVOLUTIONS_REFUSED)
def test_what_convolutions_refuse(torch, name, x, w, options):
    for lib, make, kinds in (
        (torch, torch.tensor, (RuntimeError, ValueError)),
        (autograd, Tensor, ValueError),
    ):
        given = options | ({"bias": make(np.ones(5))} if "bias" in options else {})
        with pytest.raises(kinds):
            getattr(lib, name)(make(np.ones(x)), make(np.ones(w)), **given)


# --- Pools ----------------------------------------------------------------------------------------

POOLS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
]


@both_dtypes
@pytest.mark.parametrize("n", [1, 3])
def test_pools(torch, n, dtype):
    functional = torch.nn.functional
    for at in POOLS:
        for x in (drawn(2, 3, *SIZES[n], dtype=dtype), drawn(3, *SIZES[n], dtype=dtype)):
            for extra in ({}, {"return_indices": True}):
                agree(
                    torch,
                    lambda lib, x, at=at | extra: getattr(lib, f"max_pool{n}d")(x, **at),
                    x,
                    lib=functional,
                )
            for extra in ({}, {"count_include_pad": False}, {"divisor_override": 3}):
                if n == 3 or "divisor_override" not in extra:
                    agree(
                        torch,
                        lambda lib, x, at=at | extra: getattr(lib, f"avg_pool{n}d")(x, **at),
                        x,
                        lib=functional,
                    )
    x = drawn(2, 3, *SIZES[n], dtype=dtype)
    wide = {"kernel_size": 2, "dilation": 2, "stride": 1, "return_indices": True}
    agree(torch, lambda lib, x: getattr(lib, f"max_pool{n}d")(x, **wide), x, lib=functional)
    kernel = KERNELS[n]
    agree(torch, lambda lib, x: getattr(lib, f"max_pool{n}d")(x, kernel), x, lib=functional)
    agree(torch, lambda lib, x: getattr(lib, f"avg_pool{n}d")(x, kernel), x, lib=functional)
    tied = np.round(x)
    tied.ravel()[5] = np.nan
    agree(
        torch,
        lambda lib, x: getattr(lib, f"max_pool{n}d")(x, 2, 1, return_indices=True),
        tied,
        lib=functional,
    )


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_adaptive_pools(torch, n, dtype):
    functional = torch.nn.functional
    mixed: dict[int, Any] = {1: (2,), 2: (4, None), 3: (None, 2, 4)}
    for x in (drawn(2, 3, *SIZES[n], dtype=dtype), drawn(3, *SIZES[n], dtype=dtype)):
        x.ravel()[3] = x.ravel()[4] = 2.5
        for size in (1, 2, 3, 9, mixed[n]):
            if n == 1 and isinstance(size, tuple):
                size = size[0]
            agree(
                torch,
                lambda lib, x, s=size: getattr(lib, f"adaptive_avg_pool{n}d")(x, s),
                x,
                lib=functional,
            )
            for indices in (False, True):
                agree(
                    torch,
                    lambda lib, x, s=size, i=indices: getattr(lib, f"adaptive_max_pool{n}d")(
                        x, s, return_indices=i
                    ),
                    x,
                    lib=functional,
                )


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_unpooling_and_power_means(torch, n, dtype):
    functional = torch.nn.functional
    pool, back = f"max_pool{n}d", f"max_unpool{n}d"
    for x in (drawn(2, 3, *SIZES[n], dtype=dtype), drawn(3, *SIZES[n], dtype=dtype)):
        whole = x[(..., *(slice(0, m // 2 * 2) for m in SIZES[n]))]
        cases = [(whole, 2, None, None), (x, 2, None, x.shape[-n:]), (x, 2, 3, x.shape[-n:])]
        cases += [(x, 2, 3, x.shape)] * (x.ndim == n + 2)
        for image, kernel, stride, size in cases:
            agree(
                torch,
                lambda lib, x, k=kernel, s=stride, z=size: getattr(lib, back)(
                    *getattr(lib, pool)(x, k, s, return_indices=True), k, s, 0, z
                ),
                image,
                lib=functional,
            )
        for power, options in itertools.product(
            (1, 2, 3.0), ({}, {"ceil_mode": True, "stride": 3})
        ):
            agree(
                torch,
                lambda lib, x, p=power, o=options: getattr(lib, f"lp_pool{n}d")(x, p, 2, **o),
                abs(x) if isinstance(power, float) else x,
                lib=functional,
            )
    for size in (1, 2, 3, 5):
        agree(
            torch,
            lambda lib, x, s=size: lib.local_response_norm(x, s, 0.5, 0.75, 2.0),
            drawn(2, 4, *SIZES[n], dtype=dtype),
            lib=functional,
        )


POOLS_REFUSED: list[tuple[str, tuple[int, ...], tuple[Any, ...]]] = [
    ("max_pool1d", (2, 3, 2), (3,)),
    ("max_pool1d", (2,), (1,)),
    ("max_pool1d", (2, 3, 4), (2, 1, 2)),
    ("max_pool3d", (2, 3, 4, 4), (5,)),
    ("max_pool3d", (2, 3, 4), (2,)),
    ("avg_pool1d", (2, 3, 4), (0,)),
    ("avg_pool3d", (1, 1, 2, 2, 2), (2, 2, 0, False, True, 0)),
    ("avg_pool3d", (1, 1, 2, 2, 2), ((2, 2),)),
    ("adaptive_avg_pool1d", (3,), (2,)),
    ("adaptive_avg_pool2d", (2, 3, 4), ((2, 2, 2),)),
    ("adaptive_avg_pool2d", (2, 3, 4), (-1,)),
    ("adaptive_max_pool2d", (2, 0, 4), (1,)),
    ("local_response_norm", (2, 3), (1,)),
]


@pytest.mark.parametrize(("name", "shape", "args"), POOLS_REFUSED)
def test_what_pools_refuse(torch, name, shape, args):
    with pytest.raises((RuntimeError, ValueError, TypeError)):
        getattr(torch.nn.functional, name)(torch.ones(shape), *args)
    with pytest.raises((ValueError, TypeError), match=name):
        getattr(autograd, name)(autograd.ones(shape), *args)


def test_unpooling_refuses_places_outside(torch):
    for lib, kinds in ((torch, (RuntimeError, ValueError)), (autograd, ValueError)):
        F = lib.nn.functional if lib is torch else lib
        places = lib.tensor([[[4]]])
        with pytest.raises(kinds):
            F.max_unpool1d(lib.ones(1, 1, 1), places, 2)
        with pytest.raises(kinds):
            F.max_unpool1d(lib.ones(1, 1, 1), places * 0, 2, output_size=(5,))
