"""The adding problem; text as numbers, and the text that every Python has."""

from __future__ import annotations

import numpy as np
import pytest

from nn.data import Alphabet, adding_problem, next_windows, python_manual


def test_two_numbers_are_marked_one_in_each_half_and_added():
    x, y = adding_problem(500, 11, rng=np.random.default_rng(0))
    assert x.dtype == y.dtype == np.float32
    numbers, marks = x[..., 0], x[..., 1]
    assert numbers.min() >= 0
    assert numbers.max() < 1
    np.testing.assert_array_equal(marks[:, :5].sum(1), 1.0)
    np.testing.assert_array_equal(marks[:, 5:].sum(1), 1.0)
    assert (marks.sum(0) > 0).all()
    two = np.sort(np.where(marks == 1, numbers, 0.0), axis=1)[:, -2:]
    np.testing.assert_allclose(y[:, 0], two.sum(1), rtol=1e-6)


def test_a_generator_makes_the_same_sequences_and_one_is_the_baseline():
    one, two = (adding_problem(4000, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    assert np.square(one[1] - 1.0).mean() == pytest.approx(1 / 6, abs=0.01)


def test_the_least_and_the_too_small():
    x, y = adding_problem(0, 2, rng=np.random.default_rng(0))
    assert x.shape == (0, 2, 2)
    assert y.shape == (0, 1)
    x, y = adding_problem(1, 2, rng=np.random.default_rng(0))
    np.testing.assert_allclose(x[0, :, 0].sum(), y[0, 0], rtol=1e-6)
    for n, steps in ((3, 1), (-1, 5)):
        with pytest.raises(ValueError, match=f"met {n} and {steps}"):
            adding_problem(n, steps, rng=np.random.default_rng(0))


def test_an_alphabet_reads_back_what_it_wrote():
    alphabet = Alphabet("Zen of Python\n")
    text = "font of Zen"
    assert alphabet.decode(alphabet.encode(text)) == text
    assert alphabet.encode("").shape == (0,)
    assert alphabet.encode("").dtype == np.int64
    assert alphabet.decode([]) == ""
    assert Alphabet(["ab", "ca"]).characters == "abc"
    assert repr(Alphabet("ba")) == "Alphabet('ab')"


def test_what_is_not_in_an_alphabet_is_named():
    with pytest.raises(ValueError, match="expected at least one"):
        Alphabet("")
    with pytest.raises(ValueError, match="'x', at place 2"):
        Alphabet("ab").encode("abx")
    for numbers, words in (([0, 2], "0 to 2"), ([-1], "-1"), ([0.5], "float64"), ([[0]], "row")):
        with pytest.raises(ValueError, match=f"Alphabet.decode: .*{words}"):
            Alphabet("ab").decode(numbers)


def test_windows_and_their_next_characters():
    x, y = next_windows(np.arange(10, dtype=np.uint8), 3)
    assert x.dtype == np.int64
    assert x.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    np.testing.assert_array_equal(y, x + 1)
    assert next_windows([1, 2], 1)[1].tolist() == [[2]]
    for numbers, length in (([1, 2], 2), ([], 1), ([1, 2], 0), ([[1, 2]], 1), ([0.5, 1.5], 1)):
        with pytest.raises(ValueError, match=f"length={length}"):
            next_windows(numbers, length)


def test_the_manual_is_plain_text_without_repetitions():
    text = python_manual()
    assert len(text) > 300_000
    assert set(text) <= {chr(i) for i in range(32, 127)} | {"\n"}
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n")]
    assert len(set(paragraphs)) > 0.99 * len(paragraphs)
    assert python_manual() is text
