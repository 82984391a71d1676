from __future__ import annotations

import copy
import inspect
import math
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import swa_utils
from optim.swa_utils import SWALR

VALUES = [1.0, 2.0, 6.0, -3.0, 0.5]


def small_model(library: Any) -> Any:
    return library.Sequential(
        library.Linear(3, 4), library.BatchNorm1d(4), library.ReLU(), library.Linear(4, 2)
    )


def fill(model: Any, turn: int) -> list[np.ndarray]:
    """Arrays for all parameters and buffers of a model at some turn."""
    rng = np.random.default_rng(turn)
    return [
        rng.normal(size=tuple(t.shape)).astype(np.float32)
        if "float" in str(t.dtype)
        else np.array(turn * 3, np.int64)
        for t in [*model.parameters(), *model.buffers()]
    ]


def put(library: Any, model: Any, arrays: list[np.ndarray]) -> None:
    with library.no_grad():
        for t, array in zip([*model.parameters(), *model.buffers()], arrays, strict=True):
            t.copy_(library.tensor(array))


def functions(module: Any) -> list[dict[str, Any]]:
    return [
        {},
        {"use_buffers": True},
        {"multi_avg_fn": module.get_ema_multi_avg_fn(0.9)},
        {"multi_avg_fn": module.get_ema_multi_avg_fn(0.9), "use_buffers": True},
        {"multi_avg_fn": module.get_swa_multi_avg_fn()},
        {"avg_fn": module.get_ema_avg_fn(0.7), "use_buffers": True},
        {"avg_fn": module.get_swa_avg_fn()},
        {"avg_fn": lambda average, value, count: 0.5 * average + 0.25 * value},
    ]


@pytest.mark.parametrize("which", range(8))
def test_averages_are_those_of_torch(torch, which):
    ours, theirs = small_model(nn), small_model(torch.nn)
    one = swa_utils.AveragedModel(ours, **functions(swa_utils)[which])
    two = torch.optim.swa_utils.AveragedModel(theirs, **functions(torch.optim.swa_utils)[which])
    x = np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)
    for turn in range(4):
        arrays = fill(ours, turn)
        put(autograd, ours, arrays)
        put(torch, theirs, arrays)
        one.update_parameters(ours)
        two.update_parameters(theirs)
        state, wanted = one.state_dict(), two.state_dict()
        assert list(state) == list(wanted)
        for name, tensor in state.items():
            np.testing.assert_allclose(tensor.numpy(), wanted[name].numpy(), rtol=1e-5, atol=1e-6)
        assert state["n_averaged"].dtype == np.int64
    found, expected = one(autograd.tensor(x)), two(torch.tensor(x))
    np.testing.assert_allclose(
        found.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_update_bn_is_that_of_torch(torch):
    ours, theirs = small_model(nn), small_model(torch.nn)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    batches = [np.random.default_rng(i).normal(size=(6, 3)).astype(np.float32) for i in range(3)]
    ours.eval()
    theirs.eval()
    swa_utils.update_bn([(autograd.tensor(b), 3) for b in batches], ours)
    torch.optim.swa_utils.update_bn([(torch.tensor(b), 3) for b in batches], theirs)
    for name, tensor in ours.state_dict().items():
        wanted = theirs.state_dict()[name].numpy()
        np.testing.assert_allclose(tensor.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert not ours.training
    assert ours[1].momentum == 0.1


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"anneal_epochs": 0},
        {"anneal_epochs": 7, "anneal_strategy": "linear"},
        {"swa_lr": [1, 0.1]},
    ],
    ids=str,
)
def test_rates_are_those_of_torch(torch, kwargs):
    kwargs = {"swa_lr": 0.05, **kwargs}
    groups = [{"lr": 0.5}, {"lr": 2.0}]
    one = optim.SGD([{"params": [autograd.tensor([1.0], requires_grad=True)], **g} for g in groups])
    two = torch.optim.SGD([{"params": [torch.ones(1, requires_grad=True)], **g} for g in groups])
    schedules = []
    for module, own, optimizer in (
        (swa_utils, optim.lr_scheduler, one),
        (torch.optim.swa_utils, torch.optim.lr_scheduler, two),
    ):
        before = own.ExponentialLR(optimizer, 0.8)
        for _ in range(4):
            optimizer.step()
            before.step()
        schedules.append(module.SWALR(optimizer, **kwargs))
    mine, theirs = schedules
    for t in range(20):
        found, wanted = mine.get_last_lr(), theirs.get_last_lr()
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        for each in (one, two, mine, theirs):
            each.step()
        if t == 4:
            mine.load_state_dict(copy.deepcopy(theirs.state_dict()))
    flags = {"_is_initial", "_get_lr_called_within_step"}
    assert mine.state_dict().keys() == theirs.state_dict().keys() - flags


