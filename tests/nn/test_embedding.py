from __future__ import annotations

from typing import Any

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
    shared = autograd.ones(2, 2)
    bag = nn.EmbeddingBag.from_pretrained(shared, freeze=False, mode="max")
    assert np.shares_memory(bag.weight.array(), shared.array())
    assert bag.weight.requires_grad
    assert bag.mode == "max"
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


def test_rows_are_limited_in_place():
    table = autograd.tensor(np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]]), requires_grad=True)
    y = F.embedding(autograd.tensor([0, 1, 0]), table, max_norm=1.0)
    np.testing.assert_allclose(table.detach().numpy(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], 1e-6)
    y.sum().backward()
    assert table.grad is not None
    assert table.grad.tolist() == [[2, 2], [1, 1], [0, 0]]
    before = table.tolist()
    with pytest.raises(IndexError, match="no row of 3"):
        F.embedding(autograd.tensor([2, 3]), table, max_norm=1.0)
    assert table.tolist() == before


def test_a_gradient_saved_before_the_limit_is_refused():
    table = autograd.tensor(np.full((2, 2), 3.0), requires_grad=True)
    y = (table * table).sum()
    F.embedding(autograd.tensor([0]), table, max_norm=1.0)
    with pytest.raises(RuntimeError, match="__setitem__"):
        y.backward()


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_frequencies_are_those_of_each_row(mode):
    # PyTorch divides by the frequency of another row here.
    table = autograd.zeros(5, 1, dtype=np.float64).requires_grad_()
    numbers, offsets = autograd.tensor([3, 2, 0, 2, 2, 3]), autograd.tensor([0, 2])
    F.embedding_bag(numbers, table, offsets, scale_grad_by_freq=True, mode=mode).sum().backward()
    assert table.grad is not None
    share = 1.0 if mode == "sum" else 0.25
    expected = [share, 0, 1, 1, 0] if mode == "sum" else [0.25, 0, 1 / 3, 0.375, 0]
    np.testing.assert_allclose(table.grad.ravel().tolist(), expected)


def test_gradients_of_bags():
    rng = np.random.default_rng(0)
    table = autograd.tensor(rng.standard_normal((4, 2)), requires_grad=True)
    factors = autograd.tensor(rng.standard_normal(5), requires_grad=True)
    numbers, offsets = np.array([0, 2, 2, 1, 0]), np.array([0, 1, 1])
    for mode in ("mean", "max"):
        assert autograd.gradcheck(
            lambda t, mode=mode: F.embedding_bag(numbers, t, offsets, mode=mode), [table]
        )
    assert autograd.gradgradcheck(
        lambda t, w: F.embedding_bag(numbers, t, offsets, mode="sum", per_sample_weights=w),
        [table, factors],
    )


def test_float32_stays():
    table = autograd.ones(4, 2)
    for mode in ("sum", "mean", "max"):
        assert F.embedding_bag(NUMBERS % 4, table, mode=mode).dtype == np.float32
    y = F.embedding(NUMBERS % 4, table, max_norm=1.0, scale_grad_by_freq=True)
    assert (y.dtype, table.dtype) == (np.float32, np.float32)


def test_sparse_is_accepted_and_gradients_are_dense():
    layer = nn.Embedding(3, 2, sparse=True)
    layer(autograd.tensor([1])).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("numbers", "options", "error", "words"),
    [
        ([[0, 1]], {"offsets": [0]}, ValueError, "offsets must be None"),
        ([0, 1], {}, ValueError, "needs offsets"),
        ([0, 1], {"offsets": [1]}, ValueError, "begin with 0"),
        ([0, 1], {"offsets": [0, 2, 1]}, ValueError, "not fall"),
        ([0, 1], {"offsets": [0, 3]}, ValueError, "end by 2"),
        ([0, 1], {"offsets": [[0]]}, ValueError, "one dimension"),
        ([0, 1], {"offsets": [0.0]}, TypeError, "offsets must be of integers"),
        ([0.0, 1], {"offsets": [0]}, TypeError, "input must be of integers"),
        ([0, 9], {"offsets": [0]}, IndexError, "9"),
        ([0, 9], {"offsets": [0], "mode": "max"}, IndexError, "9"),
        ([[0, 1]], {"mode": "min"}, ValueError, "'min'"),
        ([[0, 1]], {"mode": "max", "scale_grad_by_freq": True}, ValueError, "without"),
        ([[0, 1]], {"per_sample_weights": [1.0]}, ValueError, "per_sample_weights"),
        ([[0, 1]], {"per_sample_weights": [[1.0, 1.0]]}, NotImplementedError, "'mean'"),
        ([[0, 1]], {"padding_idx": 7}, ValueError, "padding_idx 7"),
        ([[[0]]], {}, ValueError, "expected input"),
    ],
)
def test_bad_bags_are_refused(numbers, options, error, words):
    tensors: dict[str, Any] = {
        name: autograd.tensor(value) if isinstance(value, list) else value
        for name, value in options.items()
    }
    with pytest.raises(error, match=words):
        F.embedding_bag(autograd.tensor(numbers), autograd.ones(3, 2), **tensors)
