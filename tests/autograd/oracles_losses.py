"""What the ops of losses should give: formulas of single numbers, loops over paths, in float64."""

from __future__ import annotations

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


ORACLES: dict[str, Oracle] = {
    "binary_logits": per_element(of_logits),
    "binary_probability": per_element(lambda p, target: yes_or_no(p, 1.0 - p, target)),
    "huber": per_element(bent),
    "variance": per_element(lambda x, least=1e-6: sorted((x, least))[1]),
}
