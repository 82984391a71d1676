"""Samplers, threads of a loader, and datasets made of others."""

from __future__ import annotations

import inspect
import threading
import time
from typing import Any

import numpy as np
import pytest

import autograd
from nn.data import (
    BatchSampler,
    ChainDataset,
    Compose,
    ConcatDataset,
    Cutout,
    DataLoader,
    Dataset,
    GaussianNoise,
    ImageTransform,
    IterableDataset,
    RandomHorizontalFlip,
    RandomRotation,
    RandomSampler,
    RandomShift,
    RandomVerticalFlip,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    TransformedDataset,
    WeightedRandomSampler,
    batch_generator,
    get_worker_info,
)


def values(loader: DataLoader) -> list[Any]:
    return [batch.tolist() for batch in loader]


def loader_of(dataset: Any, **options: Any) -> DataLoader:
    return DataLoader(dataset, **options)


# ---------------------------------------------------------------- samplers


def test_random_samplers_draw_what_they_say():
    assert sorted(RandomSampler(range(9), generator=1)) == list(range(9))
    more = list(RandomSampler(range(4), num_samples=10, generator=1))
    assert [sorted(more[:4]), sorted(more[4:8]), len(more)] == [[0, 1, 2, 3], [0, 1, 2, 3], 10]
    assert len(set(RandomSampler(range(99), replacement=True, generator=0))) < 99
    assert sorted(SubsetRandomSampler([5, 2, 9], generator=3)) == [2, 5, 9]
    same = [list(RandomSampler(range(9), generator=5)) for _ in range(2)]
    assert same[0] == same[1]


def test_weights_are_odds():
    drawn = np.array(list(WeightedRandomSampler([1, 0, 3], 4000, generator=0)))
    assert 0.22 < (drawn == 0).mean() < 0.28
    assert (drawn != 1).all()
    assert set(WeightedRandomSampler([1, 0, 3], 2, replacement=False, generator=0)) == {0, 2}


