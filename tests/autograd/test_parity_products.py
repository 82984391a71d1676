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

NAMES = {
    "adaptive_avg_pool": ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
    "adaptive_max_pool": ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
    "avg_pool": ("avg_pool1d", "avg_pool2d", "avg_pool3d"),
    "conv": ("conv1d", "conv2d", "conv3d"),
    "conv_transpose": ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    "lp_pool": ("lp_pool1d", "lp_pool2d", "lp_pool3d"),
    "max_pool": ("max_pool1d", "max_pool2d", "max_pool3d"),
    "max_unpool": ("max_unpool1d", "max_unpool2d", "max_unpool3d"),
}
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
    name = NAMES["conv"][n - 1]
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
    name = NAMES["conv_transpose"][n - 1]
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
                    lambda lib, x, at=at | extra: getattr(lib, NAMES["max_pool"][n - 1])(x, **at),
                    x,
                    lib=functional,
                )
            for extra in ({}, {"count_include_pad": False}, {"divisor_override": 3}):
                if n == 3 or "divisor_override" not in extra:
                    agree(
                        torch,
                        lambda lib, x, at=at | extra: getattr(lib, NAMES["avg_pool"][n - 1])(
                            x, **at
                        ),
                        x,
                        lib=functional,
                    )
    x = drawn(2, 3, *SIZES[n], dtype=dtype)
    wide = {"kernel_size": 2, "dilation": 2, "stride": 1, "return_indices": True}
    agree(
        torch, lambda lib, x: getattr(lib, NAMES["max_pool"][n - 1])(x, **wide), x, lib=functional
    )
    kernel = KERNELS[n]
    agree(
        torch, lambda lib, x: getattr(lib, NAMES["max_pool"][n - 1])(x, kernel), x, lib=functional
    )
    agree(
        torch, lambda lib, x: getattr(lib, NAMES["avg_pool"][n - 1])(x, kernel), x, lib=functional
    )
    tied = np.round(x)
    tied.ravel()[5] = np.nan
    agree(
        torch,
        lambda lib, x: getattr(lib, NAMES["max_pool"][n - 1])(x, 2, 1, return_indices=True),
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
                lambda lib, x, s=size: getattr(lib, NAMES["adaptive_avg_pool"][n - 1])(x, s),
                x,
                lib=functional,
            )
            for indices in (False, True):
                agree(
                    torch,
                    lambda lib, x, s=size, i=indices: getattr(
                        lib, NAMES["adaptive_max_pool"][n - 1]
                    )(x, s, return_indices=i),
                    x,
                    lib=functional,
                )


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_unpooling_and_power_means(torch, n, dtype):
    functional = torch.nn.functional
    pool, back = NAMES["max_pool"][n - 1], NAMES["max_unpool"][n - 1]
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
                lambda lib, x, p=power, o=options: getattr(lib, NAMES["lp_pool"][n - 1])(
                    x, p, 2, **o
                ),
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


@pytest.mark.parametrize(
    "name", ["avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d", "lp_pool2d", "normalize"]
)
def test_means_of_integers_are_refused(name):
    options = {"norm_type": 2} if name == "lp_pool2d" else {}
    args = () if name == "normalize" else (2,)
    x = autograd.ones(1, 4, 4, dtype=np.int64)
    with pytest.raises(TypeError, match=f"{name}.*int64"):
        getattr(autograd, name)(x, *options.values(), *args)


def test_similarity_of_short_vectors():
    """Where a length counts as eps its slope is 0; PyTorch lets one through."""
    x = Tensor(np.array([[3e-9, 4e-9]]), requires_grad=True)
    y = Tensor(np.array([[1.0, 0.0]]))
    (g,) = autograd.grad(autograd.cosine_similarity(x, y), x, np.ones(1))
    np.testing.assert_allclose(g.numpy(), [[1e8, 0.0]])


