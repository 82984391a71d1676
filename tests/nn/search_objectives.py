"""Objectives that other processes can import."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def parabola(parameters: dict[str, Any]) -> float:
    return 1.0 - (parameters["x"] - 2.0) ** 2


def awkward(parameters: dict[str, Any]) -> float:
    x = parameters["x"]
    if x == 1:
        raise ValueError("one is refused")
    if x == 2:
        return float("nan")
    if x == 3:
        os._exit(3)  # as a process does that is killed
    return float(x)


def counted(parameters: dict[str, Any]) -> float:
    """Leaves a file for each run in the folder that it is told."""
    Path(parameters["folder"], f"{parameters['x']}-{time.perf_counter_ns()}").touch()
    return float(parameters["x"])
