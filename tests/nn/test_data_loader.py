from __future__ import annotations

import collections
import gc
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor
from nn.data import DataLoader, Dataset, Subset, TensorDataset, default_collate

ROOT = Path(__file__).resolve().parent.parent.parent


def prefetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dagrad-prefetch"]


def values(loader: DataLoader) -> list[list[int]]:
    return [batch.numpy().tolist() for batch in loader]


class Failing(Dataset[int]):
    """Raises `error` at sample 5."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getitem__(self, index: int, /) -> int:
        if index == 5:
            raise self.error
        return index

    def __len__(self) -> int:
        return 100


# ---------------------------------------------------------------- batches and order


@given(
    size=st.integers(1, 40),
    batch_size=st.integers(1, 45),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
    prefetch=st.integers(0, 3),
)
def test_an_epoch_has_each_sample_once(size, batch_size, drop_last, shuffle, prefetch):
    loader = DataLoader(
        range(size), batch_size, shuffle, drop_last=drop_last, generator=0, prefetch=prefetch
    )
    batches = values(loader)
    assert len(batches) == len(loader)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    seen = [sample for batch in batches for sample in batch]
    if drop_last:
        assert len(seen) == size // batch_size * batch_size
        assert len(set(seen)) == len(seen)
    elif shuffle:
        assert sorted(seen) == list(range(size))
    else:
        assert seen == list(range(size))


def test_orders_are_reproducible_and_differ_from_epoch_to_epoch():
    first = DataLoader(range(50), 7, shuffle=True, generator=1)
    again = DataLoader(range(50), 7, shuffle=True, generator=np.random.default_rng(1), prefetch=0)
    epochs = [values(first) for _ in range(3)]
    assert [values(again) for _ in range(3)] == epochs
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_library_s_seed_reaches_a_loader_without_a_generator():
    def order() -> list[list[int]]:
        autograd.manual_seed(11)
        return values(DataLoader(range(30), 30, shuffle=True))

    assert order() == order()


def test_an_autograd_generator_is_taken():
    def order(seed: int) -> list[list[int]]:
        generator = autograd.Generator()
        generator.manual_seed(seed)
        return values(DataLoader(range(30), 30, shuffle=True, generator=generator))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_the_batch_hook_and_single_samples_give_the_same_batches():
    arrays = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32), np.arange(23)
    data = TensorDataset(*arrays)
    samples = [data[index] for index in range(23)]
    for fast, slow in zip(DataLoader(data, 5), DataLoader(samples, 5), strict=True):
        for ours, theirs in zip(fast, slow, strict=True):
            assert isinstance(ours, Tensor)
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_subset_of_tensors_is_read_by_the_hook(monkeypatch):
    data = TensorDataset(np.arange(10))
    monkeypatch.setattr(
        TensorDataset, "__getitems__", lambda self, indices: ("batch", tuple(indices))
    )
    loader = DataLoader(Subset(data, [7, 8, 9]), 2)
    assert list(loader) == [("batch", (7, 8)), ("batch", (9,))]


def test_a_hook_that_returns_a_list_is_collated():
    class Batched(Dataset[int]):
        def __getitem__(self, index: int, /) -> int:
            raise AssertionError("the hook comes first")

        def __getitems__(self, indices: list[int]) -> list[int]:
            assert all(type(index) is int for index in indices)
            return [index * 2 for index in indices]

        def __len__(self) -> int:
            return 3

    assert values(DataLoader(Batched(), 2)) == [[0, 2], [4]]
    assert list(DataLoader(Batched(), 2, collate_fn=sum)) == [2, 4]


def test_a_collate_fn_gets_samples_also_where_the_hook_collates():
    data = TensorDataset(np.arange(4), np.arange(4) * 10)
    loader = DataLoader(data, 2, collate_fn=lambda samples: [int(b) for _, b in samples])
    assert list(loader) == [[0, 10], [20, 30]]


def test_a_dataset_that_grows_is_counted_again():
    samples = [0, 1, 2]
    loader = DataLoader(samples, 2)
    samples.append(3)
    assert values(loader) == [[0, 1], [2, 3]]


# ---------------------------------------------------------------- state


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_resumed_loader_goes_on_with_the_same_orders(bits):
    loader = DataLoader(range(40), 8, shuffle=True, generator=np.random.Generator(bits(5)))
    values(loader)
    state = loader.state_dict()
    expected = [values(loader), values(loader)]
    other = DataLoader(range(40), 8, shuffle=True, generator=np.random.Generator(bits(6)))
    other.load_state_dict(state)
    assert [values(other), values(other)] == expected


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_an_epoch_left_early_uses_as_much_of_the_generator_as_a_whole_one(prefetch, taken):
    whole = DataLoader(range(40), 4, shuffle=True, generator=2, prefetch=prefetch)
    left = DataLoader(range(40), 4, shuffle=True, generator=2, prefetch=prefetch)
    values(whole)
    batches = iter(left)
    for _ in range(taken):
        next(batches)
    del batches
    assert left.state_dict() == whole.state_dict()
    assert values(left) == values(whole)


def test_without_shuffle_the_generator_is_not_drawn_from():
    loader = DataLoader(range(5), generator=3)
    before = loader.state_dict()
    values(loader)
    assert loader.state_dict() == before


def test_states_that_do_not_fit_are_refused_and_change_nothing():
    loader = DataLoader(range(9), 9, shuffle=True, generator=0)
    before = loader.state_dict()
    plain = DataLoader(range(9))
    plain.load_state_dict(plain.state_dict())
    wrong = [
        {},
        {"generator": None},
        {"generator": 3},
        {"generator": {"bit_generator": "PCG64"}},
        {"generator": {**before["generator"], "state": {"state": -1, "inc": 1}}},
        {"generator": np.random.MT19937(0).state},
    ]
    for state in wrong:
        with pytest.raises(ValueError, match=r"DataLoader\.load_state_dict"):
            loader.load_state_dict(state)
        assert loader.state_dict() == before
    with pytest.raises(ValueError, match="this loader has no shuffle generator"):
        plain.load_state_dict(before)


# ---------------------------------------------------------------- the thread


@pytest.mark.parametrize("prefetch", [0, 1, 2])
def test_an_error_comes_through_with_its_type_and_traceback(prefetch):
    error = KeyError("no such sample")
    batches = iter(DataLoader(Failing(error), 2, prefetch=prefetch))
    assert [next(batches).numpy().tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError) as caught:
        next(batches)
    assert caught.value is error
    text = "".join(traceback.format_exception(caught.value))
    assert "raise self.error" in text
    assert not prefetch_threads()


@pytest.mark.parametrize("prefetch", [0, 2])
def test_after_an_error_the_epoch_is_over(prefetch):
    batches = iter(DataLoader(Failing(RuntimeError("bad")), 6, prefetch=prefetch))
    with pytest.raises(RuntimeError, match="bad"):
        next(batches)
    assert list(batches) == []


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_stray_stop_iteration_does_not_end_the_epoch_in_silence(prefetch):
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader(Failing(StopIteration()), 2, prefetch=prefetch))


def test_even_system_exit_reaches_the_loop():
    with pytest.raises(SystemExit):
        list(DataLoader(Failing(SystemExit(3)), 2))


def test_threads_end_with_the_epoch_and_with_break():
    loader = DataLoader(range(100), 3)
    values(loader)
    assert not prefetch_threads()
    for _ in loader:
        assert len(prefetch_threads()) == 1
        break
    assert not prefetch_threads()
    batches = iter(loader)
    next(batches)
    del batches
    assert not prefetch_threads()


def test_an_iterator_in_a_cycle_is_stopped_by_the_collector():
    holder: list[object] = []
    batches = iter(DataLoader(range(100), 3))
    next(batches)
    holder.extend([batches, holder])
    del batches, holder
    gc.collect()
    assert not prefetch_threads()


def test_close_ends_the_epoch():
    batches = iter(DataLoader(range(100), 3))
    next(batches)
    batches.close()  # pyright: ignore[reportAttributeAccessIssue] - beyond Iterator
    batches.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert not prefetch_threads()
    assert list(batches) == []


def test_an_error_that_nobody_waits_for_is_dropped():
    batches = iter(DataLoader(Failing(ValueError("unseen")), 2, prefetch=3))
    next(batches)
    del batches
    assert not prefetch_threads()


def test_two_iterators_at_once_are_independent():
    loader = DataLoader(range(30), 4, shuffle=True, generator=0)
    apart = DataLoader(range(30), 4, shuffle=True, generator=0)
    expected = [values(apart), values(apart)]
    pairs = list(zip(iter(loader), iter(loader), strict=True))
    assert [first.numpy().tolist() for first, _ in pairs] == expected[0]
    assert [second.numpy().tolist() for _, second in pairs] == expected[1]


@pytest.mark.parametrize("prefetch", [1, 2, 5])
def test_no_more_than_prefetch_batches_are_made_ahead(prefetch):
    made: list[int] = []

    class Counting(Dataset[int]):
        def __getitem__(self, index: int, /) -> int:
            made.append(index)
            return index

        def __len__(self) -> int:
            return 100

    batches = iter(DataLoader(Counting(), 1, prefetch=prefetch))
    for taken in range(4):
        deadline = time.monotonic() + 2
        while len(made) < taken + prefetch and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.005)
        assert len(made) == taken + prefetch
        next(batches)


def test_the_work_is_done_in_the_background():
    names = []
    loader = DataLoader([0], collate_fn=lambda _: names.append(threading.current_thread().name))
    list(loader)
    list(DataLoader([0], collate_fn=loader.collate_fn, prefetch=0))
    assert names == ["dagrad-prefetch", threading.current_thread().name]


def test_numpy_s_error_state_holds_in_the_thread():
    loader = DataLoader([0.0], collate_fn=lambda batch: np.float64(1.0) / np.array(batch))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(loader)
    with np.errstate(divide="ignore"):
        assert np.isinf(next(iter(loader))).all()


@pytest.mark.parametrize("prefetch", [0, 2])
def test_the_grad_mode_of_the_loop_holds_in_the_thread(prefetch):
    weight = autograd.tensor([[1.0], [2.0]], requires_grad=True)
    loader = DataLoader(TensorDataset(weight), prefetch=prefetch)
    assert [row.requires_grad for (row,) in loader] == [True, True]
    with autograd.no_grad():
        assert [row.requires_grad for (row,) in loader] == [False, False]


def test_a_program_ends_at_once_with_an_iterator_left_open():
    program = """
        from nn.data import DataLoader
        batches = iter(DataLoader(range(1000), 2))
        print(next(batches).numpy().tolist())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 1]\n", "")


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("dataset", [[], range(0), TensorDataset(np.zeros((0, 3)))])
def test_an_empty_dataset_is_refused_at_once(dataset):
    with pytest.raises(ValueError, match=r"dataset .* is empty"):
        DataLoader(dataset)


