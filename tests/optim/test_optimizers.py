from __future__ import annotations

import copy
import itertools
import pickle
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import optim

SEVERAL_TASKS = 40_000  # elements: more than one thread works on such a parameter

SMALL = [(3, 4), (4,), (), (0, 2), (2, 1, 3)]
SHAPES = [*SMALL, (SEVERAL_TASKS,)]
STEPS = 50


def options(**choices: list[Any]) -> list[dict[str, Any]]:
    """Every combination of the choices."""
    return [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]


SGD_OPTIONS = [
    o
    for o in options(
        momentum=[0, 0.9],
        dampening=[0, 0.3],
        weight_decay=[0, 0.1],
        nesterov=[False, True],
        maximize=[False, True],
    )
    if not o["nesterov"] or (o["momentum"] and not o["dampening"])
]
ADAM_OPTIONS = options(
    betas=[(0.9, 0.999), (0.5, 0.8)],
    weight_decay=[0, 0.1],
    amsgrad=[False, True],
    maximize=[False, True],
    eps=[1e-8, 1e-3],
)
RMSPROP_OPTIONS = options(
    alpha=[0.99, 0.7],
    weight_decay=[0, 0.1],
    momentum=[0, 0.9],
    centered=[False, True],
    maximize=[False, True],
)
CASES = [
    *(("SGD", o) for o in SGD_OPTIONS),
    *(("Adam", o) for o in ADAM_OPTIONS),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    *(("AdamW", o) for o in ADAM_OPTIONS),
    *(("RMSprop", o) for o in RMSPROP_OPTIONS),
]
FEW = [
    ("SGD", {"momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("SGD", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
]


def leaves(shapes: list[tuple[int, ...]], dtype: Any = np.float64) -> list[autograd.Tensor]:
    rng = np.random.default_rng(0)
    return [autograd.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def make(name: str, params: Any, **kwargs: Any) -> optim.Optimizer:
    kinds = {"SGD": optim.SGD, "Adam": optim.Adam, "AdamW": optim.AdamW, "RMSprop": optim.RMSprop}
    return kinds[name](params, **kwargs)


def give_gradients(params: list[autograd.Tensor], rng: np.random.Generator) -> None:
    for p in params:
        p.grad = autograd.tensor(np.asarray(rng.normal(size=p.shape), p.dtype))


def values(params: list[autograd.Tensor]) -> list[np.ndarray]:
    return [p.array().copy() for p in params]


def assert_same(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    for a, b in zip(first, second, strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


# ------------------------------------------------------------------ against torch


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_trajectory_is_that_of_torch(torch, name, kwargs):
    """Fifty steps on moving gradients, of which some are None now and then."""
    ours = leaves(SMALL)
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    one = make(name, ours, lr=0.01, **kwargs)
    two = getattr(torch.optim, name)(theirs, lr=0.01, **kwargs)
    rng = np.random.default_rng(1)
    for t in range(STEPS):
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            if t in (0, 7, 23) and i in (1, 4):
                p.grad = q.grad = None
                continue
            g = np.asarray(rng.normal(size=p.shape) + 0.1 * p.array())
            p.grad, q.grad = autograd.tensor(g), torch.tensor(g)
        one.step()
        two.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-10, atol=1e-13)
    state, wanted = one.state_dict()["state"], two.state_dict()["state"]
    assert state.keys() == {i for i, entry in wanted.items() if entry}
    for i, entry in state.items():
        assert entry.keys() == wanted[i].keys()
        for key, tensor in entry.items():
            np.testing.assert_allclose(
                tensor.array(), wanted[i][key].numpy(), rtol=1e-10, atol=1e-13
            )


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
def test_float32_stays_near_torch(torch, name, kwargs):
    ours = leaves([(3, 4), (4,)], np.float32)
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    one = make(name, ours, lr=0.01, **kwargs)
    two = getattr(torch.optim, name)(theirs, lr=0.01, **kwargs)
    rng = np.random.default_rng(1)
    for _ in range(10):
        give_gradients(ours, rng)
        for p, q in zip(ours, theirs, strict=True):
            assert p.grad is not None
            q.grad = torch.tensor(p.grad.array())
        one.step()
        two.step()
    for p, q in zip(ours, theirs, strict=True):
        assert p.dtype == np.float32
        np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-5, atol=1e-7)


def test_torch_refuses_a_backward_after_the_step_too(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = torch.ones(2)
    torch.optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
def test_a_state_dict_of_torch_can_be_loaded(torch, name, kwargs):
    ours = leaves([(3, 4), (4,)])
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    two = getattr(torch.optim, name)(theirs, lr=0.01, **kwargs)
    rng = np.random.default_rng(1)
    one = make(name, ours)
    for t in range(6):
        for p, q in zip(ours, theirs, strict=True):
            g = rng.normal(size=p.shape)
            p.grad, q.grad = autograd.tensor(g), torch.tensor(g)
        if t == 3:
            saved = two.state_dict()
            saved["state"] = {
                i: {key: v.numpy() for key, v in entry.items() if v is not None}
                for i, entry in saved["state"].items()
            }
            one.load_state_dict(saved)
            for p, q in zip(ours, theirs, strict=True):
                p.array()[...] = q.detach().numpy()
        two.step()
        if t >= 3:
            one.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-10)


def test_repr_has_the_form_of_torch(torch):
    ours = repr(optim.SGD(leaves([(2,)]), lr=0.5)).splitlines()
    theirs = repr(torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.5)).splitlines()
    assert ours == theirs


# ------------------------------------------------------------------ against the formula


def sgd(p, grads, lr=0.1, momentum=0.9, weight_decay=0.01):
    b = None
    for g in grads:
        g = g + weight_decay * p
        b = g if b is None else momentum * b + g
        p = p - lr * b
    return p


def adam(p, grads, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0
    for t, g in enumerate(grads, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return p


def adamw(p, grads, lr=0.1):
    for t in range(len(grads)):
        m = sum(0.9 ** (t - i) * 0.1 * g for i, g in enumerate(grads[: t + 1]))
        v = sum(0.999 ** (t - i) * 0.001 * g**2 for i, g in enumerate(grads[: t + 1]))
        p = p * (1 - lr * 0.01)
        p = p - lr * (m / (1 - 0.9 ** (t + 1))) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8)
    return p


def rmsprop(p, grads, lr=0.1):
    v = 0.0
    for g in grads:
        v = 0.99 * v + 0.01 * g**2
        p = p - lr * g / (np.sqrt(v) + 1e-8)
    return p


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("name", "kwargs", "formula"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.01}, sgd),
        ("Adam", {}, adam),
        ("AdamW", {}, adamw),
        ("RMSprop", {}, rmsprop),
    ],
)
def test_ten_steps_follow_the_formula(name, kwargs, formula, shape):
    (p, other) = params = leaves([shape, (2, 2)])
    start, start_other = values(params)
    optimizer = make(name, params, lr=0.1, **kwargs)
    rng = np.random.default_rng(1)
    grads = [[np.asarray(rng.normal(size=q.shape)) for q in params] for _ in range(10)]
    for pair in grads:
        for q, g in zip(params, pair, strict=True):
            q.grad = autograd.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(p.array(), formula(start, [g for g, _ in grads]), rtol=1e-10)
    expected = formula(start_other, [g for _, g in grads])
    np.testing.assert_allclose(other.array(), expected, rtol=1e-10)


