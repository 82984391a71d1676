"""Normal random numbers within limits."""

from __future__ import annotations

import math

import numpy as np

from autograd import Generator, Tensor

from .fill import check, filled, source_of

# Drawing normals and throwing away those outside costs 1 / mass draws an element; below this mass
# another proposal is cheaper.
LEAST_MASS = 0.1


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """
    Fill with N(mean, std²) numbers, those outside [a, b] drawn again.

    Exact for every interval, by rejection: from normals where the interval holds much of their
    mass, else from a uniform or (in a tail) a truncated exponential distribution. Robert 1995,
    "Simulation of truncated normal variables".

    Parameters
    ----------
    tensor : Tensor, any shape
    mean, std : float
        Of the normal distribution before it is cut.
    a, b : float
        Limits of the values (not in units of `std`).
    generator : Generator, optional

    Raises
    ------
    ValueError
        If not ``a < b`` or not ``std > 0``.

    Examples
    --------
    >>> import autograd
    >>> x = trunc_normal_(autograd.zeros(1000))
    >>> bool((x.abs() <= 2.0).all())
    True
    """
    check("trunc_normal_", tensor)
    if not a < b:
        raise ValueError(f"trunc_normal_: the interval needs a < b, met a={a}, b={b}")
    if not std > 0:
        raise ValueError(f"trunc_normal_: std must be greater than 0, not {std}")
    low, high = (a - mean) / std, (b - mean) / std
    if low + high < 0:  # the far side is the upper one from here on
        values = mean - std * _truncated(-high, -low, tensor.numel(), source_of(generator))
    else:
        values = mean + std * _truncated(low, high, tensor.numel(), source_of(generator))
    # The limits hold in the tensor's own precision too.
    values = np.clip(values, a, b).astype(tensor.dtype, copy=False).reshape(tensor.shape)
    return filled("trunc_normal_", tensor, values)


def _truncated(low: float, high: float, count: int, source: Generator) -> np.ndarray:
    """`count` standard normals within [low, high], the middle of which is not negative."""
    mass = 0.5 * (math.erfc(low / math.sqrt(2.0)) - math.erfc(high / math.sqrt(2.0)))
    values = np.empty(count)
    done = 0
    while done < count:
        n = count - done
        if mass >= LEAST_MASS:
            drawn = source.normal((n,))
            drawn = drawn[(drawn >= low) & (drawn <= high)]
        elif low <= 0:
            drawn = low + (high - low) * source.random((n,))
            drawn = drawn[source.random((n,)) <= np.exp(-0.5 * drawn * drawn)]
        else:
            beyond = -np.log1p(source.random((n,)) * np.expm1(-low * (high - low))) / low
            drawn = low + beyond[source.random((n,)) <= np.exp(-0.5 * beyond * beyond)]
        values[done : done + len(drawn)] = drawn
        done += len(drawn)
    return values
