"""Memory lent and taken by DLPack, pickles and copies, and what Python asks of a number."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import autograd
from autograd import Function, Generator, Tensor
from autograd.protocols.exchange import saved
from nn import Buffer, Parameter

needs_flags = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="this NumPy speaks DLPack before 1.0"
)


class Exporter:
    """A library that speaks DLPack and nothing else."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **asked: Any) -> Any:
        return self.array.__dlpack__(**asked)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


# --- DLPack ---------------------------------------------------------------------------------------


@needs_flags
def test_numpy_takes_a_tensor_without_a_copy():
    t = autograd.ones(2, 3)
    a = np.from_dlpack(t)
    assert np.shares_memory(a, t.numpy())
    assert t.__dlpack_device__() == (1, 0)
    copied = np.from_dlpack(t, copy=True)
    assert not np.shares_memory(copied, t.numpy())
    assert np.from_dlpack(autograd.tensor(2.5)).item() == 2.5
    assert np.from_dlpack(t.T).shape == (3, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_a_tensor_takes_what_others_lend(dtype):
    a = np.array([0, 1, 1], dtype)
    for t in (
        autograd.from_dlpack(a),
        autograd.from_dlpack(a.__dlpack__()),
        autograd.from_dlpack(autograd.from_numpy(a)),
        autograd.as_tensor(Exporter(a)),
        Tensor(Exporter(a)),
    ):
        assert t.dtype == dtype
        assert np.shares_memory(t.numpy(), a)
    assert not np.shares_memory(autograd.from_dlpack(a, copy=True).numpy(), a)
    assert not np.shares_memory(autograd.tensor(Exporter(a)).numpy(), a)


@needs_flags
def test_read_only_memory_stays_read_only():
    a = np.ones(2)
    a.flags.writeable = False
    t = autograd.from_dlpack(a)
    with pytest.raises(ValueError, match="read-only"):
        t += 1.0
    assert a.tolist() == [1.0, 1.0]


@needs_flags
def test_what_a_graph_has_saved_is_lent_as_read_only():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    w = autograd.tensor([3.0, 4.0])
    assert np.from_dlpack(w).flags.writeable
    y = x * w
    assert saved(w.numpy())
    for tensor in (w, w[:1], w.detach()):
        lent = np.from_dlpack(tensor)
        assert np.shares_memory(lent, w.numpy())
        assert not lent.flags.writeable
    with pytest.raises(BufferError, match="saved this memory"):
        w.__dlpack__()
    assert w.__dlpack__(copy=True, max_version=(1, 0)) is not None
    assert np.from_dlpack(w.clone()).flags.writeable
    y.sum().backward()
    assert not saved(w.numpy())
    assert np.from_dlpack(w).flags.writeable


@needs_flags
def test_what_a_function_has_saved_is_lent_as_read_only():
    class Times(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0], None

    x, w = autograd.ones(2, requires_grad=True), autograd.ones(2)
    assert np.from_dlpack(w).flags.writeable
    y = Times.apply(x, w)
    assert not np.from_dlpack(w).flags.writeable
    y.sum().backward()
    del y
    assert np.from_dlpack(w).flags.writeable


@needs_flags
def test_what_cannot_be_lent_says_why():
    x = autograd.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match="detach"):
        x.__dlpack__()
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(x)
    with pytest.raises(BufferError, match="streams"):
        autograd.ones(2).__dlpack__(stream=1)
    with pytest.raises(BufferError, match="device"):
        autograd.ones(2).__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match="not list"):
        autograd.from_dlpack([1.0])
    with pytest.raises(ValueError, match="cuda"):
        autograd.from_dlpack(np.ones(2), device="cuda")
    with pytest.raises(TypeError, match="complex"):
        autograd.from_dlpack(np.ones(2, np.complex64))


def test_torch_and_dagrad_share_memory(torch):
    t = autograd.arange(6.0).reshape(2, 3)
    theirs = torch.from_dlpack(t)
    theirs[0, 0] = 7.0
    assert t[0, 0].item() == 7.0
    assert theirs.dtype == torch.float32
    source = torch.ones(2, 3, dtype=torch.float64).T
    for ours in (autograd.from_dlpack(source), autograd.as_tensor(source)):
        assert (ours.shape, ours.dtype) == ((3, 2), np.float64)
        assert np.shares_memory(ours.numpy(), source.numpy())
    ours = autograd.from_dlpack(source)
    ours += 1.0
    assert source[0, 0].item() == 2.0
    for make in (torch.ones, autograd.ones):
        with pytest.raises(BufferError):
            make(2, requires_grad=True).__dlpack__()
    assert torch.from_dlpack(t, copy=True).data_ptr() != theirs.data_ptr()
    assert torch.from_dlpack(autograd.tensor([True, False])).dtype == torch.bool


# --- Copies and pickles ---------------------------------------------------------------------------

SAMPLES: list[Callable[[], Any]] = [
    lambda: autograd.tensor([1.0, 2.0]),
    lambda: autograd.tensor([1.0, 2.0], requires_grad=True),
    lambda: autograd.tensor(3, dtype=np.int32),
    lambda: Parameter(np.ones((2, 1))),
]


@pytest.mark.parametrize("make", SAMPLES)
def test_leaves_are_pickled_and_copied(make):
    t = make()
    for again in (pickle.loads(pickle.dumps(t)), copy.copy(t), copy.deepcopy(t)):
        assert type(again) is type(t)
        assert (again.dtype, again.shape) == (t.dtype, t.shape)
        assert again.requires_grad == t.requires_grad
        assert again.is_leaf
        assert again.tolist() == t.tolist()
    assert np.shares_memory(copy.copy(t).detach().numpy(), t.detach().numpy())
    assert not np.shares_memory(copy.deepcopy(t).detach().numpy(), t.detach().numpy())