def test_sgd_on_a_quadratic_shrinks_by_a_constant_factor():
    w = autograd.tensor([4.0, -8.0], dtype=np.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)
    for _ in range(5):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    assert w.tolist() == [4.0 / 32, -8.0 / 32]


def test_maximize_goes_up():
    (w,) = leaves([(3,)])
    start = w.array().copy()
    w.grad = autograd.tensor(np.ones(3))
    optim.SGD([w], lr=0.5, maximize=True).step()
    np.testing.assert_allclose(w.array(), start + 0.5)


def test_centered_rmsprop_survives_a_steady_gradient():
    """Rounding makes the variance of a constant gradient less than zero."""
    params = [autograd.tensor(np.full(100, 1.0, np.float32), requires_grad=True)]
    optimizer = optim.RMSprop(params, lr=1e-6, alpha=0.5, centered=True)
    for _ in range(100):
        params[0].grad = autograd.tensor(np.linspace(0.1, 0.9, 100).astype(np.float32))
        optimizer.step()
    assert np.isfinite(params[0].array()).all()


# ------------------------------------------------------------------ together and alone


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_together_move_as_each_alone(name, kwargs, dtype):
    together, alone = leaves(SHAPES, dtype), leaves(SHAPES, dtype)
    fused = make(name, together, lr=0.01, **kwargs)
    singles = [make(name, [p], lr=0.01, **kwargs) for p in alone]
    rng = np.random.default_rng(1)
    for t in range(8):
        for i, (p, q) in enumerate(zip(together, alone, strict=True)):
            absent = (t, i) in {(0, 1), (3, 0), (3, 2), (4, 0), (6, 5)}
            g = autograd.tensor(np.asarray(rng.normal(size=p.shape), dtype))
            p.grad, q.grad = (None, None) if absent else (g, g)
        fused.step()
        for single in singles:
            single.step()
        assert_same(values(together), values(alone))


