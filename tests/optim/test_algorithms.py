"""Each algorithm against PyTorch's, option by option, and against its formula in NumPy."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import optim

SHAPES = [(3, 4), (4,), (), (2, 1, 3)]
MATRICES = [(3, 4), (5, 2)]
STEPS = 50

CASES: list[tuple[str, dict[str, Any]]] = [
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.01, "alpha": 0.6, "t0": 10}),
    ("ASGD", {"weight_decay": 0.1, "maximize": True, "t0": 0}),
    ("Adamax", {}),
    ("Adamax", {"betas": (0.5, 0.8), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"betas": (0.5, 0.8), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.1}),
    ("RAdam", {}),
    ("RAdam", {"betas": (0.5, 0.8), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"betas": (0.9, 0.6)}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3}),
    ("Adagrad", {"weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {"rho": 1.0}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.3, 1.9), "step_sizes": (0.02, 0.2), "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 2.0}),
    ("Adafactor", {"weight_decay": 0.1, "maximize": True}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "momentum": 0.5, "weight_decay": 0.3}),
    ("Muon", {"adjust_lr_fn": "match_rms_adamw", "eps": 100.0, "ns_steps": 3}),
    ("Muon", {"adjust_lr_fn": "original", "ns_coefficients": (2.0, -1.5, 0.5)}),
    ("SGD", {"lr": "tensor", "weight_decay": 0.1}),
    ("Adam", {"lr": "tensor", "amsgrad": True}),
    ("NAdam", {"lr": "tensor"}),
]
NAMES = [
    *("SGD", "ASGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta"),
    *("Adafactor", "RMSprop", "Rprop", "LBFGS", "Muon"),
]
ONE_OF_EACH = [
    ("ASGD", {"t0": 2}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {"betas": (0.9, 0.9)}),
    ("Adagrad", {"initial_accumulator_value": 0.1}),
    ("Adadelta", {}),
    ("Rprop", {}),
    ("Lion", {"weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Muon", {}),
]


def leaves(name: str, dtype: Any = np.float64) -> list[autograd.Tensor]:
    rng = np.random.default_rng(0)
    shapes = MATRICES if name == "Muon" else SHAPES
    return [autograd.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def make(name: str, params: Any, **kwargs: Any) -> optim.Optimizer:
    return getattr(optim, name)(params, **kwargs)


def gradient(rng: np.random.Generator, p: autograd.Tensor) -> np.ndarray:
    return np.asarray(rng.normal(size=p.shape) + 0.1 * p.array(), p.dtype)


# ------------------------------------------------------------------ against torch


@pytest.fixture
def full_precision(torch, monkeypatch):
    """PyTorch's Muon iterates in bfloat16; here it does so in the dtype of the parameter."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    return torch


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_fifty_steps_are_those_of_torch(full_precision, name, kwargs):
    """On moving gradients, of which some are None now and then."""
    torch = full_precision
    ours = leaves(name)
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    one_kwargs, two_kwargs = dict(kwargs), dict(kwargs)
    if kwargs.get("lr") == "tensor":
        one_kwargs["lr"] = autograd.tensor(np.float64(0.03))
        two_kwargs["lr"] = torch.tensor(0.03, dtype=torch.float64)
    one = make(name, ours, **one_kwargs)
    two = getattr(torch.optim, name)(theirs, **two_kwargs)
    assert one.defaults.keys() == two.defaults.keys()
    rng = np.random.default_rng(1)
    for t in range(STEPS):
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            p.grad = q.grad = None
            if t not in (0, 7, 23) or i != 1:
                g = gradient(rng, p)
                p.grad, q.grad = autograd.tensor(g), torch.tensor(g)
        one.step()
        two.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-10, atol=1e-13)
    state, wanted = one.state_dict()["state"], two.state_dict()["state"]
    assert state.keys() == wanted.keys()
    for i, entry in wanted.items():
        assert state[i].keys() == {key for key, value in entry.items() if value is not None}
        for key, tensor in state[i].items():
            assert tensor.shape == tuple(entry[key].shape)
            np.testing.assert_allclose(tensor.array(), entry[key].numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_a_state_dict_goes_to_torch_and_back(full_precision, name, kwargs):
    torch = full_precision
    if name == "Lion":
        pytest.skip("PyTorch has no Lion")
    ours = leaves(name)
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    one, two = make(name, ours, **kwargs), getattr(torch.optim, name)(theirs)
    rng = np.random.default_rng(1)

    def step(*both: Any) -> None:
        for p, q in zip(ours, theirs, strict=True):
            g = gradient(rng, p)
            p.grad, q.grad = autograd.tensor(g), torch.tensor(g)
        for optimizer in both:
            optimizer.step()

    for _ in range(3):
        step(one)
    two.load_state_dict(converted(one.state_dict(), lambda t: torch.tensor(t.array())))
    with torch.no_grad():
        for p, q in zip(ours, theirs, strict=True):
            q.copy_(torch.tensor(p.array()))
    for _ in range(3):
        step(one, two)
    fresh = make(name, ours)
    fresh.load_state_dict(converted(two.state_dict(), lambda t: t.numpy()))
    for _ in range(3):
        step(fresh, two)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.array(), q.detach().numpy(), rtol=1e-10, atol=1e-13)


