"""Tensors filled with one number, or with random numbers of one distribution."""

from __future__ import annotations

from typing import Any

from autograd import Generator, Tensor, no_grad
from autograd import random as _random


def filled(name: str, tensor: Tensor, values: Any) -> Tensor:
    """Overwrite `tensor` with `values`, which broadcast, outside the graph."""
    check(name, tensor)
    with no_grad():
        return tensor.copy_(values)


def check(name: str, tensor: Tensor) -> None:
    """Raise unless `tensor` is one."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: expected a Tensor, not {type(tensor).__name__}")


def source_of(generator: Generator | None) -> Generator:
    """The generator to draw from."""
    return _random.default_generator if generator is None else generator


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """
    Fill with uniform random numbers from [a, b).

    Parameters
    ----------
    tensor : Tensor, any shape
    a, b : float
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If ``a > b``.

    Examples
    --------
    >>> import autograd
    >>> x = uniform_(autograd.zeros(100), 2.0, 3.0)
    >>> bool((x >= 2.0).all() and (x <= 3.0).all())
    True
    """
    if not a <= b:
        raise ValueError(f"uniform_: the range needs a <= b, met a={a}, b={b}")
    check("uniform_", tensor)
    return filled("uniform_", tensor, source_of(generator).random(tensor.shape) * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """
    Fill with normal random numbers of a mean and a standard deviation.

    Parameters
    ----------
    tensor : Tensor, any shape
    mean, std : float
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If ``std < 0``.

    Examples
    --------
    >>> import autograd
    >>> normal_(autograd.zeros(2), mean=5.0, std=0.0)
    tensor([5., 5.])
    """
    if not std >= 0:
        raise ValueError(f"normal_: std must be at least 0, not {std}")
    check("normal_", tensor)
    return filled("normal_", tensor, source_of(generator).normal(tensor.shape) * std + mean)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """
    Fill with one number.

    Examples
    --------
    >>> import autograd
    >>> constant_(autograd.zeros(2), 3.0)
    tensor([3., 3.])
    """
    return filled("constant_", tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """
    Fill with ones.

    Examples
    --------
    >>> import autograd
    >>> ones_(autograd.zeros(2))
    tensor([1., 1.])
    """
    return filled("ones_", tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """
    Fill with zeros.

    Examples
    --------
    >>> import autograd
    >>> zeros_(autograd.ones(2))
    tensor([0., 0.])
    """
    return filled("zeros_", tensor, 0.0)
