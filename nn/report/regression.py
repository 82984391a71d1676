"""What a regression looks like: predictions beside what is true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..serialize import PathLike
from .canvas import BLUE, GREY, ORANGE, blank, save


def save_predictions(
    path: PathLike, predicted: np.ndarray, true: np.ndarray, *, title: str = "", name: str = "value"
) -> None:
    """
    Draw predictions against what is true: the nearer to the diagonal, the better.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    predicted, true : ndarray, (N,)
        At least one.
    title : str
    name : str
        What is predicted, with its unit.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If there is nothing, or the shapes differ.
    """
    if predicted.ndim != 1 or predicted.shape != true.shape or not predicted.size:
        raise ValueError(
            "save_predictions: expected predicted and true of one shape (N,), N at least 1, met "
            f"{predicted.shape} and {true.shape}"
        )
    figure = blank(5.4, 5.2)
    axes = figure.subplots()
    ends = [float(min(predicted.min(), true.min())), float(max(predicted.max(), true.max()))]
    axes.plot(ends, ends, "--", color=GREY, linewidth=1)
    axes.scatter(true, predicted, s=16, color=BLUE, alpha=0.7)
    axes.set(xlabel=f"true {name}", ylabel=f"predicted {name}", title=title)
    axes.set_aspect("equal")
    axes.grid(color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def save_lines(
    path: PathLike,
    x: np.ndarray,
    lines: Mapping[str, np.ndarray],
    *,
    title: str = "",
    names: tuple[str, str] = ("x", "y"),
) -> None:
    """
    Draw what is true as a wide line, and what is predicted on it.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    x : ndarray, (N,)
    lines : dict of str to ndarray, (N,)
        By their names, the true one first; at most three.
    title : str
    names : tuple of str
        Of the axes, with their units.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If the shapes differ, or there are no lines, or too many.
    """
    shapes = [line.shape for line in lines.values()]
    if not 1 <= len(lines) <= 3 or x.ndim != 1 or any(shape != x.shape for shape in shapes):
        raise ValueError(
            f"save_lines: expected one to three lines of the shape of x (N,), met {shapes} and "
            f"{x.shape}"
        )
    figure = blank(8.0, 4.0)
    axes = figure.subplots()
    styles = ((GREY, 4.0, 0.45), (ORANGE, 1.6, 1.0), (BLUE, 1.6, 1.0))
    for (name, line), (colour, width, alpha) in zip(lines.items(), styles, strict=False):
        axes.plot(x, line, color=colour, linewidth=width, alpha=alpha, label=name)
    axes.set(xlabel=names[0], ylabel=names[1], title=title)
    axes.grid(color="#DDDDDD", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save(figure, path)
