"""Functions under the names and signatures of ``torch.nn.functional``, over autograd's ops.

``inplace=`` is taken where PyTorch has it; the results are the same, and the input is left alone.
The old pair ``size_average=`` and ``reduce=`` is understood, with PyTorch's warning.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import adaptive_avg_pool1d as adaptive_avg_pool1d
from autograd import adaptive_avg_pool2d as adaptive_avg_pool2d
from autograd import adaptive_avg_pool3d as adaptive_avg_pool3d
from autograd import adaptive_max_pool1d as adaptive_max_pool1d
from autograd import adaptive_max_pool2d as adaptive_max_pool2d
from autograd import adaptive_max_pool3d as adaptive_max_pool3d
from autograd import affine_grid as affine_grid
from autograd import avg_pool1d as avg_pool1d
from autograd import avg_pool2d as avg_pool2d
from autograd import avg_pool3d as avg_pool3d
from autograd import batch_norm as batch_norm
from autograd import bilinear as bilinear
from autograd import conv1d as conv1d
from autograd import conv2d as conv2d
from autograd import conv3d as conv3d
from autograd import conv_transpose1d as conv_transpose1d
from autograd import conv_transpose2d as conv_transpose2d
from autograd import conv_transpose3d as conv_transpose3d
from autograd import cosine_similarity as cosine_similarity
from autograd import cross_entropy as _cross_entropy
from autograd import dropout as _dropout
from autograd import embedding as embedding
from autograd import gelu as gelu
from autograd import grid_sample as grid_sample
from autograd import group_norm as group_norm
from autograd import interpolate as interpolate
from autograd import layer_norm as layer_norm
from autograd import linear as linear
from autograd import local_response_norm as local_response_norm
from autograd import log_softmax as _log_softmax
from autograd import lp_pool1d as lp_pool1d
from autograd import lp_pool2d as lp_pool2d
from autograd import lp_pool3d as lp_pool3d
from autograd import max_pool1d as max_pool1d
from autograd import max_pool2d as max_pool2d
from autograd import max_pool3d as max_pool3d
from autograd import max_unpool1d as max_unpool1d
from autograd import max_unpool2d as max_unpool2d
from autograd import max_unpool3d as max_unpool3d
from autograd import mse_loss as _mse_loss
from autograd import nll_loss as _nll_loss
from autograd import normalize as normalize
from autograd import pad as pad
from autograd import pairwise_distance as pairwise_distance
from autograd import relu as _relu
from autograd import sigmoid as sigmoid
from autograd import silu as _silu
from autograd import softmax as _softmax
from autograd import softplus as _softplus
from autograd import tanh as tanh
from autograd.families import shape_of as _shape_of
from autograd.ops.activations_bent import hardshrink as hardshrink
from autograd.ops.activations_bent import hardsigmoid as hardsigmoid
from autograd.ops.activations_bent import hardswish as hardswish
from autograd.ops.activations_bent import hardtanh as hardtanh
from autograd.ops.activations_bent import leaky_relu as leaky_relu
from autograd.ops.activations_bent import prelu as prelu
from autograd.ops.activations_bent import relu6 as relu6
from autograd.ops.activations_bent import rrelu as rrelu
from autograd.ops.activations_bent import softshrink as softshrink
from autograd.ops.activations_bent import threshold as threshold
from autograd.ops.activations_smooth import celu as celu
from autograd.ops.activations_smooth import elu as elu
from autograd.ops.activations_smooth import glu as glu
from autograd.ops.activations_smooth import logsigmoid as logsigmoid
from autograd.ops.activations_smooth import mish as mish
from autograd.ops.activations_smooth import selu as selu
from autograd.ops.activations_smooth import softsign as softsign
from autograd.ops.activations_smooth import tanhshrink as tanhshrink
from autograd.ops.arithmetic import cast as _cast
from autograd.ops.conv import pair as _pair
from autograd.ops.conv_arguments import named_padding
from autograd.ops.images import channel_shuffle as channel_shuffle
from autograd.ops.images import fold as fold
from autograd.ops.images import pixel_shuffle as pixel_shuffle
from autograd.ops.images import pixel_unshuffle as pixel_unshuffle
from autograd.ops.images import unfold as unfold
from autograd.random import Generator

from .data import one_hot as one_hot

# --- Activations ----------------------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Any:
    """
    Rectifier max(x, 0), element by element; the slope at 0 is 0.

    Parameters
    ----------
    input : Tensor, any shape
    inplace : bool
        Accepted; `input` is left alone.

    Examples
    --------
    >>> import autograd
    >>> relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _relu(input)


def silu(input: Any, inplace: bool = False) -> Any:
    """
    Sigmoid linear unit x * sigmoid(x), element by element; also known as swish.

    Parameters
    ----------
    input : Tensor, any shape
    inplace : bool
        Accepted; `input` is left alone.

    Examples
    --------
    >>> import autograd
    >>> silu(autograd.tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """
    return _silu(input)


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """
    Smooth ramp ``log(1 + exp(beta * x)) / beta``, element by element.

    Parameters
    ----------
    input : Tensor, any shape
    beta : float, default 1
        The larger, the sharper the bend.
    threshold : float, default 20
        Where ``beta * x`` is larger the result is x itself, and the slope 1.

    Raises
    ------
    ValueError
        If `beta` is 0.

    Examples
    --------
    >>> import autograd
    >>> softplus(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([0.3133, 0.6931, 1.3133])
    """
    if beta == 0:
        raise ValueError("softplus: beta must not be 0")
    return _softplus(input, beta=float(beta), threshold=float(threshold))