def test_a_parameter_without_gradient_is_left_alone_and_so_is_its_state():
    params = leaves([(2,), (3,), (4,)])
    optimizer = optim.Adam(params)
    rng = np.random.default_rng(0)
    give_gradients(params, rng)
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict()["state"][1])
    value = params[1].array().copy()
    give_gradients(params, rng)
    params[1].grad = None
    optimizer.step()
    assert np.array_equal(params[1].array(), value)
    after = optimizer.state_dict()["state"]
    for key, tensor in before.items():
        assert np.array_equal(tensor.array(), after[1][key].array())
    assert [after[i]["step"].item() for i in range(3)] == [2, 1, 2]


def test_a_parameter_that_never_had_a_gradient_has_no_state():
    params = leaves([(2,), (3,)])
    params[0].grad = autograd.tensor(np.ones(2))
    optimizer = optim.Adam(params)
    optimizer.step()
    assert list(optimizer.state_dict()["state"]) == [0]
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    state = optimizer.state_dict()["state"]
    assert [state[i]["step"].item() for i in range(2)] == [2, 1]


def test_without_any_gradient_nothing_happens():
    params = leaves([(2,)])
    start = values(params)
    optimizer = optim.SGD(params, momentum=0.9)
    optimizer.step()
    optimizer.zero_grad()
    assert_same(values(params), start)
    assert optimizer.state_dict()["state"] == {}


def test_mixed_dtypes_in_one_group():
    params = [*leaves([(2,)], np.float32), *leaves([(3,)], np.float64), *leaves([()], np.float32)]
    optimizer = optim.Adam(params, lr=0.1)
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    assert [p.dtype for p in params] == [np.float32, np.float64, np.float32]
    assert [optimizer.state[p]["exp_avg"].dtype for p in params] == [p.dtype for p in params]


# ------------------------------------------------------------------ memory


def test_the_step_changes_the_memory_it_was_given():
    params = leaves(SHAPES)
    arrays = [p.array() for p in params]
    starts = values(params)
    optimizer = optim.SGD(params, lr=0.1, momentum=0.5)
    for _ in range(2):
        give_gradients(params, np.random.default_rng(0))
        optimizer.step()
    for p, array, start in zip(params, arrays, starts, strict=True):
        assert p.array() is array
        assert array.size == 0 or not np.array_equal(array, start)


