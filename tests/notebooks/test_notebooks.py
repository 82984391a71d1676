"""Each notebook of the course runs, and reaches its figures; what is stored is of its text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .goals import GOALS

pytest.importorskip("jupytext", reason="jupytext is not installed: pip install dagrad[notebook]")
pytest.importorskip("nbclient", reason="nbclient is not installed: pip install dagrad[notebook]")

import nbformat

from notebooks import build

MEGABYTES = 1.5  # what GitHub still shows at once
NAMES = build.names()


def stored(name: str) -> Any:
    return nbformat.read(build.FOLDER / f"{name}.ipynb", as_version=4)


def texts_of(notebook: Any) -> list[str]:
    """Every text that the outputs of a notebook show."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts.append(output.get("text", ""))
            texts += [text for kind, text in output.get("data", {}).items() if kind != "image/png"]
    return texts


def check(name: str, notebook: Any) -> None:
    """The figures are those of the table, and each reaches its goal."""
    found = build.results(notebook)
    assert {what: figure.goal for what, figure in found.items()} == GOALS[name]
    assert not {what: figure for what, figure in found.items() if not figure.met}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_reaches_its_figures(name: str):
    check(name, build.run(name))


def test_every_notebook_has_goals():
    assert sorted(GOALS) == NAMES
    assert all(GOALS.values())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_of_the_text_beside_it(name: str):
    page, text = stored(name), build.source(name)
    assert [(c.cell_type, c.source) for c in page.cells] == [
        (c.cell_type, c.source) for c in text.cells
    ], f"build it again: python -m notebooks build {name}"
    check(name, page)
    assert (build.FOLDER / f"{name}.ipynb").stat().st_size < MEGABYTES * 1e6
    assert not [text for text in texts_of(page) if re.search(r"/(home|root|tmp|work)/", text)]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_one_learns_and_ends_with_things_to_try(name: str):
    cells = build.source(name).cells
    assert re.match(r"# \S", cells[0].source)
    assert "what you will learn" in cells[0].source.lower()
    assert "things to try" in cells[-1].source.lower()
    assert any(
        "image/" in kind
        for c in stored(name).cells
        for o in c.get("outputs", ())
        for kind in o.get("data", {})
    ), "no picture"


def test_the_index_names_every_notebook_in_order():
    index = (build.FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\w+)\.ipynb\)", index) == NAMES


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.98, "at least 0.975", True),
        (0.97, "at least 0.975", False),
        (1e-7, "at most 1e-06", True),
        (2e-6, "at most 1e-06", False),
        (1792, "1792", True),
        (1791, "1792", False),
        (0.624, "0.62 within 0.005", True),
        (0.626, "0.62 within 0.005", False),
        (float("nan"), "at least 0", False),
        (float("nan"), "0 within 1", False),
    ],
)
def test_goals_can_be_missed(value: float, goal: str, met: bool):
    assert build.Result(value, goal).met is met
    printed = nbformat.v4.new_output(
        "stream", name="stdout", text=f"result: a = {value} (goal: {goal})"
    )
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[printed])])
    assert str(build.results(page)) == str({"a": build.Result(float(value), goal)})