@pytest.mark.parametrize("weights", [[], [-1.0, 2.0], [0.0], [float("nan")], [[1.0]]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="finite numbers >= 0"):
        WeightedRandomSampler(weights, 1)


def test_samplers_check_counts():
    with pytest.raises(ValueError, match="num_samples must be an integer >= 1"):
        RandomSampler(range(3), num_samples=0)
    with pytest.raises(ValueError, match="1 samples have a weight, and num_samples is 2"):
        WeightedRandomSampler([0, 1], 2, replacement=False)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1"):
        BatchSampler(range(3), 0, False)


def test_lengths_and_batches_are_torch_s(torch):
    theirs = torch.utils.data
    for size, batch, drop in [(7, 3, False), (7, 3, True), (6, 3, True), (2, 5, False)]:
        ours = BatchSampler(SequentialSampler(range(size)), batch, drop)
        other = theirs.BatchSampler(theirs.SequentialSampler(range(size)), batch, drop)
        assert list(ours) == list(other)
        assert len(ours) == len(other)
    for mine, other in [
        (DataLoader, theirs.DataLoader),
        (RandomSampler, theirs.RandomSampler),
        (SubsetRandomSampler, theirs.SubsetRandomSampler),
        (WeightedRandomSampler, theirs.WeightedRandomSampler),
        (ConcatDataset, theirs.ConcatDataset),
    ]:
        wanted = list(inspect.signature(other).parameters)
        assert list(inspect.signature(mine).parameters)[: len(wanted)] == wanted


def test_a_loader_takes_samplers():
    assert values(loader_of(range(5), batch_size=2, sampler=[4, 0, 2])) == [[4, 0], [2]]
    assert values(loader_of(range(5), batch_sampler=[[4], [0, 2]])) == [[4], [0, 2]]
    sampler = SubsetRandomSampler([1, 3], generator=0)
    loader = loader_of(range(5), batch_size=2, sampler=sampler)
    assert len(loader) == 1
    state = loader.state_dict()
    first = values(loader)
    loader.load_state_dict(state)
    assert values(loader) == first
    with pytest.raises(IndexError):
        values(loader_of([1, 2], sampler=[7]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampler": [0], "shuffle": True}, "sampler or shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "give it alone"),
        ({"batch_sampler": [[0]], "drop_last": True}, "give it alone"),
        ({"batch_size": None, "drop_last": True}, "no last one"),
        ({"num_workers": -1}, "num_workers must be an integer >= 0"),
        ({"prefetch_factor": 3}, "num_workers, which is 0"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor must be an integer >= 1"),
        ({"timeout": -1}, "timeout must be >= 0"),
    ],
)
def test_options_that_exclude_each_other(options, words):
    with pytest.raises(ValueError, match=words):
        loader_of(range(3), **options)


def test_batches_are_torch_s(torch):
    for options in [
        {"batch_size": 2, "sampler": [4, 0, 2]},
        {"batch_sampler": [[4], [0, 2]]},
        {"batch_size": None},
        {"batch_size": 2, "drop_last": True},
    ]:
        ours = list(loader_of(range(5), **options))
        theirs = list(torch.utils.data.DataLoader(range(5), **options))
        assert [np.asarray(b).tolist() for b in ours] == [np.asarray(b).tolist() for b in theirs]
    for options in [
        {"sampler": [0], "shuffle": True},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_size": None, "drop_last": True},
        {"prefetch_factor": 3},
    ]:
        for make in (loader_of, torch.utils.data.DataLoader):
            with pytest.raises(ValueError, match=r"."):
                make(range(3), **options)


def test_samples_by_themselves():
    data = [(np.ones(2), 3, "a"), (np.zeros(2), 4, "b")]
    (first, number, text), _ = loader_of(data, batch_size=None)
    assert (first.tolist(), number, text) == ([1.0, 1.0], 3, "a")
    assert len(loader_of(data, batch_size=None)) == 2
    assert list(loader_of([1, 2], batch_size=None, collate_fn=lambda x: -x)) == [-1, -2]


# ---------------------------------------------------------------- threads


class Slow(Dataset[int]):
    """Early samples take longest, so that threads finish out of order."""

    def __len__(self):
        return 12

    def __getitem__(self, index, /):
        time.sleep(0.002 * (12 - index))
        return index


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_come_in_order(workers):
    loader = loader_of(Slow(), batch_size=1, num_workers=workers, prefetch_factor=3)
    assert values(loader) == [[index] for index in range(12)]
    assert values(loader) == [[index] for index in range(12)]


def prefetching() -> int:
    return sum(thread.name == "dagrad-prefetch" for thread in threading.enumerate())


def test_threads_work_at_once_and_end():
    seen = set()

    class Who(Dataset[int]):
        def __len__(self):
            return 20

        def __getitem__(self, index, /):
            seen.add(threading.get_ident())
            time.sleep(0.005)
            return index

    for _ in loader_of(Who(), num_workers=3):
        assert prefetching() <= 3
    assert len(seen) == 3
    assert prefetching() == 0
    iterator = iter(loader_of(Who(), num_workers=3))
    next(iterator)
    del iterator
    assert prefetching() == 0


def test_an_error_comes_in_its_place_with_its_traceback():
    class Failing(Slow):
        def __getitem__(self, index, /):
            if index == 4:
                raise KeyError("four")
            return index

    seen = []
    with pytest.raises(KeyError, match="four") as caught:
        seen.extend(batch.item() for batch in loader_of(Failing(), num_workers=3))
    assert caught.traceback[-1].name == "__getitem__"
    for batch in loader_of(Failing(), num_workers=3):
        seen.append(batch.item())
        if batch.item() == 3:
            break
    assert seen == [0, 1, 2, 3] * 2
    assert prefetching() == 0


def test_threads_are_begun_and_errors_there_are_heard():
    begun = []
    list(loader_of(Slow(), num_workers=2, worker_init_fn=begun.append))
    assert sorted(begun) == [0, 1]
    with pytest.raises(ZeroDivisionError):
        list(loader_of(Slow(), num_workers=2, worker_init_fn=lambda number: 1 // 0))


def test_a_late_batch_is_an_error():
    release = threading.Event()

    class Stuck(Slow):
        def __getitem__(self, index, /):
            release.wait(10)
            return index

    with pytest.raises(RuntimeError, match=r"no batch came within the timeout of 0\.05 s"):
        next(iter(loader_of(Stuck(), num_workers=3, timeout=0.05)))
    release.set()


def test_what_torch_s_users_pass_is_accepted():
    loader = loader_of(
        range(4),
        num_workers=2,
        pin_memory=True,
        persistent_workers=True,
        multiprocessing_context="spawn",
        pin_memory_device="cuda",
        in_order=False,
    )
    assert values(loader) == [[0], [1], [2], [3]]
    assert get_worker_info() is None


# ---------------------------------------------------------------- random samples


class Dice(Dataset[int]):
    draws = True

    def __len__(self):
        return 30

    def __getitem__(self, index, /):
        return int(batch_generator().integers(1_000_000))


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(30))])
def test_random_samples_do_not_depend_on_the_workers(wrap):
    epochs = []
    for options in ({"prefetch": 0}, {}, {"num_workers": 1}, {"num_workers": 3}):
        loader = loader_of(wrap(Dice()), batch_size=4, shuffle=True, generator=1, **options)
        epochs.append([values(loader), values(loader)])
    assert epochs[0][0] != epochs[0][1]
    assert all(found == epochs[0] for found in epochs)


