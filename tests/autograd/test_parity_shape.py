"""Moving, joining, splitting, indexing and scattering beside PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor, gradcheck, gradgradcheck
from nn import functional
from tests.autograd.test_parity import agree, both_dtypes, drawn


def each(torch: Any, *arrays: np.ndarray, cases: Any, lib: Any = None) -> None:
    """Compare a list of functions on the same arrays, as floats and (where torch can) as ints."""
    for k, func in enumerate(cases):
        try:
            agree(torch, func, *arrays, lib=lib)
        except Exception as error:
            raise AssertionError(f"case {k}: {error}") from error


X, V = drawn(2, 3, 4), drawn(5)
DTYPES = [np.float32, np.float64, np.int64, np.bool_]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def of(array: np.ndarray, dtype: Any) -> np.ndarray:
    return (array > 0) if dtype is np.bool_ else (array * 10).astype(dtype)


# --- Views and copies -----------------------------------------------------------------------------

MOVES = [
    lambda lib, x: lib.t(x[0]), lambda lib, x: x[0].t(), lambda lib, x: lib.t(x[0, 0]),
    lambda lib, x: x[0].T, lambda lib, x: lib.swapaxes(x, 0, -1), lambda lib, x: x.swapdims(1, 2),
    lambda lib, x: lib.swapdims(x, 0, 1), lambda lib, x: x.swapaxes(0, 1),
    lambda lib, x: lib.movedim(x, 0, -1), lambda lib, x: lib.movedim(x, (0, 1), (1, 2)),
    lambda lib, x: x.movedim((2, 0), (0, 1)), lambda lib, x: lib.moveaxis(x, -1, 0),
    lambda lib, x: x.moveaxis(0, 1), lambda lib, x: lib.ravel(x), lambda lib, x: x.mT.ravel(),
    lambda lib, x: lib.unflatten(x, 2, (2, -1)), lambda lib, x: x.unflatten(-1, (2, 2)),
    lambda lib, x: lib.flatten(x, 1, 2), lambda lib, x: lib.flatten(x[0, 0, 0]),
    lambda lib, x: x[:, :1].expand_as(x), lambda lib, x: x.reshape_as(x.mT),
    lambda lib, x: x.view_as(x[0].expand(2, 3, 4)), lambda lib, x: x.mT.contiguous(),
    lambda lib, x: lib.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    lambda lib, x: x[0].broadcast_to((2, 3, 4)),
    lambda lib, x: tuple(lib.broadcast_tensors(x[:1], x[:, :1, :1], x[0, 0, 0])),
    lambda lib, x: lib.atleast_1d(x[0, 0, 0]), lambda lib, x: lib.atleast_2d(x[0, 0]),
    lambda lib, x: lib.atleast_3d(x[0]), lambda lib, x: lib.atleast_3d(x[0, 0]),
    lambda lib, x: lib.atleast_3d(x[0, 0, 0]), lambda lib, x: lib.atleast_2d(x[0, 0, 0]),
    lambda lib, x: tuple(lib.atleast_2d([x[0, 0], x])),
    lambda lib, x: tuple(lib.atleast_1d(x[0, 0, 0], x)),
    lambda lib, x: lib.narrow(x, 1, 1, 2), lambda lib, x: x.narrow(-1, -3, 2),
    lambda lib, x: lib.narrow(x, 0, 2, 0), lambda lib, x: lib.select(x, 1, -1),
    lambda lib, x: x.select(2, 0), lambda lib, x: lib.squeeze(x[:1, :1], (0, -2)),
    lambda lib, x: lib.squeeze(x[:1], ()), lambda lib, x: lib.unsqueeze(x, -4),
    lambda lib, x: x.unfold(1, 2, 1), lambda lib, x: x.unfold(-1, 3, 2),
    lambda lib, x: x.unfold(2, 4, 5), lambda lib, x: x.unfold(2, 0, 1),
    lambda lib, x: x[0, 0, 0].unfold(0, 1, 1),
    lambda lib, x: lib.flip(x, (0, -1)), lambda lib, x: x.flip(1), lambda lib, x: x.flip(0, 2),
    lambda lib, x: lib.flip(x, ()), lambda lib, x: x[0, 0, 0].flip(0),
    lambda lib, x: lib.fliplr(x), lambda lib, x: lib.flipud(x), lambda lib, x: x[0].fliplr(),
    lambda lib, x: x[0].flipud(), lambda lib, x: lib.roll(x, 5), lambda lib, x: x.roll(-1, 2),
    lambda lib, x: lib.roll(x, (1, -2), (0, 2)), lambda lib, x: lib.roll(x, (1, 1), (1, 1)),
    *(lambda lib, x, k=k: lib.rot90(x, k, (0, 2)) for k in (-1, 0, 1, 2, 3, 5)),
    lambda lib, x: x.rot90(1, (2, -2)), lambda lib, x: x.repeat(2, 1, 3),
    lambda lib, x: x.repeat((2, 1, 1, 2)), lambda lib, x: x.repeat(1, 0, 2),
    lambda lib, x: lib.tile(x, (2,)), lambda lib, x: x.tile(2, 1, 1, 2),
    lambda lib, x: x[0, 0, 0].repeat(3), lambda lib, x: lib.repeat_interleave(x, 2),
    lambda lib, x: lib.repeat_interleave(x, 3, 1), lambda lib, x: x.repeat_interleave(0, -1),
    lambda lib, x: x.repeat_interleave(lib.tensor([2, 0, 1]), 1),
    lambda lib, x: x.repeat_interleave(lib.tensor([2, 1]), dim=0, output_size=3),
    lambda lib, x: x.repeat_interleave(lib.tensor([2]), dim=1),
    lambda lib, x: x[0, 0, 0].repeat_interleave(2),
]  # fmt: skip


@every_dtype
def test_moves(torch, dtype):
    each(torch, of(X, dtype), cases=MOVES)


def test_names_of_arguments(torch):
    each(
        torch,
        X,
        cases=[
            lambda lib, x: lib.flip(x, dims=[0]), lambda lib, x: x.flip(dims=(1, -1)),
            lambda lib, x: lib.permute(x, dims=(2, 0, 1)), lambda lib, x: x.tile(dims=(2, 1)),
            lambda lib, x: lib.reshape(input=x, shape=(6, 4)), lambda lib, x: x.repeat((1, 2, 1)),
            lambda lib, x: x[:1].expand(size=(5, 3, 4)), lambda lib, x: lib.roll(x, 1, dims=2),
            lambda lib, x: lib.gather(input=x, dim=0, index=lib.tensor([[[1]]])),
            lambda lib, x: lib.split(x, split_size_or_sections=2, dim=2),
            lambda lib, x: lib.narrow(x, dim=2, start=1, length=2),
            lambda lib, x: lib.repeat_interleave(x, repeats=2, dim=0),
            lambda lib, x: lib.movedim(x, source=0, destination=1),
            lambda lib, x: lib.diagonal(x, offset=1, dim1=1, dim2=2),
            lambda lib, x: x.unfold(dimension=2, size=2, step=1),
            lambda lib, x: lib.unflatten(x, dim=2, sizes=(2, 2)),
            lambda lib, x: lib.index_add(input=x, dim=0, index=lib.tensor([0, 0]), source=x),
            lambda lib, x: lib.masked_fill(input=x, mask=x > 0, value=1.0),
            lambda lib, x: lib.cat(tensors=[x, x], dim=1), lambda lib, x: lib.unsqueeze(x, dim=0),
        ],
    )  # fmt: skip
    x, i = Tensor(X.copy()), Tensor(np.array([1, 0]))
    for func in (
        lambda **k: x.split(2, **k), lambda **k: x.squeeze(**k), lambda **k: x.unsqueeze(**k),
        lambda **k: x.index_select(index=i, **k), lambda **k: autograd.cat([x, x], **k),
        lambda **k: x.index_fill(index=i, value=1.0, **k), lambda **k: x.unbind(**k),
        lambda **k: x.chunk(2, **k), lambda **k: x.select(index=1, **k),
        lambda **k: x.repeat_interleave(2, **k),
    ):  # fmt: skip
        one, other = func(axis=1), func(dim=1)
        assert repr(one) == repr(other)
    with pytest.raises(TypeError, match="not both"):
        x.split(2, dim=0, axis=0)


DIAGONALS = [
    lambda lib, x: lib.diagonal(x), lambda lib, x: lib.diagonal(x, 1, 2, 0),
    lambda lib, x: x.diagonal(-1, -1, 1), lambda lib, x: x.diagonal(7, 0, 1),
    lambda lib, x: lib.diag(x[0]), lambda lib, x: x[0].diag(-1), lambda lib, x: lib.diag(x[0, 0]),
    lambda lib, x: lib.diag(x[0, 0], 2), lambda lib, x: lib.diag_embed(x),
    lambda lib, x: lib.diag_embed(x, -1, 0, 2), lambda lib, x: x.diag_embed(1, 3, 1),
    lambda lib, x: lib.diagflat(x, 1), lambda lib, x: x[0, 0, 0].diagflat(),
    lambda lib, x: x[0].trace(), lambda lib, x: lib.trace(x[0, :, :1]),
    *(lambda lib, x, k=k: lib.tril(x, k) for k in (-3, -1, 0, 2, 5)),
    *(lambda lib, x, k=k: x.triu(k) for k in (-3, -1, 0, 2, 5)),
    lambda lib, x: lib.triu(x[0]), lambda lib, x: x.tril(),
]  # fmt: skip


@every_dtype
def test_diagonals(torch, dtype):
    cases = DIAGONALS
    if dtype is np.bool_:  # torch.trace has no bools
        cases = [c for c in DIAGONALS if "trace" not in c.__code__.co_names]
    each(torch, of(X, dtype), cases=cases)


def test_triangles_zero_what_is_not_finite(torch):
    x = np.full((3, 3), np.nan)
    for name in ("tril", "triu"):
        ours = getattr(autograd, name)(Tensor(x)).numpy()
        np.testing.assert_array_equal(ours, getattr(torch, name)(torch.tensor(x)).numpy())


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
def test_places_of_triangles(torch, name):
    for rows, columns, offset in itertools.product((0, 1, 4), (0, 3), (-2, 0, 1, 9)):
        ours = getattr(autograd, name)(rows, columns, offset)
        theirs = getattr(torch, name)(rows, columns, offset)
        assert ours.dtype == np.int64
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


# --- Joining and splitting ------------------------------------------------------------------------

JOINS = [
    lambda lib, x, y: lib.cat([x, y, x]), lambda lib, x, y: lib.cat([lib.tensor([]), x, y], 0),
    lambda lib, x, y: lib.hstack([x, x]), lambda lib, x, y: lib.hstack((x[:, 0], y[:2, 1, :3])),
    lambda lib, x, y: lib.hstack([x[0, 0], y[0, 0]]), lambda lib, x, y: lib.vstack([x, y]),
    lambda lib, x, y: lib.vstack([x[0], y[0, 0]]), lambda lib, x, y: lib.dstack([x[0], y[0]]),
    lambda lib, x, y: lib.dstack([x[0, 0], y[0, 0]]), lambda lib, x, y: lib.dstack([x, x]),
    lambda lib, x, y: lib.column_stack([x[0, 0], y[0].mT]),
    lambda lib, x, y: lib.column_stack([x[0, 0, 0], y[0, 0, 0]]),
    lambda lib, x, y: lib.stack([x[0], y[0]], -1),
    lambda lib, x, y: lib.meshgrid(x[0, 0], y[0, 0], indexing="ij"),
    lambda lib, x, y: lib.meshgrid([x[0, 0], y[0, :, 0], x[0, 0, 0]], indexing="xy"),
    lambda lib, x, y: lib.meshgrid(x[0, 0], indexing="xy"),
]  # fmt: skip


@every_dtype
def test_joins(torch, dtype):
    x, y = of(X, dtype), of(drawn(4, 3, 4, seed=1), dtype)
    cases = JOINS if dtype is np.float32 else JOINS[:1] + JOINS[2:]  # the empty one is float32
    each(torch, x, y, cases=cases)


SPLITS = [
    lambda lib, x: lib.split(x, 2, 2), lambda lib, x: lib.split(x, 3, -1),
    lambda lib, x: x.split([1, 0, 3], 2), lambda lib, x: lib.split(x, 9),
    lambda lib, x: lib.split(x[:0], 2), lambda lib, x: lib.split(x[:0], 0),
    lambda lib, x: lib.chunk(x, 3, 2), lambda lib, x: x.chunk(2, 1), lambda lib, x: x.chunk(5),
    lambda lib, x: lib.chunk(x[:, :0], 3, 1), lambda lib, x: lib.tensor_split(x, 3, 2),
    lambda lib, x: x.tensor_split((1, 3), 2), lambda lib, x: lib.tensor_split(x, 5, 1),
    lambda lib, x: lib.tensor_split(x, (2, 1, -1), 2), lambda lib, x: lib.tensor_split(x, (7,), 0),
    lambda lib, x: lib.tensor_split(x, lib.tensor([1, 2]), 2),
    lambda lib, x: lib.hsplit(x, 3), lambda lib, x: x[0, 0].hsplit(2),
    lambda lib, x: lib.vsplit(x, 2), lambda lib, x: x.vsplit([1]), lambda lib, x: lib.dsplit(x, 2),
    lambda lib, x: x.dsplit((1, 2)), lambda lib, x: lib.unbind(x), lambda lib, x: x.unbind(-1),
]  # fmt: skip


@both_dtypes
def test_splits(torch, dtype):
    each(torch, X.astype(dtype), cases=SPLITS)


def test_views_share_memory():
    x = autograd.zeros(2, 3, 4)
    views = [
        x.narrow(1, 0, 2), x.select(0, 1), x.movedim(0, 2), x.swapaxes(0, 1), x[0].t(), x[0].T,
        x.unflatten(2, (2, 2)), x.ravel(), x.diagonal(0, 1, 2), x[0, 1:, ::2], x.expand_as(x),
        x[:, None, ..., ::-1], *x.split(1), *x.chunk(2, 2), *x.unbind(1), *x.tensor_split(2, 2),
        x.unfold(2, 2, 1), x.contiguous(), x.view(-1), x.view_as(x), x.broadcast_to((1, 2, 3, 4)),
        *autograd.broadcast_tensors(x), autograd.atleast_3d(x), x[0].diag(), *x.hsplit(3),
    ]  # fmt: skip
    for k, view in enumerate(views):
        assert np.shares_memory(view.numpy(), x.numpy()), k
    copies = [
        x.flip(0), x.roll(1, 0), x.repeat(1, 1, 1), x.index_select(0, Tensor(np.array([0, 1]))),
        x.tril(), x[[0, 1]], x[x == 0], x.mT.contiguous(), x.rot90(2), x.clone(), x.tile(1),
    ]  # fmt: skip
    for k, copy in enumerate(copies):
        assert not np.shares_memory(copy.numpy(), x.numpy()), k
    x.diagonal(0, 1, 2).fill_(5.0)
    assert float(x.sum()) == 30.0


def test_a_change_of_a_view_is_seen():
    x = Tensor(np.ones((3, 3)), requires_grad=True)
    y = x * 1.0
    z = y.diagonal() * y.diagonal()
    y.detach().diagonal().fill_(2.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        z.sum().backward()
    w = (x * 1.0).select(0, 0)
    with pytest.raises(RuntimeError, match="view"):
        w.masked_fill_(w > 0, 0.0)


# --- Indexing -------------------------------------------------------------------------------------

AT, J = np.array([1, 0, 1]), np.array([[2, 0, 0], [1, 2, 2]])
MASK = np.array([[True, False, True], [False, True, True]])
INDICES = [
    0, -1, slice(None), slice(1, None), slice(None, None, 2), None, Ellipsis, (0, 1, 2),
    (Ellipsis, 0), (0, Ellipsis, 1), (None, 0, None, slice(1)), (slice(None), None, 1), [0, 1],
    [1, 1, 0], AT, (AT, slice(None), 0), (AT, AT), (AT, AT, AT), (slice(None), J), (J % 2,), (0, J),
    (0, slice(None), AT), (slice(None), 1, AT), (AT, None, AT), (None, AT), (AT, Ellipsis, AT),
    (slice(1), AT), (Ellipsis, J), (Ellipsis, J, None), (AT, slice(0, 2), AT), MASK, (MASK, 1),
    (MASK, slice(1, 3)), (0, MASK[0]), (slice(None), MASK[0]), (slice(None), MASK[0], 0),
    (MASK[:, 0], slice(None), AT[:1]), (MASK, AT[:1]), True, False, (True, 0), (0, True), (0, None),
    (np.array(1), slice(None), AT), (slice(None), slice(None), [0, 3]), (0, [0, 1], None, [1, 2]),
    ([0, 1], [1, 2], 0), [True, False], (Ellipsis, [True, False, True, True]), (slice(2, 2), AT),
    [], ([], 0), (slice(None), []), (), (slice(5, 1),), (-1, slice(-3, -1), -2),
    (slice(None), np.array([-1, -3])), (slice(None), slice(None), slice(1, None, 3)),
    (AT, 0, slice(None)), (0, AT, None), (AT[:, None], slice(None), AT), (None, None, AT, 0),
]  # fmt: skip


def keyed(lib: Any, key: Any) -> Any:
    """An index with its arrays as tensors of the library."""
    if isinstance(key, tuple):
        return tuple(keyed(lib, k) for k in key)
    return lib.tensor(key) if isinstance(key, np.ndarray) else key


@both_dtypes
def test_indexing(torch, dtype):
    x = X.astype(dtype)
    for key in INDICES:
        try:
            agree(torch, lambda lib, x, key=key: x[keyed(lib, key)], x)
        except Exception as error:
            raise AssertionError(f"{key}: {error}") from error


def test_assignment(torch):
    """Recorded and not. Which of several values for one place stays is torch's secret."""
    for key, fits in itertools.product(INDICES, (False, True)):
        parts = key if isinstance(key, tuple) else (key,)
        if key is False:
            continue  # nothing is assigned, and torch says that the value has no gradient
        if fits and any(
            a is AT or a is J or (isinstance(a, list) and a == [1, 1, 0]) for a in parts
        ):
            continue
        shape = tuple(torch.tensor(X)[keyed(torch, key)].shape)
        value = drawn(*shape, seed=3) if fits else np.asarray(0.5)

        def func(lib, x, v, key=key):
            y = x * 2.0
            y[keyed(lib, key)] = v
            return y

        try:
            agree(torch, func, X, value)
            with autograd.no_grad():
                ours, theirs = Tensor(X.copy()), torch.tensor(X)
                ours[keyed(autograd, key)] = Tensor(value)
                theirs[keyed(torch, key)] = torch.tensor(value)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        except Exception as error:
            raise AssertionError(f"{key} {fits}: {error}") from error


