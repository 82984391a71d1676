from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor, from_numpy
from nn.data import Dataset, Subset, TensorDataset, default_collate, one_hot, random_split
from nn.data.dataset import batch_hook
from nn.data.seeding import as_numpy_generator, set_state


def rows(count: int = 6) -> TensorDataset:
    return TensorDataset(
        np.arange(count * 2, dtype=np.float32).reshape(count, 2), np.arange(count) * 10
    )


def test_tensor_dataset_gives_rows_as_tensors():
    image, label = rows()[4]
    assert isinstance(image, Tensor)
    assert image.numpy().tolist() == [8.0, 9.0]
    assert label.numpy() == 40
    assert len(rows()) == 6


def test_tensor_dataset_shares_memory_and_keeps_dtypes():
    array = np.zeros((3, 2), np.float64)
    data = TensorDataset(array, from_numpy(np.arange(3, dtype=np.int32)))
    array[1] = 5
    assert data[1][0].numpy().tolist() == [5.0, 5.0]
    assert [tensor.dtype for tensor in data.tensors] == [np.float64, np.int32]


def test_tensor_dataset_batch_equals_its_rows():
    data = rows()
    batch = data.__getitems__([5, 0, 0])
    expected = default_collate([data[5], data[0], data[0]])
    for ours, theirs in zip(batch, expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_tensor_dataset_batch_is_a_copy():
    data = rows()
    data.__getitems__([0, 1])[0].numpy()[:] = -1
    assert data[0][0].numpy().tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((), ValueError, "at least one"),
        ((np.zeros((3, 2)), np.zeros(4)), ValueError, r"\(3, 2\), \(4,\)"),
        ((np.zeros(3), np.array(1.0)), ValueError, "argument 1 is 0-d"),
        (([1, 2, 3],), TypeError, "argument 0 must be a Tensor or an ndarray, not list"),
    ],
)
def test_tensor_dataset_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        TensorDataset(*arguments)


def test_dataset_says_what_a_subclass_must_define():
    class Half(Dataset[int]):
        pass

    with pytest.raises(NotImplementedError, match="Half must define __len__"):
        len(Half())
    with pytest.raises(NotImplementedError, match="Half must define __getitem__"):
        Half()[0]


def test_batch_hook_gives_way_to_an_overridden_getitem():
    class Doubled(TensorDataset):
        def __getitem__(self, index: int, /) -> tuple[Tensor, ...]:
            image, label = super().__getitem__(index)
            return from_numpy(image.numpy() * 2), label

    class Both(Doubled):
        def __getitems__(self, indices: list[int]) -> tuple[Tensor, ...]:
            return super().__getitems__(indices)

    array = np.ones((2, 2))
    assert batch_hook(TensorDataset(array)) is not None
    assert batch_hook(Doubled(array, array)) is None
    assert batch_hook(Both(array, array)) is not None
    part = Subset(Doubled(array, array), [1, 0])
    assert [sample[0].numpy().tolist() for sample in part.__getitems__([0])] == [[2.0, 2.0]]


def test_subset_maps_positions_and_nests():
    inner = Subset(range(100, 110), [9, 3, 3, -1])
    assert [inner[i] for i in range(len(inner))] == [109, 103, 103, 109]
    outer = Subset(inner, np.array([1, 0]))
    assert outer[0] == 103
    assert outer.__getitems__([1, 0]) == [109, 103]
    with pytest.raises(IndexError):
        inner[4]


def test_subset_passes_the_batch_hook_on():
    part = Subset(Subset(rows(), [5, 4, 3]), [2, 0])
    images, labels = part.__getitems__([0, 1])
    assert labels.numpy().tolist() == [30, 50]
    assert images.shape == (2, 2)


@pytest.mark.parametrize(
    ("indices", "error"),
    [([10], IndexError), ([-11], IndexError), ([1.0], TypeError), ([[1]], TypeError)],
)
def test_subset_refuses(indices, error):
    with pytest.raises(error, match="Subset: ind"):
        Subset(range(10), indices)


def test_an_empty_subset_is_one():
    assert len(Subset(range(10), [])) == 0


@given(st.integers(0, 200), st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(0, 9))
def test_random_split_by_fractions_is_a_partition(size, weights, seed):
    fractions = [weight / sum(weights) for weight in weights]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty parts
        parts = random_split(range(size), fractions, generator=seed)
    assert sorted(i for part in parts for i in part.indices) == list(range(size))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * size) <= 1


def test_random_split_deals_the_remainder_from_the_first_part_on():
    sizes = [len(part) for part in random_split(range(11), [0.25, 0.25, 0.25, 0.25], 0)]
    assert sizes == [3, 3, 3, 2]


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(10, [0.3, 0.3, 0.4]), (1797, [0.7, 0.1, 0.2]), (7, [0.5, 0.5]), (10, [3, 7]), (5, [1.0])],
)
def test_random_split_sizes_are_torch_s(torch, size, lengths):
    theirs = torch.utils.data.random_split(range(size), lengths)
    assert [len(part) for part in random_split(range(size), lengths)] == [len(p) for p in theirs]


