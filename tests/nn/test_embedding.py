from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F

NUMBERS = np.array([[0, 2, 2], [4, 1, 2]])


@pytest.mark.parametrize("padding", [None, 2, -1])
def test_layer_agrees_with_torch(torch, padding):
    ours, theirs = nn.Embedding(5, 3, padding), torch.nn.Embedding(5, 3, padding)
    assert repr(ours) == repr(theirs)
    if padding is not None:
        assert (ours.weight.array()[padding] == 0).all()
    theirs.load_state_dict({"weight": torch.tensor(np.array(ours.weight.array()))})
    y, z = ours(autograd.tensor(NUMBERS)), theirs(torch.tensor(NUMBERS))
    np.testing.assert_array_equal(y.array(), z.detach().numpy())
    (y * y).sum().backward()
    (z * z).sum().backward()
    assert ours.weight.grad is not None
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), rtol=1e-6)


def test_a_table_that_there_is():
    table = np.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(autograd.tensor(table))
    assert not layer.weight.requires_grad
    assert layer(autograd.tensor([2])).tolist() == [[4.0, 5.0]]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    assert layer.weight.array() is not table
    with pytest.raises(ValueError, match="two dimensions"):
        nn.Embedding.from_pretrained(np.ones(3))


def test_numbers_of_any_integer_type():
    table = autograd.tensor(np.eye(3))
    for kind in (np.uint8, np.int32, np.int64):
        found = F.embedding(autograd.tensor(np.array([2, 0], kind)), table).tolist()
        assert found == [[0, 0, 1], [1, 0, 0]]


def test_padding_stays_without_gradient_to_the_second_order():
    table = autograd.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    numbers = autograd.tensor([1, 0, 1])
    y = F.embedding(numbers, table, padding_idx=1)
    (first,) = autograd.grad((y**3).sum(), table, create_graph=True)
    (second,) = autograd.grad(first.sum(), table)
    np.testing.assert_array_equal(first.array(), [[0, 3], [0, 0], [0, 0]])
    np.testing.assert_array_equal(second.array(), [[0, 6], [0, 0], [0, 0]])


@pytest.mark.parametrize(("rows", "width", "padding"), [(-1, 2, None), (3, 2, 3), (3, 2, -4)])
def test_bad_options_are_refused(rows, width, padding):
    with pytest.raises(ValueError, match="Embedding: "):
        nn.Embedding(rows, width, padding)
