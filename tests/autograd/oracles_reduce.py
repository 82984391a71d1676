"""What reductions, cumulations and sorts should give: loops over lines of numbers, in float64."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Oracle = Callable[..., Any]


def folded(formula: Callable[..., float]) -> Oracle:
    """An oracle of a reduction from a formula for the list of what is folded together."""

    def oracle(x: np.ndarray, dim: Any = None, keepdim: bool = False, **params: Any) -> np.ndarray:
        dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
        dims = {d % x.ndim for d in dims}
        kept = [1 if i in dims else n for i, n in enumerate(x.shape)]
        groups: dict[tuple[int, ...], list[float]] = {place: [] for place in np.ndindex(*kept)}
        for place in np.ndindex(*x.shape):
            home = tuple(0 if i in dims else p for i, p in enumerate(place))
            groups[home].append(x[place].item())
        y = np.array([formula(items, **params) for items in groups.values()]).reshape(kept)
        return y if keepdim else y.reshape([n for i, n in enumerate(kept) if i not in dims])

    return oracle


def lines(formula: Callable[..., list[Any]]) -> Oracle:
    """An oracle from a formula that takes one line along `dim` of each array to a line."""

    def oracle(*arrays: np.ndarray, dim: int, **params: Any) -> np.ndarray:
        first = arrays[0]
        rest = [n for i, n in enumerate(first.shape) if i != dim]
        made = []
        for place in np.ndindex(*rest):
            at: Any = (*place[:dim], slice(None), *place[dim:])
            made.append(formula(*(a[at].tolist() for a in arrays), **params))
        return np.moveaxis(np.array(made).reshape((*rest, -1)), -1, dim)

    return oracle


def running(step: Callable[[float, float], float]) -> Oracle:
    """An oracle of a cumulation from how two elements combine."""

    def formula(items: list[float], reverse: bool) -> list[float]:
        order = items[::-1] if reverse else items
        made = [functools.reduce(step, order[: i + 1]) for i in range(len(order))]
        return made[::-1] if reverse else made

    return lines(formula)


def steps(a: list[float], b: list[float], reverse: bool) -> list[float]:
    if reverse:
        return steps(a[::-1], b[::-1], False)[::-1]
    made: list[float] = []
    for factor, term in zip(a, b, strict=True):
        made.append(term + factor * made[-1] if made else term)
    return made


def moved(items: list[float], by: int, fill: float) -> list[float]:
    return [fill, *items[:-1]] if by == 1 else [*items[1:], fill]


def order(items: list[float], descending: bool = False) -> list[int]:
    """Indices in order of size, by counting how many come before each."""
    place = [0] * len(items)
    for i, v in enumerate(items):
        before = [w > v if descending else w < v for w in items]
        place[sum(before) + items[:i].count(v)] = i
    return place


def top(items: list[float], k: int, largest: bool, ordered: bool) -> list[int]:
    chosen = order(items, largest)[:k]
    return chosen if ordered or k == len(items) else sorted(chosen)


def so_far(items: list[float], largest: bool) -> list[int]:
    choose = max if largest else min
    heads = [items[: i + 1] for i in range(len(items))]
    return [max(j for j, v in enumerate(head) if v == choose(head)) for head in heads]


def middle(items: list[float], ignore_nan: bool) -> float:
    return sorted(items)[(len(items) - 1) // 2]


def most_frequent(items: list[float]) -> list[int]:
    value = min(items, key=lambda v: (-items.count(v), v))
    return [max(i for i, v in enumerate(items) if v == value)]


def spread(items: list[float], correction: float = 1.0) -> float:
    """By all pairs: no mean is needed."""
    n = len(items)
    pairs = math.fsum((a - b) ** 2 for a in items for b in items) / (2 * n)
    return math.sqrt(pairs / (n - correction))


def length(items: list[float], p: float) -> float:
    sizes = [math.fabs(v) for v in items]
    if math.isinf(p):
        return sorted(sizes)[-1 if p > 0 else 0]
    return math.exp(math.log(math.fsum(math.exp(p * math.log(v)) for v in sizes)) / p)


ORACLES: dict[str, Oracle] = {
    "max": folded(lambda items: sorted(items)[-1]),
    "min": folded(lambda items: sorted(items)[0]),
    "prod": folded(lambda items: functools.reduce(lambda a, b: a * b, items, 1.0)),
    "all": folded(lambda items: not [v for v in items if v == 0.0]),
    "any": folded(lambda items: bool([v for v in items if v != 0.0])),
    "count_nonzero": folded(lambda items: len(items) - items.count(0.0)),
    "std": folded(spread),
    "median": folded(middle),
    "norm": folded(length),
    "shift": lines(moved),
    "recurrence": lines(steps),
    "cumsum": running(lambda a, b: math.fsum((a, b))),
    "cumprod": running(lambda a, b: a * b),
    "logcumsumexp": running(lambda a, b: math.log(math.exp(a) + math.exp(b))),
    "cumulated_index": lines(so_far),
    "argextreme": lines(lambda items, largest: [items.index(sorted(items)[-1 if largest else 0])]),
    "argsort": lines(order),
    "topk": lines(top),
    "kth": lines(lambda items, k: [order(items)[k - 1]]),
    "median_index": lines(lambda items, ignore_nan: [order(items)[(len(items) - 1) // 2]]),
    "mode_index": lines(most_frequent),
}
