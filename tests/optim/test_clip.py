from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd
import optim
from optim.clip import PIECE

NORMS = [1.0, 2.0, 3.0, 0.5, -1.0, math.inf, -math.inf]


def with_gradients(*grads: Any, dtype: Any = np.float64) -> list[autograd.Tensor]:
    params = []
    for grad in grads:
        array = np.asarray(grad, dtype)
        params.append(autograd.tensor(np.zeros_like(array), requires_grad=True))
        params[-1].grad = autograd.tensor(array)
    return params


def grads_of(params: list[autograd.Tensor]) -> list[np.ndarray]:
    return [p.grad.array() for p in params if p.grad is not None]


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_norm_and_gradients(norm_type, max_norm):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in [(3, 4), (), (PIECE + 3,), (0,)]]
    params = with_gradients(*arrays)
    joint = np.concatenate([a.ravel() for a in arrays])
    expected = np.linalg.norm(joint, norm_type)
    norm = optim.clip_grad_norm_(params, max_norm, norm_type)
    assert isinstance(norm, autograd.Tensor)
    assert norm.shape == ()
    np.testing.assert_allclose(norm.item(), expected, rtol=1e-10)
    factor = min(1.0, max_norm / (expected + 1e-6))
    for array, grad in zip(arrays, grads_of(params), strict=True):
        np.testing.assert_allclose(grad, array * factor, rtol=1e-10)


@pytest.mark.parametrize("norm_type", [*NORMS, "inf"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clip_grad_norm_is_that_of_torch(torch, norm_type, dtype, max_norm):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(dtype) for s in [(3, 4), (5,)]]
    params = with_gradients(*arrays, dtype=dtype)
    theirs = []
    for array in arrays:
        theirs.append(torch.zeros(array.shape, dtype=getattr(torch, dtype), requires_grad=True))
        theirs[-1].grad = torch.tensor(array)
    norm = optim.clip_grad_norm_(params, max_norm, norm_type)
    wanted = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    rtol = 1e-5 if dtype == "float32" else 1e-10
    assert norm.dtype == dtype
    np.testing.assert_allclose(norm.item(), wanted.item(), rtol=rtol)
    for grad, q in zip(grads_of(params), theirs, strict=True):
        np.testing.assert_allclose(grad, q.grad.numpy(), rtol=rtol)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("norm_type", [2.0, math.inf])
def test_a_norm_that_is_not_finite(bad, norm_type):
    params = with_gradients([1.0, 2.0], [bad])
    with pytest.raises(RuntimeError, match="cannot be clipped"):
        optim.clip_grad_norm_(params, 1.0, norm_type, error_if_nonfinite=True)
    assert grads_of(params)[0].tolist() == [1.0, 2.0]
    norm = optim.clip_grad_norm_(params, 1.0, norm_type)
    assert not math.isfinite(norm.item())
    first, second = grads_of(params)
    assert np.isnan(second).all()
    assert np.isnan(first).all() if math.isnan(bad) else first.tolist() == [0.0, 0.0]


def test_what_becomes_of_the_gradients_is_as_in_torch(torch):
    for bad in (math.nan, math.inf):
        params = with_gradients([1.0, 2.0], [bad])
        theirs = [torch.zeros(n, dtype=torch.float64, requires_grad=True) for n in (2, 1)]
        theirs[0].grad = torch.tensor([1.0, 2.0], dtype=torch.float64)
        theirs[1].grad = torch.tensor([bad], dtype=torch.float64)
        optim.clip_grad_norm_(params, 1.0)
        torch.nn.utils.clip_grad_norm_(theirs, 1.0)
        for grad, q in zip(grads_of(params), theirs, strict=True):
            np.testing.assert_array_equal(grad, q.grad.numpy())


def test_squares_beyond_float32_do_not_overflow():
    params = with_gradients([3e25, 4e25], dtype=np.float32)
    assert optim.clip_grad_norm_(params, 1.0).item() == pytest.approx(5e25, rel=1e-6)
    np.testing.assert_allclose(grads_of(params)[0], [0.6, 0.8], rtol=1e-6)


def test_one_tensor_and_none_and_a_generator():
    (p,) = with_gradients([3.0, 4.0])
    assert optim.clip_grad_norm_(p, 1.0).item() == 5.0
    without = autograd.tensor([1.0], requires_grad=True)
    assert optim.clip_grad_norm_([without], 1.0).item() == 0.0
    assert optim.clip_grad_norm_([], 1.0).item() == 0.0
    assert optim.clip_grad_norm_((q for q in (p, without)), 10.0).item() == pytest.approx(1.0)
    optim.clip_grad_value_(p, 0.5)
    assert p.grad is not None
    assert p.grad.tolist() == [0.5, 0.5]


def test_gradients_are_changed_in_their_memory():
    params = with_gradients([3.0, 4.0], 12.0)
    arrays = grads_of(params)
    optim.clip_grad_norm_(params, 1.0)
    optim.clip_grad_value_(params, 0.25)
    assert all(a is b for a, b in zip(arrays, grads_of(params), strict=True))
    np.testing.assert_allclose(arrays[0], [3.0 / 13, 0.25], rtol=1e-6)


def test_read_only_gradients_are_replaced():
    (p,) = with_gradients([3.0, 4.0])
    assert p.grad is not None
    array = p.grad.array()
    array.flags.writeable = False
    optim.clip_grad_norm_(p, 1.0)
    np.testing.assert_allclose(grads_of([p])[0], [0.6, 0.8], rtol=1e-6)
    assert array.tolist() == [3.0, 4.0]


def test_a_graph_that_saved_the_gradient_is_protected():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    (w**3).sum().backward(create_graph=True)
    assert w.grad is not None
    penalty = (w.grad * w.grad).sum()
    optim.clip_grad_norm_([w], 0.1)
    with pytest.raises(RuntimeError, match="clip_grad_norm_ changed in place"):
        penalty.backward()


def test_clip_grad_value_is_that_of_torch(torch):
    rng = np.random.default_rng(0)
    array = np.append(rng.normal(size=20), [math.nan, math.inf, -math.inf])
    (p,) = with_gradients(array)
    q = torch.zeros(array.shape, dtype=torch.float64, requires_grad=True)
    q.grad = torch.tensor(array)
    optim.clip_grad_value_([p], 0.5)
    torch.nn.utils.clip_grad_value_([q], 0.5)
    np.testing.assert_array_equal(grads_of([p])[0], q.grad.numpy())


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ((-1.0,), "max_norm must be >= 0, not -1.0"),
        ((math.nan,), "max_norm must be a number, not nan"),
        (("x",), "max_norm must be a number, not 'x'"),
        ((1.0, 0), "norm_type must not be 0"),
        ((1.0, math.nan), "norm_type must be a number, not nan"),
        ((1.0, "two"), "norm_type must be a number, not 'two'"),
    ],
)
def test_bad_arguments_are_refused(args, match):
    with pytest.raises(ValueError, match=match):
        optim.clip_grad_norm_(with_gradients([1.0]), *args)