def test_random_samples_go_on_from_a_state_and_follow_the_library_s_seed():
    autograd.manual_seed(4)
    loader = loader_of(Dice(), batch_size=8)
    values(loader)
    state = loader.state_dict()
    second = values(loader)
    loader.load_state_dict(state)
    assert values(loader) == second
    autograd.manual_seed(4)
    again = loader_of(Dice(), batch_size=8)
    values(again)
    assert values(again) == second
    assert batch_generator() is autograd.default_generator.numpy


# ---------------------------------------------------------------- combined


def test_concatenated_datasets():
    both = Dataset.__add__(TensorDataset(np.arange(3)), TensorDataset(np.arange(10, 12)))
    assert isinstance(both, ConcatDataset)
    assert [int(both[i][0]) for i in range(-5, 5)] == [0, 1, 2, 10, 11] * 2
    ((batch,),) = loader_of(both, batch_size=5)
    assert batch.tolist() == [0, 1, 2, 10, 11]
    with pytest.raises(IndexError, match="index 5 is outside 5 samples"):
        both[5]
    with pytest.raises(ValueError, match="no dataset"):
        ConcatDataset([])


def test_stacked_datasets():
    (batch,) = loader_of(StackDataset(a=[1, 2], b=np.eye(2)), batch_size=2)
    assert batch["a"].tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"different lengths, \[1, 2\]"):
        StackDataset("a", "bc")
    with pytest.raises(ValueError, match="with names or without"):
        StackDataset()


class Count(IterableDataset[int]):
    def __init__(self, size: int) -> None:
        self.size = size

    def __iter__(self):
        return iter(range(self.size))


@pytest.mark.parametrize("options", [{"prefetch": 0}, {}, {"num_workers": 2}])
def test_streams(options):
    stream = Count(5) + Count(2)
    assert isinstance(stream, ChainDataset)
    loader = loader_of(stream, batch_size=3, **options)
    assert values(loader) == [[0, 1, 2], [3, 4, 0], [1]]
    assert values(loader_of(stream, batch_size=3, drop_last=True, **options)) == [
        *([0, 1, 2], [3, 4, 0]),
    ]
    assert list(loader_of(Count(2), batch_size=None, **options)) == [0, 1]
    assert list(loader_of(Count(0), **options)) == []
    with pytest.raises(TypeError, match="Count streams; it has no length"):
        len(loader)
    with pytest.raises(ValueError, match="in its own order"):
        loader_of(stream, shuffle=True)
    with pytest.raises(TypeError, match="ChainDataset takes it"):
        ConcatDataset([Count(2)])


