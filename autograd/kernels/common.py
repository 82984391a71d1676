"""Words that the kernel files share: types, output sizes, sample sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
"""An array of float32 or float64."""

Indices: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

Pair: TypeAlias = tuple[int, int]
"""One int for the height and one for the width."""


@dataclass(frozen=True)
class Sample:
    """A realistic call of a kernel, for tests and benchmarks.

    Attributes
    ----------
    name : str
        Where the call occurs.
    shapes : tuple of shapes
        Of the positional array arguments, in order.
    params : mapping
        The keyword arguments.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    params: Mapping[str, Any] = field(default_factory=dict)


def conv_output_size(
    size: tuple[int, ...],
    *,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[int, ...]:
    """Return the number of window positions along each axis.

    A value below 1 means that the kernel does not fit; telling the user so is the caller's part.
    """
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True)
    )


def pool_output_size(
    size: tuple[int, ...],
    *,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """Return the number of pooling windows along each axis, as PyTorch counts them.

    With `ceil_mode` a last window may hang over the far edge, but must start inside the input or
    the near padding. A value below 1 means that the kernel does not fit.
    """
    return tuple(
        _pooled(n, k, s, p, d, ceil_mode)
        for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True)
    )


def _pooled(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    span = n + 2 * p - d * (k - 1) - 1
    if not ceil_mode:
        return span // s + 1
    windows = -(-span // s) + 1
    return windows - 1 if (windows - 1) * s >= n + p else windows
