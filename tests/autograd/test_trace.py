"""trace: the graph of a function without values equals what eager computes."""

import math

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, Spec
from autograd.graph import OPS
from autograd.watch import WATCHERS
from tests.autograd.oracles import AT_RANDOM


def draw_from(seed):
    generator = np.random.default_rng(seed)
    return lambda shape, low=0.3, high=0.9: generator.uniform(low, high, shape)


def samples_of(op):
    """Arguments for an op: its own samples, or arrays from its domain."""
    draw = draw_from(len(op.name))
    if op.samples is not None:
        return op.samples(draw)
    ranges = op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * len(op.inputs)
    shapes = ((2, 3), (3,), (2, 1))
    arrays = tuple(draw(s, *r) for s, r in zip(shapes, ranges, strict=False))
    return [(arrays, {})]


def is_float(value):
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f"


@pytest.mark.parametrize("name", list(OPS))
def test_each_op_traced_forward_and_backward_equals_eager(name):
    op = OPS[name]
    for args, params in samples_of(op):
        floats = [i for i, a in enumerate(args) if is_float(a)]

        def run(*inputs, args=args, params=params, floats=floats):
            full = list(args)
            for i, x in zip(floats, inputs, strict=True):
                full[i] = x
            y = op.function(*full, **params)
            if not getattr(y, "requires_grad", False):
                return (y,)
            grads = autograd.grad(
                y, inputs, autograd.ones(*y.shape, dtype=np.float64), allow_unused=True
            )
            return (y, *grads)

        if not floats:
            continue  # of integers only, such as bitwise_and: nothing here is traced
        if name == "to_scalar":
            continue  # its gradient starts from a float: test_scalars
        if name in AT_RANDOM:
            params["generator"].manual_seed(1)
        inputs = [autograd.tensor(args[i], requires_grad=True) for i in floats]
        graph = autograd.trace(run, *inputs)
        expected = run(*inputs)
        if name in AT_RANDOM:
            params["generator"].manual_seed(1)
        got = graph(*inputs)
        assert any(step.op is op for step in graph.steps)
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            if b is None:
                assert a is None
            else:
                np.testing.assert_allclose(a, b.array(), rtol=1e-12, atol=1e-14)
                assert a.dtype == b.dtype


def test_whole_training_step_of_lenet5():
    autograd.manual_seed(0)
    model = nn.models.LeNet5()
    parameters = list(model.parameters())

    def step(x, target):
        loss = nn.functional.cross_entropy(model(x), target)
        grads = autograd.grad(loss, parameters)
        return loss, *(p - 0.1 * g for p, g in zip(parameters, grads, strict=True))

    x, target = autograd.randn(4, 1, 32, 32), autograd.tensor([3, 1, 4, 1])
    graph = autograd.trace(step, x, target)
    got, expected = graph(x, target), step(x, target)
    assert len(got) == 11
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-5, atol=1e-6)
    # Each parameter is one constant, however often forward and backward read it.
    held = [step.value for step in graph.steps if isinstance(step.value, nn.Parameter)]
    assert len(held) == len(set(map(id, held))) == 10
    # Shapes were right without values, node by node.
    for value, line in zip(graph.values(x, target), graph.steps, strict=True):
        assert value.shape == line.spec.shape
        assert value.dtype == line.spec.dtype
    assert "conv2d_weight" in str(graph)
    assert "# backward of conv2d" in str(graph)
    assert not WATCHERS


def test_constants_are_read_when_the_graph_runs():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    graph = autograd.trace(lambda x: (x * w).sum(), (2,))
    assert graph(np.ones(2, "f4")) == 3.0
    with autograd.no_grad():
        w.fill_(5.0)
    assert graph(np.ones(2, "f4")) == 10.0


def test_scalars():
    def slope(x):
        return autograd.grad(x * x * x, x)[0]

    graph = autograd.trace(slope, Scalar(0.0))
    assert graph(2.0) == 12.0
    assert isinstance(graph(2.0), float)

    def mixed(x):
        y = (x * autograd.ones(3)).sum()
        return y, autograd.grad(y, x)[0]

    assert autograd.trace(mixed, Scalar(0.0))(2.0) == (6.0, 3.0)
    nested = autograd.trace(lambda x: {"all": [x * 2, (x, None)], "n": 3}, Scalar(0.0))
    assert nested(2.0) == {"all": [4.0, (2.0, None)], "n": 3}


