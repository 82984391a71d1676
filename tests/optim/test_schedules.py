"""Each schedule against PyTorch's, step by step, and against its formula."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import autograd
import optim
from optim import lr_scheduler as ours

STEPS = 100


class Waning:
    """A factor that can be saved: an object with attributes."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, x: float) -> float:
        return 1.0 / (1.0 + self.rate * x)


def halving(t: float) -> float:
    return 0.5 if t % 10 == 0 else 1.0


def build(module: Any, optimizer: Any, name: str, args: Any, last_epoch: int = -1) -> Any:
    """A schedule of one of the two libraries; nested ones are pairs of a name and arguments."""
    given = {
        key: [build(module, optimizer, *each) for each in value] if key == "schedulers" else value
        for key, value in args.items()
    }
    if last_epoch != -1:
        given["last_epoch"] = last_epoch
    if name == "ChainedScheduler":
        return module.ChainedScheduler(**given)
    return getattr(module, name)(optimizer, **given)


WARM = ("LinearLR", {"start_factor": 0.1, "total_iters": 7})
FALL = ("CosineAnnealingLR", {"T_max": 60})
CASES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("LambdaLR", {"lr_lambda": [halving, Waning(0.1)]}),
    ("MultiplicativeLR", {"lr_lambda": halving}),
    ("MultiplicativeLR", {"lr_lambda": [halving, Waning(0.01)]}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [30, 5, 5, 80], "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 40}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 40}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 40}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 60, "power": 1.7}),
    ("CosineAnnealingLR", {"T_max": 30}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 9}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.9, "step_size_up": 7}),
    (
        "CyclicLR",
        {
            "base_lr": [0.1, 0.2],
            "max_lr": [0.9, 0.7],
            "step_size_up": 7,
            "step_size_down": 4,
            "mode": "triangular2",
            "base_momentum": [0.1, 0.2],
            "max_momentum": [0.9, 0.7],
        },
    ),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 1, "step_size_up": 9, "mode": "exp_range", "gamma": 0.98},
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 1,
            "step_size_up": 9,
            "scale_fn": Waning(0.3),
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1, "step_size_up": 9, "scale_fn": halving}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS}),
    ("OneCycleLR", {"max_lr": [0.5, 0.3], "epochs": 20, "steps_per_epoch": 5, "three_phase": True}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 120,
            "pct_start": 0.6,
            "anneal_strategy": "linear",
            "base_momentum": [0.1, 0.2],
            "max_momentum": 0.8,
            "div_factor": 10.0,
            "final_div_factor": 50.0,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120, "cycle_momentum": False, "pct_start": 0.0}),
    ("SequentialLR", {"schedulers": [WARM, FALL], "milestones": [10]}),
    (
        "SequentialLR",
        {
            "schedulers": [
                ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
                ("CosineAnnealingWarmRestarts", {"T_0": 9}),
                ("StepLR", {"step_size": 4}),
            ],
            "milestones": [12, 50],
        },
    ),
    ("ChainedScheduler", {"schedulers": [WARM, FALL, ("MultiStepLR", {"milestones": [50]})]}),
]
NAMES = sorted({name for name, _ in CASES} | {"ReduceLROnPlateau"})
IDS = [f"{i}-{name}" for i, (name, _) in enumerate(CASES)]


def optimizer_at(*rates: Any, betas: bool = False) -> optim.Optimizer:
    groups = [{"params": [autograd.tensor([1.0], requires_grad=True)], "lr": lr} for lr in rates]
    return optim.Adam(groups) if betas else optim.SGD(groups, momentum=0.9)


def torchs_optimizer(torch: Any, *rates: Any, betas: bool = False) -> Any:
    groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": lr} for lr in rates]
    return torch.optim.Adam(groups) if betas else torch.optim.SGD(groups, momentum=0.9)


def momentums(optimizer: Any) -> list[float]:
    return [g["betas"][0] if "betas" in g else g["momentum"] for g in optimizer.param_groups]


def rates(optimizer: Any) -> list[float]:
    return [float(g["lr"]) for g in optimizer.param_groups]