def test_more_bad_arguments_are_refused():
    params = with_gradients([1.0])
    with pytest.raises(ValueError, match="clip_value must be >= 0, not -1"):
        optim.clip_grad_value_(params, -1)
    with pytest.raises(ValueError, match="clip_value must be a number, not nan"):
        optim.clip_grad_value_(params, math.nan)
    wrong: Any = [*params, np.ones(2)]
    with pytest.raises(TypeError, match="parameter 1 is of type ndarray"):
        optim.clip_grad_value_(wrong, 1.0)
    with pytest.raises(TypeError, match="parameter 1 is of type ndarray"):
        optim.clip_grad_norm_(wrong, 1.0)


# ------------------------------------------------------------------ in two parts


@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_a_norm_that_is_known_clips_as_one_that_is_not(max_norm):
    arrays = [np.linspace(-1, 2, 5), np.ones((2, 2))]
    one, two = with_gradients(*arrays), with_gradients(*arrays)
    norm = optim.get_total_norm([p.grad for p in one if p.grad is not None])
    optim.clip_grads_with_norm_(one, max_norm, norm)
    assert optim.clip_grad_norm_(two, max_norm).item() == norm.item()
    for a, b in zip(grads_of(one), grads_of(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("norm_type", [*NORMS, "inf"])
def test_the_two_parts_are_those_of_torch(torch, norm_type):
    arrays = [np.linspace(-1, 2, 5), np.ones((2, 2))]
    found = optim.get_total_norm([autograd.tensor(a) for a in arrays], norm_type)
    wanted = torch.nn.utils.get_total_norm([torch.tensor(a) for a in arrays], norm_type)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-12)
    params = with_gradients(*arrays)
    theirs = [torch.zeros(a.shape, dtype=torch.float64, requires_grad=True) for a in arrays]
    for p, a in zip(theirs, arrays, strict=True):
        p.grad = torch.tensor(a)
    optim.clip_grads_with_norm_(params, 0.5, found)
    torch.nn.utils.clip_grads_with_norm_(theirs, 0.5, wanted)
    for grad, p in zip(grads_of(params), theirs, strict=True):
        np.testing.assert_allclose(grad, p.grad.numpy(), rtol=1e-12)


def test_total_norms_of_nothing_and_of_what_is_not_finite():
    assert optim.get_total_norm([]).item() == 0.0
    optim.clip_grads_with_norm_([], 1.0, 0.0)
    infinite = autograd.tensor([1.0, math.inf])
    assert optim.get_total_norm(infinite).item() == math.inf
    with pytest.raises(RuntimeError, match="get_total_norm: the norm of order 2"):
        optim.get_total_norm(infinite, error_if_nonfinite=True)
    with pytest.raises(TypeError, match="tensor 0 is of type float"):
        optim.get_total_norm([1.0])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="norm_type must not be 0"):
        optim.get_total_norm(infinite, 0.0)
    params = with_gradients([1.0, 2.0])
    for bad in ("x", None, np.ones(2)):
        with pytest.raises(ValueError, match="total_norm must be a number"):
            optim.clip_grads_with_norm_(params, 1.0, bad)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="max_norm must be >= 0"):
        optim.clip_grads_with_norm_(params, -1.0, 3.0)
    optim.clip_grads_with_norm_(params, 1.0, math.nan)
    assert np.isnan(grads_of(params)[0]).all()
