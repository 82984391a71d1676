"""Every example in the documentation runs: docstrings of the packages, and README's code.

Docstrings are found in the syntax tree, not on the live objects, so an example is run whatever a
decorator has made of its function.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import linecache
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str, int]]:
    """The dotted name, text and line of each docstring that holds an example."""
    if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)) and ">>>" in text:
        yield name, text, node.body[0].lineno
    for child in ast.iter_child_nodes(node):
        inner = (
            f"{name}.{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef) else name
        )
        yield from docstrings(child, inner)


def examples() -> Iterator[object]:
    for package in ("autograd", "nn", "optim"):
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            for name, text, line in docstrings(ast.parse(file.read_text("utf-8")), module):
                yield pytest.param(module, name, text, str(file), line, id=name)


def run_example(text: str, namespace: dict, name: str, file: str, line: int) -> str:
    """Run one docstring; the report of what differs, empty when all is as written."""
    report: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, namespace, name, file, line - 1)
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    return "".join(report)


@pytest.mark.parametrize(("module", "name", "text", "file", "line"), list(examples()))
def test_docstring_example(module, name, text, file, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # An example is user code: what it makes is named after its variables.
    namespace = dict(vars(importlib.import_module(module))) | {"__name__": "__main__"}
    assert not (report := run_example(text, namespace, name, file, line)), report


BLOCKS = re.compile(r"^```(python|text)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", ["README.md", "docs/seeing.md", "docs/training.md", "docs/weights.md"]
)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    """The Python blocks run one after the other, as a reader would paste them.

    What they print begins with the block of text that follows, if one does.
    """
    monkeypatch.chdir(tmp_path)
    text, name = (ROOT / page).read_text(encoding="utf-8"), Path(page).name
    blocks = list(BLOCKS.finditer(text))
    assert blocks, f"{page} shows no Python code"
    # The code with its line numbers: a graph tells the lines, and reads names from them.
    code = "\n" * text.count("\n")
    for block in blocks:
        if block[1] == "python" and ">>>" not in block[2]:
            above = text.count("\n", 0, block.start(2))
            lines = code.split("\n")
            lines[above : above + block[2].count("\n")] = block[2].split("\n")[:-1]
            code = "\n".join(lines)
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    namespace: dict[str, object] = {"__name__": "page"}
    for block in blocks:
        above = "\n" * text.count("\n", 0, block.start(2))
        if block[1] == "text":
            assert capsys.readouterr().out.startswith(block[2])
        elif ">>>" in block[2]:
            assert not (report := run_example(block[2], namespace, name, name, 1)), report
        else:
            capsys.readouterr()
            exec(compile(above + block[2], name, "exec"), namespace)
    del linecache.cache[name]


def test_contributing_shows_the_real_op():
    """The op that CONTRIBUTING explains stands in the sources letter for letter."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert shown in (ROOT / "autograd/ops/transcendental.py").read_text(encoding="utf-8")


def test_a_wrong_example_is_found():
    source = 'def f(x):\n    """Add one.\n\n    >>> f(1)\n    3\n    """\n    return x + 1\n'
    ((name, text, line),) = docstrings(ast.parse(source), "planted")
    namespace: dict = {}
    exec(source, namespace)
    report = run_example(text, namespace, name, "planted.py", line)
    assert (name, line) == ("planted.f", 2)
    assert "Expected:\n    3\nGot:\n    2" in report
