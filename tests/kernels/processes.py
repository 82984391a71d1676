"""Python in processes of their own, for what cannot be tried in the one that runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(code: str, **variables: str) -> subprocess.Popen[str]:
    """Start Python code, with warnings as errors."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-X", "faulthandler", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python code to its end."""
    with start(code, **variables) as process:
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