def test_gradients_are_left_as_they_are():
    for name, kwargs in FEW:
        for maximize in (False, True):
            params = leaves(SHAPES)
            give_gradients(params, np.random.default_rng(0))
            before = [p.grad.array().copy() for p in params if p.grad is not None]
            make(name, params, maximize=maximize, **kwargs).step()
            assert_same([p.grad.array() for p in params if p.grad is not None], before)


@pytest.mark.parametrize("size", [6, SEVERAL_TASKS])
def test_a_parameter_that_is_not_contiguous(size):
    base = np.arange(4.0 * size).reshape(size, 4)
    expected = base.copy()
    p, q = (autograd.Tensor(base[:, ::2].T), autograd.Tensor(base[:, 1]))
    for part in (p, q):
        part.requires_grad_()
        part.grad = autograd.tensor(np.ones(part.shape))
    optimizer = optim.SGD([p, q], lr=0.5, momentum=0.9)
    optimizer.step()
    expected[:, [0, 2, 1]] -= 0.5
    np.testing.assert_allclose(base, expected)


@pytest.mark.parametrize("others", [0, 2])
def test_a_read_only_parameter_is_refused_before_anything_moves(others):
    array = np.ones(3)
    array.flags.writeable = False
    frozen = autograd.Tensor(array).requires_grad_()
    params = [*leaves([(2,)] * others), frozen]
    give_gradients(params, np.random.default_rng(0))
    start = values(params)
    with pytest.raises(ValueError, match=r"parameter of shape \(3,\) is read-only"):
        optim.SGD(params, momentum=0.9).step()
    assert_same(values(params), start)


@pytest.mark.parametrize("shapes", [[(3,)], [(3,), (2, 2)]])
def test_data_may_be_reassigned_between_steps(shapes):
    params, twins = leaves(shapes), leaves(shapes)
    one, two = optim.Adam(params, lr=0.1), optim.Adam(twins, lr=0.1)
    for seed in range(4):
        for several, optimizer in ((params, one), (twins, two)):
            give_gradients(several, np.random.default_rng(seed))
            optimizer.step()
        params[0].data = params[0].array() * 2
        twins[0].array()[...] *= 2
    assert_same(values(params), values(twins))


def test_data_of_another_shape_are_refused():
    (p,) = leaves([(3,)])
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    p.grad = autograd.tensor(np.ones(3))
    optimizer.step()
    p.data = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"was float64 \(3,\) .* now float64 \(2, 3\)"):
        optimizer.step()


@pytest.mark.parametrize("shapes", [[(3,)], [(3,), (2,)]])
@pytest.mark.parametrize("stepped", [False, True])
def test_a_gradient_of_another_shape_is_refused(shapes, stepped):
    params = leaves(shapes)
    optimizer = optim.SGD(params)
    give_gradients(params, np.random.default_rng(0))
    if stepped:
        optimizer.step()
    assert params[0].grad is not None
    params[0].grad.data = np.ones(1)
    start = values(params)
    with pytest.raises(ValueError, match=r"the gradient .* has shape \(1,\), the parameter \(3,\)"):
        optimizer.step()
    assert_same(values(params), start)


def test_gradients_are_not_kept_alive():
    (p,) = leaves([(SEVERAL_TASKS,)])
    optimizer = optim.SGD([p], momentum=0.9)
    p.grad = autograd.tensor(np.ones(p.shape))
    reference = weakref.ref(p.grad.array())
    optimizer.step()
    optimizer.zero_grad()
    assert reference() is None


# ------------------------------------------------------------------ the graph


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
def test_a_backward_through_a_graph_from_before_the_step_is_refused(name, kwargs):
    (w,) = leaves([(2,)])
    loss = (w * w).sum()
    w.grad = autograd.tensor(np.ones(2))
    make(name, [w], **kwargs).step()
    with pytest.raises(RuntimeError, match=rf"{name}\.step changed in place"):
        loss.backward()


