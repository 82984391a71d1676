"""What the ops of losses should give: formulas of single numbers, loops over paths, in float64."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Oracle = Callable[..., Any]


def per_element(formula: Callable[..., float]) -> Oracle:
    """An oracle from a formula for single elements of inputs that broadcast together."""

    def oracle(*arrays: np.ndarray, **params: Any) -> np.ndarray:
        spread = np.broadcast_arrays(*arrays)
        found = [formula(*each, **params) for each in zip(*(a.flat for a in spread), strict=True)]
        return np.array(found, float).reshape(spread[0].shape)

    return oracle


def yes_or_no(p: float, no: float, target: float) -> float:
    return -(target * math.log(p) + (1.0 - target) * math.log(no))


def of_logits(x: float, target: float) -> float:
    return yes_or_no(1.0 / (1.0 + math.exp(-x)), 1.0 / (1.0 + math.exp(x)), target)


def bent(x: float, delta: float = 1.0, unit: float = 1.0) -> float:
    size = abs(x)
    return (size * size / 2 if size <= delta else delta * size - delta * delta / 2) / unit


def spelled(path: tuple[int, ...], blank: int) -> list[int]:
    """What a path says: without repetitions, then without blanks."""
    return [a for a, before in zip(path, (None, *path), strict=False) if a != before and a != blank]


def alignments(x: np.ndarray, text: list[int], blank: int) -> list[tuple[float, tuple[int, ...]]]:
    """Every path that spells a text, with its probability."""
    paths = itertools.product(range(x.shape[1]), repeat=len(x))
    return [
        (math.exp(math.fsum(x[t, c] for t, c in enumerate(path))), path)
        for path in paths
        if spelled(path, blank) == text
    ]


def aligned(x, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    losses = []
    for n, (moments, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        found = alignments(x[:moments, n], targets[n, :length].tolist(), blank)
        losses.append(-math.log(sum(p for p, _ in found)) if found else math.inf)
    return np.array([0.0 if zero_infinity and math.isinf(y) else y for y in losses])


def aligned_slope(x, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    slope = np.zeros(x.shape)
    for n, (moments, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        found = alignments(x[:moments, n], targets[n, :length].tolist(), blank)
        for p, path in found:
            for t, c in enumerate(path):
                slope[t, n, c] -= p / sum(q for q, _ in found)
    return slope


ORACLES: dict[str, Oracle] = {
    "ctc": aligned,
    "ctc_slope": aligned_slope,
    "binary_logits": per_element(of_logits),
    "binary_probability": per_element(lambda p, target: yes_or_no(p, 1.0 - p, target)),
    "huber": per_element(bent),
    "variance": per_element(lambda x, least=1e-6: sorted((x, least))[1]),
}
