"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..dtypes import promoted
from ..families import contraction, shape_of
from ..graph import Spec
from .shape import _reshape, mT, squeeze, unsqueeze


def _rows(x: Any) -> Any:
    """All leading dimensions merged into one."""
    # Not -1: NumPy cannot work it out where there are no elements.
    if len(x.shape) == 2:
        return x
    return _reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def _left(g, y, a, b):
    if len(a.shape) == 1:
        return g * b if len(b.shape) == 1 else squeeze(_matmul(b, unsqueeze(g, -1)), -1)
    if len(b.shape) == 1:
        return unsqueeze(g, -1) * b
    return _matmul(g, mT(b))


def _right(g, y, a, b):
    if len(b.shape) == 1:
        return g * a if len(a.shape) == 1 else _matmul(mT(_rows(a)), _reshape(g, shape=(-1,)))
    if len(a.shape) == 1:
        return unsqueeze(a, -1) * unsqueeze(g, -2)
    if len(b.shape) == 2:  # one matrix for every batch: one product instead of a sum of them
        return _matmul(mT(_rows(a)), _rows(g))
    return _matmul(mT(a), g)


def _infer(a, b):
    x = (1, *a.shape) if len(a.shape) == 1 else a.shape
    w = (*b.shape, 1) if len(b.shape) == 1 else b.shape
    shape = [*np.broadcast_shapes(x[:-2], w[:-2]), x[-2], w[-1]]
    if len(b.shape) == 1:
        shape.pop(-1)
    if len(a.shape) == 1:
        shape.pop(-1 if len(b.shape) == 1 else -2)
    return Spec(shape, promoted((a, b)))


@contraction(
    _left, _right, saves=("b", "a"), infer=_infer, formula=("a @ b", "g @ T(b)", "T(a) @ g")
)
def _matmul(a, b, /):
    return kernels.matmul(a, b)


_matmul.op.samples = lambda draw: [
    ((draw((2, 3)), draw((3, 4))), {}),
    ((draw((3,)), draw((3,))), {}),
    ((draw((3,)), draw((3, 4))), {}),
    ((draw((2, 3)), draw((3,))), {}),
    ((draw((5, 2, 3)), draw((3, 4))), {}),
    ((draw((5, 1, 2, 3)), draw((4, 3, 2))), {}),
    ((draw((3,)), draw((4, 3, 2))), {}),
    ((draw((4, 2, 3)), draw((3,))), {}),
]


def matmul(input: Any, other: Any) -> Any:
    """Matrix product ``input @ other``, in all of NumPy's broadcasting forms.

    Vectors count as a row on the left and as a column on the right; leading dimensions
    broadcast.

    Raises
    ------
    ValueError
        If the inner dimensions differ, an operand is 0-d, or batches do not broadcast.

    Examples
    --------
    >>> import autograd
    >>> autograd.matmul(autograd.ones(2, 3), autograd.ones(3, 4)).shape
    (2, 4)
    """
    a, b = shape_of(input, "matmul"), shape_of(other, "matmul")
    if not a or not b:
        raise ValueError(f"matmul: operands need at least one dimension, met {a} and {b}; use *")
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        raise ValueError(
            f"matmul: {a} @ {b}: the last dimension of the first ({a[-1]}) must equal the "
            f"{'second to last' if len(b) > 1 else 'only'} dimension of the second "
            f"({b[-2 if len(b) > 1 else 0]})"
        )
    try:
        return _matmul(input, other)
    except ValueError as error:
        raise ValueError(
            f"matmul: {a} @ {b}: the leading dimensions {a[:-2]} and {b[:-2]} do not broadcast "
            "together"
        ) from error


def _linear_infer(x, weight, bias):
    return Spec((*x.shape[:-1], weight.shape[0]), promoted((x, weight, bias)))


@contraction(
    lambda g, y, x, weight, bias: _matmul(g, weight),
    lambda g, y, x, weight, bias: _matmul(mT(_rows(g)), _rows(x)),
    lambda g, y, x, weight, bias: g,  # the engine sums over the leading dimensions
    saves=("weight", "x", ""),
    infer=_linear_infer,
    formula=("x @ T(weight) + bias", "g @ weight", "T(g) @ x", "sum(g)"),
)
def _linear(x, weight, bias, /):
    return kernels.linear(x, weight, bias)


_linear.op.samples = lambda draw: [
    ((draw((5, 3)), draw((4, 3)), draw((4,))), {}),
    ((draw((2, 5, 3)), draw((4, 3)), None), {}),
]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Affine map ``input @ weight.T + bias``.

    Parameters
    ----------
    input : Tensor, (..., in_features), at least 2-d (a single vector goes through `matmul`)
    weight : Tensor, (out_features, in_features)
    bias : Tensor, (out_features,), optional

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> autograd.linear(autograd.ones(2, 3), autograd.ones(4, 3)).shape
    (2, 4)
    """
    x, w = shape_of(input, "linear"), shape_of(weight, "linear")
    b = None if bias is None else shape_of(bias, "linear")
    if len(w) != 2 or not x or x[-1] != w[1]:
        raise ValueError(f"linear: input {x} needs a weight of shape (out, {x[-1:]}), met {w}")
    if b is not None and b != w[:1]:
        raise ValueError(f"linear: bias must have shape {w[:1]}, met {b}")
    if len(x) == 1:
        y = _matmul(weight, input)
        return y if bias is None else y + bias
    return _linear(input, weight, bias)
