"""Weights with a pattern: identities, orthogonal rows, zeros strewn in."""

from __future__ import annotations

import math

import numpy as np

from autograd import Generator, Tensor

from .fill import check, filled, source_of


def eye_(tensor: Tensor) -> Tensor:
    """
    Fill a matrix with ones on the diagonal and zeros elsewhere.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions.

    Examples
    --------
    >>> import autograd
    >>> eye_(autograd.zeros(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    check("eye_", tensor)
    if tensor.ndim != 2:
        raise ValueError(
            f"eye_: only tensors with 2 dimensions have a diagonal, met {tensor.shape}"
        )
    return filled("eye_", tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """
    Fill the weight of a convolution so that it passes on as many channels as it can.

    Each group's kernel o sees channel o alone, and of it the middle element.

    Parameters
    ----------
    tensor : Tensor, (out, in / groups, K, ...), 3-d to 5-d
    groups : int, default 1
        Of the convolution; divides the outputs.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has another number of dimensions, or the groups do not fit.

    Examples
    --------
    >>> import autograd
    >>> dirac_(autograd.zeros(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    check("dirac_", tensor)
    shape = tensor.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError(f"dirac_: expected a weight of 3 to 5 dimensions, met {shape}")
    if groups < 1 or shape[0] % groups:
        raise ValueError(f"dirac_: groups={groups} must divide the {shape[0]} outputs")
    outputs = shape[0] // groups
    values = np.zeros(shape, tensor.dtype)
    middle = tuple(n // 2 for n in shape[2:])
    channels = np.arange(min(outputs, shape[1]))
    for group in range(groups):
        values[(group * outputs + channels, channels, *middle)] = 1.0
    return filled("dirac_", tensor, values)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """
    Fill with a random (semi-)orthogonal matrix, uniform among them, times `gain`.

    The tensor is seen as a matrix (out, everything else): its rows are orthonormal, or its
    columns where there are more rows than columns. Saxe et al. 2013, "Exact solutions to the
    nonlinear dynamics of learning in deep linear neural networks".

    Parameters
    ----------
    tensor : Tensor, at least 2-d
    gain : float, default 1
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Examples
    --------
    >>> import autograd
    >>> x = orthogonal_(autograd.zeros(2, 5))
    >>> autograd.allclose(x @ x.T, autograd.eye(2), atol=1e-6)
    True
    """
    check("orthogonal_", tensor)
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected at least 2 dimensions, met {tensor.shape}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    drawn = source_of(generator).normal((rows, columns))
    q, r = np.linalg.qr(drawn if rows >= columns else drawn.T)
    # The factors are made unique, by the signs of the diagonal: else q would not be uniform.
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    values = (q if rows >= columns else q.T) * gain
    return filled("orthogonal_", tensor, values.astype(tensor.dtype).reshape(tensor.shape))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """
    Fill with N(0, std²), and a fraction of each column with zeros.

    Martens 2010, "Deep learning via Hessian-free optimization".

    Parameters
    ----------
    tensor : Tensor, 2-d
    sparsity : float
        The fraction of zeros in each column, rounded up to whole elements.
    std : float, default 0.01
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions, `sparsity` is not from 0 to 1, or ``std < 0``.

    Examples
    --------
    >>> import autograd
    >>> sparse_(autograd.zeros(10, 3), sparsity=0.3).count_nonzero(dim=0)
    tensor([7, 7, 7])
    """
    check("sparse_", tensor)
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: expected a matrix, met {tensor.shape}")
    if not 0.0 <= sparsity <= 1.0 or not std >= 0.0:
        raise ValueError(
            f"sparse_: sparsity must be from 0 to 1 and std at least 0, met {sparsity} and {std}"
        )
    source = source_of(generator)
    values = source.normal(tensor.shape) * std
    # The places of the smallest of random numbers are a random choice, column by column.
    zeros = math.ceil(sparsity * tensor.shape[0])
    chosen = source.random(tensor.shape).argsort(axis=0)[:zeros]
    np.put_along_axis(values, chosen, 0.0, axis=0)
    return filled("sparse_", tensor, values.astype(tensor.dtype))
