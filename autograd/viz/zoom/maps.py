"""Which elements an element depends on: maps between positions, for the ops whose form is known.

A position is the number of an element in row-major order. What is not known here is asked of the
op's rules (`rules.py`); values are never looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph import Op

Shape = tuple[int, ...]
Index = tuple[int, ...]
Window = tuple[np.ndarray, np.ndarray]  # rows or columns inside the image, and of the kernel

# Ops beyond the elementwise family whose result depends, element by element, on their first
# argument; what else they take decides how, and has no gradient.
ELEMENT_BY_ELEMENT = frozenset({"cast", "dropout"})


@dataclass(frozen=True, slots=True)
class Products:
    """An element as a sum of products of two operands' elements.

    Attributes
    ----------
    slots : tuple of int
        The two arguments.
    left, right : ndarray of int
        Positions in them, term by term.
    bias : tuple of int, or None
        An argument, and the position in it, that is added.
    """

    slots: tuple[int, int]
    left: np.ndarray
    right: np.ndarray
    bias: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """Where the elements of a movement op's result come from.

    Attributes
    ----------
    slots : ndarray of int
        By position: from which argument; -1 for an element that comes from none, such as padding.
    positions : ndarray of int
        Where in it.
    """

    slots: np.ndarray
    positions: np.ndarray


def index_at(position: int, shape: Shape) -> Index:
    """The index of the element at `position`."""
    return tuple(int(i) for i in np.unravel_index(position, shape)) if shape else ()


def position_of(index: Sequence[int], shape: Shape) -> int:
    """The position of the element at `index`."""
    return int(np.ravel_multi_index(tuple(index), shape)) if shape else 0


def broadcast_position(index: Index, shape: Shape) -> int:
    """The position in an operand of `shape` that broadcasting brings to `index` of the result."""
    own = index[len(index) - len(shape) :]
    return position_of([0 if n == 1 else i for i, n in zip(own, shape, strict=True)], shape)


def reduced_positions(index: Index, shape: Shape, dim: Sequence[int], keepdim: bool) -> np.ndarray:
    """The positions in an operand of `shape` that a reduction folds into `index` of its result."""
    kept = iter(index)
    place: list[Any] = []
    for i in range(len(shape)):
        if i in dim:
            if keepdim:
                next(kept)
            place.append(slice(None))
        else:
            place.append(next(kept))
    positions = np.arange(math.prod(shape)).reshape(shape)[tuple(place)]
    return np.asarray(positions).reshape(-1)


def moves(op: Op, arguments: Sequence[Any], params: Mapping[str, Any]) -> Moves:
    """Find where a movement op takes its elements from, by letting it move numbers.

    Parameters
    ----------
    arguments : sequence
        For each argument its shape, as a tuple or, of a Scalar, the type float; anything else
        is handed to the op as it is.
    """
    sizes = [1 if a is float else math.prod(a) if isinstance(a, tuple) else 0 for a in arguments]
    starts = np.cumsum([0, *sizes])
    total = int(starts[-1])

    def moved(first: int) -> np.ndarray:
        given: list[Any] = []
        for argument, start, size in zip(arguments, starts[:-1], sizes, strict=True):
            if argument is float:
                given.append(float(first + start))
            elif isinstance(argument, tuple):
                given.append(np.arange(start, start + size, dtype=float).reshape(argument) + first)
            else:
                given.append(argument)
        return np.asarray(op.forward(*given, **params), np.float64).reshape(-1)

    # Two sets of numbers: what does not change with them was not moved but filled in.
    numbers, others = moved(0), moved(total)
    with np.errstate(invalid="ignore"):
        filled = others - numbers != total
    numbers = np.where(filled, 0.0, numbers).astype(np.int64)
    slots = np.searchsorted(starts, numbers, side="right") - 1
    positions = numbers - starts[slots]
    return Moves(np.where(filled, -1, slots), np.where(filled, 0, positions))


# --- Contractions and windows -------------------------------------------------------------------


def matmul_products(index: Index, shapes: Sequence[Shape], params: Mapping[str, Any]) -> Products:
    """``a[..., i, k] * b[..., k, j]`` over k; vectors are a row on the left, a column right."""
    a, b = shapes[0], shapes[1]
    rest = list(index)
    column = rest.pop() if len(b) > 1 else 0
    row = rest.pop() if len(a) > 1 else 0
    batch = tuple(rest)
    length = a[len(a) - 1]
    inner = np.arange(length)
    left = broadcast_position(batch, a[:-2]) * math.prod(a[-2:]) + row * length + inner
    if len(b) == 1:
        return Products((0, 1), left, inner)
    start = broadcast_position(batch, b[:-2]) * math.prod(b[-2:])
    return Products((0, 1), left, start + inner * b[len(b) - 1] + column)


def linear_products(index: Index, shapes: Sequence[Shape], params: Mapping[str, Any]) -> Products:
    """``weight[o, k] * x[..., k]`` over k, and the bias."""
    x, weight = shapes[0], shapes[1]
    inner = np.arange(weight[1])
    row = position_of(index[:-1], x[:-1])
    return Products((1, 0), index[-1] * weight[1] + inner, row * weight[1] + inner, (2, index[-1]))


def conv2d_products(index: Index, shapes: Sequence[Shape], params: Mapping[str, Any]) -> Products:
    """``weight[o, c, i, j] * x[n, c, r, s]`` over the window; its padding is left out."""
    (_, channels, height, width), weight = shapes[0], shapes[1]
    image, out, *at = index
    depth, kernel = weight[1], weight[2:]
    first = out // (weight[0] // params["groups"]) * depth
    (rows, i), (columns, j) = windows(at, (height, width), kernel, params)
    c = np.arange(depth)[:, None, None]
    left = ((out * depth + c) * kernel[0] + i[:, None]) * kernel[1] + j
    right = ((image * channels + first + c) * height + rows[:, None]) * width + columns
    return Products((1, 0), left.reshape(-1), right.reshape(-1), (2, out))


def conv2d_input_products(
    index: Index, shapes: Sequence[Shape], params: Mapping[str, Any]
) -> Products:
    """``weight[o, c, i, j] * x[n, o, r, s]`` over the windows that cover an element."""
    (_, outs, height, width), weight = shapes[0], shapes[1]
    image, channel, *at = index
    depth, kernel = weight[1], weight[2:]
    group, c = divmod(channel, depth)
    o = (group * (outs // params["groups"]) + np.arange(outs // params["groups"]))[:, None, None]
    found = []
    for axis, n in enumerate((height, width)):
        offsets = np.arange(kernel[axis])
        starts = at[axis] + params["padding"][axis] - offsets * params["dilation"][axis]
        places, between = np.divmod(starts, params["stride"][axis])
        covers = (between == 0) & (places >= 0) & (places < n)
        found.append((places[covers], offsets[covers]))
    (rows, i), (columns, j) = found
    left = ((o * depth + c) * kernel[0] + i[:, None]) * kernel[1] + j
    right = ((image * outs + o) * height + rows[:, None]) * width + columns
    return Products((1, 0), left.reshape(-1), right.reshape(-1))


def conv2d_weight_products(
    index: Index, shapes: Sequence[Shape], params: Mapping[str, Any]
) -> Products:
    """``h[n, o, i, j] * x[n, c, r, s]`` over all images and windows."""
    (images, channels, height, width), h = shapes[0], shapes[1]
    out, c, *offset = index
    first = out // (h[1] // params["groups"]) * (channels // params["groups"])
    found = []
    for axis, n in enumerate((height, width)):
        steps = np.arange(h[2 + axis])
        places = steps * params["stride"][axis] - params["padding"][axis]
        places = places + offset[axis] * params["dilation"][axis]
        inside = (places >= 0) & (places < n)
        found.append((places[inside], steps[inside]))
    (rows, i), (columns, j) = found
    image = np.arange(images)[:, None, None]
    left = ((image * h[1] + out) * h[2] + i[:, None]) * h[3] + j
    right = ((image * channels + first + c) * height + rows[:, None]) * width + columns
    return Products((1, 0), left.reshape(-1), right.reshape(-1))


def pooled_positions(index: Index, shape: Shape, params: Mapping[str, Any]) -> np.ndarray:
    """The positions inside the window of a pooling op."""
    _, channels, height, width = shape
    image, channel, *at = index
    (rows, _), (columns, _) = windows(at, (height, width), params["kernel_size"], params)
    plane = (image * channels + channel) * height
    return ((plane + rows[:, None]) * width + columns).reshape(-1)


def windows(
    at: Sequence[int], sizes: Sequence[int], kernel: Sequence[int], params: Mapping[str, Any]
) -> list[Window]:
    """Along each axis, the places that a window at `at` covers inside the image."""
    found = []
    for axis, (n, k) in enumerate(zip(sizes, kernel, strict=True)):
        dilation = params.get("dilation", (1, 1))[axis]
        offsets = np.arange(k)
        places = at[axis] * params["stride"][axis] - params["padding"][axis] + offsets * dilation
        inside = (places >= 0) & (places < n)
        found.append((places[inside], offsets[inside]))
    return found


PRODUCTS: dict[str, Callable[[Index, Sequence[Shape], Mapping[str, Any]], Products]] = {
    "matmul": matmul_products,
    "linear": linear_products,
    "conv2d": conv2d_products,
    "conv2d_input": conv2d_input_products,
    "conv2d_weight": conv2d_weight_products,
}
