"""Connectionist temporal classification: the likelihood of a text, however it lies in time.

Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data with
recurrent neural networks".

A path says one class for each moment. It spells a text if the text is left when first repetitions
and then blanks are dropped. The states of such paths are the labels with blanks around and between
them: a path stays in its state, goes on to the next, or skips a blank between two labels that
differ. Three arrays of logarithms, (T, N, states), are summed up over paths: ``forward`` over those
that lead to a state at a moment, ``backward`` over those that lead on from it, and their product
over the likelihood is how sure the state is. The compute is in float64, because the loops cost
calls rather than arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..dtypes import get_default_dtype
from ..families import shape_of, structured
from ..graph import Spec
from .arithmetic import clamp, where
from .index import _gather, _scatter, raw
from .loss import _reduced
from .reduce import logsumexp, sum
from .shape import stack, unsqueeze
from .transcendental import exp

LOWEST = -1e300
"""Below every logarithm that is met: what keeps ``-inf - -inf`` out of a sum of exponentials."""

IMPOSSIBLE = -1e30
"""The logarithm of zero where slopes are taken: finite in float32, so that they are too."""


# --- Forward and backward -------------------------------------------------------------------------


def _states(targets, target_lengths, blank):
    """The label of each state (N, 2 S + 1), and which states a path may skip a blank to reach."""
    count, length = targets.shape
    labels = np.full((count, 2 * length + 1), blank)
    within = np.arange(length) < target_lengths[:, None]
    labels[:, 1::2] = np.where(within, targets, blank)
    skips = np.zeros(labels.shape, bool)
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    return labels, skips


def _emitted(x, labels):
    """Logarithms of what each state emits, (T, N, states)."""
    spread = np.broadcast_to(labels, (len(x), *labels.shape))
    return np.take_along_axis(x, spread, axis=2).astype(np.float64)


def _log_sum(ways):
    """Logarithm of the sum of exponentials over dimension 0, of an array that is used up."""
    top = np.maximum.reduce(ways, axis=0)
    np.maximum(top, LOWEST, out=top)
    ways -= top
    np.exp(ways, out=ways)
    total = np.add.reduce(ways, axis=0)
    np.log(total, out=total)
    total += top
    return total


def _three(padded, states):
    """A view (..., N, states + 2) as (..., 3, N, states): states, those one and two places on."""
    return np.moveaxis(sliding_window_view(padded, states, axis=-1), -2, -3)


def _forward(emitted, skips):
    """Sums over the paths that end in a state, its emission included, after two empty columns."""
    moments, count, states = emitted.shape
    sums = np.full((moments, count, states + 2), -np.inf)
    sums[0, :, 2:4] = emitted[0, :, :2]
    before = _three(sums, states)  # two states back, one back, the same
    barrier = np.zeros((3, count, states))
    barrier[0, ~skips] = -np.inf
    for t in range(1, moments):
        np.add(_log_sum(before[t - 1] + barrier), emitted[t], out=sums[t, :, 2:])
    return sums


def _backward(emitted, skips, input_lengths, target_lengths):
    """Sums over the paths that go on from a state, its emission not included."""
    moments, count, states = emitted.shape
    sums = np.full((moments, count, states), -np.inf)
    ending = np.where(_endings(states, target_lengths), 0.0, -np.inf)
    onward = np.full((count, states + 2), -np.inf)
    after = _three(onward, states)  # the same state, one on, two on
    barrier = np.zeros((3, count, states))
    barrier[2, :, : states - 2][~skips[:, 2:]] = -np.inf
    for t in range(moments - 1, -1, -1):
        if t + 1 < moments:
            np.add(sums[t + 1], emitted[t + 1], out=onward[:, :states])
            sums[t] = _log_sum(after + barrier)
        ends = input_lengths == t + 1
        if ends.any():
            sums[t, ends] = ending[ends]
    return sums


def _endings(states, target_lengths):
    """The states in which a path may end: the last label, and the blank after it."""
    place = np.arange(states) - 2 * target_lengths[:, None]
    return (place == 0) | (place == -1)


def _log_likelihood(forward, input_lengths, target_lengths):
    rows = np.arange(len(input_lengths))
    after = forward[input_lengths - 1, rows, 2 * target_lengths + 2]
    label = forward[input_lengths - 1, rows, 2 * target_lengths + 1]
    found = np.logaddexp(after, label)
    return np.where(input_lengths > 0, found, np.where(target_lengths > 0, -np.inf, 0.0))


def _slope(x, targets, input_lengths, target_lengths, forward, blank, zero_infinity):
    """The slope of each loss in x: how sure each class is at each moment, negative."""
    labels, skips = _states(targets, target_lengths, blank)
    emitted = _emitted(x, labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        if forward is None:
            forward = _forward(emitted, skips)
        likelihood = _log_likelihood(forward, input_lengths, target_lengths)
        sure = _backward(emitted, skips, input_lengths, target_lengths)
        sure += forward[:, :, 2:]
        sure -= likelihood[:, None]
        np.exp(sure, out=sure)
    if zero_infinity:
        sure[:, np.isneginf(likelihood)] = 0.0
    flat = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2])[:, :, None] * x.shape[2] + labels
    sums = np.bincount(flat.reshape(-1), sure.reshape(-1), minlength=x.size)
    return np.negative(sums.reshape(x.shape)).astype(x.dtype, copy=False)


# --- The op, and its slopes -----------------------------------------------------------------------


def _ctc_rule(g, forward, x, targets, input_lengths, target_lengths, blank, zero_infinity):
    how = {"blank": blank, "zero_infinity": zero_infinity}
    if forward is None:
        slope = _ctc_slope(x, targets, input_lengths, target_lengths, **how)
    else:
        slope = _slope(x, targets, input_lengths, target_lengths, forward, **how)
    return slope * unsqueeze(g, 1)


@structured(
    _ctc_rule,
    None,
    None,
    None,
    saves="x targets input_lengths target_lengths",
    aside=True,
    infer=lambda x, targets, *_, **__: Spec(targets.shape[:1], x.dtype),
    formula=(
        "-log(likelihood(exp(x), targets))",
        "-g * posterior(exp(x), targets)",
        None,
        None,
        None,
    ),
)
def _ctc(x, targets, input_lengths, target_lengths, /, *, blank, zero_infinity):
    """Minus the log-likelihood of each text; the forward sums come along."""
    labels, skips = _states(targets, target_lengths, blank)
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = _forward(_emitted(x, labels), skips)
        losses = -_log_likelihood(forward, input_lengths, target_lengths)
    if zero_infinity:
        losses[np.isposinf(losses)] = 0.0
    return losses.astype(x.dtype, copy=False), forward


def _along(v, y, x, targets, input_lengths, target_lengths, blank, zero_infinity):
    """How `_ctc_slope` changes in the direction v: each sum goes with its own slope along v.

    The matrix of second derivatives is symmetric, so this is the gradient of <v, slope> too.
    """
    targets, input_lengths, target_lengths = (
        np.asarray(getattr(array, "value", array))
        for array in (targets, input_lengths, target_lengths)
    )
    labels, skips = _states(targets, target_lengths, blank)
    states, moments = labels.shape[1], x.shape[0]
    spread = np.broadcast_to(labels, (moments, *labels.shape))
    kind = x.dtype.type
    never, none = kind(IMPOSSIBLE), kind(0.0)
    emitted = _gather(x, spread, dim=2)
    known = emitted > IMPOSSIBLE
    emitted = clamp(emitted, IMPOSSIBLE)
    emitted_slope = where(known, _gather(v, spread, dim=2), none)
    place = np.arange(states)
    step = place - place[:, None]  # from the row's state to the column's
    allowed = (step == 0) | (step == 1) | ((step == 2) & skips[:, None, :])
    way = np.where(allowed, none, never)

    def onward(sums: Any, slopes: Any, dim: int) -> tuple[Any, Any]:
        each = unsqueeze(sums, 3 - dim) + way
        total = logsumexp(each, dim)
        part = exp(each - unsqueeze(total, dim))
        return total, sum(part * unsqueeze(slopes, 3 - dim), dim)

    begins = np.broadcast_to(place < 2, labels.shape)
    forward = [(where(begins, emitted[0], never), where(begins, emitted_slope[0], none))]
    for t in range(1, moments):
        sums, slopes = onward(*forward[-1], 1)
        forward.append((sums + emitted[t], slopes + emitted_slope[t]))
    ending = np.where(_endings(states, target_lengths), none, never)
    backward: list[tuple[Any, Any]] = []
    for t in range(moments - 1, -1, -1):
        if backward:
            sums, slopes = backward[-1]
            sums, slopes = onward(sums + emitted[t + 1], slopes + emitted_slope[t + 1], 2)
        else:
            sums = slopes = np.zeros(labels.shape, kind)
        ends, over = (input_lengths == t + 1)[:, None], (input_lengths <= t + 1)[:, None]
        sums = where(ends, ending, where(over, never, sums))
        backward.append((sums, where(over, none, slopes)))
    backward.reverse()
    both = [
        (a + b, da + db) for (a, da), (b, db) in zip(forward, backward, strict=True)
    ]  # each with its slope
    first, first_slope = both[0]
    likelihood = logsumexp(first, 1, keepdim=True)
    slope = sum(exp(first - likelihood) * first_slope, 1, keepdim=True)
    change = stack([exp(sums - likelihood) * (slopes - slope) for sums, slopes in both])
    change = _scatter(-change, spread, dim=2, size=x.shape[2])
    there = (input_lengths > 0)[:, None]
    possible = likelihood > IMPOSSIBLE / 2
    change = where(possible, change, none if zero_infinity else kind(np.nan))
    return where(there, change, none)


@structured(
    _along,
    None,
    None,
    None,
    saves="x targets input_lengths target_lengths",
    infer=lambda x, *_, **__: Spec(x.shape, x.dtype),
    formula=(
        "-posterior(exp(x), targets)",
        "-covariance(exp(x), targets) @ g",
        None,
        None,
        None,
    ),
)
def _ctc_slope(x, targets, input_lengths, target_lengths, /, *, blank, zero_infinity):
    """The slope of each loss of `_ctc` in x."""
    return _slope(x, targets, input_lengths, target_lengths, None, blank, zero_infinity)


# Of lengths that end early, an empty text, repeated labels, and a sequence without moments.
_ctc.op.samples = lambda draw: [
    (
        (
            draw((4, 3, 3)),
            np.array([[1, 1], [2, 1], [0, 0]]),
            np.array([4, 3, 2]),
            np.array([2, 2, 0]),
        ),
        {"blank": 0, "zero_infinity": False},
    ),
    (
        (draw((3, 2, 3)), np.array([[1], [0]]), np.array([3, 0]), np.array([1, 1])),
        {"blank": 2, "zero_infinity": True},
    ),
]
_ctc_slope.op.samples = _ctc.op.samples


# --- What users call ------------------------------------------------------------------------------


def _lengths(who: str, lengths: Any, what: str, count: int, most: int) -> Any:
    """One length for each member of the batch, as int64."""
    found = raw(who, lengths, what)
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"{who}: {what} must be integers, not {found.dtype}")
    found = found.reshape(-1).astype(np.int64)
    if found.shape != (count,):
        raise ValueError(f"{who}: expected {count} {what}, one for each sequence, met {found.size}")
    wrong = found[(found < 0) | (found > most)]
    if wrong.size:
        raise ValueError(f"{who}: {what} must be from 0 to {most}, met {wrong[0]}")
    return found


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """
    Minus the log-likelihood of a text, summed over all its alignments in time.

    Parameters
    ----------
    log_probs : Tensor, (T, N, C) or (T, C)
        Log-probabilities of classes at each moment, as `log_softmax` gives them.
    targets : integer Tensor, (N, S), (S,) or (sum of the lengths,)
        The texts, without blanks: one in each row, as long as its length says and whatever
        comes after; or, for a batch, all in one line.
    input_lengths : integer Tensor, tuple or list, (N,)
        How many moments of each sequence count; a single number for one sequence.
    target_lengths : integer Tensor, tuple or list, (N,)
    blank : int, default 0
        The class that says nothing.
    reduction : {"mean", "sum", "none"}
        "mean" divides each loss by the length of its text (at least 1) first.
    zero_infinity : bool
        A text too long for its sequence has a loss of 0 and no gradient, not infinity and NaN.

    Raises
    ------
    ValueError
        If shapes or lengths do not fit, a text holds the blank, or the reduction is unknown.
    IndexError
        If a class is out of range.
    TypeError
        If `log_probs` are not floats, or classes or lengths are not integers.

    Examples
    --------
    Two moments, of even odds: the paths "11", "01" and "10" spell the text "1".

    >>> import autograd
    >>> log_probs = autograd.full((2, 1, 2), 0.5).log()
    >>> autograd.ctc_loss(log_probs, autograd.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    who = "ctc_loss"
    shape = shape_of(log_probs, who)
    if len(shape) not in (2, 3) or not shape[0] or not shape[-1]:
        raise ValueError(f"{who}: expected log_probs (T, N, C) or (T, C), not empty, met {shape}")
    if getattr(log_probs, "dtype", get_default_dtype()).kind != "f":
        raise TypeError(f"{who}: log_probs must be floats, not {log_probs.dtype}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{who}: reduction must be 'none', 'mean' or 'sum', not {reduction!r}")
    moments, classes = shape[0], shape[-1]
    count = shape[1] if len(shape) == 3 else 1
    if not 0 <= blank < classes:
        raise IndexError(f"{who}: blank {blank} is out of range for {classes} classes")
    texts = raw(who, targets, "targets")
    if texts.size and texts.dtype.kind not in "iu":
        raise TypeError(f"{who}: targets must be integers, not {texts.dtype}")
    inputs = _lengths(who, input_lengths, "input_lengths", count, moments)
    if len(shape) == 2 and texts.ndim == 1:
        texts = texts[None]
    longest = texts.shape[1] if texts.ndim == 2 else texts.size
    lengths = _lengths(who, target_lengths, "target_lengths", count, longest)
    if texts.ndim == 1 and texts.size == lengths.sum():
        lines = np.zeros((count, lengths.max(initial=0)), np.int64)
        lines[np.arange(lines.shape[1]) < lengths[:, None]] = texts
        texts = lines
    elif texts.ndim != 2 or len(texts) != count:
        raise ValueError(
            f"{who}: targets {texts.shape} do not fit {count} sequences with target_lengths of sum "
            f"{lengths.sum()}: expected ({count}, S), or all in one line"
        )
    texts = texts[:, : lengths.max(initial=0)].astype(np.int64)
    told = texts[np.arange(texts.shape[1]) < lengths[:, None]]
    if told.size and (told.min() < 0 or told.max() >= classes):
        wrong = told[(told < 0) | (told >= classes)][0]
        raise IndexError(f"{who}: class {wrong} in targets is out of range for {classes} classes")
    if (told == blank).any():
        raise ValueError(f"{who}: targets hold the blank, {blank}, which no text has")
    rows = log_probs if len(shape) == 3 else unsqueeze(log_probs, 1)
    losses = _ctc(rows, texts, inputs, lengths, blank=int(blank), zero_infinity=bool(zero_infinity))
    if reduction == "mean":
        losses = losses / np.maximum(lengths, 1).astype(losses.dtype)
    return _reduced(losses if len(shape) == 3 else sum(losses), reduction, who)
