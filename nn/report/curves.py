"""Losses and other numbers of a run, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..serialize import PathLike
from .canvas import BLUE, GREY, ORANGE, blank, save, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    figure = blank(10.0, 4.2)
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
        tidy(axes)
    left.legend(frameon=False, loc="upper right")
    right.legend(frameon=False, loc="lower right")
    save(figure, path)


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
    figure = blank(5.0 * len(shown), 4.2)
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
        tidy(axes)
        axes.legend(frameon=False)
    if path is not None:
        save(figure, path)
    return figure