def softmax(
    input: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None
) -> Any:
    """
    Exponentials that sum to one along `dim`: ``exp(x) / sum(exp(x))``.

    Parameters
    ----------
    input : Tensor, any shape
    dim : int
    dtype : dtype, optional
        Convert to this first.
    axis : int
        NumPy's name for `dim`.

    Raises
    ------
    TypeError
        If no `dim` is given (PyTorch guesses one, and warns).
    IndexError
        If it is out of range.

    Examples
    --------
    >>> import autograd
    >>> softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(_as(input, dtype), dim, axis=axis)


def log_softmax(
    input: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None
) -> Any:
    """
    Logarithm of `softmax`, computed without underflow; arguments and errors as there.

    Examples
    --------
    >>> import autograd
    >>> log_softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _log_softmax(_as(input, dtype), dim, axis=axis)


def _as(input: Any, dtype: Any) -> Any:
    return input if dtype is None else _cast(input, dtype=np.dtype(dtype))


# --- Convolution, dropout -------------------------------------------------------------------------

Pair = tuple[int, int]


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
        return _pair(who, "padding", padding, 0), None
    return named_padding(who, padding, kernel_size, stride, dilation)  # pyright: ignore[reportReturnType] - pairs give pairs


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set elements to zero with probability `p`, and scale the rest by ``1 / (1 - p)``.

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Parameters
    ----------
    input : Tensor, any shape
    p : float, default 0.5
    training : bool, default True
        If False, `input` itself is returned.
    inplace : bool
        Accepted; `input` is left alone.
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> dropout(autograd.ones(3), p=1.0)
    tensor([0., 0., 0.])
    """
    return _dropout(input, p, training, generator=generator)


# --- Losses ---------------------------------------------------------------------------------------


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """
    Reduction that PyTorch's old pair of switches stands for; `reduction` where both are None.

    Examples
    --------
    >>> legacy_reduction(None, None, "sum")
    'sum'
    """
    if size_average is None and reduce is None:
        return reduction
    old = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce are deprecated; use reduction={old!r}",
        UserWarning,
        stacklevel=3,
    )
    return old


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """
    Cross-entropy between scores and classes (or probabilities).

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Scores (logits); softmax is applied here.
    target : Tensor
        Classes: integers of shape (N,), () or (N, d1, ...). Or probabilities: floats of the
        shape of `input`.
    weight : Tensor, (C,), optional
        A factor for each class.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A class that does not count (with class targets only).
    reduction : {"mean", "sum", "none"}
        "mean" with class targets divides by the sum of the weights that counted.
    label_smoothing : float, default 0
        From 0 to 1: the part of the target spread evenly over all classes. Szegedy et al. 2016,
        "Rethinking the Inception architecture for computer vision".

    Raises
    ------
    ValueError
        If shapes do not fit, or an option is out of range.
    IndexError
        If a class is out of range.

    Examples
    --------
    >>> import autograd
    >>> cross_entropy(autograd.zeros(1, 2), autograd.tensor([1]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """
    Negative log likelihood of classes, given log-probabilities.

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Log-probabilities.
    target : integer Tensor, (N,), () or (N, d1, ...)
    weight : Tensor, (C,), optional
        A factor for each class; the mean is then a weighted one.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    ignore_index : int, default -100
        A target that does not count.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If shapes do not fit or the reduction is unknown.
    IndexError
        If a class is out of range.
    TypeError
        If classes are not integers.

    Examples
    --------
    >>> import autograd
    >>> nll_loss(autograd.tensor([[-0.5, -1.0]]), autograd.tensor([1]))
    tensor(1.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _nll_loss(input, target, weight, ignore_index, reduction)


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """
    Squared difference, averaged.

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    size_average, reduce : bool, optional
        Deprecated; see `reduction`.
    reduction : {"mean", "sum", "none"}
    weight : Tensor, optional
        A factor for each element, of the same shape; "mean" then divides by their sum.

    Raises
    ------
    ValueError
        If the shapes differ (PyTorch broadcasts, and warns that it is likely wrong), or the
        reduction is unknown.

    Examples
    --------
    >>> import autograd
    >>> mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None:
        return _mse_loss(input, target, reduction)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"mse_loss: reduction must be 'none', 'mean' or 'sum', not {reduction!r}")
    if _shape_of(weight, "mse_loss") != _shape_of(input, "mse_loss"):
        raise ValueError(
            f"mse_loss: weight {_shape_of(weight, 'mse_loss')} and input "
            f"{_shape_of(input, 'mse_loss')} must have one shape"
        )
    losses = _mse_loss(input, target, "none") * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()