# ---------------------------------------------------------------- transforms

IMAGES = np.random.default_rng(0).random((6, 2, 5, 4)).astype(np.float32)
TRANSFORMS = [
    RandomShift(2),
    RandomHorizontalFlip(),
    RandomVerticalFlip(),
    RandomRotation(40),
    GaussianNoise(0.5),
    Cutout(3),
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_a_transform_is_reproducible_and_leaves_its_input(transform):
    before = IMAGES.copy()
    one, two, other = (transform(IMAGES, seed) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()
    assert (one.shape, one.dtype) == (IMAGES.shape, np.float32)
    assert (before == IMAGES).all()
    tensor = transform(autograd.from_numpy(IMAGES), autograd.Generator(1))
    assert (tensor.numpy() == one).all()
    assert transform(IMAGES[:0], 0).shape == (0, 2, 5, 4)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), got \(2, 5, 4\)"):
        transform(IMAGES[0], 0)


def test_random_shift_moves_within_its_limits():
    image = np.arange(18, dtype=np.float32).reshape(1, 1, 3, 6)
    moved = RandomShift(1)(np.repeat(image, 200, axis=0), 0)
    padded = np.pad(image[0, 0], 1, "edge")
    places = [padded[top : top + 3, left : left + 6] for top in range(3) for left in range(3)]
    found = {next(k for k, place in enumerate(places) if (place == m[0]).all()) for m in moved}
    assert found == set(range(9))
    assert (RandomShift(0)(IMAGES, 0) == IMAGES).all()


def test_quarter_turns_and_flips_are_exact():
    square = np.random.default_rng(1).random((1, 3, 5, 5))

    class Quarter:
        def uniform(self, low, high, size):
            return np.full(size, np.pi / 2)

    rotation: Any = RandomRotation(90)
    turned = rotation.apply(square, Quarter())
    np.testing.assert_allclose(turned, np.rot90(square, 1, (2, 3)), atol=1e-12)
    assert (RandomRotation(0)(IMAGES, 0) == IMAGES).all()
    assert (RandomHorizontalFlip(1.0)(IMAGES, 0) == IMAGES[..., ::-1]).all()
    assert (RandomVerticalFlip(1.0)(IMAGES, 0) == IMAGES[:, :, ::-1]).all()
    whole = (255 * IMAGES).astype(np.uint8)
    assert RandomRotation(30)(whole, 0).dtype == np.uint8


def test_cutout_covers_a_square_of_all_channels():
    covered = Cutout(2, fill=9.0)(np.zeros((50, 2, 6, 6)), 0) == 9
    assert (covered[:, 0] == covered[:, 1]).all()
    assert set(covered[:, 0].sum((1, 2))) <= {1, 2, 4}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomShift(-1), "pixels must be an integer >= 0"),
        (lambda: Cutout(0), "size must be an integer >= 1"),
        (lambda: RandomHorizontalFlip(2.0), "p must be from 0 to 1"),
        (lambda: RandomRotation(-1), "degrees must be >= 0"),
        (lambda: GaussianNoise(-1), "std must be >= 0"),
        (lambda: GaussianNoise(1)(np.zeros((1, 1, 2, 2), int), 0), "must be floats, not int64"),
    ],
)
def test_transforms_check_their_options(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_transformed_datasets_do_not_depend_on_the_workers():
    data = TensorDataset(IMAGES, np.arange(6))
    changed = TransformedDataset(data, Compose([RandomShift(1), GaussianNoise(0.1)]))
    found = []
    for options in ({"prefetch": 0}, {"num_workers": 3}):
        loader = loader_of(changed, batch_size=2, generator=3, **options)
        found.append([images.tolist() for images, _ in loader])
    assert found[0] == found[1]
    image, label = changed[5]
    assert (image.shape, int(label)) == ((2, 5, 4), 5)
    with pytest.raises(TypeError, match="samples must be tuples"):
        TransformedDataset([1, 2], RandomShift(1))[0]
    with pytest.raises(NotImplementedError, match="must define apply"):
        ImageTransform()(IMAGES, 0)
