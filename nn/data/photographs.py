"""Two photographs to look at what convolutions do."""

from __future__ import annotations

from typing import Any

import numpy as np


def photographs() -> np.ndarray:
    """
    The two colour photographs that come with scikit-learn: a Chinese temple, and a flower.

    Returns
    -------
    ndarray of float32, shape ``(2, 3, 427, 640)``
        Red, green and blue, from 0 to 1; a batch of images as `nn.Conv2d` takes it.

    Raises
    ------
    ImportError
        If scikit-learn or Pillow is not installed.

    Examples
    --------
    >>> temple, flower = photographs()
    >>> flower.shape
    (3, 427, 640)
    """
    try:
        import PIL as PIL  # what scikit-learn reads JPEG with; its own message names no extra
        from sklearn.datasets import load_sample_images
    except ImportError as error:
        raise ImportError(
            "the photographs come with scikit-learn and are read by Pillow; install both by: "
            "pip install dagrad[data,images]"
        ) from error
    bunch: Any = load_sample_images()
    pixels = np.stack(bunch.images).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels, dtype=np.float32) / 255
