"""Softmax and losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import floating, promoted, to_common, to_common_float
from ..families import dim_of, only_one, shape_of, structured
from ..graph import Abstract, Spec, Variable
from ..kernels import cross_entropy as cross_entropy_kernel
from ..kernels import log_softmax as log_softmax_kernel
from ..kernels import log_softmax_backward as log_softmax_backward_kernel
from ..kernels import softmax as softmax_kernel
from ..kernels import softmax_backward as softmax_backward_kernel
from .arithmetic import where
from .reduce import mean, sum
from .shape import _reshape, permute
from .transcendental import exp


def _same(x, **_):
    return Spec(x.shape, floating(promoted((x,))))


@structured(
    lambda g, y, x, dim: _softmax_backward(g, y, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    saves="y",
    infer=_same,
    promotes=to_common_float,
    formula=("exp(x) / sum(exp(x))", "y * (g - sum(g * y))"),
)
def _softmax(x, /, *, dim):
    return softmax_kernel(x, axis=dim)


@structured(
    lambda g, y, x, dim: _log_softmax_backward(g, y, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    saves="y",
    infer=_same,
    promotes=to_common_float,
    formula=("x - log(sum(exp(x)))", "g - exp(y) * sum(g)"),
)
def _log_softmax(x, /, *, dim):
    return log_softmax_kernel(x, axis=dim)


def _same_pair(h, y, **_):
    return Spec(y.shape, promoted((h, y)))


@structured(
    lambda g, dx, h, y, dim: _softmax_backward(g, y, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, dx, h, y, dim: (
        g * (h - sum(h * y, dim, keepdim=True)) - h * sum(g * y, dim, keepdim=True)
    ),
    saves=("y", "h y"),
    infer=_same_pair,
    promotes=to_common,
    formula=(
        "y * (h - sum(h * y))",
        "y * (g - sum(g * y))",
        "g * (h - sum(h * y)) - h * sum(g * y)",
    ),
)
def _softmax_backward(h, y, /, *, dim):
    """Gradient of <h, y> for y = softmax(x): ``y * (h - sum(h * y))``."""
    return softmax_backward_kernel(h, y, axis=dim)


@structured(
    lambda g, dx, h, y, dim: g - sum(g * exp(y), dim, keepdim=True),
    lambda g, dx, h, y, dim: -g * exp(y) * sum(h, dim, keepdim=True),
    saves=("y", "h y"),
    infer=_same_pair,
    promotes=to_common,
    formula=("h - exp(y) * sum(h)", "g - sum(g * exp(y))", "-g * exp(y) * sum(h)"),
)
def _log_softmax_backward(h, y, /, *, dim):
    """Gradient of <h, y> for y = log_softmax(x): ``h - exp(y) * sum(h)``."""
    return log_softmax_backward_kernel(h, y, axis=dim)


_softmax.op.samples = lambda draw: [((draw((3, 4)),), {"dim": 1}), ((draw((3, 4)),), {"dim": 0})]
_log_softmax.op.samples = _softmax.op.samples
_softmax_backward.op.samples = lambda draw: [
    ((draw((3, 4)), draw((3, 4))), {"dim": 1}),
    ((draw((3, 4)), draw((3, 4))), {"dim": 0}),
]
_log_softmax_backward.op.samples = _softmax_backward.op.samples


def softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """Exponentials that sum to one along `dim`: ``exp(x) / sum(exp(x))``.

    Examples
    --------
    >>> import autograd
    >>> autograd.softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along(_softmax, "softmax", input, dim, axis)


def log_softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """Logarithm of `softmax`, computed without underflow.

    Examples
    --------
    >>> import autograd
    >>> autograd.log_softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _along(_log_softmax, "log_softmax", input, dim, axis)


def _along(op: Any, name: str, input: Any, dim: int | None, axis: int | None) -> Any:
    dim = only_one(name, "dim", dim, "axis", axis)
    if dim is None:
        raise TypeError(f"{name}: say along which dim it sums to one")
    shape = shape_of(input, name)
    if not shape:
        return op(_reshape(input, shape=(1,)), dim=dim_of(name, dim, 0)).reshape(())
    return op(input, dim=dim_of(name, dim, len(shape)))


def _reduced(losses: Any, reduction: str, who: str, total: Any = None) -> Any:
    """Apply a reduction: none, sum, or mean (divided by `total`, if given, not by the count)."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    if reduction != "mean":
        raise ValueError(f"{who}: reduction must be 'none', 'mean' or 'sum', not {reduction!r}")
    if total is None:
        return mean(losses)
    # Nothing counted: the mean is NaN, but no gradient flows, so that the weights survive it.
    nothing = total == 0.0
    return sum(losses) / where(nothing, 1.0, total) + where(nothing, math.nan, 0.0 * total)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Squared difference, averaged.

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ: broadcasting here is nearly always a mistake.

    Examples
    --------
    >>> import autograd
    >>> autograd.mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    a, b = shape_of(input, "mse_loss"), shape_of(target, "mse_loss")
    if a != b:
        raise ValueError(f"mse_loss: input {a} and target {b} must have one shape")
    off = input - target
    return _reduced(off * off, reduction, "mse_loss")