def test_unpooling_refuses_places_outside(torch):
    for lib, kinds in ((torch, (RuntimeError, ValueError)), (autograd, ValueError)):
        F = lib.nn.functional if lib is torch else lib
        places = lib.tensor([[[4]]])
        with pytest.raises(kinds):
            F.max_unpool1d(lib.ones(1, 1, 1), places, 2)
        with pytest.raises(kinds):
            F.max_unpool1d(lib.ones(1, 1, 1), places * 0, 2, output_size=(5,))


# --- Products -------------------------------------------------------------------------------------

PRODUCTS: list[tuple[str, tuple[tuple[int, ...], ...], dict[str, Any]]] = [
    ("mm", ((2, 3), (3, 4)), {}),
    ("mm", ((0, 3), (3, 4)), {}),
    ("mm", ((2, 0), (0, 4)), {}),
    ("mv", ((2, 3), (3,)), {}),
    ("bmm", ((5, 2, 3), (5, 3, 4)), {}),
    ("bmm", ((0, 2, 3), (0, 3, 4)), {}),
    ("dot", ((3,), (3,)), {}),
    ("inner", ((2, 3), (4, 5, 3)), {}),
    ("inner", ((3,), (3,)), {}),
    ("inner", ((), (3,)), {}),
    ("outer", ((2,), (3,)), {}),
    ("ger", ((2,), (3,)), {}),
    ("kron", ((2, 3), (4, 1, 2)), {}),
    ("kron", ((2,), ()), {}),
    ("cross", ((2, 3), (2, 3)), {"dim": -1}),
    ("cross", ((3, 4), (1, 3, 1)[1:]), {"dim": 0}),
    ("matmul", ((3,), (3,)), {}),
    ("matmul", ((2, 1, 4, 3), (5, 3, 2)), {}),
    ("matmul", ((3,), (2, 3, 4)), {}),
    ("matmul", ((2, 4, 3), (3,)), {}),
    ("tensordot", ((2, 3, 4), (3, 4, 5)), {}),
    ("tensordot", ((2, 3), (4,)), {"dims": 0}),
    ("tensordot", ((2, 3, 4), (4, 5, 2)), {"dims": ([0, -1], [2, 0])}),
    ("tensordot", ((2, 1), (3, 4)), {"dims": ([1], [0])}),
    ("addmm", ((4,), (2, 3), (3, 4)), {"beta": 0.5, "alpha": 2}),
    ("addmm", ((2, 1), (2, 3), (3, 4)), {}),
    ("addmv", ((), (2, 3), (3,)), {"alpha": -1}),
    ("addr", ((2, 3), (2,), (3,)), {"beta": 2}),
    ("baddbmm", ((2, 4), (5, 2, 3), (5, 3, 4)), {"beta": 0.5}),
    ("addbmm", ((2, 4), (5, 2, 3), (5, 3, 4)), {"alpha": 0.5}),
    ("cosine_similarity", ((2, 3), (2, 3)), {}),
    ("cosine_similarity", ((2, 3, 4), (4,)), {"dim": -1}),
    ("pairwise_distance", ((4, 3), (3,)), {}),
    ("pairwise_distance", ((4, 3), (4, 3)), {"p": 1, "keepdim": True}),
    ("pairwise_distance", ((4, 3), (4, 3)), {"p": 3.5, "eps": 0.1}),
    ("pairwise_distance", ((4, 3), (4, 3)), {"p": float("inf")}),
    *(("cdist", ((4, 3), (5, 3)), {"p": p}) for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))),
    ("cdist", ((2, 1, 4, 3), (6, 5, 3)), {}),
    ("cdist", ((0, 3), (5, 3)), {}),
]  # fmt: skip


@both_dtypes
@pytest.mark.parametrize(("name", "shapes", "options"), PRODUCTS)
def test_products(torch, name, shapes, options, dtype):
    arrays = [drawn(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes)]
    agree(torch, lambda lib, *a: getattr(lib, name)(*a, **options), *arrays, lib=_with(torch))


def _with(torch: Any) -> Any:
    """PyTorch's functions, those of nn.functional among them."""
    return type("Both", (), {n: staticmethod(getattr(torch, n, None) or getattr(
        torch.nn.functional, n)) for n, *_ in PRODUCTS})  # fmt: skip