@pytest.mark.parametrize("batch_size", [0, -1, 1.0, "2", True, np.float64(2)])
def test_a_bad_batch_size_is_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1"):
        DataLoader(range(3), batch_size)


@pytest.mark.parametrize("prefetch", [-1, 0.5])
def test_a_bad_prefetch_is_refused(prefetch):
    with pytest.raises(ValueError, match="prefetch must be an integer >= 0"):
        DataLoader(range(3), prefetch=prefetch)


def test_what_is_no_dataset_is_refused():
    with pytest.raises(TypeError, match="generator is no dataset"):
        DataLoader(index for index in range(3))  # pyright: ignore[reportArgumentType]


def test_a_numpy_integer_is_a_batch_size():
    assert len(DataLoader(range(5), np.int64(2))) == 3  # pyright: ignore[reportArgumentType]


# ---------------------------------------------------------------- default_collate

Point = collections.namedtuple("Point", "x y")


def test_collate_keeps_the_structure():
    sample = {"image": np.ones((2, 3), np.float32), "label": 4, "name": "a", "at": Point(1.5, [2])}
    batch = default_collate([sample, sample])
    assert batch["image"].shape == (2, 2, 3)
    assert batch["image"].dtype == np.float32
    assert batch["label"].numpy().tolist() == [4, 4]
    assert batch["name"] == ["a", "a"]
    assert isinstance(batch["at"], Point)
    assert batch["at"].x.numpy().tolist() == [1.5, 1.5]
    assert isinstance(batch["at"].y, list)
    assert batch["at"].y[0].numpy().tolist() == [2, 2]


