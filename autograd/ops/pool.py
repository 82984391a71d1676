"""Pooling over windows of images."""

from __future__ import annotations

from typing import Any

from ..families import shape_of, structured
from ..graph import Spec
from ..kernels import avg_pool2d as avg_pool2d_kernel
from ..kernels import avg_pool2d_backward as avg_pool2d_backward_kernel
from ..kernels import max_pool2d as max_pool2d_kernel
from ..kernels import max_pool2d_backward as max_pool2d_backward_kernel
from ..kernels import max_pool2d_gather as max_pool2d_gather_kernel
from ..kernels import max_pool2d_input as max_pool2d_input_kernel
from ..kernels import max_pool2d_values as max_pool2d_values_kernel
from ..kernels.common import pool_output_size
from .conv import pair


def _size(x, *, kernel_size, stride, padding, dilation=(1, 1), ceil_mode, **_):
    return pool_output_size(
        x.shape[2:],
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


def _pooled(x, **at):
    return Spec((*x.shape[:2], *_size(x, **at)), x.dtype)


@structured(
    lambda g, y, x, **at: _max_pool2d_input(g, x, **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves="x",
    infer=_pooled,
    formula=("max(windows(x))", "scatter(g, argmax(windows(x)))"),
)
def _max_pool2d(x, /, *, kernel_size, stride, padding, dilation, ceil_mode):
    # Where the maxima stand is worked out in backward, if there is one: looking for values
    # alone is much cheaper.
    return max_pool2d_values_kernel(
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


@structured(
    None,
    infer=lambda x, **at: Spec(_pooled(x, **at).shape, "int64"),
    formula=("argmax(windows(x))", None),
)
def max_pool2d_indices(x, /, *, kernel_size, stride, padding, dilation, ceil_mode):
    """Where each maximum stands, as a flat index into its plane (H * W)."""
    return max_pool2d_kernel(
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )[1]


@structured(
    lambda g, y, h, x, **at: _max_pool2d_gather(g, max_pool2d_indices(x, **at)),  # pyright: ignore[reportGeneralTypeIssues]
    None,  # the places of the maxima are steps in x
    saves=("x", ""),
    infer=lambda h, x, **_: Spec(x.shape, h.dtype),
    formula=("scatter(h, argmax(windows(x)))", "gather(g, argmax(windows(x)))", None),
)
def _max_pool2d_input(h, x, /, *, kernel_size, stride, padding, dilation, ceil_mode):
    """The adjoint of `_max_pool2d` at x."""
    return max_pool2d_input_kernel(
        h,
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


@structured(
    lambda g, y, h, indices, size: _max_pool2d_gather(g, indices),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("indices", ""),
    infer=lambda h, indices, *, size: Spec((*h.shape[:2], *size), h.dtype),
    formula=("scatter(h, indices)", "gather(g, indices)", None),
)
def _max_pool2d_scatter(h, indices, /, *, size):
    return max_pool2d_backward_kernel(h, indices, size=size)


@structured(
    lambda g, y, x, indices: _max_pool2d_scatter(g, indices, size=x.shape[2:]),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("indices", ""),
    infer=lambda x, indices: Spec(indices.shape, x.dtype),
    formula=("gather(x, indices)", "scatter(g, indices)", None),
)
def _max_pool2d_gather(x, indices, /):
    return max_pool2d_gather_kernel(x, indices)


@structured(
    lambda g, y, x, **at: _avg_pool2d_spread(g, size=x.shape[2:], **at),  # pyright: ignore[reportGeneralTypeIssues]
    saves="",
    infer=_pooled,
    formula=("mean(windows(x))", "fold(expand(g) / n)"),
)
def _avg_pool2d(
    x, /, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    return avg_pool2d_kernel(
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


@structured(
    lambda g, y, h, size, **at: _avg_pool2d(g, **at),
    saves="",
    infer=lambda h, *, size, **_: Spec((*h.shape[:2], *size), h.dtype),
    formula=("fold(expand(h) / n)", "mean(windows(g))"),
)
def _avg_pool2d_spread(
    h, /, *, size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    """Adjoint of `_avg_pool2d`."""
    return avg_pool2d_backward_kernel(
        h,
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


MAX = {
    "kernel_size": (2, 3),
    "stride": (2, 1),
    "padding": (1, 1),
    "dilation": (1, 1),
    "ceil_mode": False,
}
AVG = {
    "kernel_size": (2, 3),
    "stride": (2, 1),
    "padding": (1, 1),
    "ceil_mode": False,
    "count_include_pad": True,
    "divisor_override": None,
}

_max_pool2d.op.samples = lambda draw: [((draw((2, 3, 5, 4)),), MAX)]
_max_pool2d_input.op.samples = lambda draw: [((draw((2, 3, 3, 4)), draw((2, 3, 5, 4))), MAX)]
max_pool2d_indices.op.samples = _max_pool2d.op.samples
_avg_pool2d.op.samples = lambda draw: [((draw((2, 3, 5, 4)),), AVG)]
_avg_pool2d_spread.op.samples = lambda draw: [((draw((2, 3, 3, 4)),), AVG | {"size": (5, 4)})]


def _places(draw):
    return max_pool2d_indices(draw((2, 3, 5, 4)), **MAX)


_max_pool2d_scatter.op.samples = lambda draw: [
    ((draw((2, 3, 3, 4)), _places(draw)), {"size": (5, 4)})
]
_max_pool2d_gather.op.samples = lambda draw: [((draw((2, 3, 5, 4)), _places(draw)), {})]


def _checked(
    who: str, input: Any, kernel_size: Any, stride: Any, padding: Any, **rest: Any
) -> dict[str, Any]:
    shape = shape_of(input, who)
    if len(shape) != 4:
        raise ValueError(f"{who}: expected input (N, C, H, W) or (C, H, W), met {shape}")
    at = {
        "kernel_size": pair(who, "kernel_size", kernel_size, 1),
        "stride": pair(who, "stride", kernel_size if stride is None else stride, 1),
        "padding": pair(who, "padding", padding, 0),
        **rest,
    }
    wide = any(n > s for n, s in zip(rest.get("dilation", (1, 1)), shape[2:], strict=True))
    if wide and any(at["padding"]):
        raise ValueError(
            f"{who}: dilation {rest['dilation']} with padding {at['padding']} leaves windows "
            f"wholly outside an image of {shape[2:]}"
        )
    if any(2 * p > k for p, k in zip(at["padding"], at["kernel_size"], strict=True)):
        raise ValueError(
            f"{who}: padding {at['padding']} may be at most half of kernel_size {at['kernel_size']}"
        )
    size = _size(Spec(shape), **at)
    if min(size) < 1:
        raise ValueError(
            f"{who}: a window of {at['kernel_size']} does not fit into an image of {shape[2:]} "
            f"with padding {at['padding']}"
        )
    return at


def floats(who: str, input: Any) -> None:
    """Raise unless `input` is of floats: a mean of integers is none."""
    if input.dtype.kind != "f":
        raise TypeError(f"{who}: expected a floating-point tensor, met {input.dtype}")


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest element of each window.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    kernel_size, stride, padding, dilation : int or pair of int
        `stride` is `kernel_size` unless given. Padding never wins.
    ceil_mode : bool
        Keep a last window that only begins inside the image.
    return_indices : bool
        Also return where each maximum (the first of equal ones) stands in its plane.

    Raises
    ------
    ValueError
        If shapes do not fit, or padding is more than half of the window.

    Examples
    --------
    >>> import autograd
    >>> autograd.max_pool2d(autograd.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    if len(shape_of(input, "max_pool2d")) == 3:
        y = max_pool2d(
            input[None], kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )
        return (y[0][0], y[1][0]) if return_indices else y[0]
    at = _checked(
        "max_pool2d",
        input,
        kernel_size,
        stride,
        padding,
        dilation=pair("max_pool2d", "dilation", dilation, 1),
        ceil_mode=bool(ceil_mode),
    )
    y = _max_pool2d(input, **at)
    return (y, max_pool2d_indices(input, **at)) if return_indices else y


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Mean of each window.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    kernel_size, stride, padding : int or pair of int
        `stride` is `kernel_size` unless given.
    ceil_mode : bool
        Keep a last window that only begins inside the image.
    count_include_pad : bool
        Count the zeros of the padding as elements.
    divisor_override : int, optional
        Divide by this instead of by the number of elements.

    Raises
    ------
    ValueError
        If shapes do not fit, padding is more than half of the window, or the divisor is 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.avg_pool2d(autograd.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0")
    floats("avg_pool2d", input)
    if len(shape_of(input, "avg_pool2d")) == 3:
        return avg_pool2d(
            input[None],
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
        )[0]
    at = _checked("avg_pool2d", input, kernel_size, stride, padding, ceil_mode=bool(ceil_mode))
    at |= {"count_include_pad": bool(count_include_pad), "divisor_override": divisor_override}
    return _avg_pool2d(input, **at)