def saved_by(scheduler: Any) -> dict[str, Any]:
    """A state without what lasts for one step only."""
    state = {k: v for k, v in scheduler.state_dict().items() if k not in ours.base.FLAGS}
    if "_schedulers" in state:
        state["_schedulers"] = [saved_by(s) for s in scheduler._schedulers]
    return state


# ------------------------------------------------------------------ against torch


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_a_hundred_rates_are_those_of_torch(torch, name, args):
    """Half of them, then all again from a saved state; the momentum too."""
    betas = "Cycl" in name and "mode" in args
    one, two = optimizer_at(0.5, 2.0, betas=betas), torchs_optimizer(torch, 0.5, 2.0, betas=betas)
    mine = build(ours, one, name, args)
    theirs = build(torch.optim.lr_scheduler, two, name, args)
    for t in range(STEPS):
        np.testing.assert_allclose(rates(one), rates(two), rtol=1e-12, atol=1e-17)
        np.testing.assert_allclose(momentums(one), momentums(two), rtol=1e-12)
        assert mine.get_last_lr() == rates(one)
        if t == STEPS // 2:
            state = theirs.state_dict()
            wanted = {k: v for k, v in state.items() if k not in ours.base.FLAGS}
            assert mine.state_dict().keys() == wanted.keys()
            mine.load_state_dict(copy.deepcopy(state))
        one.step()
        two.step()
        mine.step()
        theirs.step()


@pytest.mark.filterwarnings("ignore:.*epoch:UserWarning")
@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_steps_to_a_given_epoch_are_those_of_torch(torch, name, args):
    if name in ("SequentialLR", "ChainedScheduler"):
        with pytest.raises(TypeError, match="takes no epoch"):
            build(ours, optimizer_at(0.5, 2.0), name, args).step(3)
        return
    one, two = optimizer_at(0.5, 2.0), torchs_optimizer(torch, 0.5, 2.0)
    mine = build(ours, one, name, args)
    theirs = build(torch.optim.lr_scheduler, two, name, args)
    one.step()
    two.step()
    for epoch in (4, 0, 31, None, 59, 7, None, None, 90):
        mine.step(epoch)
        theirs.step(epoch)
        np.testing.assert_allclose(rates(one), rates(two), rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_resuming_at_an_epoch_is_that_of_torch(torch, name, args):
    """With the optimizer's state alone, a new schedule goes on from `last_epoch`."""
    if name in ("SequentialLR", "ChainedScheduler"):
        pytest.skip("they are made of others")
    pair = []
    for module, optimizer in (
        (ours, optimizer_at(0.5, 2.0)),
        (torch.optim.lr_scheduler, torchs_optimizer(torch, 0.5, 2.0)),
    ):
        first = build(module, optimizer, name, args)
        for _ in range(9):
            optimizer.step()
            first.step()
        second = build(module, optimizer, name, args, last_epoch=9)
        found = []
        for _ in range(20):
            found.append(rates(optimizer))
            optimizer.step()
            second.step()
        pair.append(found)
    np.testing.assert_allclose(*pair, rtol=1e-12, atol=1e-17)


LOSSES = [3.0, 2.0, 2.0, 1.9999, 2.5, math.nan, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.95, 0.95, 0.95] * 2


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"factor": 0.5, "patience": 1},
        {"factor": 0.5, "patience": 0, "mode": "max", "threshold": 0.1},
        {"factor": 0.5, "patience": 1, "threshold": 0.2, "threshold_mode": "abs", "cooldown": 2},
        {"factor": 0.5, "patience": 0, "mode": "max", "threshold_mode": "abs"},
        {"factor": 0.1, "patience": 0, "min_lr": [0.01, 0.5], "eps": 1e-3},
        {"factor": 0.0, "patience": 0},
    ],
    ids=str,
)
def test_a_plateau_is_seen_where_torch_sees_it(torch, args):
    one, two = optimizer_at(0.5, 2.0), torchs_optimizer(torch, 0.5, 2.0)
    mine = ours.ReduceLROnPlateau(one, **args)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(two, **args)
    for i, loss in enumerate(LOSSES):
        mine.step(autograd.tensor(loss) if i % 2 else loss)
        theirs.step(torch.tensor(loss) if i % 2 else loss)
        np.testing.assert_allclose(rates(one), rates(two), rtol=1e-12)
        assert mine.get_last_lr() == rates(one)
        wanted = {k: v for k, v in theirs.state_dict().items() if k not in ours.base.FLAGS}
        assert mine.state_dict().keys() == wanted.keys()
        assert mine.num_bad_epochs == theirs.num_bad_epochs
        if i == 8:
            mine.load_state_dict(theirs.state_dict())