def test_a_step_records_nothing():
    (w,) = leaves([(2,)])
    (w * w).sum().backward()
    optim.SGD([w], lr=0.1).step()
    assert w.is_leaf
    assert w.requires_grad
    (w * w).sum().backward()


def test_the_closure_runs_with_recording_on_and_its_result_is_returned():
    (w,) = leaves([(2,)])
    optimizer = optim.SGD([w], lr=0.1)
    start = w.array().copy()

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with autograd.no_grad():
        loss = optimizer.step(closure)
        assert not autograd.is_grad_enabled()
    assert loss.item() == pytest.approx((start**2).sum())
    np.testing.assert_allclose(w.array(), 0.8 * start)
    assert optimizer.step() is None


@pytest.mark.parametrize("create_graph", [False, True])
def test_zero_grad(create_graph):
    (w, v) = leaves([(2,), ()])
    optimizer = optim.SGD([w, v])
    (w * w).sum().backward(create_graph=create_graph)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is not None
    assert w.grad.tolist() == [0.0, 0.0]
    assert not w.grad.requires_grad
    assert v.grad is None
    optimizer.zero_grad()
    assert w.grad is None


# ------------------------------------------------------------------ groups


def test_groups_have_options_of_their_own():
    a, b, c = leaves([(2,), (2,), (3,)])
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.1)
    optimizer.add_param_group({"params": [c], "lr": 10.0, "label": "kept"})
    starts = values([a, b, c])
    for p in (a, b, c):
        p.grad = autograd.tensor(np.ones(p.shape))
    optimizer.step()
    for p, start, lr in zip((a, b, c), starts, (0.1, 1.0, 10.0), strict=True):
        np.testing.assert_allclose(p.array(), start - lr)
    assert optimizer.param_groups[2]["label"] == "kept"
    assert [len(g["params"]) for g in optimizer.param_groups] == [1, 1, 1]


def test_a_group_added_between_steps_leaves_the_others_state():
    params, twins = leaves([(2,), (3,)]), leaves([(2,), (3,)])
    one = optim.Adam(params[:1])
    two = optim.Adam(twins[:1])
    late = optim.Adam(twins[1:])
    for seed in range(4):
        give_gradients(params, np.random.default_rng(seed))
        give_gradients(twins, np.random.default_rng(seed))
        if seed == 2:
            one.add_param_group({"params": params[1:]})
        one.step()
        two.step()
        if seed >= 2:
            late.step()
    assert_same(values(params), values(twins))


def test_options_are_read_at_every_step():
    (p,) = leaves([(2,)])
    optimizer = optim.SGD([p], lr=0.1)
    start = p.array().copy()
    p.grad = autograd.tensor(np.ones(2))
    optimizer.step()
    optimizer.param_groups[0]["lr"] = np.float64(1.0)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.9  # its buffer begins with the next gradient
    optimizer.step()
    optimizer.step()
    np.testing.assert_allclose(p.array(), start - 0.1 - 1.0 - 1.0 - 1.9)


def test_named_parameters():
    a, b = leaves([(2,), (2,)])
    optimizer = optim.SGD([("a", a), ("b", b)])
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]
    with pytest.raises(ValueError, match="names"):
        optimizer.add_param_group({"params": leaves([(2,)])})


def test_the_list_of_a_group_may_be_changed():
    a, b = leaves([(2,), (3,)])
    optimizer = optim.SGD([a], lr=0.1, momentum=0.9)
    give_gradients([a, b], np.random.default_rng(0))
    optimizer.step()
    start = values([a, b])
    optimizer.param_groups[0]["params"][0] = b
    optimizer.step()
    assert np.array_equal(a.array(), start[0])
    assert not np.array_equal(b.array(), start[1])


# ------------------------------------------------------------------ state


