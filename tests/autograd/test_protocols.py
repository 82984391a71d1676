"""NumPy's array functions on tensors: the values that NumPy gives, recorded; or refused."""

from __future__ import annotations

import importlib
import math
import warnings
from typing import Any

import pytest

import autograd
from autograd import Scalar, Tensor, gradcheck, trace, vmap
from autograd.protocols.functions import NAMED as FUNCTION_NAMES

# As Any: NumPy's annotations know of no other arrays than its own.
np: Any = importlib.import_module("numpy")

A = np.array([[0.3, -0.7, 0.9], [0.2, 0.5, -0.4]])
B = np.array([[0.6, 0.1, -0.2], [-0.8, 0.4, 0.7]])
V = np.array([0.5, -0.3, 0.8])
N = np.array([[3, 1, 2], [2, 5, 7]])


def values(result):
    """A result as what NumPy would have returned: arrays in tuples and lists."""
    if isinstance(result, Tensor):
        return result.detach().numpy()
    if isinstance(result, tuple | list):
        return type(result)(values(item) for item in result)
    return result


def same(ours, theirs):
    """Assert equal structure, shapes and values."""
    if isinstance(theirs, tuple | list):
        assert isinstance(ours, tuple if isinstance(theirs, tuple) else list)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert np.shape(ours) == np.shape(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


# --- Functions ------------------------------------------------------------------------------------

CALLS = {
    "sum": [lambda x: np.sum(x, axis=1), lambda x: np.sum(x, (0, 1), keepdims=True)],
    "prod": [lambda x: np.prod(x), lambda x: np.prod(x, axis=-1)],
    "mean": [lambda x: np.mean(x), lambda x: np.mean(x, 0, dtype=np.float64)],
    "nansum": [lambda x: np.nansum(x, axis=1)],
    "nanmean": [lambda x: np.nanmean(x, axis=1, keepdims=True)],
    "max": [lambda x: np.max(x), lambda x: np.max(x, axis=1)],
    "amax": [lambda x: np.amax(x, axis=(0, 1))],
    "min": [lambda x: np.min(x, axis=0, keepdims=True)],
    "amin": [lambda x: np.amin(x)],
    "all": [lambda x: np.all(x > -1.0, axis=0)],
    "any": [lambda x: np.any(x > 0.6, axis=1), lambda x: np.any(x)],
    "count_nonzero": [lambda x: np.count_nonzero(x > 0.0, axis=1)],
    "argmax": [lambda x: np.argmax(x), lambda x: np.argmax(x, axis=1)],
    "argmin": [lambda x: np.argmin(x, 0), lambda x: np.argmin(x, axis=1, keepdims=True)],
    "std": [lambda x: np.std(x), lambda x: np.std(x, axis=1, ddof=1)],
    "var": [lambda x: np.var(x, axis=0), lambda x: np.var(x, keepdims=True)],
    "ptp": [lambda x: np.ptp(x), lambda x: np.ptp(x, axis=1)],
    "average": [
        lambda x: np.average(x),
        lambda x: np.average(x, axis=1, weights=V),
        lambda x: np.average(x, weights=B + 1.0),
    ],
    "median": [
        lambda x: np.median(x),
        lambda x: np.median(x, axis=1),
        lambda x: np.median(x, axis=0, keepdims=True),
        lambda x: np.median(x[0, 0]),
    ],
    "cumsum": [lambda x: np.cumsum(x), lambda x: np.cumsum(x, axis=1)],
    "cumprod": [lambda x: np.cumprod(x, 0)],
    "cumulative_sum": [
        lambda x: np.cumulative_sum(x, axis=1, include_initial=True),
        lambda x: np.cumulative_sum(x[0]),
    ],
    "cumulative_prod": [lambda x: np.cumulative_prod(x, axis=0, include_initial=True)],
    "diff": [lambda x: np.diff(x), lambda x: np.diff(x, axis=0)],
    "sort": [lambda x: np.sort(x), lambda x: np.sort(x, axis=None), lambda x: np.sort(x, 0)],
    "argsort": [lambda x: np.argsort(x), lambda x: np.argsort(x, axis=0, kind="stable")],
    "searchsorted": [lambda x: np.searchsorted(np.sort(x[0]), 0.1, side="right")],
    "unique": [lambda x: np.unique(x), lambda x: np.unique(x > 0.0, return_counts=True)],
    "clip": [
        lambda x: np.clip(x, -0.1, 0.4),
        lambda x: np.clip(x, None, 0.4),
        lambda x: np.clip(x, min=V) if hasattr(np, "matvec") else np.clip(x, V, None),
    ],
    "round": [lambda x: np.round(x, 1)],
    "around": [lambda x: np.around(x)],
    "fix": [lambda x: np.fix(x * 3.0)],
    "sinc": [lambda x: np.sinc(x)],
    "nan_to_num": [lambda x: np.nan_to_num(x / (x > 0.0), nan=1.0, posinf=2.0, neginf=3.0)],
    "copy": [lambda x: np.copy(x)],
    "astype": [lambda x: np.astype(x, np.float32)],
    "where": [lambda x: np.where(x > 0.0, x, B), lambda x: np.where(x > 0.0)],
    "isclose": [lambda x: np.isclose(x, B), lambda x: np.isclose(x, x + 1e-9)],
    "reshape": [lambda x: np.reshape(x, (3, -1)), lambda x: np.reshape(x, -1)],
    "ravel": [lambda x: np.ravel(x)],
    "transpose": [lambda x: np.transpose(x), lambda x: np.transpose(x, (1, 0))],
    "permute_dims": [lambda x: np.permute_dims(x, (1, 0))],
    "matrix_transpose": [lambda x: np.matrix_transpose(x)],
    "swapaxes": [lambda x: np.swapaxes(x, 0, -1)],
    "moveaxis": [lambda x: np.moveaxis(x, 0, 1)],
    "expand_dims": [lambda x: np.expand_dims(x, 1), lambda x: np.expand_dims(x, (0, -1))],
    "squeeze": [lambda x: np.squeeze(x[None]), lambda x: np.squeeze(x[None], axis=0)],
    "broadcast_to": [lambda x: np.broadcast_to(x, (4, 2, 3))],
    "broadcast_arrays": [lambda x: tuple(np.broadcast_arrays(x, V))],
    "atleast_1d": [lambda x: np.atleast_1d(x[0, 0])],
    "atleast_2d": [lambda x: np.atleast_2d(x[0])],
    "atleast_3d": [lambda x: np.atleast_3d(x)],
    "flip": [lambda x: np.flip(x), lambda x: np.flip(x, 1)],
    "fliplr": [lambda x: np.fliplr(x)],
    "flipud": [lambda x: np.flipud(x)],
    "roll": [lambda x: np.roll(x, 1), lambda x: np.roll(x, -1, axis=1)],
    "rot90": [lambda x: np.rot90(x), lambda x: np.rot90(x, 2, axes=(1, 0))],
    "repeat": [lambda x: np.repeat(x, 2), lambda x: np.repeat(x, [1, 2], axis=0)],
    "tile": [lambda x: np.tile(x, 2), lambda x: np.tile(x, (2, 1))],
    "pad": [lambda x: np.pad(x, 1), lambda x: np.pad(x, ((0, 1), (2, 0)), constant_values=3.0)],
    "concatenate": [
        lambda x: np.concatenate([x, B]),
        lambda x: np.concatenate((B, x), axis=1),
        lambda x: np.concatenate([x, x], axis=None),
        lambda x: np.concatenate([x[0], [1.0, 2.0]]),
    ],
    "concat": [lambda x: np.concat([x, B], axis=1)],
    "append": [lambda x: np.append(x, B), lambda x: np.append(x, B, axis=0)],
    "stack": [lambda x: np.stack([x, B]), lambda x: np.stack([B, x], axis=-1)],
    "hstack": [lambda x: np.hstack([x, B])],
    "vstack": [lambda x: np.vstack([x, V])],
    "dstack": [lambda x: np.dstack([x, B])],
    "column_stack": [lambda x: np.column_stack([x[0], V])],
    "split": [lambda x: np.split(x, 3, axis=1), lambda x: np.split(x, [1], axis=1)],
    "array_split": [lambda x: np.array_split(x, 2, axis=1)],
    "hsplit": [lambda x: np.hsplit(x, 3)],
    "vsplit": [lambda x: np.vsplit(x, 2)],
    "dsplit": [lambda x: np.dsplit(x[None], 3)],
    "unstack": [lambda x: np.unstack(x, axis=1)],
    "meshgrid": [lambda x: np.meshgrid(x[0], V), lambda x: np.meshgrid(x[0], V, indexing="ij")],
    "take": [lambda x: np.take(x, [[0, -1]]), lambda x: np.take(x, [1, 0], axis=1)],
    "take_along_axis": [lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1)],
    "nonzero": [lambda x: np.nonzero(x > 0.0)],
    "argwhere": [lambda x: np.argwhere(x > 0.0)],
    "flatnonzero": [lambda x: np.flatnonzero(x > 0.0)],
    "isin": [lambda x: np.isin(x, [0.3, 0.5]), lambda x: np.isin(x, A[0], invert=True)],
    "diag": [lambda x: np.diag(x, 1), lambda x: np.diag(x[0])],
    "diagflat": [lambda x: np.diagflat(x, -1)],
    "diagonal": [lambda x: np.diagonal(x), lambda x: np.diagonal(x, 1, 1, 0)],
    "tril": [lambda x: np.tril(x), lambda x: np.tril(x, -1)],
    "triu": [lambda x: np.triu(x, k=1)],
    "trace": [lambda x: np.trace(x), lambda x: np.trace(x, offset=1)],
    "zeros_like": [lambda x: np.zeros_like(x), lambda x: np.zeros_like(x, dtype=np.int64)],
    "ones_like": [lambda x: np.ones_like(x, shape=(2,))],
    "empty_like": [lambda x: np.shape(np.empty_like(x, shape=4))],
    "full_like": [lambda x: np.full_like(x, 2.5), lambda x: np.full_like(x, x[0])],
    "dot": [
        lambda x: np.dot(x, V),
        lambda x: np.dot(x, B.T),
        lambda x: np.dot(2.0, x),
        lambda x: np.dot(x, np.stack([B.T, B.T])),
    ],
    "vdot": [lambda x: np.vdot(x, B)],
    "inner": [lambda x: np.inner(x, B), lambda x: np.inner(x[0], V)],
    "outer": [lambda x: np.outer(x, V)],
    "tensordot": [lambda x: np.tensordot(x, B.T, 1), lambda x: np.tensordot(x, B, ([0], [0]))],
    "einsum": [lambda x: np.einsum("ij,kj->ik", x, B), lambda x: np.einsum("ij->j", x)],
    "kron": [lambda x: np.kron(x, V)],
    "cross": [lambda x: np.cross(x, B), lambda x: np.cross(x.T, B.T, axis=0)],
    "linalg.norm": [
        lambda x: np.linalg.norm(x),
        lambda x: np.linalg.norm(x[0], 1),
        lambda x: np.linalg.norm(x, 3, axis=1),
        lambda x: np.linalg.norm(x, axis=(0, 1), keepdims=True),
        lambda x: np.linalg.norm(x, 1),
        lambda x: np.linalg.norm(x, -1),
        lambda x: np.linalg.norm(x, math.inf),
        lambda x: np.linalg.norm(x, -math.inf, axis=(1, 0)),
    ],
    "linalg.vector_norm": [lambda x: np.linalg.vector_norm(x, ord=math.inf, axis=1)],
    "linalg.matrix_norm": [lambda x: np.linalg.matrix_norm(x, ord=1, keepdims=True)],
    "linalg.matmul": [lambda x: np.linalg.matmul(x, B.T)],
    "linalg.vecdot": [lambda x: np.linalg.vecdot(x, B, axis=0)],
    "linalg.outer": [lambda x: np.linalg.outer(x[0], V)],
    "linalg.tensordot": [lambda x: np.linalg.tensordot(x, B.T, axes=1)],
    "linalg.cross": [lambda x: np.linalg.cross(x, B)],
    "linalg.multi_dot": [lambda x: np.linalg.multi_dot([x, B.T, x])],
    "linalg.matrix_transpose": [lambda x: np.linalg.matrix_transpose(x)],
    "linalg.trace": [lambda x: np.linalg.trace(x[None], offset=1)],
    "linalg.diagonal": [lambda x: np.linalg.diagonal(x[None])],
    "shape": [lambda x: np.shape(x)],
    "ndim": [lambda x: np.ndim(x)],
    "size": [lambda x: np.size(x), lambda x: np.size(x, 1)],
    "result_type": [lambda x: np.result_type(x, np.float32) == np.float64],
    "iscomplexobj": [lambda x: np.iscomplexobj(x)],
    "isrealobj": [lambda x: np.isrealobj(x)],
    "array_equal": [lambda x: np.array_equal(x, A), lambda x: np.array_equal(x, B)],
    "allclose": [lambda x: np.allclose(x, A), lambda x: np.allclose(x, B)],
}


