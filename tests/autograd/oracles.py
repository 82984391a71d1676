"""What every op should give, worked out in another way: loops over elements, in float64.

Nothing here calls the library, nor the NumPy function that the op itself calls.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tests.autograd import (
    oracles_attention,
    oracles_elementwise,
    oracles_layers,
    oracles_losses,
    oracles_products,
    oracles_recurrent,
    oracles_reduce,
    oracles_shape,
)

Oracle = Callable[..., Any]
Pair = tuple[int, int]


def each(formula: Callable[..., Any]) -> Oracle:
    """An oracle from a formula for one element."""

    def oracle(*arrays: Any) -> np.ndarray:
        together = np.broadcast_arrays(*arrays)
        flat = [
            formula(*items) for items in zip(*(a.ravel().tolist() for a in together), strict=True)
        ]
        kind = np.bool_ if flat and isinstance(flat[0], bool) else np.float64
        return np.array(flat, dtype=kind).reshape(together[0].shape)

    return oracle


def fold(formula: Callable[..., float]) -> Oracle:
    """An oracle of a reduction from a formula for a list of numbers."""

    def oracle(x: np.ndarray, dim: Any = None, keepdim: bool = False, **params: Any) -> np.ndarray:
        dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
        dims = {d % x.ndim for d in dims}
        kept = [1 if i in dims else n for i, n in enumerate(x.shape)]
        y = np.empty(kept)
        for place in np.ndindex(*kept):
            index = tuple(slice(None) if i in dims else p for i, p in enumerate(place))
            y[place] = formula(x[index].ravel().tolist(), **params)
        return y if keepdim else y.reshape([n for i, n in enumerate(kept) if i not in dims])

    return oracle


def along(formula: Callable[[list[float]], list[float]]) -> Oracle:
    """An oracle from a formula that takes one line of numbers to another."""

    def oracle(x: np.ndarray, *, dim: int) -> np.ndarray:
        y = np.empty(x.shape)
        for place in np.ndindex(*(n for i, n in enumerate(x.shape) if i != dim % x.ndim)):
            index: list[Any] = list(place)
            index.insert(dim % x.ndim, slice(None))
            y[tuple(index)] = formula(x[tuple(index)].tolist())
        return y

    return oracle


def variance(items: list[float], correction: float = 1.0) -> float:
    middle = math.fsum(items) / len(items)
    return math.fsum((v - middle) ** 2 for v in items) / (len(items) - correction)


def log_of_sum(items: list[float]) -> float:
    top = max(items)
    return top + math.log(math.fsum(math.exp(v - top) for v in items))


def soft(items: list[float]) -> list[float]:
    total = log_of_sum(items)
    return [math.exp(v - total) for v in items]


# --- Movements ----------------------------------------------------------------------------------


def taken(x: np.ndarray, index: Any) -> np.ndarray:
    """Which flat positions an index names, in the shape of the result."""
    return np.arange(x.size).reshape(x.shape)[index]


def by_position(positions: Callable[..., np.ndarray]) -> Oracle:
    """An oracle of an op that only moves: the result is x at `positions`."""

    def oracle(x: np.ndarray, **params: Any) -> np.ndarray:
        at = positions(x, **params)
        flat = x.ravel().tolist()
        return np.array([flat[i] for i in at.ravel().tolist()], x.dtype).reshape(at.shape)

    return oracle


def permuted(x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    y = np.empty([x.shape[d] for d in dims])
    for place in np.ndindex(*x.shape):
        y[tuple(place[d] for d in dims)] = x[place]
    return y


def expanded(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.empty(shape)
    extra = len(shape) - x.ndim
    for place in np.ndindex(*shape):
        y[place] = x[tuple(0 if n == 1 else p for p, n in zip(place[extra:], x.shape, strict=True))]
    return y


def joined(*tensors: np.ndarray, dim: int) -> np.ndarray:
    lines = [np.moveaxis(t, dim, 0) for t in tensors]
    return np.moveaxis(np.array([row for line in lines for row in line]), 0, dim)


def padded(x: np.ndarray, widths: Any, value: float) -> np.ndarray:
    y = np.empty([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)])
    for place in np.ndindex(*y.shape):
        inner = tuple(p - a for p, (a, _) in zip(place, widths, strict=True))
        inside = all(0 <= p < n for p, n in zip(inner, x.shape, strict=True))
        y[place] = x[inner] if inside else value
    return y


def put_back(x: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    y = np.zeros(shape)
    for position, value in zip(taken(y, index).ravel(), x.ravel(), strict=True):
        y.flat[position] += value
    return y


def assigned(x: np.ndarray, value: Any, index: Any) -> np.ndarray:
    y = np.array(x, np.float64)
    at = taken(x, index)
    for position, item in zip(at.ravel(), np.broadcast_to(value, at.shape).ravel(), strict=True):
        y.flat[position] = item
    return y


def gathered(x: np.ndarray, indices: np.ndarray, dim: int) -> np.ndarray:
    y = np.empty(indices.shape)
    for place in np.ndindex(*indices.shape):
        y[place] = x[(*place[:dim], indices[place], *place[dim + 1 :])]
    return y


def scattered(x: np.ndarray, indices: np.ndarray, dim: int, size: int) -> np.ndarray:
    y = np.zeros((*x.shape[:dim], size, *x.shape[dim + 1 :]))
    for place in np.ndindex(*indices.shape):
        y[(*place[:dim], indices[place], *place[dim + 1 :])] += x[place]
    return y


# --- Products -----------------------------------------------------------------------------------


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    left = "k" if a.ndim == 1 else "...ik"
    right = "k" if b.ndim == 1 else "...kj"
    out = ("" if a.ndim == b.ndim == 1 else "...") + "i" * (a.ndim > 1) + "j" * (b.ndim > 1)
    return np.einsum(f"{left},{right}->{out}", a, b)


def affine(x: np.ndarray, weight: np.ndarray, bias: Any) -> np.ndarray:
    return np.einsum("...i,oi->...o", x, weight) + (0.0 if bias is None else bias)


# --- Images -------------------------------------------------------------------------------------


def windows(
    image: Iterable[int],
    out: Iterable[int],
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair = (1, 1),
) -> Iterable[tuple[Pair, Pair, Pair]]:
    """(place in the result, place in the kernel, place in the image) of all that meet."""
    height, width = image
    for (i, j), (k, m) in itertools.product(
        itertools.product(*map(range, out)), itertools.product(*map(range, kernel))
    ):
        at = (
            i * stride[0] - padding[0] + k * dilation[0],
            j * stride[1] - padding[1] + m * dilation[1],
        )
        if 0 <= at[0] < height and 0 <= at[1] < width:
            yield (i, j), (k, m), at


def products(n: int, channels: int, outputs: int, groups: int) -> Iterable[tuple[int, ...]]:
    """(image, output, channel, channel within the weight) of all that meet."""
    for i, o, c in itertools.product(range(n), range(outputs), range(channels // groups)):
        yield i, o, o // (outputs // groups) * (channels // groups) + c, c


def convolved(x, weight, bias, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    out = [
        (x.shape[2 + d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) // stride[d] + 1
        for d in (0, 1)
    ]
    y = np.zeros((len(x), len(weight), *out))
    for n, o, c, k in products(len(x), x.shape[1], len(weight), groups):
        for at, inner, place in windows(x.shape[2:], out, kernel, stride, padding, dilation):
            y[n, o, *at] += x[n, c, *place] * weight[o, k, *inner]
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def convolved_back(h, weight, *, size, stride, padding, dilation, groups):
    x = np.zeros((len(h), weight.shape[1] * groups, *size))
    for n, o, c, k in products(len(h), x.shape[1], len(weight), groups):
        for at, inner, place in windows(
            size, h.shape[2:], weight.shape[2:], stride, padding, dilation
        ):
            x[n, c, *place] += h[n, o, *at] * weight[o, k, *inner]
    return x


def convolved_weight(x, h, *, kernel_size, stride, padding, dilation, groups):
    weight = np.zeros((h.shape[1], x.shape[1] // groups, *kernel_size))
    for n, o, c, k in products(len(x), x.shape[1], len(weight), groups):
        for at, inner, place in windows(
            x.shape[2:], h.shape[2:], kernel_size, stride, padding, dilation
        ):
            weight[o, k, *inner] += x[n, c, *place] * h[n, o, *at]
    return weight


def pooled_size(image, kernel, stride, padding, dilation, ceil_mode) -> list[int]:
    sizes = []
    for d in (0, 1):
        room = image[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1
        n = (math.ceil if ceil_mode else math.floor)(room / stride[d]) + 1
        if ceil_mode and (n - 1) * stride[d] >= image[d] + padding[d]:
            n -= 1  # the last window must begin inside the image
        sizes.append(n)
    return sizes


def largest(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """Values and flat places of the maxima."""
    out = pooled_size(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    best = np.full((*x.shape[:2], *out), -np.inf)
    where = np.full(best.shape, -1)
    for n, c in np.ndindex(*x.shape[:2]):
        for at, _, place in windows(x.shape[2:], out, kernel_size, stride, padding, dilation):
            value = x[n, c, *place]
            if value > best[n, c, *at] or where[n, c, *at] < 0:
                best[n, c, *at] = value
                where[n, c, *at] = place[0] * x.shape[3] + place[1]
    return best, where


def flat_planes(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:2], -1)


def spread_maxima(h, indices, *, size):
    y = np.zeros((*h.shape[:2], size[0] * size[1]))
    for place in np.ndindex(*h.shape):
        y[*place[:2], indices[place]] += h[place]
    return y.reshape(*h.shape[:2], *size)


def picked_maxima(x, indices):
    y = np.empty(indices.shape)
    for place in np.ndindex(*indices.shape):
        y[place] = flat_planes(x)[*place[:2], indices[place]]
    return y


def divisors(image, out, kernel, stride, padding, count_include_pad, divisor_override):
    """By what each window's sum is divided."""
    n = np.zeros(out)
    for i, j in np.ndindex(*out):
        sizes = []
        for d, p in ((0, i), (1, j)):
            start = p * stride[d] - padding[d]
            stop = min(start + kernel[d], image[d] + padding[d])
            inside = min(stop, image[d]) - max(start, 0)
            sizes.append(stop - start if count_include_pad else inside)
        n[i, j] = divisor_override or sizes[0] * sizes[1]
    return n


