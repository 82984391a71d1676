"""Rows of images beside each other: what a model was shown, and what it made of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..serialize import PathLike
from .canvas import blank, save

INCHES = 0.62  # of an image's side


def save_image_rows(
    path: PathLike, rows: Mapping[str, np.ndarray], *, title: str = "", signed: bool = False
) -> None:
    """
    Draw rows of grey images, each with its name at the left.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    rows : dict of str to ndarray (N, height, width) or (N, 1, height, width)
        Of at least one row, and in each as many images. Grey goes from 0 to 1.
    title : str
    signed : bool, default False
        The numbers are positive and negative, such as weights: red and blue, each image to its own
        largest.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If there is no image, or the rows are not as said above.
    """
    arrays = {name: np.asarray(images) for name, images in rows.items()}
    shapes = {name: images.shape for name, images in arrays.items()}
    if any(len(shape) != 3 and (len(shape) != 4 or shape[1] != 1) for shape in shapes.values()):
        raise ValueError(f"save_image_rows: expected images (N, height, width), met {shapes}")
    counts = {len(images) for images in arrays.values()}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(
            f"save_image_rows: expected a row or more, each of as many images, met {shapes}"
        )
    (count,) = counts
    figure = blank(INCHES * count + 1.4, INCHES * len(arrays) + 0.4)
    if title:
        figure.suptitle(title, fontsize=10, fontweight="bold")
    grid = figure.subplots(len(arrays), count, squeeze=False)
    for line, (name, images) in zip(grid, arrays.items(), strict=True):
        for axes, image in zip(line, images.reshape(count, *images.shape[-2:]), strict=True):
            limit = float(np.abs(image).max()) or 1.0
            colours = (
                {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
                if signed
                else {"cmap": "gray", "vmin": 0, "vmax": 1}
            )
            axes.imshow(image, **colours)
            axes.set_xticks([])
            axes.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    save(figure, path)
