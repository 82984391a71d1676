"""Second names of what is there, and options that only some of a kind had."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd.func import jacfwd, jacrev


def test_second_names_of_joining():
    a, b = autograd.ones(1, 2), autograd.zeros(2, 2)
    expected = autograd.cat([a, b]).tolist()
    for joined in (
        autograd.concat([a, b]),
        autograd.concatenate((a, b), axis=0),
        autograd.concat([a, b], dim=0),
        autograd.row_stack([a[0], b]),
    ):
        assert joined.tolist() == expected
    assert autograd.concatenate([b, a.T], 1).shape == (2, 3)
    with pytest.raises(ValueError, match="row_stack"):
        autograd.row_stack([])


def test_adjoint():
    x = autograd.tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    assert np.array_equal(x.adjoint().detach(), x.mT.detach())
    assert autograd.gradcheck(autograd.adjoint, (x,))
    with pytest.raises(ValueError, match="at least two dimensions"):
        autograd.adjoint(autograd.ones(3))


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
def test_jacobians_some_rows_or_columns_at_a_time(chunk_size):
    x = autograd.tensor([0.5, -1.0, 2.0], dtype=np.float64)
    expected = np.diag(np.cos(x.numpy()))
    for jacobian in (jacrev, jacfwd):
        found = jacobian(lambda x: x.sin(), chunk_size=chunk_size)(x)
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_names_as_in_torch(torch):
    values = np.arange(6.0).reshape(2, 3)
    for module in (autograd, torch):
        t = module.tensor(values)
        assert module.concat([t, t]).tolist() == module.concatenate([t, t], axis=0).tolist()
        assert module.row_stack([t[0], t]).tolist() == [values[0].tolist(), *values.tolist()]
        assert t.adjoint().tolist() == module.adjoint(t).tolist() == values.T.tolist()


def test_what_a_tensor_says_of_itself_as_in_torch(torch):
    for values in (np.arange(6.0, dtype=np.float32).reshape(2, 3), np.array([1, 2], np.uint8)):
        ours, theirs = autograd.tensor(values), torch.tensor(values)
        for name in ("nelement", "ndimension", "element_size", "is_complex", "is_signed"):
            assert getattr(ours, name)() == getattr(theirs, name)()
        assert (ours.itemsize, ours.nbytes) == (theirs.itemsize, theirs.nbytes)
        assert ours.is_contiguous() == theirs.is_contiguous()
        assert ours.T.is_contiguous() == theirs.mT.is_contiguous() if values.ndim == 2 else True
        assert ours.is_same_size(ours + 1)
        assert ours.new_tensor([1, 2]).dtype == ours.dtype
        assert ours.type_as(autograd.ones(1)).dtype == np.float32
        assert ours.short().dtype == np.int16
    assert autograd.tensor(2.0).is_nonzero()
    with pytest.raises(ValueError, match="not defined"):
        autograd.ones(2).is_nonzero()


def test_detach_in_place(torch):
    for module in (autograd, torch):
        x = module.ones(2, requires_grad=True)
        y = x * 2
        assert y.detach_() is y
        assert y.is_leaf
        assert not y.requires_grad
        x.detach_()
        assert not x.requires_grad
        with pytest.raises(RuntimeError):
            (module.ones(2, requires_grad=True) * 2)[:1].detach_()
