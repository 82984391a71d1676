"""What is made of averages over windows: power means, and normalisation over channels."""

from __future__ import annotations

import math
from typing import Any

from ..families import shape_of
from .activation import relu
from .arithmetic import abs, sign
from .conv_arguments import ints
from .pool import avg_pool2d, floats
from .pool_adaptive import AVERAGES
from .shape import _reshape, pad


def _lp_pool(
    who: str, count: int, input: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    if norm_type == 0:
        raise ValueError(f"{who}: norm_type must not be 0")
    floats(who, input)
    kernel = ints(who, "kernel_size", kernel_size, count, 1)
    mean = AVERAGES[count - 1](input**norm_type, kernel, stride, 0, ceil_mode)
    # The sign is that of odd powers; the slope where everything is zero is PyTorch's.
    return (sign(mean) * relu(abs(mean)) * math.prod(kernel)) ** (1.0 / norm_type)


def lp_pool1d(
    input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """Power mean of each window of (N, C, L) or (C, L), without the division; see `lp_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.lp_pool1d(autograd.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """Power mean of each window, without the division: ``(sum of x**p) ** (1 / p)``.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    norm_type : number
        The exponent p: with 1 a sum, with large ones near the maximum.
    kernel_size, stride : int or pair of int
        `stride` is `kernel_size` unless given.
    ceil_mode : bool
        Keep a last window that only begins inside the image.

    Raises
    ------
    ValueError
        If shapes do not fit, or `norm_type` is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.lp_pool2d(autograd.ones(1, 2, 2), 2, 2)
    tensor([[[2.]]])
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """Power mean of windows of (N, C, D, H, W), without the division; see `lp_pool2d`.

    Examples
    --------
    >>> import autograd
    >>> autograd.lp_pool3d(autograd.ones(1, 2, 2, 2), 3, 2)
    tensor([[[[2.]]]])
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Divide by a mean of squares over neighbouring channels.

    ``y = x / (k + alpha * mean of x**2 over size channels) ** beta``, channels beyond the first and
    last counting as zeros. Krizhevsky et al. 2012, "ImageNet classification with deep
    convolutional neural networks".

    Parameters
    ----------
    input : Tensor, (N, C, ...), at least 3-d
    size : int
        Number of channels.
    alpha, beta, k : float

    Raises
    ------
    ValueError
        If `input` has fewer than three dimensions, or `size` is below 1.

    Examples
    --------
    >>> import autograd
    >>> autograd.local_response_norm(autograd.ones(1, 2, 1), 1, alpha=3.0, beta=0.5)
    tensor([[[0.5000],
             [0.5000]]])
    """
    shape = shape_of(input, "local_response_norm")
    if len(shape) < 3:
        raise ValueError(f"local_response_norm: expected input (N, C, ...), met {shape}")
    floats("local_response_norm", input)
    (size,) = ints("local_response_norm", "size", size, 1, 1)
    if 0 in shape:
        return input * 1.0
    square = _reshape(input * input, shape=(shape[0], 1, shape[1], math.prod(shape[2:])))
    square = pad(square, (0, 0, size // 2, (size - 1) // 2))
    mean = _reshape(avg_pool2d(square, (size, 1), stride=1), shape=shape)
    return input / (mean * alpha + k) ** beta