def averaged(x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    image = x.shape[2:]
    out = pooled_size(image, kernel_size, stride, padding, (1, 1), ceil_mode)
    y = np.zeros((*x.shape[:2], *out))
    for n, c in np.ndindex(*x.shape[:2]):
        for at, _, place in windows(image, out, kernel_size, stride, padding):
            y[n, c, *at] += x[n, c, *place]
    return y / divisors(
        image, out, kernel_size, stride, padding, count_include_pad, divisor_override
    )


def averaged_back(
    h, *, size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    out = h.shape[2:]
    h = h / divisors(size, out, kernel_size, stride, padding, count_include_pad, divisor_override)
    y = np.zeros((*h.shape[:2], *size))
    for n, c in np.ndindex(*h.shape[:2]):
        for at, _, place in windows(size, out, kernel_size, stride, padding):
            y[n, c, *place] += h[n, c, *at]
    return y


# --- The rest -----------------------------------------------------------------------------------


def normalised(x, weight, bias, *, eps):
    y = np.empty(x.shape)
    for c in range(x.shape[1]):
        items = x[:, c].ravel().tolist()
        middle, scale = math.fsum(items) / len(items), math.sqrt(variance(items, 0.0) + eps)
        y[:, c] = (x[:, c] - middle) / scale
        y[:, c] *= 1.0 if weight is None else weight[c]
        y[:, c] += 0.0 if bias is None else bias[c]
    return y


def normalised_rows(x, weight, bias, *, eps):
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape[:-1]):
        items = x[place].tolist()
        middle, scale = math.fsum(items) / len(items), math.sqrt(variance(items, 0.0) + eps)
        for i, item in enumerate(items):
            y[(*place, i)] = (item - middle) / scale * (1.0 if weight is None else weight[i])
            y[(*place, i)] += 0.0 if bias is None else bias[i]
    return y


def normalised_groups(x, weight, bias, *, groups, eps):
    y = np.empty(x.shape)
    each = x.shape[1] // groups
    for n, group in np.ndindex(len(x), groups):
        where = slice(group * each, (group + 1) * each)
        row = x[n, where].ravel()
        y[n, where] = normalised_rows(row, None, None, eps=eps).reshape(y[n, where].shape)
    for c in range(x.shape[1]):
        y[:, c] *= 1.0 if weight is None else weight[c]
        y[:, c] += 0.0 if bias is None else bias[c]
    return y


def normalised_by(x, mean, var, weight, bias, *, eps):
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape):
        c = place[1]
        z = (x[place] - mean[c]) / math.sqrt(var[c] + eps)
        y[place] = z * (1.0 if weight is None else weight[c]) + (0.0 if bias is None else bias[c])
    return y