@pytest.mark.parametrize(
    "samples",
    [
        [True, False],
        [1, 2],
        [1.5, 2.0],
        [np.float32(1), np.float32(2)],
        [np.int16(1), np.int16(2)],
        [np.zeros(2, np.float32), np.ones(2, np.float32)],
        [(1, 2.5), (3, 4.5)],
    ],
)
def test_collate_makes_torch_s_dtypes(torch, samples):
    theirs = torch.utils.data.default_collate(samples)
    ours = default_collate(samples)
    if not isinstance(theirs, list):
        theirs, ours = [theirs], (ours,)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.numpy().dtype
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


def test_collate_does_not_cut_numbers_to_the_first_one_s_type():
    assert default_collate([1, 2.5]).numpy().tolist() == [1.0, 2.5]


def test_collate_stacks_tensors_that_require_grad_on_the_record():
    weight = autograd.tensor([1.0, 2.0], requires_grad=True)
    assert default_collate([weight, weight]).requires_grad
    assert not default_collate([weight.detach()]).requires_grad


@pytest.mark.parametrize(
    ("samples", "error", "words"),
    [
        ([], ValueError, "empty"),
        ([(np.zeros(2),), (np.zeros(3),)], ValueError, r"sample\[0\] has shape \(2,\) .* \(3,\)"),
        ([(1, 2), (1,)], ValueError, "length 2 in sample 0 of the batch and 1 in sample 1"),
        ([{"a": 1}, {"b": 1}], ValueError, "keys"),
        ([{"a": [1]}, {"a": 2}], TypeError, r"sample\['a'\] is of type list .* int in sample 1"),
        ([1, None], TypeError, "NoneType in sample 1"),
        ([None], TypeError, "NoneType; it must be"),
        ([object()], TypeError, "or pass collate_fn"),
        ([np.array(["a"])], TypeError, "array of <U1"),
        ([2**70, 1], TypeError, "object"),
    ],
)
def test_collate_refuses(samples, error, words):
    with pytest.raises(error, match=words):
        default_collate(samples)
