"""Reductions, cumulations, sorts and norms beside PyTorch: every option, ties, NaN, refusals."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.autograd.test_parity import agree, both_dtypes, drawn

NAN, INF = math.nan, math.inf
TIED = np.array([[3.0, 1.0, 3.0, 2.0], [1.0, 1.0, 1.0, 1.0], [2.0, 4.0, 4.0, 4.0]])


def quiet(torch: Any, func: Any, *arrays: Any) -> None:
    """`agree` where infinities or NaN are the point: NumPy's warnings are heard elsewhere."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch's, on degrees of freedom
        agree(torch, func, *arrays)


def method(name: str, *args: Any, **options: Any) -> Any:
    """A method's result as a plain tuple or tensor."""

    def call(lib, x):
        y = getattr(x, name)(*args, **options)
        return tuple(y) if isinstance(y, tuple) else y

    return call


def function(name: str, *args: Any, **options: Any) -> Any:
    def call(lib, *tensors):
        y = getattr(lib, name)(*tensors, *args, **options)
        return tuple(y) if isinstance(y, tuple) else y

    return call


def types(torch: Any, dtype: Any) -> Any:
    """A NumPy dtype under PyTorch's name."""
    return getattr(torch, np.dtype(dtype).name)


# --- Reductions ---------------------------------------------------------------------------------


@both_dtypes
@pytest.mark.parametrize("name", ["nansum", "nanmean", "all", "any", "norm", "count_nonzero"])
def test_over_dimensions(torch, name, dtype):
    x = np.round(drawn(2, 3, 4, dtype=dtype))
    holes = x.copy()
    holes[0, 1:, ::2] = NAN
    for dim in (None, 0, -1, (0, 2), (1, -1)):
        options: list[dict[str, Any]] = [{}, {"keepdim": True}]
        if name == "count_nonzero" or dim is None:
            options = [{}]
        for option in options:
            given = option if dim is None else option | {"dim": dim}
            for array in (x, holes, np.zeros_like(x)):
                quiet(torch, method(name, **given), array)
                quiet(torch, function(name, **given), array)


@both_dtypes
def test_sums_in_another_dtype(torch, dtype):
    x = drawn(2, 3, dtype=dtype)
    whole = np.array([[1, 2, 3], [4, 5, 6]])
    for name, wanted in itertools.product(
        ("sum", "mean", "prod", "nansum", "nanmean", "cumsum", "cumprod", "norm"),
        (np.float32, np.float64, np.int32),
    ):
        if name in ("mean", "nanmean", "norm") and (wanted is np.int32 or wanted is not np.float64):
            continue
        args = (1,) if name.startswith("cum") else ()
        for array in (x, whole):
            if name in ("norm", "nanmean") and array is whole:
                continue
            if name in ("prod", "cumprod", "cumsum") and wanted is np.float32:
                continue  # of float64: rounded on the way, and compared as if not

            def func(lib, x, name=name, args=args, wanted=wanted):
                kind = wanted if lib is autograd else types(torch, wanted)
                x = x.detach() if wanted is np.int32 else x  # which PyTorch refuses to record
                return getattr(lib, name)(x, *args, dtype=kind)

            agree(torch, func, array)


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int32, np.int64])
def test_integers(torch, kind):
    x = np.array([[1, 0, 3, 1], [2, 2, 0, 1]]).astype(kind)
    for name in ("sum", "prod", "all", "any", "nansum", "count_nonzero", "amax", "amin", "max",
                 "min", "unique"):  # fmt: skip
        agree(torch, method(name), x)
    for name in ("cumsum", "cumprod", "cummax", "cummin", "diff", "sort", "argsort"):
        options = {"stable": True} if name.endswith("sort") else {}
        agree(torch, method(name, dim=1, **options), x)
    agree(torch, lambda lib, x: lib.mode(x, 1).values, x)
    agree(torch, lambda lib, x: lib.aminmax(x, dim=0).max, x)
    if kind is not np.bool_:
        agree(torch, lambda lib, x: lib.topk(x, 2, 1).values, x)
        agree(torch, lambda lib, x: lib.kthvalue(x, 2, 1).values, x)
        agree(torch, method("median"), x)
    if kind in (np.int32, np.int64):
        agree(torch, lambda lib, x: lib.logsumexp(x, 0), x)


