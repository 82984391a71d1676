"""Batch normalisation folded into the layer before it, for evaluation."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from autograd import Tensor, ones_like, rsqrt, zeros_like

from ..module import Module, Parameter

Layer = TypeVar("Layer", bound=Module)


def fuse_conv_bn_eval(conv: Layer, bn: Module, transpose: bool = False) -> Layer:
    """
    Give a convolution that does what it and the batch normalisation behind it do.

    With the running mean m and variance v, scale w and shift b of the normalisation, the new weight
    is ``W * w / sqrt(v + eps)`` and the new bias ``(B - m) * w / sqrt(v + eps) + b``.

    Parameters
    ----------
    conv : ConvNd or ConvTransposeNd, in evaluation mode
    bn : BatchNormNd, in evaluation mode
    transpose : bool, default False
        The convolution is a transposed one.

    Returns
    -------
    Module
        A copy of `conv`, with parameters of its own.

    Raises
    ------
    ValueError
        If one of them is in training mode, or `bn` keeps no running statistics.

    Examples
    --------
    >>> import autograd, nn
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> x = autograd.randn(1, 1, 5, 5)
    >>> fused = nn.utils.fuse_conv_bn_eval(conv, bn)
    >>> bool(autograd.allclose(fused(x), bn(conv(x)), atol=1e-6))
    True
    """
    return _fused("fuse_conv_bn_eval", conv, bn, 1 if transpose else 0)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """
    Weight and bias of the convolution of `fuse_conv_bn_eval`.

    Parameters
    ----------
    conv_w, conv_b : Tensor
        Of the convolution; no bias is a bias of zeros.
    bn_rm, bn_rv : Tensor
        Running mean and variance.
    bn_eps : float
    bn_w, bn_b : Tensor or None
        Scale and shift of the normalisation.
    transpose : bool, default False

    Returns
    -------
    weight, bias : Parameter

    Examples
    --------
    >>> import autograd, nn
    >>> one = autograd.ones(1)
    >>> weight, bias = nn.utils.fuse_conv_bn_weights(
    ...     autograd.ones(1, 1, 1), None, one, one, 0.0, one * 2, one
    ... )
    >>> weight.item(), bias.item()
    (2.0, -1.0)
    """
    axis = 1 if transpose else 0
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, axis)


def fuse_linear_bn_eval(linear: Layer, bn: Module) -> Layer:
    """
    Give a linear layer that does what it and the batch normalisation behind it do.

    Parameters
    ----------
    linear : Linear, in evaluation mode
    bn : BatchNormNd, in evaluation mode

    Returns
    -------
    Module
        A copy of `linear`, with parameters of its own.

    Raises
    ------
    ValueError
        If one of them is in training mode, `bn` keeps no running statistics, or the layer has
        neither as many outputs as `bn` has features, nor `bn` a single one.

    Examples
    --------
    >>> import autograd, nn
    >>> linear, bn = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
    >>> x = autograd.randn(4, 2)
    >>> fused = nn.utils.fuse_linear_bn_eval(linear, bn)
    >>> bool(autograd.allclose(fused(x), bn(linear(x)), atol=1e-6))
    True
    """
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise ValueError(
            f"fuse_linear_bn_eval: {linear.out_features} outputs of the linear layer, but "
            f"{bn.num_features} features of the normalisation"
        )
    return _fused("fuse_linear_bn_eval", linear, bn, 0)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """
    Weight and bias of the layer of `fuse_linear_bn_eval`; arguments as in `fuse_conv_bn_weights`.

    Examples
    --------
    >>> import autograd, nn
    >>> one = autograd.ones(1)
    >>> weight, bias = nn.utils.fuse_linear_bn_weights(
    ...     autograd.ones(1, 1), one, one, one, 0.0, one * 2, one
    ... )
    >>> weight.item(), bias.item()
    (2.0, 1.0)
    """
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(who: str, layer: Layer, bn: Module, axis: int) -> Layer:
    if layer.training or bn.training:
        raise ValueError(f"{who}: both modules must be in evaluation mode: call eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(f"{who}: the normalisation keeps no running statistics")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = _folded(
        layer.weight,
        layer.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        axis,
    )
    return fused


def _folded(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Any,
    shift: Any,
    axis: int,
) -> tuple[Parameter, Parameter]:
    old_bias = zeros_like(mean) if bias is None else bias
    scale = ones_like(mean) if scale is None else scale
    shift = zeros_like(mean) if shift is None else shift
    factor = scale * rsqrt(var + eps)
    along = [1] * len(weight.shape)
    along[axis] = -1
    new_weight = (weight * factor.reshape(along)).to(weight.dtype)
    new_bias = ((old_bias - mean) * factor + shift).to(old_bias.dtype)
    return (
        Parameter(new_weight.detach(), weight.requires_grad),
        Parameter(new_bias.detach(), bias is None or bias.requires_grad),
    )
