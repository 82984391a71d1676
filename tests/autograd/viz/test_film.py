"""The film: what its page says is what the engine computes, and the page stands on its own."""

from __future__ import annotations

import gc
import json
import math
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Scalar
from autograd.viz.film.arrays import MOST, Store
from autograd.viz.film.film import LIMIT, Film, film
from autograd.viz.film.levels import levels
from autograd.viz.film.story import labels
from autograd.viz.model import Cluster, Diagram, Edge, Vertex
from autograd.viz.summary import number
from tests.autograd.viz.browser import needs_browser, open_page

MEGABYTE = 1_000_000


def text_of(value: float, digits: int = 4) -> str:
    """A number as the page writes it."""
    return number(value, digits).replace("-", "−")


def read(text: str) -> float:
    """A number that the page wrote."""
    return float(text.replace("−", "-"))


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


# --- Graphs ---------------------------------------------------------------------------------------


def expression(a: float = 0.5, b: float = -0.3, kind: str = "scalar") -> Callable[[], Any]:
    """``b`` is used twice: its gradient is a sum."""

    def make(value: float) -> Any:
        if kind == "scalar":
            return Scalar(value)
        return autograd.tensor(value, dtype=np.dtype(kind), requires_grad=True)

    def loss() -> Any:
        first, second = make(a), make(b)
        d = first * second + second
        out = d.tanh() ** 2
        return out

    return loss


def perceptron(
    changes: dict[str, tuple[tuple[int, ...], float]] | None = None,
) -> Callable[[], Any]:
    """Two layers on four points; `changes`: name -> (index, another value)."""
    rng = np.random.default_rng(0)
    given = {
        "x": np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32),
        "t": np.array([[0], [1], [1], [0]], np.float32),
        "W1": rng.normal(size=(2, 3)).astype(np.float32),
        "b1": rng.normal(size=3).astype(np.float32),
        "W2": rng.normal(size=(3, 1)).astype(np.float32),
        "b2": np.array([0.1], np.float32),
    }
    for name, (index, value) in (changes or {}).items():
        given[name][index] = value

    def loss() -> Any:
        x, t = autograd.tensor(given["x"]), autograd.tensor(given["t"])
        W1 = autograd.tensor(given["W1"], requires_grad=True)
        b1 = autograd.tensor(given["b1"], requires_grad=True)
        W2 = autograd.tensor(given["W2"], requires_grad=True)
        b2 = autograd.tensor(given["b2"], requires_grad=True)
        h = (x @ W1 + b1).tanh()
        p = h @ W2 + b2
        out = ((p - t) ** 2).mean()
        return out

    return loss


def lenet(batch: int = 1) -> Callable[[], Any]:
    import nn
    from nn.models.lenet import LeNet5

    autograd.manual_seed(0)
    model = LeNet5()
    images = np.random.default_rng(0).random((batch, 1, 32, 32), np.float32)
    targets = np.arange(batch) % 10

    def loss() -> Any:
        scores = model(autograd.tensor(images))
        out = nn.CrossEntropyLoss()(scores, autograd.tensor(targets))
        return out

    return loss


@pytest.fixture(scope="module")
def trained() -> Film:
    return film(lenet(), title="LeNet-5")


# --- What Python does -----------------------------------------------------------------------------


def test_a_film_has_the_engines_gradients() -> None:
    a, b = Scalar(2.0), Scalar(-3.0)
    shown = film(a * b + b).diagram
    assert {v.name: v.grad for v in shown.vertices if not v.op} == {"a": -3.0, "b": 3.0}
    assert a.grad is None
    assert b.grad is None


def test_bad_arguments_are_told() -> None:
    with pytest.raises(TypeError, match=r"expected a Tensor, a Scalar, a function.* not int"):
        film(3)
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"output of shape \(2,\).*reduce it first"):
        film(x * 2.0)
    with pytest.raises(ValueError, match="no output requires grad"):
        film(autograd.tensor(1.0) * 2.0)
    with pytest.raises(ValueError, match=r"end the name 'x\.svg' in \.html"):
        film((x * x).sum()).save("x.svg")
    with pytest.raises(ValueError, match="this diagram has no gradients"):
        film(Diagram([Vertex(0, "leaf", name="x")]))


