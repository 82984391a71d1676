"""Norms, and the distance of two tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import only_one, reduction
from ..kernels import sum as sum_floats
from .arithmetic import abs, cast, sign, where
from .extremes import nonempty
from .reduce import count_nonzero, restored, sum

SAFE = {"f": 1e-30, "d": 1e-280}
"""By type: a sum of squares above has lost nothing to squares that are too small for the type."""


def _norm_rule(g, y, x, dim, keepdim, p):
    g, y = restored(g, x, dim, keepdim), restored(y, x, dim, keepdim)
    if p == 1.0:
        return where(x == x, g * sign(x), 0.0)  # NaN has no sign
    if math.isinf(p):
        tied = abs(x) == y
        ties = sum(cast(tied, x.dtype), dim, keepdim=True)
        return where(tied, sign(x) * g / where(ties == 0.0, 1.0, ties), 0.0)
    still = y == 0.0
    if p == 2.0:
        return where(still, 0.0, g * (x / where(still, 1.0, y)))  # g / y may overflow
    # The quotient before the power: x ** p may overflow where the norm does not.
    flat = where(still, still, x == 0.0) if p < 1.0 else still
    part = where(flat, 1.0, abs(x) / where(still, 1.0, y))
    return where(flat, 0.0, sign(x) * part ** (p - 1.0) * g)


@reduction(
    _norm_rule,
    saves="y x",
    formula=("sum(abs(x) ** p) ** (1 / p)", "g * sign(x) * (abs(x) / y) ** (p - 1)"),
)
def _norm(x, /, *, dim, keepdim, p):
    if x.dtype.kind != "f":
        raise TypeError(f"norm: expected a floating-point tensor, not {x.dtype}")
    if p < 0 or p == math.inf:
        nonempty("norm", x, dim)
    with np.errstate(all="ignore"):
        if p == 2.0 and x.ndim and x.dtype.char in SAFE:
            total = sum_floats(x * x, dim=dim, keepdim=keepdim)
            if np.all((total > SAFE[x.dtype.char]) & (total < math.inf)):
                return np.sqrt(total)
        size = np.abs(x, dtype=np.float64)  # where squares of float32 neither overflow nor vanish
        if math.isinf(p):
            y = (np.maximum if p > 0 else np.minimum).reduce(size, axis=dim, keepdims=keepdim)
        elif p == 1.0:
            y = np.add.reduce(size, axis=dim, keepdims=keepdim)
        elif p == 2.0 and x.dtype != np.float64:
            y = np.sqrt(np.add.reduce(size * size, axis=dim, keepdims=keepdim))
        else:
            y = _scaled(size, dim, keepdim, p)
        return y.astype(x.dtype)


def _scaled(size, dim, keepdim, p):
    """The norm of order `p` of what a power of two has brought near to 1."""
    if math.prod(size.shape[i] for i in dim) == 0:
        return np.add.reduce(size, axis=dim, keepdims=keepdim)
    top = (np.maximum if p > 0 else np.minimum).reduce(size, axis=dim, keepdims=True)
    usual = np.isfinite(top) & (top > 0.0)
    unit = np.where(usual, np.ldexp(1.0, np.frexp(np.where(usual, top, 1.0))[1] - 1), 1.0)
    part = size / unit
    total = np.add.reduce(part * part if p == 2.0 else part**p, axis=dim, keepdims=keepdim)
    root = np.sqrt(total) if p == 2.0 else total ** (1.0 / p)
    return root * unit.reshape(np.shape(root))


_norm.op.samples = lambda draw: [
    ((draw((2, 3)),), {"p": 2.0}),
    ((draw((2, 3)),), {"p": 1.0, "dim": 0}),
    ((draw((2, 3)),), {"p": 3.5, "dim": 1, "keepdim": True}),
    ((draw((2, 3)),), {"p": -1.0, "dim": 1}),
    ((draw((2, 3)),), {"p": math.inf, "dim": 1}),
]


def norm(
    input: Any,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Norm of the elements: ``sum(abs(x) ** p) ** (1 / p)``.

    Parameters
    ----------
    input : Tensor
    p : number or {"fro"}
        inf and -inf: the largest and the smallest absolute value; 0: how many are not zero, which
        has no gradient; "fro": 2.
    dim : int or tuple of int, optional
        Default: all.
    keepdim : bool
    dtype : dtype, optional
        Convert the elements first.

    Raises
    ------
    TypeError
        For an integer or bool tensor.
    ValueError
        For another `p`, or the norm of nothing where there is none.

    Examples
    --------
    >>> import autograd
    >>> autograd.norm(autograd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    dim = only_one("norm", "dim", dim, "axis", axis) if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    if p is None or p == "fro":
        p = 2.0
    elif isinstance(p, str):
        raise ValueError(f"norm: p must be a number or 'fro', not {p!r}")
    kind = np.dtype(getattr(input, "dtype", float))
    if dtype is not None and np.dtype(dtype) != kind:
        if not np.can_cast(kind, dtype):
            raise ValueError(f"norm: dtype {np.dtype(dtype)} is narrower than the tensor's {kind}")
        input, kind = cast(input, dtype), np.dtype(dtype)
    if p == 0 and kind.kind == "f":
        return cast(count_nonzero(input, dim, keepdim), kind)
    return _norm(input, dim, keepdim, p=float(p))


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """Norm of the difference of two tensors, which broadcast.

    Examples
    --------
    >>> import autograd
    >>> autograd.dist(autograd.tensor([1.0, 2.0]), autograd.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return norm(input - other, p)