def continued(name: str, kwargs: dict[str, Any], carry: Callable[..., Any]) -> None:
    """Six steps in a row, or three and three with `carry` between them: the same bits."""
    whole, halves = leaves(SHAPES, np.float32), leaves(SHAPES, np.float32)
    optimizer = make(name, whole, lr=0.01, **kwargs)
    for seed in range(6):
        give_gradients(whole, np.random.default_rng(seed))
        whole[seed % 3].grad = None
        optimizer.step()
    optimizer = make(name, halves, lr=0.01, **kwargs)
    for seed in range(6):
        give_gradients(halves, np.random.default_rng(seed))
        halves[seed % 3].grad = None
        optimizer.step()
        if seed == 2:
            optimizer, halves = carry(optimizer, halves)
    assert_same(values(halves), values(whole))


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
def test_a_loaded_state_continues_bit_for_bit(name, kwargs):
    def carry(optimizer, params):
        saved = copy.deepcopy(optimizer.state_dict())
        fresh = make(name, params, lr=7.0)
        fresh.load_state_dict(saved)
        return fresh, params

    continued(name, kwargs, carry)


@pytest.mark.parametrize(("name", "kwargs"), FEW, ids=str)
@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_a_copied_optimizer_continues_bit_for_bit(name, kwargs, how):
    def carry(optimizer, params):
        both = (optimizer, params)
        return pickle.loads(pickle.dumps(both)) if how == "pickle" else copy.deepcopy(both)

    continued(name, kwargs, carry)


def test_loading_copies():
    params = leaves([(2,), (3,)])
    optimizer = optim.SGD(params, momentum=0.9)
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    saved = optimizer.state_dict()
    other = optim.SGD(params, momentum=0.9)
    other.load_state_dict(saved)
    kept = optimizer.state[params[0]]["momentum_buffer"].array().copy()
    give_gradients(params, np.random.default_rng(1))
    other.step()
    assert np.array_equal(optimizer.state[params[0]]["momentum_buffer"].array(), kept)


def test_the_state_dict_has_the_form_of_pytorch():
    params = leaves([(2,), (3,)])
    optimizer = optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}])
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [0, 1]
    assert saved["state"][1].keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert saved["state"][1]["exp_avg"].shape == (3,)
    assert saved["state"][1]["step"].shape == ()
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in saved["param_groups"]] == [1e-3, 0.5]


def test_the_state_can_be_changed_by_hand():
    params, twins = leaves([(2,), (3,)]), leaves([(2,), (3,)])
    one, two = optim.Adam(params), optim.Adam(twins)
    held = one.state  # held on to: what is done through it later must count, too
    for seed in range(4):
        for several, optimizer in ((params, one), (twins, two)):
            give_gradients(several, np.random.default_rng(seed))
            optimizer.step()
        if seed == 0:
            held[params[0]]["exp_avg"] = autograd.tensor(np.zeros(2))
            two.state[twins[0]]["exp_avg"].zero_()
        if seed == 1:
            held[params[1]]["step"].fill_(5)
            two.state[twins[1]]["step"] = autograd.tensor(np.float32(5))
        if seed == 2:
            del held[params[0]]
            saved = copy.deepcopy(two.state_dict())
            del saved["state"][0]
            two.load_state_dict(saved)
    assert_same(values(params), values(twins))
    assert one.state_dict()["state"][1]["step"].item() == 7
    assert one.state_dict()["state"][0]["step"].item() == 1


def test_the_state_can_be_emptied_to_begin_anew():
    params, twins = leaves([(2,), (3,)]), leaves([(2,), (3,)])
    one, two = optim.Adam(params), optim.Adam(twins)
    for seed in range(4):
        give_gradients(params, np.random.default_rng(seed))
        give_gradients(twins, np.random.default_rng(seed))
        one.step()
        two.step()
        if seed == 1:
            one.state = defaultdict(dict)
            two = optim.Adam(twins)
    assert_same(values(params), values(twins))


