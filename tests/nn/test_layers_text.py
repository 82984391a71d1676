"""Every module of the tables prints as PyTorch prints it, and has its state_dict."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from tests.nn.cases import KINDS, cases

# One of each layer and arguments, whatever they are called with.
MADE = {
    case.name.partition(" on ")[0]: case
    for kind in KINDS
    if kind != "losses"
    for case in cases(kind)
    if not case.build
}


@pytest.mark.parametrize("name", MADE)
def test_text_and_state_as_in_pytorch(torch, name):
    case = MADE[name]
    ours = getattr(nn, case.module)(*case.args, **case.kwargs)
    theirs = getattr(torch.nn, case.module)(*case.args, **case.kwargs)
    # A Linear inside attention has a name of its own there, for quantization's sake.
    assert repr(ours) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
    state = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == state
    assert list(ours.state_dict()) == list(state)
    assert ours.training == theirs.training


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Linear", (200, 100)),
        ("Bilinear", (30, 20, 40)),
        ("Conv1d", (40, 60, 5)),
        ("Conv2d", (20, 30, (3, 4), 1, 0, 1, 2)),
        ("Conv3d", (10, 20, 3)),
        ("ConvTranspose1d", (40, 60, 5)),
        ("ConvTranspose2d", (20, 30, (3, 4), 1, 0, 0, 2)),
        ("ConvTranspose3d", (10, 20, 3)),
        ("Embedding", (200, 100, 3)),
        ("EmbeddingBag", (200, 100)),
        ("PReLU", (7, 0.3)),
        ("BatchNorm2d", (5,)),
        ("InstanceNorm1d", (5, 1e-5, 0.1, True)),
        ("GroupNorm", (2, 4)),
        ("RMSNorm", (4,)),
    ],
)
def test_initial_values_are_spread_as_in_pytorch(torch, name, args):
    torch.manual_seed(0)
    autograd.manual_seed(0)
    ours, theirs = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
    for key, value in theirs.named_parameters():
        x, y = ours.get_parameter(key).detach().numpy(), value.detach().numpy()
        few = 4.0 / y.size**0.5  # for what chance does to so many numbers
        assert abs(x.mean() - y.mean()) <= few * y.std(), key
        assert abs(x.std() - y.std()) <= few * y.std(), key
        assert abs(np.abs(x).max() - np.abs(y).max()) <= (few + 0.2) * np.abs(y).max(), key
