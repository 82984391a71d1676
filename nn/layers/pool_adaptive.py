"""Pooling layers whose result has a given size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from autograd import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)

from ..module import Module


class _AdaptiveAvgPool(Module):
    op: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to (N, C, *output_size); N may be absent."""
        return self.op(input, self.output_size)

    def extra_repr(self) -> str:
        """Show the size."""
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(Module):
    op: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to (N, C, *output_size); N may be absent."""
        return self.op(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """Show the size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """
    Mean of `output_size` windows that cover sequences (N, C, L); see `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    op = staticmethod(adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """
    Mean of windows that cover images (N, C, H, W), as many as `output_size` says.

    Window i of m over n elements goes from ``i * n // m`` up to ``ceil((i + 1) * n / m)``.

    Parameters
    ----------
    output_size : int or (int, int)
        Height and width of the result; None keeps that of the input.

    Raises
    ------
    TypeError, ValueError
        In the call, if the size or the input's shape does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool2d((1, None))(autograd.arange(4.0).reshape(1, 2, 2))
    tensor([[[1., 2.]]])
    """

    op = staticmethod(adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """
    Mean of windows that cover volumes (N, C, D, H, W); see `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool3d(1)(autograd.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    op = staticmethod(adaptive_avg_pool3d)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """
    Largest element of windows that cover sequences (N, C, L); see `AdaptiveMaxPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    op = staticmethod(adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """
    Largest element of windows that cover images (N, C, H, W), as many as `output_size` says.

    Window i of m over n elements goes from ``i * n // m`` up to ``ceil((i + 1) * n / m)``.

    Parameters
    ----------
    output_size : int or (int, int)
        Height and width of the result; None keeps that of the input.
    return_indices : bool, default False
        Also return where each maximum stands in its plane.

    Raises
    ------
    TypeError, ValueError
        In the call, if the size or the input's shape does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool2d((1, None))(autograd.arange(4.0).reshape(1, 2, 2))
    tensor([[[2., 3.]]])
    """

    op = staticmethod(adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """
    Largest element of windows that cover volumes (N, C, D, H, W); see `AdaptiveMaxPool2d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool3d(1)(autograd.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    op = staticmethod(adaptive_max_pool3d)
