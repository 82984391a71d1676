"""Transposed convolutions: the adjoints, in their input, of the convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..families import shape_of
from .conv import _conv2d_input
from .conv_arguments import grouped, ints, layout
from .conv_line import _conv1d_input
from .conv_volume import _conv3d_input
from .shape import _reshape, pad


def _transposed(
    who: str,
    op: Callable[..., Any],
    count: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    x, w = shape_of(input, who), shape_of(weight, who)
    layout(who, x, w, count, "C, O / groups")
    if len(x) == count + 1:
        return _transposed(
            who, op, count, input[None], weight, bias, stride, padding, output_padding, groups,
            dilation,
        )[0]  # fmt: skip
    grouped(who, groups, w[0])
    if x[1] != w[0]:
        raise ValueError(f"{who}: input {x} has {x[1]} channels; weight {w} needs {w[0]}")
    outputs = w[1] * groups
    if bias is not None and shape_of(bias, who) != (outputs,):
        raise ValueError(f"{who}: bias must have shape {(outputs,)}, met {shape_of(bias, who)}")
    step = ints(who, "stride", stride, count, 1)
    cut = ints(who, "padding", padding, count, 0)
    extra = ints(who, "output_padding", output_padding, count, 0)
    spread = ints(who, "dilation", dilation, count, 1)
    if any(e >= max(s, d) for e, s, d in zip(extra, step, spread, strict=True)):
        raise ValueError(
            f"{who}: output_padding {extra} must be smaller than stride {step} or dilation {spread}"
        )
    full = tuple(
        (n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(x[2:], step, spread, w[2:], strict=True)
    )
    size = tuple(n - 2 * c + e for n, c, e in zip(full, cut, extra, strict=True))
    if min(x[2:]) < 1 or min(w[2:]) < 1 or min(size) < 1:
        raise ValueError(
            f"{who}: nothing is left: input {x}, kernel {w[2:]}, stride {step}, padding {cut}, "
            f"output_padding {extra} and dilation {spread} give a size of {size}"
        )
    at = {"stride": step, "dilation": spread, "groups": groups}
    if all(e < s for e, s in zip(extra, step, strict=True)):
        y = op(input, weight, size=size, padding=cut, **at)
    else:  # no convolution has this size for its input: cut it out of the whole
        y = op(input, weight, size=full, padding=(0,) * count, **at)
        ends = zip(reversed(cut), reversed(extra), strict=True)
        y = pad(y, [width for c, e in ends for width in (-c, e - c)])
    return y if bias is None else y + _reshape(bias, shape=(outputs, *(1,) * count))


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Spread sequences by a bank of kernels: the adjoint of `conv1d` in its input.

    Arguments, result and errors are those of `conv_transpose2d`, over 1 dimension.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv_transpose1d(autograd.ones(1, 1, 3), autograd.ones(1, 1, 2), stride=2)
    tensor([[[1., 1., 1., 1., 1., 1.]]])
    """
    return _transposed(
        "conv_transpose1d",
        _conv1d_input,
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Spread images by a bank of kernels: the adjoint of `conv2d` in its input.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    weight : Tensor, (C, O / groups, KH, KW)
        As `conv2d` would take it to map the result back to the shape of `input`.
    bias : Tensor, (O,), optional
    stride, dilation : int or pair of int
        Distance of the copies of the kernel, and of its elements.
    padding : int or pair of int
        Rows and columns cut off on every side.
    output_padding : int or pair of int
        Rows and columns more at the end: which of the sizes that `conv2d` maps to that of `input`.
        Smaller than stride or dilation.
    groups : int
        Splits channels in groups that do not see each other; divides C and O.

    Returns
    -------
    Tensor, (N, O, OH, OW)
        ``OH = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1``.

    Raises
    ------
    ValueError
        If shapes do not fit, or nothing is left of the result.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv_transpose2d(
    ...     autograd.ones(1, 3, 4, 4), autograd.ones(3, 2, 3, 3), stride=2
    ... ).shape
    (1, 2, 9, 9)
    """
    return _transposed(
        "conv_transpose2d",
        _conv2d_input,
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Spread volumes by a bank of kernels: the adjoint of `conv3d` in its input.

    Arguments, result and errors are those of `conv_transpose2d`, over 3 dimensions.

    Examples
    --------
    >>> import autograd
    >>> autograd.conv_transpose3d(autograd.ones(1, 2, 2, 2, 2), autograd.ones(2, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """
    return _transposed(
        "conv_transpose3d",
        _conv3d_input,
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )
