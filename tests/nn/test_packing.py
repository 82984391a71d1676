"""Packed and padded sequences."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import autograd
from autograd import Tensor, gradcheck
from nn.utils import rnn


def sequences(lengths, *rest, requires_grad=False):
    rng = np.random.default_rng(0)
    return [Tensor(rng.standard_normal((n, *rest)), requires_grad=requires_grad) for n in lengths]


@pytest.mark.parametrize("rest", [(), (2,), (2, 3)])
@pytest.mark.parametrize("lengths", [[3, 3, 1], [1], [2, 4, 1, 4]])
def test_what_is_packed_comes_back(lengths, rest):
    given = sequences(lengths, *rest)
    ordered = lengths == sorted(lengths, reverse=True)
    packed = rnn.pack_sequence(given, enforce_sorted=ordered)
    assert packed.data.shape == (sum(lengths), *rest)
    assert packed.batch_sizes.dtype == np.int64
    assert (packed.sorted_indices is None) == ordered
    for before, after in zip(given, rnn.unpack_sequence(packed), strict=True):
        np.testing.assert_array_equal(after.numpy(), before.numpy())


def test_as_in_pytorch(torch):
    theirs = importlib.import_module("torch.nn.utils.rnn")
    given = sequences([2, 4, 1], 3)
    twins = [torch.tensor(s.numpy()) for s in given]
    for batch_first in (False, True):
        for side in ("right", "left"):
            ours = rnn.pad_sequence(given, batch_first, 2.5, side)
            np.testing.assert_array_equal(
                ours.numpy(), theirs.pad_sequence(twins, batch_first, 2.5, side).numpy()
            )
    a, b = rnn.pack_sequence(given, False), theirs.pack_sequence(twins, False)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())
    padded = rnn.pad_packed_sequence(a, True, float("nan"), 6)
    wanted = theirs.pad_packed_sequence(b, True, float("nan"), 6)
    for x, y in zip(padded, wanted, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_gradients():
    given = sequences([3, 1, 2], 2, requires_grad=True)

    def there_and_back(*parts):
        packed = rnn.pack_sequence(parts, enforce_sorted=False)
        return rnn.pad_packed_sequence(packed, padding_value=3.0)[0]

    assert gradcheck(there_and_back, given)


def test_unpadding_leaves_the_batch_as_it_is():
    """PyTorch transposes the tensor that it is given, in place."""
    padded = autograd.zeros(3, 2, 4)
    parts = rnn.unpad_sequence(padded, autograd.tensor([3, 1]))
    assert [p.shape for p in parts] == [(3, 4), (1, 4)]
    assert padded.shape == (3, 2, 4)


def test_other_types_of_data():
    packed = rnn.pack_sequence([autograd.tensor([1, 2]), autograd.tensor([3])])
    assert packed.data.dtype == np.int64
    assert packed.float().data.dtype == np.float32
    assert packed.double().data.dtype == np.float64
    assert packed.half().data.dtype == np.float16
    assert packed.int().data.dtype == np.int32
    assert packed.long() is not None
    assert packed.cpu() is packed
    assert not packed.is_cuda
    assert rnn.PackedSequence((packed.data, packed.batch_sizes)).data is packed.data
    with pytest.raises(TypeError, match="a pair of the two"):
        rnn.PackedSequence(packed.data)


@pytest.mark.parametrize(
    ("shape", "lengths", "says"),
    [
        ((3, 2, 1), [3], "one number for each"),
        ((3, 2, 1), [3, 0], "from 1 to the number of steps"),
        ((3, 2, 1), [4, 2], "from 1 to the number of steps"),
        ((3, 2, 1), [1, 2], "falling order"),
        ((0, 2, 1), [1, 1], "empty"),
        ((3, 0, 1), [], "empty"),
        ((3,), [3], "empty"),
    ],
)
def test_lengths_that_do_not_fit(shape, lengths, says):
    with pytest.raises(RuntimeError, match=says):
        rnn.pack_padded_sequence(autograd.zeros(*shape), lengths)


@pytest.mark.parametrize("sizes", [[], [1, 2], [3, 0], [2, 2], [4]])
def test_packed_sequences_that_contradict_themselves(sizes):
    packed = rnn.PackedSequence(autograd.zeros(3), autograd.tensor(np.array(sizes, np.int64)))
    with pytest.raises(RuntimeError, match="never rise"):
        rnn.pad_packed_sequence(packed)


def test_the_first_sequence_says_the_dtype():
    a, b = autograd.ones(2), autograd.ones(3).double()
    assert rnn.pad_sequence([a, b]).dtype == np.float32
    assert rnn.pad_sequence([b, a]).dtype == np.float64


def test_lengths_beyond_the_last_step_are_refused():
    """PyTorch packs fewer rows than its batch_sizes say, and a layer fails on them."""
    with pytest.raises(RuntimeError, match="from 1 to the number of steps"):
        rnn.pack_padded_sequence(autograd.zeros(3, 2, 1), [4, 2])


def test_other_errors():
    with pytest.raises(TypeError, match="whole numbers"):
        rnn.pack_padded_sequence(autograd.zeros(2, 1), [1.5])
    packed = rnn.pack_sequence(sequences([3, 1]))
    with pytest.raises(ValueError, match="total_length"):
        rnn.pad_packed_sequence(packed, total_length=2)
    with pytest.raises(TypeError, match="PackedSequence"):
        rnn.pad_packed_sequence(packed.data)
    with pytest.raises(RuntimeError, match="alike but in length"):
        rnn.pad_sequence([autograd.zeros(2, 3), autograd.zeros(2, 2)])
    with pytest.raises(RuntimeError, match="alike but in length"):
        rnn.pad_sequence([])
    with pytest.raises(RuntimeError, match="iterable"):
        rnn.pad_sequence(3)  # pyright: ignore[reportArgumentType] - that is the test
    with pytest.raises(RuntimeError, match="padding_side"):
        rnn.pad_sequence(sequences([1]), padding_side="top")
    with pytest.raises(ValueError, match="one number for each"):
        rnn.unpad_sequence(autograd.zeros(3, 2), [1])
