"""Every module of the tables prints as PyTorch prints it, and has its state_dict."""

from __future__ import annotations

import pytest

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
