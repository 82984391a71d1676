"""Every public op beside PyTorch: values, gradients, ties, dtypes, and what is refused."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor

DTYPES = [np.float32, np.float64]
both_dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])


def agree(torch: Any, func: Callable[..., Any], *arrays: Any, lib: Any = None) -> None:
    """Run `func(library, *tensors)` in both, and compare results and gradients."""
    ours = [
        Tensor(a.copy(), requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a
        for a in arrays
    ]
    theirs = [
        torch.tensor(a, requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a
        for a in arrays
    ]
    y, z = func(autograd, *ours), func(lib or torch, *theirs)
    ys = y if isinstance(y, tuple) else (y,)
    zs = z if isinstance(z, tuple) else (z,)
    assert len(ys) == len(zs)
    for a, b in zip(ys, zs, strict=True):
        value = b.detach().numpy()
        assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
        assert a.shape == tuple(b.shape)
        close(a.detach().numpy(), value, "result")
        assert a.requires_grad == b.requires_grad
    if not any(a.requires_grad for a in ys):
        return
    rng = np.random.default_rng(9)
    seeds = [np.asarray(rng.normal(size=a.shape), a.dtype) for a in ys if a.requires_grad]
    outs = [a for a in ys if a.requires_grad], [b for b in zs if b.requires_grad]
    mine = [t for t in ours if isinstance(t, Tensor) and t.requires_grad]
    other = [t for t in theirs if isinstance(t, torch.Tensor) and t.requires_grad]
    found = autograd.grad(outs[0], mine, [Tensor(s) for s in seeds], allow_unused=True)
    wanted = torch.autograd.grad(
        outs[1], other, [torch.tensor(s) for s in seeds], allow_unused=True
    )
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert (a is None) == (b is None), f"input {k}: one has no gradient"
        if a is not None:
            assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
            close(a.numpy(), b.numpy(), f"gradient of input {k}")


def close(ours: np.ndarray, theirs: np.ndarray, what: str) -> None:
    narrow = theirs.dtype == np.float32
    rtol, atol = (2e-5, 2e-6) if narrow else (1e-10, 1e-12)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=what)


def drawn(*shape: int, dtype: Any = np.float64, low: float = -2.0, high: float = 2.0, seed=0):
    return np.asarray(np.random.default_rng(seed).uniform(low, high, shape), dtype)


# --- Elementwise --------------------------------------------------------------------------------

UNARY = {
    "exp": (-3, 3), "log": (0.1, 3), "sqrt": (0.1, 3), "sin": (-3, 3), "cos": (-3, 3),
    "tanh": (-3, 3), "sigmoid": (-30, 30), "relu": (-3, 3), "abs": (-3, 3), "neg": (-3, 3),
    "sign": (-3, 3), "clone": (-3, 3), "erf": (-3, 3),
}  # fmt: skip
BINARY = {
    "add": (-3, 3), "sub": (-3, 3), "mul": (-3, 3), "div": (0.3, 3), "pow": (0.2, 2),
    "maximum": (-3, 3), "minimum": (-3, 3), "eq": (-3, 3), "ne": (-3, 3), "lt": (-3, 3),
    "le": (-3, 3), "gt": (-3, 3), "ge": (-3, 3),
}  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("name", UNARY)
def test_unary(torch, name, dtype):
    low, high = UNARY[name]
    for shape in [(), (3,), (0,), (2, 3)]:
        x = drawn(*shape, dtype=dtype, low=low, high=high)
        agree(torch, lambda lib, x: getattr(lib, name)(x), x)
        agree(torch, lambda lib, x: getattr(x, name)(), x)


@both_dtypes
@pytest.mark.parametrize("name", BINARY)
def test_binary(torch, name, dtype):
    low, high = BINARY[name]
    for a, b in [((), ()), ((3,), ()), ((2, 1), (1, 3)), ((2, 3), (3,)), ((0, 3), (3,))]:
        x = drawn(*a, dtype=dtype, low=low, high=high)
        y = drawn(*b, dtype=dtype, low=low, high=high, seed=1)
        agree(torch, lambda lib, x, y: getattr(lib, name)(x, y), x, y)


@both_dtypes
def test_softplus(torch, dtype):
    x = drawn(50, dtype=dtype, low=-15, high=15)
    functional = torch.nn.functional
    agree(torch, lambda lib, x: lib.softplus(x), x, lib=functional)
    agree(torch, lambda lib, x: lib.softplus(x, beta=2.0, threshold=3.0), x, lib=functional)


@both_dtypes
def test_gelu_and_silu(torch, dtype):
    x = drawn(50, dtype=dtype, low=-4, high=4)  # further left, PyTorch's gelu loses its digits
    functional = torch.nn.functional
    agree(torch, lambda lib, x: lib.gelu(x), x, lib=functional)
    agree(torch, lambda lib, x: lib.gelu(x, approximate="tanh"), x, lib=functional)
    agree(torch, lambda lib, x: lib.silu(x), x, lib=functional)


def test_operators_with_numbers(torch):
    x = drawn(2, 3, dtype=np.float32, low=0.5)
    for func in (
        lambda x: x + 2, lambda x: 2 - x, lambda x: x * 0.1, lambda x: 3 / x, lambda x: x / 3,
        lambda x: x**3, lambda x: x**-1, lambda x: x**0.5, lambda x: 2**x, lambda x: -x, abs,
        lambda x: x**0, lambda x: x < 1.5, lambda x: x == 1, lambda x: +x,
    ):  # fmt: skip
        agree(torch, lambda lib, x, func=func: func(x), x)


@both_dtypes
def test_slopes_at_kinks(torch, dtype):
    zero = np.array([0.0, -0.0, 1.0, -1.0], dtype)
    for name in ("relu", "abs", "sign"):
        agree(torch, lambda lib, x, name=name: getattr(lib, name)(x), zero)
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], dtype)
    for low, high in [(-1, 1), (None, 1), (-1, None), (0, 0.5), (1, -1)]:
        agree(torch, lambda lib, x, a=low, b=high: lib.clamp(x, a, b), x)
        agree(torch, lambda lib, x, a=low, b=high: x.clamp(min=a, max=b), x)
    low, high = np.array([-1.0] * 5, dtype), np.array([1.0, 1.0, 1.0, 0.5, 0.5], dtype)
    agree(torch, lambda lib, x, a, b: lib.clamp(x, a, b), x, low, high)
    base = np.array([0.0, 0.0, 0.0, 2.0, -2.0], dtype)
    for exponent in (0, 1, 2, 3):
        agree(torch, lambda lib, x, n=exponent: x**n, base)
    agree(torch, lambda lib, a, b: a**b, np.array([0.0, 0.0, 0.0, 2.0], dtype),
          np.array([0.0, 1.0, 2.0, 0.0], dtype))  # fmt: skip
    a, b = np.array([1.0, 2.0, 3.0], dtype), np.array([2.0, 2.0, 2.0], dtype)
    for name in ("maximum", "minimum"):
        agree(torch, lambda lib, a, b, name=name: getattr(lib, name)(a, b), a, b)
    still = np.array([2.0, 2.0, 2.0], dtype)
    agree(torch, lambda lib, x: lib.std(x), still)
    agree(torch, lambda lib, x: lib.var(x), still)


@both_dtypes
def test_where(torch, dtype):
    a, b = drawn(2, 3, dtype=dtype), drawn(3, dtype=dtype, seed=1)
    agree(torch, lambda lib, a, b: lib.where(a > 0, a, b), a, b)
    agree(torch, lambda lib, a: lib.where(a > 0, a, 0.0), a)
    agree(torch, lambda lib, a: lib.where(a > 0, 1.0, 0.0), a)
    agree(torch, lambda lib, a: lib.where(a > 0, 1, 0), a)
    agree(torch, lambda lib, a: a.where(a > 0, a * 2), a)


# --- Dtypes -------------------------------------------------------------------------------------

KINDS = [np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, np.bool_]


@pytest.mark.parametrize("name", ["add", "mul", "div", "pow", "maximum", "where"])
def test_promotion(torch, name):
    """Every pair of dtypes, as arrays, as single elements and as Python numbers."""

    def func(lib, a, b):
        if name == "where":
            return lib.where(a > 0, a, b) if hasattr(a, "dtype") else lib.where(b > 0, a, b)
        return getattr(lib, name)(a, b)

    def result(lib, make, a, b):
        a, b = (make(v) if isinstance(v, np.ndarray | np.generic) else v for v in (a, b))
        try:
            return str(func(lib, a, b).dtype).removeprefix("torch.")
        except (TypeError, RuntimeError):
            return None

    operands: list[Any] = [np.ones(s, k) for k in KINDS for s in ((2,), ())]
    numbers = [] if name == "maximum" else [True, 2, 2.5]
    for a, b in [*itertools.product(operands, operands), *itertools.product(operands, numbers)]:
        wanted = result(torch, torch.tensor, a, b)
        if wanted is None:
            continue
        kinds = {str(getattr(v, "dtype", type(v).__name__)) for v in (a, b)}
        if name == "pow" and ("uint8" in kinds or kinds <= {"bool"}):
            continue  # NumPy has no powers of bools, and its bytes overflow elsewhere
        found = result(autograd, Tensor, a, b)
        assert found == wanted, f"{name} of {describe(a)} and {describe(b)}"


def describe(value: Any) -> str:
    return f"{value.dtype}{value.shape}" if hasattr(value, "dtype") else repr(value)


def test_conversions(torch):
    x = drawn(2, 3, dtype=np.float32)
    for name in ("double", "float", "long", "bool"):
        agree(torch, lambda lib, x, name=name: getattr(x, name)(), x)
    agree(torch, lambda lib, x: (x.double() * 2.0).float() * x, x)
    agree(torch, lambda lib, x: (x > 0).sum(), x)
    agree(torch, lambda lib, x: x.sum() + lib.sum(x > 0), x)


# --- Reductions ---------------------------------------------------------------------------------

DIMS = [None, 0, -1, (0, 2), (1, -1), (0, 1, 2)]


@both_dtypes
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "logsumexp", "var", "std"])
def test_reductions(torch, name, keepdim, dtype):
    x = drawn(2, 3, 4, dtype=dtype)
    for dim in DIMS:
        if dim is None and name == "logsumexp":
            continue
        if dim is None and not keepdim:
            agree(torch, lambda lib, x: getattr(lib, name)(x), x)
        elif dim is not None:
            agree(torch, lambda lib, x, d=dim: getattr(lib, name)(x, d, keepdim=keepdim), x)
            agree(torch, lambda lib, x, d=dim: getattr(x, name)(dim=d, keepdim=keepdim), x)
    if name in ("var", "std"):
        for correction in (0, 1, 2):
            agree(torch, lambda lib, x, c=correction: getattr(lib, name)(x, 2, correction=c), x)
        agree(torch, lambda lib, x: getattr(lib, name)(x, 1, False), x)


@both_dtypes
def test_extremes_and_ties(torch, dtype):
    tied = np.array([[3.0, 1.0, 3.0, 2.0], [1.0, 1.0, 1.0, 1.0]], dtype)
    for name, keepdim in itertools.product(("max", "min"), (False, True)):
        agree(torch, lambda lib, x, name=name: getattr(lib, name)(x), tied)
        for dim in (0, 1, -1):
            agree(
                torch,
                lambda lib, x, name=name, d=dim, k=keepdim: tuple(getattr(lib, name)(x, d, k)),
                tied,
            )
            agree(
                torch,
                lambda lib, x, name=name, d=dim, k=keepdim: getattr(lib, f"a{name}")(x, d, k),
                tied,
            )
            agree(
                torch,
                lambda lib, x, name=name, d=dim, k=keepdim: {
                    "max": lib.argmax,
                    "min": lib.argmin,
                }[name](x, d, k),
                tied,
            )
        agree(torch, lambda lib, x, name=name: getattr(lib, f"a{name}")(x), tied)
        agree(torch, lambda lib, x, name=name: getattr(lib, f"arg{name}")(x), tied)


@both_dtypes
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(torch, name, dtype):
    x = drawn(2, 3, 4, dtype=dtype, low=-5, high=5)
    masked = x.copy()
    masked[0, :2] = -np.inf
    for dim in (0, 1, -1):
        agree(torch, lambda lib, x, d=dim: getattr(lib, name)(x, d), x)
        agree(torch, lambda lib, x, d=dim: getattr(x, name)(dim=d), x * 100)
        if name == "softmax":
            agree(torch, lambda lib, x, d=dim: getattr(lib, name)(x, d), masked)
    agree(torch, lambda lib, x: getattr(lib, name)(x, 0), np.asarray(x[0, 0, 0]))


# --- Movements ----------------------------------------------------------------------------------


@both_dtypes
def test_movements(torch, dtype):
    x = drawn(2, 3, 4, dtype=dtype)
    y = drawn(2, 1, 4, dtype=dtype, seed=1)
    for func in (
        lambda lib, x: lib.reshape(x, (4, -1)),
        lambda lib, x: x.reshape(2, 12),
        lambda lib, x: x.view(-1),
        lambda lib, x: lib.permute(x, (2, 0, 1)),
        lambda lib, x: x.permute(1, 2, 0),
        lambda lib, x: lib.transpose(x, 0, -1),
        lambda lib, x: x.mT,
        lambda lib, x: lib.flatten(x, 1),
        lambda lib, x: lib.flatten(x, 0, 1),
        lambda lib, x: lib.unsqueeze(x, -1),
        lambda lib, x: lib.squeeze(x[:, :1], 1),
        lambda lib, x: lib.squeeze(x[:1, :1]),
        lambda lib, x: lib.squeeze(x, 0),
        lambda lib, x: lib.squeeze(x[:1, :1], (0, 1)),
        lambda lib, x: x[:, :1].expand(2, 5, 4),
        lambda lib, x: x[:, :1].expand(-1, 3, -1),
        lambda lib, x: lib.stack([x, x * 2], 1),
        lambda lib, x: lib.stack([x, x], -1),
        lambda lib, x: x[1],
        lambda lib, x: x[..., 1:3],
        lambda lib, x: x[:, None, ::2],
        lambda lib, x: x[[0, 1, 0]],
        lambda lib, x: x[:, [0, 0], [1, 3]],
        lambda lib, x: x[x > 0],
        lambda lib, x: x[-1, -1, -1],
    ):
        agree(torch, func, x)
    agree(torch, lambda lib, x, y: lib.cat([x, y, x], 1), x, y)
    agree(torch, lambda lib, x, y: lib.cat((x, y), dim=-2), x, y)
    index = np.array([[[0, 3, 1]], [[2, 2, 0]]])
    agree(torch, lambda lib, x, i: lib.take_along_dim(x, i, 2), x[:, :1], index)
    for widths in [(1, 2), (0, 1, 2, 0), (1, 1, 1, 1, 1, 1), (-1, 2), (-1, -1, 0, -2)]:
        agree(torch, lambda lib, x, w=widths: lib.pad(x, w, value=1.5), x, lib=torch.nn.functional)


# --- Products and images ------------------------------------------------------------------------

MATMULS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
    ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((1, 1), (1, 1)), ((2, 5, 0, 3), (3, 4)),
]  # fmt: skip


@both_dtypes
@pytest.mark.parametrize(("a", "b"), MATMULS)
def test_matmul(torch, a, b, dtype):
    x, y = drawn(*a, dtype=dtype), drawn(*b, dtype=dtype, seed=1)
    agree(torch, lambda lib, x, y: lib.matmul(x, y), x, y)
    agree(torch, lambda lib, x, y: x @ y, x, y)


@both_dtypes
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 2, 2, 3)])
def test_linear(torch, shape, dtype):
    x, w, b = drawn(*shape, dtype=dtype), drawn(4, 3, dtype=dtype), drawn(4, dtype=dtype)
    functional = torch.nn.functional
    agree(torch, lambda lib, x, w, b: lib.linear(x, w, b), x, w, b, lib=functional)
    agree(torch, lambda lib, x, w: lib.linear(x, w), x, w, lib=functional)


@both_dtypes
@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding(torch, padding, dtype):
    table, numbers = drawn(5, 3, dtype=dtype), np.array([[0, 2, 2], [4, 2, 1]])
    functional = torch.nn.functional

    def look_up(lib, x):
        module = autograd if lib is autograd else torch
        return lib.embedding(module.tensor(numbers), x, padding)

    agree(torch, look_up, table, lib=functional)


CONVS = [
    {}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": (2, 1), "padding": (0, 2)},
    {"groups": 2}, {"groups": 2, "stride": 2, "padding": 1, "dilation": (1, 2)},
]  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("options", CONVS)
def test_conv2d(torch, options, dtype):
    groups = options.get("groups", 1)
    x = drawn(2, 4, 7, 8, dtype=dtype)
    w, b = drawn(6, 4 // groups, 3, 2, dtype=dtype, seed=1), drawn(6, dtype=dtype)
    functional = torch.nn.functional
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of how it pads
        agree(torch, lambda lib, x, w, b: lib.conv2d(x, w, b, **options), x, w, b, lib=functional)
        agree(torch, lambda lib, x, w: lib.conv2d(x, w, **options), x[0], w, lib=functional)


@both_dtypes
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0))]
)
def test_pools(torch, kernel, stride, padding, ceil_mode, dtype):
    functional = torch.nn.functional
    x = drawn(2, 3, 7, 8, dtype=dtype)
    tied = np.round(x)
    for image in (x, tied, x[0]):
        agree(
            torch,
            lambda lib, x: lib.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode),
            image,
            lib=functional,
        )
        agree(
            torch,
            lambda lib, x: lib.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode),
            image,
            lib=functional,
        )
    agree(
        torch,
        lambda lib, x: lib.avg_pool2d(x, kernel, stride, padding, ceil_mode, False),
        x,
        lib=functional,
    )
    agree(
        torch,
        lambda lib, x: lib.avg_pool2d(x, kernel, stride, padding, ceil_mode, divisor_override=3),
        x,
        lib=functional,
    )
    agree(
        torch,
        lambda lib, x: tuple(
            lib.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True)
        ),
        tied,
        lib=functional,
    )


@both_dtypes
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 4)])
@pytest.mark.parametrize("training", [False, True])
def test_batch_norm(torch, shape, training, dtype):
    functional = torch.nn.functional
    x = drawn(*shape, dtype=dtype)
    w, b = drawn(3, dtype=dtype, seed=1), drawn(3, dtype=dtype, seed=2)
    middle, spread = drawn(3, dtype=dtype, seed=3), drawn(3, dtype=dtype, low=0.5, seed=4)
    states = []
    for lib, make in ((autograd, Tensor), (functional, torch.tensor)):
        state = make(middle.copy()), make(spread.copy())
        lib.batch_norm(make(x), *state, training=training, momentum=0.3)
        states.append([np.asarray(s) for s in state])
    for ours, theirs in zip(*states, strict=True):
        close(ours, theirs, "running statistics")

    def func(lib, x, w, b):
        make = Tensor if lib is autograd else torch.tensor
        state = make(middle.copy()), make(spread.copy())
        return lib.batch_norm(x, *state, w, b, training=training, eps=1e-3)

    agree(torch, func, x, w, b, lib=functional)


@both_dtypes
@pytest.mark.parametrize(
    ("shape", "sizes"), [((6, 5), (5,)), ((4, 3, 5), (3, 5)), ((5,), (5,)), ((0, 5), (5,))]
)
@pytest.mark.parametrize("given", [0, 1, 2])
def test_layer_norm(torch, shape, sizes, given, dtype):
    x = drawn(*shape, dtype=dtype)
    affine = (drawn(*sizes, dtype=dtype, seed=1), drawn(*sizes, dtype=dtype, seed=2))[:given]
    agree(
        torch,
        lambda lib, x, *affine: lib.layer_norm(x, sizes, *affine, eps=1e-3),
        x,
        *affine,
        lib=torch.nn.functional,
    )


@both_dtypes
@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((3, 4), 1),
        ((3, 4), 2),
        ((3, 4, 5), 4),
        ((2, 4, 4, 3), 1),
        ((2, 4, 4, 3), 2),
        ((0, 4, 3), 2),
    ],
)
@pytest.mark.parametrize("given", [0, 1, 2])
def test_group_norm(torch, shape, groups, given, dtype):
    x = drawn(*shape, dtype=dtype)
    affine = (drawn(4, dtype=dtype, seed=1), drawn(4, dtype=dtype, seed=2))[:given]
    agree(
        torch,
        lambda lib, x, *affine: lib.group_norm(x, groups, *affine, eps=1e-3),
        x,
        *affine,
        lib=torch.nn.functional,
    )


# --- Losses -------------------------------------------------------------------------------------


def test_mse_loss(torch):
    a, b = drawn(2, 3, dtype=np.float32), drawn(2, 3, dtype=np.float32, seed=1)
    for reduction in ("none", "mean", "sum"):
        agree(torch, lambda lib, a, b, r=reduction: lib.mse_loss(a, b, reduction=r), a, b,
              lib=torch.nn.functional)  # fmt: skip


SCORES = {(3,): (), (5, 3): (5,), (5, 3, 2): (5, 2), (2, 3, 4, 2): (2, 4, 2), (0, 3): (0,)}


@both_dtypes
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", SCORES)
def test_class_losses(torch, shape, reduction, dtype):
    functional = torch.nn.functional
    x = drawn(*shape, dtype=dtype, low=-4, high=4)
    target = np.random.default_rng(2).integers(0, 3, SCORES[shape])
    weight = np.array([0.5, 2.0, 1.5], dtype)
    ignored = np.where(np.random.default_rng(3).random(SCORES[shape]) < 0.4, -100, target)
    for weighted, smoothing, (classes, ignore) in itertools.product(
        (False, True),
        (0.0, 0.2),
        [(target, -100), (ignored, -100), (target, 1), (np.asarray(ignored), -100)],
    ):

        def func(lib, x, t, w=None, *, name="cross_entropy", i=ignore, s=smoothing):
            options: dict[str, Any] = {"ignore_index": i, "reduction": reduction}
            if name == "cross_entropy":
                options["label_smoothing"] = s
            return getattr(lib, name)(x, t, None if w is None else fixed(w), **options)

        extra = (weight,) if weighted else ()
        counted = classes != ignore
        if reduction == "mean" and not np.any(counted):
            continue  # NaN in both; our gradient is 0 by intent (see test_classics.py)
        agree(torch, func, x, np.asarray(classes), *extra, lib=functional)
        if not smoothing:
            agree(
                torch,
                lambda lib, *a, f=func: f(lib, *a, name="nll_loss"),
                x,
                np.asarray(classes),
                *extra,
                lib=functional,
            )


def fixed(weight):
    """The weights of classes as constants: PyTorch has no gradient for them."""
    return weight.detach()


@both_dtypes
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (5, 3, 2), (2, 3, 4, 2)])
def test_cross_entropy_of_probabilities(torch, shape, reduction, dtype):
    x = drawn(*shape, dtype=dtype)
    axis = 0 if len(shape) == 1 else 1
    p = drawn(*shape, dtype=dtype, low=0.1, high=1.0, seed=1)
    p /= p.sum(axis, keepdims=True)
    weight = np.array([0.5, 2.0, 1.5], dtype)
    for smoothing in (0.0, 0.1):
        for extra in ((), (weight,)):
            agree(
                torch,
                lambda lib, x, p, w=None, s=smoothing: lib.cross_entropy(
                    x,
                    p,
                    None if w is None else fixed(w),
                    reduction=reduction,
                    label_smoothing=s,
                ),
                x,
                p,
                *extra,
                lib=torch.nn.functional,
            )


# --- Refusals: where PyTorch raises, so do we ---------------------------------------------------

ONES = np.ones((2, 3), np.float32)
BAD = {
    "add shapes": lambda lib, F, t: t(ONES) + t(np.ones((2, 2), np.float32)),
    "matmul shapes": lambda lib, F, t: t(ONES) @ t(ONES),
    "matmul 0-d": lambda lib, F, t: t(np.float32(1.0)) @ t(ONES),
    "matmul batches": lambda lib, F, t: t(np.ones((2, 3, 3))) @ t(np.ones((4, 3, 3))),
    "reshape": lambda lib, F, t: t(ONES).reshape(4, 2),
    "reshape two unknown": lambda lib, F, t: t(ONES).reshape(-1, -1),
    "permute": lambda lib, F, t: t(ONES).permute(0, 0),
    "permute too few": lambda lib, F, t: t(ONES).permute(0),
    "transpose range": lambda lib, F, t: t(ONES).transpose(0, 2),
    "sum range": lambda lib, F, t: t(ONES).sum(2),
    "sum twice": lambda lib, F, t: t(ONES).sum((0, 0)),
    "mean of ints": lambda lib, F, t: t(np.ones(2, np.int64)).mean(),
    "max of nothing": lambda lib, F, t: t(np.ones(0)).max(),
    "argmax of nothing": lambda lib, F, t: t(np.ones(0)).argmax(),
    "cat nothing": lambda lib, F, t: lib.cat([]),
    "cat shapes": lambda lib, F, t: lib.cat([t(ONES), t(np.ones((2, 2), np.float32))]),
    "cat 0-d": lambda lib, F, t: lib.cat([t(np.float32(1.0))]),
    "stack shapes": lambda lib, F, t: lib.stack([t(ONES), t(np.ones(2, np.float32))]),
    "stack nothing": lambda lib, F, t: lib.stack([]),
    "expand": lambda lib, F, t: t(ONES).expand(4, 3),
    "index range": lambda lib, F, t: t(ONES)[2],
    "index list range": lambda lib, F, t: t(ONES)[[0, 5]],
    "index too many": lambda lib, F, t: t(ONES)[0, 0, 0],
    "index float": lambda lib, F, t: t(ONES)[1.5],
    "index mask": lambda lib, F, t: t(ONES)[t(np.array([True, False, True]))],
    "unsqueeze": lambda lib, F, t: t(ONES).unsqueeze(4),
    "flatten": lambda lib, F, t: lib.flatten(t(ONES), 1, 0),
    "clamp nothing": lambda lib, F, t: lib.clamp(t(ONES)),
    "truth": lambda lib, F, t: bool(t(ONES)),
    "item": lambda lib, F, t: t(ONES).item(),
    "numpy of grad": lambda lib, F, t: t(ONES).requires_grad_().numpy(),
    "grad of ints": lambda lib, F, t: t(np.ones(2, np.int64)).requires_grad_(),
    "int power": lambda lib, F, t: t(np.ones(2, np.int64)) ** -1,
    "linear": lambda lib, F, t: F.linear(t(ONES), t(np.ones((4, 2), np.float32))),
    "conv channels": lambda lib, F, t: F.conv2d(
        t(np.ones((1, 3, 5, 5), np.float32)), t(np.ones((4, 2, 3, 3), np.float32))
    ),
    "conv kernel": lambda lib, F, t: F.conv2d(
        t(np.ones((1, 3, 2, 2), np.float32)), t(np.ones((4, 3, 3, 3), np.float32))
    ),
    "conv groups": lambda lib, F, t: F.conv2d(
        t(np.ones((1, 3, 5, 5), np.float32)), t(np.ones((4, 3, 3, 3), np.float32)), groups=2
    ),
    "conv stride": lambda lib, F, t: F.conv2d(
        t(np.ones((1, 3, 5, 5), np.float32)), t(np.ones((4, 3, 3, 3), np.float32)), stride=0
    ),
    "conv bias": lambda lib, F, t: F.conv2d(
        t(np.ones((1, 3, 5, 5), np.float32)),
        t(np.ones((4, 3, 3, 3), np.float32)),
        t(np.ones(3, np.float32)),
    ),
    "pool padding": lambda lib, F, t: F.max_pool2d(
        t(np.ones((1, 1, 4, 4), np.float32)), 2, padding=2
    ),
    "pool window": lambda lib, F, t: F.avg_pool2d(t(np.ones((1, 1, 2, 2), np.float32)), 3),
    "batch norm one value": lambda lib, F, t: F.batch_norm(
        t(np.ones((1, 3), np.float32)), None, None, training=True
    ),
    "classes range": lambda lib, F, t: F.cross_entropy(t(ONES), t(np.array([0, 3]))),
    "classes negative": lambda lib, F, t: F.cross_entropy(t(ONES), t(np.array([0, -1]))),
    "classes count": lambda lib, F, t: F.cross_entropy(t(ONES), t(np.array([0, 1, 2]))),
    "classes dtype": lambda lib, F, t: F.nll_loss(t(ONES), t(np.array([0.0, 1.0]))),
    "classes weight": lambda lib, F, t: F.cross_entropy(
        t(ONES), t(np.array([0, 1])), t(np.ones(2, np.float32))
    ),
    "reduction": lambda lib, F, t: F.cross_entropy(t(ONES), t(np.array([0, 1])), reduction="max"),
    "smoothing": lambda lib, F, t: F.cross_entropy(
        t(ONES), t(np.array([0, 1])), label_smoothing=1.5
    ),
    "embedding range": lambda lib, F, t: F.embedding(t(np.array([0, 2])), t(ONES)),
    "embedding negative": lambda lib, F, t: F.embedding(t(np.array([-1])), t(ONES)),
    "embedding dtype": lambda lib, F, t: F.embedding(t(ONES), t(ONES)),
    "dropout": lambda lib, F, t: F.dropout(t(ONES), 1.5),
    "backward twice": lambda lib, F, t: _twice(t(ONES).requires_grad_()),
    "backward shape": lambda lib, F, t: (t(ONES).requires_grad_() * 2).backward(),
    "backward of nothing": lambda lib, F, t: t(ONES).sum().backward(),
    "leaf in place": lambda lib, F, t: t(ONES).requires_grad_().add_(1.0),
    "in place shape": lambda lib, F, t: t(np.ones(3, np.float32)).add_(t(ONES)),
    "in place dtype": lambda lib, F, t: t(np.ones(2, np.int64)).add_(0.5),
    "add a list": lambda lib, F, t: lib.add(t(ONES), [1.0, 2.0, 3.0]),
    "add text": lambda lib, F, t: t(ONES) + "1",
    "ragged": lambda lib, F, t: lib.tensor([[1.0], [1.0, 2.0]]),
}


def _twice(x):
    y = (x * x).sum()
    y.backward()
    y.backward()


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(torch, name):
    """As a type that PyTorch or NumPy users expect, in words of our own."""
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)):
        BAD[name](torch, torch.nn.functional, torch.tensor)
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)) as caught:
        BAD[name](autograd, autograd, autograd.tensor)
    assert type(caught.value) in (RuntimeError, ValueError, IndexError, TypeError)
    assert len(str(caught.value)) > 20


def test_every_public_op_is_compared():
    """A new function must be compared in some file that uses PyTorch, or say why it is not."""
    excused = {
        "dropout": "random: test_op_table.py checks its distribution",
        "multinomial": "random: test_creation.py does",
    } | dict.fromkeys(
        ("rnn_tanh_cell", "rnn_relu_cell", "lstm_cell", "gru_cell"),
        "compared as modules: tests/nn/cases_recurrent.py",
    )
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parents[1].rglob("*.py")]
    text = "\n".join(text for text in texts if "(torch" in text or "torch:" in text)
    missing = [
        name
        for name, thing in vars(autograd).items()
        if getattr(thing, "__module__", "").startswith("autograd.ops.")
        and not isinstance(thing, type)
        and not re.search(rf"[.\"]{name}\b", text)
    ]
    assert set(missing) <= excused.keys()
