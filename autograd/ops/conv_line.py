"""Convolution of sequences: three ops, closed under differentiation."""

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
    lambda g, y, x, weight, bias, **at: _conv1d_input(g, weight, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, weight, bias, **at: _conv1d_weight(x, g, kernel_size=weight.shape[2:], **at),
    lambda g, y, x, weight, bias, **at: sum(g, (0, 2)),
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
def _conv1d(x, weight, bias, /, *, stride, padding, dilation, groups):
    return kernels.conv1d(
        x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, weight, size, **at: _conv1d(g, weight, None, **at),
    lambda g, y, x, weight, size, **at: _conv1d_weight(g, x, kernel_size=weight.shape[2:], **at),
    saves=("weight", "x"),
    promotes=to_common,
    infer=lambda x, weight, *, size, groups, **_: Spec(
        (x.shape[0], weight.shape[1] * groups, *size), promoted((x, weight))
    ),
    formula=("conv_transposed(x, weight)", "conv(g, weight)", "conv(g, x)"),
)
def _conv1d_input(x, weight, /, *, size, stride, padding, dilation, groups):
    """Adjoint of `_conv1d` in its input; as an op of its own, the transposed convolution."""
    return kernels.conv1d_input(
        x, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@structured(
    lambda g, y, x, h, kernel_size, **at: _conv1d_input(h, g, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, x, h, kernel_size, **at: _conv1d(x, g, None, **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves=("h", "x"),
    promotes=to_common,
    infer=lambda x, h, *, kernel_size, groups, **_: Spec(
        (h.shape[1], x.shape[1] // groups, *kernel_size), promoted((x, h))
    ),
    formula=("conv(x, h)", "conv_transposed(h, g)", "conv(x, g)"),
)
def _conv1d_weight(x, h, /, *, kernel_size, stride, padding, dilation, groups):
    """Adjoint of `_conv1d` in its weight; h is the gradient of its result."""
    return kernels.conv1d_weight(
        x,
        h,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


PLAIN = {"stride": (1,), "padding": (0,), "dilation": (1,), "groups": 1}
ODD = {"stride": (2,), "padding": (1,), "dilation": (2,), "groups": 2}

_conv1d.op.samples = lambda draw: [
    ((draw((2, 3, 6)), draw((4, 3, 2)), draw((4,))), PLAIN),
    ((draw((2, 4, 6)), draw((6, 2, 3)), None), ODD),
]
_conv1d_input.op.samples = lambda draw: [
    ((draw((2, 4, 5)), draw((4, 3, 2))), PLAIN | {"size": (6,)}),
    ((draw((2, 6, 2)), draw((6, 2, 3))), ODD | {"size": (6,)}),
]
_conv1d_weight.op.samples = lambda draw: [
    ((draw((2, 3, 6)), draw((2, 4, 5))), PLAIN | {"kernel_size": (2,)}),
    ((draw((2, 4, 6)), draw((2, 6, 2))), ODD | {"kernel_size": (3,)}),
]


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate sequences with a bank of kernels.

    ``y[n, o] = bias[o] + sum over c of weight[o, c] * x[n, c]``, where * is the 1-d
    cross-correlation.

    Parameters
    ----------
    input : Tensor, (N, C, L) or (C, L)
    weight : Tensor, (O, C / groups, K)
    bias : Tensor, (O,), optional
    stride, dilation : int
    padding : int, "same" or "valid"
        Zeros around; "same" keeps the size.
    groups : int
        Splits channels in groups that do not see each other; divides C and O.

    Returns
    -------
    Tensor, (N, O, OL)
        With ``OL = (L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``.

    Raises
    ------
    ValueError
        If shapes do not fit, the kernel is larger than the padded input, or "same" meets a stride.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv1d(autograd.ones(1, 3, 8), autograd.ones(4, 3, 2), padding="same").shape
    (1, 4, 8)
    """
    return convolve("conv1d", _conv1d, 1, input, weight, bias, stride, padding, dilation, groups)