def test_only_a_deep_copy_takes_the_gradient_along():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    deep = copy.deepcopy(x)
    assert deep.grad is not None
    assert deep.grad.tolist() == [2.0, 4.0]
    assert deep.grad is not x.grad
    assert copy.copy(x).grad is None
    assert pickle.loads(pickle.dumps(x)).grad is None
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]


def test_what_a_subclass_adds_goes_along():
    buffer = Buffer(autograd.ones(2), persistent=False)
    for again in (copy.copy(buffer), copy.deepcopy(buffer), pickle.loads(pickle.dumps(buffer))):
        assert not again.persistent


def test_an_array_without_a_copy_or_not_at_all():
    t = autograd.ones(2)
    assert np.shares_memory(np.array(t, copy=False), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy())
    assert np.asarray(t, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        np.array(t, np.float64, copy=False)


def test_results_are_not_copied_deep():
    y = autograd.ones(2, requires_grad=True) * 2.0
    with pytest.raises(RuntimeError, match="leaf"):
        copy.deepcopy(y)
    with pytest.raises(RuntimeError, match="leaf"):
        pickle.dumps(y)


def test_gradients_and_shared_copies_as_in_torch(torch):
    for module in (torch, autograd):
        x = module.tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        assert copy.copy(x).grad is None
        assert copy.copy(x).requires_grad
        deep = copy.deepcopy(x)
        assert deep.grad.tolist() == [2.0, 4.0]
        assert pickle.loads(pickle.dumps(x)).grad is None
        with pytest.raises(RuntimeError):
            copy.deepcopy(x * 2)


def test_generators_are_pickled_and_copied():
    source = Generator(7)
    source.random((3,))
    again, deep = pickle.loads(pickle.dumps(source)), copy.deepcopy(source)
    expected = source.random((4,))
    assert again.random((4,)).tolist() == expected.tolist()
    assert deep.random((4,)).tolist() == expected.tolist()


def test_named_results_are_pickled():
    t = autograd.tensor([[3.0, 1.0], [2.0, 5.0]])
    for result in (
        autograd.max(t, 1),
        autograd.sort(t, 1),
        autograd.topk(t, 1),
        autograd.aminmax(t),
        autograd.cummax(t, 0),
        autograd.median(t, 1),
        autograd.mode(t, 1),
        autograd.kthvalue(t, 1),
    ):
        again = pickle.loads(pickle.dumps(result))
        assert type(again) is type(result)
        assert [a.tolist() for a in again] == [r.tolist() for r in result]


# --- What Python asks -----------------------------------------------------------------------------


def test_an_integer_tensor_is_an_index():
    i = autograd.tensor(2)
    assert operator.index(i) == 2
    assert "abcd"[i] == "c"
    assert list(range(5))[autograd.tensor(1) : i] == [1]
    assert autograd.arange(5)[autograd.tensor(1) : autograd.tensor(4)].tolist() == [1, 2, 3]
    assert np.arange(5)[i] == 2
    with pytest.raises(TypeError, match="float32"):
        operator.index(autograd.tensor(2.0))
    with pytest.raises(ValueError, match="not one"):
        operator.index(autograd.tensor([1, 2]))


def test_lengths_and_shapes():
    t = autograd.ones(2, 3)
    assert (len(t), np.shape(t), np.ndim(t), np.size(t)) == (2, (2, 3), 2, 6)
    assert np.result_type(t, np.int64) == np.float32
    assert isinstance(t, Tensor)
    assert not isinstance(t, np.ndarray)
    with pytest.raises(TypeError, match="0-d"):
        len(autograd.tensor(1.0))


def test_bytes_as_another_dtype():
    t = autograd.tensor([1.0, 2.0])
    bits = t.view(np.int32)
    assert bits.tolist() == [0x3F800000, 0x40000000]
    assert t.view(np.uint8).shape == (8,)
    assert t.view(dtype=np.float64).shape == (1,)
    assert np.shares_memory(bits.numpy(), t.numpy())
    assert t.view(np.dtype(np.float32)).shape == (2,)
    x = autograd.ones(2, requires_grad=True)
    assert x.view(np.float32).requires_grad
    assert not x.view(np.int32).requires_grad
    assert t.view(2, 1).shape == t.view((2, 1)).shape == t.view(size=(2, 1)).shape == (2, 1)
    with pytest.raises(ValueError, match="cannot be read as float64"):
        autograd.ones(3).view(np.float64)
    with pytest.raises(TypeError, match="complex"):
        t.view(np.complex64)
    y = x * x
    bits = x.detach().view(np.int32)
    bits += 1
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_bytes_as_another_dtype_as_in_torch(torch):
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    ours, theirs = autograd.tensor(values), torch.tensor(values)
    for name in ("int32", "uint8", "int64", "float64", "int16"):
        expected = theirs.view(getattr(torch, name)).numpy()
        assert np.array_equal(ours.view(getattr(np, name)).numpy(), expected, equal_nan=True)


def test_jaxtyping_reads_shapes_and_dtypes():
    jaxtyping = pytest.importorskip("jaxtyping")
    matrix = jaxtyping.Float[Tensor, "rows columns"]
    assert isinstance(autograd.ones(2, 3), matrix)
    assert not isinstance(autograd.ones(2), matrix)
    assert not isinstance(autograd.ones(2, 3).long(), matrix)
    assert isinstance(autograd.arange(3), jaxtyping.Int[Tensor, "3"])
    assert isinstance(autograd.ones(2).double(), jaxtyping.Float64[Tensor, "..."])


def test_named_tuples_keep_their_names():
    assert cast(Any, autograd.max(autograd.ones(2), 0))._fields == ("values", "indices")
