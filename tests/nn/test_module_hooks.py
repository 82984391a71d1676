"""Backward hooks of modules, hooks of the state, and where things are put and found."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import numpy as np
import pytest

import autograd
import nn


class Two(nn.Module):
    def forward(self, a, b=None, *, factor=1.0):
        return a * 2 * factor, None if b is None else b * 3


def shapes(grads):
    return [None if grad is None else tuple(grad.shape) for grad in grads]


def test_backward_hooks_see_and_replace():
    layer, met = nn.Linear(2, 3), []
    layer.register_full_backward_pre_hook(lambda module, grads: met.append(shapes(grads)))
    layer.register_full_backward_hook(
        lambda module, inputs, outputs: met.append((shapes(inputs), shapes(outputs)))
    )
    x = autograd.ones(4, 2, requires_grad=True)
    y = layer(x).sum()
    y.backward(retain_graph=True)
    assert met == [[(4, 3)], ([(4, 2)], [(4, 3)])]
    y.backward()  # and once more through the same graph
    assert len(met) == 4
    plain = x.grad
    layer.register_full_backward_hook(lambda module, inputs, outputs: inputs[0] * 0)
    x.grad = None
    layer(x).sum().backward()
    assert plain is not None
    assert x.grad is not None
    assert plain.abs().sum() > 0
    assert x.grad.abs().sum() == 0
    assert layer.weight.grad is not None  # parameters are not what the hook sees


def test_the_old_name_of_backward_hooks_has_the_new_meaning():
    layer, met = nn.Sequential(nn.Linear(2, 3), nn.Tanh()), []
    layer.register_backward_hook(lambda module, inputs, outputs: met.append(shapes(inputs)))
    layer(autograd.ones(4, 2, requires_grad=True)).sum().backward()
    assert met == [[(4, 2)]]  # not those of the last op, which PyTorch shows here


def test_backward_hooks_without_inputs_that_require_grad():
    layer, met = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, i, o: met.append((i, shapes(o))))
    layer(autograd.ones(4, 2)).sum().backward()
    assert met == [((None,), [(4, 3)])]
    with autograd.no_grad():
        layer(autograd.ones(4, 2))
    layer.register_full_backward_hook(lambda m, i, o: (o[0],))
    with pytest.raises(RuntimeError, match="require none"):
        layer(autograd.ones(4, 2)).sum().backward()


def test_backward_hooks_of_several_arguments_and_results():
    module, met = Two(), []
    module.register_full_backward_hook(lambda m, i, o: met.append((shapes(i), len(o))))
    a, b = autograd.ones(2, requires_grad=True), autograd.ones(3, requires_grad=True)
    first, second = module(a, b, factor=2.0)
    (first.sum() + second.sum()).backward()
    assert met == [([(2,), (3,)], 2)]
    assert a.grad is not None
    assert a.grad.tolist() == [4, 4]
    first, second = module(a)
    assert second is None
    first.sum().backward()
    assert met[1] == ([(2,)], 1)
    handle = module.register_full_backward_hook(lambda m, i, o: (None, None, None))
    with pytest.raises(RuntimeError, match="2 gradients, not 3"):
        module(a, b)[0].sum().backward()
    handle.remove()
    handle.remove()
    module(a, b)[0].sum().backward()


def test_backward_hooks_warn_of_other_results():
    class Dict(nn.Module):
        def forward(self, x):
            return {"y": x * 2}

    module = Dict()
    module.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="not a dict"):
        module(autograd.ones(1, requires_grad=True))


def test_second_order_through_backward_hooks():
    layer = nn.Tanh()
    layer.register_full_backward_pre_hook(lambda module, grads: (grads[0] * 2,))
    x = autograd.tensor(np.array([0.3]), requires_grad=True)
    (slope,) = autograd.grad(layer(x).sum(), x, create_graph=True)
    (bend,) = autograd.grad(slope.sum(), x)
    y = np.tanh(0.3)
    np.testing.assert_allclose(bend.item(), 2 * -2 * y * (1 - y * y))


def test_hooks_leave_no_cycles_and_survive_copies():
    layer = nn.Linear(1, 1)
    seen = []
    layer.register_full_backward_hook(lambda m, i, o: seen.append(m))
    twin = copy.deepcopy(layer)
    gc.disable()
    try:
        y = twin(autograd.ones(1, 1, requires_grad=True)).sum()
        y.backward()
        assert seen == [twin]
        gone = weakref.ref(y.node)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_backward_hooks_as_in_pytorch(torch):
    def run(lib, nn, module):
        met = []

        def hook(m, inputs, outputs):
            met.append([None if g is None else g.tolist() for g in (*inputs, *outputs)])
            return tuple(None if g is None else g * 0.5 for g in inputs)

        module.register_full_backward_hook(hook)
        module.register_full_backward_pre_hook(lambda m, outputs: tuple(g + 1 for g in outputs))
        module.register_full_backward_hook(hook, prepend=True)
        x = lib.tensor([[1.0, 2.0]], requires_grad=True)
        module(x).sum().backward()
        return met, x.grad.tolist()

    ours, theirs = nn.Linear(2, 2), torch.nn.Linear(2, 2)
    for layer in (ours, theirs):
        layer.requires_grad_(False)
        for tensor in layer.parameters():
            tensor.fill_(0.5)
    assert run(autograd, nn, ours) == run(torch, torch.nn, theirs)


def test_a_forward_hook_that_is_always_called():
    class Bad(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    module, met = Bad(), []
    module.register_forward_hook(lambda m, args, out: met.append("plain"))
    module.register_forward_hook(lambda m, args, out: met.append(out), always_call=True)
    with pytest.raises(ValueError, match="no"):
        module(1)
    assert met == [None]
    with pytest.raises(TypeError, match="callable"):
        module.register_forward_hook(None)  # pyright: ignore[reportArgumentType] - wrong on purpose


# --- State ----------------------------------------------------------------------------------------


def test_state_hooks_run_in_every_module():
    model, met = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), []
    for module in model.modules():
        module.register_state_dict_pre_hook(lambda m, prefix, keep: met.append(prefix))
        module.register_load_state_dict_pre_hook(lambda m, state, prefix, *_: met.append(prefix))
        module.register_load_state_dict_post_hook(lambda m, keys: met.append("done"))
    state = model.state_dict()
    assert met == ["", "0.", "1."]
    model.load_state_dict(state)
    assert met[3:] == ["", "0.", "1.", "done", "done", "done"]


def test_a_post_hook_that_forgives_nothing_leaves_all_as_it_was():
    model, seen = nn.Linear(1, 1), []
    model.register_load_state_dict_post_hook(lambda m, keys: seen.append(m.weight.item()))
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    with pytest.raises(RuntimeError, match="Missing"):
        model.load_state_dict({"weight": np.array([[7.0]])})
    assert seen == [7.0]
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before


def test_extra_state():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 3

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    model = nn.Sequential(Counting())
    state = model.state_dict()
    assert state == {"0._extra_state": {"count": 3}}
    model[0].count = 0
    model.load_state_dict(state)
    assert model[0].count == 3
    with pytest.raises(RuntimeError, match="_extra_state"):
        model.load_state_dict({})


def test_values_can_be_assigned():
    model: Any = nn.BatchNorm1d(2)
    values = nn.BatchNorm1d(2, dtype=np.float64).state_dict()
    model.weight.requires_grad_(False)
    model.load_state_dict(values, assign=True)
    assert isinstance(model.weight, nn.Parameter)
    assert (model.weight.dtype, model.running_mean.dtype) == (np.float64, np.float64)
    assert not model.weight.requires_grad
    assert model.bias.requires_grad
    assert np.shares_memory(model.bias.array(), values["bias"].array())
    assert list(model.state_dict()) == list(values)


# --- Places ---------------------------------------------------------------------------------------


def test_set_submodule():
    model: Any = nn.Sequential(nn.Sequential(nn.ReLU()))
    model.set_submodule("0.0", nn.Tanh(), strict=True)
    assert isinstance(model[0][0], nn.Tanh)
    model.set_submodule("0.new", nn.ReLU())
    assert [name for name, _ in model.named_modules()] == ["", "0", "0.0", "0.new"]
    for target, module, error in (
        ("", nn.ReLU(), ValueError),
        ("0.0", "no module", TypeError),
        ("0.training", nn.ReLU(), AttributeError),
        ("1.0", nn.ReLU(), AttributeError),
    ):
        with pytest.raises(error):
            model.set_submodule(target, module)
    with pytest.raises(AttributeError, match="'7'"):
        model.set_submodule("0.7", nn.ReLU(), strict=True)
    model.register_module("last", nn.ReLU())
    assert list(dict(model.named_children())) == ["0", "last"]


def test_to_takes_what_pytorchs_takes():
    layer: Any = nn.BatchNorm1d(2)
    weight = layer.weight
    for call in (
        lambda: layer.to("cpu", np.float64),
        lambda: layer.to(dtype="float64"),
        lambda: layer.to(autograd.ones(1, dtype=np.float64)),
        lambda: layer.to(device="cpu", dtype=np.float64, non_blocking=True),
        lambda: layer.double(),
    ):
        layer.float()
        assert call() is layer
        assert (layer.weight.dtype, layer.num_batches_tracked.dtype) == (np.float64, np.int64)
    assert layer.to() is layer.cpu() is layer
    assert layer.half().weight.dtype == np.float16
    assert layer.type(np.float32).num_batches_tracked.dtype == np.float32
    assert layer.weight is weight
    for bad in (lambda: layer.to("cuda"), lambda: layer.to(np.int64), lambda: layer.to(what=1)):
        with pytest.raises(TypeError, match=r"^to: "):
            bad()
    with pytest.raises(TypeError, match="one dtype"):
        layer.to(np.float32, dtype=np.float64)


def test_shared_things_are_found_once_or_as_often_as_they_stand():
    layer = nn.Linear(1, 1)
    model = nn.Sequential(layer, layer)
    assert len(list(model.named_modules())) == 2
    assert len(list(model.named_modules(remove_duplicate=False))) == 3
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert len(model.state_dict()) == 4
    twin = copy.deepcopy(model)
    assert twin[0] is twin[1] is not layer
    assert twin[0].weight.tolist() == layer.weight.tolist()


def test_a_sequence_so_many_times():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    thrice = 3 * model
    assert [type(module).__name__ for module in thrice] == ["Linear", "ReLU"] * 3
    assert thrice[4] is model[0]
    assert len(list(thrice.parameters())) == 2
    model *= 2
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    wrong: list[tuple[Any, type[Exception]]] = [
        (0, ValueError),
        (1.5, TypeError),
        (True, TypeError),
    ]
    for bad, error in wrong:
        with pytest.raises(error, match="times"):
            _ = model * bad
