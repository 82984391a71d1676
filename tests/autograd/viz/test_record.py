"""record: names, lines, modules, gradients, and what leaves the graph; nothing kept alive."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, viz
from autograd.graph import toposort
from autograd.viz.places import assigned_name
from autograd.viz.record import Recording
from autograd.watch import WATCHERS


def leaf(*values: float) -> Any:
    return autograd.tensor(list(values), requires_grad=True)


def noted(variable: Any) -> Any:
    return viz.note_of(variable)


def test_a_result_knows_its_line_and_function():
    def squared(x):
        y = x * x
        return y

    with viz.record():
        y = squared(leaf(1.0, 2.0))
    source = noted(y).source
    assert source is not None
    assert source.text == "y = x * x"
    assert source.function == "squared"
    assert source.file == __file__


def test_names_come_from_variables_attributes_and_containers():
    class Net:
        def __init__(self):
            self.bias = leaf(1.0)

        def __call__(self, x):
            return x + self.bias

    weights = [leaf(1.0), leaf(2.0)]
    table = {"w1": leaf(3.0)}
    net = Net()
    x = leaf(1.0)
    with viz.record():
        first = x * weights[1]
        second = first * table["w1"]
        third = net(second)
        _ = third + 0.0
    names = {noted(v).name for v in (x, weights[1], table["w1"], first, net.bias)}
    assert names == {"x", "weights[1]", "table['w1']", "first", "bias"}


def test_the_whole_of_a_line_gets_the_name_and_its_parts_do_not():
    w, x = leaf(1.0), leaf(2.0)
    with viz.record():
        h = autograd.tanh(w * x + 1.0)
        total: Any = h.sum()
        total += 1.0
    found = []
    for node in toposort([total.node]):
        note = viz.note_of(node)
        if node.op is not None:
            assert note is not None
            assert note.code is not None
            found.append((node.op.name, assigned_name(note.code, note.instruction)))
    assert found == [("mul", ""), ("add", ""), ("tanh", "h"), ("sum", "total"), ("add", "total")]


def test_modules_are_noted_with_their_names_and_second_calls_told_apart():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = autograd.ones((1, 2))
    with viz.record():
        first = model(x)
        second = model(x)
    calls = [noted(first).call, noted(second).call]
    assert [c.path for c in calls if c] == ["model.2", "model#2.2"]
    assert calls[0] is not None
    assert (calls[0].type, calls[0].parameters) == ("Linear", 4)
    assert calls[0].parent is not None
    assert calls[0].parent.type == "Sequential"


def test_a_backward_pass_leaves_gradients_and_contributions():
    x = leaf(1.0, 2.0)
    with viz.record() as recording:
        h = x * x
        loss = h.sum()
        loss.backward()
    assert recording.passes == 1
    assert np.array_equal(noted(h).gradient, [1.0, 1.0])
    assert np.array_equal(noted(h).contributions[0], [1.0, 2.0])
    assert np.array_equal(noted(x).gradient, [2.0, 4.0])
    assert np.array_equal(x.grad.numpy(), [2.0, 4.0])


def test_a_recorded_backward_pass_has_order_one():
    x = Scalar(3.0)
    with viz.record():
        y = x**3
        (slope,) = autograd.grad(y, x, create_graph=True)
        (curvature,) = autograd.grad(slope, x, create_graph=True)
    assert (noted(y).order, noted(slope).order, noted(curvature).order) == (0, 1, 2)
    assert noted(slope).rule_of == "pow"


@pytest.mark.parametrize(
    ("how", "leave"),
    [
        ("detach", lambda x: x.detach()),
        ("detach", lambda x: x.data),
        ("numpy", lambda x: x.detach().numpy()),
        ("item", lambda x: x.sum().item()),
        ("item", lambda x: float(x.sum())),
        ("tolist", lambda x: x.tolist()),
        ("constant", lambda x: x > 0.0),
        ("constant", lambda x: x.argmax()),
    ],
)
def test_what_leaves_the_graph_is_noted_with_its_line(how, leave):
    x = leaf(1.0, 2.0)
    with viz.record() as recording:
        leave(x)
    event = recording.events[-1]
    assert event.how == how
    assert event.source is not None
    assert event.source.file == __file__


def test_an_op_under_no_grad_is_noted():
    x = leaf(1.0)
    with viz.record() as recording, autograd.no_grad():
        y = x * 2.0
    (event,) = recording.events
    assert (event.how, event.op) == ("no_grad", "mul")
    assert event.inputs[0]() is x
    assert event.result is not None
    assert event.result() is y


def test_a_recording_changes_no_result():
    def run():
        x: Any = autograd.tensor(np.linspace(-1, 1, 12).reshape(3, 4), requires_grad=True)
        h = autograd.tanh(x @ x.mT)
        loss: Any = (h * h + h).sum()
        loss.backward()
        return loss.detach().numpy(), x.grad.numpy()

    plain = run()
    with viz.record():
        recorded = run()
    for a, b in zip(plain, recorded, strict=True):
        assert a.tobytes() == b.tobytes()


def test_a_recording_keeps_no_graph_alive():
    with viz.record() as recording:
        x = leaf(1.0)
        y = x * 2.0
        z = y.detach()
    gone = [weakref.ref(thing) for thing in (x, y, y.node, z)]
    notes = len(viz.record.__globals__["_NOTES"]._entries)
    gc.disable()
    try:
        del x, y, z
        assert [ref() for ref in gone] == [None] * 4
    finally:
        gc.enable()
    assert len(viz.record.__globals__["_NOTES"]._entries) < notes
    assert recording.events[-1].inputs[0]() is None


def test_leaving_by_an_error_ends_the_recording():
    recording = viz.record()
    with pytest.raises(ValueError, match="broadcast"), recording:
        autograd.add(leaf(1.0, 2.0), leaf(1.0, 2.0, 3.0))
    assert recording not in WATCHERS
    assert recording._stack == []


def test_a_recording_cannot_be_entered_twice():
    with viz.record() as recording, pytest.raises(RuntimeError, match="running already"):
        recording.__enter__()


def test_other_threads_are_not_recorded():
    x = leaf(1.0)
    results = []
    with viz.record():
        thread = threading.Thread(target=lambda: results.append(x * 2.0))
        thread.start()
        thread.join()
    assert viz.note_of(results[0]) is None


def test_code_without_a_file_is_recorded_too():
    scope = {"autograd": autograd, "x": leaf(1.0)}
    with viz.record():
        exec("y = x * 2.0\nz = y + 1.0", scope)
    note = noted(scope["z"])
    assert note.source is not None
    assert (note.source.file, note.source.line, note.source.text) == ("<string>", 2, "")
    assert noted(scope["y"]).name == "y"


def test_recording_is_the_latest():
    with viz.record() as recording:
        pass
    assert Recording.latest is recording
    viz.graph(lambda: leaf(1.0) * 2.0)
    assert Recording.latest is recording
