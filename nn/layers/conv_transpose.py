"""Transposed convolution layers: they spread where convolutions gather."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import conv_transpose1d, conv_transpose2d, conv_transpose3d
from autograd.families import shape_of
from autograd.ops.conv_arguments import Sizes

from .conv import Convolution, Pair, Triple


class _ConvTranspose(Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        dilation: Any,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        who = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(
                f"{who}: padding cuts the result here, so padding_mode can only be 'zeros', not "
                f"{padding_mode!r}"
            )
        if isinstance(padding, str):
            raise TypeError(f"{who}: padding must be of ints, not {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        """
        Map (N, in_channels, ...) to (N, out_channels, ...); N may be absent.

        `output_size` names which of the possible sizes the result has, in place of
        `output_padding`: the sizes of all its dimensions, or of the last ones.
        """
        extra = self.output_padding
        if output_size is not None:
            extra = self._padding_for(shape_of(input, type(self).__name__), tuple(output_size))
        return self.op(
            input, self.weight, self.bias, self.stride, self._zeros, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _padding_for(self, shape: Sizes, wanted: tuple[int, ...]) -> Sizes:
        """The output padding that gives a size, if one does."""
        lead = max(len(shape) - self.dims, 0)
        size = wanted[lead:] if len(wanted) == lead + self.dims else wanted
        least = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                shape[lead:], self.stride, self._zeros, self.dilation, self.kernel_size,
                strict=False,
            )
        )  # fmt: skip
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=False))
        if len(size) != len(least) or any(
            not a <= n <= b for n, a, b in zip(size, least, most, strict=True)
        ):
            raise ValueError(
                f"{type(self).__name__}: output_size {wanted} is not possible for input {shape}: "
                f"the last {self.dims} sizes can be from {least} to {most}"
            )
        return tuple(n - a for n, a in zip(size, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """
    Spread sequences (N, in_channels, L) by a bank of learned kernels.

    Arguments, initial values and errors as in `ConvTranspose2d`, over one dimension.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ConvTranspose1d(3, 2, 2, stride=2)(autograd.zeros(1, 3, 5)).shape
    (1, 2, 10)
    """

    dims = 1
    op = staticmethod(conv_transpose1d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: int | tuple[int] = 0,
        output_padding: int | tuple[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int] = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip


class ConvTranspose2d(_ConvTranspose):
    """
    Spread images (N, in_channels, H, W) by a bank of learned kernels.

    The adjoint of a convolution from `out_channels` to `in_channels`, also called a
    deconvolution or fractionally strided convolution. ``OH = (H - 1) * stride - 2 * padding +
    dilation * (KH - 1) + output_padding + 1``. Zeiler et al. 2010, "Deconvolutional networks".

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or pair of int
    stride : int or pair of int, default 1
        Distance of the copies of the kernel.
    padding : int or pair of int, default 0
        Rows and columns cut off on every side.
    output_padding : int or pair of int, default 0
        Rows and columns more at the end; smaller than stride or dilation.
    groups : int, default 1
        Splits channels in groups that do not see each other; divides both numbers of channels.
    bias : bool, default True
    dilation : int or pair of int, default 1
        Distance of the kernel's elements.
    padding_mode : {"zeros"}
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (in_channels, out_channels / groups, KH, KW)
    bias : Parameter, (out_channels,), or None
        Both start from U(-k, k) with ``k = 1 / sqrt(out_channels / groups * KH * KW)``.

    Raises
    ------
    ValueError
        If an argument is out of range; in the call, if shapes do not fit, or `output_size` is not
        a possible one.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1)
    >>> layer(autograd.zeros(1, 3, 5, 5)).shape
    (1, 2, 9, 9)
    >>> layer(autograd.zeros(1, 3, 5, 5), output_size=(10, 10)).shape
    (1, 2, 10, 10)
    """

    dims = 2
    op = staticmethod(conv_transpose2d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        output_padding: int | Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Pair = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip


class ConvTranspose3d(_ConvTranspose):
    """
    Spread volumes (N, in_channels, D, H, W) by a bank of learned kernels.

    Arguments, initial values and errors as in `ConvTranspose2d`, over three dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ConvTranspose3d(3, 2, 2, stride=2)(autograd.zeros(1, 3, 2, 2, 3)).shape
    (1, 2, 4, 4, 6)
    """

    dims = 3
    op = staticmethod(conv_transpose3d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Triple,
        stride: int | Triple = 1,
        padding: int | Triple = 0,
        output_padding: int | Triple = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Triple = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip
