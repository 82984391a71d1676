"""Patches of images as columns, and channels traded for pixels: moving only."""

from __future__ import annotations

from typing import Any

from ..families import shape_of
from .conv import pair
from .shape import _narrow, _pad, _permute, _reshape
from .views import _unwindows, _windows


def _settings(
    who: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> list[tuple[int, int]]:
    return [
        pair(who, "kernel_size", kernel_size, 1),
        pair(who, "dilation", dilation, 1),
        pair(who, "padding", padding, 0),
        pair(who, "stride", stride, 1),
    ]


def _counts(
    who: str, size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[int, int]:
    """How many patches fit, down and across."""
    rows, columns = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    )
    if rows < 1 or columns < 1:
        raise ValueError(
            f"{who}: no patch of {kernel}, dilation {dilation}, fits into {tuple(size)} with "
            f"padding {padding}"
        )
    return rows, columns


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Every patch of an image as a column, as a convolution sees it.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    kernel_size, dilation, padding, stride : int or (int, int)

    Returns
    -------
    Tensor, (N, C * kernel height * kernel width, number of patches)

    Raises
    ------
    ValueError
        If no patch fits, or a setting is out of range.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.images import unfold
    >>> unfold(autograd.zeros(1, 3, 5, 5), (2, 3)).shape
    (1, 18, 12)
    """
    shape = shape_of(input, "unfold")
    if len(shape) not in (3, 4):
        raise ValueError(f"unfold: expected (N, C, H, W) or (C, H, W), met {shape}")
    if len(shape) == 3:
        x = _reshape(input, shape=(1, *shape))
        y = unfold(x, kernel_size, dilation, padding, stride)
        return _reshape(y, shape=y.shape[1:])
    kernel, dilation, padding, stride = _settings("unfold", kernel_size, dilation, padding, stride)
    rows, columns = _counts("unfold", shape[2:], kernel, dilation, padding, stride)
    x = input
    if any(padding):
        x = _pad(x, widths=((0, 0), (0, 0), *((p, p) for p in padding)), value=0.0)
    for i in (0, 1):
        x = _windows(x, dim=2 + i, size=kernel[i], step=stride[i], dilation=dilation[i])
    x = _permute(x, dims=(0, 1, 4, 5, 2, 3))
    return _reshape(x, shape=(shape[0], shape[1] * kernel[0] * kernel[1], rows * columns))


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Put columns back as patches of an image; where patches overlap they are summed.

    The adjoint of `unfold`, not its inverse.

    Parameters
    ----------
    input : Tensor, (N, C * kernel height * kernel width, number of patches), or without N
    output_size, kernel_size, dilation, padding, stride : int or (int, int)

    Returns
    -------
    Tensor, (N, C, *output_size)

    Raises
    ------
    ValueError
        If the columns are not those of patches of such an image.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.images import fold
    >>> fold(autograd.ones(1, 4, 4), (3, 3), 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    shape = shape_of(input, "fold")
    if len(shape) not in (2, 3):
        raise ValueError(f"fold: expected (N, C * patch, patches) or without N, met {shape}")
    if len(shape) == 2:
        x = _reshape(input, shape=(1, *shape))
        y = fold(x, output_size, kernel_size, dilation, padding, stride)
        return _reshape(y, shape=y.shape[1:])
    kernel, dilation, padding, stride = _settings("fold", kernel_size, dilation, padding, stride)
    size = pair("fold", "output_size", output_size, 1)
    rows, columns = _counts("fold", size, kernel, dilation, padding, stride)
    channels, rest = divmod(shape[1], kernel[0] * kernel[1])
    if rest or shape[2] != rows * columns:
        raise ValueError(
            f"fold: an image of {size} has {rows * columns} patches, each of {kernel} times the "
            f"channels; met columns {shape}"
        )
    x = _reshape(input, shape=(shape[0], channels, *kernel, rows, columns))
    x = _permute(x, dims=(0, 1, 4, 5, 2, 3))
    for i in (1, 0):
        length = size[i] + 2 * padding[i]
        x = _unwindows(x, dim=2 + i, length=length, step=stride[i], dilation=dilation[i])
    for i in (0, 1):
        if padding[i]:
            x = _narrow(x, dim=2 + i, start=padding[i], stop=padding[i] + size[i])
    return x


# --- Channels ---------------------------------------------------------------------------------


def _image(who: str, input: Any) -> tuple[tuple[int, ...], int, int, int]:
    shape = shape_of(input, who)
    if len(shape) < 3:
        raise ValueError(f"{who}: expected (..., C, H, W), met {shape}")
    return shape[:-3], shape[-3], shape[-2], shape[-1]


def _order(lead: tuple[int, ...], *dims: int) -> tuple[int, ...]:
    return (*range(len(lead)), *(len(lead) + d for d in dims))


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Turn channels into pixels: (..., C r^2, H, W) becomes (..., C, H r, W r).

    Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network".

    Raises
    ------
    ValueError
        If the channels are not a multiple of the squared factor.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.images import pixel_shuffle
    >>> pixel_shuffle(autograd.zeros(1, 8, 2, 3), 2).shape
    (1, 2, 4, 6)
    """
    lead, c, h, w = _image("pixel_shuffle", input)
    r = upscale_factor
    if r < 1 or c % (r * r):
        raise ValueError(f"pixel_shuffle: {c} channels are not a multiple of {r} squared")
    x = _reshape(input, shape=(*lead, c // (r * r), r, r, h, w))
    x = _permute(x, dims=_order(lead, 0, 3, 1, 4, 2))
    return _reshape(x, shape=(*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Turn pixels into channels: (..., C, H r, W r) becomes (..., C r^2, H, W).

    Raises
    ------
    ValueError
        If height or width are not multiples of the factor.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.images import pixel_unshuffle
    >>> pixel_unshuffle(autograd.zeros(1, 2, 4, 6), 2).shape
    (1, 8, 2, 3)
    """
    lead, c, h, w = _image("pixel_unshuffle", input)
    r = downscale_factor
    if r < 1 or h % r or w % r:
        raise ValueError(f"pixel_unshuffle: height and width {h, w} are not multiples of {r}")
    x = _reshape(input, shape=(*lead, c, h // r, r, w // r, r))
    x = _permute(x, dims=_order(lead, 0, 2, 4, 1, 3))
    return _reshape(x, shape=(*lead, c * r * r, h // r, w // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """Deal the channels of `groups` groups out in turn.

    Zhang et al. 2018, "ShuffleNet".

    Raises
    ------
    ValueError
        If the channels do not divide into so many groups.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.images import channel_shuffle
    >>> channel_shuffle(autograd.arange(4).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    shape = shape_of(input, "channel_shuffle")
    if len(shape) < 3:
        raise ValueError(f"channel_shuffle: expected (N, C, ...), at least 3-d, met {shape}")
    n, c, *rest = shape
    if groups < 1 or c % groups:
        raise ValueError(f"channel_shuffle: {c} channels do not divide into {groups} groups")
    x = _reshape(input, shape=(n, groups, c // groups, *rest))
    return _reshape(_permute(x, dims=(0, 2, 1, *range(3, len(rest) + 3))), shape=tuple(shape))
