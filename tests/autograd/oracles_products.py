"""Oracles of convolutions, pools and resampling in any number of dimensions: loops, in float64."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Sizes = tuple[int, ...]


def meetings(
    size: Sizes, out: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Iterable[tuple[Sizes, Sizes, Sizes]]:
    """(place in the result, place in the kernel, place in the input) of all that meet."""
    for at in itertools.product(*map(range, out)):
        for tap in itertools.product(*map(range, kernel)):
            place = tuple(
                a * s - p + t * d
                for a, s, p, t, d in zip(at, stride, padding, tap, dilation, strict=True)
            )
            if all(0 <= q < n for q, n in zip(place, size, strict=True)):
                yield at, tap, place


def channels(outputs: int, per_group: int, groups: int) -> Iterable[tuple[int, int, int]]:
    """(output, channel, channel within the weight) of all that meet."""
    for o, k in itertools.product(range(outputs), range(per_group)):
        yield o, o // (outputs // groups) * per_group + k, k


def convolved(x, weight, bias, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    y = np.zeros((len(x), len(weight), *out))
    for at, tap, place in meetings(x.shape[2:], out, kernel, stride, padding, dilation):
        for o, c, k in channels(len(weight), weight.shape[1], groups):
            y[:, o, *at] += x[:, c, *place] * weight[o, k, *tap]
    return y if bias is None else y + bias.reshape(-1, *(1,) * len(out))


def convolved_back(h, weight, *, size, stride, padding, dilation, groups):
    x = np.zeros((len(h), weight.shape[1] * groups, *size))
    for at, tap, place in meetings(size, h.shape[2:], weight.shape[2:], stride, padding, dilation):
        for o, c, k in channels(len(weight), weight.shape[1], groups):
            x[:, c, *place] += h[:, o, *at] * weight[o, k, *tap]
    return x


def convolved_weight(x, h, *, kernel_size, stride, padding, dilation, groups):
    weight = np.zeros((h.shape[1], x.shape[1] // groups, *kernel_size))
    for at, tap, place in meetings(
        x.shape[2:], h.shape[2:], kernel_size, stride, padding, dilation
    ):
        for o, c, k in channels(len(weight), weight.shape[1], groups):
            weight[o, k, *tap] += math.fsum(x[:, c, *place] * h[:, o, *at])
    return weight


# --- Pools ----------------------------------------------------------------------------------------


def volume_places(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """Flat places of the maxima, without `ceil_mode`."""
    size = x.shape[2:]
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True)
    )
    best = np.full((*x.shape[:2], *out), -np.inf)
    where = np.full(best.shape, -1)
    for at, _, place in meetings(size, out, kernel_size, stride, padding, dilation):
        flat = (place[0] * size[1] + place[1]) * size[2] + place[2]
        for n, c in np.ndindex(*x.shape[:2]):
            if x[n, c, *place] > best[n, c, *at]:
                best[n, c, *at], where[n, c, *at] = x[n, c, *place], flat
    return where


def window(i: int, n: int, m: int) -> range:
    """Which of n elements lie in window i of m."""
    return range(math.floor(i * n / m), math.ceil((i + 1) * n / m))


def window_sums(x, *, dim, size):
    x = np.moveaxis(x, dim, 0)
    y = [np.sum([x[j] for j in window(i, len(x), size)], axis=0) for i in range(size)]
    return np.moveaxis(np.array(y), 0, dim)


def window_places(x, *, size):
    image = x.shape[-len(size) :]
    y = np.zeros((*x.shape[: -len(size)], *size), int)
    for place in np.ndindex(*y.shape):
        lead, at = place[: -len(size)], place[-len(size) :]
        inside = itertools.product(*map(window, at, image, size))
        best = max(inside, key=lambda spot, lead=lead: x[*lead, *spot])
        y[place] = np.ravel_multi_index(best, image)
    return y


def unpooled(x, indices, *, size):
    y = np.zeros((*x.shape[:-1], size))
    for place in np.ndindex(*x.shape):
        y[*place[:-1], indices[place]] = x[place]
    return y


# --- Products and distances -----------------------------------------------------------------------


def crossed(a, b, *, dim):
    a, b = (np.moveaxis(v, dim, 0) for v in np.broadcast_arrays(a, b))
    y = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.moveaxis(np.array(y), 0, dim)


def lengths(x, *, p, dim):
    y = np.empty([1 if i in dim else n for i, n in enumerate(x.shape)])
    for place in np.ndindex(*y.shape):
        line = x[tuple(slice(None) if i in dim else p for i, p in enumerate(place))].ravel()
        sizes = [abs(v) for v in line.tolist()]
        y[place] = max(sizes) if p == math.inf else math.fsum(v**p for v in sizes) ** (1 / p)
    return y


def distances(a, b):
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in (a, b))
    y = np.empty((*lead, a.shape[-2], b.shape[-2]))
    for *batch, i, j in np.ndindex(*y.shape):
        y[*batch, i, j] = math.dist(a[*batch, i].tolist(), b[*batch, j].tolist())
    return y


# --- Resampling -----------------------------------------------------------------------------------


def resampled(x, *, dim, taps):
    matrix = np.zeros((len(taps.places), x.shape[dim]))
    for (i, t), place in np.ndenumerate(taps.places):
        matrix[i, place] += taps.weights[i, t]
    return np.moveaxis(np.tensordot(matrix, x, (1, dim)), 0, dim)


def mirrored(at: float, low: float, high: float) -> float:
    if high == low:
        return 0.0
    while not low <= at <= high:
        at = 2 * low - at if at < low else 2 * high - at
    return at


def grid_place(v: float, n: int, padding: str, align: bool) -> float:
    at = (v + 1) / 2 * (n - 1) if align else ((v + 1) * n - 1) / 2
    if padding == "reflection":
        at = mirrored(at, 0.0, n - 1.0) if align else mirrored(at, -0.5, n - 0.5)
    return at if padding == "zeros" else min(max(at, 0.0), n - 1.0)


def grid_coordinates(x, *, size, padding, align):
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape):
        y[place] = grid_place(float(x[place]), size[place[-1]], padding, align)
    return y


def grid_slopes(x, **at):
    step = 1e-6
    return (grid_coordinates(x + step, **at) - grid_coordinates(x - step, **at)).round(9) / 2e-6


def grid_places(x, *, size, mode, padding, align):
    steps = {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}[mode]
    y = np.empty((*x.shape[:-1], len(steps) ** len(size)), int)
    for place in np.ndindex(*x.shape[:-1]):
        for k, offsets in enumerate(itertools.product(steps, repeat=len(size))):
            flat = 0
            for axis, step in zip(reversed(range(len(size))), offsets, strict=True):
                v = float(x[*place, axis])
                at = (round(v) if mode == "nearest" else math.floor(v)) + step
                if padding != "zeros" and mode == "bicubic":
                    at = min(max(at, 0), size[axis] - 1)
                inside = 0 <= at < size[axis] and flat >= 0
                flat = flat * size[axis] + at if inside else -1
            y[*place, k] = flat
    return y


def grid_picked(x, places):
    y = np.zeros((*x.shape[:2], places.shape[1]))
    for (n, q), place in np.ndenumerate(places):
        y[n, :, q] = 0 if place < 0 else x[n, :, place]
    return y


def grid_spread(h, places, *, size):
    y = np.zeros((*h.shape[:2], size))
    for (n, q), place in np.ndenumerate(places):
        if place >= 0:
            y[n, :, place] += h[n, :, q]
    return y


ORACLES: dict[str, Callable[..., Any]] = {
    "conv1d": convolved,
    "conv1d_input": convolved_back,
    "conv1d_weight": convolved_weight,
    "conv3d": convolved,
    "conv3d_input": convolved_back,
    "conv3d_weight": convolved_weight,
    "max_pool3d_indices": volume_places,
    "window_sum": window_sums,
    "adaptive_max_indices": window_places,
    "unpool": unpooled,
    "cross": crossed,
    "length": lengths,
    "euclidean": distances,
    "resample": resampled,
    "grid_coordinates": grid_coordinates,
    "grid_slopes": grid_slopes,
    "grid_places": grid_places,
    "grid_pick": grid_picked,
    "grid_spread": grid_spread,
}
