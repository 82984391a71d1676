"""Random changes of whole batches of images, so that a model sees each image a little otherwise.

Each is called as ``transform(images, rng)`` and draws on `rng` alone: a `Trainer` takes one as
`augment`, and a `TransformedDataset` applies one in the loader's threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, overload

import numpy as np

from autograd import Tensor, from_numpy

from .seeding import RandomSource, as_int, as_numpy_generator


class Transform(Protocol):
    """Anything that is called with a batch and a source of random numbers, and returns a batch."""

    def __call__(self, images: Any, rng: Any, /) -> Any:
        """Changed images, of the same shape and dtype."""
        ...


class ImageTransform:
    """
    Base of the transforms of images ``(N, C, H, W)``; a subclass defines `apply` on arrays.

    Examples
    --------
    >>> class Negative(ImageTransform):
    ...     def apply(self, images, rng):
    ...         return 1 - images
    >>> Negative()(np.zeros((1, 1, 1, 2)), 0)
    array([[[[1., 1.]]]])
    """

    @overload
    def __call__(self, images: Tensor, rng: RandomSource, /) -> Tensor: ...
    @overload
    def __call__(self, images: np.ndarray, rng: RandomSource, /) -> np.ndarray: ...
    def __call__(self, images: Any, rng: RandomSource, /) -> Tensor | np.ndarray:
        """
        Change a batch.

        Parameters
        ----------
        images : Tensor or ndarray, shape ``(N, C, H, W)``
            Left as it is.
        rng : int, np.random.Generator, autograd.Generator or None
            Seed or source of what is drawn; None is the library's own.

        Returns
        -------
        Tensor or ndarray
            As `images`; a Tensor is without a gradient.

        Raises
        ------
        ValueError
            If `images` have another number of axes.
        """
        array = images.numpy() if isinstance(images, Tensor) else np.asarray(images)
        if array.ndim != 4:
            raise ValueError(
                f"{type(self).__name__}: expected images of shape (N, C, H, W), got {array.shape}"
            )
        changed = self.apply(array, as_numpy_generator(rng))
        return from_numpy(changed) if isinstance(images, Tensor) else changed

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the changed images in memory of their own."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(self, images, rng)")


class Compose:
    """
    Several transforms, one after the other.

    Parameters
    ----------
    transforms : sequence of transforms

    Examples
    --------
    >>> both = Compose([RandomHorizontalFlip(1.0), GaussianNoise(0.0)])
    >>> both(np.arange(3.0).reshape(1, 1, 1, 3), 0)
    array([[[[2., 1., 0.]]]])
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = list(transforms)

    def __call__(self, images: Any, rng: Any, /) -> Any:
        """Apply all."""
        rng = as_numpy_generator(rng)
        for transform in self.transforms:
            images = transform(images, rng)
        return images


class RandomShift(ImageTransform):
    """
    Move each image by up to `pixels` up or down and left or right; its border is repeated.

    Parameters
    ----------
    pixels : int

    Raises
    ------
    ValueError
        If it is no integer >= 0.

    Examples
    --------
    >>> import autograd
    >>> image = autograd.arange(4.0).reshape(1, 1, 1, 4)
    >>> RandomShift(1)(image, autograd.Generator(2))
    tensor([[[[0., 0., 1., 2.]]]])
    """

    def __init__(self, pixels: int) -> None:
        self.pixels = _size("RandomShift: pixels", pixels, least=0)

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take each row and column from some way off."""
        count, _, height, width = images.shape
        moves = rng.integers(0, 2 * self.pixels + 1, (count, 2)) - self.pixels
        rows = np.clip(np.arange(height) + moves[:, :1], 0, height - 1)
        columns = np.clip(np.arange(width) + moves[:, 1:], 0, width - 1)
        moved = np.take_along_axis(images, rows[:, None, :, None], 2)
        return np.take_along_axis(moved, columns[:, None, None, :], 3)


class RandomHorizontalFlip(ImageTransform):
    """
    Mirror each image left to right with probability `p`.

    Parameters
    ----------
    p : float, default 0.5

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> RandomHorizontalFlip(1.0)(np.arange(3.0).reshape(1, 1, 1, 3), 0)
    array([[[[2., 1., 0.]]]])
    """

    axis = 3

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p must be from 0 to 1, not {p!r}")
        self.p = p

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Flip those whose lot it is."""
        chosen = rng.random(len(images)) < self.p
        return np.where(chosen[:, None, None, None], np.flip(images, self.axis), images)


class RandomVerticalFlip(RandomHorizontalFlip):
    """
    Mirror each image top to bottom with probability `p`.

    Parameters
    ----------
    p : float, default 0.5

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> RandomVerticalFlip(1.0)(np.arange(2.0).reshape(1, 1, 2, 1), 0)
    array([[[[1.],
             [0.]]]])
    """

    axis = 2


