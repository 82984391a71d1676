"""Scenes of digits among clutter, with a box around each: pictures to learn detection from."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

INK = 0.2  # share of the brightest pixel from which on a pixel belongs to the digit
PLACES = 20  # that are tried for a digit before the scene goes without it
SHARED = 0.1  # of the smaller of two boxes, at most, may lie in the other
FRAGMENT = (4, 9)  # sides, in pixels, of the pieces of digits that make up half of the clutter
STROKE = (4.0, 14.0)  # lengths, in pixels, of the lines that are the other half
BRIGHTNESS = (0.6, 1.0)  # of digits; clutter has from half of it on
FILLING = -1.0  # the class of rows that only fill up the array


def digit_scenes(
    n: int,
    digits: Any,
    classes: Any,
    *,
    size: int = 64,
    objects: tuple[int, int] = (1, 3),
    lengths: tuple[int, int] = (14, 30),
    clutter: int = 8,
    noise: float = 0.08,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """
    Pictures of digits of many sizes, on strokes, pieces of other digits and noise.

    Each digit is cut out along its ink, brought to a random size and put at a random place where
    it covers no more than a tenth of another one; so its box is tight. A digit that finds no such
    place is left out.

    Parameters
    ----------
    n : int
        Scenes.
    digits : array, (D, height, width)
        Images to take digits from, bright on dark. Give other ones for scenes to test on.
    classes : array of int, (D,)
    size : int, default 64
        Width and height of a scene, in pixels.
    objects : tuple of int, default (1, 3)
        Least and greatest number of digits in a scene; drawn uniformly.
    lengths : tuple of int, default (14, 30)
        Least and greatest length of a digit's longer side, in pixels; drawn uniformly.
    clutter : int, default 8
        Strokes and pieces of digits in each scene.
    noise : float, default 0.08
        Standard deviation of what is added to each pixel, before it is cut off at 0 and 1.
    rng : np.random.Generator

    Returns
    -------
    images : ndarray of float32, (n, 1, size, size)
        From 0 to 1.
    boxes : ndarray of float32, (n, objects[1], 5)
        Rows (x1, y1, x2, y2, class): two corners in pixels from the upper left corner, and the
        class; rows of class -1 fill up what a scene has fewer.

    Raises
    ------
    ValueError
        If there are no digits or one without ink, shapes do not fit, a range is not in order, a
        number is negative, or digits can be longer than the scene.

    Examples
    --------
    >>> bars = np.zeros((1, 28, 28))
    >>> bars[:, 4:24, 10:20] = 255
    >>> images, boxes = digit_scenes(2, bars, [7], objects=(0, 2), rng=np.random.default_rng(1))
    >>> images.shape, boxes[0].tolist()
    ((2, 1, 64, 64), [[41.0, 26.0, 48.0, 40.0, 7.0], [0.0, 0.0, 0.0, 0.0, -1.0]])
    """
    pictures, names = np.asarray(digits), np.asarray(classes)
    if pictures.ndim != 3 or names.shape != pictures.shape[:1] or not len(pictures):
        raise ValueError(
            f"digit_scenes: expected digits (D, height, width) and classes (D,) with D > 0, met "
            f"{pictures.shape} and {names.shape}"
        )
    if n < 0 or not 0 <= objects[0] <= objects[1] or not 1 <= lengths[0] <= lengths[1] <= size:
        raise ValueError(
            f"digit_scenes: expected n >= 0, ranges in order and lengths of 1 to size={size} "
            f"pixels, met n={n}, objects={objects}, lengths={lengths}"
        )
    if not (clutter >= 0 and noise >= 0):
        raise ValueError(
            f"digit_scenes: clutter and noise must be at least 0, met {clutter} and {noise}"
        )
    cut = [_along_ink(picture, place) for place, picture in enumerate(pictures)]
    images = np.zeros((n, 1, size, size), np.float32)
    boxes = np.zeros((n, objects[1], 5), np.float32)
    boxes[:, :, 4] = FILLING
    for image, rows in zip(images[:, 0], boxes, strict=True):
        for number in range(clutter):
            if number % 2:
                _add_stroke(image, rng)
            else:
                _add_fragment(image, cut, rng)
        found = 0
        for _ in range(rng.integers(objects[0], objects[1] + 1)):
            which = rng.integers(len(cut))
            patch = _enlarged(cut[which], int(rng.integers(lengths[0], lengths[1] + 1)))
            box = _free_place(patch.shape, size, rows[:found, :4], rng)
            if box is None:
                continue
            x1, y1, x2, y2 = box
            part = image[y1:y2, x1:x2]
            np.maximum(part, patch * np.float32(rng.uniform(*BRIGHTNESS)), out=part)
            rows[found] = *box, names[which]
            found += 1
        image += rng.normal(0.0, noise, image.shape).astype(np.float32)
    return images.clip(0.0, 1.0, out=images), boxes


def _along_ink(picture: np.ndarray, place: int) -> Floats:
    """The part of a picture that holds its ink, from 0 to 1."""
    bright = picture.astype(np.float32)
    top = bright.max(initial=0.0)
    if not np.isfinite(bright).all() or not top > 0:
        raise ValueError(
            f"digit_scenes: digits[{place}] has no ink, or numbers that are not finite"
        )
    rows, columns = np.nonzero(bright > INK * top)
    return bright[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] / np.float32(top)


def _enlarged(patch: Floats, length: int) -> Floats:
    """A patch brought to another size, its longer side `length`."""
    height, width = (max(1, round(side * length / max(patch.shape))) for side in patch.shape)
    rows, columns = _weights(patch.shape[0], height), _weights(patch.shape[1], width)
    return np.matmul(rows @ patch, columns.T, dtype=np.float32)


@functools.lru_cache(maxsize=4096)
def _weights(old: int, new: int) -> Floats:
    """What each of `old` pixels adds to each of `new`: triangles as wide as the larger pixel."""
    reach = max(1.0, old / new)
    centres = (np.arange(new)[:, None] + 0.5) * old / new - 0.5
    shares = (1.0 - np.abs(centres.clip(0, old - 1) - np.arange(old)) / reach).clip(min=0.0)
    return np.divide(
        shares, shares.sum(axis=1, keepdims=True), dtype=np.float32, casting="same_kind"
    )


def _free_place(
    shape: tuple[int, ...], size: int, taken: Floats, rng: np.random.Generator
) -> tuple[int, int, int, int] | None:
    """A box of a shape that leaves the boxes that are there alone; None if none was found."""
    height, width = shape
    areas = np.prod(taken[:, 2:] - taken[:, :2], axis=1)
    for _ in range(PLACES):
        x = int(rng.integers(size - width + 1))
        y = int(rng.integers(size - height + 1))
        low = np.maximum(taken[:, :2], (x, y))
        high = np.minimum(taken[:, 2:], (x + width, y + height))
        shared = np.prod((high - low).clip(min=0.0), axis=1)
        if (shared <= SHARED * np.minimum(areas, height * width)).all():
            return x, y, x + width, y + height
    return None


def _add_stroke(image: Floats, rng: np.random.Generator) -> None:
    """A straight line somewhere, two pixels thick."""
    size = len(image)
    angle = rng.uniform(0.0, np.pi)
    steps = np.arange(0.0, rng.uniform(*STROKE), 0.5)
    rows = rng.uniform(0.0, size) + steps * np.sin(angle)
    columns = rng.uniform(0.0, size) + steps * np.cos(angle)
    brightness = _faint(rng)
    for thick in (0, 1):
        y, x = (rows + thick).astype(np.int64), columns.astype(np.int64)
        inside = (y >= 0) & (y < size) & (x >= 0) & (x < size)
        image[y[inside], x[inside]] = brightness


def _add_fragment(image: Floats, cut: list[Floats], rng: np.random.Generator) -> None:
    """A small piece of some digit, somewhere."""
    patch = cut[rng.integers(len(cut))]
    height, width = np.minimum(rng.integers(*FRAGMENT, size=2), (*patch.shape,))
    height, width = min(height, len(image)), min(width, len(image))
    y = rng.integers(patch.shape[0] - height + 1)
    x = rng.integers(patch.shape[1] - width + 1)
    piece = patch[y : y + height, x : x + width] * _faint(rng)
    y, x = rng.integers(len(image) - height + 1), rng.integers(len(image) - width + 1)
    part = image[y : y + height, x : x + width]
    np.maximum(part, piece, out=part)


def _faint(rng: np.random.Generator) -> np.float32:
    return np.float32(rng.uniform(BRIGHTNESS[0] / 2, BRIGHTNESS[1]))
