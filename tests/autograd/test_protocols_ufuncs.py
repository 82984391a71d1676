"""NumPy's ufuncs on tensors, and operators between arrays and tensors."""

from __future__ import annotations

import math

import pytest

import autograd
from autograd import Tensor, gradcheck
from autograd.protocols.ufuncs import ACCUMULATE, REDUCE
from autograd.protocols.ufuncs import NAMED as UFUNC_NAMES
from tests.autograd.test_protocols import A, B, N, V, np, same, values

INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert"}
SHIFTED = {"arccosh": 2.0, "log": 1.5, "log2": 1.5, "log10": 1.5, "sqrt": 1.5, "power": 1.5}


def operands_of(ufunc):
    if ufunc.__name__ in INTEGERS:
        return (N, N[::-1].copy())[: ufunc.nin]
    if ufunc.__name__ == "matmul":
        return A, B.T
    if ufunc.__name__ in ("matvec", "vecmat"):
        return (A, V) if ufunc.__name__ == "matvec" else (V, A.T)
    if ufunc.__name__ == "float_power":
        return A + 1.5, B
    return (A + SHIFTED.get(ufunc.__name__, 0.0), B)[: ufunc.nin]


@pytest.mark.parametrize("name", [n for n in UFUNC_NAMES if hasattr(np, n)])
def test_a_ufunc_is_our_op(name):
    ufunc = getattr(np, name)
    arrays = operands_of(ufunc)
    expected = ufunc(*arrays)
    tensors = [autograd.tensor(a) for a in arrays]
    same(values(ufunc(*tensors)), expected)
    if len(arrays) == 2:  # an array on either side
        for mixed in ((arrays[0], tensors[1]), (tensors[0], arrays[1])):
            result = ufunc(*mixed)
            assert isinstance(result[0] if isinstance(result, tuple) else result, Tensor)
            same(values(result), expected)


@pytest.mark.parametrize("name", ["sin", "exp", "multiply", "arctan2", "matmul", "vecdot"])
def test_what_a_ufunc_does_is_recorded(name):
    ufunc = getattr(np, name)
    tensors = [autograd.tensor(a, requires_grad=True) for a in operands_of(ufunc)]
    assert gradcheck(ufunc, tuple(tensors))


@pytest.mark.parametrize(
    "operate",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: a // b,
        lambda a, b: a % b,
        lambda a, b: (a + 2.0) ** b,
        lambda a, b: a @ b.T,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
        lambda a, b: a == b,
        lambda a, b: a != b,
        divmod,
    ],
)
def test_operators_between_arrays_and_tensors(operate):
    expected = operate(A, B)
    for left, right in ((A, autograd.tensor(B)), (autograd.tensor(A), B)):
        result = operate(left, right)
        assert isinstance(result[0] if isinstance(result, tuple) else result, Tensor)
        same(values(result), expected)


@pytest.mark.parametrize("number", [np.float64(2.0), np.float32(2.0), np.int64(2), np.bool_(True)])
def test_numpy_numbers_on_the_left(number):
    t = autograd.tensor([1.0, -3.0], requires_grad=True)
    for result in (number * t, number + t, number - t, number / t):
        assert isinstance(result, Tensor)
        assert result.dtype == np.float32
        assert result.requires_grad
    assert (number < t).tolist() == [False, False]
    same(values(number - t), np.asarray(number) - np.array([1.0, -3.0]))


def test_integers_and_types_promote_as_ours():
    small = autograd.tensor([1, 2], dtype=np.int32)
    assert np.exp(small).dtype == np.float32
    assert np.add(autograd.ones(2), [1.0, 2.0]).dtype == np.float32
    assert np.add(autograd.ones(1).double(), [0.1]).item() == 1.1
    assert np.add(np.ones(2, np.float32), autograd.ones(2)).dtype == np.float32
    assert (np.ones(2) + autograd.ones(2)).dtype == np.float64