@both_dtypes
def test_prod_through_zeros(torch, dtype):
    x = drawn(3, 4, dtype=dtype)
    x[0, 1] = x[1, 0] = x[1, 3] = 0.0
    for array in (x, x + 3.0, np.asarray(x[0, 0]), x[:, :0]):
        agree(torch, method("prod"), array)
    for dim, keepdim in itertools.product((0, 1, -1), (False, True)):
        agree(torch, method("prod", dim, keepdim), x)
        agree(torch, function("cumprod", dim), x)
    agree(torch, twice(function("prod", 1)), x)
    agree(torch, twice(function("cumprod", 1)), x)


def twice(func: Any) -> Any:
    """The gradient of `func`, itself differentiable."""

    def call(lib, x):
        grad = autograd.grad if lib is autograd else lib.autograd.grad
        y = func(lib, x)
        y = y[0] if isinstance(y, tuple) else y
        (g,) = grad((y * y).sum(), [x], create_graph=True)
        return g

    return call


@both_dtypes
def test_second_order(torch, dtype):
    x = drawn(3, 4, dtype=dtype)
    for func in (
        function("logcumsumexp", 1), function("cumsum", 0), function("norm", 3, 1),
        function("norm", 2), function("norm", 1.5), function("std"), function("std_mean", 1),
        function("var_mean", 0), function("median"), function("median", 1), function("sort", 0),
        function("topk", 2, 1), function("cummax", 1), function("nanmean"),
        function("logsumexp", 0), function("kthvalue", 2), function("mode"),
        function("diff", 2), function("max", 1),
    ):  # fmt: skip
        agree(torch, twice(func), x)


@both_dtypes
def test_spread(torch, dtype):
    x = drawn(3, 4, dtype=dtype)
    for name in ("var", "std", "var_mean", "std_mean"):
        for option in (
            {}, {"dim": 1}, {"dim": (0, 1), "correction": 0}, {"dim": -2, "keepdim": True},
            {"dim": 0, "unbiased": False}, {"dim": 1, "correction": 2.5},
        ):  # fmt: skip
            agree(torch, function(name, **option), x)
        agree(torch, function(name, False), x)
        agree(torch, function(name, 1, False, True), x)
        for correction in (4, 6):
            quiet(torch, function(name, dim=1, correction=correction), x)
        quiet(torch, function(name), x[:1, :1])
        quiet(torch, function(name), x[:0])


def test_float32_extremes():
    """Sums of squares neither overflow nor vanish, and a large mean cancels nothing."""
    x: Any
    for name, array, wanted in (
        ("std", [1e30, -1e30], 2**0.5 * 1e30), ("std", [1e-30, -1e-30], 2**0.5 * 1e-30),
        ("var", [1e8, 1e8 + 8], 32.0), ("norm", [3e30, 4e30], 5e30),
        ("norm", [3e-30, 4e-30], 5e-30),
        ("logsumexp", [3e38, 3e38], 3e38), ("logsumexp", [-3e38, -3e38], -3e38),
    ):  # fmt: skip
        x = autograd.tensor(array, requires_grad=True)
        y = getattr(autograd, name)(x)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.item(), wanted, rtol=2e-7)
        y.backward()
        assert np.isfinite(x.grad.numpy()).all()
    for p in (3.0, 0.5, -2.0, 30.0):
        small = np.array([1e-30, 2e-30, 3e-30])
        wanted = math.fsum((v * 1e30) ** p for v in small) ** (1 / p) * 1e-30
        x = Tensor(small.astype(np.float32), requires_grad=True)
        y = autograd.norm(x, p)
        np.testing.assert_allclose(y.item(), wanted, rtol=1e-6)
        y.backward()
        assert np.isfinite(x.grad.numpy()).all()
    for size in (1e-200, 1e200):  # beyond the squares of float64
        x = Tensor(np.array([3.0, 4.0]) * size)
        np.testing.assert_allclose(autograd.norm(x).item(), 5.0 * size, rtol=1e-15)
    x = autograd.tensor([1e4, -1e4, 1e4], requires_grad=True)
    y = autograd.logcumsumexp(x, 0)
    np.testing.assert_allclose(y.detach().numpy(), [1e4, 1e4, 1e4 + math.log(2)])
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [2.5, 0.0, 0.5], rtol=1e-3)
    many = autograd.ones(1 << 20) * 0.1
    np.testing.assert_allclose(autograd.cumsum(many, 0)[-1].item(), 0.1 * (1 << 20), rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-25, 1e-10, 1.0, 1e18])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e4])