class RandomRotation(ImageTransform):
    """
    Turn each image around its centre by a random angle, linear between pixels.

    Parameters
    ----------
    degrees : float
        The angle is uniform from -degrees to degrees.
    fill : float, default 0
        What comes in from outside.

    Raises
    ------
    ValueError
        If `degrees` is negative.

    Examples
    --------
    >>> image = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> RandomRotation(0)(image, 0)
    array([[[[0., 1.],
             [2., 3.]]]])
    """

    def __init__(self, degrees: float, fill: float = 0.0) -> None:
        if not degrees >= 0:
            raise ValueError(f"RandomRotation: degrees must be >= 0, not {degrees!r}")
        self.degrees = degrees
        self.fill = fill

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Read each new pixel where it lay before."""
        limit = math.radians(self.degrees)
        angles = rng.uniform(-limit, limit, len(images))[:, None, None]
        height, width = images.shape[2:]
        down = np.arange(height)[:, None] - (height - 1) / 2
        right = np.arange(width) - (width - 1) / 2
        cosine, sine = np.cos(angles), np.sin(angles)
        rows = cosine * down + sine * right + (height - 1) / 2
        columns = cosine * right - sine * down + (width - 1) / 2
        return _between_pixels(images, rows, columns, self.fill)


def _between_pixels(
    images: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill: float
) -> np.ndarray:
    """Images at fractional places ``(N, H, W)``; outside lies `fill`."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=fill)
    height, width = images.shape[2:]
    rows = np.clip(rows + 1, 0, height + 1)
    columns = np.clip(columns + 1, 0, width + 1)
    top = np.minimum(rows.astype(np.intp), height)
    left = np.minimum(columns.astype(np.intp), width)
    down, right = (rows - top)[:, None], (columns - left)[:, None]
    number = np.arange(len(images))[:, None, None]

    def corner(below: int, beside: int) -> np.ndarray:
        return np.moveaxis(padded[number, :, top + below, left + beside], -1, 1)

    upper = (1 - right) * corner(0, 0) + right * corner(0, 1)
    lower = (1 - right) * corner(1, 0) + right * corner(1, 1)
    mixed = (1 - down) * upper + down * lower
    if images.dtype.kind in "iu":
        mixed = np.rint(mixed)
    return mixed.astype(images.dtype)


class GaussianNoise(ImageTransform):
    """
    Add independent normal noise to every pixel.

    Parameters
    ----------
    std : float
        Its standard deviation.

    Raises
    ------
    ValueError
        If `std` is negative, or the images are not floats.

    Examples
    --------
    >>> noisy = GaussianNoise(0.1)(np.zeros((1, 1, 8, 8), np.float32), 0)
    >>> noisy.dtype.name, bool(0.05 < noisy.std() < 0.2)
    ('float32', True)
    """

    def __init__(self, std: float) -> None:
        if not std >= 0:
            raise ValueError(f"GaussianNoise: std must be >= 0, not {std!r}")
        self.std = std

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Add it."""
        if images.dtype.kind != "f":
            raise ValueError(f"GaussianNoise: images must be floats, not {images.dtype}")
        return (images + self.std * rng.standard_normal(images.shape)).astype(images.dtype)


class Cutout(ImageTransform):
    """
    Cover a square of each image, around a random pixel.

    DeVries and Taylor 2017, "Improved regularization of convolutional neural networks with
    cutout".

    Parameters
    ----------
    size : int
        Side of the square; near the border a part of it lies outside.
    fill : float, default 0

    Raises
    ------
    ValueError
        If `size` is no integer >= 1.

    Examples
    --------
    >>> covered = Cutout(2)(np.ones((1, 1, 4, 4)), 1)
    >>> int((covered == 0).sum())
    4
    """

    def __init__(self, size: int, fill: float = 0.0) -> None:
        self.size = _size("Cutout: size", size, least=1)
        self.fill = fill

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Cover it."""
        count, _, height, width = images.shape
        top = rng.integers(0, height, (count, 1)) - self.size // 2
        left = rng.integers(0, width, (count, 1)) - self.size // 2
        down = np.arange(height) - top
        right = np.arange(width) - left
        rows = (down >= 0) & (down < self.size)
        columns = (right >= 0) & (right < self.size)
        covered = rows[:, None, :, None] & columns[:, None, None, :]
        return np.where(covered, np.asarray(self.fill, images.dtype), images)


def _size(what: str, value: Any, least: int) -> int:
    number = as_int(value)
    if number is None or number < least:
        raise ValueError(f"{what} must be an integer >= {least}, not {value!r}")
    return number
