"""Normalisation whose statistics are those of each sample and channel."""

from __future__ import annotations

import math
from typing import Any

from autograd import batch_norm as _batch_norm
from autograd import group_norm as _group_norm
from autograd import no_grad as _no_grad
from autograd import var_mean as _var_mean
from autograd.families import shape_of as _shape_of
from autograd.graph import Abstract as _Abstract
from autograd.ops.pool import floats as _floats


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """
    Normalise each channel of each sample: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Ulyanov et al. 2016, "Instance normalization: the missing ingredient for fast stylization".

    Parameters
    ----------
    input : Tensor, (N, C, L, ...)
    running_mean, running_var : Tensor, (C,), optional
        Moved towards the means over the batch of what was found, if `use_input_stats`; used in
        its place otherwise.
    weight, bias : Tensor, (C,), optional
    use_input_stats : bool, default True
    momentum : float, default 0.1
    eps : float, default 1e-5

    Raises
    ------
    ValueError
        If shapes do not fit, or there is one value a channel.
    TypeError
        If the input is not of floats.

    Examples
    --------
    >>> import autograd
    >>> instance_norm(autograd.tensor([[[0.0, 2.0], [5.0, 3.0]]]), eps=0.0)
    tensor([[[-1.,  1.],
             [ 1., -1.]]])
    """
    shape = _shape_of(input, "instance_norm")
    if len(shape) < 3:
        raise ValueError(f"instance_norm: expected input (N, C, L, ...), met {shape}")
    _floats("instance_norm", input)
    if not use_input_stats:
        return _batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    size = math.prod(shape[2:])
    if size == 1:
        raise ValueError(f"instance_norm: more than one value a channel is needed, met {shape}")
    if (running_mean is None) != (running_var is None):
        raise ValueError("instance_norm: give running_mean and running_var, or neither")
    for name, value in (("running_mean", running_mean), ("running_var", running_var)):
        if value is not None and _shape_of(value, "instance_norm") != shape[1:2]:
            raise ValueError(
                f"instance_norm: {name} must have shape {shape[1:2]}, one value a channel, met "
                f"{_shape_of(value, 'instance_norm')}"
            )
    value = getattr(input, "value", input)
    if running_mean is not None and isinstance(value, _Abstract) and type(value) is not _Abstract:
        raise ValueError(
            "instance_norm: inside vmap the running statistics would differ by example, and there "
            "is one place for them; do without"
        )
    y = _group_norm(input, shape[1], weight, bias, eps)
    if running_mean is not None and not isinstance(value, _Abstract):
        with _no_grad():
            var, mean = _var_mean(input, tuple(range(2, len(shape))))
            for running, new in ((running_mean, mean), (running_var, var)):
                running.copy_(running * (1.0 - momentum) + new.mean(0) * momentum)
    return y
