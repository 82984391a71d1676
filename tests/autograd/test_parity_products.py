"""Products, convolutions, pooling and resampling beside PyTorch."""

from __future__ import annotations

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
