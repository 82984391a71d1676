"""What the models for images share."""

from __future__ import annotations

from typing import Any


def check_images(who: str, images: Any, channels: int, least: int, most: int | None = None) -> None:
    """
    Refuse what is not a batch of images of the right number of channels and size.

    Parameters
    ----------
    who : str
        Who complains.
    images : Tensor
    channels : int
    least, most : int
        Bounds of height and width; no upper one if `most` is not given.

    Raises
    ------
    ValueError
        If it is none; says the shape met and the one expected.

    Examples
    --------
    >>> import autograd
    >>> check_images("AlexNet", autograd.zeros(2, 3, 32, 32), 3, 224, 227)
    Traceback (most recent call last):
    ...
    ValueError: AlexNet: expected images (N, 3, 224 to 227, 224 to 227), got (2, 3, 32, 32)
    """
    shape = tuple(images.shape)
    fits = len(shape) == 4 and shape[1] == channels
    if fits and all(least <= n <= (n if most is None else most) for n in shape[2:]):
        return
    size = f">= {least}" if most is None else f"{least} to {most}"
    raise ValueError(f"{who}: expected images (N, {channels}, {size}, {size}), got {shape}")
