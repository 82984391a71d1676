"""Tensors of random numbers, from one generator unless another is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import random
from .dtypes import get_default_dtype
from .graph import Variable
from .ops.shape import sizes
from .tensor import Tensor


def rand(
    *size: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:
    """Uniform random numbers from [0, 1).

    Examples
    --------
    >>> import autograd
    >>> autograd.rand(2, 3).shape
    (2, 3)
    """
    source = generator or random.default_generator
    values = source.random(sizes("rand", size))
    return Tensor(np.asarray(values, dtype or get_default_dtype()), requires_grad)


def randn(
    *size: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:
    """Standard normal random numbers.

    Examples
    --------
    >>> import autograd
    >>> autograd.randn(2, 3).shape
    (2, 3)
    """
    source = generator or random.default_generator
    values = source.normal(sizes("randn", size))
    return Tensor(np.asarray(values, dtype or get_default_dtype()), requires_grad)


def rand_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers from [0, 1) in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.rand_like(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    return rand(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal random numbers in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.randn_like(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    return randn(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint(
    low: int,
    high: Any,
    size: Any = None,
    *,
    dtype: Any = np.int64,
    generator: random.Generator | None = None,
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
    if size is None:
        low, high, size = 0, low, high
    if not low < high:
        raise ValueError(f"randint: there is no integer from {low} up to, not including, {high}")
    source = generator or random.default_generator
    values = source.integers(low, high, sizes("randint", (size,)))
    return Tensor(np.asarray(values, dtype))


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None) -> Tensor:
    """Uniform random integers from [low, high) in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.randint_like(autograd.zeros(2, 3), 10).shape
    (2, 3)
    """
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, dtype=dtype or input.dtype)


def randperm(n: int, *, generator: random.Generator | None = None) -> Tensor:
    """The numbers 0 .. n - 1 in random order.

    Examples
    --------
    >>> import autograd
    >>> sorted(autograd.randperm(3).tolist())
    [0, 1, 2]
    """
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
        shape = sizes("normal", (size,))
    values = (generator or random.default_generator).normal(shape)
    return Tensor(np.asarray(values * s + m, dtype))


def bernoulli(input: Tensor, *, generator: random.Generator | None = None) -> Tensor:
    """1 with the probability that `input` says, else 0, in its shape and dtype.

    Raises
    ------
    ValueError
        If an element is no probability.

    Examples
    --------
    >>> import autograd
    >>> autograd.bernoulli(autograd.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    p = input.array()
    if p.dtype.kind != "f":
        raise TypeError(f"bernoulli: probabilities must be floats, not {p.dtype}")
    if not np.all((p >= 0.0) & (p <= 1.0)):
        raise ValueError(
            f"bernoulli: probabilities must be from 0 to 1, met {np.min(p)} to {np.max(p)}"
        )
    drawn = (generator or random.default_generator).random(p.shape)
    return Tensor((drawn < p).astype(p.dtype))


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: random.Generator | None = None,
) -> Tensor:
    """Indices drawn with probabilities proportional to weights.

    Parameters
    ----------
    input : Tensor, (C,) or (N, C)
        Weights, not negative; they need not sum to 1.
    num_samples : int
    replacement : bool
        Whether an index may be drawn again.

    Returns
    -------
    Tensor of int64, (num_samples,) or (N, num_samples)

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or fewer are positive than samples are asked for.

    Examples
    --------
    >>> import autograd
    >>> autograd.multinomial(autograd.tensor([0.0, 3.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    weights = np.asarray(input.array(), np.float64)
    if weights.ndim not in (1, 2) or not weights.shape[-1]:
        raise ValueError(f"multinomial: weights must be (C,) or (N, C), met {weights.shape}")
    if num_samples < 1:
        raise ValueError(f"multinomial: num_samples must be at least 1, not {num_samples}")
    if not np.isfinite(weights).all() or (weights < 0.0).any():
        raise ValueError("multinomial: weights must be finite and not negative")
    rows = np.atleast_2d(weights)
    enough = 1 if replacement else num_samples
    if ((rows > 0.0).sum(-1) < enough).any():
        raise ValueError(f"multinomial: {num_samples} samples, but fewer weights that are positive")
    source = generator or random.default_generator
    if replacement:
        ends = np.cumsum(rows, -1)
        drawn = source.random((len(rows), num_samples)) * ends[:, -1:]
        found = np.stack(
            [np.searchsorted(e, d, side="right") for e, d in zip(ends, drawn, strict=True)]
        )
        # Rounding may carry a draw past the last index of positive weight.
        last = rows.shape[-1] - 1 - np.argmax(rows[:, ::-1] > 0.0, -1)
        found = np.minimum(found, last[:, None])
    else:
        # The smallest of exponential waiting times: draws without putting back.
        with np.errstate(divide="ignore"):
            waits = -np.log1p(-source.random(rows.shape)) / rows
        found = np.argsort(waits, axis=-1, kind="stable")[:, :num_samples]
    found = found.astype(np.int64)
    return Tensor(found if weights.ndim == 2 else found[0])
