from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

import autograd
import optim
from optim.line_search import Point, interpolated, strong_wolfe


def rosenbrock(a: Any, b: Any) -> Any:
    """Of a vector and a matrix of numbers, together."""
    x = a.reshape(-1)
    y = b.reshape(-1)
    return ((1 - x) ** 2).sum() + 10.0 * ((y - x * x) ** 2).sum()


def quadratic(a: Any, b: Any) -> Any:
    return (3.0 * a * a).sum() + (0.5 * b * b).sum() + (a.reshape(-1) * b.reshape(-1)).sum()


def start() -> list[np.ndarray]:
    return [np.array([-1.5, 0.5, 2.0, 0.0]), np.array([[2.0, -1.0], [0.3, 0.7]])]


def leaves(dtype: Any = np.float64) -> list[autograd.Tensor]:
    return [autograd.tensor(a.astype(dtype), requires_grad=True) for a in start()]


def closure_of(optimizer: Any, function: Any, params: list[Any], calls: list[float]) -> Any:
    def closure():
        optimizer.zero_grad()
        loss = function(*params)
        loss.backward()
        calls.append(loss.item())
        return loss.detach()  # PyTorch warns of numbers from a loss that requires a gradient

    return closure


OPTIONS = [
    {},
    {"lr": 0.1, "max_iter": 4, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 5.0, "max_iter": 5, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 4, "lr": 100.0},
    {"line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 1},
    {"tolerance_grad": 1e-2, "line_search_fn": "strong_wolfe"},
    {"tolerance_change": 1e-2, "lr": 0.2},
    {"max_iter": 1},
    {"max_iter": 0},
]


@pytest.mark.parametrize("function", [rosenbrock, quadratic])
@pytest.mark.parametrize("kwargs", OPTIONS, ids=str)
def test_every_evaluation_is_that_of_torch(torch, kwargs, function):
    if function is rosenbrock and "line_search_fn" not in kwargs:
        kwargs = {**kwargs, "lr": 0.01}
    ours = leaves()
    theirs = [torch.tensor(a, requires_grad=True) for a in start()]
    one, two = optim.LBFGS(ours, **kwargs), torch.optim.LBFGS(theirs, **kwargs)
    found: list[float] = []
    wanted: list[float] = []
    for _ in range(5):
        a = one.step(closure_of(one, function, ours, found))
        b = two.step(closure_of(two, function, theirs, wanted))
        assert float(a) == pytest.approx(float(b), rel=1e-8, abs=1e-15)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-8, atol=1e-8)
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-14)
    state, other = one.state_dict()["state"][0], two.state_dict()["state"][0]
    assert state["func_evals"] == other["func_evals"] == len(found)
    assert state["n_iter"] == other["n_iter"]
    assert state.keys() == {key for key in other if key != "al" and other[key] is not None}


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_a_state_goes_to_torch_and_back(torch, line_search_fn):
    ours = leaves()
    kwargs: dict[str, Any] = {"lr": 0.1, "max_iter": 3, "line_search_fn": line_search_fn}
    one = optim.LBFGS(ours, **kwargs)
    one.step(closure_of(one, rosenbrock, ours, []))
    saved = copy.deepcopy(one.state_dict())
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    two = torch.optim.LBFGS(theirs, **kwargs)

    def converted(value: Any, kind: type, convert: Any) -> Any:
        if isinstance(value, dict):
            return {k: converted(v, kind, convert) for k, v in value.items()}
        if isinstance(value, list):
            return [converted(v, kind, convert) for v in value]
        return convert(value) if isinstance(value, kind) else value

    two.load_state_dict(converted(saved, autograd.Tensor, lambda t: torch.tensor(t.array())))
    one.step(closure_of(one, rosenbrock, ours, []))
    two.step(closure_of(two, rosenbrock, theirs, []))
    again = optim.LBFGS(ours, lr=7.0)
    again.load_state_dict(converted(two.state_dict(), torch.Tensor, lambda t: t.numpy()))
    again.step(closure_of(again, rosenbrock, ours, []))
    two.step(closure_of(two, rosenbrock, theirs, []))
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-8)


# ------------------------------------------------------------------ without torch


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rosenbrocks_valley_is_walked_to_its_end(dtype):
    params = leaves(dtype)
    optimizer = optim.LBFGS(
        params, max_iter=100, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )
    calls: list[float] = []
    loss = optimizer.step(closure_of(optimizer, rosenbrock, params, calls))
    assert float(loss) == calls[0]
    for p in params:
        assert p.dtype == dtype
        np.testing.assert_allclose(p.array(), 1.0, rtol=1e-3 if dtype == np.float32 else 1e-8)
    assert len(calls) <= 125 + 25


