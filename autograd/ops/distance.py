"""Lengths, distances and angles of vectors, and the bilinear form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import promoted, to_common_float
from ..families import contraction, dims_of, reduced_shape, shape_of, structured
from ..graph import Spec
from .arithmetic import abs, clamp, sign, where
from .linalg import _matmul
from .pool import floats
from .reduce import mean, sum
from .shape import _expand, _permute, _reshape, mT, squeeze, unsqueeze

CHUNK = 1 << 21
"""Differences of vectors that are held at a time: what a core's cache takes."""


def _length_rule(g, y, x, p, dim):
    if p == 2:
        return x * where(y == 0, 0.0, g / where(y == 0, 1.0, y))
    if p == 1:
        return g * sign(x)
    if p == 0:
        return g * (x * 0.0)
    size = abs(x)
    if math.isinf(p):
        most = where(size == y, sign(x), 0.0)
        return g * most / sum(where(size == y, size * 0.0 + 1.0, 0.0), dim, keepdim=True)
    # As a power of a ratio, which overflows nowhere; zeros are put aside, where the power has none.
    ratio = where(size == 0, 1.0, size) / where(y == 0, 1.0, y)
    return g * where(size == 0, 0.0, sign(x) * ratio ** (p - 1.0))


@structured(
    _length_rule,
    promotes=to_common_float,
    infer=lambda x, *, p, dim: Spec(reduced_shape(x.shape, dim, True), x.dtype),
    formula=("sum(abs(x) ** p) ** (1 / p)", "g * sign(x) * (abs(x) / y) ** (p - 1)"),
)
def _length(x, /, *, p, dim):
    """The p-norm over the dimensions `dim`, which stay at size one; slope 0 where it is 0."""
    size = np.abs(x)
    if p == 0:
        return np.sum(x != 0, axis=dim, keepdims=True).astype(x.dtype)
    if p == 1:
        return np.sum(size, axis=dim, keepdims=True)
    if p == math.inf:
        return np.max(size, axis=dim, keepdims=True, initial=0.0)
    if p == -math.inf:
        return np.min(size, axis=dim, keepdims=True, initial=np.inf)
    # In parts of the largest element: squares of float32 overflow from 1e19.
    top = np.max(size, axis=dim, keepdims=True, initial=0.0)
    unit = np.where((top > 0) & np.isfinite(top), top, x.dtype.type(1.0))
    with np.errstate(divide="ignore"):
        ratio = size / unit
        powers = ratio * ratio if p == 2 else ratio**p
        total = np.sum(powers, axis=dim, keepdims=True)
        return unit * (np.sqrt(total) if p == 2 else total ** (1.0 / p))


_length.op.samples = lambda draw: (
    [((draw((2, 3)),), {"p": p, "dim": (1,)}) for p in (2, 1, 3.0, 1.5, math.inf)]
    + [((draw((2, 3, 2)),), {"p": 2, "dim": (0, 2)})]
)


