from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import autograd
import optim


def leaf() -> autograd.Tensor:
    w = autograd.tensor([1.0, -2.0], requires_grad=True)
    w.grad = autograd.tensor([1.0, 1.0])
    return w


class Own(optim.Optimizer):
    """As one writes optimizers for PyTorch, with a call of the base class."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, {"lr": 0.1})
        self.steps = 0

    def _names(self, group: Any) -> tuple[str, ...]:
        return ()

    def _advance(self, group: Any, ready: Any) -> None:
        self.steps += 1

    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.LBFGS, Own])
def test_hooks_are_called_once_around_each_step(make):
    events: list[Any] = []
    w = leaf()
    optimizer = make([w])
    first = optimizer.register_step_pre_hook(lambda o, args, kwargs: events.append(("pre", o)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: events.append(("post", kwargs)))

    def closure() -> autograd.Tensor:
        events.append("closure")
        return autograd.tensor(1.0)

    if make is optim.LBFGS:
        optimizer.param_groups[0]["max_iter"] = 0
    optimizer.step(closure=closure)
    first.remove()
    optimizer.step(closure)
    assert events == [
        ("pre", optimizer),
        "closure",
        ("post", {"closure": closure}),
        "closure",
        ("post", {}),
    ]
    assert optimizer.was_stepped


def test_a_hook_may_change_the_arguments():
    optimizer = optim.SGD([leaf()])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7), {}))
    assert optimizer.step() == 7
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"SGD.step: a hook .* not 3"):
        optimizer.step()


def test_hooks_stay_after_a_step_that_fails():
    calls: list[str] = []
    optimizer = optim.SGD([leaf()])
    optimizer.register_step_post_hook(lambda *_: calls.append("post"))

    def closure() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError):
        optimizer.step(closure)
    assert calls == []
    optimizer.step()
    assert calls == ["post"]


def test_states_pass_through_hooks():
    w = leaf()
    optimizer = optim.SGD([w], momentum=0.9)
    optimizer.step()
    calls: list[str] = []
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": 5})
    saved = optimizer.state_dict()
    assert saved["note"] == 5
    assert calls == ["first", "second"]
    optimizer.register_load_state_dict_pre_hook(
        lambda o, given: {**given, "param_groups": [{**given["param_groups"][0], "lr": 0.5}]}
    )
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
    before = copy.deepcopy(saved)
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert saved["param_groups"] == before["param_groups"]
    assert calls == ["first", "second", "loaded"]
    with pytest.raises(TypeError, match="must be a dict"):
        optim.SGD([w]).load_state_dict(3)  # pyright: ignore[reportArgumentType]


def test_a_copy_has_no_hooks():
    """As in PyTorch: what is pickled are options and state."""
    optimizer = optim.SGD([leaf()])
    optimizer.register_step_post_hook(lambda *_: pytest.fail("called"))
    copy.deepcopy(optimizer).step()


def test_the_names_are_those_of_torch(torch):
    theirs = {name for name in dir(torch.optim.Optimizer) if name.startswith("register_")}
    assert theirs <= {*dir(optim.Optimizer)}
    # Gradients are never sparse here, and the other one serves PyTorch's compiler.
    others = {"SparseAdam", "swap_in_optimizer_params_and_state"}
    assert {*torch.optim.__all__} - others <= {*dir(optim)}


def test_an_own_step_counts_for_schedules():
    w = leaf()
    optimizer = Own([w])
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match="before the optimizer"):
        schedule.step()
    optimizer = Own([w])
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.05])