def test_signatures_are_those_of_torch(torch):
    for name in NAMES:
        wanted = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters.values()
        found = inspect.signature(getattr(ours, name)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in found] == [
            (p.name, p.kind, p.default) for p in wanted
        ]


def test_no_schedule_of_torch_is_missing(torch):
    assert {*torch.optim.lr_scheduler.__all__} <= {*dir(ours)}


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "OneCycleLR", "CyclicLR"])
def test_a_rate_that_is_a_tensor_stays_one(torch, name):
    args = dict(next(a for n, a in CASES if n == name))
    rate, other = autograd.tensor(np.float64(0.5)), torch.tensor(0.5, dtype=torch.float64)
    one, two = optimizer_at(rate), torchs_optimizer(torch, other)
    mine = build(ours, one, name, args)
    theirs = build(torch.optim.lr_scheduler, two, name, args)
    for _ in range(20):
        one.step()
        two.step()
        mine.step()
        theirs.step()
        assert one.param_groups[0]["lr"] is rate
        assert rate.item() == pytest.approx(other.item(), rel=1e-12)
        assert mine.get_last_lr() == [rate.item()]


# ------------------------------------------------------------------ against the formula


@pytest.mark.parametrize(
    ("name", "args", "formula"),
    [
        ("LambdaLR", {"lr_lambda": Waning(0.5)}, lambda t: 1 / (1 + 0.5 * t)),
        ("StepLR", {"step_size": 7}, lambda t: 0.1 ** (t // 7)),
        ("MultiStepLR", {"milestones": [4, 9]}, lambda t: 0.1 ** ((t >= 4) + (t >= 9))),
        ("ConstantLR", {"factor": 0.25}, lambda t: 0.25 if t < 5 else 1.0),
        ("ConstantLR", {"factor": 0.0}, lambda t: 0.0 if t < 5 else 1.0),
        ("LinearLR", {"total_iters": 8}, lambda t: 1 / 3 + 2 / 3 * min(t, 8) / 8),
        ("LinearLR", {"total_iters": 0, "start_factor": 0.5}, lambda t: 0.5),
        ("ExponentialLR", {"gamma": 0.7}, lambda t: 0.7**t),
        ("PolynomialLR", {"total_iters": 8, "power": 2}, lambda t: (1 - min(t, 8) / 8) ** 2),
        ("PolynomialLR", {"total_iters": 0}, lambda t: 1.0),
        ("CosineAnnealingLR", {"T_max": 6}, lambda t: (1 + math.cos(math.pi * t / 6)) / 2),
        (
            "CosineAnnealingWarmRestarts",
            {"T_0": 6},
            lambda t: (1 + math.cos(math.pi * (t % 6) / 6)) / 2,
        ),
        (
            "CyclicLR",
            {"base_lr": 1.0, "max_lr": 2.0, "step_size_up": 4},
            lambda t: 1.0 + 1.0 - abs(t % 8 / 4 - 1),
        ),
        (
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 21, "pct_start": 6 / 21, "anneal_strategy": "linear"},
            lambda t: 0.04 + 0.96 * t / 5 if t <= 5 else 1 + (4e-6 - 1) * (t - 5) / 15,
        ),
    ],
)
def test_rates_follow_the_formula(name, args, formula):
    optimizer = optimizer_at(1.0, 1.0)
    scheduler = build(ours, optimizer, name, args)
    for t in range(20):
        np.testing.assert_allclose(rates(optimizer), [formula(t)] * 2, rtol=1e-9, atol=1e-15)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("kind", ["ChainedScheduler", "SequentialLR"])
def test_a_sequence_begins_with_epoch_0_of_what_is_made_of_others(kind):
    """PyTorch steps such a schedule once too often, and warns of it."""
    halve, fall = ("ExponentialLR", {"gamma": 0.5}), ("ConstantLR", {"total_iters": 99})
    inner: dict[str, Any] = {"schedulers": [halve, fall]}
    if kind == "SequentialLR":
        inner["milestones"] = [2]
    optimizer = optimizer_at(1.0)
    args = {"schedulers": [(kind, inner), ("LambdaLR", {"lr_lambda": lambda t: 7 + t})]}
    scheduler = build(ours, optimizer, "SequentialLR", {**args, "milestones": [4]})
    found = []
    for _ in range(6):
        found += rates(optimizer)
        optimizer.step()
        scheduler.step()
    third = 1 / 3
    wanted = [third, third / 2, third / 4, third / 8] if kind == "ChainedScheduler" else []
    wanted = wanted or [1.0, 0.5, third, third]
    np.testing.assert_allclose(found, [*wanted, 7.0, 8.0])


def test_a_cosine_restarts_at_any_fraction_of_an_epoch():
    optimizer = optimizer_at(1.0)
    scheduler = ours.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=3)
    for epoch, share in ((0.5, 0.25), (2.0, 0.0), (5.0, 0.5), (8.0, 0.0), (17.0, 0.5), (26, 0.0)):
        scheduler.step(epoch)
        assert rates(optimizer) == pytest.approx([(1 + math.cos(math.pi * share)) / 2])
    assert scheduler.last_epoch == 26
    with pytest.raises(ValueError, match="epoch must be a number >= 0, not -1"):
        scheduler.step(-1)


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_a_saved_schedule_goes_on(name, args):
    optimizer = optimizer_at(0.5, 2.0)
    scheduler = build(ours, optimizer, name, args)
    other = optimizer_at(9.0, 9.0)
    follower = build(ours, other, name, args)
    for _ in range(13):
        optimizer.step()
        scheduler.step()
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    other.load_state_dict(saved[0])
    follower.load_state_dict(pickle.loads(pickle.dumps(saved[1])))
    for _ in range(20):
        for each in (optimizer, scheduler, other, follower):
            each.step()
        assert rates(optimizer) == rates(other)
        assert scheduler.get_last_lr() == follower.get_last_lr()
        assert saved_by(scheduler) == saved_by(follower)