def known(name):
    return hasattr(np.linalg if name.startswith("linalg.") else np, name.rpartition(".")[2])


def test_every_entry_of_the_table_is_called():
    assert CALLS.keys() == FUNCTION_NAMES.keys()


@pytest.mark.parametrize("name", [name for name in FUNCTION_NAMES if known(name)])
def test_a_function_gives_what_numpy_gives(name):
    for call in CALLS[name]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "divide by zero|invalid value")
            expected = call(A)
            result = call(autograd.tensor(A, requires_grad=True))
        if isinstance(expected, np.ndarray | np.floating):
            assert isinstance(result, Tensor)
        same(values(result), expected)


NOT_RECORDED = {
    "fix": "has slope 0",
    "zeros_like": "does not depend on the values",
    "ones_like": "does not depend on the values",
    "full_like": "one of the calls does not either",
}


@pytest.mark.parametrize(
    "name", [name for name in FUNCTION_NAMES if known(name) and name not in NOT_RECORDED]
)
def test_what_a_function_does_is_recorded(name):
    for call in CALLS[name]:
        x = autograd.tensor(A, requires_grad=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "divide by zero|invalid value")
            result = call(x)
        first = result[0] if isinstance(result, tuple | list) and result else result
        if name != "unique" and isinstance(first, Tensor) and first.dtype.kind == "f":
            assert first.requires_grad