@pytest.mark.parametrize("ufunc", list(REDUCE), ids=lambda f: f.__name__)
def test_reduce(ufunc):
    t = autograd.tensor(A, requires_grad=True)
    for options in ({}, {"axis": 1}, {"axis": None}, {"axis": 0, "keepdims": True}):
        same(values(ufunc.reduce(t, **options)), ufunc.reduce(A, **options))
    assert ufunc.reduce(t).requires_grad == (ufunc.reduce(A).dtype.kind == "f")


@pytest.mark.parametrize("ufunc", list(ACCUMULATE), ids=lambda f: f.__name__)
def test_accumulate(ufunc):
    t = autograd.tensor(A, requires_grad=True)
    for options in ({}, {"axis": 1}):
        same(values(ufunc.accumulate(t, **options)), ufunc.accumulate(A, **options))
    assert ufunc.accumulate(t).requires_grad


def test_outer():
    t = autograd.tensor(V, requires_grad=True)
    same(values(np.multiply.outer(t, A)), np.multiply.outer(V, A))
    same(values(np.subtract.outer(A, t)), np.subtract.outer(A, V))
    assert np.add.outer(t, t).requires_grad


def test_an_array_is_not_changed_by_a_tensor():
    a, t = np.zeros(2), autograd.ones(2)
    with pytest.raises(TypeError, match="Write a = a"):
        a += t
    with pytest.raises(TypeError, match="cannot be written"):
        np.add(a, t, out=a)
    with pytest.raises(TypeError, match="cannot be written"):
        np.add(a, a, out=t)
    with pytest.raises(TypeError, match="cannot be written"):
        np.sum(t, out=np.zeros(()))
    assert a.tolist() == [0.0, 0.0]
    assert a.dtype == np.float64


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda t: np.cbrt(t), "np.cbrt"),
        (lambda t: np.spacing(t), "np.spacing"),
        (lambda t: np.add.reduceat(t, [0]), "np.add.reduceat"),
        (lambda t: np.add.at(t, [0], 1.0), "np.add.at"),
        (lambda t: np.subtract.reduce(t), "np.subtract.reduce"),
        (lambda t: np.interp(t, V, V), "np.interp"),
        (lambda t: np.frompyfunc(math.floor, 1, 1)(t), "the ufunc floor"),
        (lambda t: np.linalg.svd(t), "np.linalg.svd"),
        (lambda t: np.fft.fft(t), "np.fft.fft"),
        (lambda t: np.copyto(t, 1.0), "np.copyto"),
    ],
)
def test_what_has_no_counterpart_says_so(call, named):
    with pytest.raises(TypeError, match=rf"{named} .*detach\(\)\.numpy\(\)"):
        call(autograd.ones(2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.sin(t, where=np.array([True, False])), "np.sin .* where="),
        (lambda t: np.sin(t, dtype=np.float64), "np.sin .* dtype="),
        (lambda t: np.add.reduce(t, initial=1.0), r"np.add.reduce .* initial="),
        (lambda t: np.maximum.reduce(t, dtype=np.float64), r"np.maximum.reduce .* dtype="),
        (lambda t: np.sum(t, initial=1.0), "np.sum .* initial="),
        (lambda t: np.mean(t, where=np.array([True, False])), "np.mean .* where="),
        (lambda t: np.reshape(t, (2, 1), order="F"), "np.reshape .* order="),
        (lambda t: np.unique(t, return_index=True), "np.unique .* return_index="),
        (lambda t: np.pad(t, 1, mode="edge"), "np.pad .* mode="),
        (lambda t: np.take(t, [0], mode="wrap"), "np.take .* mode="),
        (lambda t: np.linalg.norm(np.stack([t, t]), 2), r"np.linalg.norm .* ord="),
    ],
)
def test_an_argument_that_ours_do_not_have_is_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call(autograd.ones(2))


def test_no_dimension_is_not_every_dimension():
    for call in (lambda t: np.sum(t, axis=()), lambda t: np.add.reduce(t, axis=())):
        with pytest.raises(ValueError, match="names no dimension"):
            call(autograd.ones(2))
