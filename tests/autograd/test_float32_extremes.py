"""The ends of float32: no overflow, cancellation or NaN where PyTorch has none.

Every function and its gradient are compared with the same in float64, of the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from nn import functional as F

TINY, LARGE = 1.2e-38, 3.3e38
SIZES = [1e-44, TINY, 1e-30, 1e-20, 1e-10, 1e-7, 1e-4, 0.03, 0.5, 1.0, 3.0, 10.0, 17.0, 30.0, 88.0]
SIZES += [89.0, 103.0, 150.0, 1e3, 1e4, 1e10, 1e19, 1e25, LARGE]
ALL = np.array([-size for size in reversed(SIZES)] + [0.0, *SIZES], np.float32)
POSITIVE = ALL[ALL > 0]
ABOVE_MINUS_ONE = np.append(ALL[ALL > -1], np.float32(-1 + 6e-8))
INSIDE = np.concatenate([ALL[np.abs(ALL) < 1], [np.float32(1 - 6e-8), np.float32(-1 + 6e-8)]])
UNIT = np.concatenate([INSIDE[INSIDE > 0], [np.float32(0.4999), np.float32(0.5001)]])

Call = Callable[[Any, Any, Any], Any]  # of a library, its nn.functional, and a tensor


def by_name(names: str) -> dict[str, Call]:
    """Functions of one argument: of the library, or of its nn.functional."""
    return {
        name: lambda lib, F, x, name=name: getattr(lib if hasattr(lib, name) else F, name)(x)
        for name in names.split()
    }


POINTWISE: dict[str, tuple[Call, np.ndarray]] = {
    **{
        name: (call, ALL)
        for name, call in by_name(
            "sigmoid softplus logsigmoid silu gelu mish elu celu selu softsign tanhshrink tanh exp "
            "expm1 exp2 reciprocal erf erfc asinh atan sin cos hardswish"
        ).items()
    },
    **{name: (call, POSITIVE) for name, call in by_name("log log2 log10 sqrt rsqrt").items()},
    **{name: (call, INSIDE) for name, call in by_name("erfinv atanh asin acos").items()},
    "gelu tanh": (lambda lib, F, x: F.gelu(x, approximate="tanh"), ALL),
    "celu 0.5": (lambda lib, F, x: F.celu(x, 0.5), ALL),
    "log1p": (lambda lib, F, x: lib.log1p(x), ABOVE_MINUS_ONE),
    "acosh": (lambda lib, F, x: lib.acosh(x), np.append(ALL[ALL >= 1], np.float32(1 + 1e-6))),
    "logit": (lambda lib, F, x: lib.logit(x), UNIT),
    "sinc": (lambda lib, F, x: lib.sinc(x), ALL[np.abs(ALL) < 10]),
    "xlogy": (lambda lib, F, x: lib.xlogy(x, x.detach()), POSITIVE),
    "bce of logits, 1": (
        lambda lib, F, x: F.binary_cross_entropy_with_logits(x, lib.ones_like(x), reduction="none"),
        ALL,
    ),
    "bce of logits, 0.3": (
        lambda lib, F, x: F.binary_cross_entropy_with_logits(
            x, lib.full_like(x, 0.3), reduction="none"
        ),
        ALL,
    ),
    "bce": (
        lambda lib, F, x: F.binary_cross_entropy(x, lib.full_like(x, 0.3), reduction="none"),
        np.concatenate([UNIT, np.array([0.0, 1.0], np.float32)]),
    ),
    "huber": (lambda lib, F, x: F.huber_loss(x, lib.zeros_like(x), reduction="none"), ALL),
    "smooth l1": (lambda lib, F, x: F.smooth_l1_loss(x, lib.zeros_like(x), reduction="none"), ALL),
    "soft margin": (
        lambda lib, F, x: F.soft_margin_loss(x, lib.ones_like(x), reduction="none"),
        ALL[np.abs(ALL) < 80],
    ),
}

# Each with every number and every other.
PAIRED: dict[str, Call] = {
    name: lambda lib, F, x, name=name: getattr(lib, name)(x[0], x[1])
    for name in ("logaddexp", "logaddexp2", "hypot", "atan2")
}
PAIRS = np.stack([side.ravel() for side in np.meshgrid(*[ALL[np.abs(ALL) < 1e38]] * 2)])

ROWS = np.array(
    [
        [0.0, 1.0, 2.0],
        [LARGE, 0.0, -LARGE],
        [-LARGE, -LARGE, -LARGE],
        [1e4, 1e4 - 1, -1e4],
        [-1e4, -1e4 + 20, -1e4 + 40],
        [88.0, 89.0, 90.0],
        [1e-40, 0.0, -1e-40],
        [-np.inf, 0.0, 1.0],
        [1e-30, 2e-30, -1e-30],
        [1e30, 2e30, -1e30],
        [16777216.0, 16777216.0, 16777218.0],
        [1e-19, 1e-20, 3e-19],
        [1e19, 1e20, 3e19],
    ],
    np.float32,
)
PER_ROW: dict[str, Call] = {
    name: lambda lib, F, x, name=name: getattr(F if name == "softmin" else lib, name)(x, dim=1)
    for name in (
        *("logsumexp", "softmax", "log_softmax", "softmin", "logcumsumexp"),
        *("mean", "var", "std", "norm"),
    )
} | {
    "cross_entropy": lambda lib, F, x: F.cross_entropy(x, lib.tensor([1]), reduction="none"),
    "cross_entropy, smooth": lambda lib, F, x: F.cross_entropy(
        x, lib.tensor([1]), label_smoothing=0.1
    ),
    "norm 3": lambda lib, F, x: lib.norm(x, 3, dim=1),
    "norm inf": lambda lib, F, x: lib.norm(x, float("inf"), dim=1),
    "normalize": lambda lib, F, x: F.normalize(x, dim=1),
}
# What no float32 arithmetic keeps, here or in PyTorch: sums of the largest numbers, squares of the
# smallest, and what flows to a probability of zero.
LOST = {(name, 2) for name in ("mean", "var", "std")} | {
    ("cross_entropy, smooth", 1),
    ("std", 6),
    ("logcumsumexp", 7),
}
CASES = [pytest.param(call, x, id=name) for name, (call, x) in POINTWISE.items()]
CASES += [pytest.param(call, PAIRS, id=name) for name, call in PAIRED.items()]
CASES += [
    pytest.param(call, row[None], id=f"{name} {k}")
    for name, call in PER_ROW.items()
    for k, row in enumerate(ROWS)
    if (name, k) not in LOST
]


def measured(lib: Any, functional: Any, call: Call, x: np.ndarray) -> list[np.ndarray]:
    """The result as float64, and the gradient of its sum weighted by 1, 2, 3 ..."""
    with np.errstate(all="ignore"):
        input = lib.tensor(x, requires_grad=True)
        result = call(lib, functional, input)
        weights = np.arange(1, result.numel() + 1).reshape(result.shape).astype(x.dtype)
        result.backward(lib.tensor(weights))
    return [np.asarray(t.numpy(), np.float64) for t in (result.detach(), input.grad)]


def errors(lib: Any, functional: Any, call: Call, x: np.ndarray) -> list[np.ndarray]:
    """How far float32 is from float64, by element: 0 where float32 has no such number.

    In parts of the result; where rows are reduced, of the largest number of the row that comes out
    or went in, since what cancels within a row cannot be better than that.
    """
    found = measured(lib, functional, call, x)
    wanted = measured(autograd, F, call, x.astype(np.float64))
    errors = []
    with np.errstate(all="ignore"):
        for ours, exact in zip(found, wanted, strict=True):
            size = np.abs(exact) + 500 * TINY  # below the smallest normal number, digits are lost
            if len(x) == 1:
                size = np.max(size, initial=TINY) * np.ones_like(size)
            relative = np.abs(ours - exact) / size
            out_of_range = ~(np.abs(exact) < 3.4e38)
            errors.append(np.where((ours == exact) | out_of_range, 0.0, relative))
    return errors


@pytest.mark.parametrize(("call", "x"), CASES)
def test_as_good_as_pytorch(torch, call, x):
    """Nowhere much further from the truth than PyTorch is."""
    ours = errors(autograd, F, call, x)
    theirs = errors(torch, torch.nn.functional, call, x)
    for what, mine, other in zip(("value", "gradient"), ours, theirs, strict=True):
        wrong = ~((mine <= 1e-5) | (mine <= 3.0 * other) | np.isnan(other))
        assert not wrong.any(), f"{what} off by {mine[wrong]}, PyTorch's by {other[wrong]}"


@pytest.mark.parametrize(("call", "x"), CASES)
def test_finite_where_the_truth_is(call, x):
    """Without PyTorch: no NaN, and no infinity, where float64 has a number that float32 holds."""
    for what, error in zip(("value", "gradient"), errors(autograd, F, call, x), strict=True):
        assert np.isfinite(error).all(), what
