"""Pooling layers that take means, and power means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from autograd import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
)
from autograd.ops.conv_arguments import ints

from ..module import Module
from .pool import check_windows


class AvgPool1d(Module):
    """
    Mean of each window of sequences (N, C, L), N optional.

    Arguments and errors as in `AvgPool2d`, over one dimension; there is no `divisor_override`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AvgPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(
        self,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] | None = None,
        padding: int | tuple[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = ints("AvgPool1d", "kernel_size", kernel_size, 1, 1)
        self.stride = (
            self.kernel_size if stride is None else ints("AvgPool1d", "stride", stride, 1, 1)
        )
        self.padding = ints("AvgPool1d", "padding", padding, 1, 0)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        check_windows("AvgPool1d", 1, self.kernel_size, self.stride, self.padding)

    def forward(self, input: Any) -> Any:
        """Map (N, C, L) to (N, C, OL); N may be absent."""
        return avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self) -> str:
        """Window, stride and padding."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(Module):
    """What AvgPool2d and AvgPool3d share; each says over how many dimensions it goes."""

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
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
        who = type(self).__name__
        check_windows(who, self.dims, kernel_size, self.stride, padding)
        if divisor_override == 0:
            raise ValueError(f"{who}: divisor_override must not be 0")

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to the same with fewer elements; N may be absent."""
        return self.op(
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


class AvgPool2d(_AvgPool):
    """
    Mean of each window of images (N, C, H, W), N optional.

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

    dims = 2
    op = staticmethod(avg_pool2d)


class AvgPool3d(_AvgPool):
    """
    Mean of each window of volumes (N, C, D, H, W), N optional.

    Arguments and errors as in `AvgPool2d`, over three dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AvgPool3d(2)(autograd.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    dims = 3
    op = staticmethod(avg_pool3d)


class _LPPool(Module):
    """What the layers share; each says over how many dimensions it goes."""

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode
        who = type(self).__name__
        check_windows(who, self.dims, kernel_size, kernel_size if stride is None else stride, 0)
        if norm_type == 0:
            raise ValueError(f"{who}: norm_type must not be 0")

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to the same with fewer elements; N may be absent."""
        return self.op(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """
    Power sum of each window of sequences (N, C, L); see `LPPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LPPool1d(2, 2)(autograd.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    dims = 1
    op = staticmethod(lp_pool1d)


class LPPool2d(_LPPool):
    """
    Power sum of each window of images (N, C, H, W): ``(sum of x**p) ** (1 / p)``; N optional.

    Parameters
    ----------
    norm_type : float
        The exponent p: with 1 a sum, with large ones near the maximum.
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        Default: `kernel_size`.
    ceil_mode : bool, default False
        Keep a last window that only begins inside the image.

    Raises
    ------
    ValueError
        If an argument is out of range; in the call, if shapes do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LPPool2d(2, 2)(autograd.ones(1, 2, 2))
    tensor([[[2.]]])
    """

    dims = 2
    op = staticmethod(lp_pool2d)


class LPPool3d(_LPPool):
    """
    Power sum of each window of volumes (N, C, D, H, W); see `LPPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LPPool3d(3, 2)(autograd.ones(1, 2, 2, 2))
    tensor([[[[2.]]]])
    """

    dims = 3
    op = staticmethod(lp_pool3d)
