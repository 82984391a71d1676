"""What a classifier of points says everywhere in the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import no_grad, tensor

from ..serialize import PathLike
from .canvas import BLUE, ORANGE, blank, save

SIDE = 120  # places of the plane, in each direction
MARGIN = 0.15  # around the points, as a share of their width


def save_plane(
    path: PathLike,
    chance: Callable[[Any], Any],
    points: np.ndarray,
    labels: np.ndarray,
    *,
    title: str = "",
) -> None:
    """
    Draw the chance of one of two classes everywhere in the plane, and samples with their class.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    chance : callable
        Maps a tensor of points (M, 2) to numbers (M,) from 0 to 1.
    points : ndarray, (N, 2)
        At least one.
    labels : ndarray of int, (N,)
        0 or 1.
    title : str

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If there is no point, or its shape is another one.
    """
    points, labels = np.asarray(points), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) == len(labels) > 0:
        raise ValueError(
            f"save_plane: expected points (N, 2) and labels (N,), N at least 1, met "
            f"{points.shape} and {labels.shape}"
        )
    figure = blank(5.6, 4.8)
    axes = figure.subplots()
    low, high = points.min(0), points.max(0)
    width = np.maximum(high - low, 1e-3) * MARGIN
    first, second = (np.linspace(low[i] - width[i], high[i] + width[i], SIDE) for i in (0, 1))
    grid = np.stack(np.meshgrid(first, second), -1).reshape(-1, 2).astype(np.float32)
    with no_grad():
        heights = np.asarray(chance(tensor(grid))).reshape(SIDE, SIDE)
    surface = axes.pcolormesh(
        first, second, heights, cmap="RdBu_r", vmin=0.0, vmax=1.0, shading="gouraud"
    )
    figure.colorbar(surface, ax=axes, label="chance of class 1")
    for label, colour, marker in ((0, BLUE, "o"), (1, ORANGE, "s")):
        mine = points[labels == label]
        axes.scatter(
            *mine.T, color=colour, marker=marker, edgecolors="white", s=28, label=f"class {label}"
        )
    axes.set(xlabel="input 1", ylabel="input 2", title=title)
    axes.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, -0.14), frameon=False)
    save(figure, path)
