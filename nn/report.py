"""What a training run looks like: a confusion matrix as text, and pictures by matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .serialize import PathLike, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every common kind of colour blindness, and in grey.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#666666"
DOTS_PER_INCH = 150


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


def save_curves(
    path: PathLike,
    history: Sequence[Mapping[str, Any]],
    *,
    title: str,
    loss_name: str = "loss",
    test_accuracy: float | None = None,
) -> None:
    """
    Draw the losses and the validation accuracy of a run, epoch by epoch.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    history : sequence of dict
        `Trainer.history`; at least one epoch.
    title : str
    loss_name : str
    test_accuracy : float, optional
        Shown as a line of its own.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    """
    figure = _figure(10.0, 4.2)
    figure.suptitle(title, fontsize=12, fontweight="bold")
    epochs = [record["epoch"] for record in history]
    # A line of one point would be invisible.
    mark = {"marker": "o", "markersize": 4 if len(epochs) < 40 else 0}

    left, right = figure.subplots(1, 2)
    train = [record["train_loss"] for record in history]
    validation = [record["validation_loss"] for record in history]
    left.plot(epochs, train, color=BLUE, label="training", **mark)
    left.plot(epochs, validation, "--", color=ORANGE, label="validation", **mark)
    left.set_ylabel(loss_name)
    left.set_ylim(bottom=0)

    accuracy = [100 * record["validation_accuracy"] for record in history]
    best = int(np.argmax(accuracy))
    label = f"validation (best {accuracy[best]:.1f} % in epoch {epochs[best]})"
    right.plot(epochs, accuracy, "--", color=ORANGE, label=label, **mark)
    if test_accuracy is not None:
        percent = 100 * test_accuracy
        right.axhline(
            percent, color=GREY, linestyle=":", label=f"test, at the end ({percent:.1f} %)"
        )
    right.set_ylabel("accuracy (%)")
    low = min(accuracy)
    # From 90 % on, where the differences are; lower only if most of the run lies lower.
    right.set_ylim(min(90.0, float(np.median(accuracy)) - 5, low if low > 80 else 90.0), 100.5)

    for axes in (left, right):
        _tidy(axes)
    left.legend(frameon=False, loc="upper right")
    right.legend(frameon=False, loc="lower right")
    _save(figure, path)


def draw_history(records: Sequence[Mapping[str, Any]], path: PathLike | None = None) -> Figure:
    """
    Draw the losses of any run, and beside them its other numbers, epoch by epoch.

    Parameters
    ----------
    records : sequence of dict
        Of a `History`; at least one epoch.
    path : path-like, optional
        Of a PNG file.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there is no epoch.
    """
    if not records:
        raise ValueError("there is nothing to draw: no epoch is complete")
    names = [name for name in records[-1] if name not in ("epoch", "lr")]
    groups = {
        "loss": [name for name in names if name.endswith("loss")],
        "metric": [name for name in names if not name.endswith("loss")],
    }
    shown = {title: group for title, group in groups.items() if group}
    figure = _figure(5.0 * len(shown), 4.2)
    epochs = [record["epoch"] for record in records]
    for axes, (title, group) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True
    ):
        for place, name in enumerate(group):
            values = [record.get(name, math.nan) for record in records]
            style = "--" if name.startswith("validation") else "-"
            colour = (BLUE, ORANGE, GREY)[place % 3] if title == "loss" else None
            label = name.replace("_", " ")
            axes.plot(epochs, values, style, color=colour, label=label, marker="o", markersize=3)
        axes.set_ylabel(title)
        _tidy(axes)
        axes.legend(frameon=False)
    if path is not None:
        _save(figure, path)
    return figure


def _tidy(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    axes.grid(color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


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
    figure = _figure(6.4, 6.0)
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
    _save(figure, path)


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


def _figure(width: float, height: float) -> Figure:
    """A figure with no window, and none of pyplot's global state behind it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"pictures need matplotlib ({error}); install it by: pip install dagrad[plot]"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: PathLike) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH)
    write_atomically(Path(path), picture.getvalue())