def _both(who: str, x1: Any, x2: Any) -> tuple[int, ...]:
    a, b = shape_of(x1, who), shape_of(x2, who)
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise ValueError(f"{who}: shapes {a} and {b} do not broadcast together") from None


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """Distance of each vector of x1 to the one in the same place of x2.

    ``sum(abs(x1 - x2 + eps) ** p) ** (1 / p)`` over the last dimension.

    Parameters
    ----------
    x1, x2 : Tensor, (N, D) or (D,)
        Broadcast together.
    p : float
    eps : float
        Keeps the slope away from that of a distance of 0.
    keepdim : bool

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.tensor([[0.0, 0.0]]), autograd.tensor([[3.0, 4.0]])
    >>> autograd.pairwise_distance(a, b)
    tensor([5.0000])
    """
    shape = _both("pairwise_distance", x1, x2)
    y = _length(x1 - x2 + eps, p=p, dim=dims_of("pairwise_distance", -1, len(shape)))
    return y if keepdim or not shape else squeeze(y, -1)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Cosine of the angle between vectors along `dim`.

    ``sum(x1 * x2) / (max(length(x1), eps) * max(length(x2), eps))``

    Parameters
    ----------
    x1, x2 : Tensor
        Broadcast together.
    dim : int
    eps : float
        What a smaller length counts as.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.tensor([[1.0, 0.0]]), autograd.tensor([[1.0, 1.0]])
    >>> autograd.cosine_similarity(a, b)
    tensor([0.7071])
    """
    shape = _both("cosine_similarity", x1, x2)
    if promoted((x1, x2)).kind != "f":
        raise TypeError(f"cosine_similarity: expected floats, met {x1.dtype} and {x2.dtype}")
    at = dims_of("cosine_similarity", dim, len(shape))
    x1, x2 = (v if v.shape == shape else _expand(v, shape=shape) for v in (x1, x2))
    x1 = x1 / clamp(_length(x1, p=2, dim=at), eps)
    x2 = x2 / clamp(_length(x2, p=2, dim=at), eps)
    return sum(x1 * x2, at)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """Divide vectors along `dim` by their length: ``x / max(length(x), eps)``.

    Parameters
    ----------
    input : Tensor
    p : float
        Which norm is the length.
    dim : int or tuple of int
    eps : float
        What a smaller length counts as.

    Examples
    --------
    >>> import autograd
    >>> autograd.normalize(autograd.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    floats("normalize", input)
    at = dims_of("normalize", dim, len(shape_of(input, "normalize")))
    return input / clamp(_length(input, p=p, dim=at), eps)


def _pull(g, y, x1, x2):
    """The gradient of distances in x1, by one matrix product."""
    slope = where(y == 0, 0.0, g / where(y == 0, 1.0, y))
    if not x2.shape[-2]:
        return x1 * 0.0
    # Seen from the middle of x2: the difference below loses its digits far from the origin.
    middle = mean(x2, -2, keepdim=True)
    return (x1 - middle) * sum(slope, -1, keepdim=True) - _matmul(slope, x2 - middle)


@contraction(
    _pull,
    lambda g, y, x1, x2: _pull(mT(g), mT(y), x2, x1),
    infer=lambda x1, x2: Spec(
        (*np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2]), x1.shape[-2], x2.shape[-2]),
        promoted((x1, x2)),
    ),
    formula=("sqrt(sum((x1 - x2) ** 2))", "sum(g * (x1 - x2) / y)", "sum(g * (x2 - x1) / y)"),
)
def _euclidean(x1, x2, /):
    """Euclidean distances of all rows of x1 to all rows of x2; slope 0 where one is 0."""
    lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    y = np.empty((*lead, x1.shape[-2], x2.shape[-2]), x1.dtype)
    rows = max(1, CHUNK // max(1, math.prod(lead) * x2.shape[-2] * x2.shape[-1]))
    for start in range(0, x1.shape[-2], rows):
        part = slice(start, start + rows)
        difference = x1[..., part, None, :] - x2[..., None, :, :]
        y[..., part, :] = np.sqrt(np.vecdot(difference, difference))
    return y


_euclidean.op.samples = lambda draw: [
    ((draw((3, 2)), draw((4, 2))), {}),
    ((draw((2, 1, 3, 2)), draw((3, 2, 2))), {}),
]

MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = MODES[0]) -> Any:
    """Distances of all vectors of x1 to all vectors of x2.

    Parameters
    ----------
    x1 : Tensor, (..., P, M)
    x2 : Tensor, (..., R, M)
        The dimensions before the last two broadcast.
    p : float
        Which norm of the difference: at least 0.
    compute_mode : str
        PyTorch's three are accepted; differences are always taken exactly.

    Returns
    -------
    Tensor, (..., P, R)

    Raises
    ------
    ValueError
        If shapes do not fit, p is negative or the mode is unknown.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.tensor([[0.0, 0.0], [3.0, 0.0]]), autograd.tensor([[0.0, 4.0]])
    >>> autograd.cdist(a, b)
    tensor([[4.],
            [5.]])
    """
    a, b = shape_of(x1, "cdist"), shape_of(x2, "cdist")
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-1]:
        raise ValueError(f"cdist: expected (..., P, M) and (..., R, M), met {a} and {b}")
    if promoted((x1, x2)).kind != "f":
        raise TypeError(f"cdist: expected floating-point tensors, met {x1.dtype} and {x2.dtype}")
    if p < 0:
        raise ValueError(f"cdist: p must not be negative, met {p}")
    if compute_mode not in MODES:
        raise ValueError(f"cdist: compute_mode must be one of {MODES}, not {compute_mode!r}")
    try:
        lead = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        raise ValueError(f"cdist: batches {a[:-2]} and {b[:-2]} do not broadcast") from None
    if p == 2 and a[-1]:
        return _euclidean(x1, x2)
    difference = unsqueeze(x1, -2) - unsqueeze(x2, -3)
    y = _length(difference, p=p, dim=(len(lead) + 2,))
    return squeeze(y, -1)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Bilinear form ``y[o] = sum over i and j of x1[i] * weight[o, i, j] * x2[j] + bias[o]``.

    Parameters
    ----------
    input1 : Tensor, (..., I)
    input2 : Tensor, (..., J)
        With the same dimensions before the last.
    weight : Tensor, (O, I, J)
    bias : Tensor, (O,), optional

    Returns
    -------
    Tensor, (..., O)

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> autograd.bilinear(autograd.ones(2, 3), autograd.ones(2, 4), autograd.ones(5, 3, 4)).shape
    (2, 5)
    """
    a, b = shape_of(input1, "bilinear"), shape_of(input2, "bilinear")
    w = shape_of(weight, "bilinear")
    if len(w) != 3 or not a or a[:-1] != b[:-1] or (a[-1], b[-1]) != w[1:]:
        raise ValueError(
            f"bilinear: expected inputs (..., I) and (..., J) and weight (O, I, J), met {a}, {b} "
            f"and {w}"
        )
    if bias is not None and shape_of(bias, "bilinear") != w[:1]:
        raise ValueError(
            f"bilinear: bias must have shape {w[:1]}, met {shape_of(bias, 'bilinear')}"
        )
    rows = math.prod(a[:-1])
    outputs, i, j = w
    flat = _reshape(_permute(weight, dims=(1, 0, 2)), shape=(i, outputs * j))
    left = _reshape(_matmul(_reshape(input1, shape=(rows, i)), flat), shape=(rows, outputs, j))
    y = _matmul(left, _reshape(input2, shape=(rows, j, 1)))
    y = _reshape(y, shape=(*a[:-1], outputs))
    return y if bias is None else y + bias
