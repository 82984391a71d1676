"""Layers that learn at their first call how many features or channels their input has."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd import Tensor, no_grad
from autograd.families import shape_of

from ..module import Module, UninitializedParameter, is_lazy
from .conv import Conv1d, Conv2d, Conv3d, Convolution, Pair, Triple
from .conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Linear


class Lazy(Module):
    """
    What lazy layers share: the first call makes the parameters, and the layer one of `final`.

    Until then parameters are `UninitializedParameter`: they can be moved to a dtype, saved and
    loaded, but not looked at. An optimizer is made after the first call.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyLinear(3)
    >>> layer.has_uninitialized_params(), layer.weight
    (True, <UninitializedParameter>)
    >>> layer(autograd.zeros(5, 2)).shape
    (5, 3)
    >>> layer
    Linear(in_features=2, out_features=3, bias=True)
    """

    final: ClassVar[type[Any]]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the parameters for this input, become an ordinary layer, and run it."""
        self.initialize_parameters(*args, **kwargs)
        self.__class__ = self.final
        return self(*args, **kwargs)

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        own = self.__dict__
        return any(is_lazy(own[name]) for name in (*self._parameter_names, *self._buffer_names))

    def reset_parameters(self) -> None:
        """Draw new initial values, once there is something to fill."""
        if not self.has_uninitialized_params():
            ordinary: Any = super()
            ordinary.reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Give the parameters the shapes that an input needs, and initial values."""
        with no_grad():
            self._fit(shape_of(input, type(self).__name__), self.has_uninitialized_params())

    def _fit(self, shape: tuple[int, ...], fresh: bool) -> None:
        raise NotImplementedError


def materialize(tensor: Tensor | None, shape: tuple[int, ...]) -> None:
    """
    Give a parameter or buffer its shape, if it has none yet.

    Examples
    --------
    >>> tensor = UninitializedParameter()
    >>> materialize(tensor, (2,))
    >>> tensor.shape
    (2,)
    """
    if is_lazy(tensor):
        tensor.materialize(shape)


class LazyLinear(Lazy, Linear):
    """
    `Linear` that takes `in_features` from its first input.

    Parameters
    ----------
    out_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyLinear(3)(autograd.zeros(5, 2)).shape
    (5, 3)
    """

    final = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, out_features, bias, device, dtype)

    def _learn(self, in_features: int, bias: bool, dtype: Any) -> None:
        self.in_features = 0
        self.weight = UninitializedParameter(dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)
        else:
            self.register_parameter("bias", None)

    def _fit(self, shape: tuple[int, ...], fresh: bool) -> None:
        if not shape:
            raise ValueError("LazyLinear: expected input (..., in_features), met ()")
        new = is_lazy(self.weight)
        materialize(self.weight, (self.out_features, shape[-1]))
        materialize(self.bias, (self.out_features,))
        self.in_features = self.weight.shape[1]
        if new:
            self.reset_parameters()


class _LazyConvolution(Lazy, Convolution):
    def _learn(self, in_channels: int, bias: bool, dtype: Any) -> None:
        self.in_channels = 0
        self.weight = UninitializedParameter(dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)
        else:
            self.register_parameter("bias", None)

    def initialize_parameters(self, input: Any, output_size: Any = None) -> None:
        """Give the parameters the shapes that an input needs, and initial values."""
        super().initialize_parameters(input)

    def _fit(self, shape: tuple[int, ...], fresh: bool) -> None:
        who = type(self).__name__
        if len(shape) not in (self.dims + 1, self.dims + 2):
            raise ValueError(
                f"{who}: expected {self.dims + 1} or {self.dims + 2} dimensions, met {shape}"
            )
        new = is_lazy(self.weight)
        if new:
            channels = shape[-self.dims - 1]
            if channels < 1 or channels % self.groups:
                raise ValueError(
                    f"{who}: the input's {channels} channels must be positive and divisible by "
                    f"groups={self.groups}"
                )
            materialize(self.weight, self._weight_shape(channels))
            self.in_channels = channels
        else:  # loaded
            self.in_channels = self.weight.shape[0 if self.transposed else 1]
            self.in_channels *= 1 if self.transposed else self.groups
        materialize(self.bias, (self.out_channels,))
        if new:
            self.reset_parameters()


class LazyConv1d(_LazyConvolution, Conv1d):
    """
    `Conv1d` that takes `in_channels` from its first input; the other arguments are the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConv1d(2, 3)(autograd.zeros(1, 3, 8)).shape
    (1, 2, 6)
    """

    final = Conv1d

    def __init__(
        self,
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
        Conv1d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class LazyConv2d(_LazyConvolution, Conv2d):
    """
    `Conv2d` that takes `in_channels` from its first input; the other arguments are the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConv2d(2, 3)(autograd.zeros(1, 3, 8, 8)).shape
    (1, 2, 6, 6)
    """

    final = Conv2d

    def __init__(
        self,
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
        Conv2d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class LazyConv3d(_LazyConvolution, Conv3d):
    """
    `Conv3d` that takes `in_channels` from its first input; the other arguments are the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConv3d(2, 3)(autograd.zeros(1, 3, 4, 4, 4)).shape
    (1, 2, 2, 2, 2)
    """

    final = Conv3d

    def __init__(
        self,
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
        Conv3d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip


class LazyConvTranspose1d(_LazyConvolution, ConvTranspose1d):
    """
    `ConvTranspose1d` that takes `in_channels` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConvTranspose1d(2, 3)(autograd.zeros(1, 3, 8)).shape
    (1, 2, 10)
    """

    final = ConvTranspose1d

    def __init__(
        self,
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
        ConvTranspose1d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip


class LazyConvTranspose2d(_LazyConvolution, ConvTranspose2d):
    """
    `ConvTranspose2d` that takes `in_channels` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConvTranspose2d(2, 3)(autograd.zeros(1, 3, 8, 8)).shape
    (1, 2, 10, 10)
    """

    final = ConvTranspose2d

    def __init__(
        self,
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
        ConvTranspose2d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip


class LazyConvTranspose3d(_LazyConvolution, ConvTranspose3d):
    """
    `ConvTranspose3d` that takes `in_channels` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LazyConvTranspose3d(2, 3)(autograd.zeros(1, 3, 4, 4, 4)).shape
    (1, 2, 6, 6, 6)
    """

    final = ConvTranspose3d

    def __init__(
        self,
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
        ConvTranspose3d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip
