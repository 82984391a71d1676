"""Tensors of random numbers, from one generator unless another is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import random
from .device import check_device
from .dtypes import get_default_dtype
from .graph import Variable
from .ops.shape import lengths
from .tensor import Tensor


def rand(
    *size: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    generator: random.Generator | None = None,
    device: Any = None,
) -> Tensor:
    """Uniform random numbers from [0, 1).

    Examples
    --------
    >>> import autograd
    >>> autograd.rand(2, 3).shape
    (2, 3)
    """
    check_device("rand", device)
    source = generator or random.default_generator
    values = source.random(lengths("rand", size))
    return Tensor(np.asarray(values, dtype or get_default_dtype()), requires_grad)


def randn(
    *size: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    generator: random.Generator | None = None,
    device: Any = None,
) -> Tensor:
    """Standard normal random numbers.

    Examples
    --------
    >>> import autograd
    >>> autograd.randn(2, 3).shape
    (2, 3)
    """
    check_device("randn", device)
    source = generator or random.default_generator
    values = source.normal(lengths("randn", size))
    return Tensor(np.asarray(values, dtype or get_default_dtype()), requires_grad)


def rand_like(
    input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Uniform random numbers from [0, 1) in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.rand_like(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("rand_like", device)
    return rand(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(
    input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Standard normal random numbers in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.randn_like(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("randn_like", device)
    return randn(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint(
    low: int,
    high: Any,
    size: Any = None,
    *,
    dtype: Any = np.int64,
    generator: random.Generator | None = None,
    device: Any = None,
) -> Tensor:
    """Uniform random integers from [low, high); `low` may be left out, and is 0 then.

    Raises
    ------
    ValueError
        If there is no integer in [low, high).

    Examples
    --------
    >>> import autograd
    >>> autograd.randint(0, 10, (2, 3)).shape, autograd.randint(10, (4,)).shape
    ((2, 3), (4,))
    """
    check_device("randint", device)
    if size is None:
        low, high, size = 0, low, high
    if not low < high:
        raise ValueError(f"randint: there is no integer from {low} up to, not including, {high}")
    source = generator or random.default_generator
    values = source.integers(low, high, lengths("randint", (size,)))
    return Tensor(np.asarray(values, dtype))


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Uniform random integers from [low, high) in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.randint_like(autograd.zeros(2, 3), 10).shape
    (2, 3)
    """
    check_device("randint_like", device)
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, dtype=dtype or input.dtype)


def randperm(n: int, *, generator: random.Generator | None = None, device: Any = None) -> Tensor:
    """The numbers 0 .. n - 1 in random order.

    Examples
    --------
    >>> import autograd
    >>> sorted(autograd.randperm(3).tolist())
    [0, 1, 2]
    """
    check_device("randperm", device)
    lengths("randperm", (n,))
    return Tensor((generator or random.default_generator).permutation(n))


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: random.Generator | None = None
) -> Tensor:
    """Normal random numbers of the given means and deviations.

    Parameters
    ----------
    mean, std : Tensor or float
        Broadcast together if `size` is not given.
    size : tuple of int, optional

    Raises
    ------
    ValueError
        If a deviation is negative.

    Examples
    --------
    >>> import autograd
    >>> autograd.normal(autograd.zeros(3), 2.0).shape, autograd.normal(0.0, 1.0, (2, 2)).shape
    ((3,), (2, 2))
    """
    m, s = (v.value if isinstance(v, Variable) else v for v in (mean, std))
    if np.any(np.asarray(s) < 0.0):
        raise ValueError(f"normal: a standard deviation must not be negative, met {np.min(s)}")
    shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    dtype = get_default_dtype()
    if size is None:
        kinds = [v.dtype for v in (m, s) if isinstance(v, np.ndarray | np.generic)]
        dtype = np.result_type(*kinds) if kinds else dtype
    else:
        shape = lengths("normal", (size,))
    values = (generator or random.default_generator).normal(shape)
    return Tensor(np.asarray(values * s + m, dtype))
