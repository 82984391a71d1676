"""ParameterList and ParameterDict."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import autograd
import nn


def test_a_list_registers_what_it_holds():
    held = nn.Parameter(autograd.zeros(2))
    weights = nn.ParameterList([autograd.ones(2, 3), held, "text"])
    assert [type(value).__name__ for value in weights] == ["Parameter", "Parameter", "str"]
    assert list(weights.state_dict()) == ["0", "1"]
    assert weights[1] is held is weights[-2]
    weights += [autograd.ones(1)]
    assert len(weights.append(autograd.ones(4))) == 5
    assert [value.shape for value in weights[3:]] == [(1,), (4,)]
    assert weights[::-1][0].shape == (4,)
    weights[0] = autograd.zeros(7)
    assert [name for name, _ in weights.named_parameters()] == ["0", "1", "3", "4"]
    weights[1] = 5
    assert [name for name, _ in weights.named_parameters()] == ["0", "3", "4"]
    for bad in (5, -6):
        with pytest.raises(IndexError, match=str(bad)):
            weights[bad]
    with pytest.raises(TypeError, match="extend"):
        weights.extend(autograd.ones(2))
    with pytest.raises(RuntimeError, match="called"):
        weights()


def test_a_dict_registers_what_it_holds():
    weights = nn.ParameterDict({"b": autograd.ones(2), "a": autograd.ones(3)})
    assert list(weights) == ["a", "b"]
    ordered = nn.ParameterDict(OrderedDict(b=autograd.ones(2), a=autograd.ones(3)))
    assert list(ordered) == ["b", "a"] == list(ordered.state_dict())
    assert list(reversed(ordered)) == ["a", "b"]
    assert list(nn.ParameterDict([("z", autograd.ones(1)), ("a", 3)]).keys()) == ["z", "a"]
    assert weights.setdefault("c", autograd.ones(4)).shape == (4,)
    assert weights.setdefault("c").shape == (4,)
    assert weights.get("d", 7) == 7
    assert weights.pop("a").shape == (3,)
    assert weights.popitem()[0] == "c"
    assert list(weights.state_dict()) == ["b"]
    both = weights | ordered
    assert both["b"] is ordered["b"]
    assert list({"q": autograd.ones(1)} | weights) == ["q", "b"]
    weights |= ordered
    assert [key for key, _ in weights.items()] == ["b", "a"]
    assert list(weights.fromkeys(["x", "y"], 1).values()) == [1, 1]
    weights["b"] = None
    assert list(weights.state_dict()) == ["a"]
    weights.clear()
    assert len(weights) == 0
    for bad in ("keys", "", "a.b"):
        with pytest.raises(KeyError):
            weights[bad] = autograd.ones(1)
    assert len(weights) == 0
    with pytest.raises(KeyError):
        weights.popitem()
    with pytest.raises(KeyError):
        del weights["x"]
    with pytest.raises(TypeError, match="str"):
        weights[1] = autograd.ones(1)  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(RuntimeError, match="called"):
        weights()


def test_they_learn_and_print():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.many = nn.ParameterList([autograd.ones(2), 3])
            self.named = nn.ParameterDict({"scale": autograd.ones(2)})

        def forward(self, x):
            return x * self.many[0] * self.named["scale"]

    model = Model()
    model(autograd.ones(2)).sum().backward()
    assert {name: p.grad is not None for name, p in model.named_parameters()} == {
        "many.0": True,
        "named.scale": True,
    }
    assert repr(model.double().many) == (
        "ParameterList(\n    (0): Parameter containing: [float64 of size 2]\n"
        "    (1): Object of type: int\n)"
    )


def test_state_and_text_as_in_pytorch(torch):
    ours = nn.ParameterDict({"b": autograd.ones(2, 3), "a": autograd.ones(1), "c": "x"})
    theirs = torch.nn.ParameterDict({"b": torch.ones(2, 3), "a": torch.ones(1), "c": "x"})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs).replace("torch.FloatTensor", "float32")
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    listed = nn.ParameterList([autograd.ones(2, 3), 1.0])
    beside = torch.nn.ParameterList([torch.ones(2, 3), 1.0])
    assert repr(listed) == repr(beside).replace("torch.", "")