@pytest.mark.parametrize("name", ["median", "average", "linalg.norm", "dot", "pad", "std", "take"])
def test_the_gradients_of_compositions(name):
    for call in CALLS[name]:
        assert gradcheck(call, (autograd.tensor(A, requires_grad=True),))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: np.split(t, 2), ValueError, "does not split evenly"),
        (lambda t: np.squeeze(t, axis=0), ValueError, "not of size one"),
        (lambda t: np.sum(t, axis=3), IndexError, "dim 3 is out of range"),
        (lambda t: np.median(t[:0]), ValueError, "no elements"),
        (lambda t: np.unique(t * math.nan), ValueError, "equal_nan=False"),
        (lambda t: np.pad(t, -1), ValueError, "must not be negative"),
        (lambda t: np.concatenate([t, np.ones((2, 2))]), ValueError, "cat"),
        (lambda t: np.cumulative_sum(np.stack([t, t])), ValueError, r"shape \(2, 3\)"),
        (lambda t: np.average(t, weights=[1.0]), TypeError, r"weights of shape \(1,\)"),
        (lambda t: np.sum(t, nonsense=1), TypeError, "nonsense"),
        (lambda t: t + np.array([1j]), TypeError, "complex128"),
        (lambda t: np.array(["a"]) + t, TypeError, "dtype"),
    ],
)
def test_errors(call, error, message):
    if not hasattr(np, "cumulative_sum") and "shape" in message:
        pytest.skip("this NumPy has no cumulative_sum")
    with pytest.raises(error, match=message):
        call(autograd.ones(3))


