"""Oracles of the recurrent layers: one sequence after the other, in loops over float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def product(weight: Any, h: list[float]) -> list[float]:
    return [sum(w * v for w, v in zip(row, h, strict=True)) for row in weight.tolist()]


def over_steps(
    step: Callable[..., list[list[float]]],
    inputs: Any,
    states: list[Any],
    spans: Any,
    reverse: bool,
) -> np.ndarray:
    """Each sequence on its own: its rows are at one place in every step that it has."""
    sizes = [rows for steps, rows in spans for _ in range(steps)]
    starts = [sum(sizes[:t]) for t in range(len(sizes))]
    y = np.zeros((len(inputs), states[0].shape[1]))
    last = [s.tolist() for s in states]
    for k in range(len(states[0])):
        times = [t for t in range(len(sizes)) if sizes[t] > k]
        now = [s[k] for s in last]
        for t in times[::-1] if reverse else times:
            now = step(inputs[starts[t] + k].tolist(), *now)
            y[starts[t] + k] = now[0]
        for s, new in zip(last, now, strict=True):
            s[k] = new
    return np.concatenate([y.ravel(), *(np.ravel(s) for s in last)])


def rnn(inputs, hidden, weight, *, spans, reverse, relu):
    def step(x, h):
        a = [u + v for u, v in zip(x, product(weight, h), strict=True)]
        return [[max(v, 0.0) if relu else math.tanh(v) for v in a]]

    return over_steps(step, inputs, [hidden], spans, reverse)


def lstm(inputs, hidden, cell, weight, projection, *, spans, reverse):
    n = cell.shape[1]

    def step(x, h, c):
        a = [u + v for u, v in zip(x, product(weight, h), strict=True)]
        c = [sigmoid(a[n + k]) * c[k] + sigmoid(a[k]) * math.tanh(a[2 * n + k]) for k in range(n)]
        h = [sigmoid(a[3 * n + k]) * math.tanh(c[k]) for k in range(n)]
        return [h if projection is None else product(projection, h), c]

    return over_steps(step, inputs, [hidden, cell], spans, reverse)


def gru(inputs, hidden, weight, bias, *, spans, reverse):
    n = hidden.shape[1]

    def step(x, h):
        a = product(weight, h)
        if bias is not None:
            a = [u + v for u, v in zip(a, bias.tolist(), strict=True)]
        y = []
        for k in range(n):
            r, z = sigmoid(x[k] + a[k]), sigmoid(x[n + k] + a[n + k])
            new = math.tanh(x[2 * n + k] + r * a[2 * n + k])
            y.append((1.0 - z) * new + z * h[k])
        return [y]

    return over_steps(step, inputs, [hidden], spans, reverse)


ORACLES = {"rnn_layer": rnn, "lstm_layer": lstm, "gru_layer": gru}
