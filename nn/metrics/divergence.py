"""How far distributions are from each other, and how surprised a model is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .inputs import Floats, class_indices, real_numbers


def _distributions(who: str, p: Any, q: Any, dim: int) -> tuple[Floats, Floats]:
    """Both along the last dimension, each with sum 1."""
    both = []
    for name, value in (("p", p), ("q", q)):
        weights = real_numbers(who, name, value)
        if not weights.ndim or not weights.size:
            raise ValueError(f"{who}: {name} must have elements, met shape {weights.shape}")
        if not -weights.ndim <= dim < weights.ndim:
            raise IndexError(f"{who}: dim {dim} is out of range for {name} {weights.shape}")
        weights = np.moveaxis(weights, dim, -1)
        total = weights.sum(axis=-1, keepdims=True)
        if (weights < 0).any() or (total <= 0).any():
            raise ValueError(f"{who}: {name} must not be negative, nor zero throughout")
        both.append(weights / total)
    if both[0].shape != both[1].shape:
        raise ValueError(f"{who}: p {np.shape(p)} and q {np.shape(q)} must have one shape")
    return both[0], both[1]


def _base(who: str, base: float | None) -> float:
    if base is None:
        return 1.0
    if not base > 0 or base == 1:
        raise ValueError(f"{who}: base must be positive and not 1, met {base}")
    return math.log(base)


def _divergence(p: Floats, q: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = p * np.log(p / q)
    # Next to nothing over next to nothing may leave the range, where logarithms do not.
    careful = (p > 0) & (q > 0) & ~np.isfinite(terms)
    terms[careful] = p[careful] * (np.log(p[careful]) - np.log(q[careful]))
    terms[(p > 0) & (q == 0)] = np.inf
    terms[p == 0] = 0.0
    return terms.sum(axis=-1)


def _number_or_array(value: Floats) -> float | Floats:
    return value if value.ndim else float(value)


def kl_divergence(p: Any, q: Any, dim: int = -1, base: float | None = None) -> float | Floats:
    """
    Kullback-Leibler divergence of p from q: ``sum(p * log(p / q))``, at least 0.

    For a loss of log-probabilities there is `nn.functional.kl_div`.

    Parameters
    ----------
    p, q : Tensor
        Probabilities, or counts: they are divided by their sums.
    dim : int, default -1
        The dimension of the classes.
    base : float, optional
        Of the logarithm: 2 gives bits. Default: the natural one.

    Returns
    -------
    float or ndarray
        One number for each distribution; infinite where q is 0 and p is not.

    Raises
    ------
    ValueError
        If the shapes differ, a weight is negative or NaN, or all are 0.
    IndexError
        If `dim` is out of range.

    Examples
    --------
    >>> kl_divergence([0.5, 0.5], [0.25, 0.75], base=2)
    0.20751874963942185
    """
    first, second = _distributions("kl_divergence", p, q, dim)
    unit = _base("kl_divergence", base)
    # Rounding may leave a little less than nothing.
    return _number_or_array(np.maximum(_divergence(first, second), 0.0) / unit)


def js_divergence(p: Any, q: Any, dim: int = -1, base: float | None = None) -> float | Floats:
    """
    Jensen-Shannon divergence: the mean of the divergences of p and q from their mean.

    From 0 to log(2), symmetric; its square root is a metric. Lin 1991, "Divergence measures based
    on the Shannon entropy".

    Parameters
    ----------
    p, q : Tensor
        Probabilities, or counts: they are divided by their sums.
    dim : int, default -1
        The dimension of the classes.
    base : float, optional
        Of the logarithm: 2 gives bits. Default: the natural one.

    Returns
    -------
    float or ndarray
        One number for each distribution.

    Raises
    ------
    ValueError
        If the shapes differ, a weight is negative or NaN, or all are 0.
    IndexError
        If `dim` is out of range.

    Examples
    --------
    >>> js_divergence([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    first, second = _distributions("js_divergence", p, q, dim)
    middle = (first + second) / 2
    middle = np.where(middle > 0, middle, first + second)  # half of the least number is none
    found = _divergence(first, middle) / 2 + _divergence(second, middle) / 2
    return _number_or_array(np.maximum(found, 0.0) / _base("js_divergence", base))


def wasserstein_distance(
    u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None
) -> float:
    """
    Work that it takes to move one distribution of numbers into the other (earth mover's distance).

    The area between the two cumulated distributions: ``integral of abs(U(x) - V(x)) dx``.

    Parameters
    ----------
    u_values, v_values : Tensor, (N,) and (M,)
        Samples, or positions of weights.
    u_weights, v_weights : Tensor, (N,) and (M,), optional
        Divided by their sums; default: all alike.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is nothing, a number is NaN or infinite, or weights are
        negative or all 0.

    Examples
    --------
    >>> wasserstein_distance([0.0, 1.0, 3.0], [5.0, 6.0, 8.0])
    5.0
    """
    who = "wasserstein_distance"
    parts = []
    for name, values, weights in (("u", u_values, u_weights), ("v", v_values, v_weights)):
        places = real_numbers(who, f"{name}_values", values)
        if places.ndim != 1 or not places.size:
            raise ValueError(f"{who}: {name}_values must be (N,), not empty, met {places.shape}")
        if weights is None:
            masses = np.full(len(places), 1.0 / len(places))
        else:
            masses = real_numbers(who, f"{name}_weights", weights)
            if masses.shape != places.shape:
                raise ValueError(
                    f"{who}: {name}_weights {masses.shape} and {name}_values {places.shape} must "
                    "have one shape"
                )
            if (masses < 0).any() or not masses.sum() > 0:
                raise ValueError(f"{who}: {name}_weights must not be negative, nor all 0")
            masses = masses / masses.sum()
        parts.append((places, masses))
    (here, mass), (there, other) = parts
    places = np.concatenate([here, there])
    order = np.argsort(places, kind="stable")
    above = np.cumsum(np.concatenate([mass, -other])[order])[:-1]
    return float(np.abs(above) @ np.diff(places[order]))


def wasserstein_histogram(p: Any, q: Any, bins: Any) -> float:
    """
    `wasserstein_distance` of two histograms over the same bins.

    What is in a bin is taken to lie at its centre.

    Parameters
    ----------
    p, q : Tensor, (B,)
        Counts or probabilities; divided by their sums.
    bins : Tensor, (B + 1,) or (B,)
        The edges of the bins, increasing, as of `numpy.histogram`; or their centres.

    Raises
    ------
    ValueError
        If the shapes do not fit, the bins do not increase, or weights are negative or all 0.

    Examples
    --------
    >>> wasserstein_histogram([1, 0, 0], [0, 0, 1], bins=[0.0, 1.0, 2.0, 3.0])
    2.0
    """
    who = "wasserstein_histogram"
    first, second = _distributions(who, p, q, -1)
    places = real_numbers(who, "bins", bins)
    if first.ndim != 1 or places.ndim != 1 or len(places) - len(first) not in (0, 1):
        raise ValueError(
            f"{who}: expected p and q (B,) and bins (B + 1,) or (B,), met {first.shape} and "
            f"{places.shape}"
        )
    if (np.diff(places) <= 0).any():
        raise ValueError(f"{who}: bins must increase")
    if len(places) > len(first):
        places = (places[1:] + places[:-1]) / 2
    return wasserstein_distance(places, places, first, second)


def perplexity(preds: Any, target: Any, ignore_index: int | None = None) -> float:
    """
    Exponential of the mean negative log-likelihood: among how many tokens a model hesitates.

    Parameters
    ----------
    preds : Tensor, (..., C)
        Scores of the next token (logits); log-probabilities are such too.
    target : integer Tensor, (...)
    ignore_index : int, optional
        A target that does not count, such as padding.

    Returns
    -------
    float
        Infinite where a target has no probability at all, or the mean exceeds what exp can take.

    Raises
    ------
    ValueError
        If the shapes do not fit, nothing counts, a score is NaN or infinite, or all of a row are
        -infinite.
    IndexError
        If a class is out of range.

    Examples
    --------
    >>> perplexity([[0.0, 0.0, 0.0, 0.0]], [2])
    4.0
    """
    who = "perplexity"
    scores = real_numbers(who, "preds", preds, infinite=True)
    true = np.asarray(getattr(target, "value", target)).reshape(-1)
    if scores.ndim < 1 or scores.shape[:-1] != np.shape(target):
        raise ValueError(f"{who}: preds {scores.shape} do not fit target {np.shape(target)}")
    classes = scores.shape[-1]
    rows = scores.reshape(-1, classes)
    if ignore_index is not None:
        rows, true = rows[true != ignore_index], true[true != ignore_index]
    true = class_indices(who, "target", true)
    if not true.size:
        raise ValueError(f"{who}: no target counts")
    if true.max() >= classes:
        raise IndexError(f"{who}: class {true.max()} is out of range for {classes} classes")
    top = rows.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise ValueError(f"{who}: a row of preds has no finite score, or an infinite one")
    logs = top[:, 0] + np.log(np.exp(rows - top).sum(axis=1))
    loss = float((logs - rows[np.arange(len(true)), true]).mean())
    return math.exp(loss) if loss < math.log(np.finfo(np.float64).max) else math.inf