def test_arrays_of_another_dtype_are_compared():
    t = autograd.tensor([0.5, 2.0])
    assert np.allclose(t, np.array([0.5, 2.0]))
    assert np.allclose([0.5, 2.0], t)
    assert np.array_equal(t, np.array([0.5, 2.0]))
    assert not np.array_equal(t, np.array([0, 2]))
    assert np.isclose(t, 2).tolist() == [False, True]
    assert np.median(autograd.tensor(0.5), axis=0).shape == ()


def test_the_median_with_nan_is_nan():
    assert math.isnan(np.median(autograd.tensor([1.0, math.nan, 2.0])).item())
    assert np.median(autograd.tensor([math.inf, math.inf])).item() == math.inf


# --- What comes beside ----------------------------------------------------------------------------


def test_scalars_answer_too():
    x = Scalar(0.5)
    y = np.sin(x) * np.float64(2.0)
    y.backward()
    assert x.grad is not None
    assert float(x.grad) == pytest.approx(2.0 * math.cos(0.5))
    assert isinstance(np.exp(x), Scalar)
    assert np.shape(x) == ()
    assert (np.array([1.0, 2.0]) * x).tolist() == [0.5, 1.0]


def test_inside_transforms():
    def energy(x):
        return np.sum(np.exp(x) * np.array([1.0, 2.0, 3.0])) + np.linalg.norm(x)

    x = autograd.tensor(A[0])
    slope = autograd.func.grad(energy)(x)
    assert np.allclose(slope, np.exp(A[0]) * [1, 2, 3] + A[0] / np.linalg.norm(A[0]))
    many = vmap(energy)(autograd.tensor(A))
    assert np.allclose(many, np.stack([energy(autograd.tensor(row)) for row in A]))
    graph = trace(lambda x: np.concatenate([np.sin(x), np.ones(2)]), autograd.ones(3))
    assert "sin" in str(graph)
    assert "cat" in str(graph)