def test_spread_of_many_float32(scale, offset):
    """In float32 where that is exact, in float64 elsewhere: the digits are those of float64."""
    noise = np.random.default_rng(0).normal(size=(100, 100))
    x = np.asarray((noise + offset) * scale, np.float32)
    for dim, keepdim in itertools.product((None, 0, 1), (False, True)):
        wanted = np.std(x.astype(np.float64), axis=dim, keepdims=keepdim, ddof=1)
        found = autograd.std(Tensor(x), dim, keepdim=keepdim).numpy()
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@both_dtypes
@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, INF, -INF, -1, -2, "fro", None])
def test_norms(torch, p, dtype):
    x = drawn(3, 4, dtype=dtype)
    ties = np.array([[0.0, 2.0, -2.0], [0.0, 0.0, 0.0]], dtype)
    for array in (x, ties):
        for option in ({}, {"dim": 0}, {"dim": (0, 1)}, {"dim": -1, "keepdim": True}):
            quiet(torch, function("norm", p, **option), array)
    quiet(torch, function("norm", p), np.asarray(x[0, 0]))
    for special in (NAN, INF):
        quiet(torch, function("norm", p), np.array([special, 2.0, -2.0], dtype))
    if p in (0.5, 1, 2, 3, "fro"):
        quiet(torch, function("norm", p), x[:0])
        quiet(torch, function("norm", p, dim=0), x[:0])
    if p in (1, 2, INF):
        agree(torch, function("dist", p), x, drawn(4, dtype=dtype, seed=1))


@both_dtypes
def test_norm_of_order_zero(torch, dtype):
    """A count: there is no gradient, and here the result does not pretend to have one."""
    x = np.round(drawn(3, 4, dtype=dtype))
    for option in ({}, {"dim": 0}, {"dim": (0, 1), "keepdim": True}):
        agree(torch, lambda lib, x, o=option: lib.norm(x.detach(), 0, **o), x)


# --- Extremes, median, mode ---------------------------------------------------------------------


@both_dtypes
def test_nan_and_infinities_among_extremes(torch, dtype):
    for row in ([1.0, NAN, NAN], [NAN, 2.0, 2.0], [INF, 1.0, -INF], [-INF, -INF, -INF]):
        x = np.array(row, dtype)
        for name in ("amax", "amin", "max", "min", "aminmax", "nansum"):
            quiet(torch, method(name), x)
        for name in ("argmax", "argmin"):
            quiet(torch, method(name), x)
        for name in ("max", "min", "amax", "aminmax", "cummax", "cummin"):
            quiet(torch, method(name, dim=0), x)
        quiet(torch, lambda lib, x: lib.median(x, 0).values.detach(), x)
        for name in ("median", "nanmedian"):
            quiet(torch, method(name), x)
        quiet(torch, lambda lib, x: lib.nanmedian(x, 0).values.detach(), x)
        quiet(torch, lambda lib, x: lib.sort(x, descending=True, stable=True).indices, x)
        quiet(torch, lambda lib, x: lib.topk(x, 2).values.detach(), x)
        quiet(torch, lambda lib, x: lib.kthvalue(x, 2).values.detach(), x)
        quiet(torch, function("logcumsumexp", 0), x)
    mixed = np.array([1.0, 3, 3, 2, 3, NAN, 1, NAN, 5], dtype)
    for name in ("cummax", "cummin", "cumsum", "cumprod"):
        quiet(torch, function(name, 0), mixed)
    for row in ([1.0, -INF, 2.0], [-INF, -INF, 1.0], [1.0, INF, 2.0]):
        quiet(torch, function("logcumsumexp", 0), np.array(row, dtype))


