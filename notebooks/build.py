"""Running the notebooks: from readable text to pages with their pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import nbclient
import nbformat

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 600  # seconds for one cell
RESULT = re.compile(r"^result: (?P<name>.+) = (?P<value>\S+) \(goal: (?P<goal>.+)\)$", re.MULTILINE)
GOAL = re.compile(r"(?P<words>at least |at most |)(?P<goal>\S+)(?: within (?P<within>\S+))?")


class Result(NamedTuple):
    """A figure that a notebook printed, and its goal in words."""

    value: float
    goal: str

    @property
    def met(self) -> bool:
        """Whether the figure reaches the goal."""
        match = GOAL.fullmatch(self.goal)
        if match is None:
            raise ValueError(f"no goal: {self.goal!r}")
        goal = float(match["goal"])
        if match["words"] == "at least ":
            return self.value >= goal
        if match["words"] == "at most ":
            return self.value <= goal
        return abs(self.value - goal) <= float(match["within"] or 0)


def names() -> list[str]:
    """Names of all notebooks, in the order of the course."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.py"))


def source(name: str) -> Any:
    """The notebook of a name, from its text, not run.

    Raises
    ------
    LookupError
        If there is none of that name.
    """
    path = FOLDER / f"{name}.py"
    if not path.is_file():
        raise LookupError(f"no notebook {name!r}; there are {', '.join(names())}")
    notebook = jupytext.read(path)
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"  # jupytext's are random: each build would differ from the last
    return notebook


def run(name: str) -> Any:
    """
    Run a notebook in a process of its own, on one thread, and return it with its outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = source(name)
    environment = {
        **os.environ,
        "AUTOGRAD_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # The library, where it is not installed.
        "PYTHONPATH": os.pathsep.join(
            [str(FOLDER.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }
    client = nbclient.NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": FOLDER}},
        extra_arguments=[
            "--log-level=ERROR"
        ],  # it warns of its ports, which are this machine's own
    )
    client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when each cell began and ended
    notebook.metadata.pop("language_info", None)  # of the Python that ran it
    return notebook


def save(name: str, notebook: Any) -> Path:
    """Store a notebook with its outputs beside its text."""
    path = FOLDER / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def results(notebook: Any) -> dict[str, Result]:
    """The figures that a notebook printed."""
    printed = "\n".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )
    return {
        match["name"]: Result(float(match["value"]), match["goal"])
        for match in RESULT.finditer(printed)
    }
