"""The page to explore: its text, and in Chromium what it does."""

import json
import random
import re
from html.parser import HTMLParser

import pytest

from autograd.viz.model import Cluster, Diagram, Edge, Vertex
from autograd.viz.page import to_html
from tests.autograd.viz.browser import missing, needs_browser, open_page
from tests.autograd.viz.drawings import DRAWINGS, NASTY, kinds, mlp, residual, scalars

ALL = {**DRAWINGS, "kinds": kinds}


@pytest.fixture(scope="module", autouse=True)
def _running_browser():
    """Start the browser, whose threads stay, before any one test could be blamed for them."""
    if not missing():
        state = random.getstate()
        with open_page("<title>start</title>"):
            pass
        random.setstate(state)


class Parser(HTMLParser):
    """Collects elements, and what stands in the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._open = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._open = True
            self.scripts.append("")

    def handle_endtag(self, tag):
        if tag == "script":
            self._open = False

    def handle_data(self, data):
        if self._open:
            self.scripts[-1] += data


# --- The text ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_whole(name):
    page = to_html(ALL[name]())
    found = Parser(page)
    assert page.startswith("<!doctype html>")
    assert len(found.scripts) == 2
    data = json.loads(found.scripts[0])
    assert data["levels"][-1]["name"] == "everything"
    assert len(data["levels"][-1]["nodes"]) == len(ALL[name]().vertices)
    for level in data["levels"]:
        for node in level["nodes"]:
            assert data["details"][node["lines"]]
        for tail, head, lines in level["edges"]:
            assert tail < head
            assert data["details"][lines]
    # Nothing is loaded, and every placeholder is filled.
    assert not any("src" in attributes or "href" in attributes for _, attributes in found.tags)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\{\{[A-Z]+\}\}|\{FONT\}|\{MONOSPACE\}", page)
    assert to_html(ALL[name]()) == page


def test_users_text_cannot_become_markup():
    page = to_html(kinds(), title=NASTY)
    assert page.count("</script>") == 2
    assert page.count("<!--") == 0
    data = json.loads(Parser(page).scripts[0])
    assert "</script><!--" in data["details"][0][0][1]
    # A name that looks like a placeholder stays a name.
    assert "{{DATA}}" in to_html(Diagram([Vertex(0, "leaf", name="{{DATA}}")], title="{{DATA}}"))


def test_levels_open_the_modules_one_by_one():
    levels = json.loads(Parser(to_html(mlp())).scripts[0])["levels"]
    assert [level["name"] for level in levels] == ["depth 0", "depth 1", "everything"]
    assert [len(level["nodes"]) for level in levels] == [4, 6, 10]
    assert [node["label"] for node in levels[0]["nodes"]].count("model : Sequential") == 1


def test_a_page_opens_at_a_level_for_the_eye():
    vertices = [Vertex(0, "leaf", name="x")]
    edges = []
    for i in range(1, 200):
        vertices.append(Vertex(i, "intermediate", "sin", cluster="m"))
        edges.append(Edge(i - 1, i))
    diagram = Diagram(vertices, edges, {"m": Cluster("m", "m", "Net")}, [199])
    page = to_html(diagram)
    assert json.loads(Parser(page).scripts[0])["start"] == 0
    assert len(page) < 1_000_000


def test_options_are_checked():
    with pytest.raises(ValueError, match="theme must be"):
        to_html(scalars(), theme="sepia")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="direction must be"):
        to_html(scalars(), direction="up")  # type: ignore[arg-type]
    assert '<html lang="en" data-theme="dark">' in to_html(scalars(), theme="dark")


# --- In the browser ----------------------------------------------------------------------------


def _chosen(page):
    return page.evaluate(
        "(document.querySelector('.dg-node.chosen') || {dataset: {}}).dataset.vertex"
    )


def _place(page):
    """Scale and shift of the drawing."""
    text = page.evaluate("document.querySelector('.view').getAttribute('transform')")
    x, y, scale = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", text))
    return scale, x, y


def _details(page):
    return page.locator("#details").inner_text()


@needs_browser
@pytest.mark.parametrize("name", ALL)
def test_opens_without_problems(name):
    with open_page(to_html(ALL[name]())) as page:
        assert page.locator(".dg-node").count() == len(ALL[name]().vertices)
        page.locator(".dg-node").first.click(position={"x": 20, "y": 12})
        page.locator(".dg-edge .grip").first.dispatch_event("pointerdown")
        assert page.problems == []


@needs_browser
def test_an_empty_graph_is_a_page_too():
    with open_page(to_html(Diagram())) as page:
        page.keyboard.press("ArrowDown")
        page.keyboard.press("0")
        assert "This graph is empty" in page.locator("body").inner_text()
        assert page.problems == []


@needs_browser
def test_details_of_what_is_clicked():
    with open_page(to_html(mlp())) as page:
        page.locator('.dg-node[data-vertex="3"]').click()
        text = _details(page)
        assert "linear(x, 0.weight, 0.bias)" in text
        assert "64×100, float32" in text
        assert page.locator("#details figure").count() == 2
        page.get_by_role("button", name="bias", exact=True).click()
        assert _chosen(page) == "2"
        assert "parameter (learned)" in _details(page)
        page.keyboard.press("Escape")
        assert _details(page) == ""
        assert page.problems == []


@needs_browser
def test_contributions_are_told():
    with open_page(to_html(scalars())) as page:
        page.locator('.dg-node[data-vertex="1"]').click()
        assert "from mul\n−36" in _details(page)
        page.evaluate(
            "document.querySelector('.dg-edge[data-edge=\"1\"] .grip').dispatchEvent("
            "new PointerEvent('pointerdown', {bubbles: true, pointerId: 1}));"
            "document.querySelector('#canvas').dispatchEvent("
            "new PointerEvent('pointerup', {bubbles: true, pointerId: 1}))"
        )
        text = _details(page)
        assert "contribution to the gradient\n−36" in text
        assert "partial derivative\n2" in text


@needs_browser
def test_search_finds_highlights_and_centres():
    with open_page(to_html(mlp())) as page:
        page.keyboard.press("/")
        page.keyboard.type("linear")
        assert page.locator("#hits").inner_text() == "1 of 2"
        assert page.locator(".dg-node.hit").count() == 2
        page.locator("#query").fill("10x100 param")
        assert _chosen(page) == "5"
        box = page.locator('.dg-node[data-vertex="5"]').bounding_box()
        canvas = page.locator("#canvas").bounding_box()
        assert abs(box["x"] + box["width"] / 2 - canvas["x"] - canvas["width"] / 2) < 8
        page.locator("#query").fill("relu")
        first = _chosen(page)
        page.keyboard.press("Enter")
        assert _chosen(page) == first
        page.locator("#query").fill("nothing like it")
        assert page.locator("#hits").inner_text() == "none"
        assert page.locator(".dg-node.hit").count() == 0
        page.keyboard.press("Escape")
        assert page.locator("#query").input_value() == ""
        assert page.problems == []


@needs_browser
def test_zoom_by_wheel_keys_and_buttons():
    with open_page(to_html(mlp())) as page:
        start = _place(page)
        page.mouse.move(300, 300)
        page.mouse.wheel(0, -240)
        page.wait_for_function(
            "s => +document.querySelector('.view').getAttribute('transform')"
            ".match(/scale\\((.*)\\)/)[1] > s",
            arg=start[0],
        )
        after = _place(page)
        # What is under the pointer stays there.
        top = page.locator("#canvas").bounding_box()["y"]
        for axis, at in ((1, 300), (2, 300 - top)):
            assert (at - start[axis]) / start[0] == pytest.approx((at - after[axis]) / after[0])
        page.keyboard.press("-")
        assert _place(page)[0] == pytest.approx(after[0] / 1.25)
        page.get_by_role("button", name="Zoom in").click()
        assert _place(page)[0] == pytest.approx(after[0])
        page.get_by_role("button", name="Fit").click()
        for index in ("0", "9"):
            box = page.locator(f'.dg-node[data-vertex="{index}"]').bounding_box()
            assert box["y"] >= top
            assert box["y"] + box["height"] <= 800
        assert page.problems == []


@needs_browser
def test_dragging_moves_and_does_not_choose():
    with open_page(to_html(mlp())) as page:
        before = _place(page)
        box = page.locator('.dg-node[data-vertex="0"]').bounding_box()
        page.mouse.move(box["x"] + 9, box["y"] + 9)
        page.mouse.down()
        page.mouse.move(box["x"] + 59, box["y"] + 39, steps=4)
        page.mouse.up()
        after = _place(page)
        assert after[1] - before[1] == pytest.approx(50, abs=1)
        assert after[2] - before[2] == pytest.approx(30, abs=1)
        assert _details(page) == ""


@needs_browser
def test_two_fingers_zoom():
    with open_page(to_html(mlp()), has_touch=True) as page:
        before = _place(page)
        page.evaluate("""() => {
            const canvas = document.getElementById("canvas");
            const send = (type, id, x, y) => canvas.dispatchEvent(new PointerEvent(type,
                {pointerId: id, clientX: x, clientY: y, bubbles: true, pointerType: "touch"}));
            send("pointerdown", 1, 300, 300); send("pointerdown", 2, 400, 300);
            send("pointermove", 2, 500, 300);
            send("pointerup", 1, 300, 300); send("pointerup", 2, 500, 300);
        }""")
        assert _place(page)[0] == pytest.approx(2 * before[0])
        assert page.problems == []


@needs_browser
def test_keyboard_alone():
    with open_page(to_html(mlp())) as page:
        page.locator("#theme").focus()
        seen = []
        for _ in range(10):
            page.keyboard.press("Tab")
            seen.append(int(_chosen(page)))
        assert sorted(seen) == list(range(10))
        assert all(seen.index(edge.tail) < seen.index(edge.head) for edge in mlp().edges)
        assert page.locator(".dg-node:focus .ring").is_visible()
        page.locator('.dg-node[data-vertex="3"]').focus()
        page.keyboard.press("ArrowDown")
        assert _chosen(page) == "4"
        assert "relu" in page.evaluate("document.activeElement.getAttribute('aria-label')")
        page.keyboard.press("ArrowUp")
        assert _chosen(page) == "3"
        page.keyboard.press("ArrowUp")
        up = _chosen(page)
        page.keyboard.press("ArrowRight")
        beside = _chosen(page)
        page.keyboard.press("ArrowLeft")
        assert up in ("0", "1", "2")
        assert beside == up or _chosen(page) == up
        assert page.locator("#details").get_attribute("aria-live") == "polite"
        page.keyboard.press("Escape")
        assert _chosen(page) is None
        assert page.problems == []


@needs_browser
def test_hovering_lights_what_leads_here_and_what_comes_of_it():
    with open_page(to_html(mlp())) as page:
        page.locator('.dg-node[data-vertex="5"]').hover()
        lit = page.evaluate(
            "[...document.querySelectorAll('.dg-node.lit')].map(n => n.dataset.vertex)"
        )
        assert lit == ["5", "7", "9"]
        page.mouse.move(1200, 700)
        assert page.locator(".lighted").count() == 0


@needs_browser
def test_modules_close_and_open():
    with open_page(to_html(residual())) as page:
        slider = page.locator("#depth")
        nodes = page.locator("#canvas .dg-node")
        assert nodes.count() == 12
        page.locator('.dg-node[data-vertex="2"]').click()
        slider.fill("0")
        assert page.locator("#depth-name").inner_text() == "depth 0"
        assert "3 nodes" in page.locator("#overview").text_content()
        assert nodes.count() == 3
        # What held the chosen node is chosen now.
        assert "net" in page.locator("#details h2").inner_text()
        page.keyboard.press("]")
        assert nodes.count() > 3
        slider.fill(slider.get_attribute("max"))
        assert nodes.count() == 12
        page.keyboard.press("[")
        closed = nodes.count()
        group = page.evaluate(
            "[...document.querySelectorAll('#canvas .dg-group')].map(n => n.dataset.vertex)[0]"
        )
        page.locator(f'#canvas .dg-node[data-vertex="{group}"]').dblclick()
        assert nodes.count() > closed
        page.locator("#canvas .dg-header").first.dblclick()
        assert nodes.count() == 3
        assert page.problems == []


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_follows_the_system_and_has_a_switch(dark):
    with open_page(to_html(scalars()), dark=dark) as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        colours = ["rgb(255, 255, 254)", "rgb(15, 19, 24)"]
        assert page.evaluate(ground) == colours[dark]
        page.locator("#theme").click()
        assert page.evaluate(ground) == colours[not dark]
        card = "getComputedStyle(document.querySelector('.dg-output rect')).fill"
        assert page.evaluate(card) == ["rgb(255, 255, 255)", "rgb(34, 42, 53)"][not dark]
        assert page.problems == []


@needs_browser
def test_a_phone_sees_all_of_it():
    with open_page(to_html(mlp()), width=390, height=844, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        canvas = page.locator("#canvas").bounding_box()
        assert canvas["height"] > 350
        page.locator('.dg-node[data-vertex="0"]').tap()
        assert "64×784" in _details(page)
        assert page.problems == []


@needs_browser
def test_prints_all_of_the_drawing():
    with open_page(to_html(mlp(), theme="dark"), dark=True) as page:
        for _ in range(9):
            page.keyboard.press("+")
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for index in range(10):
            box = page.locator(f'.dg-node[data-vertex="{index}"]').bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 1280
        assert not page.locator("#query").is_visible()
        assert page.locator(".legend").is_visible()
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 254)"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.problems == []
