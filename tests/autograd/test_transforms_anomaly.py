"""detect_anomaly: the op, the line, the element and its inputs, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import Tensor, detect_anomaly, set_detect_anomaly
from autograd.watch import WATCHERS


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield
    assert not WATCHERS


def test_forward():
    x = Tensor(np.array([[1.0, 2.0], [3.0, -4.0]]))
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        (x * 2).log()  # the line to be named
    said = str(caught.value)
    for word in ("log made", "(1, 1)", "x[1, 1] = -8.0", "# the line to be named", "nan"):
        assert word in said
    with pytest.raises(RuntimeError, match=r"div made.* has inf as element"), detect_anomaly():
        autograd.div(x, Tensor(np.array([1.0, 0.0])))


def test_backward():
    x = Tensor(np.array([1.0, 0.0]), requires_grad=True)
    with detect_anomaly():
        y = x.sqrt()  # whose slope is infinite
        with pytest.raises(RuntimeError) as caught:
            y.sum().backward()
    said = str(caught.value)
    for word in ("backward of sqrt", "(1,)", "# whose slope is infinite", "the gradient"):
        assert word in said
    y = x.sqrt().sum()
    with pytest.raises(RuntimeError, match="outside of detect_anomaly"), detect_anomaly():
        y.backward()


def test_values_that_came_in_are_nobodys_fault():
    mask = Tensor(np.array([0.0, -np.inf]))
    with detect_anomaly():
        y = (Tensor(np.ones(2)) + mask).exp()
    assert y.tolist()[1] == 0.0


def test_switches():
    x = Tensor(np.array([-1.0]))
    with detect_anomaly(check_nan=False):
        x.log()
    set_detect_anomaly(True)
    try:
        with set_detect_anomaly(False):
            x.log()
        with pytest.raises(RuntimeError, match="log made"):
            x.log()
    finally:
        set_detect_anomaly(False)
    x.log()
    assert not WATCHERS


def test_the_same_results():
    x = autograd.randn(3, 3, requires_grad=True)
    with detect_anomaly():
        (x.softmax(1) @ x).tanh().sum().backward()
    found, x.grad = x.grad, None
    (x.softmax(1) @ x).tanh().sum().backward()
    assert (found == x.grad).all()
