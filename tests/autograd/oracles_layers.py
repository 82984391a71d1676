"""Oracles of the ops behind layers: normalisation, and windows at random places."""

from __future__ import annotations

import itertools
import math

import numpy as np


def by_root_mean_square(x, weight, *, eps):
    """Rows divided by the root of their mean square."""
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape[:-1]):
        items = x[place].tolist()
        root = math.sqrt(math.fsum(item * item for item in items) / len(items) + eps)
        for i, item in enumerate(items):
            y[(*place, i)] = item / root * (1.0 if weight is None else weight[i])
    return y


def begins(u, n, m, k):
    """Where each of m windows of k elements over n begins."""
    if m == 1:
        return [n - k]
    alpha = (n - k) / (m - 1)
    return [math.floor((i + u) * alpha) - math.floor(u * alpha) for i in range(m - 1)] + [n - k]


def fractional_places(x, u, *, kernel, size):
    """Flat places of the largest elements of windows at places that u gives."""
    y = np.empty((*x.shape[:2], *size), np.int64)
    inner = x.shape[2:]
    for plane in np.ndindex(*x.shape[:2]):
        numbers = u[plane].tolist() if len(size) == 3 else u[plane].tolist()[::-1]
        starts = [begins(*given) for given in zip(numbers, inner, size, kernel, strict=True)]
        for out in np.ndindex(*size):
            corner = [first[i] for first, i in zip(starts, out, strict=True)]
            window = itertools.product(
                *(range(a, a + k) for a, k in zip(corner, kernel, strict=True))
            )
            best = max(window, key=lambda at: x[plane][at])
            y[(*plane, *out)] = np.ravel_multi_index(best, inner)
    return y


ORACLES = {
    "rms_norm": by_root_mean_square,
    "fractional_max_indices": fractional_places,
}
