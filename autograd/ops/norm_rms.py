"""Normalisation by the root of the mean square, without a mean taken off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import promoted, to_common_float
from ..families import shape_of, structured
from ..graph import Spec
from .exponential import rsqrt
from .reduce import mean, sum
from .shape import _reshape


def _rms_norm_rule(g, scale, x, weight, *, eps):
    if scale is None:  # of Variables: worked out again, as it depends on x
        scale = rsqrt(mean(x * x, len(x.shape) - 1, keepdim=True) + eps)
    z = x * scale
    h = g if weight is None else g * weight
    dx = scale * (h - z * mean(h * z, len(x.shape) - 1, keepdim=True))
    if weight is None:
        return dx, None
    rows = tuple(range(len(x.shape) - 1))
    return dx, sum(g * z, rows) if rows else g * z


@structured(
    joint=_rms_norm_rule,
    saves="x weight",
    aside=True,
    promotes=to_common_float,
    infer=lambda x, weight, *, eps: Spec(x.shape, promoted((x, weight))),
    formula=(
        "weight * x / rms(x)",
        "(weight * g - x * mean(weight * g * x) / rms(x) ** 2) / rms(x)",
        "sum(g * x / rms(x))",
    ),
)
def _rms_norm(x, weight, /, *, eps):
    """Divide each row, along the last dimension, by the root of its mean square.

    One over the roots comes along.
    """
    # einsum squares and sums without an array in between.
    size = np.asarray(max(x.shape[-1], 1), x.dtype)
    square = np.einsum("...i,...i->...", x, x)[..., None] / size
    scale = 1.0 / np.sqrt(square + x.dtype.type(eps))
    y = x * scale
    return (y if weight is None else y * weight), scale


_rms_norm.op.samples = lambda draw: [
    ((draw((2, 3, 4)), draw((4,))), {"eps": 1e-5}),
    ((draw((5,)), draw((5,))), {"eps": 1e-3}),
    ((draw((3, 4)), None), {"eps": 1e-3}),
]


def rms_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    eps: float | None = None,
) -> Any:
    """Divide by the root of the mean square: ``x / sqrt(mean(x**2) + eps) * weight``.

    Zhang and Sennrich 2019, "Root mean square layer normalization".

    Parameters
    ----------
    input : Tensor, (..., *normalized_shape)
    normalized_shape : int or sequence of int
        Sizes of the dimensions over which the mean is taken.
    weight : Tensor, normalized_shape, optional
    eps : float, optional
        Default: the smallest step of the dtype at 1.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> autograd.rms_norm(autograd.tensor([[1.0, 7.0]]), 2)
    tensor([[0.2000, 1.4000]])
    """
    wanted = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    wanted = tuple(int(n) for n in wanted)
    shape = shape_of(input, "rms_norm")
    if not wanted or shape[-len(wanted) :] != wanted:
        raise ValueError(
            f"rms_norm: normalized_shape {wanted} must be the last dimensions of the input, met "
            f"{shape}"
        )
    if weight is not None and shape_of(weight, "rms_norm") != wanted:
        raise ValueError(
            f"rms_norm: weight must have shape {wanted}, met {shape_of(weight, 'rms_norm')}"
        )
    if input.dtype.kind != "f":
        raise TypeError(f"rms_norm: expected a floating-point tensor, met {input.dtype}")
    eps = float(np.finfo(input.dtype).eps if eps is None else eps)
    if len(wanted) == 1:
        return _rms_norm(input, weight, eps=eps)
    size = (math.prod(wanted),)
    flat = _reshape(input, shape=shape[: -len(wanted)] + size)
    weight = None if weight is None else _reshape(weight, shape=size)
    return _reshape(_rms_norm(flat, weight, eps=eps), shape=shape)