def _pick_infer(x, target, *, ignore_index):
    return Spec(target.shape, x.dtype)


@structured(
    lambda g, y, x, target, ignore_index: _put_class(  # pyright: ignore[reportGeneralTypeIssues]
        g, target, ignore_index=ignore_index, classes=x.shape[1]
    ),
    None,
    saves=("target", ""),
    infer=_pick_infer,
    formula=("x[target]", "scatter(g, target)", None),
)
def _pick_class(x, target, /, *, ignore_index):
    """``x[i, target[i]]`` for x (N, C), and 0 where the target is to be ignored."""
    if target.size and (target.min() < 0 or target.max() >= x.shape[1]):
        counted = target != ignore_index
        y = np.zeros(target.shape, x.dtype)
        y[counted] = x[np.nonzero(counted)[0], target[counted]]
        return y
    y = x[np.arange(len(x)), target]
    if 0 <= ignore_index < x.shape[1]:
        y[target == ignore_index] = 0
    return y


@structured(
    lambda g, y, h, target, ignore_index, classes: _pick_class(
        g, target, ignore_index=ignore_index
    ),
    None,
    saves=("target", ""),
    infer=lambda h, target, *, ignore_index, classes: Spec((*h.shape, classes), h.dtype),
    formula=("scatter(h, target)", "g[target]", None),
)
def _put_class(h, target, /, *, ignore_index, classes):
    """The adjoint of `_pick_class`."""
    y = np.zeros((len(h), classes), h.dtype)
    if target.size and (target.min() < 0 or target.max() >= classes):
        rows = np.nonzero(target != ignore_index)[0]
    else:
        rows = np.arange(len(h))
    y[rows, target[rows]] = h[rows]
    if 0 <= ignore_index < classes:
        y[target == ignore_index] = 0
    return y


def _class_samples(draw):
    return np.array([2, 0, -100, 2]), {"ignore_index": -100}


_pick_class.op.samples = lambda draw: [
    ((draw((4, 3)), _class_samples(draw)[0]), _class_samples(draw)[1])
]
_put_class.op.samples = lambda draw: [
    ((draw((4,)), _class_samples(draw)[0]), _class_samples(draw)[1] | {"classes": 3})
]


def _cross_entropy_rule(g, slope, x, target):
    if slope is None:
        slope = _cross_entropy_slope(x, target)
    elif g == 1.0:  # the loss itself is what is differentiated: spare a walk over the slope
        return slope
    return slope * g


@structured(
    _cross_entropy_rule,
    None,
    saves=("x target", ""),
    aside=True,
    infer=lambda x, target: Spec((), x.dtype),
    formula=("mean(log(sum(exp(x))) - x[target])", "g * (softmax(x) - onehot(target)) / n", None),
)
def _cross_entropy(x, target, /):
    """Mean over the rows of x (N, C) of ``logsumexp(x[i]) - x[i, target[i]]``: the usual case.

    The slope comes along for one division more, because softmax is in hand.
    """
    return cross_entropy_kernel(x, target)


@structured(
    lambda g, y, x, target: _softmax_slope(g, x) / max(x.shape[0], 1),
    None,
    saves=("x", ""),
    infer=lambda x, target: Spec(x.shape, x.dtype),
    formula=(
        "(softmax(x) - onehot(target)) / n",
        "softmax(x) * (g - sum(g * softmax(x))) / n",
        None,
    ),
)
def _cross_entropy_slope(x, target, /):
    """Gradient of `_cross_entropy` in x: softmax of the rows, less one at the target, over N."""
    return cross_entropy_kernel(x, target)[1]


def _softmax_slope(g, x):
    return _softmax_backward(g, _softmax(x, dim=1), dim=1)


_cross_entropy.op.samples = lambda draw: [((draw((4, 3)), np.array([2, 0, 1, 2])), {})]
_cross_entropy_slope.op.samples = _cross_entropy.op.samples


INDEX = np.dtype(np.int64)


