"""Every name that a user of PyTorch may type is there, and right to second order."""

from __future__ import annotations

import pytest

import autograd
from tests import surface
from tests.surface_calls import CALLS

NAMES = surface.DIFFERENTIABLE.split()


def test_every_differentiable_name_has_a_call():
    assert set(CALLS) == set(NAMES)


@pytest.mark.parametrize("kind", surface.LISTS)
def test_no_name_is_missing(kind):
    assert [name for name in surface.LISTS[kind].split() if not surface.is_present(name)] == []


@pytest.mark.parametrize("kind", ["not differentiable", "transforms"])
def test_every_name_is_compared_with_pytorch(kind):
    assert [str(item) for item in surface.look(surface.LISTS[kind], False) if not item.holds] == []


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_a_name(name):
    (item,) = surface.look(name, True)
    assert item.holds, item


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_as_in_pytorch(torch, name):
    assert surface.difference(name, torch) in {surface.GOOD, *surface.EXCUSES}


class Rough(autograd.Function):
    """A square whose derivative is right, and is a constant to whoever differentiates it again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2.0 * x.detach()


def test_what_is_wrong_is_told(monkeypatch, capsys):
    """A name that is missing, a wrong gradient, and one that is wrong to second order only."""
    monkeypatch.setitem(CALLS, "sin", lambda lib, a, b: a * a.detach())
    monkeypatch.setitem(CALLS, "cos", lambda lib, a, b: Rough.apply(a))
    monkeypatch.setitem(surface.LISTS, "differentiable", "no_such_name sin cos tan")
    monkeypatch.setattr(surface.importlib.util, "find_spec", lambda name: None)
    assert surface.main() == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {name: tuple(rest) for mark, name, *rest in filter(None, lines) if mark == "!"} == {
        "no_such_name": ("missing", "-", "-", "-"),
        "sin": ("yes", "yes", "fails", "fails"),
        "cos": ("yes", "yes", "yes", "fails"),
    }