def test_a_freed_graph_says_what_to_do() -> None:
    x = Scalar(2.0)
    loss = x * x
    loss.backward()
    with pytest.raises(ValueError, match=r"earlier backward freed.*retain_graph=True.*function"):
        film(loss)


def test_leaves_made_inside_the_function_are_known() -> None:
    vertices = film(perceptron()).diagram.vertices
    assert [v.name for v in vertices if not v.op and v.value is None] == []
    assert {"x", "t", "W1", "b1", "W2", "b2"} <= {v.name for v in vertices}


def test_nothing_is_kept_alive() -> None:
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    found = film(loss)
    node = weakref.ref(loss.node)
    del loss
    gc.collect()
    assert node() is None
    assert "x" in found.html


def test_the_page_is_the_same_twice() -> None:
    assert film(perceptron()).html == film(perceptron()).html


def test_nothing_on_the_page_comes_from_elsewhere(trained: Film) -> None:
    page = re.sub(r"http://www\.w3\.org/2000/svg", "", trained.html)
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"<(script|img|link)[^>]*(src|href)=\"(?!data:)", page)


@pytest.mark.parametrize("batch", [1, 64])
def test_lenet_stays_below_a_megabyte_with_all_its_parameters(trained: Film, batch: int) -> None:
    shown = trained if batch == 1 else film(lenet(batch))
    assert len(shown.html.encode()) < MEGABYTE
    data = data_of(shown.html)
    kept = 0
    for vertex in data["vertices"]:
        if vertex["kind"] == "parameter":
            for reference in (vertex["v"], vertex["g"]):
                _, _, shape, part = data["arrays"]["list"][reference["a"]]
                assert part == shape
            kept += math.prod(vertex["shape"])
    assert kept == 61_706


def test_hostile_names_do_not_break_out_of_the_page() -> None:
    bad = "</script><img src=x onerror=alert(1)>{{data}}\u2028\ud800"
    diagram = Diagram(
        [
            Vertex(0, "leaf", name=bad, value=1.0, grad=2.0),
            Vertex(1, "output", "neg", value=-1.0, grad=1.0),
        ],
        [Edge(0, 1, 0, "x", -1.0, -1.0)],
        outputs=[1],
        title=bad,
    )
    page = film(diagram).html
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert data_of(page)["vertices"][0]["n"].startswith("</script><img")
    assert "srcdoc" in film(diagram)._repr_html_()


def test_notebooks_get_a_frame() -> None:
    bundle = film(expression())._repr_mimebundle_()
    assert bundle["text/html"].startswith("<iframe srcdoc=")
    assert "<script>" not in bundle["text/html"]
    assert "Film" in bundle["text/plain"]


def test_long_graphs_are_folded() -> None:
    x = Scalar(0.5)
    y = x
    for _ in range(3000):
        y = (y * 0.999).sin()
    shown = film(y)
    assert len(shown.diagram.vertices) <= LIMIT + 50
    assert len(shown.html) < MEGABYTE


def test_labels_are_unique() -> None:
    diagram = Diagram([Vertex(i, "leaf", name=n) for i, n in enumerate(["h", "h", "v1", "", ""])])
    diagram.vertices[3].op = diagram.vertices[4].op = "exp"
    found = labels(diagram)
    assert found == ["h₁", "h₂", "v1", "v2", "v3"]