def test_random_split_is_reproducible_and_shuffles():
    first = random_split(range(50), [40, 10], generator=3)
    again = random_split(range(50), [40, 10], generator=np.random.default_rng(3))
    other = random_split(range(50), [40, 10], generator=4)
    assert [part.indices for part in first] == [part.indices for part in again]
    assert first[0].indices != other[0].indices
    assert first[0].indices != sorted(first[0].indices)


def test_random_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match="part 1 is empty"):
        random_split(range(2), [0.9, 0.1], generator=0)


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 6], "sum to 11, but the dataset has 10"),
        ([0.5, 0.6], "must sum to 1"),
        ([12, -2], r"lengths\[1\] is -2"),
        ([0.5, float("nan")], r"lengths\[1\] is nan"),
        ([], "empty"),
        ([5, 0.5], "must sum to 1"),
    ],
)
def test_random_split_refuses(lengths, words):
    with pytest.raises(ValueError, match=words):
        random_split(range(10), lengths)


def test_one_sample_is_a_count_and_not_a_fraction():
    assert [len(part) for part in random_split(range(1), [1, 0])] == [1, 0]


@pytest.mark.parametrize("source", [1.5, "3", True])
def test_generators_are_checked(source):
    with pytest.raises(TypeError, match="generator must be an int seed"):
        as_numpy_generator(source)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        as_numpy_generator(-1)


def edited(state: Any, path: tuple[str, ...], value: Any) -> Any:
    key, *rest = path
    return {**state, key: edited(state[key], tuple(rest), value) if rest else value}


@pytest.mark.parametrize(
    ("bits", "path", "value"),
    [
        (np.random.PCG64, ("bit_generator",), "MT19937"),
        (np.random.PCG64, ("state", "inc"), -1),
        (np.random.MT19937, ("state", "pos"), -1),
        (np.random.MT19937, ("state", "pos"), 625),
        (np.random.MT19937, ("state", "pos"), 1.0),
        (np.random.MT19937, ("state", "key"), np.zeros(3, np.uint32)),
        (np.random.Philox, ("buffer_pos",), 5),
        (np.random.Philox, ("buffer",), np.zeros(2, np.uint64)),
        (np.random.Philox, ("uinteger",), "x"),
    ],
)
def test_a_bad_generator_state_is_refused_and_changes_nothing(bits, path, value):
    generator, before = bits(1), str(bits(1).state)
    with pytest.raises(ValueError, match=f"not a state of {bits.__name__}"):
        set_state(generator, edited(bits(2).state, path, value))
    assert str(generator.state) == before
    for state in (None, 3, {}):
        with pytest.raises(ValueError, match="not a state of"):
            set_state(generator, state)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_good_generator_state_is_taken_at_every_position(bits):
    one, two = bits(1), bits(2)
    for _ in range(700):
        set_state(two, one.state)
        assert two.random_raw() == one.random_raw()


# ---------------------------------------------------------------- one_hot


@pytest.mark.parametrize(
    ("labels", "num_classes"),
    [([0, 5, 2], -1), ([0, 5, 2], 6), ([[1, 0], [2, 2]], 7), (3, -1), ([], 4), ([[], []], 2)],
)
def test_one_hot_is_torch_s(torch, labels, num_classes):
    theirs = torch.nn.functional.one_hot(torch.tensor(labels, dtype=torch.int64), num_classes)
    ours = one_hot(np.array(labels, dtype=np.int64), num_classes)
    assert ours.dtype == np.int64
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_one_hot_rows():
    assert one_hot([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot(np.uint8(1), 3).tolist() == [0, 1, 0]
    assert one_hot([], 4).shape == (0, 4)


def test_one_hot_of_a_tensor_is_a_tensor():
    hot = one_hot(from_numpy(np.array([1, 0])))
    assert isinstance(hot, Tensor)
    assert hot.dtype == np.int64
    assert hot.numpy().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("labels", "num_classes", "words"),
    [
        ([-1, 2], -1, "non-negative, got -1"),
        ([0, 5], 5, "smaller than num_classes=5, got 5"),
        ([0, 5], 0, "smaller than num_classes=0, got 5"),
        ([0, 5], -2, "smaller than num_classes=-2, got 5"),
        ([], -1, "cannot infer the number of classes"),
        ([1.0], -1, "must be integers, got float64"),
        ([True], -1, "must be integers, got bool"),
    ],
)
def test_one_hot_refuses_what_torch_refuses(labels, num_classes, words):
    with pytest.raises(RuntimeError, match=words):
        one_hot(labels, num_classes)