def test_a_function_with_attributes_is_saved_with_them():
    scheduler = ours.LambdaLR(optimizer_at(1.0), Waning(0.5))
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"rate": 0.5}]
    factor = Waning(0.1)
    other = ours.LambdaLR(optimizer_at(1.0), factor)
    other.load_state_dict(saved)
    assert factor.rate == 0.5
    with pytest.raises(ValueError, match="'lr_lambdas'"):
        other.load_state_dict({**saved, "lr_lambdas": [3]})


def test_a_bad_state_of_one_schedule_changes_none():
    optimizer = optimizer_at(1.0)
    scheduler = build(ours, optimizer, *CASES[-1])
    before = copy.deepcopy(scheduler.state_dict())
    damaged = copy.deepcopy(before)
    damaged["_schedulers"][0]["last_epoch"] = 7
    damaged["_schedulers"][2]["gamma"] = "x"
    with pytest.raises(ValueError, match=r"MultiStepLR.load_state_dict: 'gamma'"):
        scheduler.load_state_dict(damaged)
    assert scheduler.state_dict() == before
    with pytest.raises(ValueError, match="'_schedulers'"):
        scheduler.load_state_dict({**before, "_schedulers": before["_schedulers"][:2]})


# ------------------------------------------------------------------ warnings and errors


def test_an_epoch_is_warned_of():
    optimizer = optimizer_at(1.0)
    optimizer.step()
    with pytest.warns(UserWarning, match=r"StepLR.step\(epoch\).* deprecated"):
        ours.StepLR(optimizer, 2).step(3)
    with pytest.warns(UserWarning, match=r"ReduceLROnPlateau.step\(epoch\).* deprecated"):
        ours.ReduceLROnPlateau(optimizer).step(1.0, 3)


