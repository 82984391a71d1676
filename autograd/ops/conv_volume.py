"""Convolution of volumes: three ops, closed under differentiation."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..dtypes import promoted, to_common
from ..families import structured
from ..graph import Spec
from ..kernels.common import conv_output_size
from .conv_arguments import convolve
from .reduce import sum


@structured(
    lambda g, y, x, weight, bias, **at: _conv3d_input(g, weight, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, weight, bias, **at: _conv3d_weight(x, g, kernel_size=weight.shape[2:], **at),
    lambda g, y, x, weight, bias, **at: sum(g, (0, 2, 3, 4)),
    saves=("weight", "x", ""),
    promotes=to_common,
    infer=lambda x, weight, bias, *, groups, **at: Spec(
        (
            x.shape[0],
            weight.shape[0],
            *conv_output_size(x.shape[2:], kernel_size=weight.shape[2:], **at),
        ),
        promoted((x, weight, bias)),
    ),
    formula=("conv(x, weight) + bias", "conv_transposed(g, weight)", "conv(x, g)", "sum(g)"),
)
def _conv3d(x, weight, bias, /, *, stride, padding, dilation, groups):
    return kernels.conv3d(
        x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, weight, size, **at: _conv3d(g, weight, None, **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, weight, size, **at: _conv3d_weight(g, x, kernel_size=weight.shape[2:], **at),
    saves=("weight", "x"),
    promotes=to_common,
    infer=lambda x, weight, *, size, groups, **_: Spec(
        (x.shape[0], weight.shape[1] * groups, *size), promoted((x, weight))
    ),
    formula=("conv_transposed(x, weight)", "conv(g, weight)", "conv(g, x)"),
)
def _conv3d_input(x, weight, /, *, size, stride, padding, dilation, groups):
    """Adjoint of `_conv3d` in its input; as an op of its own, the transposed convolution."""
    return kernels.conv3d_input(
        x, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, h, kernel_size, **at: _conv3d_input(h, g, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, h, kernel_size, **at: _conv3d(x, g, None, **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves=("h", "x"),
    promotes=to_common,
    infer=lambda x, h, *, kernel_size, groups, **_: Spec(
        (h.shape[1], x.shape[1] // groups, *kernel_size), promoted((x, h))
    ),
    formula=("conv(x, h)", "conv_transposed(h, g)", "conv(x, g)"),
)
def _conv3d_weight(x, h, /, *, kernel_size, stride, padding, dilation, groups):
    """Adjoint of `_conv3d` in its weight; h is the gradient of its result."""
    return kernels.conv3d_weight(
        x,
        h,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


PLAIN = {"stride": (1, 1, 1), "padding": (0, 0, 0), "dilation": (1, 1, 1), "groups": 1}
ODD = {"stride": (2, 1, 2), "padding": (1, 0, 1), "dilation": (1, 2, 1), "groups": 2}

_conv3d.op.samples = lambda draw: [
    ((draw((1, 2, 3, 2, 3)), draw((2, 2, 2, 1, 2)), draw((2,))), PLAIN),
    ((draw((2, 2, 3, 3, 2)), draw((2, 1, 2, 2, 2)), None), ODD),
]
_conv3d_input.op.samples = lambda draw: [
    ((draw((1, 2, 2, 2, 2)), draw((2, 2, 2, 1, 2))), PLAIN | {"size": (3, 2, 3)}),
    ((draw((2, 2, 2, 1, 2)), draw((2, 1, 2, 2, 2))), ODD | {"size": (3, 3, 2)}),
]
_conv3d_weight.op.samples = lambda draw: [
    ((draw((1, 2, 3, 2, 3)), draw((1, 2, 2, 2, 2))), PLAIN | {"kernel_size": (2, 1, 2)}),
    ((draw((2, 2, 3, 3, 2)), draw((2, 2, 2, 1, 2))), ODD | {"kernel_size": (2, 2, 2)}),
]


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate volumes with a bank of kernels.

    ``y[n, o] = bias[o] + sum over c of weight[o, c] * x[n, c]``, where * is the 3-d
    cross-correlation.

    Parameters
    ----------
    input : Tensor, (N, C, D, H, W) or (C, D, H, W)
    weight : Tensor, (O, C / groups, KD, KH, KW)
    bias : Tensor, (O,), optional
    stride, dilation : int or three ints
    padding : int or three ints, "same" or "valid"
        Zeros around; "same" keeps the size.
    groups : int
        Splits channels in groups that do not see each other; divides C and O.

    Returns
    -------
    Tensor, (N, O, OD, OH, OW)
        With ``OD = (D + 2 * padding - dilation * (KD - 1) - 1) // stride + 1``.

    Raises
    ------
    ValueError
        If shapes do not fit, the kernel is larger than the padded input, or "same" meets a stride.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv3d(autograd.ones(1, 2, 4, 5, 6), autograd.ones(3, 2, 3, 3, 3)).shape
    (1, 3, 2, 3, 4)
    """
    return convolve("conv3d", _conv3d, 3, input, weight, bias, stride, padding, dilation, groups)