@both_dtypes
def test_ties(torch, dtype):
    x = TIED.astype(dtype)
    for dim, keepdim in itertools.product((0, 1, -2), (False, True)):
        agree(torch, method("aminmax", dim=dim, keepdim=keepdim), x)
        agree(torch, method("mode", dim, keepdim), x)
    for name in ("aminmax", "median", "nanmedian", "max", "min"):
        agree(torch, method(name), x)
    agree(torch, method("median"), x[:, :0])
    # Which of equals PyTorch takes is not said there; here it is the first.
    for name in ("median", "nanmedian"):
        agree(torch, lambda lib, x, name=name: tuple(getattr(lib, name)(x, 1)), drawn(3, 6))
        agree(torch, lambda lib, x, name=name: getattr(lib, name)(x, 0, True).values.detach(), x)
    picked = autograd.median(Tensor(x), 1).indices.tolist()
    assert picked == [3, 0, 1]
    assert autograd.kthvalue(Tensor(x), 3, 1).indices.tolist() == [0, 0, 1]
    assert autograd.topk(Tensor(x), 2, 1).indices.tolist() == [[0, 2], [0, 1], [1, 2]]


def test_choices_of_a_trace():
    """What is chosen by value is an op, so a trace has it too."""
    x = Tensor(drawn(3, 4))
    for func in (
        lambda x: x.max(1).values, lambda x: x.min(0).values, lambda x: x.argmax(1),
        lambda x: x.argmin(), lambda x: x.argmax(0, True), lambda x: x.median(0).values,
        lambda x: x.sort(1).values, lambda x: x.topk(2).values, lambda x: x.cummax(0).values,
        lambda x: x.mode(1).values, lambda x: x.kthvalue(2, 0).values, lambda x: x.norm(3),
        lambda x: x.sum(dtype=np.float32), lambda x: x.nanmean(1), lambda x: (x > 0).any(0),
    ):  # fmt: skip
        np.testing.assert_array_equal(autograd.trace(func, x)(x), func(x).numpy())


# --- Sorting ------------------------------------------------------------------------------------


@both_dtypes
def test_sorts(torch, dtype):
    for x in (drawn(3, 4, dtype=dtype), TIED.astype(dtype), np.zeros((0, 2), dtype)):
        for dim, descending in itertools.product((0, 1, -1), (False, True)):
            for name in ("sort", "argsort"):
                option = {"dim": dim, "descending": descending, "stable": True}
                agree(torch, function(name, **option), x)
        agree(torch, method("sort", -1, True), x)
        agree(torch, method("msort"), x)
    single = np.asarray(drawn(1, dtype=dtype)[0])
    for func in (
        method("sort"), method("argsort"), method("topk", 1), method("kthvalue", 1),
        method("median", 0), method("mode"), method("cummax", 0), method("cumsum", 0),
        method("cumprod", -1), method("logcumsumexp", 0), method("prod", 0), method("msort"),
        method("kthvalue", 1, 0, True),
    ):  # fmt: skip
        agree(torch, func, single)


@both_dtypes
def test_topk_and_kthvalue(torch, dtype):
    x = drawn(4, 5, dtype=dtype)
    for dim, k, largest in itertools.product((0, 1, -1), (0, 1, 3, 4), (True, False)):
        agree(torch, method("topk", k, dim, largest), x)
    agree(torch, lambda lib, x: lib.topk(x, 3, sorted=False).values.sort().values, x)
    for dim, k, keepdim in itertools.product((0, -1), (1, 2, 4), (False, True)):
        agree(torch, method("kthvalue", k, dim, keepdim), x)


# --- Cumulation ---------------------------------------------------------------------------------