def test_values_can_be_saved_and_printed_where_no_gradient_is_lost(tmp_path):
    t = autograd.tensor(A)
    np.savez(tmp_path / "a.npz", t=t)
    with np.load(tmp_path / "a.npz") as file:
        assert file["t"].tolist() == A.tolist()
    assert np.array2string(t) == np.array2string(A)
    assert np.histogram(t, bins=2)[0].tolist() == np.histogram(A, bins=2)[0].tolist()
    assert isinstance(np.linspace(t[0, 0], 1.0, 3), np.ndarray)
    words, rows = np.broadcast_arrays(None, t)
    assert (words.shape, rows.shape) == ((2, 3), (2, 3))
    assert np.shares_memory(t, t.numpy())
    with pytest.raises(RuntimeError, match="requires grad"):
        np.savez(tmp_path / "b.npz", t=t.requires_grad_())
    filled = np.full(2, autograd.tensor(1.5))
    assert filled.tolist() == [1.5, 1.5]
    with pytest.raises(RuntimeError, match="requires grad"):
        np.full(2, autograd.tensor(1.5, requires_grad=True))


def test_other_classes_keep_their_say():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, _):
            return "theirs"

    class Loud:
        def __array_ufunc__(self, *_, **__):
            return "loud"

        def __array_function__(self, *_, **__):
            return "loud"

    assert np.add(autograd.ones(1), Loud()) == "loud"
    assert np.concatenate([autograd.ones(1), Loud()]) == "loud"
    with pytest.raises(TypeError):
        np.add(autograd.ones(1), Other())


def test_arrays_of_tensors():
    rows = [autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0])]
    assert np.array(rows).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    rows[0].requires_grad_()
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        np.array(rows)
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        np.asarray(rows[0])