def test_state_of_another_shape_is_refused_at_every_step():
    params = leaves([(2,), (SEVERAL_TASKS,)])
    optimizer = optim.SGD(params, momentum=0.9)
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    optimizer.state[params[1]]["momentum_buffer"] = autograd.tensor(np.ones(3))
    start = values(params)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"the state 'momentum_buffer' .* shape \(3,\)"):
            optimizer.step()
    assert_same(values(params), start)


def test_a_step_without_gradients_is_not_counted():
    params = leaves([(2,), (3,)])
    optimizer = optim.Adam(params)
    for seed in range(3):
        give_gradients(params, np.random.default_rng(seed))
        optimizer.step()
        optimizer.zero_grad()
        optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in params] == [3, 3]


Saved = dict[str, Any]


def damage(change: Callable[[Saved], Any]) -> Callable[[Saved], Saved]:
    def damaged(saved: Saved) -> Saved:
        change(saved)
        return saved

    return damaged


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda s: 3, TypeError, "must be a dict, not int"),
        (lambda s: {"state": {}}, ValueError, "no 'param_groups'"),
        (lambda s: {**s, "param_groups": 1}, TypeError, "must be a list"),
        (lambda s: {**s, "param_groups": []}, ValueError, "has 0 parameter groups"),
        (lambda s: {**s, "state": []}, TypeError, "'state' must be a dict"),
        (lambda s: {**s, "state": {9: {}}}, ValueError, "entry 9"),
        (damage(lambda s: s["param_groups"][0]["params"].pop()), ValueError, "1 parameters"),
        (damage(lambda s: s["param_groups"][0].pop("params")), ValueError, "no list of 'params'"),
        (damage(lambda s: s["param_groups"][0].update(params=[0, 0])), ValueError, "more than one"),
        (damage(lambda s: s["param_groups"][0].update(lr=float("nan"))), ValueError, "lr .* nan"),
        (damage(lambda s: s["param_groups"][0].update(lr=None)), ValueError, "lr .* None"),
        (damage(lambda s: s["state"][1].pop("exp_avg")), ValueError, "no 'exp_avg'"),
        (damage(lambda s: s["state"][1].pop("step")), ValueError, "no 'step'"),
        (damage(lambda s: s["state"][1].update(step=-1.0)), ValueError, "'step' must be >= 0"),
        (damage(lambda s: s["state"][1].update(step=[])), ValueError, "'step' must be a number"),
        (damage(lambda s: s["state"][1].update(exp_avg=np.ones(7))), ValueError, r"shape \(7,\)"),
        (damage(lambda s: s["state"][1].update(exp_avg=1.0)), ValueError, "shape None"),
        (damage(lambda s: s["state"][1].update(exp_avg=np.array(["a"] * 3))), TypeError, "<U1"),
        (damage(lambda s: s["state"][1].update(square_avg=np.ones(3))), ValueError, "square_avg"),
        (damage(lambda s: s["state"].update({1: 5})), TypeError, "must be a dict, not int"),
    ],
)
def test_a_bad_state_dict_is_refused_and_changes_nothing(change, error, match):
    params = leaves([(2,), (3,)])
    optimizer = optim.Adam(params)
    give_gradients(params, np.random.default_rng(0))
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    damaged = change(copy.deepcopy(optimizer.state_dict()))
    with pytest.raises(error, match=match):
        optimizer.load_state_dict(damaged)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for i, entry in before["state"].items():
        for key, tensor in entry.items():
            assert np.array_equal(after["state"][i][key].array(), tensor.array())


# ------------------------------------------------------------------ what is refused