def test_equal_arrays_are_kept_once_and_large_ones_cut() -> None:
    store = Store()
    first = store.add(np.arange(6.0).reshape(2, 3))
    assert store.add(np.arange(6.0).reshape(2, 3)) == first
    assert store.add(np.float32(2.5)) == 2.5
    assert store.add(math.nan) == "nan"
    assert store.add(None) is None
    weights = store.add(np.ones((100, 100)), first=True)
    store.add(np.zeros((64, MOST // 32)))
    store.choose()
    kinds = [e.kind for e in store.entries]
    assert kinds == ["q", "q", "q"]
    assert store.entries[1].kept == (100, 100)
    assert math.prod(store.entries[2].kept) <= MOST
    assert store.entries[2].kept[0] < 64
    assert not store.exact(weights)


def test_small_arrays_are_exact() -> None:
    store = Store()
    references = [
        store.add(np.array([0.1], np.float32)),
        store.add(np.array([0.1], np.float64)),
        store.add(np.zeros((0, 3))),
    ]
    store.choose()
    assert all(map(store.exact, references))
    assert [e.kind for e in store.entries] == ["f", "d", "d"]


def test_depths_open_one_after_the_other() -> None:
    clusters = {
        "m": Cluster("m", "m", "Net"),
        "m.a": Cluster("m.a", "a", "Linear", "m"),
        "m.b": Cluster("m.b", "b", "Linear", "m"),
    }
    vertices = [Vertex(0, "leaf", name="x", value=1.0, grad=1.0)]
    for i, path in enumerate(["m.a", "m.a", "m.b", "m.b"]):
        vertices.append(Vertex(i + 1, "intermediate", "neg", value=1.0, grad=1.0, cluster=path))
    edges = [Edge(i, i + 1, 0, "x", 1.0, -1.0) for i in range(4)]
    diagram = Diagram(vertices, edges, clusters, [4])
    found, first = levels(diagram, labels(diagram))
    assert [len(level["boxes"]) for level in found] == [2, 3, 5]
    assert first == 2
    assert [len(level["frames"]) for level in found] == [0, 1, 3]


# --- What the page shows --------------------------------------------------------------------------


def ready(page: Any) -> None:
    page.wait_for_selector("html[data-ready]")


def step_count(page: Any) -> int:
    return int(page.get_attribute("#time", "max"))


def cards(page: Any) -> dict[int, tuple[str, str]]:
    """Value and gradient on the card of each single number."""
    return {
        int(node): (value, grad)
        for node, value, grad in page.evaluate(
            """() => [...document.querySelectorAll(".card")].map((card) => [
                card.dataset.node,
                card.querySelector("text.value:not(.gradient)")?.textContent ?? "",
                card.querySelector("text.value.gradient")?.textContent ?? ""])"""
        )
    }


def picked(page: Any, node: int, index: tuple[int, ...], grad: bool = False) -> str:
    """The element of a vertex's value, or of its gradient, as its map reads it out."""
    page.evaluate(f"location.hash = '#step={step_count(page)}&node={node}'")
    page.wait_for_function(f"document.querySelector('.card[data-node=\"{node}\"]') !== null")
    which = ".map.gradient" if grad else ".map:not(.gradient)"
    box = page.locator(f"#panel {which} input[data-index]").first
    box.fill(", ".join(map(str, index)))
    box.press("Enter")
    return page.locator(f"#panel {which} output").first.inner_text().split("=")[1].strip()


@needs_browser
@pytest.mark.parametrize("kind", ["scalar", "float32", "float64"])
def test_plays_to_the_end_with_the_engines_numbers(kind: str) -> None:
    shown = film(expression(kind=kind))
    with open_page(shown.html) as page:
        ready(page)
        assert all(grad == "" for _, grad in cards(page).values())
        page.select_option("#speed", "10")
        page.locator("body").press("Space")
        page.wait_for_function(f"document.getElementById('time').value == {step_count(page)}")
        found = cards(page)
        for vertex in shown.diagram.vertices:
            assert found[vertex.index] == (text_of(vertex.value), text_of(vertex.grad))
        assert page.problems == []


@needs_browser
def test_each_step_shows_its_arithmetic() -> None:
    shown = film(expression(2.0, -3.0))
    with open_page(shown.html) as page:
        ready(page)
        page.keyboard.press("ArrowRight")
        text = page.inner_text("#panel")
        assert "a·b" not in text  # the function calls them first and second
        assert "first·second" in text
        assert "2·(−3)" in text
        assert "−6" in text
        # Backward through d = v1 + second, then through v1 = first * second, which adds.
        page.keyboard.press("End")
        for _ in range(2):
            page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(50)
        part = shown.diagram.edges[3].contribution
        assert f"second.grad: 0 += {text_of(part)} → {text_of(part)}" in page.inner_text("#panel")
        page.keyboard.press("ArrowRight")
        text = page.inner_text("#panel")
        b = shown.diagram.vertices[1]
        piece = shown.diagram.edges[1].contribution
        assert f"second.grad: {text_of(part)} += {text_of(piece)} → {text_of(b.grad)}" in text
        assert "∂v1/∂second" in text
        upstream = shown.diagram.vertices[2].grad
        assert f"{text_of(upstream)} · 2" in text
        assert page.problems == []


@needs_browser
@pytest.mark.slow
def test_every_element_can_be_picked_and_is_the_engines() -> None:
    shown = film(perceptron())
    with open_page(shown.html) as page:
        ready(page)
        for vertex in shown.diagram.vertices:
            if not vertex.shape:
                continue
            for index in [(0,) * len(vertex.shape), tuple(n - 1 for n in vertex.shape)]:
                assert picked(page, vertex.index, index) == text_of(vertex.value[index], 7)
                if vertex.grad is not None:
                    assert picked(page, vertex.index, index, True) == text_of(vertex.grad[index], 7)
        assert page.problems == []


@needs_browser
@pytest.mark.slow
def test_lenet_shows_weights_and_gradients(trained: Film) -> None:
    weight = next(v for v in trained.diagram.vertices if v.name == "fc1.weight")
    conv = next(v for v in trained.diagram.vertices if v.name == "conv2.weight")
    with open_page(trained.html) as page:
        ready(page)
        for _ in range(2):
            page.keyboard.press("]")
        for index in [(0, 0), (72, 131), (119, 399)]:
            assert picked(page, weight.index, index) == text_of(weight.value[index], 7)
            assert picked(page, weight.index, index, True) == text_of(weight.grad[index], 7)
        assert picked(page, conv.index, (15, 5, 4, 4), True) == text_of(conv.grad[15, 5, 4, 4], 7)
        page.locator("#panel .map.gradient input[data-lead$='/0']").fill("3")
        assert "3, 5, 4, 4" in page.locator("#panel .map.gradient input[data-index]").input_value()
        page.keyboard.press("Escape")
        page.select_option("#speed", "10")
        page.locator("#first").click()
        page.locator("#play").click()
        page.wait_for_function(f"document.getElementById('time').value == {step_count(page)}")
        assert page.problems == []


@needs_browser
def test_a_batch_says_what_it_leaves_out_and_shows_right_digits() -> None:
    shown = film(lenet(64))
    with open_page(shown.html) as page:
        ready(page)
        assert "only the first part" in page.inner_text("#panel")
        assert "four significant digits" in page.inner_text("#panel")
        for _ in range(2):
            page.keyboard.press("]")
        weight = next(v for v in shown.diagram.vertices if v.name == "fc2.weight")
        for index in [(0, 0), (5, 7), (83, 119)]:
            assert picked(page, weight.index, index) == text_of(weight.value[index])
            assert picked(page, weight.index, index, True) == text_of(weight.grad[index])
        assert page.problems == []


def close(a: str, b: float) -> bool:
    return read(a) == pytest.approx(b, rel=6e-4, abs=1e-7)


@needs_browser
@pytest.mark.parametrize("kind", ["scalar", "float32"])
def test_sliders_compute_what_the_engine_would(kind: str) -> None:
    with open_page(film(expression(kind=kind)).html) as page:
        ready(page)
        page.keyboard.press("End")
        for a, b in [(1.7, -0.3), (1.7, 0.9), (-2.0, 0.25)]:
            for node, value in ((0, a), (1, b)):
                page.fill(f"[data-slider='{node}/number']", str(value))
                page.press(f"[data-slider='{node}/number']", "Enter")
            expected = film(expression(a, b, kind)).diagram
            found = cards(page)
            for vertex in expected.vertices:
                assert close(found[vertex.index][0], vertex.value)
                assert close(found[vertex.index][1], vertex.grad)
        page.click("#reset")
        original = film(expression(kind=kind)).diagram
        assert cards(page)[1][1] == text_of(original.vertices[1].grad)
        # By the keyboard, on the slider itself.
        page.focus("[data-slider='0/range']")
        page.keyboard.press("ArrowRight")
        moved = float(page.input_value("[data-slider='0/number']"))
        assert moved != 0.5
        again = film(expression(moved, -0.3, kind)).diagram
        assert close(cards(page)[1][1], again.vertices[1].grad)
        assert page.evaluate("document.activeElement.dataset.slider") == "0/range"
        assert page.problems == []


@needs_browser
def test_a_weight_can_be_moved() -> None:
    shown = film(perceptron())
    named = {v.name: v.index for v in shown.diagram.vertices}
    with open_page(shown.html) as page:
        ready(page)
        picked(page, named["W1"], (1, 2))
        page.fill(f"[data-slider='{named['W1']}/number']", "0.75")
        page.press(f"[data-slider='{named['W1']}/number']", "Enter")
        expected = film(perceptron({"W1": ((1, 2), 0.75)})).diagram
        for vertex in expected.vertices:
            if vertex.grad is None:
                continue
            if not vertex.shape:
                assert close(cards(page)[vertex.index][0], vertex.value)
                continue
            index = tuple(n - 1 for n in vertex.shape)
            assert close(picked(page, vertex.index, index), vertex.value[index])
            assert close(picked(page, vertex.index, index, True), vertex.grad[index])
        assert page.problems == []


@needs_browser
def test_movement_sums_and_choices_can_be_followed() -> None:
    def made(t: float) -> Callable[[], Any]:
        def loss() -> Any:
            s = Scalar(t)
            x = autograd.tensor(np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(2, 3))
            w = x * s
            both = autograd.cat([w.T, autograd.relu(w).T], 1)[1:, ::2]
            chosen = autograd.where(x.T[1:].sum() < 0.0, both.exp(), both * 0.1)
            out = (chosen.sum(0) / 3.0).reshape(2, 1).mean() + autograd.maximum(w, 0.2).sum()
            return out

        return loss

    shown = film(made(1.5))
    leaf = next(v for v in shown.diagram.vertices if v.name == "s")
    with open_page(shown.html) as page:
        ready(page)
        page.keyboard.press("End")
        for t in (-2.25, 3.0):
            page.fill(f"[data-slider='{leaf.index}/number']", str(t))
            page.press(f"[data-slider='{leaf.index}/number']", "Enter")
            expected = film(made(t)).diagram
            out = expected.vertices[expected.outputs[0]]
            assert close(cards(page)[out.index][0], out.value)
            assert close(cards(page)[leaf.index][1], expected.vertices[leaf.index].grad)
        assert page.problems == []


@needs_browser
def test_a_classifier_can_be_followed() -> None:
    def made(t: float) -> Callable[[], Any]:
        def loss() -> Any:
            scale = Scalar(t)
            x = autograd.tensor(np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(4, 3))
            scores = x * x * scale + x
            entropy = autograd.softmax(scores, 0) * autograd.log_softmax(scores, 1)
            target = autograd.tensor(np.array([2, 0, 1, 2]))
            out = autograd.cross_entropy(scores, target) - entropy.mean()
            return out

        return loss

    shown = film(made(1.5))
    leaf = next(v for v in shown.diagram.vertices if v.name == "scale")
    with open_page(shown.html) as page:
        ready(page)
        page.keyboard.press("End")
        for t in (-2.25, 4.0):
            page.fill(f"[data-slider='{leaf.index}/number']", str(t))
            page.press(f"[data-slider='{leaf.index}/number']", "Enter")
            expected = film(made(t)).diagram
            out = expected.vertices[expected.outputs[0]]
            assert close(cards(page)[out.index][0], out.value)
            assert close(cards(page)[leaf.index][1], expected.vertices[leaf.index].grad)
        assert page.problems == []


@needs_browser
def test_no_slider_where_the_page_cannot_follow(trained: Film) -> None:
    weight = next(v for v in trained.diagram.vertices if v.name == "fc3.bias")
    with open_page(trained.html) as page:
        ready(page)
        page.evaluate(f"location.hash = '#step=0&node={weight.index}'")
        page.wait_for_function("document.querySelector('#panel h2').innerText.includes('fc3.bias')")
        assert "No slider: the page cannot compute" in page.inner_text("#panel")
        assert page.locator("[data-slider]").count() == 0
        assert page.locator("#panel .leaves [title]").count() == 0
        page.keyboard.press("Home")
        page.keyboard.press("Escape")
        assert "No slider" in page.locator("#panel .leaves dd").first.get_attribute("title")


def test_no_slider_where_a_comparison_hides_a_dependence() -> None:
    def loss(hide: Callable[[Any], Any], x: Any, y: Any) -> Any:
        return autograd.where(hide(x), x * y, y)

    def sliders(hide: Callable[[Any], Any]) -> dict[str, str]:
        x, y = Scalar(2.0), Scalar(3.0)
        data = data_of(film(lambda: loss(hide, x, y)).html)
        return {data["vertices"][int(i)]["n"]: why for i, why in data["sliders"].items()}

    found = sliders(lambda x: autograd.tensor([1.0]) * x > 0.0)
    assert "computed from it, by operations that record nothing" in found["x"]
    assert found["y"] == ""
    found = sliders(lambda _: autograd.tensor([1.0]) > 0.0)
    assert found["x"] == found["y"] == ""
    x = Scalar(2.0)
    data = data_of(film(lambda: (x * x.detach()) * autograd.tensor(1.0)).html)
    assert "record nothing" in data["sliders"]["0"]


@needs_browser
def test_search_finds_and_goes_to_each() -> None:
    shown = film(perceptron())
    with open_page(shown.html) as page:
        ready(page)
        page.keyboard.press("/")
        page.keyboard.type("W")
        assert page.inner_text("#hits") == f"{page.locator('.card.found').count()} found"
        names = []
        for _ in range(2):
            page.keyboard.press("Enter")
            names.append(page.inner_text("#panel h2"))
        assert len(set(names)) == 2
        page.keyboard.press("Escape")
        assert page.locator(".card.found").count() == 0


@needs_browser
def test_links_lead_to_a_step_and_back() -> None:
    shown = film(expression())
    with open_page(shown.html) as page:
        ready(page)
        page.evaluate("location.hash = '#step=3'")
        page.wait_for_function("document.getElementById('time').value == 3")
        page.click(".card[data-node='0']")
        assert page.url.endswith("#step=3&node=0")
        page.go_back()
        page.wait_for_function("!location.hash.includes('node')")
        assert page.inner_text("#count").startswith("step 3 ")
        page.go_forward()
        page.wait_for_function("document.querySelector('#panel h2').innerText === 'first'")
        page.evaluate("location.hash = '#step=999&node=77'")
        page.wait_for_function(f"document.getElementById('time').value == {step_count(page)}")
        assert page.problems == []


@needs_browser
def test_the_keyboard_alone_is_enough() -> None:
    shown = film(perceptron())
    with open_page(shown.html) as page:
        ready(page)
        for key, step in [
            ("End", step_count(page)),
            ("Home", 0),
            ("ArrowRight", 1),
            ("ArrowLeft", 0),
        ]:
            page.keyboard.press(key)
            assert int(page.input_value("#time")) == step
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("t")
        rows = page.locator("#table tbody tr")
        assert rows.count() == step_count(page) + 1
        assert "h = tanh(v2)" in page.inner_text("#table")
        page.keyboard.press("t")
        page.keyboard.press("d")
        assert page.get_attribute("html", "data-theme") == "dark"
        # A card, its user, and its details.
        page.focus(".card[data-node='0']")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.dataset.node") != "0"
        page.keyboard.press("Enter")
        # A map: arrows pick the neighbour, and do not turn the film.
        page.keyboard.press("Home")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        canvas = page.locator("#panel canvas").first
        page.locator("#panel input[data-index]").first.fill("0, 0")
        page.keyboard.press("Enter")
        canvas.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert page.locator("#panel input[data-index]").first.input_value() == "1, 1"
        assert int(page.input_value("#time")) == 3
        assert page.evaluate("document.activeElement.tagName") == "CANVAS"
        assert page.inner_text("#live").startswith("Step 3.")
        assert page.problems == []


@needs_browser
def test_elements_are_picked_with_the_mouse() -> None:
    shown = film(perceptron())
    h = next(v for v in shown.diagram.vertices if v.name == "h")
    with open_page(shown.html + "") as page:
        ready(page)
        page.evaluate(f"location.hash = '#step=0&node={h.index}'")
        page.wait_for_function("document.querySelector('#panel h2').innerText === 'h'")
        canvas = page.locator("#panel canvas").first
        box = canvas.bounding_box()
        canvas.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.9})
        assert page.locator("#panel input[data-index]").first.input_value() == "3, 2"
        assert text_of(h.value[3, 2]) in page.inner_text("#panel .equation.element")


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_without_scrolling_sideways(dark: bool) -> None:
    with open_page(film(perceptron()).html, 375, 700, dark) as page:
        ready(page)
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        graph, panel = page.locator("#stage").bounding_box(), page.locator("#panel").bounding_box()
        assert panel["y"] >= graph["y"] + graph["height"] - 1
        assert panel["height"] > 200
        assert page.problems == []


@needs_browser
def test_odd_numbers_and_shapes_are_shown() -> None:
    def loss() -> Any:
        x = autograd.tensor(np.array([-1.0, 0.0, np.nan, np.inf], np.float64), requires_grad=True)
        empty = autograd.tensor(np.zeros((0, 3), np.float32), requires_grad=True)
        y = x.log() * 2.0
        out = y.sum() + empty.sum().to(np.float64)
        return out

    with np.errstate(all="ignore"):
        shown = film(loss)
    x = next(v for v in shown.diagram.vertices if v.name == "x")
    with open_page(shown.html) as page:
        ready(page)
        assert picked(page, x.index, (2,)) == "nan"
        assert picked(page, x.index, (3,)) == "inf"
        assert "2 nan or inf" in page.inner_text("#panel")
        page.keyboard.press("Home")
        for _ in range(step_count(page)):
            page.keyboard.press("ArrowRight")
        assert page.problems == []


@needs_browser
def test_higher_orders_play() -> None:
    def second() -> Any:
        x = Scalar(1.5)
        y = x**3
        (slope,) = autograd.grad(y, [x], create_graph=True)
        out = slope * slope
        return out

    shown = film(second)
    assert {v.order for v in shown.diagram.vertices} >= {0, 1}
    with open_page(shown.html) as page:
        ready(page)
        assert page.locator(".card.order-1").count() > 0
        page.keyboard.press("End")
        x = next(v for v in shown.diagram.vertices if v.name == "x")
        assert cards(page)[x.index][1] == text_of(x.grad)
        assert x.grad == pytest.approx(2 * 3 * 1.5**2 * 6 * 1.5)
        assert page.problems == []


@needs_browser
def test_names_are_text_on_the_page() -> None:
    bad = "<b onclick=alert(1)>&amp;\"'`</script>"
    diagram = Diagram(
        [
            Vertex(0, "leaf", name=bad, value=1.0, grad=-1.0),
            Vertex(1, "output", "neg", value=-1.0, grad=1.0),
        ],
        [Edge(0, 1, 0, "x", -1.0, -1.0)],
        outputs=[1],
        title=bad,
    )
    with open_page(film(diagram).html) as page:
        ready(page)
        assert page.inner_text("h1") == bad
        assert bad in page.inner_text("#panel .leaves")
        assert page.locator("#panel b, #graph b").count() == 0
        assert page.problems == []


@needs_browser
def test_printing_gives_the_graph_and_all_steps() -> None:
    with open_page(film(expression()).html) as page:
        ready(page)
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#table tbody tr").count() == step_count(page) + 1
        assert page.locator("#table").is_visible()
        assert page.locator("#graph").is_visible()
        assert not page.locator("#transport").is_visible()
        assert not page.locator("#panel").is_visible()


@needs_browser
def test_one_element_zoomed_in_plays_and_can_be_moved() -> None:
    from autograd.viz.zoom.zoom import zoom

    def element(moved: float) -> Any:
        x = autograd.tensor(np.array([[0.5, -1.0, moved]]), requires_grad=True)
        w = autograd.tensor(np.array([[0.2], [0.3], [0.4]]), requires_grad=True)
        return zoom((x @ w).tanh(), (0, 0))

    shown, expected = film(element(0.25)), element(-1.5).diagram
    leaf = next(v.index for v in shown.diagram.vertices if v.value == 0.25)
    with open_page(shown.html) as page:
        ready(page)
        page.keyboard.press("End")
        page.fill(f"[data-slider='{leaf}/number']", "-1.5")
        page.press(f"[data-slider='{leaf}/number']", "Enter")
        for vertex in shown.diagram.vertices:
            if not vertex.op:
                same = next(v for v in expected.vertices if v.name == vertex.name)
                assert close(cards(page)[vertex.index][1], same.grad)
        assert page.problems == []


def test_no_slider_where_part_of_the_graph_is_not_drawn() -> None:
    from autograd.viz.zoom.zoom import zoom

    x = autograd.tensor(np.linspace(0.1, 1.0, 12), requires_grad=True)
    shown = zoom((x * x).sum(), terms=3)
    data = data_of(film(shown).html)
    assert set(data["sliders"].values()) == {"part of the graph is not drawn"}
