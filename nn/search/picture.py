"""A picture of a search: one axis for each parameter, one line for each trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_RATIO = 50.0  # positive numbers that are farther apart are drawn by their logarithms
FEW = 6  # with no more values than this each has its place, at equal distances


def parallel_coordinates(
    trials: Trials, axes: Axes | None = None, *, cmap: str = "viridis"
) -> Axes:
    """
    Draw each trial as a line through its parameters to its value.

    Parameters
    ----------
    trials : Trials
    axes : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    cmap : str
        Colours of the values; the best is drawn last, and thick.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If no trial has a value.

    Examples
    --------
    >>> from nn.search import grid, search
    >>> trials = search(lambda p: p["x"] * p["y"], grid({"x": [1, 2], "y": [3, 4]}))
    >>> axes = parallel_coordinates(trials)
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['x', 'y', 'value']
    """
    ranked = trials.ranked()
    if not ranked:
        raise ValueError("parallel_coordinates: there is nothing to draw: no trial has a value")
    if axes is None:
        axes = _new_axes()
    import matplotlib as mpl

    names = list(dict.fromkeys(name for trial in ranked for name in trial.parameters))
    columns = [_Column([trial.parameters.get(name) for trial in ranked]) for name in names]
    columns.append(_Column([trial.value for trial in ranked], spread=True))
    colours = mpl.colormaps[cmap]
    places = np.array([column.places for column in columns])
    shades = places[-1] if trials.mode == "max" else 1.0 - places[-1]
    steps = np.arange(len(columns))
    for rank in range(len(ranked) - 1, -1, -1):
        best = rank == 0
        x, y = _smooth(steps, places[:, rank])
        axes.plot(
            x,
            y,
            color=colours(shades[rank]),
            linewidth=3.0 if best else 1.2,
            alpha=1.0 if best else 0.7,
        )
    for step, column in enumerate(columns):
        axes.axvline(step, color="0.3", linewidth=1.0)
        for place, text in column.ticks:
            axes.annotate(
                text,
                (step, place),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
                bbox={
                    "boxstyle": "square,pad=0.1",
                    "facecolor": "white",
                    "alpha": 0.75,
                    "linewidth": 0,
                },
            )
    axes.set_xticks(steps, [*names, "value"])
    axes.set_xlim(-0.35, len(columns) - 0.95)
    axes.set_ylim(-0.05, 1.05)
    axes.tick_params(left=False, labelleft=False, bottom=False)
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _smooth(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curves that cross the axes at right angles, so that they can be followed beyond."""
    t = np.linspace(0.0, 1.0, 25)
    ease = t * t * (3.0 - 2.0 * t)
    parts = [(a + t, p + (q - p) * ease) for a, p, q in zip(x, y, y[1:], strict=False)]
    if not parts:
        return x, y
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


class _Column:
    """Values of one parameter, their places between 0 and 1 on its axis, and the axis's ticks."""

    def __init__(self, values: list[Any], spread: bool = False) -> None:
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        known = set(values)
        if not spread and (not numbers or len(known) <= FEW):
            order = sorted(known, key=None if numbers else str)  # steps of equal height
            steps = {value: (i + 0.5) / len(order) for i, value in enumerate(order)}
            self.places = np.array([steps[value] for value in values])
            self.ticks = [(place, _text(value)) for value, place in steps.items()]
            return
        low, high = float(min(values)), float(max(values))
        log = not spread and low > 0 and high / low >= LOG_RATIO
        shown = _round_numbers(low, high, log)
        levels, marks = np.array(values, dtype=float), np.array(shown, dtype=float)
        if log:
            low, high, levels, marks = math.log(low), math.log(high), np.log(levels), np.log(marks)
        span = high - low or 1.0
        self.places = (levels - low) / span
        self.ticks = [
            (float(mark - low) / span, _text(value))
            for mark, value in zip(marks, shown, strict=True)
        ]


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _round_numbers(low: float, high: float, log: bool) -> list[float]:
    """Numbers to write beside an axis: the ends, or round ones between them."""
    from matplotlib.ticker import MaxNLocator

    if log:
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        shown = [10.0**power for power in powers]
    else:
        shown = [float(tick) for tick in MaxNLocator(5).tick_values(low, high)]
    inside = [number for number in shown if low <= number <= high]
    return inside if len(inside) > 1 else [low, high]


def _new_axes() -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"pictures need matplotlib ({error}); install it by: pip install dagrad[plot]"
        ) from error
    return Figure(figsize=(8.0, 3.6), layout="constrained").add_subplot()