BAD_NUMBERS = [-1.0, float("nan"), "fast", None]


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=str)
@pytest.mark.parametrize(
    ("name", "option"),
    [
        *(("SGD", o) for o in ("lr", "momentum", "weight_decay")),
        *(("Adam", o) for o in ("lr", "eps", "weight_decay")),
        *(("AdamW", o) for o in ("lr", "eps", "weight_decay")),
        *(("RMSprop", o) for o in ("lr", "alpha", "eps", "weight_decay", "momentum")),
    ],
)
def test_a_bad_option_is_refused(name, option, value):
    (p,) = leaves([(2,)])
    with pytest.raises(ValueError, match=rf"^{name}: {option} must be .*{value!r}$"):
        make(name, [p], **{option: value})
    with pytest.raises(ValueError, match=rf"parameter group 0: {option} must be"):
        make(name, [{"params": [p], option: value}])


@pytest.mark.parametrize("betas", [(-0.1, 0.9), (0.9, 1.0), (0.9, float("nan")), 0.9, (0.9,)])
def test_bad_betas_are_refused(betas):
    with pytest.raises(ValueError, match="betas"):
        optim.Adam(leaves([(2,)]), betas=betas)


def test_dampening_may_be_negative_but_not_nan():
    optim.SGD(leaves([(2,)]), dampening=-1.0)
    with pytest.raises(ValueError, match="dampening must be not NaN"):
        optim.SGD(leaves([(2,)]), dampening=float("nan"))


@pytest.mark.parametrize("kwargs", [{}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_momentum_without_dampening(kwargs):
    with pytest.raises(ValueError, match="nesterov"):
        optim.SGD(leaves([(2,)]), nesterov=True, **kwargs)


def test_bad_parameters_are_refused():
    a, b = leaves([(2,), (2,)])
    bad: list[tuple[Any, type[Exception], str]] = [
        ([], ValueError, "empty"),
        (iter(()), ValueError, "empty"),
        (a, TypeError, "not one Tensor"),
        ({a}, TypeError, "set"),
        ([a, np.ones(2)], TypeError, "parameter 1 is of type ndarray"),
        ([a, 1.0], TypeError, "parameter 1 is of type float"),
        ([a * 2], ValueError, "not a leaf"),
        ([a, b, a], ValueError, r"parameter 2 .* already"),
        ([{"params": [a]}, {"params": [b, a]}], ValueError, "group 1: parameter 1 .* already"),
        ([{"lr": 0.1}], ValueError, "params"),
        ([{"params": [a]}, b], TypeError, "group 1 must be a dict"),
        ([{"params": {a}}], TypeError, "set"),
        ([("a", a), b], ValueError, "names"),
    ]
    for params, error, match in bad:
        with pytest.raises(error, match=match):
            optim.SGD(params)


def test_a_refused_group_is_not_added():
    a, b = leaves([(2,), (2,)])
    optimizer = optim.SGD([a])
    for group in ({"params": [b], "lr": -1.0}, {"params": [a]}, {"params": [b * 1]}):
        with pytest.raises(ValueError, match="parameter group 1"):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1


def test_integers_are_refused_at_the_step():
    p = autograd.tensor([1, 2])
    p.grad = autograd.tensor([1, 1])
    with pytest.raises(ValueError, match="only floats can be optimized"):
        optim.SGD([p]).step()


def test_repr():
    assert repr(optim.RMSprop(leaves([(2,)]), lr=0.5)).splitlines() == [
        "RMSprop (",
        "Parameter Group 0",
        "    alpha: 0.99",
        "    capturable: False",
        "    centered: False",
        "    differentiable: False",
        "    eps: 1e-08",
        "    foreach: None",
        "    lr: 0.5",
        "    maximize: False",
        "    momentum: 0",
        "    weight_decay: 0",
        ")",
    ]


def test_an_optimizer_in_pytorchs_way_can_be_written_on_the_base():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            with autograd.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p -= group["lr"] * autograd.sign(p.grad)

    w = autograd.tensor([1.0, -1.0], requires_grad=True)
    (w * w).sum().backward()
    Sign([w], lr=0.5).step()
    assert w.tolist() == [0.5, -0.5]