def test_get_lr_is_not_for_users():
    scheduler = ours.ExponentialLR(optimizer_at(1.0), 0.5)
    with pytest.warns(UserWarning, match="use get_last_lr"):
        scheduler.get_lr()


def test_a_chain_warns_once_of_a_missing_step():
    scheduler = ours.ExponentialLR(optimizer_at(1.0), 0.5)
    with pytest.warns(UserWarning, match="before the optimizer's step"):
        ours.ChainedScheduler([scheduler]).step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("LambdaLR", {"lr_lambda": [halving]}, "1 functions, and the optimizer 2"),
    ("MultiStepLR", {"milestones": [1.5]}, "milestones must be integers"),
    ("MultiStepLR", {"milestones": [1], "gamma": math.nan}, "gamma must be a number >= 0"),
    ("ConstantLR", {"factor": 1.1}, "factor must be a number >= 0 and <= 1"),
    ("ConstantLR", {"total_iters": math.nan}, "total_iters"),
    ("LinearLR", {"start_factor": 0.0}, "start_factor must be a number > 0"),
    ("LinearLR", {"start_factor": 1.5}, "start_factor"),
    ("LinearLR", {"end_factor": -0.5}, "end_factor"),
    ("ExponentialLR", {"gamma": "x"}, "gamma"),
    ("PolynomialLR", {"power": math.nan}, "power"),
    ("CosineAnnealingLR", {"T_max": 0}, "T_max must be a number > 0"),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": math.nan}, "eta_min"),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}, "T_0 must be an integer >= 1"),
    ("CosineAnnealingWarmRestarts", {"T_0": 2.0}, "T_0"),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}, "T_mult"),
    ("CyclicLR", {"base_lr": [1.0], "max_lr": 2.0}, "base_lr has 1 values"),
    ("CyclicLR", {"base_lr": 1.0, "max_lr": math.nan}, "max_lr"),
    ("CyclicLR", {"base_lr": 1.0, "max_lr": 2.0, "mode": "up"}, "mode must be one of triangular"),
    ("CyclicLR", {"base_lr": 1.0, "max_lr": 2.0, "step_size_up": 0}, "step_size_up"),
    ("CyclicLR", {"base_lr": 1.0, "max_lr": 2.0, "max_momentum": [1, 1, 1]}, "max_momentum has 3"),
    ("CyclicLR", {"base_lr": 1.0, "max_lr": 2.0, "scale_mode": "x"}, "scale_mode"),
    ("OneCycleLR", {"max_lr": 1.0}, "give total_steps, or both"),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 5}, "give total_steps, or both"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}, "total_steps must be an integer >= 1"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1.5}, "pct_start"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "x"}, "anneal_strategy"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "div_factor": 0}, "div_factor"),
    ("ReduceLROnPlateau", {"factor": 1.0}, "factor must be < 1"),
    ("ReduceLROnPlateau", {"factor": math.nan}, "factor"),
    ("ReduceLROnPlateau", {"mode": "down"}, "mode must be one of min, max"),
    ("ReduceLROnPlateau", {"threshold_mode": "x"}, "threshold_mode"),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}, "min_lr has 1 values"),
    ("ReduceLROnPlateau", {"patience": 1.5}, "patience"),
    ("SequentialLR", {"schedulers": [], "milestones": []}, "the list of schedulers is empty"),
    ("SequentialLR", {"schedulers": [WARM], "milestones": [3]}, "need 0 milestones, not 1"),
    ("SequentialLR", {"schedulers": [WARM] * 3, "milestones": [3, 2]}, "integers in order"),
    (
        "SequentialLR",
        {"schedulers": [("ReduceLROnPlateau", {})], "milestones": []},
        "is a ReduceLROnPlateau",
    ),
    (
        "SequentialLR",
        {"schedulers": [WARM, ("ChainedScheduler", {"schedulers": [FALL]})], "milestones": [2]},
        "can only be the first",
    ),
    ("ChainedScheduler", {"schedulers": []}, "the list of schedulers is empty"),
]


