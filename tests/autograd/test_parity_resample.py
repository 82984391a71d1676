"""Resampling beside PyTorch: to other sizes, and at the places of a grid."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.autograd.test_parity import agree, both_dtypes, drawn

MODES = {
    3: ("nearest", "nearest-exact", "linear", "area"),
    4: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"),
    5: ("nearest", "nearest-exact", "trilinear", "area"),
}
SHAPES = {3: (2, 2, 5), 4: (2, 2, 5, 4), 5: (1, 2, 3, 4, 5)}
WAYS: list[dict[str, Any]] = [
    {"size": 7},
    {"size": 2},
    {"size": 1},
    {"size": 10},
    {"scale_factor": 2},
    {"scale_factor": 1.7},
    {"scale_factor": 0.6},
    {"scale_factor": 1.7, "recompute_scale_factor": True},
]


@both_dtypes
@pytest.mark.parametrize(("ndim", "mode"), [(n, m) for n in MODES for m in MODES[n]])
def test_interpolate(torch, ndim, mode, dtype):
    functional = torch.nn.functional
    x = drawn(*SHAPES[ndim], dtype=dtype)
    ways = [*WAYS, {"size": (3, 6, 2)[: ndim - 2]}, {"scale_factor": (1.5, 2, 0.7)[: ndim - 2]}]
    if mode.endswith(("linear", "cubic")):
        ways += [way | {"align_corners": True} for way in ways]
    if mode in ("bilinear", "bicubic"):
        ways += [way | {"antialias": True} for way in ways]
    for way in ways:
        agree(torch, lambda lib, x, w=way: lib.interpolate(x, mode=mode, **w), x, lib=functional)


def test_a_factor_that_leaves_the_size(torch):
    """PyTorch's values; its gradients are not those of its values here, ours are."""
    for ndim, factor in itertools.product(MODES, (1.1, 2.1)):
        x = drawn(*SHAPES[ndim])
        for mode in MODES[ndim]:
            for smooth in (False, True) if mode in ("bilinear", "bicubic") else (False,):
                options: dict[str, Any] = {"mode": mode, "antialias": smooth}
                ours = autograd.interpolate(Tensor(x), scale_factor=factor, **options)
                theirs = torch.nn.functional.interpolate(
                    torch.tensor(x), scale_factor=factor, **options
                )
                np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)
    x = Tensor(drawn(1, 1, 5), requires_grad=True)
    assert autograd.gradcheck(lambda x: autograd.interpolate(x, scale_factor=1.1), [x])


INTERPOLATIONS_REFUSED: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 1, 4), {}),
    ((1, 1, 4), {"size": (2, 2)}),
    ((1, 1, 4), {"size": 2.5}),
    ((1, 1, 4), {"size": 0}),
    ((1, 1, 4), {"size": 2, "recompute_scale_factor": True}),
    ((1, 1, 4), {"scale_factor": (2, 2)}),
    ((1, 1, 4), {"size": 2, "mode": "bilinear"}),
    ((1, 1, 4), {"size": 2, "mode": "wavy"}),
    ((1, 1, 4), {"size": 2, "align_corners": True}),
    ((1, 1, 4), {"size": 2, "mode": "linear", "antialias": True}),
    ((1, 4), {"size": 2}),
]


@pytest.mark.parametrize(("shape", "options"), INTERPOLATIONS_REFUSED)
def test_what_interpolate_refuses(torch, shape, options):
    with pytest.raises((RuntimeError, ValueError, TypeError, NotImplementedError)):
        torch.nn.functional.interpolate(torch.ones(shape), **options)
    with pytest.raises((ValueError, TypeError, NotImplementedError), match="interpolate"):
        autograd.interpolate(autograd.ones(shape), **options)


PADDINGS = ("zeros", "border", "reflection")


