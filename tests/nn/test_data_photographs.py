"""The two photographs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd
import nn

pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install dagrad[data]")
pytest.importorskip("PIL", reason="Pillow is not installed: pip install dagrad[images]")


def test_photographs_are_a_batch_of_images():
    images = nn.data.photographs()
    assert images.shape == (2, 3, 427, 640)
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert images.min() == 0
    assert images.max() == 1
    assert nn.Conv2d(3, 2, 3)(autograd.tensor(images)).shape == (2, 2, 425, 638)


def test_each_call_gives_an_array_of_its_own():
    images = nn.data.photographs()
    images[:] = 0
    assert nn.data.photographs().max() == 1


def test_channels_are_those_of_the_files():
    """The sky over the temple is blue; the flower, in the middle of its picture, is red."""
    temple, flower = nn.data.photographs()
    red, _, blue = temple[:, :40, :40].mean((1, 2))
    assert blue > red
    red, green, _ = flower[:, 140:280, 200:420].mean((1, 2))
    assert red > green


@pytest.mark.parametrize("name", ["PIL", "sklearn.datasets"])
def test_what_is_missing_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"dagrad\[data,images\]"):
        nn.data.photographs()
