"""Programs written for PyTorch run here with their import lines changed, and compute the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
IMPORTS = {
    "import torch": "import autograd as torch\nimport nn\nimport optim",
    "from torch import nn": "import nn",
    "from torch import nn, optim": "import nn\nimport optim",
    "import torch.nn as nn": "import nn",
    "import torch.nn.functional as F": "import nn.functional as F",
    "from torch.utils.data import DataLoader, TensorDataset": (
        "from nn.data import DataLoader, TensorDataset"
    ),
}
programs = pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)


def results(source: str, path: Path) -> list[float]:
    """Run a program, and what its `run` returns."""
    names: dict[str, Any] = {"__name__": path.stem}
    exec(compile(source, path.name, "exec"), names)
    return names["run"]()


def moved(path: Path) -> str:
    """A program with its import lines changed, and `torch.optim` written as it is imported."""
    source = path.read_text(encoding="utf-8")
    lines = [IMPORTS.get(line, line) for line in source.splitlines()]
    return re.sub(r"\btorch\.optim\b", "optim", "\n".join(lines))


@programs
def test_runs_with_other_imports(path):
    found = results(moved(path), path)
    steps = len(found) // 2
    assert found[steps - 1] < found[0], "it does not learn"


@programs
def test_computes_what_pytorch_does(torch, path):
    theirs = results(path.read_text(encoding="utf-8"), path)
    assert results(moved(path), path) == pytest.approx(theirs, rel=2e-3, abs=1e-4)
