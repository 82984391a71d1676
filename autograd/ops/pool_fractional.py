"""Max pooling over windows at random places: the size of the result is any, not a fraction of it.

The places of m windows of k elements over n go from 0 to n - k in steps that differ by at most one:
``floor((i + u) * alpha) - floor(u * alpha)`` with ``alpha = (n - k) / (m - 1)`` and u from U(0, 1).
Graham 2014, "Fractional max-pooling".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..families import shape_of, structured
from ..graph import Spec, Variable
from ..random import Generator, default_generator
from .conv_arguments import AXES, Sizes, ints
from .index import _gather
from .shape import _reshape


def _starts(u: np.ndarray, n: int, m: int, k: int) -> np.ndarray:
    """Where each of m windows begins: u (...) gives (..., m)."""
    places = np.full((*u.shape, m), n - k)
    if m > 1:
        alpha = u.dtype.type(n - k) / u.dtype.type(m - 1)
        steps = (np.arange(m - 1, dtype=u.dtype) + u[..., None]) * alpha
        places[..., :-1] = steps.astype(np.int64) - (u * alpha).astype(np.int64)[..., None]
    return places


@structured(
    None,
    None,
    infer=lambda x, u, *, kernel, size: Spec((*x.shape[: -len(size)], *size), "int64"),
    formula=("argmax(windows(x, u))", None, None),
)
def fractional_max_indices(x, u, /, *, kernel, size):
    """Where each maximum stands, flat in the last ``len(size)`` dimensions.

    x is (N, C, ...), u (N, C, number of dimensions). The first of equal ones is found, and the
    last NaN if there is any.
    """
    count = len(size)
    inner = x.shape[-count:]
    # PyTorch gives the first number of an image's pair to its width.
    order = range(count) if count == 3 else reversed(range(count))
    # At the end (N, C, *size, *kernel): flat places of all elements of all windows.
    flat = np.zeros((*x.shape[:2], *(1,) * (2 * count)), np.int64)
    for dim, which in zip(range(count), order, strict=True):
        starts = _starts(u[..., which], inner[dim], size[dim], kernel[dim])
        places = starts[..., None] + np.arange(kernel[dim])
        shape = [1] * (2 * count)
        shape[dim], shape[count + dim] = size[dim], kernel[dim]
        flat = flat + places.reshape(*x.shape[:2], *shape) * math.prod(inner[dim + 1 :])
    flat = flat.reshape(*x.shape[:2], math.prod(size), math.prod(kernel))
    spread = np.take_along_axis(x.reshape(*x.shape[:2], 1, -1), flat, -1)
    best = spread.argmax(-1)
    bad = np.isnan(spread)
    if bad.any():
        last = bad.shape[-1] - 1 - bad[..., ::-1].argmax(-1)
        best = np.where(bad.any(-1), last, best)
    places = np.take_along_axis(flat, best[..., None], -1)
    return places.reshape(*x.shape[:2], *size)


fractional_max_indices.op.samples = lambda draw: [
    ((draw((2, 3, 5, 6)), np.full((2, 3, 2), 0.4)), {"kernel": (2, 3), "size": (3, 2)}),
    ((draw((1, 2, 4, 3, 4)), np.full((1, 2, 3), 0.7)), {"kernel": (2, 1, 2), "size": (2, 3, 1)}),
]


def _wanted(who: str, count: int, inner: Sizes, output_size: Any, output_ratio: Any) -> Sizes:
    if output_size is not None:
        return ints(who, "output_size", output_size, count, 1)
    if output_ratio is None:
        raise ValueError(f"{who}: give output_size or output_ratio")
    ratios = output_ratio if isinstance(output_ratio, tuple | list) else (output_ratio,) * count
    if len(ratios) != count:
        raise ValueError(f"{who}: output_ratio must be one or {count} numbers, not {output_ratio}")
    return tuple(int(n * ratio) for n, ratio in zip(inner, ratios, strict=True))


def _pool(
    who: str,
    count: int,
    input: Any,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Any,
    generator: Generator | None,
) -> Any:
    shape = shape_of(input, who)
    axes = ", ".join(AXES[count - 1])
    if len(shape) not in (count + 1, count + 2):
        raise ValueError(f"{who}: expected input (N, C, {axes}) or (C, {axes}), met {shape}")
    kernel = ints(who, "kernel_size", kernel_size, count, 1)
    inner = shape[-count:]
    size = _wanted(who, count, inner, output_size, output_ratio)
    if min(size) < 1 or any(m + k - 1 > n for n, m, k in zip(inner, size, kernel, strict=True)):
        raise ValueError(
            f"{who}: {size} windows of {kernel} do not fit into {inner}: output_size + "
            "kernel_size - 1 may be at most the size of the input, and output_size at least 1"
        )
    lead = shape[:-count] if len(shape) == count + 2 else (1, shape[0])
    drawn = (*lead, count)
    if samples is None:
        source = default_generator if generator is None else generator
        samples = source.random(drawn).astype(input.dtype, copy=False)
    else:
        samples = np.asarray(samples.value if isinstance(samples, Variable) else samples)
        if samples.shape != drawn:
            raise ValueError(f"{who}: _random_samples must be {drawn}, met {samples.shape}")
    x = input if len(shape) == count + 2 else _reshape(input, shape=(*lead, *inner))
    places = fractional_max_indices(x, samples, kernel=kernel, size=size)
    y = _gather(
        _reshape(x, shape=(*lead, math.prod(inner))),
        _reshape(places, shape=(*lead, math.prod(size))),
        dim=2,
    )
    final = (*shape[:-count], *size)
    y = _reshape(y, shape=final)
    return (y, _reshape(places, shape=final)) if return_indices else y


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: Generator | None = None,
) -> Any:
    """Largest element of windows at random places of an image.

    Parameters
    ----------
    input : Tensor, (N, C, H, W) or (C, H, W)
    kernel_size : int or pair of int
    output_size : int or pair of int, optional
        Height and width of the result, ...
    output_ratio : float or pair of float, optional
        ... or their ratio to those of the input.
    return_indices : bool
        Also return where each maximum stands in its plane.
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    ValueError
        If neither size nor ratio is given, or the windows do not fit into the input.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.pool_fractional import fractional_max_pool2d
    >>> fractional_max_pool2d(autograd.arange(9.0).reshape(1, 3, 3), 2, output_size=2)
    tensor([[[4., 5.],
             [7., 8.]]])
    """
    return _pool(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples, generator,
    )  # fmt: skip


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: Generator | None = None,
) -> Any:
    """Largest element of windows at random places of (N, C, D, H, W) or (C, D, H, W).

    Arguments and errors are those of `fractional_max_pool2d`, over three dimensions.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.pool_fractional import fractional_max_pool3d
    >>> fractional_max_pool3d(autograd.arange(8.0).reshape(1, 2, 2, 2), 2, output_size=1)
    tensor([[[[7.]]]])
    """
    return _pool(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples, generator,
    )  # fmt: skip
