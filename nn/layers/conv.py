"""Convolution layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd import conv1d, conv2d, conv3d, pad
from autograd.ops.conv_arguments import Sizes, ints, named_padding

from ..module import Module, Parameter, factory
from .linear import default_init

Pair = tuple[int, int]
Triple = tuple[int, int, int]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Convolution(Module):
    """
    What all convolutions share: their settings, weight and bias.

    Each says over how many dimensions it goes (`dims`), and which op computes it.

    Examples
    --------
    >>> import nn
    >>> isinstance(nn.ConvTranspose1d(1, 1, 1), Convolution)
    True
    """

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]
    transposed: bool = False
    weight: Parameter
    bias: Parameter | None
    padding: str | Sizes

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        who, count = type(self).__name__, self.dims
        dtype = factory(who, device, dtype)
        if not isinstance(groups, int) or groups < 1:
            raise ValueError(f"{who}: groups must be a positive int, not {groups!r}")
        _check_channels(who, "out_channels", out_channels, groups)
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"{who}: padding_mode must be one of {PADDING_MODES}, not {padding_mode!r}"
            )
        self.out_channels = out_channels
        self.kernel_size = ints(who, "kernel_size", kernel_size, count, 1)
        self.stride = ints(who, "stride", stride, count, 1)
        self.dilation = ints(who, "dilation", dilation, count, 1)
        self.output_padding = ints(who, "output_padding", output_padding, count, 0)
        self.groups = groups
        self.padding_mode = padding_mode
        # What the op pads itself, and the widths of what is put around before it.
        self._zeros: Sizes = (0,) * count
        self._pad_first: Sizes | None = None
        if isinstance(padding, str):
            self.padding = padding
            self._zeros, self._pad_first = named_padding(
                who, padding, self.kernel_size, self.stride, self.dilation
            )
        else:
            self.padding = self._zeros = ints(who, "padding", padding, count, 0)
        if padding_mode != "zeros" and any(self._zeros):
            self._pad_first = tuple(n for n in reversed(self._zeros) for _ in range(2))
            self._zeros = (0,) * count
        self._fill_mode = "constant" if padding_mode == "zeros" else padding_mode
        self._learn(in_channels, bias, dtype)

    def _learn(self, in_channels: int, bias: bool, dtype: Any) -> None:
        """Make the parameters; a lazy layer leaves their shapes open."""
        _check_channels(type(self).__name__, "in_channels", in_channels, self.groups)
        self.in_channels = in_channels
        self.weight = Parameter(np.empty(self._weight_shape(in_channels), dtype))
        if bias:
            self.bias = Parameter(np.empty(self.out_channels, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self, in_channels: int) -> Sizes:
        if self.transposed:
            return (in_channels, self.out_channels // self.groups, *self.kernel_size)
        return (self.out_channels, in_channels // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        default_init(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Map (N, in_channels, ...) to (N, out_channels, ...); N may be absent."""
        if self._pad_first is not None:
            input = pad(input, self._pad_first, self._fill_mode)
        return self.op(
            input, self.weight, self.bias, self.stride, self._zeros, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """The arguments that differ from the defaults, as PyTorch shows them."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        none = (0,) * self.dims
        if self.padding != none:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != none:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def _check_channels(who: str, name: str, count: int, groups: int) -> None:
    if count < 1 or count % groups:
        raise ValueError(
            f"{who}: {name} must be positive and divisible by groups={groups}, not {count}"
        )


class Conv1d(Convolution):
    """
    Cross-correlate sequences (N, in_channels, L) with a bank of learned kernels.

    ``OL = (L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``. Arguments, initial values
    and errors as in `Conv2d`, over one dimension; the weight is (out_channels, in_channels /
    groups, K).

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Conv1d(2, 6, 3, padding="same")(autograd.zeros(4, 2, 10)).shape
    (4, 6, 10)
    """

    dims = 1
    op = staticmethod(conv1d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: str | int | tuple[int] = 0,
        dilation: int | tuple[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class Conv2d(Convolution):
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
        Width of the border around the image; "same" keeps its size.
    dilation : int or pair of int, default 1
        Distance of the kernel's elements.
    groups : int, default 1
        Splits channels in groups that do not see each other; divides both numbers of channels.
    bias : bool, default True
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the border holds: zeros, the image mirrored, its edge, or its other end.
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

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Conv2d(1, 6, 5)(autograd.zeros(2, 1, 32, 32)).shape
    (2, 6, 28, 28)
    """

    dims = 2
    op = staticmethod(conv2d)

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
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class Conv3d(Convolution):
    """
    Cross-correlate volumes (N, in_channels, D, H, W) with a bank of learned kernels.

    Arguments, initial values and errors as in `Conv2d`, over three dimensions; the weight is
    (out_channels, in_channels / groups, KD, KH, KW).

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Conv3d(1, 2, (1, 2, 3), stride=2)(autograd.zeros(1, 1, 4, 6, 7)).shape
    (1, 2, 2, 3, 3)
    """

    dims = 3
    op = staticmethod(conv3d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Triple,
        stride: int | Triple = 1,
        padding: str | int | Triple = 0,
        dilation: int | Triple = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip
