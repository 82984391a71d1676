"""graph: what can be drawn, in which formats; drawing changes nothing and repeats to the byte."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, viz
from autograd.viz.formats.json_text import to_json

FORMATS = [".svg", ".html", ".txt", ".mmd", ".dot", ".json"]


def expression() -> Scalar:
    a, b = Scalar(2.0), Scalar(-0.5)
    d = a * b + b
    loss: Any = autograd.tanh(d) ** 2
    return loss


def ops(picture: viz.Graph) -> list[str]:
    return [v.op for v in picture.diagram.vertices if v.op]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_written_and_twice_the_same(tmp_path, suffix):
    first = viz.graph(expression()).save(tmp_path / f"first{suffix}")
    second = viz.graph(expression()).save(str(tmp_path / f"second{suffix.upper()}"))
    assert first == tmp_path / f"first{suffix}"
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 200


def test_png_is_a_picture(tmp_path):
    pytest.importorskip("resvg_py")
    path = viz.graph(expression()).save(tmp_path / "graph.png")
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", ["graph", "graph.jpeg", "graph."])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"has no suffix that names a format; there are \.svg"):
        viz.graph(expression()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_two_processes_draw_the_same_bytes():
    program = (
        "import autograd, nn\n"
        "from autograd import viz\n"
        "autograd.manual_seed(0)\n"
        "model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))\n"
        "x = autograd.randn(2, 3)\n"
        "print(viz.graph(lambda: model(x).sum()).svg())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert runs[0].startswith(b"<svg")


def test_a_notebook_gets_text_and_a_static_svg():
    bundle = viz.graph(expression)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert ET.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert "<script" not in bundle["image/svg+xml"]
    assert "loss" in bundle["text/plain"]


def test_drawing_changes_nothing_and_keeps_nothing_alive(tmp_path):
    x: Any = autograd.tensor([0.5, -1.0], requires_grad=True)
    loss: Any = (autograd.tanh(x) * x).sum()
    picture = viz.graph(loss)
    for suffix in FORMATS:
        picture.save(tmp_path / f"graph{suffix}")
    assert not x.grad
    loss.backward()
    drawn = x.grad.tolist()
    plain: Any = autograd.tensor([0.5, -1.0], requires_grad=True)
    (autograd.tanh(plain) * plain).sum().backward()
    assert plain.grad.tolist() == drawn
    node = weakref.ref(loss.node)
    gc.disable()
    try:
        del loss
        assert node() is None
    finally:
        gc.enable()


def test_a_model_is_drawn_from_an_input_shape_alone():
    model = nn.models.LeNet5()
    picture = nn.graph(model, (1, 1, 32, 32))
    assert ops(picture)[:3] == ["conv2d", "relu", "max_pool2d"]
    assert next(iter(picture.diagram.clusters)) == "model"
    (data,) = [v for v in picture.diagram.vertices if v.kind == "constant"]
    assert (data.name, data.shape) == ("input", (1, 1, 32, 32))
    assert picture.diagram.vertices[picture.diagram.outputs[0]].shape == (1, 10)
    assert all(v.value is None for v in picture.diagram.vertices if v.op)


def test_a_model_in_training_is_not_changed_by_its_drawing():
    model: Any = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    state = autograd.default_generator.state_dict()
    picture = nn.graph(model, (2, 1, 8, 8))
    assert "batch_norm" in ops(picture)
    after = {name: value.numpy() for name, value in model.state_dict().items()}
    for name, value in before.items():
        assert np.array_equal(value, after[name]), name
    assert autograd.default_generator.state_dict() == state


def test_models_of_integers_are_drawn_too():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    assert ops(nn.graph(model, (3,), dtype=np.int64)) == ["take_rows", "linear"]


class Several(nn.Module):
    """Returns what it was told to make of two results."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x.exp(), x.sin())


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: (a, (b,)),
        lambda a, b: {"a": a, "rest": [b, None]},
        lambda a, b: [{"a": a}, b],
    ],
)
def test_a_model_of_several_results_is_drawn_with_all(make):
    picture = nn.graph(Several(make), (2,))
    assert ops(picture) == ["exp", "sin"]
    assert len(picture.diagram.outputs) == 2
    x = autograd.ones(2, requires_grad=True)
    assert ops(viz.graph(lambda: make(x.exp(), x.sin()))) == ["exp", "sin"]
    assert len(viz.graph(make(x.exp(), x.sin()), order=1).diagram.outputs) == 3