@both_dtypes
def test_normalize_and_bilinear(torch, dtype):
    functional = torch.nn.functional
    x = drawn(3, 4, dtype=dtype)
    x[1] = 0
    for p, dim in itertools.product((1, 2.0, 3, float("inf")), (0, 1, -1)):
        agree(torch, lambda lib, x, p=p, d=dim: lib.normalize(x, p, d), x, lib=functional)
    shapes = ((5, 2, 3), (5, 2, 4), (6, 3, 4), (6,))
    arrays = [drawn(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes)]
    agree(torch, lambda lib, a, b, w, c: lib.bilinear(a, b, w, c), *arrays, lib=functional)
    agree(torch, lambda lib, a, b, w: lib.bilinear(a, b, w), *arrays[:3], lib=functional)


def test_lengths_at_their_corners(torch):
    """Distances of 0 have slope 0, and squares of large and small float32 do not overflow."""
    x = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 2.0]], np.float32)
    for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        agree(torch, lambda lib, a, b, p=p: lib.cdist(a, b, p=p), x, x[:2])
    for size in (1e-30, 1e30):
        y = autograd.normalize(autograd.tensor([[3 * size, 4 * size]]), eps=0.0)
        np.testing.assert_allclose(y.numpy(), [[0.6, 0.8]], rtol=1e-6)
    far = drawn(40, 3, dtype=np.float32) * np.float32(0.01) + np.float32(100.0)
    a = Tensor(far, requires_grad=True)
    autograd.cdist(a, a).sum().backward()
    b = torch.tensor(far.astype(np.float64), requires_grad=True)
    torch.cdist(b, b, compute_mode="donot_use_mm_for_euclid_dist").sum().backward()
    assert a.grad is not None
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-3, atol=1e-3)


@both_dtypes
def test_products_of_integers_and_special_numbers(torch, dtype):
    a, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    for name in ("mm", "matmul"):
        agree(torch, lambda lib, a, b, n=name: getattr(lib, n)(a, b), a, b)
    agree(torch, lambda lib, a, b: lib.einsum("ij,jk->ki", a, b), a, b)
    agree(torch, lambda lib, c, a, b: lib.addmm(c, a, b, alpha=2), np.arange(4), a, b)
    x = np.full((2, 2), np.nan, dtype)
    agree(torch, lambda lib, c, a: lib.addmm(c, a, a, beta=0), x, drawn(2, 2, dtype=dtype))


def test_product_methods(torch):
    arrays = [drawn(*s, seed=i) for i, s in enumerate(((2, 4), (2, 3), (3, 4)))]

    def changed(lib, c, a, b):
        c = c * 1.0
        c.addmm_(a, b, beta=0.5, alpha=2.0)
        return c.addr_(a[:, 0], b[0]).addbmm_(a[None], b[None])

    agree(torch, changed, *arrays)
    agree(torch, lambda lib, c, a, b: c.addmm(a, b).mm(b.t()).mv(b[:, 0]).dot(a[:, 0]), *arrays)
    agree(torch, lambda lib, c, a, b: a[0].outer(b[0]).inner(c[0]), *arrays)
    agree(torch, lambda lib, c, a, b: a.cross(a.flip(0), dim=1).kron(b), *arrays)


