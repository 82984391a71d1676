"""What a detector sees: its boxes drawn on pictures, right ones and wrong ones apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metrics import match_detections
from ..serialize import PathLike
from .canvas import blank, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito's palette the ones that are bright enough for dark pictures.
RIGHT = "#56B4E9"
WRONG = "#E8601C"
MISSED = "#F0E442"
LETTER = 7.0  # pixels that a label of size 8 is high, about; above it there must be room
COLUMNS = 6


def draw_detections(
    axes: Axes,
    image: Any,
    found: Mapping[str, Any],
    true: Mapping[str, Any],
    iou_threshold: float = 0.5,
    *,
    named: bool = True,
) -> None:
    """
    Draw a picture and the boxes found in it, with class and score in per cent.

    Right boxes are blue, wrong ones orange, and what was not found has a broken yellow line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    image : array, (1, height, width) or (3, height, width)
        From 0 to 1.
    found : dict
        "boxes", "labels" and "scores", see `nn.metrics.mean_average_precision`.
    true : dict
        "boxes" and "labels".
    iou_threshold : float, default 0.5
        From which on a box is right.
    named : bool, default True
        Write class and score beside each box.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> box = {"boxes": [[1.0, 2.0, 5.0, 6.0]], "labels": [3]}
    >>> axes = Figure().subplots()
    >>> draw_detections(axes, np.zeros((1, 8, 8)), {**box, "scores": [0.5]}, box)
    >>> [text.get_text() for text in axes.texts]
    ['3 50']
    """
    pixels = np.asarray(image)
    if pixels.ndim != 3 or len(pixels) not in (1, 3):
        raise ValueError(f"draw_detections: expected an image (1 or 3, H, W), met {pixels.shape}")
    (right,) = match_detections([found], [true], iou_threshold)
    scored = [{**true, "scores": np.ones(len(true["labels"]))}]
    # What is right finds its box; turned round, what is found by nothing right was missed.
    hits = {name: np.asarray(found[name])[right] for name in ("boxes", "labels")}
    (seen,) = match_detections(scored, [hits], iou_threshold)
    shown = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)
    axes.imshow(shown, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_axis_off()
    for box, label in zip(*(np.asarray(true[name])[~seen] for name in hits), strict=True):
        _draw_box(axes, box, str(label) if named else "", MISSED, "--")
    for box, label, score, good in zip(
        *(np.asarray(found[name]) for name in ("boxes", "labels", "scores")), right, strict=True
    ):
        text = f"{label} {100 * score:.0f}" if named else ""
        _draw_box(axes, box, text, RIGHT if good else WRONG, "-")


def _draw_box(axes: Axes, box: np.ndarray, text: str, colour: str, style: str) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    x1, y1, x2, y2 = box - 0.5  # pixel 0 is drawn around 0
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, ls=style))
    above = y1 > LETTER
    label = axes.text(x1, y1 - 0.7 if above else y2 + 0.7, text, color=colour, fontsize=8)
    label.set_verticalalignment("bottom" if above else "top")
    label.set_path_effects([withStroke(linewidth=2.0, foreground="black")])


def save_detections(
    path: PathLike,
    images: Any,
    found: Sequence[Mapping[str, Any]],
    true: Sequence[Mapping[str, Any]],
    *,
    title: str,
) -> None:
    """
    Draw pictures with their boxes, side by side, as `draw_detections` does.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    images : array, (N, 1 or 3, height, width)
        At least one.
    found, true : sequence of dict, one for each image
    title : str

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    """
    rows = -(-len(images) // COLUMNS)
    figure = blank(2.0 * COLUMNS, 2.1 * rows + 0.6)
    figure.suptitle(
        f"{title}\nblue: right, with class and score in per cent; orange: wrong; "
        "yellow, broken: not found",
        fontsize=11,
    )
    for k, axes in enumerate(figure.subplots(rows, COLUMNS, squeeze=False).flat):
        axes.set_axis_off()
        if k < len(images):
            draw_detections(axes, images[k], found[k], true[k])
    save(figure, path)
