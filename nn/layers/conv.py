"""Convolution layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import conv2d, pad
from autograd.ops.conv import pair
from autograd.ops.conv_arguments import named_padding

from ..module import Module, Parameter, factory
from .linear import default_init

Pair = tuple[int, int]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def split_padding(
    who: str, padding: Any, kernel_size: Pair, stride: Pair, dilation: Pair
) -> tuple[Pair, tuple[int, int, int, int] | None]:
    """
    Padding as the convolution op takes it, and widths for `pad` before it, where needed.

    "same" with an even kernel needs one more zero after the image than before it, which the
    op's own (symmetric) padding cannot give.

    Raises
    ------
    ValueError
        If `padding` is an unknown word, or "same" meets a stride.

    Examples
    --------
    >>> split_padding("conv2d", "same", (3, 2), (1, 1), (1, 1))
    ((0, 0), (0, 1, 1, 1))
    """
    if not isinstance(padding, str):
        return pair(who, "padding", padding, 0), None
    return named_padding(who, padding, kernel_size, stride, dilation)  # pyright: ignore[reportReturnType] - pairs give pairs


class Conv2d(Module):
    """
    Cross-correlate images with a bank of learned kernels.

    ``y[n, o] = bias[o] + sum over c of weight[o, c] * x[n, c]``, where * is the valid 2-d
    cross-correlation. LeCun et al. 1989, "Backpropagation applied to handwritten zip code
    recognition".

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or pair of int
        Height and width.
    stride : int or pair of int, default 1
    padding : int, pair of int, "same" or "valid", default 0
        Zeros around the image; "same" keeps its size.
    dilation : int or pair of int, default 1
        Distance of the kernel's elements.
    groups : int, default 1
        Splits channels in groups that do not see each other; divides both numbers of channels.
    bias : bool, default True
    padding_mode : {"zeros"}
        PyTorch's other modes are not there yet.
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (out_channels, in_channels / groups, KH, KW)
    bias : Parameter, (out_channels,), or None
        Both start from U(-k, k) with ``k = 1 / sqrt(in_channels / groups * KH * KW)``.

    Raises
    ------
    ValueError
        If an argument is out of range, or "same" meets a stride; in the call, if the input is not
        (N, in_channels, H, W) or (in_channels, H, W), or is smaller than the kernel.
    NotImplementedError
        If `padding_mode` is one of PyTorch's that is not there yet.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Conv2d(1, 6, 5)(autograd.zeros(2, 1, 32, 32)).shape
    (2, 6, 28, 28)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: str | int | Pair = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("Conv2d", device, dtype)
        if not isinstance(groups, int) or groups < 1:
            raise ValueError(f"Conv2d: groups must be a positive int, not {groups!r}")
        for name, count in (("in_channels", in_channels), ("out_channels", out_channels)):
            if count < 1 or count % groups:
                raise ValueError(
                    f"Conv2d: {name} must be positive and divisible by groups={groups}, not {count}"
                )
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"Conv2d: padding_mode must be one of {PADDING_MODES}, not {padding_mode!r}"
            )
        if padding_mode != "zeros":
            raise NotImplementedError(
                f"Conv2d: padding_mode {padding_mode!r} is not there yet; use 'zeros'"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d", "stride", stride, 1)
        self.dilation = pair("Conv2d", "dilation", dilation, 1)
        self.groups = groups
        self.padding_mode = padding_mode
        self._zeros, self._pad_first = split_padding(
            "Conv2d", padding, self.kernel_size, self.stride, self.dilation
        )
        self.padding = padding if isinstance(padding, str) else self._zeros
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(np.empty(shape, dtype))
        if bias:
            self.bias = Parameter(np.empty(out_channels, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        default_init(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Map (N, in_channels, H, W) to (N, out_channels, OH, OW); N may be absent."""
        if self._pad_first is not None:
            input = pad(input, self._pad_first)
        return conv2d(
            input, self.weight, self.bias, self.stride, self._zeros, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """The arguments that differ from the defaults, as PyTorch shows them."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text
