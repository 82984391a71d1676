from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import autograd
import optim
from optim.lr_scheduler import LRScheduler, StepLR


def optimizer_at(*rates: float) -> optim.SGD:
    return optim.SGD(
        [{"params": [autograd.tensor([1.0], requires_grad=True)], "lr": lr} for lr in rates]
    )


def run(optimizer: optim.Optimizer, scheduler: LRScheduler, epochs: int) -> list[list[float]]:
    rates = []
    for _ in range(epochs):
        rates.append([group["lr"] for group in optimizer.param_groups])
        assert scheduler.get_last_lr() == rates[-1]
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(("step_size", "gamma"), [(1, 0.5), (3, 0.1), (30, 0.1), (2, 1), (2, 0)])
def test_step_lr_follows_the_formula(step_size, gamma):
    optimizer = optimizer_at(0.5, 2.0)
    rates = run(optimizer, StepLR(optimizer, step_size, gamma), 20)
    for t, both in enumerate(rates):
        factor = gamma ** (t // step_size)
        np.testing.assert_allclose(both, [0.5 * factor, 2.0 * factor], rtol=1e-14)


def test_step_lr_is_that_of_torch(torch):
    optimizer = optimizer_at(0.5, 2.0)
    theirs = torch.optim.SGD(
        [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.5, 2.0)]
    )
    one, two = StepLR(optimizer, 3, 0.3), torch.optim.lr_scheduler.StepLR(theirs, 3, 0.3)
    for _ in range(20):
        assert one.get_last_lr() == two.get_last_lr()
        optimizer.step()
        theirs.step()
        one.step()
        two.step()
    flags = {"_is_initial", "_get_lr_called_within_step"}
    assert one.state_dict() == {k: v for k, v in two.state_dict().items() if k not in flags}
    one.load_state_dict(two.state_dict())


def test_a_saved_schedule_goes_on():
    optimizer = optimizer_at(1.0)
    expected = run(optimizer, StepLR(optimizer, 3, 0.5), 12)
    optimizer = optimizer_at(1.0)
    scheduler = StepLR(optimizer, 3, 0.5)
    rates = run(optimizer, scheduler, 5)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    optimizer = optimizer_at(9.0)
    scheduler = StepLR(optimizer, 1, 0.9)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert rates + run(optimizer, scheduler, 7) == expected
    assert scheduler.base_lrs == [1.0]


def test_last_epoch_resumes_from_the_optimizers_state():
    optimizer = optimizer_at(1.0)
    with pytest.raises(KeyError, match="initial_lr"):
        StepLR(optimizer, 2, last_epoch=3)
    first = StepLR(optimizer, 2, 0.5)
    run(optimizer, first, 3)
    other = optimizer_at(9.0)
    other.load_state_dict(optimizer.state_dict())
    resumed = StepLR(other, 2, 0.5, last_epoch=first.last_epoch)
    optimizer.step()
    first.step()
    assert resumed.get_last_lr() == first.get_last_lr()
    assert resumed.base_lrs == [1.0]


def test_the_state_dict_is_a_copy():
    optimizer = optimizer_at(1.0)
    scheduler = StepLR(optimizer, 1)
    scheduler.state_dict()["base_lrs"][0] = 5.0
    scheduler.get_last_lr()[0] = 5.0
    assert scheduler.base_lrs == scheduler.get_last_lr() == [1.0]


def test_a_schedule_of_ones_own():
    class Halve(LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = optimizer_at(1.0)
    assert run(optimizer, Halve(optimizer), 3) == [[1.0], [0.5], [0.25]]


def test_two_schedules_in_a_row():
    optimizer = optimizer_at(1.0)
    first, second = StepLR(optimizer, 1, 0.5), StepLR(optimizer, 2, 0.1)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        first.step()
        second.step()
    np.testing.assert_allclose(rates, [1.0, 0.5, 0.025, 0.0125])


def test_a_schedule_stepped_before_the_optimizer_warns_once():
    optimizer = optimizer_at(1.0)
    scheduler = StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match="before the optimizer's step"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"step_size": 0}, "step_size must be an integer >= 1, not 0"),
        ({"step_size": 1.5}, "step_size .* not 1.5"),
        ({"step_size": True}, "step_size"),
        ({"step_size": 1, "gamma": float("nan")}, "gamma .* nan"),
        ({"step_size": 1, "gamma": -0.5}, "gamma .* -0.5"),
        ({"step_size": 1, "gamma": "x"}, "gamma .* 'x'"),
        ({"step_size": 1, "last_epoch": -2}, "last_epoch .* -2"),
    ],
)
def test_bad_arguments_are_refused(kwargs, match):
    optimizer = optimizer_at(1.0)
    with pytest.raises(ValueError, match=match):
        StepLR(optimizer, **kwargs)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_only_an_optimizer_can_be_scheduled():
    with pytest.raises(TypeError, match="list is not an Optimizer"):
        StepLR([], 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"last_epoch": 1.5}, "'last_epoch'"),
        ({"last_epoch": None}, "'last_epoch'"),
        ({"gamma": "x"}, "'gamma'"),
        ({"base_lrs": [1.0, 2.0]}, "'base_lrs'"),
        ({"base_lrs": ["x"]}, "'base_lrs'"),
        ({"base_lrs": 1.0}, "'base_lrs'"),
        ({"extra": 1}, r"unexpected entries \['extra'\]"),
    ],
)
def test_a_bad_state_dict_is_refused_and_changes_nothing(change, match):
    scheduler = StepLR(optimizer_at(1.0), 1)
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=match):
        scheduler.load_state_dict({**before, "gamma": 0.7, **change})
    with pytest.raises(ValueError, match="missing entries"):
        scheduler.load_state_dict({})
    with pytest.raises(TypeError, match="expected a dict, not int"):
        scheduler.load_state_dict(3)  # type: ignore[arg-type]
    assert scheduler.state_dict() == before