def pulled_back(jacobian: Callable[[list[float], int, int], float]) -> Oracle:
    """An oracle of a vector times the Jacobian that a formula gives for a line y, at (i, j)."""

    def oracle(h: np.ndarray, y: np.ndarray, *, dim: int) -> np.ndarray:
        h, y = np.moveaxis(h, dim, -1), np.moveaxis(y, dim, -1)
        dx = np.empty(y.shape)
        for place in np.ndindex(*y.shape):
            line, j = y[place[:-1]].tolist(), place[-1]
            dx[place] = math.fsum(
                h[(*place[:-1], i)] * jacobian(line, i, j) for i in range(len(line))
            )
        return np.moveaxis(dx, -1, dim)

    return oracle


def philox(counter: int, stream: int, key: int) -> list[int]:
    """The four words of Philox4x32-10."""
    low = 0xFFFFFFFF
    a, b, c, d = counter & low, counter >> 32, stream & low, stream >> 32
    first, second = key & low, key >> 32
    for _ in range(10):
        one, two = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (two >> 32) ^ b ^ first, two & low, (one >> 32) ^ d ^ second, one & low
        first, second = (first + 0x9E3779B9) & low, (second + 0xBB67AE85) & low
    return [a, b, c, d]


def dropped(x, key, *, p):
    y = np.zeros(x.size)
    key, stream = (int(word) % 2**64 for word in key)
    for i, value in enumerate(x.ravel().tolist()):
        word = philox(i // 64 * 16 + i % 16, stream, key)[i % 64 // 16]
        y[i] = value / (1.0 - p) if word >= p * 2**32 else 0.0
    return y.reshape(x.shape)


def rows_taken(x, indices, *, skip, shown):
    y = np.zeros((*indices.shape, x.shape[1]))
    for place in np.ndindex(*indices.shape):
        if shown or indices[place] != skip:
            y[place] = x[indices[place]]
    return y


def rows_added(h, indices, *, rows, skip):
    y = np.zeros((rows, h.shape[-1]))
    for place in np.ndindex(*indices.shape):
        if indices[place] != skip:
            y[indices[place]] += h[place]
    return y


def picked(x, target, *, ignore_index):
    return np.array([0.0 if t == ignore_index else x[i, t] for i, t in enumerate(target)])


def placed(h, target, *, ignore_index, classes):
    y = np.zeros((len(h), classes))
    for i, t in enumerate(target):
        if t != ignore_index:
            y[i, t] = h[i]
    return y


def mean_cross_entropy(x, target):
    return math.fsum(
        log_of_sum(list(row)) - row[t] for row, t in zip(x, target, strict=True)
    ) / len(x)


def cross_entropy_slope(x, target):
    rows = [
        [(p - (c == t)) / len(x) for c, p in enumerate(soft(row.tolist()))]
        for row, t in zip(x, target, strict=True)
    ]
    return np.array(rows)


def sign(x: float) -> float:
    return float(x > 0) - float(x < 0)


def gelu_angle(x: Any) -> Any:
    return math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)


