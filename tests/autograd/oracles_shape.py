"""What the ops that move, take and put elements should give, by loops over single elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Place = tuple[int, ...]


def moved(x: np.ndarray, shape: Any, source: Callable[[Place], Place | None]) -> np.ndarray:
    """An array whose element at each place is that of x at ``source(place)``; 0 for None."""
    y = np.zeros(shape)
    for place in np.ndindex(*shape):
        origin = source(place)
        if origin is not None:
            y[place] = x[origin]
    return y


def collected(x: np.ndarray, shape: Any, target: Callable[[Place], Place]) -> np.ndarray:
    """Zeros to which every element of x was added at ``target(place)``."""
    y = np.zeros(shape)
    for place in np.ndindex(*x.shape):
        y[target(place)] += x[place]
    return y


def flipped(x: np.ndarray, dims: Place) -> np.ndarray:
    return moved(
        x,
        x.shape,
        lambda p: tuple(x.shape[i] - 1 - k if i in dims else k for i, k in enumerate(p)),
    )


def rolled(x: np.ndarray, shifts: Place, dims: Place) -> np.ndarray:
    by = dict(zip(dims, shifts, strict=True))
    return moved(
        x, x.shape, lambda p: tuple((k - by.get(i, 0)) % x.shape[i] for i, k in enumerate(p))
    )


def on_diagonal(place: Place, offset: int, dim1: int, dim2: int) -> Place:
    """Where the element of a diagonal at `place` stands in the matrices."""
    *rest, k = place
    whole = {dim1: k + max(-offset, 0), dim2: k + max(offset, 0)}
    others = iter(rest)
    return tuple(whole[i] if i in whole else next(others) for i in range(len(place) + 1))


def repeated(x: np.ndarray, times: Place) -> np.ndarray:
    shape = (1,) * (len(times) - x.ndim) + x.shape
    large = [n * t for n, t in zip(shape, times, strict=True)]
    return moved(x, large, lambda p: tuple(k % n for k, n in zip(p, shape, strict=True))[-x.ndim :])


def repeated_each(x: np.ndarray, times: int, dim: int) -> np.ndarray:
    shape = [n * times if i == dim else n for i, n in enumerate(x.shape)]
    return moved(x, shape, lambda p: (*p[:dim], p[dim] // times, *p[dim + 1 :]))


def diagonal(x: np.ndarray, offset: int, dim1: int, dim2: int) -> np.ndarray:
    rows, columns = x.shape[dim1] - max(-offset, 0), x.shape[dim2] - max(offset, 0)
    rest = [n for i, n in enumerate(x.shape) if i not in (dim1, dim2)]
    return moved(x, (*rest, min(rows, columns)), lambda p: on_diagonal(p, offset, dim1, dim2))


def undiagonal(x: np.ndarray, shape: Any, **at: int) -> np.ndarray:
    return collected(x, shape, lambda p: on_diagonal(p, **at))


def triangle(keep: Callable[[int], bool]) -> Callable[..., np.ndarray]:
    def oracle(x: np.ndarray, diagonal: int) -> np.ndarray:
        return moved(x, x.shape, lambda p: p if keep(p[-1] - p[-2] - diagonal) else None)

    return oracle


def windows(x: np.ndarray, dim: int, size: int, step: int, dilation: int) -> np.ndarray:
    count = (x.shape[dim] - dilation * (size - 1) - 1) // step + 1
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    return moved(x, shape, lambda p: (*p[:dim], p[dim] * step + p[-1] * dilation, *p[dim + 1 : -1]))


def unwindows(x: np.ndarray, dim: int, length: int, step: int, dilation: int) -> np.ndarray:
    shape = (*x.shape[:dim], length, *x.shape[dim + 1 : -1])
    return collected(
        x, shape, lambda p: (*p[:dim], p[dim] * step + p[-1] * dilation, *p[dim + 1 : -1])
    )


def reflected(k: int, n: int, mode: str) -> int:
    """Which element of a line of n a border shows at k, which may be out of range."""
    if mode == "replicate":
        return min(max(k, 0), n - 1)
    if mode == "circular":
        return k % n
    return -k if k < 0 else 2 * (n - 1) - k if k >= n else k


def inside(place: Place, sizes: Any, widths: Any, mode: str) -> Place:
    return tuple(
        reflected(k - a, n, mode) for k, n, (a, _) in zip(place, sizes, widths, strict=True)
    )


def bordered(x: np.ndarray, widths: Any, mode: str) -> np.ndarray:
    shape = [n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)]
    return moved(x, shape, lambda p: inside(p, x.shape, widths, mode))


def unbordered(x: np.ndarray, widths: Any, mode: str) -> np.ndarray:
    shape = [n - a - b for n, (a, b) in zip(x.shape, widths, strict=True)]
    return collected(x, shape, lambda p: inside(p, shape, widths, mode))


def sent(place: Place, indices: np.ndarray, dim: int) -> Place:
    return (*place[:dim], int(indices[place]), *place[dim + 1 :])


def scattered_over(x: np.ndarray, indices: np.ndarray, value: Any, dim: int) -> np.ndarray:
    y = x.astype(np.float64)
    values = np.broadcast_to(value, indices.shape)
    for place in np.ndindex(*indices.shape):
        y[sent(place, indices, dim)] = values[place]
    return y


def folded(
    x: np.ndarray, indices: np.ndarray, src: np.ndarray, dim: int, reduce: str, include_self: bool
) -> np.ndarray:
    lists: dict[Place, list[float]] = {}
    for place in np.ndindex(*indices.shape):
        target = sent(place, indices, dim)
        lists.setdefault(target, [float(x[target])] if include_self else []).append(
            float(src[place])
        )
    y = x.astype(np.float64)
    for target, items in lists.items():
        if reduce == "prod":
            y[target] = 1.0
            for item in items:
                y[target] *= item
        else:
            y[target] = sorted(items)[-1 if reduce == "amax" else 0]
    return y


ORACLES: dict[str, Callable[..., Any]] = {
    "flip": flipped,
    "roll": rolled,
    "repeat": repeated,
    "repeat_each": repeated_each,
    "diagonal": diagonal,
    "undiagonal": undiagonal,
    "tril": triangle(lambda above: above <= 0),
    "triu": triangle(lambda above: above >= 0),
    "windows": windows,
    "unwindows": unwindows,
    "border": bordered,
    "unborder": unbordered,
    "scatter_set": scattered_over,
    "scatter_fold": folded,
}
