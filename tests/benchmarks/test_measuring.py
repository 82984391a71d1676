"""docs/measuring.md: its example runs as it is written there, and prints what is shown there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import plan

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "measuring.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
SHOWN = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def without_figures(text: str) -> list[str]:
    """Lines with their numbers, units and verdicts taken out."""
    text = re.sub(r"^.*(?:,|\dt:) .*\n", "", text, count=2)  # machine and roofs
    lines = [line for line in text.splitlines() if "other processes" not in line]
    words = (
        r"\bfaster\b|\bslower\b|\bsame\b|\bnoisy\b|\b(?:ns|us|ms|s)\b|[\d.]+%?|scalar|FMA|\d*-bit"
    )
    return [" ".join(re.sub(words, "", line).replace("-", "").split()) for line in lines]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "axpy.py"
    path.write_text("\n\n".join(PYTHON), encoding="utf-8")
    return path


def test_the_example_of_a_run(file, tmp_path, capsys):
    file.write_text(PYTHON[0], encoding="utf-8")
    assert command.main(["run", str(file), "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    begin = next(i for i, line in enumerate(told) if line.startswith("kernel "))
    shown = SHOWN[0].splitlines()[2:]
    found = without_figures("\n".join(told[begin:-1]))
    assert [line.split("code:")[0] for line in found] == [
        line.split("code:")[0] for line in without_figures("\n".join(shown[:-1]))
    ]
    assert max(map(len, SHOWN[0].splitlines())) <= 100


def test_the_example_of_tuning(file, capsys):
    assert command.main(["tune", str(file), "--budget", "0.5"]) == 0
    told = capsys.readouterr().out
    for words in ("blocked_sum 100000 float64", "block=1024", "block=64", "the default", "    -> "):
        assert words in told
        assert words in SHOWN[1]
    assert "axpy" not in told.split("interval)", 1)[1]


def test_every_command_that_is_shown_can_be_said():
    shown = re.findall(r"^(?:python -m benchmarks) ([^#\n]*)", PAGE, flags=re.MULTILINE)
    assert len(shown) > 10
    for words in shown:
        command.parser().parse_args(words.split())
    plan.enter_suite()
    for name in ("conv2d", "softmax", "step.", "matmul"):
        assert any(name in known for known in plan.SUITE)
