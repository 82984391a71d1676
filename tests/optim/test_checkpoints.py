"""Every optimizer and schedule goes through a checkpoint file and on, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
import optim
from nn.serialize import load_checkpoint, save_checkpoint
from optim import lr_scheduler
from tests.optim.test_algorithms import NAMES
from tests.optim.test_schedules import CASES, IDS, build


def model_and_groups() -> tuple[nn.Linear, list[dict[str, Any]]]:
    model = nn.Linear(2, 2)
    return model, [{"params": [model.weight], "lr": 0.5}, {"params": [model.bias], "lr": 2.0}]


@pytest.mark.parametrize("name", [*NAMES, "Lion"])
def test_an_optimizer(name, tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    models = [nn.Linear(2, 2, bias=False) for _ in "ab"]
    optimizers = [getattr(optim, name)(model.parameters()) for model in models]

    def step(i: int) -> None:
        def closure() -> Any:
            optimizers[i].zero_grad()
            loss = (models[i].weight ** 2).sum()
            loss.backward()
            return loss.detach()

        optimizers[i].step(closure)

    for _ in range(3):
        step(0)
    save_checkpoint(file, model=models[0], optimizer=optimizers[0], epoch=3)
    load_checkpoint(file, model=models[1], optimizer=optimizers[1])
    for _ in range(3):
        step(0)
        step(1)
    np.testing.assert_array_equal(models[0].weight.array(), models[1].weight.array())


@pytest.mark.parametrize(("name", "args"), CASES, ids=IDS)
def test_a_schedule(name, args, tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    (model, groups), (other, others) = model_and_groups(), model_and_groups()
    one, two = (optim.SGD(g, momentum=0.9) for g in (groups, others))
    first, second = (build(lr_scheduler, o, name, args) for o in (one, two))
    for _ in range(3):
        one.step()
        first.step()
    save_checkpoint(file, model=model, optimizer=one, scheduler=first, epoch=3)
    load_checkpoint(file, model=other, optimizer=two, scheduler=second)
    for _ in range(12):
        for each in (one, two, first, second):
            each.step()
        assert first.get_last_lr() == second.get_last_lr()