def test_all_names_and_signatures_are_those_of_torch(torch):
    for name in torch.optim.swa_utils.__all__:
        wanted = inspect.signature(getattr(torch.optim.swa_utils, name)).parameters.values()
        found = inspect.signature(getattr(swa_utils, name)).parameters.values()
        assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in wanted]


# ------------------------------------------------------------------ without torch


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_plain_average_is_the_mean(dtype):
    model = nn.Linear(2, 2, dtype=dtype)
    average = swa_utils.AveragedModel(model)
    for value in VALUES:
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    weight = average.module.weight
    assert weight.dtype == dtype
    np.testing.assert_allclose(weight.array(), np.mean(VALUES), rtol=1e-6)
    assert average.n_averaged.item() == len(VALUES)
    assert weight.requires_grad
    assert weight.grad is None


def test_exponential_averages_follow_the_formula():
    decay, expected = 0.9, VALUES[0]
    model = nn.Linear(1, 1, bias=False)
    one = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    two = swa_utils.AveragedModel(model, avg_fn=swa_utils.get_ema_avg_fn(decay))
    for i, value in enumerate(VALUES):
        nn.init.constant_(model.weight, value)
        one.update_parameters(model)
        two.update_parameters(model)
        expected = decay * expected + (1 - decay) * value if i else value
    assert one.module.weight.item() == pytest.approx(expected, rel=1e-6)
    assert two.module.weight.item() == pytest.approx(expected, rel=1e-6)


def test_a_saved_average_goes_on():
    model = nn.Linear(2, 1)
    one, two = swa_utils.AveragedModel(model), swa_utils.AveragedModel(nn.Linear(2, 1))
    one.update_parameters(model)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    nn.init.constant_(model.weight, 3.0)
    one.update_parameters(model)
    two.update_parameters(model)
    np.testing.assert_array_equal(one.module.weight.array(), two.module.weight.array())


def test_the_model_itself_is_left_alone():
    model = small_model(nn)
    before = copy.deepcopy(model.state_dict())
    average = swa_utils.AveragedModel(model)
    average.update_parameters(model)
    nn.init.zeros_(next(average.module.parameters()))
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name].numpy())


def test_another_model_is_refused_and_nothing_changes():
    average = swa_utils.AveragedModel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    before = copy.deepcopy(average.state_dict())
    for other, match in (
        (nn.Linear(3, 2), r"parameters, and the averaged one 4|of shape \(2, 3\)"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(3)), r"parameter 2 of shape \(3,\)"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
            "0 buffers, and the averaged one 3",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            average.update_parameters(other)
    for name, tensor in average.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name].numpy())


def test_a_failing_batch_leaves_the_modes():
    model = small_model(nn)
    model[1].eval()
    with pytest.raises(ValueError, match="shape"):
        swa_utils.update_bn([autograd.tensor(np.ones((2, 9), np.float32))], model)
    assert model.training
    assert not model[1].training
    assert model[1].momentum == 0.1


def test_a_model_without_batch_normalisation_is_not_called():
    swa_utils.update_bn(iter([1 / 1]), nn.Linear(1, 1))


def test_what_makes_no_sense_is_refused():
    model = nn.Linear(1, 1)
    ema = swa_utils.get_ema_avg_fn()
    with pytest.raises(ValueError, match="not both"):
        swa_utils.AveragedModel(model, None, ema, swa_utils.get_swa_multi_avg_fn())
    with pytest.raises(ValueError, match="device 'cuda'"):
        swa_utils.AveragedModel(model, "cuda")
    with pytest.raises(TypeError, match="not a Module"):
        swa_utils.AveragedModel(3)  # pyright: ignore[reportArgumentType]
    for bad in (-0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match="decay must be a number >= 0 and <= 1"):
            swa_utils.get_ema_avg_fn(bad)
        with pytest.raises(ValueError, match="decay must be a number >= 0 and <= 1"):
            swa_utils.get_ema_multi_avg_fn(bad)
    optimizer = optim.SGD(model.parameters())
    bad_options: list[tuple[dict[str, Any], str]] = [
        ({"swa_lr": [0.1, 0.2]}, "swa_lr has 2 values"),
        ({"swa_lr": math.nan}, "swa_lr"),
        ({"swa_lr": 0.1, "anneal_epochs": -1}, "anneal_epochs must be an integer >= 0"),
        ({"swa_lr": 0.1, "anneal_strategy": "x"}, "anneal_strategy must be one of cos, linear"),
    ]
    for kwargs, match in bad_options:
        with pytest.raises(ValueError, match=match):
            SWALR(optimizer, **kwargs)
    assert "swa_lr" not in optimizer.param_groups[0]