@pytest.mark.parametrize(
    ("name", "args", "match"), BAD, ids=[f"{i}-{name}" for i, (name, *_) in enumerate(BAD)]
)
def test_bad_arguments_are_refused_and_change_nothing(name, args, match):
    optimizer = optimizer_at(0.5, 2.0)
    before = optimizer.state_dict()["param_groups"]
    with pytest.raises(ValueError, match=rf"^{name}: .*{match}"):
        build(ours, optimizer, name, args)
    if "schedulers" not in args:
        assert optimizer.state_dict()["param_groups"] == before


def test_other_wrong_types_are_refused():
    optimizer = optimizer_at(0.5)
    scheduler = ours.StepLR(optimizer, 1)
    bad: Any = [3]
    for make in (
        lambda: ours.LambdaLR(optimizer, bad),
        lambda: ours.CyclicLR(optimizer, 0.1, 1.0, scale_fn=bad),
        lambda: ours.ChainedScheduler(bad),
        lambda: ours.SequentialLR(bad, [scheduler], []),
        lambda: ours.ReduceLROnPlateau(bad),
        lambda: ours.OneCycleLR(bad, 1.0, 5),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(ValueError, match="of another optimizer"):
        ours.ChainedScheduler([scheduler], optimizer_at(0.5))
    with pytest.raises(ValueError, match="Adagrad has neither momentum nor betas"):
        ours.CyclicLR(optim.Adagrad([autograd.tensor([1.0], requires_grad=True)]), 0.1, 1.0)


def test_a_rate_that_is_not_a_number_is_refused_and_changes_nothing():
    optimizer = optimizer_at(0.5)
    scheduler = ours.LambdaLR(optimizer, lambda t: math.nan if t == 2 else 0.5)
    optimizer.step()
    scheduler.step()
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match="group 0 would be NaN at epoch 2"):
        scheduler.step()
    assert scheduler.state_dict() == before
    assert rates(optimizer) == [0.25]


def test_a_group_that_was_added_is_refused_where_it_has_no_rate():
    for name, args in (CASES[0], CASES[16], CASES[18], CASES[23]):
        optimizer = optimizer_at(0.5)
        scheduler = build(ours, optimizer, name, args)
        optimizer.step()
        optimizer.add_param_group({"params": [autograd.tensor([1.0], requires_grad=True)]})
        with pytest.raises(ValueError, match=rf"{name}.step: .*(optimizer has 2 now|added later)"):
            scheduler.step()


def test_numbers_of_numpy_are_numbers():
    optimizer = optimizer_at(np.float32(0.5))
    scheduler = ours.StepLR(optimizer, np.int64(1), np.float32(0.5))  # type: ignore[arg-type]
    assert (type(scheduler.gamma), type(scheduler.step_size)) == (float, int)
    other = ours.OneCycleLR(optimizer_at(0.5), np.float64(1.0), int(np.int32(9)))
    assert math.isfinite(other.get_last_lr()[0])
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25]


def test_a_schedule_in_the_older_style_of_torch():
    class Warm(ours._LRScheduler):  # pyright: ignore[reportPrivateUsage]
        def __init__(self, optimizer: Any, rates: list[float], last_epoch: int = -1) -> None:
            self.rates = rates
            super().__init__(optimizer, last_epoch)

        def get_lr(self) -> list[float]:
            assert self._get_lr_called_within_step
            return [self.rates[self.last_epoch] for _ in self.base_lrs]

    optimizer = optimizer_at(0.5)
    scheduler = Warm(optimizer, [0.1, 0.2, 0.3])
    found = []
    for _ in range(2):
        found += scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
    assert found == [0.1, 0.2]
    assert scheduler.state_dict()["rates"] == [0.1, 0.2, 0.3]


def test_one_cycle_ends():
    optimizer = optimizer_at(0.5)
    scheduler = ours.OneCycleLR(optimizer, 1.0, 3)
    optimizer.step()
    for _ in range(3):
        scheduler.step()
    last = scheduler.get_last_lr()
    with pytest.raises(ValueError, match="has 3 steps, and this would be step 4"):
        scheduler.step()
    assert scheduler.last_epoch == 3
    assert scheduler.get_last_lr() == last
