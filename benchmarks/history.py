"""Results kept as lines of JSON, one file for each machine, and two runs compared."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .measure import machine
from .stats import CONFIDENCE, MATTERS, RESAMPLES, spread
from .trial import OURS, Result

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "runs" / "benchmarks"


def machine_key() -> str:
    """A file name for this machine: results of two machines are never compared."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{machine().split(',')[0]}-{os.cpu_count()}-cores")
    return words.strip("-").lower()


def commit() -> str:
    """The commit of the checkout, with a plus if files differ from it; "" outside of git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + "+" * bool(git("status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe() -> dict[str, Any]:
    """What a line of the history says of its run besides the result."""
    return {
        "machine": machine(),
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def keep(results: Iterable[Result], run: str, folder: Path = FOLDER) -> Path:
    """Add results to this machine's file, under the name of a run."""
    path = folder / f"{machine_key()}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"run": run, **describe()}
    lines = [json.dumps({**about, "key": r.key, **r.as_record()}) + "\n" for r in results]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """
    Lines of a file; those that cannot be read are told and left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    records, bad = [], []
    for number, line in enumerate(
        path.read_text(encoding="utf-8", errors="replace").split("\n"), 1
    ):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or not isinstance(record["key"], str):
                raise TypeError
            records.append(record)
        except (ValueError, TypeError, KeyError):
            bad.append(number)
    if bad:
        shown = ", ".join(map(str, bad[:5])) + (" ..." if len(bad) > 5 else "")
        warnings.warn(f"{path}: cannot read line {shown}; left out", stacklevel=2)
    return records


@dataclass(frozen=True)
class Change:
    """How a kernel's time changed from one run to another.

    Attributes
    ----------
    ratio : float
        New time / old time, of the medians: above 1 it became slower.
    low, high : float
        Ends of its bootstrap interval.
    """

    key: str
    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Of the new run "slower", "faster" or "same": what all of the interval says."""
        if self.low > 1.0 + MATTERS:
            return "slower"
        if self.high < 1.0 / (1.0 + MATTERS):
            return "faster"
        return "same"


def change(key: str, old: Sequence[float], new: Sequence[float], *, seed: int = 0) -> Change:
    """
    Compare two series that were measured at different times.

    Each is cut into blocks of neighbouring rounds, and whole blocks are drawn, because a machine
    that is slow in one round is slow in the next (Künsch 1989, "The jackknife and the bootstrap for
    general stationary observations").

    Examples
    --------
    >>> change("k", [1.0, 1.1, 1.0, 0.9, 1.0] * 4, [2.0, 2.1, 2.0, 1.9, 2.0] * 4).verdict
    'slower'
    """
    rng = np.random.default_rng(seed)
    medians = [_block_medians(np.asarray(series, np.float64), rng) for series in (old, new)]
    ratios = medians[1] / medians[0]
    outside = (1.0 - CONFIDENCE) / 2.0
    low, high = (float(q) for q in np.quantile(ratios, (outside, 1.0 - outside)))
    return Change(key, spread(new).median / spread(old).median, low, high)


def _block_medians(series: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Medians of RESAMPLES series made of blocks of this one, which wraps around."""
    length = max(1, round(len(series) ** 0.5))
    count = -(-len(series) // length)
    starts = rng.integers(0, len(series), (RESAMPLES, count, 1))
    picked = (starts + np.arange(length)) % len(series)
    return np.median(series[picked.reshape(RESAMPLES, -1)[:, : len(series)]], axis=1)


def compare(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[Change]:
    """Changes of every key that both runs have, with times."""
    before = {r["key"]: r["times"].get(OURS) for r in old}
    after = {r["key"]: r["times"].get(OURS) for r in new}
    both = [key for key in after if after[key] and before.get(key)]
    return [change(key, before[key], after[key]) for key in both]