def _as_rows(who: str, input: Any, target: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Scores as (N, C), classes as (N,), and the shape of unreduced losses.

    Scores come as (C,), (N, C) or (N, C, d1, ...), classes as (), (N,) or (N, d1, ...).
    """
    shape = shape_of(input, who)
    wanted = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if not shape or shape_of(target, who) != wanted:
        raise ValueError(
            f"{who}: input {shape} needs classes of shape {wanted} (or, for cross_entropy, "
            f"probabilities of its own shape), met {shape_of(target, who)}"
        )
    if len(shape) > 2:
        order = (0, *range(2, len(shape)), 1)
        input = _reshape(permute(input, order), shape=(-1, shape[1]))
    elif len(shape) == 1:
        input = _reshape(input, shape=(1, shape[0]))
    return input, target, wanted


def _classes(who: str, target: Any, count: int, ignore_index: int) -> tuple[Any, bool]:
    """Class indices as a flat int64 array, checked, and whether one of them is to be ignored.

    (As a traced value they may be anything: nobody knows.)
    """
    if isinstance(target, Variable):
        if isinstance(target.value, Abstract):
            return _reshape(target, shape=(-1,)), True
        target = target.value
    raw = np.asarray(target)
    if raw.dtype is not INDEX or raw.ndim != 1:
        if raw.dtype.kind not in "iu":
            raise TypeError(f"{who}: class indices must be integers, not {raw.dtype}")
        raw = raw.reshape(-1).astype(np.int64, copy=False)
    # Read as unsigned, a negative index is a huge one: one comparison finds both kinds.
    if raw.size and np.maximum.reduce(raw.view(np.uint64)) >= count:
        wrong = raw[((raw < 0) | (raw >= count)) & (raw != ignore_index)]
        if wrong.size:
            raise IndexError(
                f"{who}: class index {wrong[0]} is out of range for {count} classes (0 to "
                f"{count - 1})"
            )
        return raw, True
    return raw, 0 <= ignore_index < count and bool((raw == ignore_index).any())


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Negative log likelihood of classes, given log-probabilities.

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Log-probabilities.
    target : integer Tensor, (N,), () or (N, d1, ...)
    weight : Tensor, (C,), optional
        A factor for each class; the mean is then a weighted one.
    ignore_index : int
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
    >>> scores = autograd.log_softmax(autograd.tensor([[0.0, 0.0]]), dim=1)
    >>> autograd.nll_loss(scores, autograd.tensor([1]))
    tensor(0.6931)
    """
    return _nll("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


def _nll(
    who: str,
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Any:
    rows, target, shape = _as_rows(who, input, target)
    count = rows.shape[1]
    if weight is not None and shape_of(weight, who) != (count,):
        raise ValueError(f"{who}: weight must have shape ({count},), met {shape_of(weight, who)}")
    classes, ignoring = _classes(who, target, count, ignore_index)
    losses = -_pick_class(rows, classes, ignore_index=ignore_index)
    total = None
    if weight is not None or ignoring:
        ones = (
            np.ones((1, count), rows.dtype) if weight is None else _reshape(weight, shape=(1, -1))
        )
        each = _pick_class(
            ones + np.zeros((rows.shape[0], 1), rows.dtype), classes, ignore_index=ignore_index
        )
        total = sum(each)
        losses = losses * each
    if smoothing:
        spread = -(rows if weight is None else rows * weight)
        spread = sum(spread, 1) / count
        if ignoring:
            spread = where(classes == ignore_index, 0.0, spread)
        losses = losses * (1.0 - smoothing) + spread * smoothing
    if reduction == "none":
        return _reshape(losses, shape=shape)
    return _reduced(losses, reduction, who, total)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy between scores and classes (or probabilities).

    Parameters
    ----------
    input : Tensor, (N, C), (C,) or (N, C, d1, ...)
        Scores (logits); softmax is applied here.
    target : Tensor
        Classes: integers of shape (N,), () or (N, d1, ...). Or probabilities: floats of the
        shape of `input`.
    weight : Tensor, (C,), optional
        A factor for each class.
    ignore_index : int
        A class that does not count (with class targets only).
    reduction : {"mean", "sum", "none"}
        "mean" with class targets divides by the sum of the weights that counted.
    label_smoothing : float
        From 0 to 1: the part of the target spread evenly over all classes. Szegedy et al. 2016.

    Raises
    ------
    ValueError
        If shapes do not fit, or an option is out of range.
    IndexError
        If a class is out of range.

    Examples
    --------
    >>> import autograd
    >>> autograd.cross_entropy(autograd.tensor([[0.0, 0.0]]), autograd.tensor([1]))
    tensor(0.6931)
    """
    shape = shape_of(input, "cross_entropy")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"cross_entropy: label_smoothing must be from 0 to 1, not {label_smoothing}"
        )
    if not shape:
        raise ValueError("cross_entropy: expected scores of shape (N, C), met ()")
    axis = 0 if len(shape) == 1 else 1
    if shape[axis] == 0:
        raise ValueError(f"cross_entropy: there are no classes in input {shape}")
    classes = getattr(getattr(target, "dtype", None), "kind", "i") != "f"
    usual = weight is None and not label_smoothing and reduction == "mean"
    if classes and usual and len(shape) == 2 and shape_of(target, "cross_entropy") == shape[:1]:
        target, ignoring = _classes("cross_entropy", target, shape[1], ignore_index)
        if not ignoring:
            return _cross_entropy(input, target)
    scores = _log_softmax(input, dim=axis)
    if classes or shape_of(target, "cross_entropy") != shape:
        return _nll(
            "cross_entropy", scores, target, weight, ignore_index, reduction, label_smoothing
        )
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / shape[axis]
    if weight is not None:
        if shape_of(weight, "cross_entropy") != (shape[axis],):
            raise ValueError(
                f"cross_entropy: weight must have shape ({shape[axis]},), met "
                f"{shape_of(weight, 'cross_entropy')}"
            )
        target = target * _reshape(weight, shape=(-1, *(1,) * (len(shape) - axis - 1)))
    losses = -sum(scores * target, axis)
    count = losses.shape[0] if losses.shape else 1
    for n in losses.shape[1:]:
        count *= n
    return _reduced(losses, reduction, "cross_entropy", float(count))