@both_dtypes
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "diff"])
def test_cumulation(torch, name, dtype):
    for x in (drawn(2, 3, 4, dtype=dtype), TIED.astype(dtype), np.zeros((2, 0, 3), dtype)):
        if x.size == 0 and name in ("cummax", "cummin"):
            continue  # PyTorch's gradient of nothing is the input
        for dim in (0, 1, -1):
            agree(torch, function(name, dim=dim), x)
            agree(torch, method(name, dim=dim), x)


@both_dtypes
def test_cumulation_in_place(torch, dtype):
    x = drawn(3, 4, dtype=dtype)
    for name in ("cumsum_", "cumprod_"):
        agree(torch, lambda lib, x, name=name: getattr(x * 2.0, name)(1) * x, x)


@both_dtypes
def test_diff(torch, dtype):
    x = drawn(3, 4, dtype=dtype)
    for n, dim in itertools.product((0, 1, 2, 5), (0, -1)):
        agree(torch, function("diff", n, dim), x)
    y = drawn(3, 2, dtype=dtype, seed=1)
    agree(torch, lambda lib, x, y: lib.diff(x, prepend=y), x, y)
    agree(torch, lambda lib, x, y: lib.diff(x, 2, 1, y, y), x, y)


# --- Distinct elements, and places among sorted ones --------------------------------------------


def test_unique(torch):
    x = np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [0.0, 3.0, NAN]])
    for array, dim in itertools.product(
        (x, x[:2], np.array([[3, 1], [3, 1]]), np.array(2.0), x[:0]), (None, 0, -1)
    ):
        if dim is not None and (array.ndim == 0 or array.size == 0):
            continue  # refused by PyTorch
        for inverse, counts in itertools.product((False, True), (False, True)):
            for name in ("unique", "unique_consecutive"):

                def func(lib, x, name=name, i=inverse, c=counts, d=dim):
                    option = {"return_inverse": i, "return_counts": c, "dim": d}
                    return getattr(lib, name)(x.detach(), **option)

                agree(torch, func, array)
    agree(torch, lambda lib, x: x.detach().unique(True, True, True), x)
    agree(torch, lambda lib, x: lib.argwhere(x.detach()), np.nan_to_num(x))
    agree(torch, lambda lib, x: lib.argwhere(x), np.array(3))


def test_places_among_sorted(torch):
    line = np.array([1.0, 2.0, 2.0, 5.0])
    rows = np.sort(drawn(2, 3, 4), axis=-1)
    x = np.array([[0.0, 2.0, NAN], [5.0, 6.0, -INF]])
    for right, narrow in itertools.product((False, True), (False, True)):
        option = {"right": right, "out_int32": narrow}
        agree(torch, lambda lib, s, x, o=option: lib.searchsorted(s, x, **o), line, x)
        agree(torch, lambda lib, s, x, o=option: lib.bucketize(x, s, **o), line, x)
        agree(torch, lambda lib, s, o=option: lib.searchsorted(s, 2.0, **o), line)
        agree(torch, lambda lib, s, o=option: lib.bucketize(2.0, s, **o), line)
        among = np.concatenate([rows[..., 1:3], drawn(2, 3, 2, seed=1)], -1)
        agree(torch, lambda lib, s, x, o=option: lib.searchsorted(s, x, **o), rows, among)
    for side in ("left", "right"):
        agree(torch, lambda lib, s, x, v=side: lib.searchsorted(s, x, side=v), line, x)
    mixed = line[[2, 0, 3, 1]]
    agree(
        torch,
        lambda lib, s, x: lib.searchsorted(s, x, sorter=lib.argsort(s, stable=True)),
        mixed,
        x,
    )


# --- Refusals -----------------------------------------------------------------------------------

