"""capture: a live graph as a Diagram, and nothing of the graph changed by it."""

from __future__ import annotations

import gc
import sys
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, viz
from autograd.graph import Abstract, toposort
from autograd.viz.capture import capture
from autograd.viz.model import Source
from tests.autograd.test_op_table import TABLE, cases, leaves


def vertex(diagram: viz.Diagram, name: str) -> Any:
    (found,) = [v for v in diagram.vertices if v.name == name]
    return found


def test_a_scalar_expression_entirely():
    a, b = Scalar(2.0), Scalar(-3.0)
    d = a * b + b
    loss = autograd.tanh(d)
    diagram = capture(loss).diagram
    assert [(v.kind, v.op, v.name) for v in diagram.vertices] == [
        ("leaf", "", "a"),
        ("leaf", "", "b"),
        ("intermediate", "mul", ""),
        ("intermediate", "add", "d"),
        ("output", "tanh", "loss"),
    ]
    slope = 1.0 - np.tanh(-9.0) ** 2
    assert vertex(diagram, "d").value == -9.0
    assert vertex(diagram, "a").grad == pytest.approx(-3.0 * slope, rel=1e-6)
    assert vertex(diagram, "b").grad == pytest.approx(3.0 * slope, rel=1e-6)
    edges = [(e.tail, e.head, e.argument, e.slope) for e in diagram.edges[:4]]
    assert edges == [(0, 2, "a", -3.0), (1, 2, "b", 2.0), (2, 3, "a", 1.0), (1, 3, "b", 1.0)]
    assert diagram.outputs == [4]
    assert a.grad is None
    assert b.grad is None


def test_contributions_sum_to_the_gradient():
    x: Any = autograd.tensor([1.0, -2.0, 3.0], requires_grad=True)
    loss = (x * x + autograd.sin(x)).sum()
    diagram = capture(loss).diagram
    parts = [e.contribution for e in diagram.edges if e.tail == 0]
    assert len(parts) == 3
    assert np.allclose(sum(parts), diagram.vertices[0].grad)


def test_the_gradients_are_the_engines():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x: Any = autograd.tensor(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    loss = (model(x) ** 2).mean()
    diagram = capture(loss).diagram
    loss.backward()
    parameters: Any = model.named_parameters()
    for name, parameter in parameters:
        assert vertex(diagram, name).kind == "parameter"
        assert vertex(diagram, name).grad.tobytes() == parameter.grad.numpy().tobytes()


def test_values_that_no_rule_reads_are_worked_out_again():
    x: Any = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss = ((x + 1.0) - 3.0).sum()
    values = [v.value for v in capture(loss).diagram.vertices]
    assert np.array_equal(values[1], [2.0, 3.0])
    assert np.array_equal(values[2], [-1.0, 0.0])
    assert values[3] == -1.0


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.differentiable])
def test_every_op_is_captured(name):
    op = TABLE[name]
    for args, params in cases(op):
        result = op.function(*leaves(op, args), **params)
        if result.requires_grad:
            captured = capture(result)
            seen = captured.diagram.vertices[captured.diagram.outputs[0]]
            assert seen.shape == result.shape
            assert np.array_equal(seen.value, result.detach().value, equal_nan=True)


def test_a_drawing_shares_no_memory_and_keeps_nothing_alive():
    x: Any = autograd.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    captured = capture(y.sum())
    diagram = captured.diagram
    gone = [weakref.ref(thing) for thing in (y, y.node, x.node)]
    value = x.value
    del captured
    gc.disable()
    try:
        del x, y
        assert [ref() for ref in gone] == [None] * 3
    finally:
        gc.enable()
    assert not any(
        np.shares_memory(v.value, value)
        for v in diagram.vertices
        if isinstance(v.value, np.ndarray)
    )


def test_capturing_changes_no_gradient_hooks_included():
    def gradients(draw: bool) -> list[Any]:
        x: Any = autograd.tensor([0.5, -1.5], requires_grad=True)
        h: Any = autograd.tanh(x * 3.0)
        h.retain_grad()
        h.register_hook(lambda g: g * 2.0)
        loss = (h * h).sum()
        seen = vertex(capture(loss).diagram, "x").grad if draw else None
        assert (x.grad, h.grad) == (None, None)
        loss.backward()
        assert seen is None or np.array_equal(seen, x.grad.numpy())
        return [x.grad.tolist(), h.grad.tolist()]

    assert gradients(True) == gradients(False)


def test_capturing_inside_a_recording_leaves_its_notes():
    x: Any = autograd.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as recording:
        loss = (x * x).sum()
        (loss * 3.0).backward(retain_graph=True)
        note: Any = viz.note_of(x)
        before = note.gradient.copy()
        capture(loss)
        assert recording.passes == 1
    assert np.array_equal(note.gradient, before)


def test_a_freed_graph_says_so_and_shows_what_was_recorded():
    x: Any = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    captured = capture(loss)
    assert "retain_graph=True" in captured.problem
    assert captured.diagram.vertices[0].grad is None
    with viz.record():
        loss = (x * x).sum()
        loss.backward()
    captured = capture(loss)
    assert captured.problem == ""
    assert np.array_equal(captured.diagram.vertices[0].grad, [2.0, 4.0])
    assert np.array_equal(captured.diagram.vertices[1].value, [1.0, 4.0])