def slope(formula: Callable[[complex], complex], x: float) -> float:
    """The derivative of an analytic formula, by a complex step: exact to rounding."""
    return formula(complex(x, 1e-30)).imag / 1e-30


ORACLES: dict[str, Oracle] = {
    # Elementwise.
    "exp": each(lambda x: math.e**x),
    "log": each(lambda x: math.log2(x) * math.log(2.0)),
    "sqrt": each(lambda x: x**0.5),
    "sin": each(lambda x: math.cos(x - math.pi / 2)),
    "cos": each(lambda x: math.sin(x + math.pi / 2)),
    "tanh": each(lambda x: (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)),
    "add": each(lambda a, b: math.fsum((a, b))),
    "sub": each(lambda a, b: math.fsum((a, -b))),
    "mul": each(lambda a, b: math.prod((a, b))),
    "div": each(lambda a, b: a * b**-1),
    "neg": each(lambda x: 0.0 - x),
    "pow": each(math.pow),
    "abs": each(lambda x: math.sqrt(x * x)),
    "sign": each(sign),
    "maximum": each(lambda a, b: sorted((a, b))[1]),
    "minimum": each(lambda a, b: sorted((a, b))[0]),
    "clamp": each(lambda x, low, high: sorted((low, x, high))[1]),
    "where": each(lambda c, a, b: float((b, a)[int(c)])),
    "eq": each(lambda a, b: a == b),
    "ne": each(lambda a, b: a != b),
    "lt": each(lambda a, b: a < b),
    "le": each(lambda a, b: a <= b),
    "gt": each(lambda a, b: a > b),
    "ge": each(lambda a, b: a >= b),
    "sigmoid": each(lambda x: 0.5 + 0.5 * math.tanh(0.5 * x)),
    "relu": each(lambda x: x if x > 0 else 0.0),
    "softplus": each(lambda x: math.log1p(math.exp(x))),
    "erf": each(lambda x: 1.0 - math.erfc(x)),
    "gelu": each(lambda x: x * (0.5 + 0.5 * math.erf(x / math.sqrt(2.0)))),
    "tanh_gelu": each(lambda x: 0.5 * x * (1.0 + math.tanh(gelu_angle(x)))),
    "silu": each(lambda x: x / (1.0 + math.exp(-x))),
    "tanh_backward": each(lambda h, t: h * (1.0 + t) * (1.0 - t)),
    "sigmoid_backward": each(lambda h, s: h * s - h * s * s),
    "relu_backward": each(lambda h, r: h if r > 0 else 0.0),
    "silu_backward": each(lambda h, x: h * slope(lambda v: v / (1.0 + cmath.exp(-v)), x)),
    "softplus_backward": each(lambda h, x: h * slope(lambda v: cmath.log(1.0 + cmath.exp(v)), x)),
    "gelu_backward": each(
        lambda h, x: (
            h
            * (
                0.5 * math.erfc(-x / math.sqrt(2.0))
                + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            )
        )
    ),
    "tanh_gelu_backward": each(
        lambda h, x: h * slope(lambda v: 0.5 * v * (1.0 + cmath.tanh(gelu_angle(v))), x)
    ),
    "clone": each(float),
    # Reductions.
    "sum": fold(math.fsum),
    "mean": fold(lambda items: math.fsum(items) / len(items)),
    "amax": fold(lambda items: sorted(items)[-1]),
    "amin": fold(lambda items: sorted(items)[0]),
    "var": fold(variance),
    "logsumexp": fold(log_of_sum),
    "softmax": along(soft),
    "log_softmax": along(lambda items: [v - log_of_sum(items) for v in items]),
    "softmax_backward": pulled_back(lambda y, i, j: y[i] * ((i == j) - y[j])),
    "log_softmax_backward": pulled_back(lambda y, i, j: (i == j) - math.exp(y[j])),
    # Movements and conversions.
    "cast": lambda x, dtype: np.array(x.tolist(), dtype).reshape(x.shape),
    "to_scalar": lambda x: math.fsum(x.ravel().tolist()),
    "reshape": by_position(lambda x, shape: np.arange(x.size).reshape(shape)),
    "index": by_position(taken),
    "narrow": by_position(
        lambda x, dim, start, stop: np.take(
            np.arange(x.size).reshape(x.shape), range(start, stop), axis=dim
        )
    ),
    "permute": permuted,
    "mT": lambda x: permuted(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)),
    "expand": expanded,
    "cat": joined,
    "pad": padded,
    "unindex": put_back,
    "put": assigned,
    "gather": gathered,
    "scatter": scattered,
    # Products, images, losses.
    "matmul": product,
    "linear": affine,
    "conv2d": convolved,
    "conv2d_input": convolved_back,
    "conv2d_weight": convolved_weight,
    "max_pool2d": lambda x, **at: largest(x, **at)[0],
    "max_pool2d_indices": lambda x, **at: largest(x, **at)[1],
    "max_pool2d_input": lambda h, x, **at: spread_maxima(h, largest(x, **at)[1], size=x.shape[2:]),
    "max_pool2d_scatter": spread_maxima,
    "max_pool2d_gather": picked_maxima,
    "avg_pool2d": averaged,
    "avg_pool2d_spread": averaged_back,
    "batch_norm": normalised,
    "batch_norm_fixed": normalised_by,
    "layer_norm": normalised_rows,
    "group_norm": normalised_groups,
    "cross_entropy": mean_cross_entropy,
    "cross_entropy_slope": cross_entropy_slope,
    "dropout": dropped,
    "take_rows": rows_taken,
    "add_rows": rows_added,
    "pick_class": picked,
    "put_class": placed,
    **oracles_layers.ORACLES,
    **oracles_attention.ORACLES,
    **oracles_elementwise.ORACLES,
    **oracles_losses.ORACLES,
    **oracles_products.ORACLES,
    **oracles_recurrent.ORACLES,
    **oracles_shape.ORACLES,
    **oracles_reduce.ORACLES,
}

# Ops that draw at random have no oracle: the tests of what comes of them.
AT_RANDOM: dict[str, str] = {
    "dropout_key": "tests/autograd/test_op_table.py",
    "bernoulli": "tests/autograd/test_creation.py",
    "multinomial": "tests/autograd/test_creation.py",
}