def test_second_order():
    def curvature(x):
        (slope,) = autograd.grad((x**4).sum(), x, create_graph=True)
        return autograd.grad(slope.sum(), x)[0]

    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_allclose(autograd.trace(curvature, x)(x), [12.0, 48.0])


def test_text():
    graph = autograd.trace(lambda x: (x @ x).relu() + 1, (2, 2))
    assert str(graph).splitlines() == [
        "graph(%0: float32[2, 2]):",
        "    %1: float32[2, 2] = matmul(%0, %0)",
        "    %2: float32[2, 2] = relu(%1)",
        "    %3: float32[2, 2] = add(%2, 1)",
        "    return %3",
    ]
    assert repr(graph) == "<Graph: 4 steps, 1 inputs>"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (bool, r"bool\(\) of a traced tensor float32\[\]"),
        (float, r"float\(\) of a traced tensor"),
        (int, r"int\(\) of a traced tensor"),
        (lambda x: x.item(), r"item\(\) of a traced tensor"),
        (lambda x: x.numpy(), "its values of a traced tensor"),
    ],
)
def test_values_are_refused_with_the_reason(ask, message):
    with pytest.raises(TypeError, match=message):
        autograd.trace(ask, ())
    assert not WATCHERS


def test_wrong_shapes_are_refused_while_tracing():
    with pytest.raises(ValueError, match=r"matmul: \(2, 3\) @ \(2, 3\)"):
        autograd.trace(lambda x: x @ x, (2, 3))


def test_inputs_are_checked_when_the_graph_runs():
    graph = autograd.trace(lambda x: x + 1, (2,))
    with pytest.raises(ValueError, match="has 1 inputs, not 2"):
        graph(np.ones(2, "f4"), np.ones(2, "f4"))
    with pytest.raises(ValueError, match=r"must be float32\[2\], not float32\[3\]"):
        graph(np.ones(3, "f4"))
    with pytest.raises(ValueError, match=r"not float64\[2\]"):
        graph(np.ones(2))
    with pytest.raises(TypeError, match="an input is described by"):
        autograd.trace(lambda x: x, "abc")
    with pytest.raises(TypeError, match="must return tensors"):
        autograd.trace(lambda x: "abc", (2,))


def test_a_traced_tensor_does_not_outlive_its_trace():
    leaked = []
    autograd.trace(lambda x: leaked.append(x), (2,))
    with pytest.raises((TypeError, RuntimeError)):
        autograd.add(leaked[0], leaked[0])


def test_changes_in_place_become_steps():
    def function(x):
        y = x * 2
        y += 1
        y[0] = 0.0
        return y

    graph = autograd.trace(function, (3,))
    assert [s.op.name for s in graph.steps if s.op] == ["mul", "add", "put"]
    np.testing.assert_array_equal(graph(np.ones(3, "f4")), [0.0, 3.0, 3.0])
    outside = autograd.zeros(3)
    with pytest.raises(TypeError, match="cannot take a traced value"):
        autograd.trace(lambda x: outside.add_(x), (3,))


def test_another_thread_is_not_traced():
    import threading

    seen = []

    def function(x):
        thread = threading.Thread(target=lambda: seen.append(autograd.ones(2) * 3))
        thread.start()
        thread.join()
        return x + 1

    graph = autograd.trace(function, (2,))
    assert len(graph) == 2
    assert seen[0].tolist() == [3.0, 3.0]


def test_nested_traces():
    def outer(x):
        inner = autograd.trace(lambda y: y * 2, (2,))
        assert len(inner) == 2
        return x + 1

    assert len(autograd.trace(outer, (3,))) == 2


def test_spec():
    assert Spec((2,), "f4") == Spec((2,), np.float32)
    assert Spec((2,)) != Spec((3,))
    assert len({Spec((2,)), Spec((2,))}) == 1
    assert math.prod(Spec((2, 3)).shape) == 6
