"""Two-dimensional convolution and its two adjoints.

The references are im2col and one large matrix product (conv_columns.py). The fast twins run
register tiles on the images as they lie (conv_tiled.py) or, for most 3 x 3 layers in float32,
Winograd's algorithm (winograd.py).
"""

from types import ModuleType
from typing import Any

import numpy as np

from . import conv_tiled, winograd
from .common import Floats, Pair, Sample
from .conv_columns import Plane, pair, product
from .conv_plan import Layer, layer_of
from .dispatch import fast, implementation, reference


@reference
def conv2d(
    x: Floats,
    weight: Floats,
    bias: Floats | None,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    """Cross-correlate images with a bank of kernels.

    ::

        y[n, o, p, q] = bias[o] + sum over c, i, j of
            weight[o, c, i, j] * x[n, group(o)*C/groups + c, p*SH + i*DH - PH, q*SW + j*DW - PW]

    where x is zero outside its plane and group(o) = o // (O/groups).

    Parameters
    ----------
    x : array (N, C, H, W)
    weight : array (O, C/groups, KH, KW)
        Of the dtype of x.
    bias : array (O,) or None
        Of the dtype of x.
    stride, padding, dilation : pair of int
        Padding is the number of zeros on either side.
    groups : int
        Divides C and O.

    Returns
    -------
    array (N, O, OH, OW)
        New, C-contiguous, of the dtype of x; OH and OW as `conv_output_size` gives them.

    Notes
    -----
    Arguments are trusted: they agree in shape and dtype, and OH, OW >= 1. Any strides and read-only
    arrays will do. N, C or O may be 0 (an empty sum is 0). Where padding meets an infinite or NaN
    weight the product 0 * weight is NaN, as in the equation.
    """
    outputs, per_group, *kernel = weight.shape
    plane = Plane(pair(x.shape[2:]), pair(kernel), stride, padding, dilation)
    windows = plane.windows(plane.pad(x))
    rows = per_group * kernel[0] * kernel[1]
    matrix = weight.reshape(groups, outputs // groups, rows)
    y = np.empty((len(x), outputs, *plane.output), x.dtype)
    for part in plane.chunks(x):
        images = part.stop - part.start
        columns = windows[:, :, :, part].reshape(groups, rows, images * plane.run)
        y[part] = plane.crop(product(matrix, columns), images, outputs)
    if bias is not None:
        y += bias[:, None, None]
    return y


@reference
def conv2d_input(
    g: Floats,
    weight: Floats,
    *,
    size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    """Adjoint of `conv2d` in x: the gradient of <g, conv2d(x, weight)> with respect to x.

    ::

        dx[n, c, p*SH + i*DH - PH, q*SW + j*DW - PW] += weight[o, c', i, j] * g[n, o, p, q]

    summed over all o, i, j, p, q that meet in it. Pixels that no window covers get 0.

    Parameters
    ----------
    g : array (N, O, OH, OW)
    weight : array (O, C/groups, KH, KW)
    size : pair of int
        H and W of x, which OH and OW do not determine when the stride is over 1.
    stride, padding, dilation, groups
        As given to `conv2d`.

    Returns
    -------
    array (N, C, H, W)
        New, C-contiguous, of the dtype of g.

    Notes
    -----
    An infinite or NaN weight may meet zeros beyond the edges of g, whose product is NaN.
    """
    outputs, per_group, *kernel = weight.shape
    plane = Plane(size, pair(kernel), stride, padding, dilation)
    rows = per_group * kernel[0] * kernel[1]
    matrix = weight.reshape(groups, outputs // groups, rows).swapaxes(1, 2)
    spread = plane.spread(g)
    dx = np.zeros((len(g), per_group * groups, *plane.padded), g.dtype)
    for part in plane.chunks(dx):
        images = part.stop - part.start
        grads = spread[:, part].reshape(groups, outputs // groups, images * plane.run)
        plane.add_windows(dx[part], product(matrix, grads))
    (top, left), (height, width) = padding, size
    return np.ascontiguousarray(dx[:, :, top : top + height, left : left + width])


@reference
def conv2d_weight(
    x: Floats,
    g: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    """Adjoint of `conv2d` in weight: the gradient of <g, conv2d(x, weight)> with respect to weight.

    ::

        dweight[o, c, i, j] = sum over n, p, q of
            g[n, o, p, q] * x[n, group(o)*C/groups + c, p*SH + i*DH - PH, q*SW + j*DW - PW]

    Parameters
    ----------
    x : array (N, C, H, W)
    g : array (N, O, OH, OW)
    kernel_size : pair of int
        KH and KW.
    stride, padding, dilation, groups
        As given to `conv2d`.

    Returns
    -------
    array (O, C/groups, KH, KW)
        New, C-contiguous, of the dtype of x. Chunks of images are added in order, so that the sum
        is the same on every run.
    """
    outputs, per_group = g.shape[1], x.shape[1] // groups
    plane = Plane(pair(x.shape[2:]), kernel_size, stride, padding, dilation)
    windows = plane.windows(plane.pad(x))
    spread = plane.spread(g)
    rows = per_group * kernel_size[0] * kernel_size[1]
    dweight = np.zeros((groups, outputs // groups, rows), x.dtype)
    for part in plane.chunks(x):
        positions = (part.stop - part.start) * plane.run
        columns = windows[:, :, :, part].reshape(groups, rows, positions)
        grads = spread[:, part].reshape(groups, outputs // groups, positions)
        dweight += np.matmul(grads, columns.swapaxes(1, 2))
    return dweight.reshape(outputs, per_group, *kernel_size)


# --- Compiled -------------------------------------------------------------------------------------


def _layer(
    x: tuple[int, ...],
    weight: tuple[int, ...],
    dtype: np.dtype[Any],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Layer | None:
    """Return the shapes, checked; None if the call is for the reference."""
    if dtype.char not in conv_tiled.DTYPES:
        return None
    return layer_of(x, weight, stride, padding, dilation, groups, dtype.itemsize)


def _algorithm(layer: Layer, name: str) -> ModuleType:
    """Choose from the shapes what runs a pass of a layer: a module with all three."""
    return winograd if winograd.applies(layer, name) else conv_tiled


@fast(conv2d, conv_tiled.UNIT)
def _conv2d(
    x: Floats,
    weight: Floats,
    bias: Floats | None,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    layer = _layer(x.shape, weight.shape, x.dtype, stride, padding, dilation, groups)
    if layer is None:
        return implementation(conv2d, "reference")(
            x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    return _algorithm(layer, "forward").forward(layer, x, weight, bias)


@fast(conv2d_input, conv_tiled.UNIT)
def _conv2d_input(
    g: Floats,
    weight: Floats,
    *,
    size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    x_shape = (len(g), weight.shape[1] * groups, *size)
    layer = _layer(x_shape, weight.shape, g.dtype, stride, padding, dilation, groups)
    if layer is None:
        return implementation(conv2d_input, "reference")(
            g, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    _check_gradient(layer, g)
    return _algorithm(layer, "input").input_gradient(layer, g, weight)


@fast(conv2d_weight, conv_tiled.UNIT)
def _conv2d_weight(
    x: Floats,
    g: Floats,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Floats:
    w_shape = (g.shape[1], x.shape[1] // groups, *kernel_size)
    layer = _layer(x.shape, w_shape, x.dtype, stride, padding, dilation, groups)
    if layer is None:
        return implementation(conv2d_weight, "reference")(
            x,
            g,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        )
    _check_gradient(layer, g)
    return _algorithm(layer, "weight").weight_gradient(layer, x, g)


def _check_gradient(layer: Layer, g: Floats) -> None:
    expected = (layer.batch, layer.outputs, *layer.output)
    if g.shape != expected:
        raise ValueError(f"conv2d: the gradient has shape {g.shape}, expected {expected}")


def _sample(
    name: str,
    x: tuple[int, int, int, int],
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Sample:
    return Sample(
        name,
        (x, (outputs, x[1] // groups, kernel, kernel)),
        {
            "stride": (stride, stride),
            "padding": (padding, padding),
            "dilation": (dilation, dilation),
            "groups": groups,
        },
    )


SAMPLES = (
    _sample("lenet5-c1", (64, 1, 32, 32), 6, 5),
    _sample("lenet5-c3", (64, 6, 14, 14), 16, 5),
    _sample("lenet5-c5", (64, 16, 5, 5), 120, 5),
    _sample("cifar-16", (32, 16, 32, 32), 16, 3, padding=1),
    _sample("cifar-16-stride2", (32, 16, 32, 32), 32, 3, stride=2, padding=1),
    _sample("cifar-64", (32, 64, 8, 8), 64, 3, padding=1),
    _sample("resnet-stem", (4, 3, 224, 224), 64, 7, stride=2, padding=3),
    _sample("resnet-64", (4, 64, 56, 56), 64, 3, padding=1),
    _sample("resnet-pointwise", (4, 64, 56, 56), 256, 1),
    _sample("mobile-depthwise", (4, 64, 56, 56), 64, 3, padding=1, groups=64),
    _sample("atrous", (4, 32, 32, 32), 32, 3, padding=2, dilation=2),
)
"""Arguments of `conv2d`; its adjoints take the same layers."""
