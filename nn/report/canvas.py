"""Figures without a window: their colours, their axes, and how they reach a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..serialize import PathLike, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every common kind of colour blindness, and in grey.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#666666"
DOTS_PER_INCH = 150


def blank(width: float, height: float) -> Figure:
    """A figure with no window, and none of pyplot's global state behind it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"pictures need matplotlib ({error}); install it by: pip install dagrad[plot]"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: PathLike) -> None:
    """Write a figure as a PNG file, whole or not at all."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH)
    write_atomically(Path(path), picture.getvalue())


def tidy(axes: Axes) -> None:
    """Axes over epochs, with as little ink as will do."""
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    axes.grid(color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
