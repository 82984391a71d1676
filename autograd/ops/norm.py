"""Normalisation over batches, layers and groups.

Backward on raw values takes the statistics that the forward left for it; on Variables they are
worked out again by recorded ops, as they depend on the input, so that higher orders are right too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import promoted, to_common
from ..families import shape_of, structured
from ..graph import Abstract, Spec, Variable
from ..kernels import batch_norm as batch_norm_kernel
from ..kernels import (
    batch_norm_apply,
    batch_norm_backward,
    batch_norm_stats,
    group_norm_backward,
    layer_norm_backward,
)
from ..kernels import group_norm as group_norm_kernel
from ..kernels import layer_norm as layer_norm_kernel
from .reduce import mean, sum
from .shape import _reshape
from .transcendental import sqrt


def _around(v: Any, x: Any) -> Any:
    """A value for each channel, shaped to broadcast over (N, C, ...)."""
    return _reshape(v, shape=(-1, *(1,) * (len(x.shape) - 2)))


def _by_ops(h: Any, x: Any, dims: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """Gradient of <h, z> in x, and z: x normalised over `dims`."""
    centred = x - mean(x, dims, keepdim=True)
    scale = 1.0 / sqrt(mean(centred * centred, dims, keepdim=True) + eps)
    z = centred * scale
    inner = h - mean(h, dims, keepdim=True) - z * mean(h * z, dims, keepdim=True)
    return scale * inner, z


def _for_those_given(dx: Any, dweight: Any, dbias: Any, weight: Any, bias: Any) -> Any:
    """Gradients of x, weight and bias, without those of what is not there."""
    return dx, None if weight is None else dweight, None if bias is None else dbias


def _affine_spec(x: Any, weight: Any, bias: Any, **_: Any) -> Spec:
    return Spec(x.shape, promoted((x, weight, bias)))


# --- Batch ----------------------------------------------------------------------------------------


def _batch_norm_rule(g, stats, x, weight, bias, *, eps):
    if stats is not None:
        mean_, var = stats
        found = batch_norm_backward(g, x, mean_, _inverse_std(var, eps), weight)
        return _for_those_given(*found, weight, bias)
    dims = tuple(i for i in range(len(x.shape)) if i != 1)
    dx, z = _by_ops(g if weight is None else g * _around(weight, x), x, dims, eps)
    return _for_those_given(dx, sum(g * z, dims), sum(g, dims), weight, bias)


def _inverse_std(var: Any, eps: float) -> Any:
    return 1.0 / np.sqrt(var + var.dtype.type(eps))


@structured(
    joint=_batch_norm_rule,
    saves="x weight",
    aside=True,
    promotes=to_common,
    infer=_affine_spec,
    formula=(
        "weight * hat(x) + bias",
        "weight * (g - mean(g) - hat(x) * mean(g * hat(x))) / std(x)",
        "sum(g * hat(x))",
        "sum(g)",
    ),
)
def _batch_norm(x, weight, bias, /, *, eps):
    """Normalise each channel by its own mean and (biased) variance over the batch.

    Both come along.
    """
    y, mean_, var = batch_norm_kernel(x, weight, bias, eps=eps)
    return y, (mean_, var)


_batch_norm.op.samples = lambda draw: [
    ((draw((4, 3)), draw((3,)), draw((3,))), {"eps": 1e-5}),
    ((draw((2, 3, 2, 2)), None, None), {"eps": 1e-3}),
]


def _fixed_scale(var: Any, weight: Any, eps: float) -> Any:
    scale = 1.0 / sqrt(var + eps)
    return scale if weight is None else scale * weight


def _over_batch(g: Any) -> Any:
    """The sum for each channel."""
    return sum(g, tuple(i for i in range(len(g.shape)) if i != 1))


@structured(
    lambda g, y, x, mean, var, weight, bias, eps: g * _around(_fixed_scale(var, weight, eps), x),
    lambda g, y, x, mean, var, weight, bias, eps: -_over_batch(g) * _fixed_scale(var, weight, eps),
    lambda g, y, x, mean, var, weight, bias, eps: (
        _over_batch(g * (x - _around(mean, x)))
        * _fixed_scale(var, weight, eps)
        / (var + eps)
        * -0.5
    ),
    lambda g, y, x, mean, var, weight, bias, eps: (
        _over_batch(g * (x - _around(mean, x))) * _fixed_scale(var, None, eps)
    ),
    lambda g, y, x, mean, var, weight, bias, eps: _over_batch(g),
    saves=("var weight", "var weight", "x mean var weight", "x mean var", ""),
    promotes=to_common,
    infer=lambda x, mean, var, weight, bias, *, eps: Spec(
        x.shape, promoted((x, mean, var, weight, bias))
    ),
    formula=(
        "weight * (x - mean) / sqrt(var + eps) + bias",
        "weight * g / sqrt(var + eps)",
        "-weight * sum(g) / sqrt(var + eps)",
        "-weight * sum(g * (x - mean)) / (2 * (var + eps) ** 1.5)",
        "sum(g * (x - mean)) / sqrt(var + eps)",
        "sum(g)",
    ),
)
def _batch_norm_fixed(x, mean, var, weight, bias, /, *, eps):
    """Normalise each channel by the given mean and variance."""
    return batch_norm_apply(x, mean, _inverse_std(var, eps), weight, bias)


_batch_norm_fixed.op.samples = lambda draw: [
    ((draw((4, 3)), draw((3,)), draw((3,)) ** 2 + 0.5, draw((3,)), draw((3,))), {"eps": 1e-5}),
    ((draw((2, 3, 2, 2)), draw((3,)), draw((3,)) ** 2 + 0.5, None, None), {"eps": 1e-3}),
]


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    In training the statistics are those of the batch (over every dimension but the second), and
    the running ones move towards them: ``running = (1 - momentum) * running + momentum * new``,
    the variance with ``n - 1``. Otherwise the running ones are used. Ioffe and Szegedy 2015.

    Parameters
    ----------
    input : Tensor, (N, C, ...)
    running_mean, running_var : Tensor, (C,), or None
        Changed in place in training.
    weight, bias : Tensor, (C,), optional
    training : bool
    momentum, eps : float

    Raises
    ------
    ValueError
        If shapes do not fit, there is one value a channel in training, or no statistics in
        evaluation.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[0.0], [2.0]])
    >>> autograd.batch_norm(x, None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    shape = shape_of(input, "batch_norm")
    if len(shape) < 2:
        raise ValueError(f"batch_norm: expected input (N, C, ...), met {shape}")
    names = ("running_mean", "running_var", "weight", "bias")
    for name, value in zip(names, (running_mean, running_var, weight, bias), strict=True):
        if value is not None and shape_of(value, "batch_norm") != shape[1:2]:
            raise ValueError(
                f"batch_norm: {name} must have shape {shape[1:2]}, one value a channel, met "
                f"{shape_of(value, 'batch_norm')}"
            )
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError(
                "batch_norm: without training, running_mean and running_var are needed"
            )
        return _batch_norm_fixed(input, running_mean, running_var, weight, bias, eps=float(eps))
    size = int(np.prod(shape)) // max(shape[1], 1)
    if size <= 1:
        raise ValueError(f"batch_norm: training needs more than one value a channel, met {shape}")
    y = _batch_norm(input, weight, bias, eps=float(eps))
    value = input.value if isinstance(input, Variable) else input
    if running_mean is not None and running_var is not None and value.__class__ is not Abstract:
        if isinstance(value, Abstract):
            raise ValueError(
                "batch_norm: inside vmap the running statistics would differ by example, and there "
                "is one place for them; use track_running_stats=False, eval(), or another norm"
            )
        # A recorded call has kept the statistics for backward.
        saved = y.node.saved if isinstance(y, Variable) and y.node is not None else None
        new_mean, new_var = batch_norm_stats(value) if saved is None else saved[0]
        unbiased = new_var * (size / (size - 1))
        for running, new in ((running_mean, new_mean), (running_var, unbiased)):
            running.copy_(running * (1.0 - momentum) + new * momentum)
    return y


# --- Layer ----------------------------------------------------------------------------------------


def _layer_norm_rule(g, stats, x, weight, bias, *, eps):
    if stats is not None:
        mean_, rstd = stats
        found = layer_norm_backward(g, x, mean_, rstd, weight)
        return _for_those_given(*found, weight, bias)
    last, rows = (len(x.shape) - 1,), tuple(range(len(x.shape) - 1))
    dx, z = _by_ops(g if weight is None else g * weight, x, last, eps)
    if not rows:
        return _for_those_given(dx, g * z, g, weight, bias)
    return _for_those_given(dx, sum(g * z, rows), sum(g, rows), weight, bias)


@structured(
    joint=_layer_norm_rule,
    saves="x weight",
    aside=True,
    promotes=to_common,
    infer=_affine_spec,
    formula=(
        "weight * hat(x) + bias",
        "(weight * g - mean(weight * g) - hat(x) * mean(weight * g * hat(x))) / std(x)",
        "sum(g * hat(x))",
        "sum(g)",
    ),
)
def _layer_norm(x, weight, bias, /, *, eps):
    """Normalise each row, along the last dimension; mean and 1 / std come along."""
    y, *stats = layer_norm_kernel(x, weight, bias, eps=eps)
    return y, stats


_layer_norm.op.samples = lambda draw: [
    ((draw((2, 3, 4)), draw((4,)), draw((4,))), {"eps": 1e-5}),
    ((draw((5,)), draw((5,)), None), {"eps": 1e-3}),
    ((draw((3, 4)), None, None), {"eps": 1e-3}),
]


def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last dimensions: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Each sample by itself, in training as in evaluation. Ba, Kiros and Hinton 2016.

    Parameters
    ----------
    input : Tensor, (..., *normalized_shape)
    normalized_shape : int or sequence of int
        Sizes of the dimensions over which mean and (biased) variance are taken.
    weight, bias : Tensor, normalized_shape, optional
    eps : float

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> autograd.layer_norm(autograd.tensor([[0.0, 2.0], [5.0, 3.0]]), 2, eps=0.0)
    tensor([[-1.,  1.],
            [ 1., -1.]])
    """
    wanted = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    wanted = tuple(int(n) for n in wanted)
    shape = shape_of(input, "layer_norm")
    if not wanted or shape[-len(wanted) :] != wanted:
        raise ValueError(
            f"layer_norm: normalized_shape {wanted} must be the last dimensions of the input, met "
            f"{shape}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value, "layer_norm") != wanted:
            raise ValueError(
                f"layer_norm: {name} must have shape {wanted}, met {shape_of(value, 'layer_norm')}"
            )
    if len(wanted) == 1:
        return _layer_norm(input, weight, bias, eps=float(eps))
    size = (math.prod(wanted),)
    flat = _reshape(input, shape=shape[: -len(wanted)] + size)
    weight, bias = (v if v is None else _reshape(v, shape=size) for v in (weight, bias))
    return _reshape(_layer_norm(flat, weight, bias, eps=float(eps)), shape=shape)


# --- Groups ---------------------------------------------------------------------------------------


def _group_norm_rule(g, stats, x, weight, bias, *, groups, eps):
    if stats is not None:
        mean_, rstd = stats
        found = group_norm_backward(g, x, mean_, rstd, weight)
        return _for_those_given(*found, weight, bias)
    h = g if weight is None else g * _around(weight, x)
    grouped = (x.shape[0], groups, math.prod(x.shape[1:]) // groups)
    dx, z = _by_ops(_reshape(h, shape=grouped), _reshape(x, shape=grouped), (2,), eps)
    z = _reshape(z, shape=x.shape)
    return _for_those_given(
        _reshape(dx, shape=x.shape), _over_batch(g * z), _over_batch(g), weight, bias
    )


@structured(
    joint=_group_norm_rule,
    saves="x weight",
    aside=True,
    promotes=to_common,
    infer=lambda x, weight, bias, *, groups, eps: _affine_spec(x, weight, bias),
    formula=(
        "weight * hat(x) + bias",
        "(weight * g - mean(weight * g) - hat(x) * mean(weight * g * hat(x))) / std(x)",
        "sum(g * hat(x))",
        "sum(g)",
    ),
)
def _group_norm(x, weight, bias, /, *, groups, eps):
    """Normalise each group of channels of each image; mean and 1 / std come along."""
    y, *stats = group_norm_kernel(x, weight, bias, groups=groups, eps=eps)
    return y, stats


_group_norm.op.samples = lambda draw: [
    ((draw((2, 4)), draw((4,)), draw((4,))), {"groups": 2, "eps": 1e-5}),
    ((draw((2, 4, 3, 3)), draw((4,)), None), {"groups": 2, "eps": 1e-3}),
    ((draw((2, 3, 2)), None, None), {"groups": 1, "eps": 1e-3}),
]


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalise groups of channels: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Each sample by itself, in training as in evaluation. Wu and He 2018.

    Parameters
    ----------
    input : Tensor, (N, C, ...)
    num_groups : int
        Divides C. Mean and (biased) variance are those of C / num_groups neighbouring channels.
    weight, bias : Tensor, (C,), optional
    eps : float

    Raises
    ------
    ValueError
        If shapes do not fit, or there is nothing to normalise over: one value.

    Examples
    --------
    >>> import autograd
    >>> autograd.group_norm(autograd.tensor([[0.0, 2.0, 5.0, 3.0]]), 2, eps=0.0)
    tensor([[-1.,  1.,  1., -1.]])
    """
    shape = shape_of(input, "group_norm")
    if len(shape) < 2:
        raise ValueError(f"group_norm: expected input (N, C, ...), met {shape}")
    if num_groups < 1 or shape[1] % num_groups:
        raise ValueError(
            f"group_norm: num_groups={num_groups} must divide the number of channels, {shape[1]}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value, "group_norm") != shape[1:2]:
            raise ValueError(
                f"group_norm: {name} must have shape {shape[1:2]}, one value a channel, met "
                f"{shape_of(value, 'group_norm')}"
            )
    if math.prod(shape) == num_groups:
        raise ValueError(f"group_norm: more than one value a group is needed, met {shape}")
    return _group_norm(input, weight, bias, groups=int(num_groups), eps=float(eps))