def any_key(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index of anything that PyTorch and NumPy both take."""
    wide = tuple(int(n) for n in rng.integers(1, 3, rng.integers(1, 3)))
    key: list[Any] = []
    d = 0
    while d < len(shape) and rng.random() < 0.85:
        n, kind = shape[d], int(rng.integers(0, 8))
        if kind == 0:
            key.append(int(rng.integers(-n, n)))
        elif kind == 1:
            start, stop = sorted(int(i) for i in rng.integers(0, n + 1, 2))
            key.append(slice(start, stop, int(rng.integers(1, 3))))
        elif kind in (2, 3):
            some = tuple(1 if rng.random() < 0.3 else m for m in wide)
            key.append(rng.integers(-n, n, some))
        elif kind == 4:
            key.append(rng.random(n) > 0.4)
        elif kind == 5 and d + 1 < len(shape):
            key.append(rng.random(shape[d : d + 2]) > 0.4)
            d += 1
        else:
            seen = any(k is Ellipsis for k in key)
            key.append(None if kind == 6 else True if seen else Ellipsis)
            d -= key[-1] is not Ellipsis
        d += 1
    return tuple(key)


def test_indexing_by_anything(torch):
    rng = np.random.default_rng(0)
    for _ in range(300):
        shape = tuple(int(n) for n in rng.integers(1, 4, rng.integers(1, 5)))
        x, key = rng.normal(size=shape), any_key(rng, shape)
        try:
            theirs = torch.tensor(x)[keyed(torch, key)]
        except IndexError:
            with pytest.raises(IndexError):
                Tensor(x)[keyed(autograd, key)]
            continue
        agree(torch, lambda lib, x, key=key: x[keyed(lib, key)] * 1.0 + 0.0 * x.sum(), x)
        ours, theirs = Tensor(x.copy()), torch.tensor(x)
        ours[keyed(autograd, key)] = 9.0
        theirs[keyed(torch, key)] = 9.0
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=str(key))


def test_indexing_to_second_order():
    x = Tensor(drawn(3, 4), requires_grad=True)
    for key in [
        (AT,),
        (slice(None), J),
        (0, J[0]),
        (slice(None, None, -2), -1),
        (None, AT, 2),
    ]:
        assert gradcheck(lambda x, k=key: x[k] ** 3, [x])
        assert gradgradcheck(lambda x, k=key: x[k] ** 3, [x])
    assert gradgradcheck(lambda x: autograd.gather(x, 0, Tensor(J)) ** 2, [x])


def test_slices_may_run_backwards():
    x = Tensor(X.copy(), requires_grad=True)
    y = x[::-1, 2:0:-1, ::-3]
    np.testing.assert_array_equal(y.detach().numpy(), X[::-1, 2:0:-1, ::-3])
    (g,) = autograd.grad(y.sum(), x)
    wanted = np.zeros(X.shape)
    wanted[::-1, 2:0:-1, ::-3] = 1.0
    np.testing.assert_array_equal(g.numpy(), wanted)


def test_bytes_are_numbers_not_masks():
    """PyTorch takes uint8 indices for masks, and warns."""
    x = autograd.arange(3)
    assert x[Tensor(np.array([1, 0, 1], np.uint8))].tolist() == [1, 0, 1]


def test_indices_out_of_range_are_refused_by_take_along_dim():
    """PyTorch counts on from the beginning again."""
    with pytest.raises(IndexError, match="index 3 is out of range for size 3"):
        autograd.take_along_dim(autograd.arange(3), Tensor(np.array([3])), 0)


def test_view_copies_where_it_must():
    """PyTorch refuses: `view` there is for memory that lies in order."""
    x = autograd.arange(6).view(2, 3)
    assert x.mT.view(-1).tolist() == [0, 3, 1, 4, 2, 5]


# --- Taking and putting ---------------------------------------------------------------------------

G = np.array([[[0, 3, 3], [1, 0, 2]]])
S = np.array([[1, 0, 1, 1], [0, 0, 1, 0]])
TAKES = [
    lambda lib, x: lib.gather(x, 2, lib.tensor(G)), lambda lib, x: x.gather(-1, lib.tensor(G)),
    lambda lib, x: x.gather(0, lib.tensor(S).reshape(1, 2, 4)),
    lambda lib, x: x.gather(1, lib.tensor(S % 2).reshape(2, 4, 1)),
    lambda lib, x: x[0, 0, 0].gather(0, lib.tensor(0)),
    lambda lib, x: x[0, 0].gather(0, lib.tensor(2)),
    lambda lib, x: x[0, 0, 0].gather(0, lib.tensor([0, 0])),
    lambda lib, x: x.gather(1, lib.tensor(np.zeros((0, 3, 4), np.int64))),
    lambda lib, x: lib.take_along_dim(x, lib.tensor(G[:, :1]), 2),
    lambda lib, x: x.take_along_dim(lib.tensor([[[-1], [0], [1]]]), 2),
    lambda lib, x: lib.take_along_dim(x, lib.tensor([[5, 1], [23, 0]])),
    lambda lib, x: lib.index_select(x, 1, lib.tensor([2, 0, 2])),
    lambda lib, x: x.index_select(-1, lib.tensor(1)),
    lambda lib, x: x[0, 0, 0].index_select(0, lib.tensor([0])),
    lambda lib, x: x.index_select(0, lib.tensor(np.zeros(0, np.int64))),
    lambda lib, x: lib.take(x, lib.tensor([[0, -1], [5, 5]])), lambda lib, x: x.take(lib.tensor(3)),
    lambda lib, x: lib.masked_select(x, x > 1), lambda lib, x: x.masked_select(x[0] > 1),
    lambda lib, x: x[0].masked_select(x > 1), lambda lib, x: x[0, 0, 0].masked_select(x > 1),
    lambda lib, x: lib.nonzero(x > 1), lambda lib, x: x.nonzero(as_tuple=True),
    lambda lib, x: lib.where(x > 1), lambda lib, x: lib.nonzero(x[0, 0, 0]),
    lambda lib, x: lib.nonzero(x[0, 0, 0], as_tuple=True), lambda lib, x: x[x > 1].sum(),
    lambda lib, x: lib.where(condition=x > 1, input=x, other=x[0]),
]  # fmt: skip


@both_dtypes
def test_takes(torch, dtype):
    each(torch, X.astype(dtype), cases=TAKES)


def test_takes_of_integers(torch):
    each(torch, (X * 10).astype(np.int32), cases=TAKES)


PUTS = [
    lambda lib, x, s: lib.scatter(x, 2, lib.tensor([[[0, 2]]]), s[:1, :1, :2]),
    lambda lib, x, s: x.scatter(1, lib.tensor([[[2, 0, 1, 0]]]), s[:1, :1]),
    lambda lib, x, s: lib.scatter(x, 2, lib.tensor(G), 1.5),
    lambda lib, x, s: lib.scatter(x, dim=2, index=lib.tensor(G), value=2),
    lambda lib, x, s: lib.scatter(x[0, 0, 0], 0, lib.tensor(0), s[0, 0, 0]),
    lambda lib, x, s: lib.scatter(x, 2, lib.tensor(np.zeros((0,), np.int64)), 1.0),
    lambda lib, x, s: lib.scatter_add(x, 2, lib.tensor(G), s[:1, :2, :3]),
    lambda lib, x, s: x.scatter_add(0, lib.tensor(S).reshape(2, 1, 4), s[:, :1]),
    lambda lib, x, s: x[0, 0].scatter_add(0, lib.tensor([3, 3, 0]), s[0, 1, :3]),
    *(
        lambda lib, x, s, r=r, i=i, d=d, k=k: lib.scatter_reduce(
            x, d, lib.tensor(k), s[: k.shape[0], : k.shape[1], : k.shape[2]], r, include_self=i
        )
        for r in ("sum", "prod", "mean", "amax", "amin")
        for i in (True, False)
        for d, k in [(2, G), (0, S.reshape(2, 1, 4))]
    ),
    lambda lib, x, s: lib.index_add(x, 1, lib.tensor([2, 0, 2]), s),
    lambda lib, x, s: x.index_add(1, lib.tensor([2, 0, 2]), s, alpha=2),
    lambda lib, x, s: lib.index_copy(x, 1, lib.tensor([2, 0, 1]), s),
    lambda lib, x, s: x.index_copy(0, lib.tensor([1]), s[:1]),
    lambda lib, x, s: lib.index_fill(x, 1, lib.tensor([2, -3]), 1.5),
    lambda lib, x, s: x.index_fill(1, lib.tensor([1]), s[0, 0, 0]),
    lambda lib, x, s: lib.index_put(x, (lib.tensor([1, 0]), lib.tensor([2, 2])), s[0, :2]),
    lambda lib, x, s: x.index_put((lib.tensor([1, 1]),), s[:, :, :], accumulate=True),
    lambda lib, x, s: x.index_put((x > 1,), s[0, 0, 0]),
    lambda lib, x, s: x.index_put((lib.tensor([1, 1]), lib.tensor(0)), s[0, 0], True),
    lambda lib, x, s: x.put(lib.tensor([[0, -1], [5, 7]]), s[0, 0]),
    lambda lib, x, s: x.put(lib.tensor([0, -1, 0, 5]), s[0, 0], accumulate=True),
    lambda lib, x, s: lib.put(x[0], lib.tensor(3), s[0, 0, 0]),
    lambda lib, x, s: lib.fill(x, 2.5), lambda lib, x, s: lib.fill(x, s[0, 0, 0]),
    lambda lib, x, s: lib.masked_fill(x, x > 1, 0.5), lambda lib, x, s: x.masked_fill(x[0] > 1, 2),
    lambda lib, x, s: x[0].masked_fill(s > 1, s[0, 0, 0]),
    lambda lib, x, s: lib.masked_scatter(x, x > 1, s), lambda lib, x, s: x.masked_scatter(s > 1, s),
    lambda lib, x, s: x.masked_scatter(x[0] > 1, lib.cat([s, s])),
    lambda lib, x, s: lib.select_scatter(x, s[0], 0, -1),
    lambda lib, x, s: x.select_scatter(s[:, 0], 1, 0),
    lambda lib, x, s: lib.slice_scatter(x, s[:, 1:], 1, 1),
    lambda lib, x, s: x.slice_scatter(s[:, :, :2], 2, start=0, end=-1, step=2),
    lambda lib, x, s: lib.slice_scatter(x, s[:1], end=-1),
    lambda lib, x, s: lib.diagonal_scatter(x, s[:, :, 0], 1, 2, 1) if x.shape[1] == 2
    else lib.diagonal_scatter(x[0], s[0, 0, :3]),
]  # fmt: skip


@both_dtypes
def test_puts(torch, dtype):
    each(torch, X.astype(dtype), drawn(2, 3, 4, dtype=dtype, seed=2), cases=PUTS)


def test_puts_of_integers(torch):
    x, s = ((a * 10).astype(np.int64) for a in (X, drawn(2, 3, 4, seed=2)))
    cases = [c for k, c in enumerate(PUTS) if k not in (2,)]
    each(torch, x, s, cases=cases)


@both_dtypes
def test_products_and_extremes_by_index_at_zeros_and_ties(torch, dtype):
    x = np.array([0.0, 2.0, 3.0, 0.0], dtype)
    src = np.array([0.0, 2.0, 5.0, 3.0, 0.0, 3.0], dtype)
    index = np.array([1, 1, 0, 2, 3, 2])
    for reduce, include in itertools.product(("prod", "amax", "amin"), (True, False)):
        if reduce != "prod" and not include:
            continue  # where self equals the extreme but is left out, torch gives it a share

        def func(lib, x, s, r=reduce, i=include):
            return lib.scatter_reduce(x, 0, lib.tensor(index), s, r, include_self=i)

        agree(torch, func, x, src)


def test_what_is_left_out_gets_no_gradient():
    """PyTorch gives `input` a share where it equals the extreme, even when it is left out."""
    x, s = Tensor(np.ones(1), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    zeros = Tensor(np.zeros(2, np.int64))
    y = autograd.scatter_reduce(x, 0, zeros, s, "amax", include_self=False)
    to_x, to_s = autograd.grad(y.sum(), (x, s))
    assert to_x.tolist() == [0.0]
    assert to_s.tolist() == [0.5, 0.5]


def test_src_may_be_larger_than_the_index():
    """PyTorch computes the values too, but has no gradient then."""
    x, s = Tensor(drawn(3, 4), requires_grad=True), Tensor(drawn(5, 6, seed=1), requires_grad=True)
    index = Tensor(np.array([[2, 0], [1, 2]]))
    for reduce in ("sum", "prod", "mean", "amax"):
        assert gradcheck(lambda x, s, r=reduce: autograd.scatter_reduce(x, 0, index, s, r), [x, s])
    assert gradcheck(lambda x, s: autograd.scatter(x, 1, index, s), [x, s])


def test_no_second_derivative_where_two_zeros_meet():
    x, s = Tensor(np.ones(1), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    y = autograd.scatter_reduce(x, 0, Tensor(np.zeros(2, np.int64)), s, "prod").sum()
    (g,) = autograd.grad(y, s, retain_graph=True)
    np.testing.assert_array_equal(g.numpy(), [0.0, 0.0])
    with pytest.raises(RuntimeError, match="two zeros"):
        autograd.grad(y, s, create_graph=True)


def test_puts_to_second_order():
    x, s = Tensor(drawn(3, 4), requires_grad=True), Tensor(drawn(3, 4, seed=1), requires_grad=True)
    line = Tensor(np.array([1, 0, 1]))
    for func in (
        lambda x, s: autograd.index_add(x, 0, line, s) ** 3,
        lambda x, s: autograd.scatter_add(x, 0, Tensor(J), s) ** 3,
        lambda x, s: autograd.scatter_reduce(x, 0, Tensor(J), s, "mean", include_self=False) ** 3,
        lambda x, s: autograd.scatter_reduce(x, 0, Tensor(J), s, "prod") ** 2,
        lambda x, s: autograd.masked_scatter(x, x > 0, s) ** 3,
        lambda x, s: autograd.index_put(x, (line,), s, accumulate=True) ** 3,
    ):
        assert gradgradcheck(func, [x, s])


IN_PLACE = [
    lambda lib, x, s: x.scatter_(2, lib.tensor([[[0, 2]]]), s[:1, :1, :2]),
    lambda lib, x, s: x.scatter_(2, lib.tensor(G), 1.5),
    lambda lib, x, s: x.scatter_add_(2, lib.tensor(G), s[:1, :2, :3]),
    lambda lib, x, s: x.scatter_reduce_(
        2, lib.tensor(G), s[:1, :2, :3], "amax", include_self=False
    ),
    lambda lib, x, s: x.index_add_(1, lib.tensor([2, 0, 2]), s, alpha=0.5),
    lambda lib, x, s: x.index_copy_(1, lib.tensor([2, 0, 1]), s),
    lambda lib, x, s: x.index_fill_(1, lib.tensor([2]), 1.5),
    lambda lib, x, s: x.index_put_((lib.tensor([1, 1]),), s, accumulate=True),
    lambda lib, x, s: x.put_(lib.tensor([0, -1, 1, 5]), s[0, 0]),
    lambda lib, x, s: x.masked_fill_(s > 1, 0.5),
    lambda lib, x, s: x.masked_scatter_(s > 1, s),
    lambda lib, x, s: x.tril_(1), lambda lib, x, s: x.triu_(-1),
    lambda lib, x, s: x.unsqueeze_(1), lambda lib, x, s: x.transpose_(0, 2),
    lambda lib, x, s: x.swapdims_(1, 2), lambda lib, x, s: x.unsqueeze_(0).squeeze_(),
    lambda lib, x, s: x.fill_(2.0), lambda lib, x, s: x.zero_(), lambda lib, x, s: x.copy_(s[0]),
]  # fmt: skip


@both_dtypes
def test_changes_in_place(torch, dtype):
    def fresh(func):
        def run(lib, x, s):
            y = x * 2.0
            assert func(lib, y, s) is y
            return y

        return run

    s = drawn(2, 3, 4, dtype=dtype, seed=2)
    each(torch, X.astype(dtype), s, cases=[fresh(c) for c in IN_PLACE])


def test_leaves_change_shape_only_without_recording():
    x = Tensor(drawn(2, 3), requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        x.t_()
    (x * x).sum().backward()
    with autograd.no_grad():
        assert x.t_().shape == (3, 2)
    y = x * 1.0
    with autograd.no_grad(), pytest.raises(RuntimeError, match="only leaves"):
        y.unsqueeze_(0)
    assert x.grad is None
    (x * x).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), 2.0 * x.detach().numpy())
    assert autograd.zeros(1, 2).squeeze_().shape == (2,)


# --- Borders and images ---------------------------------------------------------------------------

PADS = {
    (2, 3): [(1, 2), (0, 0), (2, -1), (-1, 1), (-1, -1)],
    (2, 3, 4): [(3, 2), (1, 1, 2, 0), (-1, 3), (1, -2), (0, 2, -1, 1)],
    (1, 2, 3, 4): [(1, 2, 2, 1), (2, -1, -1, 2), (1, 1, 1, 0, 1, 1)],
    (1, 1, 2, 3, 3): [(1, 2, 2, 1, 1, 0)],
}


@both_dtypes
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_borders(torch, mode, dtype):
    for shape, widths in ((s, w) for s, ws in PADS.items() for w in ws):
        x = drawn(*shape, dtype=dtype)
        try:
            torch.nn.functional.pad(torch.tensor(x), widths, mode)
        except (RuntimeError, NotImplementedError):
            with pytest.raises(ValueError, match="pad: "):
                functional.pad(Tensor(x), widths, mode)
            continue
        agree(torch, lambda lib, x, w=widths: functional_of(lib).pad(x, w, mode), x)


def functional_of(lib: Any) -> Any:
    return functional if lib is autograd else lib.nn.functional


PATCHES = [
    {"kernel_size": 2}, {"kernel_size": (2, 3), "stride": 2}, {"kernel_size": 3, "padding": (1, 2)},
    {"kernel_size": 2, "dilation": 2, "padding": 1}, {"kernel_size": (4, 1), "stride": (3, 2)},
    {"kernel_size": 1, "stride": 3}, {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2},
]  # fmt: skip


@both_dtypes
@pytest.mark.parametrize("at", PATCHES)
def test_patches(torch, at, dtype):
    x = drawn(2, 3, 5, 6, dtype=dtype)
    agree(torch, lambda lib, x: functional_of(lib).unfold(x, **at), x)
    agree(torch, lambda lib, x: functional_of(lib).unfold(x, **at), x[0])
    columns = torch.nn.functional.unfold(torch.tensor(x), **at).numpy()
    agree(torch, lambda lib, c: functional_of(lib).fold(c, (5, 6), **at), columns)
    agree(torch, lambda lib, c: functional_of(lib).fold(c, (5, 6), **at), columns[0])


@both_dtypes
def test_channels_and_pixels(torch, dtype):
    x = drawn(2, 8, 4, 6, dtype=dtype)
    for func in (
        lambda lib, x: functional_of(lib).pixel_shuffle(x, 2),
        lambda lib, x: functional_of(lib).pixel_shuffle(x[0], 1),
        lambda lib, x: functional_of(lib).pixel_unshuffle(x, 2),
        lambda lib, x: functional_of(lib).channel_shuffle(x, 4),
        lambda lib, x: functional_of(lib).channel_shuffle(x, 2),
    ):
        agree(torch, func, x)


# --- Refusals -------------------------------------------------------------------------------------

BAD = [
    lambda lib, F, x, i: lib.t(x), lambda lib, F, x, i: lib.movedim(x, (0, 0), (1, 2)),
    lambda lib, F, x, i: lib.movedim(x, 0, (1, 2)), lambda lib, F, x, i: lib.movedim(x, 3, 0),
    lambda lib, F, x, i: lib.unflatten(x, 2, (3, 2)), lambda lib, F, x, i: x.expand_as(x[0]),
    lambda lib, F, x, i: lib.narrow(x, 0, 1, 2), lambda lib, F, x, i: lib.narrow(x, 0, 3, 0),
    lambda lib, F, x, i: lib.narrow(x, 0, 0, -1), lambda lib, F, x, i: lib.select(x, 0, 2),
    lambda lib, F, x, i: lib.select(x[0, 0, 0], 0, 0), lambda lib, F, x, i: x.unfold(0, 3, 1),
    lambda lib, F, x, i: x.unfold(0, 1, 0), lambda lib, F, x, i: lib.flip(x, (0, 0)),
    lambda lib, F, x, i: lib.flip(x, (3,)), lambda lib, F, x, i: lib.fliplr(x[0, 0]),
    lambda lib, F, x, i: lib.flipud(x[0, 0, 0]), lambda lib, F, x, i: lib.roll(x, (1, 2)),
    lambda lib, F, x, i: lib.roll(x, (1, 2), (0,)), lambda lib, F, x, i: lib.rot90(x, 1, (0, 0)),
    lambda lib, F, x, i: lib.rot90(x[0, 0]), lambda lib, F, x, i: x.repeat(2),
    lambda lib, F, x, i: x.repeat(2, -1, 1), lambda lib, F, x, i: x.repeat_interleave(-1),
    lambda lib, F, x, i: x.repeat_interleave(lib.tensor([1, 2]), 1),
    lambda lib, F, x, i: x.repeat_interleave(lib.tensor([1, 2]), 0, output_size=4),
    lambda lib, F, x, i: lib.squeeze(x, (0, 0)), lambda lib, F, x, i: lib.squeeze(x, 3),
    lambda lib, F, x, i: lib.diagonal(x, 0, 1, 1), lambda lib, F, x, i: lib.diagonal(x[0, 0]),
    lambda lib, F, x, i: lib.diag(x), lambda lib, F, x, i: lib.diag_embed(x, 0, 1, 1),
    lambda lib, F, x, i: lib.trace(x), lambda lib, F, x, i: lib.tril(x[0, 0]),
    lambda lib, F, x, i: lib.tril_indices(-1, 2), lambda lib, F, x, i: lib.hstack([]),
    lambda lib, F, x, i: lib.vstack([x, x[0]]), lambda lib, F, x, i: lib.dstack([]),
    lambda lib, F, x, i: lib.column_stack([]), lambda lib, F, x, i: lib.meshgrid(x, indexing="ij"),
    lambda lib, F, x, i: lib.meshgrid(x[0, 0], indexing="yx"),
    lambda lib, F, x, i: lib.split(x, [1, 2]), lambda lib, F, x, i: lib.split(x, -1),
    lambda lib, F, x, i: lib.split(x, 0), lambda lib, F, x, i: lib.split(x[0, 0, 0], 1),
    lambda lib, F, x, i: lib.chunk(x, 0), lambda lib, F, x, i: lib.tensor_split(x, 0),
    lambda lib, F, x, i: lib.hsplit(x, 2), lambda lib, F, x, i: lib.vsplit(x[0, 0], 1),
    lambda lib, F, x, i: lib.dsplit(x[0], 1), lambda lib, F, x, i: lib.unbind(x[0, 0, 0]),
    lambda lib, F, x, i: lib.broadcast_to(x, (2, 3)),
    lambda lib, F, x, i: lib.broadcast_tensors(x, x[0, :2, 0]),
    lambda lib, F, x, i: lib.broadcast_shapes((2,), (3,)),
    lambda lib, F, x, i: x[i, i, i, i], lambda lib, F, x, i: x[0, lib.tensor([3])],
    lambda lib, F, x, i: x[lib.tensor([0.5])], lambda lib, F, x, i: x["a"],
    lambda lib, F, x, i: x[:, lib.tensor([True, False])],
    lambda lib, F, x, i: x[i, lib.tensor([0, 1])],
    lambda lib, F, x, i: x.__setitem__((0, lib.tensor([3])), 1.0),
    lambda lib, F, x, i: x.__setitem__(0, x[:, 0]),
    lambda lib, F, x, i: lib.gather(x, 0, i), lambda lib, F, x, i: lib.gather(x[0, 0], 0, i + 3),
    lambda lib, F, x, i: lib.gather(x[0, 0], 0, -i), lambda lib, F, x, i: x.gather(3, i),
    lambda lib, F, x, i: lib.gather(x, 0, lib.tensor(np.zeros((1, 4, 1), np.int64))),
    lambda lib, F, x, i: lib.gather(x[0, 0], 0, x[0, 0]),
    lambda lib, F, x, i: lib.take_along_dim(x, i, 0),
    lambda lib, F, x, i: lib.index_select(x, 0, i + 2),
    lambda lib, F, x, i: lib.index_select(x, 0, -i),
    lambda lib, F, x, i: lib.index_select(x, 0, i[None]), lambda lib, F, x, i: lib.take(x, i + 23),
    lambda lib, F, x, i: lib.take(x, x), lambda lib, F, x, i: lib.masked_select(x, i),
    lambda lib, F, x, i: lib.masked_select(x, i[:, None].expand(3, 5) > 0),
    lambda lib, F, x, i: lib.scatter(x[0, 0], 0, i, x[0, 0, :2]),
    lambda lib, F, x, i: lib.scatter(x[0, 0], 0, i + 3, x[0, 0]),
    lambda lib, F, x, i: lib.scatter(x[0, 0], 0, i, x[0, 0].double()),
    lambda lib, F, x, i: lib.scatter(x[0, 0], 0, i, 1.0, reduce="max"),
    lambda lib, F, x, i: lib.scatter_add(x, 0, i, x),
    lambda lib, F, x, i: lib.scatter_add(x[0, 0], 0, i, 1.0),
    lambda lib, F, x, i: lib.scatter_reduce(x[0, 0], 0, i, x[0, 0], "largest"),
    lambda lib, F, x, i: lib.index_add(x, 0, i, x), lambda lib, F, x, i: x.index_add(0, i + 1, x),
    lambda lib, F, x, i: lib.index_add(x, 1, i, x.double()),
    lambda lib, F, x, i: lib.index_copy(x, 0, i, x),
    lambda lib, F, x, i: lib.index_fill(x, 0, i + 1, 1.0),
    lambda lib, F, x, i: lib.index_put(x, (i + 1,), x),
    lambda lib, F, x, i: lib.index_put(x, (i,), x.double()),
    lambda lib, F, x, i: lib.put(x, i, x),
    lambda lib, F, x, i: lib.put(x, i + 23, x[0, 0, :3]),
    lambda lib, F, x, i: lib.fill(x, x), lambda lib, F, x, i: lib.masked_fill(x, i, 1.0),
    lambda lib, F, x, i: lib.masked_fill(x, x > 0, x),
    lambda lib, F, x, i: lib.masked_fill(i, i > 0, 1e30),
    lambda lib, F, x, i: lib.masked_fill(x, i > 0, 1.0),
    lambda lib, F, x, i: lib.masked_scatter(x, x == x, x[0]),
    lambda lib, F, x, i: lib.masked_scatter(x, x == x, x.double()),
    lambda lib, F, x, i: lib.select_scatter(x, x, 0, 0),
    lambda lib, F, x, i: lib.select_scatter(x, x[0], 0, 2),
    lambda lib, F, x, i: lib.slice_scatter(x, x, 0, 1),
    lambda lib, F, x, i: lib.slice_scatter(x, x, 0, 0, 2, 0),
    lambda lib, F, x, i: lib.diagonal_scatter(x[0], x[0]),
    lambda lib, F, x, i: F.pad(x, (4, 0), "reflect"),
    lambda lib, F, x, i: F.pad(x, (1,), "reflect"),
    lambda lib, F, x, i: F.pad(x, (1, 1), "mirror"),
    lambda lib, F, x, i: F.pad(x, (5, 0), "circular"),
    lambda lib, F, x, i: F.pad(x, (1, 0), "reflect", 1.0),
    lambda lib, F, x, i: F.pad(x[0, 0], (1, 0), "replicate"),
    lambda lib, F, x, i: F.unfold(x[None, None], 1), lambda lib, F, x, i: F.unfold(x, 9),
    lambda lib, F, x, i: F.unfold(x, 1, stride=0), lambda lib, F, x, i: F.fold(x, (5, 5), 2),
    lambda lib, F, x, i: F.pixel_shuffle(x, 2), lambda lib, F, x, i: F.pixel_unshuffle(x, 3),
    lambda lib, F, x, i: F.channel_shuffle(x, 2), lambda lib, F, x, i: F.pixel_shuffle(x[0], 1),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input_is_refused(torch, number):
    """As IndexError where PyTorch says so; its RuntimeErrors are ValueErrors or more exact."""
    case, x, i = BAD[number], X.astype(np.float32), np.array([0, 1, 1])
    kinds = (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError)
    with pytest.raises(kinds) as theirs:
        case(torch, torch.nn.functional, torch.tensor(x), torch.tensor(i))
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)) as ours:
        case(autograd, functional, Tensor(x.copy()), Tensor(i.copy()))
    if theirs.type is IndexError:
        assert ours.type is IndexError, (theirs.value, ours.value)
    else:
        assert ours.type in (ValueError, TypeError, IndexError), ours.value
    assert len(str(ours.value)) > 20, ours.value
