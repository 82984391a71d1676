"""The page of results is written by a command, and says what it lost."""

from __future__ import annotations

import re

import pytest

from benchmarks import __main__ as command
from benchmarks import cold, page, plan
from benchmarks.stats import Ratio, ratio, spread
from benchmarks.subjects import SUBJECTS
from benchmarks.trial import NOT_INSTALLED, Result

ONES, TWOS = [1.0, 1.01, 0.99, 1.0, 1.0], [2.0, 2.02, 1.98, 2.0, 2.0]


def result(name: str, size: int, threads: int = 1, **ratios: Ratio) -> Result:
    found = Result(name, size, "float32", threads)
    found.seconds = spread([1e-3])
    found.ratios = ratios
    found.first = {"ours": 0.1, "torch.compile": 20.0}
    return found


def tables(text: str) -> list[list[list[str]]]:
    """Cells of every table."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [[line.strip("|").split("|") for line in block.splitlines()] for block in blocks]


def test_everything_has_its_place():
    faster, slower = ratio(ONES, TWOS), ratio(TWOS, ONES)
    results = [
        result("step.lenet-5", 64, torch=faster, jax=slower),
        result("matmul", 512, numpy=slower, torch=faster),
        result("matmul", 512, 2, numpy=faster),
        result("adam.step", 1000),
    ]
    results[3].ratios["torch fused"] = faster
    results[1].refused["jax"] = NOT_INSTALLED
    results[2].scaling, results[2].same_bits = 1.9, True
    units = [cold.Unit("scan", ("a", "b"), 2.0, 0.01)]
    text = page.text(results, units, 60.0, "the command")
    headings = re.findall(r"^## (.*)", text, flags=re.MULTILINE)
    assert headings == [
        "Machine",
        "Whole training steps",
        "What we lose",
        "Kernels, 1 thread",
        "Kernels, 2 threads",
        "Before the first result",
        "Not measured",
        "Commands",
    ]
    assert re.search(r"\| lenet-5, 64 \| 1 \| 1 ms \| 2\.00 \(.*\) \| \*\*0\.50", text)
    assert "| matmul 512 float32 1t | numpy | 0.50" in text
    assert "| step.lenet-5 64 float32 1t | jax | 0.50" in text
    assert "torch fused 2.00" in text
    assert "- jax: not installed" in text
    assert "the command" in text
    for rows in tables(text):
        assert len({len(row) for row in rows}) == 1
    assert all(len(line) <= 100 or line.startswith("|") for line in text.splitlines())


def test_nothing_lost_is_said_too():
    text = page.text([result("matmul", 64, torch=ratio(ONES, TWOS))], [], 1.0, "c")
    assert "Nothing in this run is slower" in text
    assert "Before the first result" not in text


def test_what_is_chosen_is_there():
    tasks = page.tasks([1, 2])
    scalar = sum(name == "step.two-moons" for name, _ in page.STEPS)  # one thread only
    assert len(tasks) == 2 * (len(page.STEPS) + len(page.KERNELS)) - scalar
    for task in tasks:
        assert plan.parts(task.size) in set(map(plan.parts, task.subject.sizes))
    assert {name for name, _ in page.STEPS} == {n for n in SUBJECTS if n.startswith("step.")}


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(page, "STEPS", (("step.digits-mlp", 2),))
    monkeypatch.setattr(page, "KERNELS", (("softmax", (4, 5)),))
    file = tmp_path / "page.md"
    words = ["page", str(file), "--no-cold", "--rivals", "numpy", "--threads", "1"]
    assert command.main([*words, "--folder", str(tmp_path)]) == 0
    text = file.read_text(encoding="utf-8")
    assert "digits-mlp, 2" in text
    assert "softmax 4x5" in text
    assert f"\npython -m benchmarks page {file} --no-cold --rivals numpy --threads 1" in text
    assert "kept in" in capsys.readouterr().out
    assert command.main([*words, "--folder", str(tmp_path), "--budget", "1e-6"]) == 2
    assert "nothing was measured within --budget" in capsys.readouterr().err


@pytest.mark.parametrize("rival", ["numpy", "scipy", "torch", "torch fused", "closures"])
def test_every_rival_has_a_column(rival):
    assert page.column_of(rival) in page.COLUMNS
