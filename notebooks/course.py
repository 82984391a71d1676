"""What the notebooks of the course share: the look of pictures, images of digits, results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler

import nn

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")
"""Okabe and Ito's palette: told apart with every common kind of colour blindness, and in grey."""

ROOT = Path(__file__).resolve().parent.parent
MNIST_FOLDERS = (ROOT / "data" / "mnist", ROOT.parent / "shared" / "data" / "mnist")
"""Where MNIST's four files are looked for, unless the environment variable DAGRAD_MNIST says."""

plt.rcParams.update(
    {
        "figure.dpi": 100,
        "figure.figsize": (8.0, 3.6),
        "figure.constrained_layout.use": True,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.titlesize": "medium",
        "grid.alpha": 0.25,
        "image.cmap": "gray",
        "legend.frameon": False,
        "lines.linewidth": 1.6,
    }
)


def result(
    name: str,
    value: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    equals: float | None = None,
    within: float | None = None,
) -> None:
    """
    Print a figure beside its goal. The tests read these lines, and compare.

    Parameters
    ----------
    name : str
    value : float
    at_least, at_most, equals : float
        The goal, one of them.
    within : float, optional
        How far the value may lie from `equals`.

    Raises
    ------
    ValueError
        If there is no goal, or more than one.

    Examples
    --------
    >>> result("test accuracy", 0.98125, at_least=0.975)
    result: test accuracy = 0.98125 (goal: at least 0.975)
    >>> result("parameters", 1792, equals=1792)
    result: parameters = 1792 (goal: 1792)
    """
    goals = {"at least ": at_least, "at most ": at_most, "": equals}
    given = {words: goal for words, goal in goals.items() if goal is not None}
    if len(given) != 1:
        raise ValueError(f"result {name!r}: give one of at_least, at_most, equals; got {given}")
    ((words, goal),) = given.items()
    margin = "" if within is None else f" within {_text(within)}"
    print(f"result: {name} = {_text(value)} (goal: {words}{_text(goal)}{margin})")


def _text(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


class Images(NamedTuple):
    """Digits of 28 x 28 pixels, uint8 from 0 to 255, and their classes, int64."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def images() -> Images:
    """
    6,000 training and 1,000 test digits of MNIST, or scikit-learn's digits where there is none.

    Files with more digits than that are cut. The fallback has 1,437 and 360, drawn at random once,
    its 8 x 8 pixels enlarged to 24 x 24 with a border of 2.
    """
    said = os.environ.get("DAGRAD_MNIST")
    for folder in MNIST_FOLDERS if said is None else (Path(said),):
        if folder.is_dir():
            (images, labels), (test_images, test_labels) = nn.data.mnist(folder)
            return Images(
                "MNIST", images[:6000], labels[:6000], test_images[:1000], test_labels[:1000]
            )
    small, labels = nn.data.digits()
    large = np.kron(small, np.ones((3, 3))) * (255 / small.max())
    large = np.pad(large, ((0, 0), (2, 2), (2, 2))).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(large))
    train, test = order[:1437], order[1437:]
    return Images("scikit-learn's digits", large[train], labels[train], large[test], labels[test])


def show_images(
    images: np.ndarray, titles: list[str] | None = None, columns: int = 10, size: float = 0.9
) -> None:
    """Draw images (N, height, width), or with three colours last, in rows."""
    rows = -(-len(images) // columns)
    height = size * rows * (1.25 if titles else 1.0)
    _, axes = plt.subplots(rows, columns, figsize=(size * columns, height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image)
        if titles:
            axis.set_title(titles[i], fontsize=8)
    plt.show()
