"""Bad input to every family of ops: refused at the call, as PyTorch's type, with what was met."""

from __future__ import annotations

import pytest

import autograd
from nn import functional
from tests.autograd.bad_input import CONTRACTION, ELEMENTWISE, INDEXING, MOVEMENT, REDUCTION
from tests.autograd.bad_input_layers import (
    CONV_AND_POOL,
    GRADIENTS,
    LOSS_AND_NORM,
    MAKING,
    NETWORK,
    SORTING,
)

FAMILIES = {
    "elementwise": ELEMENTWISE,
    "reduction": REDUCTION,
    "movement": MOVEMENT,
    "contraction": CONTRACTION,
    "indexing": INDEXING,
    "conv and pool": CONV_AND_POOL,
    "loss and norm": LOSS_AND_NORM,
    "network": NETWORK,
    "sorting": SORTING,
    "making": MAKING,
    "gradients": GRADIENTS,
}
CASES = [
    pytest.param(bad, id=f"{family}: {name}")
    for family, cases in FAMILIES.items()
    for name, bad in cases.items()
]
NUMPY_OR_PYTHON = (RuntimeError, ValueError, IndexError, TypeError)


@pytest.mark.parametrize("bad", CASES)
def test_bad_input_is_refused_with_what_was_met(bad):
    with pytest.raises(NUMPY_OR_PYTHON) as caught:
        bad.call(autograd, functional, autograd.tensor)
    message = str(caught.value)
    assert len(message) > 20
    for word in bad.met:
        assert word in message


# Where PyTorch's type is the first, ours may be the second: docs/differences.md says so.
PAIRS = {
    (RuntimeError, ValueError),  # shapes and values
    (RuntimeError, TypeError),  # dtypes
    (NotImplementedError, TypeError),  # dtypes
    (NotImplementedError, ValueError),  # an option that is not there
    (RuntimeError, IndexError),  # indices out of range, of gather and its kind
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch, about parts of its own
@pytest.mark.parametrize("bad", CASES)
def test_the_type_is_that_of_pytorch(torch, bad):
    with pytest.raises((*NUMPY_OR_PYTHON, NotImplementedError)) as theirs:
        bad.call(torch, torch.nn.functional, torch.tensor)
    with pytest.raises(NUMPY_OR_PYTHON) as ours:
        bad.call(autograd, functional, autograd.tensor)
    assert ours.type is theirs.type or (theirs.type, ours.type) in PAIRS
