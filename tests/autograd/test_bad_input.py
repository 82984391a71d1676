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


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.add_(autograd.ones(4)),
        lambda x: x.mul_(autograd.ones(3, 2, 3)),
        lambda x: x.__setitem__(2, 1.0),
        lambda x: x.__setitem__(0, autograd.ones(2)),
        lambda x: x.__setitem__((slice(None), autograd.tensor([0, 3])), 1.0),
        lambda x: x.index_add_(0, autograd.tensor([0, 2]), autograd.ones(2, 3)),
        lambda x: x.index_copy_(1, autograd.tensor([0, 5]), autograd.ones(2, 2)),
        lambda x: x.index_fill_(1, autograd.tensor([0, 5]), 1.0),
        lambda x: x.index_put_((autograd.tensor([0, 2]),), autograd.ones(3)),
        lambda x: x.masked_fill_(autograd.ones(2).bool(), 1.0),
        lambda x: x.masked_scatter_(x > -1.0, autograd.ones(2)),
        lambda x: x.put_(autograd.tensor([0, 6]), autograd.ones(2)),
        lambda x: x.scatter_(1, autograd.tensor([[0, 3]]), autograd.ones(1, 2)),
        lambda x: x.scatter_add_(1, autograd.tensor([[0, 3]]), autograd.ones(1, 2)),
        lambda x: x.clamp_(),
        lambda x: x.copy_(autograd.ones(4)),
        lambda x: x.addmm_(autograd.ones(2, 2), autograd.ones(3, 3)),
        lambda x: x.cumsum_(2),
        lambda x: x.transpose_(0, 2),
        lambda x: x.squeeze_(4),
        lambda x: x.bernoulli_(2.0),
        lambda x: x.normal_(0.0, -1.0),
        lambda x: x.uniform_(1.0, 0.0),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_nothing_is_changed_by_a_call_that_fails(change, recorded):
    leaf = autograd.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], requires_grad=recorded)
    x = leaf * 1.0
    node, before = x.node, x.tolist()
    with pytest.raises(NUMPY_OR_PYTHON):
        change(x)
    assert (x.tolist(), x.shape, x.node, x.requires_grad) == (before, (2, 3), node, recorded)
    if recorded:
        x.sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.tolist() == [[1.0] * 3] * 2
