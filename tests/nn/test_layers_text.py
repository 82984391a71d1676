"""Every module of the tables prints as PyTorch prints it, and has its state_dict."""

from __future__ import annotations

import pytest

import nn
from tests.nn.cases import KINDS, cases

# One of each module and arguments, whatever they are called with.
MADE = {
    (case.module, repr((case.args, case.kwargs))): case
    for kind in KINDS
    for case in cases(kind)
    if case.build is None
}


@pytest.mark.parametrize("key", list(MADE), ids=lambda key: f"{key[0]} {key[1]}")
def test_text_and_state_as_in_pytorch(torch, key):
    case = MADE[key]
    ours = getattr(nn, case.module)(*case.args, **case.kwargs)
    theirs = getattr(torch.nn, case.module)(*case.args, **case.kwargs)
    # A Linear inside attention has a name of its own there, for quantization's sake.
    assert repr(ours) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
    state = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == state
    assert list(ours.state_dict()) == list(state)
    assert ours.training == theirs.training
