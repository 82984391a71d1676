"""Activations whose signatures in ``torch.nn.functional`` are wider than those of the ops."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import Tensor
from autograd import log_softmax as _log_softmax
from autograd import relu as _relu
from autograd import silu as _silu
from autograd import softmax as _softmax
from autograd import softplus as _softplus
from autograd.families import shape_of as _shape_of
from autograd.ops.arithmetic import cast as _cast
from autograd.ops.pool import floats as _floats
from autograd.random import Generator
from autograd.random import default_generator as _default_generator


def relu(input: Any, inplace: bool = False) -> Any:
    """
    Rectifier max(x, 0), element by element; the slope at 0 is 0.

    Parameters
    ----------
    input : Tensor, any shape
    inplace : bool
        Accepted; `input` is left alone.

    Examples
    --------
    >>> import autograd
    >>> relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _relu(input)


def silu(input: Any, inplace: bool = False) -> Any:
    """
    Sigmoid linear unit x * sigmoid(x), element by element; also known as swish.

    Parameters
    ----------
    input : Tensor, any shape
    inplace : bool
        Accepted; `input` is left alone.

    Examples
    --------
    >>> import autograd
    >>> silu(autograd.tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """
    return _silu(input)


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """
    Smooth ramp ``log(1 + exp(beta * x)) / beta``, element by element.

    Parameters
    ----------
    input : Tensor, any shape
    beta : float, default 1
        The larger, the sharper the bend.
    threshold : float, default 20
        Where ``beta * x`` is larger the result is x itself, and the slope 1.

    Raises
    ------
    ValueError
        If `beta` is 0.

    Examples
    --------
    >>> import autograd
    >>> softplus(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([0.3133, 0.6931, 1.3133])
    """
    if beta == 0:
        raise ValueError("softplus: beta must not be 0")
    return _softplus(input, beta=float(beta), threshold=float(threshold))


def softmax(
    input: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None
) -> Any:
    """
    Exponentials that sum to one along `dim`: ``exp(x) / sum(exp(x))``.

    Parameters
    ----------
    input : Tensor, any shape
    dim : int
    dtype : dtype, optional
        Convert to this first.
    axis : int
        NumPy's name for `dim`.

    Raises
    ------
    TypeError
        If no `dim` is given (PyTorch guesses one, and warns).
    IndexError
        If it is out of range.

    Examples
    --------
    >>> import autograd
    >>> softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(_as(input, dtype), dim, axis=axis)


def softmin(
    input: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None
) -> Any:
    """
    `softmax` of the negative: ``exp(-x) / sum(exp(-x))``; arguments and errors as there.

    Examples
    --------
    >>> import autograd
    >>> softmin(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(-_as(input, dtype), dim, axis=axis)


def log_softmax(
    input: Any, dim: int | None = None, *, dtype: Any = None, axis: int | None = None
) -> Any:
    """
    Logarithm of `softmax`, computed without underflow; arguments and errors as there.

    Examples
    --------
    >>> import autograd
    >>> log_softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _log_softmax(_as(input, dtype), dim, axis=axis)


def gumbel_softmax(
    logits: Any,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Draw from a categorical distribution so that gradients flow: ``softmax((x + noise) / tau)``.

    The noise is Gumbel's, ``-log(-log(u))`` of uniform u. Jang et al. 2017, "Categorical
    reparameterization with Gumbel-softmax".

    Parameters
    ----------
    logits : Tensor, any shape that has the dimension
        Logarithms of probabilities, up to a constant.
    tau : float, default 1
        The smaller, the nearer to one-hot.
    hard : bool, default False
        Return the one-hot draw itself, with the gradient of the soft one.
    eps : float
        Deprecated; it has no effect.
    dim : int, default -1
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    IndexError
        If `dim` is out of range.
    TypeError
        If the logits are not floats.

    Examples
    --------
    >>> import autograd
    >>> gumbel_softmax(autograd.tensor([0.0, 1000.0]), hard=True)
    tensor([0., 1.])
    """
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps is deprecated and has no effect", stacklevel=2)
    _floats("gumbel_softmax", logits)
    source = _default_generator if generator is None else generator
    waits = -np.log1p(-source.random(_shape_of(logits, "gumbel_softmax")))
    noise = -np.log(np.maximum(waits, np.finfo(np.float64).tiny))
    soft = _softmax((logits + noise.astype(logits.dtype)) / tau, dim)
    if not hard:
        return soft
    value = soft.value if isinstance(soft, Tensor) else soft
    one = np.zeros_like(value)
    np.put_along_axis(one, np.expand_dims(value.argmax(dim), dim), 1.0, dim)
    # The values of the one, the gradient of the other.
    return soft - value + one


def _as(input: Any, dtype: Any) -> Any:
    return input if dtype is None else _cast(input, dtype=np.dtype(dtype))
