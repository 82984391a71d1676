"""Module: registering, walking, state, hooks, text. Torch is met at the end."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import autograd
import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(autograd.ones(1))
        self.register_buffer("seen", autograd.zeros(2), persistent=False)
        self.last = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.last(self.norm(self.first(x))) * self.scale


KEYS = [
    "scale",
    "first.weight",
    "first.bias",
    "norm.weight",
    "norm.bias",
    "norm.running_mean",
    "norm.running_var",
    "norm.num_batches_tracked",
    "last.weight",
]


def values(module):
    return {name: tensor.array().copy() for name, tensor in module.state_dict().items()}


# ------------------------------------------------------------------ Parameter, Buffer


def test_parameter_requires_grad_and_its_results_are_plain_tensors():
    p = nn.Parameter(autograd.ones(2))
    assert isinstance(p, autograd.Tensor)
    assert p.requires_grad
    assert p.is_leaf
    assert type(p * 2) is type(p.detach()) is type(p[0]) is autograd.Tensor
    (p * 3).sum().backward()
    assert p.grad is not None
    assert p.grad.tolist() == [3.0, 3.0]


def test_parameter_shares_memory_and_may_be_frozen():
    array = np.zeros(2, np.float32)
    p = nn.Parameter(array, requires_grad=False)
    array[0] = 1.0
    assert not p.requires_grad
    assert p.tolist() == [1.0, 0.0]
    assert nn.Parameter().shape == (0,)
    y = autograd.ones(2, requires_grad=True) * 2
    assert nn.Parameter(y).is_leaf


def test_integer_parameter_is_refused():
    with pytest.raises(TypeError, match="floating-point"):
        nn.Parameter(autograd.arange(3))
    assert nn.Parameter(autograd.arange(3), requires_grad=False).dtype == np.int64


def test_parameter_text():
    assert repr(nn.Parameter(autograd.zeros(1))) == (
        "Parameter containing:\ntensor([0.], requires_grad=True)"
    )


def test_buffer_registers_itself():
    m = nn.Module()
    m.a = nn.Buffer(autograd.ones(1))
    m.b = nn.Buffer(autograd.ones(2), persistent=False)
    assert [name for name, _ in m.named_buffers()] == ["a", "b"]
    assert list(m.state_dict()) == ["a"]
    assert repr(m.a) == "tensor([1.])"
    assert type(m.a + 1) is autograd.Tensor


# ------------------------------------------------------------------ registering


def test_assignment_registers_and_deletion_unregisters():
    net = Net()
    assert list(net.state_dict()) == KEYS
    assert [name for name, _ in net.named_children()] == ["first", "norm", "last"]
    del net.norm
    del net.scale
    del net.seen
    assert list(net.state_dict()) == ["first.weight", "first.bias", "last.weight"]
    assert not hasattr(net, "norm")
    assert list(net.buffers()) == []
    with pytest.raises(AttributeError):
        del net.norm


def test_an_attribute_may_change_its_kind():
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(autograd.ones(1))
    assert [n for n, _ in m.named_parameters()] == ["x"]
    m.x = nn.ReLU()
    assert [n for n, _ in m.named_parameters()] == []
    assert [n for n, _ in m.named_children()] == ["x"]
    m.x = nn.Buffer(autograd.ones(1))
    assert list(m.children()) == []
    m.x = nn.Parameter(autograd.ones(1))
    assert list(m.buffers()) == []
    assert len(list(m.parameters())) == 1


def test_replacing_keeps_the_place():
    m = nn.Module()
    m.a, m.b = nn.Parameter(autograd.ones(1)), nn.Parameter(autograd.ones(1))
    m.a = nn.Parameter(autograd.zeros(1))
    assert list(m.state_dict()) == ["a", "b"]


def test_none_empties_a_place_that_can_be_filled_again():
    net = Net()
    for name in ("scale", "norm", "seen"):
        setattr(net, name, None)
    assert list(net.state_dict()) == ["first.weight", "first.bias", "last.weight"]
    assert list(net.buffers()) == []
    assert "(norm): None" in repr(net)
    net.scale = nn.Parameter(autograd.ones(1))
    assert next(iter(net.state_dict())) == "scale"


def test_a_buffer_takes_any_tensor():
    net = Net()
    net.seen = autograd.ones(2)
    assert next(iter(net.buffers())).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", autograd.ones(1)),
        ("scale", 1.0),
        ("first", autograd.ones(1)),
        ("first", "x"),
        ("seen", np.ones(2)),
    ],
)
def test_an_attribute_of_a_wrong_kind_is_refused(name, value):
    net = Net()
    before = getattr(net, name)
    with pytest.raises(TypeError, match=name):
        setattr(net, name, value)
    assert getattr(net, name) is before


def test_assigning_before_init_is_refused():
    class Early(nn.Module):
        def __init__(self):
            self.layer = nn.ReLU()

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Early()


def test_registering_before_init_is_refused():
    class Early(nn.Module):
        def __init__(self):
            self.register_buffer("x", None)

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Early()


def test_a_property_answers_for_its_name():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(autograd.ones(1))

        @property
        def weight(self):
            return self.inner

        @weight.setter
        def weight(self, value):
            self.inner = value

    assert list(Tied().state_dict()) == ["inner"]


@pytest.mark.parametrize("method", ["register_parameter", "register_buffer", "add_module"])
@pytest.mark.parametrize(
    ("name", "error"),
    [("", KeyError), ("a.b", KeyError), ("forward", KeyError), ("taken", KeyError), (1, TypeError)],
)
def test_bad_names_are_refused(method, name, error):
    m = nn.Module()
    m.taken = 1
    with pytest.raises(error):
        getattr(m, method)(name, None)


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("register_parameter", autograd.ones(1)),
        ("register_buffer", np.ones(1)),
        ("add_module", nn.Parameter(autograd.ones(1))),
    ],
)
def test_bad_values_are_refused(method, value):
    m = nn.Module()
    with pytest.raises(TypeError, match="x"):
        getattr(m, method)("x", value)
    assert not hasattr(m, "x")


# ------------------------------------------------------------------ walking


def test_shared_parameters_and_modules_are_yielded_once():
    layer = nn.Linear(2, 2)
    m = nn.Sequential(layer, layer)
    m.tied = layer.weight
    assert [n for n, _ in m.named_parameters()] == ["tied", "0.bias"]
    assert [n for n, _ in m.named_modules()] == ["", "0"]
    assert len(list(m.children())) == 1
    assert len(list(m.named_parameters(remove_duplicate=False))) == 5
    assert [n for n, _ in m.named_modules(remove_duplicate=False)] == ["", "0", "1"]
    # The state has every name, as in PyTorch.
    assert list(m.state_dict()) == ["tied", "0.weight", "0.bias", "1.weight", "1.bias"]


def test_names_prefixes_and_recursion():
    net = Net()
    assert [n for n, _ in net.named_parameters(prefix="net")][:2] == [
        "net.scale",
        "net.first.weight",
    ]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.named_buffers(recurse=False)] == ["seen"]
    assert [n for n, _ in net.named_modules(prefix="net")] == [
        "net",
        "net.first",
        "net.norm",
        "net.last",
    ]
    assert next(iter(net.state_dict(prefix="net."))) == "net.scale"


def test_get_by_dotted_name():
    m = nn.Sequential(Net())
    assert m.get_submodule("") is m
    assert m.get_submodule("0.first") is m[0].first
    assert m.get_parameter("0.first.bias") is m[0].first.bias
    assert m.get_buffer("0.norm.running_mean") is m[0].norm.running_mean
    for get, name in [
        (m.get_submodule, "0.absent"),
        (m.get_submodule, "0.scale"),
        (m.get_parameter, "0.first"),
        (m.get_parameter, "0.last.bias"),
        (m.get_buffer, "0.scale"),
    ]:
        with pytest.raises(AttributeError):
            get(name)


def test_a_missing_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Net"):
        _ = Net().absent


# ------------------------------------------------------------------ state


def test_state_dict_shares_memory_and_does_not_require_grad():
    net = Net()
    state = net.state_dict()
    state["scale"].fill_(5.0)
    assert net.scale.item() == 5.0
    assert not any(tensor.requires_grad for tensor in state.values())
    assert net.state_dict(keep_vars=True)["scale"] is net.scale


def test_load_round_trip_keeps_the_objects():
    a, b = Net(), Net()
    kept = dict(a.named_parameters())
    result = a.load_state_dict(b.state_dict())
    assert result == ([], [])
    assert repr(result) == "<All keys matched successfully>"
    assert all(a.get_parameter(name) is p for name, p in kept.items())
    for name, array in values(b).items():
        np.testing.assert_array_equal(values(a)[name], array)
    assert not np.shares_memory(a.scale.array(), b.scale.array())


def test_loading_converts_dtypes_and_takes_arrays():
    net = Net()
    state = {name: array.astype(np.float64) for name, array in values(net).items()}
    state["norm.num_batches_tracked"] = np.array(7, np.int32)
    net.load_state_dict(state)
    assert net.scale.dtype == np.float32
    assert net.norm.num_batches_tracked is not None
    assert net.norm.num_batches_tracked.item() == 7


def test_every_problem_is_listed_and_nothing_is_loaded():
    net = Net()
    before = values(net)
    state: dict[str, object] = {name: array + 1 for name, array in before.items()}
    del state["scale"]
    del state["first.bias"]
    state["extra"] = np.ones(1)
    state["more.extra"] = np.ones(1)
    state["last.weight"] = np.ones((2, 5), np.float32)
    state["norm.weight"] = "text"
    state["norm.num_batches_tracked"] = np.array(1.5)
    with pytest.raises(RuntimeError, match="nothing was loaded") as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert 'Missing key(s) in state_dict: "scale", "first.bias".' in text
    assert 'Unexpected key(s) in state_dict: "extra", "more.extra".' in text
    assert "size mismatch for last.weight: shape (2, 5) in the state_dict, (2, 4)" in text
    assert '"norm.weight": expected a Tensor or an ndarray, met a str' in text
    assert "dtype mismatch for norm.num_batches_tracked: float64" in text
    after = values(net)
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_loading_not_strictly():
    net = Net()
    result = net.load_state_dict({"scale": np.full(1, 3.0), "extra": np.ones(1)}, strict=False)
    assert net.scale.item() == 3.0
    assert result.missing_keys == KEYS[1:]
    assert result.unexpected_keys == ["extra"]
    assert "extra" in repr(result)
    with pytest.raises(RuntimeError, match="size mismatch for scale"):
        net.load_state_dict({"scale": np.ones(2)}, strict=False)
    with pytest.raises(TypeError, match="dict"):
        net.load_state_dict([1])  # pyright: ignore[reportArgumentType] - the mistake under test


def test_read_only_memory_is_refused_before_anything_is_loaded():
    m = nn.Module()
    m.a = nn.Parameter(np.zeros(1))
    locked = np.zeros(1)
    locked.flags.writeable = False
    m.b = nn.Parameter(locked)
    with pytest.raises(RuntimeError, match=r"b: .*read-only"):
        m.load_state_dict({"a": np.ones(1), "b": np.ones(1)})
    assert m.a.item() == 0.0


def test_loading_between_forward_and_backward_is_noticed():
    layer = nn.Linear(2, 2)
    x = autograd.ones(1, 2, requires_grad=True)
    y = layer(x).sum()
    layer.load_state_dict(nn.Linear(2, 2).state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_buffers_are_loaded_in_place():
    norm = nn.BatchNorm1d(2)
    mean = norm.running_mean
    norm.load_state_dict(nn.BatchNorm1d(2).state_dict())
    assert norm.running_mean is mean


# ------------------------------------------------------------------ the whole tree


def test_train_and_eval_reach_every_module():
    net = nn.Sequential(Net(), nn.Dropout())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="mode"):
        net.train(1)  # pyright: ignore[reportArgumentType] - the mistake under test


def test_zero_grad():
    net = Net()
    for set_to_none in (True, False):
        net(autograd.randn(5, 3)).sum().backward()
        grads = [p.grad for p in net.parameters()]
        assert None not in grads
        net.zero_grad(set_to_none)
        for p, old in zip(net.parameters(), grads, strict=True):
            assert p.grad is (None if set_to_none else old)
            if old is not None and not set_to_none:
                assert not old.array().any()
    net.zero_grad()


def test_zero_grad_of_a_recorded_gradient():
    layer = nn.Linear(1, 1)
    (layer(autograd.ones(1, 1)) ** 2).sum().backward(create_graph=True)
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad is not None
    assert not layer.weight.grad.requires_grad
    assert layer.weight.grad.item() == 0.0


def test_requires_grad_and_apply():
    net = Net()
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())
    order = []
    assert net.apply(lambda m: order.append(type(m).__name__)) is net
    assert order == ["Linear", "BatchNorm1d", "Linear", "Net"]


def test_to_converts_floats_only_and_trains_on():
    net = Net()
    weight, mean = net.first.weight, net.norm.running_mean
    net(autograd.randn(5, 3)).sum().backward()
    assert net.double() is net
    assert net.first.weight is weight
    assert net.norm.running_mean is mean
    assert {p.dtype.name for p in net.parameters()} == {"float64"}
    assert all(p.grad is not None and p.grad.dtype == np.float64 for p in net.parameters())
    assert net.norm.num_batches_tracked is not None
    assert net.norm.num_batches_tracked.dtype == np.int64
    net.zero_grad()
    net(autograd.randn(5, 3, dtype=np.float64)).sum().backward()
    assert all(p.grad is not None and p.grad.dtype == np.float64 for p in net.parameters())
    assert net.float().scale.dtype == np.float32
    for bad in (np.int64, "cuda"):
        with pytest.raises(TypeError):
            net.to(bad)


def test_to_keeps_frozen_parameters_frozen_and_sharing():
    layer = nn.Linear(2, 2).requires_grad_(False)
    m = nn.Sequential(layer, layer).to(np.float64)
    assert m[0] is m[1]
    assert not layer.weight.requires_grad


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_keep_sharing(duplicate):
    net = nn.Sequential(Net(), nn.Linear(2, 2), nn.Linear(2, 2)).eval()
    net[2].weight = net[1].weight
    net.extra = "kept"
    twin = duplicate(net)
    assert repr(twin) == repr(net)
    assert list(twin.state_dict()) == list(net.state_dict())
    assert twin[2].weight is twin[1].weight
    assert isinstance(twin[1].weight, nn.Parameter)
    assert twin.extra == "kept"
    assert not twin.training
    assert len(list(twin.parameters())) == len(list(net.parameters()))
    twin[1].weight.detach().fill_(9.0)
    assert not (net[1].weight == 9.0).any()
    x = autograd.randn(4, 3)
    twin.load_state_dict(net.state_dict())
    assert (twin(x) == net(x)).all()
    twin.train()(x).sum().backward()
    assert all(p.grad is None for p in net.parameters())


def test_a_module_is_freed_by_reference_counts():
    gc.disable()
    try:
        net = Net()
        net(autograd.randn(5, 3)).sum().backward()
        gone = weakref.ref(net)
        del net
        assert gone() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------ calls and hooks


def test_a_module_without_forward():
    with pytest.raises(NotImplementedError, match=r"Module defines no forward\(\)"):
        nn.Module()(1)


class Affine(nn.Module):
    def forward(self, x, *, shift=0):
        return x * 2 + shift


def test_forward_hooks_run_in_order_and_replace():
    m = Affine()
    seen = []
    m.register_forward_pre_hook(lambda module, args: seen.append(("pre", args)))
    m.register_forward_pre_hook(lambda module, args: args[0] + 1)
    m.register_forward_pre_hook(lambda module, args: (args[0] + 10,))
    m.register_forward_hook(lambda module, args, y: seen.append(("post", args, y)))
    m.register_forward_hook(lambda module, args, y: -y)
    assert m(1) == -24
    assert seen == [("pre", (1,)), ("post", (12,), 24)]


def test_forward_hooks_with_kwargs_and_prepend():
    m = Affine()
    order = []
    m.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"shift": kwargs["shift"] + 1}), with_kwargs=True
    )
    m.register_forward_hook(
        lambda module, args, kwargs, y: order.append(("late", kwargs)), with_kwargs=True
    )
    m.register_forward_hook(lambda module, args, y: order.append(("early", y)), prepend=True)
    assert m(1, shift=3) == 6
    assert order == [("early", 6), ("late", {"shift": 4})]


def test_a_hook_may_remove_itself():
    m = nn.Identity()
    calls = []

    def once(module, args):
        calls.append(1)
        handle.remove()

    handle = m.register_forward_pre_hook(once)
    assert m(1) == m(2) - 1 == 1
    assert calls == [1]
    handle.remove()


def test_a_pre_hook_that_returns_nonsense_is_refused():
    m = Affine()
    m.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="pair"):
        m(1)


# ------------------------------------------------------------------ containers


def layers(n):
    return [nn.Linear(i + 1, i + 2) for i in range(n)]


def test_sequential_indexing_and_changes():
    a, b, c = layers(3)
    m = nn.Sequential(a, b, c)
    assert (len(m), m[0], m[-1]) == (3, a, c)
    assert list(m) == [a, b, c]
    assert list(m[1:]) == [b, c]
    assert list(m[1:].state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    relu = nn.ReLU()
    m[1] = relu
    assert list(m) == [a, relu, c]
    del m[0]
    assert [n for n, _ in m.named_children()] == ["0", "1"]
    assert m.append(a) is m
    assert m.insert(0, b) is m
    assert list(m) == [b, relu, c, a]
    assert m.pop() is a
    assert m.pop(0) is b
    m.extend([a, b])
    m += [nn.Tanh()]
    assert len(m + nn.Sequential(nn.ReLU())) == 6
    assert len(m) == 5
    del m[1:3]
    assert list(m)[:2] == [relu, b]


def test_sequential_of_names():
    m = nn.Sequential(OrderedDict([("up", nn.Linear(1, 2)), ("act", nn.ReLU())]))
    assert list(m.state_dict()) == ["up.weight", "up.bias"]
    assert m[1] is m.act
    assert [n for n, _ in m[1:].named_children()] == ["act"]
    assert m(autograd.ones(3, 1)).shape == (3, 2)


def test_one_module_may_stand_twice_in_a_sequential():
    layer = nn.Linear(2, 2)
    m = nn.Sequential(layer, layer)
    assert len(m) == len(list(m)) == 2
    x = autograd.ones(1, 2)
    assert (m(x) == layer(layer(x))).all()


@pytest.mark.parametrize("cls", [nn.Sequential, lambda *m: nn.ModuleList(m)])
def test_numbered_errors(cls):
    m = cls(nn.ReLU())
    for index in (1, -2):
        with pytest.raises(IndexError, match="out of range"):
            m[index]
    for act in (
        lambda: m["0"],
        lambda: cls(3),
        lambda: m.append(3),
        lambda: m.insert(0, 3),
        lambda: m.extend(3),
        lambda: m.__setitem__(0, 3),
    ):
        with pytest.raises(TypeError):
            act()
    assert len(m) == 1


def test_module_list():
    a, b, c = layers(3)
    m = nn.ModuleList([a, b])
    m.append(c)
    assert list(m) == [a, b, c]
    assert list(m[1:]) == [b, c]
    assert [n for n, _ in m[1:].named_children()] == ["0", "1"]
    assert list(m + nn.ModuleList([a]))[3] is a
    assert len(nn.ModuleList(layers(12)).state_dict()) == 24
    assert list(nn.ModuleList(layers(12)))[11].in_features == 12
    with pytest.raises(NotImplementedError):
        m(1)


def test_module_dict():
    m = nn.ModuleDict({"a": nn.ReLU()})
    m["b"] = nn.Linear(1, 1)
    assert list(m) == list(m.keys()) == ["a", "b"]
    assert "b" in m
    assert 3 not in m
    assert next(iter(m.values())) is dict(m.items())["a"] is m["a"]
    m.update([("c", nn.Tanh())])
    assert m.pop("c").__class__ is nn.Tanh
    del m["a"]
    assert list(m.state_dict()) == ["b.weight", "b.bias"]
    for key in ("a", "training", "keys"):
        with pytest.raises(KeyError):
            m[key]
        with pytest.raises(KeyError):
            del m[key]
    for key in ("keys", "", "a.b", "training"):
        with pytest.raises(KeyError):
            m[key] = nn.ReLU()
    with pytest.raises(TypeError):
        m.update({"new": nn.ReLU(), "wrong": 3})  # pyright: ignore[reportArgumentType] - on purpose
    assert "new" not in m
    m.clear()
    assert len(m) == 0


# ------------------------------------------------------------------ against torch


class Both:
    """One model, built from either library."""

    @staticmethod
    def build(lib):
        class Block(lib.Module):
            def __init__(self):
                super().__init__()
                self.conv = lib.Conv2d(2, 4, 3, padding=1, bias=False)
                self.norm = lib.BatchNorm2d(4)
                self.act = lib.ReLU(inplace=True)
                self.gain = lib.Parameter(lib.Conv2d(1, 1, 1).weight.detach())
                self.many = lib.ModuleList([lib.Linear(2, 2), lib.Linear(2, 2), lib.ReLU()])
                self.named = lib.ModuleDict({"x": lib.Dropout(0.25), "y": lib.Identity()})
                self.empty = lib.ModuleList()

        return lib.Sequential(
            Block(),
            lib.Sequential(lib.MaxPool2d(2), lib.AvgPool2d((2, 3), 2), lib.Flatten()),
            lib.Sequential(),
            lib.Softplus(2.0),
            lib.Softmax(dim=1),
            lib.LogSoftmax(1),
            lib.BatchNorm1d(3, momentum=None, affine=False),
            lib.Conv2d(4, 8, (3, 5), 2, (1, 2), 2, 4),
            lib.Conv2d(4, 8, 3, padding="same"),
            lib.Sigmoid(),
            lib.Tanh(),
            lib.CrossEntropyLoss(),
            lib.MSELoss(),
            lib.NLLLoss(),
        )


def test_text_and_keys_are_torchs(torch):
    ours, theirs = Both.build(nn), Both.build(torch.nn)
    assert repr(ours) == repr(theirs)
    assert repr(ours[0].many) == repr(theirs[0].many)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, tensor in theirs.state_dict().items():
        mine = ours.state_dict()[name]
        assert mine.shape == tuple(tensor.shape), name
        assert str(mine.dtype) == str(tensor.dtype).removeprefix("torch."), name
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]


def test_parameter_text_is_torchs(torch):
    ours, theirs = nn.Parameter(autograd.ones(2)), torch.nn.Parameter(torch.ones(2))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    "name",
    [
        "Linear",
        "Conv2d",
        "MaxPool2d",
        "AvgPool2d",
        "BatchNorm1d",
        "BatchNorm2d",
        "Dropout",
        "Flatten",
        "ReLU",
        "Softplus",
        "Softmax",
        "LogSoftmax",
        "CrossEntropyLoss",
        "NLLLoss",
        "MSELoss",
        "ModuleList",
        "ModuleDict",
    ],
)
def test_signatures_are_torchs(torch, name):
    import inspect

    def shape(cls):
        return [(p.name, p.default, p.kind) for p in inspect.signature(cls).parameters.values()]

    assert shape(getattr(nn, name)) == shape(getattr(torch.nn, name))


def test_method_signatures_are_torchs(torch):
    import inspect

    for name in [
        "register_buffer",
        "register_parameter",
        "add_module",
        "named_parameters",
        "parameters",
        "named_buffers",
        "buffers",
        "named_modules",
        "named_children",
        "zero_grad",
        "requires_grad_",
        "train",
        "eval",
        "apply",
        "get_submodule",
        "get_parameter",
    ]:
        ours = inspect.signature(getattr(nn.Module, name)).parameters
        theirs = inspect.signature(getattr(torch.nn.Module, name)).parameters
        assert list(ours) == list(theirs), name
        assert [p.default for p in ours.values()] == [p.default for p in theirs.values()], name


def test_a_state_of_torch_loads(torch):
    theirs = Both.build(torch.nn)
    ours = Both.build(nn)
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    for name, tensor in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name].array(), tensor.numpy())
