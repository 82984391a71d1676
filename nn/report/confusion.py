"""Confusion matrices, as text and as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..serialize import PathLike
from .canvas import BLUE, ORANGE, blank, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_text(confusion: np.ndarray, labels: Sequence[str] | None = None) -> str:
    """
    Confusion matrix as lines of text; zeros are dots, so that what is mistaken stands out.

    Parameters
    ----------
    confusion : ndarray of int, shape ``(classes, classes)``
        Row: true class. Column: predicted class.
    labels : sequence of str, optional
        Default: the class indices.

    Examples
    --------
    >>> print(confusion_text(np.array([[9, 1], [0, 10]])))
         predicted
    true   0  1  right
       0   9  1   90.0 %
       1   . 10  100.0 %
    """
    names = [str(i) for i in range(len(confusion))] if labels is None else list(labels)
    width = max(2, *(len(name) for name in names), len(str(confusion.max())))
    left = max(4, *(len(name) for name in names))
    lines = [f"{'':{left}} predicted"]
    head = " ".join(f"{name:>{width}}" for name in names)
    lines.append(f"{'true':<{left}}  {head}  right")
    for name, row, right in zip(names, confusion, _shares(confusion).diagonal(), strict=True):
        cells = " ".join(f"{count or '.':>{width}}" for count in row.tolist())
        share = f"{100 * right:5.1f} %" if row.sum() else "    -"
        lines.append(f"{name:>{left}}  {cells}  {share}")
    return "\n".join(lines)


def _shares(confusion: np.ndarray) -> np.ndarray:
    """Each row divided by its sum; a row of zeros stays one."""
    return confusion / np.maximum(confusion.sum(1, keepdims=True), 1)


def save_confusion(
    path: PathLike, confusion: np.ndarray, *, title: str, labels: Sequence[str] | None = None
) -> None:
    """
    Draw a confusion matrix: what is right in blue, mistakes in orange, every count as a number.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    confusion : ndarray of int, shape ``(classes, classes)``
        Row: true class. Column: predicted class.
    title : str
    labels : sequence of str, optional
        Default: the class indices.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    """
    figure = blank(6.4, 6.0)
    names = [str(i) for i in range(len(confusion))] if labels is None else list(labels)
    axes = figure.subplots()
    figure.suptitle(title, fontsize=12, fontweight="bold")
    axes.imshow(_confusion_colours(confusion))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    # White lines between the cells.
    edges = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    _write_counts(axes, confusion)
    save(figure, path)


def _confusion_colours(confusion: np.ndarray) -> np.ndarray:
    """RGB of each cell: blue on the diagonal, orange off it, paler the smaller its share."""
    shares = _shares(confusion)
    right = np.eye(len(confusion), dtype=bool)
    worst = shares[~right].max(initial=0.0)
    # One mistake in a class of hundreds must still be seen, hence the scale of their own; 5 % of
    # a class are full orange, so that a good model's single mistakes do not cry out.
    depth = np.where(right, shares, 0.9 * shares / max(worst, 0.05))
    depth = np.where(confusion > 0, 0.15 + 0.85 * depth, 0.0)[..., None]
    hue = np.where(right[..., None], _rgb(BLUE), _rgb(ORANGE))
    empty = np.array([0.96, 0.96, 0.96])
    return empty + depth * (hue - empty)


def _rgb(text: str) -> np.ndarray:
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _write_counts(axes: Axes, confusion: np.ndarray) -> None:
    # Beyond about thirty classes numbers no longer fit, and the colours have to do.
    if len(confusion) > 30:
        return
    luminance = _confusion_colours(confusion) @ [0.299, 0.587, 0.114]
    for (i, j), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if luminance[i, j] < 0.6 else "black"
            axes.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=10)
