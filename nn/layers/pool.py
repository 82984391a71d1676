"""Pooling layers."""

from __future__ import annotations

from typing import Any

from autograd import avg_pool2d, max_pool2d
from autograd.ops.conv import pair

from ..module import Module
from .conv import Pair


def _check(who: str, kernel_size: Any, stride: Any, padding: Any) -> None:
    """Say what is wrong where the layer is made, not at its first call."""
    size = pair(who, "kernel_size", kernel_size, 1)
    pair(who, "stride", stride, 1)
    widths = pair(who, "padding", padding, 0)
    if any(2 * p > k for p, k in zip(widths, size, strict=True)):
        raise ValueError(f"{who}: padding {widths} may be at most half of kernel_size {size}")


class MaxPool2d(Module):
    """
    Largest element of each window of an image.

    Parameters
    ----------
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        Default: `kernel_size`.
    padding : int or pair of int, default 0
        At most half of the window; padding never wins.
    dilation : int or pair of int, default 1
    return_indices : bool, default False
        Also return where each maximum stands in its plane.
    ceil_mode : bool, default False
        Keep a last window that only begins inside the image.

    Raises
    ------
    ValueError
        If an argument is out of range; in the call, if the input is not (N, C, H, W) or
        (C, H, W), or smaller than a window.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.MaxPool2d(2)(autograd.arange(4.0).reshape(1, 1, 2, 2))
    tensor([[[[3.]]]])
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode
        _check("MaxPool2d", kernel_size, self.stride, padding)
        pair("MaxPool2d", "dilation", dilation, 1)

    def forward(self, input: Any) -> Any:
        """Map (N, C, H, W) to (N, C, OH, OW); N may be absent."""
        return max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        """Window, stride, padding, dilation and ceil_mode."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """
    Mean of each window of an image.

    Parameters
    ----------
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        Default: `kernel_size`.
    padding : int or pair of int, default 0
        At most half of the window.
    ceil_mode : bool, default False
        Keep a last window that only begins inside the image.
    count_include_pad : bool, default True
        Count the zeros of the padding as elements.
    divisor_override : int, optional
        Divide by this instead of by the number of elements.

    Raises
    ------
    ValueError
        If an argument is out of range; in the call, if the input is not (N, C, H, W) or
        (C, H, W), or smaller than a window.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AvgPool2d(2)(autograd.arange(4.0).reshape(1, 1, 2, 2))
    tensor([[[[1.5000]]]])
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override
        _check("AvgPool2d", kernel_size, self.stride, padding)
        if divisor_override == 0:
            raise ValueError("AvgPool2d: divisor_override must not be 0")

    def forward(self, input: Any) -> Any:
        """Map (N, C, H, W) to (N, C, OH, OW); N may be absent."""
        return avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """Window, stride and padding."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
