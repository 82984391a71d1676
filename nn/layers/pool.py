"""Pooling layers that take the largest element, and those that undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd import (
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from autograd.ops.conv_arguments import ints

from ..module import Module


def check_windows(who: str, count: int, kernel_size: Any, stride: Any, padding: Any) -> None:
    """
    Say what is wrong where the layer is made, not at its first call.

    Raises
    ------
    TypeError, ValueError
        If one is not of `count` ints, is out of range, or the padding more than half of the window.

    Examples
    --------
    >>> check_windows("MaxPool1d", 1, 2, 2, 1)
    """
    size = ints(who, "kernel_size", kernel_size, count, 1)
    ints(who, "stride", stride, count, 1)
    widths = ints(who, "padding", padding, count, 0)
    if any(2 * p > k for p, k in zip(widths, size, strict=True)):
        raise ValueError(f"{who}: padding {widths} may be at most half of kernel_size {size}")


class _MaxPool(Module):
    """What the layers share; each says over how many dimensions it goes."""

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
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
        who = type(self).__name__
        check_windows(who, self.dims, kernel_size, self.stride, padding)
        ints(who, "dilation", dilation, self.dims, 1)

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to the same with fewer elements; N may be absent."""
        return self.op(
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


class MaxPool1d(_MaxPool):
    """
    Largest element of each window of sequences (N, C, L), N optional.

    Arguments and errors as in `MaxPool2d`, over one dimension.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.MaxPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    dims = 1
    op = staticmethod(max_pool1d)


class MaxPool2d(_MaxPool):
    """
    Largest element of each window of images (N, C, H, W), N optional.

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

    dims = 2
    op = staticmethod(max_pool2d)


class MaxPool3d(_MaxPool):
    """
    Largest element of each window of volumes (N, C, D, H, W), N optional.

    Arguments and errors as in `MaxPool2d`, over three dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.MaxPool3d(2)(autograd.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    dims = 3
    op = staticmethod(max_pool3d)


class _MaxUnpool(Module):
    """What the layers share; each says over how many dimensions it goes."""

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        who, count = type(self).__name__, self.dims
        self.kernel_size = ints(who, "kernel_size", kernel_size, count, 1)
        self.stride = self.kernel_size if stride is None else ints(who, "stride", stride, count, 1)
        self.padding = ints(who, "padding", padding, count, 0)

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Any:
        """Put maxima (N, C, ...) back at their indices; N may be absent."""
        return self.op(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """Window, stride and padding."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """
    Put the results of `MaxPool1d` back where they stood; see `MaxUnpool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> pool, unpool = nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2)
    >>> unpool(*pool(autograd.tensor([[1.0, 3.0, 2.0, 0.0]])))
    tensor([[0., 3., 2., 0.]])
    """

    dims = 1
    op = staticmethod(max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """
    Put the results of `MaxPool2d` back where they stood, among zeros.

    Parameters
    ----------
    kernel_size, stride, padding : int or pair of int
        As for the pool, which has ``return_indices=True``.

    Raises
    ------
    ValueError
        If an argument is out of range; in the call, if the shapes, the `output_size` (what was
        pooled, where several sizes give the same) or an index do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    >>> unpool(*pool(autograd.arange(4.0).reshape(1, 2, 2)))
    tensor([[[0., 0.],
             [0., 3.]]])
    """

    dims = 2
    op = staticmethod(max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """
    Put the results of `MaxPool3d` back where they stood; see `MaxUnpool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> pool, unpool = nn.MaxPool3d(2, return_indices=True), nn.MaxUnpool3d(2)
    >>> unpool(*pool(autograd.arange(8.0).reshape(1, 2, 2, 2))).sum()
    tensor(7.)
    """

    dims = 3
    op = staticmethod(max_unpool3d)
