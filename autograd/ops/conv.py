"""Convolution: three ops, closed under differentiation."""

from __future__ import annotations

from typing import Any

from ..dtypes import promoted, to_common
from ..families import shape_of, structured
from ..graph import Spec
from ..kernels import conv2d as conv2d_kernel
from ..kernels import conv2d_input as conv2d_input_kernel
from ..kernels import conv2d_weight as conv2d_weight_kernel
from ..kernels.common import conv_output_size
from .conv_arguments import named_padding
from .reduce import sum
from .shape import pad


def pair(who: str, name: str, value: Any, least: int) -> tuple[int, int]:
    """An int or a pair of ints as a pair; ValueError below `least`."""
    items = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(items) == 1:
        items *= 2
    if len(items) != 2 or any(isinstance(n, bool) or not hasattr(n, "__index__") for n in items):
        raise TypeError(f"{who}: {name} must be an int or a pair of ints, not {value!r}")
    if min(items) < least:
        raise ValueError(f"{who}: {name} must be at least {least}, not {value!r}")
    return items[0].__index__(), items[1].__index__()


def _size(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    return conv_output_size(
        x.shape[2:],
        kernel_size=weight.shape[2:],
        stride=stride,
        padding=padding,
        dilation=dilation,
    )


@structured(
    lambda g, y, x, weight, bias, **at: _conv2d_input(g, weight, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, weight, bias, **at: _conv2d_weight(x, g, kernel_size=weight.shape[2:], **at),
    lambda g, y, x, weight, bias, **at: sum(g, (0, 2, 3)),
    saves=("weight", "x", ""),
    promotes=to_common,
    infer=lambda x, weight, bias, *, stride, padding, dilation, groups: Spec(
        (x.shape[0], weight.shape[0], *_size(x, weight, stride, padding, dilation)),
        promoted((x, weight, bias)),
    ),
    formula=("conv(x, weight) + bias", "conv_transposed(g, weight)", "conv(x, g)", "sum(g)"),
)
def _conv2d(x, weight, bias, /, *, stride, padding, dilation, groups):
    return conv2d_kernel(
        x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, weight, size, **at: _conv2d(g, weight, None, **at),
    lambda g, y, x, weight, size, **at: _conv2d_weight(g, x, kernel_size=weight.shape[2:], **at),
    saves=("weight", "x"),
    promotes=to_common,
    infer=lambda x, weight, *, size, groups, **_: Spec(
        (x.shape[0], weight.shape[1] * groups, *size), promoted((x, weight))
    ),
    formula=("conv_transposed(x, weight)", "conv(g, weight)", "conv(g, x)"),
)
def _conv2d_input(x, weight, /, *, size, stride, padding, dilation, groups):
    """Adjoint of `_conv2d` in its input: spreads x (a gradient) back over the image."""
    return conv2d_input_kernel(
        x, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, h, kernel_size, **at: _conv2d_input(h, g, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, h, kernel_size, **at: _conv2d(x, g, None, **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves=("h", "x"),
    promotes=to_common,
    infer=lambda x, h, *, kernel_size, groups, **_: Spec(
        (h.shape[1], x.shape[1] // groups, *kernel_size), promoted((x, h))
    ),
    formula=("conv(x, h)", "conv_transposed(h, g)", "conv(x, g)"),
)
def _conv2d_weight(x, h, /, *, kernel_size, stride, padding, dilation, groups):
    """Adjoint of `_conv2d` in its weight; h is the gradient of its result."""
    return conv2d_weight_kernel(
        x,
        h,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


PLAIN = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
ODD = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}

_conv2d.op.samples = lambda draw: [
    ((draw((2, 3, 5, 6)), draw((4, 3, 3, 2)), draw((4,))), PLAIN),
    ((draw((2, 4, 5, 6)), draw((6, 2, 3, 2)), None), ODD),
]
_conv2d_input.op.samples = lambda draw: [
    ((draw((2, 4, 3, 5)), draw((4, 3, 3, 2))), PLAIN | {"size": (5, 6)}),
    ((draw((2, 6, 3, 8)), draw((6, 2, 3, 2))), ODD | {"size": (5, 6)}),
]
_conv2d_weight.op.samples = lambda draw: [
    ((draw((2, 3, 5, 6)), draw((2, 4, 3, 5))), PLAIN | {"kernel_size": (3, 2)}),
    ((draw((2, 4, 5, 6)), draw((2, 6, 3, 8))), ODD | {"kernel_size": (3, 2)}),
]


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate images with a bank of kernels.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    weight : Tensor, (O, C / groups, KH, KW)
    bias : Tensor, (O,), optional
    stride, dilation : int or pair of int
        For height and width.
    padding : int, pair of int, "same" or "valid"
        Zeros around the image; "same" keeps its size.
    groups : int
        Splits channels in groups that do not see each other; divides C and O.

    Returns
    -------
    Tensor, (N, O, OH, OW)
        With ``OH = (H + 2 * padding - dilation * (KH - 1) - 1) // stride + 1``.

    Raises
    ------
    ValueError
        If shapes do not fit, the kernel is larger than the padded image, or "same" meets a stride.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv2d(autograd.ones(1, 3, 8, 8), autograd.ones(4, 3, 3, 3)).shape
    (1, 4, 6, 6)
    """
    x, w = shape_of(input, "conv2d"), shape_of(weight, "conv2d")
    if len(w) != 4 or len(x) not in (3, 4):
        raise ValueError(
            f"conv2d: expected input (N, C, H, W) or (C, H, W) and weight (O, C / groups, KH, "
            f"KW), met {x} and {w}"
        )
    if len(x) == 3:
        y = conv2d(input[None], weight, bias, stride, padding, dilation, groups)
        return y[0]
    if not isinstance(groups, int) or groups < 1 or w[0] % groups or x[1] != w[1] * groups:
        raise ValueError(
            f"conv2d: input {x} has {x[1]} channels; weight {w} with groups={groups} needs "
            f"{w[1]} * groups, and {w[0]} outputs that divide by groups"
        )
    if bias is not None and shape_of(bias, "conv2d") != w[:1]:
        raise ValueError(f"conv2d: bias must have shape {w[:1]}, met {shape_of(bias, 'conv2d')}")
    steps = pair("conv2d", "stride", stride, 1)
    spread = pair("conv2d", "dilation", dilation, 1)
    if padding.__class__ is str:
        padding, widths = named_padding("conv2d", padding, w[2:], steps, spread)
        if widths is not None:
            input = pad(input, widths)
            x = shape_of(input, "conv2d")
    at = {
        "stride": steps,
        "padding": pair("conv2d", "padding", padding, 0),
        "dilation": spread,
    }
    size = conv_output_size(x[2:], kernel_size=w[2:], **at)
    if min(size) < 1 or min(w[2:]) < 1:
        raise ValueError(
            f"conv2d: kernel {w[2:]} with dilation {at['dilation']} does not fit into an image "
            f"of {x[2:]} with padding {at['padding']}"
        )
    return _conv2d(input, weight, bias, **at, groups=groups)