def converted(saved: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    """A state dict with other tensors."""
    state = {
        i: {key: convert(value) for key, value in entry.items() if value is not None}
        for i, entry in saved["state"].items()
    }
    return {**saved, "state": state}


def test_adagrad_has_a_state_before_its_first_step(torch):
    params = leaves("Adagrad")
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in params]
    state = optim.Adagrad(params, initial_accumulator_value=0.5).state_dict()["state"]
    wanted = torch.optim.Adagrad(theirs, initial_accumulator_value=0.5).state_dict()["state"]
    assert state.keys() == wanted.keys()
    for i, entry in wanted.items():
        for key, value in entry.items():
            np.testing.assert_array_equal(state[i][key].array(), value.numpy())


def test_constructors_are_those_of_torch(torch):
    for name in NAMES:
        wanted = inspect.signature(getattr(torch.optim, name)).parameters.values()
        found = inspect.signature(getattr(optim, name)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in found] == [
            (p.name, p.kind, p.default) for p in wanted
        ]


def test_the_order_of_options_is_that_of_torch(torch):
    for name in NAMES:
        shape = (2, 2)
        ours = make(name, [autograd.tensor(np.ones(shape), requires_grad=True)])
        theirs = getattr(torch.optim, name)([torch.ones(shape, requires_grad=True)])
        assert list(ours.defaults.items()) == list(theirs.defaults.items())
        assert repr(ours) == repr(theirs)


def test_muon_iterates_in_full_precision_where_torch_rounds_to_bfloat16(torch):
    """The two differ by the rounding of bfloat16, and no more."""
    ours = leaves("Muon", np.float32)
    theirs = [torch.tensor(p.array().copy(), requires_grad=True) for p in ours]
    start = [p.array().copy() for p in ours]
    rng = np.random.default_rng(1)
    for p, q in zip(ours, theirs, strict=True):
        g = gradient(rng, p)
        p.grad, q.grad = autograd.tensor(g), torch.tensor(g)
    optim.Muon(ours, lr=1.0, weight_decay=0.0).step()
    torch.optim.Muon(theirs, lr=1.0, weight_decay=0.0).step()
    for p, q, old in zip(ours, theirs, start, strict=True):
        step, wanted = p.array() - old, q.detach().numpy() - old
        np.testing.assert_allclose(step, wanted, atol=0.05)
        assert not np.allclose(step, wanted, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------ against the formula


def asgd(p, grads, lr=0.1, lambd=0.01, alpha=0.75, t0=3):
    eta = np.float64(np.float32(lr))
    for t, g in enumerate(grads, 1):
        p = p * (1 - lambd * eta) - eta * g
        eta = np.float64(np.float32(lr / (1 + lambd * lr * t) ** alpha))
    return p


def adamax(p, grads, lr=0.1):
    m = u = 0.0
    for t, g in enumerate(grads, 1):
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g) + 1e-8)
        p = p - lr * m / (1 - 0.9**t) / u
    return p


def nadam(p, grads, lr=0.1):
    m = v = 0.0
    past = np.float32(1)
    for t, g in enumerate(grads, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        mu, following = (0.9 * (1 - 0.5 * 0.96 ** (s * 4e-3)) for s in (t, t + 1))
        past *= np.float32(mu)
        long = float(past)
        h = (1 - mu) * g / (1 - long) + following * m / (1 - long * following)
        p = p - lr * h / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


def radam(p, grads, lr=0.1):
    m = v = 0.0
    n = 2 / (1 - 0.999) - 1
    for t, g in enumerate(grads, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        k = n - 2 * t * 0.999**t / (1 - 0.999**t)
        d = 1.0
        if k > 5:
            r = math.sqrt((k - 4) * (k - 2) * n / ((n - 4) * (n - 2) * k))
            d = r * math.sqrt(1 - 0.999**t) / (np.sqrt(v) + 1e-8)
        p = p - lr * m / (1 - 0.9**t) * d
    return p


def adagrad(p, grads, lr=0.1):
    for t, g in enumerate(grads):
        total = 0.2 + sum(h**2 for h in grads[: t + 1])
        p = p - lr / (1 + t * 0.3) * g / (np.sqrt(total) + 1e-10)
    return p


def adadelta(p, grads, lr=0.1):
    v = a = 0.0
    for g in grads:
        v = 0.9 * v + 0.1 * g**2
        d = np.sqrt(a + 1e-6) / np.sqrt(v + 1e-6) * g
        a = 0.9 * a + 0.1 * d**2
        p = p - lr * d
    return p


def rprop(p, grads, lr=0.1):
    p = np.array(p)
    for i in np.ndindex(p.shape):
        size, before = lr, 0.0
        for full in grads:
            g = full[i]
            if g * before > 0:
                size = min(size * 1.2, 50)
            elif g * before < 0:
                size, g = max(size * 0.5, 1e-6), 0.0
            p[i] -= np.sign(g) * size
            before = g
    return p


def lion(p, grads, lr=0.1):
    m = np.zeros_like(p)
    for g in grads:
        d = np.sign(0.9 * m + 0.1 * g)
        p = p - lr * (d + 0.3 * p)
        m = 0.99 * m + 0.01 * g
    return p


def adafactor(p, grads, lr=0.1):
    tiny = np.finfo(np.float64).eps
    row = col = full = 0.0
    for t, g in enumerate(grads, 1):
        w = t**-0.8
        share = min(lr, 1 / math.sqrt(t)) * max(1e-3, np.sqrt((p**2).mean()))
        if p.ndim > 1:
            row = (1 - w) * row + w * (g**2).mean(-1, keepdims=True)
            col = (1 - w) * col + w * (g**2).mean(-2, keepdims=True)
            v = np.matmul(row, col) / np.maximum(row.mean(-2, keepdims=True), tiny)
        else:
            v = full = (1 - w) * full + w * g**2
        u = g / np.sqrt(np.maximum(v, tiny**2))
        p = p - share * u / max(1.0, np.sqrt((u**2).mean()))
    return p


def muon(p, grads, lr=0.1):
    m = np.zeros_like(p)
    for g in grads:
        m = 0.95 * m + 0.05 * g
        x = 0.05 * g + 0.95 * m
        u, s, v = np.linalg.svd(x, full_matrices=False)
        s = s / np.sqrt((s**2).sum())
        for _ in range(5):  # the iteration acts on singular values alone
            s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
        rate = lr * math.sqrt(max(1, p.shape[0] / p.shape[1]))
        p = p * (1 - lr * 0.1) - rate * (u * s) @ v
    return p


@pytest.mark.parametrize(
    ("name", "kwargs", "formula"),
    [
        ("ASGD", {"lambd": 0.01, "t0": 3}, asgd),
        ("Adamax", {}, adamax),
        ("NAdam", {}, nadam),
        ("RAdam", {}, radam),
        ("Adagrad", {"lr_decay": 0.3, "initial_accumulator_value": 0.2}, adagrad),
        ("Adadelta", {}, adadelta),
        ("Rprop", {}, rprop),
        ("Lion", {"weight_decay": 0.3}, lion),
        ("Adafactor", {}, adafactor),
        ("Muon", {}, muon),
    ],
)
def test_ten_steps_follow_the_formula(name, kwargs, formula):
    params = leaves(name)
    starts = [p.array().copy() for p in params]
    optimizer = make(name, params, lr=0.1, **kwargs)
    rng = np.random.default_rng(1)
    grads = [[np.asarray(rng.normal(size=q.shape)) for q in params] for _ in range(10)]
    for several in grads:
        for q, g in zip(params, several, strict=True):
            q.grad = autograd.tensor(g)
        optimizer.step()
    for i, (p, start) in enumerate(zip(params, starts, strict=True)):
        expected = formula(start, [several[i] for several in grads])
        np.testing.assert_allclose(p.array(), expected, rtol=1e-10, atol=1e-13)


def test_asgd_keeps_the_mean_of_its_path():
    """Of all but the first step: mu is 1 at the second, too."""
    p = autograd.tensor(np.array([1.0, 2.0]), requires_grad=True)
    optimizer = optim.ASGD([p], lr=0.1, lambd=0.0, t0=0)
    path = []
    for _ in range(5):
        p.grad = autograd.tensor(np.array([1.0, -1.0]))
        optimizer.step()
        path.append(p.array().copy())
    np.testing.assert_allclose(optimizer.state[p]["ax"].array(), np.mean(path[1:], 0), rtol=1e-6)


def test_muon_makes_steps_orthogonal():
    rng = np.random.default_rng(0)
    p = autograd.tensor(np.zeros((6, 3)), requires_grad=True)
    p.grad = autograd.tensor(rng.normal(size=(6, 3)))
    coefficients = (1.875, -1.25, 0.375)  # those that converge: X becomes orthogonal to rounding
    optim.Muon([p], lr=1.0, ns_coefficients=coefficients, ns_steps=40).step()
    step = p.array() / math.sqrt(2.0)
    np.testing.assert_allclose(step.T @ step, np.eye(3), atol=1e-12)


# ------------------------------------------------------------------ common behaviour


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_float32_stays_float32_and_near_float64(name, kwargs):
    ends = []
    for dtype in (np.float32, np.float64):
        params = leaves(name, dtype)
        optimizer = make(name, params, lr=0.01, **kwargs)
        for seed in range(5):
            rng = np.random.default_rng(seed)
            for p in params:
                p.grad = autograd.tensor(np.asarray(rng.normal(size=p.shape), dtype))
            optimizer.step()
        assert {p.dtype for p in params} == {np.dtype(dtype)}
        ends.append(params)
    for p, q in zip(*ends, strict=True):
        np.testing.assert_allclose(p.array(), q.array(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_a_loaded_or_copied_state_continues_bit_for_bit(name, kwargs):
    ends = []
    for way in ("whole", "load", "copy"):
        params = leaves(name, np.float32)
        optimizer = make(name, params, lr=0.01, **kwargs)
        for seed in range(6):
            rng = np.random.default_rng(seed)
            for p in params:
                p.grad = autograd.tensor(gradient(rng, p))
            params[seed % 2].grad = None
            optimizer.step()
            if seed == 2 and way == "load":
                saved = copy.deepcopy(optimizer.state_dict())
                optimizer = make(name, params, lr=7.0)
                optimizer.load_state_dict(saved)
            elif seed == 2 and way == "copy":
                optimizer, params = copy.deepcopy((optimizer, params))
        ends.append([p.array() for p in params])
    for other in ends[1:]:
        for a, b in zip(ends[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_the_result_is_the_same_for_any_number_of_threads(name, kwargs):
    shape = (200, 230) if name in ("Muon", "Adafactor") else (40_001,)
    ends = []
    before = autograd.get_num_threads()
    for count in (1, 2, 3):
        autograd.set_num_threads(count)
        rng = np.random.default_rng(0)
        p = autograd.tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)
        optimizer = make(name, [p], lr=0.01, **kwargs)
        for _ in range(3):
            p.grad = autograd.tensor(rng.standard_normal(shape).astype(np.float32))
            optimizer.step()
        ends.append(p.array().copy())
    autograd.set_num_threads(before)
    for end in ends[1:]:
        np.testing.assert_array_equal(ends[0], end)


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_empty_and_strided_parameters(name, kwargs):
    base = np.random.default_rng(0).normal(size=(6, 8))
    start = base.copy()
    strided = autograd.Tensor(base[::2, ::-2]).requires_grad_()
    packed = autograd.tensor(base[::2, ::-2].copy(), requires_grad=True)
    empty = autograd.tensor(np.ones((0, 2)), requires_grad=True)
    for params in ([strided, empty], [packed]):
        optimizer = make(name, params, lr=0.1, **kwargs)
        for seed in range(3):
            rng = np.random.default_rng(seed)
            for p in params:
                p.grad = autograd.tensor(rng.normal(size=p.shape))
            optimizer.step()
    np.testing.assert_array_equal(strided.array(), packed.array())
    np.testing.assert_array_equal(base[1::2], start[1::2])
    assert not np.array_equal(base[::2, ::-2], start[::2, ::-2])


@pytest.mark.parametrize("name", [*NAMES, "Lion"])
def test_bad_options_are_refused_by_name(name):
    good = make(name, leaves("Muon"))
    for option, value in good.defaults.items():
        if option in ("foreach", "fused", "capturable", "differentiable", "maximize", "max_eval"):
            continue
        if isinstance(value, bool):
            continue
        with pytest.raises(ValueError, match=rf"^{name}: .*{option}.*"):
            make(name, leaves("Muon"), **{option: "x"})
        if isinstance(value, float):
            with pytest.raises(ValueError, match=rf"^{name}: {option} must be .*nan"):
                make(name, leaves("Muon"), **{option: math.nan})
        if isinstance(value, tuple):
            for bad in (0.5, value[:-1], (*value[:-1], math.nan), (*value[:-1], "x")):
                with pytest.raises(ValueError, match=rf"^{name}: {option}"):
                    make(name, leaves("Muon"), **{option: bad})


@pytest.mark.parametrize(
    ("name", "kwargs", "match"),
    [
        ("Rprop", {"etas": (0.5, 0.9)}, "etas must be 0 < a < 1 < b"),
        ("Rprop", {"step_sizes": (2, 1)}, "the smallest and the largest"),
        ("Adafactor", {"beta2_decay": 0.1}, "beta2_decay must be <= 0"),
        ("Adafactor", {"d": 0.5}, "d must be >= 1"),
        ("Adafactor", {"eps": (None, None)}, r"eps\[1\] must be a number"),
        ("Adadelta", {"rho": 1.1}, "rho must be >= 0 and <= 1"),
        ("Muon", {"ns_steps": 100}, "ns_steps must be < 100"),
        ("Muon", {"ns_steps": 2.0}, "ns_steps must be an integer"),
        ("Muon", {"adjust_lr_fn": "new"}, "adjust_lr_fn must be one of"),
        ("Adam", {"differentiable": True}, "differentiable=True is not possible"),
        ("Adamax", {"lr": np.ones(2)}, "lr must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(name, kwargs, match):
    with pytest.raises(ValueError, match=rf"^{name}: .*{match}"):
        make(name, leaves("Muon"), **kwargs)


def test_fused_and_foreach_exclude_each_other():
    with pytest.raises(RuntimeError, match="fused and foreach"):
        optim.Adam(leaves("Adam"), fused=True, foreach=True)
    optim.Adam(leaves("Adam"), fused=True, foreach=False, capturable=True)
    optim.Adam(leaves("Adam"), foreach=True)


def test_muon_takes_matrices_only():
    with pytest.raises(ValueError, match=r"parameter 1 has shape \(4,\), but Muon is for matrices"):
        optim.Muon(leaves("Adam"))
    optimizer = optim.Muon(leaves("Muon"))
    with pytest.raises(ValueError, match="matrices only"):
        optimizer.add_param_group({"params": leaves("Adam")})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(("name", "kwargs"), ONE_OF_EACH, ids=str)
def test_a_state_of_another_optimizer_is_refused(name, kwargs):
    saved = {}
    for other, its in [*ONE_OF_EACH, ("SGD", {"momentum": 0.9}), ("Adam", {})]:
        params = leaves("Muon")
        optimizer = make(other, params, **its)
        for p in params:
            p.grad = autograd.tensor(np.ones(p.shape))
        optimizer.step()
        saved[other] = optimizer.state_dict()
    optimizer = make(name, leaves("Muon"), **kwargs)
    before = optimizer.state_dict()
    for other, state in saved.items():
        if {other, name} == {"Adam", "RAdam"}:
            continue  # of one form
        if other != name:
            with pytest.raises(ValueError, match=f"it is not from {name}"):
                optimizer.load_state_dict(state)
            assert optimizer.state_dict() == before
    optimizer.load_state_dict(saved[name])
    with pytest.raises(ValueError, match="not from Adamax"):
        optim.Adamax(leaves("Muon")).load_state_dict(optim.SGD(leaves("Muon")).state_dict())


def test_numbers_of_a_state_may_be_plain_ones():
    """As in states that older releases of PyTorch wrote."""
    params = leaves("NAdam")
    optimizer = optim.NAdam(params)
    for p in params:
        p.grad = autograd.tensor(np.ones(p.shape))
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    for entry in saved["state"].values():
        entry["step"], entry["mu_product"] = 1, entry["mu_product"].item()
    other = optim.NAdam(params)
    other.load_state_dict(saved)
    other.step()
    assert other.state[params[0]]["mu_product"].shape == ()
    saved["state"][0]["mu_product"] = "x"
    with pytest.raises(ValueError, match="'mu_product' must be a number"):
        other.load_state_dict(saved)


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "LBFGS"])
@pytest.mark.parametrize("value", [math.inf, math.nan, 1e30])
def test_gradients_that_are_not_finite_are_not_warned_of(name, value):
    """As in PyTorch; what the closure computes is warned of as ever."""
    p = autograd.tensor(np.ones((3, 4), np.float32), requires_grad=True)
    optimizer = make(name, [p])

    def closure():
        assert np.geterr()["divide"] == "warn"
        p.grad = autograd.tensor(np.full((3, 4), value, np.float32))
        return autograd.tensor(1.0)

    for _ in range(2):
        optimizer.step(closure)
    assert p.dtype == np.float32