WHOLE = np.array([1, 2])
BAD = {
    "mean of ints": (lambda lib, t: lib.mean(t(WHOLE)), TypeError),
    "nanmean of ints": (lambda lib, t: lib.nanmean(t(WHOLE)), TypeError),
    "var of ints": (lambda lib, t: lib.var(t(WHOLE)), TypeError),
    "std of ints": (lambda lib, t: lib.std(t(WHOLE)), TypeError),
    "norm of ints": (lambda lib, t: lib.norm(t(WHOLE)), TypeError),
    "logcumsumexp of ints": (lambda lib, t: lib.logcumsumexp(t(WHOLE), 0), TypeError),
    "median of bools": (lambda lib, t: lib.median(t(WHOLE > 1)), TypeError),
    "median of bools along": (lambda lib, t: lib.median(t(WHOLE > 1), 0), TypeError),
    "norm order": (lambda lib, t: lib.norm(t(np.ones(2)), "x"), ValueError),
    "norm of nothing": (lambda lib, t: lib.norm(t(np.ones(0)), -1), ValueError),
    "largest norm of nothing": (lambda lib, t: lib.norm(t(np.ones((0, 2))), INF, 0), IndexError),
    "topk k": (lambda lib, t: lib.topk(t(WHOLE), 3), ValueError),
    "topk of float": (lambda lib, t: lib.topk(t(WHOLE), 1.5), TypeError),
    "kthvalue k": (lambda lib, t: lib.kthvalue(t(WHOLE), 3), ValueError),
    "kthvalue of 0": (lambda lib, t: lib.kthvalue(t(WHOLE), 0), ValueError),
    "sort dim": (lambda lib, t: lib.sort(t(WHOLE), 1), IndexError),
    "cumsum dim": (lambda lib, t: lib.cumsum(t(WHOLE), 1), IndexError),
    "cumsum without dim": (lambda lib, t: lib.cumsum(t(WHOLE)), TypeError),
    "cummax without dim": (lambda lib, t: lib.cummax(t(WHOLE)), TypeError),
    "max of two dims": (lambda lib, t: lib.max(t(np.ones((2, 2))), (0, 1)), TypeError),
    "median of nothing": (lambda lib, t: lib.median(t(np.ones((0, 2))), 0), IndexError),
    "mode of nothing": (lambda lib, t: lib.mode(t(np.ones((0, 2))), 0), IndexError),
    "amax of nothing": (lambda lib, t: lib.amax(t(np.ones((0, 2))), 0), IndexError),
    "aminmax of nothing": (lambda lib, t: lib.aminmax(t(np.ones(0))), ValueError),
    "diff of 0-d": (lambda lib, t: lib.diff(t(np.array(1.0))), ValueError),
    "diff n": (lambda lib, t: lib.diff(t(WHOLE), n=-1), ValueError),
    "searchsorted shapes": (
        lambda lib, t: lib.searchsorted(t(np.ones((2, 3))), t(np.ones((3, 1)))), ValueError
    ),
    "searchsorted number": (lambda lib, t: lib.searchsorted(t(np.ones((2, 3))), 1.0), ValueError),
    "searchsorted side": (
        lambda lib, t: lib.searchsorted(t(WHOLE), t(WHOLE), side="middle"), ValueError
    ),
    "searchsorted sides": (
        lambda lib, t: lib.searchsorted(t(WHOLE), t(WHOLE), right=True, side="left"), ValueError
    ),
    "bucketize shapes": (lambda lib, t: lib.bucketize(t(WHOLE), t(np.ones((2, 2)))), ValueError),
    "unique dim": (lambda lib, t: lib.unique(t(WHOLE), dim=1), IndexError),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(torch, name):
    func, kind = BAD[name]
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)):
        func(torch, torch.tensor)
    with pytest.raises(kind) as caught:
        func(autograd, autograd.tensor)
    assert type(caught.value) is kind
    assert len(str(caught.value)) > 20


def test_isin(torch):
    x = np.array([[1.0, np.nan], [2.0, -0.0]])
    for elements, among in ((x, x[0]), (x, np.array([0.0, 2.0])), (np.arange(4), np.arange(2))):
        for invert in (False, True):
            ours = autograd.isin(Tensor(elements), Tensor(among), invert=invert)
            theirs = torch.isin(torch.tensor(elements), torch.tensor(among), invert=invert)
            assert ours.tolist() == theirs.tolist()
    assert autograd.isin(Tensor(x), 2.0).tolist() == torch.isin(torch.tensor(x), 2.0).tolist()
    assert autograd.isin(autograd.tensor(3), autograd.tensor([3])).shape == ()