def test_recurrent_layers_and_attention_are_drawn():
    lstm = nn.graph(nn.LSTM(3, 4), (5, 2, 3))
    assert "lstm_layer" in ops(lstm)
    shapes = [lstm.diagram.vertices[i].shape for i in lstm.diagram.outputs]
    assert shapes == [(5, 2, 4), (1, 2, 4), (1, 2, 4)]
    assert "softmax" in ops(nn.graph(nn.MultiheadAttention(4, 2), *[(3, 1, 4)] * 3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((Several(lambda a, b: (a, "b")), (2,)), TypeError, "not str"),
        ((Several(lambda a, b: {}), (2,)), ValueError, "empty"),
        ((3, (1, 4)), TypeError, "expected a Module, not int"),
        ((nn.Linear(4, 2),), ValueError, "give the shape of the input"),
        ((nn.Linear(4, 2), (1, 5)), ValueError, "linear"),
    ],
)
def test_a_model_or_shape_that_cannot_be(arguments, error, message):
    with pytest.raises(error, match=message):
        nn.graph(*arguments)


def test_what_trace_returns_is_drawn():
    w = autograd.tensor([0.5, -1.0], requires_grad=True)
    traced = autograd.trace(lambda x: autograd.grad((x * w).tanh().sum(), w)[0], (2,))
    picture = viz.graph(traced)
    kinds = {(v.kind, v.name) for v in picture.diagram.vertices if not v.op}
    assert kinds == {("constant", "input"), ("constant", "w"), ("constant", "")}  # "": the seed 1
    assert {v.order for v in picture.diagram.vertices} == {0, 1}


@pytest.mark.parametrize("order", [1, 2, 3])
def test_graphs_of_gradients_have_orders_and_names(order):
    x = Scalar(0.5)

    def cube():
        y = x**3 * 2.0
        return y

    picture = viz.graph(cube, order=order)
    assert {v.order for v in picture.diagram.vertices} == set(range(order + 1))
    last = picture.diagram.vertices[picture.diagram.outputs[-1]]
    assert last.name == {1: "∂/∂x", 2: "∂²/∂x", 3: "∂³/∂x"}[order]
    assert last.value == pytest.approx({1: 6 * 0.25, 2: 12 * 0.5, 3: 12.0}[order])
    assert x.grad is None


def test_the_order_of_a_function_that_becomes_constant():
    x = Scalar(2.0)
    picture = viz.graph(x * 3.0, order=5)
    assert {v.order for v in picture.diagram.vertices} <= {0, 1}


@pytest.mark.parametrize(
    "options",
    [{"direction": "up"}, {"theme": "pink"}, {"engine": "neato"}, {"order": -1}, {"order": True}],
)
def test_options_that_do_not_exist_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"graph: {name} must be"):
        viz.graph(expression(), **options)


def test_an_order_of_what_has_none():
    with pytest.raises(ValueError, match="order is for the graph of a value"):
        viz.graph(nn.Linear(2, 1), (1, 2), order=1)


def test_what_cannot_be_drawn():
    with pytest.raises(TypeError, match="not int"):
        viz.graph(3)
    with pytest.raises(TypeError, match="a model or another callable, not Scalar"):
        viz.graph(expression(), (2, 3))


def test_a_tensor_without_a_graph_is_drawn_as_it_is():
    picture = viz.graph(autograd.ones(3))
    assert [v.kind for v in picture.diagram.vertices] == ["constant"]
    assert picture.svg().startswith("<svg")
    assert "there is no graph" in str(picture)


def test_json_has_everything_though_the_picture_is_folded(tmp_path):
    y = x = Scalar(0.5)
    for _ in range(1000):
        y = autograd.sin(y)
    picture = viz.graph(y)
    assert len(picture.shown.vertices) < 20
    assert x.value == 0.5
    written = json.loads(picture.save(tmp_path / "graph.json").read_text())
    assert len(written["vertices"]) == 1001


def test_a_graph_of_a_graph_is_the_same_with_other_options():
    picture = viz.graph(expression(), title="a title")
    again = viz.graph(picture, direction="right")
    assert again.diagram is picture.diagram
    assert again.diagram.title == "a title"
    assert again.svg() != picture.svg()


def test_a_drawing_without_gradients_says_why():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss: Any = (x * x).sum()
    loss.backward()
    freed = viz.graph(loss)
    assert "No gradients: an earlier backward freed the values" in str(freed)
    assert "No gradients: an earlier backward" in freed.svg()
    assert json.loads(to_json(freed.shown))["about"].startswith("No grad")
    assert "there is no graph to walk backwards" in str(viz.graph(autograd.ones(3)))
    assert "No gradients" not in str(viz.graph(lambda: (x * x).sum()))