EINSUMS: list[tuple[str, tuple[tuple[int, ...], ...]]] = [
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("i j, k j -> i k", ((2, 3), (4, 3))),
    ("ii", ((3, 3),)),
    ("ii->i", ((3, 3),)),
    ("iij->j", ((3, 3, 2),)),
    ("iii->i", ((3, 3, 3),)),
    ("ij->ji", ((2, 3),)),
    ("ij->", ((2, 3),)),
    ("...ij,...jk->...ik", ((2, 1, 3, 4), (5, 4, 2))),
    ("...i,...i", ((2, 3), (2, 3))),
    ("...i->i", ((2, 4, 3),)),
    ("i...,i...->...", ((3, 2), (3, 2))),
    ("bhwk,hk,wk->bhw", ((2, 3, 4, 5), (3, 5), (4, 5))),
    ("ab,bc,cd,de->ae", ((2, 3), (3, 4), (4, 5), (5, 2))),
    ("bi,bi->b", ((2, 3), (2, 3))),
    ("bi,bj->bij", ((2, 3), (2, 4))),
    ("i,j", ((2,), (3,))),
    ("ij,j", ((2, 1), (3,))),
    (",i->i", ((), (3,))),
    ("aB,cB", ((2, 3), (4, 3))),
    ("ij,jk->ik", ((2, 0), (0, 4))),
    ("ij,ij,ij->ij", ((2, 3), (2, 3), (2, 1))),
    ("bnij,bnkj,bk->bi", ((2, 3, 4, 2), (2, 3, 3, 2), (2, 3))),
]


@both_dtypes
@pytest.mark.parametrize(("equation", "shapes"), EINSUMS)
def test_einsum(torch, equation, shapes, dtype):
    arrays = [drawn(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes)]
    agree(torch, lambda lib, *a: lib.einsum(equation, *a), *arrays)


def test_einsum_with_lists(torch):
    a, b = drawn(2, 3), drawn(3, 4, seed=1)
    agree(torch, lambda lib, a, b: lib.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b)
    agree(torch, lambda lib, a, b: lib.einsum(a, [30, 1], b, [1, 2]), a, b)
    agree(torch, lambda lib, a, b: lib.einsum(a, [..., 1], b, [1, 2], [..., 2]), a, b)
    agree(torch, lambda lib, a, b: lib.einsum("ij,jk", [a, b]), a, b)


def test_second_order_of_sums_of_products():
    a, b = Tensor(drawn(2, 3), requires_grad=True), Tensor(drawn(3, 2, seed=1), requires_grad=True)
    assert autograd.gradgradcheck(lambda a, b: autograd.einsum("ij,jk,ik->k", a, b, a @ b), [a, b])
    for p in (2.0, 3.0):
        assert autograd.gradgradcheck(lambda a, b, p=p: autograd.cdist(a, b.mT, p=p), [a, b])
    assert autograd.gradgradcheck(autograd.cosine_similarity, [a, b.mT])


PRODUCTS_REFUSED: list[tuple[str, tuple[Any, ...]]] = [
    ("mm", ((2, 3), (4, 3))),
    ("mm", ((2, 3), (3,))),
    ("mv", ((2, 3), (2,))),
    ("bmm", ((5, 2, 3), (4, 3, 2))),
    ("bmm", ((2, 3), (3, 2))),
    ("dot", ((2,), (3,))),
    ("dot", ((2, 3), (3,))),
    ("inner", ((2, 3), (2, 4))),
    ("outer", ((2, 3), (2,))),
    ("cross", ((2, 4), (2, 4))),
    ("cross", ((2, 3), (3,))),
    ("tensordot", ((2, 3), (3, 3))),
    ("addmm", ((3,), (2, 3), (3, 4))),
    ("cdist", ((2, 3), (2, 4))),
    ("einsum", ("ij,jk->ik", (2, 3), (4, 3))),
    ("einsum", ("ij,jk->ik", (2, 3))),
    ("einsum", ("ij->ik", (2, 3))),
    ("einsum", ("ij->ii", (2, 3))),
    ("einsum", ("i->i", (2, 3))),
    ("einsum", ("ijk->i", (2, 3))),
    ("einsum", ("i!->i", (2, 3))),
    ("einsum", ("ii->i", (2, 3))),
]


@pytest.mark.parametrize(("name", "args"), PRODUCTS_REFUSED)
def test_what_products_refuse(torch, name, args):
    for lib, kinds in ((torch, (RuntimeError, ValueError)), (autograd, ValueError)):
        with pytest.raises(kinds):
            getattr(lib, name)(*(lib.ones(a) if isinstance(a, tuple) else a for a in args))
