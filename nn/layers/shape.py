"""Layers that only move elements: flattening, patches and columns, channels traded for pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import flatten, unflatten

from .. import functional as F
from ..module import Module


class Flatten(Module):
    """
    Merge the dimensions from `start_dim` to `end_dim` into one.

    Parameters
    ----------
    start_dim : int, default 1
        The first dimension, of the batch, stays by default.
    end_dim : int, default -1

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Flatten()(autograd.zeros(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Any:
        """Merge dimensions of a tensor that has them."""
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """First and last dimension."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """
    Split a dimension into several: the inverse of `Flatten`.

    Parameters
    ----------
    dim : int
    unflattened_size : sequence of int
        Their product is the size of `dim`; one may be -1, which is then worked out.

    Raises
    ------
    TypeError
        If `dim` or a size is no int.
    ValueError, RuntimeError
        In the call, if the sizes do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Unflatten(1, (3, -1))(autograd.zeros(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, bool) or not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int, not {dim!r}")
        if not isinstance(unflattened_size, tuple | list) or not all(
            isinstance(n, int) for n in unflattened_size
        ):
            raise TypeError(
                f"Unflatten: unflattened_size must be a tuple of ints, not {unflattened_size!r}"
            )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Any) -> Any:
        """Split a dimension of a tensor that has it."""
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Dimension and sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Unfold(Module):
    """
    Every patch of an image as a column, as a convolution sees it.

    Maps (N, C, H, W) to (N, C * KH * KW, patches); N may be absent.

    Parameters
    ----------
    kernel_size : int or pair of int
    dilation : int or pair of int, default 1
    padding : int or pair of int, default 0
    stride : int or pair of int, default 1

    Raises
    ------
    ValueError
        In the call, if an argument is out of range or no patch fits.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Unfold((2, 3))(autograd.zeros(1, 3, 5, 5)).shape
    (1, 18, 12)
    """

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Any) -> Any:
        """Map images to columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """
    Put columns back as patches of an image; where patches overlap they are summed.

    Maps (N, C * KH * KW, patches) to (N, C, *output_size); N may be absent. The adjoint of
    `Unfold`, not its inverse.

    Parameters
    ----------
    output_size : int or pair of int
    kernel_size, dilation, padding, stride : int or pair of int
        As for `Unfold`.

    Raises
    ------
    ValueError
        In the call, if the columns are not those of such an image.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Fold((3, 3), 2)(autograd.ones(1, 4, 4))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Any) -> Any:
        """Map columns to images."""
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class PixelShuffle(Module):
    """
    Turn channels into pixels: (..., C r², H, W) becomes (..., C, H r, W r).

    Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network".

    Parameters
    ----------
    upscale_factor : int
        The factor r.

    Raises
    ------
    ValueError
        In the call, if the channels are not a multiple of r².

    Examples
    --------
    >>> import autograd, nn
    >>> nn.PixelShuffle(2)(autograd.zeros(1, 8, 2, 3)).shape
    (1, 2, 4, 6)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """Apply to images."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Show the factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """
    Turn pixels into channels: (..., C, H r, W r) becomes (..., C r², H, W).

    Parameters
    ----------
    downscale_factor : int
        The factor r.

    Raises
    ------
    ValueError
        In the call, if height or width are not multiples of r.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.PixelUnshuffle(2)(autograd.zeros(1, 2, 4, 6)).shape
    (1, 8, 2, 3)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        """Apply to images."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Show the factor."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """
    Deal the channels of `groups` groups out in turn; (N, C, ...) keeps its shape.

    Zhang et al. 2018, "ShuffleNet: an extremely efficient convolutional neural network for mobile
    devices".

    Parameters
    ----------
    groups : int

    Raises
    ------
    ValueError
        In the call, if the channels do not divide into so many groups.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ChannelShuffle(2)(autograd.arange(4.0).reshape(1, 4, 1, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        """Apply to (N, C, ...)."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Show the number of groups."""
        return f"groups={self.groups}"