@both_dtypes
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(torch, mode, dtype):
    functional = torch.nn.functional
    cases = [(drawn(2, 3, 4, 5, dtype=dtype), drawn(2, 3, 6, 2, dtype=dtype, seed=1))]
    if mode != "bicubic":
        x = drawn(2, 2, 3, 4, 5, dtype=dtype)
        cases.append((x, drawn(2, 2, 3, 4, 3, dtype=dtype, seed=1)))
    cases.append((cases[0][0][:, :, :1, :1], cases[0][1]))
    # At the outer elements and edges, at kinks, and far outside.
    ends = np.linspace(-5, 5, 21)
    exact = np.stack(np.meshgrid(ends, [0.3, -0.7]), -1)[None].repeat(2, 0).astype(dtype)
    cases.append((drawn(2, 3, 4, 8, dtype=dtype), exact))
    # In float32 PyTorch's slopes of bicubic are rounding errors where the exact ones are 0.
    fixed = mode == "bicubic" and dtype == np.float32
    for (x, grid), padding, corners in itertools.product(cases, PADDINGS, (False, True)):
        agree(
            torch,
            lambda lib, x, g, p=padding, c=corners: lib.grid_sample(
                x, g.detach() if fixed else g, mode, p, c
            ),
            x,
            grid,
            lib=functional,
        )


@both_dtypes
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grids_without_end(torch, mode, dtype):
    """NaN and infinite places are read as PyTorch reads them, without a warning."""
    x = np.arange(9, dtype=dtype).reshape(1, 1, 3, 3)
    grid = np.array([[[[np.nan, 0.0], [np.inf, 0.0], [-np.inf, 0.0], [1e30, 0.0]]]], dtype)
    for padding in PADDINGS:
        ours = autograd.grid_sample(Tensor(x), Tensor(grid), mode, padding).numpy()
        theirs = torch.nn.functional.grid_sample(
            torch.tensor(x), torch.tensor(grid), mode, padding, align_corners=False
        )
        np.testing.assert_array_equal(ours[..., :3], theirs.numpy()[..., :3])
        assert np.isfinite(ours[..., 3]).all()
    empty = grid[:, :0]
    agree(torch, lambda lib, x, g: lib.grid_sample(x, g, align_corners=False), x, empty,
          lib=torch.nn.functional)  # fmt: skip


def test_second_order_of_resampling():
    x = Tensor(drawn(1, 2, 3, 4), requires_grad=True)
    grid = Tensor(drawn(1, 2, 2, 2, seed=1), requires_grad=True)
    for mode, padding in itertools.product(("bilinear", "bicubic"), PADDINGS):
        assert autograd.gradgradcheck(
            lambda x, g, m=mode, p=padding: autograd.grid_sample(x, g, m, p), [x, grid]
        )
    theta = Tensor(drawn(1, 2, 3), requires_grad=True)
    assert autograd.gradgradcheck(
        lambda x, t: autograd.grid_sample(x, autograd.affine_grid(t, (1, 2, 2, 3))), [x, theta]
    )


@both_dtypes
def test_affine_grid(torch, dtype):
    functional = torch.nn.functional
    for corners, size in itertools.product((False, True), ((2, 1, 3, 4), (2, 5, 3, 2))):
        theta = drawn(2, 2, 3, dtype=dtype)
        agree(
            torch, lambda lib, t, s=size, c=corners: lib.affine_grid(t, s, c), theta, lib=functional
        )
    theta = drawn(2, 3, 4, dtype=dtype)
    agree(torch, lambda lib, t: lib.affine_grid(t, (2, 1, 2, 3, 4), False), theta, lib=functional)


@pytest.mark.parametrize(
    ("x", "grid", "options"),
    [
        ((1, 2, 3, 4), (2, 3, 4, 2), {}),
        ((1, 2, 3, 4), (1, 3, 4, 3), {}),
        ((1, 2, 3), (1, 3, 1), {}),
        ((1, 2, 0, 4), (1, 3, 4, 2), {}),
        ((1, 2, 3, 4), (1, 3, 4, 2), {"mode": "linear"}),
        ((1, 2, 3, 4), (1, 3, 4, 2), {"padding_mode": "wrap"}),
        ((1, 2, 3, 4, 5), (1, 3, 4, 5, 3), {"mode": "bicubic"}),
    ],
)
def test_what_grid_sample_refuses(torch, x, grid, options):
    for lib, F in ((torch, torch.nn.functional), (autograd, autograd)):
        with pytest.raises((RuntimeError, ValueError, NotImplementedError)):
            F.grid_sample(lib.ones(x), lib.ones(grid), align_corners=False, **options)
    with pytest.raises(ValueError, match="affine_grid"):
        autograd.affine_grid(autograd.ones(1, 2, 3), (2, 1, 2, 2))
