"""The array API standard on tensors: names, meanings, and code that is written for it."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd import array_api as xp

pytestmark = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0",
    reason="NumPy, with which tensors are compared, follows this standard from 2.1 on",
)

A = np.array([[0.3, -0.7, 0.9], [0.2, 0.5, -0.4]])

# Of the standard 2023.12, all but what needs complex numbers or shifts of bits.
ELEMENTWISE = """
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_or bitwise_xor
ceil clip copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot
isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative not_equal positive pow remainder round
sign signbit sin sinh sqrt square subtract tan tanh trunc
"""
OTHERS = """
__array_namespace_info__ all any arange argmax argmin argsort asarray astype bool broadcast_arrays
broadcast_to can_cast concat cumulative_sum e empty empty_like expand_dims eye finfo flip float32
float64 from_dlpack full full_like iinfo inf int16 int32 int64 int8 isdtype linspace matmul
matrix_transpose max mean meshgrid min moveaxis nan newaxis nonzero ones ones_like permute_dims pi
prod repeat reshape result_type roll searchsorted sort squeeze stack std sum take tensordot tile
tril triu uint16 uint32 uint64 uint8 unique_all unique_counts unique_inverse unique_values unstack
var vecdot where zeros zeros_like
"""
ABSENT = ["bitwise_left_shift", "bitwise_right_shift", "conj", "imag", "real", "linalg", "fft"]


def test_the_names_of_the_standard():
    assert xp.__array_api_version__ == "2023.12"
    for name in (ELEMENTWISE + OTHERS).split():
        assert hasattr(xp, name), name
    assert not [name for name in ABSENT if hasattr(xp, name)]


def test_a_tensor_names_its_namespace():
    t = autograd.ones(2)
    assert t.__array_namespace__() is xp
    assert t.__array_namespace__(api_version="2023.12") is xp
    with pytest.raises(ValueError, match=r"2031\.12"):
        t.__array_namespace__(api_version="2031.12")


INTEGERS = {"bitwise_and", "bitwise_invert", "bitwise_or", "bitwise_xor"}


@pytest.mark.parametrize("name", ELEMENTWISE.split())
def test_elementwise_as_numpy(name):
    reference = getattr(np, name)
    x, y = A + (2.0 if name in ("acosh", "log", "log2", "log10", "sqrt") else 0.0), A[::-1].copy()
    if name in INTEGERS or name.startswith("logical"):
        x, y = (np.array([3, 0, 5]), np.array([6, 0, 0]))
    if name == "pow":
        x = abs(x)
    if name == "clip":
        args, wanted = (x, -0.2, 0.4), np.clip(x, -0.2, 0.4)
    else:
        args = (x, y)[: getattr(reference, "nin", 1)]
        wanted = reference(*args)
    result = getattr(xp, name)(*(autograd.tensor(a) if np.ndim(a) else a for a in args))
    assert isinstance(result, Tensor)
    np.testing.assert_allclose(result, wanted, rtol=1e-12, atol=1e-14)


CALLS = [
    lambda m, x: m.sum(x, axis=1, keepdims=True),
    lambda m, x: m.prod(x, axis=(0, 1)),
    lambda m, x: m.mean(x, axis=0),
    lambda m, x: m.std(x),
    lambda m, x: m.var(x, axis=1),
    lambda m, x: m.var(x, axis=1, correction=1.0),
    lambda m, x: m.max(x, axis=1),
    lambda m, x: m.min(x),
    lambda m, x: m.argmax(x, axis=1),
    lambda m, x: m.argmin(x, axis=0, keepdims=True),
    lambda m, x: m.all(x > 0.0, axis=0),
    lambda m, x: m.any(x > 0.0),
    lambda m, x: m.cumulative_sum(x, axis=1),
    lambda m, x: m.sort(x, axis=0),
    lambda m, x: m.argsort(x, axis=1, stable=True),
    lambda m, x: m.concat([x, x], axis=1),
    lambda m, x: m.concat([x, x], axis=None),
    lambda m, x: m.stack([x, x], axis=-1),
    lambda m, x: m.unstack(x)[1],
    lambda m, x: m.expand_dims(x, axis=1),
    lambda m, x: m.squeeze(m.expand_dims(x, axis=0), axis=0),
    lambda m, x: m.permute_dims(x, (1, 0)),
    lambda m, x: m.matrix_transpose(x),
    lambda m, x: m.moveaxis(x, 0, 1),
    lambda m, x: m.flip(x),
    lambda m, x: m.flip(x, axis=0),
    lambda m, x: m.roll(x, 1),
    lambda m, x: m.roll(x, (1, 1), axis=(0, 1)),
    lambda m, x: m.repeat(x, 2, axis=1),
    lambda m, x: m.tile(x, (2, 1)),
    lambda m, x: m.reshape(x, (3, 2)),
    lambda m, x: m.reshape(x, (-1,), copy=True),
    lambda m, x: m.broadcast_to(x, (2, 2, 3)),
    lambda m, x: m.broadcast_arrays(x, x[0])[1],
    lambda m, x: m.take(x, m.asarray([2, 0]), axis=1),
    lambda m, x: m.where(x > 0.0, x, -x),
    lambda m, x: m.nonzero(x > 0.0)[1],
    lambda m, x: m.searchsorted(m.sort(x[0]), x[1], side="right"),
    lambda m, x: m.unique_values(x),
    lambda m, x: m.unique_counts(m.asarray([2, 1, 2])).counts,
    lambda m, x: m.unique_inverse(m.asarray([2, 1, 2])).inverse_indices,
    lambda m, x: m.unique_all(m.asarray([[2, 1], [2, 0]])).indices,
    lambda m, x: m.matmul(x, m.matrix_transpose(x)),
    lambda m, x: m.vecdot(x, x, axis=0),
    lambda m, x: m.tensordot(x, x, axes=((0, 1), (0, 1))),
    lambda m, x: m.tril(x, k=-1),
    lambda m, x: m.triu(x, k=1),
    lambda m, x: m.meshgrid(x[0], x[1])[1],
    lambda m, x: m.meshgrid(x[0], x[1], indexing="ij")[0],
    lambda m, x: m.zeros_like(x),
    lambda m, x: m.full_like(x, 2.5),
    lambda m, x: m.full((2, 2), 3),
    lambda m, x: m.arange(5, 1, -2),
    lambda m, x: m.arange(5, 1),
    lambda m, x: m.linspace(0.0, 1.0, 4, endpoint=False, dtype=m.float64),
    lambda m, x: m.eye(2, 3, k=1),
    lambda m, x: m.astype(x, m.int32),
    lambda m, x: m.ones(3, dtype=m.int8),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda c: inspect.getsource(c).strip()[15:45])
def test_the_rest_as_numpy(call):
    result, wanted = call(xp, autograd.tensor(A)), call(np, A)
    assert isinstance(result, Tensor)
    assert result.shape == wanted.shape
    np.testing.assert_allclose(result, wanted, rtol=1e-12, atol=1e-14)


def test_code_for_the_standard_is_recorded():
    def softmax(x):
        space = x.__array_namespace__()
        shifted = space.exp(x - space.max(x, axis=-1, keepdims=True))
        return shifted / space.sum(shifted, axis=-1, keepdims=True)

    x = autograd.tensor(A, requires_grad=True)
    assert autograd.gradcheck(softmax, (x,))
    np.testing.assert_allclose(softmax(x).detach(), autograd.softmax(x, 1).detach(), rtol=1e-14)


def test_making_copies_or_not():
    t, a = autograd.ones(2), np.ones(2)
    assert xp.asarray(t) is t
    assert xp.asarray(t, copy=True) is not t
    assert np.shares_memory(xp.asarray(a).numpy(), a)
    assert not np.shares_memory(xp.asarray(a, copy=True).numpy(), a)
    with pytest.raises(ValueError, match="without a copy"):
        xp.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="without a copy"):
        xp.asarray(t, dtype=xp.int32, copy=False)
    with pytest.raises(ValueError, match="without a copy"):
        xp.reshape(autograd.ones(2, 3).T, (6,), copy=False)
    with pytest.raises(ValueError, match="cuda"):
        xp.zeros(2, device="cuda")
    assert xp.astype(t, xp.float32, copy=False) is t


def test_dtypes_and_what_there_is():
    assert xp.isdtype(xp.uint8, "unsigned integer")
    assert not xp.isdtype(xp.bool, "numeric")
    assert xp.isdtype(xp.float64, (xp.float32, xp.float64))
    assert xp.result_type(xp.float32, autograd.ones(2, dtype=np.float64)) == np.float64
    assert xp.finfo(autograd.ones(1)).max == np.finfo(np.float32).max
    assert xp.can_cast(autograd.ones(1, dtype=np.int8), xp.int32)
    with pytest.raises(ValueError, match="kind must be one of"):
        xp.isdtype(xp.bool, "floating")
    info = xp.__array_namespace_info__()
    assert info.devices() == [info.default_device()] == ["cpu"]
    assert info.default_dtypes()["real floating"] == np.float32
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert info.capabilities()["boolean indexing"]
    assert math.isnan(xp.nan)


def test_einops_rearranges_tensors():
    einops = pytest.importorskip("einops.array_api")
    x = autograd.tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    moved = einops.rearrange(x, "a b (c d) -> (a c) b d", c=2)
    wanted = x.detach().numpy().reshape(2, 3, 2, 2).transpose(0, 2, 1, 3).reshape(4, 3, 2)
    assert np.array_equal(moved.detach(), wanted)
    assert moved.requires_grad
    for reduction in ("mean", "sum", "max", "min", "prod"):
        folded = einops.reduce(x, "a b c -> b", reduction)
        assert folded.shape == (3,)
        assert folded.requires_grad
    assert einops.repeat(x, "a b c -> a (b r) c", r=2).shape == (2, 6, 4)
    packed, shapes = einops.pack([x, x[:, 0]], "a * c")
    assert packed.shape == (2, 4, 4)
    assert [part.shape for part in einops.unpack(packed, shapes, "a * c")] == [(2, 3, 4), (2, 4)]
    assert einops.rearrange([x, x], "k a b c -> a k b c").shape == (2, 2, 3, 4)