def test_a_quadratic_in_n_dimensions_takes_about_n_directions():
    """With exact searches, L-BFGS finds conjugate directions."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    matrix = autograd.tensor(root @ root.T + np.eye(5))
    x = autograd.tensor(rng.normal(size=5), requires_grad=True)
    optimizer = optim.LBFGS([x], max_iter=12, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = x @ matrix @ x
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.array(), 0, atol=1e-5)


@pytest.mark.parametrize("carry", ["load", "copy"])
def test_a_saved_state_continues_bit_for_bit(carry):
    ends = []
    for halfway in (False, True):
        params = leaves()
        optimizer = optim.LBFGS(params, max_iter=3, line_search_fn="strong_wolfe")
        for turn in range(4):
            optimizer.step(closure_of(optimizer, rosenbrock, params, []))
            if halfway and turn == 1 and carry == "load":
                saved = copy.deepcopy(optimizer.state_dict())
                optimizer = optim.LBFGS(params)
                optimizer.load_state_dict(saved)
            elif halfway and turn == 1:
                optimizer, params = copy.deepcopy((optimizer, params))
        ends.append([p.array() for p in params])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


def test_parameters_without_gradient_stay():
    params = leaves()
    optimizer = optim.LBFGS(params, max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = (params[0] ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_array_equal(params[1].array(), start()[1])
    assert not np.array_equal(params[0].array(), start()[0])


def test_a_closure_that_fails_in_the_search_leaves_the_parameters():
    params = leaves()
    optimizer = optim.LBFGS(params, line_search_fn="strong_wolfe")
    calls: list[float] = []
    sound = closure_of(optimizer, rosenbrock, params, calls)

    def closure():
        if calls:
            raise KeyError("lost")
        return sound()

    with pytest.raises(KeyError, match="lost"):
        optimizer.step(closure)
    for p, a in zip(params, start(), strict=True):
        np.testing.assert_array_equal(p.array(), a)


def test_a_loss_that_is_not_a_number_ends_in_time():
    params = leaves()
    optimizer = optim.LBFGS(params, max_iter=4, line_search_fn="strong_wolfe")
    calls: list[float] = []

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(*params) * (math.nan if calls else 1.0)
        loss.backward()
        calls.append(float(loss))
        return loss

    optimizer.step(closure)
    assert len(calls) < 20


def test_what_makes_no_sense_is_refused():
    params = leaves()
    optimizer = optim.LBFGS(params)
    with pytest.raises(TypeError, match="needs a closure"):
        optimizer.step()
    with pytest.raises(ValueError, match="one parameter group only"):
        optim.LBFGS([{"params": params[:1]}, {"params": params[1:]}])
    with pytest.raises(ValueError, match="one parameter group only"):
        optimizer.add_param_group({"params": leaves()})
    for option, value in (
        ("line_search_fn", "wolfe"),
        ("max_iter", -1),
        ("max_iter", 1.5),
        ("max_eval", 0),
        ("history_size", 0),
        ("tolerance_grad", math.nan),
        ("tolerance_change", -1.0),
        ("lr", "x"),
    ):
        with pytest.raises(ValueError, match=rf"LBFGS: {option} must be"):
            optim.LBFGS(params, **{option: value})  # pyright: ignore[reportArgumentType]
    array = np.ones(2)
    array.flags.writeable = False
    frozen = autograd.Tensor(array).requires_grad_()
    with pytest.raises(ValueError, match="read-only"):
        optim.LBFGS([frozen]).step(lambda: frozen.sum())


def test_a_state_that_does_not_fit_is_refused():
    params = leaves()
    optimizer = optim.LBFGS(params, max_iter=3)
    optimizer.step(closure_of(optimizer, quadratic, params, []))
    saved = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match="for other than 2 elements"):
        optim.LBFGS(
            [autograd.tensor(np.ones(1), requires_grad=True) for _ in "ab"]
        ).load_state_dict(saved)
    saved["state"] = {1: saved["state"][0]}
    with pytest.raises(ValueError, match="not from LBFGS"):
        optim.LBFGS(params).load_state_dict(saved)


def test_the_cubic_through_two_points():
    def point(x: float) -> Point:
        return Point(x, x**3 - x, np.zeros(1), 3 * x**2 - 1)

    assert interpolated(point(0.0), point(2.0), 0.0, 2.0) == pytest.approx(3**-0.5)
    assert interpolated(point(2.0), point(0.0), 0.0, 2.0) == pytest.approx(3**-0.5)
    assert interpolated(point(0.0), point(2.0), 0.7, 2.0) == 0.7
    assert interpolated(point(1.0), point(1.0), 0.0, 2.0) == 1.0


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_a_place_that_was_searched_fulfils_both_conditions(first):
    def point(x: float) -> Point:
        return Point(x, -x / (x * x + 2), np.zeros(1), (x * x - 2) / (x * x + 2) ** 2)

    origin = point(0.0)
    found, count = strong_wolfe(point, origin, first, 1.0, 25)
    assert found.loss <= origin.loss + 1e-4 * found.step * origin.slope
    assert abs(found.slope) <= 0.9 * abs(origin.slope)
    assert count <= 10


def test_parameters_of_several_kinds_move_together():
    """Two dtypes, a number, none at all, and memory that is not contiguous."""
    base = np.zeros((4, 6))
    params = [
        autograd.tensor(np.full(3, 2.0, np.float32), requires_grad=True),
        autograd.tensor(np.float64(-3.0), requires_grad=True),
        autograd.tensor(np.ones((0, 2)), requires_grad=True),
        autograd.Tensor(base[::2, ::-3]).requires_grad_(),
    ]
    optimizer = optim.LBFGS(params, max_iter=30, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        parts = [((p - i) ** 2).sum() for i, p in enumerate(params)]
        loss = parts[0] + parts[1] + parts[2] + parts[3]
        loss.backward()
        return loss.detach()

    optimizer.step(closure)
    for i, p in enumerate(params):
        np.testing.assert_allclose(p.array(), np.full(p.shape, i), atol=1e-5)
    assert params[0].dtype == np.float32
    assert np.count_nonzero(base) == 4