def test_a_parameter_changed_since_is_marked():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * 3.0).sum()
    with autograd.no_grad():
        w.mul_(2.0)
    diagram = capture(loss).diagram
    assert "mul_" in diagram.vertices[0].about


def test_no_gradient_where_there_is_none():
    x: Any = autograd.tensor([1.0, 2.0], requires_grad=True)
    assert "reduce it first" in capture(x * 2.0).problem
    plain = capture(autograd.ones(3))
    assert "no output requires grad" in plain.problem
    assert [v.kind for v in plain.diagram.vertices] == ["constant"]
    assert capture(x * 2.0, backward=False).problem == ""


def test_numbers_are_no_vertices_and_constants_are():
    x = Scalar(2.0)
    data = autograd.tensor([1.0, 2.0])
    y = (x * data + 1.0).sum()
    diagram = capture(y).diagram
    assert vertex(diagram, "data").kind == "constant"
    (add,) = [v for v in diagram.vertices if v.op == "add"]
    assert add.scalars == {1: 1.0}


def test_a_function_is_run_under_a_recording():
    model = nn.models.LeNet5()
    x, target = autograd.rand(2, 1, 32, 32), autograd.tensor([1, 7])

    def step():
        scores = model(x)
        loss = nn.functional.cross_entropy(scores, target)
        return loss

    diagram = capture(step).diagram
    assert list(diagram.clusters) == [
        "model",
        *(f"model.{n}" for n in ("conv1", "conv2", "fc1", "fc2", "fc3")),
    ]
    assert diagram.clusters["model"].parameters == 61706
    assert vertex(diagram, "conv1.weight").cluster == "model.conv1"
    assert vertex(diagram, "scores").shape == (2, 10)
    assert vertex(diagram, "loss").kind == "output"
    assert vertex(diagram, "loss").source.text.startswith("loss = nn.functional.cross_entropy")
    assert vertex(diagram, "target").dtype == "int64"


def test_saved_bytes_count_each_buffer_once():
    x = autograd.ones((100,), dtype=np.float64).requires_grad_()
    y = autograd.exp(x)
    z = y * y
    diagram = capture(z.sum()).diagram
    assert [v.saved for v in diagram.vertices] == [0, 800, 0, 0]


def test_a_parameter_shared_by_modules_stands_outside_of_them():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    model = Tied()
    diagram = capture(lambda: model(autograd.ones((1, 2))).sum()).diagram
    assert vertex(diagram, "a.weight").cluster == "model"
    assert vertex(diagram, "a.bias").cluster == "model.a"


def test_two_models_have_their_names_in_front():
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    loss = second(first(autograd.ones((1, 1)))).sum()
    names = {v.name for v in capture(loss).diagram.vertices if v.kind == "parameter"}
    assert names == {"first.weight", "first.bias", "second.weight", "second.bias"}


def test_given_names_win():
    x = Scalar(1.0)
    assert capture(x * 2.0, names={"speed": x}).diagram.vertices[0].name == "speed"
    with pytest.raises(TypeError, match="'speed' must name"):
        capture(x * 2.0, names={"speed": 3})


@pytest.mark.parametrize("wrong", [3, None, "loss", [Scalar(1.0), 2]])
def test_what_is_no_output_is_refused(wrong):
    with pytest.raises(TypeError, match="expected a Tensor"):
        capture(wrong)


def test_an_empty_sequence_is_refused():
    with pytest.raises(ValueError, match="empty"):
        capture([])


def test_a_long_chain_does_not_recurse():
    y = Scalar(1.0)
    for _ in range(20_000):
        y = y + 0.5
    diagram = capture(y).diagram
    assert len(diagram.vertices) == 20_001
    assert diagram.vertices[0].grad == 1.0


def test_traced_graphs_have_no_values():
    found = []
    autograd.trace(lambda x: found.append(x.requires_grad_() * 2.0) or found[0], (3,))
    captured = capture(found[0])
    assert captured.diagram.vertices[-1].value is None
    assert isinstance(found[0].value, Abstract)
    assert toposort([found[0].node])


def test_leaves_that_a_function_makes_and_forgets():
    def step():
        a, b = Scalar(2.0), Scalar(-3.0)
        loss = a * b
        return loss

    diagram = capture(step).diagram
    assert [(v.name, v.value, v.grad) for v in diagram.vertices] == [
        ("a", 2.0, -3.0),
        ("b", -3.0, 2.0),
        ("loss", -6.0, 1.0),
    ]


def test_a_cell_of_a_notebook_is_called_by_its_number(monkeypatch):
    file = "/tmp/ipykernel_12/345.py"
    compiler = SimpleNamespace(
        format_code_name=lambda name: ("Cell", "In[3]") if name == file else None
    )
    shell = SimpleNamespace(compile=compiler)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    place = Source(file, 7)
    assert (str(place), place.name) == ("In[3]:7", "In[3]")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert (str(place), place.name) == (f"{file}:7", "345.py")
    assert Source("C:\\a\\b.py", 1).name == "b.py"
    assert Source("<stdin>", 1).name == "<stdin>"
