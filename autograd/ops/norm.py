"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import promoted, to_common
from ..families import shape_of, structured
from ..graph import Abstract, Spec, Variable
from ..kernels import batch_norm_apply, batch_norm_stats
from .reduce import mean, sum
from .shape import _reshape
from .transcendental import sqrt


def _around(v: Any, x: Any) -> Any:
    """A value for each channel, shaped to broadcast over (N, C, ...)."""
    return _reshape(v, shape=(-1, *(1,) * (len(x.shape) - 2)))


def _batch_norm_rule(g, y, x, weight, bias, *, eps):
    dims = tuple(i for i in range(len(x.shape)) if i != 1)
    # Mean and variance depend on x: they are worked out again by recorded ops, so that the
    # gradient of this gradient is right too.
    centred = x - mean(x, dims, keepdim=True)
    scale = 1.0 / sqrt(mean(centred * centred, dims, keepdim=True) + eps)
    normal = centred * scale
    h = g if weight is None else g * _around(weight, x)
    inner = h - mean(h, dims, keepdim=True) - normal * mean(h * normal, dims, keepdim=True)
    return (
        scale * inner,
        None if weight is None else sum(g * normal, dims),
        None if bias is None else sum(g, dims),
    )


@structured(
    joint=_batch_norm_rule,
    saves="x weight",
    promotes=to_common,
    infer=lambda x, weight, bias, *, eps: Spec(x.shape, promoted((x, weight, bias))),
)
def _batch_norm(x, weight, bias, /, *, eps):
    """Normalise each channel by its own mean and (biased) variance over the batch."""
    mean_, var = batch_norm_stats(x)
    return batch_norm_apply(x, mean_, 1.0 / np.sqrt(var + x.dtype.type(eps)), weight, bias)


_batch_norm.op.samples = lambda draw: [
    ((draw((4, 3)), draw((3,)), draw((3,))), {"eps": 1e-5}),
    ((draw((2, 3, 2, 2)), None, None), {"eps": 1e-3}),
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
        y = (input - _around(running_mean, input)) / sqrt(_around(running_var, input) + eps)
        y = y if weight is None else y * _around(weight, input)
        return y if bias is None else y + _around(bias, input)
    size = int(np.prod(shape)) // max(shape[1], 1)
    if size <= 1:
        raise ValueError(f"batch_norm: training needs more than one value a channel, met {shape}")
    value = input.value if isinstance(input, Variable) else input
    if running_mean is not None and running_var is not None and value.__class__ is not Abstract:
        new_mean, new_var = batch_norm_stats(value)
        unbiased = new_var * (size / (size - 1))
        for running, new in ((running_mean, new_mean), (running_var, unbiased)):
            running.copy_(running * (1.0 - momentum) + new * momentum)
    return _batch_norm(input, weight, bias, eps=float(eps))
